import Shared
import Testing

private let now = Timestamp(seconds: 1_778_584_000)

/// What each word of the filter does.
@Suite struct MarketFilterTests {
    private func candidate(_ change: (inout Candidate) -> Void = { _ in }) -> Candidate {
        var market = Market.example(endTime: now + .seconds(600))
        market.rewards = RewardTerms(sizeMin: .zero, spreadMax: 1, daily: Money(micros: 1))
        var candidate = Candidate(market)
        candidate.series = "btc-up-or-down-5m"
        candidate.tags = ["Crypto Prices", "bitcoin"]
        candidate.description = "Resolves by the Chainlink stream."
        candidate.volume = Money(micros: 1_000_000_000)
        candidate.liquidity = Money(micros: 500_000_000)
        candidate.bestBid = 480_000
        candidate.bestAsk = 520_000
        change(&candidate)
        return candidate
    }

    private func refusal(_ candidate: Candidate, _ set: (inout MarketFilter) -> Void) -> Refusal? {
        var filter = MarketFilter()
        set(&filter)
        return Universe(filter: filter).refusal(candidate, now: now)
    }

    private static let bounds:
        [(Refusal, @Sendable (inout MarketFilter) -> Void, @Sendable (inout MarketFilter) -> Void)] = [
            (.volume, { $0.volumeMin = Money(micros: 1_000_000_000) }, { $0.volumeMin = Money(micros: 1_000_000_001) }),
            (
                .liquidity, { $0.liquidityMin = Money(micros: 500_000_000) },
                { $0.liquidityMin = Money(micros: 500_000_001) }
            ),
            (.spread, { $0.spreadMax = 40_000 }, { $0.spreadMax = 39_999 }),
            (.price, { $0.priceMin = 500_000 }, { $0.priceMin = 500_001 }),
            (.price, { $0.priceMax = 500_000 }, { $0.priceMax = 499_999 }),
            (.fees, { $0.feeRateMax = 70_000 }, { $0.feeRateMax = 69_999 }),
            (.tooLittleTime, { $0.timeLeftMin = .seconds(600) }, { $0.timeLeftMin = .seconds(601) }),
            (.tooMuchTime, { $0.timeLeftMax = .seconds(600) }, { $0.timeLeftMax = .seconds(599) }),
            (.keywords, { $0.keywords = ["chainlink stream"] }, { $0.keywords = ["chain"] }),
            (.keywords, { $0.keywords = ["crypto prices"] }, { $0.keywords = ["prices bitcoin"] }),
            (.excluded, { $0.excludedKeywords = ["stre"] }, { $0.excludedKeywords = ["STREAM"] }),
            (.tags, { $0.tags = ["crypto-prices"] }, { $0.tags = ["crypto"] }),
            (.excludedTags, { $0.excludedTags = ["prices"] }, { $0.excludedTags = ["Bitcoin"] }),
        ]

    @Test(arguments: bounds.indices)
    func eachBoundLetsInWhatLiesOnItAndRefusesWhatLiesBeyond(index: Int) {
        let (refusal, onIt, beyond) = Self.bounds[index]
        #expect(self.refusal(self.candidate(), onIt) == nil)
        #expect(self.refusal(self.candidate(), beyond) == refusal)
    }

