import DaemonKit
import Shared
import Testing

@testable import feedd

/// A line that lies with the right hash of its lie: which of two it is, only a third can say.
@Suite struct DisputeTests {
    /// Two lines' venues, which were one until one of them began to lie.
    private struct Story {
        var truth = VenueModel()
        var lie = VenueModel()

        /// One operation; the lie has another level beside it for ever.
        mutating func operate(_ shares: Int64, isLie: Bool = true) -> (truth: String, lie: String) {
            self.truth.time += 1
            self.lie.time = self.truth.time
            return (
                self.truth.operate(.bid, "0.4", shares), self.lie.operate(.bid, "0.4", isLie ? shares + 1 : shares)
            )
        }

        /// What REST shows of a book that nobody told.
        func strangeBook(at time: Int64) -> RESTBook {
            var strange = VenueModel()
            strange.time = time
            _ = strange.operate(.bid, "0.01", 1_000)
            return strange.restBook()
        }
    }

    /// - Parameter liar: the connection that lies; 0 leads.
    /// - Returns: a feed in the midst of a dispute, both lines having shown their books anew.
    private func dispute(liar: Int) async throws -> (FeedHarness, Story, FeedSubscriber) {
        let feed = try await FeedHarness()
        var story = Story()
        let (market, book) = (story.truth.market, story.truth.bookText(outcome: 0))
        try await feed.run { feed in
            try feed.hear(UniverseBody(markets: [market], age: 0))
            for connection in 0...1 { feed.hear(book, on: connection) }
        }
        let subscriber = try await feed.subscriber(.all)
        try await subscriber.wait { $0.contains("book 1 true") }
        story = try await feed.run { [story] feed in
            var story = story
            try Self.contradict(feed, &story, liar: liar)
            return story
        }
        return (feed, story, subscriber)
    }

    /// Two looks make it certain without waiting, where both went on meanwhile.
    private static func contradict(_ feed: isolated FeedService, _ story: inout Story, liar: Int) throws {
        let carried = feed.market(story.truth.market.condition)
        let market = try #require(carried)
        for shares in Int64(3)...5 {
            #expect(market.isTrusted)
            let texts = story.operate(shares)
            feed.hear(texts.truth, on: 1 - liar)
            feed.hear(texts.lie, on: liar)
            // Nobody went on since the look before.
            for _ in 0...1 { feed.compareConnections(of: market, now: .now()) }
        }
        #expect(market.dispute != nil && !market.isTrusted && market.builder.trust == .untrusted(.hashMismatch))
        #expect(feed.counters["lines_contradict"] == 1)
        feed.hear(story.truth.bookText(outcome: 0), on: 1 - liar)
        feed.hear(story.lie.bookText(outcome: 0), on: liar)
        // Each is built on, and nobody is told.
        #expect(market.builder.isTrusted && market.follower?.builder.isTrusted == true && !market.isTrusted)
    }

    @Test(arguments: 0...1) func whoseBookTheVenueShowsLeads(liar: Int) async throws {
        let (feed, story, subscriber) = try await self.dispute(liar: liar)
        try await feed.run { feed in
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            // As long as nobody tells, nothing is believed.
            for seconds in Int64(1)...100 { feed.compareConnections(of: market, now: .now() + .seconds(seconds)) }
            #expect(!market.isTrusted && feed.server.onSnapshotWanted(1, nil)?.isTrusted == false)
            let epoch = market.builder.epoch
            feed.take(story.truth.restBook(), fetchedFor: market)
            #expect(market.isTrusted && market.connection == 1 - liar && market.builder.epoch > epoch)
            #expect(market.builder.book.levels == story.truth.book.levels)
            #expect(market.follower?.builder.trust == .untrusted(.hashMismatch))
            #expect(feed.counters["lines_convicted"] == 1 && feed.lookups.liars == [liar])
        }
        try await subscriber.wait { $0.last == "book 1 true" && $0.contains { $0.hasPrefix("trust") } }
        #expect(feed.log.count("A connection tells books that are not the venue's") == 1)
        await feed.stop()
    }

