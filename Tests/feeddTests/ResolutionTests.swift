import DaemonKit
import Shared
import Testing

@testable import feedd

/// A market's end that no line told is asked for.
@Suite struct ResolutionTests {
    /// One that asks nothing by itself while the test runs, however slow the machine is.
    private static func calmFeed() async throws -> FeedHarness {
        try await FeedHarness { $0.feed.silenceMax = .seconds(900) }
    }

    private static func carry(_ market: Market, in feed: isolated FeedService) throws -> CarriedMarket {
        try feed.hear(UniverseBody(markets: [market], age: 0))
        let carried = feed.market(market.condition)
        return try #require(carried)
    }

    private static func asks(_ feed: isolated FeedService, _ now: Instant, _ time: Timestamp) -> Bool {
        let before = feed.counters["resolutions_asked"] ?? 0
        feed.lookups.isResolving = false
        feed.askForResolution(now: now, time: time)
        return feed.counters["resolutions_asked"] ?? 0 > before
    }

    @Test func whatHasATrustedBookBeforeItsEndIsNotAskedFor() async throws {
        let feed = try await Self.calmFeed()
        let venue = VenueModel()
        try await feed.run { feed in
            let market = try Self.carry(venue.market, in: feed)
            let pause = feed.context.configuration.feed.silenceMax * 4
            let (start, end) = (Instant.now(), venue.market.endTime)
            let isEarlyAsked = Self.asks(feed, start, end)
            #expect(!isEarlyAsked, "it may still get its first book")
            feed.hear(venue.bookText(outcome: 0), on: 0)
            #expect(market.isTrusted)
            let answers = [
                Self.asks(feed, start + pause * 3, end + pause),
                Self.asks(feed, start + pause * 3, end + pause + .milliseconds(1)),
                Self.asks(feed, start + pause * 4, end + pause * 3),
                Self.asks(feed, start + pause * 4 + .milliseconds(1), end + pause * 3),
            ]
            #expect(answers == [false, true, false, true], "once its end is long past, and not again at once")
            feed.lookups.isResolving = true
            feed.askForResolution(now: start + pause * 9, time: end + pause * 9)
            #expect(feed.counters["resolutions_asked"] == 2, "one question at a time")
        }
        await feed.stop()
    }

    @Test func aMarketWithoutABookForLongIsAskedForAndItsEndIsToldOnce() async throws {
        let feed = try await Self.calmFeed()
        var market = VenueModel().market
        // The service asks by its own clock too.
        market.endTime = .now() + .seconds(86_400)
        let (carriedMarket, end) = (market, market.endTime)
        try await feed.run { feed in _ = try Self.carry(carriedMarket, in: feed) }
        let subscriber = try await feed.subscriber(.all)
        try await subscriber.wait { $0.contains { $0.hasPrefix("market 1") } }
        try await feed.run { feed in
            let found = feed.market(carriedMarket.condition)
            let carried = try #require(found)
            let pause = feed.context.configuration.feed.silenceMax * 4
            let since = try #require(carried.untrustedSince)
            feed.askForResolution(now: since + pause, time: end)
            #expect(feed.counters["resolutions_asked"] == nil)
            feed.askForResolution(now: since + pause + .milliseconds(1), time: end)
            #expect(feed.counters["resolutions_asked"] == 1)
            // A line named none, and one that is none of the market's.
            feed.hear(
                #"{"event_type":"market_resolved","market":"\#(carriedMarket.condition)","winning_asset_id":"77","timestamp":"1786845514999"}"#
            )
            #expect(carried.resolution == nil && feed.counters["winners_unknown"] == 1)
            feed.hear(
                #"{"event_type":"market_resolved","market":"\#(carriedMarket.condition)","winning_asset_id":null,"timestamp":"1786845514999"}"#
            )
            #expect(carried.resolution?.winner == .some(nil))
            feed.takeWinner(1, of: carried)
            feed.takeWinner(0, of: carried)
            #expect(carried.resolution?.winner == 1 && carried.builder.isResolved)
            #expect(feed.counters["resolutions_learnt"] == 1)
        }
        #expect(feed.log.count("Market resolved") == 2)
        await feed.stop()
    }

    @Test func theJournalTellsWhoeverPlaysIt() throws {
        let event = JournalEvent.resolved(n: 3, winner: 1, at: Timestamp(microseconds: 77))
        func line(_ members: String) throws -> JournalLine {
            let text = #"{"f":1,"connection":0,"received_time":5,\#(members)}"#
            return try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(JSONError) in try JournalLine(bytes) }
        }
        var writer = JSONWriter()
        writer.object { event.writeMembers(to: &$0) }
        let members = String(decoding: writer.bytes.dropFirst().dropLast(), as: UTF8.self)
        #expect(try line(members).content == .event(event))
        for wrong in [#""event":"resolved","n":3,"time":77"#, #""event":"resolved","n":3,"winner":2,"time":77"#] {
            #expect(throws: JSONError.self) { try line(wrong) }
        }
    }
}
