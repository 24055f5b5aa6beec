import Shared
import Testing

private typealias Fixtures = MarketChannelFixtures

@Suite struct MarketChannelReaderTests {
    private var reader = MarketChannelReader()

    @Test(arguments: [
        (
            Fixtures.book,
            "book market=0xd5f1 token=2151 time=1786845514657 hash=8182cc bids=0.01:5852.53,0.82:5 asks=0.99:5588.18,0.83:143.31 "
                + "tick=0.01 last=0.820"
        ),
        (
            Fixtures.bookAfterTrade,
            "book market=0xd5f1 token=2151 time=1786845514657 hash=8182cc bids=0.01:5852.53,0.82:5 asks=0.99:5588.18,0.83:143.31"
        ),
        (
            Fixtures.priceChange,
            "price_change market=0xd5f1 time=1786845515019 change=2151:buy:0.01:5873.53 hash=4da9c9 change=1740:sell:0.99:0 "
                + "hash=79b5ae"
        ),
        (
            Fixtures.lastTradePrice,
            "last_trade_price market=0xd5f1 token=1740 time=1750428146322 price=0.456 size=219.217767 side=buy transaction=0xabc"
        ),
        (Fixtures.tickSizeChange, "tick_size_change market=0xd5f1 token=2151 time=1757908892351 old=0.01 tick=0.001"),
        (Fixtures.marketResolved, "market_resolved market=0xd5f1 token=2151 time=1766790415550"),
        (Fixtures.bestBidAsk, "best_bid_ask"), (Fixtures.newMarket, "new_market"),
    ])
    mutating func everyShapeIsRead(text: String, line: String) throws {
        #expect(try self.reader.lines(text) == [line])
        #expect(try self.reader.lines(" \n[ \(text)\t,\(text) ]\r\n") == [line, line])
    }

