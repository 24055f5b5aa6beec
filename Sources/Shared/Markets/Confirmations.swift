/// What the order book service said of markets that are to be let in.
///
/// A new market is listed before that service knows it, for minutes at times: it is asked again, each time after twice the
/// wait. One whose terms are others there than in the listing is asked again likewise, until both agree.
struct Confirmations: Sendable {
    /// Waits before the next question, doubling from the first to the longest.
    private static let waitFirst = Duration.seconds(2)
    private static let waitLongest = Duration.seconds(60)

    private enum State: Hashable {
        /// `isNews`: whether the listing has said nothing else since.
        case confirmed(ClobTerms, isNews: Bool)
        /// A member of an earlier life.
        case trusted(Outcome, Outcome)
        case postponed(Refusal, until: Timestamp, wait: Duration)
    }

    private var states: [ConditionID: State] = [:]

    mutating func trust(_ market: Market) { self.states[market.condition] = .trusted(market.first, market.second) }

    /// - Parameter isMember: what is let in already stays; its rules are looked at.
    mutating func take(_ terms: ClobTerms?, of market: Market, isMember: Bool, now: Timestamp) {
        if isMember {
            if let terms, terms.acceptsOrders, terms.isSameMarket(as: market) {
                self.states[market.condition] = .confirmed(terms, isNews: true)
            }
            return
        }
        if let terms, terms.acceptsOrders, terms.agrees(with: market) {
            self.states[market.condition] = .confirmed(terms, isNews: true)
            return
        }
        var wait = Self.waitFirst
        if case .postponed(_, _, let last)? = self.states[market.condition] { wait = min(Self.waitLongest, last * 2) }
        let refusal: Refusal = terms.map { $0.acceptsOrders ? .termsDiffer : .unconfirmed } ?? .unconfirmed
        self.states[market.condition] = .postponed(refusal, until: now + wait, wait: wait)
    }

    /// The listing says something else of a market than before: that is newer than what was confirmed.
    mutating func listingChanged(_ condition: ConditionID) {
        if case .confirmed(let terms, _)? = self.states[condition] {
            self.states[condition] = .confirmed(terms, isNews: false)
        }
    }

    /// Whether it was confirmed as the market is now.
    func holds(_ market: Market) -> Bool {
        switch self.states[market.condition] {
        case .confirmed(let terms, _)?: terms.agrees(with: market)
        case .trusted(let first, let second)?: first == market.first && second == market.second
        case .postponed?, nil: false
        }
    }

    /// The listing's market with the rules by which orders are taken. The listing knows of no delay below a second.
    func rules(of market: Market) -> Market {
        guard case .confirmed(let terms, let isNews)? = self.states[market.condition] else { return market }
        var market = market
        if isNews { terms.apply(to: &market) }
        if terms.hasTakerDelay { market.hasTakerDelay = true }
        return market
    }

    func refusal(_ condition: ConditionID) -> Refusal? {
        if case .postponed(let refusal, _, _)? = self.states[condition] { refusal } else { nil }
    }

    func isPostponed(_ condition: ConditionID, now: Timestamp) -> Bool {
        self.states[condition].flatMap { Self.end(of: $0, after: now) } != nil
    }

    /// One whose time has come and that nobody asks about is not wanted now.
    func nextTry(after now: Timestamp) -> Timestamp? {
        self.states.values.compactMap { Self.end(of: $0, after: now) }.min()
    }

    /// When a wait ends that still runs; one that seems to last longer than it was set for is of a clock that was set back
    /// since, and over.
    private static func end(of state: State, after now: Timestamp) -> Timestamp? {
        guard case .postponed(_, let until, let wait) = state, until > now, until - now <= wait else { return nil }
        return until
    }

    mutating func forget(except pool: [ConditionID: Candidate]) {
        if self.states.count > pool.count { self.states = self.states.filter { pool[$0.key] != nil } }
    }
}
