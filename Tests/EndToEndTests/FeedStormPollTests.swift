import Glibc
import Shared
import Testing

@testable import DaemonKit

/// Without a market channel all books are polled.
struct FeedStormPollTests {
    private static let settings = [
        "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_SCANNER_MAX_MARKETS": "1000",
        "POLYBOT_FEED_SILENCE_MAX_S": "2", "POLYBOT_FEED_PING_INTERVAL_S": "1",
    ]

    @Test func moreBooksThanOneRequestTakesArePolledInSeveral() async throws {
        let pipeline = try await Pipeline(
            ["--markets", "530", "--rate", "100", "--seed", "9"], settings: Self.settings,
            beforeDaemons: { port in
                let client = try RESTClient()
                defer { client.stop() }
                let order = #"{"do":"refuse_ws","seconds":3600}"#
                _ = try await client.request(
                    RESTRequest(.post, url: "http://127.0.0.1:\(port)/control", body: Array(order.utf8)))
            })
        let witness = StormWitness()
        defer { witness.stop() }
        try await witness.listen(to: pipeline.feedSocket)
        let status = try await waitFor("all books to be polled", state: pipeline.feed.report) { () -> FeedStatus? in
            guard let status = witness.status, status.mode == .restPolling, status.trusted == status.markets else {
                return nil
            }
            return status.markets > 0 ? status : nil
        }
        #expect(status.markets > 500)
        // The venue refuses a request for more than 500, and none was refused.
        let requests = try await pipeline.get("/audit")["requests"]?.array ?? []
        let polls = requests.filter { $0["request"]?.string == "POST /books" }
        #expect(polls.count == 1 && polls.first?["status"]?.integer == 200, "\(polls)")
        #expect((polls.first?["count"]?.integer ?? 0) >= 2)
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
    /// Both connections are lost and none can be had; later they can.
    @Test func booksArePolledWhileThereIsNoWebSocketAndFollowItAgainWhenItIsBack() async throws {
        let witness = StormWitness()
        let pipeline = try await Pipeline(
            ["--markets", "20", "--rate", "200", "--seed", "10"],
            settings: [
                "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_RECONNECT_DELAY_S": "0.2",
                "POLYBOT_FEED_MAX_RECONNECT_ATTEMPTS": "3",
            ],
            beforeDaemons: { try await witness.follow(port: $0) })
        defer { witness.stop() }
        try await witness.listen(to: pipeline.feedSocket)
        try await waitFor("all books to be trusted", state: pipeline.feed.report) { witness.isWhole ? true : nil }
        #expect(witness.sources == [.webSocket])
        #expect(!pipeline.feed.text(of: .errors).contains("REST polling"))

        try await pipeline.control(#"{"do":"refuse_ws","seconds":3600}"#)
        // Connections are numbered anew when one goes.
        for connection in [3, 2] { try await pipeline.control(#"{"do":"reset","connection":\#(connection)}"#) }
        // The predecessor's users look for this sentence.
        _ = try await pipeline.feed.line(of: .errors) {
            $0.contains("WebSocket unavailable, falling back to REST polling")
        }
        try await waitFor("all books to be polled", state: pipeline.feed.report) { () -> Bool? in
            guard let status = witness.status, status.mode == .restPolling else { return nil }
            return status.trusted == status.markets && witness.sources == [.rest] ? true : nil
        }
        let believed = witness.verdict().believed
        try await waitFor("polled books that change", state: pipeline.feed.report) {
            witness.verdict().believed > believed + 20 ? true : nil
        }

        // What the venue's interface is known to show when it knows nothing, with a hash that is right for it.
        let unproved = witness.counters["books_unproved"] ?? 0
        try await pipeline.control(#"{"do":"stale_book","seconds":3600}"#)
        try await waitFor("books that are not believed", state: pipeline.feed.report) {
            witness.counters["books_unproved"] ?? 0 > unproved + 20 && witness.carried.isEmpty ? true : nil
        }
        try await pipeline.control(#"{"do":"heal"}"#)
        _ = try await pipeline.feed.line(of: .errors) { $0.contains("WebSocket is back, REST polling ends") }
        try await waitFor("all books to follow the channel", state: pipeline.feed.report) {
            witness.isWhole && witness.sources == [.webSocket] ? true : nil
        }
        try await pipeline.control(#"{"do":"pause_traffic"}"#)
        try await waitFor("the last books", state: pipeline.feed.report) { witness.isUpToDate ? true : nil }
        let (wrong, all, faults) = witness.verdict()
        #expect(wrong == 0 && faults.isEmpty, "\(wrong) of \(all), \(faults)")
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
    /// The venue broadcasts it once: the REST interface is asked what became of a market that has no book any more.
    @Test func aMarketThatEndedWhileNobodyListenedIsFoundResolved() async throws {
        let pipeline = try await Pipeline(
            ["--markets", "8", "--rate", "50", "--seed", "11"],
            settings: [
                "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_RECONNECT_DELAY_S": "0.2",
                "POLYBOT_FEED_SILENCE_MAX_S": "2", "POLYBOT_FEED_PING_INTERVAL_S": "1",
                "POLYBOT_FEED_MAX_RECONNECT_ATTEMPTS": "3", "POLYBOT_SCANNER_INTERVAL_S": "3600",
            ])
        let witness = StormWitness()
        defer { witness.stop() }
        try await witness.listen(to: pipeline.feedSocket)
        try await waitFor("all books to be trusted", state: pipeline.feed.report) { witness.isWhole ? true : nil }
        let market = try #require(witness.carried.sorted().first)
        // Nobody else looks after the markets meanwhile.
        kill(pipeline.scanner.pid, SIGSTOP)
        defer { kill(pipeline.scanner.pid, SIGCONT) }
        try await pipeline.control(#"{"do":"refuse_ws","seconds":3600}"#)
        for connection in [2, 1] { try await pipeline.control(#"{"do":"reset","connection":\#(connection)}"#) }
        try await pipeline.control(#"{"do":"resolve","winner":1,"market":"\#(market)"}"#)
        let told = try await pipeline.feed.line(of: .errors) { $0.contains("Market resolved") }
        #expect(told.contains("\(market)") && told.contains("winner=1"), "\(told)")
        try await waitFor("it to be counted", state: pipeline.feed.report) {
            witness.counters["resolutions_learnt"] == 1 ? true : nil
        }
        kill(pipeline.scanner.pid, SIGCONT)
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}
