/// A limit that an operator set. It goes before the configuration's as long as that says what it said then: whoever changes the
/// configuration has the later word.
struct SetLimit: Hashable, Sendable {
    let value: Int64
    /// What the configuration said; `nil` in ledgers from before it was kept, where it holds whatever the configuration says.
    let configured: Int64?

    func holds(against configured: Int64?) -> Bool { self.configured == nil || self.configured == configured }
}
