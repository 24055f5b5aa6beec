import Shared
import Testing

@testable import scannerd

/// What is asked of the venue, and what is made of its answers.
@Suite struct ScanCoreTests {
    private static let day = ScanStory.begin + .seconds(86_400)

    private func story(_ count: UInt64 = 25, _ filter: MarketFilter = MarketFilter()) -> ScanStory {
        let story = ScanStory(filter)
        for number in 1...count { story.venue.markets.append(FakeMarket(number, end: Self.day)) }
        return story
    }

    private func id(_ number: UInt64) -> ConditionID { ConditionID(words: (0, 0, 0, number)) }

    // MARK: Reading

    @Test func theFirstUniverseIsToldOnceItIsReadAndConfirmed() {
        let story = self.story()
        story.settle()
        #expect(story.takeActions() == [.ready])
        #expect(story.followed?.count == 25 && story.core.lastWhole?.listedCount == 25)
        let pages = story.venue.requests.filter { if case .page = $0 { true } else { false } }
        let terms = story.venue.requests.filter { if case .terms = $0 { true } else { false } }
        #expect(pages.count == 3 && terms.count == 25)
        story.venue.requests = []
        story.pass(.seconds(9))
        #expect(story.venue.requests == [])
        story.pass(.seconds(1))
        #expect(
            story.venue.requests == [.members((1...25).map { self.id($0) })] + (1...10).map { .terms(self.id($0)) }
                + [.page(isWhole: false, cursor: nil)])
        story.venue.requests = []
        story.pass(.seconds(20))
        let rechecked = story.venue.requests.compactMap { if case .terms(let id) = $0 { id.words.3 } else { nil } }
        #expect(rechecked == Array(11...25) + Array(1...5), "members in turn")
        #expect(story.takeActions() == [])
    }

    @Test func theWholeListingIsReadAgainAfterItsInterval() {
        let story = self.story()
        story.pass(.seconds(1_300))
        #expect(story.core.wholePassCount == 3)
    }

    @Test func aNewMarketIsFoundWithinARound() {
        var filter = MarketFilter()
        filter.marketCountMax = 40
        let story = self.story(25, filter)
        story.settle()
        for number in 26...38 as ClosedRange<UInt64> { story.venue.markets.append(FakeMarket(number, end: Self.day)) }
        story.pass(.seconds(10))
        #expect(story.core.universe.markets.count == 38)
        #expect(story.followed == story.core.universe.markets)
    }

    // MARK: A venue in trouble

    @Test func aPageThatFailsLosesNothing() {
        let story = self.story()
        story.settle()
        _ = story.takeActions()
        story.fault = { request, answer in
            if case .page(true, "10") = request.subject { .failed("no") } else { answer }
        }
        story.venue.markets.append(FakeMarket(100, end: Self.day))
        story.pass(.seconds(700))
        #expect(story.takeActions() == [.troubled(.gamma, "no")] && story.core.failedPassCount > 0)
        #expect(story.core.universe.markets.count == 25 && story.followed == story.core.universe.markets)
        story.fault = { $1 }
        story.pass(.seconds(70))
        #expect(story.core.error == nil && story.core.wholePassCount == 2)
    }

    @Test(arguments: [1, 2]) func aCursorThatWasThereIsAskedForAgain(times: Int) {
        let story = self.story()
        var left = times
        story.fault = { request, answer in
            guard case .page(true, "20") = request.subject, left > 0, case .value(let page) = answer else {
                return answer
            }
            left -= 1
            var members = page.object ?? [:]
            members["next_cursor"] = .string("10")
            return .value(.object(members))
        }
        story.settle()
        #expect(story.takeActions() == [.ready] && story.followed?.count == 25)
        #expect(story.core.lastWhole?.listedCount == 25, "nothing is counted twice")
    }

    @Test func aLoopOfCursorsEndsAndWhatWasReadCounts() {
        let story = self.story()
        story.fault = { request, answer in
            guard case .page(true, "20") = request.subject, case .value(let page) = answer else { return answer }
            var members = page.object ?? [:]
            members["next_cursor"] = .string("10")
            return .value(.object(members))
        }
        #expect(story.settle(), "it ends")
        #expect(story.core.error?.contains("a cursor") == true && !story.core.isReady)
        story.fault = { $1 }
        story.pass(.seconds(1))
        #expect(story.core.isReady && story.core.error == nil && story.followed?.count == 25)
    }

    @Test(arguments: ["{}", "[]", #"{"markets":7}"#, #"{"markets":[]}"#])
    func anAnswerThatIsNoPageLosesNothing(text: String) throws {
        let story = self.story()
        story.settle()
        _ = story.takeActions()
        let wrong = ScanAnswer.value(try JSONValue(parsing: Array(text.utf8)))
        story.fault = { request, answer in
            switch request.subject {
            case .page, .members: wrong
            case .market: .failed("no")
            default: answer
            }
        }
        story.pass(.seconds(300))
        #expect(story.followed?.count == 25 && story.followed == story.core.universe.markets)
        #expect(!story.takeActions().contains { if case .publish = $0 { true } else { false } })
    }

    @Test func aVenueThatIsAwayForAnHourIsToldOnceAndTheUniverseStays() {
        let story = self.story()
        story.settle()
        _ = story.takeActions()
        story.fault = { _, _ in .failed("away") }
        story.pass(.seconds(3_600))
        #expect(Set(story.takeActions()) == [.troubled(.gamma, "away"), .troubled(.clob, "away")])
        #expect(story.followed?.count == 25)
        story.fault = { $1 }
        story.pass(.seconds(70))
        #expect(Set(story.takeActions()) == [.recovered(.gamma), .recovered(.clob)])
    }

    /// Whatever fails, whoever follows the changes has the whole, and in the end it is right.
    @Test(arguments: UInt64(1)...3) func whateverFailsAllIsRightInTheEnd(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var filter = MarketFilter()
        filter.marketCountMax = 30
        let story = self.story(60, filter)
        for _ in 0..<50 {
            var faults = SeededRandom(seed: random.next())
            story.fault = { _, answer in
                switch Int.random(in: 0..<12, using: &faults) {
                case 0: .failed("no")
                case 1: .missing
                case 2: .value(.object(["markets": .array([.null]), "next_cursor": .string("10")]))
                case 3: .value(.null)
                default: answer
                }
            }
            let place = Int.random(in: story.venue.markets.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: story.venue.markets[place].isClosed.toggle()
            case 1: story.venue.markets[place].tick = ["0.01", "0.001", "0.02"].randomElement(using: &random)!
            case 2: story.venue.markets[place].end = story.time + .seconds(Int64.random(in: 60...9_000, using: &random))
            default: story.venue.markets[place].hasTokens.toggle()
            }
            story.pass(.seconds(Int64.random(in: 1...40, using: &random)))
            if let followed = story.followed { #expect(followed == story.core.universe.markets, "seed \(seed)") }
        }
        story.fault = { $1 }
        story.pass(.seconds(1_300))
        #expect(story.followed == story.core.universe.markets, "seed \(seed)")
        for market in story.core.universe.sorted {
            let listed = story.venue.markets.first { $0.condition == market.condition }
            #expect(listed.map { !$0.isClosed && $0.hasTokens && $0.end > story.time } == true, "seed \(seed)")
            #expect(listed?.tick == market.tick.description && listed?.end == market.endTime, "seed \(seed)")
        }
    }

    // MARK: Members

    @Test func aMemberThatClosedIsRemovedWithItsReason() {
        let story = self.story()
        story.settle()
        _ = story.takeActions()
        story.venue.markets[3].isClosed = true
        story.pass(.seconds(10))
        #expect(story.takeActions() == [.publish(.removed(self.id(4), .resolved))])
    }

    @Test func aMemberThatIsNowhereIsRemovedWhenAskedForTwice() {
        let story = self.story()
        story.settle()
        _ = story.takeActions()
        let market = story.venue.markets.remove(at: 3)
        story.pass(.seconds(10))
        #expect(story.takeActions() == [], "it may be a cache's mistake")
        story.venue.markets.append(market)
        story.pass(.seconds(10))
        story.venue.markets.removeLast()
        story.pass(.seconds(10))
        #expect(story.takeActions() == [], "counted anew")
        story.pass(.seconds(10))
        #expect(story.takeActions() == [.publish(.removed(self.id(4), .unlisted))])
    }

    @Test func aChangedRuleIsToldWithOldAndNewWithinARound() throws {
        let story = self.story()
        story.settle()
        _ = story.takeActions()
        story.venue.markets[0].tick = "0.001"
        story.pass(.seconds(10))
        guard case .publish(.changed(let changed))? = story.takeActions().first else {
            Issue.record("nothing was told")
            return
        }
        #expect(changed.changedRules == ["tick"] && changed.market.tick.micros == 1_000)
        #expect(changed.description(of: changed.changed) == "tick 10000 -> 1000")
    }

    // MARK: Hints and unready markets

    @Test func aHintIsFollowedBeforeAllElse() {
        var filter = MarketFilter()
        filter.marketCountMax = 40
        let story = self.story(25, filter)
        story.settle()
        _ = story.takeActions()
        story.venue.markets.append(FakeMarket(99, end: Self.day))
        #expect(story.hint(slug: "market-99", condition: nil))
        story.settle()
        #expect(story.takeActions().count == 1 && story.slugs.contains("market-99"))
        story.venue.markets[0].isClosed = true
        #expect(story.hint(slug: nil, condition: self.id(1)))
        story.settle()
        #expect(story.takeActions() == [.publish(.removed(self.id(1), .resolved))])
        #expect(story.hint(slug: nil, condition: self.id(7_777)), "nobody knows it")
        let before = story.venue.requests.count
        for _ in 0..<20 { #expect(story.hint(slug: "market-5", condition: nil), "twenty lines bring it") }
        story.settle()
        #expect(story.venue.requests.count == before + 1)
        story.settle()
        #expect(story.takeActions() == [])
    }

    @Test func hintsAreBounded() {
        let story = self.story()
        let taken = (0..<2_000).filter { story.hint(slug: "x-\($0)", condition: nil) }
        #expect(taken.count == ScanCore.hintCountMax)
        #expect(story.settle() && story.core.isReady)
    }

    @Test func aMarketWithoutTokensIsLookedAtAgainUntilItHasThem() {
        var filter = MarketFilter()
        filter.marketCountMax = 40
        let story = self.story(25, filter)
        story.settle()
        var market = FakeMarket(99, end: Self.day)
        market.hasTokens = false
        story.venue.markets.append(market)
        story.pass(.seconds(60))
        #expect(!story.slugs.contains("market-99"))
        story.venue.markets[25].hasTokens = true
        story.pass(.seconds(10))
        #expect(story.slugs.contains("market-99") && story.core.hydrating.isEmpty)
    }

    @Test func aMarketWaitsForTheOrderBookService() {
        let story = self.story(3)
        story.venue.markets[1].knownSince = story.time + .seconds(100)
        story.settle()
        #expect(story.takeActions() == [.ready] && story.followed?.count == 2)
        story.pass(.seconds(99))
        #expect(story.followed?.count == 2)
        let asked = story.venue.requests.filter { $0 == .terms(self.id(2)) }.count
        #expect((3...12).contains(asked), "\(asked)")
        story.pass(.seconds(61))
        #expect(story.followed?.count == 3)
    }

    @Test func anOrderBookServiceThatIsAwayHoldsUpNoUniverse() {
        let story = self.story(3)
        story.fault = { request, answer in if case .terms = request.subject { .failed("away") } else { answer } }
        story.settle()
        #expect(story.core.isReady && story.followed?.isEmpty == true)
        story.fault = { $1 }
        story.pass(.seconds(61))
        #expect(story.followed?.count == 3)
    }

    // MARK: Positions, groups, an earlier life

    @Test func aMarketWithAPositionIsSoughtAndKept() {
        var filter = MarketFilter()
        filter.keywords = ["rain"]
        let story = self.story(3, filter)
        story.settle()
        _ = story.takeActions()
        story.note(story.core.pin([self.id(2)], time: story.time))
        story.pass(.seconds(10))
        #expect(story.slugs == ["market-2"])
        story.venue.markets[1].isClosed = true
        story.pass(.seconds(60))
        #expect(story.slugs == ["market-2"])
        _ = story.takeActions()
        story.note(story.core.pin([], time: story.time))
        #expect(story.takeActions() == [.publish(.removed(self.id(2), .resolved))])
    }

    @Test func theGroupOfANegRiskEventIsToldAndToldAnewWhenItChanges() {
        let story = self.story(2)
        for place in 0..<2 { (story.venue.markets[place].isNegRisk, story.venue.markets[place].event) = (true, "fed") }
        story.settle()
        #expect(story.core.groups["fed"]?.isComplete == true)
        _ = story.takeActions()
        story.venue.markets[1].tick = "0.02"
        story.pass(.seconds(610))
        let groups = story.takeActions().compactMap { if case .publishGroup(let group) = $0 { group } else { nil } }
        #expect(groups.map(\.isComplete) == [false])
        story.venue.markets[0].isClosed = true
        story.pass(.seconds(10))
        #expect(story.core.groups.isEmpty)
    }

    @Test func anEarlierLifesUniverseIsToldAtOnceAndKeptWhileTheVenueIsAway() throws {
        let former = self.story(5)
        former.settle()
        let file = UniverseFile(
            listedTime: try #require(former.core.listedTime), markets: former.core.universe.sorted)
        let later = ScanStory.begin + .seconds(3_600)
        let saved = try UniverseFile(file.bytes, now: later)
        #expect(saved == file)
        let story = ScanStory(at: later)
        story.fault = { _, _ in .failed("away") }
        story.note(story.core.restore(saved.markets, listedTime: saved.listedTime, time: later))
        #expect(story.takeActions() == [.ready] && story.followed?.count == 5)
        story.pass(.seconds(600))
        #expect(story.followed?.count == 5 && story.core.listedTime == ScanStory.begin)
        story.venue.markets = former.venue.markets
        story.venue.markets[0].tick = "0.001"
        story.fault = { $1 }
        _ = story.takeActions()
        story.pass(.seconds(70))
        #expect(story.followed == story.core.universe.markets && story.followed?.count == 5)
        let changes = story.takeActions().filter { if case .publish(.changed) = $0 { true } else { false } }
        #expect(changes.count == 1, "the tick was changed while nobody looked")
    }

    @Test func whatWasHeldIsKeptOverARestartWhateverTheFilterSaysAndThoughItIsOver() throws {
        let former = self.story(5)
        former.settle()
        let pinned: Set = [self.id(2), self.id(4)]
        former.note(former.core.pin(pinned, time: former.time))
        let file = UniverseFile(
            listedTime: former.time, markets: former.core.universe.sorted, pinned: pinned.sorted())
        let saved = try UniverseFile(file.bytes, now: former.time)
        #expect(saved == file)
        // The market ends while the scanner is away; nobody has resolved it yet.
        let later = former.venue.markets[1].end + .seconds(60)
        var filter = MarketFilter()
        filter.keywords = ["rain"]
        filter.marketCountMax = 1
        let story = ScanStory(filter, at: later)
        story.venue = former.venue
        story.venue.markets[4].end = later + .seconds(86_400)
        story.note(
            story.core.restore(saved.markets, pinned: pinned, listedTime: saved.listedTime, time: later))
        story.pass(.seconds(300))
        #expect(Set(story.core.universe.markets.keys) == pinned && story.followed == story.core.universe.markets)
        // Then stratd tells that it holds nothing.
        story.note(story.core.pin([], time: story.time))
        #expect(story.followed?.isEmpty == true)
    }

    @Test(arguments: [
        "", "x", "{}\n{}", "{\"v\":2,\"listed_time\":5}\n{\"markets\":[],\"age\":0}\n", "{\"v\":1}\n[]", "\n\n\n",
    ])
    func aBrokenFileIsRefused(text: String) {
        #expect(throws: UniverseFile.Problem.self) { try UniverseFile(Array(text.utf8), now: ScanStory.begin) }
    }

    /// Altered by hand: it would be a frame that nobody can be sent.
    @Test func aFileWithAMarketOfAMegabyteIsNotBelieved() throws {
        let story = self.story(2)
        story.settle()
        let bytes = UniverseFile(listedTime: ScanStory.begin, markets: story.core.universe.sorted).bytes
        let text = String(decoding: bytes, as: UTF8.self)
        let question = #""question":""#
        let long = text.replacing(question, with: question + String(repeating: "x", count: 1 << 20), maxReplacements: 1)
        #expect(long.utf8.count > bytes.count && long.utf8.count < UniverseFile.byteCountMax)
        #expect(throws: UniverseFile.Problem.malformed(JSONError(.wrongValue, at: 0, member: "markets"))) {
            try UniverseFile(Array(long.utf8), now: ScanStory.begin)
        }
    }

    @Test func everyCutOfAFileIsRefused() throws {
        let story = self.story(2)
        story.settle()
        let bytes = UniverseFile(listedTime: ScanStory.begin, markets: story.core.universe.sorted).bytes
        for end in bytes.indices.dropLast() {
            #expect(throws: UniverseFile.Problem.self) { try UniverseFile(Array(bytes[..<end]), now: ScanStory.begin) }
        }
        #expect(throws: UniverseFile.Problem.inTheFuture) {
            try UniverseFile(bytes, now: ScanStory.begin + .seconds(-1))
        }
    }
}
