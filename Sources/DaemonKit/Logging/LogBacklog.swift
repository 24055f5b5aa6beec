import Glibc
import Shared
import Synchronization

/// Log lines that a full socket did not take at once, and the thread that sends them: it may wait, whoever logs may not.
///
/// A datagram socket holds ten entries where nobody has raised `net.unix.max_dgram_qlen`, as in most containers: a burst is
/// longer than that.
final class LogBacklog: @unchecked Sendable {
    /// More is dropped.
    static let lineCountMax = 1_000
    static let byteCountMax = 1 << 20
    /// How long the end of the process waits for the last lines.
    static let exitTimeMax = Duration.milliseconds(500)
    /// Longest wait of the thread for room before it looks around.
    static let sendTimeMax = Duration.milliseconds(500)

    /// All whose thread runs, so that the end of the process can wait for them.
    private static let running = Synchronization.Mutex<(all: [LogBacklog], isWaitedFor: Bool)>(([], false))

    /// Waits for room, `sendTimeMax` at most.
    private let send: @Sendable ([UInt8]) -> Outcome
    private let onLost: @Sendable () -> Void
    enum Outcome: Sendable { case sent, noRoom, failed }

    private let monitor = Monitor()
    // Guarded by the monitor; the first line stays until it has gone.
    private var lines: [[UInt8]] = []
    private var byteCount = 0
    private var isRunning = false
    private var isStopping = false

    init(onLost: @escaping @Sendable () -> Void, send: @escaping @Sendable ([UInt8]) -> Outcome) {
        self.onLost = onLost
        self.send = send
    }

    /// Whether lines wait: those that come now must wait behind them.
    var isBusy: Bool { self.monitor.withLock { !self.lines.isEmpty } }

    /// - Returns: whether it is taken; it then goes out later, or is told to `onLost`.
    func add(_ line: [UInt8]) -> Bool {
        self.monitor.withLock {
            guard self.lines.count < Self.lineCountMax, self.byteCount + line.count <= Self.byteCountMax,
                self.isRunning || self.start()
            else { return false }
            self.lines.append(line)
            self.byteCount += line.count
            self.monitor.broadcast()
            return true
        }
    }

    /// Ends the thread once nothing waits any more.
    func stop() {
        self.monitor.withLock {
            self.isStopping = true
            self.monitor.broadcast()
        }
    }

    private func start() -> Bool {
        guard let thread = try? WorkerThread({ self.run() }) else { return false }
        thread.detach()
        self.isRunning = true
        Self.running.withLock {
            if !$0.isWaitedFor { atexit { LogBacklog.waitForAll() } }
            $0.isWaitedFor = true
            $0.all.append(self)
        }
        return true
    }

    private static func waitForAll() {
        let deadline = Instant.now() + Self.exitTimeMax
        for backlog in Self.running.withLock({ $0.all }) {
            backlog.monitor.lock()
            while !backlog.lines.isEmpty && Instant.now() < deadline {
                backlog.monitor.wait(until: deadline)
            }
            backlog.monitor.unlock()
        }
    }

    private func run() {
        self.monitor.lock()
        while true {
            while self.lines.isEmpty && !self.isStopping { self.monitor.wait() }
            guard let line = self.lines.first else { break }
            self.monitor.unlock()
            let outcome = self.send(line)
            if outcome == .failed { self.onLost() }
            self.monitor.lock()
            guard outcome != .noRoom else { continue }
            self.lines.removeFirst()
            self.byteCount -= line.count
            self.monitor.broadcast()
        }
        self.monitor.unlock()
        Self.running.withLock { $0.all.removeAll { $0 === self } }
    }
}