    @Test func whatTheVenueDoesNotSayMeetsNoBound() {
        #expect(self.refusal(self.candidate { $0.volume = nil }) { $0.volumeMin = Money(micros: 1) } == .volume)
        #expect(
            self.refusal(self.candidate { $0.liquidity = nil }) { $0.liquidityMin = Money(micros: 1) } == .liquidity)
        #expect(self.refusal(self.candidate { $0.bestAsk = nil }) { $0.spreadMax = 999_999 } == .spread)
        #expect(self.refusal(self.candidate { $0.bestAsk = 470_000 }) { $0.spreadMax = 999_999 } == .spread)
        #expect(self.refusal(self.candidate { $0.bestBid = nil }) { $0.priceMin = 1 } == .price)
        #expect(self.refusal(self.candidate { $0.market.rewards = nil }) { $0.needsRewards = true } == .noRewards)
        #expect(self.refusal(self.candidate()) { $0.needsRewards = true } == nil)
        let bare = self.candidate {
            ($0.volume, $0.liquidity, $0.bestBid, $0.bestAsk) = (nil, nil, nil, nil)
            $0.market.rewards = nil
        }
        #expect(self.refusal(bare) { _ in } == nil, "nobody asked")
    }

    @Test func aSeriesLetsInItsPresentAndItsNextWindowWhateverTheWordsSay() {
        let start = 1_778_583_900 as Int64
        func window(_ place: Int64) -> Candidate {
            self.candidate {
                $0.market.startTime = Timestamp(seconds: start + 300 * place)
                $0.market.endTime = Timestamp(seconds: start + 300 * (place + 1))
            }
        }
        let series: (inout MarketFilter) -> Void = {
            $0.series = ["btc-up-or-down-5m"]
            $0.timeLeftMin = .zero
        }
        let words: (inout MarketFilter) -> Void = {
            series(&$0)
            $0.keywords = ["rain"]
        }
        for place in 0...1 as ClosedRange<Int64> {
            #expect(self.refusal(window(place), series) == nil)
            #expect(self.refusal(window(place), words) == nil)
        }
        #expect(self.refusal(window(2), series) == .windowAhead)
        #expect(self.refusal(window(2), words) == .windowAhead)
        // Words let in all windows that they fit.
        #expect(
            self.refusal(window(2)) {
                series(&$0)
                $0.keywords = ["bitcoin"]
            } == nil)
        #expect(self.refusal(self.candidate { $0.series = "" }, series) == .series, "series alone want nothing else")
        #expect(
            self.refusal(window(0)) {
                series(&$0)
                $0.excludedKeywords = ["bitcoin"]
            } == .excluded)
    }

    @Test func whatLetsAMarketInIsTold() {
        func admission(_ set: (inout MarketFilter) -> Void) -> String {
            var filter = MarketFilter()
            set(&filter)
            return Universe(filter: filter).admission(self.candidate(), now: now)
        }
        #expect(admission { _ in } == "no keywords, tags or series are asked for")
        #expect(admission { $0.keywords = ["rain", "Bitcoin Up"] } == #"scanner.keywords has "Bitcoin Up""#)
        #expect(
            admission {
                $0.keywords = ["stream"]
                $0.tags = ["x", "BITCOIN"]
            } == #"scanner.keywords has "stream", scanner.tags has "BITCOIN""#)
        #expect(admission { $0.series = ["btc-up-or-down-5m"] } == "scanner.series has btc-up-or-down-5m")
    }

    @Test func aMemberIsLetGoALittleLaterThanOthersAreLetIn() {
        var filter = MarketFilter()
        filter.volumeMin = Money(micros: 1_000_000_000)
        filter.spreadMax = 40_000
        var universe = Universe(filter: filter)
        var market = self.candidate()
        #expect(universe.update([market], now: now) == [.added(market.market)])
        market.volume = Money(micros: 750_000_000)
        market.bestAsk = 530_000
        #expect(Universe(filter: filter).refusal(market, now: now) == .volume)
        #expect(universe.update([market], now: now) == [])
        market.volume = Money(micros: 749_999_999)
        #expect(universe.update([market], now: now) == [.removed(market.condition, .filtered)])
    }
}

/// Who is watched where more are wanted than may be.
@Suite struct MarketRankingTests {
    private func candidate(_ number: UInt64, volume: Int64 = 0, endsIn seconds: Int64 = 3_600) -> Candidate {
        var candidate = Candidate(.example(condition: number, endTime: now + .seconds(seconds)))
        candidate.volume = Money(micros: volume * 1_000_000)
        candidate.liquidity = candidate.volume
        candidate.market.rewards = RewardTerms(sizeMin: .zero, spreadMax: 1, daily: candidate.volume ?? .zero)
        return candidate
    }

    private func universe(_ ranking: MarketRanking, _ count: Int = 2) -> Universe {
        var filter = MarketFilter()
        filter.ranking = ranking
        filter.marketCountMax = count
        return Universe(filter: filter)
    }

    private func id(_ number: UInt64) -> ConditionID { ConditionID(words: (0, 0, 0, number)) }
    private func members(_ universe: Universe) -> [UInt64] { universe.sorted.map(\.condition.words.3) }

    @Test(arguments: [MarketRanking.volume, .liquidity, .rewards])
    func theLargestComeFirst(ranking: MarketRanking) {
        var universe = self.universe(ranking)
        _ = universe.update(
            [self.candidate(1, volume: 10), self.candidate(2, volume: 30), self.candidate(3, volume: 20)], now: now)
        #expect(self.members(universe) == [2, 3])
    }

