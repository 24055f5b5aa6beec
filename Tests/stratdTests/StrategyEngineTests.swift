import Shared
import Testing

@testable import stratd

@Suite struct StrategyEngineTests {
    private func opened(_ limits: RiskLimits = wideLimits) -> Harness {
        var harness = Harness(limits: limits)
        harness.open()
        return harness
    }
    /// Quotes on both sides, resting.
    private func quoting(_ limits: RiskLimits = wideLimits) -> Harness {
        var harness = self.opened(limits)
        harness.run(for: 50)
        return harness
    }

    @Test func aTrustedBookIsQuotedOnBothSides() throws {
        var harness = self.opened()
        #expect(harness.orders == ["buy 0 10 at 0.49 sent", "buy 1 10 at 0.49 sent"])
        #expect(harness.decisions.map(\.action) == [.quote])
        harness.run(for: 50)
        #expect(harness.orders == ["buy 0 10 at 0.49 live", "buy 1 10 at 0.49 live"])
        #expect(try bytes(replay(harness.lines, from: harness.start)) == bytes(harness.ledger))
    }

    @Test func theIntentIsInTheJournalBeforeTheOrderLeaves() {
        let harness = self.opened()
        let actions = harness.log
        for case .submit(let order) in actions {
            let place = actions.firstIndex(of: .submit(order))!
            let intent = actions.firstIndex {
                guard case .record(let record) = $0, case .intent(let intent) = record.fact else { return false }
                return intent.id == order.id && intent.body.hash == order.hash
            }
            #expect(intent.map { $0 < place } == true)
        }
        #expect(harness.submitted.count == 2)
    }

    @Test func aFillIsBookedPublishedAndQuotedAround() {
        var harness = self.quoting()
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        harness.run(for: 200)
        #expect(harness.fills.map(\.price) == [price("0.49")])
        #expect(harness.ledger.cash == usd("995.1"))
        #expect(harness.ledger.held(token(1, 0), by: "maker") == shares("10"))
        // The held shares are offered, in place of buying the other outcome.
        #expect(harness.orders == ["buy 0 10 at 0.49 live", "sell 0 10 at 0.51 live"])
    }

    @Test func anUnsettledBookIsLeftAlone() {
        var harness = self.quoting()
        harness.run(for: 200)
        let count = harness.log.count
        harness.feed(
            .delta(delta(update: 2, isSettled: false, [(.bid, "0.48", "0"), (.bid, "0.47", "0"), (.bid, "0.40", "1")])))
        #expect(harness.log.count == count)
        harness.feed(.delta(delta(update: 3, [(.bid, "0.45", "1")])))
        #expect(harness.orders.contains("buy 0 10 at 0.49 cancelling"))
    }

    @Test func looksAtAMarketAreSpacedByTheInterval() {
        var harness = self.opened()
        for update in 2...20 {
            harness.run(for: 10)
            harness.feed(.delta(delta(update: Int64(update), [(.bid, "0.45", "\(update)")])))
        }
        #expect(harness.engine.lookCount == 2, "190 ms hold two intervals of 100 ms")
        harness.run(for: 10)
        #expect(harness.engine.lookCount == 3)
    }

    @Test func cancelsComeFirstAndPlacesWaitForThem() {
        var harness = self.quoting()
        harness.run(for: 200)
        harness.feed(
            .delta(
                delta(
                    update: 2, [(.bid, "0.48", "0"), (.bid, "0.47", "0"), (.bid, "0.40", "50"), (.ask, "0.46", "50")])))
        #expect(harness.orders == ["buy 0 10 at 0.49 cancelling", "buy 1 10 at 0.49 cancelling"])
        harness.run(for: 200)
        #expect(harness.orders == ["buy 0 10 at 0.42 live", "buy 1 10 at 0.56 live"])
    }

