/// The venue's id of a market: 32 bytes, printed as 0x and 64 lower-case hex digits.
public struct ConditionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Reads "0x" and 64 hex digits. `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let condition = copy.withUTF8({ ConditionID(hex: $0) }) else { return nil }
        self = condition
    }

    /// As `init(_:)`, for bytes.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 66, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == UInt8(ascii: "x") else { return nil }
        var valid = true
        func word(_ start: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in start..<start + 16 {
                let byte = bytes[index]
                let digit: UInt8
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
                case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
                default:
                    digit = 0
                    valid = false
                }
                value = value << 4 | UInt64(digit)
            }
            return value
        }
        self.words = (word(2), word(18), word(34), word(50))
        guard valid else { return nil }
    }

    public init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    public var description: String {
        var text = "0x"
        for word in [self.words.0, self.words.1, self.words.2, self.words.3] {
            let digits = String(word, radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }

    public static func == (a: ConditionID, b: ConditionID) -> Bool { a.words == b.words }
    public static func < (a: ConditionID, b: ConditionID) -> Bool { a.words < b.words }
    public func hash(into hasher: inout Hasher) { hasher.combine(self.words.3) }
}
