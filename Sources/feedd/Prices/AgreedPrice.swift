import Shared

/// A price of the venue's stream, which tells it twice: as a number, and as text with all its places.
///
/// Whether the text counts dollars or 10⁻¹⁸ dollars is told differently in two places: the reading that agrees with the
/// number is taken, and neither when none does. Source: reference, 3.4.
struct AgreedPrice: Equatable {
    /// The reading cut to eight places.
    let price: DollarPrice
    /// The reading with all its places, without zeros at its end.
    let text: String

    private static let placesOfUnits = 18
    /// Longest text that is read.
    private static let byteCountMax = 64
    /// Both readings may differ by one in so many: the number went through a floating-point one, and may be rounded.
    private static let shareMax: Int64 = 10_000

    /// - Parameters:
    ///   - value: as it stands in the JSON, "63123.45".
    ///   - fullAccuracy: "63123450000000000000000" or "63123.45".
    init?(value: String, fullAccuracy: String) {
        guard let number = Self.price(value), fullAccuracy.utf8.count <= Self.byteCountMax else { return nil }
        for text in [Self.plain(fullAccuracy), Self.scaled(fullAccuracy)].compactMap({ $0 }) {
            guard let price = Self.price(text) else { continue }
            let difference = abs(price.units - number.units)
            guard difference <= max(1, number.units / Self.shareMax) else { continue }
            self.price = price
            self.text = text
            return
        }
        return nil
    }

    /// The number's own places beyond the eighth are cut: it is compared, not told.
    private static func price(_ text: String) -> DollarPrice? {
        DollarPrice.units(text.utf8, cutsPlaces: true).flatMap { DollarPrice(units: $0) }
    }

    private static func plain(_ text: String) -> String? { text.contains(".") ? Self.trimmed(text) : text }

    /// `text` as a count of 10⁻¹⁸.
    private static func scaled(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let padded = String(repeating: "0", count: max(0, Self.placesOfUnits + 1 - text.utf8.count)) + text
        let whole = padded.dropLast(Self.placesOfUnits).drop { $0 == "0" }
        return Self.trimmed("\(whole.isEmpty ? "0" : whole).\(padded.suffix(Self.placesOfUnits))")
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return String(text)
    }
}
