/// The set of markets that are watched, as a value: a listing and a filter in, changes out.
public struct Universe: Sendable {
    public struct Filter: Hashable, Sendable {
        /// At least one must be found; none given means all.
        public var keywords: [String] = []
        /// None may be found.
        public var excludedKeywords: [String] = []
        public var timeLeftMin = Duration.seconds(120)
        public var marketCountMax = 25

        public init() {}
    }

    public enum Change: Hashable, Sendable {
        case added(Market)
        case changed(Market, [String])
        case removed(ConditionID, MarketRemoved.Reason)
    }

    public let filter: Filter
    /// Folded once: a pass compares them with tens of thousands of markets.
    private let keywords: [[UInt8]]
    private let excludedKeywords: [[UInt8]]
    public private(set) var markets: [ConditionID: Market] = [:]

    public init(filter: Filter) {
        self.filter = filter
        self.keywords = filter.keywords.map { Array(Self.fold($0).utf8) }
        self.excludedKeywords = filter.excludedKeywords.map { Array(Self.fold($0).utf8) }
    }

    /// In the order of their conditions.
    public var sorted: [Market] { self.markets.values.sorted { $0.condition < $1.condition } }

    /// Why the filter keeps a tradable market out; `nil` when it does not.
    public func refusal(_ market: Market, now: Timestamp) -> Refusal? {
        guard market.endTime - now >= self.filter.timeLeftMin else { return .tooLittleTime }
        guard !self.keywords.isEmpty || !self.excludedKeywords.isEmpty else { return nil }
        let text = Array(Self.fold("\(market.question) \(market.slug) \(market.event)").utf8)
        func isFound(_ keyword: [UInt8]) -> Bool { Self.contains(text, keyword) }
        guard !self.excludedKeywords.contains(where: isFound) else { return .excluded }
        guard self.keywords.isEmpty || self.keywords.contains(where: isFound) else { return .keywords }
        return nil
    }

    /// Takes a whole listing. A market that stays keeps its place whatever newer ones rank, so that the set does not flap;
    /// free places go to those that end first.
    ///
    /// - Parameter gone: why listed markets are not in `tradable`, for the reason of their removal.
    /// - Returns: what changed, removals first, each group in the order of the conditions.
    public mutating func update(_ tradable: [Market], gone: [ConditionID: Refusal], now: Timestamp) -> [Change] {
        var next: [ConditionID: Market] = [:]
        var candidates: [Market] = []
        var refused = gone
        for market in tradable where next[market.condition] == nil {
            if let refusal = self.refusal(market, now: now) {
                refused[market.condition] = refusal
            } else if self.markets[market.condition] != nil && next.count < self.filter.marketCountMax {
                next[market.condition] = market
            } else {
                candidates.append(market)
            }
        }
        candidates.sort { ($0.endTime, $0.condition) < ($1.endTime, $1.condition) }
        for market in candidates {
            if next.count < self.filter.marketCountMax || next[market.condition] != nil {
                next[market.condition] = market
            } else {
                refused[market.condition] = .outranked
            }
        }
        let changes = self.changes(to: next, refused: refused, now: now)
        self.markets = next
        return changes
    }

    private func changes(to next: [ConditionID: Market], refused: [ConditionID: Refusal], now: Timestamp) -> [Change] {
        var changes: [Change] = []
        for market in self.sorted where next[market.condition] == nil {
            changes.append(.removed(market.condition, Self.reason(market, refused[market.condition], now: now)))
        }
        for market in next.values.sorted(by: { $0.condition < $1.condition }) {
            guard let old = self.markets[market.condition] else {
                changes.append(.added(market))
                continue
            }
            let names = Self.differences(old, market)
            if !names.isEmpty { changes.append(.changed(market, names)) }
        }
        return changes
    }

    private static func reason(_ market: Market, _ refusal: Refusal?, now: Timestamp) -> MarketRemoved.Reason {
        switch refusal {
        case .closed, .resolving: .resolved
        case .ended, .tooLittleTime: .ended
        case .outranked: .outranked
        case nil: market.endTime <= now ? .ended : .filtered
        default: .filtered
        }
    }

    /// Names of the members of `market` frames that differ, sorted.
    static func differences(_ old: Market, _ new: Market) -> [String] {
        var names: [String] = []
        func compare(_ name: String, _ isSame: Bool) { if !isSame { names.append(name) } }
        compare("asset", old.asset == new.asset)
        compare("end_time", old.endTime == new.endTime)
        compare("event", old.event == new.event)
        compare("fee_exponent", old.feeExponent == new.feeExponent)
        compare("fee_rate", old.feeRate == new.feeRate)
        compare("min_size", old.sizeMin == new.sizeMin)
        compare("neg_risk", old.isNegRisk == new.isNegRisk)
        compare("outcomes", old.first == new.first && old.second == new.second)
        compare("question", old.question == new.question)
        compare("rewards", old.rewards == new.rewards)
        compare("settlement", old.settlement == new.settlement)
        compare("slug", old.slug == new.slug)
        compare("start_time", old.startTime == new.startTime)
        compare("taker_delay", old.hasTakerDelay == new.hasTakerDelay)
        compare("tick", old.tick == new.tick)
        return names
    }

    /// Lower case, and everything that is no letter or digit one space: keywords match whole words or phrases.
    static func fold(_ text: String) -> String {
        var folded = " "
        for character in text.lowercased() {
            if character.isLetter || character.isNumber {
                folded.append(character)
            } else if folded.last != " " {
                folded.append(" ")
            }
        }
        if folded.last != " " { folded.append(" ") }
        return folded
    }

    private static func contains(_ text: [UInt8], _ phrase: [UInt8]) -> Bool {
        guard phrase.count > 2, phrase.count <= text.count else { return false }
        return (0...text.count - phrase.count).contains { start in
            text[start..<start + phrase.count].elementsEqual(phrase)
        }
    }
}
