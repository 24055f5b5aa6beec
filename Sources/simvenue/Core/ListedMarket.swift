import Shared

/// A market as the venue lists it, with the book that it shows.
struct ListedMarket: Sendable {
    /// Why a listed market cannot be traded although it looks like one.
    enum Decoy: String, CaseIterable, Sendable {
        case closed
        case notAccepting
        /// The end has passed and nobody cleaned up; about an eighth of the real venue's "active" markets.
        case ended
        case noOrderBook
        case resolving
        case inactive
        case archived

        // What cannot be read, a member each.
        case noCondition
        /// Not yet known to the order book service.
        case noTokens
        case threeOutcomes
        case sameOutcomes
        case oddTick
        case noSizeMin
        case noEndDate
        case oddFees
        /// Of another protocol, which has positions and no tokens.
        case otherProtocol

        /// Those of the plain listing.
        static let common = [Self.closed, .notAccepting, .ended, .noOrderBook, .resolving]

        /// Whether a member of the market object is malformed. The order book service knows no such market.
        var isMalformed: Bool {
            switch self {
            case .closed, .notAccepting, .ended, .noOrderBook, .resolving, .inactive, .archived: false
            case .noCondition, .noTokens, .threeOutcomes, .sameOutcomes, .oddTick, .noSizeMin, .noEndDate, .oddFees,
                .otherProtocol:
                true
            }
        }

        /// Whether somebody still trades it.
        var hasTraffic: Bool {
            switch self {
            case .notAccepting, .ended, .resolving: true
            default: false
            }
        }
    }

    enum Kind: Hashable, Sendable {
        /// Up or down over `length` seconds from `start`, seconds since 1970, on the asset at that index.
        case window(asset: Int, length: Int64, start: Int64)
        case dated
        case decoy(Decoy)
        /// Found in a recording.
        case replayed
    }

    /// Gamma's id.
    let id: Int
    let kind: Kind
    let event: ListedEvent
    var market: Market
    /// Venue's name for the fee terms; `nil` where no fee is due.
    let feeType: String?
    /// When it was listed.
    let listedTime: Timestamp

    var isActive = true
    var isArchived = false
    var isClosed = false
    var acceptsOrders = true
    var hasOrderBook = true
    /// Empty while trading.
    var resolutionStatus = ""
    /// Index of the outcome that won.
    var winner: Int?
    /// What a window's price is compared with, once Gamma shows it.
    var priceToBeat: ReferencePrice?
    /// What it stands for within its event, and its place there.
    var groupTitle: String?
    var groupPlace = 0
    /// Wins when none of the event's named outcomes does.
    var isNegRiskOther = false
    /// Wait of a taker's order in whole seconds; shorter ones are not shown here.
    var secondsDelay: Int64 = 0
    /// Whether the protocol's version stands in the object, as it does not in old ones.
    var showsVersion = true
    var showsPositions = false
    /// Chance of the first outcome about which the traffic moves; drawn where it is `nil`.
    var fairBase: Double?

    // MARK: The book as shown

    var book: OrderBook
    /// Whether the levels are known. Always, except in a recording that has not shown a book yet.
    var hasBook = true
    var lastTrade = LastTradePrice.none
    /// The taker's of that trade; `nil` where nobody knows.
    var lastTradeSide: TradeSide?
    /// Of the book's latest change, milliseconds UTC.
    var bookTime: Int64
    /// Of the book as each outcome shows it at `bookTime`.
    private(set) var hashes: (first: BookHash, second: BookHash)
    /// Bytes that every message about it repeats.
    let ids: MarketIDBytes

    init(
        id: Int, kind: Kind, event: ListedEvent, market: Market, feeType: String?, listedTime: Timestamp,
        bookTime: Int64,
        hasher: inout BookHasher
    ) {
        self.id = id
        self.kind = kind
        self.event = event
        self.market = market
        self.feeType = feeType
        self.listedTime = listedTime
        self.book = OrderBook(tick: market.tick)
        self.bookTime = bookTime
        self.ids = MarketIDBytes(market)
        self.hashes = Self.hashes(self.book, market, at: bookTime, .none, &hasher)
    }

    /// Computes both hashes of the book as it stands now, for a change at `time` (milliseconds).
    mutating func seal(at time: Int64, hasher: inout BookHasher) {
        self.bookTime = time
        self.hashes = Self.hashes(self.book, self.market, at: time, self.lastTrade, &hasher)
    }

    private static func hashes(
        _ book: OrderBook, _ market: Market, at time: Int64, _ lastTrade: LastTradePrice, _ hasher: inout BookHasher
    ) -> (BookHash, BookHash) {
        (
            hasher.hash(book, of: market, outcome: 0, timestamp: time, lastTrade: lastTrade),
            hasher.hash(book, of: market, outcome: 1, timestamp: time, lastTrade: lastTrade)
        )
    }

    func hash(outcome: Int) -> BookHash { outcome == 0 ? self.hashes.first : self.hashes.second }

    var decoy: Decoy? { if case .decoy(let decoy) = self.kind { decoy } else { nil } }

    /// What the venue calls tradable at `time`; see the reference, 1.2.
    func isTradable(at time: Timestamp) -> Bool {
        self.decoy == nil && self.isActive && !self.isArchived && !self.isClosed && self.acceptsOrders
            && self.hasOrderBook && self.resolutionStatus.isEmpty
            && self.market.endTime > time
    }

    /// Whether the order book service has heard of it at all.
    var isKnownToClob: Bool { self.decoy?.isMalformed != true }

    /// Whether the order book service knows its tokens.
    var isBookServed: Bool { self.hasOrderBook && !self.isClosed && self.hasBook && self.isKnownToClob }

    /// Label of the outcome at `index`.
    func outcome(_ index: Int) -> Outcome { index == 0 ? self.market.first : self.market.second }

    /// Half way between the best prices as the outcome at `index` shows them; half when there is nothing to see.
    func midpoint(outcome: Int) -> Int64 {
        let mid = self.book.midpoint ?? 500_000
        return outcome == 0 ? mid : 1_000_000 - mid
    }
}

/// The ids of a market as bytes, printed once.
struct MarketIDBytes: Sendable {
    let condition: [UInt8]
    let first: [UInt8]
    let second: [UInt8]

    init(_ market: Market) {
        self.condition = Array(market.condition.description.utf8)
        self.first = Array(market.first.token.description.utf8)
        self.second = Array(market.second.token.description.utf8)
    }

    func token(_ outcome: Int) -> [UInt8] { outcome == 0 ? self.first : self.second }
}
