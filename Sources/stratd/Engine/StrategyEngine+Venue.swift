import Shared

extension StrategyEngine {
    /// Takes in what the venue says of one of our orders.
    mutating func handle(_ event: VenueEvent, now: Moment) -> [EngineAction] {
        switch event.kind {
        case .foreign(let hash, let fill):
            self.adopt(hash, fill, at: event.time, now: now)
            return self.takeActions()
        case .filledLate(let hash, let fill) where self.ledger.order(event.order) == nil:
            self.adopt(hash, fill, at: event.time, now: now)
            return self.takeActions()
        case .foreignSettled(let trade, let settlement):
            self.settleForeign(trade, settlement, now: now)
            return self.takeActions()
        case .tradesRead:
            self.tradesRead(to: event.time, now: now)
            return self.takeActions()
        default: break
        }
        guard let order = self.ledger.order(event.order) else {
            if case .settled(let trade, let settlement) = event.kind {
                // Finished long ago. Most are told again with all trades of their time; one may still wait, under its own order or, where
                // that was forgotten before its trade was told, another.
                self.settleForeign(trade, settlement, now: now)
                return self.takeActions()
            }
            self.note(.contradiction(.unknownOrder(event.order)))
            self.halt("ledger", now: now)
            return self.takeActions()
        }
        switch event.kind {
        case .accepted(let isDelayed): self.accepted(order, isDelayed: isDelayed, now: now)
        case .rejected(let reason):
            self.refused(order, reason: reason, now: now)
            self.note(
                .orderRejected(order.id, strategy: order.body.strategy, market: order.body.market, reason: reason))
            self.rejected(order, reason: reason, now: now)
            if self.venueClosedReason != nil { self.giveTryBack(order) }
        case .withheld(let reason):
            self.refused(order, reason: reason, now: now)
            self.giveTryBack(order)
            self.note(
                .orderWithheld(order.id, strategy: order.body.strategy, market: order.body.market, reason: reason))
        case .filled(let fill), .filledLate(_, let fill): self.filled(order, fill, at: event.time, now: now)
        case .settled(let trade, let settlement): self.settled(order, trade, settlement, now: now)
        case .cancelled(let reason): self.move(order, to: .cancelled, reason: reason, now: now)
        case .cancelRefused(let reason):
            // What ended it instead is told by an event of its own.
            if order.body.state == .cancelling && reason == "delayed" {
                self.move(order, to: order.body.filled > .zero ? .partlyFilled : .live, reason: nil, now: now)
            }
        case .lost(let reason):
            self.note(.orderUnknown(order.id, hash: order.body.hash, reason: reason))
            self.move(order, to: .unknown, reason: reason, now: now)
            self.checkAccount(now: now)
        case .found:
            if [.sent, .delayed, .unknown].contains(order.body.state) {
                self.move(order, to: order.body.filled > .zero ? .partlyFilled : .live, reason: nil, now: now)
            }
            // After a restart the ledger may know that it rests, while nobody has told of its market.
            self.cancelIfClosed(order, now: now)
        case .foreign, .foreignSettled, .tradesRead: break
        }
        self.orderChanged(order, now: now)
        return self.takeActions()
    }

    private mutating func accepted(_ order: LedgerOrder, isDelayed: Bool, now: Moment) {
        self.endRejectionWait(of: order, now: now)
        // A fill may have come before; the order is past this state then.
        if order.body.state == .sent || order.body.state == .unknown || order.body.state == .delayed {
            self.move(order, to: isDelayed ? .delayed : .live, reason: nil, now: now)
        }
        self.cancelIfClosed(order, now: now)
    }

    private mutating func refused(_ order: LedgerOrder, reason: String, now: Moment) {
        // One that had been more than sent has come to an end all the same.
        self.move(order, to: order.body.state.mayBecome(.rejected) ? .rejected : .cancelled, reason: reason, now: now)
    }

    /// Cancels an order that nobody wants by now, where the venue can be asked to.
    private mutating func cancelIfClosed(_ order: LedgerOrder, now: Moment) {
        guard let present = self.ledger.open[order.id], present.body.state.isCancellable else { return }
        let isUnwanted =
            self.isStopping || self.cancelOnAcceptance.contains(order.id)
            || self.gate.closedReason(
                strategy: order.body.strategy, self.context(self.views[order.body.market], now: now), now: now) != nil
        if isUnwanted { self.cancel(order.id, now: now) }
    }

