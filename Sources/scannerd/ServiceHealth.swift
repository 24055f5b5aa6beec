/// Whether a service of the venue answers, as it is told: once when it begins to fail, whatever reasons follow, and once when
/// a whole round goes well.
struct ServiceHealth: Sendable {
    /// Why its last failed question failed; `nil` while it is well.
    private(set) var error: String?
    /// Since the last round ended.
    private var hasFailed = false
    private var hasAnswered = false

    /// - Returns: whether it was well before.
    mutating func fail(_ reason: String) -> Bool {
        defer { self.error = reason }
        self.hasFailed = true
        return self.error == nil
    }

    mutating func answer() { self.hasAnswered = true }

    /// - Parameter mayRecover: whether nothing else keeps it from being well.
    /// - Returns: whether it is well again.
    mutating func endRound(mayRecover: Bool) -> Bool {
        defer { (self.hasFailed, self.hasAnswered) = (false, false) }
        return mayRecover && self.hasAnswered && !self.hasFailed && self.recover()
    }

    /// - Returns: whether it was not well before.
    mutating func recover() -> Bool {
        defer { self.error = nil }
        return self.error != nil
    }
}
