import Glibc
import Shared

/// A window as a bet on a reference price: what it compares, who wins, and what the chances are.
///
/// Sources: reference, 1.3, for the rules; strategies, 4.1 and 4.5, for the chances.
struct PricedWindow: Hashable, Sendable {
    /// Seconds that are averaged at both boundaries.
    static let averagingSeconds: Int64 = 60

    /// Index in the catalogue.
    let asset: Int
    let settlement: SettlementSource
    /// Seconds since 1970.
    let start: Int64
    let end: Int64
    /// What the price is compared with; `nil` until the window opens.
    private(set) var strike: ReferencePrice?

    init(_ family: WindowFamily, start: Int64) {
        self.asset = family.asset
        self.settlement = family.settlement
        self.start = start
        self.end = family.end(from: start)
    }

    private var isHourly: Bool { self.settlement == .binance1h }

    /// The window begins. `prices` have walked to its start.
    mutating func open(_ prices: AssetPrices) {
        self.strike =
            self.isHourly
            ? prices.tape.candle(startingAt: self.start * 1_000).map { ReferencePrice(units: $0.open) }
            : prices.latent.twap(seconds: Self.averagingSeconds, endingAt: self.start)
        precondition(self.strike != nil, "a window opens with its price to beat")
    }

    /// Index of the outcome that wins, 0 for Up; a tie is Up. `prices` have walked to its end.
    func winner(_ prices: AssetPrices) -> Int {
        let final =
            self.isHourly
            ? prices.tape.candle(startingAt: self.start * 1_000).map { ReferencePrice(units: $0.close) }
            : prices.latent.twap(seconds: Self.averagingSeconds, endingAt: self.end)
        guard let final, let strike = self.strike else { preconditionFailure("a window ends with its prices known") }
        return final >= strike ? 0 : 1
    }

    // MARK: Chances

    /// Chance that Up wins, given what is known at `time`, milliseconds UTC, to which `prices` have walked.
    func chanceOfUp(_ prices: AssetPrices, at time: Int64) -> Double {
        let deviation = prices.latent.secondDeviation
        guard let distance = self.isHourly ? self.hourly(prices, at: time) : self.averaged(prices, at: time) else {
            return 0.5
        }
        guard distance.variance > 0, deviation > 0 else { return distance.mean >= 0 ? 1 : 0 }
        return 0.5 * (1 + erf(distance.mean / (deviation * distance.variance.squareRoot()) / 2.0.squareRoot()))
    }

    /// What is expected of the final price over the strike, as a logarithm, and its variance in seconds.
    private typealias Distance = (mean: Double, variance: Double)

    private func hourly(_ prices: AssetPrices, at time: Int64) -> Distance? {
        guard let strike = self.strike, let candle = prices.tape.candle else { return nil }
        return (log(Double(candle.close) / Double(strike.units)), Double(max(0, self.end * 1_000 - time)) / 1_000)
    }

    private func averaged(_ prices: AssetPrices, at time: Int64) -> Distance? {
        let width = Self.averagingSeconds
        guard let strike = self.strike else { return self.beforeStart(prices, at: time) }
        let price = Double(prices.latent.price.units)
        let left = Double(self.end * 1_000 - time) / 1_000
        let firstCounted = self.end - width + 1
        guard time >= firstCounted * 1_000 else {
            return (
                log(price / Double(strike.units)), left - Double(width - 1) + Self.variance(ofMean: width - 1, width)
            )
        }
        let second = min(time / 1_000, self.end)
        let open = self.end - second
        guard let known = prices.latent.sum(seconds: width - open, endingAt: second) else { return nil }
        let mean = (Double(known) + Double(open) * price) / Double(width)
        // Until the next second all that is open moves together.
        let untilNext = Double((second + 1) * 1_000 - time) / 1_000
        let share = Double(open) / Double(width)
        let variance = open == 0 ? 0 : untilNext * share * share + Self.variance(ofMean: open - 1, width)
        return (log(mean / Double(strike.units)), variance)
    }

    /// In the last minute before the start a part of the strike is known.
    private func beforeStart(_ prices: AssetPrices, at time: Int64) -> Distance? {
        let width = Double(Self.averagingSeconds)
        let second = time / 1_000
        let open = self.start - second
        let knownCount = Self.averagingSeconds - open
        guard open >= 0, knownCount > 0, let known = prices.latent.sum(seconds: knownCount, endingAt: second) else {
            return nil
        }
        let mean = Double(known) / Double(knownCount)
        let r = Double(open)
        let own = (width + 1) * (2 * width + 1) / (6 * width)
        let variance =
            r + Double(self.end - self.start) - width + own + r * (r + 1) * (2 * r + 1) / (6 * width * width)
            - r * (r + 1) / width
        return (Double(knownCount) / width * log(Double(prices.latent.price.units) / mean), variance)
    }

    /// Variance that `count` seconds to come, one after the other, bring into a mean of `width`: the sum of the squares of
    /// 1 to `count`, over that of the width.
    private static func variance(ofMean count: Int64, _ width: Int64) -> Double {
        Double(count * (count + 1) * (2 * count + 1) / 6) / Double(width * width)
    }
}
