import Shared
import Testing

@testable import simvenue

/// Who meets whom, at which price, and what is left. Source: reference, 2.4 to 2.7.
struct EngineMatchTests {
    @Test func aBuyAndASaleOfOneTokenMatchAtTheRestingPrice() {
        var story = EngineStory()
        story.split(0, 100)
        let maker = story.place(0, .sell, 0, "10", at: "0.4")
        #expect(story.notices == ["PLACEMENT LIVE"])
        #expect(story.changes == ["ask 0.4 10"])
        #expect(story.receipt?.status == .live)
        let taker = story.place(1, .buy, 0, "10", at: "0.45")
        #expect(story.receipt?.status == .matched)
        // What is better than the taker's limit is the taker's: 4.00 instead of 4.50.
        #expect(story.receipt?.making == micros("4"))
        #expect(story.receipt?.taking == micros("10"))
        #expect(story.notices == ["PLACEMENT LIVE", "UPDATE MATCHED", "UPDATE MATCHED"])
        #expect(story.changes == ["ask 0.4 0"])
        let trade = story.trades[0]
        #expect(story.receipt?.trades == [trade.id])
        #expect((trade.takerOrder, trade.side, trade.price) == (taker, .buy, Price(decimal: "0.4")))
        #expect(trade.legs.map(\.order) == [maker])
        #expect(trade.legs.map(\.kind) == [.complementary])
        #expect((story.status(maker), story.status(taker)) == ("MATCHED", "MATCHED"))
    }

    @Test func twoBuysMintSets() {
        var story = EngineStory()
        let maker = story.place(0, .buy, 1, "10", at: "0.45")
        // A bid for the second outcome is an ask for the first.
        #expect(story.levels(.ask) == ["0.55×10"])
        #expect(story.levels(.bid, outcome: 1) == ["0.45×10"])
        story.place(1, .buy, 0, "10", at: "0.6")
        let leg = story.trades[0].legs[0]
        #expect((leg.order, leg.kind, leg.place.outcome, leg.side) == (maker, .mint, 1, .buy))
        #expect((leg.price, story.trades[0].price) == (Price(decimal: "0.45"), Price(decimal: "0.55")))
        #expect((leg.makerMoney, leg.takerMoney) == (Money(micros: micros("4.5")), Money(micros: micros("5.5"))))
        story.wait(milliseconds: 10_000)
        #expect(story.engine.markets[0].collateral == Money(micros: micros("10")))
        #expect((story.shares(0, 1), story.shares(1, 0)) == ("10", "10"))
        #expect((story.money(0), story.money(1)) == ("995.5", "994.5"))
    }

    @Test func twoSalesMergeSets() {
        var story = EngineStory()
        story.split(0, 100)
        story.split(1, 100)
        story.place(0, .sell, 1, "10", at: "0.35")
        #expect(story.levels(.bid) == ["0.65×10"])
        story.place(1, .sell, 0, "10", at: "0.6")
        let leg = story.trades[0].legs[0]
        #expect(leg.kind == .merge)
        #expect((leg.makerMoney, leg.takerMoney) == (Money(micros: micros("3.5")), Money(micros: micros("6.5"))))
        story.wait(milliseconds: 10_000)
        #expect(story.engine.markets[0].collateral == Money(micros: micros("190")))
        #expect((story.money(0), story.money(1)) == ("903.5", "906.5"))
    }

    @Test func pricesThatDoNotReachOneRest() {
        var story = EngineStory()
        story.place(0, .buy, 1, "10", at: "0.45")
        story.place(1, .buy, 0, "10", at: "0.54")
        #expect(story.receipt?.status == .live)
        #expect((story.levels(.bid), story.levels(.ask)) == (["0.54×10"], ["0.55×10"]))
        #expect((story.levels(.bid, outcome: 1), story.levels(.ask, outcome: 1)) == (["0.45×10"], ["0.46×10"]))
    }

