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
    /// What a position brings if it is sold to who bids now; its cost where no bid was seen yet.
    func value(of position: Position) -> Money {
        guard let bid = self.views[position.market]?.bid(position.outcome) else { return position.cost }
        return position.size.notional(at: bid)
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
            unknownOrders: Int64(self.ledger.unknownOrderCount), exposure: self.ledger.exposure(),
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
        let equity = self.ledger.equity { self.value(of: $0) }
        // A position at cost for want of a bid must not make a peak that never was.
        let isComplete = self.ledger.positions.values.allSatisfy {
            $0.size == .zero || self.views[$0.market]?.bid($0.outcome) != nil
        }
        var peak = max(self.profit.peak ?? self.ledger.peak, self.ledger.peak)
        if isComplete { peak = max(peak, equity) }
        let isDue = self.lastMarks.map { now.instant >= $0 + Self.marksInterval } ?? true
        if now.day > self.ledger.day {
            self.record(.marks(day: now.day, dayStart: equity, peak: peak), now: now)
            self.lastMarks = now.instant
        } else if peak > self.ledger.peak && isDue {
            self.record(.marks(day: self.ledger.day, dayStart: self.ledger.dayStart, peak: peak), now: now)
            self.lastMarks = now.instant
        }
        self.profit = Profit(daily: equity - self.ledger.dayStart, drawdown: peak - equity, peak: peak)
    }
}
