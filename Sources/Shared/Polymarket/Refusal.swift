/// Why a listed market is not watched. The names stand in `scan_status` and in `polybot scan-markets --why`.
public enum Refusal: String, Error, CaseIterable, Sendable {
    // What cannot be read is refused with the reason, never guessed.
    case noConditionID = "no_condition_id"
    case noTokens = "no_tokens"
    case notBinary = "not_binary"
    case sameOutcomes = "same_outcomes"
    case badTick = "bad_tick"
    case badSizeMin = "bad_min_size"
    case badDates = "bad_dates"
    case badFees = "bad_fees"
    /// Neg-risk, delay or rewards.
    case badTerms = "bad_terms"
    case unsupportedVersion = "unsupported_version"
    // The venue's own word that it cannot be traded.
    case inactive, closed, archived
    case noOrderBook = "no_order_book"
    case notAccepting = "not_accepting_orders"
    case ended, resolving
    /// Asked for by name, and not there.
    case unlisted
    // What the order book service says, which is asked before a market is let in.
    case unconfirmed
    case termsDiffer = "terms_differ"
    // Ours.
    case keywords
    case excluded = "excluded_keywords"
    case tags
    case excludedTags = "excluded_tags"
    case series
    case windowAhead = "window_ahead"
    case wrongWindow = "wrong_window"
    case tooLittleTime = "too_little_time"
    case tooMuchTime = "too_much_time"
    case volume = "low_volume"
    case liquidity = "low_liquidity"
    case spread = "wide_spread"
    case price = "price_out_of_range"
    case noRewards = "no_rewards"
    case fees = "high_fees"
    case outranked
}
