import Shared
import Testing

@testable import simvenue

/// What becomes of trades and of markets. Source: reference, 3.3, and strategy reference, 0.4.
struct EngineSettlementTests {
    private func traded(_ market: Market = engineMarket(feeRate: 70_000)) -> (EngineStory, TradeID) {
        var story = EngineStory(market: market)
        story.split(0, 100)
        story.place(0, .sell, 0, "100", at: "0.5")
        story.place(1, .buy, 0, "40", at: "0.5")
        return (story, story.trades[0].id)
    }

    @Test func aTradeIsMatchedMinedAndConfirmed() {
        var (story, id) = self.traded()
        #expect(story.trades.map(\.settlement) == [.matched])
        #expect(id.description.count == 36)
        // What was given has left, what is to come has not arrived.
        #expect((story.money(1), story.shares(1)) == ("979.3", "0"))
        #expect((story.money(0), story.shares(0)) == ("900", "60"))
        story.wait(milliseconds: 2_199)
        #expect(story.trades.isEmpty)
        story.wait(milliseconds: 1)
        #expect(story.trades.map(\.settlement) == [.mined])
        #expect(story.trades.map(\.id) == [id])
        #expect(story.shares(1) == "0")
        story.wait(milliseconds: 4_000)
        #expect(story.trades.map(\.settlement) == [.confirmed])
        #expect(story.trades[0].lastUpdate == story.time)
        #expect((story.money(0), story.shares(1)) == ("920", "40"))
        #expect(story.engine.nextTime == nil)
    }

    @Test func aTradeThatIsRetriedIsMinedLater() {
        var (story, id) = self.traded()
        story.wait(milliseconds: 2_000)
        story.ask(.retry(id))
        #expect(story.trades.map(\.settlement) == [.retrying])
        story.wait(milliseconds: 2_199)
        #expect(story.trades.isEmpty)
        story.wait(milliseconds: 1)
        #expect(story.trades.map(\.settlement) == [.mined])
        story.ask(.retry(id))
        story.wait(milliseconds: 20_000)
        #expect(story.trades.map(\.settlement) == [.mined, .confirmed])
        story.ask(.fail(id))
        #expect(story.commandRefusal == .unknownTrade)
    }

    @Test(arguments: [0, 2_200] as [Int64])
    func aFailedTradeIsReversedExactly(after milliseconds: Int64) {
        var (story, id) = self.traded()
        story.wait(milliseconds: milliseconds)
        story.ask(.fail(id))
        #expect(story.trades.map(\.settlement) == [.failed])
        #expect((story.money(1), story.shares(1)) == ("1000", "0"))
        #expect((story.money(0), story.shares(0)) == ("900", "100"))
        #expect(story.engine.fees == .zero)
        // The order does not come back.
        #expect(story.levels(.ask) == ["0.5×60"])
        story.wait(milliseconds: 20_000)
        #expect(story.trades.isEmpty)
        #expect(EngineAudit.problem(in: story.engine) == nil)
    }

    @Test func failedMintsAndMergesAreReversedToo() {
        var story = EngineStory()
        story.place(0, .buy, 1, "10", at: "0.4")
        story.place(1, .buy, 0, "10", at: "0.6")
        story.ask(.fail(story.trades[0].id))
        #expect((story.money(0), story.money(1)) == ("1000", "1000"))
        #expect(story.engine.markets[0].collateral == .zero)
        story.split(0, 10)
        story.split(1, 10)
        story.place(0, .sell, 1, "10", at: "0.4")
        story.place(1, .sell, 0, "10", at: "0.6")
        #expect((story.shares(0, 1), story.shares(1, 0)) == ("0", "0"))
        story.ask(.fail(story.trades[0].id))
        #expect((story.shares(0, 1), story.shares(1, 0)) == ("10", "10"))
        #expect(story.engine.markets[0].collateral == Money(micros: micros("20")))
    }

    @Test func sharesThatAreOnTheirWayCannotBeSold() {
        var (story, _) = self.traded()
        story.place(1, .sell, 0, "40", at: "0.6")
        #expect(story.refusal == "not enough balance / allowance")
        story.wait(milliseconds: 7_000)
        story.place(1, .sell, 0, "40", at: "0.6")
        #expect(story.receipt?.status == .live)
    }

    // MARK: Resolution

