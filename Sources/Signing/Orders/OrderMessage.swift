public import Shared

/// Whose signature an order bears, and for whose funds. Source: reference, 4.4.
public enum SignatureType: UInt8, CaseIterable, Hashable, Sendable {
    /// The maker's own.
    case eoa = 0
    /// The owner's, for a proxy wallet.
    case polyProxy = 1
    /// The owner's, for a Safe.
    case polyGnosisSafe = 2
    /// The owner's, checked by the deposit wallet, which is maker and signer.
    case poly1271 = 3
}

/// The signed part of an order. Amounts are in millionths. Source: reference, 4.3.
public struct OrderMessage: Hashable, Sendable {
    /// Tells orders apart that are alike otherwise; below 2⁵³, as the venue reads it as a number of JSON.
    public var salt: UInt64
    /// Whose funds.
    public var maker: Address
    /// Whose signature.
    public var signer: Address
    public var token: TokenID
    /// What the maker gives: pUSD of a buy, shares of a sale.
    public var makerAmount: UInt64
    /// What the maker gets: shares of a buy, pUSD of a sale.
    public var takerAmount: UInt64
    public var side: TradeSide
    public var signatureType: SignatureType
    /// Milliseconds since 1970.
    public var timestamp: UInt64
    public var metadata: Bytes32
    /// Who brought the order to the venue; zero for nobody.
    public var builder: Bytes32

    public init(
        salt: UInt64, maker: Address, signer: Address, token: TokenID, makerAmount: UInt64, takerAmount: UInt64,
        side: TradeSide, signatureType: SignatureType, timestamp: UInt64, metadata: Bytes32 = .zero,
        builder: Bytes32 = .zero
    ) {
        self.salt = salt
        self.maker = maker
        self.signer = signer
        self.token = token
        self.makerAmount = makerAmount
        self.takerAmount = takerAmount
        self.side = side
        self.signatureType = signatureType
        self.timestamp = timestamp
        self.metadata = metadata
        self.builder = builder
    }

    /// 186 characters.
    static let typeText: StaticString = """
        Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,\
        uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)
        """
    private static let typeHash = Keccak256.hash(Self.typeText)

    /// Source: EIP-712, `hashStruct`.
    public var structHash: Bytes32 {
        var keccak = Keccak256()
        keccak.absorb(Self.typeHash)
        keccak.absorb(Bytes32(self.salt))
        keccak.absorb(self.maker.word)
        keccak.absorb(self.signer.word)
        keccak.absorb(Bytes32(words: self.token.words))
        keccak.absorb(Bytes32(self.makerAmount))
        keccak.absorb(Bytes32(self.takerAmount))
        keccak.absorb(Bytes32(self.side == .buy ? 0 : 1))
        keccak.absorb(Bytes32(UInt64(self.signatureType.rawValue)))
        keccak.absorb(Bytes32(self.timestamp))
        keccak.absorb(self.metadata)
        keccak.absorb(self.builder)
        return keccak.digest()
    }

    /// The order's hash, which is the venue's id for it.
    public func digest(in domain: ExchangeDomain) -> Bytes32 {
        .signingDigest(separator: domain.separator, structHash: self.structHash)
    }

    /// Signs with the owner's key: the maker's where the signature type is `eoa`. Gives the order's hash too, as it is known
    /// on the way.
    public func sign(with key: PrivateKey, in domain: ExchangeDomain) -> (hash: Bytes32, signature: OrderSignature) {
        let contents = self.structHash
        let hash = Bytes32.signingDigest(separator: domain.separator, structHash: contents)
        switch self.signatureType {
        case .eoa, .polyProxy, .polyGnosisSafe: return (hash, .plain(key.sign(hash)))
        case .poly1271:
            let digest = self.nestedDigest(contents: contents, in: domain)
            let nested = NestedSignature(inner: key.sign(digest), separator: domain.separator, contents: contents)
            return (hash, .nested(nested))
        }
    }

    /// The owner whose key made `signature` for this order in `domain`; whether that owner may speak for `maker` and `signer`
    /// is for the caller to know. `nil` where nobody can have made it, and where its form is not that of the signature type.
    public func owner(by signature: OrderSignature, in domain: ExchangeDomain) -> Address? {
        let contents = self.structHash
        switch (self.signatureType, signature) {
        case (.eoa, .plain(let plain)), (.polyProxy, .plain(let plain)), (.polyGnosisSafe, .plain(let plain)):
            return plain.signer(of: .signingDigest(separator: domain.separator, structHash: contents))
        case (.poly1271, .nested(let nested)):
            guard nested.separator == domain.separator, nested.contents == contents else { return nil }
            return nested.inner.signer(of: self.nestedDigest(contents: contents, in: domain))
        case (.poly1271, .plain), (.eoa, .nested), (.polyProxy, .nested), (.polyGnosisSafe, .nested): return nil
        }
    }

    /// What the owner of a deposit wallet signs: the order, and for which wallet. Source: ERC-7739, `TypedDataSign`.
    func nestedDigest(contents: Bytes32, in domain: ExchangeDomain) -> Bytes32 {
        var keccak = Keccak256()
        keccak.absorb(NestedSignature.typeHash)
        keccak.absorb(contents)
        keccak.absorb(NestedSignature.walletNameHash)
        keccak.absorb(NestedSignature.walletVersionHash)
        keccak.absorb(Bytes32(domain.chain.rawValue))
        keccak.absorb(self.signer.word)
        keccak.absorb(Bytes32.zero)
        return .signingDigest(separator: domain.separator, structHash: keccak.digest())
    }
}
