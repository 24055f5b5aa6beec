import Glibc
import Shared

/// Brings written bytes to the disk from a thread of its own, so that a slow disk never stops the loop.
///
/// One sync serves everything that was written within `interval`.
final class JournalSyncer: @unchecked Sendable {
    /// How long a write waits for company before its sync begins.
    static let interval = Duration.milliseconds(20)

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var thread: WorkerThread?

    // Guarded by the mutex.
    private var pending: Int32?
    private var isSyncing = false
    private var isStopping = false
    private var failure: SystemError?

    init() throws(SystemError) {
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.condition, nil)
        self.thread = try WorkerThread { [unowned self] in self.run() }
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.mutex.deallocate()
    }

    /// Asks for `descriptor` to be synced. It must stay open until `waitUntilIdle()`.
    ///
    /// - Returns: what an earlier sync failed with.
    func request(_ descriptor: Int32) -> SystemError? {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        self.pending = descriptor
        pthread_cond_broadcast(self.condition)
        return self.failure
    }

    /// Waits until everything that was asked for is on the disk.
    func waitUntilIdle() {
        pthread_mutex_lock(self.mutex)
        while self.pending != nil || self.isSyncing { pthread_cond_wait(self.condition, self.mutex) }
        pthread_mutex_unlock(self.mutex)
    }

    /// Ends the thread, after what is pending. Once.
    func stop() {
        pthread_mutex_lock(self.mutex)
        self.isStopping = true
        pthread_cond_broadcast(self.condition)
        pthread_mutex_unlock(self.mutex)
        self.thread?.join()
    }

    private func run() {
        pthread_mutex_lock(self.mutex)
        while true {
            while self.pending == nil && !self.isStopping { pthread_cond_wait(self.condition, self.mutex) }
            if self.pending != nil && !self.isStopping {
                pthread_mutex_unlock(self.mutex)
                usleep(UInt32(Self.interval.nanoseconds / 1_000))
                pthread_mutex_lock(self.mutex)
            }
            guard let descriptor = self.pending else { break }
            self.pending = nil
            self.isSyncing = true
            pthread_mutex_unlock(self.mutex)
            let failure = fdatasync(descriptor) == 0 ? nil : SystemError("fdatasync")
            pthread_mutex_lock(self.mutex)
            self.isSyncing = false
            if let failure { self.failure = failure }
            pthread_cond_broadcast(self.condition)
        }
        pthread_mutex_unlock(self.mutex)
    }
}
