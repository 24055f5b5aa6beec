import Shared
import Testing

@testable import simvenue

/// Ends of orders, and the taker delay. Source: reference, 2.3, 2.6 and 2.7.
struct EngineCancelTests {
    private let owner = AccountID(index: 0)

    @Test func anOwnerCancelsOneOrManyAndHearsWhatStays() {
        var story = EngineStory()
        let (one, two) = (story.place(0, .buy, 0, "10", at: "0.5"), story.place(0, .buy, 0, "10", at: "0.4"))
        let foreign = story.place(1, .buy, 0, "10", at: "0.3")
        story.split(2, 10)
        let matched = story.place(2, .sell, 0, "10", at: "0.5")
        #expect(story.status(one) == "MATCHED")
        let absent = story.freshHash()
        story.ask(.cancel(self.owner, [two, two, foreign, one, absent]))
        #expect(story.cancels?.canceled == [two])
        #expect(
            story.cancels?.kept.map(\.reason.rawValue) == [
                "the order is already canceled", "order can't be found - already canceled or matched",
                "matched orders can't be canceled", "order can't be found - already canceled or matched",
            ])
        #expect(story.notices == ["CANCELLATION CANCELED"])
        #expect(story.changes == ["bid 0.4 0"])
        #expect(story.status(foreign) == "LIVE")
        #expect(story.status(matched) == "MATCHED")
    }

    @Test func anOwnerCancelsAMarketATokenOrAll() {
        var story = EngineStory()
        let other = engineMarket(7)
        story.ask(.list(other))
        let yes = story.place(0, .buy, 0, "10", at: "0.5")
        let no = story.place(0, .buy, 1, "10", at: "0.4")
        let elsewhere = story.freshHash()
        story.ask(
            .place(
                SignedOrder(
                    hash: elsewhere, account: self.owner, token: other.first.token, side: .buy, makerAmount: 5_000_000,
                    takerAmount: 10_000_000, kind: .gtc, expiration: 0, isPostOnly: false)))
        let foreign = story.place(1, .buy, 0, "10", at: "0.3")
        story.ask(.cancelMarket(self.owner, nil, nil))
        #expect(story.cancels?.canceled == [])
        story.ask(.cancelMarket(self.owner, story.market.condition, story.market.second.token))
        #expect(story.cancels?.canceled == [no])
        story.ask(.cancelMarket(self.owner, story.market.condition, nil))
        #expect(story.cancels?.canceled == [yes])
        let more = story.place(0, .buy, 0, "10", at: "0.5")
        story.ask(.cancelAll(self.owner))
        #expect(story.cancels?.canceled == [elsewhere, more])
        #expect(story.status(foreign) == "LIVE")
        #expect(story.reserved(0) == "0")
    }

    @Test func theVenueCancelsOneOrAWholeMarket() {
        var story = EngineStory()
        let (one, two) = (story.place(0, .buy, 0, "10", at: "0.5"), story.place(1, .buy, 0, "10", at: "0.5"))
        let three = story.place(2, .buy, 1, "10", at: "0.4")
        story.ask(.cancelByVenue(two))
        #expect(story.notices == ["CANCELLATION CANCELED"])
        #expect(story.changes == ["bid 0.5 10"])
        story.ask(.cancelByVenue(two))
        #expect(story.commandRefusal == .unknownOrder)
        story.ask(.clear(story.market.condition))
        #expect((story.status(one), story.status(three)) == ("CANCELED", "CANCELED"))
        #expect(story.changes == ["bid 0.5 0", "ask 0.6 0"])
    }

    @Test func finishedOrdersAreForgottenAfterAWhile() {
        var settings = MatchingEngine.Settings()
        settings.finishedCountMax = 3
        var story = EngineStory(settings)
        let orders = (0..<4).map { _ in
            let order = story.place(0, .buy, 0, "10", at: "0.5")
            story.ask(.cancel(self.owner, [order]))
            return order
        }
        #expect(orders.map { story.status($0) } == [nil, "CANCELED", "CANCELED", "CANCELED"])
    }

    // MARK: Taker delay

    private func delayed() -> EngineStory { EngineStory(market: engineMarket(hasTakerDelay: true)) }

    @Test func anOrderThatWouldMatchIsDelayedAndMeetsTheBookOfThen() {
        var story = self.delayed()
        story.split(0, 100)
        let stale = story.place(0, .sell, 0, "10", at: "0.5")
        #expect(story.receipt?.status == .live)
        let taker = story.place(1, .buy, 0, "10", at: "0.55")
        #expect(story.receipt?.status == .delayed)
        #expect(story.notices == ["PLACEMENT DELAYED"])
        #expect(story.changes == [])
        #expect(story.reserved(1) == "5.5")
        // The maker uses the gap.
        story.wait(milliseconds: 100)
        story.ask(.cancel(self.owner, [stale]))
        #expect(story.cancels?.canceled == [stale])
        story.place(0, .sell, 0, "10", at: "0.54")
        story.wait(milliseconds: 49)
        #expect(story.trades.isEmpty)
        story.wait(milliseconds: 1)
        #expect(story.trades.map(\.price.description) == ["0.54"])
        #expect(story.status(taker) == "MATCHED")
        #expect(story.reserved(1) == "0")
    }

    @Test func aDelayedOrderCannotBeCancelledByItsOwner() {
        var story = self.delayed()
        story.place(0, .buy, 1, "10", at: "0.5")
        let taker = story.place(1, .buy, 0, "10", at: "0.5")
        story.ask(.cancel(AccountID(index: 1), [taker]))
        #expect(story.cancels?.kept == [CancelReceipt.Kept(hash: taker, reason: .delayed)])
        story.ask(.cancelByVenue(taker))
        #expect(story.notices == ["CANCELLATION CANCELED"])
        story.wait(milliseconds: 500)
        #expect(story.trades.isEmpty)
        #expect(story.reserved(1) == "0")
    }

    @Test func whatFindsNobodyAfterItsDelayRestsOrIsKilled() {
        var story = self.delayed()
        story.split(1, 100)
        let gone = story.place(0, .buy, 0, "10", at: "0.5")
        let rests = story.place(1, .sell, 0, "10", at: "0.5")
        let killed = story.place(1, .sell, 0, "10", at: "0.5", .fok)
        let empty = story.place(1, .sell, 0, "10", at: "0.5", .fak)
        story.ask(.cancel(self.owner, [gone]))
        story.wait(milliseconds: 150)
        #expect(story.status(rests) == "LIVE")
        #expect(story.status(killed)?.hasPrefix("CANCELED_order couldn't be fully filled.") == true)
        #expect(story.status(empty)?.hasPrefix("CANCELED_no orders found to match") == true)
        #expect(story.levels(.ask) == ["0.5×10"])
    }

    @Test func aDelayedOrderIsJudgedAgain() {
        var story = self.delayed()
        story.place(0, .buy, 1, "10", at: "0.5")
        let offGrid = story.place(1, .buy, 0, "10", at: "0.51")
        story.ask(.setTick(story.market.condition, TickSize(micros: 100_000)!))
        story.wait(milliseconds: 150)
        #expect(story.status(offGrid) == "INVALID")
        let stopped = story.place(1, .buy, 0, "10", at: "0.6")
        story.ask(.setMode(.cancelOnly))
        story.wait(milliseconds: 150)
        #expect(story.status(stopped) == "CANCELED")
        #expect(story.reserved(1) == "0")
    }

    @Test func ordersThatDoNotMatchAreNotDelayed() {
        var story = self.delayed()
        story.place(0, .buy, 0, "10", at: "0.5")
        story.place(1, .buy, 1, "10", at: "0.49")
        #expect(story.receipt?.status == .live)
    }
}
