import Shared

/// The account's result, as of the last fill or second.
struct Profit: Hashable, Sendable {
    /// Realised and unrealised, since midnight UTC.
    var daily = Money.zero
    /// Below the highest worth so far.
    var drawdown = Money.zero
    /// The highest worth so far; `nil` before the first look.
    var peak: Money?
}

extension StrategyEngine {
    /// What a position brings if it is sold to who else bids now: nothing where nobody has bid for a while. Where the feed has told of
    /// no bid since the start it is what the ledger remembers, so that a restart makes neither gain nor loss; its cost where nothing
    /// is known.
    func value(of position: Position) -> Money {
        self.mark(of: position).map { $0.worth(of: position.size) } ?? position.cost
    }

    func body(of position: Position) -> PositionBody {
        position.body(
            unrealised: position.size > .zero ? self.value(of: position) - position.cost : .zero,
            pending: self.ledger.pending(position.key))
    }

    var balance: BalanceBody {
        BalanceBody(cash: self.ledger.cash, reserved: self.ledger.reserved, mode: self.mode)
    }

    var riskStatus: RiskStatus {
        var refused: [String: Int64] = [:]
        for (code, count) in self.gate.refused { refused[code.rawValue] = count }
        return RiskStatus(
            isHalted: self.ledger.isHalted, reasons: self.ledger.halts, openOrders: Int64(self.ledger.open.count),
            unknownOrders: Int64(self.ledger.unknownOrderCount), exposure: self.ledger.exposure,
            dailyProfit: self.profit.daily, refused: refused)
    }

    var strategyStatuses: [StrategyStatus] {
        self.slots.map { slot in
            let orders = self.ledger.open.values.filter { $0.body.strategy == slot.name }
            let income = self.ledger.income[slot.name] ?? Income()
            return StrategyStatus(
                strategy: slot.name, state: self.ledger.paused.contains(slot.name) ? .paused : .running,
                markets: Int64(Set(orders.map(\.body.market)).count), openOrders: Int64(orders.count),
                rewardsEstimate: income.rewards, rebatesEstimate: income.rebates)
        }
    }

    /// Everything that a new subscriber is told: orders that are not finished, positions, the balance and how things stand.
    var snapshot: [Publication] {
        self.ledger.openOrders.map { .order($0.body) }
            + self.ledger.sortedPositions.map { .position(self.body(of: $0)) }
            + [.balance(self.balance), .risk(self.riskStatus)] + self.strategyStatuses.map { .strategy($0) }
    }

    /// Values the account anew; a new day or a new peak goes to the journal.
    mutating func updateProfit(now: Moment) {
        self.watchClock(now: now)
        self.noteBids(now: now)
        let equity = self.ledger.equity { self.value(of: $0) }
        // A position without a bid of now must not make a peak that never was.
        let isComplete = self.ledger.positions.values.allSatisfy {
            $0.size == .zero || self.bid(for: $0) != nil && self.bidless[$0.token] == nil
        }
        var peak = max(self.profit.peak ?? self.ledger.peak, self.ledger.peak)
        if isComplete { peak = max(peak, equity) }
        let isDue = self.lastMarks.map { now.instant >= $0 + Self.marksInterval } ?? true
        if now.day > self.ledger.day && self.isDayCertain {
            self.mark(day: now.day, dayStart: equity, peak: peak, now: now)
        } else if isDue && (peak > self.ledger.peak || !self.changedBids.isEmpty) {
            self.mark(day: self.ledger.day, dayStart: self.ledger.dayStart, peak: peak, now: now)
        }
        self.profit = Profit(daily: equity - self.ledger.dayStart, drawdown: peak - equity, peak: peak)
    }

    /// Keeps what profits count from together with the bids of that moment: a restart values what is held by the same.
    mutating func mark(day: Int64, dayStart: Money, peak: Money, now: Moment) {
        self.record(.marks(day: day, dayStart: dayStart, peak: peak, bids: self.changedBids), now: now)
        self.lastMarks = now.instant
    }

    /// Marks of what is held that the ledger does not remember yet.
    private var changedBids: [TokenID: Mark] {
        var bids: [TokenID: Mark] = [:]
        for position in self.ledger.positions.values where position.size > .zero {
            if let mark = self.mark(of: position), mark != position.mark { bids[position.key.token] = mark }
        }
        return bids
    }
}
