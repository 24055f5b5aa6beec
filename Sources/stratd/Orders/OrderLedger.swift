import Shared

/// Orders, positions and money: what is known of the account. A value that changes by `LedgerRecord`s alone.
struct OrderLedger: Hashable, Sendable {
    /// Finished orders that are remembered, for fills that come late and for people who ask.
    static let finishedOrderCountMax = 2_000
    /// Positions without shares that are remembered; then those that were closed first are folded into `closedProfit`.
    static let closedPositionCountMax = 500
    /// Fills that wait for the chain: settling takes seconds, so more of them are a sign of something broken.
    static let pendingFillCountMax = 10_000

    private(set) var cash: Money
    /// Payouts of markets that have ended which the real venue has yet to pay; part of `cash`.
    private(set) var receivable = Money.zero
    /// Whether it was told what the account began with.
    private(set) var isFunded = false
    /// Fills that the chain has confirmed, ever.
    private(set) var confirmedFillCount: Int64 = 0
    private(set) var nextOrderNumber: Int64 = 1
    /// Orders that are not finished.
    private(set) var open: [OrderID: LedgerOrder] = [:]
    /// The same by market, the oldest first.
    private(set) var openInMarket: [ConditionID: [OrderID]] = [:]
    /// Orders that are not finished and whose fate is not known.
    private(set) var unknownOrderCount = 0
    private(set) var finished: [OrderID: LedgerOrder] = [:]
    /// Finished orders, the oldest first.
    private(set) var finishedQueue: [OrderID] = []
    private(set) var positions: [PositionKey: Position] = [:]
    /// Those without shares, in the order in which they came to have none.
    private var closedQueue: [PositionKey] = []
    /// Open purchases at their limits, fees included.
    private(set) var bound = Exposure()
    /// Positions at cost.
    private(set) var invested = Exposure()
    /// Fills that wait for the chain, in the order in which they were booked.
    private(set) var pending: [PendingFill] = []
    /// Realised less fees of positions that are no longer remembered.
    private(set) var closedProfit = Money.zero
    /// Strategies whose income is told apart; that of more counts with a strategy without a name.
    static let incomeCountMax = 1_000
    /// What rewards and rebates are estimated to be, ever, by strategy: neither in `cash` nor in any profit.
    private(set) var income: [String: Income] = [:]
    /// All the account's trades that were matched before are booked. Next: `nil` for a ledger that was never live.
    private(set) var tradesReadTo: Timestamp?
    /// Why trading is halted, in the order in which the reasons came; empty while it is not.
    private(set) var halts: [String] = []
    /// Markets whose rules changed while they were followed, with what changed: strategies leave them until a person resumes.
    private(set) var changedRules: [ConditionID: String] = [:]
    /// Strategies that an operator paused, sorted.
    private(set) var paused: [String] = []
    /// Limits that an operator set, by their names in the configuration.
    private(set) var limits: [String: SetLimit] = [:]
    /// The day that `dayStart` belongs to, in days since 1970; -1 before the first.
    private(set) var day: Int64 = -1
    /// What the account was worth when the day began.
    private(set) var dayStart: Money
    /// The most that the account was worth since trading began or was resumed after a drawdown.
    private(set) var peak: Money

    init(cash: Money) {
        self.cash = cash
        self.dayStart = cash
        self.peak = cash
    }

    // MARK: Changing

    /// Applies one fact.
    ///
    /// - Throws: when it contradicts what is known; nothing is changed then.
    mutating func apply(_ record: LedgerRecord) throws(LedgerError) {
        switch record.fact {
        case .checkpoint(let ledger): self = ledger
        case .intent(let order): try self.add(order)
        case .state(let id, let state, let reason): try self.move(id, to: state, reason: reason, at: record.time)
        case .fill(let fill): try self.book(fill)
        case .settlement(let id, let trade, let settlement): try self.advance(trade, of: id, to: settlement)
        case .resolution(let market, let winner): self.settle(market, winner: winner)
        case .redeemed(let money): self.receivable -= money
        case .shares(let key, let difference): try self.correct(key, by: difference)
        case .income(let key, let income):
            let isTold = self.income[key.strategy] != nil || self.income.count < Self.incomeCountMax
            self.income[isTold ? key.strategy : "", default: Income()] += income
        case .funds(let money):
            self.cash += money
            self.dayStart += money
            self.peak += money
            self.isFunded = true
        case .tradesRead(let time): self.tradesReadTo = time
        case .halt(let reason): if !self.halts.contains(reason) { self.halts.append(reason) }
        case .rulesChanged(let market, let change): self.changedRules[market] = change
        case .rulesForgotten(let market): self.changedRules[market] = nil
        case .resume:
            self.halts = []
            self.changedRules = [:]
        case .pause(let strategy):
            if !self.paused.contains(strategy) { self.paused = (self.paused + [strategy]).sorted() }
        case .unpause(let strategy): self.paused.removeAll { $0 == strategy }
        case .limit(let name, let limit): self.limits[name] = limit.value == limit.configured ? nil : limit
        case .marks(let day, let dayStart, let peak, let bids):
            self.day = day
            self.dayStart = dayStart
            self.peak = peak
            for key in self.positions.keys {
                if let bid = bids[key.token] { self.positions[key]?.mark = bid }
            }
        }
    }

