import Shared
import Testing

@testable import feedd

/// What no book may show: each has a rule, and a counter that says how often it was seen.
@Suite struct BookRuleTests {
    private var venue = VenueModel()
    private var driver = BuilderDriver()

    init() throws {
        _ = self.venue.operate([.init(.bid, "0.48", 100), .init(.bid, "0.47", 5), .init(.ask, "0.52", 7)])
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time += 1
    }

    @Test(arguments: ["100000000.000001", "900000000"])
    mutating func aSizeThatNobodyBelievesIsCountedAndEndsTheTrust(size: String) throws {
        let text = self.venue.operate(.bid, "0.46", 5).replacing("\"size\":\"5\"", with: "\"size\":\"\(size)\"")
        #expect(try self.driver.take(text) == [.distrusted(.malformed)])
        #expect(self.driver.builder.counters.sizesRefused == 1)
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
    }

    @Test mutating func theLargestSizeIsBelieved() throws {
        #expect(try self.driver.take(self.venue.operate(.bid, "0.46", 100_000_000)) == [.delta])
        #expect(self.driver.builder.isSettled && self.driver.builder.counters.sizesRefused == 0)
    }

    @Test(arguments: ["0", "0.0", "100000001"])
    mutating func aSnapshotWithALevelOfNoSizeIsNotBelieved(size: String) throws {
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.46", 5)
        let text = self.venue.bookText(outcome: 1).replacing("\"size\":\"5\"", with: "\"size\":\"\(size)\"")
        #expect(try self.driver.take(text) == [.distrusted(.malformed)])
        #expect(self.driver.builder.counters.sizesRefused == 1)
    }

    @Test mutating func aSnapshotThatNamesAPriceTwiceIsNotBelieved() throws {
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.46", 5)
        let level = #"{"price":"0.46","size":"5"}"#
        // Once with the same size, which adds nothing to our book but was hashed.
        for other in [level, #"{"price":"0.46","size":"6"}"#] {
            let text = self.venue.bookText(outcome: 0).replacing(level, with: "\(level),\(other)")
            #expect(try self.driver.take(text).count == 1)
            #expect(self.driver.builder.trust == .untrusted(.malformed))
        }
        #expect(self.driver.builder.counters.levelsDoubled == 2)
        #expect(self.driver.take(self.venue.restBook(replacing: level, with: "\(level),\(level)")) != .snapshot)
        #expect(!self.driver.builder.isTrusted)
    }

    @Test mutating func crossedBooksAreCounted() throws {
        #expect(try self.driver.take(self.venue.operate(.bid, "0.52", 1)) == [.distrusted(.crossed)])
        #expect(self.driver.builder.counters.crossed == 1)
    }

