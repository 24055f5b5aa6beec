import Shared

/// A record that contradicts the ledger. Nothing was changed; trading halts until a person has looked.
enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownOrder(OrderID)
    case orderExists(OrderID)
    case illegal(OrderID, from: OrderState, to: OrderState)
    /// A fill without a positive size.
    case emptyFill(OrderID)
    case fillNotExpected(OrderID, state: OrderState)
    case overfilled(OrderID, by: Quantity)
    case alreadyBooked(trade: String)
    case tooManyTrades(OrderID)
    case tooManyPending
    /// A trade of which no fill waits for the chain.
    case notPending(trade: String)
    /// More sold than is held.
    case oversold(OrderID, by: Quantity)
    /// Fewer shares are held than were to be taken away.
    case noSuchShares(TokenID)
    /// A fill that speaks of another token or side than its order.
    case wrongOrder(OrderID)

    var description: String {
        switch self {
        case .unknownOrder(let order): "order \(order) is not in the ledger"
        case .orderExists(let order): "order \(order) is in the ledger already"
        case .illegal(let order, let from, let to): "order \(order) cannot go from \(from.rawValue) to \(to.rawValue)"
        case .emptyFill(let order): "a fill of order \(order) has no size"
        case .fillNotExpected(let order, let state): "order \(order) cannot be filled while \(state.rawValue)"
        case .overfilled(let order, let excess): "order \(order) would be filled by \(excess) shares too many"
        case .alreadyBooked(let trade): "trade \(trade) is booked already"
        case .tooManyTrades(let order): "order \(order) has more than \(LedgerOrder.tradeCountMax) trades"
        case .tooManyPending: "more than \(OrderLedger.pendingFillCountMax) fills wait for the chain"
        case .notPending(let trade): "no fill of trade \(trade) waits for the chain"
        case .oversold(let order, let excess): "order \(order) would sell \(excess) shares more than are held"
        case .noSuchShares(let token): "fewer shares of token \(token) are held than were to be taken away"
        case .wrongOrder(let order): "a fill of order \(order) speaks of another token or side"
        }
    }
}
