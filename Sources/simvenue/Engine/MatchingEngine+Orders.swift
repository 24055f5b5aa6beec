import Shared

/// Taking orders and matching them.
extension MatchingEngine {
    mutating func place(_ signed: SignedOrder) throws(CommandRefusal) {
        try self.check(signed.account)
        do throws(EngineRefusal) {
            try self.accept(signed)
        } catch {
            self.emit(.refused(signed.hash, error))
        }
    }

    private mutating func accept(_ signed: SignedOrder) throws(EngineRefusal) {
        let place = try self.admit(signed)
        let terms = self.markets[place.market].terms
        let limit = try OrderRules.limit(of: signed, in: terms, now: self.now, settings: self.settings)
        self.orderSequence += 1
        let order = EngineOrder(
            signed: signed, sequence: self.orderSequence, market: place.market, outcome: place.outcome, limit: limit,
            createdTime: self.now, isCrowd: self.accounts[signed.account.index].isCrowd, status: .live,
            remaining: signed.shares, budget: signed.money)
        let crosses = self.markets[place.market].book.isCrossed(by: order.bookSide, at: order.bookPrice)
        if crosses {
            guard !signed.isPostOnly else { throw .postOnlyCrosses }
            guard signed.side == .sell || signed.money >= OrderRules.marketableBuyMin else {
                throw .marketableAmount(signed.money)
            }
        }
        guard self.isCovered(order) else { throw .notEnoughBalance }
        guard self.openOrderCount < Self.openOrderCountMax else { throw .notInserted }
        if crosses && terms.hasTakerDelay && self.settings.takerDelay > .zero {
            self.hold(order)
        } else {
            let plan: MatchPlan
            do throws(EngineRefusal) {
                plan = try self.plan(order)
            } catch {
                if error.isKill && !order.isCrowd {
                    var killed = order
                    killed.status = .killed(error)
                    self.emit(.order(.cancellation, killed))
                }
                throw error
            }
            let slot = self.open(order)
            self.tell(.placement, slot)
            let trades = self.carryOut(plan, for: slot)
            self.emit(.accepted(Self.receipt(self.orders[slot], plan, trades)))
        }
    }

    /// Whether orders are taken at all, from this account and for this token.
    private func admit(_ signed: SignedOrder) throws(EngineRefusal) -> OutcomePlace {
        switch self.mode {
        case .normal: break
        case .postOnly: guard signed.isPostOnly else { throw .postOnlyMode }
        case .cancelOnly: throw .cancelOnly
        case .disabled: throw .disabled
        }
        switch self.accounts[signed.account.index].standing {
        case .normal: break
        case .closedOnly: guard signed.side == .sell else { throw .closedOnly }
        case .banned: throw .banned
        }
        guard let place = self.place(of: signed.token), self.markets[place.market].resolution == nil else {
            throw .noOrderBook
        }
        guard self.markets[place.market].acceptsOrders else { throw .marketNotReady }
        guard self.slotsByHash[signed.hash] == nil else { throw .duplicated(signed.hash) }
        return place
    }

    /// Whether the account has what the order signs away, beside what its other open orders ask for.
    private func isCovered(_ order: EngineOrder) -> Bool {
        let account = self.accounts[order.signed.account.index]
        let contract = self.markets[order.market].contract
        switch order.signed.side {
        case .buy: return order.budget <= account.availableMoney(contract)
        case .sell: return order.remaining <= account.availableShares(order.place, contract)
        }
    }

