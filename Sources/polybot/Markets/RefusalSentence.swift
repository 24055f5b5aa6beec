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
        case .unsupportedVersion: "It is of a version of the protocol that has no book here."
        case .inactive: "The venue says that it is not active."
        case .closed: "The venue has closed it."
        case .archived: "The venue has archived it."
        case .noOrderBook: "It is not traded in an order book."
        case .notAccepting: "The venue accepts no orders in it now."
        case .ended: "Its end is over."
        case .resolving: "Its outcome is being decided."
        case .keywords: "It has none of the words of scanner.keywords."
        case .excluded: "It has one of the words of scanner.exclude_keywords."
        case .tooLittleTime: "It ends sooner than scanner.min_time_left_s from now."
        case .outranked: "It could be watched, but scanner.max_markets others end sooner."
        }
    }
}
