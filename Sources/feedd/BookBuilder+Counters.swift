extension BookBuilder {
    /// What was seen and done, for `feed_status`.
    struct Counters: Equatable {
        var checked: Int64 = 0
        var mismatched: Int64 = 0
        var repeated: Int64 = 0
        var old: Int64 = 0
        var offTick: Int64 = 0
        /// Fetched books that nothing on the line bore out.
        var unproved: Int64 = 0

        mutating func add(_ other: Counters) {
            self.checked += other.checked
            self.mismatched += other.mismatched
            self.repeated += other.repeated
            self.old += other.old
            self.offTick += other.offTick
            self.unproved += other.unproved
        }
    }
}
