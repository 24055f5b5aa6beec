import Shared

extension StrategyEngine {
    /// How often a flattening tries again, and how many of its tries may leave.
    static let flattenInterval = Duration.seconds(1)
    static let flattenAttemptCountMax = 60

    /// Every strategy looks at these markets, now or when its interval has passed.
    mutating func look(_ conditions: [ConditionID], now: Moment) {
        for condition in conditions {
            // Up to the first of the looks that are planned, if all are.
            var plannedUntil: Instant?
            var isPlanned = true
            for slot in self.slots.indices {
                let key = LookKey(market: condition, slot: slot)
                let interval = self.slots[slot].maker.parameters.requoteInterval
                if let last = self.lastLooks[key], now.instant < last + interval {
                    self.schedule.plan(key, at: last + interval)
                    plannedUntil = min(plannedUntil ?? last + interval, last + interval)
                } else {
                    self.look(key, now: now)
                    isPlanned = false
                }
            }
            if isPlanned { self.views.plan(condition, until: plannedUntil) }
        }
    }

    /// Every strategy looks at these markets, whatever its interval.
    mutating func lookNow(_ conditions: [ConditionID], now: Moment) {
        for condition in conditions {
            for slot in self.slots.indices { self.look(LookKey(market: condition, slot: slot), now: now) }
        }
    }

    mutating func look(_ key: LookKey, now: Moment) {
        self.views.plan(key.market, until: nil)
        guard !self.isStopping else { return }
        self.schedule.remove(key)
        guard key.slot >= 0 else { return self.flattenStep(key.market, now: now) }
        guard let view = self.views[key.market], self.flattening[key.market] == nil else { return }
        let slot = self.slots[key.slot]
        let orders = self.ledger.openOrders(in: key.market).filter { $0.body.strategy == slot.name }
        if let refusal = self.gate.closedReason(strategy: slot.name, self.context(view, now: now), now: now) {
            // A book that is trusted again is looked at at once.
            if view.isTrusted { self.lastLooks[key] = now.instant }
            for order in orders where order.body.state.isCancellable { self.cancel(order.id, now: now) }
            self.decide(key, .refuse, [Self.reason(refusal)], view, now: now)
            return
        }
        // The rest of the operation is on its way and brings the next look.
        guard view.isSettled else { return }
        self.lastLooks[key] = now.instant
        let others = self.marketOfOthers(view)
        switch slot.maker.decide(self.input(others, slot, now: now)) {
        case .hold(let code, let detail):
            for order in orders where order.body.state.isCancellable { self.cancel(order.id, now: now) }
            self.decide(
                key, .hold, [DecisionBody.Reason(gate: "strategy", code: code, detail: detail)], view, now: now)
        case .quote(let wanted): self.pursue(wanted, key, slot, orders, others, now: now)
        }
    }

    /// Cancels what no look comes to: orders in markets that the feed does not tell of, and those of strategies that are gone.
    mutating func cancelUnwatched(now: Moment) {
        for order in self.ledger.openOrders
        where order.body.state.isCancellable && self.flattening[order.body.market] == nil {
            let hasStrategy = self.slots.contains { $0.name == order.body.strategy }
            if !hasStrategy || self.views[order.body.market] == nil { self.cancel(order.id, now: now) }
        }
    }

    /// What one order may be worth now.
    private var orderMax: Money {
        let limits = self.gate.limits
        let confirmed = self.ledger.confirmedFillCount
        return (self.mode == .live ? limits.limits(afterConfirmedFills: confirmed) : limits).orderMax
    }

    func input(_ view: MarketView, _ slot: Slot, now: Moment) -> StrategyInput {
        StrategyInput(
            view: view, heldFirst: self.ledger.held(view.token(0), by: slot.name),
            heldSecond: self.ledger.held(view.token(1), by: slot.name), now: now, orderMax: self.orderMax)
    }

    func steps(
        from orders: [LedgerOrder], to wanted: [WantedOrder], _ view: MarketView, _ slot: Slot, now: Moment
    ) -> OrderDiff.Steps {
        OrderDiff.steps(
            from: orders, to: wanted,
            beside: self.ledger.openOrders(in: view.market.condition).filter { $0.body.strategy != slot.name },
            view, slot.maker.parameters.tolerance, now: now.time)
    }

    func intent(_ wish: WantedOrder, _ view: MarketView, _ slot: Slot) -> OrderIntent {
        OrderIntent(
            strategy: slot.name, origin: .strategy, market: view.market.condition, event: view.market.event,
            outcome: wish.outcome, token: view.token(wish.outcome), side: wish.side, price: wish.price,
            size: wish.size, kind: self.restingKind, isPostOnly: true, isNegRisk: view.market.isNegRisk)
    }

