import DaemonKit
import Shared
import Testing

@testable import feedd

/// The REST interface is asked about quiet markets, and what it says is a reason to ask the lines again.
@Suite struct AuditTests {
    private static func carry(_ market: Market, in feed: isolated FeedService) throws -> CarriedMarket {
        try feed.hear(UniverseBody(markets: [market], age: 0))
        let carried = feed.market(market.condition)
        return try #require(carried)
    }

    @Test func otherMarketsThatArePolledDoNotKeepAQuietOneFromBeingAskedFor() async throws {
        let feed = try await FeedHarness()
        let venue = VenueModel()
        try await feed.run { feed in
            let market = try Self.carry(venue.market, in: feed)
            feed.hear(venue.bookText(outcome: 0), on: 0)
            feed.lookups.isPolling = true
            market.audit.want()
            feed.audit()
            #expect(feed.counters["audits"] == 1)
        }
        await feed.stop()
    }

    /// Two operations in one millisecond, and the first of them once more: a book that was true, and is no longer.
    @Test func anotherBookOfTheSameMomentIsAReasonToAskAgain() async throws {
        let feed = try await FeedHarness()
        try await feed.run { feed in
            var venue = VenueModel()
            let market = try Self.carry(venue.market, in: feed)
            for line in 0...1 { feed.hear(venue.bookText(outcome: 0), on: line) }
            venue.time += 1
            let texts = [venue.operate(.bid, "0.4", 5), venue.operate(.bid, "0.4", 0)]
            for text in texts + [texts[0]] {
                for line in 0...1 { feed.hear(text, on: line) }
            }
            #expect(market.builder.book.levels != venue.book.levels && market.builder.isSettled)
            let fetched = venue.restBook()
            feed.compare(fetched)
            #expect(feed.counters["audits_doubted"] == 1)
            // The line is asked, and shows what is.
            for line in 0...1 { feed.hear(venue.bookText(outcome: 0), on: line) }
            #expect(market.builder.book.levels == venue.book.levels && market.isTrusted)
            feed.compare(fetched)
            #expect(feed.counters["audits_doubted"] == 1)
        }
        await feed.stop()
    }

    @Test func theSameBookIsNoReasonForAnything() async throws {
        let feed = try await FeedHarness()
        try await feed.run { feed in
            var venue = VenueModel()
            _ = try Self.carry(venue.market, in: feed)
            for outcome in 0...1 {
                for line in 0...1 { feed.hear(venue.bookText(outcome: outcome), on: line) }
                feed.compare(venue.restBook())
            }
            let early = venue.restBook()
            venue.time += 1
            let text = venue.operate(.bid, "0.4", 5)
            for line in 0...1 { feed.hear(text, on: line) }
            feed.compare(early)
            feed.compare(venue.restBook())
            #expect(feed.counters["audits_doubted"] == nil)
        }
        await feed.stop()
    }

    /// While there was no line at all the polls told the terms; then the second one comes back alone.
    @Test func theLineThatComesBackFirstIsBuiltOnWithTheTermsThatWerePolled() async throws {
        let feed = try await FeedHarness()
        let venue = VenueModel()
        try await feed.run { feed in
            var market = venue.market
            market.sizeMin = Quantity(shares: 77)
            let carried = try Self.carry(market, in: feed)
            feed.take(venue.restBook(), polledFor: carried)
            #expect(carried.isTrusted && carried.builder.source == .rest)
            feed.hear(venue.bookText(outcome: 0), on: 1)
            #expect(carried.isTrusted && carried.connection == 1 && carried.builder.source == .webSocket)
        }
        await feed.stop()
    }
}
