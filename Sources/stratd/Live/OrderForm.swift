import Shared
import Signing

/// How the account's orders are written: whose funds they move, and whose signature they bear. Source: reference, 4.3 and 4.4.
struct OrderForm: Hashable, Sendable {
    let maker: Address
    let signer: Address
    let signatureType: SignatureType
    var chain = Chain.polygon

    /// - Parameters:
    ///   - owner: of the key.
    ///   - funder: the wallet, where it is not the key's own.
    init(owner: Address, funder: Address?, _ signatureType: SignatureType) {
        self.maker = signatureType == .eoa ? owner : funder ?? owner
        self.signer = signatureType == .poly1271 ? self.maker : owner
        self.signatureType = signatureType
    }

    /// The order as it is signed. The same order at the same time gives the same message, and so the same hash.
    ///
    /// Amounts are exact: sizes lie on the grid of hundredths, prices on a tick, whose product has six places at most.
    func message(_ id: OrderID, _ intent: OrderIntent, at time: Timestamp) -> OrderMessage {
        let money = UInt64(intent.notional.micros)
        let shares = UInt64(intent.size.micros)
        return OrderMessage(
            salt: Self.salt(id, at: time), maker: self.maker, signer: self.signer, token: intent.token,
            makerAmount: intent.side == .buy ? money : shares, takerAmount: intent.side == .buy ? shares : money,
            side: intent.side, signatureType: self.signatureType, timestamp: UInt64(time.microseconds / 1_000))
    }

    func domain(_ intent: OrderIntent) -> ExchangeDomain {
        .of(intent.token, isNegRisk: intent.isNegRisk, on: self.chain)
    }

    /// Tells orders apart that say the same in the same millisecond: their numbers differ. It needs not be secret.
    private static func salt(_ id: OrderID, at time: Timestamp) -> UInt64 {
        var random = SeededRandom(seed: UInt64(id.number) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(time.microseconds))
        return random.next() >> 11
    }
}

/// Where an order's hash comes from: it is known before the order is written anywhere.
enum OrderIdentity: Hashable, Sendable {
    case paper
    case live(OrderForm)

    func hash(_ id: OrderID, _ intent: OrderIntent, at time: Timestamp) -> String {
        switch self {
        case .paper: PaperHash.of(id, intent, at: time)
        case .live(let form): form.message(id, intent, at: time).digest(in: form.domain(intent)).description
        }
    }
}
