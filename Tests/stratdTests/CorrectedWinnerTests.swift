import Shared
import Testing

@testable import stratd

/// The venue may name a market's winner after it has named none, or another one: what was settled is settled again.
@Suite struct CorrectedWinnerTests {
    private static let ends: [(first: Int64?, last: Int64?)] = [(nil, 0), (nil, 1), (0, 1), (1, 0)]

    /// Holds ten of the first outcome for 4.00 and six of the second for 2.40, and waits for a sale to get to the chain.
    private func holding(isFunded: Bool) throws -> (ledger: OrderLedger, late: LedgerOrder, waiting: LedgerOrder) {
        var ledger = OrderLedger(cash: isFunded ? .zero : usd("100"))
        if isFunded { try ledger.apply(.funds(usd("100"))) }
        let first = ledgerOrder(1, intent(.buy, "0.40", "10"))
        let second = ledgerOrder(2, intent(outcome: 1, .buy, "0.40", "6"))
        let late = ledgerOrder(3, intent(.buy, "0.30", "5"))
        let waiting = ledgerOrder(4, intent(.sell, "0.50", "4"))
        for order in [first, second, late, waiting] { try ledger.open(order) }
        try ledger.apply(
            .fill(fill(first, trade: "t1", "0.40", "10", fee: "0.01")), .fill(fill(second, trade: "t2", "0.40", "6")),
            .fill(fill(waiting, trade: "t3", "0.50", "4", settlement: .matched)))
        return (ledger, late, waiting)
    }

