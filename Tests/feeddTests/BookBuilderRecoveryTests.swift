import Shared
import Testing

@testable import feedd

/// What was lost is noticed, and a fresh snapshot heals it.
@Suite struct BookBuilderRecoveryTests {
    private var venue = VenueModel()
    private var driver = BuilderDriver()

    init() throws {
        _ = self.venue.operate([.init(.bid, "0.48", 100), .init(.bid, "0.47", 5), .init(.ask, "0.52", 7)])
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time += 1
    }

    /// Loses a change, so that the next but one shows it.
    private mutating func loseAChange() throws {
        _ = self.venue.operate(.bid, "0.4", 1)
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.41", 1)) == [.delta])
        #expect(!self.driver.builder.isSettled)
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.42", 1)) == [.distrusted(.hashMismatch)])
    }

    private var equalsTheVenue: Bool {
        self.driver.builder.isTrusted && self.driver.builder.isSettled
            && self.driver.picture == BuilderDriver.picture(self.venue.book)
    }

    @Test mutating func aLostChangeIsNoticedAndAFetchedBookHealsIt() throws {
        try self.loseAChange()
        #expect(self.driver.builder.epoch == 2)
        #expect(self.driver.take(self.venue.restBook()) == .snapshot)
        #expect(self.equalsTheVenue && self.driver.builder.epoch == 2 && self.driver.builder.update == 1)
    }

