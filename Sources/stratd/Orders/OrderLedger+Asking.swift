import Shared

extension OrderLedger {
    var isHalted: Bool { !self.halts.isEmpty }

    func order(_ id: OrderID) -> LedgerOrder? { self.open[id] ?? self.finished[id] }

    /// Orders that are not finished, the oldest first.
    var openOrders: [LedgerOrder] { self.open.values.sorted { $0.id < $1.id } }

    func openOrders(in market: ConditionID) -> [LedgerOrder] {
        self.openInMarket[market]?.compactMap { self.open[$0] } ?? []
    }

    /// How many fills the orders that are remembered had, by token.
    var knownFills: [TokenID: Int] {
        [self.open, self.finished].reduce(into: [:]) { fills, orders in
            for order in orders.values where !order.trades.isEmpty {
                fills[order.body.token, default: 0] += order.trades.count
            }
        }
    }

    var knownFillCount: Int64 { Int64(self.knownFills.values.reduce(0, +)) }

    /// Collateral bound by open purchases.
    var reserved: Money { self.bound.total }

    /// Positions and open purchases at cost.
    var exposure: Money { self.bound.total + self.invested.total }

    func held(_ token: TokenID, by strategy: String) -> Quantity {
        self.positions[PositionKey(token: token, strategy: strategy)]?.size ?? .zero
    }

    /// Bought and sold shares of a position that are not on the chain yet.
    func pending(_ key: PositionKey) -> (in: Quantity, out: Quantity) {
        var sums = (in: Quantity.zero, out: Quantity.zero)
        for fill in self.pending where fill.position == key {
            switch fill.side {
            case .buy: sums.in += fill.size
            case .sell: sums.out += fill.size
            }
        }
        return sums
    }

    /// What is held, is on the chain and is not offered by an open order.
    func sellable(_ token: TokenID, by strategy: String) -> Quantity {
        var rest = self.held(token, by: strategy)
        rest -= self.pending(PositionKey(token: token, strategy: strategy)).in
        for order in self.open.values
        where order.body.side == .sell && order.body.token == token && order.body.strategy == strategy {
            rest -= order.remaining
        }
        return max(.zero, rest)
    }

    /// Positions in the order of their keys.
    var sortedPositions: [Position] { self.positions.values.sorted { $0.key < $1.key } }

    /// Markets with a position or an open order: they stay subscribed and followed.
    var markets: Set<ConditionID> {
        var markets = Set(self.openInMarket.keys)
        for position in self.positions.values where position.size > .zero { markets.insert(position.market) }
        return markets
    }

    /// Whether `markets` has this one.
    func isIn(_ market: ConditionID) -> Bool {
        self.openInMarket[market] != nil || self.positions.values.contains { $0.size > .zero && $0.market == market }
    }

    /// Whether an order, by its hash, has its part in a trade.
    func isBooked(_ trade: String, ofHash hash: String) -> Bool {
        [self.open, self.finished].contains { orders in
            orders.values.contains { $0.body.hash == hash && $0.trades.contains(trade) }
        }
    }

    /// What the account is worth: cash, and positions at what `value` says of them.
    func equity(valuing value: (Position) -> Money) -> Money {
        self.positions.values.reduce(self.cash) { $1.size > .zero ? $0 + value($1) : $0 }
    }
}
