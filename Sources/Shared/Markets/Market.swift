/// One side of a binary market.
public struct Outcome: Hashable, Sendable {
    /// "Up", "Yes", a team's name. Outcomes are told apart by this, never by position.
    public let label: String
    public let token: TokenID

    public init(label: String, token: TokenID) {
        self.label = label
        self.token = token
    }
}

/// What a market settles on.
public enum SettlementSource: String, Hashable, Sendable {
    case chainlinkTWAP60 = "chainlink_twap_60"
    case binance1h = "binance_1h"
    case other
}

/// Liquidity rewards of a market.
public struct RewardTerms: Hashable, Sendable {
    /// Smallest order that scores.
    public let sizeMin: Quantity
    /// Largest distance from the midpoint that scores, in millionths of a pUSD.
    public let spreadMax: Int64
    /// Paid for the whole market, a day.
    public let daily: Money

    public init(sizeMin: Quantity, spreadMax: Int64, daily: Money) {
        self.sizeMin = sizeMin
        self.spreadMax = spreadMax
        self.daily = daily
    }
}

/// A binary market with everything that a strategy needs to know of it.
public struct Market: Hashable, Sendable {
    /// Longest text of the venue that is kept, in bytes: slug, question, event, label. Real ones have up to about 300.
    public static let textByteCountMax = 1_000
    /// A fee of the whole notional. More is taken for a mistake, and would overflow.
    public static let feeRateMax = Decimal6.scale
    public static let feeExponentMax: Int64 = 4

    public let condition: ConditionID
    public var slug: String
    public var question: String
    /// Books and prices are told in terms of the first.
    public let first: Outcome
    public let second: Outcome
    public var tick: TickSize
    /// Smallest order.
    public var sizeMin: Quantity
    public var isNegRisk: Bool
    /// Whether outcomes may still be added to its neg-risk event, so that those that are named need not hold the winner.
    public var isAugmented = false
    /// Slug of the event that the market belongs to; empty when unknown.
    public var event: String
    public var startTime: Timestamp?
    public var endTime: Timestamp
    /// Taker fee: shares × rate × (p × (1 − p))^exponent. The rate in millionths.
    public var feeRate: Int64
    public var feeExponent: Int64
    /// What makers get back of the takers' fees, in millionths of them.
    public var rebateRate: Int64 = 0
    public var hasTakerDelay: Bool
    /// Whole seconds of that delay; 0 where it is shorter, or none.
    public var takerDelaySeconds: Int64 = 0
    public var rewards: RewardTerms?
    public var settlement: SettlementSource
    /// Where the venue says that the result comes from; empty when it does not.
    public var resolutionSource = ""
    /// "btc" and the like, for markets on a price.
    public var asset: String?

    public init(
        condition: ConditionID, slug: String, question: String, first: Outcome, second: Outcome, tick: TickSize,
        sizeMin: Quantity, isNegRisk: Bool, event: String, startTime: Timestamp?, endTime: Timestamp, feeRate: Int64,
        feeExponent: Int64, hasTakerDelay: Bool, rewards: RewardTerms?, settlement: SettlementSource, asset: String?
    ) {
        self.condition = condition
        self.slug = slug
        self.question = question
        self.first = first
        self.second = second
        self.tick = tick
        self.sizeMin = sizeMin
        self.isNegRisk = isNegRisk
        self.event = event
        self.startTime = startTime
        self.endTime = endTime
        self.feeRate = feeRate
        self.feeExponent = feeExponent
        self.hasTakerDelay = hasTakerDelay
        self.rewards = rewards
        self.settlement = settlement
        self.asset = asset
    }

    /// The taker's fee for `size` at `price`, rounded up to a hundred-thousandth of a pUSD and at least that where a fee
    /// is due at all: the venue's rounding direction is not documented, so the dearer one is reserved.
    public func takerFee(size: Quantity, price: Price) -> Money {
        guard self.feeRate > 0, size > .zero else { return .zero }
        let p = Int128(price.micros)
        let variance = p * (1_000_000 - p)  // in 10⁻¹²
        var fee = Int128(size.micros) * Int128(self.feeRate)  // in 10⁻¹²
        for _ in 0..<max(0, self.feeExponent) { fee = Self.divideUp(fee * variance, by: 1_000_000_000_000) }
        return Money(micros: Int64(max(1, Self.divideUp(fee, by: 10_000_000))) * 10)
    }

    private static func divideUp(_ value: Int128, by divisor: Int128) -> Int128 { (value + divisor - 1) / divisor }
}
