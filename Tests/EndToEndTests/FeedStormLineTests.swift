import Shared
import Testing

@testable import DaemonKit

/// One of feedd's two connections is silent, dead or lying, and the other is right: nothing wrong is published, and little is missed.
struct FeedStormLineTests {
    /// How long each trouble goes on.
    private static let stormSeconds = 5
    private static let settings = [
        "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_RECONNECT_DELAY_S": "0.2",
        "POLYBOT_FEED_SILENCE_MAX_S": "3", "POLYBOT_FEED_PING_INTERVAL_S": "1",
        // Who fails on purpose is asked again soon.
        "POLYBOT_FEED_BREAKER_TIMEOUT_S": "1",
    ]

    /// What happens to the one connection, at each step of a storm one of these.
    private static let troubles: [(name: String, faults: [String])] = [
        ("silent", [#""silence","seconds":2,"pong":true"#, #""lose_next_delta","count":20"#]),
        ("dead", [#""silence","seconds":10"#, #""drop""#, #""reset""#]),
        (
            "lying",
            [
                #""corrupt_next","count":20"#, #""wrong_hash","count":20"#, #""reorder_next","count":3"#,
                #""double_next","count":10"#, #""delay_next","ms":300,"count":10"#, #""broken_json""#,
            ]
        ),
    ]

    /// The lie has the right hashes, and whoever could tell does not answer at first, and then late.
    private static func lieWhileNobodyAnswers(_ pipeline: Pipeline, _ witness: StormWitness) async throws {
        #expect(witness.counters["lines_contradict"] == nil)
        for path in ["/book", "/books"] {
            try await pipeline.control(#"{"do":"http_status","status":503,"path":"\#(path)","count":3}"#)
            // Its book is past by the time it comes.
            try await pipeline.control(#"{"do":"http_slow","ms":900,"path":"\#(path)","count":12}"#)
        }
        try await pipeline.control(#"{"do":"lie","seconds":60,"connection":3}"#)
        let state = { "\(witness.counters)\n\(pipeline.feed.report)" }
        try await waitFor("the contradiction to be seen", state: state()) {
            (witness.counters["lines_contradict"] ?? 0) > 0 ? true : nil
        }
        // Some markets may not have changed on both connections yet.
        try await Task.sleep(for: .seconds(2))
        let noticed = Instant.now()
        try await waitFor("the verdict", state: state()) { (witness.counters["lines_convicted"] ?? 0) > 0 ? true : nil }
        let counters = witness.counters
        #expect((counters["arbitrations_failed"] ?? 0) + (counters["books_not_fetched"] ?? 0) > 0, "\(counters)")
        let statuses = witness.statusCount
        try await waitFor("all books to be trusted again", state: state()) {
            witness.statusCount > statuses && witness.isWhole ? true : nil
        }
        #expect(witness.wrongStates(believedAfter: noticed) == 0)
    }

    @Test func whenOneOfTwoConnectionsFailsNothingWrongIsPublished() async throws {
        let seed = Programs.variable("SIMULATION_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        let witness = StormWitness()
        let pipeline = try await Pipeline(
            ["--markets", "20", "--rate", "1000", "--seed", "\(seed % 1_000_000)"], settings: Self.settings,
            beforeDaemons: { try await witness.follow(port: $0) })
        defer { witness.stop() }
        try await witness.listen(to: pipeline.feedSocket)
        try await waitFor("all books to be trusted", state: pipeline.feed.report) { witness.isWhole ? true : nil }
        for (name, faults) in Self.troubles {
            let believed = witness.verdict().believed
            let end = ContinuousClock.now + .seconds(Self.stormSeconds)
            while ContinuousClock.now < end {
                let fault = faults[Int.random(in: 0..<faults.count, using: &random)]
                // A connection that begins anew is the younger one: only that has trouble. It may be away just now.
                try? await pipeline.control(#"{"do":\#(fault),"connection":3}"#)
                try await Task.sleep(for: .milliseconds(Int64.random(in: 100...600, using: &random)))
            }
            let statuses = witness.statusCount
            try await pipeline.control(#"{"do":"heal"}"#)
            try await waitFor("all books to be trusted again", state: "\(name), seed \(seed)\n\(pipeline.feed.report)")
            {
                witness.statusCount > statuses && witness.isWhole ? true : nil
            }
            let verdict = witness.verdict()
            #expect(verdict.wrong == 0, "\(name), SIMULATION_SEED=\(seed)")
            #expect(verdict.faults == [], "\(name), SIMULATION_SEED=\(seed)")
            #expect(verdict.believed - believed > 20 * Self.stormSeconds, "\(name): too little came of the other one")
        }
        try await Self.lieWhileNobodyAnswers(pipeline, witness)
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}
