import Shared
import Testing

@Suite struct OrderBookTests {
    private func price(_ text: String) throws -> Price { try #require(Price(decimal: text)) }

    @Test func aNewBookIsEmpty() {
        let book = OrderBook(tick: .cent)
        #expect(book.bestBid == nil && book.bestAsk == nil && book.midpoint == nil && !book.isCrossed)
        #expect(book.bidCount == 0 && book.askCount == 0)
        #expect(book.levels(.bid).isEmpty && book.levels(.ask).isEmpty)
    }

    @Test func levelsAreToldBestFirstAndWorstFirst() throws {
        var book = OrderBook(tick: .cent)
        for text in ["0.48", "0.01", "0.47"] {
            #expect(book.set(.bid, try self.price(text), Quantity(shares: 1)) == true)
        }
        for text in ["0.99", "0.5", "0.52"] {
            #expect(book.set(.ask, try self.price(text), Quantity(shares: 2)) == true)
        }
        #expect(book.levels(.bid).map(\.price.description) == ["0.48", "0.47", "0.01"])
        #expect(book.levels(.ask).map(\.price.description) == ["0.5", "0.52", "0.99"])
        var served: [String] = []
        book.forEachBidWorstFirst { served.append($0.price.description) }
        book.forEachAskWorstFirst { served.append($0.price.description) }
        #expect(served == ["0.01", "0.47", "0.48", "0.99", "0.52", "0.5"])
        #expect(book.midpoint == 490_000)
        #expect(book.size(.ask, at: try self.price("0.5")) == Quantity(shares: 2))
        #expect(book.size(.bid, at: try self.price("0.5")) == .zero)
    }

    @Test func sizeZeroRemovesALevelAndNothingElse() throws {
        var book = OrderBook(tick: .cent)
        #expect(book.set(.bid, try self.price("0.5"), Quantity(shares: 1)) == true)
        #expect(book.set(.bid, try self.price("0.6"), .zero) == true)
        #expect(book.bidCount == 1)
        #expect(book.set(.bid, try self.price("0.5"), .zero) == true)
        #expect(book.bidCount == 0 && book.bestBid == nil)
    }

    @Test func aBookIsCrossedWhenSomebodyBidsWhatAnotherAsks() throws {
        var book = OrderBook(tick: .cent)
        #expect(book.set(.bid, try self.price("0.5"), Quantity(shares: 1)) == true)
        #expect(book.set(.ask, try self.price("0.51"), Quantity(shares: 1)) == true)
        #expect(!book.isCrossed)
        #expect(book.set(.ask, try self.price("0.5"), Quantity(shares: 1)) == true)
        #expect(book.isCrossed)
    }

    @Test func sizesThatNobodyBelievesAreRefused() throws {
        var book = OrderBook(tick: .cent)
        let half = try self.price("0.5")
        #expect(book.set(.bid, half, OrderBook.levelSizeMax) == true)
        #expect(book.set(.bid, half, Quantity(micros: OrderBook.levelSizeMax.micros + 1)) == false)
        #expect(book.set(.bid, half, Quantity(micros: -1)) == false)
        #expect(book.size(.bid, at: half) == OrderBook.levelSizeMax)
        // The venue showed 31,045,290 shares at 0.999 in May 2026.
        #expect(OrderBook.levelSizeMax > Quantity(shares: 31_045_290))
        // A whole side of the largest adds up without overflow.
        #expect(!OrderBook.levelSizeMax.micros.multipliedReportingOverflow(by: 9_999).overflow)
    }

    @Test func thereIsRoomForSoManyLevelsOffTheGrid() throws {
        var book = OrderBook(tick: .cent)
        var refused = 0
        for micros in Int64(1)...2_000 where micros % 10_000 != 0 {
            let price = try #require(Price(micros: micros))
            if !book.set(.ask, price, Quantity(shares: 1)) { refused += 1 }
        }
        #expect(book.askCount == 1_024)
        #expect(refused == 2_000 - 1_024)
        // What is there can still be changed and removed, and the grid is free.
        #expect(book.set(.ask, try #require(Price(micros: 7)), Quantity(shares: 3)) == true)
        #expect(book.set(.ask, try #require(Price(micros: 1_025)), Quantity(shares: 3)) == false)
        #expect(book.set(.ask, try #require(Price(micros: 8)), .zero) == true)
        #expect(book.set(.ask, try #require(Price(micros: 1_025)), Quantity(shares: 3)) == true)
        #expect(book.set(.ask, try self.price("0.5"), Quantity(shares: 3)) == true)
        book.removeAll()
        #expect(book.askCount == 0 && book.levels(.ask).isEmpty)
        #expect(book.size(.ask, at: try self.price("0.5")) == .zero)
    }

    @Test func anotherTickKeepsTheLevels() throws {
        var book = OrderBook(tick: .cent)
        #expect(book.set(.bid, try self.price("0.96"), Quantity(shares: 1)) == true)
        book.changeTick(to: try #require(TickSize(decimal: "0.001")))
        #expect(book.set(.bid, try self.price("0.967"), Quantity(shares: 2)) == true)
        // Back on the coarse grid the level between two ticks stays, beside the grid.
        book.changeTick(to: .cent)
        #expect(book.tick == .cent)
        #expect(book.levels(.bid).map(\.price.description) == ["0.967", "0.96"])
        #expect(book.bestBid?.size == Quantity(shares: 2))
    }
}

/// The ladder against a dictionary, on every grid.
@Suite struct OrderBookModelTests {
    @Test(arguments: TickSizeTests.all, [UInt64(1), 2, 3])
    func theLadderIsADictionaryOfLevels(tick: String, seed: UInt64) throws {
        var world = LadderWorld(tick: try #require(TickSize(decimal: tick)), seed: seed)
        for step in 0..<1_500 {
            world.step()
            if step % 10 == 0 || step > 1_490 { world.check("tick \(tick), seed \(seed), step \(step)") }
        }
    }
}

private struct LadderWorld {
    var book: OrderBook
    var model: [BookSide: [Price: Quantity]] = [.bid: [:], .ask: [:]]
    var random: SeededRandom

    init(tick: TickSize, seed: UInt64) {
        self.book = OrderBook(tick: tick)
        self.random = SeededRandom(seed: seed)
    }

    mutating func step() {
        switch Int.random(in: 0..<1_000, using: &self.random) {
        case 0:
            self.book.removeAll()
            self.model = [.bid: [:], .ask: [:]]
        case 1...4:
            let ticks: [Int64] = [100_000, 10_000, 5_000, 2_500, 1_000, 100]
            self.book.changeTick(to: TickSize(micros: ticks.randomElement(using: &self.random)!)!)
        case let draw:
            let side: BookSide = Bool.random(using: &self.random) ? .bid : .ask
            let price = self.price(isOnGrid: draw % 8 != 0, side: side)
            let size =
                draw % 3 == 0
                ? .zero : Quantity(micros: .random(in: 1...OrderBook.levelSizeMax.micros, using: &self.random))
            #expect(self.book.set(side, price, size) == true)
            self.model[side]![price] = size > .zero ? size : nil
        }
    }

    private mutating func price(isOnGrid: Bool, side: BookSide) -> Price {
        if Int.random(in: 0..<3, using: &self.random) == 0,
            let known = self.model[side]!.keys.sorted().randomElement(using: &self.random)
        {
            return known
        }
        guard isOnGrid else { return Price(micros: .random(in: 1...999_999, using: &self.random))! }
        let tick = self.book.tick.micros
        // The ends and the borders of the pages come up often.
        let index = Int64.random(in: 1..<1_000_000 / tick, using: &self.random)
        return Price(
            micros: Int.random(in: 0..<4, using: &self.random) == 0 ? max(1, index / 64 * 64) * tick : index * tick)!
    }

    func check(_ place: String) {
        for side in [BookSide.bid, .ask] {
            let ascending = self.model[side]!.map { Level(price: $0.key, size: $0.value) }.sorted {
                $0.price < $1.price
            }
            let bestFirst = side == .bid ? ascending.reversed() : ascending
            #expect(self.book.levels(side) == bestFirst, "\(place)")
            var worstFirst: [Level] = []
            if side == .bid {
                self.book.forEachBidWorstFirst { worstFirst.append($0) }
            } else {
                self.book.forEachAskWorstFirst { worstFirst.append($0) }
            }
            #expect(worstFirst == bestFirst.reversed(), "\(place)")
            #expect((side == .bid ? self.book.bidCount : self.book.askCount) == ascending.count, "\(place)")
            #expect((side == .bid ? self.book.bestBid : self.book.bestAsk) == bestFirst.first, "\(place)")
            let hasAll = ascending.allSatisfy { self.book.size(side, at: $0.price) == $0.size }
            #expect(hasAll, "\(place)")
        }
        let (bid, ask) = (self.model[.bid]!.keys.max(), self.model[.ask]!.keys.min())
        #expect(self.book.isCrossed == (bid.flatMap { bid in ask.map { bid >= $0 } } ?? false), "\(place)")
    }
}
