/// Every type of frame that this version knows. Others are counted and skipped.
public enum FrameType: String, CaseIterable, Sendable {
    // Every socket.
    case hello, ping, pong, error, result, subscribe, metrics
    // scannerd.sock
    case universe
    case marketAdded = "market_added"
    case marketChanged = "market_changed"
    case marketRemoved = "market_removed"
    case eventGroup = "event_group"
    case scanStatus = "scan_status"
    case scanNow = "scan_now"
    // feedd.sock
    case market, book, delta, trade, trust, resolved
    case tickSize = "tick_size"
    case referencePrice = "reference_price"
    case tradesDropped = "trades_dropped"
    case marketHint = "market_hint"
    case feedStatus = "feed_status"
    // stratd.sock
    case order, fill, position, balance, decision
    case riskStatus = "risk_status"
    case strategyStatus = "strategy_status"
    case halt, resume, flatten, explain
    case cancelAll = "cancel_all"
    case pauseStrategy = "pause_strategy"
    case resumeStrategy = "resume_strategy"
    case setLimit = "set_limit"

    /// Never conflated, never dropped: a subscriber that cannot take it is disconnected.
    public var isPrecious: Bool {
        switch self {
        case .book, .delta, .trade, .tradesDropped, .feedStatus, .scanStatus, .metrics, .riskStatus, .strategyStatus,
            .referencePrice, .marketHint:
            false
        default: true
        }
    }
}

/// Codes of `error` frames.
public enum ErrorCode: String, CaseIterable, Sendable {
    case badLength = "bad_length"
    case badJSON = "bad_json"
    case badVersion = "bad_version"
    case badRequest = "bad_request"
    case notAllowed = "not_allowed"
    case slowConsumer = "slow_consumer"
    case tooMany = "too_many"
    case `internal` = "internal"
}

/// Why a book is not trusted.
public enum TrustReason: String, CaseIterable, Sendable {
    case silent, dropped, crossed, mirror, gap, resolved, malformed, removed
    case hashMismatch = "hash_mismatch"
    case noSnapshot = "no_snapshot"
    case restStale = "rest_stale"
}
