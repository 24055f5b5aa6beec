import Shared
import Testing

private let now = Timestamp(seconds: 1_778_584_000)

@Suite struct UniverseTests {
    private func market(
        _ condition: UInt64, _ question: String = "Bitcoin Up or Down?", endsIn seconds: Int64 = 600
    ) -> Market {
        var market = Market.example(condition: condition, endTime: Timestamp(seconds: 1_778_584_000 + seconds))
        market.question = question
        market.slug = "slug-\(condition)"
        market.event = "event"
        return market
    }

    private func candidates(_ markets: Market...) -> [Candidate] { markets.map { Candidate($0) } }

    private func universe(_ keywords: [String] = [], excluded: [String] = [], countMax: Int = 25) -> Universe {
        var filter = MarketFilter()
        filter.keywords = keywords
        filter.excludedKeywords = excluded
        filter.marketCountMax = countMax
        return Universe(filter: filter)
    }

    // MARK: The filter

    @Test(arguments: [
        ("bitcoin", true), ("BITCOIN", true), ("Bitcoin up", true), ("up or down", true), ("  up   or\tDOWN ", true),
        ("bit", false), ("coin", false), ("itcoin", false), ("down up", false), ("up-or-down", true), ("5m", false),
        ("slug", true), ("slug-1", true), ("event", true), ("", false), ("?!", false),
    ])
    func keywordsAreWholeWordsOrPhrasesInAnyCase(keyword: String, isFound: Bool) {
        let market = self.market(1)
        #expect(self.universe([keyword]).refusal(Candidate(market), now: now) == (isFound ? nil : .keywords))
        #expect(self.universe(excluded: [keyword]).refusal(Candidate(market), now: now) == (isFound ? .excluded : nil))
    }

    @Test(arguments: [
        ("Élysée", "élysée"), ("Straße", "STRASSE"), ("日本", "日本"), ("a.b", "a b"),
        ("São Paulo", "sao paulo"), ("Sao Paulo", "São"), ("Zürich", "zurich"), ("Łódź", "lodz"), ("Ærø", "aero"),
        ("Cafe\u{301}", "café"), ("Αθήνα", "αθηνα"), ("हिन्दी", "हिन्दी"), ("Москва", "москва"),
        ("İstanbul", "istanbul"), ("O'Neill", "o neill"),
    ])
    func wordsOfAllLanguagesAreFolded(question: String, keyword: String) {
        let refusal = self.universe([keyword]).refusal(Candidate(self.market(1, question)), now: now)
        #expect(refusal == nil)
    }

    @Test func aPhraseDoesNotReachAcrossTexts() {
        #expect(self.universe(["or down slug"]).refusal(Candidate(self.market(1)), now: now) == .keywords)
        #expect(self.universe(["down"]).refusal(Candidate(self.market(1)), now: now) == nil)
        #expect(self.universe(["down event"]).refusal(Candidate(self.market(1)), now: now) == .keywords)
    }

    @Test func withoutKeywordsAllAreLetIn() {
        #expect(self.universe().refusal(Candidate(self.market(1, "")), now: now) == nil)
    }

