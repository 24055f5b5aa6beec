import DaemonKit
import Glibc
import Logging
import Shared

/// One run: performs what `SupervisorCore` decides, feeds the picture, draws it. Confined to its loop, which it runs.
final class RunSession {
    /// Time between two screens.
    private static let drawInterval = Duration.seconds(1)
    /// Time between two lines where there is no screen.
    private static let lineInterval = Duration.seconds(5)
    /// The same signal again within this time is an echo: a terminal and `make` both pass one Ctrl-C on.
    private static let echoTimeMax = Duration.milliseconds(500)
    /// A child that answers again within this time was healed.
    static let outageMax = Duration.seconds(3)
    /// Reads of one child's output before others get their turn.
    private static let readCountMax = 16
    private static let readByteCount = 64 << 10

    /// What was started, and what it has written.
    private struct Child {
        var process: ChildProcess?
        /// Reading end of the present or last process's output, until its end.
        var output: Int32?
        let log: ChildLog
    }

    private let plan: ChildPlan
    private let directories: RunDirectories
    private let executables: String
    private let environment: [String: String]
    private let duration: Duration?
    private let terminal: Terminal
    private let signals: RunSignals
    private let loop: EventLoop
    private let clients: PictureClients
    private let lifeline: (reading: Int32, writing: Int32)
    private let began = Instant.now()

    private var core: SupervisorCore
    private var children: [ChildName: Child] = [:]
    private var followed: Set<ChildName> = []
    private var port = 0
    private var lastEvent: String?
    private var lastLineAt: Instant?
    private var firstSignal: (number: Int32, at: Instant)?
    /// The picture when the stop began: daemons that leave take their words with them.
    private var final: (picture: Picture, elapsed: Duration, down: [ChildName])?

    init(
        plan: ChildPlan, directories: RunDirectories, executables: String, environment: [String: String],
        duration: Duration?, terminal: Terminal, signals: RunSignals
    ) throws(SystemError) {
        self.plan = plan
        self.directories = directories
        self.executables = executables
        self.environment = environment
        self.duration = duration
        self.terminal = terminal
        self.signals = signals
        self.loop = try EventLoop()
        self.lifeline = try Pipe.make()
        self.clients = PictureClients(loop: self.loop, runtimeDirectory: directories.runtime)
        self.core = SupervisorCore(children: plan.children, seed: UInt64.random(in: .min ... .max))
        for name in plan.children {
            self.children[name] = Child(log: ChildLog(path: "\(directories.logs)/\(name).log"))
        }
    }

    /// What is left of a run that has ended.
    struct Outcome {
        var picture: Picture
        var summary: Summary
        var failure: SupervisorCore.Failure?
        /// Of the child that failed.
        var lastLines: [String]
    }

    /// Runs until it is stopped; no child is left then.
    func run() throws(SystemError) -> Outcome {
        try self.loop.watch(self.signals.descriptor, for: .read) { [unowned self] _ in
            while let signal = self.signals.next() { self.received(signal) }
        }
        // Nothing is read from these: only their end is of interest.
        if isatty(0) == 1 { try self.stopAtEnd(of: 0, "the terminal is gone") }
        if let text = self.environment["POLYBOT_LIFELINE_FD"], let descriptor = Int32(text), descriptor > 2,
            fcntl(descriptor, F_GETFD) >= 0
        {
            try self.stopAtEnd(of: descriptor, "the parent process is gone")
        }
        self.clients.onConnected = { [unowned self] daemon, hello in
            guard let pid = self.children[daemon]?.process?.pid, Int64(pid) == hello.pid else { return }
            self.answered(daemon)
        }
        self.clients.onDisconnected = { [unowned self] daemon in
            self.perform(self.core.fellSilent(daemon, now: .now()))
        }
        self.children[.simvenue]?.log.onLine = { [unowned self] line in
            guard let port = ReadyLine.port(in: line) else { return }
            self.port = port
            self.answered(.simvenue)
        }
        if let duration = self.duration {
            self.loop.after(duration) { [unowned self] in self.stop("its time is over") }
        }
        self.perform(self.core.start(now: .now()))
        self.drawAndRepeat()
        self.loop.run()
        self.terminal.leave()
        close(self.lifeline.writing)
        close(self.lifeline.reading)
        return self.outcome()
    }

