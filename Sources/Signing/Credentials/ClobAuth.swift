/// What an owner signs to get API keys: that the account is theirs (L1). Source: reference, 4.1.
public struct ClobAuth: Hashable, Sendable {
    public var address: Address
    /// Seconds since 1970.
    public var timestamp: Int64
    /// Names one of the account's API keys; 0 if there is no reason for another.
    public var nonce: UInt64
    public var chain: Chain

    public init(address: Address, timestamp: Int64, nonce: UInt64 = 0, chain: Chain = .polygon) {
        self.address = address
        self.timestamp = timestamp
        self.nonce = nonce
        self.chain = chain
    }

    /// What is signed.
    public var digest: Bytes32 {
        .signingDigest(separator: Self.separator(on: self.chain), structHash: self.structHash)
    }

    private static let typeHash = Keccak256.hash(
        "ClobAuth(address address,string timestamp,uint256 nonce,string message)" as StaticString)
    private static let messageHash = Keccak256.hash(
        "This message attests that I control the given wallet" as StaticString)

    var structHash: Bytes32 {
        var keccak = Keccak256()
        keccak.absorb(Self.typeHash)
        keccak.absorb(self.address.word)
        keccak.absorb(Keccak256.hash(String(self.timestamp).utf8))
        keccak.absorb(Bytes32(self.nonce))
        keccak.absorb(Self.messageHash)
        return keccak.digest()
    }

    static func separator(on chain: Chain) -> Bytes32 {
        var keccak = Keccak256()
        keccak.absorb(Keccak256.hash("EIP712Domain(string name,string version,uint256 chainId)" as StaticString))
        keccak.absorb(Keccak256.hash("ClobAuthDomain" as StaticString))
        keccak.absorb(Keccak256.hash("1" as StaticString))
        keccak.absorb(Bytes32(chain.rawValue))
        return keccak.digest()
    }
}
