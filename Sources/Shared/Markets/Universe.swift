/// The set of markets that are watched, as a value: readings of the listing in, changes out.
///
/// A reading may be of the whole listing or of a part. What it does not show is not gone: a page may have failed, and a market
/// may have moved between two pages. A member goes only for a reason that somebody gave.
public struct Universe: Sendable {
    public enum Change: Hashable, Sendable {
        case added(Market)
        case changed(MarketChanged)
        case removed(ConditionID, MarketRemoved.Reason)
    }

    /// Markets that stand in line behind the members: three times as many, and no more than this.
    private static let lineCountMax = 500
    /// A new member keeps its place for so long whatever others rank.
    static let stayMin = Duration.seconds(300)

    public var filter: MarketFilter { self.judge.filter }
    let judge: FilterJudge
    /// Members. Each has its candidate in `pool`.
    public private(set) var markets: [ConditionID: Market] = [:]
    /// Markets with a position or an order: members in any case, and beyond the count where need be.
    public private(set) var pinned: Set<ConditionID> = []

    private var since: [ConditionID: Timestamp] = [:]
    /// Members, and who stands in line.
    private var pool: [ConditionID: Candidate] = [:]
    /// Why members cannot be traded that are kept because they are pinned.
    private var pinnedRefusals: [ConditionID: Refusal] = [:]
    private var confirmation: Confirmations?

    /// - Parameter needsConfirmation: whether a market is let in only when the order book service has confirmed it.
    public init(filter: MarketFilter, needsConfirmation: Bool = false) {
        self.judge = FilterJudge(filter)
        self.confirmation = needsConfirmation ? Confirmations() : nil
    }

    /// Begins with the members of an earlier life: the pinned, and others as far as they still have time and room.
    public mutating func restore(_ markets: [Market], pinned: Set<ConditionID> = [], now: Timestamp) {
        self.pinned = pinned
        let sorted = markets.sorted { $0.condition < $1.condition }
        let others = sorted.filter { !pinned.contains($0.condition) && $0.endTime > now }
        for market in sorted.filter({ pinned.contains($0.condition) }) + others.prefix(self.filter.marketCountMax) {
            self.markets[market.condition] = market
            self.since[market.condition] = now
            self.pool[market.condition] = Candidate(market)
            self.confirmation?.trust(market)
        }
    }

    /// In the order of their conditions.
    public var sorted: [Market] { self.markets.values.sorted { $0.condition < $1.condition } }

    /// Why the filter keeps a tradable market out; `nil` when it does not.
    public func refusal(_ candidate: Candidate, now: Timestamp) -> Refusal? {
        guard !self.pinned.contains(candidate.condition) else { return nil }
        return self.judge.refusal(candidate, isMember: self.markets[candidate.condition] != nil, now: now)
    }

    /// What lets in a market that is not refused, in the words of the configuration.
    public func admission(_ candidate: Candidate, now: Timestamp) -> String {
        self.judge.admission(candidate, now: now)
    }

    /// When the members, and those that stand in line, begin, by slug: in autumn two windows have the same.
    public var knownStarts: [String: Set<Timestamp?>] {
        self.pool.values.reduce(into: [:]) { $0[$1.market.slug, default: []].insert($1.market.startTime) }
    }

    /// Wanted families whose windows have known names.
    public var rollingSeries: [RollingSeries] { self.judge.rollingSeries }

    /// Whether it is a member, is pinned, or stands in line.
    public func isKnown(_ condition: ConditionID) -> Bool {
        self.pool[condition] != nil || self.pinned.contains(condition)
    }

    /// Markets that are kept of a reading: the members, and who stands in line.
    var keptCountMax: Int {
        self.filter.marketCountMax + min(3 * self.filter.marketCountMax, Self.lineCountMax)
    }

    // MARK: Readings

    /// Takes what was read of the listing.
    ///
    /// - Parameters:
    ///   - candidates: tradable and let in by the filter.
    ///   - gone: why listed markets are not among them.
    ///   - isWhole: whether all was read; then nobody stands in line who was not seen.
    /// - Returns: what changed, removals first, each group in the order of the conditions.
    public mutating func update(
        _ candidates: [Candidate], gone: [ConditionID: Refusal] = [:], isWhole: Bool = true, now: Timestamp
    ) -> [Change] {
        var refused = gone
        var seen: Set<ConditionID> = []
        for candidate in candidates where seen.insert(candidate.condition).inserted {
            if let refusal = self.refusal(candidate, now: now) {
                refused[candidate.condition] = refusal
            } else {
                refused[candidate.condition] = nil
                self.pinnedRefusals[candidate.condition] = nil
                var kept = candidate
                kept.description = ""
                kept.isPreferred = self.judge.isPreferred(candidate, now: now)
                if let old = self.pool[candidate.condition], old.market != candidate.market {
                    self.confirmation?.listingChanged(candidate.condition)
                }
                self.pool[candidate.condition] = kept
            }
        }
        for (condition, refusal) in refused {
            if self.pinned.contains(condition) {
                self.pinnedRefusals[condition] = refusal
            } else {
                self.pool[condition] = nil
            }
        }
        if isWhole {
            self.pool = self.pool.filter { seen.contains($0.key) || self.markets[$0.key] != nil }
        }
        return self.settle(refused, now: now)
    }

    /// What time alone changes.
    public mutating func tick(now: Timestamp) -> [Change] { self.settle([:], now: now) }

    /// Says which markets have a position or an order. One that is no member becomes one when it is read.
    public mutating func pin(_ conditions: Set<ConditionID>, now: Timestamp) -> [Change] {
        let released = self.pinned.subtracting(conditions)
        self.pinned = conditions
        var refused: [ConditionID: Refusal] = [:]
        for condition in released {
            guard let refusal = self.pinnedRefusals.removeValue(forKey: condition) else { continue }
            refused[condition] = refusal
            self.pool[condition] = nil
        }
        return self.settle(refused, now: now)
    }

