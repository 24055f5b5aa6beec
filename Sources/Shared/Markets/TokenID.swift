/// An outcome token of the venue: 256 bits, printed in decimal as the venue prints them.
public struct TokenID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Most significant word first.
    public let words: (UInt64, UInt64, UInt64, UInt64)
    /// Longest decimal text of 256 bits.
    static let digitCountMax = 78

    /// Reads decimal digits. `nil` when empty, malformed, written with leading zeros, or over 256 bits.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let token = copy.withUTF8({ TokenID(decimal: $0) }) else { return nil }
        self = token
    }

    /// As `init(_:)`, for bytes.
    public init?(decimal bytes: UnsafeBufferPointer<UInt8>) {
        guard !bytes.isEmpty, bytes.count <= Self.digitCountMax else { return nil }
        guard bytes[0] != UInt8(ascii: "0") || bytes.count == 1 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var index = 0
        while index < bytes.count {
            // Nineteen digits fit a word: one wide multiplication for each such group.
            var group: UInt64 = 0
            var scale: UInt64 = 1
            let end = min(bytes.count, index + 19)
            while index < end {
                let digit = bytes[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                group = group &* 10 &+ UInt64(digit)
                scale = scale &* 10
                index += 1
            }
            var carry = group
            func step(_ word: inout UInt64) {
                let (high, low) = word.multipliedFullWidth(by: scale)
                let (sum, overflow) = low.addingReportingOverflow(carry)
                word = sum
                carry = high &+ (overflow ? 1 : 0)
            }
            step(&words.3)
            step(&words.2)
            step(&words.1)
            step(&words.0)
            guard carry == 0 else { return nil }
        }
        self.words = words
    }

    /// From 64-bit words, the most significant first.
    public init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    public var description: String {
        String(unsafeUninitializedCapacity: Self.digitCountMax) { buffer in
            var cursor = TextCursor(buffer)
            self.write(to: &cursor)
            return cursor.count
        }
    }

    func write(to cursor: inout TextCursor) {
        // Limbs of 32 bits, divided by a constant: nine digits a round, the last ones first.
        var limbs: InlineArray<8, UInt64> = [
            self.words.0 >> 32, self.words.0 & 0xFFFF_FFFF, self.words.1 >> 32, self.words.1 & 0xFFFF_FFFF,
            self.words.2 >> 32, self.words.2 & 0xFFFF_FFFF, self.words.3 >> 32, self.words.3 & 0xFFFF_FFFF,
        ]
        var groups = InlineArray<9, UInt64>(repeating: 0)
        var groupCount = 0
        var first = 0
        repeat {
            var rest: UInt64 = 0
            for index in first..<8 {
                (limbs[index], rest) = (rest << 32 | limbs[index]).quotientAndRemainder(dividingBy: 1_000_000_000)
            }
            while first < 8 && limbs[first] == 0 { first += 1 }
            groups[groupCount] = rest
            groupCount += 1
        } while first < 8
        cursor.integer(groups[groupCount - 1])
        for index in stride(from: groupCount - 2, through: 0, by: -1) { cursor.integer(groups[index], digitCount: 9) }
    }

    public static func == (a: TokenID, b: TokenID) -> Bool { a.words == b.words }
    public static func < (a: TokenID, b: TokenID) -> Bool { a.words < b.words }
    public func hash(into hasher: inout Hasher) {
        // Token ids are uniformly distributed: one word is hash enough.
        hasher.combine(self.words.3)
    }
}
