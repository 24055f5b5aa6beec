/// How long an order lives.
public enum OrderKind: String, Hashable, Sendable {
    /// Rests until filled or cancelled.
    case gtc
    /// Rests until its expiry.
    case gtd
    /// Whole and now, or not at all.
    case fok
    /// What is possible now; the rest is cancelled.
    case fak
}

/// Where an order stands. Every state says how it ends.
public enum OrderState: String, CaseIterable, Hashable, Sendable {
    /// In the journal. Next: `sent`, or `rejected` when the risk gate or the venue's client refuses.
    case intended
    /// Bytes may have left. Next: any below; `unknown` without an answer.
    case sent
    /// Rests at the venue. Next: `partlyFilled`, `filled`, `cancelling`, `cancelled`, `expired`.
    case live
    /// Held by the venue's taker delay. Next: as `sent`.
    case delayed
    /// Next: as `live`.
    case partlyFilled = "partly_filled"
    case filled
    /// A cancel is under way. Next: `cancelled`, `filled`, `expired`, or back to `live` when the cancel is refused.
    case cancelling
    case cancelled
    case rejected
    /// No answer: it counts as exposure and is never sent again. Next: any other, once the venue was asked.
    case unknown
    case expired

    public var isFinished: Bool {
        switch self {
        case .filled, .cancelled, .rejected, .expired: true
        case .intended, .sent, .live, .delayed, .partlyFilled, .cancelling, .unknown: false
        }
    }
}

/// Whether money is real.
public enum TradingMode: String, Hashable, Sendable {
    case paper, live
}

/// How far a fill is on its way to the chain.
public enum Settlement: String, Hashable, Sendable {
    case matched, mined, confirmed, retrying, failed
}

/// Which part we had in a trade.
public enum Liquidity: String, Hashable, Sendable {
    case maker, taker
}
