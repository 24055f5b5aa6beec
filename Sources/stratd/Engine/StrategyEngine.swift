import Shared

/// The heart of stratd as a value: what the feed, the venue and people say comes in, actions go out.
///
/// The shell applies each `EngineInput` with the time at which it heard of it, performs the actions, and wakes it at
/// `nextWake` and each second.
struct StrategyEngine: Sendable {
    /// A strategy with the name that its orders bear.
    struct Slot: Sendable {
        let name: String
        let maker: Maker
    }
    /// A strategy's look at a market; slot -1 stands for the operator's flattening.
    struct LookKey: Hashable, Comparable, Sendable {
        let market: ConditionID
        let slot: Int
        static func < (a: LookKey, b: LookKey) -> Bool { (a.market, a.slot) < (b.market, b.slot) }
    }
    struct Decision: Sendable {
        var body: DecisionBody
        var publishedAt: Instant
    }

    /// Records between two checkpoints: what a restart replays at most, and a second more.
    static let checkpointRecordCount = 10_000
    /// Shortest time between two frames about decisions that differ in details only.
    static let decisionInterval = Duration.seconds(1)
    /// Shortest time between two records of a new peak or new bids.
    static let marksInterval = Duration.seconds(60)

    /// Why trading is halted where the ledger's journal takes nothing.
    static let journalHalt = "journal"

    let slots: [Slot]
    let mode: TradingMode
    /// Why the venue can be sent nothing now, as the shell last heard; `nil` when it can.
    var venueClosedReason: Refusal?
    var views = MarketViews()
    var ledger: OrderLedger
    var gate: RiskGate
    /// How far our clock and the venue's differ, as the shell last saw.
    var clockSkew = Duration.zero
    var lastMoment: Moment?
    /// Whether the venue has told the time since the start, where it does.
    var isClockTold = false
    /// Of requests to the venue.
    var errorRate = ErrorRate()
    /// What the venue holds beyond the ledger, or less than it, and nobody has explained.
    var unexplained = Money.zero
    /// The same of shares, by token.
    var unexplainedShares: [TokenID: Quantity] = [:]
    /// Trades by orders that the ledger does not know, of tokens that the feed has not described.
    var homeless: [ForeignFill] = []
    /// Up to when all trades were told.
    var tradesToldTo: Timestamp?
    /// Estimated since the last record, and the minute of the last sample, counted since 1970.
    var unrecordedIncome: [IncomeKey: Income] = [:]
    var incomeMinute: Int64?
    var isFeedUp = false
    /// Up to when the feed is known to have told everything.
    var feedTime = Timestamp(microseconds: 0)
    var isHaltFilePresent = false
    var isStopping = false
    var profit = Profit()
    /// Looks at markets that ended in a decision.
    var lookCount: Int64 = 0
    var fillCount: Int64 = 0
    var orderCount: Int64 = 0

    var actions: [EngineAction] = []
    var lastLooks: [LookKey: Instant] = [:]
    /// Looks that wait for the end of their interval.
    var schedule = LookSchedule()
    var decisions: [LookKey: Decision] = [:]
    /// Orders to cancel as soon as the venue is known to hold them.
    var cancelOnAcceptance: Set<OrderID> = []
    /// Markets that an operator wants to be out of, with the attempts made.
    var flattening: [ConditionID: Int] = [:]
    /// Strategies that place nothing in a market for a time, as the venue rejected what they placed.
    var rejectionWaits: [LookKey: RejectionWait] = [:]
    var recordCount = 0
    var lastMarks: Instant?
    /// Of live trading: what others were last seen to bid for what is held.
    var bidsOfOthers: [TokenID: Price] = [:]
    /// What is held and nobody else bids for.
    var bidless: [TokenID: Bidless] = [:]

    /// - Parameter ledger: as the journal left it; what an operator set there goes before `limits`.
    init(
        slots: [Slot], limits: RiskLimits, ledger: OrderLedger, identity: OrderIdentity = .paper, now: Moment
    ) {
        self.slots = slots
        self.ledger = ledger
        self.mode = identity == .paper ? .paper : .live
        self.gate = RiskGate(limits: limits, identity: identity, now: now.instant)
        for (name, limit) in ledger.limits where limit.holds(against: limits.value(name)) {
            // One that is no longer known is passed over.
            _ = self.gate.set(name, to: limit.value, now: now.instant)
        }
    }

