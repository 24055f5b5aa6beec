import Shared
import Testing

@testable import feedd

/// Binance's texts, as its documentation has them. Source: reference, 5.
@Suite struct BinanceMessageTests {
    static let trade = #"""
        {"stream":"btcusdt@trade","data":{"e":"trade","E":1790000000101,"s":"BTCUSDT","t":12345,"p":"91250.50000000",
        "q":"0.00012000","T":1790000000100,"m":true,"M":true}}
        """#
    static let book = #"""
        {"stream":"btcusdt@bookTicker","data":{"u":400900217,"s":"BTCUSDT","b":"91250.40000000","B":"31.21000000",
        "a":"91250.60000000","A":"40.66000000"}}
        """#
    static let candle = #"""
        {"stream":"btcusdt@kline_1h","data":{"e":"kline","E":1790000000200,"s":"BTCUSDT","k":{"t":1789999200000,
        "T":1790002799999,"s":"BTCUSDT","i":"1h","f":100,"L":200,"o":"91000.00000000","c":"91250.50000000",
        "h":"91300.00000000","l":"90900.00000000","v":"1000","n":100,"x":false,"q":"1.0","V":"500","Q":"0.5","B":"0"}}}
        """#

    private func read(_ text: String) throws -> BinanceMessage {
        try Array(text.utf8).withUnsafeBufferPointer { try BinanceMessage(reading: $0) }
    }

    @Test func pricesAreReadExactly() throws {
        #expect(
            try self.read(Self.trade)
                == .trade(.btcusd, id: 12_345, price: 91_250_50000000, time: 1_790_000_000_100))
        #expect(
            try self.read(Self.book)
                == .book(.btcusd, updateID: 400_900_217, bid: 91_250_40000000, ask: 91_250_60000000))
        #expect(
            try self.read(Self.candle)
                == .candle(.btcusd, start: 1_789_999_200_000, close: 91_250_50000000, time: 1_790_000_000_200))
    }

    @Test func aTextWithoutItsStreamsNameMeansTheSame() throws {
        let bare = #"{"e":"trade","E":2,"s":"ETHUSDT","t":1,"p":"3020.25","q":"1","T":1,"m":false,"M":true}"#
        #expect(try self.read(bare) == .trade(.ethusd, id: 1, price: 3_020_25000000, time: 1))
    }

    @Test func answersRefusalsAndGoodbyesAreToldApart() throws {
        #expect(try self.read(#"{"result":null,"id":1}"#) == .answer)
        #expect(
            try self.read(#"{"error":{"code":2,"msg":"Invalid request: too many streams"},"id":1}"#)
                == .refusal("Invalid request: too many streams"))
        #expect(try self.read(#"{"error":7}"#) == .refusal("no reason given"))
        #expect(try self.read(#"{"e":"serverShutdown","E":1790000000000}"#) == .shutdown)
        #expect(
            try self.read(#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1790000000000}}"#) == .shutdown
        )
    }

    @Test(arguments: ["{}", #"{"e":"aggTrade","s":"BTCUSDT"}"#, #"{"stream":"x","data":{}}"#, #"{"u":1,"s":"NOCOIN"}"#])
    func whatWasNotAskedForIsPassedOver(text: String) throws { #expect(try self.read(text) == .other) }

    @Test func aLongRefusalIsCut() throws {
        guard
            case .refusal(let reason) = try self.read(
                #"{"error":{"msg":"\#(String(repeating: "x", count: 9_000))"}}"#)
        else {
            Issue.record("no refusal")
            return
        }
        #expect(reason.utf8.count <= 200)
    }

    @Test(arguments: [
        (trade, #""91250.50000000""#, "91250.5"), (trade, #""91250.50000000""#, #""9e4""#),
        (trade, #""91250.50000000""#, #""-1""#), (trade, #""91250.50000000""#, "null"), (trade, #""p""#, #""P""#),
        (trade, "12345", "1.5"), (trade, "12345", "99999999999999999999"), (trade, #""t""#, #""x""#),
        (trade, #""T":1790000000100"#, #""T":0"#), (trade, #""T":1790000000100"#, #""T":-5"#),
        (trade, #""T":1790000000100"#, #""T":9007199254740993000"#), (trade, #""T""#, #""X""#),
        (trade, "}}", "}"), (trade, #""BTCUSDT""#, "7"), (book, #""b""#, #""c""#), (book, #""a""#, #""c""#),
        (candle, #""c""#, #""d""#), (candle, #""t""#, #""d""#), (candle, #""k":{"#, #""j":{"#),
        (candle, #""E":1790000000200"#, #""E":0"#), (trade, #""data":{"#, #""data":[{"#),
    ])
    func whatIsBrokenIsRefused(text: String, right: String, wrong: String) throws {
        let broken = text.replacing(right, with: wrong, maxReplacements: 1)
        #expect(broken != text)
        #expect(throws: JSONError.self) { try self.read(broken) }
    }

    @Test func nonsenseNeverEndsInATrap() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<5_000 {
            var bytes = Array([Self.trade, Self.book, Self.candle].randomElement(using: &random)!.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
            }
            _ = bytes.withUnsafeBufferPointer { try? BinanceMessage(reading: $0) }
        }
    }
}
