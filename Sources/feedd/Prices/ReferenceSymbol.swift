/// Something whose price is told, by the name it has in frames. There are no others, so that nothing grows with names
/// that somebody made up. Source: reference, 3.4.
enum ReferenceSymbol: String, CaseIterable, Comparable, Sendable {
    case btcusd, ethusd, solusd, xrpusd, dogeusd, bnbusd, zecusd, hypeusd

    /// - Parameter asset: as markets name it: "btc".
    init?(asset: String) { self.init(rawValue: asset + "usd") }

    /// - Parameter pair: as Binance names it: "BTCUSDT".
    init?(pair: String) {
        guard let symbol = Self.byPair[pair] else { return nil }
        self = symbol
    }

    /// In the names of Binance's streams; `nil` where Binance has no spot market that could be followed.
    var pair: String? { self == .hypeusd ? nil : self.rawValue + "t" }

    private static let byPair = Dictionary(
        uniqueKeysWithValues: allCases.compactMap { symbol in symbol.pair.map { ($0.uppercased(), symbol) } })

    static func < (a: ReferenceSymbol, b: ReferenceSymbol) -> Bool { a.rawValue < b.rawValue }
}
