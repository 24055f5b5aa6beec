import Shared
import Testing

@testable import stratd

/// What the venue tells that no order of the ledger explains, or that contradicts the order it names.
@Suite struct ForeignTradeTests {
    private func engine(_ ledger: OrderLedger = OrderLedger(cash: usd("100"))) -> StrategyEngine {
        var engine = StrategyEngine(
            slots: [.init(name: "maker", maker: Maker(makerParameters))], limits: wideLimits, ledger: ledger, now: at(0)
        )
        for event in [FeedEvent.connected, .market(MarketBody(n: 1, market: market()))] {
            _ = engine.handle(event, sentTime: testStart, now: at(0))
        }
        return engine
    }

    private func fill(
        _ side: TradeSide = .buy, _ p: String = "0.40", _ size: String = "10", of traded: TokenID = token(1, 0),
        _ settlement: Settlement = .matched
    ) -> VenueFill {
        VenueFill(
            trade: "t9", token: traded, side: side, price: price(p), size: shares(size), fee: .zero,
            money: shares(size).notional(at: price(p)), liquidity: .maker, settlement: settlement)
    }

    private func notes(_ actions: [EngineAction]) -> [EngineNote] {
        actions.compactMap { if case .note(let note) = $0 { note } else { nil } }
    }

    @Test func aTradeByAnUnknownOrderIsBookedAndBelongsToNoStrategy() throws {
        var engine = self.engine()
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill()), time: testStart)
        let actions = engine.handle(told, now: at(100))
        #expect(self.notes(actions).contains(.foreignTrade(self.fill(), hash: "0xabc", market: condition(1))))
        #expect(engine.ledger.cash == usd("96") && !engine.ledger.isHalted)
        #expect(engine.ledger.held(token(1, 0), by: StrategyEngine.foreignStrategy) == shares("10"))
        #expect(engine.ledger.held(token(1, 0), by: "maker") == .zero)
        #expect(engine.ledger.exposure == usd("4"), "it counts towards the limits of the whole account")
        // The journal alone gives the same ledger.
        let lines = actions.compactMap { if case .record(let record) = $0 { record.line } else { nil } }
        let replayed = try replay(lines, from: OrderLedger(cash: usd("100")))
        #expect(replayed == engine.ledger)
        _ = engine.handle(
            VenueEvent(order: OrderID(number: 0), kind: .foreignSettled(trade: "t9", .mined), time: testStart),
            now: at(200))
        #expect(engine.ledger.pending.map(\.settlement) == [.mined])
        _ = engine.handle(
            VenueEvent(order: OrderID(number: 0), kind: .foreignSettled(trade: "t9", .failed), time: testStart),
            now: at(300))
        #expect(engine.ledger.pending.isEmpty && engine.ledger.cash == usd("100"))
        #expect(engine.ledger.markets.isEmpty && !engine.ledger.isHalted)
    }

    @Test func aTradeOfATokenThatNobodyKnowsWaitsForTheFeedAndHaltsInTheEnd() {
        var engine = self.engine()
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill(of: token(7, 0))), time: testStart)
        for _ in 0..<2 { _ = engine.handle(told, now: at(100)) }
        _ = engine.tick(isHaltFilePresent: false, now: at(1_000))
        #expect(engine.ledger.cash == usd("100") && !engine.ledger.isHalted && engine.homeless.count == 1)
        var late = engine
        // The feed tells of it: booked, once, as far as it has settled by then.
        _ = engine.handle(
            VenueEvent(order: OrderID(number: 0), kind: .foreignSettled(trade: "t9", .mined), time: testStart),
            now: at(2_000))
        _ = engine.handle(.market(MarketBody(n: 7, market: market(7))), sentTime: at(3_000).time, now: at(3_000))
        for second in 3...5 as ClosedRange<Int64> { _ = engine.tick(isHaltFilePresent: false, now: at(second * 1_000)) }
        _ = engine.handle(told, now: at(6_000))
        #expect(engine.ledger.cash == usd("96") && engine.ledger.pending.map(\.settlement) == [.mined])
        #expect(engine.homeless.isEmpty && !engine.ledger.isHalted)
        // It does not: nobody trades on.
        _ = late.tick(isHaltFilePresent: false, now: at(61_000))
        #expect(late.ledger.halts == ["foreign_trade"])
        _ = late.handle(.market(MarketBody(n: 7, market: market(7))), sentTime: at(70_000).time, now: at(70_000))
        _ = late.tick(isHaltFilePresent: false, now: at(71_000))
        #expect(late.ledger.cash == usd("96"))
    }

    @Test func whatWasSeenBeforeTheTradeWasToldMayBeTheTrade() {
        var engine = self.engine()
        _ = engine.compare(.differs(usd("-4")), now: at(50))
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill(of: token(7, 0))), time: testStart)
        _ = engine.handle(told, now: at(100))
        _ = engine.perform(.resume, now: at(200))
        _ = engine.handle(.market(MarketBody(n: 7, market: market(7))), sentTime: at(300).time, now: at(300))
        _ = engine.tick(isHaltFilePresent: false, now: at(1_000))
        #expect(engine.ledger.cash == usd("96") && !engine.ledger.isHalted)
    }

    /// A person resumes: what the trade moved is taken over once, with the balance, and trading goes on.
    @Test func aTradeThatNobodyCanPlaceIsLeftToTheBalanceByWhoResumes() {
        var engine = self.engine()
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill(of: token(7, 0))), time: testStart)
        _ = engine.handle(told, now: at(100))
        _ = engine.compare(.differs(usd("-4")), now: at(30_000))
        _ = engine.compare(.redeemed(usd("4")), now: at(30_000))
        _ = engine.compare(.differs(.zero - shares("4")), of: token(1, 0), now: at(30_000))
        #expect(!engine.ledger.isHalted && engine.unexplained == .zero, "the trade may explain it")
        #expect(engine.ledger.receivable == .zero && engine.unexplainedShares.isEmpty)
        _ = engine.handle(
            VenueEvent(order: OrderID(number: 0), kind: .tradesRead, time: at(50_000).time), now: at(52_000))
        _ = engine.tick(isHaltFilePresent: false, now: at(61_000))
        _ = engine.compare(.differs(usd("-4")), now: at(62_000))
        #expect(engine.ledger.halts == ["foreign_trade", "balance"])
        _ = engine.perform(.resume, now: at(63_000))
        _ = engine.tick(isHaltFilePresent: false, now: at(64_000))
        #expect(engine.ledger.cash == usd("96") && !engine.ledger.isHalted)
        #expect(engine.ledger.tradesReadTo == at(50_000).time, "the next start does not look for it")
        _ = engine.handle(.market(MarketBody(n: 7, market: market(7))), sentTime: at(65_000).time, now: at(65_000))
        _ = engine.tick(isHaltFilePresent: false, now: at(66_000))
        #expect(engine.ledger.cash == usd("96") && engine.ledger.positions.isEmpty)
    }

    /// Records that come after a trade do not show that it was booked: a start looks from the last good reading on.
    @Test func howFarTradesWereReadIsInTheLedger() throws {
        var engine = self.engine()
        func read(_ seconds: Int64, _ now: Int64) throws -> [LedgerRecord.Fact] {
            let event = VenueEvent(
                order: OrderID(number: 0), kind: .tradesRead, time: testStart + .seconds(seconds))
            let actions = engine.handle(event, now: at(now))
            let records = actions.compactMap { if case .record(let record) = $0 { record } else { nil } }
            for record in records {
                #expect(try record.line.dropLast().withUnsafeBufferPointer { try LedgerRecord(line: $0) } == record)
            }
            return records.map(\.fact)
        }
        #expect(try read(1, 1_000) == [.tradesRead(to: testStart + .seconds(1))])
        #expect(try read(1, 1_100) == [], "the same again")
        #expect(try read(3_600, 1_200) == [.tradesRead(to: testStart + .seconds(3_600))])
        #expect(try read(2, 2_000) == [.tradesRead(to: testStart + .seconds(2))], "the clock had been ahead")
        // One that waits for its market is booked nowhere, and must be found again.
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill(of: token(7, 0))),
            time: testStart + .seconds(5))
        _ = engine.handle(told, now: at(6_000))
        #expect(try read(9, 10_000) == [.tradesRead(to: testStart + .seconds(5))])
        #expect(engine.ledger.tradesReadTo == testStart + .seconds(5))
        #expect(try readBack(engine.ledger) == engine.ledger)
    }

    @Test func aSaleThatNobodyAloneCoversLeavesNoOrderBehind() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.40", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(stratdTests.fill(order, trade: "t1", "0.40", "10")))
        var engine = self.engine(ledger)
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill(.sell, "0.50", "11")), time: testStart)
        _ = engine.handle(told, now: at(100))
        #expect(engine.ledger.halts == ["foreign_trade"] && engine.ledger.open.isEmpty)
        #expect(engine.ledger.held(token(1, 0), by: "maker") == shares("10"))
    }

    @Test func aDifferenceInSharesIsForgottenWhenTheSharesChange() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.40", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(stratdTests.fill(order, trade: "t1", "0.40", "10")))
        var engine = self.engine(ledger)
        _ = engine.compare(.differs(shares("5")), of: token(1, 0), now: at(0))
        // The market ends, and with it the shares.
        _ = engine.handle(
            .resolved(ResolvedBody(n: 1, winner: 0, venueTime: testStart)), sentTime: testStart,
            now: at(1_000))
        _ = engine.perform(.resume, now: at(2_000))
        #expect(engine.ledger.markets.isEmpty && engine.ledger.cash == usd("106"))
    }

    @Test func aSaleIsTakenFromWhoHoldsTheShares() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.40", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(stratdTests.fill(order, trade: "t1", "0.40", "10")))
        var engine = self.engine(ledger)
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill(.sell, "0.50", "4")), time: testStart)
        _ = engine.handle(told, now: at(100))
        #expect(engine.ledger.held(token(1, 0), by: "maker") == shares("6") && !engine.ledger.isHalted)
        #expect(engine.ledger.order(OrderID(number: 2))?.isForeign == true)
        _ = engine.handle(
            VenueEvent(order: OrderID(number: 0), kind: .foreignSettled(trade: "t9", .confirmed), time: testStart),
            now: at(200))
        #expect(engine.ledger.pending.isEmpty && engine.ledger.cash == usd("98"))
    }

    @Test func aSaleOfMoreThanAnybodyHoldsHalts() {
        var engine = self.engine()
        let told = VenueEvent(
            order: OrderID(number: 0), kind: .foreign(hash: "0xabc", self.fill(.sell)), time: testStart)
        #expect(self.notes(engine.handle(told, now: at(100))).contains(.halted(reason: "foreign_trade")))
    }

    /// The ledger remembers so many finished orders; the venue may tell of a trade later than that.
    @Test func aLateFillOfAForgottenOrderIsBookedByItsHash() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let old = ledgerOrder(1, intent(.buy, "0.40", "10"))
        try ledger.open(old)
        try ledger.apply(.state(old.id, .cancelled, reason: "requested"))
        let told = VenueEvent(
            order: old.id, kind: .filledLate(hash: old.body.hash, self.fill()), time: testStart)
        // While it is remembered it is its own.
        var engine = self.engine(ledger)
        _ = engine.handle(told, now: at(100))
        #expect(engine.ledger.held(token(1, 0), by: "maker") == shares("10") && !engine.ledger.isHalted)
        for number in 2...Int64(OrderLedger.finishedOrderCountMax + 1) {
            let order = ledgerOrder(number, intent())
            try ledger.apply(.intent(order), .state(order.id, .rejected, reason: "test"))
        }
        #expect(ledger.order(old.id) == nil)
        engine = self.engine(ledger)
        for _ in 0..<2 { _ = engine.handle(told, now: at(100)) }
        #expect(engine.ledger.cash == usd("96") && !engine.ledger.isHalted)
        #expect(engine.ledger.held(token(1, 0), by: StrategyEngine.foreignStrategy) == shares("10"))
        // What becomes of the trade is told of the old order, too.
        for settlement in [Settlement.mined, .failed] {
            _ = engine.handle(
                VenueEvent(order: old.id, kind: .settled(trade: "t9", settlement), time: testStart), now: at(200))
        }
        #expect(engine.ledger.cash == usd("100") && engine.ledger.pending.isEmpty && engine.ledger.markets.isEmpty)
        #expect(!engine.ledger.isHalted)
        var writer = JSONWriter()
        EngineInput.venue(told).writeBody(to: &writer)
        let read = try writer.bytes.withUnsafeBufferPointer { bytes in
            try JSONReader.read(bytes) { (reader) throws(JSONError) in
                try EngineInput("venue", sentTime: nil, reading: &reader)
            }
        }
        guard case .venue(let heard) = read else { throw LedgerError.unknownOrder(old.id) }
        #expect(heard == told)
    }

    @Test func aFillThatContradictsItsOrderIsNotBooked() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.48", "10"))
        try ledger.open(order)
        for wrong in [self.fill(.sell, "0.48"), self.fill(.buy, "0.48", of: token(1, 1))] {
            var engine = self.engine(ledger)
            let actions = engine.handle(
                VenueEvent(order: order.id, kind: .filled(wrong), time: testStart), now: at(100))
            #expect(self.notes(actions).contains(.contradiction(.wrongOrder(order.id))))
            #expect(engine.ledger.halts == ["ledger"] && engine.ledger.cash == usd("100"))
        }
    }

    @Test func aFillBeyondTheLimitIsBookedAndHalts() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.48", "10"))
        try ledger.open(order)
        var engine = self.engine(ledger)
        _ = engine.handle(
            VenueEvent(order: order.id, kind: .filled(self.fill(.buy, "0.50")), time: testStart), now: at(0))
        #expect(engine.ledger.halts == ["price"] && engine.ledger.cash == usd("95"))
        engine = self.engine(ledger)
        _ = engine.handle(
            VenueEvent(order: order.id, kind: .filled(self.fill(.buy, "0.45")), time: testStart), now: at(0))
        #expect(!engine.ledger.isHalted && engine.ledger.cash == usd("95.5"))
    }

    @Test func resumeTakesOverTheVenuesCountOfShares() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.40", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(stratdTests.fill(order, trade: "t1", "0.40", "10")))
        let none = Quantity.zero
        for (difference, left) in [(none - shares("4"), "6"), (shares("5"), "15"), (none - shares("12"), "0")] {
            var engine = self.engine(ledger)
            _ = engine.compare(.differs(difference), of: token(1, 0), now: at(0))
            #expect(engine.ledger.halts == ["positions"])
            let (actions, outcome) = engine.perform(.resume, now: at(100))
            #expect(outcome == .done(nil) && engine.ledger.held(token(1, 0), by: "maker") == shares(left))
            #expect(engine.ledger.cash == usd("96"))
            for case .record(let record) in actions {
                let read = try record.line.dropLast().withUnsafeBufferPointer { try LedgerRecord(line: $0) }
                #expect(read == record)
            }
            // Once is enough.
            _ = engine.perform(.halt(reason: "operator"), now: at(200))
            _ = engine.perform(.resume, now: at(300))
            #expect(engine.ledger.held(token(1, 0), by: "maker") == shares(left))
        }
        var engine = self.engine(ledger)
        _ = engine.compare(.differs(none - shares("4")), of: token(1, 0), now: at(0))
        _ = engine.compare(.agrees, of: token(1, 0), now: at(60_000))
        _ = engine.perform(.resume, now: at(61_000))
        #expect(engine.ledger.held(token(1, 0), by: "maker") == shares("10"), "what agrees by now is left alone")
    }
}
