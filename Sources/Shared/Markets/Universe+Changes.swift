/// What subscribers are told.
extension Universe {
    func changes(to next: [ConditionID: Market], refused: [ConditionID: Refusal], now: Timestamp) -> [Change] {
        var changes: [Change] = []
        for market in self.sorted where next[market.condition] == nil {
            changes.append(.removed(market.condition, Self.reason(market, refused[market.condition], now: now)))
        }
        for market in next.values.sorted(by: { $0.condition < $1.condition }) {
            guard let old = self.markets[market.condition] else {
                changes.append(.added(market))
                continue
            }
            if old != market, let changed = MarketChanged(from: old, to: market) { changes.append(.changed(changed)) }
        }
        return changes
    }

    private static func reason(_ market: Market, _ refusal: Refusal?, now: Timestamp) -> MarketRemoved.Reason {
        switch refusal {
        case .closed, .resolving: .resolved
        case .ended, .tooLittleTime: .ended
        case .outranked: .outranked
        case .unlisted: market.endTime <= now ? .ended : .unlisted
        case nil: market.endTime <= now ? .ended : .filtered
        default: .filtered
        }
    }
}

extension MarketChanged {
    /// Members that say what a share is worth, and what trading it costs. A change of one of them is a change of the rules.
    private static let rules: Set = [
        "augmented", "end_time", "fee_exponent", "fee_rate", "min_size", "neg_risk", "outcomes", "rebate_rate",
        "resolution_source", "settlement", "start_time", "taker_delay", "taker_delay_s", "tick",
    ]

    /// Those of the changed members that are rules.
    public var changedRules: [String] { self.changed.filter { Self.rules.contains($0) } }

    /// "tick 10000 -> 1000, min_size 5000000 -> 1000000" of the named members.
    public func description(of names: [String]) -> String {
        let new = self.market.members
        func text(_ value: JSONValue?) -> String {
            guard let value else { return "none" }
            var writer = JSONWriter()
            value.write(to: &writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        return names.map { "\($0) \(text(self.old[$0])) -> \(text(new[$0]))" }.joined(separator: ", ")
    }
}