    /// With a hash that is right for it.
    @Test mutating func aPolledBookThatSaysNothingIsNotBelieved() throws {
        var venue = VenueModel()
        _ = venue.operate([.init(.bid, "0.01", 100), .init(.ask, "0.99", 100)])
        var driver = BuilderDriver()
        #expect(
            driver.take(venue.restBook(), source: .rest) == .unchanged
                && driver.take(venue.restBook(outcome: 1), source: .rest) == .unchanged)
        #expect(!driver.builder.isTrusted && driver.builder.counters.unproved == 2)
        venue.time += 1
        _ = venue.operate(.bid, "0.02", 5)
        #expect(driver.take(venue.restBook(), source: .rest) == .snapshot)
        // What was polled before is neither confirmed nor taken back.
        venue.time += 1
        _ = venue.operate(.bid, "0.02", 0)
        #expect(driver.take(venue.restBook(), source: .rest) == .unchanged && driver.builder.isTrusted)
    }

    /// What is older than the fetched book is inside it, unless it is so much older that the clock was set back.
    @Test(arguments: [BookBuilder.overtakenMax + 2, 3_600_000])
    mutating func aClockThatIsSetBackAfterAFetchLosesNothing(milliseconds: Int64) throws {
        try self.loseAChange()
        #expect(self.driver.take(self.venue.restBook()) == .snapshot)
        self.venue.time -= milliseconds
        #expect(try self.driver.take(self.venue.operate(.ask, "0.6", 4)) == [.delta])
        #expect(self.equalsTheVenue)
        // Nor once it is nearly as late again.
        self.venue.time += milliseconds - 2
        #expect(try self.driver.take(self.venue.operate(.ask, "0.61", 4)) == [.delta])
        #expect(self.equalsTheVenue)
    }

    @Test mutating func changesThatCameWhileTheBookWasFetchedAreCaughtUp() throws {
        try self.loseAChange()
        let fetched = self.venue.restBook()
        for size in Int64(1)...3 {
            self.venue.time += 1
            #expect(try self.driver.take(self.venue.operate(.ask, "0.6", size)) == [.unchanged])
        }
        #expect(self.driver.take(fetched) == .snapshot)
        #expect(self.equalsTheVenue && self.driver.builder.update == 4)
    }

    @Test mutating func aTradeWhileTheBookWasFetchedIsCaughtUp() throws {
        try self.loseAChange()
        let fetched = self.venue.restBook()
        self.venue.time += 1
        let trade = self.venue.trade(side: .ask, size: Quantity(shares: 3), taker: 1)
        try self.driver.take(try #require(trade).changes)
        #expect(self.driver.take(fetched) == .snapshot)
        #expect(self.driver.check() == .unchanged)
        #expect(self.equalsTheVenue)
    }

    @Test mutating func aFetchedBookThatTheLineOvertookIsPassedOver() throws {
        try self.loseAChange()
        let fetched = self.venue.restBook()
        self.venue.time += 1
        let trade = self.venue.trade(side: .ask, size: Quantity(shares: 3), taker: 1)
        // The book that follows the trade heals before the answer comes.
        #expect(try self.driver.take(try #require(trade).texts) == [.unchanged, .snapshot, .unchanged])
        #expect(self.driver.take(fetched) == .unchanged)
        #expect(self.equalsTheVenue)
    }

    /// The REST interface serves what was true a while ago, with the right hash: nothing on the line speaks for it.
    @Test mutating func aFetchedBookThatTheLineDoesNotBearOutIsNotBelieved() throws {
        let placeholder = self.venue.restBook()
        try self.loseAChange()
        self.venue.time += 5
        var other = self.venue
        _ = other.operate(.bid, "0.42", 9)
        #expect(self.driver.take(other.restBook()) == .unchanged)
        #expect(self.driver.take(placeholder) == .unchanged)
        #expect(!self.driver.builder.isTrusted && self.driver.builder.counters.unproved == 2)
        // A change that fits the venue's book and neither of these.
        #expect(try self.driver.take(self.venue.operate(.ask, "0.6", 3)) == [.unchanged])
        #expect(self.driver.take(placeholder) != .snapshot)
        #expect(self.driver.take(self.venue.restBook()) == .snapshot)
        #expect(self.equalsTheVenue)
    }

    /// The fetched book was quicker than the line: the line's own book, or the last of what it still brings, proves it.
    @Test mutating func changesOlderThanTheFetchedBookAreInsideIt() throws {
        try self.loseAChange()
        var late: [String] = []
        for size in Int64(1)...3 {
            self.venue.time += 1
            late += [self.venue.operate(.ask, "0.6", size)]
        }
        self.venue.time += 1
        late += [self.venue.operate(.ask, "0.6", 0)]
        let fetched = self.venue.restBook()
        #expect(self.driver.take(fetched) == .unchanged)
        #expect(try self.driver.take(Array(late.prefix(3))) == [.unchanged, .unchanged, .unchanged])
        #expect(self.driver.take(fetched) == .unchanged)
        #expect(try self.driver.take(late[3]) == [.unchanged])
        #expect(self.driver.take(fetched) == .snapshot)
        #expect(self.equalsTheVenue)
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.3", 1)) == [.delta])
        #expect(self.equalsTheVenue)
    }

    @Test mutating func aFetchedBookThatDoesNotHashIsNotBelieved() throws {
        try self.loseAChange()
        let wrong = self.venue.restBook(replacing: "\"100\"", with: "\"101\"")
        #expect(self.driver.take(wrong) == .unchanged)
        #expect(self.driver.builder.trust == .untrusted(.hashMismatch))
        #expect(self.driver.take(self.venue.restBook()) == .snapshot)
    }

    @Test mutating func whatDidNotFitTheFetchedBookIsKeptForTheNext() throws {
        try self.loseAChange()
        let stale = self.venue.restBook()
        self.venue.time += 1
        _ = self.venue.operate(.ask, "0.61", 1)
        let fetched = self.venue.restBook()
        for price in ["0.62", "0.63", "0.64"] {
            self.venue.time += 1
            #expect(try self.driver.take(self.venue.operate(.ask, price, 1)) == [.unchanged])
        }
        // The first book lacks a change that the line lost too.
        #expect(self.driver.take(stale) != .snapshot)
        #expect(!self.driver.builder.isTrusted)
        #expect(self.driver.take(fetched) == .snapshot)
        #expect(self.equalsTheVenue)
    }

    @Test mutating func theOtherOutcomesFetchedBookHealsAsWell() throws {
        try self.loseAChange()
        #expect(self.driver.take(self.venue.restBook(outcome: 1)) == .snapshot)
        #expect(self.equalsTheVenue)
    }

    @Test mutating func aFetchedBookOfAnotherTokenChangesNothing() throws {
        let other = Market.example(first: TokenID("98")!, second: TokenID("99")!)
        #expect(self.driver.take(VenueModel(market: other).restBook()) == .unchanged)
        #expect(self.driver.builder.isTrusted)
    }

    @Test mutating func aLostLineForgetsWhatItBrought() throws {
        try self.loseAChange()
        #expect(self.driver.loseLine(.dropped) == .distrusted(.dropped))
        #expect(self.driver.loseLine(.dropped) == .unchanged)
        self.venue.time += 1
        _ = self.venue.operate(.bid, "0.3", 1)
        #expect(try self.driver.take(self.venue.bookText(outcome: 1)) == [.snapshot])
        #expect(self.equalsTheVenue)
        // The second loss of trust alone ended an epoch that had been trusted.
        #expect(self.driver.builder.epoch == 2)
    }

    @Test mutating func polledBooksAreUpdatesOfOneEpochUntilTheLineIsBack() throws {
        #expect(self.driver.loseLine(.silent) == .distrusted(.silent))
        for size in Int64(1)...3 {
            self.venue.time += 1_000
            _ = self.venue.operate(.bid, "0.3", size)
            #expect(self.driver.take(self.venue.restBook(), source: .rest) == .snapshot)
            #expect(self.driver.builder.epoch == 2 && self.driver.builder.update == size)
            #expect(self.driver.builder.source == .rest && self.equalsTheVenue)
        }
        // The line is back: its changes wait for its own snapshot.
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.2", 1)) == [.unchanged])
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
        #expect(self.driver.builder.epoch == 3 && self.driver.builder.source == .webSocket && self.equalsTheVenue)
    }

    @Test mutating func aPolledBookThatIsOlderThanTheLastIsPassedOver() throws {
        #expect(self.driver.loseLine(.silent) == .distrusted(.silent))
        let old = self.venue.restBook()
        self.venue.time += 1_000
        _ = self.venue.operate(.bid, "0.3", 1)
        #expect(self.driver.take(self.venue.restBook(), source: .rest) == .snapshot)
        #expect(self.driver.take(old, source: .rest) == .unchanged)
        #expect(self.equalsTheVenue && self.driver.builder.counters.old == 1)
    }

    @Test mutating func theVenuesOwnTermsWinOverTheScanners() throws {
        var market = Market.example()
        market.sizeMin = Quantity(shares: 15)
        market.isNegRisk = true
        self.venue = VenueModel(market: market)
        self.driver = BuilderDriver()
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.distrusted(.hashMismatch)])
        #expect(self.driver.take(self.venue.restBook()) == .unchanged)
        #expect(try self.driver.take(self.venue.bookText(outcome: 0)) == [.snapshot])
        // The scanner repeats what it read, which was wrong.
        self.driver.describe(.example())
        #expect(self.driver.builder.market.sizeMin == Quantity(shares: 15) && self.driver.builder.market.isNegRisk)
        #expect(try self.driver.take(self.venue.operate(.bid, "0.3", 1)) == [.delta])
        #expect(self.equalsTheVenue)
    }

    @Test mutating func tooMuchThatWaitsIsForgottenAndTheHashSaysSo() throws {
        try self.loseAChange()
        let fetched = self.venue.restBook()
        for size in 1...Int64(BookBuilder.pendingCountMax + 1) {
            self.venue.time += 1
            try self.driver.take(self.venue.operate(size % 2 == 0 ? .bid : .ask, size % 2 == 0 ? "0.1" : "0.9", size))
        }
        #expect(self.driver.take(fetched) != .snapshot || self.driver.builder.isSettled == false)
        #expect(!self.equalsTheVenue || self.driver.picture == BuilderDriver.picture(self.venue.book))
        #expect(self.driver.take(self.venue.restBook()) == .snapshot)
        #expect(self.equalsTheVenue)
    }

    @Test mutating func everyLossOfTrustIsSaidOnceAndEndsTheEpoch() {
        #expect(self.driver.distrust(.mirror) == .distrusted(.mirror))
        #expect(self.driver.distrust(.mirror) == .unchanged)
        #expect(self.driver.distrust(.resolved) == .distrusted(.resolved))
        #expect(self.driver.builder.epoch == 2)
    }
}
