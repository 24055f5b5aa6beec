import DaemonKit
import Shared
import Testing

@testable import feedd

/// Above a share of one core not every hash is compared: then fewer states are called settled, and none that was not proved.
@Suite struct HashSamplingTests {
    private var venue = VenueModel()
    /// Computes only what cannot wait.
    private var driver = BuilderDriver(hashPercent: 0)

    init() throws {
        _ = self.venue.operate([.init(.bid, "0.48", 100), .init(.bid, "0.47", 5), .init(.ask, "0.52", 7)])
        try self.driver.take(self.venue.bookText(outcome: 0))
    }

    private mutating func operate(_ price: String, _ shares: Int64) throws {
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, price, shares)) == [.delta])
    }

    private mutating func wait(milliseconds: Int64) { self.driver.now = self.driver.now + .milliseconds(milliseconds) }

    @Test mutating func whatIsNotComparedIsAppliedAndNotCalledSettled() throws {
        for size in Int64(1)...3 {
            try self.operate("0.46", size)
            #expect(self.driver.builder.isTrusted && !self.driver.builder.delta.isSettled)
        }
        #expect(self.driver.picture == BuilderDriver.picture(self.venue.book))
        #expect(self.driver.builder.hash == nil || self.driver.builder.body(conflated: nil).hash == nil)
        #expect(self.driver.builder.counters.leftOut == 3 && self.driver.builder.counters.checked == 1)
        // Half a second later it is compared whatever that costs, and all before it is proved with it.
        self.wait(milliseconds: 499)
        #expect(self.driver.check() == .unchanged)
        self.wait(milliseconds: 1)
        #expect(self.driver.check() == .delta)
        #expect(self.driver.builder.isSettled && self.driver.builder.hash == self.venue.hash(outcome: 0))
        #expect(self.driver.builder.settledTime == Timestamp(milliseconds: self.venue.time))
    }

    @Test mutating func aBusyMarketIsComparedAfterSoManyMessages() throws {
        for size in 1...Int64(BookBuilder.Unverified.countMax) { try self.operate("0.46", size) }
        #expect(!self.driver.builder.isSettled && self.driver.builder.counters.checked == 1)
        try self.operate("0.46", 1_000)
        #expect(self.driver.builder.isSettled && self.driver.builder.counters.checked == 2)
        try self.operate("0.46", 1_001)
        #expect(!self.driver.builder.isSettled)
    }

    @Test mutating func aLostChangeIsNoticedAtTheNextComparison() throws {
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.4", 1)
        try self.operate("0.46", 1)
        self.wait(milliseconds: 400)
        try self.operate("0.46", 2)
        self.wait(milliseconds: 100)
        // Compared, and wrong: it might be half an operation still. The next message tells.
        try self.operate("0.46", 3)
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.46", 4)) == [.distrusted(.hashMismatch)])
    }

    @Test mutating func aLostChangeOfAMarketThatFallsSilentIsNoticedToo() throws {
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.4", 1)
        try self.operate("0.46", 1)
        self.wait(milliseconds: 600)
        #expect(self.driver.check() == .unchanged)
        self.wait(milliseconds: 401)
        #expect(self.driver.check() == .distrusted(.hashMismatch))
    }

    @Test mutating func aTradeAmongWhatWasLeftOutIsFoundLater() throws {
        self.venue.time += 1
        let made = self.venue.trade(side: .ask, size: Quantity(shares: 2), taker: 1)
        let trade = try #require(made)
        try self.driver.take(trade.changes)
        for size in Int64(1)...5 { try self.operate("0.46", size) }
        try self.driver.take(trade.print)
        self.wait(milliseconds: 500)
        #expect(self.driver.check() == .delta)
        #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
    }

    /// A fetched book is built on only when the line's own hashes bear it out.
    @Test mutating func aFetchedBookIsProvedWhateverItCosts() throws {
        #expect(self.driver.distrust(.hashMismatch) == .distrusted(.hashMismatch))
        self.venue.time += 1
        let fetched = self.venue.restBook()
        var other = self.venue
        _ = other.operate(.bid, "0.4", 9)
        let wrong = other.restBook()
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.46", 1)) == [.unchanged])
        #expect(self.driver.take(wrong) == .unchanged)
        #expect(!self.driver.builder.isTrusted)
        #expect(self.driver.take(fetched) == .snapshot)
        #expect(self.driver.builder.isSettled && self.driver.picture == BuilderDriver.picture(self.venue.book))
    }

    @Test mutating func whatRepeatsAProvedMessageNeedsNoHash() throws {
        self.driver = BuilderDriver()
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time += 1
        let text = self.venue.operate(.bid, "0.46", 5)
        #expect(try self.driver.take([text, text, text]) == [.delta, .unchanged, .unchanged])
        #expect(self.driver.builder.counters.checked == 2 && self.driver.builder.counters.repeated == 2)
    }

    @Test func theBudgetIsAShareOfOneCore() {
        let start = Instant(nanoseconds: 5_000)
        var budget = HashBudget(percent: 25, now: start)
        // One second of books of 60 levels, as many as are admitted: 2.72 microseconds each.
        func compared(from: Instant) -> Int64 {
            var count: Int64 = 0
            for millisecond in Int64(0)..<1_000 {
                while budget.admits(now: from + .milliseconds(millisecond)) {
                    budget.spend(levelCount: 60)
                    count += 1
                }
            }
            return count
        }
        // The first second also has what was saved before.
        #expect(compared(from: start) == (250_000_000 - 250_000 + 50_000_000) / 2_720 + 1)
        #expect((91_900...91_920).contains(compared(from: start + .seconds(1))))
        // A long pause saves no more than the reserve, and time that runs backwards nothing.
        func admits(_ instant: Instant) -> Bool { budget.admits(now: instant) }
        let later = start + .seconds(3_600)
        #expect(!admits(start))
        #expect(admits(later))
        budget.spend(levelCount: 1_250_000)
        #expect(!admits(later))
        // What could not wait is owed, but never more than the reserve.
        for _ in 0..<100 { budget.spend(levelCount: 1_000_000) }
        #expect(!admits(later + .milliseconds(200)))
        #expect(admits(later + .milliseconds(201)))
    }

    @Test func theShareIsToldWhenItFallsAndWhenItIsWholeAgain() {
        var watch = HashShareWatch()
        #expect(watch.note(checked: 0, leftOut: 0) == nil && watch.permille == 1_000)
        #expect(watch.note(checked: 100, leftOut: 0) == nil && watch.permille == 1_000)
        #expect(watch.note(checked: 102, leftOut: 1) == .fell && watch.permille == 666)
        #expect(watch.note(checked: 102, leftOut: 9) == nil && watch.permille == 0)
        for _ in 1..<HashShareWatch.calmCountMin {
            #expect(watch.note(checked: 200, leftOut: 9) == nil && watch.permille == 1_000)
        }
        #expect(watch.note(checked: 300, leftOut: 9) == .whole)
        #expect(watch.note(checked: 400, leftOut: 9) == nil)
        #expect(watch.note(checked: 400, leftOut: 10) == .fell)
    }
}