    /// One that was: what else it held is the caller's to set.
    init(slots: [Slot], gate: RiskGate, ledger: OrderLedger) {
        self.slots = slots
        self.ledger = ledger
        self.mode = gate.identity == .paper ? .paper : .live
        self.gate = gate
    }

    /// The actions since the last call.
    mutating func takeActions() -> [EngineAction] {
        guard !self.actions.isEmpty else { return [] }
        defer { self.actions = [] }
        return self.actions
    }

    /// When a look is due; `nil` while none is.
    var nextWake: Instant? { self.schedule.next }

    // MARK: The feed

    /// - Parameter sentTime: when the feed sent it; everything before that has been heard.
    mutating func handle(_ event: FeedEvent, sentTime: Timestamp, now: Moment) -> [EngineAction] {
        self.feedTime = max(self.feedTime, sentTime)
        if case .delta(let body) = event {
            if let condition = self.views.apply(body, now: now.instant) { self.bookChanged(condition, now: now) }
            return self.takeActions()
        }
        let former: Market? =
            if case .market(let body) = event { self.views[body.market.condition]?.described } else { nil }
        let touched = self.views.apply(event)
        switch event {
        case .market(let body): self.described(body.market, formerly: former, now: now)
        case .connected: self.isFeedUp = true
        case .disconnected:
            self.isFeedUp = false
            self.lookNow(touched, now: now)
        case .book, .delta, .trust, .tickSize:
            for condition in touched { self.bookChanged(condition, now: now) }
        case .resolved(let body):
            for condition in touched { self.resolve(condition, winner: body.winner, now: now) }
        case .tradesDropped(let body):
            for condition in touched { self.note(.printsLost(market: condition, count: body.count)) }
        case .trade, .alive: break
        }
        return self.takeActions()
    }

    private mutating func bookChanged(_ condition: ConditionID, now: Moment) {
        guard let view = self.views[condition] else { return }
        guard !view.isTrusted else {
            if view.isSettled { self.look([condition], now: now) }
            return
        }
        // Out of the market at once, whatever the interval; but once, not with every word on a broken book.
        let isOut = self.slots.indices.allSatisfy {
            self.decisions[LookKey(market: condition, slot: $0)]?.body.action == .refuse
        }
        if !isOut || self.ledger.openOrders(in: condition).contains(where: \.body.state.isCancellable) {
            self.lookNow([condition], now: now)
        }
    }

    private mutating func resolve(_ condition: ConditionID, winner: Int64?, now: Moment) {
        let winner = self.views[condition]?.resolution ?? winner
        self.note(.marketResolved(market: condition, winner: winner))
        self.settle(condition, winner: winner, now: now)
        self.flattening[condition] = nil
        self.lookNow([condition], now: now)
    }

    /// Turns what is held in a market into money; what another winner had turned into money before becomes what this one makes of it.
    mutating func settle(_ condition: ConditionID, winner: Int64?, now: Moment) {
        let held = self.ledger.unsettled(in: condition, winner: winner)
        let cash = self.ledger.cash
        guard !held.isEmpty, self.record(.resolution(condition, winner: winner), now: now) else { return }
        if held.contains(where: { $0.end != nil }) {
            self.note(.settledAgain(market: condition, winner: winner, by: self.ledger.cash - cash))
        }
        for position in held { self.publishPosition(position.key) }
        self.publish(.balance(self.balance))
        self.updateProfit(now: now)
    }

    // MARK: Time

    /// Takes the looks that are due.
    mutating func wake(now: Moment) -> [EngineAction] {
        for key in self.schedule.takeReady(now: now.instant) { self.look(key, now: now) }
        return self.takeActions()
    }

