import Shared

/// What the venue may pay beside trading: estimates, in no balance and no profit.
struct Income: Hashable, Sendable {
    /// Liquidity rewards.
    var rewards = Money.zero
    /// Maker rebates.
    var rebates = Money.zero

    static func += (a: inout Income, b: Income) {
        a.rewards += b.rewards
        a.rebates += b.rebates
    }
}

/// Whose income, from which market.
struct IncomeKey: Hashable, Comparable, Sendable {
    let strategy: String
    let market: ConditionID
    static func < (a: Self, b: Self) -> Bool { (a.strategy, a.market) < (b.strategy, b.market) }
}

extension StrategyEngine {
    /// An order scores when it has rested so long. Source: reference, 2.10.
    static let scoringAgeMin = Duration.milliseconds(3_500)
    /// Minutes between two records of what came together.
    static let incomeRecordMinutes: Int64 = 10
    /// Samples of a day, one a minute.
    private static let sampleCount: Int64 = 1_440

    /// A maker's share of the fees that takers paid: all makers together get `rebateRate` of them.
    mutating func noteRebate(of fill: FillBody) {
        guard fill.liquidity == .maker, let market = self.views[fill.market]?.market, market.rebateRate > 0 else {
            return
        }
        let fee = market.takerFee(size: fill.size, price: fill.price)
        let rebate = Money(micros: Int64(Int128(fee.micros) * Int128(market.rebateRate) / 1_000_000))
        self.unrecordedIncome[IncomeKey(strategy: fill.strategy, market: fill.market), default: Income()].rebates +=
            rebate
    }

    /// Once a minute: what the orders that rest now score beside all others, and the records of what came together.
    mutating func sampleIncome(now: Moment) {
        let minute = now.time.microseconds / 60_000_000
        let isNew = minute != self.incomeMinute
        if isNew {
            self.incomeMinute = minute
            for market in Set(self.ledger.open.values.map(\.body.market)).sorted() {
                self.sampleRewards(market, now: now)
            }
        }
        // A record counts on the day of its own time: in a day's last minute nothing is left over for the next.
        let isLast = (minute + 1) % Self.sampleCount == 0
        guard isLast || isNew && minute % Self.incomeRecordMinutes == 0 else { return }
        self.recordIncome(now: now)
    }

    /// Records what came together since the last record.
    mutating func recordIncome(now: Moment) {
        for (key, income) in self.unrecordedIncome.sorted(by: { $0.key < $1.key }) where income != Income() {
            self.record(.income(key, income), now: now)
        }
        self.unrecordedIncome = [:]
    }

    private mutating func sampleRewards(_ condition: ConditionID, now: Moment) {
        guard let view = self.views[condition], view.isTrusted, let terms = view.market.rewards, terms.daily > .zero,
            let midpoint = RewardScore.midpoint(of: view.book, terms)
        else { return }
        let orders = self.ledger.openOrders(in: condition).filter {
            [.live, .partlyFilled].contains($0.body.state) && now.time - $0.body.time >= Self.scoringAgeMin
        }
        var own: [String: RewardScore] = [:]
        for order in orders {
            own[order.body.strategy, default: RewardScore()]
                .count(order.bookSide, order.bookPrice, order.remaining, midpoint: midpoint, terms)
        }
        let all = self.scoreOfAll(view, midpoint: midpoint, terms)
        for (strategy, score) in own.sorted(by: { $0.key < $1.key }) {
            let part = score.total(midpoint: midpoint)
            guard part > 0 else { continue }
            let reward = Int128(terms.daily.micros) * part / (max(all, part) * Int128(Self.sampleCount))
            self.unrecordedIncome[IncomeKey(strategy: strategy, market: condition), default: Income()].rewards +=
                Money(micros: Int64(reward))
        }
    }

    /// What everybody's orders score, taken for one maker's, each level for one order. A live book holds ours too; on paper they come
    /// on top.
    private func scoreOfAll(_ view: MarketView, midpoint: Int64, _ terms: RewardTerms) -> Int128 {
        var all = RewardScore()
        for side in [BookSide.bid, .ask] {
            for level in view.book.levels(side) { all.count(side, level.price, level.size, midpoint: midpoint, terms) }
        }
        if self.mode == .paper {
            for order in self.ledger.openOrders(in: view.market.condition) {
                all.count(order.bookSide, order.bookPrice, order.remaining, midpoint: midpoint, terms)
            }
        }
        return all.total(midpoint: midpoint)
    }
}
