import Shared
import Signing

/// The order of a request, as it stands in the body. Source: reference, 4.5.
struct OrderForm: Hashable, Sendable {
    /// Least number that a salt must stay below: JSON's numbers are not exact from there on.
    static let saltEnd: UInt64 = 1 << 53
    /// Digits of the longest amount and time that are read.
    static let digitCountMax = 18

    /// What is signed.
    let message: OrderMessage
    /// `nil` for what has not the form of any.
    let signature: OrderSignature?
    /// Seconds since 1970; not signed.
    let expiration: Int64

    /// The key that it is placed with.
    let owner: String
    let kind: OrderKind
    let isPostOnly: Bool

    enum Problem: Error, Hashable, Sendable {
        case malformed
        /// An order of the first generation. Source: reference, 0.1.
        case outdated
    }

    /// Reads `{"order":{…},"owner":…,"orderType":…}`; members that are not known are passed over.
    init(_ body: JSONValue) throws(Problem) {
        guard let order = body["order"], order.object != nil else { throw .malformed }
        if order["nonce"] != nil && order["feeRateBps"] != nil && order["timestamp"] == nil { throw .outdated }
        guard let message = Self.message(order), let signature = order["signature"]?.string,
            let expiration = Self.digits(order["expiration"])
        else { throw .malformed }
        guard let owner = body["owner"]?.string, let kind = Self.kind(body["orderType"]?.string),
            let isPostOnly = Self.flag(body["postOnly"]), Self.flag(body["deferExec"]) != nil
        else { throw .malformed }
        self.message = message
        self.signature = OrderSignature(signature)
        self.expiration = expiration
        self.owner = owner
        self.kind = kind
        self.isPostOnly = isPostOnly
    }

    private static func message(_ order: JSONValue) -> OrderMessage? {
        guard let salt = order["salt"]?.number.flatMap({ UInt64($0) }), salt < Self.saltEnd,
            let maker = order["maker"]?.string.flatMap({ Address($0) }),
            let signer = order["signer"]?.string.flatMap({ Address($0) }),
            let token = order["tokenId"]?.string.flatMap({ TokenID($0) }),
            let makerAmount = Self.digits(order["makerAmount"]), let takerAmount = Self.digits(order["takerAmount"]),
            let side = Self.side(order["side"]?.string),
            let type = order["signatureType"]?.number.flatMap({ UInt8($0) }).flatMap({ SignatureType(rawValue: $0) }),
            let timestamp = Self.digits(order["timestamp"]),
            let metadata = order["metadata"]?.string.flatMap({ Bytes32($0) }),
            let builder = order["builder"]?.string.flatMap({ Bytes32($0) })
        else { return nil }
        return OrderMessage(
            salt: salt, maker: maker, signer: signer, token: token, makerAmount: UInt64(makerAmount),
            takerAmount: UInt64(takerAmount), side: side, signatureType: type, timestamp: UInt64(timestamp),
            metadata: metadata, builder: builder)
    }

    /// A number without sign, in a string.
    private static func digits(_ value: JSONValue?) -> Int64? {
        guard let text = value?.string, (1...Self.digitCountMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }

    private static func side(_ word: String?) -> TradeSide? {
        switch word {
        case "BUY": .buy
        case "SELL": .sell
        default: nil
        }
    }

    private static func kind(_ word: String?) -> OrderKind? {
        switch word {
        case "GTC": .gtc
        case "GTD": .gtd
        case "FOK": .fok
        case "FAK": .fak
        default: nil
        }
    }

    /// `false` when it is left out; `nil` when it is something else.
    private static func flag(_ value: JSONValue?) -> Bool? {
        guard let value else { return false }
        return value.bool
    }

    func signed(_ hash: OrderHash, by account: AccountID) -> SignedOrder {
        SignedOrder(
            hash: hash, account: account, token: self.message.token, side: self.message.side,
            makerAmount: Int64(self.message.makerAmount), takerAmount: Int64(self.message.takerAmount), kind: self.kind,
            expiration: self.expiration, isPostOnly: self.isPostOnly)
    }
}

extension JSONValue {
    /// The text of a number that is one in the JSON.
    fileprivate var number: String? { if case .number(let text) = self { text } else { nil } }
}

extension OrderKind {
    /// "GTC" and so on.
    var venueText: String { self.rawValue.uppercased() }
}

extension TradeSide {
    /// "BUY" or "SELL".
    var venueText: String { self == .buy ? "BUY" : "SELL" }
}
