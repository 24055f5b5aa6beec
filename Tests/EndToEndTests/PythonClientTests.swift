import Glibc
import Shared
import Testing

@testable import DaemonKit

/// A client of twenty lines, written from `docs/PROTOCOL.md` alone, at the end of the whole pipeline.
struct PythonClientTests {
    @Test func theDocumentShowsTheClientThatIsTestedHere() throws {
        let document = try #require(contents(of: Programs.packageDirectory + "/docs/PROTOCOL.md"))
        let client = try #require(contents(of: Programs.peer("feedd_client.py")))
        let block = "\n```python\n" + String(decoding: client, as: UTF8.self) + "```\n"
        #expect(String(decoding: document, as: UTF8.self).contains(block))
    }

    @Test(arguments: [false, true])
    func itsBooksAreTheVenuesWhenTrafficRests(isCompressed: Bool) async throws {
        // Without the windows that may end while the test runs.
        let pipeline = try await Pipeline(
            ["--markets", "12", "--rate", "800", "--seed", "21", "--compression", "on"],
            settings: ["POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_COMPRESSION": "\(isCompressed)"])
        let client = try PythonClient(pipeline)
        try await waitFor("books that move", state: client.program.report) {
            client.states.count > 200 && client.books.count >= 4 ? true : nil
        }
        try await pipeline.control(#"{"do":"pause_traffic"}"#)
        var truth: [String: JSONValue] = [:]
        for market in try #require(try await pipeline.get("/truth")["markets"]?.array) {
            let name = try #require(market["market"]?.string)
            guard client.books[name] != nil else { continue }
            let token = try #require(market["tokens"]?.array?.first?.string)
            let book = try await pipeline.get("/truth?token_id=\(token)")
            truth[name] = PythonClient.state(ofServed: book, market: name)
        }
        #expect(truth.count >= 4)
        #expect(pipeline.feed.text(of: .errors).contains("compression=permessage-deflate") == isCompressed)
        try await waitFor("the venue's books", state: client.program.report) {
            client.books.filter { truth[$0.key] != nil } == truth ? true : nil
        }
        try client.expectCheckedHashes(atLeast: 200)
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }

