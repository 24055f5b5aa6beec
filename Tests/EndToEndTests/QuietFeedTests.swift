import Shared
import Testing

@testable import DaemonKit

/// A venue at which next to nothing happens, with real processes: nobody is blamed for it.
struct QuietFeedTests {
    /// Silence is suspected after three seconds instead of fifteen, so that a quarter of a minute stands for more than one. A machine
    /// that is slow is no trouble of the venue's.
    private static let settings = [
        "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_SILENCE_MAX_S": "3",
        "POLYBOT_FEED_PING_INTERVAL_S": "1", "POLYBOT_FEED_RECONNECT_DELAY_S": "0.2", "POLYBOT_FEED_JOURNAL": "false",
        "POLYBOT_FEED_TARGET_LATENCY_MS": "60000", "POLYBOT_FEED_BREAKER_LATENCY_MS": "60000",
        "POLYBOT_VENUE_PRICES_WS_URL": "", "POLYBOT_VENUE_BINANCE_WS_URL": "",
    ]
    private static let seconds = Programs.variable("POLYBOT_SOAK") != nil ? 600 : 12

    private static func troubles(_ feed: RunningProgram, after count: Int) -> [String] {
        feed.lines(of: .errors).dropFirst(count).filter { $0.contains("warning feedd") || $0.contains("error feedd") }
    }

    @Test func aQuietVenueIsNoReasonForAWarning() async throws {
        let pipeline = try await Pipeline(["--markets", "12", "--rate", "1"], settings: Self.settings)
        let witness = StormWitness()
        defer { witness.stop() }
        try await witness.listen(to: pipeline.feedSocket)
        try await waitFor("all books to be trusted", state: pipeline.feed.report) { witness.isWhole ? true : nil }
        let before = pipeline.feed.lines(of: .errors).count
        try await Task.sleep(for: .seconds(Self.seconds))
        #expect(Self.troubles(pipeline.feed, after: before) == [])

        // Not a word for longer than a line may be behind the other; then one of the two breaks: it comes back, and the other
        // has nothing to do with it.
        try await pipeline.control(#"{"do":"pause_traffic"}"#)
        try await Task.sleep(for: .seconds(7))
        let quiet = pipeline.feed.lines(of: .errors).count
        try await pipeline.control(#"{"do":"drop","connection":1}"#)
        try await waitFor("the connection to be lost", state: pipeline.feed.report) {
            Self.troubles(pipeline.feed, after: quiet).isEmpty ? nil : true
        }
        try await Task.sleep(for: .seconds(Self.seconds))
        let lost = Self.troubles(pipeline.feed, after: quiet).filter { $0.contains("Market channel lost") }
        #expect(lost.count == 1, "\(Self.troubles(pipeline.feed, after: quiet))")
        let counters = witness.counters
        for name in ["lines_silent", "books_fetched", "markets_suspected", "fallbacks", "audits_doubted"] {
            #expect(counters[name] ?? 0 == 0, "\(name): \(counters)")
        }
        #expect(counters["hashes_mismatched"] == 0 && counters["mirrors_broken"] == 0, "\(counters)")
        // Audits go on, at most one a second.
        let audits = counters["audits"] ?? 0
        #expect(audits > 5 && audits < 2 * Int64(Self.seconds) + 67, "\(counters)")
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}