    @Test func anUntrustedBookEndsItsOrdersAtOnce() {
        var harness = self.quoting()
        harness.feed(.trust(distrust()))
        #expect(harness.orders.allSatisfy { $0.hasSuffix("cancelling") })
        #expect(harness.decisions.last?.reasons.first?.code == "market_untrusted")
        harness.run(for: 500)
        #expect(harness.orders.isEmpty)
        harness.feed(.book(book(epoch: 2)))
        harness.run(for: 200)
        #expect(harness.orders.count == 2)
    }

    @Test func aLostFeedEndsEveryOrder() {
        var harness = self.quoting()
        harness.feed(.disconnected)
        harness.run(for: 500)
        #expect(harness.orders.isEmpty)
        #expect(harness.decisions.last?.reasons.first?.code == "feed_down")
    }

    @Test func ordersOnTheirWayAreEndedWhenTheyArrive() {
        var harness = self.opened()
        harness.command(.halt(reason: "operator"))
        #expect(harness.orders.allSatisfy { $0.hasSuffix("sent") })
        harness.run(for: 500)
        #expect(harness.orders.isEmpty && harness.submitted.count == 2)
    }

    @Test func aHaltStaysOverARestartUntilAPersonResumes() throws {
        var harness = self.quoting()
        harness.command(.halt(reason: "operator"))
        harness.run(for: 100)
        try harness.restart()
        harness.open()
        harness.run(for: 1_000)
        #expect(harness.ledger.isHalted && harness.orders.isEmpty)
        #expect(harness.command(.resume) == .done(nil))
        #expect(harness.orders.count == 2)
    }

    @Test func aRestartCancelsPaperOrdersAndKeepsWhatIsHeld() throws {
        var harness = self.quoting()
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        harness.run(for: 50)
        let (cash, number) = (harness.ledger.cash, harness.ledger.nextOrderNumber)
        try harness.restart()
        #expect(harness.ledger.open.isEmpty && harness.ledger.cash == cash && harness.ledger.nextOrderNumber == number)
        #expect(harness.ledger.held(token(1, 0), by: "maker") == shares("10"))
        #expect(harness.ledger.order(OrderID(number: 2))?.body.reason == "restart")
    }

    @Test func aPausedStrategyLeavesAndAnUnpausedOneComesBack() {
        var harness = self.quoting()
        harness.command(.pause(strategy: "maker"))
        harness.run(for: 200)
        #expect(harness.orders.isEmpty && harness.engine.strategyStatuses.first?.state == .paused)
        harness.command(.unpause(strategy: "maker"))
        harness.run(for: 200)
        #expect(harness.orders.count == 2)
        guard case .failed(let message) = harness.command(.pause(strategy: "marker")) else {
            Issue.record("an unknown strategy was paused")
            return
        }
        #expect(message.contains("maker"))
    }

    @Test func flattenSellsWhatIsHeldAndStaysOut() {
        var limits = wideLimits
        limits.orderMax = usd("4.9")
        var harness = self.quoting(limits)
        for _ in 0..<3 {
            harness.feed(.trade(trade(.sell, "100", at: "0.49")))
            harness.run(for: 250)
        }
        #expect(harness.ledger.held(token(1, 0), by: "maker") == shares("30"))
        #expect(harness.command(.flatten) == .done(.object(["markets": .number("1")])))
        for _ in 0..<8 {
            harness.feed(.alive)
            harness.run(for: 1_000)
        }
        #expect(harness.ledger.markets.isEmpty && harness.orders.isEmpty)
        #expect(harness.notes.contains(.flattened(market: condition(1), isWhole: true)))
        #expect(harness.engine.strategyStatuses.first?.state == .paused)
        #expect(harness.submitted.filter { $0.intent.kind == .fak }.count >= 2, "a limit holds for operators too")
    }

