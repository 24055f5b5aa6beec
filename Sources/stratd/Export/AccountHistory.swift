import Shared

/// What the ledger's journal tells of the account, gathered for an export: records in, in the journal's order; rows out.
///
/// Profits are differences of the ledger's own positions before and after a record, so that they add up to what the ledger
/// says. A checkpoint that tells of more than the records before it, because files or records are missing, is believed; the
/// difference counts on its day.
struct AccountHistory: Sendable {
    /// What is gathered. Bounds for one export; a shorter period holds less.
    enum Subject: String, CaseIterable, Sendable { case fills, positions, pnl }
    static let fillCountMax = 5_000_000
    static let holdingCountMax = 1_000_000
    static let resultCountMax = 1_000_000

    enum Problem: Error, Hashable, CustomStringConvertible {
        case noCheckpoint
        case tooMuch(Int)

        var description: String {
            switch self {
            case .noCheckpoint: "it does not begin with a checkpoint"
            case .tooMuch(let count): "there are more than \(count) rows: export a shorter time"
            }
        }
    }

    /// One strategy's part of one token.
    struct Holding: Hashable, Sendable {
        var position: Position
        /// Of the period alone, fees left out.
        var realised = Money.zero
        var fees = Money.zero
        /// Whether anything of it happened in the period.
        var isTouched = false
    }

    /// A row of results; without a market what no record tells apart.
    struct ResultKey: Hashable, Comparable, Sendable {
        let day: Int64
        let strategy: String
        let market: ConditionID?

        static func < (a: Self, b: Self) -> Bool {
            (a.day, a.strategy, a.market?.description ?? "") < (b.day, b.strategy, b.market?.description ?? "")
        }
    }
    private struct TradeKey: Hashable { let order, trade: String }
    struct Result: Hashable, Sendable {
        var realised = Money.zero
        var fees = Money.zero
        /// Estimates beside the results.
        var income = Income()
    }

    let subject: Subject
    /// Days since 1970, UTC.
    let days: ClosedRange<Int64>
    private var ledger: OrderLedger?
    private(set) var fills: [FillBody] = []
    /// Where the fills are that wait for the chain.
    private var unsettled: [TradeKey: Int] = [:]
    private(set) var holdings: [PositionKey: Holding] = [:]
    private(set) var results: [ResultKey: Result] = [:]
    /// Whether the account had traded before the first record.
    private(set) var isOpeningKnown = true
    /// Days of checkpoints that tell of more than the records before them.
    private(set) var gapDays: [Int64] = []

    init(_ subject: Subject, days: ClosedRange<Int64>) {
        self.subject = subject
        self.days = days
    }

    // MARK: Records

    /// - Throws: `LedgerError` when the record contradicts those before it, `Problem` when there is no beginning or too much.
    mutating func apply(_ record: LedgerRecord) throws {
        let day = Moment.day(of: record.time)
        guard self.ledger != nil else {
            guard case .checkpoint(let ledger) = record.fact else { throw Problem.noCheckpoint }
            return self.open(ledger, day: day)
        }
        switch record.fact {
        case .checkpoint(let whole): if self.ledger != whole { try self.reconcile(with: whole, day: day) }
        case .fill(let fill):
            let key = PositionKey(token: fill.token, strategy: fill.strategy)
            let before = self.ledger?.positions[key]
            try self.ledger?.apply(record)
            let after = self.ledger?.positions[key] ?? before.map { Self.traded($0, fill) }
            if let after { try self.book(before, after, day: day, resultDay: Moment.day(of: fill.time)) }
            try self.gather(fill)
        case .settlement(let order, let trade, let settlement):
            let key = self.ledger?.pending.first { $0.order == order && $0.trade == trade }?.position
            let before = key.flatMap { self.ledger?.positions[$0] }
            try self.ledger?.apply(record)
            if let key, let after = self.ledger?.positions[key] {
                try self.book(before, after, day: day, resultDay: day)
            }
            self.settle(TradeKey(order: order.description, trade: trade), settlement)
        case .resolution(let market, let winner):
            let held = self.ledger?.unsettled(in: market, winner: winner) ?? []
            let lasting = self.ledger?.winner(of: market, told: winner)
            try self.ledger?.apply(record)
            for before in held {
                let after = self.ledger?.positions[before.key] ?? Self.settled(before, winner: lasting)
                try self.book(before, after, day: day, resultDay: day)
            }
        case .income(let key, let income):
            try self.ledger?.apply(record)
            guard self.subject == .pnl else { break }
            try self.add(Result(income: income), to: ResultKey(day: day, strategy: key.strategy, market: key.market))
        case .shares(let key, _):
            let before = self.ledger?.positions[key]
            try self.ledger?.apply(record)
            if let after = self.ledger?.positions[key] { try self.book(before, after, day: day, resultDay: day) }
        case .intent, .state, .halt, .funds, .redeemed, .rulesChanged, .rulesForgotten, .tradesRead, .resume, .pause,
            .unpause,
            .limit, .marks:
            try self.ledger?.apply(record)
        }
    }

