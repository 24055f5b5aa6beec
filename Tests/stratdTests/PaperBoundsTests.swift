import Shared
import Testing

@testable import stratd

/// The least, the likely and the most that paper orders are filled.
@Suite struct PaperBoundsTests {
    /// A venue with one market, its account, and a clock.
    private struct World {
        var venue: PaperVenue
        var views = stratdTests.views(market(feeRate: 70_000))
        let ledger: OrderLedger
        var events: [VenueEvent] = []

        init(_ ledger: OrderLedger = OrderLedger(cash: usd("1000"))) {
            self.ledger = ledger
            self.venue = PaperVenue(
                .init(latencyOut: .milliseconds(10), latencyIn: .milliseconds(5)), account: ledger)
        }

        mutating func hear(_ event: FeedEvent, _ milliseconds: Int64) {
            self.events += self.venue.advance(self.views, now: at(milliseconds))
            _ = self.views.apply(event)
            self.venue.handle(event, self.views, now: at(milliseconds))
        }

        @discardableResult
        mutating func submit(_ intent: OrderIntent, number: Int64 = 1, _ milliseconds: Int64 = 0) throws -> OrderID {
            var book = OrderLedger(cash: usd("10000"))
            for outcome in 0...1 {
                let order = ledgerOrder(Int64(outcome) + 1, stratdTests.intent(outcome: outcome, .buy, "0.10", "1000"))
                try book.open(order)
                try book.apply(.fill(fill(order, trade: "t\(outcome)", "0.10", "1000")))
            }
            for earlier in 3..<number + 3 {
                try book.apply(.intent(ledgerOrder(earlier, stratdTests.intent(.buy, "0.01", "5"))))
            }
            let order = try approved(intent, ledger: book, view: stratdTests.views()[condition(1)])
            self.venue.submit(order, now: at(milliseconds))
            self.events += self.venue.advance(self.views, now: at(milliseconds + 10))
            return order.id
        }

        /// "0 5 10" of all orders, the oldest first.
        var fills: [String] {
            (self.venue.bounds.ended + self.venue.bounds.open).sorted { $0.order < $1.order }
                .map { "\($0.filled.pessimistic) \($0.filled.realistic) \($0.filled.optimistic)" }
        }
        var cash: [Money] { FillAssumption.allCases.map { self.venue.bounds.accounts[$0].cash } }
    }