    /// What would happen if the order met the book now, if it may.
    private func plan(_ order: EngineOrder) throws(EngineRefusal) -> MatchPlan {
        let market = self.markets[order.market]
        let plan = MatchPlan(for: order, in: market.book, self.orders)
        switch order.signed.kind {
        case .fok: guard !plan.legs.isEmpty && plan.remaining == .zero else { throw .fokNotFilled }
        case .fak: guard !plan.legs.isEmpty else { throw .fakNotMatched }
        case .gtc, .gtd:
            let size = market.book.size(order.bookSide, at: order.bookPrice)
            guard size + plan.remaining <= OrderBook.levelSizeMax else { throw .notInserted }
        }
        guard self.unsettledCount + plan.groups.count <= self.settings.unsettledCountMax else { throw .notExecuted }
        if order.signed.side == .buy {
            // The fee comes on top of what a buy signs.
            let fee = plan.groups.reduce(Money.zero) { $0 + self.fee(of: $1, for: order) }
            let rest = order.signed.isImmediate ? .zero : plan.remaining.notional(at: order.limit)
            let account = self.accounts[order.signed.account.index]
            guard plan.money + fee + rest <= account.availableMoney(market.contract) else { throw .notEnoughBalance }
        }
        return plan
    }

    /// The taker's fee of one trade, rounded up to five decimals; a sale never pays more than it earns.
    private func fee(of legs: ArraySlice<MatchPlan.Leg>, for order: EngineOrder) -> Money {
        guard let price = legs.first?.price else { return .zero }
        let size = legs.reduce(Quantity.zero) { $0 + $1.size }
        let fee = self.markets[order.market].terms.takerFee(size: size, price: price)
        return order.signed.side == .buy ? fee : min(fee, legs.reduce(Money.zero) { $0 + $1.takerMoney })
    }

    private static func receipt(_ order: EngineOrder, _ plan: MatchPlan, _ trades: [TradeID]) -> OrderReceipt {
        let isBuy = order.signed.side == .buy
        return OrderReceipt(
            hash: order.signed.hash, status: trades.isEmpty ? .live : .matched,
            making: isBuy ? plan.money.micros : plan.size.micros, taking: isBuy ? plan.size.micros : plan.money.micros,
            trades: trades)
    }

    // MARK: Taker delay

    private mutating func hold(_ order: EngineOrder) {
        var order = order
        order.status = .delayed
        let slot = self.open(order)
        self.markets[order.market].delayed.append(slot)
        switch order.signed.side {
        case .buy: self.setReserved(slot, order.budget.micros)
        case .sell: self.setReserved(slot, order.remaining.micros)
        }
        self.appoint(.release(slot: slot, sequence: order.sequence), at: self.now + self.settings.takerDelay)
        self.tell(.placement, slot)
        self.emit(.accepted(OrderReceipt(hash: order.signed.hash, status: .delayed, making: 0, taking: 0, trades: [])))
    }

    /// The delay is over: the order is judged again, and meets the book as it is now.
    mutating func release(_ slot: Int) {
        let order = self.orders[slot]
        let market = self.markets[order.market]
        guard self.mode == .normal, market.acceptsOrders else { return self.close(slot, .canceled) }
        guard market.terms.tick.allows(order.limit) else { return self.close(slot, .invalid) }
        self.setReserved(slot, 0)
        do throws(EngineRefusal) {
            let plan = try self.plan(order)
            self.markets[order.market].delayed.removeAll { $0 == slot }
            self.orders[slot].status = .live
            _ = self.carryOut(plan, for: slot)
        } catch {
            self.close(
                slot,
                error.isKill ? .killed(error) : error == .notEnoughBalance ? .canceledNotEnoughBalance : .canceled)
        }
    }

    // MARK: Carrying out

    /// Matches as planned; what may stay of the order rests.
    private mutating func carryOut(_ plan: MatchPlan, for slot: Int) -> [TradeID] {
        let order = self.orders[slot]
        var trades: [TradeID] = []
        for (index, legs) in plan.groups.enumerated() {
            trades.append(self.trade(legs, taker: order, bucketIndex: index))
        }
        self.orders[slot].matched = plan.size
        self.orders[slot].trades = trades
        if order.signed.side == .buy { self.orders[slot].budget -= plan.money }
        self.orders[slot].remaining = plan.remaining
        if !trades.isEmpty {
            if plan.remaining == .zero { self.orders[slot].status = .matched }
            self.tell(.update, slot)
        }
        if plan.remaining == .zero {
            self.close(slot, .matched)
        } else if order.signed.isImmediate {
            self.close(slot, .canceled)
        } else {
            self.rest(slot)
        }
        return trades
    }

