import Shared

/// Money that may be lost, kept in sums so that an order needs not ask every other one.
struct Exposure: Hashable, Sendable {
    private(set) var total = Money.zero
    private var byMarket: [ConditionID: Money] = [:]
    private var byEvent: [String: Money] = [:]
    private var byStrategy: [String: Money] = [:]

    func inMarket(_ market: ConditionID) -> Money { self.byMarket[market] ?? .zero }
    func inEvent(_ event: String) -> Money { self.byEvent[event] ?? .zero }
    func of(_ strategy: String) -> Money { self.byStrategy[strategy] ?? .zero }

    mutating func add(_ money: Money, market: ConditionID, event: String, strategy: String) {
        guard money != .zero else { return }
        self.total += money
        Self.add(money, to: &self.byMarket, market)
        Self.add(money, to: &self.byEvent, event)
        Self.add(money, to: &self.byStrategy, strategy)
    }

    /// A sum of nothing is not kept: equal exposures are equal, and what has ended takes no room.
    private static func add<Key>(_ money: Money, to sums: inout [Key: Money], _ key: Key) {
        let sum = sums[key, default: .zero] + money
        sums[key] = sum == .zero ? nil : sum
    }
}
