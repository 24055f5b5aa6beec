import Shared

/// How long a strategy places nothing in a market, counted in rounds of orders of which the venue took none.
struct RejectionWait: Hashable, Sendable {
    static let first = Duration.milliseconds(500)
    /// The venue's maintenance is over within minutes: a longer wait would miss its end. Source: reference, 2.8.
    static let longest = Duration.seconds(30)
    /// Rounds after which the wait grows no more.
    private static let roundCountMax = 7

    let roundCount: Int
    /// Whether the last of them was told of another version of orders.
    let isVersion: Bool
    /// Until then nothing is placed.
    let until: Instant

    /// A wait after one more round.
    ///
    ///     rounds in a row     1      2      3      4      5      6      7 and on
    ///     wait                0.5 s  1 s    2 s    4 s    8 s    16 s   30 s
    init(after former: RejectionWait?, isVersion: Bool, now: Instant) {
        self.isVersion = isVersion
        self.roundCount = min((former?.roundCount ?? 0) + 1, Self.roundCountMax)
        self.until = now + min(Self.first * (1 << (self.roundCount - 1)), Self.longest)
    }

    /// One as another was.
    init(roundCount: Int, isVersion: Bool, until: Instant) {
        self.roundCount = roundCount
        self.isVersion = isVersion
        self.until = until
    }

    /// For decisions.
    var reason: DecisionBody.Reason {
        DecisionBody.Reason(
            gate: "venue", code: "rejected",
            detail: "the venue took none of the last \(self.roundCount) rounds of orders")
    }
}

/// What the venue's words for a rejected order ask for, beyond waiting. Source: reference, 2.6.
enum RejectionMeaning: Hashable, Sendable {
    /// The order is not what the venue takes, and so would be every other: nothing but another version or other settings helps.
    case mistake
    /// The venue may have changed its order format. Once may be a moment between two of its servers; again, it is so.
    case version
    /// Funds, price, book or the market: another order, or the same later, may be taken.
    case passing

    private static let mistakes = [
        "invalid nonce", "invalid expiration", "invalid order payload", "invalid signature",
        "order owner has to be the owner of the api key", "order signer address has to be the address of the api key",
    ]

    init(_ reason: String) {
        let text = reason.lowercased()
        if Self.mistakes.contains(where: text.contains) {
            self = .mistake
        } else {
            self = text.contains("order_version_mismatch") ? .version : .passing
        }
    }
}

extension StrategyEngine {
    /// The wait of a strategy in a market; `nil` when it may place there.
    func rejectionWait(_ key: LookKey, now: Moment) -> RejectionWait? {
        self.rejectionWaits[key].flatMap { now.instant < $0.until ? $0 : nil }
    }

    /// The venue rejected an order: the strategy waits before it places another in that market, longer each time. A rejection
    /// that every order would meet halts trading.
    mutating func rejected(_ order: LedgerOrder, reason: String, now: Moment) {
        let meaning = RejectionMeaning(reason)
        if meaning == .mistake { self.halt("rejected", now: now) }
        // Sales of an operator are misses of the book, and have an interval of their own.
        guard order.body.kind != .fak, let key = self.lookKey(of: order) else { return }
        // Orders of one round tell the same once.
        guard self.rejectionWait(key, now: now) == nil else { return }
        let former = self.rejectionWaits[key]
        // One that left with the last round may be answered after its wait.
        let leftAt = now.instant + (order.body.time - now.time)
        if let former, leftAt < former.until { return }
        self.rejectionWaits[key] = RejectionWait(after: former, isVersion: meaning == .version, now: now.instant)
        if meaning == .version && former?.isVersion == true { self.halt("rejected", now: now) }
    }

    /// The venue took an order: all is as before, unless that order left with one that was rejected.
    mutating func endRejectionWait(of order: LedgerOrder, now: Moment) {
        guard let key = self.lookKey(of: order), self.rejectionWait(key, now: now) == nil else { return }
        self.rejectionWaits[key] = nil
    }

    private func lookKey(of order: LedgerOrder) -> LookKey? {
        self.slots.firstIndex { $0.name == order.body.strategy }.map { LookKey(market: order.body.market, slot: $0) }
    }
}
