import Shared

/// A key of the chain: a number from 1 to the curve's order, less one. Copies share one place in memory, which is wiped
/// with the last of them. What is printed of it is its address.
public struct PrivateKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let secret: SecretBytes
    /// The account that it owns.
    public let address: Address

    private static let byteCount = 32

    /// Reads 64 hex digits of either case, with or without "0x". `nil` for anything else, and for numbers that are no key.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == 64 || bytes.count == 66, let start = bytes.baseAddress else { return nil }
        guard let digits = bytes.count == 64 ? start : Hex.digits(afterPrefixOf: bytes) else { return nil }
        var isHex = true
        let secret = SecretBytes(count: Self.byteCount, in: .page) { target in
            for index in 0..<Self.byteCount {
                guard let byte = Hex.byte(digits + 2 * index) else {
                    isHex = false
                    return
                }
                target[index] = byte
            }
        }
        guard isHex else { return nil }
        self.init(secret)
    }

    /// From 32 bytes, the most significant first. `nil` for any other number of them, and for numbers that are no key.
    public init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(
            SecretBytes(count: Self.byteCount, in: .page) {
                UnsafeMutableRawBufferPointer(start: $0, count: Self.byteCount).copyBytes(from: bytes)
            })
    }

    private init?(_ secret: SecretBytes) {
        guard let address = secret.withBytes({ Curve.address(ofKey: $0) }) else { return nil }
        self.secret = secret
        self.address = address
    }

    /// Signs; the same digest always gives the same signature (RFC 6979), with the lower of the two possible `s`.
    public func sign(_ digest: Bytes32) -> Signature { self.secret.withBytes { Curve.sign(digest, key: $0) } }

    public var description: String { "(private key of \(self.address))" }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["address": self.address]) }
}