    @Test(arguments: [false, true])
    func theLedgerEndsAsIfOnlyTheLastWinnerHadBeenTold(isFunded: Bool) throws {
        for (former, last) in Self.ends {
            let (start, late, waiting) = try self.holding(isFunded: isFunded)
            let facts: [LedgerRecord.Fact] = [
                .fill(fill(late, trade: "t4", "0.30", "5")), .settlement(waiting.id, trade: "t3", .failed),
            ]
            var right = start
            try right.apply(.resolution(condition(1), winner: last))
            for fact in facts { try right.apply(fact) }
            // What comes late may come before the correction, between, or after it.
            for split in 0...facts.count {
                var told = start
                try told.apply(.resolution(condition(1), winner: former))
                for fact in facts.prefix(split) { try told.apply(fact) }
                try told.apply(.resolution(condition(1), winner: last))
                let once = told
                try told.apply(.resolution(condition(1), winner: last))
                #expect(told == once, "told twice")
                for fact in facts.dropFirst(split) { try told.apply(fact) }
                #expect(told == right && bytes(told) == bytes(right), "\(String(describing: former)), split \(split)")
            }
            #expect(
                right.receivable == (isFunded ? right.positions.values.reduce(.zero) { $0 + $1.end!.payout } : .zero))
            let result = right.positions.values.reduce(Money.zero) { $0 + $1.realised - $1.fees - $1.cost }
            #expect(right.cash == usd("100") + result)
        }
    }

    @Test func whatHadBeenRedeemedForTheWrongWinnerIsOwed() throws {
        var (ledger, _, _) = try self.holding(isFunded: true)
        try ledger.apply(.resolution(condition(1), winner: nil))
        // Half of the six that were left of the first, and half of the six of the second.
        #expect(ledger.receivable == usd("6"))
        try ledger.apply(.redeemed(usd("6")), .resolution(condition(1), winner: 0))
        #expect(ledger.receivable == .zero, "six for the first outcome, nothing for the second")
        try ledger.apply(.resolution(condition(1), winner: 1))
        #expect(ledger.receivable == .zero, "the other way round")
    }

    @Test func aWordWithoutAWinnerTakesNoneBack() throws {
        var (ledger, late, _) = try self.holding(isFunded: false)
        try ledger.apply(.resolution(condition(1), winner: 0))
        let before = ledger
        try ledger.apply(.resolution(condition(1), winner: nil))
        #expect(ledger == before && ledger.unsettled(in: condition(1), winner: nil).isEmpty)
        try ledger.apply(.fill(fill(late, trade: "t4", "0.30", "5")))
        #expect(ledger.positions.values.allSatisfy { $0.end?.winner == 0 })
    }

    /// What is forgotten is what ended first, over a checkpoint too, and not what has a low token.
    @Test func theMarketThatEndedLastIsNotForgotten() throws {
        let count = Int64(OrderLedger.closedPositionCountMax) + 1
        var ledger = try ledgerHolding(marketCount: count)
        for n in (2...count).reversed() { try ledger.apply(.resolution(condition(n), winner: 0)) }
        try ledger.apply(.resolution(condition(1), winner: nil))
        var again = try readBack(ledger)
        #expect(again == ledger)
        let before = ledger.cash
        try again.apply(.resolution(condition(1), winner: 0))
        #expect(again.cash == before + usd("5"))
        #expect(!again.endedMarkets.contains(condition(count)) && again.endedMarkets.contains(condition(count - 1)))
    }

    private func resolved(_ winner: Int64?, n: Int64 = 1) -> FeedEvent {
        .resolved(ResolvedBody(n: n, winner: winner, venueTime: testStart))
    }

    private func settlements(_ harness: Harness) -> [String] {
        harness.notes.compactMap {
            guard case .settledAgain(_, let winner, let money) = $0 else { return nil }
            return "\(winner.map(String.init) ?? "none") \(money)"
        }
    }

    @Test func aWinnerThatIsToldLongAfterTheEndIsSettledFor() throws {
        var harness = Harness.bought()
        harness.feed(self.resolved(nil))
        #expect(harness.ledger.cash == usd("1000.1"))
        harness.run(for: 600_000)
        harness.feed(self.resolved(0))
        #expect(harness.ledger.cash == usd("1005.1") && self.settlements(harness) == ["0 5"])
        harness.run(for: 1_000)
        #expect(harness.engine.profit.daily == usd("5.1"))
        let count = harness.lines.count
        for winner in [0, nil] as [Int64?] { harness.feed(self.resolved(winner)) }
        #expect(harness.lines.count == count && self.settlements(harness).count == 1)
        // Another process on the same journal, which hears of the market anew: first what it knows, then of another winner.
        let before = harness.ledger
        try harness.restart()
        #expect(harness.ledger == before)
        harness.feed(.connected, .market(MarketBody(n: 7, market: market())), self.resolved(0, n: 7))
        #expect(harness.ledger.cash == usd("1005.1") && self.settlements(harness).count == 1)
        harness.run(for: 5_000)
        harness.feed(self.resolved(1, n: 7))
        #expect(harness.ledger.cash == usd("995.1") && self.settlements(harness).last == "1 -10")
        #expect(harness.ledger.positions.values.first?.realised == usd("-4.9"))
        try harness.restart()
        #expect(harness.ledger.cash == usd("995.1"))
        #expect(try bytes(replay(harness.lines, from: harness.start)) == bytes(harness.ledger))
    }

    /// A feed that was begun anew may tell the end without the winner that it had told before.
    @Test func aFeedThatKnowsLessChangesNothing() {
        var harness = Harness.bought()
        harness.feed(self.resolved(0))
        harness.feed(.disconnected, .connected, .market(MarketBody(n: 2, market: market())), self.resolved(nil, n: 2))
        harness.run(for: 2_000)
        #expect(harness.ledger.cash == usd("1005.1") && self.settlements(harness).isEmpty)
        #expect(harness.engine.views[condition(1)]?.resolution == .some(0))
    }

    @Test func aMarketThatTheFeedHasDroppedIsForgotten() {
        var harness = Harness.bought()
        harness.feed(self.resolved(0))
        harness.run(for: 2_000)
        #expect(harness.engine.views[condition(1)] != nil, "another winner may be told")
        harness.feed(.trust(distrust(.one(1), .removed)))
        harness.run(for: 2_000)
        #expect(harness.engine.views[condition(1)] == nil)
    }

    /// The paper venue reckons its own results.
    @Test func thePaperAccountFollows() {
        var harness = Harness.bought()
        func result() -> Money { harness.venue.bounds.accounts.realistic.result { _ in .zero } }
        for (winner, money) in [(nil, "0.1"), (1, "-4.9"), (0, "5.1"), (nil, "5.1")] as [(Int64?, String)] {
            harness.feed(self.resolved(winner))
            harness.run(for: 100)
            #expect(result() == usd(money) && harness.ledger.cash == usd("1000") + usd(money))
        }
    }

    @Test func anExportAddsUpToTheLastWinner() throws {
        var (ledger, _, _) = try self.holding(isFunded: false)
        func result() -> Money { ledger.positions.values.reduce(.zero) { $0 + $1.realised - $1.fees } }
        let before = result()
        var history = AccountHistory(.pnl, days: .min ... .max)
        try history.apply(LedgerRecord(.checkpoint(ledger), at: testStart))
        for winner in [nil, 0, 1] as [Int64?] {
            let record = LedgerRecord(.resolution(condition(1), winner: winner), at: testStart)
            try ledger.apply(record)
            try history.apply(record)
        }
        let results = history.results.values.reduce(Money.zero) { $0 + $1.realised - $1.fees }
        #expect(results == result() - before)
        #expect(ledger.cash == usd("101.59"), "100 - 4.01 - 2.4 + 2, and six shares of the second outcome")
    }
}
