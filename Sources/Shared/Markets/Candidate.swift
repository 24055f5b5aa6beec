/// A tradable market as listed, with what filter and ranking judge it by. The numbers are the venue's cached ones, minutes
/// old: good enough to choose a market, never to trade it.
public struct Candidate: Hashable, Sendable {
    public var market: Market
    /// Slug of the recurring family; empty for none.
    public var series = ""
    /// Names of tags.
    public var tags: [String] = []
    /// What the market is decided by, in the venue's words; kept until it has been judged.
    public var description = ""
    /// Traded in 24 hours; `nil` where the venue does not say.
    public var volume: Money?
    public var liquidity: Money?
    /// Of the first outcome, in millionths.
    public var bestBid: Int64?
    public var bestAsk: Int64?
    /// Whether a wanted series lets it in, as of when that was last looked at.
    var isPreferred = false

    public init(_ market: Market) { self.market = market }

    public var condition: ConditionID { self.market.condition }

    /// `nil` without both sides, and where they are crossed.
    var spread: Int64? {
        guard let bid = self.bestBid, let ask = self.bestAsk, ask >= bid else { return nil }
        return ask - bid
    }

    /// Between bid and ask, rounded down; `nil` without both.
    var middle: Int64? { self.spread.map { (self.bestBid ?? 0) + $0 / 2 } }

    /// Where keywords are looked for.
    var texts: [String] {
        [self.market.question, self.market.slug, self.market.event, self.description] + self.tags
    }

    /// Larger is better, for every ranking but that by the end.
    func amount(_ ranking: MarketRanking) -> Int64 {
        switch ranking {
        case .ending: 0
        case .volume: self.volume?.micros ?? 0
        case .liquidity: self.liquidity?.micros ?? 0
        case .rewards: self.market.rewards?.daily.micros ?? 0
        }
    }
}

extension FilterJudge {
    /// The order of the ranking: whether `a` comes before `b`.
    func isBetter(_ a: Candidate, than b: Candidate) -> Bool {
        guard a.isPreferred == b.isPreferred else { return a.isPreferred }
        let (amountA, amountB) = (a.amount(self.filter.ranking), b.amount(self.filter.ranking))
        guard amountA == amountB else { return amountA > amountB }
        return (a.market.endTime, a.condition) < (b.market.endTime, b.condition)
    }

    /// Whether `a` is so much better that it takes the place of the member `b`.
    func isClearlyBetter(_ a: Candidate, than b: Candidate, now: Timestamp) -> Bool {
        guard a.isPreferred == b.isPreferred else { return a.isPreferred }
        let (whole, margin) = (Int128(Decimal6.scale), Int128(self.filter.hysteresis))
        switch self.filter.ranking {
        case .ending:
            let left = { (candidate: Candidate) in
                Int128(candidate.market.endTime.microseconds) - Int128(now.microseconds)
            }
            return left(a) < left(b) && left(a) * (whole + margin) <= left(b) * whole
        case .volume, .liquidity, .rewards:
            let (better, worse) = (Int128(a.amount(self.filter.ranking)), Int128(b.amount(self.filter.ranking)))
            return better > worse && better * whole >= worse * (whole + margin)
        }
    }
}
