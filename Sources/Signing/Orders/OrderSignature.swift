/// What stands in an order's `signature`. Source: reference, 4.4.
public enum OrderSignature: Hashable, Sendable, CustomStringConvertible {
    /// 65 bytes, of the order's hash.
    case plain(Signature)
    /// 317 bytes, of a deposit wallet's order.
    case nested(NestedSignature)

    /// Reads "0x" and hex digits of either case. `nil` for what has neither form.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let signature = copy.withUTF8({ OrderSignature(hex: $0) }) else { return nil }
        self = signature
    }

    /// As `init(_:)`, for bytes.
    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        if let signature = Signature(hex: bytes) {
            self = .plain(signature)
        } else if let signature = NestedSignature(hex: bytes) {
            self = .nested(signature)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .plain(let signature): signature.description
        case .nested(let signature): signature.description
        }
    }
}
