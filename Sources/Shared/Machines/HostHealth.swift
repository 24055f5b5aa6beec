/// How a host answers, and whether it may be asked: a circuit breaker, and the pauses that the host itself asks for.
///
///     .                                       health
///     the last answer came, in time           healthy
///     the last answer came late               degraded
///     no answer, or the host's own failure    unhealthy
///     `failureCountMax` of both in a row      circuit_open, until a probe is answered in time
public struct HostHealth: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        case healthy
        case degraded
        case unhealthy
        case circuitOpen = "circuit_open"
    }

    /// The longest pause that a host may ask for: what lies beyond it would keep us blind for its mistake.
    public static let pauseMax = Duration.seconds(300)

    private let latencyMax: Duration
    private var breaker: CircuitBreaker
    private var wasLate = false
    /// The host asked not to be asked before.
    public private(set) var pausedUntil: Instant?

    /// - Parameters:
    ///   - failureCountMax: failures and late answers in a row that open the circuit.
    ///   - openDuration: how long it stays open, and how long a probe may take.
    ///   - latencyMax: an answer that takes longer is late.
    public init(failureCountMax: Int, openDuration: Duration, latencyMax: Duration) {
        precondition(latencyMax > .zero, "no answer is instant")
        self.breaker = CircuitBreaker(failureCountMax: failureCountMax, openDuration: openDuration)
        self.latencyMax = latencyMax
    }

    public var state: State {
        switch self.breaker.state {
        case .closed(failureCount: 0): .healthy
        case .closed: self.wasLate ? .degraded : .unhealthy
        case .open, .halfOpen: .circuitOpen
        }
    }

    public var isOpen: Bool { self.breaker.isOpen }

    /// Whether a request may go out now. While the circuit is half open, a yes is the one probe.
    public mutating func allows(now: Instant) -> Bool {
        if let pausedUntil {
            guard now >= pausedUntil else { return false }
            self.pausedUntil = nil
        }
        return self.breaker.allows(now: now)
    }

    /// Likewise, but nothing goes out for it.
    public func wouldAllow(now: Instant) -> Bool {
        var copy = self
        return copy.allows(now: now)
    }

    /// Notes an answer. A late one counts as a failure.
    ///
    /// - Returns: whether it came in time.
    @discardableResult
    public mutating func answered(after duration: Duration, now: Instant) -> Bool {
        guard duration > self.latencyMax else {
            self.breaker.succeeded()
            return true
        }
        self.wasLate = true
        self.breaker.failed(now: now)
        return false
    }

    /// Notes that no answer came, or that the host says it cannot serve.
    ///
    /// - Parameter retryAfter: the pause that the host asks for; more than `pauseMax` is not believed.
    public mutating func failed(retryAfter: Duration? = nil, now: Instant) {
        self.wasLate = false
        self.breaker.failed(now: now)
        guard let retryAfter, retryAfter > .zero else { return }
        // Answers of requests sent together may come in any order: the longest pause counts.
        let until = now + min(retryAfter, Self.pauseMax)
        self.pausedUntil = max(self.pausedUntil ?? until, until)
    }
}
