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
    let identity: OrderIdentity
    private(set) var rate: TokenBucket
    /// Refusals since the start, by code.
    private(set) var refused: [RefusalCode: Int64] = [:]

    init(limits: RiskLimits, identity: OrderIdentity = .paper, now: Instant) {
        self.limits = limits
        self.identity = identity
        self.rate = TokenBucket(rate: limits.ordersPerSecondMax, burst: limits.ordersPerSecondMax, now: now)
    }

    /// One as another was.
    init(limits: RiskLimits, identity: OrderIdentity, rate: TokenBucket, refused: [RefusalCode: Int64]) {
        self.limits = limits
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
            let market = try self.checkState(intent, context, now: now)
            try self.checkShape(intent, market)
            let feeReserve: Money =
                intent.isPostOnly ? .zero : market.market.takerFee(size: intent.size, price: intent.price)
            try self.checkExposure(intent, context, feeReserve: feeReserve)
            // Last, so that what other limits refuse takes no token.
            guard self.rate.take(now: now.instant) else {
                throw Refusal(.maxOrdersPerSecond, "more than \(self.limits.ordersPerSecondMax) orders in a second")
            }
            let id = OrderID(number: context.ledger.nextOrderNumber)
            return .success(
                ApprovedOrder(
                    id: id, hash: self.identity.hash(id, intent, at: now.time), intent: intent, feeReserve: feeReserve,
                    time: now.time))
        } catch {
            self.refused[error.code, default: 0] += 1
            return .failure(error)
        }
    }

    /// Why nothing may be quoted in a market at all, whatever the order; `nil` when something may.
    func closedReason(strategy: String, _ context: RiskContext, now: Moment) -> Refusal? {
        do throws(Refusal) {
            let view = try self.checkTrading(strategy: strategy, context, now: now)
            try self.checkTimeLeft(view, now: now)
            return nil
        } catch { return error }
    }

    private func checkTrading(strategy: String?, _ context: RiskContext, now: Moment) throws(Refusal) -> MarketView {
        guard !context.ledger.isHalted else {
            throw Refusal(.halted, context.ledger.halts.joined(separator: ", "))
        }
        guard !context.isHaltFilePresent else { throw Refusal(.haltFile, "the halt file is there") }
        if let strategy, context.ledger.paused.contains(strategy) {
            throw Refusal(.strategyPaused, "\(strategy) is paused")
        }
        // What is held may still be sold by an operator.
        if strategy != nil, let market = context.view?.market,
            let change = context.ledger.changedRules[market.condition]
        {
            throw Refusal(.rulesChanged, change)
        }
        guard context.dailyProfit >= -self.limits.dailyLossMax else {
            throw Refusal(.dailyLoss, "\(context.dailyProfit) since midnight, \(self.limits.dailyLossMax) may be lost")
        }
        guard context.drawdown <= self.limits.drawdownMax else {
            throw Refusal(.maxDrawdown, "\(context.drawdown) below the peak, limit \(self.limits.drawdownMax)")
        }
        guard context.ledger.unknownOrderCount < Int(self.limits.unknownOrdersMax) else {
            throw Refusal(.unknownOrdersMax, "\(context.ledger.unknownOrderCount) orders of unknown fate")
        }
        if let reason = context.venueClosedReason { throw reason }
        guard context.clockSkew <= self.limits.clockSkewMax else {
            throw Refusal(
                .clockSkew,
                "\(context.clockSkew.milliseconds) ms from the venue's clock, limit \(self.limits.clockSkewMax.milliseconds) ms"
            )
        }
        guard context.errorRate <= self.limits.errorRateMax else {
            throw Refusal(
                .errorRate,
                "\(Decimal6.text(context.errorRate)) of the requests failed, limit \(Decimal6.text(self.limits.errorRateMax))"
            )
        }
        guard context.isFeedUp else { throw Refusal(.feedDown, "feedd is not connected") }
        guard let view = context.view else { throw Refusal(.marketUntrusted, "the feed does not tell of the market") }
        guard view.isTrusted else {
            throw Refusal(.marketUntrusted, view.untrustedReason?.rawValue ?? "unknown")
        }
        let age = now.time - max(view.receivedTime, context.feedTime)
        guard age <= self.limits.bookAgeMax else {
            throw Refusal(.bookOld, "\(age.milliseconds) ms, limit \(self.limits.bookAgeMax.milliseconds) ms")
        }
        return view
    }

    private func checkTimeLeft(_ view: MarketView, now: Moment) throws(Refusal) {
        let left = view.market.endTime - now.time
        guard left >= self.limits.timeLeftMin else {
            throw Refusal(
                .minTimeLeft,
                "\(left.milliseconds / 1_000) s left, at least \(self.limits.timeLeftMin.milliseconds / 1_000) s wanted"
            )
        }
    }

    private func checkState(_ intent: OrderIntent, _ context: RiskContext, now: Moment) throws(Refusal) -> MarketView {
        let view = try self.checkTrading(
            strategy: intent.origin == .strategy ? intent.strategy : nil, context, now: now)
        guard view.isSettled else { throw Refusal(.marketUnsettled, "an operation of the venue is still arriving") }
        // Selling what is held lessens the risk, up to the end.
        if intent.side == .buy { try self.checkTimeLeft(view, now: now) }
        return view
    }

    private func checkShape(_ intent: OrderIntent, _ view: MarketView) throws(Refusal) {
        guard view.market.tick.allows(intent.price) else {
            throw Refusal(.priceOffTick, "\(intent.price) is not a multiple of \(view.market.tick)")
        }
        guard intent.size >= view.market.sizeMin && intent.size > .zero else {
            throw Refusal(.belowMinSize, "\(intent.size) shares, the market takes \(view.market.sizeMin) or more")
        }
        guard let midpoint = view.book.midpoint else { throw Refusal(.priceBand, "the book has one side only") }
        let distance = abs(Int64(intent.bookPrice.micros) - midpoint)
        guard distance <= self.limits.priceBand else {
            throw Refusal(
                .priceBand,
                "\(Decimal6.text(distance)) from the midpoint, limit \(Decimal6.text(self.limits.priceBand))")
        }
    }

    private func checkExposure(_ intent: OrderIntent, _ context: RiskContext, feeReserve: Money) throws(Refusal) {
        let ledger = context.ledger
        let limits =
            context.isLive ? self.limits.limits(afterConfirmedFills: ledger.confirmedFillCount) : self.limits
        guard intent.notional <= limits.orderMax else {
            throw Refusal(.maxOrderUSD, "\(intent.notional), limit \(limits.orderMax)")
        }
        guard ledger.open.count < Int(self.limits.openOrdersMax) else {
            throw Refusal(.maxOpenOrders, "\(ledger.open.count) orders are open")
        }
        switch intent.side {
        case .sell:
            let sellable = ledger.sellable(intent.token, by: intent.strategy)
            guard intent.size <= sellable else {
                throw Refusal(.insufficientShares, "\(intent.size) to sell, \(sellable) held and not offered yet")
            }
        case .buy:
            let markets = ledger.markets
            guard markets.contains(intent.market) || markets.count < Int(self.limits.positionsMax) else {
                throw Refusal(.maxPositions, "\(markets.count) markets are held or bid for")
            }
            let added = intent.notional + feeReserve
            let inMarket = ledger.exposure { market, _ in market == intent.market } + added
            guard inMarket <= self.limits.marketMax else {
                throw Refusal(.maxMarketUSD, "\(inMarket) in the market, limit \(self.limits.marketMax)")
            }
            // A market whose event is not known is an event of its own.
            if !intent.event.isEmpty {
                let inEvent = ledger.exposure { _, event in event == intent.event } + added
                guard inEvent <= self.limits.eventMax else {
                    throw Refusal(.maxEventUSD, "\(inEvent) in the event, limit \(self.limits.eventMax)")
                }
            }
            let inAll = ledger.exposure() + added
            guard inAll <= limits.totalMax else {
                throw Refusal(.maxTotalUSD, "\(inAll) in all, limit \(limits.totalMax)")
            }
            let byStrategy = ledger.exposure(of: intent.strategy) + added
            guard byStrategy <= self.limits.strategyMax else {
                throw Refusal(
                    .strategyAllocation, "\(byStrategy) by \(intent.strategy), limit \(self.limits.strategyMax)")
            }
            let free = ledger.cash - ledger.receivable - ledger.reserved
            guard added <= free else { throw Refusal(.insufficientBalance, "\(added) needed, \(free) free") }
        }
    }
}
