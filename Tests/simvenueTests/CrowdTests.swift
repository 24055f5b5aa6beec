import Shared
import Testing

@testable import simvenue

/// The made-up traffic is orders that meet in the engine, and others may meet them there.
struct CrowdTests {
    /// Where what the venue shows is not what its engine holds.
    static func differences(_ venue: SimulatedVenue) -> [String] {
        var differences: [String] = []
        for slot in venue.listing.order {
            let listed = venue.listing[slot]
            guard let place = venue.matching.place(of: listed.market.first.token) else { continue }
            let market = venue.matching.markets[place.market]
            for side in [BookSide.bid, .ask] where listed.book.levels(side) != market.book.shown(side, outcome: 0) {
                differences.append("\(side) of \(listed.market.slug)")
            }
            if listed.book.tick != market.terms.tick { differences.append("tick of \(listed.market.slug)") }
            if listed.isClosed != (market.resolution != nil) { differences.append("end of \(listed.market.slug)") }
            var copy = listed
            var hasher = BookHasher()
            copy.seal(at: listed.bookTime, hasher: &hasher)
            for outcome in 0..<2 where copy.hash(outcome: outcome) != listed.hash(outcome: outcome) {
                differences.append("hash of \(listed.market.slug)")
            }
        }
        return differences
    }

    private static func full(_ count: Int, rate: Int, seed: UInt64) -> SimulatedVenue.Settings {
        var settings = settings(count, rate: rate, seed: seed)
        settings.listing = .full
        return settings
    }

    @Test(arguments: [
        settings(14, rate: 50, seed: 7), settings(75, rate: 50, seed: 8), Self.full(100, rate: 50, seed: 9),
    ])
    func whatIsShownIsTheEnginesAndNothingIsLost(settings: SimulatedVenue.Settings) {
        var venue = SimulatedVenue(settings, at: someTime)
        for minute in 0...3 {
            var batch = MessageBatch()
            venue.advance(to: someTime + Int64(minute) * 60_000, messageCountMax: .max, into: &batch)
            #expect(Self.differences(venue) == [], "seed \(settings.seed)")
            #expect(EngineAudit.problem(in: venue.matching) == nil, "seed \(settings.seed)")
        }
        let events = venue.takeAccountEvents()
        #expect(events.isEmpty, "nobody but the crowd traded")
        #expect(venue.matching.unsettledCount == 0)
    }

