import Shared
import Testing

@testable import simvenue

/// What the venue says to orders that it does not take. Source: reference, 2.1, 2.5 and 2.6.
struct EngineRefusalTests {
    @Test(arguments: [
        ("0.005", "0.005"), ("0.995", "0.995"), ("0.403", "0.403"),
    ])
    func aPriceOffTheGridBreaksTheTickRule(price: String, told: String) {
        var story = EngineStory()
        // A size of ten hides nothing: 10 × 0.403 is four decimals at most.
        let hash = story.place(0, .buy, 0, "10", at: price)
        #expect(story.refusal == "order \(hash) is invalid. Price (\(told)) breaks minimum tick size rule: 0.01")
    }

    @Test(arguments: [("10", "10", "1"), ("15", "10", "1.5"), ("100000000", "0.01", "10000000000")])
    func aPriceOfOneOrMoreBreaksTheTickRule(money: String, shares: String, told: String) {
        var story = EngineStory()
        let hash = story.place(0, .buy, 0, maker: micros(money), taker: micros(shares))
        #expect(story.refusal == "order \(hash) is invalid. Price (\(told)) breaks minimum tick size rule: 0.01")
    }

    @Test func aMarketBuyMaySignSharesThatWereRoundedDown() {
        var story = EngineStory(market: engineMarket(tick: 1_000))
        // 9.98 / 0.985 = 10.13197…
        story.place(0, .buy, 0, maker: micros("9.98"), taker: micros("10.1319"), .fak)
        #expect(story.refusal?.hasPrefix("no orders found to match") == true)
        // One unit less would be another price.
        let hash = story.place(0, .buy, 0, maker: micros("9.98"), taker: micros("10.1318"), .fak)
        #expect(story.refusal == "order \(hash) is invalid. Price (0.985017) breaks minimum tick size rule: 0.001")
        // The official client's decimals on this tick are taken, and no more.
        story.place(0, .buy, 0, maker: micros("9.98"), taker: micros("10.13197"), .fak)
        #expect(story.refusal?.hasPrefix("no orders found to match") == true)
        story.place(0, .buy, 0, maker: micros("9.98"), taker: micros("10.131979"), .fak)
        #expect(
            story.refusal
                == "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 5 decimals"
        )
    }

    /// As the official client signs them: `vectors/market_orders.json`.
    @Test(arguments: [
        ("0.1", "350", "583.333", "0.6"), ("0.1", "554.84", "1849.466", "0.3"), ("0.01", "602.52", "825.3698", "0.73"),
    ])
    func clientsRoundSharesAsTheTickSays(tick: String, dollars: String, shares: String, limit: String) throws {
        let order = SignedOrder(
            hash: OrderHash(digest: engineMarket().condition), account: AccountID(index: 0),
            token: engineMarket().first.token, side: .buy, makerAmount: micros(dollars), takerAmount: micros(shares),
            kind: .fok, expiration: 0, isPostOnly: false)
        let market = engineMarket(tick: micros(tick))
        let price = try OrderRules.limit(of: order, in: market, now: engineStart, settings: .init())
        #expect(price.description == limit)
    }

    @Test(arguments: [
        (TradeSide.buy, "5.00001", "10.00002", OrderKind.gtc, "buy", 4, 2),
        (.buy, "5.0005", "10.001", .gtc, "buy", 4, 2),
        (.sell, "10.001", "5.0005", .gtc, "sell", 2, 4),
        (.sell, "10.001", "5.0005", .fok, "sell", 2, 4),
        (.buy, "5.001", "10.002", .fok, "market buy", 2, 4),
    ])
    func amountsWithTooManyDecimalsAreInvalid(
        side: TradeSide, maker: String, taker: String, kind: OrderKind, orders: String, makerDecimals: Int,
        takerDecimals: Int
    ) {
        var story = EngineStory()
        story.split(0, 100)
        story.place(0, side, 0, maker: micros(maker), taker: micros(taker), kind)
        #expect(
            story.refusal
                == "invalid amounts, the \(orders) orders maker amount supports a max accuracy of \(makerDecimals) decimals, taker amount a max of \(takerDecimals) decimals"
        )
    }

    @Test func anOrderThatCouldRestHasAMinimumSize() {
        var story = EngineStory()
        story.place(0, .buy, 0, "4.99", at: "0.5")
        #expect(story.refusal == "Size (4.99) lower than the minimum: 5")
        story.split(0, 10)
        story.place(1, .buy, 0, "10", at: "0.5")
        story.place(0, .sell, 0, "4.99", at: "0.5", .fak)
        #expect(story.receipt?.status == .matched)
    }

    @Test func aBuyThatMatchesAtOnceSpendsADollarAtLeast() {
        var story = EngineStory()
        story.split(0, 100)
        story.place(0, .sell, 0, "10", at: "0.1")
        story.place(1, .buy, 0, "9", at: "0.1")
        #expect(story.refusal == "invalid amount for a marketable BUY order ($0.9), min size: $1")
        story.place(1, .buy, 0, maker: micros("0.99"), taker: micros("9.9"), .fak)
        #expect(story.refusal == "invalid amount for a marketable BUY order ($0.99), min size: $1")
        story.place(1, .buy, 0, "9", at: "0.09")
        #expect(story.receipt?.status == .live)
    }

    @Test func anOrderIsTakenOnceOnly() throws {
        var story = EngineStory()
        let hash = story.place(0, .buy, 0, "10", at: "0.5")
        let again = try #require(story.engine.order(hash)).signed
        let sentence = "order \(hash) is invalid. Duplicated. Same order has already been placed"
        story.ask(.place(again))
        #expect(story.refusal == sentence)
        #expect(story.levels(.bid) == ["0.5×10"])
        story.ask(.cancel(AccountID(index: 0), [hash]))
        story.ask(.place(again))
        #expect(story.refusal == sentence)
    }

    @Test func expirationsBelongToGoodTillDateOrders() {
        var story = EngineStory()
        let later = engineStart.microseconds / 1_000_000 + 1_000
        for (kind, expiration) in [
            (OrderKind.gtc, later), (.fok, later), (.fak, 1), (.gtd, 0), (.gtd, .min), (.gtd, .max),
        ] {
            story.place(0, .buy, 0, maker: micros("5"), taker: micros("10"), kind, expiration: expiration)
            #expect(story.refusal == "invalid expiration", "\(kind) \(expiration)")
        }
    }

    @Test func nonsenseIsAnInvalidPayload() {
        var story = EngineStory()
        for (maker, taker) in [(0, 10), (10, 0), (-5, 10), (Int64.max, 10), (10, Int64.max), (Int64.min, Int64.min)] {
            story.place(0, .buy, 0, maker: maker, taker: taker)
            #expect(story.refusal == "Invalid order payload", "\(maker) \(taker)")
        }
        story.place(0, .buy, 0, maker: micros("5"), taker: micros("10"), .fak, postOnly: true)
        #expect(story.refusal == "Invalid order payload")
    }

    @Test func marketsThatAreUnknownClosedOrNotReadyTakeNothing() {
        var story = EngineStory()
        story.ask(.setAccepting(story.market.condition, false))
        story.place(0, .buy, 0, "10", at: "0.5")
        #expect(story.refusal == "the market is not yet ready to process new orders")
        story.ask(.resolve(story.market.condition, .first))
        story.place(0, .buy, 0, "10", at: "0.5")
        #expect(story.refusal == "No orderbook exists for the requested token id")
        story.ask(
            .place(
                SignedOrder(
                    hash: story.freshHash(), account: AccountID(index: 0), token: engineMarket(5).first.token,
                    side: .buy,
                    makerAmount: 5_000_000, takerAmount: 10_000_000, kind: .gtc, expiration: 0, isPostOnly: false)))
        #expect(story.refusal == "No orderbook exists for the requested token id")
    }

    @Test func modesSayWhatTheyAllow() {
        var story = EngineStory()
        let order = story.place(0, .buy, 0, "10", at: "0.5")
        story.ask(.setMode(.postOnly))
        story.place(0, .buy, 0, "10", at: "0.5")
        #expect(story.refusal == "post-only mode: only post-only orders and cancels are allowed")
        story.place(0, .buy, 0, "10", at: "0.5", postOnly: true)
        #expect(story.receipt?.status == .live)
        story.ask(.setMode(.disabled))
        story.place(0, .buy, 0, "10", at: "0.5", postOnly: true)
        #expect(story.refusal == "Trading is currently disabled")
        story.ask(.setMode(.cancelOnly))
        story.place(0, .buy, 0, "10", at: "0.5", postOnly: true)
        #expect(
            story.refusal
                == "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.")
        story.ask(.cancel(AccountID(index: 0), [order]))
        #expect(story.cancels?.canceled == [order])
        #expect(EngineRefusal.cancelOnly.httpStatus == 503)
        #expect((EngineRefusal.postOnlyMode.code, EngineRefusal.cancelOnly.code) == ("post_only_mode", nil))
    }

    @Test func accountsMayBeClosedOnlyOrBanned() {
        var story = EngineStory()
        story.split(0, 10)
        story.ask(.setStanding(AccountID(index: 0), .closedOnly))
        story.place(0, .buy, 0, "10", at: "0.5")
        #expect(story.refusal == "address in closed only mode")
        story.place(0, .sell, 0, "10", at: "0.5")
        #expect(story.receipt?.status == .live)
        story.ask(.setStanding(AccountID(index: 0), .banned))
        story.place(0, .sell, 0, "10", at: "0.5")
        #expect(story.refusal == "address banned")
    }

    @Test func aPriceThatHoldsNoMoreSaysThatTheVenueIsAtFault() {
        var story = EngineStory()
        for _ in 0..<2 {
            story.ask(.deposit(AccountID(index: 0), Money(micros: micros("10000000"))))
        }
        story.place(0, .buy, 0, maker: micros("1000000"), taker: micros("100000000"))
        #expect(story.receipt?.status == .live)
        story.place(0, .buy, 0, "5", at: "0.01")
        #expect(story.refusal == "could not insert order")
        #expect(EngineRefusal.notInserted.httpStatus == 500)
    }

    @Test func moreUnsettledTradesThanThereMayBeAreNotExecuted() {
        var settings = MatchingEngine.Settings()
        settings.unsettledCountMax = 1
        var story = EngineStory(settings)
        story.place(0, .buy, 0, "20", at: "0.5")
        story.place(1, .buy, 1, "10", at: "0.5")
        #expect(story.receipt?.status == .matched)
        story.place(1, .buy, 1, "10", at: "0.5")
        #expect(story.refusal == "could not run the execution")
        #expect(EngineRefusal.notExecuted.httpStatus == 500)
        story.wait(milliseconds: 7_000)
        story.place(1, .buy, 1, "10", at: "0.5")
        #expect(story.receipt?.status == .matched)
    }
}