    /// Of orders that take, the venue allows amounts of two decimals in shares and four in money.
    @Test(arguments: [Int64(1_000), 100])
    func whatFlatteningBringsHasFourDecimalsAtMost(micros: Int64) throws {
        let tick = try #require(TickSize(micros: micros))
        let (bid, ask) = micros == 100 ? ("0.4337", "0.4343") : ("0.433", "0.434")
        var harness = Harness(limits: wideLimits)
        harness.open(market(tick: tick), book(bids: [(bid, "1000")], asks: [(ask, "1000")], tick: tick))
        harness.run(for: 200)
        let quote = try #require(harness.open.first { $0.body.side == .buy && $0.outcome == 0 })
        harness.feed(.trade(trade(.sell, "3000", at: quote.body.price.description)))
        harness.run(for: 50)
        try #require(!harness.ledger.positions.isEmpty)
        harness.command(.flatten)
        for _ in 0..<4 {
            harness.feed(.alive)
            harness.run(for: 1_000)
        }
        let sales = harness.submitted.filter { $0.intent.kind == .fak }
        #expect(!sales.isEmpty, "\(harness.decisions.suffix(3)) \(harness.ledger.sortedPositions)")
        for sale in sales { #expect(sale.intent.notional.micros % 100 == 0, "\(sale.intent)") }
        #expect(harness.ledger.markets.isEmpty)
    }

    @Test func flattenWhileHaltedIsRefused() {
        var harness = self.quoting()
        harness.command(.halt(reason: "operator"))
        guard case .failed = harness.command(.flatten) else {
            Issue.record("an order could have left while trading is halted")
            return
        }
    }

    @Test func theDailyLossHaltsAndAnswersWhyItStays() {
        var limits = wideLimits
        limits.dailyLossMax = usd("1")
        var harness = self.quoting(limits)
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        harness.run(for: 50)
        harness.feed(.book(book(update: 2, bids: [("0.30", "10")], asks: [("0.34", "10")])))
        harness.run(for: 1_500)
        #expect(harness.ledger.halts == ["daily_loss"] && harness.orders.isEmpty)
        #expect(harness.engine.profit.daily == usd("-1.9"))
        guard case .failed(let message) = harness.command(.resume) else {
            Issue.record("trading was resumed while the loss stands")
            return
        }
        #expect(message.contains("daily_loss_usd"))
        #expect(harness.command(.setLimit(name: "daily_loss_usd", value: 5_000_000)) == .done(nil))
        #expect(harness.command(.resume) == .done(nil))
    }

    @Test func theDrawdownHaltsAndCountsAnewOnceResumed() {
        var limits = wideLimits
        limits.drawdownMax = usd("1")
        var harness = self.quoting(limits)
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        harness.run(for: 50)
        harness.feed(.book(book(update: 2, bids: [("0.30", "10")], asks: [("0.34", "10")])))
        harness.run(for: 1_500)
        #expect(harness.ledger.halts == ["max_drawdown"])
        #expect(harness.command(.resume) == .done(nil))
        harness.run(for: 1_500)
        #expect(!harness.ledger.isHalted)
    }

    @Test func moneyThatIsTakenOutIsNoDrawdown() {
        var limits = wideLimits
        limits.drawdownMax = usd("100")
        var harness = self.quoting(limits)
        harness.run(for: 1_500)
        harness.take(.compare(.differs(usd("-500"))))
        #expect(harness.ledger.halts == ["balance"])
        #expect(harness.command(.resume) == .done(nil))
        harness.run(for: 1_500)
        #expect(harness.ledger.halts == [] && harness.engine.profit.drawdown == .zero)
        #expect(harness.ledger.cash == usd("500") && harness.ledger.peak == usd("500"))
    }

    @Test func lostPrintsMakeOrdersUnknownAndTooManyOfThemHalt() {
        var limits = wideLimits
        limits.unknownOrdersMax = 2
        var harness = self.quoting(limits)
        harness.feed(.tradesDropped(TradesDropped(n: 1, count: 7, from: at(0).time, to: at(1).time)))
        harness.run(for: 10)
        #expect(harness.orders == ["buy 0 10 at 0.49 unknown", "buy 1 10 at 0.49 unknown"])
        #expect(harness.ledger.halts == ["unknown_orders"])
        #expect(harness.notes.contains(.printsLost(market: condition(1), count: 7)))
        harness.run(for: 500)
        #expect(harness.orders.isEmpty, "found, and cancelled as trading is halted")
        #expect(harness.command(.resume) == .done(nil))
    }

    @Test func aResolutionTurnsSharesIntoMoneyOnce() {
        var harness = self.quoting()
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        // The fill is on its way when the market ends.
        harness.feed(.resolved(ResolvedBody(n: 1, winner: 0, venueTime: testStart)))
        harness.run(for: 500)
        #expect(harness.ledger.cash == usd("1005.1") && harness.ledger.markets.isEmpty)
        harness.feed(.resolved(ResolvedBody(n: 1, winner: 0, venueTime: testStart)))
        #expect(harness.ledger.cash == usd("1005.1"))
    }

    @Test func aMarketNearItsEndIsLeft() {
        var short = market()
        short.endTime = at(62_000).time
        var harness = Harness()
        harness.open(short)
        for second in 1...3 {
            harness.feed(.alive)
            #expect(harness.orders.count == 2, "second \(second)")
            harness.run(for: 1_000)
        }
        harness.run(for: 100)
        #expect(harness.orders.isEmpty)
        #expect(harness.decisions.last?.reasons.first?.code == "min_time_left")
    }

    @Test func aFeedThatSaysNothingMakesTheBookOld() {
        var harness = self.quoting()
        harness.run(for: 4_000)
        #expect(harness.orders.count == 2)
        harness.run(for: 3_000)
        #expect(harness.orders.isEmpty)
        #expect(harness.decisions.last?.reasons.first?.code == "book_old")
    }

    @Test func theHaltFileHalts() {
        var harness = self.quoting()
        harness.perform(harness.engine.tick(isHaltFilePresent: true, now: harness.now))
        #expect(harness.ledger.halts == ["halt_file"])
        guard case .failed = harness.command(.resume) else {
            Issue.record("trading was resumed under the halt file")
            return
        }
        harness.perform(harness.engine.tick(isHaltFilePresent: false, now: harness.now))
        #expect(harness.command(.resume) == .done(nil))
    }

    @Test func aJournalThatTakesNothingLetsNothingLeave() {
        var harness = Harness()
        _ = harness.engine.handle(.connected, sentTime: harness.now.time, now: harness.now)
        _ = harness.engine.handle(
            .market(MarketBody(n: 1, market: market())), sentTime: harness.now.time, now: harness.now)
        let lost = harness.engine.handle(.book(book()), sentTime: harness.now.time, now: harness.now)
        #expect(lost.contains { if case .submit = $0 { true } else { false } })
        let unsent = lost.compactMap { if case .submit(let order) = $0 { order.id } else { nil } }
        _ = harness.engine.apply(.journalFailed(unsent: unsent), now: harness.now)
        #expect(harness.ledger.halts == ["journal"] && harness.ledger.open.isEmpty)
        #expect(harness.ledger.finished.values.allSatisfy { $0.body.reason == "journal_failed" })
    }

    @Test func decisionsAreToldWhenTheyChangeAndElseOnceASecond() {
        var harness = self.quoting()
        for update in 2...11 {
            harness.feed(.delta(delta(update: Int64(update), [(.bid, "0.45", "\(update)")])))
            harness.run(for: 100)
        }
        #expect(harness.decisions.count == 1)
        // Other prices are another detail: told when the second is over.
        harness.feed(.delta(delta(update: 12, [(.bid, "0.49", "5")])))
        harness.run(for: 100)
        #expect(harness.decisions.count == 2)
    }

    @Test func explainTellsWhichLimitKeepsAWantedOrderOut() throws {
        var limits = wideLimits
        limits.orderMax = usd("1")
        var harness = self.opened(limits)
        guard case .done(let answer?) = harness.command(.explain(condition(1))) else {
            Issue.record("no explanation")
            return
        }
        let wants = try #require(answer["strategies"]?.array?.first?["wants"]?.array)
        #expect(wants.map { $0["state"]?.string } == ["place", "place"])
        for wish in wants {
            let shut = wish["limits"]?.array?.filter { $0["kept"]?.bool == false }
            #expect(shut?.map { $0["code"]?.string } == ["max_order_usd"])
        }
        let text = Explanation.text(answer)
        #expect(text.contains("  wants buy first, 10 at 0.49: is still to be placed\n"), "\(text)")
        #expect(text.contains("    shut now: max_order_usd  4.9, limit 1\n"), "\(text)")
        #expect(text.contains("    passed: insufficient_balance  4.9 needed, "), "\(text)")
    }

    @Test func whatOneOrderMayNotSellGoesInParts() {
        var harness = self.quoting()
        // Ten of the first bought at 0.49; then dearer than an order may be, by an operator's new limit.
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        harness.run(for: 200)
        harness.command(.setLimit(name: "max_order_usd", value: 4_000_000))
        harness.feed(.delta(delta(update: 2, [(.bid, "0.50", "10"), (.ask, "0.54", "10")])))
        harness.run(for: 2_000)
        #expect(harness.orders.contains { $0.hasPrefix("sell 0 ") }, "\(harness.orders)")
    }

    @Test func explainDoesNotCallAnOrderThatLeavesAtRest() throws {
        var harness = self.quoting()
        // Within the interval nobody has looked at the bid that went yet.
        harness.feed(.delta(delta(update: 2, [(.bid, "0.48", "0"), (.bid, "0.47", "0"), (.bid, "0.44", "50")])))
        guard case .done(let answer?) = harness.command(.explain(condition(1))) else {
            Issue.record("no explanation")
            return
        }
        let wants = try #require(answer["strategies"]?.array?.first?["wants"]?.array)
        #expect(wants.map { $0["state"]?.string } == ["waits", "waits"], "\(wants) beside \(harness.orders)")
    }

    @Test func explainTellsTheLastDecisionAndHowEachLimitStands() throws {
        var harness = self.quoting()
        guard case .done(let quoting?) = harness.command(.explain(condition(1))) else {
            Issue.record("no explanation")
            return
        }
        let open = try #require(quoting["strategies"]?.array?.first)
        #expect(open["closed"] == nil && open["limits"]?.array?.allSatisfy { $0["kept"]?.bool == true } == true)
        #expect(open["wants"]?.array?.map { $0["state"]?.string } == ["rests", "rests"])
        harness.command(.halt(reason: "operator"))
        guard case .done(let value?) = harness.command(.explain(condition(1))) else {
            Issue.record("no explanation")
            return
        }
        let strategy = value["strategies"]?.array?.first
        #expect(strategy?["closed"]?["code"]?.string == "halted" && strategy?["wants"] == nil)
        let text = Explanation.text(value)
        #expect(text.contains("  shut now: halted  operator\n") && text.contains("  passed: halt_file\n"), "\(text)")
        #expect(text.contains("  passed: max_drawdown  "), "\(text)")
        #expect(strategy?["reasons"]?.array?.first?["code"]?.string != nil)
        guard case .failed = harness.command(.explain(condition(5))) else {
            Issue.record("an unknown market was explained")
            return
        }
    }

    @Test func aStopEndsEveryOrderAndPlacesNoMore() {
        var harness = self.opened()
        harness.perform(harness.engine.stop(now: harness.now))
        harness.run(for: 500)
        #expect(harness.orders.isEmpty && harness.submitted.count == 2)
        #expect(!harness.ledger.isHalted, "a stop is no halt: the next start trades")
    }

    @Test func aContradictionHalts() {
        var harness = self.quoting()
        let event = VenueEvent(order: OrderID(number: 99), kind: .found, time: harness.now.time)
        harness.perform(harness.engine.handle(event, now: harness.now))
        #expect(harness.ledger.halts == ["ledger"])
        #expect(harness.notes.contains(.contradiction(.unknownOrder(OrderID(number: 99)))))
    }
}
