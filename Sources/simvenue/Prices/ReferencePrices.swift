import Shared

/// One asset's prices: the latent one, and what Binance makes of it.
struct AssetPrices: Sendable {
    let asset: ReferenceAsset
    private(set) var latent: LatentPrice
    private(set) var tape: BinanceTape

    init(_ asset: ReferenceAsset, volatility: Double, seed: UInt64, at time: Int64) {
        self.asset = asset
        self.latent = LatentPrice(
            start: asset.start, volatility: asset.volatility * volatility,
            random: SeededRandom(seed: seed, name: "price " + asset.symbol), at: time)
        self.tape = BinanceTape(asset, random: SeededRandom(seed: seed, name: "tape " + asset.symbol))
        self.tape.note(self.latent.price, at: time)
    }

    /// Lets everything happen up to `time`, milliseconds UTC.
    mutating func walk(to time: Int64) {
        while self.latent.walkedTo + LatentPrice.step <= time {
            self.latent.takeStep()
            self.tape.note(self.latent.price, at: self.latent.walkedTo)
        }
    }
}

/// The reference prices of all assets that windows are about, in the order of the catalogue.
struct ReferencePrices: Sendable {
    /// The paths begin so many milliseconds before the hour in which they are first wanted: the averages of the first
    /// minutes and the snapshots of the streams look back.
    private static let lead: Int64 = 300_000

    private(set) var assets: [AssetPrices]

    /// - Parameters:
    ///   - volatility: what the volatilities of the table are multiplied with.
    ///   - first: the earliest time whose prices are wanted, milliseconds UTC.
    ///   - time: up to when the prices are known.
    init(seed: UInt64, volatility: Double = 1, from first: Int64, to time: Int64) {
        let begin = first / BinanceTape.hour * BinanceTape.hour - Self.lead
        self.assets = ReferenceAsset.all.map { AssetPrices($0, volatility: volatility, seed: seed, at: begin) }
        self.walk(to: time)
    }

    subscript(asset: Int) -> AssetPrices { self.assets[asset] }

    /// Milliseconds UTC up to which all of them are known.
    var walkedTo: Int64 { self.assets.reduce(Int64.max) { min($0, $1.latent.walkedTo) } }

    mutating func walk(to time: Int64) {
        for index in self.assets.indices { self.assets[index].walk(to: time) }
    }

    mutating func walk(_ asset: Int, to time: Int64) { self.assets[asset].walk(to: time) }
}
