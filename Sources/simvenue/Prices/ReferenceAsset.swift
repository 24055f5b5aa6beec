import Shared

/// What the made-up price of an asset is like, and how Binance trades it.
struct ReferenceAsset: Hashable, Sendable {
    /// As in slugs: "btc".
    let symbol: String
    /// Where the walk begins.
    let start: ReferencePrice
    /// Standard deviation of a year's return, as a share of the price.
    let volatility: Double
    /// What Binance is above the oracle, in millionths of the price. Source of the size: strategies, 4.2.
    let basis: Int64
    /// Binance's step of prices, in units of `ReferencePrice`.
    let tick: Int64
    /// Smallest quantity of a trade, in hundred-millionths of a coin.
    let lot: Int64
    /// Trades of one step of the walk on Binance, at most; half of it on average.
    let tradeCountMax: Int

    /// Symbol of the dollar price: "btcusd".
    var dollarSymbol: String { self.symbol + "usd" }
    /// Binance's pair in the names of streams: "btcusdt".
    var pair: String { self.symbol + "usdt" }

    /// Those that the catalogue has windows of, in its order.
    static let all: [ReferenceAsset] = Catalogue.assets.map { asset in
        guard let known = Self.table.first(where: { $0.symbol == asset.symbol }) else {
            preconditionFailure("\(asset.symbol) has no reference price")
        }
        return known
    }

    private static let table = [
        ReferenceAsset(
            symbol: "btc", start: ReferencePrice(units: 91_250_50000000), volatility: 0.45, basis: 230,
            tick: 1_000_000, lot: 12_000, tradeCountMax: 4),
        ReferenceAsset(
            symbol: "eth", start: ReferencePrice(units: 3_020_25000000), volatility: 0.65, basis: 280,
            tick: 1_000_000, lot: 250_000, tradeCountMax: 3),
        ReferenceAsset(
            symbol: "sol", start: ReferencePrice(units: 138_40000000), volatility: 0.80, basis: 310,
            tick: 1_000_000, lot: 4_000_000, tradeCountMax: 2),
        ReferenceAsset(
            symbol: "xrp", start: ReferencePrice(units: 2_21050000), volatility: 0.85, basis: 410,
            tick: 10_000, lot: 200_000_000, tradeCountMax: 2),
    ]
}
