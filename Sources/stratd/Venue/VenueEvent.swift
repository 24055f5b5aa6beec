import Shared

/// What a venue says of one of our orders.
struct VenueEvent: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// The venue holds it: it rests, or waits for the taker delay.
        case accepted(isDelayed: Bool)
        case rejected(reason: String)
        /// It never left for the venue.
        case withheld(reason: String)
        case filled(VenueFill)
        /// One that had ended was filled before that; the ledger may have forgotten it by now.
        case filledLate(hash: String, VenueFill)
        /// A trade that was told before went on towards the chain, or failed there.
        case settled(trade: String, Settlement)
        case cancelled(reason: String)
        /// The order is not, or not yet, there to be cancelled.
        case cancelRefused(reason: String)
        /// Its fate is not known until `found` or an end is told.
        case lost(reason: String)
        /// It rests, after all.
        case found
        /// The account had a part in a trade by an order that the ledger does not know; the event names none.
        case foreign(hash: String, VenueFill)
        /// Such a trade went on towards the chain, or failed there.
        case foreignSettled(trade: String, Settlement)
        /// All trades that were matched before the event's time were told.
        case tradesRead
    }
    let order: OrderID
    let kind: Kind
    /// When it happened.
    let time: Timestamp
}

/// A trade of one of our orders, told from our order's side.
struct VenueFill: Hashable, Sendable {
    let trade: String
    let token: TokenID
    let side: TradeSide
    let price: Price
    let size: Quantity
    /// `nil`: what the market's terms say.
    let fee: Money?
    /// What was paid or received, without the fee; `nil`: size times price, rounded against us.
    var money: Money?
    let liquidity: Liquidity
    var settlement = Settlement.confirmed
}
