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
