import Shared
import Testing

@testable import DaemonKit

/// The pipeline under a script of faults: whatever the venue did, the books are its own in the end.
struct FaultScriptTests {
    private static let steps = [
        (1_500, #""do":"drop","code":1012"#), (2_500, #""do":"reset""#), (3_500, #""do":"lose_next_delta","count":3"#),
        (3_800, #""do":"wrong_hash","count":2"#), (4_100, #""do":"corrupt_next""#),
        (4_400, #""do":"double_next","count":20"#), (4_700, #""do":"delay_next","ms":400"#),
        (5_000, #""do":"reorder_next""#), (5_300, #""do":"cut_next""#), (5_600, #""do":"empty_array""#),
        (5_800, #""do":"broken_json""#), (6_100, #""do":"broken_utf8""#), (7_000, #""do":"huge_frame""#),
        (8_000, #""do":"http_status","status":503,"retry_after":1,"path":"/book","count":3"#),
        (8_000, #""do":"http_lost","path":"/book""#), (8_000, #""do":"lose_next_delta","count":4"#),
        (9_000, #""do":"silence","seconds":3"#), (12_500, #""do":"restart","seconds":1"#),
        (14_500, #""do":"stale_book","seconds":1"#), (14_500, #""do":"lose_next_delta","count":4"#),
        (16_000, #""do":"tick_size""#), (16_500, #""do":"heal""#), (17_500, #""do":"pause_traffic""#),
    ]

    @Test func afterAScriptOfFaultsEveryBookIsTrustedAndNoneIsWrong() async throws {
        let directory = try TemporaryDirectory()
        // Times are those of a feed that is there, however long the daemons take to start.
        let script = try directory.write(
            "faults.jsonl",
            "{\"at_ms\":0,\"do\":\"await_subscription\"}\n"
                + Self.steps.map { "{\"at_ms\":\($0.0),\($0.1)}\n" }.joined())
        // Without the windows that may end while the test runs.
        let pipeline = try await Pipeline(
            ["--markets", "10", "--rate", "600", "--seed", "31", "--script", script],
            settings: [
                "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_RECONNECT_DELAY_S": "0.1",
                "POLYBOT_FEED_SILENCE_MAX_S": "2",
            ])
        let client = try PythonClient(pipeline)
        let audit = try await waitFor("the script's end", within: .seconds(120), state: pipeline.feed.report) {
            let audit = try? await pipeline.get("/audit")
            return audit?["faults"]?["count"]?.integer == Int64(Self.steps.count) ? audit : nil
        }
        let faults = audit["faults"]?["latest"]?.array ?? []
        #expect(faults.allSatisfy { $0["problem"] == nil }, "\(faults)")
        // The faults met somebody: the connection was made anew for each that ended it.
        #expect(audit["channel"]?["opened"]?.integer ?? 0 >= 3, "\(audit)")
        try await waitFor("a status that tells of wrong hashes", state: pipeline.feed.report) {
            client.counter("hashes_mismatched") ?? 0 > 0 ? true : nil
        }
        var truth: [String: JSONValue] = [:]
        for market in try #require(try await pipeline.get("/truth")["markets"]?.array) {
            guard market["slug"]?.string?.contains("updown") == false else { continue }
            let name = try #require(market["market"]?.string)
            let token = try #require(market["tokens"]?.array?.first?.string)
            truth[name] = PythonClient.state(
                ofServed: try await pipeline.get("/truth?token_id=\(token)"), market: name)
        }
        #expect(truth.count == 8)
        try await waitFor(
            "the venue's books, all trusted", within: .seconds(60),
            state: pipeline.feed.report + "\n\(client.books)\n\(truth)"
        ) { client.books == truth ? true : nil }
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}