    private func stopAtEnd(of descriptor: Int32, _ reason: String) throws(SystemError) {
        try self.loop.watch(descriptor, for: []) { [unowned self] readiness in
            guard !readiness.isDisjoint(with: .hangup) else { return }
            self.loop.unwatch(descriptor)
            self.stop(reason)
        }
    }

    private func outcome() -> Outcome {
        let final = self.final ?? (self.clients.picture, Instant.now() - self.began, [])
        var problems = self.core.failure.map { [$0.sentence] } ?? []
        if problems.isEmpty {
            if final.picture.trusted == 0 { problems.append("No book was trusted at the end.") }
            for child in final.down { problems.append("\(child) did not answer at the end.") }
        }
        for child in self.core.lost { problems.append("\(child) could not be killed.") }
        let summary = Summary(
            isOK: problems.isEmpty, elapsed: final.elapsed,
            venue: self.plan.embedded == nil ? "configured" : "embedded", mode: .paper,
            restarts: self.core.restarts, outages: self.core.longestOutage,
            error: problems.isEmpty ? nil : problems.joined(separator: " "))
        return Outcome(
            picture: final.picture, summary: summary, failure: self.core.failure,
            lastLines: self.core.failure.flatMap { self.children[$0.child]?.log.lastLines } ?? [])
    }

    // MARK: Actions

    private func perform(_ actions: [SupervisorCore.Action]) {
        for action in actions {
            switch action {
            case .spawn(let child): self.spawn(child)
            case .terminate(let child):
                self.beginStop()
                self.children[child]?.process?.signal(SIGTERM)
            case .kill(let child): self.children[child]?.process?.signal(SIGKILL)
            case .wake(let instant):
                self.loop.at(instant) { [unowned self] in self.perform(self.core.woke(now: .now())) }
            case .finished:
                self.beginStop()
                self.loop.stop()
            }
        }
    }

    private func spawn(_ name: ChildName) {
        do {
            let process = try ChildProcess.spawn(
                "\(self.executables)/\(name)", self.plan.arguments(of: name, port: self.port),
                environment: self.plan.environment(from: self.environment, port: self.port),
                lifeline: self.lifeline.reading)
            self.closeOutput(of: name)
            self.children[name]!.process = process
            self.children[name]!.output = process.output
            try self.loop.watch(process.output, for: .read) { [unowned self] _ in self.readOutput(of: name) }
        } catch {
            self.perform(self.core.couldNotSpawn(name, "\(error)", now: .now()))
            return
        }
        if ChildName.daemons.contains(name), self.followed.insert(name).inserted { self.clients.start(name) }
    }

    private func answered(_ name: ChildName) {
        let outage = self.core.outage(of: name, now: .now())
        self.perform(self.core.answered(name, now: .now()))
        if let outage { self.tell("\(name) answers again after \(Text.latency(outage.nanoseconds / 1_000))") }
    }

    // MARK: Children

    private func reap() {
        for name in self.plan.children {
            guard let process = self.children[name]?.process, let exit = process.takeExit() else { continue }
            self.children[name]!.process = nil
            self.readOutput(of: name)
            self.closeOutput(of: name)
            if !self.core.isStopping { self.tell("\(name) ended \(exit); it is started again") }
            self.perform(self.core.ended(name, exit, now: .now()))
        }
    }

    private func readOutput(of name: ChildName) {
        for _ in 0..<Self.readCountMax {
            guard let output = self.children[name]?.output else { return }
            let count = withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 1) { buffer in
                let count = read(output, buffer.baseAddress, buffer.count)
                if count > 0 { self.children[name]?.log.take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return count
            }
            if count == 0 { return self.closeOutput(of: name) }
            if count < 0 && errno != EINTR { return }
        }
    }

