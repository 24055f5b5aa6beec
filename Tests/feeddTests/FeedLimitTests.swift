import DaemonKit
import Shared
import Testing

@testable import feedd

/// Latencies that the configuration sets bounds to, by their keys and by the predecessor's names.
@Suite struct FeedLimitTests {
    private static let names: [[String: String]] = [
        ["POLYBOT_FEED_BREAKER_LATENCY_MS": "300", "POLYBOT_FEED_TARGET_LATENCY_MS": "40"],
        ["LATENCY_THRESHOLD_MS": "300", "TARGET_LATENCY_MS": "40"],
    ]

    private static func harness(_ environment: [String: String]) async throws -> FeedHarness {
        let loaded = try Configuration.load(
            path: nil, environment: environment, readsDotEnv: false, commandLine: [])
        return try await FeedHarness {
            $0.feed = loaded.feed
            $0.feed.journal = false
            $0.feed.breakerErrors = 2
        }
    }

    @Test(arguments: names)
    func aSlowAnswerCountsAsAnErrorOfTheVenue(environment: [String: String]) async throws {
        let feed = try await Self.harness(environment)
        await feed.run { feed in
            feed.noteAnswer(after: .milliseconds(301))
            feed.noteAnswer(after: .milliseconds(300))
            feed.noteAnswer(after: .milliseconds(301))
            #expect(!feed.health.isOpen, "an answer in time ends the row")
            feed.noteAnswer(after: .milliseconds(5_000))
            #expect(feed.health.isOpen && feed.counters["answers_slow"] == 3 && feed.counters["breaker_opened"] == 1)
            let isAllowed = feed.health.allows(now: .now())
            #expect(!isAllowed)
        }
        #expect(feed.log.count("The REST interface keeps failing and is left alone for a while") == 1)
        await feed.stop()
    }

    /// Somebody asks for a market that the venue does not know, just when one request may show whether it is well again.
    @Test func aRefusalOfWhatWasAskedShowsThatTheVenueAnswers() async throws {
        let feed = try await Self.harness([:])
        await feed.run { feed in
            let failedAt = Instant.now() + (.seconds(-1) - feed.context.configuration.feed.breakerTimeout)
            for _ in 0..<2 { feed.health.failed(now: failedAt) }
            #expect(feed.health.isOpen)
            let isProbed = feed.mayAsk(.market)
            let mayOthers = feed.mayAsk(.books)
            #expect(isProbed && !mayOthers)
            feed.noteFailure(.status(404, retryAfter: nil))
            let mayOthersNow = feed.mayAsk(.books)
            #expect(mayOthersNow && feed.health.state == .healthy)
        }
        await feed.stop()
    }

    @Test func pollingEndsWithAnotherSentenceWhereNothingIsLeftToPoll() async throws {
        let feed = try await Self.harness([:])
        await feed.run { feed in
            feed.lookups.isPolling = true
            feed.updatePolling()
        }
        #expect(feed.log.count("Nothing is left to poll") == 1)
        #expect(feed.log.count("WebSocket is back, REST polling ends") == 0)
        await feed.stop()
    }

    @Test(arguments: names)
    func latenessIsToldInTheStatusAndOnceInTheLog(environment: [String: String]) async throws {
        let feed = try await Self.harness(environment)
        var venue = VenueModel()
        let (market, book) = (venue.market, venue.bookText(outcome: 0))
        try await feed.run { feed in try feed.hear(UniverseBody(markets: [market], age: 0)) }
        let subscriber = try await feed.subscriber(.all)
        // A first book tells of a change long ago, which says nothing of the line.
        await feed.run { feed in feed.hear(book) }
        try await subscriber.wait { $0.contains("book 1 true") }
        try await subscriber.waitForStatus { $0.counters["latency_above_target"] == 0 }
        #expect(await feed.run { $0.wholeLatency.count } == 0)
        venue.time = Timestamp.now().microseconds / 1_000 - 60
        let late = venue.operate(.bid, "0.4", 3)
        let before = subscriber.statusCount
        await feed.run { feed in feed.hear(late) }
        let told = try await subscriber.waitForStatus(after: before) { $0.counters["latency_above_target"] == 1 }
        // The next second has no text at all.
        try await subscriber.waitForStatus(after: told) { $0.counters["latency_above_target"] == 0 }
        #expect(feed.log.count("Books come later than they should") == 1)
        #expect(feed.log.count("Books come in time again") == 0)
        await feed.stop()
    }

    @Test func latenessIsSaidOnceAndItsEndAfterTenCalmIntervals() {
        var watch = LatencyWatch(target: .milliseconds(100))
        #expect(watch.note(latency: 100_000, count: 5) == nil && !watch.isAbove)
        #expect(watch.note(latency: 100_001, count: 5) == .passed && watch.isAbove)
        #expect(watch.note(latency: 250_000, count: 5) == nil && watch.isAbove)
        for _ in 1..<LatencyWatch.calmCountMin {
            #expect(watch.note(latency: 1_000, count: 5) == nil && !watch.isAbove)
        }
        // Late again just before it would have been well: the count begins anew, and nothing is said.
        #expect(watch.note(latency: 250_000, count: 1) == nil && watch.isAbove)
        for _ in 1..<LatencyWatch.calmCountMin {
            #expect(watch.note(latency: 1_000, count: 5) == nil)
            #expect(watch.note(latency: 0, count: 0) == nil, "silence is neither calm nor late")
        }
        #expect(watch.note(latency: 1_000, count: 5) == .recovered)
        #expect(watch.note(latency: 100_001, count: 5) == .passed)
    }
}
