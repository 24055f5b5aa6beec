import Shared

/// Binance's book of one asset at one step: levels at equal distances from the best ones, with sizes that follow from the
/// price and the time alone, so that two books tell what changed between them.
struct BinanceBook: Sendable {
    static let levelCount = 20
    /// A level keeps its size for about so many steps.
    private static let sizeSteps: UInt64 = 16
    private static let sizeMax: UInt64 = 1_000

    struct Level: Hashable, Sendable {
        let price: Int64
        /// In hundred-millionths of a coin; 0 in a change removes the level.
        let quantity: Int64
    }

    /// The best level first.
    let bids: [Level]
    let asks: [Level]

    init(_ step: BinanceTape.Step, _ asset: ReferenceAsset) {
        func level(_ price: Int64) -> Level {
            Level(price: price, quantity: Self.quantity(at: price / asset.tick, time: step.time) * asset.lot)
        }
        self.bids = (0..<Self.levelCount).map { level(step.bid - Int64($0) * asset.tick) }
        self.asks = (0..<Self.levelCount).map { level(step.ask + Int64($0) * asset.tick) }
    }

    /// In lots.
    private static func quantity(at place: Int64, time: Int64) -> Int64 {
        let own = Self.mix(UInt64(bitPattern: place))
        let age = (UInt64(bitPattern: time / LatentPrice.step) &+ own % Self.sizeSteps) / Self.sizeSteps
        return Int64(1 + Self.mix(own ^ age) % Self.sizeMax)
    }

    /// SplitMix64's finaliser. Source: Vigna, <https://prng.di.unimi.it/splitmix64.c>.
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// What makes `old` into `new`, the best new level first, then what is gone.
    static func changes(from old: [Level], to new: [Level]) -> [Level] {
        let kept = Set(old)
        let prices = Set(new.map(\.price))
        return new.filter { !kept.contains($0) }
            + old.filter { !prices.contains($0.price) }.map { Level(price: $0.price, quantity: 0) }
    }
}
