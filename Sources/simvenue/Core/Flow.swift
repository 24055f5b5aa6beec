import Glibc
import Shared

/// The latent price of an asset that windows are about: a random walk with a deviation of one a square-root second.
struct AssetWalk: Hashable, Sendable {
    private(set) var level = 0.0
    /// Milliseconds UTC.
    private var walkedTo: Int64

    init(at time: Int64) { self.walkedTo = time }

    mutating func walk(to time: Int64, using random: inout SeededRandom) {
        guard time > self.walkedTo else { return }
        self.level += (Double(time - self.walkedTo) / 1_000).squareRoot() * random.normal()
        self.walkedTo = time
    }
}

/// What moves one market: its latent fair price, and the levels that rest around it.
struct Flow: Sendable {
    /// Levels a side that the traffic keeps to.
    static let levelCountMax = 40
    /// Below this a side is refilled before anything is taken from it.
    static let levelCountMin = 10
    /// The fair price of the first outcome stays within.
    static let fairRange = 0.015...0.985

    enum Model: Hashable, Sendable {
        /// Pulled back to `base` within a minute or so; `volatility` a square-root second.
        case reverting(base: Double, volatility: Double)
        /// Chance that the asset ends at or above `strike`; `nil` until the window opens.
        case window(asset: Int, end: Int64, strike: Double?)
    }

    var model: Model
    private(set) var fair: Double
    private var walkedTo: Int64
    /// Served order: the best level is the last.
    private(set) var bids: [Level] = []
    private(set) var asks: [Level] = []
    /// A trade's print is still to come; no other trade happens before it, so that prints name the hashes' order.
    var owesPrint = false

    init(model: Model, fair: Double, at time: Int64) {
        self.model = model
        self.fair = fair
        self.walkedTo = time
    }

    /// Lets the fair price move on. `assets` must have walked to `time`.
    mutating func walk(to time: Int64, assets: [AssetWalk], using random: inout SeededRandom) {
        let seconds = Double(max(0, time - self.walkedTo)) / 1_000
        self.walkedTo = max(self.walkedTo, time)
        switch self.model {
        case .reverting(let base, let volatility):
            self.fair += (base - self.fair) * min(1, seconds / 60) + volatility * seconds.squareRoot() * random.normal()
        case .window(let asset, let end, let strike):
            let left = Double(max(1, end - time)) / 1_000
            let distance = assets[asset].level - (strike ?? assets[asset].level)
            self.fair = 0.5 * (1 + erf(distance / left.squareRoot() / 2.0.squareRoot()))
        }
        self.fair = min(max(self.fair, Self.fairRange.lowerBound), Self.fairRange.upperBound)
    }

    func levels(_ side: BookSide) -> [Level] { side == .bid ? self.bids : self.asks }
    func count(_ side: BookSide) -> Int { side == .bid ? self.bids.count : self.asks.count }
    func best(_ side: BookSide) -> Price? { (side == .bid ? self.bids : self.asks).last?.price }
    /// The level so many places behind the best one.
    func level(_ side: BookSide, behindBest index: Int) -> Level {
        side == .bid ? self.bids[self.bids.count - 1 - index] : self.asks[self.asks.count - 1 - index]
    }
    func size(_ side: BookSide, at price: Price) -> Quantity {
        let levels = self.levels(side)
        let index = Self.index(of: price, in: levels, side)
        return index < levels.count && levels[index].price == price ? levels[index].size : .zero
    }

    /// Sets a level; zero removes it.
    mutating func set(_ side: BookSide, _ price: Price, _ size: Quantity) {
        if side == .bid {
            Self.set(&self.bids, .bid, price, size)
        } else {
            Self.set(&self.asks, .ask, price, size)
        }
    }

    private static func set(_ levels: inout [Level], _ side: BookSide, _ price: Price, _ size: Quantity) {
        let index = Self.index(of: price, in: levels, side)
        let exists = index < levels.count && levels[index].price == price
        switch (exists, size > .zero) {
        case (true, true): levels[index] = Level(price: price, size: size)
        case (true, false): levels.remove(at: index)
        case (false, true): levels.insert(Level(price: price, size: size), at: index)
        case (false, false): break
        }
    }

    /// Where `price` is or belongs. Most changes are near the touch, so the search begins there.
    private static func index(of price: Price, in levels: [Level], _ side: BookSide) -> Int {
        var index = levels.count
        while index > 0 {
            let other = levels[index - 1].price
            if side == .bid ? other < price : other > price { break }
            index -= 1
        }
        return index
    }
}
