/// One pass over the venue's listing, page by page, in bounded memory.
public struct Listing: Sendable {
    /// Pages of one pass. The venue listed about 500 in October 2026.
    public static let pageCountMax = 5_000
    /// Of `unready`.
    private static let unreadyCountMax = 200
    /// Of `newestIDs`.
    private static let newestCount = 10
    /// Why a pass cannot go on. Nothing is removed because of it.
    public enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        case noMarkets
        case repeatedCursor
        case tooManyPages
        case empty

        public var description: String {
            switch self {
            case .noMarkets: "a page without a list of markets"
            case .repeatedCursor: "a page that names a cursor which was read already"
            case .empty: "no market at all, although some are watched"
            case .tooManyPages: "more than \(Listing.pageCountMax) pages"
            }
        }
    }

    /// Tradable and let in by the filter.
    public private(set) var candidates: [Candidate] = []
    /// Why members, and markets that stand in line, were refused.
    public private(set) var gone: [ConditionID: Refusal] = [:]
    /// Refused markets, by reason.
    public private(set) var refused: [String: Int64] = [:]
    public private(set) var listedCount: Int64 = 0
    /// The highest of the venue's numbers of markets that were seen, highest first.
    private var newestIDs: [Int64] = []
    /// Markets up to this number are known to whoever read these, new ones have higher numbers. It is the tenth highest,
    /// as one absurd number says nothing of the others. `nil` where markets have no numbers.
    public var knownID: Int64? { self.newestIDs.last }
    /// The lowest.
    public private(set) var oldestID = Int64.max
    /// Slugs of markets that the venue has not made ready: without tokens, or accepting no orders yet.
    public private(set) var unready: [String] = []

    private var universe: Universe
    private let now: Timestamp
    private var cursors: Set<String> = []
    private var pageCount = 0

    /// - Parameter universe: as it stands before the pass; its members are never trimmed away.
    public init(for universe: Universe, now: Timestamp) {
        self.universe = universe
        self.now = now
    }

    /// Takes one page of `/markets/keyset`.
    ///
    /// - Returns: the cursor of the next page; `nil` when this was the last.
    public mutating func take(_ page: JSONValue) throws(Problem) -> String? {
        guard let markets = page["markets"]?.array else { throw .noMarkets }
        let cursor = page["next_cursor"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        // Before anything of it counts: such a page is asked for again.
        if let cursor, self.cursors.contains(cursor) { throw .repeatedCursor }
        self.pageCount += 1
        for value in markets { self.judge(value) }
        self.trim()
        guard let cursor else {
            // A venue in trouble, not a world without markets.
            guard self.listedCount > 0 || self.universe.markets.isEmpty else { throw .empty }
            return nil
        }
        self.cursors.insert(cursor)
        guard self.pageCount < Self.pageCountMax else { throw .tooManyPages }
        return cursor
    }

    /// Takes one market, as a page or an answer about it alone shows it.
    public mutating func judge(_ value: JSONValue) {
        self.listedCount += 1
        if let id = value["id"]?.integer {
            self.noteNewest(id)
            self.oldestID = min(self.oldestID, id)
        }
        do throws(Refusal) {
            let candidate = try GammaMarket.candidate(value, now: self.now)
            if let refusal = self.universe.refusal(candidate, now: self.now) { throw refusal }
            self.candidates.append(candidate)
        } catch {
            self.refused[error.rawValue, default: 0] += 1
            if error == .noTokens || error == .notAccepting { self.noteUnready(value) }
            guard let condition = value["conditionId"]?.string.flatMap({ ConditionID($0) }),
                self.universe.isKnown(condition)
            else { return }
            self.gone[condition] = error
        }
    }

    private mutating func noteNewest(_ id: Int64) {
        let isFull = self.newestIDs.count == Self.newestCount
        if isFull, let last = self.newestIDs.last, id <= last { return }
        let place = self.newestIDs.firstIndex { $0 <= id } ?? self.newestIDs.endIndex
        // A market that is shown twice counts once.
        guard place == self.newestIDs.endIndex || self.newestIDs[place] != id else { return }
        self.newestIDs.insert(id, at: place)
        if isFull { self.newestIDs.removeLast() }
    }

    private mutating func noteUnready(_ value: JSONValue) {
        guard self.unready.count < Self.unreadyCountMax, let slug = value["slug"]?.string, !slug.isEmpty,
            slug.utf8.count <= Market.textByteCountMax
        else { return }
        self.unready.append(slug)
    }

    /// Its numbers alone.
    public var withoutCandidates: Listing {
        var copy = self
        copy.candidates = []
        copy.cursors = []
        copy.universe = Universe(filter: self.universe.filter)
        return copy
    }

    /// Keeps the members and the best of the rest.
    private mutating func trim() {
        let limit = self.universe.keptCountMax
        guard self.candidates.count > 2 * limit else { return }
        let preferred = self.candidates.map { candidate in
            var candidate = candidate
            candidate.isPreferred = self.universe.judge.isPreferred(candidate, now: self.now)
            return candidate
        }
        self.candidates = preferred.sorted { a, b in
            let isMemberA = self.universe.markets[a.condition] != nil
            let isMemberB = self.universe.markets[b.condition] != nil
            return isMemberA != isMemberB ? isMemberA : self.universe.judge.isBetter(a, than: b)
        }
        self.candidates.removeLast(self.candidates.count - limit)
    }
}
