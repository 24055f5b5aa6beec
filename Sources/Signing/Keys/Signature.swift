import Shared

/// A signature as the chain writes it: `r`, `s` and `v`, 65 bytes. It may be anybody's or nobody's: `signer(of:)` says whose.
public struct Signature: Hashable, Sendable, CustomStringConvertible {
    public let r: Bytes32
    public let s: Bytes32
    /// 27 or 28 in a good one: which of two points is meant.
    public let v: UInt8

    static let byteCount = 65
    static let lowestV: Int32 = 27

    public init(r: Bytes32, s: Bytes32, v: UInt8) {
        self.r = r
        self.s = s
        self.v = v
    }

    /// Reads "0x" and 130 hex digits of either case. `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let signature = copy.withUTF8({ Signature(hex: $0) }) else { return nil }
        self = signature
    }

    /// As `init(_:)`, for bytes.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 2 + 2 * Self.byteCount, let digits = Hex.digits(afterPrefixOf: bytes) else { return nil }
        self.init(digits: digits)
    }

    /// Reads 130 hex digits.
    init?(digits: UnsafePointer<UInt8>) {
        guard let r = Bytes32(digits: digits), let s = Bytes32(digits: digits + 64), let v = Hex.byte(digits + 128)
        else { return nil }
        self.init(r: r, s: s, v: v)
    }

    /// The address whose key signed `digest`. `nil` where none can have, where `s` is the higher of the two possible ones
    /// (anybody can turn one signature into the other), and where `v` is neither 27 nor 28: the chain takes no other, though
    /// some signers write 0 and 1.
    public func signer(of digest: Bytes32) -> Address? {
        let recovery = Int32(self.v) - Self.lowestV
        guard recovery == 0 || recovery == 1, self.s <= Curve.lowerHalf else { return nil }
        return Curve.recover(digest, r: self.r, s: self.s, recovery: recovery)
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
        self.r.writeDigits(to: &cursor)
        self.s.writeDigits(to: &cursor)
        cursor.hex(UInt64(self.v), digitCount: 2)
    }
}
