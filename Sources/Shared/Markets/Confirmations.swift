/// What the order book service said of markets that are to be let in.
///
/// A new market is listed before that service knows it, for minutes at times: it is asked again, each time after twice the
/// wait. One whose terms are others there than in the listing is asked again likewise, until both agree.
struct Confirmations: Sendable {
    /// Waits before the next question, doubling from the first to the longest.
    private static let waitFirst = Duration.seconds(2)
    private static let waitLongest = Duration.seconds(60)

    private enum State: Hashable {
        case confirmed(ClobTerms)
        /// A member of an earlier life.
        case trusted(Outcome, Outcome)
        case postponed(Refusal, until: Timestamp, wait: Duration)
    }

    private var states: [ConditionID: State] = [:]

    mutating func trust(_ market: Market) { self.states[market.condition] = .trusted(market.first, market.second) }

    mutating func take(_ terms: ClobTerms?, of market: Market, now: Timestamp) {
        if let terms, terms.acceptsOrders, terms.agrees(with: market) {
            self.states[market.condition] = .confirmed(terms)
            return
        }
        var wait = Self.waitFirst
        if case .postponed(_, _, let last)? = self.states[market.condition] { wait = min(Self.waitLongest, last * 2) }
        let refusal: Refusal = terms.map { $0.acceptsOrders ? .termsDiffer : .unconfirmed } ?? .unconfirmed
        self.states[market.condition] = .postponed(refusal, until: now + wait, wait: wait)
    }

    /// Whether it was confirmed as the market is now.
    func holds(_ market: Market) -> Bool {
        switch self.states[market.condition] {
        case .confirmed(let terms)?: terms.agrees(with: market)
        case .trusted(let first, let second)?: first == market.first && second == market.second
        case .postponed?, nil: false
        }
    }

    func hasTakerDelay(_ condition: ConditionID) -> Bool {
        if case .confirmed(let terms)? = self.states[condition] { terms.hasTakerDelay } else { false }
    }

    func refusal(_ condition: ConditionID) -> Refusal? {
        if case .postponed(let refusal, _, _)? = self.states[condition] { refusal } else { nil }
    }

    func isPostponed(_ condition: ConditionID, now: Timestamp) -> Bool {
        if case .postponed(_, let until, _)? = self.states[condition] { until > now } else { false }
    }

    /// One whose time has come and that nobody asks about is not wanted now.
    func nextTry(after now: Timestamp) -> Timestamp? {
        self.states.values.compactMap { state in
            if case .postponed(_, let until, _) = state, until > now { until } else { nil }
        }.min()
    }

    mutating func forget(except pool: [ConditionID: Candidate]) {
        if self.states.count > pool.count { self.states = self.states.filter { pool[$0.key] != nil } }
    }
}
