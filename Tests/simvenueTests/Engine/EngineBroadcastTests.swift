import Shared
import Testing

@testable import simvenue

/// The engine as the market channel tells of it.
struct EngineBroadcastTests {
    /// What the venue shows of the engine's markets, before any order.
    private func listing(_ engine: MatchingEngine) -> MarketRegister {
        var listing = MarketRegister()
        var hasher = BookHasher()
        for (index, market) in engine.markets.enumerated() {
            let event = ListedEvent(
                id: index, slug: "event", title: "Event", series: nil, isNegRisk: false, startTime: nil,
                endTime: market.terms.endTime)
            _ = listing.add(
                ListedMarket(
                    id: index, kind: .dated, event: event, market: market.terms, feeType: nil, listedTime: engineStart,
                    bookTime: someTime, hasher: &hasher))
        }
        return listing
    }

    @Test(arguments: [21, 22, 23] as [UInt64])
    func everyHashIsRightAndEveryBookIsTheEngines(seed: UInt64) throws {
        // Slow enough that a print comes before the next match: only then a reader can tell which one it is of.
        var storm = EngineStorm(seed: seed, allowsDelay: false, pause: 90..<180)
        var listing = self.listing(storm.engine)
        var broadcast = EngineBroadcast(seed: seed)
        var follower = Follower()
        follower.meet(listing)
        follower.takeDump(listing)
        for _ in 0..<3_000 {
            var batch = MessageBatch()
            for event in storm.step() { broadcast.tell(event, &listing, into: &batch) }
            follower.read(batch)
        }
        follower.finish()
        #expect(follower.problems.prefix(3) == [], "ENGINE_SEED=\(seed)")
        #expect(follower.checkedCount > 1_500)
        #expect(follower.printCount.values.reduce(0, +) > 100)
        #expect(follower.kinds[.tickSizeChange, default: 0] > 0)
        #expect(follower.kinds[.bestBidAsk, default: 0] > 100)
        for (index, market) in storm.engine.markets.enumerated() {
            let book = try #require(follower.book(of: market.terms.condition))
            for side in [BookSide.bid, .ask] {
                #expect(book.levels(side) == market.book.shown(side, outcome: 0), "market \(index)")
            }
        }
    }