    @Test func excludedWordsWinOverWanted() {
        #expect(
            self.universe(["bitcoin"], excluded: ["down"]).refusal(Candidate(self.market(1)), now: now) == .excluded)
    }

    @Test func aMarketNeedsTimeToBeTraded() {
        #expect(self.universe().refusal(Candidate(self.market(1, endsIn: 120)), now: now) == nil)
        #expect(self.universe().refusal(Candidate(self.market(1, endsIn: 119)), now: now) == .tooLittleTime)
    }

    // MARK: The set

    @Test func theFirstListingIsAddedSoonestEndFirst() {
        var universe = self.universe(countMax: 2)
        let markets = [self.market(3, endsIn: 900), self.market(1, endsIn: 600), self.market(2, endsIn: 300)]
        let changes = universe.update(markets.map { Candidate($0) }, now: now)
        #expect(changes == [.added(markets[1]), .added(markets[2])])
        #expect(universe.sorted == [markets[1], markets[2]])
        #expect(universe.update(markets.map { Candidate($0) }, now: now) == [])
    }

    @Test func aMarketThatIsListedTwiceIsOne() {
        var universe = self.universe(countMax: 3)
        let market = self.market(1)
        #expect(universe.update(self.candidates(market, market), now: now) == [.added(market)])
        #expect(universe.update(self.candidates(market, market), now: now) == [])
    }

    @Test(arguments: [
        (Refusal.closed, MarketRemoved.Reason.resolved), (.resolving, .resolved), (.ended, .ended),
        (.tooLittleTime, .ended),
        (.outranked, .outranked), (.notAccepting, .filtered), (.keywords, .filtered), (.badFees, .filtered),
    ])
    func whoeverGoesIsToldWhy(refusal: Refusal, reason: MarketRemoved.Reason) {
        var universe = self.universe()
        let market = self.market(1)
        _ = universe.update(self.candidates(market), now: now)
        #expect(
            universe.update([], gone: [market.condition: refusal], now: now) == [.removed(market.condition, reason)])
        #expect(universe.markets.isEmpty)
    }

    @Test func whoeverIsNotInAReadingStaysUntilSomebodyGivesAReason() {
        var universe = self.universe()
        let (long, short) = (self.market(1, endsIn: 900), self.market(2, endsIn: 300))
        _ = universe.update(self.candidates(long, short), now: now)
        #expect(universe.update([], now: now) == [])
        #expect(universe.update([], isWhole: false, now: now) == [])
        #expect(universe.tick(now: now + .seconds(300)) == [.removed(short.condition, .ended)])
        #expect(
            universe.update([], gone: [long.condition: .unlisted], now: now + .seconds(301))
                == [.removed(long.condition, .unlisted)])
        #expect(universe.markets.isEmpty)
    }

    @Test func whoeverRunsOutOfTimeHasEnded() {
        var universe = self.universe()
        let market = self.market(1, endsIn: 300)
        _ = universe.update(self.candidates(market), now: now)
        #expect(
            universe.update(self.candidates(market), now: now + .seconds(181)) == [.removed(market.condition, .ended)])
    }

    @Test func everyTermThatChangedIsNamed() {
        let old = self.market(1)
        let changes: [(String, (inout Market) -> Void)] = [
            ("asset", { $0.asset = nil }), ("end_time", { $0.endTime = $0.endTime + .seconds(1) }),
            ("event", { $0.event = "x" }),
            ("fee_exponent", { $0.feeExponent = 2 }), ("fee_rate", { $0.feeRate = 1 }),
            ("min_size", { $0.sizeMin = .zero }),
            ("neg_risk", { $0.isNegRisk = true }), ("question", { $0.question = "x" }),
            ("rewards", { $0.rewards = RewardTerms(sizeMin: .zero, spreadMax: 1, daily: .zero) }),
            ("settlement", { $0.settlement = .other }), ("slug", { $0.slug = "x" }),
            ("start_time", { $0.startTime = nil }),
            ("taker_delay", { $0.hasTakerDelay = false }), ("taker_delay_s", { $0.takerDelaySeconds = 3 }),
            ("augmented", { $0.isAugmented = true }), ("rebate_rate", { $0.rebateRate = 1 }),
            ("resolution_source", { $0.resolutionSource = "x" }), ("tick", { $0.tick = TickSize(micros: 1_000)! }),
            ("outcomes", { $0 = .example(first: $0.second.token, second: $0.first.token, like: $0) }),
        ]
        for (name, change) in changes {
            var universe = self.universe()
            _ = universe.update(self.candidates(old), now: now)
            var new = old
            change(&new)
            let changed = MarketChanged(market: new, changed: [name], old: Self.old(name, of: old))
            #expect(universe.update(self.candidates(new), now: now) == [.changed(changed)])
            #expect(universe.sorted == [new])
        }
        var universe = self.universe()
        _ = universe.update(self.candidates(old), now: now)
        var new = old
        (new.tick, new.asset) = (TickSize(micros: 1_000)!, nil)
        let before = [JSONValue.string("btc"), .number("10000")]
        let changed = MarketChanged(
            market: new, changed: ["asset", "tick"], old: ["asset": before[0], "tick": before[1]])
        #expect(universe.update(self.candidates(new), now: now) == [.changed(changed)])
        #expect(changed.changedRules == ["tick"])
        #expect(changed.description(of: changed.changed) == #"asset "btc" -> none, tick 10000 -> 1000"#)
    }

    /// What frames said of one of its members.
    private static func old(_ name: String, of market: Market) -> [String: JSONValue] {
        var writer = JSONWriter()
        MarketAdded(market: market).write(to: &writer)
        let member = (try? JSONValue(parsing: writer.bytes))?[name]
        return member.map { [name: $0] } ?? [:]
    }

    /// Whoever follows the changes has the whole: that is what subscribers rely on.
    @Test(arguments: UInt64(1)...30) func theChangesOfASnapshotGiveTheNext(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var universe = self.universe(["bitcoin"], excluded: ["ether"], countMax: 12)
        var followed: [ConditionID: Market] = [:]
        var time = now
        for _ in 0..<60 {
            time = time + .seconds(Int64.random(in: 0...60, using: &random))
            let listing = self.listing(at: time, using: &random)
            var gone: [ConditionID: Refusal] = [:]
            for condition in universe.markets.keys.sorted() where Int.random(in: 0..<9, using: &random) == 0 {
                gone[condition] = Refusal.allCases.randomElement(using: &random)
            }
            let isWhole = Bool.random(using: &random)
            let pinned = Set(universe.markets.keys.sorted().shuffled(using: &random).prefix(2))
            var changes = universe.pin(pinned, now: time)
            changes += universe.update(listing.map { Candidate($0) }, gone: gone, isWhole: isWhole, now: time)
            changes += universe.tick(now: time)
            for change in changes {
                switch change {
                case .removed(let condition, _):
                    #expect(followed.removeValue(forKey: condition) != nil)
                case .added(let market):
                    #expect(followed.updateValue(market, forKey: market.condition) == nil)
                case .changed(let changed):
                    let market = changed.market
                    #expect(!changed.changed.isEmpty)
                    #expect(followed.updateValue(market, forKey: market.condition) != market)
                }
            }
            #expect(followed == universe.markets)
            #expect(universe.markets.count <= 12)
            #expect(universe.markets.keys.filter { pinned.contains($0) }.count == pinned.count, "seed \(seed)")
        }
    }

    private func listing(at time: Timestamp, using random: inout SeededRandom) -> [Market] {
        var listing: [Market] = []
        for condition in UInt64(1)...40 where Int.random(in: 0..<3, using: &random) > 0 {
            let question = ["Bitcoin up?", "Ether and bitcoin?", "Rain?"][Int(condition % 3)]
            var market = self.market(condition, question, endsIn: 0)
            market.endTime = time + .seconds(Int64.random(in: 60...900, using: &random))
            market.feeRate = Int64.random(in: 0...1, using: &random)
            listing.append(market)
        }
        return listing.shuffled(using: &random)
    }
}

