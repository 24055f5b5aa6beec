import Shared

/// What the feed says, or that it says nothing any more.
enum FeedEvent: Sendable {
    case market(MarketBody)
    case book(BookBody)
    case delta(DeltaBody)
    case trade(TradeBody)
    case trust(TrustBody)
    case tickSize(TickSizeBody)
    case resolved(ResolvedBody)
    case tradesDropped(TradesDropped)
    /// Anything else: it proves that the line is alive up to its time.
    case alive
    case connected
    case disconnected
}
