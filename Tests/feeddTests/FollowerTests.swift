import DaemonKit
import Logging
import Shared
import Testing

@testable import feedd

/// Two connections carry a market, each with books of its own: when the leader fails, the follower's are published at once.
@Suite struct FollowerTests {
    private static func operate(
        _ venue: inout VenueModel, _ side: BookSide, _ price: String, _ shares: Int64
    ) -> String {
        venue.time += 1
        return venue.operate(side, price, shares)
    }

    private static func universe(_ market: Market) -> UniverseBody { UniverseBody(markets: [market], age: 0) }

    /// A feed that carries one market, with both books trusted.
    private func pair() async throws -> (FeedHarness, VenueModel, FeedSubscriber) {
        let feed = try await FeedHarness()
        let venue = VenueModel()
        try await feed.run { feed in
            try feed.hear(Self.universe(venue.market))
            feed.hear(venue.bookText(outcome: 0), on: 0)
            feed.hear(venue.bookText(outcome: 0), on: 1)
        }
        let subscriber = try await feed.subscriber(.all)
        try await subscriber.wait { $0.contains { $0.hasPrefix("book 1") } }
        return (feed, venue, subscriber)
    }

    @Test func whatTheLeaderLosesTheFollowerHas() async throws {
        let (feed, first, subscriber) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            let lost = Self.operate(&venue, .bid, "0.4", 3)
            feed.hear(lost, on: 1)
            for size in Int64(1)...2 {
                let text = Self.operate(&venue, .bid, "0.3", size)
                feed.hear(text, on: 1)
                feed.hear(text, on: 0)
            }
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            #expect(market.connection == 1 && market.builder.isTrusted && market.builder.isSettled)
            #expect(market.builder.epoch == 2 && market.builder.update == 1)
            #expect(market.builder.book.levels == venue.book.levels)
            #expect(market.follower?.builder.trust == .untrusted(.hashMismatch))
        }
        // Nobody was told to distrust anything.
        try await subscriber.wait { $0.count { $0.hasPrefix("book 1") } == 2 }
        #expect(subscriber.all.contains { $0.hasPrefix("trust") } == false)
        await feed.stop()
    }

    @Test func aFollowerThatIsBehindDoesNotLeadUntilItHasCaughtUp() async throws {
        let (feed, first, subscriber) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            let ahead = Self.operate(&venue, .bid, "0.4", 3)
            feed.hear(ahead, on: 0)
            feed.lineLost(0, .dropped)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            #expect(!market.builder.isTrusted && market.connection == 0)
            feed.hear(ahead, on: 1)
            #expect(market.builder.isTrusted && market.connection == 1 && market.builder.epoch == 2)
            #expect(market.builder.book.levels == venue.book.levels)
        }
        try await subscriber.wait { $0.count { $0.hasPrefix("book 1") } == 2 }
        #expect(subscriber.all.count { $0.hasPrefix("trust") } == 1)
        await feed.stop()
    }

    @Test func eachPrintIsPublishedOnceWhoeverTellsItFirst() async throws {
        let (feed, first, subscriber) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            venue.time += 1
            _ = venue.operate(.bid, "0.4", 9)
            _ = venue.operate(.ask, "0.6", 9)
            for connection in 0...1 { feed.hear(venue.bookText(outcome: 0), on: connection) }
            venue.time += 1
            let tradeone = venue.trade(side: .ask, size: Quantity(shares: 1), taker: 0)
            let one = try #require(tradeone).texts
            venue.time += 1
            let tradetwo = venue.trade(side: .ask, size: Quantity(shares: 2), taker: 0)
            let two = try #require(tradetwo).texts
            for text in one { feed.hear(text, on: 1) }
            for text in one { feed.hear(text, on: 0) }
            // The second comes on one line alone before the other is lost, and once more on the new line.
            for text in two { feed.hear(text, on: 1) }
            feed.lineLost(0, .dropped)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            #expect(market.connection == 1 && market.builder.isTrusted)
            feed.hear(venue.bookText(outcome: 0), on: 0)
            for text in two { feed.hear(text, on: 0) }
        }
        try await subscriber.wait { $0.count { $0.hasPrefix("trade") } == 2 }
        let counters = await feed.run { feed in feed.counters }
        #expect(counters["trades"] == 2)
        await feed.stop()
    }

    @Test func aConnectionThatIsLateLosesTheLead() async throws {
        let (feed, first, _) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            feed.hear(Self.operate(&venue, .bid, "0.4", 3), on: 1)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            let start = Instant.now()
            feed.compareConnections(of: market, now: start)
            feed.compareConnections(of: market, now: start + LagWatch.lagMax)
            #expect(market.connection == 0)
            feed.compareConnections(of: market, now: start + LagWatch.lagMax + .milliseconds(1))
            #expect(market.connection == 1 && market.builder.isTrusted && market.builder.epoch == 2)
            #expect(market.follower?.builder.trust == .untrusted(.silent))
        }
        await feed.stop()
    }

    /// The venue's clock was set back, and one line lost the last word: by its time the one that is right seems behind.
    @Test(arguments: [0, 1]) func aClockThatIsSetBackDoesNotMakeOldBooksRight(loser: Int) async throws {
        let (feed, first, _) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            let text = Self.operate(&venue, .bid, "0.4", 3)
            for line in 0...1 { feed.hear(text, on: line) }
            venue.time -= 50
            feed.hear(Self.operate(&venue, .bid, "0.4", 5), on: 1 - loser)
            // Whichever line is asked shows the venue's book. By its time alone the one that is right is blamed, and once more.
            for look in 0..<16 {
                feed.compareConnections(of: market, now: Instant.now() + .milliseconds(Int64(look) * 700))
                let follower = try #require(market.follower)
                if !follower.builder.isTrusted { feed.hear(venue.bookText(outcome: 0), on: follower.connection) }
                if !market.builder.isTrusted { feed.hear(venue.bookText(outcome: 0), on: market.connection) }
            }
            #expect(market.isTrusted && market.builder.book.levels == venue.book.levels)
            #expect(market.follower?.builder.book.levels == venue.book.levels)
            #expect(feed.counters["lines_contradict"] == 1)
        }
        await feed.stop()
    }

    /// A line that lies with the right hash of its lie: nobody can say which of the two it is.
    @Test func twoBooksOfOneMomentAreBothNotBelieved() async throws {
        let (feed, first, subscriber) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            var lie = first
            feed.hear(Self.operate(&venue, .bid, "0.4", 3), on: 0)
            feed.hear(Self.operate(&lie, .bid, "0.4", 7), on: 1)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            #expect(market.builder.isSettled && market.follower?.builder.isSettled == true)
            let start = Instant.now()
            feed.compareConnections(of: market, now: start)
            feed.compareConnections(of: market, now: start + LagWatch.lagMax)
            #expect(market.builder.isTrusted, "one may be in the midst of a millisecond's operations")
            feed.compareConnections(of: market, now: start + LagWatch.lagMax + .milliseconds(1))
            #expect(market.builder.trust == .untrusted(.hashMismatch) && market.connection == 0)
            #expect(market.follower?.builder.trust == .untrusted(.hashMismatch))
            #expect(feed.counters["lines_contradict"] == 1)
            // Both show their books anew, and agree.
            lie = venue
            feed.hear(venue.bookText(outcome: 0), on: 0)
            feed.hear(venue.bookText(outcome: 0), on: 1)
            #expect(!market.isTrusted && market.follower?.builder.isTrusted == true)
            for later in [2_000, 4_000, 6_000] as [Int64] {
                feed.compareConnections(of: market, now: start + .milliseconds(later))
            }
            #expect(market.isTrusted && market.builder.book.levels == venue.book.levels)
        }
        try await subscriber.wait { $0.contains { $0.hasPrefix("trust") } }
        await feed.stop()
    }

    /// Books come for both outcomes, and the second's says nothing of the first's hash.
    @Test(arguments: [[0, 1], [1, 0]]) func aLieIsSeenThroughBooksOfBothOutcomes(outcomes: [Int]) async throws {
        let (feed, first, _) = try await self.pair()
        try await feed.run { feed in
            var (venue, lie) = (first, first)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            for shares in Int64(3)...5 {
                feed.hear(Self.operate(&venue, .bid, "0.4", shares), on: 0)
                _ = Self.operate(&lie, .bid, "0.4", shares + 7)
                for outcome in outcomes { feed.hear(lie.bookText(outcome: outcome), on: 1) }
                #expect(market.follower?.builder.hash == lie.hash(outcome: 0))
                feed.compareConnections(of: market, now: .now())
            }
            #expect(market.dispute != nil && !market.isTrusted)
        }
        await feed.stop()
    }

    /// The same once both go on within the second: it was a message between two others.
    @Test func whoIsInTheMidstOfAMillisecondContradictsNobody() async throws {
        let (feed, first, _) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            let one = Self.operate(&venue, .bid, "0.4", 3)
            let two = venue.operate(.bid, "0.3", 5)
            feed.hear(one, on: 0)
            feed.hear(two, on: 0)
            feed.hear(one, on: 1)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            let start = Instant.now()
            feed.compareConnections(of: market, now: start)
            feed.hear(two, on: 1)
            feed.compareConnections(of: market, now: start + .milliseconds(900))
            feed.compareConnections(of: market, now: start + .milliseconds(5_000))
            #expect(market.builder.isTrusted && market.follower?.builder.isTrusted == true)
            #expect(feed.counters["lines_contradict"] == nil)
        }
        await feed.stop()
    }

    @Test func aFollowerInTheMidstOfAnOperationIsNotBlamedForALateLeader() async throws {
        let (feed, first, _) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            feed.hear(Self.operate(&venue, .bid, "0.4", 3), on: 1)
            venue.time += 1
            let texts = venue.operate([.init(.bid, "0.3", 2), .init(.bid, "0.2", 2)])
            feed.hear(texts[0], on: 1)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            let now = Instant.now()
            feed.compareConnections(of: market, now: now + .seconds(-2))
            feed.compareConnections(of: market, now: now)
            #expect(market.connection == 0 && market.follower?.builder.isTrusted == true)
            feed.hear(texts[1], on: 1)
            feed.compareConnections(of: market, now: now)
            #expect(market.connection == 1 && market.builder.isTrusted)
        }
        await feed.stop()
    }

    @Test func aTickThatOneConnectionTellsIsOneForBoth() async throws {
        let (feed, first, subscriber) = try await self.pair()
        try await feed.run { feed in
            var venue = first
            venue.time += 1
            let text = venue.changeTick(to: TickSize(micros: 1_000)!)
            feed.hear(text, on: 1)
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            #expect(!market.builder.isTrusted && market.follower?.builder.isTrusted == false)
            feed.hear(text, on: 0)
            feed.hear(venue.bookText(outcome: 0), on: 1)
            #expect(
                market.builder.isTrusted && market.connection == 1
                    && market.builder.book.tick == TickSize(micros: 1_000)!)
        }
        try await subscriber.wait { $0.contains { $0.hasPrefix("tick_size") } }
        #expect(subscriber.all.count { $0.hasPrefix("tick_size") } == 1)
        await feed.stop()
    }

    @Test func aLineThatDoesNotTellWhatTheOtherToldIsOpenedAnew() async throws {
        let (feed, first, _) = try await self.pair()
        await feed.run { feed in
            var venue = first
            for connection in feed.connections { connection.isReplayedLive = true }
            // In a quiet hour one of them is asked for a book.
            feed.hear(venue.bookText(outcome: 0), on: 0)
            feed.compareLines(now: .now() + .seconds(3_600))
            #expect(feed.counters["lines_silent"] == nil)
            let text = Self.operate(&venue, .bid, "0.4", 3)
            feed.hear(text, on: 0)
            feed.compareLines(now: .now())
            #expect(feed.counters["lines_silent"] == nil)
            feed.compareLines(now: .now() + TwinWatch.lagMax + .seconds(1))
            #expect(feed.counters["lines_silent"] == 1)
            // Said once; and who comes as far is well.
            feed.compareLines(now: .now() + .seconds(60))
            for connection in 0...1 { feed.hear(Self.operate(&venue, .bid, "0.4", 4), on: connection) }
            feed.hear(venue.bookText(outcome: 0), on: 0)
            feed.compareLines(now: .now() + .seconds(3_600))
            #expect(feed.counters["lines_silent"] == 1)
        }
        #expect(feed.log.count("A connection says nothing while the other does") == 1)
        await feed.stop()
    }
}
