/// One pass over the venue's listing, page by page, in bounded memory.
public struct Listing: Sendable {
    /// Pages of one pass. The venue listed about 500 in October 2026.
    public static let pageCountMax = 5_000
    /// How many times the universe's size is kept as candidates.
    private static let candidateFactor = 4

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
    public private(set) var tradable: [Market] = []
    /// Why watched markets were refused.
    public private(set) var gone: [ConditionID: Refusal] = [:]
    /// Refused markets, by reason.
    public private(set) var refused: [String: Int64] = [:]
    public private(set) var listedCount: Int64 = 0

    private let universe: Universe
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
        self.pageCount += 1
        for value in markets { self.judge(value) }
        self.trim()
        guard let cursor = page["next_cursor"]?.string, !cursor.isEmpty else {
            // A venue in trouble, not a world without markets.
            guard self.listedCount > 0 || self.universe.markets.isEmpty else { throw .empty }
            return nil
        }
        guard self.cursors.insert(cursor).inserted else { throw .repeatedCursor }
        guard self.pageCount < Self.pageCountMax else { throw .tooManyPages }
        return cursor
    }

    private mutating func judge(_ value: JSONValue) {
        self.listedCount += 1
        do throws(Refusal) {
            let market = try GammaMarket.read(value, now: self.now)
            if let refusal = self.universe.refusal(market, now: self.now) { throw refusal }
            self.tradable.append(market)
        } catch {
            self.refused[error.rawValue, default: 0] += 1
            guard let condition = value["conditionId"]?.string.flatMap({ ConditionID($0) }),
                self.universe.markets[condition] != nil
            else { return }
            self.gone[condition] = error
        }
    }

    /// Keeps the members and the best of the rest.
    private mutating func trim() {
        let limit = self.universe.filter.marketCountMax * Self.candidateFactor
        guard self.tradable.count > 2 * limit else { return }
        self.tradable.sort { a, b in
            let isMemberA = self.universe.markets[a.condition] != nil
            let isMemberB = self.universe.markets[b.condition] != nil
            return isMemberA != isMemberB ? isMemberA : (a.endTime, a.condition) < (b.endTime, b.condition)
        }
        self.tradable.removeLast(self.tradable.count - limit)
    }
}
