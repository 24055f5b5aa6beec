import Shared
import Testing

@testable import DaemonKit

/// Every fault of market data by itself, on one of feedd's two connections: it is noticed within its limit, all is well within five
/// seconds of its end, and nothing wrong is published.
struct FeedStormLimitTests {
    /// How it shows that feedd noticed.
    private enum Sign {
        /// One of these counts of `feed_status` goes up.
        case counted([String])
        /// A sentence of the log, with this in its reason.
        case told(String, String = "")
    }

    private struct Fault {
        let name: String
        /// What else `/control` is told, or of the fault itself.
        var more = ""
        /// Of feedd's connections, how many it happens to; the venue itself where there is none.
        var lineCount = 1
        /// Whether a market must be named that feedd carries.
        var isOfMarket = false
        /// Comes before it.
        var first: String?
        let signs: [(sign: Sign, limit: Duration)]
    }

    private static let silenceMax = 3
    /// All books must be trusted again, on both connections, so long after the end of a fault.
    private static let recoveryMax = Duration.seconds(5)
    /// `feed_status` comes each second, and feedd looks at its books five times a second.
    private static let statusMax = Duration.seconds(2)
    private static let settings = [
        "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_RECONNECT_DELAY_S": "0.2",
        "POLYBOT_FEED_SILENCE_MAX_S": "\(silenceMax)", "POLYBOT_FEED_PING_INTERVAL_S": "1",
        "POLYBOT_FEED_BREAKER_TIMEOUT_S": "1",
    ]

    /// A few may be healed unseen by the whole books that follow trades.
    private static let several = #","count":20"#
    private static let mismatched = (sign: Sign.counted(["hashes_mismatched"]), limit: Self.unsettledMax)
    private static let malformed = (sign: Sign.counted(["texts_malformed"]), limit: Duration.zero)
    private static func lost(_ reason: String) -> (sign: Sign, limit: Duration) {
        (.told("Market channel lost", reason), .zero)
    }
    /// An operation that is half told is one that lost a message after so long.
    private static let unsettledMax = Duration.seconds(1)
    /// Of two connections, one that has not told what the other has is late after so long, and dead after so long.
    private static let lateMax = Duration.seconds(1)
    private static let twinMax = Duration.seconds(5)
    /// Until a book is asked of the REST interface, and answered.
    private static let fetchMax = Duration.seconds(2)

