import Shared

/// Which share of the venue's hashes was compared, and when an operator should hear of it.
struct HashShareWatch {
    enum Change: Hashable { case fell, whole }

    /// Intervals in which all were compared, one after another, until it is said that all is well again.
    static let calmCountMin = 10

    /// Of the last interval, of a thousand and rounded down; a thousand where nothing was to be compared.
    private(set) var permille: Int64 = 1_000
    private var checked: Int64 = 0
    private var leftOut: Int64 = 0
    /// Next: `false` after `calmCountMin` whole intervals.
    private(set) var isTold = false
    private var calmCount = 0

    /// Takes in how many hashes were compared and how many left out since the start.
    ///
    /// - Returns: what is to be said now.
    mutating func note(checked: Int64, leftOut: Int64) -> Change? {
        let (compared, missed) = (checked - self.checked, leftOut - self.leftOut)
        (self.checked, self.leftOut) = (checked, leftOut)
        self.permille = missed > 0 ? compared * 1_000 / (compared + missed) : 1_000
        self.calmCount = missed > 0 ? 0 : self.calmCount + 1
        if missed > 0 && !self.isTold {
            self.isTold = true
            return .fell
        }
        guard self.isTold && self.calmCount >= Self.calmCountMin else { return nil }
        self.isTold = false
        return .whole
    }
}
