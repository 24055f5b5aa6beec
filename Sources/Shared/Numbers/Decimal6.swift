/// Exact decimal text to and from millionths, the venue's own base unit.
///
/// "0.37" and ".37" are 370_000; a seventh decimal is refused, never rounded; no sign, no exponent, no spaces.
public enum Decimal6 {
    /// Millionths in one.
    public static let scale: Int64 = 1_000_000
    /// Largest value read: it leaves room to add a thousand of them without overflow.
    public static let valueMax: Int64 = 1_000_000_000 * scale

    /// Reads `bytes` as a non-negative decimal with at most six places.
    ///
    /// - Returns: `nil` for anything else, and for values above `valueMax`. Trailing zeros after the sixth place are accepted.
    @inlinable
    public static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var value: Int64 = 0
        var digitCount = 0
        var placeCount = -1
        for byte in bytes {
            if byte == UInt8(ascii: ".") {
                guard placeCount < 0 else { return nil }
                placeCount = 0
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            digitCount += 1
            if placeCount >= 0 {
                if placeCount == 6 {
                    guard digit == 0 else { return nil }
                    continue
                }
                placeCount += 1
            }
            value = value &* 10 &+ Int64(digit)
            guard value <= Self.valueMax else { return nil }
        }
        guard digitCount > 0 else { return nil }
        var place = max(0, placeCount)
        while place < 6 {
            value *= 10
            place += 1
            guard value <= Self.valueMax else { return nil }
        }
        return value
    }

    /// As `parse(_:)`, for text.
    public static func parse(_ text: some StringProtocol) -> Int64? {
        var copy = String(text)
        return copy.withUTF8 { Self.parse($0) }
    }

    /// Appends `value` as the venue writes prices and sizes: no trailing zeros, "0.1", "96", "5852.53".
    @inlinable
    public static func write(_ value: Int64, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        Self.writeInteger(magnitude / 1_000_000, to: &bytes)
        var fraction = magnitude % 1_000_000
        guard fraction > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var unit: UInt64 = 100_000
        while fraction > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(fraction / unit))
            fraction %= unit
            unit /= 10
        }
    }

    /// Appends the digits of `value`.
    @inlinable
    public static func writeInteger(_ value: UInt64, to bytes: inout [UInt8]) {
        if value < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(value))
            return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[start..<20]))
        }
    }

    /// `value` as text, as `write(_:to:)` writes it.
    public static func text(_ value: Int64) -> String {
        var bytes: [UInt8] = []
        Self.write(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
