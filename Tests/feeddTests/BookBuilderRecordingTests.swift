import Shared
import Testing

@testable import feedd

/// What the venue really sent, in August 2026: every hash that can be checked is.
@Suite(.enabled(if: Recordings.areHere, Recordings.skipped))
struct BookBuilderRecordingTests {
    private static let up = TokenID("2151378744569768920256500242561922410292857798164019061749528550808091180185")!
    private static let down = TokenID("17406866367975599232214757606801140480252276357934486651183783311435802862074")!
    private static let condition = ConditionID("0xd5f15f31689703aea70b93a52194a0964220d10d92ee7497346f146a8b6ef8ab")!

    private var driver = BuilderDriver(.example(condition: condition, first: up, second: down))

    @Test mutating func theFirstDumpIsBelieved() throws {
        let text = String(decoding: try Recordings.shared("samples/ws-capture/book_btc_updown_5m.json"), as: UTF8.self)
        #expect(try self.driver.take(text) == [.snapshot])
        #expect(self.driver.builder.book.bestBid?.price == Price(decimal: "0.82"))
        #expect(self.driver.builder.book.bestAsk?.price == Price(decimal: "0.83"))
    }

    @Test mutating func aTradeSettlesWithTheBookThatFollowsIt() throws {
        let texts = try Self.recordedTexts("samples/ws-capture/trade_sequence.jsonl")
        let book = try self.bookBefore(try JSONValue(text: texts[2]))
        try self.driver.hear(of: book)
        self.driver.take(book)
        #expect(try self.driver.take(texts[0]) == [.delta])
        #expect(try self.driver.take(texts[1]) == [.delta])
        #expect(!self.driver.builder.isSettled)
        #expect(try self.driver.take(texts[2]) == [.delta])
        #expect(self.driver.builder.isSettled && self.driver.builder.delta.levels.isEmpty)
        #expect(try self.driver.take(texts[3]) == [.delta])
        #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
        #expect(self.driver.builder.epoch == 1 && self.driver.builder.counters.mismatched == 0)
        // The second outcome's hash is that of the mirrored book, as the venue computed it.
        #expect(self.driver.builder.counters.mirrorsChecked == 1 && self.driver.builder.counters.mirrorsBroken == 0)
    }

    /// Without the book in between the price is found among the consumed levels.
    @Test mutating func aTradeSettlesWithoutTheBookToo() throws {
        let texts = try Self.recordedTexts("samples/ws-capture/trade_sequence.jsonl")
        let book = try self.bookBefore(try JSONValue(text: texts[2]))
        try self.driver.hear(of: book)
        self.driver.take(book)
        try self.driver.take([texts[0], texts[1], texts[3]])
        #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled && self.driver.builder.epoch == 1)
    }

    @Test mutating func everyChangeOfTheChainsSettles() throws {
        let vectors = try JSONValue(parsing: Recordings.shared("vectors/book_hash.json"))["vectors"]
        for chain in try #require(vectors?["ws_real"]?.array) {
            self.driver = BuilderDriver(.example(condition: Self.condition, first: Self.up, second: Self.down))
            var snapshot = try #require(chain["snapshot"]?.object)
            for name in ["tick_size", "last_trade_price"] { snapshot[name] = chain[name] }
            #expect(try self.driver.take(Self.text(.object(snapshot))) == [.snapshot])
            var last: JSONValue?
            for delta in try #require(chain["deltas"]?.array) {
                let isRepeated = delta == last
                #expect(try self.driver.take(Self.changeText(delta)) == [isRepeated ? .unchanged : .delta])
                #expect(self.driver.builder.isSettled)
                last = delta
            }
            #expect(self.driver.builder.counters.mismatched == 0)
        }
    }

    /// A book before the recorded sweep: with more at the two levels that it took from.
    private func bookBefore(_ after: JSONValue) throws -> RESTBook {
        var venue = VenueModel(market: self.driver.builder.market)
        venue.time = try #require(after["timestamp"]?.integer) - 1
        for (side, name) in [(BookSide.bid, "bids"), (.ask, "asks")] {
            for level in try #require(after[name]?.array) {
                let price = try #require(level["price"]?.micros.flatMap { Price(micros: $0) })
                let size = Quantity(micros: try #require(level["size"]?.micros))
                _ = venue.operate([LevelChange(side: side, price: price, size: size)])
            }
        }
        _ = venue.operate([.init(.ask, "0.87", 20), .init(.ask, "0.88", 10)])
        return venue.restBook()
    }

    private static func recordedTexts(_ path: String) throws -> [String] {
        let lines = String(decoding: try Recordings.shared(path), as: UTF8.self).split(separator: "\n")
        return try lines.map { Self.text(try #require(try JSONValue(text: String($0))["raw"])) }
    }

    private static func text(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        value.write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func changeText(_ delta: JSONValue) throws -> String {
        var entry = try #require(delta.object)
        entry["asset_id"] = .string(Self.up.description)
        return Self.text(
            .object([
                "event_type": .string("price_change"), "market": .string(Self.condition.description),
                "timestamp": delta["timestamp"] ?? .null, "price_changes": .array([.object(entry)]),
            ]))
    }
}