    @Test func theBestPriceComesFirstThenWhoCameFirstAcrossBothTokens() {
        var story = EngineStory()
        story.split(0, 100)
        let first = story.place(0, .sell, 0, "10", at: "0.5")
        let second = story.place(1, .buy, 1, "10", at: "0.5")
        let third = story.place(0, .sell, 0, "10", at: "0.5")
        let better = story.place(1, .buy, 1, "10", at: "0.51")
        #expect(story.levels(.ask) == ["0.49×10", "0.5×30"])
        story.place(2, .buy, 0, "35", at: "0.5")
        // One trade for each price.
        #expect(story.trades.map { $0.legs.map(\.order) } == [[better], [first, second, third]])
        #expect(story.trades.map(\.price.description) == ["0.49", "0.5"])
        #expect(story.trades.map(\.bucketIndex) == [0, 1])
        #expect(story.trades[1].legs.map(\.size.description) == ["10", "10", "5"])
        #expect(story.levels(.ask) == ["0.5×5"])
        #expect(story.engine.order(third)?.matched == Quantity(shares: 5))
        #expect(story.changes == ["ask 0.49 0", "ask 0.5 5"])
    }

    @Test func aPartialFillKeepsItsPlaceAndTheTakersRestRests() {
        var story = EngineStory()
        story.split(0, 100)
        let maker = story.place(0, .sell, 0, "20", at: "0.5")
        story.place(1, .buy, 0, "8", at: "0.5")
        #expect(story.notices == ["PLACEMENT LIVE", "UPDATE LIVE", "UPDATE MATCHED"])
        let behind = story.place(0, .sell, 0, "10", at: "0.5")
        let taker = story.place(2, .buy, 0, "50", at: "0.5")
        #expect(story.trades[0].legs.map(\.order) == [maker, behind])
        #expect(story.status(taker) == "LIVE")
        #expect(story.receipt?.status == .matched)
        #expect(story.levels(.bid) == ["0.5×28"])
        #expect(story.levels(.ask) == [])
    }

    @Test func moreMakersThanOneTradeHoldsGiveSeveral() {
        var story = EngineStory()
        for _ in 0..<45 { story.place(0, .buy, 0, "5", at: "0.5") }
        story.split(1, 300)
        story.place(1, .sell, 0, "225", at: "0.5")
        #expect(story.trades.map(\.legs.count) == [20, 20, 5])
        #expect(story.receipt?.trades == story.trades.map(\.id))
    }

    @Test func anOrderRemembersItsLatestTrades() throws {
        var story = EngineStory()
        let maker = story.place(0, .buy, 0, "1000", at: "0.5")
        story.split(1, 110)
        var trades: [TradeID] = []
        for _ in 0..<110 {
            story.place(1, .sell, 0, "1", at: "0.5", .fak)
            trades += story.trades.map(\.id)
        }
        let order = try #require(story.engine.order(maker))
        #expect(order.trades == Array(trades.suffix(100)))
        #expect(order.matched == Quantity(shares: 110))
    }

    // MARK: Kinds

