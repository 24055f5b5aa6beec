import Shared

/// Trades of the account that no order of the ledger explains.
extension StrategyEngine {
    /// Who holds what they bought: no strategy can have this name.
    static let foreignStrategy = "(foreign)"

    /// Books a trade by an order that the ledger does not know, as an order of nobody's strategy; a sale takes the shares of whoever
    /// holds them.
    ///
    /// The account is what the venue says that it is: without the trade, balance and shares would differ from now on.
    mutating func adopt(_ hash: String, _ fill: VenueFill, at time: Timestamp, now: Moment) {
        guard let (view, outcome) = self.views.market(of: fill.token) else {
            self.note(.foreignTrade(fill, hash: hash, market: nil))
            return self.halt("foreign_trade", now: now)
        }
        let holder = self.ledger.sortedPositions.first {
            fill.side == .sell && $0.key.token == fill.token && $0.size + ($0.end?.size ?? .zero) >= fill.size
        }
        let id = OrderID(number: self.ledger.nextOrderNumber)
        let body = OrderBody(
            order: id.description, hash: hash, strategy: holder?.strategy ?? Self.foreignStrategy,
            market: view.market.condition,
            token: fill.token, side: fill.side, price: fill.price, size: fill.size, filled: .zero, kind: .gtc,
            isPostOnly: false, state: .intended, reason: nil, mode: self.mode, time: now.time)
        let order = LedgerOrder(
            id: id, body: body, event: view.market.event, outcome: outcome, feeReserve: .zero, isForeign: true)
        self.note(.foreignTrade(fill, hash: hash, market: view.market.condition))
        guard self.record(.intent(order), now: now), self.record(.state(id, .sent, reason: nil), now: now),
            let sent = self.ledger.order(id)
        else { return }
        self.filled(sent, fill, at: time, now: now)
    }

    mutating func settleForeign(_ trade: String, _ settlement: Settlement, now: Moment) {
        // All parts of a trade settle together.
        for fill in self.ledger.pending where fill.trade == trade { self.settled(fill, settlement, now: now) }
    }
}

extension MarketViews {
    /// The market that trades a token, and which outcome it is.
    fileprivate func market(of token: TokenID) -> (MarketView, outcome: Int)? {
        // A token belongs to one market; should a feed say otherwise, each run takes the same.
        let view = self.views.values.filter { $0.token(0) == token || $0.token(1) == token }
            .min { $0.market.condition < $1.market.condition }
        return view.map { ($0, $0.token(0) == token ? 0 : 1) }
    }
}
