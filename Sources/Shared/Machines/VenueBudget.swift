/// How often the venue's REST interface may be asked, each path and all together, well below the venue's own limits.
///
/// The venue counts over ten seconds. A path gets a twentieth of its limit each second, and as much at once: never more
/// than 55 % of the limit in any ten seconds, so that other programs at the same address have their share.
/// Source: reference, 2.9.
public struct VenueBudget: Hashable, Sendable {
    public enum Path: Hashable, Sendable, CaseIterable {
        /// `GET /book`
        case book
        /// `POST /books`
        case books
        /// `GET /clob-markets/…` and `GET /markets/…`, which have no limit of their own below that of all.
        case market

        /// Requests in ten seconds that the venue takes from one address.
        public var venueLimit: Int64 {
            switch self {
            case .book: 1_500
            case .books: 500
            case .market: VenueBudget.venueLimit
            }
        }
    }

    /// All paths of the order book's host together, in ten seconds.
    public static let venueLimit: Int64 = 9_000
    /// The part of a limit that is taken in a second.
    private static let share: Int64 = 20

    private var buckets: [Path: TokenBucket]
    private var all: TokenBucket

    public init(now: Instant) {
        self.all = Self.bucket(Self.venueLimit, now)
        self.buckets = [:]
        for path in Path.allCases { self.buckets[path] = Self.bucket(path.venueLimit, now) }
    }

    private static func bucket(_ limit: Int64, _ now: Instant) -> TokenBucket {
        TokenBucket(rate: limit / Self.share, burst: limit / Self.share, now: now)
    }

    /// Takes one request to `path`, of its own budget and of that of all. False: neither is touched.
    public mutating func take(_ path: Path, now: Instant) -> Bool {
        guard var own = self.buckets[path], own.take(now: now), self.all.take(now: now) else { return false }
        self.buckets[path] = own
        return true
    }
}
