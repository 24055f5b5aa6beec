import Shared

/// How much of a processor core may go into the venue's hashes.
///
/// The cost is reckoned from the work, never measured: the same messages at the same times give the same decisions on any machine.
struct HashBudget {
    /// What one level costs, its text and its part of the SHA-1. Measured: 2.4 µs for a book of 60 levels.
    static let levelCost = Duration.nanoseconds(40)
    /// What the text around the levels costs, in levels. Rounded up.
    static let headLevels = 8
    /// So much unused time is kept for a burst, and so far may those go into debt that cannot wait.
    static let reserve = Duration.milliseconds(200)

    /// Of one core.
    let percent: Int64
    /// Processor time, nanoseconds times 100; never outside of plus and minus `limit`.
    private var balance: Int64
    private var filledAt: Instant

    /// - Parameter percent: 0...100; with 0 only what cannot wait is computed.
    init(percent: Int64, now: Instant) {
        precondition((0...100).contains(percent), "a share of one core")
        self.percent = percent
        self.balance = percent * Self.reserve.nanoseconds
        self.filledAt = now
    }

    private var limit: Int64 { self.percent * Self.reserve.nanoseconds }

    /// Whether there is time left for a hash now.
    mutating func admits(now: Instant) -> Bool {
        let elapsed = min(max(0, (now - self.filledAt).nanoseconds), 2 * Self.reserve.nanoseconds)
        self.balance = min(self.limit, self.balance + elapsed * self.percent)
        self.filledAt = max(self.filledAt, now)
        return self.balance > 0
    }

    /// A hash of a book of so many levels was computed.
    mutating func spend(levelCount: Int) {
        let cost = Int64(levelCount + Self.headLevels) * Self.levelCost.nanoseconds * 100
        self.balance = max(-self.limit, self.balance - cost)
    }
}