@Suite struct ListingTests {
    private var universe: Universe = {
        var filter = MarketFilter()
        filter.marketCountMax = 2
        filter.excludedKeywords = ["ether"]
        return Universe(filter: filter)
    }()

    /// A page with one market a condition, ending so many seconds from now.
    private func page(
        _ markets: [(condition: UInt64, seconds: Int64)], next: String? = nil, closed: Bool = false
    ) throws -> JSONValue {
        let texts = markets.map { condition, seconds in
            let id = ConditionID(words: (0, 0, 0, condition)).description
            let end = Timestamp(seconds: 1_778_584_000 + seconds).rfc3339
            return GammaMarketTests.text.replacing(
                "0xa5c6d0c4cef71fe53c0235790b5568574343551fe67c62db39e9ebf3387b415a", with: id
            )
            .replacing("2026-05-12T11:15:00Z", with: end).replacing("\"closed\":false", with: "\"closed\":\(closed)")
        }
        let cursor = next.map { ",\"next_cursor\":\"\($0)\"" } ?? ""
        return try JSONValue(text: "{\"markets\":[\(texts.joined(separator: ","))]\(cursor)}")
    }

    private func conditions(_ listing: Listing) -> Set<ConditionID> { Set(listing.candidates.map(\.condition)) }
    private func id(_ condition: UInt64) -> ConditionID { ConditionID(words: (0, 0, 0, condition)) }

