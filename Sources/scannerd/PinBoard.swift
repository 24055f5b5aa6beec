import Shared

/// Which markets have a position or an open order, as `stratd` tells it.
struct PinBoard: Sendable {
    /// Orders and positions that are noted; more is no account that `stratd` would trade.
    private static let entryCountMax = 20_000

    private struct PositionKey: Hashable {
        let market: ConditionID
        let token: TokenID
        let strategy: String?
    }

    private var orders: [String: ConditionID] = [:]
    private var positions: Set<PositionKey> = []
    /// What was pinned before the line was lost: it counts until the new line has told all.
    private var former: Set<ConditionID> = []

    var markets: Set<ConditionID> {
        self.former.union(self.orders.values).union(self.positions.map(\.market))
    }

    mutating func take(_ order: OrderBody) {
        switch order.state {
        case .filled, .cancelled, .rejected, .expired: self.orders[order.order] = nil
        case .intended, .sent, .live, .delayed, .partlyFilled, .cancelling, .unknown:
            guard self.orders.count < Self.entryCountMax else { return }
            self.orders[order.order] = order.market
        }
    }

    mutating func take(_ position: PositionBody) {
        let key = PositionKey(market: position.market, token: position.token, strategy: position.strategy)
        if position.confirmed > .zero || position.pendingIn > .zero || position.pendingOut > .zero {
            guard self.positions.count < Self.entryCountMax else { return }
            self.positions.insert(key)
        } else {
            self.positions.remove(key)
        }
    }

    /// What an earlier life was told: `stratd` may not be there yet.
    mutating func restore(_ markets: [ConditionID]) { self.former = Set(markets) }

    /// A new line begins: all orders and positions are told anew.
    mutating func beginAnew() {
        self.former = self.markets
        self.orders = [:]
        self.positions = []
    }

    /// The new line has told all.
    mutating func endAnew() { self.former = [] }
}