    @Test mutating func aTextMayHoldEventsOfAllKinds() throws {
        let text = "[" + Fixtures.all.joined(separator: ",") + "]"
        let lines = try self.reader.lines(text)
        #expect(lines.count == Fixtures.all.count)
        // Nothing of one event is left in the next.
        for (line, text) in zip(lines, Fixtures.all) { #expect(try self.reader.lines(text) == [line]) }
    }

    @Test mutating func membersMayComeInAnyOrder() throws {
        var random = SeededRandom(seed: 1)
        for text in Fixtures.all {
            let line = try self.reader.lines(text)
            for _ in 0..<40 { #expect(try self.reader.lines(Fixtures.shuffled(text, using: &random)) == line) }
        }
    }

    @Test(
        arguments: [
            ("[]", []), ("PONG", ["pong"]), ("INVALID OPERATION", ["notice: INVALID OPERATION"]),
            ("PON", ["notice: PON"]),
            ("{}", ["unknown"]), (#"{"event_type":"something_new","price":-5,"side":7}"#, ["unknown"]),
            ("0", ["notice: 0"]), ("null", ["notice: null"]),
        ] as [(String, [String])])
    mutating func smallTextsAreWhatTheyAre(text: String, lines: [String]) throws {
        #expect(try self.reader.lines(text) == lines)
    }

    @Test(arguments: [
        "", " \n", "[1]", "[[]]", "{}{}", "[{}] x", "{\"event_type\"}", "[{},]", "[", "{\"event_type\":\"book\"}",
    ])
    mutating func brokenTextsAreRefused(text: String) {
        #expect(throws: JSONError.self) { try self.reader.lines(text) }
    }

    @Test mutating func noticesAreCutAndMustBeText() throws {
        let long = String(repeating: "x", count: 1_000)
        #expect(try self.reader.lines(long) == ["notice: " + String(repeating: "x", count: 200)])
        let bytes: [UInt8] = [0xFF, 0xFE, 0x41]
        #expect(throws: JSONError.self) { try bytes.withUnsafeBufferPointer { try self.reader.read($0) { _ in } } }
    }

    /// The venue broadcasts kinds that we pass over; whatever they hold must not cost a line.
    @Test(arguments: ["something_new", "new_market", "best_bid_ask"])
    mutating func kindsThatArePassedOverMayHoldAnything(kind: String) throws {
        let text = """
            {"market":null,"asset_id":"x","timestamp":17,"hash":[],"bids":{},"asks":[7],"price_changes":"none","price":"1.5",\
            "size":-1,"side":"LONG","tick_size":"0.03","last_trade_price":5,"winning_asset_id":{},"event_type":"\(kind)"}
            """
        #expect(try self.reader.lines("[\(text),\(Fixtures.lastTradePrice)]").count == 2)
        #expect(throws: JSONError.self, "but it must be JSON") { try self.reader.lines(String(text.dropLast(3))) }
    }

    @Test(arguments: [
        (Fixtures.book, ["market", "asset_id", "timestamp", "hash"]),
        (Fixtures.priceChange, ["market", "timestamp", "price_changes", "asset_id", "price", "size", "side"]),
        (Fixtures.lastTradePrice, ["asset_id", "timestamp", "price", "size", "side"]),
        (Fixtures.tickSizeChange, ["asset_id", "timestamp", "new_tick_size"]),
        (Fixtures.marketResolved, ["market", "timestamp"]),
    ])
    mutating func whatAKindCannotDoWithoutIsMissed(text: String, names: [String]) throws {
        for name in names {
            let without = text.replacing("\"\(name)\":", with: "\"other\":")
            let error = #expect(throws: JSONError.self, "\(name)") { try self.reader.lines(without) }
            #expect(error?.problem == .missing && error?.member != nil)
        }
    }

    @Test(arguments: [
        (Fixtures.book, "\"0.01\",\"size\"", "\"1.01\",\"size\""), (Fixtures.book, "5852.53", "5852.5300001"),
        (Fixtures.book, "\"0.01\",\"size\"", "\"0\",\"size\""), (Fixtures.book, "8182cc8b", "0x82cc8b"),
        (Fixtures.book, "1786845514657", "253402300800000"), (Fixtures.book, "1786845514657", "9223372036854775807"),
        (Fixtures.book, "1786845514657", "-5"), (Fixtures.book, "1786845514657", "0"),
        (Fixtures.book, "0xd5f1", "0xd5f"),
        (Fixtures.book, "\"tick_size\":\"0.01\"", "\"tick_size\":\"0.02\""),
        (Fixtures.priceChange, "BUY", "LONG"), (Fixtures.priceChange, "5873.53", "-5873.53"),
        (Fixtures.priceChange, "[{", "[7,{"), (Fixtures.lastTradePrice, "0.456", "1"),
        (Fixtures.lastTradePrice, "219.217767", "0"), (Fixtures.lastTradePrice, "219.217767", "1e3"),
        (Fixtures.tickSizeChange, "0.001", "0.002"),
        (Fixtures.marketResolved, "\"winning_asset_id\":\"2", "\"winning_asset_id\":\"x"),
    ])
    mutating func valuesThatMeanNothingAreRefused(text: String, right: String, wrong: String) {
        let changed = text.replacing(right, with: wrong, maxReplacements: 1)
        #expect(changed != text)
        #expect(throws: JSONError.self) { try self.reader.lines(changed) }
    }

    @Test(arguments: ["null", "\"\""]) mutating func nobodyMayHaveWon(winner: String) throws {
        let text = Fixtures.marketResolved.replacing(
            "\"winning_asset_id\":\"\(Fixtures.up)\"", with: "\"winning_asset_id\":\(winner)")
        #expect(try self.reader.lines(text) == ["market_resolved market=0xd5f1 time=1766790415550"])
    }

    @Test mutating func theLongestPricesAndNumbersAreReadExactly() throws {
        let text = Fixtures.priceChange.replacing("5873.53", with: "12345678.654321").replacing(
            "\"0.01\"", with: "0.010000")
        #expect(try self.reader.lines(text)[0].contains("0.01:12345678.654321"))
    }

    /// Cut anywhere, a text is refused, or it is a whole text by itself: never half a story.
    @Test mutating func everyCutIsRefused() {
        for text in Fixtures.all + ["[\(Fixtures.book)]"] {
            let bytes = Array(text.utf8)
            for end in bytes.indices {
                var eventCount = 0
                #expect(throws: JSONError.self, "cut at \(end)") {
                    try bytes[..<end].withUnsafeBufferPointer { try self.reader.read($0) { _ in eventCount += 1 } }
                }
                // Of an array, whole events are delivered before its end is missed.
                #expect(eventCount == 0 || text.hasPrefix("[") && end == bytes.count - 1)
            }
        }
    }

    /// Nonsense by seed: it may be read or refused, but it must end, and the next text is read as ever.
    @Test(arguments: UInt64(1)...20) mutating func nonsenseDoesNoHarm(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            var bytes = Array(Fixtures.all.randomElement(using: &random)!.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = bytes.indices.randomElement(using: &random)!
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(#"{}[]",:\0-e"#.utf8.randomElement(using: &random)!, at: index)
                }
            }
            _ = try? bytes.withUnsafeBufferPointer { try self.reader.read($0) { _ in } }
        }
        #expect(try self.reader.lines(Fixtures.lastTradePrice).count == 1)
    }

    @Test mutating func hugeCountsAreRefusedBeforeTheyAreKept() throws {
        func many(_ element: String, _ count: Int) -> String {
            "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
        }
        let level = #"{"price":"0.5","size":"1"}"#
        let bids = #"[{"price":"0.01","size":"5852.53"},{"price":".82","size":"5"}]"#
        let most = Fixtures.book.replacing(bids, with: many(level, MarketChannelReader.levelCountMax))
        #expect(try self.reader.lines(most).count == 1)
        let more = Fixtures.book.replacing(bids, with: many(level, MarketChannelReader.levelCountMax + 1))
        #expect(throws: JSONError.self) { try self.reader.lines(more) }
        let change = #"{"asset_id":"1","price":"0.5","size":"1","side":"BUY"}"#
        func changes(_ count: Int) -> String {
            #"{"event_type":"price_change","market":"\#(Fixtures.condition)","timestamp":"1","price_changes":\#(many(change, count))}"#
        }
        #expect(try self.reader.lines(changes(MarketChannelReader.changeCountMax)).count == 1)
        #expect(throws: JSONError.self) { try self.reader.lines(changes(MarketChannelReader.changeCountMax + 1)) }
        #expect(try self.reader.lines(many("{}", MarketChannelReader.eventCountMax)).count == 2_000)
        #expect(throws: JSONError.self) { try self.reader.lines(many("{}", MarketChannelReader.eventCountMax + 1)) }
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try self.reader.lines(#"{"other":"# + deep) }
    }

    @Test mutating func eventsBeforeABrokenOneAreDelivered() {
        var kinds: [MarketEvent.Kind] = []
        var text = "[\(Fixtures.lastTradePrice),{\"event_type\":\"book\"}]"
        #expect(throws: JSONError.self) {
            try text.withUTF8 { try self.reader.read($0) { kinds.append($0.kind) } }
        }
        #expect(kinds == [.lastTradePrice])
    }
}

/// What was recorded is read, or refused for a reason that is known.
@Suite(.enabled(if: Recordings.areHere, Recordings.skipped))
struct MarketChannelRecordingTests {
    private var reader = MarketChannelReader()

