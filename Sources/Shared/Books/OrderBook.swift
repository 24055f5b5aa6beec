/// Which side of a book a level rests on.
public enum BookSide: String, Hashable, Sendable {
    case bid, ask
    public var opposite: BookSide { self == .bid ? .ask : .bid }
}

/// The book of one market in terms of its first outcome; the other outcome is its exact mirror.
public struct OrderBook: Sendable {
    /// Largest size believed at one price: a hundred million shares. The venue has shown 31 million at 0.999; more than
    /// this is taken for a corrupt message, and a whole side of it still adds up without overflow.
    public static let levelSizeMax = Quantity(shares: 100_000_000)

    /// Whether a size can rest at a price, or be set to nothing.
    public static func believes(_ size: Quantity) -> Bool { size >= .zero && size <= Self.levelSizeMax }

    public private(set) var tick: TickSize
    private var bids: Ladder
    private var asks: Ladder

    public init(tick: TickSize) {
        self.tick = tick
        self.bids = Ladder(tick: tick)
        self.asks = Ladder(tick: tick)
    }

    /// Sets the size at a price; zero removes the level.
    ///
    /// - Returns: `false`, changing nothing, when the size is not believable or the book has no more room off the grid.
    public mutating func set(_ side: BookSide, _ price: Price, _ size: Quantity) -> Bool {
        guard Self.believes(size) else { return false }
        switch side {
        case .bid: return self.bids.set(price, size)
        case .ask: return self.asks.set(price, size)
        }
    }

    public func size(_ side: BookSide, at price: Price) -> Quantity {
        side == .bid ? self.bids.size(at: price) : self.asks.size(at: price)
    }

    public mutating func removeAll() {
        self.bids.removeAll()
        self.asks.removeAll()
    }

    /// Lays the levels out anew on another grid.
    public mutating func changeTick(to tick: TickSize) {
        guard tick != self.tick else { return }
        var other = OrderBook(tick: tick)
        self.bids.forEachAscending { _ = other.bids.set($0.price, $0.size) }
        self.asks.forEachAscending { _ = other.asks.set($0.price, $0.size) }
        self = other
    }

    public var bestBid: Level? { self.bids.highest }
    public var bestAsk: Level? { self.asks.lowest }
    public var bidCount: Int { self.bids.count }
    public var askCount: Int { self.asks.count }
    /// Levels whose price is no multiple of the tick.
    public var offGridCount: Int { self.bids.offGridCount + self.asks.offGridCount }

    /// Whether somebody bids what another asks, which a settled book of the venue never shows.
    public var isCrossed: Bool {
        guard let bid = self.bestBid, let ask = self.bestAsk else { return false }
        return bid.price >= ask.price
    }

    /// Half way between the best prices, in millionths; `nil` when a side is empty.
    public var midpoint: Int64? {
        guard let bid = self.bestBid, let ask = self.bestAsk else { return nil }
        return (Int64(bid.price.micros) + Int64(ask.price.micros)) / 2
    }

    /// The bids, best first.
    public func forEachBid(_ body: (Level) -> Void) { self.bids.forEachDescending(body) }
    /// The asks, best first.
    public func forEachAsk(_ body: (Level) -> Void) { self.asks.forEachAscending(body) }
    /// The bids, worst first: the venue's order.
    public func forEachBidWorstFirst(_ body: (Level) -> Void) { self.bids.forEachAscending(body) }
    /// The asks, worst first: the venue's order.
    public func forEachAskWorstFirst(_ body: (Level) -> Void) { self.asks.forEachDescending(body) }

    /// The levels of a side, best first. Allocates; for snapshots, not for the hot path.
    public func levels(_ side: BookSide) -> [Level] {
        var levels: [Level] = []
        switch side {
        case .bid: self.forEachBid { levels.append($0) }
        case .ask: self.forEachAsk { levels.append($0) }
        }
        return levels
    }
}
