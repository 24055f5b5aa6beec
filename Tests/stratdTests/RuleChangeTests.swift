import Shared
import Testing

@testable import stratd

/// What a strategy does when the venue describes a market anew.
@Suite struct RuleChangeTests {
    /// As the listing tells it: the order book service alone knows no name.
    private static let known: Market = {
        var known = market()
        known.startTime = testStart
        known.resolutionSource = "https://data.chain.link/streams/btc-usd"
        known.settlement = .chainlinkTWAP60
        return known
    }()

    private func quoting() -> Harness {
        var harness = Harness()
        harness.open(Self.known)
        harness.run(for: 200)
        return harness
    }

    private func tell(_ change: (inout Market) -> Void, _ harness: inout Harness) {
        var changed = Self.known
        change(&changed)
        harness.feed(.market(MarketBody(n: 1, market: changed)))
    }

    private static let endings: [(String, @Sendable (inout Market) -> Void)] = [
        ("settlement", { $0.settlement = .binance1h }),
        ("resolution_source", { $0.resolutionSource = "https://www.binance.com/en/trade/BTC_USDT" }),
        ("resolution_source", { $0.resolutionSource = "" }),
        ("start_time", { $0.startTime = testStart + .seconds(300) }),
        ("end_time", { $0.endTime = $0.endTime + .seconds(300) }),
        ("neg_risk", { $0.isNegRisk = true }),
    ]

    @Test(arguments: endings.indices)
    func whereAShareIsWorthSomethingElseStrategiesStopAndSayWhy(index: Int) throws {
        let (name, change) = Self.endings[index]
        var harness = self.quoting()
        #expect(harness.orders.count == 2)
        self.tell(change, &harness)
        #expect(harness.open.allSatisfy { $0.body.state == .cancelling }, "at once")
        harness.run(for: 60)
        #expect(harness.orders.isEmpty)
        // New books bring nothing back.
        harness.feed(.book(book(update: 2, bids: [("0.40", "10")], asks: [("0.45", "10")], at: 300)))
        harness.run(for: 5_000)
        #expect(harness.orders.isEmpty && harness.submitted.count == 2)
        guard case .done(let answer?) = harness.command(.explain(condition(1))) else {
            Issue.record("nothing is explained")
            return
        }
        let closed = answer["strategies"]?.array?.first?["closed"]
        #expect(closed?["code"]?.string == "rules_changed")
        #expect(closed?["detail"]?.string?.hasPrefix(name + " ") == true, "\(closed?["detail"]?.string ?? "")")
        #expect(harness.decisions.last?.action == .refuse)
        #expect(harness.notes.contains { if case .rulesChanged(condition(1), _) = $0 { true } else { false } })
    }

    @Test func otherTokensAreAnotherMarket() {
        var harness = self.quoting()
        let swapped = Market(
            condition: condition(1), slug: "market-1", question: "", first: market().second, second: market().first,
            tick: .cent, sizeMin: shares("5"), isNegRisk: false, event: "event", startTime: testStart,
            endTime: Self.known.endTime, feeRate: 0, feeExponent: 1, hasTakerDelay: false, rewards: nil,
            settlement: .chainlinkTWAP60, asset: nil)
        harness.feed(.market(MarketBody(n: 1, market: swapped)))
        harness.run(for: 60)
        #expect(harness.orders.isEmpty && harness.ledger.changedRules[condition(1)]?.hasPrefix("outcomes ") == true)
    }

    @Test func aPersonResumesAndTheNewRulesAreTheRules() {
        var harness = self.quoting()
        self.tell({ $0.settlement = .binance1h }, &harness)
        harness.run(for: 60)
        // Going back is a change as well: nobody knows which of both holds.
        self.tell({ _ in }, &harness)
        harness.run(for: 200)
        #expect(harness.orders.isEmpty)
        #expect(harness.command(.resume) == .done(nil))
        harness.run(for: 200)
        #expect(harness.orders.count == 2 && harness.ledger.changedRules.isEmpty)
    }

    @Test func aRestartForgetsNoChangedRule() throws {
        var harness = self.quoting()
        self.tell({ $0.settlement = .binance1h }, &harness)
        try harness.restart()
        var changed = Self.known
        changed.settlement = .binance1h
        harness.open(changed)
        harness.run(for: 200)
        #expect(harness.orders.isEmpty && harness.decisions.last?.reasons.first?.code == "rules_changed")
    }

    @Test func otherMarketsGoOn() {
        var harness = self.quoting()
        harness.feed(.market(MarketBody(n: 2, market: market(2))), .book(book(2)))
        harness.run(for: 200)
        #expect(harness.orders.count == 4)
        self.tell({ $0.settlement = .binance1h }, &harness)
        harness.run(for: 200)
        #expect(harness.open.allSatisfy { $0.body.market == condition(2) } && harness.open.count == 2)
    }

