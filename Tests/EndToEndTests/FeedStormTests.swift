import Logging
import Shared
import Testing

@testable import DaemonKit

/// Whatever happens to its connections, what feedd calls trusted and settled is a state that the venue's book had.
struct FeedStormTests {
    /// How long faults go on. An hour is `POLYBOT_STORM_SECONDS=3600`.
    private static let stormSeconds =
        Programs.variable("POLYBOT_STORM_SECONDS").flatMap { Int($0) }
        ?? (Programs.variable("POLYBOT_SOAK") != nil ? 600 : 60)
    /// A storm of so long shows whether memory grows.
    private static let memorySeconds = 600
    /// A trusted book may be behind for as long as silence is believed, here three seconds, and until somebody looked: as long again for
    /// each look that the venue leaves unanswered, of which several come in a row. And the machine may be slow.
    private static let lagMax = Duration.seconds(12)
    private static let settings = [
        "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_RECONNECT_DELAY_S": "0.2",
        "POLYBOT_FEED_SILENCE_MAX_S": "3", "POLYBOT_FEED_PING_INTERVAL_S": "1", "POLYBOT_FEED_BREAKER_TIMEOUT_S": "1",
    ]

    @Test func inAStormOfFaultsNoBookThatIsTrustedIsWrong() async throws {
        let seed = Programs.variable("SIMULATION_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        let witness = StormWitness()
        let pipeline = try await Pipeline(
            ["--markets", "20", "--rate", "1000", "--seed", "\(seed % 1_000_000)"], settings: Self.settings,
            beforeDaemons: { try await witness.follow(port: $0) })
        defer { witness.stop() }
        try await witness.listen(to: pipeline.feedSocket)
        try await waitFor("all books to be trusted", state: pipeline.feed.report) { witness.isWhole ? true : nil }

        // A machine that is busy may be too slow for it.
        for _ in 0..<5 where witness.counters["books_unproved"] ?? 0 <= 3 {
            try await Self.withholdAndLie(pipeline)
            try await waitFor("all books to be trusted", state: pipeline.feed.report) { witness.isWhole ? true : nil }
        }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(Self.stormSeconds)
        var told: [String] = []
        var memory: [Int] = []
        while clock.now < end {
            memory.append(try #require(pipeline.feed.residentByteCount))
            witness.lookForLag()
            for command in Self.faults(using: &random) {
                told.append(command)
                // A connection may be away just now.
                try? await pipeline.control(command)
            }
            try await Task.sleep(for: .milliseconds(Int64.random(in: 50...600, using: &random)))
        }
        try await pipeline.control(#"{"do":"heal"}"#)
        let healed = clock.now
        let report = { "SIMULATION_SEED=\(seed), the last faults: \(told.suffix(12))\n\(pipeline.feed.report)" }
        try await waitFor("all books to be trusted again", state: report()) { witness.isWhole ? true : nil }
        let seconds = (clock.now - healed).components.seconds
        #expect(seconds <= 5, "\(seconds) s until all was well, SIMULATION_SEED=\(seed)")

        try await pipeline.control(#"{"do":"pause_traffic"}"#)
        try await waitFor("the last books", state: report()) { witness.isUpToDate ? true : nil }
        let (wrong, believed, faults) = witness.verdict()
        #expect(wrong == 0, "\(wrong) states that the venue never had, SIMULATION_SEED=\(seed), \(told.suffix(30))")
        #expect(faults == [], "SIMULATION_SEED=\(seed)")
        #expect(believed > 100 * Self.stormSeconds, "too little was believed to prove anything")
        let growth = MemoryGrowth(memory)
        let lag = witness.longestLag
        print(
            """
            feedd in \(Self.stormSeconds) s of storm, SIMULATION_SEED=\(seed): \(growth), \(seconds) s to recover, \
            \(lag.milliseconds) ms the longest that a trusted book was behind, \
            \(witness.counters["lines_contradict"] ?? 0) disputes, \(witness.counters["lines_convicted"] ?? 0) verdicts
            """)
        #expect(lag <= Self.lagMax, "a book was trusted and behind for \(lag.milliseconds) ms, SIMULATION_SEED=\(seed)")
        #expect(Self.stormSeconds < Self.memorySeconds || growth.isFlat, "\(growth)")
        // It was a storm, and the second connection was of use.
        let counters = witness.counters
        #expect((counters["books_unproved"] ?? 0) > 3, "\(counters)")
        #expect((counters["leader_changes"] ?? 0) > 3, "\(counters)")
        #expect((counters["hashes_mismatched"] ?? 0) > 3, "\(counters)")
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }

    /// Both connections are new, bring no first books and have nothing else to say, and the REST interface shows a book with the right
    /// hash that is none of the venue's: nobody speaks against it, and nobody for it.
    private static func withholdAndLie(_ pipeline: Pipeline) async throws {
        // The lie ends before anybody polls: who has no line must believe what is polled.
        for command in [
            #"{"do":"pause_traffic","seconds":4}"#, #"{"do":"withhold_books","seconds":4}"#,
            #"{"do":"stale_book","seconds":3}"#,
        ] { try await pipeline.control(command) }
        try await Task.sleep(for: .milliseconds(400))
        for connection in [3, 2] { try await pipeline.control(#"{"do":"drop","connection":\#(connection)}"#) }
        try await Task.sleep(for: .seconds(4))
    }

    /// What happens next: to one of the feed's two connections, or to both. The witness's own is the oldest. All faults of books are among
    /// them but those that would end its connection too, or a market.
    private static func faults(using random: inout SeededRandom) -> [String] {
        let one = Int.random(in: 2...3, using: &random)
        func command(_ name: String, _ more: String = "") -> [String] {
            let lines = Int.random(in: 0..<3, using: &random) == 0 ? [2, 3] : [one]
            return lines.map { #"{"do":"\#(name)","connection":\#($0)\#(more)}"# }
        }
        let seconds = Int.random(in: 1...4, using: &random)
        let count = Int.random(in: 1...5, using: &random)
        switch Int.random(in: 0..<27, using: &random) {
        case 0...2: return command("lose_next_delta", #","count":\#(count)"#)
        case 3: return command("double_next", #","count":\#(count)"#)
        case 4...5: return command("delay_next", #","ms":\#(seconds * 400),"count":\#(count)"#)
        case 6: return command("reorder_next")
        case 7...8: return command("corrupt_next", #","count":\#(count)"#)
        case 9: return command("wrong_hash")
        case 10: return command("cut_next")
        case 11: return command("drop", #","code":1012"#)
        case 12: return command("reset")
        case 13: return command("silence", #","seconds":\#(seconds + 3)"#)
        case 14: return command("silence", #","seconds":\#(seconds),"pong":true"#)
        case 15: return command("broken_json")
        case 16: return command("broken_utf8")
        case 17: return command("empty_array")
        case 18: return [#"{"do":"stale_book","seconds":\#(2 * seconds)}"#]
        case 19: return [#"{"do":"stale_book","seconds":\#(seconds),"kind":"old"}"#]
        case 20: return [#"{"do":"http_status","status":503,"count":\#(count)}"#]
        case 21: return command("huge_frame")
        case 22: return [#"{"do":"http_slow","ms":\#(seconds * 700),"count":\#(count)}"#]
        case 23: return [#"{"do":"http_lost","count":\#(count)}"#]
        case 24: return [#"{"do":"clock_skew","ms":\#(Int.random(in: -3_000...3_000, using: &random))}"#]
        case 25: return [#"{"do":"tick_size"}"#]
        default: return [#"{"do":"refuse_ws","seconds":1}"#]
        }
    }
}

/// What a process held over time, in quarters.
private struct MemoryGrowth: CustomStringConvertible {
    /// In the first quarter a process still finds its size.
    private static let growthMax = 1.1
    private let medians: [Int]

    /// - Parameter samples: bytes, in the order of time.
    init(_ samples: [Int]) {
        self.medians = (0..<4).compactMap { quarter in
            let part = samples[samples.count * quarter / 4..<samples.count * (quarter + 1) / 4].sorted()
            return part.isEmpty ? nil : part[part.count / 2]
        }
    }

    var isFlat: Bool {
        self.medians.count == 4 && Double(self.medians[3]) <= Double(self.medians[1]) * Self.growthMax
    }
    var description: String {
        "resident in the quarters, MB: " + self.medians.map { "\($0 / 1_000_000)" }.joined(separator: ", ")
    }
}

/// Sees both sides: the venue by a connection that no fault concerns, and what feedd says of it.
final class StormWitness: Sendable {
    private struct State {
        var truth: TrueStates
        let believed = BelievedStates()
        var socket: WebSocketConnection?
        var client: FrameClient?
        var problem: String?
        /// Since when what is trusted has been no book that the venue had, in the midst of an operation, at each look.
        var unknownSince: [ConditionID: Instant] = [:]
        var longestLag = Duration.zero
    }

    private let loop: EventLoop
    private let thread: WorkerThread
    private nonisolated(unsafe) var state = State(truth: TrueStates(firstTokens: [:]))
    private let lock = DaemonKit.Mutex()

    init() {
        guard let loop = try? EventLoop(), let thread = try? WorkerThread({ loop.run() }) else {
            preconditionFailure("no loop to be had")
        }
        (self.loop, self.thread) = (loop, thread)
    }

    private func with<Value>(_ body: (inout State) -> Value) -> Value {
        self.lock.lock()
        defer { self.lock.unlock() }
        return body(&self.state)
    }

    /// Follows all markets of the venue.
    func follow(port: Int) async throws {
        let client = try RESTClient()
        defer { client.stop() }
        let response = try await client.request(RESTRequest(url: "http://127.0.0.1:\(port)/truth"))
        var tokens: [String] = []
        var firstTokens: [ConditionID: TokenID] = [:]
        for market in try JSONValue(parsing: response.body)["markets"]?.array ?? [] {
            guard let condition = market["market"]?.string.flatMap({ ConditionID($0) }),
                let first = market["tokens"]?.array?.first?.string, let token = TokenID(first)
            else { continue }
            firstTokens[condition] = token
            tokens.append(first)
        }
        self.with { $0.truth = TrueStates(firstTokens: firstTokens) }
        let url = try WebSocketURL("ws://127.0.0.1:\(port)/ws/market")
        let ids = tokens.map { "\"\($0)\"" }.joined(separator: ",")
        self.loop.execute {
            let socket = WebSocketConnection(url: url, loop: self.loop)
            self.with { $0.socket = socket }
            socket.onOpen = { _ = socket.send(text: #"{"type":"market","assets_ids":[\#(ids)]}"#) }
            socket.onText = { text in self.with { try? $0.truth.take(text) } }
            socket.onClosed = { reason in self.with { $0.problem = "the witness lost the venue: \(reason)" } }
            socket.connect()
        }
        try await waitFor("the witness's first books") { self.with { $0.truth.last().isEmpty } ? nil : true }
    }

    /// Follows what feedd says.
    func listen(to path: String) async throws {
        let hello = Hello(daemon: "witness", version: "0", instance: "0", pid: 1)
        self.loop.execute {
            let client = FrameClient(
                loop: self.loop, path: path, hello: hello, seed: 1,
                logger: Logger(label: "witness") { _ in SwiftLogNoOpLogHandler() })
            client.onConnected = { _ in client.send(Subscribe(id: 1, markets: .all)) }
            client.onFrame = { envelope in self.with { $0.believed.take(envelope) } }
            self.with { $0.client = client }
            client.start()
        }
    }

    func stop() {
        self.loop.execute {
            self.with { state in
                state.client?.stop()
                state.socket?.onText = nil
                state.socket?.onOpen = nil
                state.socket?.onClosed = nil
                state.socket?.abort()
                (state.client, state.socket) = (nil, nil)
            }
        }
        self.loop.stop()
        self.thread.join()
    }

    var isWhole: Bool {
        self.with { state in
            guard let status = state.believed.status, status.mode == .webSocket else { return false }
            return status.markets > 0 && status.trusted == status.markets
                && status.counters["followers_trusted"] == status.markets
        }
    }

    /// To be called often: how long ago the venue's books were last what is trusted now.
    func lookForLag() {
        self.with { state in
            let now = Instant.now()
            let truth = state.truth.last()
            let believed = state.believed.last
            for condition in truth.keys {
                let leftAt = believed[condition].flatMap { state.truth.leftAt[$0] }
                let isUnknown = believed[condition] != nil && leftAt == nil
                state.unknownSince[condition] = isUnknown ? state.unknownSince[condition] ?? now : nil
                guard let since = leftAt ?? state.unknownSince[condition] else { continue }
                state.longestLag = max(state.longestLag, now - since)
            }
        }
    }

    var longestLag: Duration { self.with(\.longestLag) }

    var counters: [String: Int64] { self.with { $0.believed.status?.counters ?? [:] } }

    /// The longest time between two statuses since the last call; a second where the machine is fast enough.
    func takeStatusGap() -> Duration {
        self.with { state in
            defer { state.believed.statusGapMax = .zero }
            return state.believed.statusGapMax
        }
    }

    /// Markets that are believed now.
    var carried: [ConditionID] { Array(self.with(\.believed.last.keys)) }

    /// Where those come from.
    var sources: Set<BookSource> { self.with(\.believed.sources) }

    var status: FeedStatus? { self.with(\.believed.status) }

    var statusCount: Int { self.with(\.believed.statusCount) }

    /// States that the venue never had and that were believed at a later time.
    func wrongStates(believedAfter instant: Instant) -> Int {
        self.with { state in
            _ = state.truth.last()
            return state.believed.believedAt.count { $0.value > instant && !state.truth.states.contains($0.key) }
        }
    }

    /// Whether what is believed is what the venue shows, in all markets that feedd carries.
    var isUpToDate: Bool {
        self.with { state in
            let truth = state.truth.last()
            let believed = state.believed.last
            return !believed.isEmpty && believed.allSatisfy { truth[$0.key] == $0.value }
        }
    }

    /// How many states were believed that the venue never had, how many in all, and what else was wrong.
    func verdict() -> (wrong: Int, believed: Int, faults: [String]) {
        self.with { state in
            _ = state.truth.last()
            let believed = state.believed.states
            return (
                believed.subtracting(state.truth.states).count, believed.count,
                state.believed.faults + (state.problem.map { [$0] } ?? [])
            )
        }
    }
}