    private func closeOutput(of name: ChildName) {
        guard let output = self.children[name]?.output else { return }
        self.loop.unwatch(output)
        close(output)
        self.children[name]!.output = nil
        self.children[name]!.log.endLine()
    }

    // MARK: The end

    private func received(_ signal: Int32) {
        switch signal {
        case SIGCHLD: self.reap()
        case SIGWINCH: self.draw()
        default:
            if let first = self.firstSignal {
                guard Instant.now() - first.at > Self.echoTimeMax else { return }
                self.perform(self.core.stopAtOnce(now: .now()))
            } else {
                self.firstSignal = (signal, .now())
                self.stop(signal == SIGINT ? "Ctrl-C" : signal == SIGTERM ? "SIGTERM" : "the terminal is gone")
            }
        }
    }

    private func stop(_ reason: String) {
        guard !self.core.isStopping else { return }
        self.beginStop()
        // Decided before it is told of: a screen that cannot be drawn any more asks for a stop too.
        let actions = self.core.stop(now: .now())
        self.tell("stopping: \(reason)")
        self.perform(actions)
        self.draw()
    }

    private func beginStop() {
        guard self.final == nil else { return }
        let now = Instant.now()
        self.final = (self.clients.picture, now - self.began, self.core.down(now: now, outageMax: Self.outageMax))
        self.clients.stop()
    }

    // MARK: Showing

    private func drawAndRepeat() {
        self.draw()
        self.loop.after(Self.drawInterval) { [unowned self] in self.drawAndRepeat() }
    }

    private func draw() {
        switch self.terminal.kind {
        case .screen:
            let size = self.terminal.size
            let picture = self.final?.picture ?? self.clients.picture
            self.terminal.draw(StatusScreen.render(picture, self.view, width: size.width, height: size.height))
        case .lines:
            guard self.final == nil, self.lastLineAt.map({ Instant.now() - $0 >= Self.lineInterval }) ?? true else {
                return
            }
            self.lastLineAt = .now()
            self.terminal.write(line: StatusScreen.line(self.clients.picture, self.view))
        case .nothing: break
        }
        if self.terminal.isGone { self.stop("nobody reads standard output") }
    }

    private var view: RunView {
        var rows: [ChildName: RunView.Child] = [:]
        for name in self.plan.children {
            rows[name] = RunView.Child(
                state: self.core.states[name]!.name, pid: self.children[name]?.process.map { Int64($0.pid) },
                restarts: self.core.restarts[name])
        }
        let venue = self.plan.embedded == nil ? "configured venue" : "embedded venue, port \(self.port)"
        return RunView(
            venue: venue, elapsed: Instant.now() - self.began, mode: .paper, children: rows,
            note: self.note)
    }

    private var note: String {
        if self.core.isStopping { return "\(self.lastEvent ?? "stopping") · Ctrl-C again stops at once" }
        return self.lastEvent.map { "\($0) · Ctrl-C stops" } ?? "Ctrl-C stops · logs in \(self.directories.logs)"
    }

    /// Something that a person should hear of at once.
    private func tell(_ event: String) {
        self.lastEvent = event
        switch self.terminal.kind {
        case .screen: self.draw()
        case .lines: self.terminal.write(line: "polybot: \(event)")
        case .nothing where self.core.isStopping || self.final != nil: break
        case .nothing: StandardStreams.write("polybot: \(event)\n", to: 2)
        }
    }
}

extension SupervisorCore.State {
    /// For the screen.
    var name: String {
        switch self {
        case .idle: "-"
        case .starting: "starting"
        case .running: "running"
        case .waiting: "restarting"
        case .stopping: "stopping"
        case .stopped: "stopped"
        }
    }
}

extension SupervisorCore.Exit: CustomStringConvertible {
    var description: String {
        switch self {
        case .code(let code): "with code \(code)"
        case .signal(let number): "by signal \(number)"
        }
    }
}
