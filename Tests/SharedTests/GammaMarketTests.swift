import Shared
import Testing

@Suite struct GammaMarketTests {
    /// As the venue listed it in May 2026, shortened to what matters.
    static let text = #"""
        {"id":"2229686","version":"v1","slug":"btc-updown-5m-1778584200","question":"Bitcoin Up or Down - May 12, 7:10AM-7:15AM ET",
        "conditionId":"0xa5c6d0c4cef71fe53c0235790b5568574343551fe67c62db39e9ebf3387b415a","outcomes":"[\"Up\", \"Down\"]",
        "outcomePrices":"[\"0.515\", \"0.485\"]","clobTokenIds":"[\"48418917734180607831\", \"14943202171143669362\"]",
        "positionIds":["1","2"],"active":true,"closed":false,"archived":false,"restricted":true,"umaResolutionStatus":"",
        "startDate":"2026-05-11T11:18:23.695579Z","eventStartTime":"2026-05-12T11:10:00Z","endDate":"2026-05-12T11:15:00Z",
        "acceptingOrders":true,"enableOrderBook":true,"orderPriceMinTickSize":0.01,"orderMinSize":5,"negRisk":false,
        "rewardsMinSize":50,"rewardsMaxSpread":4.5,"clobRewards":[{"rewardsDailyRate":100},{"rewardsDailyRate":20.5}],
        "feesEnabled":true,"feeType":"crypto_fees_v2","feeSchedule":{"exponent":1,"rate":0.07,"takerOnly":true,"rebateRate":0.2},
        "makerBaseFee":1000,"takerBaseFee":1000,"bestBid":0.51,"volume":"236.04008700000003","events":[{"slug":"the-event"}]}
        """#
    static let now = Timestamp(seconds: 1_778_584_200)

    private func read(_ replacements: (String, String)..., now: Timestamp = now) throws -> Market {
        var text = Self.text
        for (right, wrong) in replacements {
            #expect(text.contains(right))
            text = text.replacing(right, with: wrong)
        }
        return try GammaMarket.read(JSONValue(text: text), now: now)
    }

    @Test func everythingThatAStrategyNeedsIsRead() throws {
        let market = try self.read()
        #expect(market.condition == ConditionID("0xa5c6d0c4cef71fe53c0235790b5568574343551fe67c62db39e9ebf3387b415a"))
        #expect(market.slug == "btc-updown-5m-1778584200" && market.event == "the-event")
        #expect(market.question == "Bitcoin Up or Down - May 12, 7:10AM-7:15AM ET")
        #expect(market.first == Outcome(label: "Up", token: TokenID("48418917734180607831")!))
        #expect(market.second == Outcome(label: "Down", token: TokenID("14943202171143669362")!))
        #expect(market.tick == .cent && market.sizeMin == Quantity(shares: 5) && !market.isNegRisk)
        #expect(market.startTime == Self.now && market.endTime == Timestamp(seconds: 1_778_584_500))
        #expect(market.feeRate == 70_000 && market.feeExponent == 1 && market.hasTakerDelay)
        // 4.5 cents.
        #expect(
            market.rewards
                == RewardTerms(sizeMin: Quantity(shares: 50), spreadMax: 45_000, daily: Money(micros: 120_500_000)))
        #expect(market.settlement == .chainlinkTWAP60 && market.asset == "btc")
    }

    @Test(
        arguments: [
            ("\"active\":true", "\"active\":false", .inactive), ("\"active\":true", "\"active\":null", .inactive),
            ("\"active\":true", "\"active\":\"true\"", .inactive), ("\"closed\":false", "\"closed\":true", .closed),
            ("\"archived\":false", "\"archived\":true", .archived),
            ("\"enableOrderBook\":true", "\"enableOrderBook\":false", .noOrderBook),
            ("\"enableOrderBook\":true", "\"x\":true", .noOrderBook),
            ("\"acceptingOrders\":true", "\"acceptingOrders\":false", .notAccepting),
            ("\"acceptingOrders\":true", "\"x\":true", .notAccepting),
            ("\"umaResolutionStatus\":\"\"", "\"umaResolutionStatus\":\"proposed\"", .resolving),
            ("11:15:00Z", "11:10:00Z", .ended), ("2026-05-12T11:15:00Z", "soon", .badDates),
            ("\"endDate\"", "\"x\"", .badDates),
            ("2026-05-12T11:10:00Z", "1969-05-12T11:10:00Z", .badDates), ("2026-05-12T11:10:00Z", "", .badDates),
            ("2026-05-12T11:15:00Z", "9999-12-31T00:00:00Z", .badDates),
            ("2026-05-12T11:15:00Z", "2200-01-01T00:00:01Z", .badDates),
            ("2026-05-12T11:10:00Z", "9999-12-31T00:00:00Z", .badDates),
        ] as [(String, String, Refusal)])
    func aMarketThatCannotBeTradedIsRefused(right: String, wrong: String, refusal: Refusal) throws {
        #expect(throws: refusal) { try self.read((right, wrong)) }
    }

    @Test(
        arguments: [
            ("0xa5c6", "0xa5c", .noConditionID), ("\"conditionId\"", "\"x\"", .noConditionID),
            (#""[\"48418917734180607831\", \"14943202171143669362\"]""#, "\"[]\"", .noTokens),
            ("\"clobTokenIds\"", "\"x\"", .noTokens),
            (#"\"48418917734180607831\""#, "5", .noTokens), ("48418917734180607831", "x", .noTokens),
            (#", \"14943202171143669362\""#, "", .notBinary), (#"\"Down\"]"#, #"\"Down\", \"Same\"]"#, .notBinary),
            ("\"outcomes\"", "\"x\"", .notBinary), (#""[\"Up\", \"Down\"]""#, "\"[Up]\"", .notBinary),
            (#"\"Down\""#, #"\"Up\""#, .sameOutcomes), ("14943202171143669362", "48418917734180607831", .sameOutcomes),
            ("\"orderPriceMinTickSize\":0.01", "\"orderPriceMinTickSize\":0.02", .badTick),
            ("\"orderPriceMinTickSize\"", "\"x\"", .badTick),
            ("\"orderMinSize\":5", "\"orderMinSize\":0", .badSizeMin),
            ("\"orderMinSize\":5", "\"orderMinSize\":-5", .badSizeMin),
            ("\"rate\":0.07", "\"rate\":0.0700001", .badFees), ("\"rate\":0.07", "\"rate\":1.01", .badFees),
            ("\"exponent\":1", "\"exponent\":1.5", .badFees), ("\"exponent\":1", "\"exponent\":5", .badFees),
            ("\"exponent\":1", "\"x\":1", .badFees), ("\"version\":\"v1\"", "\"version\":\"v2\"", .unsupportedVersion),
        ] as [(String, String, Refusal)])
    func whatCannotBeReadIsRefusedNeverGuessed(right: String, wrong: String, refusal: Refusal) throws {
        #expect(throws: refusal) { try self.read((right, wrong)) }
    }

    /// What is for people is cut, so that it fits a frame; a label is a name to compare by, and a cut one another.
    @Test func longTextsAreCutButLongLabelsAreRefused() throws {
        let long = String(repeating: "é", count: Market.textByteCountMax)
        let market = try self.read(("Bitcoin Up", long), ("btc-updown-5m-1778584200", long), ("the-event", long))
        for text in [market.question, market.slug, market.event] {
            #expect(text.utf8.count <= Market.textByteCountMax && text.utf8.count >= Market.textByteCountMax - 8)
            #expect(text.hasPrefix("éé"))
        }
        #expect(throws: Refusal.notBinary) { try self.read((#"\"Down\""#, #"\"\#(long)\""#)) }
    }

    @Test func outcomesKeepTheirLabelsWhateverTheirOrder() throws {
        let market = try self.read((#"[\"Up\", \"Down\"]"#, #"[\"Down\", \"Up\"]"#))
        #expect(market.first == Outcome(label: "Down", token: TokenID("48418917734180607831")!))
        #expect(market.second.label == "Up")
    }

    @Test func whatMayBeMissingMayBeMissing() throws {
        let market = try self.read(
            ("\"version\":\"v1\",", ""), ("\"eventStartTime\":", "\"x\":"), ("\"feeSchedule\":", "\"x\":"),
            ("\"rewardsMinSize\":50", "\"x\":1"), ("\"umaResolutionStatus\":\"\",", ""), ("\"events\":", "\"x\":"),
            ("\"negRisk\":false", "\"negRisk\":true"), ("\"closed\":false,", ""),
            ("\"feeType\":\"crypto_fees_v2\",", ""))
        #expect(market.startTime == nil && market.feeRate == 0 && market.feeExponent == 1 && market.rewards == nil)
        #expect(market.event == "" && market.isNegRisk && !market.hasTakerDelay)
    }

    @Test func feesCountOnlyWhereTheyAreEnabled() throws {
        #expect(try self.read(("\"feesEnabled\":true", "\"feesEnabled\":false")).feeRate == 0)
        let legacy = try self.read(("\"exponent\":1,\"rate\":0.07", "\"exponent\":2,\"rate\":0.25"))
        #expect(legacy.feeRate == 250_000 && legacy.feeExponent == 2)
    }

    @Test func aDelayInSecondsIsATakerDelay() throws {
        let sports = ("\"feeType\":\"crypto_fees_v2\"", "\"secondsDelay\":1")
        #expect(try self.read(sports).hasTakerDelay)
        #expect(try !self.read((sports.0, "\"secondsDelay\":0")).hasTakerDelay)
    }

    @Test func numbersMayComeAsTextAndTextsMayStandAlone() throws {
        let market = try self.read(("\"orderMinSize\":5", "\"orderMinSize\":\"15\""), ("0.01", "\"0.001\""))
        #expect(market.sizeMin == Quantity(shares: 15) && market.tick.micros == 1_000)
    }

    @Test(
        arguments: [
            ("eth-updown-15m-1778584500", .chainlinkTWAP60, "eth"),
            ("xrp-updown-4h-1778584500", .chainlinkTWAP60, "xrp"),
            ("bitcoin-up-or-down-may-12-7am-et", .binance1h, "btc"),
            ("ethereum-up-or-down-may-12-2026-7am-et", .binance1h, "eth"),
            ("solana-up-or-down-may-12-7am-et", .binance1h, "sol"), ("xrp-up-or-down-may-12-7am-et", .binance1h, "xrp"),
            ("will-bitcoin-go-up-or-down", .other, nil), ("nvda-above-240-on-january-30-2026", .other, nil),
        ] as [(String, SettlementSource, String?)])
    func theSlugTellsWhatSettles(slug: String, settlement: SettlementSource, asset: String?) throws {
        let market = try self.read(("btc-updown-5m-1778584200", slug))
        #expect(market.settlement == settlement && market.asset == asset)
    }

    @Test func theEventAroundItNamesIt() throws {
        #expect(try GammaMarket.read(JSONValue(text: Self.text), event: "outer", now: Self.now).event == "outer")
    }

    @Test func somethingElseIsNoMarket() throws {
        for text in ["{}", "[]", "7", "null", "\"x\""] {
            #expect(throws: Refusal.inactive) { try GammaMarket.read(JSONValue(text: text), now: Self.now) }
        }
    }
}

/// What the venue listed, in the recordings at hand.
@Suite(.enabled(if: Recordings.areHere, Recordings.skipped))
struct GammaRecordingTests {
    private let now = Timestamp(rfc3339: "2026-03-01T00:00:00Z")!

    private func value(_ path: String) throws -> JSONValue {
        try JSONValue(parsing: Recordings.shared("samples/\(path)"))
    }

    @Test func aCryptoMarketIsRead() throws {
        let market = try GammaMarket.read(self.value("nautilus/rust/gamma_market.json"), now: self.now)
        #expect(
            market.slug == "btc-updown-5m-1773307200" && market.asset == "btc" && market.settlement == .chainlinkTWAP60)
        #expect(market.first.label == "Up" && market.second.label == "Down" && market.tick == .cent)
        #expect(market.startTime == Timestamp(rfc3339: "2026-03-12T09:20:00Z"))
        // Enabled, but without a schedule.
        #expect(market.feeRate == 0)
        #expect(market.rewards?.spreadMax == 45_000 && market.rewards?.sizeMin == Quantity(shares: 50))
    }

    @Test func theMarketsOfAnEventAreRead() throws {
        let event = try #require(try self.value("nautilus/rust/gamma_event.json").array?.first)
        let markets = try #require(event["markets"]?.array).map {
            try GammaMarket.read($0, event: event["slug"]?.string, now: self.now)
        }
        #expect(markets.count == 2)
        #expect(
            markets.allSatisfy {
                $0.isNegRisk && $0.tick.micros == 1_000 && $0.feeRate == 0 && $0.event == event["slug"]?.string
            })
        #expect(markets.map { $0.rewards?.daily } == [.zero, Money(micros: 1_000)])
    }

    @Test func theFedsMarketsAreRead() throws {
        let event = try self.value("polymarket-cli-go/gamma-event.json")
        let markets = try #require(event["markets"]?.array).map { try GammaMarket.read($0, now: self.now) }
        #expect(markets.count == 5 && Set(markets.map(\.condition)).count == 5)
        for market in markets {
            #expect(market.first.label == "Yes" && market.second.label == "No" && market.isNegRisk)
            #expect(
                market.feeRate == 50_000 && market.feeExponent == 1 && market.settlement == .other
                    && market.asset == nil)
            #expect(market.endTime == Timestamp(rfc3339: "2026-06-17T00:00:00Z") && market.startTime == nil)
        }
        #expect(throws: Refusal.ended) {
            try GammaMarket.read(event["markets"]!.array![0], now: Timestamp(rfc3339: "2026-06-17T00:00:00Z")!)
        }
    }

    /// Both interfaces on the same markets.
    @Test func theOrderBookServiceAgreesWithTheListing() throws {
        let event = try self.value("polymarket-cli-go/gamma-event.json")
        let terms = try #require(self.value("polymarket-cli-go/clob-markets.json").array).map { try ClobTerms($0) }
        for value in try #require(event["markets"]?.array) {
            let market = try GammaMarket.read(value, now: self.now)
            let same = try #require(terms.first { $0.condition == market.condition })
            #expect(same.agrees(with: market) && same.acceptsOrders && same.tick == market.tick)
            #expect(!same.hasTakerDelay && market.rebateRate == 250_000)
            #expect(terms.filter { $0.agrees(with: market) }.count == 1)
        }
    }

    @Test func whatAnEventsOutcomesAreIsRead() throws {
        let fed = try #require(EventGroup(self.value("polymarket-cli-go/gamma-event.json"), now: self.now))
        #expect(fed.isComplete && !fed.isAugmented && fed.event == "fed-decision-in-june-825")
        #expect(fed.members.map(\.title).sorted().first == "25 bps decrease" && fed.members.count == 5)
        // An excerpt: of an augmented event, without its "Other".
        let list = try #require(try self.value("nautilus/rust/gamma_event.json").array?.first)
        let nominee = try #require(EventGroup(list, now: self.now))
        #expect(nominee.isAugmented && !nominee.isComplete && nominee.members.allSatisfy { $0.state == .tradable })
    }

    @Test func whatAMarketIsChosenByIsRead() throws {
        let candidate = try GammaMarket.candidate(self.value("nautilus/rust/gamma_market.json"), now: self.now)
        #expect(candidate.series == "btc-up-or-down-5m" && candidate.bestBid == 500_000 && candidate.bestAsk == 510_000)
        #expect(candidate.volume == Money(micros: 9_999_997) && candidate.liquidity == Money(micros: 20_328_374_700))
        #expect(candidate.description.contains("data stream"))
        #expect(candidate.market.resolutionSource == "https://data.chain.link/streams/btc-usd")
        // The few members that are kept of a page say the same.
        let bytes = try Recordings.shared("samples/nautilus/rust/gamma_market.json")
        let kept = try JSONValue(parsing: Array(bytes), keeping: GammaMarket.memberNames)
        #expect(try GammaMarket.candidate(kept, now: self.now) == candidate)
    }

    /// Closed, a list without terms, and the verbose market of the other interface.
    @Test(
        arguments: [
            ("nautilus/rust/gamma_market_closed_binary_accepting_true.json", .closed),
            ("nautilus/rust/clob_market_closed_binary_accepting_true.json", .closed),
            ("nautilus/http/market.json", .noOrderBook),
        ] as [(String, Refusal)])
    func otherRecordingsAreRefused(path: String, refusal: Refusal) throws {
        #expect(throws: refusal) { try GammaMarket.read(self.value(path), now: self.now) }
    }

    @Test func aListOfEventsWithBareMarketsHasNothingToTrade() throws {
        for event in try #require(try self.value("nautilus/http/events_list.json").array) {
            for market in event["markets"]?.array ?? [] {
                #expect(throws: Refusal.inactive) { try GammaMarket.read(market, now: self.now) }
            }
        }
    }
}