    @Test func booksStayDeepAndBounded() {
        var venue = SimulatedVenue(settings(6, rate: 500), at: someTime)
        var batch = MessageBatch()
        for second in 1...20 {
            batch.clear()
            venue.advance(to: someTime + Int64(second) * 1_000, messageCountMax: .max, into: &batch)
            guard second > 5 else { continue }
            for slot in venue.wheel where venue.listing[slot].kind == .dated {
                let book = venue.listing[slot].book
                #expect(
                    (4...40).contains(book.bidCount) && (4...40).contains(book.askCount),
                    "\(venue.listing[slot].market.slug)")
            }
        }
    }

    // MARK: Others

    /// A venue with a trader who has 10,000 pUSD.
    private struct Story {
        var venue: SimulatedVenue
        var time = someTime
        let trader: AccountID
        var batch = MessageBatch()
        private var hashCount: UInt64 = 0

        init(_ settings: SimulatedVenue.Settings) {
            self.venue = SimulatedVenue(settings, at: someTime)
            self.trader = AccountID(index: self.venue.matching.accounts.count)
            self.ask(.openAccount)
            self.ask(.deposit(self.trader, Money(micros: 10_000_000_000)))
            for contract in ExchangeContract.allCases { self.ask(.approve(self.trader, contract, .unlimited)) }
        }

        @discardableResult
        mutating func ask(_ request: EngineRequest) -> [EngineEvent.What] {
            self.batch.clear()
            return self.venue.handle(request, at: self.time, into: &self.batch).map(\.what)
        }

        mutating func wait(_ milliseconds: Int64) {
            self.time += milliseconds
            self.batch.clear()
            self.venue.advance(to: self.time, messageCountMax: .max, into: &self.batch)
        }

        /// A dated market that is, or is not, one with a taker delay.
        func slot(isDelayed: Bool) -> Int? {
            self.venue.wheel.first {
                self.venue.listing[$0].kind == .dated && self.venue.listing[$0].market.hasTakerDelay == isDelayed
                    && self.venue.listing[$0].book.tick == .cent
            }
        }

        /// Buys the first outcome, at a price on a grid of cents.
        mutating func buy(_ slot: Int, shares: Int64, at price: Price, _ kind: OrderKind) -> [EngineEvent.What] {
            self.hashCount += 1
            let size = Quantity(shares: shares)
            return self.ask(
                .place(
                    SignedOrder(
                        hash: OrderHash(digest: ConditionID(words: (0, 0, 9, self.hashCount))), account: self.trader,
                        token: self.venue.listing[slot].market.first.token, side: .buy,
                        makerAmount: size.notional(at: price).micros, takerAmount: size.micros, kind: kind,
                        expiration: 0, isPostOnly: false)))
        }

        /// "PLACEMENT LIVE", "trade matched" and so on.
        mutating func news() -> [String] {
            self.venue.takeAccountEvents().compactMap {
                switch $0.what {
                case .order(let notice, let order): "\(notice.rawValue) \(order.status.text)"
                case .trade(let trade): "trade \(trade.settlement)"
                default: "\($0.what)"
                }
            }
        }
    }

    @Test func aTraderTakesWhatTheCrowdOffers() throws {
        var story = Story(settings(30, rate: 0))
        let slot = try #require(story.slot(isDelayed: false))
        let ask = try #require(story.venue.listing[slot].book.bestAsk)
        let answer = story.buy(slot, shares: 5, at: ask.price, .fok)
        #expect(answer.contains { if case .accepted(let receipt) = $0 { receipt.status == .matched } else { false } })
        let texts = story.batch.entries.indices.map { story.batch.text(at: $0) }
        #expect(texts.contains { $0.hasPrefix(#"{"event_type":"price_change""#) })
        #expect(texts.contains { $0.hasPrefix(#"{"event_type":"book""#) })
        #expect(story.venue.listing[slot].book.size(.ask, at: ask.price) == ask.size - Quantity(shares: 5))
        #expect(story.news() == ["PLACEMENT LIVE", "trade matched", "UPDATE MATCHED"])
        story.wait(89)
        #expect((0..<story.batch.count).contains { story.batch.text(at: $0).contains("last_trade_price") })
        story.wait(10_000)
        #expect(story.news() == ["trade mined", "trade confirmed"])
        #expect(Self.differences(story.venue) == [])
        #expect(EngineAudit.problem(in: story.venue.matching) == nil)
    }

    @Test func aTradersQuoteIsMetByTheCrowd() throws {
        var story = Story(settings(6, rate: 300))
        story.wait(1_000)
        let slot = try #require(story.slot(isDelayed: true))
        let ask = try #require(story.venue.listing[slot].book.bestAsk)
        let price = try #require(Price(micros: Int64(ask.price.micros) - 10_000))
        _ = story.buy(slot, shares: 50, at: price, .gtc)
        #expect(story.news() == ["PLACEMENT LIVE"])
        var news: [String] = []
        for _ in 0..<60 where !news.contains("trade confirmed") {
            story.wait(1_000)
            news += story.news()
        }
        #expect(news.first == "trade matched" && news.contains("trade mined") && news.contains("trade confirmed"))
        #expect(news.contains { $0.hasPrefix("UPDATE") })
        #expect(Self.differences(story.venue) == [])
        #expect(EngineAudit.problem(in: story.venue.matching) == nil)
    }

    @Test func aPauseTakesBackWhatTheTakerDelayHolds() {
        var venue = SimulatedVenue(settings(30, rate: 2_000), at: someTime)
        var batch = MessageBatch()
        var time = someTime
        func heldCount() -> Int { venue.matching.markets.reduce(0) { $0 + $1.delayed.count } }
        while heldCount() == 0 && time < someTime + 10_000 {
            time += 1
            venue.advance(to: time, messageCountMax: .max, into: &batch)
        }
        #expect(heldCount() > 0)
        venue.pause(at: time)
        #expect(heldCount() == 0)
        #expect(EngineAudit.problem(in: venue.matching) == nil)
    }

    @Test func eventsThatNobodyTakesAreForgottenByHalves() throws {
        var story = Story(settings(3, rate: 0))
        let slot = try #require(story.slot(isDelayed: false))
        let price = try #require(Price(micros: 10_000))
        // Nobody sells at a cent: each is killed.
        for _ in 0...SimulatedVenue.accountEventCountMax { _ = story.buy(slot, shares: 100, at: price, .fok) }
        #expect(story.venue.takeAccountEvents().count == SimulatedVenue.accountEventCountMax / 2 + 1)
        #expect(story.venue.takeAccountEvents().isEmpty)
    }

    @Test func aRecordingTakesNoOrders() throws {
        let book =
            #"{"event_type":"book","market":"0x"# + String(repeating: "1", count: 64)
            + #"","asset_id":"12","timestamp":"1","hash":""# + String(repeating: "0", count: 40)
            + #"","bids":[],"asks":[]}"#
        let venue = ReplayVenue(try Recording(parsing: Array(book.utf8)), speed: 1, at: someTime)
        var batch = MessageBatch()
        #expect(venue.engine == nil)
        #expect(venue.handle(.openAccount, at: someTime, into: &batch).map(\.what) == [.commandRefused(.disabled)])
        let hash = OrderHash(digest: ConditionID(words: (0, 0, 0, 1)))
        let order = SignedOrder(
            hash: hash, account: AccountID(index: 0), token: TokenID(words: (0, 0, 0, 12)), side: .buy,
            makerAmount: 5_000_000, takerAmount: 10_000_000, kind: .gtc, expiration: 0, isPostOnly: false)
        #expect(venue.handle(.place(order), at: someTime, into: &batch).map(\.what) == [.refused(hash, .disabled)])
        #expect(batch.isEmpty)
    }

    // MARK: Settings

    @Test func aBurstIsASecondOfTenTimesTheTraffic() {
        var bursting = settings(12, rate: 50)
        bursting.burstSpacing = 10
        var venue = SimulatedVenue(bursting, at: someTime)
        var counts: [Int] = []
        for tenth in 1...600 {
            var batch = MessageBatch()
            venue.advance(to: someTime + Int64(tenth) * 100, messageCountMax: .max, into: &batch)
            counts.append(batch.plainCount)
        }
        // Six bursts are expected in a minute, each of ten tenths with fifty messages; others have five.
        let fastCount = counts.count { $0 > 25 }
        #expect((10...150).contains(fastCount))
        let slow = counts.filter { $0 <= 25 }
        #expect((3...8).contains(slow.reduce(0, +) / slow.count))
    }

    @Test func burstsOfTheTimeThatWasSkippedAreSkippedToo() {
        var bursting = settings(12, rate: 20)
        bursting.burstSpacing = 1
        var venue = SimulatedVenue(bursting, at: someTime)
        var batch = MessageBatch()
        venue.advance(to: someTime + 1_000, messageCountMax: .max, into: &batch)
        venue.skip(to: someTime + 50_000)
        batch.clear()
        venue.advance(to: someTime + 49_999, messageCountMax: .max, into: &batch)
        // Trades that were under way are finished.
        #expect(batch.plainCount < 30)
        venue.advance(to: someTime + 55_000, messageCountMax: .max, into: &batch)
        #expect(batch.plainCount > 50)
    }

    @Test func volatilityMovesPricesMoreOrNotAtAll() {
        func range(_ volatility: Int64) -> Double {
            var settings = settings(3, rate: 20)
            settings.volatility = volatility
            var venue = SimulatedVenue(settings, at: someTime)
            var batch = MessageBatch()
            var fairs: [Double] = []
            for second in 1...60 {
                venue.advance(to: someTime + Int64(second) * 1_000, messageCountMax: .max, into: &batch)
                fairs.append(venue.flows[0]!.fair)
            }
            return fairs.max()! - fairs.min()!
        }
        #expect(range(0) < 1e-9)
        #expect(range(5_000_000) > 2 * range(1_000_000))
    }
}
