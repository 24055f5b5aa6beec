import Shared
import Signing

/// What the desk asks of signatures. Source: reference, 4.
enum Signatures {
    /// Whether the bearer of `address` made this request for API keys.
    static func isClaim(
        to address: Address, timestamp: Int64, nonce: UInt64, _ signature: String, on chain: Chain
    ) -> Bool {
        let claim = ClobAuth(address: address, timestamp: timestamp, nonce: nonce, chain: chain)
        return Signature(signature)?.signer(of: claim.digest) == address
    }

    /// Whether a wallet is of `owner` and signs so.
    static func isWallet(_ wallet: Address, of owner: Address, _ type: SignatureType) -> Bool {
        self.wallets(of: owner, type).contains(wallet)
    }

    /// Where the funds of orders signed so can be; the one that is made nowadays is the first.
    static func wallets(of owner: Address, _ type: SignatureType) -> [Address] {
        switch type {
        case .eoa: [owner]
        case .polyProxy: [WalletContract.proxy.address(ownedBy: owner)]
        case .polyGnosisSafe: [WalletContract.safe.address(ownedBy: owner)]
        case .poly1271:
            [WalletContract.depositWallet, .depositWalletUUPS].map { $0.address(ownedBy: owner) }
        }
    }

    /// 32 bytes that follow from `text` and nothing else.
    static func digest(of text: String) -> Bytes32 { Keccak256.hash(Array(text.utf8)) }
}

extension ExchangeContract {
    func domain(on chain: Chain) -> ExchangeDomain {
        switch self {
        case .standard: .of(.exchangeV2, on: chain)
        case .negRisk: .of(.negRiskExchangeV2, on: chain)
        }
    }
}

extension OrderHash {
    init(_ digest: Bytes32) { self.init(digest: ConditionID(words: digest.words)) }

    /// Reads "0x" and 64 hex digits. `nil` for anything else.
    init?(_ text: some StringProtocol) {
        guard let digest = Bytes32(text) else { return nil }
        self.init(digest)
    }
}

extension Bytes32 {
    /// In the order in which they are written.
    var bytes: [UInt8] {
        [self.words.0, self.words.1, self.words.2, self.words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }
}