    @Test mutating func entriesOfOtherTokensAreCountedAndHarmNothing() throws {
        let text = self.venue.operate(.bid, "0.46", 5)
        let entry = #"{"asset_id":"99","price":"0.3","size":"1","side":"BUY"}"#
        #expect(
            try self.driver.take(text.replacing("price_changes\":[", with: "price_changes\":[\(entry),")) == [.delta])
        #expect(self.driver.builder.counters.tokensUnknown == 1 && self.driver.builder.isSettled)
    }

    /// What the line said before is true no more: a fetched book of that time must not be taken for the present one.
    @Test mutating func aMessageThatIsRefusedLeavesNothingToProveAnOlderBook() throws {
        try self.driver.take(self.venue.operate(.bid, "0.46", 5))
        let old = self.venue.restBook()
        self.venue.time += 1
        let texts = [
            self.venue.operate(.bid, "0.45", 5).replacing("hash", with: "cash"),
            self.venue.operate(.bid, "0.45", 6).replacing(#""size":"6""#, with: #""size":"600000000""#),
        ]
        for text in texts {
            #expect(try self.driver.take(text) == [.distrusted(.malformed)])
            #expect(self.driver.take(old) != .snapshot)
            #expect(!self.driver.builder.isTrusted)
            #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
            self.venue.time += 1
        }
    }

    @Test mutating func aBookWithAnotherTickIsANewEpoch() throws {
        let fine = try #require(TickSize(decimal: "0.001"))
        self.venue.time += 1
        // The notice was lost.
        _ = self.venue.changeTick(to: fine)
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
        #expect(self.driver.builder.epoch == 2 && self.driver.builder.update == 1)
        #expect(self.driver.builder.market.tick == fine)
    }

    @Test mutating func aPolledBookWithAnotherTickIsANewEpochToo() throws {
        #expect(self.driver.loseLine(.silent) == .distrusted(.silent))
        #expect(self.driver.take(self.venue.restBook(), source: .rest) == .snapshot)
        #expect(self.driver.builder.epoch == 2)
        self.venue.time += 1
        _ = self.venue.changeTick(to: try #require(TickSize(decimal: "0.001")))
        #expect(self.driver.take(self.venue.restBook(), source: .rest) == .snapshot)
        #expect(self.driver.builder.epoch == 3 && self.driver.builder.update == 1)
    }

    @Test mutating func tickChangesAndLastTradesAreCounted() throws {
        let made = self.venue.trade(side: .ask, size: Quantity(shares: 2), taker: 1)
        let trade = try #require(made)
        try self.driver.take(trade.texts)
        #expect(self.driver.builder.counters.lastTradesFound == 1)
        self.venue.time += 1
        try self.driver.take(self.venue.changeTick(to: try #require(TickSize(decimal: "0.001"))))
        #expect(self.driver.builder.counters.ticksChanged == 1)
    }

    /// A price or size that is none says that the text cannot be read: its line begins anew, and the text is counted.
    @Test(arguments: [
        #""price":"0""#, #""price":"1""#, #""price":"1.5""#, #""price":"-0.2""#, #""size":"-5""#,
        #""size":"9000000000000""#, #""size":"x""#, #""size":"5.0000001""#,
    ])
    func aTextWithANumberThatCannotBeEndsTheLine(number: String) async throws {
        let feed = try await FeedHarness()
        var venue = VenueModel()
        let (market, book) = (venue.market, venue.bookText(outcome: 0))
        let usual = number.contains("price") ? #""price":"0.46""# : #""size":"5""#
        let text = venue.operate(.bid, "0.46", 5).replacing(usual, with: number)
        try await feed.run { feed in
            try feed.hear(UniverseBody(markets: [market], age: 0))
            feed.hear(book)
            feed.hear(text)
            #expect(feed.counters["texts_malformed"] == 1)
        }
        #expect(feed.log.count("The venue sent a text that cannot be read") == 1)
        await feed.stop()
    }

    @Test func everyRuleHasItsCounterInTheStatus() async throws {
        let feed = try await FeedHarness()
        let venue = VenueModel()
        let (market, book) = (venue.market, venue.bookText(outcome: 0))
        let other = book.replacing("\"asset_id\":\"\(market.first.token)\"", with: #""asset_id":"99""#)
        try await feed.run { feed in
            try feed.hear(UniverseBody(markets: [market], age: 0))
            feed.hear(book.replacing(market.condition.description, with: ConditionID(words: (9, 9, 9, 9)).description))
            feed.hear(other)
        }
        let subscriber = try await feed.subscriber(.all)
        try await subscriber.waitForStatus { status in
            let names = [
                "hashes_checked", "hashes_mismatched", "repeated", "old", "time_backwards", "off_tick",
                "books_unproved", "books_crossed", "sizes_refused", "levels_doubled", "mirrors_checked",
                "mirrors_broken", "tokens_unknown", "ticks_changed", "last_trades_found",
            ]
            return names.allSatisfy { status.counters[$0] != nil } && status.counters["events_of_other_markets"] == 2
        }
        await feed.stop()
    }
}