    /// Once a second: marks and limits of the whole account, the halt file, and whatever time alone changes.
    mutating func tick(isHaltFilePresent: Bool, now: Moment) -> [EngineAction] {
        let wasPresent = self.isHaltFilePresent
        self.isHaltFilePresent = isHaltFilePresent
        if isHaltFilePresent && !wasPresent { self.halt("halt_file", now: now) }
        self.updateProfit(now: now)
        self.checkAccount(now: now)
        self.sampleIncome(now: now)
        self.bookHomeless(now: now)
        // Books that went silent, markets that near their end, halts whose cancels were refused.
        self.look(Set(self.ledger.open.values.map(\.body.market)).sorted(), now: now)
        self.cancelUnwatched(now: now)
        let held = self.ledger.markets
        self.views.forget(before: now.time, keeping: held.union(self.correctable))
        for key in Set(self.lastLooks.keys).union(self.decisions.keys)
        where self.views[key.market] == nil && !held.contains(key.market) {
            self.lastLooks[key] = nil
            self.decisions[key] = nil
        }
        self.forgetRules(now: now)
        self.rejectionWaits = self.rejectionWaits.filter {
            self.views[$0.key.market] != nil || held.contains($0.key.market)
        }
        if self.recordCount >= Self.checkpointRecordCount { self.appendCheckpoint(now: now) }
        return self.takeActions()
    }

    /// Halts when the account as a whole broke a limit.
    mutating func checkAccount(now: Moment) {
        // A loss of the former day is none of a day that has yet to begin: the gate refuses until then, and nobody has to resume.
        let isDayOn = now.day <= self.ledger.day
        if isDayOn && self.profit.daily < -self.gate.limits.dailyLossMax { self.halt("daily_loss", now: now) }
        if self.profit.drawdown > self.gate.limits.drawdownMax { self.halt("max_drawdown", now: now) }
        if self.ledger.unknownOrderCount >= Int(self.gate.limits.unknownOrdersMax) {
            self.halt("unknown_orders", now: now)
        }
        if self.errorRate.micros(now: now.instant) > self.gate.limits.errorRateMax { self.halt("error_rate", now: now) }
    }

    // MARK: The journal

    /// What a quote is: at the real venue it ends by itself, should nobody be left to cancel it.
    var restingKind: OrderKind { self.mode == .live ? .gtd : .gtc }

    /// After a restart. Paper orders died with the venue that held them. Of the real venue's it is asked what became of them; one
    /// that was about to leave may have left.
    mutating func recover(now: Moment) -> [EngineAction] {
        self.tellLimits(now: now)
        for order in self.ledger.openOrders {
            guard self.mode == .paper || order.isForeign else {
                if order.body.state == .intended { self.record(.state(order.id, .sent, reason: nil), now: now) }
                continue
            }
            if self.record(.state(order.id, .cancelled, reason: "restart"), now: now) { self.publishOrder(order.id) }
        }
        self.updateProfit(now: now)
        return self.takeActions()
    }

    /// The account was found to hold so much when its ledger was begun.
    mutating func fund(_ money: Money, now: Moment) -> [EngineAction] {
        guard !self.ledger.isFunded, self.record(.funds(money), now: now) else { return [] }
        self.profit.peak = nil
        self.updateProfit(now: now)
        self.publish(.balance(self.balance))
        return self.takeActions()
    }

    /// The venue told what the account holds.
    mutating func compare(_ verdict: BalanceWatch.Verdict, now: Moment) -> [EngineAction] {
        switch verdict {
        case .agrees, .moving: self.unexplained = .zero
        // It would be booked twice if the trade that explains it were booked after a person resumed.
        case .differs where self.isAwaitingMarket(now: now), .redeemed where self.isAwaitingMarket(now: now):
            self.unexplained = .zero
        case .redeemed(let money):
            self.unexplained = .zero
            self.record(.redeemed(money), now: now)
        case .rounding(let money):
            self.unexplained = .zero
            self.record(.funds(money), now: now)
            self.publish(.balance(self.balance))
        case .differs(let money):
            self.unexplained = money
            self.note(.balanceDiffers(by: money))
            self.halt("balance", now: now)
        }
        return self.takeActions()
    }

