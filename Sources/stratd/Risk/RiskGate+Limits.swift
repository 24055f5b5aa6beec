import Shared

/// Every limit, asked in one order by whoever refuses and by whoever explains.
extension RiskGate {
    /// Is told of each limit: its code, whether it is kept, and the figures or the reason. Who throws ends the asking.
    typealias Answer = (RefusalCode, Bool, () -> String) throws(Refusal) -> Void

    /// How a limit stands.
    struct Standing: Hashable, Sendable {
        let code: RefusalCode
        let isKept: Bool
        /// The figures, or the reason; empty for a kept one without figures.
        let detail: String
    }

    /// How the limits stand that concern a strategy in a market, whatever the order.
    func standings(strategy: String, _ context: RiskContext, now: Moment) -> [Standing] {
        Self.standings { answer in
            try? self.askMarket(strategy: strategy, context, now: now, answer)
            if let view = context.view { try? Self.askSettled(view, answer) }
        }
    }

    /// How the limits stand that an order would meet beyond those of its market, with the budget of orders in a second.
    func standings(of intent: OrderIntent, _ context: RiskContext, now: Moment) -> [Standing] {
        guard let view = context.view else { return [] }
        return Self.standings { answer in
            try? self.askOrder(intent, view, context, answer)
            var rate = self.rate
            let isKept = rate.take(now: now.instant)
            try? answer(.maxOrdersPerSecond, isKept) { "limit \(self.limits.ordersPerSecondMax)" }
        }
    }

    private static func standings(_ ask: (Answer) -> Void) -> [Standing] {
        var standings: [Standing] = []
        ask { code, isKept, detail in standings.append(Standing(code: code, isKept: isKept, detail: detail())) }
        return standings
    }

    /// All limits that an order has to keep but the budget of orders in a second.
    func askAll(_ intent: OrderIntent, _ context: RiskContext, now: Moment, _ answer: Answer) throws(Refusal) {
        let strategy = intent.origin == .strategy ? intent.strategy : nil
        guard let view = try self.askTrading(strategy: strategy, context, now: now, answer) else { return }
        try Self.askSettled(view, answer)
        // Selling what is held lessens the risk, up to the end.
        if intent.side == .buy { try self.askTimeLeft(view, now: now, answer) }
        try self.askOrder(intent, view, context, answer)
    }

    /// What has to hold for anything to be quoted in a market.
    func askMarket(strategy: String, _ context: RiskContext, now: Moment, _ answer: Answer) throws(Refusal) {
        guard let view = try self.askTrading(strategy: strategy, context, now: now, answer) else { return }
        try self.askTimeLeft(view, now: now, answer)
    }

    /// - Parameter strategy: `nil` for an operator's order.
    /// - Returns: `nil` when the feed does not tell of the market and `answer` did not throw.
    private func askTrading(
        strategy: String?, _ context: RiskContext, now: Moment, _ answer: Answer
    ) throws(Refusal) -> MarketView? {
        let ledger = context.ledger
        try answer(.halted, !ledger.isHalted) { ledger.halts.joined(separator: ", ") }
        try answer(.haltFile, !context.isHaltFilePresent) { context.isHaltFilePresent ? "the halt file is there" : "" }
        if let strategy {
            let isPaused = ledger.paused.contains(strategy)
            try answer(.strategyPaused, !isPaused) { isPaused ? "\(strategy) is paused" : "" }
            // What is held may still be sold by an operator.
            let change = context.view.flatMap { ledger.changedRules[$0.market.condition] }
            try answer(.rulesChanged, change == nil) { change ?? "" }
        }
        try answer(.dailyLoss, context.dailyProfit >= -self.limits.dailyLossMax) {
            "\(context.dailyProfit) since midnight, \(self.limits.dailyLossMax) may be lost"
        }
        try answer(.maxDrawdown, context.drawdown <= self.limits.drawdownMax) {
            "\(context.drawdown) below the peak, limit \(self.limits.drawdownMax)"
        }
        try answer(.unknownOrdersMax, ledger.unknownOrderCount < Int(self.limits.unknownOrdersMax)) {
            "\(ledger.unknownOrderCount) orders of unknown fate"
        }
        let closed = context.venueClosedReason
        try answer(closed?.code ?? .venueClosed, closed == nil) { closed?.detail ?? "" }
        try answer(.clockSkew, context.clockSkew <= self.limits.clockSkewMax) {
            "\(context.clockSkew.milliseconds) ms from the venue's clock, limit \(self.limits.clockSkewMax.milliseconds) ms"
        }
        try answer(.errorRate, context.errorRate <= self.limits.errorRateMax) {
            "\(Decimal6.text(context.errorRate)) of the requests failed, limit \(Decimal6.text(self.limits.errorRateMax))"
        }
        try answer(.feedDown, context.isFeedUp) { context.isFeedUp ? "" : "feedd is not connected" }
        guard let view = context.view else {
            try answer(.marketUntrusted, false) { "the feed does not tell of the market" }
            return nil
        }
        try answer(.marketUntrusted, view.isTrusted) {
            view.isTrusted ? "" : view.untrustedReason?.rawValue ?? "unknown"
        }
        let age = now.time - max(view.receivedTime, context.feedTime)
        try answer(.bookOld, age <= self.limits.bookAgeMax) {
            "\(age.milliseconds) ms, limit \(self.limits.bookAgeMax.milliseconds) ms"
        }
        return view
    }

