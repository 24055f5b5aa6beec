import Shared
import Testing

@testable import polybot

@Suite struct ChannelTestTests {
    private let tokens = [Samples.market.first.token, Samples.market.second.token]

    /// A `book` event of the second outcome, with the hash of what it says.
    private func book(spoilt: Bool = false) -> String {
        var book = OrderBook(tick: .cent)
        _ = book.set(.bid, Price(micros: 470_000)!, Quantity(shares: 10))
        _ = book.set(.ask, Price(micros: 490_000)!, Quantity(shares: 30))
        var hasher = BookHasher()
        let lastTrade = LastTradePrice(text: "0.480")
        let hash = hasher.hash(book, of: Samples.market, outcome: 1, timestamp: 1_790_000_000_000, lastTrade: lastTrade)
        return #"""
            {"event_type":"book","asset_id":"222","market":"\#(Samples.condition)","timestamp":"1790000000000",\#
            "bids":[{"price":"0.51","size":"\#(spoilt ? 31 : 30)"}],"asks":[{"price":"0.53","size":"10"}],\#
            "hash":"\#(hash)","tick_size":"0.01","last_trade_price":"0.480"}
            """#
    }

    private func take(_ text: String, _ test: inout ChannelTest, at second: Double) {
        var text = text
        text.withUTF8 { test.take($0, now: Samples.second(second)) }
    }

    @Test func aBookWhoseHashAgreesIsWhatIsHopedFor() throws {
        var test = ChannelTest(market: Samples.market, tokens: self.tokens)
        test.opened(now: Samples.second(1))
        test.pinged(now: Samples.second(1))
        #expect(!test.isOK)
        self.take("[" + self.book() + "]", &test, at: 1.25)
        self.take("PONG", &test, at: 1.5)
        #expect(test.isOK)
        #expect(test.hashesRight == 1)
        #expect(test.firstBook == .milliseconds(250))
        #expect(test.pings == [.milliseconds(500)])
        let json = try JSONValue(parsing: test.json(url: "ws://x", connectTime: .milliseconds(3)))
        #expect(json["ok"]?.bool == true)
        #expect(json["connect_us"]?.integer == 3_000)
        #expect(json["events"]?["book"]?.integer == 1)
        #expect(test.lines(url: "ws://x", connectTime: .milliseconds(3)).contains("book hashes: 1 right, 0 wrong"))
    }

    @Test func aHashThatDoesNotAgreeAndTextThatIsNoJSONAreToldOf() {
        var test = ChannelTest(market: Samples.market, tokens: self.tokens)
        test.opened(now: Samples.second(1))
        self.take(self.book(spoilt: true), &test, at: 2)
        #expect(test.hashesWrong == 1)
        #expect(!test.isOK)
        var other = ChannelTest(market: nil, tokens: self.tokens)
        self.take("INVALID OPERATION", &other, at: 2)
        self.take(#"{"event_type":"#, &other, at: 2)
        #expect(other.notice == "INVALID OPERATION")
        #expect(other.malformed != nil)
    }

    @Test func theSubscriptionNamesTheTokens() throws {
        let test = ChannelTest(market: nil, tokens: self.tokens)
        let value = try JSONValue(parsing: Array(test.subscription.utf8))
        #expect(value["assets_ids"]?.array?.compactMap(\.string) == ["111", "222"])
        #expect(value["type"]?.string == "market")
    }

    @Test(arguments: Refusal.allCases) func everyRefusalHasASentence(refusal: Refusal) {
        #expect(refusal.sentence.hasSuffix("."))
    }
}
