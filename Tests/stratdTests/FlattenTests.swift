import Shared
import Testing

@testable import stratd

/// An operator wants out: what only delays a sale is waited for, and what nobody buys is offered again, but not without end.
@Suite struct FlattenTests {
    /// Ten shares of the first outcome, and an order to leave the market.
    private func leaving(
        _ limits: RiskLimits = wideLimits, held size: String = "10", before: (inout Harness) -> Void = { _ in }
    ) -> Harness {
        var harness = Harness(limits: limits)
        harness.open()
        harness.run(for: 50)
        harness.feed(.trade(trade(.sell, size, at: "0.49")))
        harness.run(for: 50)
        #expect(harness.ledger.held(token(1, 0), by: "maker") == shares(size))
        before(&harness)
        harness.command(.flatten)
        return harness
    }

    private func run(_ harness: inout Harness, seconds: Int) {
        for _ in 0..<seconds {
            harness.feed(.alive)
            harness.run(for: 1_000)
        }
    }

    private func sales(_ harness: Harness) -> Int { harness.submitted.count { $0.intent.kind == .fak } }
    private func ends(_ harness: Harness) -> [EngineNote] {
        harness.notes.filter { if case .flattened = $0 { true } else { false } }
    }

    @Test func nothingIsSoldByWhoIsStopping() {
        var harness = self.leaving { $0.perform($0.engine.stop(now: $0.now)) }
        #expect(harness.command(.flatten) == .failed("stratd is stopping, and nothing may leave any more"))
        self.run(&harness, seconds: 3)
        #expect(self.sales(harness) == 0)
    }

    @Test func aClosedVenueIsWaitedFor() {
        let closed = Refusal(.venueClosed, "the venue's engine restarts (425)")
        var harness = self.leaving { $0.take(.venueClosed(closed)) }
        self.run(&harness, seconds: 90)
        #expect(self.ends(harness).isEmpty && self.sales(harness) == 0)
        harness.take(.venueClosed(nil))
        self.run(&harness, seconds: 3)
        #expect(self.ends(harness) == [.flattened(market: condition(1), isWhole: true)])
        #expect(harness.ledger.markets.isEmpty)
    }

    /// Each try meets the restart, which may take longer than all tries.
    @Test func aVenueThatRestartsIsNotTakenForOneWithoutBuyers() throws {
        let world = LiveWorld(marketCount: 1)
        let resting = world.run(50...500) { .taken(id: $0.hash, .live) }
        let bid = try #require(resting.first)
        let part = VenueTrade.Part(
            order: bid.hash, token: bid.intent.token, side: .buy, price: bid.intent.price, size: bid.intent.size,
            money: bid.intent.size.notional(at: bid.intent.price), liquidity: .maker, isOwn: true)
        let bought = VenueTrade(id: "t1", settlement: .confirmed, time: at(500).time, parts: [part])
        world.answer(.trades(.success([bought]), asOf: at(500).time), 500)
        try #require(!world.engine.ledger.positions.isEmpty)
        world.take(.command(.flatten), 550)
        let tries = world.run(600...300_000) { (_: [ApprovedOrder]) in .failure(.restarting) }
        #expect(tries.count > StrategyEngine.flattenAttemptCountMax, "\(tries.count)")
        #expect(!world.notes.contains { if case .flattened = $0 { true } else { false } })
        #expect(world.engine.flattening[condition(1)] != nil && !world.engine.ledger.isHalted)
    }

    @Test func aBookThatIsNotTrustedIsWaitedFor() {
        var harness = self.leaving { $0.feed(.trust(distrust())) }
        self.run(&harness, seconds: 90)
        #expect(self.ends(harness).isEmpty && self.sales(harness) == 0)
        harness.feed(.book(book(epoch: 3)))
        self.run(&harness, seconds: 3)
        #expect(self.ends(harness) == [.flattened(market: condition(1), isWhole: true)])
    }

    @Test func whatNobodyBuysIsOfferedOnceASecond() {
        var limits = wideLimits
        limits.priceBand = 20_000
        var harness = self.leaving(limits) {
            $0.feed(.book(book(update: 2, bids: [("0.40", "100")], asks: [("0.52", "100")])))
            $0.run(for: 50)
        }
        self.run(&harness, seconds: 10)
        #expect((8...11).contains(self.sales(harness)) && self.ends(harness).isEmpty, "\(self.sales(harness))")
        self.run(&harness, seconds: 60)
        #expect(self.sales(harness) == StrategyEngine.flattenAttemptCountMax)
        #expect(self.ends(harness) == [.flattened(market: condition(1), isWhole: false)])
    }

    /// Fills may leave shares of six decimals, and sales have two.
    @Test(arguments: [("7.123456", "0.003456"), ("5.009", "0.009")])
    func whatIsOffTheGridOfSalesIsSoldAsFarAsItGoes(held: String, left: String) {
        var harness = self.leaving(held: held)
        self.run(&harness, seconds: 30)
        #expect(harness.ledger.held(token(1, 0), by: "maker") == shares(left))
    }

    @Test func aPurchaseThatIsFilledBeforeItsCancelIsSoldToo() {
        var harness = Harness(limits: wideLimits)
        harness.open()
        harness.run(for: 50)
        #expect(!harness.ledger.openOrders.isEmpty && harness.ledger.positions.isEmpty)
        harness.command(.flatten)
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        self.run(&harness, seconds: 5)
        #expect(self.sales(harness) == 1, "the cancel had been under way")
        #expect(
            harness.ledger.markets.isEmpty && self.ends(harness) == [.flattened(market: condition(1), isWhole: true)])
    }

    /// Fewer than the market takes can never be sold.
    @Test func tooFewSharesAreGivenUp() {
        var harness = self.leaving(held: "3")
        self.run(&harness, seconds: 65)
        #expect(self.sales(harness) == 0)
        #expect(self.ends(harness) == [.flattened(market: condition(1), isWhole: false)])
    }
}