    private static func askSettled(_ view: MarketView, _ answer: Answer) throws(Refusal) {
        try answer(.marketUnsettled, view.isSettled) {
            view.isSettled ? "" : "an operation of the venue is still arriving"
        }
    }

    private func askTimeLeft(_ view: MarketView, now: Moment, _ answer: Answer) throws(Refusal) {
        let left = view.market.endTime - now.time
        try answer(.minTimeLeft, left >= self.limits.timeLeftMin) {
            "\(left.milliseconds / 1_000) s left, at least \(self.limits.timeLeftMin.milliseconds / 1_000) s wanted"
        }
    }

    private func askOrder(
        _ intent: OrderIntent, _ view: MarketView, _ context: RiskContext, _ answer: Answer
    ) throws(Refusal) {
        try answer(.priceOffTick, view.market.tick.allows(intent.price)) {
            "\(intent.price) in steps of \(view.market.tick)"
        }
        try answer(.belowMinSize, intent.size >= view.market.sizeMin && intent.size > .zero) {
            "\(intent.size) shares, the market takes \(view.market.sizeMin) or more"
        }
        if let midpoint = view.book.midpoint {
            let distance = abs(Int64(intent.bookPrice.micros) - midpoint)
            try answer(.priceBand, distance <= self.limits.priceBand) {
                "\(Decimal6.text(distance)) from the midpoint, limit \(Decimal6.text(self.limits.priceBand))"
            }
        } else {
            try answer(.priceBand, false) { "the book has one side only" }
        }
        try self.askExposure(intent, context, answer)
    }

    private func askExposure(_ intent: OrderIntent, _ context: RiskContext, _ answer: Answer) throws(Refusal) {
        let ledger = context.ledger
        let limits =
            context.isLive ? self.limits.limits(afterConfirmedFills: ledger.confirmedFillCount) : self.limits
        try answer(.maxOrderUSD, intent.notional <= limits.orderMax) { "\(intent.notional), limit \(limits.orderMax)" }
        try answer(.maxOpenOrders, ledger.open.count < Int(self.limits.openOrdersMax)) {
            "\(ledger.open.count) orders are open, limit \(self.limits.openOrdersMax)"
        }
        guard intent.side == .buy else {
            let sellable = ledger.sellable(intent.token, by: intent.strategy)
            return try answer(.insufficientShares, intent.size <= sellable) {
                "\(intent.size) to sell, \(sellable) held and not offered yet"
            }
        }
        let isKnown = ledger.isIn(intent.market)
        try answer(.maxPositions, isKnown || ledger.markets.count < Int(self.limits.positionsMax)) {
            "\(ledger.markets.count) markets are held or bid for, limit \(self.limits.positionsMax)"
        }
        let added = intent.notional + Self.feeReserve(intent, context)
        let (bound, invested) = (ledger.bound, ledger.invested)
        let inMarket = bound.inMarket(intent.market) + invested.inMarket(intent.market) + added
        try answer(.maxMarketUSD, inMarket <= self.limits.marketMax) {
            "\(inMarket) in the market, limit \(self.limits.marketMax)"
        }
        // A market whose event is not known is an event of its own.
        if !intent.event.isEmpty {
            let inEvent = bound.inEvent(intent.event) + invested.inEvent(intent.event) + added
            try answer(.maxEventUSD, inEvent <= self.limits.eventMax) {
                "\(inEvent) in the event, limit \(self.limits.eventMax)"
            }
        }
        let inAll = ledger.exposure + added
        try answer(.maxTotalUSD, inAll <= limits.totalMax) { "\(inAll) in all, limit \(limits.totalMax)" }
        let byStrategy = bound.of(intent.strategy) + invested.of(intent.strategy) + added
        try answer(.strategyAllocation, byStrategy <= self.limits.strategyMax) {
            "\(byStrategy) by \(intent.strategy), limit \(self.limits.strategyMax)"
        }
        let free = ledger.cash - ledger.receivable - ledger.reserved
        try answer(.insufficientBalance, added <= free) { "\(added) needed, \(free) free" }
    }
}
