import Shared

/// What is taken for true of a paper order where the feed does not say. Source: strategy reference, 7.
///
///                 who left when our level      share of a displayed         ahead of us after a time
///                 shrank without a print       size that a taker gets       without a trusted book
///     pessimistic those behind us first        half of the realistic        all that is displayed
///     realistic   in proportion                `participationPercent`       all that is displayed
///     optimistic  those ahead of us first      all of it                    what was, if still displayed
enum FillAssumption: String, CaseIterable, Hashable, Sendable {
    case pessimistic, realistic, optimistic
}

/// One value for each assumption.
struct ByAssumption<Value> {
    var pessimistic: Value
    var realistic: Value
    var optimistic: Value

    init(_ value: Value) {
        self.pessimistic = value
        self.realistic = value
        self.optimistic = value
    }

    subscript(assumption: FillAssumption) -> Value {
        get {
            switch assumption {
            case .pessimistic: self.pessimistic
            case .realistic: self.realistic
            case .optimistic: self.optimistic
            }
        }
        _modify {
            switch assumption {
            case .pessimistic: yield &self.pessimistic
            case .realistic: yield &self.realistic
            case .optimistic: yield &self.optimistic
            }
        }
    }
}
extension ByAssumption: Equatable where Value: Equatable {}
extension ByAssumption: Hashable where Value: Hashable {}
extension ByAssumption: Sendable where Value: Sendable {}
