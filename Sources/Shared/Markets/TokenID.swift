/// An outcome token of the venue: 256 bits, printed in decimal as the venue prints them.
public struct TokenID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Most significant word first.
    private let words: (UInt64, UInt64, UInt64, UInt64)
    /// Longest decimal text of 256 bits.
    private static let digitCountMax = 78

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
        var words = [self.words.0, self.words.1, self.words.2, self.words.3]
        var groups: [UInt64] = []
        let scale: UInt64 = 10_000_000_000_000_000_000
        repeat {
            var remainder: UInt64 = 0
            for index in words.indices {
                (words[index], remainder) = scale.dividingFullWidth((remainder, words[index]))
            }
            groups.append(remainder)
        } while words.contains { $0 != 0 }
        var text = String(groups.removeLast())
        while let group = groups.popLast() {
            let digits = String(group)
            text += String(repeating: "0", count: 19 - digits.count) + digits
        }
        return text
    }

    public static func == (a: TokenID, b: TokenID) -> Bool { a.words == b.words }
    public static func < (a: TokenID, b: TokenID) -> Bool { a.words < b.words }
    public func hash(into hasher: inout Hasher) {
        // Token ids are uniformly distributed: one word is hash enough.
        hasher.combine(self.words.3)
    }
}
