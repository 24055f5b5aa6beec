import Shared
import Testing

@testable import DaemonKit

/// Without a market channel all books are polled, of more markets than the venue takes in one request.
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
}