    @Test func aMemberGoesOnlyForOneThatIsClearlyBetterAndOnlyAfterAWhile() {
        var universe = self.universe(.volume)
        _ = universe.update([self.candidate(1, volume: 100), self.candidate(2, volume: 200)], now: now)
        let (slightly, clearly) = (self.candidate(3, volume: 124), self.candidate(4, volume: 125))
        let later = now + .seconds(300)
        #expect(universe.update([slightly, clearly], isWhole: false, now: now + .seconds(299)) == [])
        #expect(universe.update([slightly], isWhole: false, now: later) != [], "both stand in line")
        #expect(self.members(universe) == [2, 4])
        #expect(universe.update([self.candidate(1, volume: 156)], isWhole: false, now: later) == [], "new members stay")
    }

    @Test func amountsThatMoveAMarketDoesNotFlap() {
        var universe = self.universe(.volume)
        var random = SeededRandom(seed: 3)
        var changeCount = 0
        for step in 0..<500 as Range<Int64> {
            // Five of them within a tenth of each other.
            let candidates = (1...5 as ClosedRange<UInt64>).map {
                self.candidate($0, volume: Int64.random(in: 1_000...1_100, using: &random), endsIn: 90_000)
            }
            changeCount += universe.update(candidates, now: now + .seconds(10 * step)).count {
                if case .changed = $0 { false } else { true }
            }
        }
        #expect(changeCount == 2, "those that were added at first")
    }

    /// An earlier life may have let in what is refused today.
    @Test func aClockThatIsSetBackKeepsNobodyOut() {
        var universe = self.universe(.volume, 1)
        _ = universe.update([self.candidate(1, volume: 100)], now: now)
        let back = now + .seconds(301 - 3 * 3_600)
        #expect(universe.update([self.candidate(2, volume: 200)], isWhole: false, now: back) != [])
        #expect(self.members(universe) == [2])
    }

    @Test func aMemberThatEndsInThousandsOfYearsGivesItsPlaceAway() throws {
        var universe = self.universe(.ending, 1)
        var market = self.candidate(1).market
        market.endTime = try #require(Timestamp(rfc3339: "9999-12-31T00:00:00Z"))
        universe.restore([market], now: now)
        let later = now + .seconds(300)
        _ = universe.update([self.candidate(2, endsIn: 10_000)], isWhole: false, now: later)
        #expect(self.members(universe) == [2])
    }

    @Test func whoEndsSoonerByAQuarterOfTheTimeTakesAPlace() {
        var universe = self.universe(.ending, 1)
        _ = universe.update([self.candidate(1, endsIn: 10_000)], now: now)
        let later = now + .seconds(1_000)
        #expect(universe.update([self.candidate(2, endsIn: 8_201)], isWhole: false, now: later) == [])
        _ = universe.update([self.candidate(3, endsIn: 8_200)], isWhole: false, now: later)
        #expect(self.members(universe) == [3])
    }

    /// Words let it stand in line while it is ahead; from the moment when it is next its series comes before all others.
    @Test func aWindowThatStandsInLineGetsItsPlaceWhenItIsNext() {
        var filter = MarketFilter()
        filter.ranking = .volume
        filter.marketCountMax = 1
        filter.keywords = ["bitcoin"]
        filter.series = ["btc-up-or-down-5m"]
        let start = Timestamp(seconds: 1_778_585_100)
        var (big, window) = (self.candidate(1, volume: 1_000), self.candidate(2))
        window.series = filter.series[0]
        (window.market.startTime, window.market.endTime) = (start, start + .seconds(300))
        big.market.question = "Bitcoin above 100,000?"
        window.market.question = "Bitcoin Up or Down?"
        var universe = Universe(filter: filter)
        #expect(universe.update([big, window], now: now) == [.added(big.market)])
        let isNext = start + .seconds(-300)
        #expect(universe.tick(now: isNext + .seconds(-1)) == [])
        #expect(universe.tick(now: isNext) == [.removed(big.condition, .outranked), .added(window.market)])
    }

    @Test func whoStandsInLineTakesTheFirstFreePlace() {
        var universe = self.universe(.volume)
        _ = universe.update(
            [self.candidate(1, volume: 3), self.candidate(2, volume: 2), self.candidate(3, volume: 1)], now: now)
        let changes = universe.update([], gone: [self.id(1): .closed], isWhole: false, now: now)
        #expect(changes == [.removed(self.id(1), .resolved), .added(self.candidate(3, volume: 1).market)])
        // A whole reading that does not show it lets nobody stand in line.
        _ = universe.update([self.candidate(4)], now: now)
        _ = universe.update([self.candidate(5)], now: now)
        #expect(!universe.isKnown(self.id(4)) && universe.isKnown(self.id(5)))
    }