    @Test func aFillOrKillFillsWholeOrNotAtAll() {
        var story = EngineStory()
        story.split(0, 100)
        story.place(0, .sell, 0, "10", at: "0.5")
        story.split(1, 100)
        // Ten shares for five dollars are there, not more.
        let killed = story.place(1, .buy, 0, maker: micros("5.01"), taker: micros("10.02"), .fok)
        #expect(story.refusal == "order couldn't be fully filled. FOK orders are fully filled or killed.")
        #expect(
            story.notices == [
                "CANCELLATION CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."
            ])
        #expect(story.status(killed) == nil)
        #expect(story.levels(.ask) == ["0.5×10"])
        story.place(1, .buy, 0, maker: micros("5"), taker: micros("10"), .fok)
        #expect(story.receipt?.status == .matched)
        #expect(story.levels(.ask) == [])
        story.place(1, .sell, 0, "10", at: "0.5", .fok)
        #expect(story.refusal == "order couldn't be fully filled. FOK orders are fully filled or killed.")
    }

    @Test func aFillAndKillTakesWhatIsThere() {
        var story = EngineStory()
        story.split(0, 100)
        story.place(0, .sell, 0, "10", at: "0.5")
        let taker = story.place(1, .buy, 0, maker: micros("20"), taker: micros("40"), .fak)
        #expect(story.receipt?.status == .matched)
        #expect(story.receipt?.taking == micros("10"))
        #expect(story.notices.last == "CANCELLATION CANCELED")
        #expect(story.status(taker) == "CANCELED")
        #expect((story.levels(.bid), story.levels(.ask)) == ([], []))
        #expect(story.reserved(1) == "0")
        story.place(1, .buy, 0, maker: micros("20"), taker: micros("40"), .fak)
        #expect(
            story.refusal
                == "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."
        )
    }

    @Test func aMarketBuySpendsItsDollarsAndGetsMoreWhereItIsCheaper() {
        var story = EngineStory()
        story.split(0, 100)
        story.place(0, .sell, 0, "100", at: "0.3")
        // Ten dollars at 0.57 or better, signed for 17.5438 shares.
        story.place(1, .buy, 0, maker: micros("10"), taker: micros("17.5438"), .fok)
        // 10 / 0.3, rounded down to a millionth of a share; the price is still paid to the millionth.
        #expect(story.receipt?.taking == micros("33.333333"))
        #expect(story.receipt?.making == micros("9.999999"))
        #expect(story.levels(.ask) == ["0.3×66.666667"])
    }

    @Test func whatIsNotWorthAMillionthIsDropped() {
        var story = EngineStory()
        story.split(0, 100)
        let maker = story.place(0, .sell, 0, "10", at: "0.3")
        story.place(1, .buy, 0, maker: micros("3"), taker: micros("10"), .fok)
        #expect(story.status(maker) == "MATCHED")
        story.place(0, .sell, 0, "20", at: "0.9")
        story.place(1, .buy, 0, maker: micros("17.99"), taker: micros("19.9888"), .fok)
        story.place(1, .buy, 0, "5", at: "0.9")
        // 0.011112 shares were left for it.
        #expect(story.receipt?.taking == micros("0.011112"))
        #expect(story.levels(.bid) == ["0.9×4.988888"])
        #expect(EngineAudit.problem(in: story.engine) == nil)
    }

    @Test func postOnlyRestsOrIsRefused() {
        var story = EngineStory()
        story.place(0, .buy, 1, "10", at: "0.5")
        story.place(1, .buy, 0, "10", at: "0.5", postOnly: true)
        #expect(story.refusal == "invalid post-only order: order crosses book")
        story.place(1, .buy, 0, "10", at: "0.49", postOnly: true)
        #expect(story.receipt?.status == .live)
    }

    @Test func aGoodTillDateOrderEndsAMinuteBeforeItsExpiration() {
        var story = EngineStory()
        let now = engineStart.microseconds / 1_000_000
        story.place(0, .buy, 0, "10", at: "0.5", .gtd, expiration: now + 179)
        #expect(story.refusal == "invalid expiration")
        let order = story.place(0, .buy, 0, "10", at: "0.5", .gtd, expiration: now + 180)
        story.wait(milliseconds: 119_999)
        #expect(story.status(order) == "LIVE")
        story.wait(milliseconds: 1)
        #expect(story.notices == ["CANCELLATION CANCELED_EXPIRED_ORDER"])
        #expect(story.changes == ["bid 0.5 0"])
        #expect(story.reserved(0) == "0")
        #expect(story.engine.nextTime == nil)
    }

    @Test func longRunsOfCancelledGoodTillDateOrdersLeaveNothingBehind() {
        var story = EngineStory()
        for _ in 0..<5_000 {
            let order = story.place(0, .buy, 0, "10", at: "0.5", .gtd, expiration: 9_000_000_000)
            story.ask(.cancel(AccountID(index: 0), [order]))
        }
        #expect(story.engine.appointmentCount <= 1_024)
    }
}
