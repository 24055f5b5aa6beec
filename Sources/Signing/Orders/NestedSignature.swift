import Shared

/// An owner's signature with what a deposit wallet needs to check it: 65 bytes of signature, 32 of the exchange's domain, 32
/// of the order's hash in no domain, the order's type (186) and the length of that (2). Source: ERC-7739; reference, 4.4.
public struct NestedSignature: Hashable, Sendable, CustomStringConvertible {
    public let inner: Signature
    /// The exchange's domain separator.
    public let separator: Bytes32
    /// The order's `structHash`.
    public let contents: Bytes32

    private static let typeByteCount = OrderMessage.typeText.utf8CodeUnitCount
    static let byteCount = Signature.byteCount + 2 * Bytes32.byteCount + Self.typeByteCount + 2

    static let typeHash = {
        var keccak = Keccak256()
        for text: StaticString in [
            """
            TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)
            """, OrderMessage.typeText,
        ] {
            keccak.absorb(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
        return keccak.digest()
    }()
    static let walletNameHash = Keccak256.hash("DepositWallet" as StaticString)
    static let walletVersionHash = Keccak256.hash("1" as StaticString)

    public init(inner: Signature, separator: Bytes32, contents: Bytes32) {
        self.inner = inner
        self.separator = separator
        self.contents = contents
    }

    /// Reads "0x" and 634 hex digits of either case. `nil` for anything else, and where the type is not that of orders.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 2 + 2 * Self.byteCount, let digits = Hex.digits(afterPrefixOf: bytes),
            let inner = Signature(digits: digits), let separator = Bytes32(digits: digits + 130),
            let contents = Bytes32(digits: digits + 194)
        else { return nil }
        let type = digits + 258
        for index in 0..<Self.typeByteCount {
            guard Hex.byte(type + 2 * index) == OrderMessage.typeText.utf8Start[index] else { return nil }
        }
        let length = type + 2 * Self.typeByteCount
        guard Hex.byte(length) == 0, Hex.byte(length + 2) == UInt8(Self.typeByteCount) else { return nil }
        self.init(inner: inner, separator: separator, contents: contents)
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 2 + 2 * Self.byteCount) { buffer in
            var cursor = TextCursor(buffer)
            cursor.text("0x")
            self.inner.writeDigits(to: &cursor)
            self.separator.writeDigits(to: &cursor)
            self.contents.writeDigits(to: &cursor)
            for index in 0..<Self.typeByteCount {
                cursor.hex(UInt64(OrderMessage.typeText.utf8Start[index]), digitCount: 2)
            }
            cursor.hex(UInt64(Self.typeByteCount), digitCount: 4)
            return cursor.count
        }
    }
}
