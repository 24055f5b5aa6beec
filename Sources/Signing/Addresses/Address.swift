import Shared

/// An account or contract of the chain: 20 bytes. Printed as 0x and 40 hex digits whose case is a checksum (EIP-55).
public struct Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Most significant word first.
    private let words: (UInt64, UInt64, UInt32)

    public static let zero = Address(words: (0, 0, 0))
    static let byteCount = 20

    private init(words: (UInt64, UInt64, UInt32)) { self.words = words }

    /// Reads "0x" and 40 hex digits. Their case says nothing: the venue does not check it. `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let address = copy.withUTF8({ Address(hex: $0) }) else { return nil }
        self = address
    }

    /// As `init(_:)`, for bytes.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 2 + 2 * Self.byteCount, let digits = Hex.digits(afterPrefixOf: bytes),
            let first = Hex.parse(digits, count: 16, allowingUpperCase: true),
            let second = Hex.parse(digits + 16, count: 16, allowingUpperCase: true),
            let third = Hex.parse(digits + 32, count: 8, allowingUpperCase: true)
        else { return nil }
        self.words = (first, second, UInt32(truncatingIfNeeded: third))
    }

    /// One that stands in the program.
    init(known text: StaticString) {
        let bytes = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard let address = Address(hex: bytes) else { preconditionFailure("not an address: \(text)") }
        self = address
    }

    init(lastBytesOf digest: Bytes32) {
        let (_, first, second, third) = digest.words
        self.words = (first << 32 | second >> 32, second << 32 | third >> 32, UInt32(truncatingIfNeeded: third))
    }

    /// As an argument of a call, and as it is hashed: zeros before it.
    public var word: Bytes32 {
        let (first, second, third) = self.words
        return Bytes32(words: (0, first >> 32, first << 32 | second >> 32, second << 32 | UInt64(third)))
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 2 + 2 * Self.byteCount) { buffer in
            var cursor = TextCursor(buffer)
            cursor.text("0x")
            cursor.hex(self.words.0)
            cursor.hex(self.words.1)
            cursor.hex(UInt64(self.words.2), digitCount: 8)
            Self.writeChecksum(UnsafeMutableBufferPointer(rebasing: buffer[2..<cursor.count]))
            return cursor.count
        }
    }

    /// Writes a letter large where the digit of the text's hash at its place is eight or more. Source: EIP-55.
    private static func writeChecksum(_ digits: UnsafeMutableBufferPointer<UInt8>) {
        var keccak = Keccak256()
        keccak.absorb(UnsafeRawBufferPointer(digits))
        keccak.digest().withBytes { hash in
            for index in digits.indices {
                let nibble = index.isMultiple(of: 2) ? hash[index / 2] >> 4 : hash[index / 2] & 0xF
                if nibble >= 8, digits[index] >= UInt8(ascii: "a") { digits[index] &= ~0x20 }
            }
        }
    }

    public static func == (a: Address, b: Address) -> Bool { a.words == b.words }
    public static func < (a: Address, b: Address) -> Bool { a.words < b.words }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.words.0)
        hasher.combine(self.words.1)
        hasher.combine(self.words.2)
    }
}

extension Keccak256 {
    /// Takes in the 20 bytes.
    mutating func absorb(_ address: Address) {
        address.word.withBytes {
            self.absorb(UnsafeRawBufferPointer(start: $0 + 32 - Address.byteCount, count: Address.byteCount))
        }
    }
}
