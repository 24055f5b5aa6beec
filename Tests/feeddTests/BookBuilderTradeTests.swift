import Shared
import Testing

@testable import feedd

/// Trades: the hash holds a last trade price that is told only later.
@Suite struct BookBuilderTradeTests {
    private var venue = VenueModel()
    private var driver = BuilderDriver()

    init() throws {
        let levels: [LevelChange] = [
            .init(.bid, "0.48", 100), .init(.bid, "0.47", 5), .init(.ask, "0.52", 7), .init(.ask, "0.53", 10),
        ]
        _ = self.venue.operate(levels)
        try self.driver.take(self.venue.bookText(outcome: 0))
        self.venue.time += 1
    }

    private mutating func trade(_ side: BookSide, _ shares: Int64, taker: Int) throws -> VenueModel.Trade {
        let trade = self.venue.trade(side: side, size: Quantity(shares: shares), taker: taker)
        return try #require(trade)
    }

    @Test mutating func theBookThatFollowsATradeSettlesIt() throws {
        let trade = try self.trade(.ask, 9, taker: 0)
        #expect(trade.changes.count == 2)
        for text in trade.changes {
            #expect(try self.driver.take(text) == [.delta])
            #expect(!self.driver.builder.delta.isSettled)
        }
        // No new levels, but an update all the same: from now on strategies may decide.
        #expect(try self.driver.take(trade.book) == [.delta])
        #expect(self.driver.builder.delta.levels.isEmpty && self.driver.builder.delta.isSettled)
        #expect(self.driver.builder.epoch == 1)
        #expect(self.driver.picture == "0.48:100 0.47:5 | 0.53:8")
        #expect(self.driver.builder.hash == self.venue.hash(outcome: 0))
    }

    @Test(arguments: [0, 1], [BookSide.bid, .ask])
    mutating func thePriceOfATradeIsFoundAmongTheLevelsItConsumed(taker: Int, side: BookSide) throws {
        let trade = try self.trade(side, 101, taker: taker)
        try self.driver.take(trade.changes)
        #expect(!self.driver.builder.isSettled)
        #expect(self.driver.check() == .delta)
        #expect(self.driver.builder.isSettled && self.driver.builder.counters.mismatched == 0)
        // From now on the price is known, and each change settles by itself.
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.4", 3)) == [.delta])
        #expect(self.driver.builder.delta.isSettled)
    }

    @Test mutating func theNextOperationFindsThePriceToo() throws {
        let trade = try self.trade(.ask, 9, taker: 1)
        try self.driver.take(trade.changes)
        self.venue.time += 1
        #expect(try self.driver.take(self.venue.operate(.bid, "0.4", 3)) == [.delta])
        #expect(self.driver.builder.delta.isSettled)
    }

    @Test mutating func aPrintNamesAPriceThatNothingElseShows() throws {
        let trade = try self.trade(.ask, 2, taker: 0)
        try self.driver.take(trade.texts)
        let print = try #require(self.driver.trades.first)
        #expect(print.outcome == 0 && print.price == Price(decimal: "0.52") && print.size == Quantity(shares: 2))
        #expect(print.takerSide == .buy && print.transaction == "0xabc" && print.n == 17)
        #expect(print.venueTime == Timestamp(milliseconds: self.venue.time))
    }

    @Test mutating func aPrintOfTheSecondOutcomeIsToldInItsOwnTerms() throws {
        let trade = try self.trade(.ask, 2, taker: 1)
        try self.driver.take(trade.texts)
        let print = try #require(self.driver.trades.first)
        #expect(print.outcome == 1 && print.price == Price(decimal: "0.48") && print.takerSide == .sell)
    }

    /// A level that was refilled at once shows no smaller size: only the print tells the price.
    @Test mutating func aPrintSettlesATradeThatLeftNoTrace() throws {
        let trade = try self.trade(.ask, 2, taker: 0)
        self.venue.time += 1
        let texts = self.venue.operate([.init(.ask, "0.52", 7)])
        try self.driver.take(texts)
        #expect(!self.driver.builder.isSettled)
        #expect(self.driver.check() == .unchanged)
        try self.driver.take(trade.print)
        #expect(self.driver.check() == .delta)
        #expect(self.driver.builder.isSettled && self.driver.builder.isTrusted)
    }

    @Test mutating func anOperationWhoseEndNeverComesEndsTheTrust() throws {
        let texts = self.venue.operate([.init(.bid, "0.44", 1), .init(.bid, "0.45", 2)])
        try self.driver.take(texts[0])
        self.driver.now = Instant(nanoseconds: 1_000_000_000)
        #expect(self.driver.check() == .unchanged)
        self.driver.now = Instant(nanoseconds: 1_000_000_001)
        #expect(self.driver.check() == .distrusted(.hashMismatch))
        #expect(self.driver.builder.epoch == 2 && self.driver.builder.update == 0)
        #expect(self.driver.check() == .unchanged)
    }

    @Test mutating func aSecondTradeIsFoundAfterTheFirst() throws {
        for (shares, taker) in [(2, 0), (5, 1), (3, 0), (4, 1)] as [(Int64, Int)] {
            try self.driver.take(try self.trade(.ask, shares, taker: taker).texts)
            #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
            self.venue.time += 1
        }
        #expect(self.driver.builder.epoch == 1 && self.driver.builder.counters.mismatched == 0)
        #expect(self.driver.trades.count == 4)
    }

    /// Two takers within the time that a print takes: the prints come when both prices are long found.
    @Test(arguments: [[0, 1], [1, 0]])
    mutating func printsThatOverlapAreToldAndHarmNothing(order: [Int]) throws {
        var prints: [String] = []
        for (shares, taker) in [(9, 0), (4, 1)] as [(Int64, Int)] {
            let trade = try self.trade(.ask, shares, taker: taker)
            try self.driver.take(trade.changes)
            try self.driver.take(trade.book)
            #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
            prints.append(trade.print)
            self.venue.time += 1
        }
        for index in order {
            try self.driver.take(prints[index])
            #expect(self.driver.check() == .unchanged)
        }
        #expect(self.driver.trades.map(\.size) == order.map { Quantity(shares: [9, 4][$0]) })
        #expect(try self.driver.take(self.venue.operate(.bid, "0.4", 3)) == [.delta])
        #expect(self.driver.builder.isTrusted && self.driver.builder.delta.isSettled)
        #expect(self.driver.builder.epoch == 1 && self.driver.builder.counters.mismatched == 0)
    }

    @Test mutating func aTradeOnAFineGridIsFound() throws {
        self.venue = VenueModel(market: .example(tick: try #require(TickSize(decimal: "0.0001"))))
        self.driver = BuilderDriver(self.venue.market)
        _ = self.venue.operate([.init(.bid, "0.4871", 100), .init(.ask, "0.4879", 7)])
        try self.driver.take(self.venue.bookText(outcome: 1))
        try self.driver.take(try self.trade(.bid, 10, taker: 1).texts)
        #expect(self.driver.builder.isTrusted && self.driver.builder.isSettled)
    }

    @Test mutating func printsOfOtherTokensAreNotOurs() throws {
        let text = try self.trade(.ask, 2, taker: 0).print.replacing("\"asset_id\":\"2\"", with: "\"asset_id\":\"99\"")
        try self.driver.take(text)
        #expect(self.driver.trades.isEmpty)
    }
}