    private mutating func rest(_ slot: Int) {
        let order = self.orders[slot]
        self.touch(order.market, order.bookSide, order.bookPrice)
        self.markets[order.market].book.append(slot, in: &self.orders)
        self.reserveRest(slot)
        guard order.signed.kind == .gtd else { return }
        let end = Timestamp(seconds: order.signed.expiration) + (.zero - self.settings.expirationMargin)
        self.appoint(.expire(slot: slot, sequence: order.sequence), at: end)
    }

    /// One trade of the taker with makers at one price.
    private mutating func trade(_ legs: ArraySlice<MatchPlan.Leg>, taker: EngineOrder, bucketIndex: Int) -> TradeID {
        let contract = self.markets[taker.market].contract
        let fee = self.fee(of: legs, for: taker)
        let id = TradeID(random: (self.random.next(), self.random.next()))
        var parts: [TradeLeg] = []
        var size = Quantity.zero
        var isAmongCrowd = taker.isCrowd
        for leg in legs {
            let maker = self.orders[leg.slot]
            size += leg.size
            isAmongCrowd = isAmongCrowd && maker.isCrowd
            parts.append(
                TradeLeg(
                    order: maker.signed.hash, account: maker.signed.account, place: maker.place,
                    side: maker.signed.side,
                    price: maker.limit, size: leg.size, kind: leg.kind, makerMoney: leg.makerMoney,
                    takerMoney: leg.takerMoney))
            self.take(leg, trade: id)
        }
        let trade = EngineTrade(
            id: id, market: self.markets[taker.market].terms.condition, contract: contract,
            takerOrder: taker.signed.hash, taker: taker.signed.account, place: taker.place, side: taker.signed.side,
            price: legs[legs.startIndex].price, size: size, fee: fee, legs: parts, bucketIndex: bucketIndex,
            matchTime: self.now, transaction: ConditionID(words: self.random.words()), isAmongCrowd: isAmongCrowd,
            lastUpdate: self.now)
        self.withAccount(taker.signed.account) {
            switch taker.signed.side {
            case .buy: $0.spend(parts.reduce(fee) { $0 + $1.takerMoney }, contract)
            case .sell: $0.take(size, taker.place)
            }
        }
        self.startSettling(trade)
        for leg in legs { self.tellMaker(leg.slot) }
        return id
    }

    /// Takes a leg's part of a resting order.
    private mutating func take(_ leg: MatchPlan.Leg, trade: TradeID) {
        let slot = leg.slot
        let maker = self.orders[slot]
        self.touch(maker.market, maker.bookSide, maker.bookPrice)
        self.orders[slot].remaining -= leg.size
        self.orders[slot].matched += leg.size
        self.orders[slot].note(trade)
        self.markets[maker.market].book.reduce(maker, by: leg.size)
        if maker.signed.side == .buy { self.orders[slot].budget -= leg.makerMoney }
        if self.orders[slot].isDust {
            self.markets[maker.market].book.remove(slot, in: &self.orders)
            self.orders[slot].remaining = .zero
        }
        self.reserveRest(slot)
        let contract = self.markets[maker.market].contract
        self.withAccount(maker.signed.account) {
            switch maker.signed.side {
            case .buy: $0.spend(leg.makerMoney, contract)
            case .sell: $0.take(leg.size, maker.place)
            }
        }
    }

    private mutating func tellMaker(_ slot: Int) {
        let isOver = self.orders[slot].remaining == .zero
        if isOver { self.orders[slot].status = .matched }
        self.tell(.update, slot)
        if isOver { self.close(slot, .matched) }
    }
}
