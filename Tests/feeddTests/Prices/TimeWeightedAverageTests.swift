import Shared
import Testing

@testable import feedd

/// Averages by time, against what a person would reckon.
@Suite struct TimeWeightedAverageTests {
    private func dollars(_ count: Int64) -> DollarPrice { DollarPrice(units: count * DollarPrice.scale)! }

    private func average(_ seconds: Int, ageMax: Duration = .seconds(10)) -> TimeWeightedAverage {
        TimeWeightedAverage(.init(windowSeconds: seconds, priceAgeMax: ageMax))
    }

    @Test func aPriceCountsForAsLongAsItStood() {
        var average = self.average(2)
        average.trade(self.dollars(100), at: 10_000)
        average.trade(self.dollars(200), at: 11_500)
        #expect(average.average(endingAt: 12) == self.dollars(125))
        #expect(average.average(endingAt: 13) == self.dollars(175))
    }

    @Test func theWindowOfTheSettlingStreamIsAMinute() {
        var average = TimeWeightedAverage(.init())
        for second in Int64(0)..<60 { average.trade(self.dollars(100 + second), at: 1_000_000 + second * 1_000) }
        #expect(average.average(endingAt: 1_059) == nil, "59 seconds")
        #expect(average.average(endingAt: 1_060) == DollarPrice(units: 12_950_000_000))
    }

    @Test func aWindowThatIsNotFullIsNotTold() {
        var average = self.average(2)
        #expect(average.average(endingAt: 12) == nil)
        // The first second is not whole.
        average.trade(self.dollars(100), at: 10_001)
        #expect(average.average(endingAt: 12) == nil)
        #expect(average.average(endingAt: 13) == self.dollars(100))
    }

    @Test func aPriceThatIsTooOldIsNotBelievedToStandAndTheWindowBeginsAnew() {
        var average = self.average(2, ageMax: .seconds(3))
        average.trade(self.dollars(100), at: 10_000)
        #expect(average.average(endingAt: 13) == self.dollars(100))
        #expect(average.average(endingAt: 14) == nil)
        average.trade(self.dollars(500), at: 15_000)
        #expect(average.average(endingAt: 16) == nil, "what was before the gap is not in it")
        #expect(average.average(endingAt: 17) == self.dollars(500))
    }

    @Test func aTradeOfASecondThatWasToldAlreadyCountsFromThere() {
        var average = self.average(1)
        average.trade(self.dollars(100), at: 10_000)
        #expect(average.average(endingAt: 11) == self.dollars(100))
        average.trade(self.dollars(300), at: 10_500)
        #expect(average.average(endingAt: 11) == self.dollars(100))
        #expect(average.average(endingAt: 12) == self.dollars(300))
    }

    @Test func tradesAheadOfWhoeverAsksAreNotInTheWindow() {
        var average = self.average(2)
        average.trade(self.dollars(100), at: 10_000)
        average.trade(self.dollars(900), at: 15_000)
        #expect(average.average(endingAt: 12) == self.dollars(100))
        #expect(average.average(endingAt: 15) == self.dollars(100))
    }

    @Test func theLargestPriceOverflowsNothing() {
        var average = TimeWeightedAverage(.init())
        let price = DollarPrice(units: DollarPrice.unitsMax)!
        for second in Int64(0)...70 { average.trade(price, at: second * 1_000) }
        #expect(average.average(endingAt: 70) == price)
    }

    @Test func itIsWhatSummingEveryMillisecondGives() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 {
            var average = self.average(3)
            var now: Int64 = 50_000
            var prices: [Int64: Int64] = [:]
            var last: Int64 = 0
            for _ in 0..<300 {
                last = Int64.random(in: 1...DollarPrice.unitsMax, using: &random)
                prices[now] = last
                average.trade(DollarPrice(units: last)!, at: now)
                now += [0, 0, 1, 7, 150, 900, 2_500].randomElement(using: &random)!
            }
            let end = now / 1_000
            var standing = prices.filter { $0.key <= end * 1_000 - 3_000 }.max { $0.key < $1.key }!.value
            var sum = Int128(0)
            for time in (end * 1_000 - 3_000)..<(end * 1_000) {
                standing = prices[time] ?? standing
                sum += Int128(standing)
            }
            #expect(average.average(endingAt: end)?.units == Int64(sum / 3_000), "seed \(seed)")
        }
    }
}
