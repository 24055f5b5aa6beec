import Testing

@testable import Shared

/// Whatever others write into our frames, a frame stays within its bound.
@Suite struct WireBoundsTests {
    private static func byteCount(_ body: some FrameBody) -> Int {
        EncodedFrame(body, sentTime: Timestamp(seconds: 1)).byteCount(sequence: .max)
    }

    @Test func anErrorQuotesALongTextInPart() {
        let text = String(repeating: "\u{1}", count: FrameDecoder.byteCountMax)
        #expect(Self.byteCount(ErrorBody(code: .badRequest, message: "not \(text)")) < 10_000)
        #expect(Self.byteCount(ResultBody(id: 1, .failed(code: .badRequest, message: text))) < 10_000)
        #expect(ErrorBody(code: .badRequest, message: "not this").message == "not this")
    }

    @Test(arguments: [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abc…"), ("äöüß", 6, "ä…"), ("", 0, ""), ("ab", 1, "…")])
    func aTextIsCutBetweenCharacters(text: String, byteCount: Int, short: String) {
        #expect(text.shortened(toByteCount: byteCount) == short)
    }

    @Test(arguments: ["\"", "\\", "\u{1}", "\n", "\u{7F}", "é"])
    func theLargestEventFitsWhateverItsTextsAre(character: String) throws {
        let text = JSONValue.string(String(repeating: character, count: 2_000))
        let condition = JSONValue.string(ConditionID(words: (.max, .max, .max, .max)).description)
        let member = JSONValue.object([
            "conditionId": condition, "groupItemTitle": text, "negRiskOther": .bool(false), "active": .bool(false),
        ])
        let members = Array(repeating: member, count: EventGroup.memberCountMax)
        let event = JSONValue.object([
            "slug": text, "negRisk": .bool(true), "negRiskMarketID": text, "markets": .array(members),
        ])
        let group = try #require(EventGroup(event, now: Timestamp(seconds: 1)))
        #expect(group.members.count == EventGroup.memberCountMax)
        #expect(Self.byteCount(EventGroupBody(group)) < FrameDecoder.byteCountMax / 2)
        let (before, after) = (Market.example(), Self.longest(character))
        let changed = try #require(MarketChanged(from: after, to: Self.longest("x")))
        #expect(MarketChanged(from: before, to: after) != nil)
        #expect(Self.byteCount(changed) < FrameDecoder.byteCountMax / 2)
    }

    private static func longest(_ character: String) -> Market {
        let text = String(repeating: character, count: 2_000).shortened(toByteCount: Market.textByteCountMax)
        var market = Market.example()
        market.question = text
        market.slug = text
        market.event = text
        market.resolutionSource = text
        market.asset = text
        return market
    }

    @Test func aUniverseOfTheLongestTextsComesInPartsThatFit() {
        var market = Market.example()
        market.question = String(repeating: "\u{1}", count: Market.textByteCountMax)
        market.slug = market.question
        market.event = market.question
        let bodies = UniverseBody.split(Array(repeating: market, count: 401), age: 0)
        #expect(bodies.allSatisfy { Self.byteCount($0) < FrameDecoder.byteCountMax })
        #expect(bodies.reduce(0) { $0 + $1.markets.count } == 401)
        #expect(bodies.map(\.part) == Array(1...bodies[0].parts))
        #expect(UniverseBody.split([], age: 0).count == 1)
    }
}
