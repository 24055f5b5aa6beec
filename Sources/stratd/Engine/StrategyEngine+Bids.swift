import Shared

/// Nobody bids for what is held, while others ask for it.
struct Bidless: Hashable, Sendable {
    let since: Instant
    /// For so long that it is worth nothing until somebody bids.
    var isLasting = false
}

extension StrategyEngine {
    /// A side that is empty for less may be a book between two quotes.
    static let bidlessMax = Duration.seconds(10)

    /// What was last seen to be bid for a position. In a live book that is what others bid: our own order is worth nothing to us, and
    /// would be gone as soon as somebody sold to it.
    func bid(for position: Position) -> Price? {
        self.mode == .live ? self.bidsOfOthers[position.token] : self.views[position.market]?.bid(position.outcome)
    }

    /// What a share of a position is worth; `nil` where nobody has told since it was bought.
    func mark(of position: Position) -> Mark? {
        if self.bidless[position.token]?.isLasting == true { return .nobody }
        return self.bid(for: position).map { .bid($0) } ?? position.mark
    }

    /// Looks what others bid for what is held; where a book cannot be believed now, what was last seen stays.
    mutating func noteBids(now: Moment) {
        var bids: [TokenID: Price] = [:]
        var bidless: [TokenID: Bidless] = [:]
        for position in self.ledger.positions.values where position.size > .zero {
            bids[position.token] = self.bidsOfOthers[position.token]
            guard let view = self.views[position.market], view.isTrusted && view.isSettled else {
                // Its time does not run while nobody can look.
                bidless[position.token] = self.bidless[position.token].flatMap { $0.isLasting ? $0 : nil }
                continue
            }
            bidless[position.token] = self.bidless[position.token]
            let side: BookSide = position.outcome == 0 ? .bid : .ask
            if let bid = self.bestOfOthers(side, view) {
                bids[position.token] = side == .bid ? bid : bid.mirrored
                bidless[position.token] = nil
            } else if self.bestOfOthers(side.opposite, view) != nil {
                var none = self.bidless[position.token] ?? Bidless(since: now.instant)
                none.isLasting = now.instant >= none.since + Self.bidlessMax
                bidless[position.token] = none
            }
        }
        self.bidless = bidless
        // A paper venue's orders are in no book: its views remember.
        if self.mode == .live { self.bidsOfOthers = bids }
    }

    private func bestOfOthers(_ side: BookSide, _ view: MarketView) -> Price? {
        guard let best = Self.best(side, of: view), self.mode == .live else { return Self.best(side, of: view) }
        // To take ours out copies the book: not where others stand first.
        let isOurs = self.ledger.openOrders(in: view.market.condition).contains {
            $0.bookSide == side && $0.bookPrice == best
        }
        return isOurs ? Self.best(side, of: self.marketOfOthers(view)) : best
    }

    private static func best(_ side: BookSide, of view: MarketView) -> Price? {
        side == .bid ? view.book.bestBid?.price : view.book.bestAsk?.price
    }
}