    private mutating func add(_ order: LedgerOrder) throws(LedgerError) {
        guard order.id.number >= self.nextOrderNumber else { throw .orderExists(order.id) }
        guard order.body.state == .intended else {
            throw .illegal(order.id, from: .intended, to: order.body.state)
        }
        self.setOpen(order)
        self.nextOrderNumber = order.id.number + 1
    }

    private mutating func move(
        _ id: OrderID, to state: OrderState, reason: String?, at time: Timestamp
    ) throws(LedgerError) {
        guard var order = self.order(id) else { throw .unknownOrder(id) }
        guard order.body.state.mayBecome(state) else { throw .illegal(id, from: order.body.state, to: state) }
        order.body.state = state
        order.body.reason = reason
        order.body.time = time
        self.keep(order)
    }

    private mutating func book(_ fill: FillBody) throws(LedgerError) {
        guard let id = OrderID(fill.order), var order = self.order(id) else {
            throw .unknownOrder(OrderID(fill.order) ?? OrderID(number: 0))
        }
        guard fill.size > .zero else { throw .emptyFill(id) }
        guard fill.token == order.body.token && fill.side == order.body.side else { throw .wrongOrder(id) }
        guard !order.trades.contains(fill.trade) else { throw .alreadyBooked(trade: fill.trade) }
        guard fill.size <= order.remaining else { throw .overfilled(id, by: fill.size - order.remaining) }
        guard order.trades.count < LedgerOrder.tradeCountMax else { throw .tooManyTrades(id) }
        guard let state = order.body.state.afterFill(isWhole: fill.size == order.remaining) else {
            throw .fillNotExpected(id, state: order.body.state)
        }
        guard self.pending.count < Self.pendingFillCountMax || fill.settlement == .confirmed else {
            throw .tooManyPending
        }
        let key = PositionKey(token: fill.token, strategy: order.body.strategy)
        var position =
            self.positions[key]
            ?? Position(
                market: order.body.market, token: fill.token, outcome: order.outcome, event: order.event,
                strategy: order.body.strategy)
        // One from just before the market's end may be told after it.
        let end = position.reopen()
        let money = fill.money
        var cost = Money.zero
        switch fill.side {
        case .buy:
            position.buy(fill.size, paid: money, fee: fill.fee)
            self.cash -= money + fill.fee
        case .sell:
            guard fill.size <= position.size else { throw .oversold(id, by: fill.size - position.size) }
            cost = position.sell(fill.size, received: money, fee: fill.fee)
            self.cash += money - fill.fee
        }
        position.mark = .bid(fill.price)
        if fill.settlement == .confirmed {
            self.confirmedFillCount += 1
        } else {
            self.pending.append(
                PendingFill(
                    order: id, trade: fill.trade, position: key, side: fill.side, size: fill.size, money: money,
                    fee: fill.fee, cost: cost, time: fill.time, settlement: fill.settlement))
        }
        self.put(position, asBefore: end)
        order.body.filled += fill.size
        order.body.state = state
        order.body.time = fill.time
        order.trades.append(fill.trade)
        self.keep(order)
        self.forgetClosedPositions()
    }

    /// A booked fill went on towards the chain; one that failed there is taken back.
    private mutating func advance(
        _ trade: String, of order: OrderID, to settlement: Settlement
    ) throws(LedgerError) {
        guard let index = self.pending.firstIndex(where: { $0.order == order && $0.trade == trade }) else {
            throw .notPending(trade: trade)
        }
        let fill = self.pending[index]
        switch settlement {
        case .matched, .mined, .retrying: self.pending[index].settlement = settlement
        case .confirmed:
            self.pending.remove(at: index)
            self.confirmedFillCount += 1
        case .failed:
            guard var position = self.positions[fill.position] else { throw .oversold(order, by: fill.size) }
            let end = position.reopen()
            guard fill.side == .sell || position.size >= fill.size else { throw .oversold(order, by: fill.size) }
            position.takeBack(fill)
            self.cash += fill.side == .buy ? fill.money + fill.fee : fill.fee - fill.money
            self.pending.remove(at: index)
            self.put(position, asBefore: end)
        }
    }