/// The same with the whole service around it.
@Suite struct HashSamplingServiceTests {
    /// Operations of one message each.
    private static func operate(_ venue: inout VenueModel, count: Int64) -> [String] {
        (1...count).map { size in
            venue.time += 1
            return venue.operate(.ask, "0.9", size)
        }
    }

    @Test func theShareIsInTheStatusAndOnceInTheLog() async throws {
        let feed = try await FeedHarness { $0.feed.hashBudgetPercent = 0 }
        var venue = VenueModel()
        let (market, book) = (venue.market, venue.bookText(outcome: 0))
        try await feed.run { feed in try feed.hear(UniverseBody(markets: [market], age: 0)) }
        let subscriber = try await feed.subscriber(.all)
        let texts = Self.operate(&venue, count: 40)
        await feed.run { feed in
            feed.hear(book)
            for text in texts { feed.hear(text) }
        }
        try await subscriber.waitForStatus(after: 0) {
            $0.counters["hashes_left_out"] == 40 && $0.counters["hashes_permille"] ?? 1_000 < 1_000
        }
        #expect(feed.log.count("Not every hash is compared") == 1)
        // What was left out is proved soon, and no trust was lost.
        let levels = venue.book.levels
        let deadline = Instant.now() + .seconds(60)
        while await feed.run({ $0.market(market.condition)?.builder.isSettled }) != true && Instant.now() < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        await feed.run { feed in
            let builder = feed.market(market.condition)!.builder
            #expect(builder.isTrusted && builder.isSettled && builder.book.levels == levels && builder.epoch == 1)
        }
        await feed.stop()
    }

    @Test func aFollowerThatWasNotComparedIsBeforeItLeads() async throws {
        let feed = try await FeedHarness { $0.feed.hashBudgetPercent = 0 }
        var venue = VenueModel()
        let (market, book) = (venue.market, venue.bookText(outcome: 0))
        let texts = Self.operate(&venue, count: 40)
        let levels = venue.book.levels
        try await feed.run { feed in
            try feed.hear(UniverseBody(markets: [market], age: 0))
            for connection in 0...1 { feed.hear(book, on: connection) }
            for text in texts { for connection in 0...1 { feed.hear(text, on: connection) } }
            let found = feed.market(market.condition)
            let carried = try #require(found)
            #expect(carried.connection == 0 && !carried.builder.isSettled)
            #expect(carried.follower?.builder.isSettled == false)
            feed.lineLost(0, .dropped)
            #expect(carried.connection == 1 && carried.builder.isTrusted && carried.builder.isSettled)
            #expect(carried.builder.book.levels == levels)
        }
        await feed.stop()
    }
}
