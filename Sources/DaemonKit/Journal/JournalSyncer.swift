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

    // Guarded by the monitor.
    private var pending: Int32?
    /// Of files that nothing is appended to any more: synced once again and closed. One a day.
    private var retired: [Int32] = []
    private var pendingSince: Instant?
    /// Since when what is being synced has been waiting.
    private var syncingSince: Instant?
    private var isWedged = false
    private var isStopping = false
    private var hasEnded = false
    private var failure: SystemError?

    init(sync: @escaping Sync = fdatasync) throws(SystemError) {
        self.sync = sync
        try WorkerThread { self.run() }.detach()
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

    /// Asks for `descriptor` to be synced. It must stay open until `stop(within:)` has returned true, or be retired.
    func request(_ descriptor: Int32) {
        self.monitor.withLock {
            self.pending = descriptor
            if self.pendingSince == nil { self.pendingSince = .now() }
            self.monitor.broadcast()
        }
    }

    /// Asks for `descriptor` to be synced a last time and closed.
    func retire(_ descriptor: Int32) {
        self.monitor.withLock {
            if self.pending == descriptor { self.pending = nil }
            self.retired.append(descriptor)
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

    /// Ends the thread, after what is pending, and waits for that as long as `limit`.
    ///
    /// - Returns: whether it has ended; otherwise it hangs in a sync, and ends when that returns.
    func stop(within limit: Duration) -> Bool {
        self.monitor.lock()
        defer { self.monitor.unlock() }
        self.isStopping = true
        self.monitor.broadcast()
        let deadline = Instant.now() + limit
        while !self.hasEnded && Instant.now() < deadline { self.monitor.wait(until: deadline) }
        return self.hasEnded
    }

    /// Makes the thread stand still as a dead disk would, until it is stopped.
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
            while self.isIdle && !self.isStopping && !self.isWedged { self.monitor.wait() }
            if self.isWedged && !self.isStopping { continue }
            if !self.isIdle && !self.isStopping {
                self.monitor.unlock()
                usleep(UInt32(Self.interval.nanoseconds / 1_000))
                self.monitor.lock()
            }
            guard !self.isIdle else { break }
            self.syncingSince = self.pendingSince
            let (retired, pending) = (self.retired, self.pending)
            self.retired = []
            self.pending = nil
            self.pendingSince = nil
            self.monitor.unlock()
            var failure: SystemError?
            for descriptor in retired + (pending.map { [$0] } ?? []) where self.sync(descriptor) != 0 {
                failure = SystemError("fdatasync")
            }
            for descriptor in retired { close(descriptor) }
            self.monitor.lock()
            self.syncingSince = nil
            if let failure { self.failure = failure }
            self.monitor.broadcast()
        }
        self.pendingSince = nil
        self.hasEnded = true
        self.monitor.broadcast()
        self.monitor.unlock()
    }

    /// With the lock held: nothing is to be synced.
    private var isIdle: Bool { self.pending == nil && self.retired.isEmpty }
}
