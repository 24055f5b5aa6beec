import Shared

/// One order that a strategy wants to have in the book.
struct WantedOrder: Hashable, Sendable {
    /// 0 the first outcome, 1 the second.
    let outcome: Int
    let side: TradeSide
    let price: Price
    let size: Quantity

    var bookSide: BookSide { OrderIntent.bookSide(outcome: self.outcome, side: self.side) }
    var bookPrice: Price { self.outcome == 0 ? self.price : self.price.mirrored }
}

/// What a strategy is asked with: a trusted, settled book and what it has in the market.
struct StrategyInput {
    let view: MarketView
    /// Shares held, open sales included.
    let heldFirst: Quantity
    let heldSecond: Quantity
    let now: Moment
    /// Largest notional of one order; `nil` where none is set.
    var orderMax: Money?

    func held(_ outcome: Int) -> Quantity { outcome == 0 ? self.heldFirst : self.heldSecond }
}

/// What a strategy answers: the orders that it wants, which need not be those it has, or why it wants none.
enum StrategyAnswer: Hashable, Sendable {
    case quote([WantedOrder])
    case hold(code: String, detail: String)
}
