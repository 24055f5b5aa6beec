import Shared

/// The EIP-712 digest of an order, which is also the venue's id for it. Source: reference, 2.6.
struct OrderHash: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 32 bytes, printed as a condition id is.
    let digest: ConditionID

    static func < (a: OrderHash, b: OrderHash) -> Bool { a.digest < b.digest }
    var description: String { self.digest.description }
}

/// An order as its owner signed and sent it; whether the signature is good was judged before. Source: reference, 4.5.
struct SignedOrder: Hashable, Sendable {
    let hash: OrderHash
    let account: AccountID
    let token: TokenID
    let side: TradeSide
    /// What the owner gives, in millionths: pUSD of a buy, shares of a sale.
    let makerAmount: Int64
    /// What the owner gets, in millionths: shares of a buy, pUSD of a sale.
    let takerAmount: Int64
    let kind: OrderKind
    /// Seconds since 1970; 0 for all but GTD.
    let expiration: Int64
    let isPostOnly: Bool

    var shares: Quantity { Quantity(micros: self.side == .buy ? self.takerAmount : self.makerAmount) }
    var money: Money { Money(micros: self.side == .buy ? self.makerAmount : self.takerAmount) }

    /// A buy that says how many dollars to spend instead of how many shares to get. Source: reference, 2.4.
    var isSizedInMoney: Bool { self.side == .buy && self.isImmediate }

    /// Never rests.
    var isImmediate: Bool {
        switch self.kind {
        case .fok, .fak: true
        case .gtc, .gtd: false
        }
    }
}

/// Where an order stands at the venue.
enum OrderStatus: Hashable, Sendable {
    /// Held by the taker delay. Next: any other.
    case delayed
    /// Rests. Next: any below but `killed` and `invalid`.
    case live
    /// Wholly matched, or partly where the rest was never to stay.
    case matched
    case canceled
    case canceledExpired
    case canceledMarketResolved
    case canceledNotEnoughBalance
    /// FOK or FAK that found too little, with the venue's sentence.
    case killed(EngineRefusal)
    /// The rules changed while it was delayed.
    case invalid

    var isOpen: Bool {
        switch self {
        case .delayed, .live: true
        case .matched, .canceled, .canceledExpired, .canceledMarketResolved, .canceledNotEnoughBalance, .killed,
            .invalid:
            false
        }
    }

    /// As the user channel tells it. Source: reference, 3.3.
    var text: String {
        switch self {
        case .delayed: "DELAYED"
        case .live: "LIVE"
        case .matched: "MATCHED"
        case .canceled: "CANCELED"
        case .canceledExpired: "CANCELED_EXPIRED_ORDER"
        case .canceledMarketResolved: "CANCELED_MARKET_RESOLVED"
        case .canceledNotEnoughBalance: "CANCELED_NOT_ENOUGH_BALANCE"
        case .killed(let refusal): "CANCELED_" + refusal.text
        case .invalid: "INVALID"
        }
    }
}

/// An order that the engine took, while it is open and for a while after.
struct EngineOrder: Hashable, Sendable {
    let signed: SignedOrder
    /// Counts the orders of the engine: the priority among equal prices.
    let sequence: Int
    let market: Int
    /// 0 for the first, 1 for the second.
    let outcome: Int
    /// Worst price in terms of its own outcome.
    let limit: Price
    let createdTime: Timestamp
    /// Nobody is told of it, and it is forgotten as soon as it ends.
    let isCrowd: Bool

    var status: OrderStatus
    /// Shares still wanted, if it was not sized in money.
    var remaining: Quantity
    /// What a buy may still spend.
    var budget: Money
    var matched = Quantity.zero
    /// Trades that it took part in, earliest first; the latest ones, where it was in more than are kept.
    var trades: [TradeID] = []
    /// pUSD (buy) or shares (sale), in millionths, that it keeps from other use.
    var reserved: Int64 = 0

    /// Trades that a resting order remembers.
    private static let tradeCountMax = 100

    mutating func note(_ trade: TradeID) {
        if self.trades.count >= Self.tradeCountMax { self.trades.removeFirst() }
        self.trades.append(trade)
    }

    /// Neighbours in the queue of its price; -1 for none.
    var previous = -1
    var next = -1

    var place: OutcomePlace { OutcomePlace(market: self.market, outcome: self.outcome) }
    /// As others see it: without its neighbours.
    var told: EngineOrder {
        var order = self
        order.previous = -1
        order.next = -1
        return order
    }
    /// The side of the market's one book on which it stands. Buying the second outcome is selling the first.
    var bookSide: BookSide { (self.signed.side == .buy) == (self.outcome == 0) ? .bid : .ask }
    /// Its limit in terms of the first outcome.
    var bookPrice: Price { self.outcome == 0 ? self.limit : self.limit.mirrored }

    /// Too little left to be worth a millionth of a pUSD: nobody could pay for it.
    var isDust: Bool { self.remaining.notional(at: self.limit) == .zero }
}

extension Money {
    /// Shares that this much buys at `price`, rounded down, and `most` at most.
    func shares(at price: Price, most: Quantity) -> Quantity {
        // Compared first, so that the division below cannot overflow: its quotient is less than `most`.
        if most.notional(at: price, roundedUp: true) <= self { return most }
        let product = self.micros.multipliedFullWidth(by: Decimal6.scale)
        return Quantity(micros: Int64(price.micros).dividingFullWidth(product).quotient)
    }
}
