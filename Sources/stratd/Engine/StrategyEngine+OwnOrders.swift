import Shared

extension StrategyEngine {
    /// The market as others make it. A live book holds our own orders too: a strategy that took them for the market would follow
    /// itself, and a middle between our own quotes limits no price. A paper venue's orders are in no book.
    func marketOfOthers(_ view: MarketView) -> MarketView {
        guard self.mode == .live, !self.ledger.open.isEmpty else { return view }
        var view = view
        for order in self.ledger.openOrders(in: view.market.condition) {
            switch order.body.state {
            case .live, .partlyFilled, .cancelling: view.takeOut(order.bookSide, order.bookPrice, order.remaining)
            // It may not be there, or never again.
            case .intended, .sent, .delayed, .unknown, .filled, .cancelled, .rejected, .expired: break
            }
        }
        return view
    }

    /// What was last seen to be bid for a position. In a live book that is what others bid: our own order is worth nothing to us, and
    /// would be gone as soon as somebody sold to it.
    func bid(for position: Position) -> Price? {
        self.mode == .live ? self.bidsOfOthers[position.token] : self.views[position.market]?.bid(position.outcome)
    }

    /// Looks what others bid for what is held; where a book cannot be believed now, or nobody else bids, the last that was seen stays.
    mutating func noteBids() {
        guard self.mode == .live else { return }
        var bids: [TokenID: Price] = [:]
        for position in self.ledger.positions.values where position.size > .zero {
            bids[position.token] = self.bidOfOthers(for: position) ?? self.bidsOfOthers[position.token]
        }
        self.bidsOfOthers = bids
    }

    private func bidOfOthers(for position: Position) -> Price? {
        guard let view = self.views[position.market], view.isTrusted && view.isSettled else { return nil }
        let side: BookSide = position.outcome == 0 ? .bid : .ask
        guard let best = Self.best(side, of: view) else { return nil }
        // To take ours out copies the book: not where others stand first.
        let isOurs = self.ledger.openOrders(in: position.market).contains {
            $0.bookSide == side && $0.bookPrice == best
        }
        let price = isOurs ? Self.best(side, of: self.marketOfOthers(view)) : best
        return side == .bid ? price : price?.mirrored
    }

    private static func best(_ side: BookSide, of view: MarketView) -> Price? {
        side == .bid ? view.book.bestBid?.price : view.book.bestAsk?.price
    }
}
