import DaemonKit
import Shared
import Testing

@testable import feedd

/// What the service does around its cores: markets that come, change and go, and what it says of them.
@Suite struct FeedServiceTests {
    private static func universe(_ markets: Market...) -> UniverseBody { UniverseBody(markets: markets, age: 0) }

    /// The market of that number, with tokens of its own.
    private static func market(_ number: Int, first: TokenID? = nil, second: TokenID? = nil) -> Market {
        let number = UInt64(number)
        return Market.example(
            condition: ConditionID(words: (0, 0, 0, number)), first: first ?? TokenID(words: (0, 0, 1, 2 * number)),
            second: second ?? TokenID(words: (0, 0, 1, 2 * number + 1)))
    }

    @Test func aUniverseThatIsNotWholeChangesNothing() async throws {
        let feed = try await FeedHarness()
        let (first, second) = (VenueModel().market, Self.market(2))
        try await feed.run { feed in
            try feed.hear(Self.universe(first))
            // A part is missing, comes twice, or the first is.
            for parts in [[(1, 3), (3, 3)], [(1, 3), (2, 3), (2, 3), (3, 3)], [(2, 2)]] as [[(Int64, Int64)]] {
                for (part, count) in parts {
                    try feed.hear(UniverseBody(markets: [second], age: 0, part: part, parts: count))
                }
            }
            #expect(feed.universe[first.condition] != nil && feed.universe[second.condition] == nil)
            #expect(feed.counters["scanner_frames_malformed"] ?? 0 >= 4)
            // One that goes on for ever is given up.
            for part in 1...Int64(FeedService.universeCountMax + 1) {
                try feed.hear(UniverseBody(markets: [second], age: 0, part: part, parts: .max))
            }
            #expect(feed.universeParts.count <= FeedService.universeCountMax)
            // And a whole one is taken after all.
            try feed.hear(UniverseBody(markets: [first], age: 0, part: 1, parts: 2))
            try feed.hear(UniverseBody(markets: [second], age: 0, part: 2, parts: 2))
            #expect(feed.universe[first.condition] != nil && feed.universe[second.condition] != nil)
        }
    }

    @Test func aMarketThatEndedIsToldOnceAndNeverBelievedAgain() async throws {
        let feed = try await FeedHarness()
        let venue = VenueModel()
        let market = venue.market
        let resolved = """
            {"event_type":"market_resolved","market":"\(market.condition)","winning_asset_id":"\(market.second.token)",\
            "timestamp":"1786845514999"}
            """
        try await feed.run { feed in try feed.hear(Self.universe(market)) }
        let subscriber = try await feed.subscriber(.all)
        try await subscriber.wait { $0.contains("book 1 false") }
        await feed.run { feed in
            feed.hear(venue.bookText(outcome: 0))
            feed.hear(resolved)
            feed.hear(resolved)
            // The line is opened anew, and the venue shows the book once more.
            feed.hear(venue.bookText(outcome: 0))
            #expect(feed.market(market.condition)?.builder.isTrusted == false)
            feed.lineLost(0, .dropped)
            #expect(feed.market(market.condition)?.builder.isResolved == true)
        }
        let late = try await feed.subscriber(.all)
        try await late.wait { $0.contains("resolved 1") && $0.contains("book 1 false") }
        #expect(Array(late.all.prefix(3)) == ["result", "market 1", "resolved 1"])
        let told = subscriber.all.filter { $0 != "market_hint" }
        #expect(told.suffix(3) == ["book 1 true", "resolved 1", "trust resolved"])
        await feed.stop()
    }

