import Shared
import Testing

@testable import simvenue

/// The full listing: everything that a scanner may meet, with what it must make of it.
@Suite struct FullListingTests {
    private static let venue = fullVenue()
    private let reader = GammaReader(Self.venue)
    private let now = Timestamp(milliseconds: someTime)

    /// What the judge must say of a market; `nil` when it is to be taken.
    static func refusal(of listed: ListedMarket, at now: Timestamp) -> Refusal? {
        guard let decoy = listed.decoy else {
            if listed.isClosed { return .closed }
            return listed.market.endTime <= now ? .ended : nil
        }
        return switch decoy {
        case .closed: .closed
        case .notAccepting: .notAccepting
        case .ended: .ended
        case .noOrderBook: .noOrderBook
        case .resolving: .resolving
        case .inactive: .inactive
        case .archived: .archived
        case .noCondition: .noConditionID
        case .noTokens: .noTokens
        case .otherProtocol: .unsupportedVersion
        case .threeOutcomes: .notBinary
        case .sameOutcomes: .sameOutcomes
        case .oddTick: .badTick
        case .noSizeMin: .badSizeMin
        case .noEndDate: .badDates
        case .oddFees: .badFees
        }
    }

    // MARK: The judge

    @Test(arguments: [0, 7_300_000] as [Int64], [7, 8] as [UInt64])
    func everyMarketIsTakenWholeOrRefusedForItsOwnReason(later: Int64, seed: UInt64) throws {
        var venue = fullVenue(seed: seed)
        var batch = MessageBatch()
        venue.advance(to: someTime + later, messageCountMax: .max, into: &batch)
        let reader = GammaReader(venue)
        let now = Timestamp(milliseconds: someTime + later)
        var reasons: Set<Refusal> = []
        var takenCount = 0
        for slot in venue.listing.order {
            let listed = venue.listing[slot]
            let value = try reader.get("/markets/\(listed.id)").value
            do throws(Refusal) {
                var market = try GammaMarket.read(value, now: now)
                #expect(
                    market.isAugmented == listed.event.isAugmented && market.takerDelaySeconds == listed.secondsDelay)
                #expect(market.rebateRate == (listed.feeType == nil ? 0 : 200_000))
                #expect(market.resolutionSource.isEmpty == (market.settlement == .other))
                // What the catalogue keeps elsewhere.
                (market.isAugmented, market.takerDelaySeconds) = (false, 0)
                (market.rebateRate, market.resolutionSource) = (0, "")
                #expect(market == listed.market)
                #expect(listed.isTradable(at: now) && Self.refusal(of: listed, at: now) == nil, "\(market.slug)")
                takenCount += 1
            } catch {
                #expect(error == Self.refusal(of: listed, at: now), "\(listed.market.slug)")
                #expect(!listed.isTradable(at: now))
                reasons.insert(error)
            }
        }
        #expect(takenCount == 300)
        // The others are the filter's.
        let ofFilter: Set<Refusal> = [
            .keywords, .excluded, .tags, .excludedTags, .series, .windowAhead, .wrongWindow, .tooLittleTime,
            .tooMuchTime,
            .volume, .liquidity, .spread, .price, .noRewards, .fees, .outranked,
        ]
        // Of other answers than the listing, or not made up here.
        let ofOthers: Set<Refusal> = [.unlisted, .unconfirmed, .termsDiffer, .badTerms]
        #expect(reasons == Set(Refusal.allCases).subtracting(ofFilter).subtracting(ofOthers))
    }

    /// One pass as scannerd makes it, with words of its own.
    @Test func aPassGivesExactlyTheExpectedUniverse() throws {
        var filter = MarketFilter()
        filter.keywords = ["bitcoin"]
        filter.excludedKeywords = ["dominance"]
        filter.marketCountMax = 10
        var universe = Universe(filter: filter)
        var pass = Listing(for: universe, now: self.now)
        var cursor: String?
        repeat {
            let query = "limit=50&active=true&closed=false" + (cursor.map { "&after_cursor=\($0)" } ?? "")
            cursor = try pass.take(self.reader.get("/markets/keyset?\(query)").value)
        } while cursor != nil
        _ = universe.update(pass.candidates, gone: pass.gone, now: self.now)

        // By what the venue knows, and by what people see of a market.
        let listing = self.reader.listing
        var expected: [ListedMarket] = []
        var refused: [String: Int64] = [:]
        for listed in listing.order.map({ listing[$0] }) where !listed.isClosed && listed.isActive {
            let isTooLate = listed.market.endTime - self.now < filter.timeLeftMin
            let isBitcoin = listed.market.question.contains("Bitcoin")
            let reason: Refusal? =
                if let refusal = Self.refusal(of: listed, at: self.now) { refusal } else if isTooLate {
                    .tooLittleTime
                } else if listed.market.question.contains("dominance") { .excluded } else {
                    isBitcoin ? nil : .keywords
                }
            if let reason { refused[reason.rawValue, default: 0] += 1 } else { expected.append(listed) }
        }
        #expect(pass.refused == refused)
        for reason in [Refusal.keywords, .excluded, .tooLittleTime] { #expect(refused[reason.rawValue] ?? 0 > 0) }
        #expect(expected.count > 2 * filter.marketCountMax, "some are outranked")
        let best = expected.map(\.market).sorted { ($0.endTime, $0.condition) < ($1.endTime, $1.condition) }.prefix(10)
        #expect(universe.sorted.map(\.condition) == best.map(\.condition).sorted())
    }

    // MARK: What is listed

    @Test(arguments: [100, 300, 2_000])
    func asManyAreTradableAsAskedForAtAnyTime(count: Int) {
        var venue = fullVenue(count)
        var batch = MessageBatch()
        for minute in 0...(count < 1_000 ? 300 : 20) {
            let now = someTime + Int64(minute) * 60_000 + 1
            batch.clear()
            venue.advance(to: now, messageCountMax: .max, into: &batch)
            let tradable = venue.listing.order.filter {
                venue.listing[$0].isTradable(at: Timestamp(milliseconds: now))
            }
            #expect(tradable.count == count)
            #expect(
                tradable.allSatisfy { venue.listing[$0].book.bestBid != nil && venue.listing[$0].book.bestAsk != nil })
        }
    }

    @Test(arguments: [fullVenue(1_000), SimulatedVenue(settings(1_000, rate: 0), at: someTime)])
    func namesAndIdsAreNeverGivenTwice(venue: SimulatedVenue) {
        let listing = venue.listing
        let all = listing.order.map { listing[$0] }
        #expect(Set(all.map(\.market.slug)).count == all.count)
        #expect(Set(all.map(\.market.condition)).count == all.count)
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(Set(all.map(\.questionID)).count == all.count)
        #expect(Set(all.map(\.event.slug)).count == Set(all.map(\.event.id)).count)
    }

    @Test func theSameSeedAndTimeListTheSame() throws {
        let texts = try [fullVenue(), fullVenue(), fullVenue(seed: 8)].map { venue in
            let request = try #require(PageRequest(method: "GET", target: "/markets/keyset?limit=100"))
            return try #require(GammaPages.answer(request, venue.listing)).body
        }
        #expect(texts[0] == texts[1] && texts[0] != texts[2])
    }

    @Test func everyAssetHasWindowsOfEveryLengthOnTheClock() throws {
        for asset in Catalogue.assets {
            for (length, name) in [(300, "5m"), (900, "15m")] as [(Int64, String)] {
                let start = someTime / 1_000 / length * length
                for ahead in 0..<9 as Range<Int64> {
                    let slug = "\(asset.symbol)-updown-\(name)-\(start + ahead * length)"
                    let slot = try #require(self.reader.listing.slot(slug: slug), "\(slug)")
                    #expect(self.reader.listing[slot].market.startTime == Timestamp(seconds: start + ahead * length))
                    #expect(self.reader.listing[slot].market.settlement == .chainlinkTWAP60)
                }
            }
            // 12:49 in New York.
            let hour = "\(asset.name.lowercased())-up-or-down-november-24-2026-12pm-et"
            #expect(self.reader.listing.slot(slug: hour) != nil, "\(hour)")
            let noon: Int64 = 1_795_539_600
            #expect(self.reader.listing.slot(slug: "\(asset.symbol)-updown-4h-\(noon)") != nil)
        }
        let market = try self.reader.get("/markets/slug/bitcoin-up-or-down-november-24-2026-1pm-et").value
        #expect(market["eventStartTime"]?.string == "2026-11-24T18:00:00Z")
        #expect(market["resolutionSource"]?.string == "https://www.binance.com/en/trade/BTC_USDT")
        #expect(try GammaMarket.read(market, now: self.now).settlement == .binance1h)
    }

    @Test func anEndedWindowStaysActiveForAMinuteOrTwoAndIsThenResolved() throws {
        var venue = fullVenue()
        var batch = MessageBatch()
        let slug = "btc-updown-5m-1795542300"
        func state(_ seconds: Int64) throws -> JSONValue {
            batch.clear()
            venue.advance(to: someTime + seconds * 1_000, messageCountMax: .max, into: &batch)
            return try GammaReader(venue).get("/markets/slug/\(slug)").value
        }
        let running = try state(59)
        #expect(running["closed"]?.bool == false && running["umaResolutionStatuses"]?.string == "[]")
        let ended = try state(119)
        #expect(ended["active"]?.bool == true && ended["closed"]?.bool == false)
        let closed = try state(181)
        #expect(closed["closed"]?.bool == true && closed["umaResolutionStatus"]?.string == "resolved")
        #expect([#"["1", "0"]"#, #"["0", "1"]"#].contains(closed["outcomePrices"]?.string))
        // The next window took its place, and one more is listed ahead.
        #expect(try GammaReader(venue).all("events", "series_slug=btc-up-or-down-5m").count == 9)
    }

    @Test func hoursOfWindowsAreForgottenAgain() {
        var venue = fullVenue(100)
        let before = venue.listing.slotCount
        var batch = MessageBatch()
        for hour in 1...6 {
            batch.clear()
            venue.advance(to: someTime + Int64(hour) * 3_600_000, messageCountMax: .max, into: &batch)
            _ = venue.takeRemovedSlots()
        }
        // Those that ended and are not yet closed count as well.
        #expect(venue.listing.slotCount <= before + SimulatedVenue.resolvedCountMax + Catalogue.allFamilies.count + 1)
    }

    @Test func everyHashIsRightAcrossEveryKindOfMarket() {
        var venue = fullVenue(100, rate: 300)
        var follower = Follower()
        follower.meet(venue.listing)
        follower.takeDump(venue.listing)
        var batch = MessageBatch()
        for second in 1...20 {
            batch.clear()
            venue.advance(to: someTime + Int64(second) * 1_000, messageCountMax: .max, into: &batch)
            follower.read(batch)
        }
        follower.finish()
        #expect(follower.problems.prefix(3) == [])
        #expect(follower.checkedCount > 3_000)
    }

    // MARK: Events of which one market wins

    @Test func negRiskEventsHaveAllTheirOutcomes() throws {
        let events = try self.reader.all("events", "limit=100").filter { $0["negRisk"]?.bool == true }
        let nominees = try #require(events.first { $0["slug"]?.string?.hasPrefix("presidential-nominee") == true })
        #expect(nominees["negRiskAugmented"]?.bool == true)
        let markets = try #require(nominees["markets"]?.array)
        #expect(markets.texts("groupItemTitle").suffix(3) == ["Person A", "Person B", "Other"])
        #expect(markets.filter { $0["negRiskOther"]?.bool == true }.texts("groupItemTitle") == ["Other"])
        #expect(markets.filter { $0["active"]?.bool == false }.texts("groupItemTitle") == ["Person A", "Person B"])
        let fed = try #require(events.first { $0["slug"]?.string?.hasPrefix("fed-decision") == true })
        #expect(fed["negRiskAugmented"]?.bool == false && fed["markets"]?.array?.count == 4)
        for event in [nominees, fed] {
            let markets = try #require(event["markets"]?.array)
            let group = try #require(event["negRiskMarketID"]?.string)
            #expect(markets.allSatisfy { $0["negRiskMarketID"]?.string == group && $0["negRisk"]?.bool == true })
            let questions = markets.texts("questionID")
            #expect(Set(questions).count == markets.count && questions.allSatisfy { $0.hasPrefix(group.dropLast(2)) })
            let tradable = markets.filter { $0["active"]?.bool == true }
            let sum = tradable.compactMap { market -> Int64? in
                guard let bid = market["bestBid"]?.micros, let ask = market["bestAsk"]?.micros else { return nil }
                return (bid + ask) / 2
            }.reduce(0, +)
            #expect((900_000...1_100_000).contains(sum), "one of them wins")
        }
    }

    // MARK: Both interfaces

    @Test(arguments: [fullVenue(), SimulatedVenue(settings(75, rate: 0), at: someTime)])
    func theOrderBookServiceSaysTheSame(venue: SimulatedVenue) throws {
        let reader = GammaReader(venue)
        var negRiskCount = 0
        var delays: Set<Int64> = []
        var ticks: Set<Int64> = []
        for value in try reader.all("markets", "limit=100") {
            guard let condition = value["conditionId"]?.string, !condition.isEmpty else { continue }
            let answer = try reader.get("/clob-markets/\(condition)")
            guard let market = try? GammaMarket.read(value, now: self.now) else {
                // Not accepting, or not known there at all.
                let reason = Self.refusal(of: venue.listing[try #require(reader.slot(value))], at: self.now)
                if reason == .notAccepting || reason == .noOrderBook { #expect(answer.value["ao"] == nil) }
                if reason == .noTokens || reason == .unsupportedVersion { #expect(answer.status == 404) }
                continue
            }
            let compact = answer.value
            #expect(compact["ao"]?.bool == true && compact["mts"]?.micros == market.tick.micros)
            #expect(compact["mos"]?.micros == market.sizeMin.micros)
            #expect((compact["nr"]?.bool ?? false) == market.isNegRisk)
            #expect((compact["fd"]?["r"]?.micros ?? 0) == market.feeRate)
            #expect(compact["sd"]?.integer == value["secondsDelay"]?.integer)
            #expect((compact["sd"] != nil || compact["itode"]?.bool == true) == market.hasTakerDelay)
            #expect(
                try #require(compact["t"]?.array).texts("t") == [market.first, market.second].map(\.token.description))
            #expect(try #require(compact["t"]?.array).texts("o") == [market.first.label, market.second.label])
            #expect(compact["r"]?["ma"]?.micros == market.rewards.map { $0.spreadMax * 100 })
            #expect(try reader.get("/book?token_id=\(market.second.token)").value["market"]?.string == condition)
            negRiskCount += market.isNegRisk ? 1 : 0
            delays.insert(compact["sd"]?.integer ?? 0)
            ticks.insert(market.tick.micros)
        }
        #expect(negRiskCount > 0)
        if venue.settings.listing == .full {
            #expect(delays == [0, 1, 3] && ticks == [100, 1_000, 2_500, 5_000, 10_000, 100_000])
        }
    }

    @Test func membersComeAndGoWithAMarketsAge() throws {
        let markets = try self.reader.all("markets", "limit=100")
        #expect(markets.contains { $0["version"] == nil } && markets.contains { $0["version"]?.string == "v2" })
        let withPositions = markets.filter { $0["positionIds"] != nil }
        #expect(withPositions.contains { $0["version"]?.string == "v1" })
        #expect(
            withPositions.allSatisfy { $0["positionIds"]?.array?.count == 2 } && withPositions.count < markets.count)
    }
}

extension GammaReader {
    func slot(_ value: JSONValue) -> Int? { value["slug"]?.string.flatMap { self.listing.slot(slug: $0) } }
}

@Suite struct WindowFamilyTests {
    private let fourHours = WindowFamily(asset: 0, length: 14_400)
    private let hour = WindowFamily(asset: 1, length: 3_600)

    private func starts(_ family: WindowFamily, from text: String, count: Int) throws -> [String] {
        var start = family.start(containing: try #require(Timestamp(rfc3339: text)).microseconds / 1_000_000)
        var starts: [String] = []
        for _ in 0..<count {
            starts.append(CalendarDate.rfc3339(start))
            let end = family.end(from: start)
            #expect(family.start(containing: start) == start && family.start(containing: end - 1) == start)
            start = end
        }
        return starts
    }

    @Test func fourHoursAreThoseOfNewYorkAlsoWhereItsClockIsChanged() throws {
        #expect(
            try self.starts(self.fourHours, from: "2026-03-08T04:30:00Z", count: 4) == [
                "2026-03-08T01:00:00Z", "2026-03-08T05:00:00Z", "2026-03-08T08:00:00Z", "2026-03-08T12:00:00Z",
            ])
        #expect(
            try self.starts(self.fourHours, from: "2026-11-01T03:59:59Z", count: 4) == [
                "2026-11-01T00:00:00Z", "2026-11-01T04:00:00Z", "2026-11-01T09:00:00Z", "2026-11-01T13:00:00Z",
            ])
    }

    @Test(arguments: [
        ("2026-11-24T05:00:00Z", "november-24-2026-12am"), ("2026-11-24T17:00:00Z", "november-24-2026-12pm"),
        ("2026-07-05T03:00:00Z", "july-4-2026-11pm"), ("2026-03-08T06:00:00Z", "march-8-2026-1am"),
        ("2026-03-08T07:00:00Z", "march-8-2026-3am"), ("2026-11-01T05:00:00Z", "november-1-2026-1am"),
        ("2026-11-01T06:00:00Z", "november-1-2026-1am-2"), ("2026-11-01T07:00:00Z", "november-1-2026-2am"),
    ])
    func hoursAreNamedAfterNewYorksClock(start: String, name: String) throws {
        let seconds = try #require(Timestamp(rfc3339: start)).microseconds / 1_000_000
        #expect(self.hour.slug(start: seconds) == "ethereum-up-or-down-\(name)-et")
    }

    @Test func seriesHaveIdsOfTheirOwn() {
        let series = Catalogue.allFamilies.map(\.series)
        #expect(Set(series.map(\.id)).count == 16 && Set(series.map(\.slug)).count == 16)
        #expect(series[0].slug == "btc-up-or-down-5m" && series[0].id == 10_684)
    }
}
