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
}