    @Test func whatWasNotKnownIsLearnedAndWhatIsForPeopleIsRead() {
        var harness = Harness()
        // Named by somebody before the scanner tells of it: no name, no dates.
        var bare = market()
        (bare.slug, bare.event, bare.endTime) = ("", "", Timestamp(microseconds: 0))
        harness.open(bare)
        var described = Self.known
        (described.startTime, described.resolutionSource) = (nil, "")
        harness.feed(.market(MarketBody(n: 1, market: described)))
        self.tell({ _ in }, &harness)
        self.tell({ $0.question = "Up or down, really?" }, &harness)
        // The scanner is away for a while.
        harness.feed(.market(MarketBody(n: 1, market: bare)))
        self.tell({ $0.rewards = RewardTerms(sizeMin: shares("5"), spreadMax: 1, daily: .zero) }, &harness)
        harness.run(for: 200)
        #expect(harness.ledger.changedRules.isEmpty && harness.orders.count == 2)
        harness.feed(.market(MarketBody(n: 1, market: bare)))
        self.tell({ $0.settlement = .binance1h }, &harness)
        #expect(harness.ledger.changedRules.count == 1, "it was told before it was away")
    }

    @Test func aCoarserTickCancelsTheOrdersOffItAndTheNextObeyIt() throws {
        var harness = Harness()
        var fine = Self.known
        fine.tick = try #require(TickSize(micros: 1_000))
        harness.feed(
            .connected, .market(MarketBody(n: 1, market: fine)),
            .book(
                BookBody(
                    n: 1, market: condition(1), epoch: 1, update: 1, isTrusted: true, isSettled: true,
                    source: .webSocket, tick: fine.tick, bids: levels([("0.483", "100")]),
                    asks: levels([("0.527", "100")]), hash: nil, conflated: nil, venueTime: testStart,
                    receivedTime: testStart)))
        harness.run(for: 200)
        #expect(harness.open.contains { !TickSize.cent.allows($0.body.price) })
        harness.feed(.market(MarketBody(n: 1, market: Self.known)), .book(book(epoch: 2)))
        harness.run(for: 400)
        #expect(harness.open.count == 2 && harness.open.allSatisfy { TickSize.cent.allows($0.body.price) })
        #expect(harness.ledger.changedRules.isEmpty)
    }

    @Test func aLargerSmallestOrderIsTakenOver() {
        var harness = self.quoting()
        self.tell({ $0.sizeMin = shares("15") }, &harness)
        harness.run(for: 400)
        #expect(harness.orders == ["buy 0 15 at 0.49 live", "buy 1 15 at 0.49 live"])
        #expect(harness.ledger.changedRules.isEmpty)
    }

    @Test func anotherFeeAndDelayAreTakenOver() {
        var harness = self.quoting()
        self.tell({ ($0.feeRate, $0.hasTakerDelay) = (70_000, true) }, &harness)
        harness.run(for: 400)
        #expect(harness.engine.views[condition(1)]?.market.feeRate == 70_000)
        #expect(harness.orders.count == 2 && harness.submitted.count == 2, "the orders fit")
    }

    @Test func moreChangesThanAnybodyReadsHaltTrading() {
        var harness = Harness()
        harness.feed(.connected)
        for n in 1...Int64(StrategyEngine.changedMarketCountMax + 1) {
            var other = market(n)
            harness.feed(.market(MarketBody(n: n, market: other)))
            other.settlement = .binance1h
            harness.feed(.market(MarketBody(n: n, market: other)))
        }
        #expect(harness.ledger.changedRules.count == StrategyEngine.changedMarketCountMax)
        #expect(harness.ledger.halts == ["rules_changed"])
    }

    @Test func anOperatorMayStillSellWhatIsHeld() throws {
        var ledger = OrderLedger(cash: usd("100"))
        try ledger.apply(.rulesChanged(condition(1), "settlement other -> binance_1h"))
        var gate = RiskGate(limits: wideLimits, now: at(0).instant)
        let context = context(ledger: ledger)
        #expect(gate.closedReason(strategy: "maker", context, now: at(0))?.code == .rulesChanged)
        guard case .failure(let refusal) = gate.check(intent(), context, now: at(0)) else {
            Issue.record("an order left")
            return
        }
        #expect(refusal.code == .rulesChanged)
        guard case .success = gate.check(intent(origin: .operators), context, now: at(0)) else {
            Issue.record("an operator was kept from it")
            return
        }
    }
}
