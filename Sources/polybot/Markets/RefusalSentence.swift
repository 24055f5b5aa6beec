import Shared

extension Refusal {
    /// The reason for a person, and what would change it where something would.
    var sentence: String {
        switch self {
        case .noConditionID: "The listing gives no condition id."
        case .noTokens: "The listing gives no token ids; a new market may get them within minutes."
        case .notBinary: "It does not have exactly two outcomes with a token each."
        case .sameOutcomes: "Its two outcomes have the same token or the same label."
        case .badTick: "Its tick size is missing or none that is known."
        case .badSizeMin: "Its least order size is missing or not above zero."
        case .badDates: "Its dates cannot be read."
        case .badFees: "Its fees cannot be read exactly."
        case .badTerms: "Its neg-risk flag, its delay or its rewards cannot be read."
        case .unsupportedVersion: "It is of a version of the protocol that has no book here."
        case .inactive: "The venue says that it is not active."
        case .closed: "The venue has closed it."
        case .archived: "The venue has archived it."
        case .noOrderBook: "It is not traded in an order book."
        case .notAccepting: "The venue accepts no orders in it now."
        case .ended: "Its end is over."
        case .resolving: "Its outcome is being decided."
        case .unlisted: "The venue does not list it any more."
        case .unconfirmed: "The venue's order book service does not know it yet, or accepts no orders in it."
        case .termsDiffer: "The venue's order book service knows other terms of it than the listing."
        case .tags: "It has none of the tags of scanner.tags."
        case .excludedTags: "It has one of the tags of scanner.exclude_tags."
        case .series: "It belongs to none of scanner.series, and nothing else is asked for."
        case .windowAhead: "It is a window of one of scanner.series, but later than the next."
        case .wrongWindow: "Its dates are not those of the window that its name tells."
        case .tooMuchTime: "It ends later than scanner.max_time_left_s from now."
        case .volume: "It has less traded in 24 hours than scanner.min_volume_usd, or the venue does not say."
        case .liquidity: "It has less resting in its book than scanner.min_liquidity_usd, or the venue does not say."
        case .spread: "Its best bid and ask are farther apart than scanner.max_spread, or one of them is missing."
        case .price: "Its price is not between scanner.min_price and scanner.max_price, or is not known."
        case .noRewards: "It pays nothing for resting orders, as scanner.rewards_only demands."
        case .fees: "Its taker's fee has a higher rate than scanner.max_fee_rate."
        case .keywords: "It has none of the words of scanner.keywords."
        case .excluded: "It has one of the words of scanner.exclude_keywords."
        case .tooLittleTime: "It ends sooner than scanner.min_time_left_s from now."
        case .outranked: "It could be watched, but scanner.max_markets others rank before it, by scanner.ranking."
        }
    }
}
