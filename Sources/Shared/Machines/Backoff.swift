/// Waits between attempts: doubling from `first` to `longest`, each drawn from the upper half of its span.
///
///     failed attempts      1      2      3      4      5 and on
///     wait, at most        1 s    2 s    4 s    8 s    … longest        (first = 1 s)
public struct Backoff: Hashable, Sendable {
    private let first: Duration
    private let longest: Duration
    /// Failures since the last success.
    public private(set) var failureCount = 0

    public init(first: Duration, longest: Duration) {
        precondition(first > .zero && longest >= first, "a wait must be positive")
        self.first = first
        self.longest = longest
    }

    /// Notes a failure and says how long to wait before the next attempt.
    public mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(self.failureCount, 32)
        self.failureCount += 1
        let longest = self.longest.nanoseconds
        let first = self.first.nanoseconds
        let span = first > longest >> doublings ? longest : first << doublings
        return .nanoseconds(Int64.random(in: span / 2...span, using: &random))
    }

    /// Notes a success.
    public mutating func reset() { self.failureCount = 0 }
}
