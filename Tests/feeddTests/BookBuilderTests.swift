import Shared
import Testing

@testable import feedd

/// Snapshots, changes and what makes a book believable.
@Suite struct BookBuilderTests {
    private var venue = VenueModel()
    private var driver = BuilderDriver()

    init() throws {
        _ = self.venue.operate([.init(.bid, "0.48", 100), .init(.bid, "0.47", 5), .init(.ask, "0.52", 7)])
    }

    @Test func nothingIsBelievedBeforeASnapshot() {
        #expect(self.driver.builder.trust == .untrusted(.noSnapshot))
        #expect(self.driver.builder.epoch == 1 && self.driver.builder.update == 0)
    }

    @Test mutating func aSnapshotWithTheRightHashIsBelieved() throws {
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
        #expect(self.driver.picture == "0.48:100 0.47:5 | 0.52:7")
        let body = self.driver.builder.body(conflated: 3)
        #expect(body.epoch == 1 && body.update == 1 && body.isTrusted && body.isSettled && body.source == .webSocket)
        #expect(body.hash == self.venue.hash(outcome: 0) && body.conflated == 3)
        #expect(body.venueTime == Timestamp(milliseconds: self.venue.time))
    }

    @Test mutating func theSecondOutcomesSnapshotIsLaidInMirrored() throws {
        #expect(try self.driver.take(self.venue.bookText(outcome: 1)) == [.snapshot])
        #expect(self.driver.picture == "0.48:100 0.47:5 | 0.52:7")
        // Nobody computed the first outcome's hash.
        #expect(self.driver.builder.body(conflated: nil).hash == nil)
    }

    @Test mutating func theFirstDumpOfBothOutcomesIsOneSnapshot() throws {
        let text = "[\(self.venue.bookText(outcome: 0)),\(self.venue.bookText(outcome: 1))]"
        #expect(try self.driver.take(text) == [.snapshot, .unchanged])
        #expect(self.driver.builder.epoch == 1)
    }

    @Test mutating func aSnapshotWithAnotherHashIsNotBelieved() throws {
        let wrong = self.venue.bookText(outcome: 0).replacing("\"100\"", with: "\"101\"")
        #expect(try self.driver.take(wrong) == [.distrusted(.hashMismatch)])
        #expect(self.driver.builder.counters.mismatched == 1)
    }