    /// Fault, and limit within which it must be noticed; `statusMax` comes on top of each.
    private static let faults = [
        Fault(name: "lose_next_delta", more: Self.several, signs: [Self.mismatched]),
        Fault(name: "corrupt_next", more: Self.several, signs: [Self.mismatched]),
        Fault(name: "wrong_hash", more: Self.several, signs: [Self.mismatched]),
        Fault(name: "delay_next", more: #","ms":700"# + Self.several, signs: [Self.mismatched]),
        Fault(name: "reorder_next", more: Self.several, signs: [Self.mismatched]),
        Fault(name: "double_next", more: #","count":5"#, signs: [(.counted(["repeated"]), .zero)]),
        Fault(name: "cut_next", signs: [Self.malformed]),
        Fault(name: "broken_json", signs: [Self.malformed]),
        Fault(name: "broken_utf8", signs: [Self.lost("not UTF-8")]),
        Fault(name: "huge_frame", signs: [Self.lost("larger than 16777216 bytes")]),
        Fault(name: "drop", signs: [Self.lost("")]),
        Fault(name: "drop", more: #","code":1012"#, signs: [Self.lost("")]),
        Fault(name: "reset", signs: [Self.lost("")]),
        Fault(
            name: "drop", first: #"{"do":"refuse_ws","seconds":60}"#,
            signs: [Self.lost(""), (.told("Market channel cannot be reached", "503"), .seconds(1))]),
        Fault(name: "drop", first: #"{"do":"withhold_books","seconds":60}"#, signs: [Self.lost("")]),
        Fault(
            name: "silence", more: #","seconds":60,"pong":true"#,
            signs: [
                (.counted(["leaders_late", "follower_distrusted_silent"]), Self.lateMax),
                (.counted(["lines_silent"]), Self.twinMax),
            ]),
        // What is said to the twin is missed before the pongs are.
        Fault(
            name: "silence", more: #","seconds":60"#,
            signs: [
                (.counted(["leaders_late", "follower_distrusted_silent"]), Self.lateMax),
                (.told("Market channel lost", "nothing was heard for too long"), .seconds(Self.silenceMax)),
            ]),
        // A book that both tell wrongly is asked of the REST interface too, which is in trouble.
        Fault(
            name: "corrupt_next", more: Self.several, lineCount: 2,
            first: #"{"do":"http_status","status":503,"path":"/book","count":2}"#,
            signs: [Self.mismatched, (.told("Cannot fetch a book", "503"), Self.fetchMax)]),
        Fault(
            name: "corrupt_next", more: Self.several, lineCount: 2,
            first: #"{"do":"http_lost","path":"/book","count":2}"#,
            signs: [Self.mismatched, (.told("Cannot fetch a book"), Self.fetchMax)]),
        Fault(
            name: "corrupt_next", more: Self.several, lineCount: 2,
            first: #"{"do":"http_slow","ms":1500,"path":"/book","count":2}"#,
            signs: [Self.mismatched]),
        Fault(
            name: "corrupt_next", more: Self.several, lineCount: 2, first: #"{"do":"stale_book","seconds":60}"#,
            signs: [Self.mismatched]),
        Fault(name: "resolve", lineCount: 0, isOfMarket: true, signs: [(.told("Market resolved"), .zero)]),
        Fault(name: "tick_size", lineCount: 0, isOfMarket: true, signs: [(.counted(["ticks_changed"]), .zero)]),
        Fault(
            name: "clock_skew", more: #","ms":-2000"#, lineCount: 0, signs: [(.counted(["time_backwards"]), .zero)]),
    ]

    /// Its books have the right hashes: only the other connection speaks against it, and the REST interface decides.
    private static let lie = Fault(
        name: "lie", more: #","seconds":60"#,
        signs: [
            (.counted(["lines_contradict"]), Self.lateMax), (.counted(["lines_convicted"]), .seconds(2)),
        ])

    @Test func everyFaultIsNoticedWithinItsLimitAndHarmsNobody() async throws {
        let witness = StormWitness()
        let pipeline = try await Pipeline(
            ["--markets", "20", "--rate", "500", "--seed", "77"], settings: Self.settings,
            beforeDaemons: { try await witness.follow(port: $0) })
        defer { witness.stop() }
        try await witness.listen(to: pipeline.feedSocket)
        try await waitFor("all books to be trusted", state: pipeline.feed.report) { witness.isWhole ? true : nil }
        let story = Story(witness: witness, pipeline: pipeline)
        for (index, fault) in Self.faults.enumerated() { try await story.meet(fault, on: 2 + index % 2) }
        let (wrong, believed, problems) = witness.verdict()
        #expect(wrong == 0 && believed > 1_000 && problems.isEmpty, "\(wrong) of \(believed), \(problems)")

        let start = Instant.now()
        try await story.meet(Self.lie, on: 2, attempts: 1)
        // Nobody knows better until the other has told that moment as well.
        let end = start + Self.lateMax + Self.statusMax
        try await pipeline.control(#"{"do":"pause_traffic"}"#)
        try await waitFor("the last books", state: pipeline.feed.report) { witness.isUpToDate ? true : nil }
        let late = witness.wrongStates(believedAfter: end)
        #expect(late == 0, "\(late) wrong states after the lie was noticed")
        #expect(witness.verdict().faults.isEmpty)
        print(story.table)
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }

    private final class Story {
        let witness: StormWitness
        let pipeline: Pipeline
        private(set) var table = "fault: noticed after, limit; well again after, ms\n"

        /// The longest time between two statuses since the fault began.
        private var gap = Duration.zero

        init(witness: StormWitness, pipeline: Pipeline) { (self.witness, self.pipeline) = (witness, pipeline) }

        /// Where the machine is too busy the same comes again: what is always late fails.
        func meet(_ fault: Fault, on connection: Int, attempts: Int = 3) async throws {
            for _ in 0..<attempts where try await self.isNoticedInTime(fault, on: connection) { return }
            Issue.record("\(fault.name) is noticed too late, or all is well too late after it\n\(self.table)")
        }

        private func isNoticedInTime(_ fault: Fault, on connection: Int) async throws -> Bool {
            var isInTime = true
            _ = self.witness.takeStatusGap()
            self.gap = .zero
            let before = self.witness.counters
            let lines = self.pipeline.feed.lines(of: .errors).count
            if let first = fault.first { try await self.pipeline.control(first) }
            let command = #"{"do":"\#(fault.name)"\#(fault.more)"#
            if fault.isOfMarket {
                try await self.tellOfOneMarket(command)
            } else if fault.lineCount == 0 {
                try await self.pipeline.control(command + "}")
            }
            for line in [connection, 5 - connection].prefix(fault.lineCount) {
                try await self.pipeline.control(#"\#(command),"connection":\#(line)}"#)
            }
            let latest = try await self.pipeline.get("/audit")["faults"]?["latest"]?.array?.last
            let start = try #require(latest?["time"]?.integer)
            self.table += "\(fault.name)\(fault.more)\(fault.first ?? ""):"
            for (sign, limit) in fault.signs {
                try await waitFor("a sign of \(fault.name): \(sign)", within: .seconds(20), state: self.state) {
                    self.shows(sign, since: before, lines) ? true : nil
                }
                let noticed = Timestamp.now().microseconds / 1_000 - start
                let noticedMax = (limit + self.slack).milliseconds
                self.table += " \(noticed), \(noticedMax);"
                isInTime = isInTime && noticed <= noticedMax
            }
            let statuses = self.witness.statusCount
            let healed = Instant.now()
            try await self.pipeline.control(#"{"do":"heal"}"#)
            try await waitFor("all books to be trusted after \(fault.name)", within: .seconds(20), state: self.state) {
                self.witness.statusCount > statuses && self.witness.isWhole ? true : nil
            }
            let recovered = Instant.now() - healed
            self.table += " \(recovered.milliseconds)\n"
            return isInTime && recovered <= FeedStormLimitTests.recoveryMax + self.slack
        }

        /// What comes on top of a limit: more where the machine is so busy that what comes each second comes later.
        private var slack: Duration {
            self.gap = max(self.gap, self.witness.takeStatusGap())
            return FeedStormLimitTests.statusMax + max(.zero, (self.gap - .seconds(1)) * 2)
        }

        /// Not every market is carried, and not every one can be asked for everything.
        private func tellOfOneMarket(_ command: String) async throws {
            for market in self.witness.carried.sorted() {
                do { return try await self.pipeline.control(#"\#(command),"market":"\#(market)"}"#) } catch { continue }
            }
            throw WaitedInVain(description: "no market takes \(command)}")
        }

        private var state: String { "\(self.table)\(self.witness.counters)\n\(self.pipeline.feed.report)" }

        private func shows(_ sign: Sign, since before: [String: Int64], _ lines: Int) -> Bool {
            switch sign {
            case .counted(let names):
                let now = self.witness.counters
                return names.contains { (now[$0] ?? 0) > (before[$0] ?? 0) }
            case .told(let sentence, let reason):
                return self.pipeline.feed.lines(of: .errors).dropFirst(lines).contains {
                    $0.contains(sentence) && $0.contains(reason)
                }
            }
        }
    }
}
