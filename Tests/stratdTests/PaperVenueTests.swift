import Shared
import Testing

@testable import stratd

@Suite struct PaperVenueTests {
    /// A venue and the market's views, without an engine.
    private struct World {
        var venue = PaperVenue(
            PaperVenue.Settings(
                latencyOut: .milliseconds(10), latencyIn: .milliseconds(5), takerDelay: .milliseconds(100)))
        var views: MarketViews
        var events: [VenueEvent] = []

        init(_ market: Market = market(), _ body: BookBody = book()) { self.views = stratdTests.views(market, body) }

        mutating func hear(_ event: FeedEvent, _ milliseconds: Int64) {
            self.run(to: milliseconds)
            _ = self.views.apply(event)
            self.venue.handle(event, self.views, now: at(milliseconds))
        }
        mutating func run(to milliseconds: Int64) {
            self.events += self.venue.advance(self.views, now: at(milliseconds))
        }

        /// Submits at the time and returns the order.
        mutating func submit(
            _ intent: OrderIntent, number: Int64 = 1, ledger: OrderLedger? = nil, _ milliseconds: Int64 = 0
        ) throws -> ApprovedOrder {
            var book = ledger ?? OrderLedger(cash: usd("10000"))
            for earlier in book.nextOrderNumber..<max(book.nextOrderNumber, number) {
                try book.apply(.intent(ledgerOrder(earlier, stratdTests.intent(.buy, "0.01", "5"))))
            }
            let order = try approved(
                intent, ledger: book, view: stratdTests.views(market(), stratdTests.book())[condition(1)])
            self.venue.submit(order, now: at(milliseconds))
            return order
        }

        var kinds: [VenueEvent.Kind] { self.events.map(\.kind) }
        var filled: [String] {
            self.kinds.compactMap { if case .filled(let fill) = $0 { "\(fill.size) at \(fill.price)" } else { nil } }
        }
    }

    /// Ten thousand shares to sell.
    private func holding() throws -> OrderLedger {
        var ledger = OrderLedger(cash: usd("10000"))
        for outcome in 0...1 {
            let order = ledgerOrder(Int64(outcome) + 1, intent(outcome: outcome, .buy, "0.10", "1000"))
            try ledger.open(order)
            try ledger.apply(.fill(fill(order, trade: "t\(outcome)", "0.10", "1000")))
        }
        return ledger
    }

    @Test func anOrderTravelsRestsAndIsCancelled() throws {
        var world = World()
        let order = try world.submit(intent())
        #expect(world.venue.nextWake == at(10).instant)
        world.run(to: 14)
        #expect(world.events.isEmpty)
        world.run(to: 15)
        #expect(world.kinds == [.accepted(isDelayed: false)])
        #expect(world.venue.resting[order.id]?.queueAhead == shares("100"))
        world.venue.cancel(order.id, now: at(20))
        world.run(to: 35)
        #expect(world.kinds.last == .cancelled(reason: "requested"))
        #expect(world.venue.resting.isEmpty && world.venue.nextWake == nil)
    }