    @Test mutating func changesAreAppliedCheckedAndNumbered() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.49", 3)) == [.delta])
        let delta = self.driver.builder.delta
        #expect(delta.levels == [.init(.bid, "0.49", 3)])
        #expect(delta.epoch == 1 && delta.update == 2 && delta.isSettled)
        #expect(delta.venueTime == Timestamp(milliseconds: self.venue.time))
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.49", 0)) == [.delta])
        #expect(self.driver.picture == "0.48:100 0.47:5 | 0.52:7")
        #expect(self.driver.builder.hash == self.venue.hash(outcome: 0))
    }

    @Test mutating func theOrderOfTheOutcomesInAChangeDoesNotMatter() throws {
        try self.driver.take(self.venue.bookText(outcome: 1))
        let texts = self.venue.operate([.init(.ask, "0.53", 9)], firstOutcomeFirst: false)
        #expect(try self.driver.take(texts) == [.delta])
        #expect(self.driver.builder.delta.levels == [.init(.ask, "0.53", 9)])
        #expect(self.driver.builder.hash == self.venue.hash(outcome: 0))
    }

    @Test mutating func anOperationOfSeveralMessagesIsUnsettledUntilItsEnd() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time += 1
        let texts = self.venue.operate([.init(.bid, "0.44", 1), .init(.bid, "0.45", 2), .init(.ask, "0.6", 3)])
        var settled: [Bool] = []
        for text in texts {
            #expect(try self.driver.take(text) == [.delta])
            settled.append(self.driver.builder.delta.isSettled)
        }
        #expect(settled == [false, false, true])
        #expect(self.driver.picture == BuilderDriver.picture(self.venue.book))
    }

    @Test mutating func severalOperationsMayShareAMillisecond() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        for size in Int64(1)...20 { #expect(try self.driver.take(self.venue.operate(.bid, "0.46", size)) == [.delta]) }
        #expect(self.driver.builder.isSettled && self.driver.builder.update == 21)
    }

    @Test mutating func aRepeatedMessageChangesNothing() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        let text = self.venue.operate(.bid, "0.46", 5)
        #expect(try self.driver.take([text, text]) == [.delta, .unchanged])
        #expect(self.driver.builder.counters.repeated == 1)
        #expect(self.driver.builder.update == 2)
    }

    @Test mutating func aRepeatedSnapshotChangesNothing() throws {
        let text = self.venue.bookText(outcome: 0)
        #expect(try self.driver.take([text, text]) == [.snapshot, .unchanged])
    }

    @Test mutating func anotherMarketsTokenChangesNothing() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        let text = self.venue.operate(.bid, "0.46", 5)
        let foreign = text.replacing(
            "price_changes\":[",
            with: "price_changes\":[" + """
                {"asset_id":"99","price":"0.3","size":"1","side":"BUY","hash":"8182cc8b57d17f795809322ec7315452325e5a5e"},
                """)
        #expect(try self.driver.take(foreign) == [.delta])
        #expect(self.driver.builder.delta.levels == [.init(.bid, "0.46", 5)])
        #expect(self.driver.builder.outcome(of: TokenID("99")!) == nil)
    }

    @Test mutating func aChangeWithoutAHashIsMalformed() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        let text = self.venue.operate(.bid, "0.46", 5).replacing("hash", with: "cash")
        #expect(try self.driver.take(text) == [.distrusted(.malformed)])
    }

    @Test mutating func aSizeThatNobodyBelievesIsMalformed() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        let text = self.venue.operate(.bid, "0.46", 5).replacing("\"5\"", with: "\"900000000\"")
        #expect(try self.driver.take(text) == [.distrusted(.malformed)])
    }

    @Test mutating func aCrossedBookIsNotBelievedThoughItsHashIsRight() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        #expect(try self.driver.take(self.venue.operate(.bid, "0.52", 1)) == [.distrusted(.crossed)])
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.unchanged])
        #expect(self.driver.builder.trust == .untrusted(.crossed))
        self.venue.time += 1
        let healed = self.venue.operate([.init(.bid, "0.52", 0)])
        #expect(try self.driver.take(healed) == [.unchanged])
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
    }

    @Test mutating func aCrossedBookOfSeveralMessagesIsNotBelievedEither() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        // The last trade price is new: the end is found only when it is looked for.
        _ = self.venue.trade(side: .ask, size: Quantity(shares: 1), taker: 0)
        let texts = self.venue.operate([.init(.ask, "0.52", 6), .init(.bid, "0.52", 1)])
        try self.driver.take(texts)
        #expect(!self.driver.builder.isSettled)
        #expect(self.driver.check() == .distrusted(.crossed))
    }

    @Test mutating func anOlderSnapshotIsPassedOver() throws {
        let old = self.venue.bookText(outcome: 0)
        self.venue.time += 5
        _ = self.venue.operate(.bid, "0.46", 5)
        try self.driver.take(self.venue.bookText(outcome: 0))
        #expect(try self.driver.take(old) == [.unchanged])
        #expect(self.driver.builder.counters.old == 1)
        #expect(self.driver.picture == BuilderDriver.picture(self.venue.book))
    }

    @Test mutating func timeThatRunsBackwardsIsCountedAndTheHashDecides() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time -= 10
        #expect(try self.driver.take(self.venue.operate(.bid, "0.46", 5)) == [.delta])
        #expect(self.driver.builder.counters.backwards == 1 && self.driver.builder.isSettled)
    }

    @Test mutating func theScannersNewTermsLeaveTheTickToTheFeed() throws {
        let fine = try #require(TickSize(decimal: "0.001"))
        try self.driver.take(self.venue.bookText(outcome: 0))
        try self.driver.take(self.venue.changeTick(to: fine))
        try self.driver.take(self.venue.bookText(outcome: 0))
        var market = Market.example()
        market.question = "Another"
        self.driver.describe(market)
        #expect(self.driver.builder.market.question == "Another" && self.driver.builder.market.tick == fine)
        #expect(try self.driver.take(self.venue.operate(.bid, "0.485", 1)) == [.delta])
        #expect(self.driver.builder.isSettled)
    }

    @Test mutating func aNewTickWaitsForANewSnapshot() throws {
        let fine = try #require(TickSize(decimal: "0.001"))
        try self.driver.take(self.venue.bookText(outcome: 0))
        let text = self.venue.changeTick(to: fine)
        #expect(try self.driver.take(text) == [.distrusted(.noSnapshot)])
        #expect(self.driver.tickSizes.map(\.new) == [fine] && self.driver.tickSizes.map(\.old) == [.cent])
        #expect(try self.driver.take(text) == [.unchanged], "the other outcome's notice says nothing new")
        #expect(try self.driver.take(self.venue.bookText(outcome: 1)) == [.snapshot])
        #expect(self.driver.builder.epoch == 2 && self.driver.builder.book.tick == fine)
    }

    /// The REST interface may serve what is long past: what the line said before the change does not bear it out.
    @Test mutating func aBookOfTheFormerTickIsNotBelieved() throws {
        let fine = try #require(TickSize(decimal: "0.001"))
        try self.driver.take(self.venue.bookText(outcome: 0))
        try self.driver.take(self.venue.operate(.bid, "0.46", 5))
        let stale = self.venue.restBook()
        try self.driver.take(self.venue.changeTick(to: fine))
        #expect(self.driver.take(stale) == .unchanged && !self.driver.builder.isTrusted)
        #expect(self.driver.builder.book.tick == fine)
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
    }

    @Test mutating func levelsOffTheGridAreKeptAndCounted() throws {
        try self.driver.take(self.venue.bookText(outcome: 0))
        #expect(try self.driver.take(self.venue.operate(.bid, "0.485", 5)) == [.delta])
        #expect(self.driver.builder.isSettled && self.driver.builder.counters.offTick == 1)
        #expect(self.driver.picture == "0.485:5 0.48:100 0.47:5 | 0.52:7")
    }
}
