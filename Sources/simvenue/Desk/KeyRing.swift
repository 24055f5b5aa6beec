import Shared
import Signing

/// An API key of the venue with its secrets. Source: reference, 2.2.
struct APIKey: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case trading
        /// May look at everything and do nothing.
        case readOnly
        /// For builders: attribution alone.
        case builder
    }

    /// A UUID, as the venue writes them.
    let id: String
    /// Base64url, with padding.
    let secret: String
    /// Hex.
    let passphrase: String
    let signer: Address
    let kind: Kind
    let createdTime: Timestamp
    var revokedTime: Timestamp?

    var isLive: Bool { self.revokedTime == nil }
}

/// All API keys. The same seed, signer and nonce give the same key.
struct KeyRing: Sendable {
    /// Of one signer, revoked ones too: their nonces stay used.
    static let signerKeyCountMax = 32
    /// Of everybody.
    static let keyCountMax = 20_000

    private struct Origin: Hashable {
        let signer: Address
        let nonce: UInt64
    }

    private let seed: UInt64
    private var keys: [String: APIKey] = [:]
    private var idsByOrigin: [Origin: String] = [:]
    /// In the order of creation.
    private var idsBySigner: [Address: [String]] = [:]

    init(seed: UInt64) { self.seed = seed }

    var count: Int { self.keys.count }

    /// A key that may be used.
    subscript(id: String) -> APIKey? { self.keys[id].flatMap { $0.isLive ? $0 : nil } }

    /// Whose key that is or was.
    func signer(of id: String) -> Address? { self.keys[id]?.signer }

    /// Keys of a signer, revoked ones too, in the order of creation.
    func keys(of signer: Address) -> [APIKey] { (self.idsBySigner[signer] ?? []).compactMap { self.keys[$0] } }

    /// The trading key that was made for `nonce`, if it may still be used.
    func key(of signer: Address, nonce: UInt64) -> APIKey? {
        self.idsByOrigin[Origin(signer: signer, nonce: nonce)].flatMap { self[$0] }
    }

    /// Makes the trading key of a nonce.
    ///
    /// - Returns: `nil` when there was one ever, or no more are kept.
    mutating func create(for signer: Address, nonce: UInt64, at time: Timestamp) -> APIKey? {
        let origin = Origin(signer: signer, nonce: nonce)
        guard self.idsByOrigin[origin] == nil else { return nil }
        let key = self.derive(.trading, for: signer, "nonce \(nonce)", at: time)
        guard self.keep(key) else { return nil }
        self.idsByOrigin[origin] = key.id
        return key
    }

    /// Makes a key of another kind.
    ///
    /// - Returns: `nil` when no more are kept.
    mutating func create(_ kind: APIKey.Kind, for signer: Address, at time: Timestamp) -> APIKey? {
        let number = self.idsBySigner[signer]?.count ?? 0
        let key = self.derive(kind, for: signer, "\(kind) \(number)", at: time)
        return self.keep(key) ? key : nil
    }

    /// Takes a key that was made elsewhere.
    mutating func keep(_ key: APIKey) -> Bool {
        guard self.keys.count < Self.keyCountMax, self.keys[key.id] == nil,
            self.idsBySigner[key.signer]?.count ?? 0 < Self.signerKeyCountMax
        else { return false }
        self.keys[key.id] = key
        self.idsBySigner[key.signer, default: []].append(key.id)
        return true
    }

    mutating func revoke(_ id: String, at time: Timestamp) { self.keys[id]?.revokedTime = time }

    private func derive(_ kind: APIKey.Kind, for signer: Address, _ name: String, at time: Timestamp) -> APIKey {
        func digest(_ part: String) -> Bytes32 {
            Signatures.digest(of: "simvenue \(self.seed) \(signer) \(name) \(part)")
        }
        let id = digest("key").words
        let secret = digest("secret").bytes.withUnsafeBytes { Base64URL.encode($0) }
        return APIKey(
            id: UUIDText.make((id.0, id.1)), secret: secret,
            passphrase: String(digest("passphrase").description.dropFirst(2)), signer: signer, kind: kind,
            createdTime: time)
    }
}

/// Version-4 UUIDs out of given bits.
enum UUIDText {
    static func make(_ bits: (UInt64, UInt64)) -> String { TradeID(random: bits).description }
}
