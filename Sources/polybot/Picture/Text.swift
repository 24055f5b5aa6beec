import Shared

/// Numbers and words as people read them on a terminal.
enum Text {
    /// "12,345"
    static func count(_ value: Int64) -> String {
        var digits = Array(String(value.magnitude))
        var index = digits.count - 3
        while index > 0 {
            digits.insert(",", at: index)
            index -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// "9,876.54": pUSD to the cent, towards zero.
    static func money(_ money: Money) -> String {
        let cents = money.micros.magnitude / 10_000
        let text = "\(Self.count(Int64(cents / 100))).\(Self.padded(Int64(cents % 100), 2))"
        return money.micros < 0 && cents > 0 ? "-" + text : text
    }

    /// As `money`, with a sign in any case.
    static func profit(_ money: Money) -> String {
        let text = Self.money(money)
        return text.hasPrefix("-") ? text : "+" + text
    }

    /// "85 µs", "1.2 ms", "3.4 s" from microseconds.
    static func latency(_ microseconds: Int64) -> String {
        switch microseconds {
        case ..<1_000: "\(microseconds) µs"
        case ..<1_000_000: "\(microseconds / 1_000).\(microseconds / 100 % 10) ms"
        default: "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10) s"
        }
    }

    /// "01:02:03"
    static func clock(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        return [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { Self.padded($0, 2) }.joined(separator: ":")
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Exactly `width` columns: shortened with an ellipsis, or filled up on the right.
    static func left(_ text: String, _ width: Int) -> String {
        let text = Self.fitted(text, width)
        return text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Exactly `width` columns, filled up on the left.
    static func right(_ text: String, _ width: Int) -> String {
        let text = Self.fitted(text, width)
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// At most `width` columns. What a venue put into a name must not steer the terminal: control characters and what
    /// may be wider than a column become "?".
    static func fitted(_ text: String, _ width: Int) -> String {
        let plain = String(text.map { Self.isNarrow($0) ? $0 : "?" })
        guard plain.count > width else { return plain }
        return width > 0 ? plain.prefix(width - 1) + "…" : ""
    }

    /// Whether a character certainly takes one column: Latin, Greek, Cyrillic, dashes, quotation marks, lines.
    private static func isNarrow(_ character: Character) -> Bool {
        guard character.unicodeScalars.count == 1, let scalar = character.unicodeScalars.first?.value else {
            return false
        }
        switch scalar {
        case 0x20..<0x7F, 0xA0..<0xAD, 0xAE..<0x300, 0x370..<0x483, 0x48A..<0x530: return true
        case 0x2010..<0x2028, 0x2030..<0x2060, 0x2500..<0x2580: return true
        default: return false
        }
    }
}
