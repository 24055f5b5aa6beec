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

    /// Longest text of a value: a sign, thirteen digits, a point, six places.
    private static let byteCountMax = 21

    /// Appends `value` as the venue writes prices and sizes: no trailing zeros, "0.1", "96", "5852.53".
    public static func write(_ value: Int64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCountMax) { buffer in
            var cursor = TextCursor(buffer)
            cursor.decimal(value)
            bytes.append(contentsOf: cursor.written)
        }
    }

    /// Appends the digits of `value`.
    public static func writeInteger(_ value: UInt64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCountMax) { buffer in
            var cursor = TextCursor(buffer)
            cursor.integer(value)
            bytes.append(contentsOf: cursor.written)
        }
    }

    /// How many decimal digits `value` has; one for zero.
    @inline(__always)
    static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count += 4
        }
        return count + (rest >= 1_000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    /// Writes the last `count` decimal digits of `value`.
    @inline(__always)
    static func writeDigits(_ value: UInt64, count: Int, at start: UnsafeMutablePointer<UInt8>) {
        var rest = value
        for index in stride(from: count - 1, through: 0, by: -1) {
            start[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// `value` as text, as `write(_:to:)` writes it.
    public static func text(_ value: Int64) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCountMax) { buffer in
            var cursor = TextCursor(buffer)
            cursor.decimal(value)
            return String(decoding: cursor.written, as: UTF8.self)
        }
    }
}
