import Shared

/// An account on paper that changes by fills and resolutions alone.
///
/// To the micro: cash + cost of what is held = opening + realised − fees. It lends to itself: a fill that its own money would not
/// have covered is booked all the same, and the cash says so by being negative. A sale of more than is held is a purchase of
/// the other outcome at the mirrored price, which at this venue is the same thing: a pair of shares is worth one pUSD.
struct PaperAccount: Hashable, Sendable {
    /// Cash and cost of what was held at the beginning.
    let opening: Money
    private(set) var cash: Money
    /// What is held; a position without shares is forgotten.
    private(set) var positions: [PositionKey: Position] = [:]
    /// What markets that have ended took, the oldest first: another winner may be told.
    private var ended: [Position] = []
    /// Of them, those that are remembered.
    static let endedCountMax = OrderLedger.closedPositionCountMax
    /// Since the beginning.
    private(set) var realised = Money.zero
    private(set) var fees = Money.zero
    private(set) var fillCount: Int64 = 0
    private(set) var filled = Quantity.zero

    /// Begins with what a ledger holds.
    init(_ ledger: OrderLedger) {
        self.cash = ledger.cash
        self.positions = ledger.positions.filter { $0.value.size > .zero }
        self.opening = self.positions.values.reduce(ledger.cash) { $0 + $1.cost }
    }

    /// - Parameters:
    ///   - price: of the order's own outcome.
    ///   - other: the token of the other outcome.
    mutating func book(_ intent: OrderIntent, _ price: Price, _ size: Quantity, fee: Money, other: TokenID) {
        self.fillCount += 1
        self.filled += size
        self.fees += fee
        self.cash -= fee
        switch intent.side {
        case .buy: self.buy(intent, intent.token, intent.outcome, price, size)
        case .sell:
            let held = min(size, self.positions[Self.key(intent, intent.token)]?.size ?? .zero)
            if held > .zero {
                self.change(intent, intent.token, intent.outcome) { position, cash in
                    let received = held.notional(at: price)
                    position.sell(held, received: received, fee: .zero)
                    cash += received
                }
            }
            if held < size { self.buy(intent, other, 1 - intent.outcome, price.mirrored, size - held) }
        }
    }

    private mutating func buy(
        _ intent: OrderIntent, _ token: TokenID, _ outcome: Int, _ price: Price, _ size: Quantity
    ) {
        self.change(intent, token, outcome) { position, cash in
            let paid = size.notional(at: price, roundedUp: true)
            position.buy(size, paid: paid, fee: .zero)
            cash -= paid
        }
    }

    private static func key(_ intent: OrderIntent, _ token: TokenID) -> PositionKey {
        PositionKey(token: token, strategy: intent.strategy)
    }

    private mutating func change(
        _ intent: OrderIntent, _ token: TokenID, _ outcome: Int, _ change: (inout Position, inout Money) -> Void
    ) {
        let key = Self.key(intent, token)
        var position =
            self.positions[key]
            ?? Position(
                market: intent.market, token: token, outcome: outcome, event: intent.event, strategy: intent.strategy)
        let before = position.realised
        change(&position, &self.cash)
        self.realised += position.realised - before
        self.positions[key] = position.size > .zero ? position : nil
    }

    /// Turns what is held in a market into money; what another winner had turned into money becomes what this one makes of it.
    mutating func settle(_ market: ConditionID, winner: Int64?) {
        let held = self.positions.values.filter { $0.market == market }.sorted { $0.key < $1.key }
        for position in held { self.positions[position.key] = nil }
        self.ended += held
        for index in self.ended.indices where self.ended[index].market == market {
            let before = self.ended[index].realised
            self.cash += self.ended[index].settle(winner: winner)
            self.realised += self.ended[index].realised - before
        }
        if self.ended.count > Self.endedCountMax { self.ended.removeFirst(self.ended.count - Self.endedCountMax) }
    }

    /// Cash, and positions at what `value` says of them, less what there was at the beginning.
    func result(valuing value: (Position) -> Money) -> Money {
        self.positions.values.reduce(self.cash - self.opening) { $0 + value($1) }
    }
}