    private mutating func correct(_ key: PositionKey, by difference: Quantity) throws(LedgerError) {
        guard var position = self.positions[key] else { throw .noSuchShares(key.token) }
        let end = position.reopen()
        guard position.size + difference >= .zero else { throw .noSuchShares(key.token) }
        if difference > .zero {
            position.buy(difference, paid: .zero, fee: .zero)
        } else {
            position.sell(.zero - difference, received: .zero, fee: .zero)
        }
        self.put(position, asBefore: end)
    }

    private mutating func settle(_ market: ConditionID, winner: Int64?) {
        self.changedRules[market] = nil
        let lasting = self.winner(of: market, told: winner)
        for position in self.unsettled(in: market, winner: winner) {
            var position = position
            self.pay(position.settle(winner: lasting))
            self.setPosition(position)
        }
        self.forgetClosedPositions()
    }

    /// Keeps a changed position; where its market has ended, it ends once more.
    private mutating func put(_ position: Position, asBefore end: Position.End?) {
        var position = position
        if let end { self.pay(position.settle(winner: end.winner) - end.payout) }
        self.setPosition(position)
    }

    /// Books what a market's end is worth, or what it is worth more than was booked.
    private mutating func pay(_ payout: Money) {
        self.cash += payout
        // Paper pays at once, and only a real account was told what it began with.
        if self.isFunded { self.receivable += payout }
    }

    private mutating func keep(_ order: LedgerOrder) {
        guard order.body.state.isFinished else { return self.setOpen(order) }
        self.removeOpen(order.id)
        if self.finished.updateValue(order, forKey: order.id) == nil { self.finishedQueue.append(order.id) }
        while self.finishedQueue.count > Self.finishedOrderCountMax {
            self.finished[self.finishedQueue.removeFirst()] = nil
        }
    }

    private mutating func setPosition(_ position: Position) {
        let former = self.positions.updateValue(position, forKey: position.key)
        self.invested.add(
            position.cost - (former?.cost ?? .zero), market: position.market, event: position.event,
            strategy: position.key.strategy)
        let wasClosed = former?.size == .zero
        guard wasClosed != (position.size == .zero) else { return }
        if wasClosed {
            self.closedQueue.removeAll { $0 == position.key }
        } else {
            self.closedQueue.append(position.key)
        }
    }

    private mutating func setOpen(_ order: LedgerOrder) {
        let former = self.open.updateValue(order, forKey: order.id)
        self.unknownOrderCount += (order.body.state == .unknown ? 1 : 0) - (former?.body.state == .unknown ? 1 : 0)
        self.bound.add(
            order.reserved - (former?.reserved ?? .zero), market: order.body.market, event: order.event,
            strategy: order.body.strategy)
        guard former == nil else { return }
        let ids = self.openInMarket[order.body.market] ?? []
        self.openInMarket[order.body.market] = (ids + [order.id]).sorted()
    }

    private mutating func removeOpen(_ id: OrderID) {
        guard let former = self.open.removeValue(forKey: id) else { return }
        if former.body.state == .unknown { self.unknownOrderCount -= 1 }
        self.bound.add(
            .zero - former.reserved, market: former.body.market, event: former.event, strategy: former.body.strategy)
        let ids = self.openInMarket[former.body.market]?.filter { $0 != id } ?? []
        self.openInMarket[former.body.market] = ids.isEmpty ? nil : ids
    }

    private mutating func forgetClosedPositions() {
        guard self.closedQueue.count > Self.closedPositionCountMax else { return }
        let waiting = Set(self.pending.map(\.position))
        let old = self.closedQueue.filter { !waiting.contains($0) }
            .prefix(self.closedQueue.count - Self.closedPositionCountMax)
        for key in old {
            guard let position = self.positions.removeValue(forKey: key) else { continue }
            self.closedProfit += position.realised - position.fees
            self.invested.add(
                .zero - position.cost, market: position.market, event: position.event, strategy: key.strategy)
        }
        self.closedQueue.removeAll { self.positions[$0] == nil }
    }
}

