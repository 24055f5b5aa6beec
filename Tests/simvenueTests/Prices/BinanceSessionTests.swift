import Shared
import Testing

@testable import simvenue

/// Binance's streams as one client sees them.
struct BinanceSessionTests {
    private struct Story {
        var prices = ReferencePrices(seed: 7, from: someTime, to: someTime)
        var session: BinanceSession
        var texts: [[UInt8]] = []
        var pingCount = 0
        var closeCode: UInt16?
        var offset: Int64 = 0
        var answersPings = true

        init(_ target: String) throws {
            let request = try #require(PageRequest(method: "GET", target: target))
            self.session = BinanceSession(try #require(BinanceTarget(request)), openedAt: someTime)
        }

        mutating func advance(to offset: Int64) {
            var actions: [ChannelAction] = []
            self.offset = offset
            self.prices.walk(to: someTime + offset)
            self.session.advance(to: someTime + offset, self.prices, into: &actions)
            self.take(actions)
        }

        mutating func hand(_ frame: ChannelFrame) {
            var actions: [ChannelAction] = []
            self.session.receive(
                frame, at: someTime + self.offset, self.prices, accepts: { _ in false }, into: &actions)
            self.take(actions)
        }

        /// - Returns: the answer.
        mutating func command(_ text: String) -> JSONValue? {
            // Never so often that the limit matters.
            self.advance(to: self.offset + 250)
            self.texts = []
            self.hand(.text(Array(text.utf8)))
            return self.texts.last.flatMap { try? JSONValue(parsing: $0) }
        }

        private mutating func take(_ actions: [ChannelAction]) {
            for action in actions {
                switch action {
                case .send(let text): self.texts.append(text)
                case .ping:
                    self.pingCount += 1
                    if self.answersPings { self.hand(.pong) }
                case .close(let code): self.closeCode = code
                }
            }
        }

        var messages: [JSONValue] { self.texts.compactMap { try? JSONValue(parsing: $0) } }
    }

    @Test func theSameSeedGivesTheSameBytesInWhateverStepsTimeIsTold() throws {
        let target =
            "/stream?streams=btcusdt@trade/ethusdt@aggTrade/solusdt@bookTicker/xrpusdt@depth20@100ms"
            + "/btcusdt@depth@100ms/ethusdt@kline_1h"
        func texts(step: Int) throws -> [[UInt8]] {
            var story = try Story(target)
            for offset in stride(from: step, through: 45_000, by: step) { story.advance(to: Int64(offset)) }
            story.advance(to: 45_000)
            return story.texts
        }
        let one = try texts(step: 17)
        #expect(one.count > 2_000)
        let other = try texts(step: 5_000)
        #expect(one == other)
    }

