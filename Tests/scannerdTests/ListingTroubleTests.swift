import Shared
import Testing

@testable import scannerd

/// A venue in trouble must not make the watched markets vanish.
@Suite struct ListingTroubleTests {
    private static let now = Timestamp(seconds: 1_778_584_000)

    /// The page that the listing would show of this market.
    private static func page(_ numbers: Range<Int>, question: String = "Bitcoin Up or Down") throws -> JSONValue {
        let markets = numbers.map { number in
            let condition = ConditionID(words: (0, 0, 0, UInt64(number)))
            return #"""
                {"conditionId":"\#(condition)","slug":"btc-updown-5m-\#(number)","question":"\#(question)","active":true,
                "closed":false,"archived":false,"enableOrderBook":true,"acceptingOrders":true,
                "endDate":"2026-05-12T11:15:00Z","outcomes":"[\"Up\",\"Down\"]",
                "clobTokenIds":"[\"\#(2 * number)\",\"\#(2 * number + 1)\"]","orderPriceMinTickSize":0.01,"orderMinSize":5}
                """#
        }
        return try JSONValue(parsing: Array(#"{"markets":[\#(markets.joined(separator: ","))]}"#.utf8))
    }

    private static func watching(_ numbers: Range<Int>) throws -> Universe {
        var universe = Universe(filter: MarketFilter())
        var listing = Listing(for: universe, now: Self.now)
        #expect(try listing.take(Self.page(numbers)) == nil)
        _ = universe.update(listing.candidates, gone: listing.gone, now: Self.now)
        #expect(universe.markets.count == numbers.count)
        return universe
    }

    @Test func anEmptyListingEndsNoMarket() throws {
        var listing = Listing(for: try Self.watching(1..<4), now: Self.now)
        #expect(throws: Listing.Problem.empty) { try listing.take(JSONValue(parsing: Array(#"{"markets":[]}"#.utf8))) }
        // Before anything is watched it is what it says.
        var first = Listing(for: Universe(filter: MarketFilter()), now: Self.now)
        #expect(try first.take(JSONValue(parsing: Array(#"{"markets":[]}"#.utf8))) == nil)
    }

    @Test func aMarketThatIsMissingAmongOthersStays() throws {
        var universe = try Self.watching(1..<4)
        var listing = Listing(for: universe, now: Self.now)
        #expect(try listing.take(Self.page(1..<3)) == nil)
        #expect(universe.update(listing.candidates, gone: listing.gone, now: Self.now) == [])
        #expect(universe.markets.count == 3)
    }

    @Test func theLongestTextsOfAListingAreBounded() throws {
        let long = String(repeating: "x", count: 100_000)
        var listing = Listing(for: Universe(filter: MarketFilter()), now: Self.now)
        #expect(try listing.take(Self.page(1..<2, question: long)) == nil)
        let question = try #require(listing.candidates.first?.market.question)
        #expect(question.utf8.count <= Market.textByteCountMax && question.hasSuffix("…"))
    }

    // MARK: Numbers of markets

    private static func story(_ numbers: [UInt64]) -> ScanStory {
        var filter = MarketFilter()
        filter.marketCountMax = 100
        let story = ScanStory(filter)
        Self.list(numbers, in: story)
        story.settle()
        return story
    }

    private static func list(_ numbers: [UInt64], in story: ScanStory) {
        story.venue.markets += numbers.map { FakeMarket($0, end: ScanStory.begin + .seconds(86_400)) }
    }

    @Test func aMarketWithAnAbsurdNumberHidesNoNewOne() {
        let story = Self.story(Array(1...25) + [UInt64(Int64.max)])
        #expect(story.core.universe.markets.count == 26)
        for last in [38, 51] as [UInt64] {
            Self.list(Array(last - 12...last), in: story)
            story.pass(.seconds(10))
            #expect(story.core.universe.markets.count == Int(last) + 1)
        }
    }

    @Test func whereMarketsHaveNoNumbersTheNewestPagesAreReadUpToTheirBound() {
        let story = Self.story([])
        story.fault = { request, answer in
            guard case .page = request.subject, case .value(let page) = answer else { return answer }
            var members = page.object ?? [:]
            let markets = (page["markets"]?.array ?? []).map { market -> JSONValue in
                var members = market.object ?? [:]
                members["id"] = .string("x")
                return .object(members)
            }
            members["markets"] = .array(markets)
            return .value(.object(members))
        }
        Self.list(Array(1...70), in: story)
        story.pass(.seconds(600))
        #expect(story.core.universe.markets.count == 70)
        story.venue.requests = []
        Self.list(Array(71...83), in: story)
        story.pass(.seconds(10))
        #expect(story.core.universe.markets.count == 83)
        let pages = story.venue.requests.filter { if case .page(false, _) = $0 { true } else { false } }
        #expect(pages.count == ScanCore.newestPageCountMax)
    }
}
