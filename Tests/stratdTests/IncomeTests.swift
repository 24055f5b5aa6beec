import Shared
import Testing

@testable import stratd

/// What the venue may pay beside trading: estimates, apart from every balance.
@Suite struct IncomeTests {
    private let terms = RewardTerms(sizeMin: shares("20"), spreadMax: 30_000, daily: usd("144"))

    @Test func anOrderScoresByTheSquareOfItsCloseness() {
        var score = RewardScore()
        // Two of three cents away: a ninth. At the edge, beyond it and too small: nothing.
        score.count(.bid, price("0.48"), shares("90"), midpoint: 500_000, self.terms)
        score.count(.bid, price("0.47"), shares("90"), midpoint: 500_000, self.terms)
        score.count(.bid, price("0.40"), shares("90"), midpoint: 500_000, self.terms)
        score.count(.bid, price("0.49"), shares("19.99"), midpoint: 500_000, self.terms)
        #expect(score.bids == 10_000_000 && score.asks == 0)
        score.count(.ask, price("0.51"), shares("45"), midpoint: 500_000, self.terms)
        #expect(score.asks == 20_000_000)
        #expect(score.total(midpoint: 500_000) == 10_000_000)
    }

    @Test func oneSideAloneCountsAThirdAndNothingNearTheEnds() {
        var score = RewardScore()
        score.count(.bid, price("0.49"), shares("90"), midpoint: 490_000, self.terms)
        #expect(score.total(midpoint: 490_000) == 30_000_000)
        #expect(score.total(midpoint: 100_000) == 30_000_000 && score.total(midpoint: 900_000) == 30_000_000)
        #expect(score.total(midpoint: 99_999) == 0 && score.total(midpoint: 900_001) == 0)
    }

    @Test func theMidpointLiesBetweenThePricesWhereTheDepthIsEnough() {
        var views = MarketViews()
        _ = views.apply(.market(MarketBody(n: 1, market: market())))
        _ = views.apply(
            .book(
                book(bids: [("0.49", "5"), ("0.46", "15")], asks: [("0.51", "19"), ("0.54", "0.5"), ("0.55", "100")])))
        let full = views[condition(1)]!.book
        #expect(RewardScore.midpoint(of: full, self.terms) == 505_000)
        _ = views.apply(.book(book(epoch: 2, bids: [("0.49", "5")], asks: [("0.51", "100")])))
        #expect(RewardScore.midpoint(of: views[condition(1)]!.book, self.terms) == nil)
    }

    private func quoting(rewards: RewardTerms?, rebate: Int64, from start: Int64 = 0) -> Harness {
        var terms = market(feeRate: 70_000)
        terms.rewards = rewards
        terms.rebateRate = rebate
        terms.endTime = at(start).time + .seconds(3_600)
        var parameters = makerParameters
        parameters.orderSize = shares("30")
        var harness = Harness(parameters: parameters)
        harness.now = at(start)
        harness.open(terms, book(bids: [("0.48", "100")], asks: [("0.52", "100")], at: start))
        return harness
    }

    /// Keeps the feed's time going.
    private func run(_ harness: inout Harness, seconds: Int) {
        for _ in 0..<seconds {
            harness.feed(.alive)
            harness.run(for: 1_000)
        }
    }

    @Test func eachMinuteBringsAPartOfADaysRewards() throws {
        var harness = self.quoting(
            rewards: RewardTerms(sizeMin: shares("20"), spreadMax: 30_000, daily: usd("144")), rebate: 0)
        self.run(&harness, seconds: 610)
        let orders = harness.open
        try #require(orders.count == 2, "\(harness.decisions.suffix(2))")
        // By hand: each side has a level of 100 two cents away, which scores a ninth, and 30 of ours.
        let closeness = orders.map { abs(Int64($0.bookPrice.micros) - 500_000) }.map { (30_000 - $0) * (30_000 - $0) }
        let own = closeness.map { 30_000_000 * $0 / 900_000_000 }.min()!
        let all = own + 100_000_000 / 9
        let sample = 144_000_000 / 1_440 * own / all
        let income = try #require(harness.ledger.income["maker"])
        #expect(abs(income.rewards.micros - 10 * sample) <= 10, "\(income) \(sample)")
        #expect(income.rebates == .zero && harness.ledger.cash == usd("1000"), "an estimate moves no money")
        #expect(harness.engine.strategyStatuses.first?.rewardsEstimate == income.rewards)
        // It is in the journal.
        #expect(try replay(harness.lines, from: harness.start).income == harness.ledger.income)
    }

    /// Income that was recorded, by the time of its record.
    private func records(_ harness: Harness) -> [LedgerRecord] {
        harness.log.compactMap {
            guard case .record(let record) = $0, case .income = record.fact else { return nil }
            return record
        }
    }

    /// Somebody sells to a quote, which brings a rebate.
    private func selling(from start: Int64 = 0) throws -> Harness {
        var harness = self.quoting(rewards: nil, rebate: 200_000, from: start)
        self.run(&harness, seconds: 1)
        let quote = try #require(
            harness.open.first { $0.body.side == .buy && $0.outcome == 0 }, "\(harness.decisions)")
        harness.feed(.trade(trade(.sell, "1000", at: quote.body.price.description, start + 1_000)))
        return harness
    }

    @Test func aStopRecordsWhatCameTogether() throws {
        var harness = try self.selling()
        self.run(&harness, seconds: 2)
        try #require(!harness.fills.isEmpty && self.records(harness).isEmpty)
        harness.take(.stop)
        #expect(self.records(harness).count == 1 && harness.ledger.income["maker"]?.rebates ?? .zero > .zero)
        #expect(try replay(harness.lines, from: harness.start).income == harness.ledger.income)
    }

    @Test func whatCameBeforeMidnightCountsOnThatDay() throws {
        // The test begins at midnight, UTC.
        let start: Int64 = 86_400_000 - 300_000
        var harness = try self.selling(from: start)
        self.run(&harness, seconds: 330)
        let fill = try #require(harness.fills.first)
        let days = Set(self.records(harness).map { Moment.day(of: $0.time) })
        #expect(days == [Moment.day(of: fill.time)] && harness.now.day == Moment.day(of: fill.time) + 1)
        #expect(try replay(harness.lines, from: harness.start).income == harness.ledger.income)
    }

    @Test func aMakersFillBringsAPartOfTheTakersFee() throws {
        var harness = try self.selling()
        self.run(&harness, seconds: 601)
        let fill = try #require(harness.fills.first)
        let fee = market(feeRate: 70_000).takerFee(size: fill.size, price: fill.price)
        #expect(harness.ledger.income["maker"]?.rebates == Money(micros: fee.micros / 5))
        #expect(harness.ledger.income["maker"]?.rewards == .zero)
    }
}
