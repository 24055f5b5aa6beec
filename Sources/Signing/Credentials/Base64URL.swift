/// Base64 with `-` and `_` (RFC 4648, 5), padded when written.
public enum Base64URL {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    public static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
            var written = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let count = min(3, bytes.count - start)
                var group: UInt32 = 0
                for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
                for index in 0..<4 {
                    let digit = Int(group >> UInt32(18 - 6 * index) & 0x3F)
                    text[written] = index <= count ? Self.alphabet.utf8Start[digit] : UInt8(ascii: "=")
                    written += 1
                }
            }
            return written
        }
    }

    /// The bytes that `text` stands for. The padding may be missing, and `+` and `/` count as `-` and `_`. `nil` for anything
    /// else.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var copy = String(text)
        return copy.withUTF8({ Self.decode($0) { bytes.append($0) } }) ? bytes : nil
    }

    /// Bytes that `text` stands for, handed to `write` one after the other. The padding may be missing, and `+` and `/` count
    /// as `-` and `_`: the venue's clients read so. `false` for anything else.
    static func decode(_ text: UnsafeBufferPointer<UInt8>, write: (UInt8) -> Void) -> Bool {
        var count = text.count
        while count > 0, text.count - count < 2, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
        guard count % 4 != 1, count == text.count || text.count.isMultiple(of: 4) else { return false }
        var group: UInt32 = 0
        var bitCount: UInt32 = 0
        for index in 0..<count {
            guard let digit = Self.value(of: text[index]) else { return false }
            group = group << 6 | digit
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                write(UInt8(truncatingIfNeeded: group >> bitCount))
            }
        }
        return true
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"), UInt8(ascii: "+"): 62
        case UInt8(ascii: "_"), UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
