import DaemonKit
import Shared

/// Keeps children alive and stops them in order, as a value: what happened in, what to do out.
///
/// The first child is alone until it is ready, because the others are told its port. Then all are started, and whoever
/// ends unasked is started again: after 100 ms at first, later when it goes on. An end by which a child says that another
/// start would not help (wrong usage, refused, wrong configuration) stops everything.
struct SupervisorCore {
    enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    enum Action: Hashable {
        case spawn(ChildName)
        case terminate(ChildName)
        case kill(ChildName)
        case wake(at: Instant)
        /// All have ended.
        case finished
    }

    enum State: Hashable {
        /// Not started yet. Next: `starting`.
        case idle
        /// Next: `running` when it answers, `waiting` when it ends, killed when it does not answer in time.
        case starting(since: Instant)
        /// Next: `starting` when it stops answering, `waiting` when it ends.
        case running(since: Instant)
        /// Next: `starting`.
        case waiting(until: Instant)
        /// SIGTERM is sent. Next: `stopped`; killed at `killAt`, given up `killTimeMax` later.
        case stopping(killAt: Instant, isKilled: Bool)
        case stopped
    }

    /// Why everything is stopped before it was asked for.
    struct Failure: Hashable {
        let child: ChildName
        let code: DaemonExit.Code
        let sentence: String
    }

    /// Wait before the first restart, and between restarts of a child that never stays.
    static let firstWait = Duration.milliseconds(100)
    static let longestWait = Duration.seconds(5)
    /// A child that lived so long has recovered: its next wait is a first one.
    static let settledAfter = Duration.seconds(10)
    /// A child that does not answer for so long is stuck.
    static let answerTimeMax = Duration.seconds(20)
    /// Each child's time between SIGTERM and SIGKILL.
    static let stopTimeMax = Duration.seconds(5)
    /// Time for a killed child to disappear.
    static let killTimeMax = Duration.seconds(2)

    private(set) var states: [ChildName: State]
    /// Restarts so far.
    private(set) var restarts: [ChildName: Int]
    /// The longest time from an unasked end to an answer again.
    private(set) var longestOutage: [ChildName: Duration] = [:]
    private(set) var failure: Failure?
    private(set) var isStopping = false
    private(set) var isFinished = false
    /// Children that could not be killed.
    private(set) var lost: [ChildName] = []
    private let children: [ChildName]
    private var backoffs: [ChildName: Backoff]
    private var endedAt: [ChildName: Instant] = [:]
    private var areAllStarted = false
    private var random: SeededRandom

    init(children: [ChildName], seed: UInt64) {
        precondition(!children.isEmpty, "nothing to supervise")
        self.children = children.sorted()
        self.states = Dictionary(uniqueKeysWithValues: children.map { ($0, .idle) })
        self.restarts = Dictionary(uniqueKeysWithValues: children.map { ($0, 0) })
        self.backoffs = Dictionary(
            uniqueKeysWithValues: children.map { ($0, Backoff(first: Self.firstWait, longest: Self.longestWait)) })
        self.random = SeededRandom(seed: seed)
    }

    /// Children that have not answered for longer than `outageMax`.
    func down(now: Instant, outageMax: Duration) -> [ChildName] {
        self.children.filter { child in
            if let ended = self.endedAt[child] { return now - ended > outageMax }
            if case .starting(let since) = self.states[child] { return now - since > outageMax }
            return self.states[child] == .stopped
        }
    }

    /// How long `child` has been away; `nil` when it is not away.
    func outage(of child: ChildName, now: Instant) -> Duration? { self.endedAt[child].map { now - $0 } }

    // MARK: What happened

    mutating func start(now: Instant) -> [Action] {
        guard self.children.contains(.simvenue) else { return self.startRest(now: now) }
        return self.spawn(.simvenue, now: now)
    }

    /// `child` answers.
    mutating func answered(_ child: ChildName, now: Instant) -> [Action] {
        guard case .starting = self.states[child] else { return [] }
        self.states[child] = .running(since: now)
        if let ended = self.endedAt.removeValue(forKey: child) {
            self.longestOutage[child] = max(self.longestOutage[child] ?? .zero, now - ended)
        }
        return self.areAllStarted ? [] : self.startRest(now: now)
    }

    /// `child` has stopped answering, though it has not ended.
    mutating func fellSilent(_ child: ChildName, now: Instant) -> [Action] {
        guard case .running = self.states[child] else { return [] }
        self.states[child] = .starting(since: now)
        return [.wake(at: now + Self.answerTimeMax)]
    }