    @Test func whatHasAPositionStaysWhateverIsSaidOfIt() {
        var universe = self.universe(.volume, 1)
        let held = self.candidate(1, volume: 1)
        _ = universe.update([held], now: now)
        #expect(universe.pin([self.id(1), self.id(9)], now: now) == [])
        #expect(universe.unknownPinned == [self.id(9)])
        for refusal in Refusal.allCases {
            #expect(universe.update([self.candidate(2, volume: 99)], gone: [self.id(1): refusal], now: now) == [])
        }
        #expect(universe.tick(now: now + .seconds(86_400)) == [], "not even its end")
        // One that the filter would not take is taken when it is read, beyond the count.
        let other = self.candidate(9, endsIn: 1)
        #expect(universe.update([other], isWhole: false, now: now) == [.added(other.market)])
        #expect(universe.update([], gone: [self.id(1): .closed], now: now) == [])
        #expect(universe.pin([self.id(9)], now: now).first == .removed(self.id(1), .resolved))
        #expect(self.members(universe) == [9])
    }

    @Test func aRestoredUniverseIsAsItWasWithoutWhatEnded() {
        var universe = self.universe(.volume)
        universe.restore([self.candidate(1).market, self.candidate(2, endsIn: -1).market], now: now)
        #expect(self.members(universe) == [1])
        #expect(universe.update([self.candidate(1)], now: now) == [])
    }
}

/// The order book service's word before a market is let in.
@Suite struct ConfirmationTests {
    private let market = Market.example(endTime: now + .seconds(3_600))

