import DaemonKit
import Shared
import Testing

@testable import feedd

/// What the venue sent, on disk.
@Suite struct RawJournalTests {
    private static func values(_ feed: FeedHarness) throws -> [JSONValue] {
        try feed.rawLines().map { try JSONValue(text: $0) }
    }

    /// Waits until the thread has written so many lines as wanted; the venue that is not there brings others.
    private static func wait(
        for count: Int, in feed: FeedHarness, where isWanted: (JSONValue) -> Bool
    ) async throws -> [JSONValue] {
        let deadline = Instant.now() + .seconds(60)
        while try Self.values(feed).count(where: isWanted) < count && Instant.now() < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        return try Self.values(feed)
    }

    @Test func everyTextIsKeptAsItCame() async throws {
        let feed = try await FeedHarness { $0.feed.journal = true }
        let venue = VenueModel()
        let universe = UniverseBody(markets: [venue.market], age: 0)
        let before = Timestamp.now()
        try await feed.run { feed in try feed.hear(universe) }
        let texts = [
            venue.bookText(outcome: 0), "PONG", "INVALID \"OPERATION\"", #"[{"event_type":"new_market","x":[1, 2]}]"#,
            "[]", "{\"event_type\":\n\"unheard_of\"\n}",
            // What cannot be read: JSON all the same, and no JSON at all.
            #"{"event_type":"book","market":"0x1"}"#, #"{"event_type":"book","#, "[1,\n2",
        ]
        await feed.run { feed in for text in texts { feed.hear(text) } }
        let values = try await Self.wait(for: texts.count, in: feed) { $0["event"] == nil }
        let kept = values.filter { $0["event"] == nil }
        #expect(kept.count == texts.count)
        for (value, text) in zip(kept, texts) {
            let isWhole = (try? JSONValue(text: text)) != nil
            #expect(value["raw"] == (isWhole ? try JSONValue(text: text) : .string(text)), "\(text)")
            let received = try #require(value["received_time"]?.integer)
            #expect(received >= before.microseconds && received <= Timestamp.now().microseconds)
            #expect(value["recv_ms"]?.integer == received / 1_000 && value["connection"]?.integer == 0)
        }
        // Byte for byte, but for a line end that would cut the line.
        let lines = try feed.rawLines()
        #expect(lines.contains { $0.hasSuffix(#""raw":\#(texts[0])}"#) })
        let terms = try #require(values.first { $0["event"]?.string == "terms" }?["terms"])
        #expect(
            terms["market"]?.string == venue.market.condition.description && terms["min_size"]?.integer == 5_000_000)
        #expect(lines.contains { $0.hasSuffix(#""raw":{"event_type": "unheard_of" }}"#) })
        #expect(values.compactMap { $0["f"]?.integer } == (0..<Int64(values.count)).map { $0 }, "nothing is missing")
        let counts = await feed.run { feed in feed.journal?.file.status }
        #expect(counts?.lineCount == Int64(values.count) && counts?.droppedCount == 0 && counts?.failure == nil)
        await feed.stop()
    }

    @Test func whatHappensToALineIsKeptBesideTheTexts() async throws {
        let feed = try await FeedHarness { $0.feed.journal = true }
        try await feed.run { feed in
            try feed.hear(UniverseBody(markets: [.example()], age: 0))
        }
        await feed.run { feed in
            feed.connections[0].onOpened()
            feed.lineLost(0, .silent)
        }
        func isOfLine(_ value: JSONValue) -> Bool {
            guard value["raw"] == nil, value["connection"]?.integer == 0 else { return false }
            return value["event"]?.string == "opened" || value["reason"]?.string == "silent"
        }
        let events = try await Self.wait(for: 2, in: feed, where: isOfLine).filter(isOfLine)
        #expect(events.compactMap { $0["event"]?.string } == ["opened", "dropped"])
        await feed.stop()
    }

    @Test func withoutTheSettingNothingIsKept() async throws {
        let feed = try await FeedHarness()
        try await feed.run { feed in
            try feed.hear(UniverseBody(markets: [.example()], age: 0))
        }
        await feed.run { feed in
            feed.hear("PONG")
            #expect(feed.journal == nil)
        }
        #expect(try feed.rawLines().isEmpty)
        await feed.stop()
    }

    // MARK: What is said of it

    @Test func lossesAreSaidOnceAndTheirEndOnce() {
        var watch = JournalWatch()
        func status(dropped: Int64, failure: String? = nil) -> SegmentedJournal.Status {
            var status = SegmentedJournal.Status()
            status.droppedCount = dropped
            status.failure = failure
            return status
        }
        #expect(watch.note(status(dropped: 0)) == nil && !watch.isDown)
        #expect(watch.note(status(dropped: 3, failure: "full")) == .lost(reason: "full"))
        #expect(watch.note(status(dropped: 5, failure: "full")) == nil && watch.isDown)
        #expect(watch.note(status(dropped: 5, failure: "full")) == nil && watch.isDown)
        #expect(watch.note(status(dropped: 5)) == .kept(lost: 5))
        #expect(watch.note(status(dropped: 5)) == nil && !watch.isDown)
        // A disk that is only slow.
        #expect(watch.note(status(dropped: 6)) == .lost(reason: "the disk is too slow"))
        #expect(watch.note(status(dropped: 8)) == nil)
        #expect(watch.note(status(dropped: 8)) == .kept(lost: 3))
    }
}
