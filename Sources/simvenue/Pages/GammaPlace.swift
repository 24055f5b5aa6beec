import Shared

/// Where an item stands in an ordered list: what it is ordered by, then its id.
///
/// As a cursor it names the place itself and not the item, so that it goes on when the item is gone.
struct GammaPlace: Hashable {
    let values: [Int64]
    let id: Int64

    /// Opaque to clients, and nothing that anybody takes for an offset.
    func cursor(order: [GammaQuery.Field], isAscending: Bool) -> String {
        let numbers = self.values + [self.id]
        return Self.head(order, isAscending) + numbers.map { String($0, radix: 36) }.joined(separator: ".")
    }

    /// `nil` for anything that was not given out for a list of this order.
    init?(cursor: String, order: [GammaQuery.Field], isAscending: Bool) {
        let head = Self.head(order, isAscending)
        guard cursor.hasPrefix(head) else { return nil }
        let parts = cursor.dropFirst(head.utf8.count).split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int64($0, radix: 36) }
        guard parts.count == order.count + 1, numbers.count == parts.count, let id = numbers.last else { return nil }
        self.values = numbers.dropLast()
        self.id = id
    }

    init(values: [Int64], id: Int64) {
        self.values = values
        self.id = id
    }

    private static func head(_ order: [GammaQuery.Field], _ isAscending: Bool) -> String {
        "k\(isAscending ? "a" : "d")_" + order.map { $0.rawValue + "_" }.joined()
    }

    /// Whether it comes before `other`. The ids go the way that the values go.
    func isBefore(_ other: GammaPlace, isAscending: Bool) -> Bool {
        let pairs = zip(self.values + [self.id], other.values + [other.id])
        guard let (a, b) = pairs.first(where: { $0 != $1 }) else { return false }
        return isAscending ? a < b : a > b
    }
}

/// An event with what its markets make of it.
struct ListedEventSummary {
    let event: ListedEvent
    private(set) var isClosed = true
    private(set) var isArchived = true
    private var volume: Int64 = 0
    private var volume24Hours: Int64 = 0
    private var liquidity: Int64 = 0
    private var listedTime = Timestamp(microseconds: .max)

    init(_ event: ListedEvent) { self.event = event }

    /// All events, each with a slot of one of its markets, in the order in which those are listed.
    static func all(in listing: MarketRegister) -> [(summary: ListedEventSummary, slot: Int)] {
        var events: [(summary: ListedEventSummary, slot: Int)] = []
        var places: [Int: Int] = [:]
        for slot in listing.order {
            let listed = listing[slot]
            let place = places[listed.event.id] ?? events.count
            if place == events.count {
                places[listed.event.id] = place
                events.append((ListedEventSummary(listed.event), slot))
            }
            events[place].summary.add(listed)
        }
        return events
    }

    mutating func add(_ market: ListedMarket) {
        self.isClosed = self.isClosed && market.isClosed
        self.isArchived = self.isArchived && market.isArchived
        self.volume += market.volume
        self.volume24Hours += market.volume24Hours
        self.liquidity += market.liquidity
        self.listedTime = min(self.listedTime, market.listedTime)
    }

    func value(of field: GammaQuery.Field) -> Int64 {
        switch field {
        case .id: Int64(self.event.id)
        case .startDate, .createdAt: self.listedTime.microseconds
        case .endDate: self.event.endTime.microseconds
        case .volume, .volumeNum: self.volume
        case .volume24hr: self.volume24Hours
        case .liquidity, .liquidityNum: self.liquidity
        }
    }
}

extension ListedMarket {
    /// What it is ordered by, and compared with bounds.
    func value(of field: GammaQuery.Field) -> Int64 {
        switch field {
        case .id: Int64(self.id)
        case .startDate, .createdAt: self.listedTime.microseconds
        case .endDate: self.market.endTime.microseconds
        case .volume, .volumeNum: self.volume
        case .volume24hr: self.volume24Hours
        case .liquidity, .liquidityNum: self.liquidity
        }
    }
}