    private func terms(_ text: String? = nil, _ replacements: (String, String)...) throws -> ClobTerms {
        var text =
            text ?? #"""
                {"c":"\#(self.market.condition)","t":[{"t":"2","o":"Up"},{"t":"3","o":"Down"}],"mos":5,"mts":0.01,"ao":true,
                "fd":{"r":0.07,"e":1,"to":true},"itode":true}
                """#
        for (old, new) in replacements { text = text.replacing(old, with: new) }
        return try ClobTerms(JSONValue(text: text))
    }

    private func universe() -> Universe {
        var universe = Universe(filter: MarketFilter(), needsConfirmation: true)
        #expect(universe.update([Candidate(self.market)], now: now) == [])
        #expect(universe.toConfirm(now: now) == [self.market.condition])
        return universe
    }

    @Test func itIsLetInWhenBothAgree() throws {
        var universe = self.universe()
        #expect(universe.confirm([(self.market.condition, try self.terms())], now: now) == [.added(self.market)])
        #expect(universe.toConfirm(now: now) == [] && universe.nextConfirmation(after: now) == nil)
    }

    @Test func theOrderOfOutcomesAndTheTickMayDiffer() throws {
        let terms = try self.terms(
            nil, ("0.01", "0.001"),
            (#"{"t":"2","o":"Up"},{"t":"3","o":"Down"}"#, #"{"t":"3","o":"Down"},{"t":"2","o":"Up"}"#))
        #expect(terms.agrees(with: self.market))
    }

    @Test(arguments: [
        (#""o":"Up""#, #""o":"Yes""#), (#""t":"2""#, #""t":"4""#), (#""mos":5"#, #""mos":15"#), ("0.07", "0.08"),
        (#""e":1"#, #""e":2"#), (#""ao":true"#, #""ao":false"#), (#""ao":true,"#, #""ao":true,"nr":true,"#),
    ])
    func itWaitsWhereTheyDiffer(old: String, new: String) throws {
        var universe = self.universe()
        let condition = self.market.condition
        #expect(universe.confirm([(condition, try self.terms(nil, (old, new)))], now: now) == [])
        #expect(universe.confirmationRefusal(condition) == (old == #""ao":true"# ? .unconfirmed : .termsDiffer))
        // Again after two seconds, then after four.
        #expect(universe.toConfirm(now: now + .milliseconds(1_999)) == [])
        let again = now + .seconds(2)
        #expect(universe.nextConfirmation(after: now) == again && universe.toConfirm(now: again) == [condition])
        #expect(universe.confirm([(condition, nil)], now: again) == [])
        #expect(universe.nextConfirmation(after: again) == again + .seconds(4))
        let changes = universe.confirm([(condition, try self.terms())], now: again + .seconds(4))
        #expect(changes == [.added(self.market)])
    }

    @Test func aClockThatIsSetBackMakesNobodyWaitLonger() {
        var universe = self.universe()
        _ = universe.confirm([(self.market.condition, nil)], now: now)
        let back = now + .seconds(5 - 3 * 3_600)
        #expect(universe.nextConfirmation(after: back) == nil, "it is due")
        #expect(universe.toConfirm(now: back) == [self.market.condition])
        // And from then on it waits as always.
        _ = universe.confirm([(self.market.condition, nil)], now: back)
        #expect(universe.nextConfirmation(after: back) == back + .seconds(4) && universe.toConfirm(now: back) == [])
    }

    @Test func aDelayThatTheListingDoesNotShowIsKnown() throws {
        var plain = self.market
        plain.hasTakerDelay = false
        var universe = Universe(filter: MarketFilter(), needsConfirmation: true)
        _ = universe.update([Candidate(plain)], now: now)
        #expect(universe.confirm([(plain.condition, try self.terms())], now: now) == [.added(self.market)])
        #expect(universe.update([Candidate(plain)], now: now) == [], "the listing says so again")
    }

    @Test func aMembersRulesAreThoseByWhichOrdersAreTaken() throws {
        var universe = self.universe()
        let condition = self.market.condition
        _ = universe.confirm([(condition, try self.terms())], now: now)
        func change(_ terms: ClobTerms?) -> [Universe.Change] { universe.confirm([(condition, terms)], now: now) }
        var expected = self.market
        expected.feeRate = 80_000
        expected.tick = TickSize(micros: 1_000)!
        let new = try self.terms(nil, ("0.07", "0.08"), ("0.01", "0.001"))
        guard case .changed(let changed)? = change(new).first else {
            Issue.record("nothing was told")
            return
        }
        #expect(changed.market == expected && changed.changedRules == ["fee_rate", "tick"])
        // The listing is minutes late; what is no answer about it changes nothing.
        #expect(universe.update([Candidate(self.market)], isWhole: false, now: now) == [])
        let other = try self.terms(nil, (#""t":"2""#, #""t":"4""#))
        #expect(change(nil) == [] && change(other) == [])
        // Then it says something new, which counts at once.
        expected.feeRate = 90_000
        #expect(universe.update([Candidate(expected)], isWhole: false, now: now).count == 1)
        #expect(universe.sorted == [expected])
    }

    @Test func aPlaceIsKeptUntilTheNewOneIsConfirmed() throws {
        var filter = MarketFilter()
        filter.marketCountMax = 1
        var universe = Universe(filter: filter, needsConfirmation: true)
        _ = universe.update([Candidate(self.market)], now: now)
        _ = universe.confirm([(self.market.condition, try self.terms())], now: now)
        let sooner = Market.example(condition: 7, endTime: now + .seconds(1_000))
        let later = now + .seconds(300)
        #expect(universe.update([Candidate(sooner)], isWhole: false, now: later) == [])
        #expect(universe.toConfirm(now: later) == [sooner.condition])
        let terms = try self.terms(
            nil, (self.market.condition.description, sooner.condition.description), (#""t":"2""#, #""t":"14""#),
            (#""t":"3""#, #""t":"15""#))
        #expect(
            universe.confirm([(sooner.condition, terms)], now: later)
                == [.removed(self.market.condition, .outranked), .added(sooner)])
    }

    @Test(arguments: [
        "{}", "[]", #"{"c":"0x1"}"#, #"{"t":[{"t":"1","o":"a"}]}"#,
    ])
    func whatIsNoSuchAnswerIsRefused(text: String) {
        #expect(throws: JSONError.self) { try ClobTerms(JSONValue(text: text)) }
    }

    @Test(arguments: [
        (#""mos":5"#, #""mos":"x""#), (#""mts":0.01"#, #""mts":0.02"#), (#""o":"Up""#, #""o":"Down""#),
        (#""t":"2""#, #""t":"3""#), (#""r":0.07"#, #""r":1.5"#), (#""e":1"#, #""e":1.5"#), (#""r":0.07"#, #""x":1"#),
    ])
    func termsThatMakeNoSenseAreRefused(old: String, new: String) {
        #expect(throws: JSONError.self) { try self.terms(nil, (old, new)) }
    }
}