    /// Cancels and places what leads from the orders there are to those that are wanted.
    private mutating func pursue(
        _ wanted: [WantedOrder], _ key: LookKey, _ slot: Slot, _ orders: [LedgerOrder], _ view: MarketView, now: Moment
    ) {
        let steps = self.steps(from: orders, to: wanted, view, slot, now: now)
        for order in steps.cancel { self.cancel(order, now: now) }
        var reasons = wanted.map {
            DecisionBody.Reason(
                gate: "strategy", code: "\($0.side.rawValue)_\($0.outcome == 0 ? "first" : "second")",
                detail: "\($0.size) at \($0.price)")
        }
        var refusals: [DecisionBody.Reason] = []
        let wait = self.rejectionWait(key, now: now)
        if let wait, !steps.place.isEmpty {
            self.schedule.plan(key, at: wait.until)
            refusals = steps.place.map { _ in wait.reason }
        }
        for place in steps.place where wait == nil {
            if let refusal = self.place(self.intent(place, view, slot), seeing: view, now: now) {
                refusals.append(Self.reason(refusal))
                // There is room in a second, and a quiet market brings no look by itself.
                if refusal.code == .maxOrdersPerSecond { self.schedule.plan(key, at: now.instant + .seconds(1)) }
            }
        }
        let isQuoting = refusals.count < wanted.count
        reasons += refusals
        self.decide(key, isQuoting ? .quote : .refuse, reasons, view, now: now)
    }

    /// Asks the gate, and sends what it approves. Returns why not, `nil` when it was sent.
    private mutating func place(_ intent: OrderIntent, seeing view: MarketView, now: Moment) -> Refusal? {
        switch self.gate.check(intent, self.context(view, now: now), now: now) {
        case .failure(let refusal):
            self.note(.orderRefused(strategy: intent.strategy, market: intent.market, refusal))
            return refusal
        case .success(let order):
            let body = OrderBody(
                order: order.id.description, hash: order.hash, strategy: intent.strategy, market: intent.market,
                token: intent.token, side: intent.side, price: intent.price, size: intent.size, filled: .zero,
                kind: intent.kind, isPostOnly: intent.isPostOnly, state: .intended, reason: nil, mode: self.mode,
                time: now.time)
            let ledgerOrder = LedgerOrder(
                id: order.id, body: body, event: intent.event, outcome: intent.outcome, feeReserve: order.feeReserve)
            guard self.record(.intent(ledgerOrder), now: now),
                self.record(.state(order.id, .sent, reason: nil), now: now)
            else { return Refusal(.halted, "the ledger did not take the order") }
            self.orderCount += 1
            self.publishOrder(order.id)
            self.actions.append(.submit(order))
            return nil
        }
    }

    /// The present state, for the gate.
    ///
    /// - Parameter view: of an order's market, as others make it.
    func context(_ view: MarketView?, now: Moment) -> RiskContext {
        RiskContext(
            ledger: self.ledger, view: view, isHaltFilePresent: self.isHaltFilePresent,
            isFeedUp: self.isFeedUp, feedTime: self.feedTime, dailyProfit: self.profit.daily,
            drawdown: self.profit.drawdown, venueClosedReason: self.venueClosedReason,
            clockSkew: self.clockSkew, errorRate: self.errorRate.micros(now: now.instant), isLive: self.mode == .live)
    }

    private static func reason(_ refusal: Refusal) -> DecisionBody.Reason {
        DecisionBody.Reason(gate: "risk", code: refusal.code.rawValue, detail: refusal.detail)
    }

    /// Keeps the decision for who asks, and tells it when it is another one, or once a second when only details changed.
    private mutating func decide(
        _ key: LookKey, _ action: DecisionBody.Action, _ reasons: [DecisionBody.Reason], _ view: MarketView, now: Moment
    ) {
        self.lookCount += 1
        let body = DecisionBody(
            strategy: key.slot < 0 ? "operator" : self.slots[key.slot].name, market: key.market, action: action,
            reasons: reasons, update: view.update, time: now.time)
        guard let former = self.decisions[key] else {
            self.decisions[key] = Decision(body: body, publishedAt: now.instant)
            return self.publish(.decision(body))
        }
        let isOther = former.body.action != action || former.body.reasons.map(\.code) != reasons.map(\.code)
        let isDetailed = former.body.reasons != reasons && now.instant >= former.publishedAt + Self.decisionInterval
        let isTold = isOther || isDetailed
        self.decisions[key] = Decision(body: body, publishedAt: isTold ? now.instant : former.publishedAt)
        if isTold { self.publish(.decision(body)) }
    }