    /// Nothing between the first lie and the verdict is told of it.
    @Test func inTheMidstOfADisputeNobodyHearsOfChanges() async throws {
        let (feed, first, subscriber) = try await self.dispute(liar: 0)
        try await subscriber.wait { $0.contains { $0.hasPrefix("trust") } }
        let told = subscriber.all.count { $0.hasPrefix("delta") || $0.hasPrefix("book") }
        try await feed.run { feed in
            var story = first
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            for shares in Int64(6)...9 {
                let texts = story.operate(shares)
                feed.hear(texts.truth, on: 1)
                feed.hear(texts.lie, on: 0)
            }
            // The line of one is lost and comes again: it tells of its own loss, and no book.
            feed.lineLost(0, .dropped)
            feed.hear(story.lie.bookText(outcome: 0), on: 0)
            #expect(market.builder.isTrusted && !market.isTrusted && market.connection == 0)
            feed.resolve(story.truth, of: market)
            #expect(market.dispute == nil && market.conviction == nil, "nobody is asked whose book is right")
        }
        try await subscriber.wait { $0.contains("trust resolved") }
        #expect(subscriber.all.count { $0.hasPrefix("delta") || $0.hasPrefix("book") } == told)
        await feed.stop()
    }

    @Test func aBookThatIsOldOrNobodysDecidesNothing() async throws {
        let (feed, first, _) = try await self.dispute(liar: 1)
        try await feed.run { feed in
            var story = first
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            // From before the dispute, when both were right.
            feed.take(VenueModel().restBook(), fetchedFor: market)
            #expect(!market.isTrusted)
            let early = story.truth.restBook()
            let texts = story.operate(6)
            feed.hear(texts.truth, on: 0)
            feed.hear(texts.lie, on: 1)
            for time in [story.truth.time - 1, story.truth.time, story.truth.time + 60_000] {
                feed.take(story.strangeBook(at: time), fetchedFor: market)
            }
            #expect(!market.isTrusted && feed.counters["lines_convicted"] == nil)
            // A little behind both is enough: each has told its book of that moment.
            feed.take(early, fetchedFor: market)
            #expect(market.isTrusted && market.connection == 0)
        }
        await feed.stop()
    }

    /// A slow line is not a lying one: it has not come to what the venue shows.
    @Test func whoIsBehindWhatTheVenueShowsIsNotConvicted() async throws {
        let (feed, first, _) = try await self.dispute(liar: 1)
        try await feed.run { feed in
            var story = first
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            feed.hear(story.operate(6).truth, on: 0)
            feed.take(story.truth.restBook(), fetchedFor: market)
            #expect(!market.isTrusted && feed.counters["lines_convicted"] == nil)
            // Of a line that is gone nothing is to be expected, and the other's book is the venue's at present.
            feed.lineLost(1, .dropped)
            feed.take(story.truth.restBook(), fetchedFor: market)
            #expect(market.isTrusted && market.connection == 0)
        }
        await feed.stop()
    }

    @Test func whoAgreesAgainIsBelievedAndTheSecondTimeOnlyAfterAMinute() async throws {
        let (feed, first, subscriber) = try await self.dispute(liar: 1)
        try await feed.run { feed in
            var story = first
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            story.lie = story.truth
            feed.hear(story.operate(9, isLie: false).truth, on: 0)
            feed.hear(story.lie.bookText(outcome: 0), on: 1)
            feed.compareConnections(of: market, now: .now())
            #expect(market.isTrusted && market.connection == 0 && feed.counters["lines_convicted"] == nil)
        }
        try await subscriber.wait { $0.last == "book 1 true" }
        try await feed.run { feed in
            var story = first
            story.truth.time += 10
            story.lie = story.truth
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            for connection in 0...1 { feed.hear(story.truth.bookText(outcome: 0), on: connection) }
            feed.counters["lines_contradict"] = nil
            try Self.contradict(feed, &story, liar: 1)
            story.lie = story.truth
            feed.hear(story.truth.bookText(outcome: 0), on: 1)
            let now = Instant.now()
            for seconds in Int64(0)...59 { feed.compareConnections(of: market, now: now + .seconds(seconds)) }
            #expect(!market.isTrusted)
            feed.compareConnections(of: market, now: now + Dispute.relapseMax)
            #expect(market.isTrusted)
        }
        await feed.stop()
    }