    @Test func aMatchIsToldAsTheVenueDoes() throws {
        var story = EngineStory()
        story.split(0, 100)
        story.place(0, .sell, 0, "10", at: "0.5")
        story.place(0, .sell, 0, "10", at: "0.51")
        var listing = self.listing(story.engine)
        var broadcast = EngineBroadcast(seed: 1)
        for price in ["0.5", "0.51"] {
            let isKept = listing[0].book.set(.ask, Price(decimal: price)!, Quantity(shares: 10))
            #expect(isKept)
        }
        // Who sells what he lacks buys the other: the taker's terms are those of the second token.
        story.split(1, 100)
        let order = SignedOrder(
            hash: story.freshHash(), account: AccountID(index: 1), token: story.market.second.token, side: .sell,
            makerAmount: micros("15"), takerAmount: micros("7.2"), kind: .gtc, expiration: 0, isPostOnly: false)
        var batch = MessageBatch()
        for event in story.engine.handle(.place(order), now: story.time) {
            broadcast.tell(event, &listing, into: &batch)
        }
        let texts = (0..<batch.count).map { batch.text(at: $0) }
        #expect(
            texts.map { String($0.dropFirst(15).prefix { $0 != "\"" }) } == [
                "price_change", "price_change", "book", "best_bid_ask", "best_bid_ask",
            ])
        #expect(texts[2].contains(story.market.second.token.description))
        #expect(!texts[2].contains("tick_size"))
        #expect(broadcast.owesPrint(story.market.condition))
        let due = try #require(broadcast.nextTime)
        #expect(EngineBroadcast.printDelays.contains(Int((due - story.time).milliseconds)))
        batch.clear()
        broadcast.advance(to: due + .milliseconds(-1), listing, into: &batch)
        #expect(batch.isEmpty)
        broadcast.advance(to: due, listing, into: &batch)
        #expect(batch.count == 1 && !broadcast.owesPrint(story.market.condition))
        #expect(batch.text(at: 0).contains(#""price":"0.49","size":"15","side":"SELL""#))
    }

    /// A story with ten levels to buy from, told; the buyer has what it takes.
    private func storyOfAsks(_ broadcast: inout EngineBroadcast) -> (story: EngineStory, listing: MarketRegister) {
        var story = EngineStory()
        story.split(0, 100)
        for cents in 50..<60 { story.place(0, .sell, 0, "5", at: "0.\(cents)") }
        var listing = self.listing(story.engine)
        broadcast.show(story.engine.markets[0].book, as: &listing[0], at: story.time)
        return (story, listing)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func printsThatOverlapComeInTheOrderOfTheirMatches(seed: UInt64) throws {
        var broadcast = EngineBroadcast(seed: seed)
        var (story, listing) = self.storyOfAsks(&broadcast)
        #expect(listing[0].book.askCount == 10)
        var batch = MessageBatch()
        for cents in 50..<60 {
            let order = SignedOrder(
                hash: story.freshHash(), account: AccountID(index: 1), token: story.market.first.token, side: .buy,
                makerAmount: Int64(cents) * 50_000, takerAmount: 5_000_000, kind: .gtc, expiration: 0, isPostOnly: false
            )
            for event in story.engine.handle(.place(order), now: story.time) {
                broadcast.tell(event, &listing, into: &batch)
            }
            story.time = story.time + .milliseconds(3)
        }
        #expect(broadcast.owesPrint(story.market.condition))
        broadcast.advance(to: story.time + .seconds(1), listing, into: &batch)
        #expect(!broadcast.owesPrint(story.market.condition) && broadcast.nextTime == nil)
        let prints = batch.entries.indices.map { batch.text(at: $0) }.filter {
            $0.contains("last_trade_price\",\"asset")
        }
        #expect(prints.count == 10)
        for (print, cents) in zip(prints, 50..<60) {
            #expect(print.contains("\"price\":\"\(Decimal6.text(Int64(cents) * 10_000))\""), "\(print)")
        }
    }

    @Test func aMarketThatEndedOwesNoPrint() throws {
        var broadcast = EngineBroadcast(seed: 1)
        var (story, listing) = self.storyOfAsks(&broadcast)
        var batch = MessageBatch()
        let order = SignedOrder(
            hash: story.freshHash(), account: AccountID(index: 1), token: story.market.first.token, side: .buy,
            makerAmount: 2_500_000, takerAmount: 5_000_000, kind: .gtc, expiration: 0, isPostOnly: false)
        for request in [.place(order), .resolve(story.market.condition, .first)] as [EngineRequest] {
            for event in story.engine.handle(request, now: story.time) {
                broadcast.tell(event, &listing, into: &batch)
            }
        }
        batch.clear()
        broadcast.advance(to: story.time + .seconds(1), listing, into: &batch)
        #expect(batch.isEmpty && !broadcast.owesPrint(story.market.condition))
    }

    @Test func theEndOfAMarketIsToldAfterItsBookIsEmpty() {
        var story = EngineStory()
        var listing = self.listing(story.engine)
        var broadcast = EngineBroadcast(seed: 1)
        var batch = MessageBatch()
        story.place(0, .buy, 0, "10", at: "0.5")
        listing[0].book = OrderBook(tick: .cent)
        for event in story.engine.handle(.resolve(story.market.condition, .second), now: story.time) {
            broadcast.tell(event, &listing, into: &batch)
        }
        #expect(batch.text(at: 0).contains("price_change"))
        #expect(batch.text(at: batch.count - 1).contains(#""winning_outcome":"No""#))
        #expect((listing[0].isClosed, listing[0].winner) == (true, 1))
    }
}
