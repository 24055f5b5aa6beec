/// One event of the venue's market channel. Source: reference of the channel, 3.1; every shape is in the tests.
///
/// One value is reused for all events of a connection, so that reading allocates nothing in steady state; which fields
/// mean something depends on `kind`.
public struct MarketEvent: Sendable {
    public enum Kind: String, Sendable {
        case book
        case priceChange = "price_change"
        case lastTradePrice = "last_trade_price"
        case tickSizeChange = "tick_size_change"
        case bestBidAsk = "best_bid_ask"
        case newMarket = "new_market"
        case marketResolved = "market_resolved"
        /// Anything the venue may add; passed over and counted.
        case unknown
    }

    public enum Side: Sendable { case buy, sell }

    /// One entry of `price_change`: the new aggregate size at a price, as one outcome shows it; zero removes the level.
    public struct Change: Sendable {
        public var token: TokenID
        public var price: Price
        public var size: Quantity
        public var side: Side
        /// Of that outcome's whole book after the operation.
        public var hash: BookHash?
    }

    public internal(set) var kind = Kind.unknown
    public internal(set) var market: ConditionID?
    /// The outcome that `book`, `last_trade_price`, `tick_size_change` and `best_bid_ask` speak of; the winner of
    /// `market_resolved`.
    public internal(set) var token: TokenID?
    /// The venue's time, milliseconds UTC.
    public internal(set) var timestamp: Int64 = 0
    public internal(set) var hash: BookHash?
    /// `book`: as served, worst first.
    public internal(set) var bids: [Level] = []
    public internal(set) var asks: [Level] = []
    /// `price_change`.
    public internal(set) var changes: [Change] = []
    /// `book`: absent in the copy that follows a trade. `tick_size_change`: the new one.
    public internal(set) var tick: TickSize?
    /// `tick_size_change`.
    public internal(set) var oldTick: TickSize?
    /// `book`: the text inside the hash; absent in the copy that follows a trade.
    public internal(set) var lastTrade: LastTradePrice?
    /// `last_trade_price`: what traded, and whether the taker bought or sold.
    public internal(set) var price: Price?
    public internal(set) var size = Quantity.zero
    public internal(set) var side: Side?
    public internal(set) var transaction: String?
    /// `new_market`, `market_resolved`: the market's name.
    public internal(set) var slug: String?

    mutating func reset() {
        self.kind = .unknown
        self.market = nil
        self.token = nil
        self.timestamp = 0
        self.hash = nil
        self.bids.removeAll(keepingCapacity: true)
        self.asks.removeAll(keepingCapacity: true)
        self.changes.removeAll(keepingCapacity: true)
        self.tick = nil
        self.oldTick = nil
        self.lastTrade = nil
        self.price = nil
        self.size = .zero
        self.side = nil
        self.transaction = nil
        self.slug = nil
    }
}
