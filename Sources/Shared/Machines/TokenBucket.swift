/// A rate limit with a burst, in whole tokens; exact in integers, so that it never drifts.
public struct TokenBucket: Hashable, Sendable {
    public let rate: Int64
    public let burst: Int64
    /// Tokens times 10⁹.
    public private(set) var level: Int64
    public private(set) var filledAt: Instant

    /// - Parameters:
    ///   - rate: tokens a second, 1...1_000_000.
    ///   - burst: the most that can be taken at once, 1...1_000_000; the bucket starts full.
    public init(rate: Int64, burst: Int64, now: Instant) {
        precondition((1...1_000_000).contains(rate) && (1...1_000_000).contains(burst), "a bucket needs limits")
        self.rate = rate
        self.burst = burst
        self.level = burst * 1_000_000_000
        self.filledAt = now
    }

    /// One as another was; `nil` where no bucket can be so.
    public init?(rate: Int64, burst: Int64, level: Int64, filledAt: Instant) {
        guard (1...1_000_000).contains(rate), (1...1_000_000).contains(burst),
            (0...burst * 1_000_000_000).contains(level)
        else { return nil }
        self.rate = rate
        self.burst = burst
        self.level = level
        self.filledAt = filledAt
    }

    /// Takes `count` tokens if they are there.
    public mutating func take(_ count: Int64 = 1, now: Instant) -> Bool {
        self.fill(now)
        let cost = count * 1_000_000_000
        guard self.level >= cost else { return false }
        self.level -= cost
        return true
    }

    /// How long until `count` tokens can be taken; `nil` when they exceed the burst and never can.
    public mutating func wait(for count: Int64 = 1, now: Instant) -> Duration? {
        guard count <= self.burst else { return nil }
        self.fill(now)
        let missing = count * 1_000_000_000 - self.level
        return missing <= 0 ? .zero : .nanoseconds((missing + self.rate - 1) / self.rate)
    }

    private mutating func fill(_ now: Instant) {
        let full = self.burst * 1_000_000_000
        let elapsed = max(0, (now - self.filledAt).nanoseconds)
        // A long pause fills the bucket whatever the product would be.
        let gained = elapsed > full / self.rate ? full : elapsed * self.rate
        self.level = min(full, self.level + gained)
        self.filledAt = max(self.filledAt, now)
    }
}