    /// The venue told how many shares of a token the account holds. Nobody can trade on others than the ledger's.
    mutating func compare(_ verdict: BalanceWatch.ShareVerdict, of token: TokenID, now: Moment) -> [EngineAction] {
        switch verdict {
        case .agrees, .moving: self.unexplainedShares[token] = nil
        case .differs where self.isAwaitingMarket(now: now): self.unexplainedShares[token] = nil
        case .differs(let difference):
            self.unexplainedShares[token] = difference
            self.note(.sharesDiffer(token, by: difference))
            self.halt("positions", now: now)
        }
        return self.takeActions()
    }

    /// A line that holds the whole ledger, for the head of a file.
    mutating func checkpoint(now: Moment) -> LedgerRecord {
        self.recordCount = 0
        return LedgerRecord(.checkpoint(self.ledger), at: now.time)
    }

    private mutating func appendCheckpoint(now: Moment) { self.actions.append(.record(self.checkpoint(now: now))) }

    /// The journal took nothing of the last list: what it held must not leave, and trading halts.
    mutating func journalFailed(unsent: [OrderID], now: Moment) -> [EngineAction] {
        self.halt(Self.journalHalt, now: now)
        for order in unsent {
            // It never left; only the ledger in memory knows of it.
            if self.record(.state(order, .rejected, reason: "journal_failed"), now: now) {
                self.publishOrder(order)
            }
        }
        return self.takeActions()
    }

    /// Applies a fact to the ledger and has it journalled.
    @discardableResult
    mutating func record(_ fact: LedgerRecord.Fact, now: Moment) -> Bool {
        let record = LedgerRecord(fact, at: now.time)
        do throws(LedgerError) { try self.ledger.apply(record) } catch {
            self.note(.contradiction(error))
            self.halt("ledger", now: now)
            return false
        }
        self.actions.append(.record(record))
        self.recordCount += 1
        switch fact {
        // A difference that was told before is of another count of money and shares, and may be this very fact.
        case .fill, .settlement, .resolution, .shares:
            self.unexplained = .zero
            self.unexplainedShares.removeAll()
        // Money that came or went is neither a gain nor a loss.
        case .funds(let money): self.profit.peak = self.profit.peak.map { $0 + money }
        default: break
        }
        return true
    }

    mutating func note(_ note: EngineNote) { self.actions.append(.note(note)) }
    mutating func publish(_ publication: Publication) { self.actions.append(.publish(publication)) }
    mutating func publishOrder(_ id: OrderID) {
        if let order = self.ledger.order(id) { self.publish(.order(order.body)) }
    }
    mutating func publishPosition(_ key: PositionKey) {
        if let position = self.ledger.positions[key] { self.publish(.position(self.body(of: position))) }
    }

    // MARK: Halting

    /// Halts trading, ends every order, and stays so until a person resumes.
    mutating func halt(_ reason: String, now: Moment) {
        guard !self.ledger.halts.contains(reason) else { return }
        self.record(.halt(reason: reason), now: now)
        self.note(.halted(reason: reason))
        self.publish(.risk(self.riskStatus))
        self.cancelAll(now: now)
    }

    /// Ends every order, those included that the venue has yet to confirm.
    mutating func cancelAll(now: Moment) {
        for order in self.ledger.openOrders {
            if order.body.state.isCancellable {
                self.cancel(order.id, now: now)
            } else if order.body.state != .cancelling {
                self.cancelOnAcceptance.insert(order.id)
                // The real venue's desk may hold it still: then it must not leave.
                if self.mode == .live && order.body.state == .sent { self.actions.append(.cancel(order.id)) }
            }
        }
    }

    mutating func cancel(_ id: OrderID, now: Moment) {
        guard self.record(.state(id, .cancelling, reason: nil), now: now) else { return }
        self.publishOrder(id)
        self.actions.append(.cancel(id))
    }

    /// Nothing is placed any more, and what is open is ended: the daemon is about to leave.
    mutating func stop(now: Moment) -> [EngineAction] {
        self.recordIncome(now: now)
        self.isStopping = true
        self.schedule.removeAll()
        self.views.forgetPlans()
        self.cancelAll(now: now)
        return self.takeActions()
    }
}
