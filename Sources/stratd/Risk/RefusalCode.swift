/// Why an order may not leave. One word for each limit, as decisions and counters tell it.
enum RefusalCode: String, CaseIterable, Hashable, Sendable {
    case halted
    case haltFile = "halt_file"
    case strategyPaused = "strategy_paused"
    case venueClosed = "venue_closed"
    case userChannelBlind = "user_channel_blind"
    case feedDown = "feed_down"
    case marketUntrusted = "market_untrusted"
    case marketUnsettled = "market_unsettled"
    case bookOld = "book_old"
    case rulesChanged = "rules_changed"
    case minTimeLeft = "min_time_left"
    case priceOffTick = "price_off_tick"
    case belowMinSize = "below_min_size"
    case priceBand = "price_band"
    case maxOrderUSD = "max_order_usd"
    case maxMarketUSD = "max_market_usd"
    case maxEventUSD = "max_event_usd"
    case maxTotalUSD = "max_total_usd"
    case strategyAllocation = "strategy_allocation"
    case maxPositions = "max_positions"
    case maxOpenOrders = "max_open_orders"
    case unknownOrdersMax = "unknown_orders_max"
    case dailyLoss = "daily_loss"
    case maxDrawdown = "max_drawdown"
    case insufficientBalance = "insufficient_balance"
    case insufficientShares = "insufficient_shares"
    case clockSkew = "clock_skew"
    case errorRate = "error_rate"
    case maxOrdersPerSecond = "max_orders_per_s"
}

/// A refused intent, with the facts beside the code.
struct Refusal: Error, Hashable, Sendable {
    let code: RefusalCode
    let detail: String
    init(_ code: RefusalCode, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}