    /// `child` has ended.
    mutating func ended(_ child: ChildName, _ exit: Exit, now: Instant) -> [Action] {
        guard !self.isStopping else {
            self.states[child] = .stopped
            return self.stopNext(now: now)
        }
        if case .code(let number) = exit, let code = Self.finalCode(number) {
            return self.fail(
                Failure(
                    child: child, code: code, sentence: "\(child) ended with code \(number), so everything is stopped."),
                now: now)
        }
        if case .running(let since) = self.states[child], now - since >= Self.settledAfter {
            self.backoffs[child]!.reset()
        }
        self.restarts[child]! += 1
        self.endedAt[child] = self.endedAt[child] ?? now
        let until = now + self.backoffs[child]!.next(using: &self.random)
        self.states[child] = .waiting(until: until)
        return [.wake(at: until)]
    }

    /// `child` could not be started.
    mutating func couldNotSpawn(_ child: ChildName, _ reason: String, now: Instant) -> [Action] {
        self.states[child] = .stopped
        return self.fail(
            Failure(child: child, code: .unreachable, sentence: "\(child) cannot be started: \(reason)."), now: now)
    }

    /// Everything must end, in order.
    mutating func stop(now: Instant) -> [Action] {
        guard !self.isStopping else { return [] }
        self.isStopping = true
        for child in self.children {
            switch self.states[child]! {
            case .idle, .waiting: self.states[child] = .stopped
            case .starting, .running, .stopping, .stopped: break
            }
        }
        return self.stopNext(now: now)
    }

    /// Somebody does not want to wait for an orderly stop.
    mutating func stopAtOnce(now: Instant) -> [Action] {
        var actions = self.stop(now: now)
        for child in ChildName.stopOrder {
            switch self.states[child] {
            case .starting, .running, .stopping(_, isKilled: false):
                self.states[child] = .stopping(killAt: now, isKilled: true)
                actions += [.kill(child), .wake(at: now + Self.killTimeMax)]
            case .idle, .waiting, .stopping, .stopped, nil: break
            }
        }
        return actions
    }

    /// The time of some `wake` has come.
    mutating func woke(now: Instant) -> [Action] {
        var actions: [Action] = []
        for child in self.children {
            switch self.states[child]! {
            case .waiting(let until) where now >= until: actions += self.spawn(child, now: now)
            case .starting(let since) where now >= since + Self.answerTimeMax && !self.isStopping:
                // It ends, and then the way is that of every other end.
                self.states[child] = .starting(since: now)
                actions += [.kill(child), .wake(at: now + Self.answerTimeMax)]
            case .stopping(let killAt, isKilled: false) where now >= killAt:
                self.states[child] = .stopping(killAt: killAt, isKilled: true)
                actions += [.kill(child), .wake(at: now + Self.killTimeMax)]
            case .stopping(let killAt, isKilled: true) where now >= killAt + Self.killTimeMax:
                self.states[child] = .stopped
                self.lost.append(child)
                actions += self.stopNext(now: now)
            case .idle, .starting, .running, .waiting, .stopping, .stopped: break
            }
        }
        return actions
    }

    // MARK: What to do

    private mutating func startRest(now: Instant) -> [Action] {
        self.areAllStarted = true
        var actions: [Action] = []
        for child in self.children where self.states[child] == .idle { actions += self.spawn(child, now: now) }
        return actions
    }

    private mutating func spawn(_ child: ChildName, now: Instant) -> [Action] {
        self.states[child] = .starting(since: now)
        return [.spawn(child), .wake(at: now + Self.answerTimeMax)]
    }

    private mutating func fail(_ failure: Failure, now: Instant) -> [Action] {
        if self.failure == nil { self.failure = failure }
        self.states[failure.child] = .stopped
        return self.isStopping ? self.stopNext(now: now) : self.stop(now: now)
    }

    /// Terminates the next one in order, unless one is on its way out.
    private mutating func stopNext(now: Instant) -> [Action] {
        for child in ChildName.stopOrder {
            switch self.states[child] {
            case .starting, .running:
                self.states[child] = .stopping(killAt: now + Self.stopTimeMax, isKilled: false)
                return [.terminate(child), .wake(at: now + Self.stopTimeMax)]
            case .stopping: return []
            case .idle, .waiting, .stopped, nil: continue
            }
        }
        guard !self.isFinished else { return [] }
        self.isFinished = true
        return [.finished]
    }

    /// Codes after which another start ends the same way.
    private static func finalCode(_ code: Int32) -> DaemonExit.Code? {
        switch DaemonExit.Code(rawValue: code) {
        case .usage?: .usage
        case .refused?: .refused
        case .configuration?: .configuration
        case .stopped?, .different?, .unreadable?, .unreachable?, .temporary?, .bug?, nil: nil
        }
    }
}
