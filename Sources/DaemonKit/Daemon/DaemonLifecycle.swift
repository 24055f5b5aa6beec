import Glibc
import Logging
import Shared
import Synchronization

/// Start, ready, stop, exit: the life of one service on one loop. Everything but `requestStop` happens on the loop.
final class DaemonLifecycle: @unchecked Sendable {
    /// A stop that takes longer ends with code 70.
    static let stopTimeMax = Duration.seconds(10)
    /// How long a cancelled start may take to come to its end before `stop()` is called regardless.
    static let startCancelTimeMax = Duration.seconds(1)
    /// A daemon that is not useful by then says that it is ready all the same: its status tells what is missing.
    static let readyTimeMax = Duration.seconds(8)
    /// The same signal again within this time is an echo: a terminal and a parent both pass one Ctrl-C on.
    static let echoTimeMax = Duration.milliseconds(500)

    private enum Phase {
        /// Next: `running` when the start returns, `stopping` when it throws or a stop is asked for.
        case starting
        /// Next: `stopping`.
        case running
        /// Next: the loop's end, or the process's after `stopTimeMax`.
        case stopping
    }

    private let name: String
    private let loop: EventLoop
    private let logger: Logger
    private let notifier: Notifier
    private let allowsDrills: Bool

    // Loop only, below.
    private var phase = Phase.starting
    private var outcome = DaemonExit(.stopped, "")
    private var service: (any DaemonService)?
    private var startTask: Task<Void, Never>?
    private var hasStartEnded = false
    private var isStopCalled = false
    private var firstSignal: (number: Int32, at: Instant)?

    /// - Parameter allowsDrills: whether SIGUSR1 sticks the loop and SIGUSR2 the threads beside it, for people who want
    ///   to see a watchdog at work.
    init(name: String, loop: EventLoop, logger: Logger, notifier: Notifier, allowsDrills: Bool) {
        self.allowsDrills = allowsDrills
        self.name = name
        self.loop = loop
        self.logger = logger
        self.notifier = notifier
    }

    /// Runs `service` until it is asked to stop.
    ///
    /// - Returns: the exit code. What led to it was logged.
    func run(_ service: any DaemonService, signals: StopSignals, lifeline: Int32?) throws(DaemonExit) -> DaemonExit.Code
    {
        self.service = service
        do {
            try self.loop.watch(signals.descriptor, for: .read) { [unowned self] _ in
                while let signal = signals.next() { self.received(signal, hasTerminal: signals.hasTerminal) }
            }
            if let lifeline { try self.watch(lifeline) }
        } catch {
            throw DaemonExit(.bug, "The event loop takes no descriptor: \(error).")
        }
        self.notifier.startWatchdog(on: self.loop, logger: self.logger)
        self.loop.after(Self.readyTimeMax) { [unowned self] in self.notifier.ready() }
        self.startTask = Task.detached(executorPreference: self.loop) {
            let result: Result<Void, any Error>
            do {
                result = .success(try await service.start())
            } catch {
                result = .failure(error)
            }
            self.loop.execute { self.startEnded(result) }
        }
        self.loop.run()
        return self.outcome.code
    }

    private func watch(_ lifeline: Int32) throws(SystemError) {
        try self.loop.watch(lifeline, for: .read) { [unowned self] _ in
            guard Lifeline.hasEnded(lifeline) else { return }
            self.loop.unwatch(lifeline)
            self.beginStop(DaemonExit(.stopped, "the parent process is gone"))
        }
    }

    /// From any thread.
    func requestStop(_ exit: DaemonExit) {
        self.loop.execute { self.beginStop(exit) }
    }

    // MARK: On the loop

    private func startEnded(_ result: Result<Void, any Error>) {
        self.hasStartEnded = true
        switch (self.phase, result) {
        case (.starting, .success):
            self.phase = .running
            self.notifier.dropUntakenListeners()
            self.logger.info("Started")
        case (.starting, .failure(let error)):
            self.outcome = Self.exit(for: error)
            self.phase = .stopping
            self.logger.critical("Cannot start", metadata: Self.facts(self.outcome))
            self.loop.stop()
        case (.stopping, _): self.callStop()
        case (.running, _): preconditionFailure("a service started twice")
        }
    }

    private static func facts(_ exit: DaemonExit) -> Logger.Metadata {
        ["reason": "\(exit.message)", "code": "\(exit.code.rawValue)"]
    }

    private static func exit(for error: any Error) -> DaemonExit {
        switch error {
        case let exit as DaemonExit: exit
        case let error as SystemError where error.code == EACCES || error.code == EPERM:
            DaemonExit(.refused, "\(error)")
        default: DaemonExit(.bug, "\(error)")
        }
    }

    private func received(_ signal: Int32, hasTerminal: Bool) {
        let name = StopSignals.name(signal)
        if signal == SIGUSR1 || signal == SIGUSR2 {
            self.drill(signal)
        } else if signal == SIGHUP && !hasTerminal {
            self.logger.notice("SIGHUP has no effect: restart to read a new configuration")
        } else if let first = self.firstSignal {
            // A parent that stops its children in order may add its SIGTERM to a SIGINT: only insistence ends at once.
            guard first.number == signal, Instant.now() - first.at > Self.echoTimeMax else { return }
            self.logger.error("Stopped at once, not in order", metadata: ["signal": "\(name)"])
            Glibc._exit(DaemonExit.Code.bug.rawValue)
        } else {
            self.firstSignal = (signal, .now())
            self.beginStop(DaemonExit(.stopped, name))
        }
    }

    /// The hidden commands of a drill: what a watchdog is for, on purpose.
    private func drill(_ signal: Int32) {
        guard self.allowsDrills else {
            let name = StopSignals.name(signal)
            return self.logger.notice("A signal for drills has no effect", metadata: ["signal": "\(name)"])
        }
        guard signal == SIGUSR1 else {
            self.logger.warning("Threads beside the loop are stuck on purpose")
            return self.notifier.wedgeEveryPartForDrill()
        }
        self.logger.warning("The loop is stuck on purpose")
        while true { sleep(1) }
    }

    private func beginStop(_ exit: DaemonExit) {
        guard self.phase != .stopping else { return }
        self.phase = .stopping
        self.outcome = exit
        let level: Logger.Level = exit.code == .stopped ? .notice : .critical
        self.logger.log(level: level, "Stopping", metadata: Self.facts(exit))
        self.notifier.stopping()
        self.limitStop()
        if self.hasStartEnded {
            self.callStop()
        } else {
            self.startTask?.cancel()
            self.loop.after(Self.startCancelTimeMax) { [unowned self] in self.callStop() }
        }
    }

    /// Ends the process when the stop takes too long: from a thread of its own, as a stop that hangs may hold the loop.
    private func limitStop() {
        let giveUp: @Sendable () -> Void = { [logger] in
            logger.critical(
                "The stop took too long and is given up", metadata: ["limit_s": "\(Self.stopTimeMax.inSeconds)"])
            Glibc._exit(DaemonExit.Code.bug.rawValue)
        }
        do throws(SystemError) {
            try WorkerThread {
                sleep(UInt32(Self.stopTimeMax.inSeconds))
                giveUp()
            }.detach()
        } catch { self.loop.after(Self.stopTimeMax, giveUp) }
    }

    private func callStop() {
        guard !self.isStopCalled, let service = self.service else { return }
        self.isStopCalled = true
        Task.detached(executorPreference: self.loop) {
            await service.stop()
            self.loop.execute {
                self.logger.notice("Stopped")
                self.loop.stop()
            }
        }
    }
}
