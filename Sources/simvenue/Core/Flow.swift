import Shared

/// What moves one market: its latent fair price, around which the crowd trades.
struct Flow: Hashable, Sendable {
    /// The fair price of the first outcome stays within.
    static let fairRange = 0.015...0.985

    enum Model: Hashable, Sendable {
        /// Pulled back to `base` within a minute or so; `volatility` a square-root second.
        case reverting(base: Double, volatility: Double)
        /// Chance that Up wins.
        case window(PricedWindow)
    }

    var model: Model
    /// The engine's index of the market.
    let market: Int
    private(set) var fair: Double
    private var walkedTo: Int64
    /// Until then the taker delay holds an order of the crowd, which sends no other meanwhile. Milliseconds UTC.
    var busyUntil: Int64

    init(model: Model, market: Int, fair: Double, at time: Int64) {
        self.model = model
        self.market = market
        self.fair = fair
        self.walkedTo = time
        self.busyUntil = time
    }

    /// Lets the fair price move on. `prices` must have walked to `time`.
    mutating func walk(to time: Int64, prices: ReferencePrices, volatility: Double, using random: inout SeededRandom) {
        let seconds = Double(max(0, time - self.walkedTo)) / 1_000
        self.walkedTo = max(self.walkedTo, time)
        switch self.model {
        case .reverting(let base, let deviation):
            self.fair += (base - self.fair) * min(1, seconds / 60)
            self.fair += volatility * deviation * seconds.squareRoot() * random.normal()
        case .window(let window): self.fair = window.chanceOfUp(prices[window.asset], at: time)
        }
        self.fair = min(max(self.fair, Self.fairRange.lowerBound), Self.fairRange.upperBound)
    }
}