    @Test func pagesFollowEachOtherToTheLast() throws {
        var listing = Listing(for: self.universe, now: now)
        #expect(try listing.take(self.page([(1, 600), (2, 700)], next: "a")) == "a")
        #expect(try listing.take(self.page([(3, 800)], next: "b")) == "b")
        #expect(try listing.take(self.page([])) == nil)
        #expect(self.conditions(listing) == [self.id(1), self.id(2), self.id(3)])
        #expect(listing.listedCount == 3 && listing.refused.isEmpty && listing.gone.isEmpty)
    }

    @Test func anEmptyCursorIsTheEnd() throws {
        var listing = Listing(for: self.universe, now: now)
        #expect(try listing.take(self.page([(1, 600)], next: "")) == nil)
    }

    @Test func aCursorThatComesAgainEndsThePass() throws {
        var listing = Listing(for: self.universe, now: now)
        _ = try listing.take(self.page([], next: "a"))
        _ = try listing.take(self.page([], next: "b"))
        #expect(throws: Listing.Problem.repeatedCursor) { try listing.take(self.page([], next: "a")) }
    }

    @Test(arguments: ["{}", "[]", "{\"markets\":null}", "{\"markets\":{}}", "{\"error\":\"x\"}"])
    func aPageWithoutMarketsEndsThePass(text: String) throws {
        var listing = Listing(for: self.universe, now: now)
        #expect(throws: Listing.Problem.noMarkets) { try listing.take(JSONValue(text: text)) }
    }

    @Test func aPassWithoutEndIsGivenUp() throws {
        var listing = Listing(for: self.universe, now: now)
        for page in 1..<Listing.pageCountMax { _ = try listing.take(self.page([], next: "\(page)")) }
        #expect(throws: Listing.Problem.tooManyPages) { try listing.take(self.page([], next: "last")) }
        #expect("\(Listing.Problem.tooManyPages)" == "more than 5000 pages")
    }

    @Test mutating func refusedMarketsAreCountedAndMembersAmongThemNamed() throws {
        var first = Listing(for: self.universe, now: now)
        _ = try first.take(self.page([(1, 600)]))
        _ = self.universe.update(first.candidates, gone: first.gone, now: now)
        var listing = Listing(for: self.universe, now: now)
        _ = try listing.take(self.page([(1, 600), (2, 600)], next: "a", closed: true))
        _ = try listing.take(self.page([(3, 100)]))
        #expect(listing.refused == ["closed": 2, "too_little_time": 1])
        #expect(listing.gone == [self.id(1): .closed])
        #expect(
            self.universe.update(listing.candidates, gone: listing.gone, now: now) == [.removed(self.id(1), .resolved)])
    }

    @Test mutating func aLongListingIsTrimmedToTheBestAndTheMembers() throws {
        var first = Listing(for: self.universe, now: now)
        _ = try first.take(self.page([(1, 90_000), (2, 80_000)]))
        _ = self.universe.update(first.candidates, gone: [:], now: now)
        var listing = Listing(for: self.universe, now: now)
        // Members come first, and end last.
        for page in 0..<20 {
            let markets = (0..<10).map { index in
                let number = page * 10 + index
                let seconds = number < 2 ? 90_000 - number * 10_000 : 50_000 - number
                return (condition: UInt64(number) + 1, seconds: Int64(seconds))
            }
            _ = try listing.take(self.page(markets, next: "\(page)"))
            #expect(listing.candidates.count <= 26)
        }
        #expect(listing.listedCount == 200)
        #expect(self.conditions(listing).isSuperset(of: [self.id(1), self.id(2), self.id(200), self.id(199)]))
        #expect(self.universe.update(listing.candidates, gone: listing.gone, now: now) == [])
    }
}