extension OrderLedger {
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("cash", self.cash.micros)
            $0.member("receivable", self.receivable.micros)
            $0.key("funded")
            $0.bool(self.isFunded)
            $0.member("confirmed_fills", self.confirmedFillCount)
            $0.member("next_order", self.nextOrderNumber)
            $0.key("open")
            $0.array { for order in self.openOrders { order.write(to: &$0) } }
            $0.key("finished")
            $0.array { for id in self.finishedQueue { self.finished[id]?.write(to: &$0) } }
            $0.key("positions")
            $0.array { for position in self.sortedPositions { position.write(to: &$0) } }
            $0.key("closed")
            $0.array {
                for key in self.closedQueue {
                    $0.object {
                        $0.member("token", key.token.description)
                        $0.member("strategy", key.strategy)
                    }
                }
            }
            $0.key("pending")
            $0.array { for fill in self.pending { fill.write(to: &$0) } }
            $0.member("closed_profit", self.closedProfit.micros)
            $0.key("income")
            $0.array {
                for (strategy, income) in self.income.sorted(by: { $0.key < $1.key }) {
                    $0.object {
                        $0.member("strategy", strategy)
                        $0.member("rewards", income.rewards.micros)
                        $0.member("rebates", income.rebates.micros)
                    }
                }
            }
            if let time = self.tradesReadTo { $0.member("trades_read", time.microseconds) }
            $0.member("halts", self.halts)
            $0.key("changed_rules")
            $0.object {
                for (market, change) in self.changedRules.sorted(by: { $0.key < $1.key }) {
                    $0.key(dynamic: market.description)
                    $0.string(change)
                }
            }
            $0.member("paused", self.paused)
            let limits = self.limits.sorted { $0.key < $1.key }
            $0.key("limits")
            $0.object {
                for (name, limit) in limits {
                    $0.key(dynamic: name)
                    $0.integer(limit.value)
                }
            }
            $0.key("configured_limits")
            $0.object {
                for (name, limit) in limits {
                    guard let configured = limit.configured else { continue }
                    $0.key(dynamic: name)
                    $0.integer(configured)
                }
            }
            $0.member("day", self.day)
            $0.member("day_start", self.dayStart.micros)
            $0.member("peak", self.peak.micros)
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        var ledger = OrderLedger(cash: .zero)
        var hasCash = false
        var limits: [String: Int64] = [:]
        var configured: [String: Int64] = [:]
        var closed: [PositionKey] = []
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "cash":
                ledger.cash = Money(micros: try reader.integer())
                hasCash = true
            case "receivable": ledger.receivable = Money(micros: try reader.integer())
            case "funded": ledger.isFunded = try reader.bool()
            case "confirmed_fills": ledger.confirmedFillCount = try reader.integer()
            case "next_order": ledger.nextOrderNumber = try reader.integer()
            case "open":
                try reader.array { (reader) throws(JSONError) in
                    let order = try LedgerOrder(reading: &reader)
                    ledger.setOpen(order)
                }
            case "finished":
                try reader.array { (reader) throws(JSONError) in
                    let order = try LedgerOrder(reading: &reader)
                    ledger.finished[order.id] = order
                    ledger.finishedQueue.append(order.id)
                }
            case "positions":
                try reader.array { (reader) throws(JSONError) in
                    let position = try Position(reading: &reader)
                    ledger.setPosition(position)
                }
            case "closed":
                try reader.array { (reader) throws(JSONError) in
                    let fields = try Fields(reading: &reader)
                    closed.append(
                        PositionKey(token: try fields.token("token"), strategy: try fields.string("strategy")))
                }
            case "pending":
                try reader.array { (reader) throws(JSONError) in
                    ledger.pending.append(try PendingFill(reading: &reader))
                }
            case "trades_read": ledger.tradesReadTo = Timestamp(microseconds: try reader.integer())
            case "closed_profit": ledger.closedProfit = Money(micros: try reader.integer())
            case "income":
                try reader.array { (reader) throws(JSONError) in
                    let fields = try Fields(reading: &reader)
                    ledger.income[try fields.string("strategy")] = Income(
                        rewards: try fields.money("rewards"), rebates: try fields.money("rebates"))
                }
            case "halts": ledger.halts = try reader.strings()
            case "changed_rules":
                try reader.object { (key, reader) throws(JSONError) in
                    guard let market = ConditionID(key.string) else {
                        throw JSONError(.wrongValue, at: reader.offset, member: "changed_rules")
                    }
                    ledger.changedRules[market] = try reader.string().string
                }
            case "paused": ledger.paused = try reader.strings()
            case "limits":
                try reader.object { (key, reader) throws(JSONError) in limits[key.string] = try reader.integer() }
            case "configured_limits":
                try reader.object { (key, reader) throws(JSONError) in configured[key.string] = try reader.integer() }
            case "day": ledger.day = try reader.integer()
            case "day_start": ledger.dayStart = Money(micros: try reader.integer())
            case "peak": ledger.peak = Money(micros: try reader.integer())
            default: try reader.skip()
            }
        }
        guard hasCash else { throw JSONError(.missing, at: reader.offset, member: "cash") }
        // An older ledger does not tell their order: then they were closed in that of their tokens.
        let told = Set(closed)
        ledger.closedQueue =
            ledger.closedQueue.filter { !told.contains($0) } + closed.filter { ledger.positions[$0]?.size == .zero }
        for (name, value) in limits { ledger.limits[name] = SetLimit(value: value, configured: configured[name]) }
        self = ledger
    }
}