    @Test func postOnlyThatWouldTakeIsRejected() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.52"))
        _ = try world.submit(intent(outcome: 1, .buy, "0.52"), number: 2)
        world.run(to: 15)
        #expect(world.kinds == Array(repeating: .rejected(reason: "post_only_would_take"), count: 2))
    }

    @Test func printsFillAfterTheQueueAheadIsGone() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.trade(trade(.sell, "95", at: "0.48")), 50)
        world.run(to: 100)
        #expect(world.filled.isEmpty)
        world.hear(.trade(trade(.sell, "8", at: "0.48")), 101)
        world.run(to: 110)
        #expect(world.filled == ["3 at 0.48"])
        world.hear(.trade(trade(.sell, "20", at: "0.48")), 111)
        world.run(to: 200)
        #expect(world.filled == ["3 at 0.48", "7 at 0.48"])
        #expect(world.venue.resting.isEmpty)
    }

    @Test func aPrintThroughOurPriceFillsWhateverTheQueue() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.trade(trade(.sell, "6", at: "0.47")), 50)
        world.run(to: 100)
        #expect(world.filled == ["6 at 0.48"])
    }

    @Test func aPrintOfTheOtherSideOrAboveOurBidIsNotOurs() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.49", "10"))
        world.hear(.trade(trade(.buy, "500", at: "0.49")), 50)
        world.hear(.trade(trade(.sell, "500", at: "0.50")), 51)
        world.run(to: 100)
        #expect(world.filled.isEmpty)
    }

    @Test func aPrintOnTheOtherOutcomeCountsAtItsMirror() throws {
        var world = World()
        // Alone at 0.49; somebody buys the other outcome at 0.51.
        _ = try world.submit(intent(.buy, "0.49", "10"))
        world.hear(.trade(trade(on: 1, outcome: 1, .buy, "4", at: "0.51")), 50)
        world.run(to: 100)
        #expect(world.filled == ["4 at 0.49"])
        // Our purchase of the second outcome at 0.49 is an ask at 0.51; somebody buys the first there.
        _ = try world.submit(intent(outcome: 1, .buy, "0.49", "10"), number: 2, 100)
        world.hear(.trade(trade(.buy, "5", at: "0.51")), 150)
        world.run(to: 200)
        #expect(world.filled == ["4 at 0.49", "5 at 0.49"])
    }

    @Test func cancelsAheadShrinkTheQueueInProportion() throws {
        var world = World()
        let order = try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "200")])), 50)
        #expect(world.venue.resting[order.id]?.queueAhead == shares("100"))
        world.hear(.delta(delta(update: 3, [(.bid, "0.48", "150")])), 60)
        #expect(world.venue.resting[order.id]?.queueAhead == shares("75"))
        world.hear(.delta(delta(update: 4, [(.bid, "0.48", "0")])), 70)
        #expect(world.venue.resting[order.id]?.queueAhead == .zero)
    }

    @Test(arguments: [true, false])
    func aTradeThatTheBookTellsToocountsOnce(bookFirst: Bool) throws {
        var world = World()
        let order = try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "200")])), 50)
        let change = FeedEvent.delta(delta(update: 3, [(.bid, "0.48", "160")]))
        let print = FeedEvent.trade(trade(.sell, "40", at: "0.48"))
        world.hear(bookFirst ? change : print, 60)
        world.hear(bookFirst ? print : change, 61)
        #expect(world.venue.resting[order.id]?.queueAhead == shares("60"))
        #expect(world.filled.isEmpty)
    }

    @Test func aCancelWaitsForThePrintThatIsOnItsWay() throws {
        var world = World()
        let order = try world.submit(intent(.buy, "0.48", "10"))
        world.run(to: 20)
        // The level is swept, and we are swept with it: the book says so before the print does.
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "0")])), 50)
        world.venue.cancel(order.id, now: at(51))
        world.hear(.trade(trade(.sell, "110", at: "0.48")), 90)
        world.run(to: 300)
        #expect(world.filled == ["10 at 0.48"])
        #expect(world.kinds.last == .cancelRefused(reason: "not_found"))
    }

    @Test func aCancelIsDoneHoweverItsLevelGoesOn() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.48", "10"))
        world.run(to: 20)
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "90")])), 50)
        world.venue.cancel(OrderID(number: 1), now: at(51))
        for step in 1...39 as ClosedRange<Int64> {
            world.hear(.delta(delta(update: step + 2, [(.bid, "0.48", step % 2 == 0 ? "90" : "100")])), 50 + step * 50)
            if step == 19 { world.hear(.trade(trade(.sell, "500", at: "0.48")), 1_001) }
        }
        // The print of the first decrease could come for 150 ms.
        #expect(world.filled.isEmpty)
        #expect(
            world.events.last
                == VenueEvent(order: OrderID(number: 1), kind: .cancelled(reason: "requested"), time: at(200).time))
    }

    @Test func aCancelledOrderIsFilledByNoMoreThanWasOpenWhenTheCancelCame() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.48", "10"))
        world.run(to: 20)
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "96")])), 50)
        world.venue.cancel(OrderID(number: 1), now: at(51))
        // A trade after the cancel: its decrease, and the prints of both.
        world.hear(.delta(delta(update: 3, [(.bid, "0.48", "0")])), 70)
        world.hear(.trade(trade(.sell, "500", at: "0.47")), 110)
        world.run(to: 300)
        #expect(world.filled == ["4 at 0.48"])
        #expect(world.kinds.last == .cancelled(reason: "requested"))
    }

    @Test func whatWasTradedAfterACancelFillsNothing() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.48", "10"))
        world.run(to: 20)
        // Somebody sells 60 to those ahead of us; we leave, and somebody sells to all the others.
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "40")])), 50)
        world.venue.cancel(OrderID(number: 1), now: at(51))
        world.hear(.delta(delta(update: 3, [(.bid, "0.48", "0")])), 70)
        world.hear(.trade(trade(.sell, "60", at: "0.48")), 90)
        world.hear(.trade(trade(.sell, "500", at: "0.48")), 110)
        world.run(to: 300)
        #expect(world.filled.isEmpty && world.kinds.last == .cancelled(reason: "requested"))
    }

    // MARK: A print of a trade before the order

    @Test func aPrintOfATradeBeforeTheOrderCameIsNotIts() throws {
        var world = World()
        world.hear(.book(book()), 0)
        let order = try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "40")])), 5)
        world.hear(.trade(trade(.sell, "60", at: "0.48")), 40)
        world.run(to: 100)
        #expect(world.filled.isEmpty && world.venue.resting[order.id]?.queueAhead == shares("40"))
        // What is printed beyond that came after it.
        world.hear(.trade(trade(.sell, "45", at: "0.48")), 101)
        world.run(to: 110)
        #expect(world.filled == ["5 at 0.48"])
    }

    @Test func aPrintThroughOurPriceOfATradeBeforeTheOrderCameIsNotIts() throws {
        var world = World()
        world.hear(.book(book()), 0)
        _ = try world.submit(intent(.buy, "0.49", "10"))
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "0")])), 5)
        world.hear(.trade(trade(.sell, "100", at: "0.48")), 40)
        world.run(to: 60)
        #expect(world.filled.isEmpty)
        world.hear(.trade(trade(.sell, "3", at: "0.48")), 61)
        world.run(to: 70)
        #expect(world.filled == ["3 at 0.49"])
    }

    @Test func aDecreaseIsRememberedNoLongerThanItsPrintMayCome() throws {
        var world = World()
        world.hear(.book(book()), 0)
        _ = try world.submit(intent(.buy, "0.48", "10"))
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "40")])), 5)
        world.hear(.trade(trade(.sell, "45", at: "0.48")), 155)
        world.run(to: 200)
        #expect(world.filled == ["5 at 0.48"])
    }

    @Test func aDecreaseThatWasPrintedBeforeTheOrderCameTakesNothingFromIt() throws {
        for bookFirst in [true, false] {
            var world = World()
            world.hear(.book(book()), 0)
            let change = FeedEvent.delta(delta(update: 2, [(.bid, "0.48", "40")]))
            let print = FeedEvent.trade(trade(.sell, "60", at: "0.48"))
            world.hear(bookFirst ? change : print, 5)
            world.hear(bookFirst ? print : change, 6)
            _ = try world.submit(intent(.buy, "0.48", "10"), 7)
            world.hear(.trade(trade(.sell, "45", at: "0.48")), 40)
            world.run(to: 100)
            #expect(world.filled == ["5 at 0.48"], "\(bookFirst)")
        }
    }

    @Test func anAskThatCameAfterTheTradeHasNoPartInItEither() throws {
        var world = World()
        world.hear(.book(book()), 0)
        // A purchase of the second outcome at 0.48 is an ask at 0.52; a snapshot tells the decrease, the mirror the print.
        let order = try world.submit(intent(outcome: 1, .buy, "0.48", "10"))
        world.hear(.book(book(update: 2, asks: [("0.52", "30"), ("0.53", "200")])), 5)
        world.hear(.trade(trade(outcome: 1, .sell, "70", at: "0.48")), 40)
        world.run(to: 100)
        #expect(world.filled.isEmpty && world.venue.resting[order.id]?.queueAhead == shares("30"))
    }

    @Test func twoOwnOrdersShareAPrintByPriceAndTime() throws {
        var world = World()
        let ledger = try holding()
        _ = try world.submit(intent(.buy, "0.49", "10"), number: 3, ledger: ledger)
        _ = try world.submit(intent(outcome: 1, .sell, "0.51", "10"), number: 4, ledger: ledger)
        world.hear(.trade(trade(.sell, "14", at: "0.49")), 50)
        world.run(to: 100)
        #expect(world.filled == ["10 at 0.49", "4 at 0.51"])
    }

    @Test func nothingFillsWhileTheBookIsNotTrusted() throws {
        var world = World()
        let order = try world.submit(intent(.buy, "0.49", "10"))
        world.hear(.trust(distrust()), 50)
        world.hear(.trade(trade(.sell, "500", at: "0.40")), 60)
        world.run(to: 100)
        #expect(world.filled.isEmpty && world.venue.resting[order.id]?.isFlagged == true)
        _ = try world.submit(intent(.buy, "0.47", "10"), number: 2, 100)
        world.run(to: 150)
        #expect(world.kinds.last == .rejected(reason: "book_untrusted"))
        // With the next book everything displayed is ahead of us.
        world.hear(.book(book(epoch: 2, bids: [("0.49", "30")])), 160)
        world.hear(.trade(trade(.sell, "35", at: "0.49")), 170)
        world.run(to: 200)
        #expect(world.filled == ["5 at 0.49"])
    }

    @Test func lostPrintsMakeOrdersUnknownUntilTheVenueIsAsked() throws {
        var world = World()
        let order = try world.submit(intent())
        world.run(to: 20)
        world.hear(.tradesDropped(TradesDropped(n: 1, count: 3, from: at(0).time, to: at(1).time)), 50)
        world.run(to: 55)
        #expect(world.kinds.last == .lost(reason: "prints_lost"))
        world.run(to: 70)
        #expect(world.events.last == VenueEvent(order: order.id, kind: .found, time: at(65).time))
    }

    @Test func aTakerWalksTheBookForItsShareAndPaysTheFee() throws {
        var world = World(market(feeRate: 70_000))
        let order = try world.submit(
            intent(.sell, "0.47", "200", kind: .fak, isPostOnly: false), number: 3, ledger: holding())
        world.run(to: 20)
        let fees = [
            market(feeRate: 70_000).takerFee(size: shares("50"), price: price("0.48")),
            market(feeRate: 70_000).takerFee(size: shares("100"), price: price("0.47")),
        ]
        let trades = ["0.48", "0.47"].enumerated().map { index, p in
            VenueEvent.Kind.filled(
                VenueFill(
                    trade: "paper-\(order.id)-\(index + 1)", token: token(1, 0), side: order.intent.side,
                    price: price(p),
                    size: shares(["50", "100"][index]),
                    fee: fees[index], liquidity: .taker))
        }
        #expect(world.kinds == trades + [.cancelled(reason: "nothing_more_to_take")])
        // What was taken is not there again before the level changes.
        _ = try world.submit(
            intent(.sell, "0.48", "50", kind: .fak, isPostOnly: false), number: 4, ledger: holding(), 30)
        world.run(to: 60)
        #expect(world.kinds.last == .cancelled(reason: "nothing_more_to_take") && world.filled.count == 2)
        world.hear(.delta(delta(update: 2, [(.bid, "0.48", "101")])), 70)
        _ = try world.submit(
            intent(.sell, "0.48", "50", kind: .fak, isPostOnly: false), number: 5, ledger: holding(), 80)
        world.run(to: 100)
        #expect(world.filled.last == "50 at 0.48")
    }

    @Test func fokIsWholeOrNothing() throws {
        var world = World()
        _ = try world.submit(intent(.buy, "0.52", "51", kind: .fok, isPostOnly: false))
        _ = try world.submit(intent(.buy, "0.52", "50", kind: .fok, isPostOnly: false), number: 2)
        world.run(to: 20)
        #expect(world.kinds.first == .rejected(reason: "fok_not_filled"))
        #expect(world.filled == ["50 at 0.52"] && world.kinds.count == 2)
    }

    @Test func aMarketableOrderTakesThenRests() throws {
        var world = World()
        let order = try world.submit(intent(.buy, "0.52", "60", isPostOnly: false))
        world.run(to: 20)
        #expect(world.filled == ["50 at 0.52"] && world.venue.resting[order.id]?.remaining == shares("10"))
    }

    @Test func theTakerDelayMatchesAgainstTheBookOfItsEnd() throws {
        var world = World(market(hasTakerDelay: true))
        let order = try world.submit(intent(.buy, "0.52", "50", kind: .fak, isPostOnly: false))
        world.run(to: 20)
        #expect(world.kinds == [.accepted(isDelayed: true)])
        world.venue.cancel(order.id, now: at(30))
        world.hear(.delta(delta(update: 2, [(.ask, "0.52", "20")])), 60)
        world.run(to: 200)
        #expect(world.kinds.contains(.cancelRefused(reason: "delayed")))
        #expect(world.filled == ["10 at 0.52"] && world.kinds.last == .cancelled(reason: "nothing_more_to_take"))
    }

    @Test func aResolutionEndsWhatRests() throws {
        var world = World()
        _ = try world.submit(intent())
        world.hear(.resolved(ResolvedBody(n: 1, winner: 0, venueTime: testStart)), 50)
        _ = try world.submit(intent(), number: 2, 60)
        world.run(to: 100)
        #expect(
            Array(world.kinds.suffix(2)) == [.cancelled(reason: "market_resolved"), .rejected(reason: "market_closed")])
    }
}