    @Test func whoLeftTheQueueIsWhatTheBoundsDifferIn() throws {
        var world = World()
        // 100 ahead of ours, then 100 behind; of the 200, 100 leave.
        try world.submit(intent(.buy, "0.48", "60"))
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "200")])), 50)
        world.hear(.delta(delta(update: 3, [(.bid, "0.48", "100")])), 60)
        world.hear(.trade(trade(.sell, "60", at: "0.48")), 300)
        // Ahead: all 100, half of them, none.
        #expect(world.fills == ["0 10 60"])
        #expect(world.cash == [usd("1000"), usd("995.2"), usd("971.2")])
        world.hear(.trade(trade(.sell, "60", at: "0.48")), 600)
        #expect(world.fills == ["20 60 60"])
        // Whole in the realistic venue: the pessimistic rest is over too.
        world.hear(.trade(trade(.sell, "60", at: "0.40")), 900)
        #expect(world.fills == ["20 60 60"] && world.venue.bounds.open.isEmpty)
    }

    @Test func aPrintOfATradeBeforeTheOrderCameIsInNoBound() throws {
        var world = World()
        world.hear(.book(book()), 0)
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "40")])), 5)
        try world.submit(intent(.buy, "0.48", "10"), 6)
        world.hear(.trade(trade(.sell, "60", at: "0.48")), 40)
        #expect(world.fills == ["0 0 0"])
        world.hear(.trade(trade(.sell, "45", at: "0.48")), 300)
        #expect(world.fills == ["5 5 5"])
    }

    @Test func aCancelledOrderIsDoneInEveryBound() throws {
        var world = World()
        let order = try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "97")])), 50)
        world.venue.cancel(order, now: at(51))
        // What happens to the level now is after it.
        world.hear(.delta(delta(update: 3, [(.bid, "0.48", "0")])), 70)
        world.hear(.trade(trade(.sell, "98", at: "0.48")), 110)
        #expect(world.fills == ["0 0 0"])
        world.hear(.trade(trade(.sell, "500", at: "0.47")), 120)
        world.hear(.trust(distrust()), 300)
        #expect(world.fills == ["0 0 0"] && world.venue.bounds.open.isEmpty)
    }

    @Test func aTakerGetsAQuarterHalfOrAllOfALevel() throws {
        var world = World()
        try world.submit(intent(.buy, "0.52", "60", kind: .fak, isPostOnly: false))
        #expect(world.fills == ["25 50 60"])
        let fee = market(feeRate: 70_000).takerFee(size: shares("60"), price: price("0.52"))
        #expect(world.cash[2] == usd("1000") - usd("31.2") - fee)
        // Whole or not at all: half of the level of 200 is 100.
        try world.submit(intent(.buy, "0.53", "90", kind: .fok, isPostOnly: false), number: 2, 30)
        #expect(world.fills == ["25 50 60", "0 90 90"])
    }

    @Test func whatIsSoldButNotHeldIsTheOtherOutcomeBought() throws {
        var world = World()
        try world.submit(intent(.sell, "0.48", "10", kind: .fak, isPostOnly: false))
        let account = world.venue.bounds.accounts.realistic
        #expect(account.positions.values.map(\.outcome) == [1] && account.positions.values.first?.cost == usd("5.2"))
        world.hear(.resolved(ResolvedBody(n: 1, winner: 1, venueTime: testStart)), 50)
        let fee = market(feeRate: 70_000).takerFee(size: shares("10"), price: price("0.48"))
        #expect(world.cash == Array(repeating: usd("1004.8") - fee, count: 3))
        #expect(world.venue.bounds.accounts.realistic.result { _ in .zero } == usd("4.8") - fee)
    }

    @Test func whatHappensToAnUntrustedBookIsUnknown() throws {
        var world = World()
        try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.trust(distrust()), 110)
        #expect(world.venue.bounds.unknownCount == 1)
        world.hear(.trade(trade(.sell, "500", at: "0.40")), 120)
        // A hundred of two hundred milliseconds.
        #expect(world.venue.bounds.unknownTimeMicros(now: at(210).instant) == 500_000)
        world.hear(.book(book(epoch: 2, bids: [("0.48", "30")])), 210)
        #expect(world.venue.bounds.unknownCount == 0 && world.fills == ["0 0 0"])
        #expect(world.venue.bounds.unknownTimeMicros(now: at(410).instant) == 250_000)
        #expect(world.venue.bounds.open.first?.wasUnknown == true)
        // All of the 30 are ahead, but for the optimist: what was ahead is, as far as it is displayed. Once.
        world.hear(.book(book(epoch: 3, bids: [("0.48", "500")])), 420)
        world.hear(.trade(trade(.sell, "32", at: "0.48")), 600)
        #expect(world.fills == ["2 2 2"])
    }

    @Test func aWordOfTrustIsABookOnceMore() throws {
        var world = World()
        try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.book(book(epoch: 2, isTrusted: false, bids: [("0.48", "20")])), 50)
        world.hear(.delta(delta(epoch: 2, update: 2, [(.bid, "0.48", "5")])), 60)
        world.hear(.trust(TrustBody(n: .one(1), epoch: 2, isTrusted: true, reason: nil)), 70)
        #expect(world.venue.bounds.unknownCount == 0)
        world.hear(.trade(trade(.sell, "9", at: "0.48")), 300)
        #expect(world.fills == ["4 4 4"])
    }

    @Test func lostPrintsLeaveTheirOrdersUnknown() throws {
        var world = World()
        try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.tradesDropped(TradesDropped(n: 1, count: 3, from: at(0).time, to: at(1).time)), 50)
        world.hear(.book(book(epoch: 2)), 60)
        #expect(world.venue.bounds.unknownCount == 1)
        #expect(world.venue.bounds.metrics(now: at(60).instant) { _ in .zero }["paper_unknown_orders"] == 1)
    }

    // MARK: Whatever happens

    private struct Outcome: Equatable {
        var problems: [String] = []
        var fills: [PaperBounds.OrderFills] = []
        var metrics: [[String: Int64]] = []
    }

    /// Orders of every kind against a made-up feed that breaks, as the seed draws them.
    private static func simulate(seed: UInt64, steps: Int) throws -> Outcome {
        var random = SeededRandom(seed: seed)
        var feed = SimulatedFeed(count: 4, hasTakerDelay: true)
        var views = MarketViews()
        var ledger = OrderLedger(cash: usd("500"))
        for n in 1...4 as ClosedRange<Int64> {
            for outcome in 0...1 {
                let order = ledgerOrder(ledger.nextOrderNumber, intent(on: n, outcome: outcome, .buy, "0.30", "40"))
                try ledger.open(order)
                try ledger.apply(.fill(fill(order, trade: "t", "0.30", "40")))
            }
        }
        let start = ledger
        var venue = PaperVenue(.init(latencyOut: .milliseconds(10), latencyIn: .milliseconds(5)), account: start)
        var outcome = Outcome()
        var told: [OrderID: Quantity] = [:]
        var intents: [OrderID: OrderIntent] = [:]
        var now = at(0)
        func advance() {
            for event in venue.advance(views, now: now) {
                if case .filled(let fill) = event.kind { told[event.order, default: .zero] += fill.size }
            }
        }
        for event in feed.connect(using: &random, now: now) { _ = views.apply(event) }
        for step in 0..<steps {
            for event in feed.next(using: &random, now: now, hasFaults: step < steps - 50) {
                advance()
                _ = views.apply(event)
                venue.handle(event, views, now: now)
                advance()
            }
            if let intent = Self.drawn(views, using: &random),
                let order = try? approved(intent, ledger: ledger, view: views[intent.market])
            {
                intents[order.id] = intent
                try ledger.apply(
                    .intent(ledgerOrder(order.id.number, intent)), .state(order.id, .rejected, reason: nil))
                venue.submit(order, now: now)
            }
            if Int.random(in: 0..<3, using: &random) == 0,
                let id = venue.resting.keys.sorted().randomElement(using: &random)
            {
                venue.cancel(id, now: now)
            }
            now = now.after(.milliseconds(Int64.random(in: 0...60, using: &random)))
            advance()
            outcome.problems += Self.problems(venue.bounds, venue.resting)
            if step % 25 == 0 { outcome.problems += Self.problems(venue.bounds, intents, start, views) }
            if step % 100 == 0 { outcome.metrics.append(venue.bounds.metrics(now: now.instant) { $0.cost }) }
        }
        // What is under way arrives, then all of it goes.
        now = now.after(.seconds(1))
        advance()
        for id in venue.resting.keys.sorted() { venue.cancel(id, now: now) }
        now = now.after(.seconds(1))
        advance()
        outcome.fills = venue.bounds.ended
        for fills in outcome.fills where fills.filled.realistic != told[fills.order] ?? .zero {
            outcome.problems.append("\(fills.order) was told \(told[fills.order] ?? .zero): \(fills)")
        }
        if !venue.bounds.open.isEmpty { outcome.problems.append("orders are watched that do not rest") }
        return outcome
    }

    private static func drawn(_ views: MarketViews, using random: inout SeededRandom) -> OrderIntent? {
        let n = Int64.random(in: 1...4, using: &random)
        guard let view = views[condition(n)], let middle = view.book.midpoint else { return nil }
        let outcome = Int.random(in: 0...1, using: &random)
        let ticks = middle / 10_000 + Int64.random(in: -5...5, using: &random)
        guard var p = Price(micros: ticks * 10_000) else { return nil }
        if outcome == 1 { p = p.mirrored }
        let kind: OrderKind = [.gtc, .gtc, .gtc, .fak, .fok].randomElement(using: &random)!
        return intent(
            on: n, outcome: outcome, Bool.random(using: &random) ? .buy : .sell, p.description,
            Quantity(micros: Int64.random(in: 500...4_000, using: &random) * 10_000).description, kind: kind,
            isPostOnly: kind == .gtc && Bool.random(using: &random))
    }

    /// What must hold at every moment; an order that has ended changes no more.
    private static func problems(
        _ bounds: PaperBounds, _ resting: [OrderID: RestingOrder]
    ) -> [String] {
        var problems: [String] = []
        for fills in bounds.ended.suffix(10) + bounds.open {
            let (least, likely, most) = (fills.filled.pessimistic, fills.filled.realistic, fills.filled.optimistic)
            if !(.zero <= least && least <= likely && likely <= most && most <= fills.size) {
                problems.append("\(fills)")
            }
        }
        if bounds.open.map(\.order) != resting.keys.sorted() { problems.append("others are watched than rest") }
        for assumption in FillAssumption.allCases {
            let account = bounds.accounts[assumption]
            if account.positions.values.contains(where: { $0.size <= .zero || $0.cost < .zero }) {
                problems.append("\(assumption): a position is negative")
            }
            let worth = account.positions.values.reduce(account.cash) { $0 + $1.cost }
            if worth != account.opening + account.realised - account.fees {
                problems.append(
                    "\(assumption): \(worth) is not \(account.opening) + \(account.realised) - \(account.fees)")
            }
        }
        return problems
    }

    /// Whether the accounts hold what the orders' fills alone say.
    private static func problems(
        _ bounds: PaperBounds, _ intents: [OrderID: OrderIntent], _ start: OrderLedger, _ views: MarketViews
    ) -> [String] {
        var problems: [String] = []
        let orders = bounds.ended + bounds.open
        for assumption in FillAssumption.allCases {
            let account = bounds.accounts[assumption]
            // Shares of the first outcome less those of the second, by the orders alone.
            for n in 1...4 as ClosedRange<Int64> where views[condition(n)]?.isResolved == false {
                func net(_ positions: some Sequence<Position>) -> Quantity {
                    positions.filter { $0.market == condition(n) }
                        .reduce(.zero) { $1.outcome == 0 ? $0 + $1.size : $0 - $1.size }
                }
                var expected = net(start.positions.values)
                for fills in orders {
                    guard let intent = intents[fills.order], intent.market == condition(n) else { continue }
                    let size = fills.filled[assumption]
                    expected = intent.bookSide == .bid ? expected + size : expected - size
                }
                if net(account.positions.values) != expected { problems.append("\(assumption): market \(n) differs") }
            }
        }
        return problems
    }

    @Test(arguments: Array(1...24) as [UInt64])
    func theBoundsHoldForEveryOrderAndTheAccountsBalance(seed: UInt64) throws {
        let outcome = try Self.simulate(seed: seed, steps: 500)
        #expect(outcome.problems.isEmpty, "SIMULATION_SEED=\(seed) \(outcome.problems.prefix(5))")
    }

    @Test func theBoundsAreApart() throws {
        let fills = try (1...6).flatMap { try Self.simulate(seed: $0, steps: 500).fills }
        let below = fills.count { $0.filled.pessimistic < $0.filled.realistic }
        let above = fills.count { $0.filled.realistic < $0.filled.optimistic }
        let same = fills.count { $0.filled.pessimistic > .zero && $0.filled.pessimistic == $0.filled.optimistic }
        #expect(
            below > 50 && above > 50 && same > 50 && fills.contains(where: \.wasUnknown), "\(below) \(above) \(same)")
    }

    @Test func theSameSeedGivesTheSameBounds() throws {
        #expect(try Self.simulate(seed: 7, steps: 300) == Self.simulate(seed: 7, steps: 300))
        #expect(try Self.simulate(seed: 7, steps: 300) != Self.simulate(seed: 8, steps: 300))
    }

    /// What the bounds call realistic is what the engine's ledger books, through kills too.
    @Test(arguments: Array(1...8) as [UInt64])
    func theRealisticAccountIsTheLedgers(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var feed = SimulatedFeed(count: 4)
        var parameters = makerParameters
        parameters.requoteInterval = .milliseconds(20)
        var harness = Harness(parameters: parameters, cash: usd("100"))
        for event in feed.connect(using: &random, now: harness.now) { harness.feed(event) }
        for step in 1...300 {
            for event in feed.next(using: &random, now: harness.now, hasFaults: true) { harness.feed(event) }
            harness.run(for: Int64.random(in: 0...30, using: &random))
            if step % 120 == 0 {
                try harness.restart()
                feed.isConnected = false
            }
        }
        harness.command(.halt(reason: "end"))
        harness.run(for: 2_000)
        let account = harness.venue.bounds.accounts.realistic
        #expect(account.cash == harness.ledger.cash, "SIMULATION_SEED=\(seed)")
        let held = harness.ledger.positions.mapValues(\.size).filter { $0.value > .zero }
        #expect(account.positions.mapValues(\.size) == held, "SIMULATION_SEED=\(seed)")
    }
}
