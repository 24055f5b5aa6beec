import Shared

/// What an asset costs, in hundred-millionths of a dollar.
///
/// Eight places are what Binance writes; averages are cut to them, so that everybody compares the same numbers.
struct ReferencePrice: Hashable, Comparable, Sendable {
    /// Units of a dollar.
    static let scale: Int64 = 100_000_000

    let units: Int64

    init(units: Int64) { self.units = units }

    static func < (a: ReferencePrice, b: ReferencePrice) -> Bool { a.units < b.units }

    /// All eight places: "91250.50000000".
    var text: String { Self.text(self.units) }

    /// Without trailing zeros, for a JSON number: "91250.5".
    var number: String {
        var text = self.text
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    /// Whole units of 10⁻¹⁸ dollars. Source: reference, 3.4.
    var fullAccuracyText: String { "\(self.units)0000000000" }

    /// Anything that is counted in hundred-millionths, with eight places. `units` is not negative.
    static func text(_ units: Int64) -> String {
        let fraction = String(units % Self.scale)
        return "\(units / Self.scale)." + String(repeating: "0", count: 8 - fraction.utf8.count) + fraction
    }
}

extension JSONWriter {
    /// A price or a quantity in hundred-millionths, as Binance writes them.
    mutating func eightPlaces(_ units: Int64) { self.string(ReferencePrice.text(units)) }
}