    @Test(arguments: [
        ("ws-capture/book_btc_updown_5m.json", "book market=0xd5f1 token=2151 time=1786845514657 hash=8182cc"),
        // Before `hash` was a SHA-1 without prefix: the entries have none that counts.
        (
            "nautilus/rust/ws_market_price_change_msg.json",
            "price_change market=0xdd22 time=1703875201000 change=7132:buy:0.51:150"
        ),
        ("nautilus/rust/ws_market_best_bid_ask_msg.json", "best_bid_ask"),
        ("nautilus/rust/ws_market_new_market_msg.json", "new_market"),
        (
            "nautilus/rust/ws_market_tick_size_msg.json",
            "tick_size_change market=0xdd22 token=7132 time=1703875210000 old=0.1 tick=0.01"
        ),
        // Without an `event_type`: passed over.
        ("nautilus/rust/ws_quotes.json", "unknown"),
        (
            "nautilus/ws/last_trade_price.json",
            "last_trade_price market=0xdd22 token=2174 time=1724564136087 price=0.491 size=85.36"
        ),
        (
            "nautilus/ws/price_change_v2.json",
            "price_change market=0x5f65 time=1729084877448 change=5211:buy:0.6:3300 hash=bf32b3 change=5211:buy:0.5:3400 hash=af32b3"
        ),
        (
            "nautilus/ws/tick_size_change.json",
            "tick_size_change market=0xbacd token=1154 time=1739068041853 old=0.01 tick=0.001"
        ),
        ("nautilus/ws/book.json", "book market=0xdd22 token="),
    ])
    mutating func recordedTextsAreRead(path: String, start: String) throws {
        let lines = try self.reader.lines(String(decoding: Recordings.shared("samples/\(path)"), as: UTF8.self))
        #expect(lines.count == 1 && lines[0].hasPrefix(start), "\(lines)")
    }

    @Test(
        arguments: [
            (
                "trade_sequence.jsonl",
                [
                    "price_change change=1740:buy:0.12:5.22 change=2151:sell:0.88:5.22",
                    "price_change change=1740:buy:0.13:0 change=2151:sell:0.87:0", "book",
                    "price_change change=2151:buy:0.01:5903.53 change=1740:sell:0.99:5903.53",
                ]
            ),
            (
                "price_change_batch_same_hash.jsonl",
                [
                    "price_change change=2151:buy:0.44:93.6 change=1740:sell:0.56:93.6",
                    "price_change change=2151:buy:0.45:552.14 change=1740:sell:0.55:552.14",
                    "price_change change=2151:buy:0.46:21.5 change=1740:sell:0.54:21.5",
                    "price_change change=2151:buy:0.47:21.4 change=1740:sell:0.53:21.4",
                    "price_change change=2151:buy:0.48:20.4 change=1740:sell:0.52:20.4",
                    "price_change change=1740:buy:0.13:184.84 change=2151:sell:0.87:184.84",
                ]
            ),
        ] as [(String, [String])])
    mutating func recordedLinesAreRead(path: String, expected: [String]) throws {
        let lines = String(decoding: try Recordings.shared("samples/ws-capture/\(path)"), as: UTF8.self).split(
            separator: "\n")
        #expect(lines.count == expected.count)
        for (line, expected) in zip(lines, expected) {
            var writer = JSONWriter()
            try #require(try JSONValue(text: String(line))["raw"]).write(to: &writer)
            let words = try self.reader.lines(String(decoding: writer.bytes, as: UTF8.self))[0].split(separator: " ")
            let shown = words.filter { $0.hasPrefix("change=") || !$0.contains("=") }.joined(separator: " ")
            #expect(shown == expected)
        }
    }
}