    mutating func filled(_ order: LedgerOrder, _ fill: VenueFill, at time: Timestamp, now: Moment) {
        guard !order.trades.contains(fill.trade) else { return }
        guard fill.token == order.body.token && fill.side == order.body.side else {
            self.note(.contradiction(.wrongOrder(order.id)))
            return self.halt("ledger", now: now)
        }
        let body = FillBody(
            order: order.id.description, hash: order.body.hash, trade: fill.trade, strategy: order.body.strategy,
            market: order.body.market, token: order.body.token, side: order.body.side, price: fill.price,
            size: fill.size,
            money: fill.money, fee: fill.fee ?? self.takerFee(of: order, fill), liquidity: fill.liquidity,
            settlement: fill.settlement,
            time: time)
        guard self.record(.fill(body), now: now) else { return }
        self.fillCount += 1
        self.noteRebate(of: body)
        self.note(.filled(body))
        self.publish(.fill(body))
        self.publishOrder(order.id)
        self.publishPosition(PositionKey(token: body.token, strategy: body.strategy))
        self.publish(.balance(self.balance))
        if fill.side == .buy ? fill.price > order.body.price : fill.price < order.body.price {
            self.note(.filledBeyondLimit(body, limit: order.body.price))
            self.halt("price", now: now)
        }
        // A trade from just before the end is told after it.
        if case .some(let winner) = self.views[body.market]?.resolution {
            self.settle(body.market, winner: winner, now: now)
        }
        self.updateProfit(now: now)
        self.checkAccount(now: now)
    }

    /// What a taker owes, by the market's terms; where these are not known any more, what was put aside for it.
    private func takerFee(of order: LedgerOrder, _ fill: VenueFill) -> Money {
        self.views[order.body.market]?.market.takerFee(size: fill.size, price: fill.price) ?? order.feeReserve
    }

    /// A trade went on towards the chain. One that failed is taken back, and trading goes on without it.
    private mutating func settled(_ order: LedgerOrder, _ trade: String, _ settlement: Settlement, now: Moment) {
        guard let fill = self.ledger.pending.first(where: { $0.order == order.id && $0.trade == trade }) else { return }
        self.settled(fill, settlement, now: now)
    }

    mutating func settled(_ fill: PendingFill, _ settlement: Settlement, now: Moment) {
        guard fill.settlement != settlement,
            self.record(.settlement(fill.order, trade: fill.trade, settlement), now: now)
        else { return }
        if settlement == .failed {
            self.note(
                .settlementFailed(fill.order, trade: fill.trade, market: self.ledger.positions[fill.position]?.market))
            self.publish(.balance(self.balance))
        }
        self.publishPosition(fill.position)
        self.updateProfit(now: now)
        self.checkAccount(now: now)
    }

    private mutating func move(_ order: LedgerOrder, to state: OrderState, reason: String?, now: Moment) {
        // Told twice, or ended meanwhile: nothing new.
        guard order.body.state != state, !order.body.state.isFinished else { return }
        if self.record(.state(order.id, state, reason: reason), now: now) { self.publishOrder(order.id) }
    }

    /// A sale that never left, or that a closed venue did not take, tells nothing of buyers.
    private mutating func giveTryBack(_ order: LedgerOrder) {
        guard order.body.kind == .fak, let attempts = self.flattening[order.body.market] else { return }
        self.flattening[order.body.market] = max(0, attempts - 1)
    }

    /// The strategies look again: a cancel that is confirmed makes room, a fill changes what is wanted.
    private mutating func orderChanged(_ order: LedgerOrder, now: Moment) {
        if self.ledger.open[order.id] == nil { self.cancelOnAcceptance.remove(order.id) }
        if self.flattening[order.body.market] != nil {
            guard self.ledger.openOrders(in: order.body.market).isEmpty else { return }
            // A sale that nobody took is not offered again before its time; a fill, or a quote that ended, makes room at once.
            let isMissed = order.body.kind == .fak && self.ledger.order(order.id)?.body.filled == .zero
            if !isMissed {
                self.schedule.plan(LookKey(market: order.body.market, slot: -1), at: now.instant)
            }
        } else {
            self.look([order.body.market], now: now)
        }
    }
}
