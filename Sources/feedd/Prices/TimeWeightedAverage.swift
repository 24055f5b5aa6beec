import Shared

/// The average price of so many whole seconds, weighted by how long each price stood; exact but for the last division.
///
/// A price stands from its trade to the next. Each second is summed once, in units times milliseconds, so that neither
/// room nor time depends on how much is traded.
struct TimeWeightedAverage {
    struct Settings: Equatable {
        /// Whole seconds that are averaged: those of the settling stream. Source: reference, 3.4.
        var windowSeconds = 60
        /// A price that is older is not believed to stand: nothing is told, and the window begins anew.
        var priceAgeMax = Duration.seconds(10)
    }

    /// Seconds that are remembered besides the window's: trades may be ahead of whoever asks.
    private static let aheadMax = 16

    private let window: Int
    /// Milliseconds.
    private let ageMax: Int64
    /// The price that stands, and since when, milliseconds since 1970; nothing before the first trade.
    private var price: DollarPrice?
    private var tradedAt: Int64 = 0
    /// Summed up to here, milliseconds since 1970.
    private var summedTo: Int64 = 0
    /// Of the second that is not over.
    private var sum: Int64 = 0
    /// Whether the price stood from that second's beginning.
    private var isWhole = false
    /// Of whole seconds one after another, the last before the one that is not over.
    private var sums: [Int64] = []

    init(_ settings: Settings) {
        self.window = settings.windowSeconds
        self.ageMax = settings.priceAgeMax.milliseconds
    }

    /// - Parameter time: milliseconds since 1970, not before that of the trade before it.
    mutating func trade(_ price: DollarPrice, at time: Int64) {
        if self.price == nil || time - self.tradedAt > self.ageMax {
            self.sums.removeAll(keepingCapacity: true)
            self.sum = 0
            self.summedTo = time
            self.isWhole = time % 1_000 == 0
        } else {
            self.advance(to: time)
        }
        self.price = price
        self.tradedAt = time
    }

    /// - Parameter second: the end of the window, seconds since 1970, and not in the future.
    /// - Returns: `nil` when the price is too old or has not stood for a whole window. Rounded down.
    mutating func average(endingAt second: Int64) -> DollarPrice? {
        guard self.price != nil, second * 1_000 - self.tradedAt <= self.ageMax else { return nil }
        self.advance(to: second * 1_000)
        let later = Int(clamping: self.summedTo / 1_000 - second)
        let end = self.sums.count - later
        guard later >= 0, end >= self.window else { return nil }
        let sum = self.sums[(end - self.window)..<end].reduce(Int128(0)) { $0 + Int128($1) }
        return DollarPrice(units: Int64(sum / Int128(self.window * 1_000)))
    }

    /// What is summed already stays: a trade that comes late counts from there.
    private mutating func advance(to time: Int64) {
        guard let price = self.price else { return }
        while self.summedTo < time {
            let end = (self.summedTo / 1_000 + 1) * 1_000
            let next = min(end, time)
            self.sum += price.units * (next - self.summedTo)
            self.summedTo = next
            guard next == end else { return }
            if self.isWhole { self.sums.append(self.sum) }
            if self.sums.count > self.window + Self.aheadMax { self.sums.removeFirst() }
            self.sum = 0
            self.isWhole = true
        }
    }
}
