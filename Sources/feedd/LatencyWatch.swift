import Shared

/// Notices when texts take longer from the venue to the subscribers than they should, and when that is over.
struct LatencyWatch: Sendable {
    enum Change: Hashable, Sendable { case passed, recovered }

    /// Intervals within the target, one after another, until it is said that all is well: a venue that is slow now and then must
    /// not fill the log.
    static let calmCountMin = 10

    let target: Duration
    /// Whether the last interval passed the target.
    private(set) var isAbove = false
    /// Next: `false` after `calmCountMin` intervals within the target.
    private var isTold = false
    private var calmCount = 0

    init(target: Duration) { self.target = target }

    /// Takes in one interval.
    ///
    /// - Parameters:
    ///   - latency: what 99 of 100 texts did not exceed, microseconds.
    ///   - count: texts in it. One without any says nothing.
    /// - Returns: what is to be said now.
    mutating func note(latency: Int64, count: Int64) -> Change? {
        self.isAbove = count > 0 && Duration.microseconds(latency) > self.target
        guard count > 0 else { return nil }
        self.calmCount = self.isAbove ? 0 : self.calmCount + 1
        if self.isAbove && !self.isTold {
            self.isTold = true
            return .passed
        }
        guard self.isTold && self.calmCount >= Self.calmCountMin else { return nil }
        self.isTold = false
        return .recovered
    }
}
