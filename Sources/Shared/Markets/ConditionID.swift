/// The venue's id of a market: 32 bytes, printed as 0x and 64 lower-case hex digits.
public struct ConditionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Most significant word first.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    /// Reads "0x" and 64 hex digits. `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let condition = copy.withUTF8({ ConditionID(hex: $0) }) else { return nil }
        self = condition
    }

    /// As `init(_:)`, for bytes.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == Self.byteCount, let digits = Hex.digits(afterPrefixOf: bytes),
            let first = Self.word(digits, 0), let second = Self.word(digits, 16), let third = Self.word(digits, 32),
            let fourth = Self.word(digits, 48)
        else { return nil }
        self.words = (first, second, third, fourth)
    }

    private static func word(_ digits: UnsafePointer<UInt8>, _ start: Int) -> UInt64? {
        Hex.parse(digits + start, count: 16, allowingUpperCase: true)
    }

    public init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// "0x" and 64 digits.
    static let byteCount = 66

    public var description: String {
        String(unsafeUninitializedCapacity: Self.byteCount) { buffer in
            var cursor = TextCursor(buffer)
            self.write(to: &cursor)
            return cursor.count
        }
    }

    func write(to cursor: inout TextCursor) {
        cursor.text("0x")
        cursor.hex(self.words.0)
        cursor.hex(self.words.1)
        cursor.hex(self.words.2)
        cursor.hex(self.words.3)
    }

    public static func == (a: ConditionID, b: ConditionID) -> Bool { a.words == b.words }
    public static func < (a: ConditionID, b: ConditionID) -> Bool { a.words < b.words }
    public func hash(into hasher: inout Hasher) { hasher.combine(self.words.3) }
}
