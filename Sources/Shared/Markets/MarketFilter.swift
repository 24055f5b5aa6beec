/// Which tradable markets are wanted: `[scanner]` of the configuration.
public struct MarketFilter: Hashable, Sendable {
    /// At least one must be found; none given means all. Looked for in question, slug, event, description and tags.
    public var keywords: [String] = []
    /// None may be found.
    public var excludedKeywords: [String] = []
    /// Tags of which a market must have one; none given means all.
    public var tags: [String] = []
    public var excludedTags: [String] = []
    /// Slugs of recurring families that are let in whatever keywords and tags say.
    public var series: [String] = []
    public var timeLeftMin = Duration.seconds(120)
    /// Zero for any.
    public var timeLeftMax = Duration.zero
    /// Of the last 24 hours.
    public var volumeMin = Money.zero
    public var liquidityMin = Money.zero
    /// Between best bid and best ask as the listing knows them, in millionths of a pUSD; a whole one for any.
    public var spreadMax = Decimal6.scale
    /// Where the middle of bid and ask must lie, in millionths; from nothing to a whole one for any.
    public var priceMin: Int64 = 0
    public var priceMax = Decimal6.scale
    /// Whether only markets are wanted that pay liquidity rewards.
    public var needsRewards = false
    /// Highest rate of the taker's fee, in millionths.
    public var feeRateMax = Decimal6.scale
    public var marketCountMax = 25
    public var ranking = MarketRanking.ending
    /// By how much another must be better to take a member's place, and how far a member may fall short of what new ones
    /// need, in millionths.
    public var hysteresis: Int64 = 250_000

    public init() {}
}

/// What decides where more markets are wanted than may be watched. Better ones first; equals in the order of their ids.
public enum MarketRanking: String, CaseIterable, Hashable, Sendable {
    /// Those that end first.
    case ending
    /// Those with the most traded in 24 hours.
    case volume
    /// Those with the most resting in their books.
    case liquidity
    /// Those that pay the most a day for resting orders.
    case rewards
}

/// A filter made ready: words are folded once, since a pass compares them with tens of thousands of markets.
struct FilterJudge: Sendable {
    let filter: MarketFilter
    private let keywords: WordList
    private let excludedKeywords: WordList
    private let tags: WordList
    private let excludedTags: WordList
    private let series: Set<String>
    /// Those of `series` whose windows are known ahead of time.
    let rollingSeries: [RollingSeries]

    init(_ filter: MarketFilter) {
        self.filter = filter
        self.keywords = WordList(filter.keywords)
        self.excludedKeywords = WordList(filter.excludedKeywords)
        self.tags = WordList(filter.tags)
        self.excludedTags = WordList(filter.excludedTags)
        self.series = Set(filter.series)
        self.rollingSeries = filter.series.compactMap { RollingSeries(slug: $0) }
    }

    /// Why a tradable market is not wanted; `nil` when it is.
    ///
    /// - Parameter isMember: members are let go a little later than others are let in, so that a number that moves
    ///   about its bound moves no market in and out.
    func refusal(_ candidate: Candidate, isMember: Bool, now: Timestamp) -> Refusal? {
        self.timeRefusal(candidate, now: now) ?? self.numberRefusal(candidate, isMember: isMember)
            ?? self.wordRefusal(candidate, now: now)
    }

    func timeRefusal(_ candidate: Candidate, now: Timestamp) -> Refusal? {
        let left = candidate.market.endTime - now
        guard left >= self.filter.timeLeftMin else { return .tooLittleTime }
        guard self.filter.timeLeftMax == .zero || left <= self.filter.timeLeftMax else { return .tooMuchTime }
        return nil
    }

    private func numberRefusal(_ candidate: Candidate, isMember: Bool) -> Refusal? {
        let filter = self.filter
        let slack = isMember ? filter.hysteresis : 0
        // Rounded in the member's favour.
        func lowered(_ bound: Int64) -> Int64 { bound - Self.share(slack, of: bound) }
        if filter.volumeMin > .zero {
            guard let volume = candidate.volume, volume.micros >= lowered(filter.volumeMin.micros) else {
                return .volume
            }
        }
        if filter.liquidityMin > .zero {
            guard let liquidity = candidate.liquidity, liquidity.micros >= lowered(filter.liquidityMin.micros) else {
                return .liquidity
            }
        }
        if filter.spreadMax < Decimal6.scale {
            guard let spread = candidate.spread, spread <= filter.spreadMax + Self.share(slack, of: filter.spreadMax)
            else { return .spread }
        }
        if filter.priceMin > 0 || filter.priceMax < Decimal6.scale {
            guard let price = candidate.middle, price >= lowered(filter.priceMin),
                price <= filter.priceMax + Self.share(slack, of: Decimal6.scale - filter.priceMax)
            else { return .price }
        }
        guard !filter.needsRewards || candidate.market.rewards.map({ $0.daily > .zero }) == true else {
            return .noRewards
        }
        return candidate.market.feeRate > filter.feeRateMax ? .fees : nil
    }

    private static func share(_ share: Int64, of value: Int64) -> Int64 {
        Int64((Int128(value) * Int128(share) + Int128(Decimal6.scale) - 1) / Int128(Decimal6.scale))
    }

    /// Excluded words win over everything; then a series lets in its present and its next window, and keywords and tags
    /// together all that they fit.
    private func wordRefusal(_ candidate: Candidate, now: Timestamp) -> Refusal? {
        let needsText = !self.keywords.isEmpty || !self.excludedKeywords.isEmpty
        let text = needsText ? FoldedText(candidate.texts) : FoldedText([])
        guard !self.excludedKeywords.isFound(in: text) else { return .excluded }
        guard !self.excludedTags.isOne(of: candidate.tags) else { return .excludedTags }
        let isOfSeries = self.series.contains(candidate.series)
        if self.isPreferred(candidate, now: now) { return nil }
        // Whoever asks for series alone wants them alone.
        let wantsAll = self.keywords.isEmpty && self.tags.isEmpty && self.series.isEmpty
        guard !wantsAll else { return nil }
        guard !self.keywords.isEmpty || !self.tags.isEmpty else { return isOfSeries ? .windowAhead : .series }
        guard self.keywords.isEmpty || self.keywords.isFound(in: text) else {
            return isOfSeries ? .windowAhead : .keywords
        }
        guard self.tags.isEmpty || self.tags.isOne(of: candidate.tags) else { return isOfSeries ? .windowAhead : .tags }
        return nil
    }

    /// What lets in a market that is not refused, in the words of the configuration.
    func admission(_ candidate: Candidate, now: Timestamp) -> String {
        if self.isPreferred(candidate, now: now) { return "scanner.series has \(candidate.series)" }
        let words = self.keywords.first(in: FoldedText(candidate.texts)).map { "scanner.keywords has \"\($0)\"" }
        let tags = self.tags.first(of: candidate.tags).map { "scanner.tags has \"\($0)\"" }
        let found = [words, tags].compactMap { $0 }
        return found.isEmpty ? "no keywords, tags or series are asked for" : found.joined(separator: ", ")
    }

    /// Whether it is a window of a wanted series that begins later than the next.
    private func isAhead(_ candidate: Candidate, now: Timestamp) -> Bool {
        guard let start = candidate.market.startTime,
            let series = self.rollingSeries.first(where: { $0.slug == candidate.series })
        else { return false }
        return start > series.nextStart(after: now)
    }

    /// Whether a wanted series lets it in: those come before all others.
    func isPreferred(_ candidate: Candidate, now: Timestamp) -> Bool {
        self.series.contains(candidate.series) && !self.isAhead(candidate, now: now)
    }
}