    @Test func itsBooksAreThoseOfACaptureThatTheVenueReplays() async throws {
        let directory = try TemporaryDirectory()
        let capture = directory.file("capture.jsonl")
        do {
            let venue = try RunningProgram(
                Programs.path(of: "simvenue"), ["--port", "0", "--markets", "4", "--rate", "1500", "--seed", "22"])
            let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
            let port = Int(try #require(ready["port"]?.integer))
            let rest = try RESTClient()
            defer { rest.stop() }
            func ask(_ request: RESTRequest) async throws -> JSONValue {
                try JSONValue(parsing: try await rest.request(request).body)
            }
            let listed = try await ask(RESTRequest(url: "http://127.0.0.1:\(port)/truth"))["markets"]?.array
            let tokens = (listed ?? []).flatMap { $0["tokens"]?.array ?? [] }.compactMap(\.string)
            #expect(tokens.count == 8)
            let recorder = try CaptureRecorder(port: port, tokens: tokens)
            try await waitFor("a recording", state: venue.report) { recorder.lines.count >= 1_000 ? true : nil }
            let body = Array(#"{"do":"pause_traffic"}"#.utf8)
            _ = try await ask(RESTRequest(.post, url: "http://127.0.0.1:\(port)/control", body: body))
            try await recorder.finish()
            try directory.write("capture.jsonl", recorder.lines.joined(separator: "\n") + "\n")
        }
        try await self.replay(capture, markets: 4, hashesAtLeast: 900)
    }

    @Test(
        "Its books are those of captures of the real venue",
        .enabled(
            if: contents(of: Programs.shared + "/vectors/book_hash.json") != nil,
            "the vectors in ../shared are not here, so no capture of the real venue is replayed"), arguments: [0, 1])
    func itsBooksAreThoseOfCapturesOfTheRealVenue(chain: Int) async throws {
        let directory = try TemporaryDirectory()
        let lines = try RealCapture.lines(chain: chain)
        let capture = try directory.write("capture.jsonl", lines.joined(separator: "\n") + "\n")
        try await self.replay(capture, markets: 1, hashesAtLeast: Int64(lines.count) - 2)
    }

    @Test func itsBooksAreThoseOfWhatAnEarlierFeedKeptInItsRawJournal() async throws {
        // Without the windows that may end while the test runs. Terms differ among these, which no text of the channel tells.
        let recorded = try await Pipeline(
            ["--markets", "12", "--rate", "1500", "--seed", "23"],
            settings: ["POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown"])
        let directory = recorded.directory.file("state/raw")
        func capture() -> String? {
            TemporaryDirectory.names(in: directory).first { $0.hasSuffix("-1.jsonl.gz") }.map { "\(directory)/\($0)" }
        }
        let path = try await waitFor("a recording", state: recorded.feed.report) {
            capture().flatMap { recordedText(of: $0).count { $0 == UInt8(ascii: "\n") } > 1_500 ? $0 : nil }
        }
        try await recorded.control(#"{"do":"pause_traffic"}"#)
        // A second feed would mix its lines in.
        let second = try RunningProgram(
            Programs.path(of: "feedd"),
            ["--runtime-dir", recorded.directory.file("other"), "--state-dir", recorded.directory.file("state")],
            in: recorded.directory.path)
        #expect(try await second.waitForEnd() == .exited(77), "\(second.report)")
        // What it said last may come after the word of its end.
        try await waitFor("the reason", state: second.report) {
            second.text(of: .errors).contains("another process keeps the journal") ? true : nil
        }
        #expect(try await recorded.stop() == [.exited(0), .exited(0), .exited(0)])
        let text = recordedText(of: path)
        let values = try text.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }
        #expect(values.first?["event"]?.string == "terms")
        let plain = try recorded.directory.write("capture.jsonl", String(decoding: text, as: UTF8.self))
        try await self.replay(plain, markets: 4, hashesAtLeast: 900)
    }

    /// Lets the pipeline follow a capture and compares what the client saw with what Python makes of the file.
    private func replay(_ capture: String, markets: Int, hashesAtLeast: Int64) async throws {
        let rebuilt = try RunningProgram(Programs.python, [Programs.peer("capture_books.py"), capture])
        #expect(try await rebuilt.waitForEnd() == .exited(0), "\(rebuilt.report)")
        let truth = try JSONValue(parsing: Array(rebuilt.text(of: .output).utf8))
        let last = try #require(truth["last"]?.object)
        #expect(last.count >= markets)

        let pipeline = try await Pipeline(["--replay", capture, "--speed", "1"], isPaused: true)
        let client = try PythonClient(pipeline)
        try await waitFor("the client's subscription", state: client.program.report) { client.hasStatus ? true : nil }
        try await waitFor("the feed's subscription", state: pipeline.feed.report) {
            pipeline.feed.text(of: .errors).contains("Market channel connected") ? true : nil
        }
        try await pipeline.control(#"{"do":"resume"}"#)
        try await waitFor(
            "the capture's last books", within: .seconds(60),
            state: client.program.report + pipeline.feed.report + "\n\(last)"
        ) { client.books == last ? true : nil }

        // Not only the last: every state that was called trusted and settled is one of the venue's, in the same order.
        var positions: [String: Int] = [:]
        var venue: [String: [JSONValue]] = [:]
        for state in truth["states"]?.array ?? [] { venue[state.array?[0].string ?? "", default: []].append(state) }
        for state in client.states {
            let market = state.array?[0].string ?? ""
            let position = venue[market]?[positions[market, default: 0]...].firstIndex(of: state)
            guard let position else { throw WaitedInVain(description: "the venue never showed \(state)") }
            positions[market] = position
        }
        #expect(client.states.count > 3 * markets, "the client saw too little to prove anything")
        try client.expectCheckedHashes(atLeast: hashesAtLeast)
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}

/// `feedd_books.py` on a pipeline's feed.
struct PythonClient: Sendable {
    let program: RunningProgram

    init(_ pipeline: Pipeline) throws {
        self.program = try RunningProgram(Programs.python, [Programs.peer("feedd_books.py"), pipeline.feedSocket])
    }

    private var values: [JSONValue] {
        self.program.text(of: .output).split(separator: "\n").compactMap { try? JSONValue(parsing: Array($0.utf8)) }
    }

    /// Trusted and settled states, in the order in which they came.
    var states: [JSONValue] { self.values.compactMap { $0["state"] } }
    var hasStatus: Bool { self.values.contains { $0["status"] != nil } }
    /// As they stood at the last `feed_status`, by market.
    var books: [String: JSONValue] { self.values.last { $0["books"] != nil }?["books"]?.object ?? [:] }

    /// feedd's counter of that name, as the last `feed_status` has it.
    func counter(_ name: String) -> Int64? { self.values.last { $0["status"] != nil }?["status"]?[name]?.integer }

    func expectCheckedHashes(atLeast count: Int64) throws {
        let status = try #require(self.values.last { $0["status"] != nil }?["status"])
        #expect(status["hashes_mismatched"]?.integer == 0)
        #expect(status["hashes_checked"]?.integer ?? 0 >= count, "\(status)")
        #expect(!self.values.contains { $0["error"] != nil })
    }

    /// The state that a book as the venue serves it is.
    static func state(ofServed book: JSONValue, market: String) -> JSONValue? {
        func side(_ name: String, isRising: Bool) -> JSONValue? {
            guard let levels = book[name]?.array else { return nil }
            let pairs = levels.compactMap { level -> (Int64, Int64)? in
                guard let price = level["price"]?.micros, let size = level["size"]?.micros else { return nil }
                return (price, size)
            }
            let sorted = pairs.sorted { isRising ? $0.0 < $1.0 : $0.0 > $1.0 }
            return .array(sorted.map { .array([.number("\($0.0)"), .number("\($0.1)")]) })
        }
        guard let bids = side("bids", isRising: false), let asks = side("asks", isRising: true) else { return nil }
        return .array([.string(market), bids, asks])
    }
}

/// Captures of the real venue, from the vectors of the book hash and the samples beside them.
private enum RealCapture {
    static func lines(chain: Int) throws -> [String] {
        let vectors = try JSONValue(parsing: try #require(contents(of: Programs.shared + "/vectors/book_hash.json")))
        let vector = try #require(vectors["vectors"]?["ws_real"]?.array?[chain])
        guard case .object(let snapshot)? = vector["snapshot"] else { throw WaitedInVain(description: "no snapshot") }
        let deltas = try #require(vector["deltas"]?.array)
        var frames: [JSONValue] = []
        if chain == 1, let trade = contents(of: Programs.shared + "/samples/ws-capture/trade_sequence.jsonl") {
            // What came right before it tells the price of the trade that the snapshot's hash holds.
            for line in String(decoding: trade, as: UTF8.self).split(separator: "\n").prefix(2) {
                frames.append(try #require(try JSONValue(parsing: Array(line.utf8))["raw"]))
            }
        }
        frames.append(.object(snapshot))
        let complements = vector["complement"]?.array ?? []
        for (index, delta) in deltas.enumerated() {
            var changes = [Self.change(delta, asset: snapshot["asset_id"], hash: delta["hash"])]
            if let complement = complements.first(where: { $0["after_delta"]?.integer == Int64(index) }) {
                changes.append(Self.mirrored(delta, asset: complement["asset_id"], hash: complement["hash"]))
            }
            frames.append(
                .object([
                    "event_type": .string("price_change"), "market": snapshot["market"] ?? .null,
                    "timestamp": delta["timestamp"] ?? .null, "price_changes": .array(changes),
                ]))
        }
        return frames.enumerated().map { index, frame in
            let line: JSONValue = .object([
                "f": .number("\(index)"), "recv_ms": .number("\(1_786_845_514_657 + 5 * index)"), "raw": frame,
            ])
            var writer = JSONWriter()
            line.write(to: &writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }

    private static func change(_ delta: JSONValue, asset: JSONValue?, hash: JSONValue?) -> JSONValue {
        .object([
            "asset_id": asset ?? .null, "price": delta["price"] ?? .null, "side": delta["side"] ?? .null,
            "size": delta["size"] ?? .null, "hash": hash ?? .null,
        ])
    }

    /// The same change as the other outcome shows it.
    private static func mirrored(_ delta: JSONValue, asset: JSONValue?, hash: JSONValue?) -> JSONValue {
        .object([
            "asset_id": asset ?? .null, "price": .string(Decimal6.text(1_000_000 - (delta["price"]?.micros ?? 0))),
            "side": .string(delta["side"]?.string == "BUY" ? "SELL" : "BUY"), "size": delta["size"] ?? .null,
            "hash": hash ?? .null,
        ])
    }
}