    /// Pinned markets that nobody has described yet.
    public var unknownPinned: [ConditionID] { self.pinned.filter { self.markets[$0] == nil }.sorted() }

    private mutating func settle(_ reasons: [ConditionID: Refusal], now: Timestamp) -> [Change] {
        self.rankSeries(now: now)
        var refused = reasons
        for (condition, candidate) in self.pool where !self.pinned.contains(condition) {
            guard let refusal = self.judge.timeRefusal(candidate, now: now) else { continue }
            refused[condition] = refused[condition] ?? refusal
            self.pool[condition] = nil
        }
        let chosen = self.choose(now: now) { self.isConfirmed($0) }
        for condition in self.markets.keys where self.pool[condition] != nil && !chosen.contains(condition) {
            refused[condition] = self.isConfirmed(condition) ? .outranked : .termsDiffer
        }
        let next = Dictionary(
            uniqueKeysWithValues: chosen.compactMap { condition in
                self.pool[condition].map { (condition, self.terms($0)) }
            })
        let changes = self.changes(to: next, refused: refused, now: now)
        self.markets = next
        self.since = self.since.filter { next[$0.key] != nil }
        for condition in next.keys where self.since[condition] == nil { self.since[condition] = now }
        self.trim(now: now)
        return changes
    }

    // MARK: Ranking

    /// A window that words let in while it was ahead comes before all others from the moment when it is next.
    private mutating func rankSeries(now: Timestamp) {
        guard !self.rollingSeries.isEmpty else { return }
        for (condition, candidate) in self.pool {
            let isPreferred = self.judge.isPreferred(candidate, now: now)
            if isPreferred != candidate.isPreferred { self.pool[condition]?.isPreferred = isPreferred }
        }
    }

    /// Who is to be a member: the pinned, then the members in their order, then whoever finds room or is clearly better
    /// than the last member that has had its time.
    private func choose(now: Timestamp, from isEligible: (ConditionID) -> Bool) -> Set<ConditionID> {
        var chosen = self.pinned.filter { self.pool[$0] != nil }
        let room = max(0, self.filter.marketCountMax - chosen.count)
        let eligible = self.pool.values.filter { !chosen.contains($0.condition) && isEligible($0.condition) }
        let isMember = { (candidate: Candidate) in self.markets[candidate.condition] != nil }
        // Best first.
        var kept = Array(eligible.filter(isMember).sorted { self.judge.isBetter($0, than: $1) }.prefix(room))
        var newCount = 0
        for candidate in eligible.filter({ !isMember($0) }).sorted(by: { self.judge.isBetter($0, than: $1) }) {
            if kept.count + newCount == room {
                let weakest = kept.lastIndex { member in
                    // A beginning in the future is of a clock that was set back since.
                    self.since[member.condition].map { now < $0 || now - $0 >= Self.stayMin } ?? true
                }
                guard let weakest, self.judge.isClearlyBetter(candidate, than: kept[weakest], now: now) else { break }
                kept.remove(at: weakest)
            }
            newCount += 1
            chosen.insert(candidate.condition)
        }
        chosen.formUnion(kept.map(\.condition))
        return chosen
    }

    /// Members stay, and of the others the best.
    private mutating func trim(now: Timestamp) {
        let limit = self.keptCountMax
        guard self.pool.count > self.markets.count + 2 * limit else { return }
        let others = self.pool.values.filter { self.markets[$0.condition] == nil }
        for candidate in others.sorted(by: { self.judge.isBetter($0, than: $1) }).dropFirst(limit) {
            self.pool[candidate.condition] = nil
        }
    }

    // MARK: Confirmation

    /// Markets that would be members were they confirmed, and that may be asked about now; best first.
    public mutating func toConfirm(now: Timestamp) -> [ConditionID] {
        guard var confirmation = self.confirmation else { return [] }
        confirmation.forget(except: self.pool)
        self.confirmation = confirmation
        let wanted = self.choose(now: now) { !confirmation.isPostponed($0, now: now) }
        return wanted.compactMap { self.pool[$0] }.filter { !self.isConfirmed($0.condition) }
            .sorted { self.judge.isBetter($0, than: $1) }.map(\.condition)
            .filter { !confirmation.isPostponed($0, now: now) }
    }

    /// When the next of those that are not ready may be asked about again.
    public func nextConfirmation(after now: Timestamp) -> Timestamp? { self.confirmation?.nextTry(after: now) }

    /// Takes the order book service's word of markets: `nil` while it does not know one.
    public mutating func confirm(_ answers: [(ConditionID, ClobTerms?)], now: Timestamp) -> [Change] {
        for (condition, terms) in answers {
            guard let candidate = self.pool[condition] else { continue }
            self.confirmation?.take(
                terms, of: candidate.market, isMember: self.markets[condition] != nil, now: now)
        }
        return self.settle([:], now: now)
    }

    /// Why the order book service's word keeps a market out.
    public func confirmationRefusal(_ condition: ConditionID) -> Refusal? {
        self.confirmation?.refusal(condition)
    }

    /// Those that nobody asked about are taken at their word where no confirmation is wanted; members and pinned markets
    /// always.
    private func isConfirmed(_ condition: ConditionID) -> Bool {
        guard let confirmation = self.confirmation, let candidate = self.pool[condition] else { return true }
        return self.pinned.contains(condition) || self.markets[condition] != nil || confirmation.holds(candidate.market)
    }

    private func terms(_ candidate: Candidate) -> Market {
        self.confirmation?.rules(of: candidate.market) ?? candidate.market
    }
}
