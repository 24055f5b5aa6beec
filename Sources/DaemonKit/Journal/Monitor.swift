import CLinux
import Glibc
import Shared

/// A mutex and a condition, for a thread that waits for work. Deadlines are of the monotonic clock.
final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(self.mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(self.condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(self.mutex) }
    func unlock() { pthread_mutex_unlock(self.mutex) }

    func withLock<Value>(_ body: () -> Value) -> Value {
        self.lock()
        defer { self.unlock() }
        return body()
    }

    /// Wakes everybody who waits.
    func broadcast() { pthread_cond_broadcast(self.condition) }

    /// With the lock held: gives it up until somebody broadcasts.
    func wait() { pthread_cond_wait(self.condition, self.mutex) }

    /// With the lock held: gives it up until somebody broadcasts or `deadline` has come.
    func wait(until deadline: Instant) {
        var time = timespec(
            tv_sec: Int(deadline.nanoseconds / 1_000_000_000), tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
        pthread_cond_timedwait(self.condition, self.mutex, &time)
    }
}
