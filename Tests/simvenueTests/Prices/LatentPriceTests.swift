import Shared
import Testing

@testable import simvenue

/// The path that everything else follows.
struct LatentPriceTests {
    private static let begin: Int64 = 1_795_539_300_000

    private func prices(_ asset: Int = 0, volatility: Double = 1, seed: UInt64 = 7) -> AssetPrices {
        AssetPrices(ReferenceAsset.all[asset], volatility: volatility, seed: seed, at: Self.begin)
    }

    @Test func theSameSeedGivesTheSamePathInWhateverStepsTimeIsTold() {
        var one = self.prices()
        var other = self.prices()
        for time in stride(from: Self.begin, through: Self.begin + 600_000, by: 7) { one.walk(to: time) }
        for time in stride(from: Self.begin, to: Self.begin + 600_000, by: 97_777) { other.walk(to: time) }
        other.walk(to: Self.begin + 600_000)
        one.walk(to: Self.begin + 600_000)
        #expect(one.latent.price == other.latent.price)
        #expect(one.tape.candle == other.tape.candle)
        for second in Self.begin / 1_000...Self.begin / 1_000 + 600 {
            #expect(one.latent.price(atSecond: second) == other.latent.price(atSecond: second))
        }
        var foreign = self.prices(seed: 8)
        foreign.walk(to: Self.begin + 600_000)
        #expect(foreign.latent.price != one.latent.price)
    }

    @Test func anAverageIsThatOfItsSecondsRoundedDown() {
        var prices = self.prices(3)
        var seen: [ReferencePrice] = [prices.latent.price]
        for second in 1...900 {
            prices.walk(to: Self.begin + Int64(second) * 1_000)
            seen.append(prices.latent.price)
        }
        let first = Self.begin / 1_000
        for end in stride(from: 59, through: 900, by: 29) {
            let sum = seen[end - 59...end].reduce(0) { $0 + $1.units }
            #expect(prices.latent.twap(seconds: 60, endingAt: first + Int64(end))?.units == sum / 60)
            #expect(prices.latent.sum(seconds: 60, endingAt: first + Int64(end)) == sum)
            #expect(prices.latent.price(atSecond: first + Int64(end)) == seen[end])
        }
        #expect(prices.latent.twap(seconds: 60, endingAt: first + 58) == nil, "the path had not begun")
        #expect(prices.latent.twap(seconds: 60, endingAt: first + 901) == nil, "the future is not known")
    }

    @Test func historyIsForgottenAfterTheLongestWindow() {
        var prices = self.prices()
        let count = Int64(LatentPrice.historySecondsMax) + 200
        prices.walk(to: Self.begin + count * 1_000)
        let now = Self.begin / 1_000 + count
        #expect(prices.latent.twap(seconds: 60, endingAt: now - 18_060) != nil, "five hours and a minute are known")
        #expect(prices.latent.twap(seconds: 60, endingAt: now - Int64(LatentPrice.historySecondsMax)) == nil)
    }

    @Test(arguments: [0, 1, 2, 3])
    func thePriceMovesAsMuchAsItsVolatilitySays(asset: Int) {
        for multiplier in [0.5, 3.0] {
            var prices = self.prices(asset, volatility: multiplier)
            var squares = 0.0
            var before = Double(prices.latent.price.units)
            for second in 1...2_000 {
                prices.walk(to: Self.begin + Int64(second) * 1_000)
                let price = Double(prices.latent.price.units)
                squares += (price / before - 1) * (price / before - 1)
                before = price
            }
            let measured = (squares / 2_000).squareRoot() / prices.latent.secondDeviation
            #expect((0.93...1.07).contains(measured), "\(measured)")
        }
        var still = self.prices(asset, volatility: 0)
        still.walk(to: Self.begin + 100_000)
        #expect(still.latent.price == ReferenceAsset.all[asset].start)
    }

    @Test func aWildPriceStaysPositiveAndFinite() {
        var prices = self.prices(0, volatility: 1e9)
        prices.walk(to: Self.begin + 60_000)
        let start = ReferenceAsset.all[0].start.units
        #expect((start / 20...start * 20).contains(prices.latent.price.units))
    }

    @Test func aCandleIsThatOfItsTrades() throws {
        var prices = self.prices()
        var trades: [BinanceTape.Trade] = []
        let hour = (Self.begin / BinanceTape.hour + 1) * BinanceTape.hour
        var time = Self.begin
        while time < hour + 900_000 {
            time += LatentPrice.step
            prices.walk(to: time)
            let step = try #require(prices.tape.step(at: time))
            if time == hour { trades = [] }
            #expect(step.ask - step.bid == ReferenceAsset.all[0].tick)
            for index in 0..<step.tradeCount { trades.append(step.trade(index)) }
        }
        let candle = try #require(prices.tape.candle(startingAt: hour))
        #expect(candle.open == trades.first?.price && candle.close == trades.last?.price)
        #expect(candle.high == trades.map(\.price).max() && candle.low == trades.map(\.price).min())
        #expect(candle.quantity == trades.reduce(0) { $0 + $1.quantity })
        #expect(candle.value == trades.reduce(0) { $0 + $1.value })
        #expect(candle.tradeCount == Int64(trades.count))
        #expect(zip(trades, trades.dropFirst()).allSatisfy { $0.id + 1 == $1.id })
        #expect((15...25).contains(trades.count / 900), "about twenty trades a second")
        #expect(prices.tape.step(at: time - LatentPrice.step * Int64(BinanceTape.stepCountMax)) == nil)
        let basis = candle.close - prices.latent.price.units
        #expect((1_000_000_000...3_200_000_000).contains(basis), "about twenty dollars above the oracle")
    }

    @Test func pricesAreWrittenExactly() {
        let price = ReferencePrice(units: 91_250_50000000)
        #expect(price.text == "91250.50000000" && price.number == "91250.5")
        #expect(price.fullAccuracyText == "91250500000000000000000")
        #expect(ReferencePrice(units: 2_00000000).number == "2" && ReferencePrice(units: 1).text == "0.00000001")
    }
}
