import Shared

/// An intent that passed every limit. Only `RiskGate` can make one; a venue accepts nothing else.
struct ApprovedOrder: Hashable, Sendable {
    let id: OrderID
    /// The venue's id of it, known before anything leaves.
    let hash: String
    let intent: OrderIntent
    /// Collateral bound for the fee, should it take liquidity.
    let feeReserve: Money
    let time: Timestamp

    fileprivate init(id: OrderID, hash: String, intent: OrderIntent, feeReserve: Money, time: Timestamp) {
        self.id = id
        self.hash = hash
        self.intent = intent
        self.feeReserve = feeReserve
        self.time = time
    }
}

/// The present state, as far as limits ask for it.
struct RiskContext {
    let ledger: OrderLedger
    /// The market's view; `nil` when the feed does not tell of it.
    let view: MarketView?
    let isHaltFilePresent: Bool
    let isFeedUp: Bool
    /// Up to when the feed is known to have told everything.
    let feedTime: Timestamp
    /// Since midnight UTC, realised and unrealised.
    let dailyProfit: Money
    /// Below the highest worth of the account.
    let drawdown: Money
    /// Why the venue can be sent nothing now; `nil` when it can.
    var venueClosedReason: Refusal?
    /// How far our clock and the venue's differ, as last seen.
    var clockSkew = Duration.zero
    /// Share of requests to the venue that failed, in millionths.
    var errorRate: Int64 = 0
    /// Whether money is real.
    var isLive = false
}

/// The one door that orders leave by: every limit is asked here, each with its code.
struct RiskGate: Sendable {
    private(set) var limits: RiskLimits
    /// As the configuration has them; `limits` holds what an operator set besides.
    let configured: RiskLimits
    let identity: OrderIdentity
    private(set) var rate: TokenBucket
    /// Refusals since the start, by code.
    private(set) var refused: [RefusalCode: Int64] = [:]

    init(limits: RiskLimits, identity: OrderIdentity = .paper, now: Instant) {
        self.limits = limits
        self.configured = limits
        self.identity = identity
        self.rate = TokenBucket(rate: limits.ordersPerSecondMax, burst: limits.ordersPerSecondMax, now: now)
    }

    /// One as another was.
    init(
        limits: RiskLimits, configured: RiskLimits, identity: OrderIdentity, rate: TokenBucket,
        refused: [RefusalCode: Int64]
    ) {
        self.limits = limits
        self.configured = configured
        self.identity = identity
        self.rate = rate
        self.refused = refused
    }

    /// Changes a limit. Returns what is wrong, `nil` when nothing is.
    mutating func set(_ name: String, to value: Int64, now: Instant) -> String? {
        if let problem = self.limits.set(name, to: value) { return problem }
        if name == "max_orders_per_s" { self.rate = TokenBucket(rate: value, burst: value, now: now) }
        return nil
    }

    /// Approves `intent` as the ledger's next order, or says which limit it breaks first.
    mutating func check(_ intent: OrderIntent, _ context: RiskContext, now: Moment) -> Result<ApprovedOrder, Refusal> {
        do throws(Refusal) {
            try self.askAll(intent, context, now: now, Self.refuse)
            // Last, so that what other limits refuse takes no token.
            guard self.rate.take(now: now.instant) else {
                throw Refusal(.maxOrdersPerSecond, "more than \(self.limits.ordersPerSecondMax) orders in a second")
            }
            let id = OrderID(number: context.ledger.nextOrderNumber)
            return .success(
                ApprovedOrder(
                    id: id, hash: self.identity.hash(id, intent, at: now.time), intent: intent,
                    feeReserve: Self.feeReserve(intent, context), time: now.time))
        } catch {
            self.refused[error.code, default: 0] += 1
            return .failure(error)
        }
    }

    /// Why nothing may be quoted in a market at all, whatever the order; `nil` when something may.
    func closedReason(strategy: String, _ context: RiskContext, now: Moment) -> Refusal? {
        do throws(Refusal) {
            try self.askMarket(strategy: strategy, context, now: now, Self.refuse)
            return nil
        } catch { return error }
    }

    /// Collateral that an order binds for the fee, should it take liquidity.
    static func feeReserve(_ intent: OrderIntent, _ context: RiskContext) -> Money {
        guard !intent.isPostOnly, let market = context.view?.market else { return .zero }
        return market.takerFee(size: intent.size, price: intent.price)
    }

    private static func refuse(_ code: RefusalCode, _ passes: Bool, _ detail: () -> String) throws(Refusal) {
        guard passes else { throw Refusal(code, detail()) }
    }
}
