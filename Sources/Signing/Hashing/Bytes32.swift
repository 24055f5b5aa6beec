import Shared

/// 32 bytes, the machine word of the chain: a digest, a builder code, a number of 256 bits. Printed as 0x and 64
/// lower-case hex digits.
public struct Bytes32: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Most significant word first.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    public static let zero = Bytes32(words: (0, 0, 0, 0))
    static let byteCount = 32

    public init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// A number.
    init(_ value: UInt64) { self.words = (0, 0, 0, value) }

    /// Reads "0x" and 64 hex digits of either case. `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let value = copy.withUTF8({ Bytes32(hex: $0) }) else { return nil }
        self = value
    }

    /// As `init(_:)`, for bytes.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 2 + 2 * Self.byteCount, let digits = Hex.digits(afterPrefixOf: bytes) else { return nil }
        self.init(digits: digits)
    }

    /// Reads 64 hex digits.
    init?(digits: UnsafePointer<UInt8>) {
        guard let first = Hex.parse(digits, count: 16, allowingUpperCase: true),
            let second = Hex.parse(digits + 16, count: 16, allowingUpperCase: true),
            let third = Hex.parse(digits + 32, count: 16, allowingUpperCase: true),
            let fourth = Hex.parse(digits + 48, count: 16, allowingUpperCase: true)
        else { return nil }
        self.words = (first, second, third, fourth)
    }

    /// Copies 32 bytes, of any alignment.
    init(copying bytes: UnsafeRawPointer) {
        func word(_ offset: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        self.words = (word(0), word(8), word(16), word(24))
    }

    /// Lends the 32 bytes in the order in which they are written.
    func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        let bytes = (
            self.words.0.bigEndian, self.words.1.bigEndian, self.words.2.bigEndian, self.words.3.bigEndian
        )
        return withUnsafePointer(to: bytes) {
            $0.withMemoryRebound(to: UInt8.self, capacity: Self.byteCount, body)
        }
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 2 + 2 * Self.byteCount) { buffer in
            var cursor = TextCursor(buffer)
            cursor.text("0x")
            self.writeDigits(to: &cursor)
            return cursor.count
        }
    }

    func writeDigits(to cursor: inout TextCursor) {
        cursor.hex(self.words.0)
        cursor.hex(self.words.1)
        cursor.hex(self.words.2)
        cursor.hex(self.words.3)
    }

    public static func == (a: Bytes32, b: Bytes32) -> Bool { a.words == b.words }
    public static func < (a: Bytes32, b: Bytes32) -> Bool { a.words < b.words }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.words.0)
        hasher.combine(self.words.1)
        hasher.combine(self.words.2)
        hasher.combine(self.words.3)
    }
}
