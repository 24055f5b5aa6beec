import Glibc
import Synchronization

@testable import DaemonKit

/// A disk that fails, fills up or does not answer, as the test says. What it takes goes to the real file.
final class FakeDisk: Sendable {
    private struct State {
        var error: Int32?
        var syncError: Int32?
        var room = Int.max
    }

    private let state = Synchronization.Mutex(State())
    private let monitor = Monitor()
    /// Guarded by the monitor.
    private nonisolated(unsafe) var isHeld = false

    /// What each write fails with.
    var error: Int32? {
        get { self.state.withLock(\.error) }
        set { self.state.withLock { $0.error = newValue } }
    }
    /// What each sync fails with.
    var syncError: Int32? {
        get { self.state.withLock(\.syncError) }
        set { self.state.withLock { $0.syncError = newValue } }
    }
    /// Bytes that it takes before it is full.
    var room: Int {
        get { self.state.withLock(\.room) }
        set { self.state.withLock { $0.room = newValue } }
    }

    /// From now on nothing is answered, until `letGo()`.
    func hold() { self.monitor.withLock { self.isHeld = true } }

    func letGo() {
        self.monitor.withLock {
            self.isHeld = false
            self.monitor.broadcast()
        }
    }

    var write: @Sendable (Int32, UnsafeRawPointer, Int) -> Int {
        { descriptor, bytes, count in
            self.waitWhileHeld()
            return self.state.withLock { state in
                guard state.error == nil && state.room > 0 else {
                    errno = state.error ?? ENOSPC
                    return -1
                }
                let written = Glibc.write(descriptor, bytes, min(count, state.room))
                state.room -= written
                return written
            }
        }
    }

    var sync: @Sendable (Int32) -> Int32 {
        { descriptor in
            self.waitWhileHeld()
            guard let error = self.syncError else { return fdatasync(descriptor) }
            errno = error
            return -1
        }
    }

    private func waitWhileHeld() {
        self.monitor.lock()
        while self.isHeld { self.monitor.wait() }
        self.monitor.unlock()
    }
}
