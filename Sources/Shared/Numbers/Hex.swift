/// Hex digits of machine words, eight at a time and without a branch: ids and hashes are random, and every wrong guess
/// of the processor would cost more than the digit.
package enum Hex {
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// Reads eight or sixteen digits. `nil` where one is none; upper case counts only if allowed.
    @inline(__always)
    package static func parse(_ digits: UnsafePointer<UInt8>, count: Int, allowingUpperCase: Bool) -> UInt64? {
        var value: UInt64 = 0
        var wrong: UInt64 = 0
        for start in stride(from: 0, to: count, by: 8) {
            var text = UnsafeRawPointer(digits + start).loadUnaligned(as: UInt64.self)
            if allowingUpperCase { text |= (text & (Self.ones &* 0x40)) >> 1 }
            // Letters have the bit 0x40. "a" to "f" end in 1 to 6, so nine more is their value.
            let letters = (text >> 6) & Self.ones
            var nibbles = (text & (Self.ones &* 0x0F)) &+ letters &* 9
            // Written again, each value must give the byte that was read; it is below sixteen, and ten and more are letters.
            wrong |= (nibbles &+ Self.ones &* 0x30 &+ letters &* 0x27) ^ text
            wrong |= nibbles & (Self.ones &* 0xF0)
            wrong |= ((nibbles &+ Self.ones &* 6) >> 4 & Self.ones) ^ letters
            nibbles = nibbles.bigEndian
            nibbles = (nibbles | nibbles >> 4) & 0x00FF_00FF_00FF_00FF
            nibbles = (nibbles | nibbles >> 8) & 0x0000_FFFF_0000_FFFF
            value = value << 32 | (nibbles | nibbles >> 16) & 0xFFFF_FFFF
        }
        return wrong == 0 ? value : nil
    }

    /// Where the digits begin: behind "0x". `nil` where there is no such beginning.
    package static func digits(afterPrefixOf text: UnsafeBufferPointer<UInt8>) -> UnsafePointer<UInt8>? {
        guard text.count >= 2, text[0] == UInt8(ascii: "0"), text[1] | 0x20 == UInt8(ascii: "x") else { return nil }
        return text.baseAddress.map { $0 + 2 }
    }

    /// The byte that two digits of either case stand for. `nil` where one is none.
    package static func byte(_ digits: UnsafePointer<UInt8>) -> UInt8? {
        let high = Self.nibble(digits[0])
        let low = Self.nibble(digits[1])
        return (high | low) > 0xF ? nil : high << 4 | low
    }

    /// The value of one digit; 255 for what is none.
    private static func nibble(_ digit: UInt8) -> UInt8 {
        let number = digit &- UInt8(ascii: "0")
        let letter = (digit | 0x20) &- UInt8(ascii: "a")
        return number < 10 ? number : letter < 6 ? letter + 10 : 0xFF
    }

    /// The lower-case digit of the lowest four bits.
    @inline(__always)
    static func digit(_ value: UInt64) -> UInt8 {
        let number = UInt8(truncatingIfNeeded: value & 0xF)
        return number &+ (number < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }
}
