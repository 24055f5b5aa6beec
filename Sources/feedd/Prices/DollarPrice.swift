/// What something costs, in hundred-millionths of a dollar: the places that Binance writes.
///
/// More than a price of the venue's own kind can hold: those are shares of one pUSD, these are coins.
struct DollarPrice: Hashable, Comparable, Sendable {
    /// Units of a dollar.
    static let scale: Int64 = 100_000_000
    private static let placeCount = 8
    /// Ten million dollars. Whatever costs more is taken for a mistake; a second's worth of it in milliseconds fits 64 bits.
    static let unitsMax = 10_000_000 * scale

    /// 1...unitsMax.
    let units: Int64

    /// - Returns: `nil` for what is no price: nothing, less, or absurdly much.
    init?(units: Int64) {
        guard (1...Self.unitsMax).contains(units) else { return nil }
        self.units = units
    }

    static func < (a: DollarPrice, b: DollarPrice) -> Bool { a.units < b.units }

    /// Halfway between two; a half unit is cut off.
    static func middle(_ a: DollarPrice, _ b: DollarPrice) -> DollarPrice {
        DollarPrice(units: (a.units + b.units) / 2)!
    }

    /// All eight places: "91250.50000000".
    var text: String {
        let fraction = String(self.units % Self.scale)
        return "\(self.units / Self.scale)." + String(repeating: "0", count: Self.placeCount - fraction.utf8.count)
            + fraction
    }

    /// Reads a decimal without sign and exponent. Zeros after the eighth place say nothing.
    ///
    /// - Returns: units, from zero to any size that fits twice; `nil` for text that is no such decimal.
    static func units(_ text: some Sequence<UInt8>, cutsPlaces: Bool = false) -> Int64? {
        var units: Int64 = 0
        var places: Int?
        var digitCount = 0
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard places == nil else { return nil }
                places = 0
                continue
            }
            let digit = Int64(byte) - 0x30
            guard (0...9).contains(digit) else { return nil }
            digitCount += 1
            if let count = places {
                if count == Self.placeCount {
                    guard digit == 0 || cutsPlaces else { return nil }
                    continue
                }
                places = count + 1
            }
            guard units < Int64.max / 100 else { return nil }
            units = units * 10 + digit
        }
        guard digitCount > 0, places != 0 else { return nil }
        for _ in (places ?? 0)..<Self.placeCount {
            guard units < Int64.max / 100 else { return nil }
            units *= 10
        }
        return units
    }
}
