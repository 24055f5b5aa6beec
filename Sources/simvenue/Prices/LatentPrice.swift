import Shared

/// The dollar price of one asset that everything else follows: a geometric random walk on a fixed grid of times.
///
/// Each step draws once from a generator of its own, so the path depends on the seed and the beginning alone, however
/// often and in whatever steps it is told to go on. It jumps nowhere: a step is at most three and a half deviations.
struct LatentPrice: Sendable {
    /// Milliseconds of a step; steps are at multiples of it.
    static let step: Int64 = 100
    private static let stepsPerSecond = 1_000 / Self.step
    private static let secondsPerYear = 31_557_600.0
    /// Seconds whose price is known still: the longest window, five hours where New York sets its clock back, its minute
    /// of averaging, and room for the snapshots of the streams.
    static let historySecondsMax = 18_400
    /// The price stays between its beginning divided by this and multiplied with it, so that no sum overflows.
    private static let rangeFactor: Int64 = 20

    private(set) var price: ReferencePrice
    /// Milliseconds UTC of the latest step.
    private(set) var walkedTo: Int64
    private var random: SeededRandom
    /// Standard deviation of one second's return, as a share of the price.
    let secondDeviation: Double
    /// What a step's draw is multiplied with.
    private let factor: Double
    private let range: ClosedRange<Int64>
    /// Sum of the prices of all seconds up to one, wrapping around; the difference of two is right all the same.
    private var sums: [Int64]
    /// The first second with a sum, since 1970.
    private let firstSecond: Int64
    private var latestSecond: Int64

    /// - Parameters:
    ///   - volatility: of a year's return, as a share of the price.
    ///   - time: of the first price, milliseconds UTC; a whole second.
    init(start: ReferencePrice, volatility: Double, random: SeededRandom, at time: Int64) {
        precondition(time % 1_000 == 0, "a path begins at a whole second")
        self.price = start
        self.walkedTo = time
        self.random = random
        self.secondDeviation = volatility / Self.secondsPerYear.squareRoot()
        self.factor = self.secondDeviation / Double(Self.stepsPerSecond).squareRoot() / Self.drawDeviation
        self.range = start.units / Self.rangeFactor...start.units * Self.rangeFactor
        self.sums = [Int64](repeating: 0, count: Self.historySecondsMax + 1)
        self.firstSecond = time / 1_000
        self.latestSecond = time / 1_000
        self.sums[self.place(self.latestSecond)] = start.units
    }

    // MARK: Time

    /// Deviation of the sum of four numbers from 0 to 65,535: near enough to normal, and exact on every machine.
    private static let drawDeviation = 37_837.227
    private static let drawMean: Int64 = 131_070

    /// Goes on by one step. Changes are rounded to the nearest unit.
    mutating func takeStep() {
        let bits = self.random.next()
        let sum = Int64(bits & 0xFFFF) + Int64(bits >> 16 & 0xFFFF) + Int64(bits >> 32 & 0xFFFF) + Int64(bits >> 48)
        let change = Double(sum - Self.drawMean) * self.factor * Double(self.price.units)
        let limited = min(max(change.rounded(), -Double(self.price.units)), Double(self.price.units))
        let units = min(max(self.price.units + Int64(limited), self.range.lowerBound), self.range.upperBound)
        self.price = ReferencePrice(units: units)
        self.walkedTo += Self.step
        guard self.walkedTo % 1_000 == 0 else { return }
        let before = self.sums[self.place(self.latestSecond)]
        self.latestSecond += 1
        self.sums[self.place(self.latestSecond)] = before &+ units
    }

    // MARK: History

    private func place(_ second: Int64) -> Int { Int(second) % (Self.historySecondsMax + 1) }

    /// The price at a whole second since 1970; `nil` when it is not known yet, or no more.
    func price(atSecond second: Int64) -> ReferencePrice? { self.twap(seconds: 1, endingAt: second) }

    /// Mean of the prices at the whole seconds after `second - seconds` up to `second`, both since 1970, rounded down to a
    /// unit. `nil` when one of them is not known yet, or no more.
    func twap(seconds: Int64, endingAt second: Int64) -> ReferencePrice? {
        self.sum(seconds: seconds, endingAt: second).map { ReferencePrice(units: $0 / seconds) }
    }

    /// Sum of these prices, in units; `seconds` from 1 to 300.
    func sum(seconds: Int64, endingAt second: Int64) -> Int64? {
        let before = second - seconds
        guard second <= self.latestSecond, before >= self.firstSecond - 1,
            self.latestSecond - before <= Int64(Self.historySecondsMax)
        else { return nil }
        let sumBefore = before < self.firstSecond ? 0 : self.sums[self.place(before)]
        return self.sums[self.place(second)] &- sumBefore
    }
}
