/// Stops asking a peer that keeps failing, and probes it again after a while.
public struct CircuitBreaker: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        /// Next: `open` at the `failureCountMax`th failure in a row.
        case closed(failureCount: Int)
        /// Next: `halfOpen` once `until` has passed.
        case open(until: Instant)
        /// One probe is out. Next: `closed` when it succeeds, `open` when it fails, another probe when it is lost.
        case halfOpen(probeUntil: Instant)
    }

    private let failureCountMax: Int
    private let openDuration: Duration
    public private(set) var state = State.closed(failureCount: 0)

    public init(failureCountMax: Int, openDuration: Duration) {
        precondition(failureCountMax > 0 && openDuration > .zero, "a breaker needs limits")
        self.failureCountMax = failureCountMax
        self.openDuration = openDuration
    }

    /// Whether an attempt may be made now. While half open only one is let through at a time.
    public mutating func allows(now: Instant) -> Bool {
        switch self.state {
        case .closed: return true
        case .open(let until), .halfOpen(let until):
            guard now >= until else { return false }
            self.state = .halfOpen(probeUntil: now + self.openDuration)
            return true
        }
    }

    public mutating func succeeded() { self.state = .closed(failureCount: 0) }

    public mutating func failed(now: Instant) {
        switch self.state {
        case .closed(let count) where count + 1 < self.failureCountMax: self.state = .closed(failureCount: count + 1)
        case .closed, .halfOpen: self.state = .open(until: now + self.openDuration)
        case .open: break
        }
    }

    public var isOpen: Bool { if case .open = self.state { true } else { false } }
}
