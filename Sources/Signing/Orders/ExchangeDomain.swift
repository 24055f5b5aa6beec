public import Shared

/// The chain on which signatures hold.
public enum Chain: UInt64, CaseIterable, Hashable, Sendable {
    case polygon = 137
    /// Polygon's test chain.
    case amoy = 80_002
}

/// A contract that settles trades; every order is signed for one of them.
public enum Exchange: CaseIterable, Hashable, Sendable {
    case exchangeV2
    /// For markets of an event of which only one outcome can win.
    case negRiskExchangeV2
    /// For position ids.
    case exchangeV3
}

/// What binds an order's signature to one exchange on one chain (EIP-712). Source: reference, 0.3 and 4.3.
public struct ExchangeDomain: Hashable, Sendable {
    public let exchange: Exchange
    public let chain: Chain
    public let verifyingContract: Address
    /// The hash of all that.
    public let separator: Bytes32

    public static func of(_ exchange: Exchange, on chain: Chain = .polygon) -> ExchangeDomain {
        switch (exchange, chain) {
        case (.exchangeV2, .polygon): Self.exchangeV2
        case (.negRiskExchangeV2, .polygon): Self.negRiskExchangeV2
        case (.exchangeV3, .polygon): Self.exchangeV3
        case (.exchangeV2, .amoy): Self.amoyExchangeV2
        case (.negRiskExchangeV2, .amoy): Self.amoyNegRiskExchangeV2
        case (.exchangeV3, .amoy): Self.amoyExchangeV3
        }
    }

    /// Where orders for `token` are settled. A position id says so itself, whatever its market is. Source: reference, 0.1.
    public static func of(_ token: TokenID, isNegRisk: Bool, on chain: Chain = .polygon) -> ExchangeDomain {
        if PositionID(token) != nil { return Self.of(.exchangeV3, on: chain) }
        return Self.of(isNegRisk ? .negRiskExchangeV2 : .exchangeV2, on: chain)
    }

    private static let exchangeV2 = ExchangeDomain(.exchangeV2, .polygon, "0xE111180000d2663C0091e4f400237545B87B996B")
    private static let negRiskExchangeV2 = ExchangeDomain(
        .negRiskExchangeV2, .polygon, "0xe2222d279d744050d28e00520010520000310F59")
    private static let exchangeV3 = ExchangeDomain(.exchangeV3, .polygon, "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa")
    private static let amoyExchangeV2 = ExchangeDomain(.exchangeV2, .amoy, "0xE111180000d2663C0091e4f400237545B87B996B")
    private static let amoyNegRiskExchangeV2 = ExchangeDomain(
        .negRiskExchangeV2, .amoy, "0xe2222d279d744050d28e00520010520000310F59")
    private static let amoyExchangeV3 = ExchangeDomain(.exchangeV3, .amoy, "0x9fE6e61422AdB6F610d8597F9684b16912D50C3D")

    private init(_ exchange: Exchange, _ chain: Chain, _ contract: StaticString) {
        self.exchange = exchange
        self.chain = chain
        self.verifyingContract = Address(known: contract)
        let version: StaticString =
            switch exchange {
            case .exchangeV2, .negRiskExchangeV2: "2"
            case .exchangeV3: "3"
            }
        var keccak = Keccak256()
        keccak.absorb(
            Keccak256.hash(
                "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)" as StaticString))
        keccak.absorb(Keccak256.hash("Polymarket CTF Exchange" as StaticString))
        keccak.absorb(Keccak256.hash(version))
        keccak.absorb(Bytes32(chain.rawValue))
        keccak.absorb(self.verifyingContract.word)
        self.separator = keccak.digest()
    }
}

extension Bytes32 {
    /// What is signed of a structure in a domain. Source: EIP-712.
    static func signingDigest(separator: Bytes32, structHash: Bytes32) -> Bytes32 {
        var keccak = Keccak256()
        keccak.absorb(0x19 as UInt8)
        keccak.absorb(0x01 as UInt8)
        keccak.absorb(separator)
        keccak.absorb(structHash)
        return keccak.digest()
    }
}
