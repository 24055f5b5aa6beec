import Shared
import Testing

@testable import feedd

/// What is believed of what sources say, and what is made of it.
@Suite struct PriceBoardTests {
    private static let start = Int64(1_790_000_000_000)
    private var board = PriceBoard()

    /// Milliseconds after the start.
    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: Self.start + milliseconds) }

    private func key(
        _ source: ReferencePriceBody.Source, _ kind: ReferencePriceBody.Kind, _ symbol: ReferenceSymbol = .btcusd
    ) -> PriceBoard.Key { PriceBoard.Key(symbol: symbol, source: source, kind: kind) }

    /// A trade at so many dollars, told 50 ms later.
    @discardableResult
    private mutating func trade(_ id: Int64, _ dollars: Int64, at time: Int64) -> PriceBoard.Key? {
        self.board.take(
            .trade(.btcusd, id: id, price: dollars * DollarPrice.scale, time: Self.start + time),
            received: self.time(time + 50))
    }

    private mutating func average(
        _ sequence: Int64, _ text: String?, at time: Int64, snapshot: Bool = false, carried: Bool = false
    ) -> PriceBoard.Key? {
        let price = text.flatMap { AgreedPrice(value: $0, fullAccuracy: $0) }
        return self.board.take(
            PolyBoltUpdate(
                symbol: .btcusd, sequence: sequence, time: Self.start + time, price: price, isSnapshot: snapshot,
                isCarriedForward: carried),
            received: self.time(time + 1_200))
    }

    private func count(_ counter: PriceBoard.Counter) -> Int64 { self.board.counts[counter] ?? 0 }

    // MARK: Binance

    @Test mutating func aTradeIsToldWithItsOwnTime() throws {
        #expect(self.trade(7, 91_250, at: 100) == self.key(.binance, .trade))
        let body = try #require(self.board[self.key(.binance, .trade)])
        #expect(body.price == "91250.00000000" && body.symbol == "btcusd")
        #expect(body.observedTime == self.time(100) && body.receivedTime == self.time(150))
    }

    @Test mutating func whatTwoLinesSayIsTakenOnce() {
        var told: [Int64] = []
        // The second line begins in the midst of the first, and is sometimes ahead of it.
        for (id, time) in [(1, 0), (2, 10), (1, 0), (3, 20), (2, 10), (3, 20), (4, 20), (4, 20), (5, 30)] {
            if self.trade(Int64(id), 100 + Int64(id), at: Int64(time)) != nil { told.append(Int64(id)) }
        }
        #expect(told == [1, 2, 3, 4, 5])
        #expect(self.count(.trades) == 5 && self.count(.repeated) == 4 && self.count(.gaps) == 0)
    }

    @Test mutating func whatIsMissingIsCountedAndWhatIsLateIsNotTold() {
        self.trade(1, 100, at: 0)
        #expect(self.trade(5, 105, at: 50) != nil)
        #expect(self.count(.gaps) == 1)
        #expect(self.trade(3, 103, at: 30) == nil, "too late: a newer one was told")
        #expect(self.trade(6, 106, at: 40) == nil, "its time went back")
        #expect(self.count(.old) == 1 && self.count(.repeated) == 1)
        #expect(self.board[self.key(.binance, .trade)]?.price == "105.00000000")
    }

    @Test mutating func idsThatBeganAnewAreFollowedWhenTimeGoesOn() {
        self.trade(1_000, 100, at: 0)
        #expect(self.trade(1, 101, at: 10) != nil)
        #expect(self.trade(2, 102, at: 20) != nil)
        #expect(self.count(.renumbered) == 1)
    }

    @Test(arguments: [0, -5, DollarPrice.unitsMax + 1, Int64.max])
    mutating func absurdPricesAreNotBelieved(units: Int64) {
        let time = Self.start
        #expect(
            self.board.take(.trade(.btcusd, id: 1, price: units, time: time), received: self.time(0)) == nil)
        #expect(
            self.board.take(.candle(.btcusd, start: time, close: units, time: time), received: self.time(0)) == nil)
        #expect(
            self.board.take(.book(.btcusd, updateID: 1, bid: units, ask: units), received: self.time(0)) == nil)
        #expect(self.count(.absurd) == 3)
    }

    @Test mutating func oneLieAboutTheTimeMakesNothingElseOld() {
        #expect(self.trade(1, 100, at: 0) != nil)
        let lie = BinanceMessage.trade(.btcusd, id: 2, price: 1, time: Self.start + 3_600_000)
        #expect(self.board.take(lie, received: self.time(60)) == nil)
        #expect(self.count(.ahead) == 1)
        #expect(self.trade(2, 101, at: 70) != nil)
    }

    @Test mutating func ofABookTheMiddleIsToldAndACrossedOneIsNot() {
        let key = self.board.take(.book(.btcusd, updateID: 5, bid: 100, ask: 103), received: self.time(0))
        #expect(key == self.key(.binance, .book))
        #expect(self.board[self.key(.binance, .book)]?.price == "0.00000101")
        #expect(self.board.take(.book(.btcusd, updateID: 6, bid: 104, ask: 103), received: self.time(1)) == nil)
        #expect(self.board.take(.book(.btcusd, updateID: 5, bid: 100, ask: 103), received: self.time(2)) == nil)
        #expect(self.board.take(.book(.btcusd, updateID: 4, bid: 100, ask: 103), received: self.time(3)) == nil)
        #expect(self.count(.absurd) == 1 && self.count(.repeated) == 2)
        // Only smaller ids for so long: they began anew.
        #expect(self.board.take(.book(.btcusd, updateID: 2, bid: 1, ask: 1), received: self.time(5_001)) != nil)
        #expect(self.count(.renumbered) == 1)
    }

    @Test mutating func whatSaysNothingNewIsToldOnceASecond() {
        var told: [Int64] = []
        for step in Int64(0)...25 where self.trade(step, 100, at: step * 100) != nil { told.append(step) }
        #expect(told == [0, 10, 20])
        #expect(self.trade(26, 101, at: 2_501) != nil)
        #expect(self.trade(27, 100, at: 2_502) != nil)
        func book(_ id: Int64, _ bid: Int64, at time: Int64) -> PriceBoard.Key? {
            self.board.take(.book(.btcusd, updateID: id, bid: bid, ask: 10), received: self.time(time))
        }
        #expect(book(1, 8, at: 0) != nil && book(2, 8, at: 999) == nil && book(3, 8, at: 1_000) != nil)
        #expect(book(4, 6, at: 1_001) != nil)
        #expect(self.count(.unchanged) == 24 && self.count(.trades) == 28 && self.count(.books) == 4)
    }

    @Test mutating func theLastCandleOfAnHourIsToldBeforeTheFirstOfTheNext() {
        func candle(_ start: Int64, _ close: Int64, _ time: Int64) -> BinanceMessage {
            .candle(.btcusd, start: Self.start + start, close: close, time: Self.start + time)
        }
        let hour = Int64(3_600_000)
        let received = self.time(hour + 10)
        #expect(self.board.take(candle(0, 7, hour - 1_000), received: received) != nil)
        #expect(self.board.take(candle(0, 8, hour), received: received) != nil)
        #expect(self.board.take(candle(hour, 9, hour), received: received) != nil)
        #expect(self.board.take(candle(hour, 9, hour), received: received) == nil)
        #expect(self.board.take(candle(0, 8, hour), received: received) == nil)
        #expect(self.count(.candles) == 3 && self.count(.repeated) == 1 && self.count(.old) == 1)
        #expect(self.board[self.key(.binance, .kline1h)]?.price == "0.00000009")
    }

    // MARK: The venue's stream

    @Test mutating func theVenuesAverageIsToldWithAllItsPlaces() throws {
        #expect(self.average(1, "63123.123456789", at: 0, snapshot: true) == self.key(.polybolt, .twap60))
        #expect(self.average(2, "63124", at: 1_000) != nil)
        let body = try #require(self.board[self.key(.polybolt, .twap60)])
        #expect(body.price == "63124" && body.observedTime == self.time(1_000))
    }

    @Test mutating func repeatedLateMissingAndContradictoryAveragesAreCounted() {
        #expect(self.average(1, "100", at: 0, snapshot: true) != nil)
        #expect(self.average(1, "100", at: 0) == nil)
        #expect(self.average(4, "101", at: 3_000, carried: true) != nil)
        #expect(self.average(5, "100.5", at: 2_000) == nil)
        #expect(self.average(6, nil, at: 4_000) == nil)
        #expect(self.average(7, "0", at: 5_000) == nil)
        #expect(self.count(.repeated) == 1 && self.count(.gaps) == 1 && self.count(.old) == 1)
        #expect(self.count(.disagreeing) == 2 && self.count(.carriedForward) == 1)
        // A new subscription counts from one again; what it repeats is not told twice.
        #expect(self.average(1, "101", at: 3_000, snapshot: true) == nil)
        #expect(self.average(2, "102", at: 6_000) != nil)
        #expect(self.count(.gaps) == 1)
    }

    // MARK: The estimate

    /// A trade each second from `first` to `last`, at the start of the second.
    private mutating func trade(from first: Int64, to last: Int64) {
        for second in first...last { self.trade(second + 1, 100 + second, at: second * 1_000) }
    }

    @Test mutating func withoutTheVenuesStreamTheAverageIsOurOwnAndSaysSo() throws {
        self.trade(from: 0, to: 60)
        #expect(self.board.estimate([.btcusd], now: self.time(60_499)) == [], "59 seconds are known to be over")
        #expect(self.board.estimated.isEmpty)
        #expect(self.board.estimate([.btcusd], now: self.time(60_500)) == [self.key(.estimate, .twap60)])
        let body = try #require(self.board[self.key(.estimate, .twap60)])
        #expect(body.source == .estimate && body.price == "129.50000000" && body.observedTime == self.time(60_000))
        #expect(self.board.estimate([.btcusd], now: self.time(60_900)) == [], "once a second")
        #expect(self.board.estimated == [.btcusd])
    }

    @Test mutating func whileTheVenueIsHeardNothingIsEstimatedAndAfterItsLossSoonAgain() {
        self.trade(from: 0, to: 75)
        #expect(self.average(1, "100", at: 60_000, snapshot: true) != nil)
        #expect(self.board.estimate([.btcusd], now: self.time(62_000)) == [])
        #expect(self.board.estimate([.btcusd], now: self.time(71_200)) == [], "it was heard ten seconds ago")
        #expect(self.board.estimate([.btcusd], now: self.time(71_600)) == [self.key(.estimate, .twap60)])
        #expect(self.board.estimated == [.btcusd])
        #expect(self.average(2, "101", at: 71_000) != nil)
        #expect(self.board.estimated.isEmpty, "the venue's own is back")
        #expect(self.board.estimate([.btcusd], now: self.time(73_000)) == [])
    }

    @Test mutating func anEstimateOfTradesThatAreTooOldIsWithheld() {
        self.trade(from: 0, to: 60)
        #expect(self.board.estimate([.btcusd], now: self.time(70_500)) != [])
        #expect(self.board.estimate([.btcusd], now: self.time(71_500)) == [])
        #expect(self.count(.estimatesWithheld) == 1 && self.count(.estimates) == 1)
    }

    @Test mutating func nobodyIsToldEstimatesOfWhatIsNotWantedOrHasNoTrades() {
        self.trade(from: 0, to: 60)
        #expect(self.board.estimate([.ethusd, .hypeusd], now: self.time(60_500)) == [])
        #expect(self.count(.estimatesWithheld) == 1, "that of ethusd; hypeusd is not at Binance")
    }

    @Test mutating func aClockThatWasWrongIsForgiven() {
        self.trade(from: 0, to: 60)
        #expect(self.board.estimate([.btcusd], now: self.time(3_600_000)) == [])
        #expect(self.board.estimate([.btcusd], now: self.time(60_500)) == [self.key(.estimate, .twap60)])
    }

    // MARK: Whoever comes later

    @Test mutating func aNewSubscriberIsToldWhatIsKnownAndNotStale() {
        self.trade(1, 100, at: 0)
        _ = self.board.take(.book(.ethusd, updateID: 1, bid: 5, ask: 5), received: self.time(30_000))
        let all = Set(ReferenceSymbol.allCases)
        #expect(self.board.known(of: all, now: self.time(40_000)).map(\.key.symbol) == [.btcusd, .ethusd])
        #expect(self.board.known(of: [.ethusd], now: self.time(40_000)).map(\.key.symbol) == [.ethusd])
        #expect(self.board.known(of: all, now: self.time(70_000)).map(\.key.symbol) == [.ethusd])
    }

    @Test func everyKeyHasANumberOfItsOwn() {
        var numbers: Set<Int> = []
        for symbol in ReferenceSymbol.allCases {
            for source in ReferencePriceBody.Source.allCases {
                for kind in ReferencePriceBody.Kind.allCases {
                    numbers.insert(PriceBoard.Key(symbol: symbol, source: source, kind: kind).number)
                }
            }
        }
        #expect(numbers == Set(0..<(8 * 3 * 4)))
    }
}