    private mutating func gather(_ fill: FillBody) throws(Problem) {
        guard self.subject == .fills && self.days.contains(Moment.day(of: fill.time)) else { return }
        guard self.fills.count < Self.fillCountMax else { throw .tooMuch(Self.fillCountMax) }
        if fill.settlement != .confirmed {
            self.unsettled[TradeKey(order: fill.order, trade: fill.trade)] = self.fills.count
        }
        self.fills.append(fill)
    }

    private mutating func settle(_ trade: TradeKey, _ settlement: Settlement) {
        guard let index = self.unsettled[trade] else { return }
        self.fills[index].settlement = settlement
        if settlement == .confirmed || settlement == .failed { self.unsettled[trade] = nil }
    }

    private mutating func open(_ ledger: OrderLedger, day: Int64) {
        self.isOpeningKnown = ledger.nextOrderNumber == 1 && ledger.positions.isEmpty
        // What they brought so far was before the period, unless that begins with what is known.
        let isCounted = self.days.lowerBound == .min
        for position in ledger.positions.values where day <= self.days.upperBound {
            self.holdings[position.key] = Holding(
                position: position, realised: isCounted ? position.realised : .zero,
                fees: isCounted ? position.fees : .zero, isTouched: isCounted)
        }
        self.ledger = ledger
    }

    /// What became of a position that the ledger forgot in the same step, because it was closed.
    private static func traded(_ position: Position, _ fill: FillBody) -> Position {
        var position = position
        // A trade from just before its market's end may be told after it.
        let end = position.reopen()
        switch fill.side {
        case .buy: position.buy(fill.size, paid: fill.money, fee: fill.fee)
        case .sell: position.sell(fill.size, received: fill.money, fee: fill.fee)
        }
        if let end { position.settle(winner: end.winner) }
        return position
    }

    private static func settled(_ position: Position, winner: Int64?) -> Position {
        var position = position
        position.settle(winner: winner)
        return position
    }

    /// - Parameters:
    ///   - day: when the ledger heard of it, which positions count by.
    ///   - resultDay: when it happened, which results count by.
    private mutating func book(_ before: Position?, _ after: Position, day: Int64, resultDay: Int64) throws(Problem) {
        let change = Result(
            realised: after.realised - (before?.realised ?? .zero), fees: after.fees - (before?.fees ?? .zero))
        switch self.subject {
        case .fills: break
        case .positions:
            guard day <= self.days.upperBound else { return }
            guard self.holdings[after.key] != nil || self.holdings.count < Self.holdingCountMax else {
                throw .tooMuch(Self.holdingCountMax)
            }
            var holding = self.holdings[after.key] ?? Holding(position: after)
            holding.position = after
            if day >= self.days.lowerBound {
                holding.realised += change.realised
                holding.fees += change.fees
                holding.isTouched = true
            }
            self.holdings[after.key] = holding
        case .pnl:
            guard change != Result() else { return }
            try self.add(change, to: ResultKey(day: resultDay, strategy: after.strategy, market: after.market))
        }
    }

    private mutating func add(_ change: Result, to key: ResultKey) throws(Problem) {
        guard self.days.contains(key.day) else { return }
        guard self.results[key] != nil || self.results.count < Self.resultCountMax else {
            throw .tooMuch(Self.resultCountMax)
        }
        self.results[key, default: Result()].realised += change.realised
        self.results[key, default: Result()].fees += change.fees
        self.results[key, default: Result()].income += change.income
    }

    /// Goes on from a checkpoint that does not follow from the records.
    private mutating func reconcile(with after: OrderLedger, day: Int64) throws(Problem) {
        guard let before = self.ledger else { return }
        self.ledger = after
        if self.gapDays.last != day { self.gapDays.append(day) }
        var rest = Self.result(of: after) - Self.result(of: before)
        for position in after.sortedPositions {
            let former = before.positions[position.key]
            rest -= (position.realised - position.fees) - (former.map { $0.realised - $0.fees } ?? .zero)
            try self.book(former, position, day: day, resultDay: day)
        }
        // What is gone from the ledger was closed unseen; what it brought is in the rest.
        for var former in before.sortedPositions where after.positions[former.key] == nil && former.size > .zero {
            let held = former
            former.close(at: former.cost)
            try self.book(held, former, day: day, resultDay: day)
        }
        guard self.subject == .pnl && rest != .zero else { return }
        try self.add(Result(realised: rest), to: ResultKey(day: day, strategy: "", market: nil))
    }

    /// Realised less fees, of all that ever was.
    private static func result(of ledger: OrderLedger) -> Money {
        ledger.positions.values.reduce(ledger.closedProfit) { $0 + $1.realised - $1.fees }
    }
}