    @Test func aConvictedLineNeitherLeadsNorDisputesUntilAMinuteWithoutALie() async throws {
        let (feed, first, _) = try await self.dispute(liar: 1)
        try await feed.run { feed in
            var story = first
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            feed.take(story.truth.restBook(), fetchedFor: market)
            // It lies on: the other is believed all the same, and the REST interface is asked now and then.
            feed.hear(story.lie.bookText(outcome: 0), on: 1)
            for shares in Int64(6)...7 {
                let texts = story.operate(shares)
                feed.hear(texts.truth, on: 0)
                feed.hear(texts.lie, on: 1)
            }
            let now = Instant.now()
            feed.lookups.doubted = []
            feed.compareConnections(of: market, now: now)
            #expect(market.isTrusted && feed.lookups.doubted == [market.n])
            feed.lineLost(0, .dropped)
            #expect(!market.isTrusted && market.connection == 0, "the liar does not lead")
            feed.hear(story.truth.bookText(outcome: 0), on: 0)
            story.lie = story.truth
            feed.hear(story.truth.bookText(outcome: 0), on: 1)
            feed.compareConnections(of: market, now: now + .seconds(1))
            feed.compareConnections(of: market, now: now + (Conviction.duration - .seconds(1)))
            #expect(market.conviction != nil)
            feed.compareConnections(of: market, now: now + (Conviction.duration + .seconds(1)))
            #expect(market.conviction == nil)
            feed.lineLost(0, .dropped)
            #expect(market.isTrusted && market.connection == 1)
        }
        await feed.stop()
    }

    /// Who was found right once may lie later.
    @Test func whoLeadsOnTheVenuesWordIsConvictedOnItsWordToo() async throws {
        let (feed, first, _) = try await self.dispute(liar: 1)
        try await feed.run { feed in
            var story = first
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            feed.take(story.truth.restBook(), fetchedFor: market)
            swap(&story.truth, &story.lie)
            feed.hear(story.truth.bookText(outcome: 0), on: 1)
            for shares in Int64(6)...7 {
                let texts = story.operate(shares)
                feed.hear(texts.truth, on: 1)
                feed.hear(texts.lie, on: 0)
            }
            feed.take(story.truth.restBook(), fetchedFor: market)
            #expect(market.isTrusted && market.connection == 1 && market.conviction?.connection == 0)
            #expect(market.builder.book.levels == story.truth.book.levels)
        }
        await feed.stop()
    }

    @Test func whatIsPolledEndsADispute() async throws {
        let (feed, story, _) = try await self.dispute(liar: 1)
        try await feed.run { feed in
            let carried = feed.market(story.truth.market.condition)
            let market = try #require(carried)
            for connection in 0...1 { feed.lineLost(connection, .dropped) }
            feed.take(story.truth.restBook(), polledFor: market)
            #expect(market.isTrusted && market.builder.source == .rest)
        }
        await feed.stop()
    }

    /// One question for 500 books at most, one at a time, and nobody waits for ever.
    @Test func manyDisputesAreAskedForInOneRoundAfterTheOther() async throws {
        let feed = try await FeedHarness()
        let markets = (1...600 as ClosedRange<UInt64>).map {
            Market.example(
                condition: ConditionID(words: (0, 0, 0, $0)), first: TokenID(words: (0, 0, 1, 2 * $0)),
                second: TokenID(words: (0, 0, 1, 2 * $0 + 1)))
        }
        try await feed.run { feed in
            try feed.hear(UniverseBody(markets: markets, age: 0))
            for market in feed.markets.values { feed.beginDispute(of: market) }
            let start = Instant.now()
            var asked: [Int] = []
            for look in 0..<4 {
                let now = start + .milliseconds(200 * Int64(look))
                let before = feed.markets.values.count { $0.mayBeJudged(now: now) }
                feed.lookups.isArbitrating = false
                for market in feed.markets.values { _ = feed.heed(nil, of: market, now: now) }
                feed.arbitrate(now: now)
                asked.append(before - feed.markets.values.count { $0.mayBeJudged(now: now) })
                #expect(feed.lookups.doubted.isEmpty)
                // Who is still waiting for an answer asks nothing.
                for market in feed.markets.values { _ = feed.heed(nil, of: market, now: now) }
                feed.arbitrate(now: now)
            }
            #expect(asked == [500, 100, 0, 500], "each market twice a second at most")
            #expect(feed.counters["arbitrations"] == 3)
        }
        await feed.stop()
    }
}

extension FeedService {
    /// As if the venue had said that the market is over.
    fileprivate func resolve(_ venue: VenueModel, of market: CarriedMarket) {
        self.hear(
            """
            {"event_type":"market_resolved","market":"\(venue.market.condition)","id":"1",\
            "winning_asset_id":"\(venue.market.first.token)","timestamp":"\(venue.time)"}
            """, on: market.connection)
    }
}
