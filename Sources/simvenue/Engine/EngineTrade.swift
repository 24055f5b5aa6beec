import Shared

/// The venue's id of a trade, a UUID.
struct TradeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    /// A version-4 UUID of these bits.
    init(random: (UInt64, UInt64)) {
        self.high = random.0 & ~0xF000 | 0x4000
        self.low = random.1 & ~(3 << 62) | 2 << 62
    }

    static func < (a: TradeID, b: TradeID) -> Bool { (a.high, a.low) < (b.high, b.low) }

    var description: String {
        var text = ""
        for (index, word) in [self.high, self.low].enumerated() {
            for shift in stride(from: 60, through: 0, by: -4) {
                let place = index * 16 + (60 - shift) / 4
                if [8, 12, 16, 20].contains(place) { text += "-" }
                text.append(String(word >> UInt64(shift) & 0xF, radix: 16))
            }
        }
        return text
    }
}

/// How two orders meet. Source: reference, 2.7.
enum MatchKind: Hashable, Sendable {
    /// A buy and a sale of one token.
    case complementary
    /// Two buys, whose money makes new sets.
    case mint
    /// Two sales, whose sets are given up for money.
    case merge
}

/// A maker's part in a trade, and what the taker gave or got against it.
struct TradeLeg: Hashable, Sendable {
    let order: OrderHash
    let account: AccountID
    /// The maker's token, which may be the taker's opposite.
    let place: OutcomePlace
    let side: TradeSide
    /// In terms of the maker's token.
    let price: Price
    let size: Quantity
    let kind: MatchKind
    /// What the maker pays or gets.
    let makerMoney: Money
    /// What the taker pays or gets, without the fee.
    let takerMoney: Money
}

/// One taker against makers at one price. Source: reference, 2.6 and 3.3.
struct EngineTrade: Hashable, Sendable {
    /// Most makers in one trade; a level with more gives several.
    static let legCountMax = 20

    let id: TradeID
    let market: ConditionID
    let contract: ExchangeContract
    let takerOrder: OrderHash
    let taker: AccountID
    /// The taker's token.
    let place: OutcomePlace
    let side: TradeSide
    /// In terms of the taker's token: the makers' price, so that what is better than the taker's limit is the taker's.
    let price: Price
    let size: Quantity
    /// The taker's: on top of what a buy spends, out of what a sale earns.
    let fee: Money
    let legs: [TradeLeg]
    /// Counts the trades of one taker order.
    let bucketIndex: Int
    let matchTime: Timestamp
    /// Becomes known when it is mined.
    let transaction: ConditionID
    /// Whether nobody but the crowd is in it. Then it settled with the match, and this is the last that is heard of it.
    let isAmongCrowd: Bool

    var settlement = Settlement.matched
    var lastUpdate: Timestamp
    /// Steps of settlement so far: tells an appointment that was overtaken by a command.
    var turn = 0

    /// pUSD that waits in it.
    var heldMoney: Money {
        var sum = self.side == .buy ? self.fee : .zero
        for leg in self.legs {
            if leg.side == .buy { sum += leg.makerMoney }
            if self.side == .buy { sum += leg.takerMoney }
        }
        return sum
    }

    /// Shares of a token that wait in it.
    func heldShares(_ place: OutcomePlace) -> Quantity {
        var sum = Quantity.zero
        for leg in self.legs {
            if leg.side == .sell && leg.place == place { sum += leg.size }
            if self.side == .sell && self.place == place { sum += leg.size }
        }
        return sum
    }

    var isSettled: Bool {
        switch self.settlement {
        case .matched, .mined, .retrying: false
        case .confirmed, .failed: true
        }
    }
}