    @Test func tradesStandAroundTheLatentPriceAndNumberThemselves() throws {
        var story = try Story("/ws/btcusdt@trade")
        story.advance(to: 6_000)
        let trades = story.messages
        #expect((60...240).contains(trades.count))
        let ids = trades.compactMap { $0["t"]?.integer }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 + 1 == $1 })
        for trade in trades {
            #expect(trade["e"]?.string == "trade" && trade["s"]?.string == "BTCUSDT")
            let time = try #require(trade["T"]?.integer)
            let step = try #require(story.prices[0].tape.step(at: time))
            let price = trade["p"]?.string.flatMap { CandleClient.units($0) }
            #expect(price == (trade["m"]?.bool == true ? step.bid : step.ask))
        }
    }

    @Test func aBookRebuiltFromItsChangesIsTheOneThatIsShown() throws {
        var story = try Story("/stream?streams=xrpusdt@depth@100ms/xrpusdt@depth20@100ms/xrpusdt@bookTicker")
        story.advance(to: 6_000)
        var sides: [String: [String: String]] = ["b": [:], "a": [:]]
        var lastID: Int64?
        var shown: JSONValue?
        for message in story.messages {
            let data = try #require(message["data"])
            switch message["stream"]?.string {
            case "xrpusdt@depth@100ms":
                if let lastID { #expect(data["U"]?.integer == lastID + 1) }
                lastID = data["u"]?.integer
                for side in ["b", "a"] {
                    for level in data[side]?.array ?? [] {
                        let price = level.array?.first?.string ?? ""
                        let size = level.array?.last?.string
                        sides[side]?[price] = size == "0.00000000" ? nil : size
                    }
                }
            case "xrpusdt@depth20@100ms":
                shown = data
                #expect(data["lastUpdateId"]?.integer == lastID)
            default:
                #expect(data["b"]?.string == shown?["bids"]?.array?.first?.array?.first?.string)
                #expect(data["A"]?.string == shown?["asks"]?.array?.first?.array?.last?.string)
            }
        }
        for (side, name) in [("b", "bids"), ("a", "asks")] {
            let levels = shown?[name]?.array?.compactMap { $0.array?.compactMap(\.string) } ?? []
            #expect(levels.count == 20)
            for level in levels where sides[side]?[level[0]] != nil { #expect(sides[side]?[level[0]] == level[1]) }
            #expect(Set(sides[side].map { Array($0.keys) } ?? []).isSubset(of: Set(levels.map { $0[0] })))
        }
    }

    @Test func theCandleComesEverySecondAndOnceForGood() throws {
        // Ten seconds before the hour ends.
        var story = try Story("/ws/ethusdt@kline_1h")
        let request = try #require(PageRequest(method: "GET", target: "/ws/ethusdt@kline_1h"))
        story.session = BinanceSession(try #require(BinanceTarget(request)), openedAt: someTime + 650_000)
        story.prices.walk(to: someTime + 650_000)
        for offset in stride(from: 655_000, through: 670_000, by: 5_000) { story.advance(to: Int64(offset)) }
        let candles = story.messages.compactMap { $0["k"] }
        #expect(candles.count == 21)
        #expect(candles.map { $0["x"]?.bool }.filter { $0 == true }.count == 1)
        let final = try #require(candles.firstIndex { $0["x"]?.bool == true })
        #expect(candles[final]["t"]?.integer == someTime + 660_000 - 3_600_000)
        #expect(candles[final]["T"]?.integer == someTime + 660_000 - 1)
        #expect(candles[final + 1]["t"]?.integer == someTime + 660_000)
        #expect(candles[0]["o"] == candles[final]["o"] && candles[final]["o"] != candles[final + 1]["o"])
    }

    @Test func timesComeInMicrosecondsIfAskedFor() throws {
        var story = try Story("/ws/btcusdt@aggTrade?timeUnit=MICROSECOND")
        story.advance(to: 1_000)
        let trade = try #require(story.messages.last)
        #expect(trade["T"]?.integer == (someTime + 1_000) * 1_000 || trade["T"]?.integer == (someTime + 900) * 1_000)
        #expect(trade["a"] == trade["f"] && trade["f"] == trade["l"])
    }

    @Test func commandsChangeWhatIsHeard() throws {
        var story = try Story("/ws/btcusdt@trade/nobody@trade")
        #expect(
            story.command(#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#)
                == .object(["result": .array([.string("btcusdt@trade"), .string("nobody@trade")]), "id": .number("3")]))
        #expect(
            story.command(#"{"method":"SUBSCRIBE","params":["ethusdt@bookTicker","btcusdt@trade"],"id":"x"}"#)
                == .object(["result": .null, "id": .string("x")]))
        #expect(
            story.command(#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":5}"#)
                == .object(["result": .null, "id": .number("5")]))
        story.texts = []
        story.advance(to: story.offset + 2_000)
        #expect(story.messages.count == 20 && story.messages.allSatisfy { $0["s"]?.string == "ETHUSDT" })
    }

    @Test func whatIsMalformedIsAnsweredAndHarmsNothing() throws {
        var story = try Story("/ws/btcusdt@bookTicker")
        let long = String(repeating: "x", count: 200)
        for (text, code) in [
            ("", 3), ("{", 3), ("[]", 2), ("7", 2), (#"{"method":"DANCE","id":1}"#, 2), (#"{"method":"SUBSCRIBE"}"#, 2),
            (#"{"method":"SUBSCRIBE","params":[],"id":1}"#, 2), (#"{"method":"SUBSCRIBE","params":[7],"id":1}"#, 2),
            (#"{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}"#, 2),
            ("{\"method\":\"SUBSCRIBE\",\"params\":[\"\(long)\"],\"id\":1}", 2),
            (#"{"method":"LIST_SUBSCRIPTIONS","id":{}}"#, 2), (#"{"method":"SET_PROPERTY","id":1}"#, 0),
        ] {
            #expect(story.command(text)?["error"]?["code"]?.integer == Int64(code), "\(text)")
        }
        #expect(story.closeCode == nil)
        story.texts = []
        story.advance(to: story.offset + 1_000)
        #expect(story.texts.count == 10)
    }

    @Test func limitsAreKept() throws {
        var story = try Story("/stream")
        let names = (0..<1_024).map { "\"s\($0)@trade\"" }.joined(separator: ",")
        #expect(story.command("{\"method\":\"SUBSCRIBE\",\"params\":[\(names)],\"id\":1}")?["error"] == nil)
        #expect(
            story.command(#"{"method":"SUBSCRIBE","params":["one@trade"],"id":1}"#)?["error"]?["code"]?.integer == 2)
        #expect(story.command(#"{"method":"SUBSCRIBE","params":["s0@trade"],"id":1}"#)?["error"] == nil)
        story.advance(to: story.offset + 5_000)
        for _ in 0..<5 { story.hand(.ping) }
        #expect(story.closeCode == nil)
        story.hand(.pong)
        #expect(story.closeCode == 1_008)

        let path = "/ws/" + (0..<1_025).map { "s\($0)" }.joined(separator: "/")
        let request = try #require(PageRequest(method: "GET", target: path))
        #expect(BinanceTarget(request) == nil)
    }

    @Test func whoDoesNotAnswerPingsIsSentAwayAndEverybodyAfterADay() throws {
        var story = try Story("/ws/nobody@trade")
        for offset in stride(from: 1_000, through: 100_000, by: 1_000) { story.advance(to: Int64(offset)) }
        #expect(story.pingCount == 5 && story.closeCode == nil)
        story.answersPings = false
        for offset in stride(from: 101_000, through: 180_000, by: 1_000) { story.advance(to: Int64(offset)) }
        #expect(story.closeCode == 1_008)

        var patient = try Story("/ws/nobody@trade")
        let target = try #require(PageRequest(method: "GET", target: "/ws/nobody@trade"))
        patient.session = BinanceSession(try #require(BinanceTarget(target)), openedAt: someTime - 86_390_000)
        for offset in stride(from: -86_380_000, to: 0, by: 10_000) {
            var actions: [ChannelAction] = []
            patient.session.receive(
                .pong, at: someTime + Int64(offset), patient.prices, accepts: { _ in false }, into: &actions)
        }
        patient.advance(to: 9_999)
        #expect(patient.closeCode == nil)
        patient.advance(to: 10_000)
        #expect(patient.closeCode == 1_001)
    }

    @Test func theVenuesOwnChannelsAreNotBinances() throws {
        for path in ["/ws/market", "/ws/user", "/ws", "/prices", "/stream/x", "/", "/ok"] {
            let request = try #require(PageRequest(method: "GET", target: path))
            #expect(BinanceTarget(request) == nil, "\(path)")
        }
    }
}