    @Test(arguments: [(Resolution.first, "1020", "960"), (.second, "980", "1000"), (.half, "1000", "980")])
    func aResolutionPays(resolution: Resolution, seller: String, buyer: String) {
        var story = EngineStory()
        story.split(0, 80)
        story.place(0, .sell, 1, "80", at: "0.5")
        story.place(1, .buy, 1, "40", at: "0.5")
        story.ask(.withdraw(AccountID(index: 1), Money(micros: micros("20"))))
        story.split(1, 20)
        story.wait(milliseconds: 7_000)
        let open = story.place(2, .buy, 0, "10", at: "0.3")
        story.ask(.resolve(story.market.condition, resolution))
        // 0 has 80 and 40 shares and 940 pUSD, 1 has 20 and 60 and 940.
        #expect((story.money(0), story.money(1)) == (seller, buyer))
        #expect(story.status(open) == "CANCELED_MARKET_RESOLVED")
        #expect((story.money(2), story.reserved(2)) == ("1000", "0"))
        #expect((story.shares(0), story.shares(0, 1)) == ("0", "0"))
        #expect(story.engine.markets[0].collateral == .zero)
        story.ask(.resolve(story.market.condition, .half))
        #expect(story.commandRefusal == .alreadyResolved)
        story.split(0, 1)
        #expect(story.commandRefusal == .alreadyResolved)
    }

    @Test(arguments: [true, false])
    func tradesThatSettleAfterTheResolutionArePaid(fails: Bool) {
        var (story, id) = self.traded(engineMarket())
        story.ask(.resolve(story.market.condition, .first))
        #expect((story.money(0), story.money(1)) == ("960", "980"))
        if fails { story.ask(.fail(id)) }
        story.wait(milliseconds: 10_000)
        // The forty shares were worth 40: for whoever has them in the end.
        #expect((story.money(0), story.money(1)) == (fails ? ("1000", "1000") : ("980", "1020")))
        #expect(story.engine.markets[0].collateral == .zero)
    }

    @Test func halfOfAnOddMillionthStaysBehind() {
        var story = EngineStory()
        story.ask(.split(AccountID(index: 0), story.market.condition, Quantity(micros: 3)))
        story.ask(.resolve(story.market.condition, .half))
        #expect(story.money(0) == "999.999999")
        #expect(story.engine.markets[0].collateral == Money(micros: 1))
    }

    // MARK: Tick size

    @Test func aNewTickLeavesOrdersAndBindsNewOnes() {
        var story = EngineStory(market: engineMarket(tick: 1_000))
        story.split(0, 100)
        story.place(0, .sell, 0, "10", at: "0.455")
        story.ask(.setTick(story.market.condition, .cent))
        #expect(story.levels(.ask) == ["0.455×10"])
        let hash = story.place(1, .buy, 0, "10", at: "0.456")
        #expect(story.refusal == "order \(hash) is invalid. Price (0.456) breaks minimum tick size rule: 0.01")
        story.place(1, .buy, 0, "10", at: "0.46")
        #expect(story.trades.map(\.price.description) == ["0.455"])
        story.ask(.setTick(story.market.condition, TickSize(micros: 100)!))
        story.place(1, .buy, 0, "10", at: "0.4567")
        #expect(story.receipt?.status == .live)
    }

    @Test func aTickThatLeavesTooMuchOffItsGridIsRefused() {
        var story = EngineStory(market: engineMarket(tick: 100))
        for step in 1...1_020 where step % 100 != 0 {
            story.place(0, .buy, 0, "5", at: Price(micros: Int64(step) * 100)!.description)
        }
        // 1,010 prices, none of them a whole cent.
        story.ask(.setTick(story.market.condition, .cent))
        #expect(story.commandRefusal == .tooMany)
        #expect(story.market.tick == TickSize(micros: 100))
        story.ask(.setTick(story.market.condition, TickSize(micros: 1_000)!))
        #expect(story.commandRefusal == nil)
    }

    @Test func timeNeverGoesBack() {
        var (story, _) = self.traded()
        story.wait(milliseconds: 2_200)
        let late = story.time
        story.time = engineStart
        story.place(2, .buy, 0, "10", at: "0.3")
        #expect(story.engine.now == late)
        #expect(story.engine.nextTime == late + .seconds(4))
        story.wait(milliseconds: 1_000)
        #expect(story.trades.isEmpty)
    }

    @Test func timeMayBeToldInAnySteps() {
        var (one, _) = self.traded()
        var (other, _) = self.traded()
        let whole = one.engine.advance(to: engineStart + .seconds(10))
        var parts: [EngineEvent] = []
        for step in 1...1_000 { parts += other.engine.advance(to: engineStart + .milliseconds(10 * step)) }
        #expect(whole == parts)
        #expect(whole.map(\.time) == [engineStart + .milliseconds(2_200), engineStart + .milliseconds(6_200)])
    }
}
