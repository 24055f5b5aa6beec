import Glibc
import Shared
import Testing

@testable import DaemonKit

/// What a feed recorded is played by another, and whoever listens cannot tell.
struct ReplayTests {
    private static let faults = [
        #"{"do":"lose_next_delta","count":3}"#, #"{"do":"drop","code":1012,"connection":1}"#,
        #"{"do":"wrong_hash","count":2}"#,
        #"{"do":"tick_size"}"#, #"{"do":"broken_json"}"#, #"{"do":"reset"}"#, #"{"do":"lose_next_delta","count":3}"#,
        #"{"do":"reorder_next"}"#, #"{"do":"double_next","count":20}"#, #"{"do":"drop","code":1012}"#,
        // What is asked of a line that is gone shows it in the midst of a text.
        #"{"do":"lose_next_delta","count":30}"#, #"{"do":"drop"}"#, #"{"do":"lie","connection":1,"seconds":3}"#,
    ]

    private static func tap(_ runtimeDirectory: String) throws -> RunningProgram {
        try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "feedd", "--runtime-dir", runtimeDirectory, "--type", "book,delta,trade,trust,tick_size"])
    }

    /// Changes by market, epoch and number: what two listeners both got must be the same. The rest by kind.
    private static func changes(_ tap: RunningProgram) throws -> [String: JSONValue] {
        var changes: [String: JSONValue] = [:]
        for line in tap.lines(of: .output) {
            let frame = try JSONValue(parsing: line.utf8)
            guard frame["type"]?.string == "delta", var body = frame["body"]?.object else { continue }
            body["received_time"] = nil
            let key = ["n", "epoch", "update"].map { "\(body[$0]?.integer ?? -1)" }.joined(separator: " ")
            #expect(changes.updateValue(.object(body), forKey: key) == nil, "\(key) came twice")
        }
        return changes
    }

    @Test(.timeLimit(.minutes(3))) func aStormIsPlayedAsItWas() async throws {
        let pipeline = try await Pipeline(
            ["--markets", "6", "--rate", "400", "--seed", "31"],
            settings: ["POLYBOT_FEED_RECONNECT_DELAY_S": "0.2", "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown"])
        let listener = try Self.tap(pipeline.directory.path)
        func waitForLines(_ count: Int) async throws {
            let target = listener.lines(of: .output).count + count
            try await waitFor("frames", state: pipeline.feed.report) {
                listener.lines(of: .output).count >= target ? true : nil
            }
        }
        for fault in Self.faults {
            try await waitForLines(100)
            try await pipeline.control(fault)
        }
        try await waitForLines(300)
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
        _ = try await listener.waitForEnd()
        let recorded = try Self.changes(listener)

        let directory = try TemporaryDirectory()
        let feed = try RunningProgram(
            Programs.path(of: "feedd"),
            [
                "--replay", pipeline.directory.file("state"), "--speed", "max", "--runtime-dir", directory.path,
                "--state-dir", directory.file("state"),
            ], in: directory.path)
        _ = try await feed.line(of: .errors) { $0.contains("Waiting for a subscriber") }
        let second = try Self.tap(directory.path)
        #expect(try await feed.waitForEnd() == .exited(0), "\(feed.report)")
        _ = try await second.waitForEnd()
        let played = try Self.changes(second)

        #expect(feed.text(of: .errors).contains("The journal was played to its end gaps=0"), "\(feed.report)")
        #expect(recorded.count > 500 && played.count >= recorded.count)
        let different = recorded.filter { played[$0.key] != $0.value }.sorted { $0.key < $1.key }
        #expect(
            different.isEmpty,
            """
            \(different.count) of \(recorded.count), such as \(different.prefix(3)), \
            and played \(different.prefix(3).map { played[$0.key] })
            """)
        // Nothing was written beside the journal that was played.
        #expect(access(directory.file("state") + "/raw", F_OK) != 0)
    }
}