    // MARK: Flattening

    /// Waits until nothing is open in the market, then offers what is held to whoever bids within the price band.
    ///
    /// What keeps the gate shut passes by itself, and is waited for: the venue, the book, shares that are still to arrive. Only too
    /// few shares for an order stay too few.
    mutating func flattenStep(_ condition: ConditionID, now: Moment) {
        guard let attempts = self.flattening[condition] else { return }
        let orders = self.ledger.openOrders(in: condition)
        for order in orders where order.body.state.isCancellable { self.cancel(order.id, now: now) }
        let held = self.ledger.sortedPositions.filter { $0.market == condition && $0.size > .zero }
        // An order that is about to end may be filled yet.
        guard !(held.isEmpty && orders.isEmpty), attempts < Self.flattenAttemptCountMax else {
            self.flattening[condition] = nil
            return self.note(.flattened(market: condition, isWhole: held.isEmpty))
        }
        let key = LookKey(market: condition, slot: -1)
        self.schedule.plan(key, at: now.instant + Self.flattenInterval)
        guard orders.isEmpty, let view = self.views[condition] else { return }
        var isWaiting = false
        var hasLeft = false
        var refusals: [DecisionBody.Reason] = []
        for position in held {
            guard let price = Self.flattenPrice(position.outcome, view, band: self.gate.limits.priceBand) else {
                refusals.append(
                    DecisionBody.Reason(gate: "strategy", code: "one_sided_book", detail: "a midpoint needs both sides")
                )
                isWaiting = true
                continue
            }
            let intent = OrderIntent(
                strategy: position.strategy, origin: .operators, market: condition, event: view.market.event,
                outcome: position.outcome, token: position.token, side: .sell, price: price,
                size: self.largestSale(of: position, at: price, view), kind: .fak, isPostOnly: false,
                isNegRisk: view.market.isNegRisk)
            if let refusal = self.place(intent, seeing: view, now: now) {
                refusals.append(Self.reason(refusal))
                if refusal.code != .belowMinSize { isWaiting = true }
            } else {
                hasLeft = true
            }
        }
        if hasLeft || !isWaiting { self.flattening[condition] = attempts + 1 }
        let done = DecisionBody.Reason(gate: "operator", code: "flatten", detail: "attempt \(attempts + 1)")
        self.decide(key, refusals.isEmpty ? .quote : .refuse, [done] + refusals, view, now: now)
    }

    /// What one order may sell: a position over the limit of an order goes in several.
    private func largestSale(of position: Position, at price: Price, _ view: MarketView) -> Quantity {
        let limit = Int128(self.orderMax.micros) * 1_000_000 / Int128(price.micros)
        let size = Self.floored(Quantity(micros: Int64(min(Int128(position.size.micros), limit))), at: price)
        let rest = position.size - size
        guard rest > .zero && rest < view.market.sizeMin else { return size }
        // What would be left could not be sold any more: two parts can, where there is enough for two.
        let part = Self.floored(max(.zero, position.size - view.market.sizeMin), at: price)
        return part >= view.market.sizeMin ? part : size
    }

    /// So many shares that what they bring has four decimals at most: of orders that take, the venue allows no more. Source:
    /// reference, 2.5.
    private static func floored(_ size: Quantity, at price: Price) -> Quantity {
        let step: Int64 = price.micros % 10_000 == 0 ? 10_000 : price.micros % 1_000 == 0 ? 100_000 : 1_000_000
        return Quantity(micros: size.micros / step * step)
    }

    /// The lowest price of the grid that lies within the band; a whole cent where that takes as well.
    private static func flattenPrice(_ outcome: Int, _ view: MarketView, band: Int64) -> Price? {
        guard let midpoint = view.book.midpoint else { return nil }
        let own = outcome == 0 ? midpoint : 1_000_000 - midpoint
        guard let price = view.market.tick.ceil(max(view.market.tick.micros, own - band)) else { return nil }
        let cents = Price(micros: (Int64(price.micros) + 9_999) / 10_000 * 10_000)
        let bid = outcome == 0 ? view.book.bestBid?.price : view.book.bestAsk?.price.mirrored
        guard let cents, let bid, cents <= bid, view.market.tick.allows(cents) else { return price }
        return cents
    }
}
