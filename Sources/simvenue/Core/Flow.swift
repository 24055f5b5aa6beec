import Glibc
import Shared

/// The latent price of an asset that windows are about: a random walk with a deviation of one a square-root second.
struct AssetWalk: Hashable, Sendable {
    private(set) var level = 0.0
    /// Milliseconds UTC.
    private var walkedTo: Int64

    init(at time: Int64) { self.walkedTo = time }

    /// - Parameter volatility: 1 for the deviation above.
    mutating func walk(to time: Int64, volatility: Double, using random: inout SeededRandom) {
        guard time > self.walkedTo else { return }
        self.level += volatility * (Double(time - self.walkedTo) / 1_000).squareRoot() * random.normal()
        self.walkedTo = time
    }
}

/// What moves one market: its latent fair price, around which the crowd trades.
struct Flow: Hashable, Sendable {
    /// The fair price of the first outcome stays within.
    static let fairRange = 0.015...0.985

    enum Model: Hashable, Sendable {
        /// Pulled back to `base` within a minute or so; `volatility` a square-root second.
        case reverting(base: Double, volatility: Double)
        /// Chance that the asset ends at or above `strike`; `nil` until the window opens.
        case window(asset: Int, end: Int64, strike: Double?)
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

    /// Lets the fair price move on. `assets` must have walked to `time`.
    ///
    /// A window's chance is that of an asset of volatility 1, whatever `volatility` is: a wilder asset moves it more.
    mutating func walk(to time: Int64, assets: [AssetWalk], volatility: Double, using random: inout SeededRandom) {
        let seconds = Double(max(0, time - self.walkedTo)) / 1_000
        self.walkedTo = max(self.walkedTo, time)
        switch self.model {
        case .reverting(let base, let deviation):
            self.fair += (base - self.fair) * min(1, seconds / 60)
            self.fair += volatility * deviation * seconds.squareRoot() * random.normal()
        case .window(let asset, let end, let strike):
            let left = Double(max(1, end - time)) / 1_000
            let distance = assets[asset].level - (strike ?? assets[asset].level)
            self.fair = 0.5 * (1 + erf(distance / left.squareRoot() / 2.0.squareRoot()))
        }
        self.fair = min(max(self.fair, Self.fairRange.lowerBound), Self.fairRange.upperBound)
    }
}