    @Test func whatIsBroadcastOfMarketsIsPassedOnWhoeverCarriesThem() async throws {
        let feed = try await FeedHarness()
        let subscriber = try await feed.subscriber(.only([]))
        try await subscriber.wait { $0.contains("result") }
        let condition = VenueModel().market.condition
        await feed.run { feed in
            feed.hear(
                #"{"event_type":"new_market","market":"\#(condition)","slug":"a-market","timestamp":"1786845514999"}"#)
            feed.hear(#"{"event_type":"market_resolved","market":"\#(condition)","timestamp":"1786845514999"}"#)
            feed.hear(#"{"event_type":"new_market","slug":7}"#)
        }
        try await subscriber.wait { $0.filter { $0 == "market_hint" }.count == 3 }
        await feed.stop()
    }

    @Test func outcomesThatChangePlacesMakeAnotherMarket() async throws {
        let feed = try await FeedHarness()
        let venue = VenueModel()
        let market = venue.market
        let swapped = Self.market(1, first: market.second.token, second: market.first.token)
        let changed = MarketChanged(market: swapped, changed: ["outcomes"], old: [:])
        try await feed.run { feed in
            try feed.hear(Self.universe(market))
        }
        try await feed.run { feed in
            feed.hear(venue.bookText(outcome: 0))
            #expect(feed.market(market.condition)?.builder.isTrusted == true)
            try feed.hear(changed)
        }
        await feed.run { feed in
            #expect(feed.market(market.condition)?.n == 2)
            #expect(feed.market(market.condition)?.builder.isTrusted == false)
            #expect(feed.market(market.condition)?.builder.market.first.token == market.second.token)
            #expect(feed.markets.count == 1 && feed.marketsByToken.count == 2)
        }
        await feed.stop()
    }

    @Test func whatWasCarriedLeavesNothingBehind() async throws {
        let feed = try await FeedHarness()
        let markets = (1...50).map { Self.market($0) }
        try await feed.run { feed in try feed.hear(UniverseBody(markets: markets, age: 0)) }
        let checked = await feed.run { feed in
            for market in markets { feed.hear(VenueModel(market: market).bookText(outcome: 0)) }
            return feed.markets.values.reduce(0) { $0 + $1.builder.counters.checked }
        }
        #expect(checked == 50)
        try await feed.run { feed in try feed.hear(UniverseBody(markets: [], age: 0)) }
        await feed.run { feed in
            #expect(feed.markets.isEmpty && feed.marketsByCondition.isEmpty && feed.marketsByToken.isEmpty)
            #expect(feed.connections.allSatisfy { $0.tokenCount == 0 && $0.markets.isEmpty })
            #expect(feed.pastBooks.checked == 50, "counters never go back")
        }
        await feed.stop()
    }

    @Test func aSubscriberOfThousandsOfMarketsIsNotTooSlow() async throws {
        let feed = try await FeedHarness()
        let markets = (1...2_500).map { number in
            var market = Self.market(number)
            market.question = String(repeating: "q", count: 500)
            return market
        }
        try await feed.run { feed in
            for start in stride(from: 0, to: markets.count, by: 500) {
                try feed.hear(
                    UniverseBody(
                        markets: Array(markets[start..<start + 500]), age: 0, part: Int64(start / 500 + 1), parts: 5))
            }
        }
        let subscriber = try await feed.subscriber(.all)
        try await subscriber.wait { lines in lines.contains("book 2500 false") }
        #expect(subscriber.all.count == 5_001)
        await feed.stop()
    }

    @Test func theTermsOfANamedMarketComeFromTheScannerWhenItListsIt() async throws {
        let feed = try await FeedHarness()
        var known = Market.example()
        known.slug = ""
        known.endTime = Timestamp(microseconds: 0)
        let bare = known
        try await feed.run { feed in try feed.hear(Self.universe(bare)) }
        let subscriber = try await feed.subscriber(.only([bare.condition]))
        try await subscriber.wait { $0.contains("book 1 false") }
        try await feed.run { feed in try feed.hear(MarketAdded(market: .example())) }
        try await subscriber.wait { $0.count { $0 == "market 1" } == 2 }
        let slug = await feed.run { feed in feed.market(bare.condition)?.builder.market.slug }
        #expect(slug == Market.example().slug)
        await feed.stop()
    }

    @Test func manyBooksThatFailAtOnceLeaveTheLogReadable() async throws {
        let feed = try await FeedHarness()
        let markets = (1...300).map { Self.market($0) }
        try await feed.run { feed in try feed.hear(UniverseBody(markets: markets, age: 0)) }
        await feed.run { feed in
            for market in markets {
                var venue = VenueModel(market: market)
                let line = feed.market(market.condition)?.connection ?? 0
                feed.hear(venue.bookText(outcome: 0), on: line)
                venue.time += 1
                let lost = venue.operate(.bid, "0.4", 3)
                venue.time += 1
                _ = lost
                feed.hear(venue.operate(.bid, "0.3", 3), on: line)
                venue.time += 1
                feed.hear(venue.operate(.bid, "0.2", 3), on: line)
                #expect(feed.market(market.condition)?.builder.trust == .untrusted(.hashMismatch))
            }
        }
        #expect(feed.log.count("Book is not trusted") == Int(SparingLog.burst))
        let deadline = Instant.now() + .seconds(60)
        while feed.log.count("Lines were left out") == 0 && Instant.now() < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(feed.log.count("Lines were left out") > 0)
        await feed.stop()
    }

    @Test func aPolledBookLivesByItsOwnPolls() async throws {
        let feed = try await FeedHarness {
            $0.feed.silenceMax = .milliseconds(50)
            $0.feed.reconnectDelay = .milliseconds(10)
        }
        let venues = [1, 2].map { VenueModel(market: Self.market($0)) }
        try await feed.run { feed in try feed.hear(Self.universe(venues[0].market, venues[1].market)) }
        let deadline = Instant.now() + .seconds(60)
        while await feed.run({ !$0.lookups.isPolling }) && Instant.now() < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        let books = venues.map { $0.restBook(outcome: 0) }
        await feed.run { feed in
            let markets = venues.map { feed.market($0.market.condition)! }
            let now = Instant.now()
            feed.takePolled(books, askedAt: now + .seconds(-2))
            #expect(markets.allSatisfy { $0.builder.isTrusted })
            // The next answer leaves one out; the other has not changed. The one after comes too late.
            feed.takePolled([books[0]], askedAt: now)
            markets[1].polledAt = now + .seconds(-4)
            feed.check()
            #expect(markets[0].builder.isTrusted)
            #expect(markets[1].builder.trust == .untrusted(.restStale))
            feed.takePolled(books, askedAt: now + .seconds(-4))
            #expect(markets[0].builder.isTrusted)
            #expect(markets[1].builder.trust == .untrusted(.restStale))
        }
        #expect(feed.log.count("Books are not trusted, no poll confirmed them") == 1)
        #expect(feed.log.count("WebSocket unavailable, falling back to REST polling") == 1)
        await feed.stop()
    }
}
