import Glibc
import Shared

/// Brings written bytes to the disk from a thread of its own, so that a slow disk never stops the loop.
///
/// One sync serves everything that was written within `interval`.
final class JournalSyncer: @unchecked Sendable {
    /// Syncs like `fdatasync(2)`; tests put disks that never answer in its place.
    typealias Sync = @Sendable (Int32) -> Int32

    /// How long a write waits for company before its sync begins.
    static let interval = Duration.milliseconds(20)
    /// A sync that was asked for so long ago and is not done is stuck.
    static let pendingAgeMax = Duration.seconds(5)

    private let sync: Sync
    private let monitor = Monitor()
    private var thread: WorkerThread?

    // Guarded by the monitor.
    private var pending: Int32?
    private var pendingSince: Instant?
    /// Since when what is being synced has been waiting.
    private var syncingSince: Instant?
    private var isWedged = false
    private var isStopping = false
    private var failure: SystemError?

    init(sync: @escaping Sync = fdatasync) throws(SystemError) {
        self.sync = sync
        self.thread = try WorkerThread { [unowned self] in self.run() }
    }

    /// Whether nothing has waited for the disk longer than `pendingAgeMax`. From any thread.
    func isAdvancing(now: Instant) -> Bool {
        self.monitor.withLock {
            guard let since = self.syncingSince ?? self.pendingSince else { return true }
            return now - since <= Self.pendingAgeMax
        }
    }

    /// What a sync failed with, once.
    func takeFailure() -> SystemError? {
        self.monitor.withLock {
            defer { self.failure = nil }
            return self.failure
        }
    }

    /// Asks for `descriptor` to be synced. It must stay open until `waitUntilIdle()`.
    func request(_ descriptor: Int32) {
        self.monitor.withLock {
            self.pending = descriptor
            if self.pendingSince == nil { self.pendingSince = .now() }
            self.monitor.broadcast()
        }
    }

    /// Waits until everything that was asked for is on the disk.
    func waitUntilIdle() {
        self.monitor.lock()
        while self.pendingSince != nil || self.syncingSince != nil { self.monitor.wait() }
        self.monitor.unlock()
    }

    /// Ends the thread, after what is pending. Once.
    func stop() {
        self.monitor.withLock {
            self.isStopping = true
            self.monitor.broadcast()
        }
        self.thread?.join()
    }

    /// Makes the thread stand still as a dead disk would, until `stop()`.
    func wedgeForDrill() {
        self.monitor.withLock {
            self.isWedged = true
            if self.pendingSince == nil { self.pendingSince = .now() }
            self.monitor.broadcast()
        }
    }

    private func run() {
        self.monitor.lock()
        while true {
            while self.isWedged && !self.isStopping { self.monitor.wait() }
            while self.pending == nil && !self.isStopping && !self.isWedged { self.monitor.wait() }
            if self.isWedged && !self.isStopping { continue }
            if self.pending != nil && !self.isStopping {
                self.monitor.unlock()
                usleep(UInt32(Self.interval.nanoseconds / 1_000))
                self.monitor.lock()
            }
            guard let descriptor = self.pending else { break }
            self.syncingSince = self.pendingSince
            self.pending = nil
            self.pendingSince = nil
            self.monitor.unlock()
            let failure = self.sync(descriptor) == 0 ? nil : SystemError("fdatasync")
            self.monitor.lock()
            self.syncingSince = nil
            if let failure { self.failure = failure }
            self.monitor.broadcast()
        }
        self.pendingSince = nil
        self.monitor.unlock()
    }
}
