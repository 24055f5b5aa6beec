import Shared

/// The queue of one price.
struct EngineLevel: Hashable, Sendable {
    let price: Price
    var size = Quantity.zero
    /// First to be matched, and last; -1 for none.
    var head = -1
    var tail = -1
}

/// The orders that rest in one market, in terms of its first outcome, best price first and then earliest first.
///
/// Orders for both outcomes stand in the same queues: whoever buys the second at 0.4 sells the first at 0.6.
struct EngineBook: Sendable {
    /// Best last, so that the side of a level that changes most is the end of the array.
    private(set) var bids: [EngineLevel] = []
    private(set) var asks: [EngineLevel] = []
    private var crowdBidCount = 0
    private var crowdAskCount = 0

    /// Orders of the crowd on a side.
    func crowdOrderCount(_ side: BookSide) -> Int { side == .bid ? self.crowdBidCount : self.crowdAskCount }

    private mutating func countCrowdOrder(_ order: EngineOrder, by change: Int) {
        guard order.isCrowd else { return }
        switch order.bookSide {
        case .bid: self.crowdBidCount += change
        case .ask: self.crowdAskCount += change
        }
    }

    /// Levels of a side, best last.
    func levels(_ side: BookSide) -> [EngineLevel] { side == .bid ? self.bids : self.asks }

    /// Size at a price; zero when none rests there.
    func size(_ side: BookSide, at price: Price) -> Quantity {
        let index = self.index(side, price)
        let levels = self.levels(side)
        return index < levels.count && levels[index].price == price ? levels[index].size : .zero
    }

    /// Where the level of `price` stands, or would stand.
    private func index(_ side: BookSide, _ price: Price) -> Int {
        switch side {
        case .bid: Self.partition(self.bids) { $0.price >= price }
        case .ask: Self.partition(self.asks) { $0.price <= price }
        }
    }

    /// Index of the first level that `isBehind`; all behind it are so too.
    private static func partition(_ levels: [EngineLevel], _ isBehind: (EngineLevel) -> Bool) -> Int {
        var (low, high) = (0, levels.count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(levels[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Puts the order at the end of its price's queue.
    mutating func append(_ slot: Int, in orders: inout Slab<EngineOrder>) {
        let (side, price, size) = (orders[slot].bookSide, orders[slot].bookPrice, orders[slot].remaining)
        let index = self.index(side, price)
        self.countCrowdOrder(orders[slot], by: 1)
        self.change(side) { levels in
            if index == levels.count || levels[index].price != price {
                levels.insert(EngineLevel(price: price), at: index)
            }
            let tail = levels[index].tail
            orders[slot].previous = tail
            orders[slot].next = -1
            if tail >= 0 { orders[tail].next = slot } else { levels[index].head = slot }
            levels[index].tail = slot
            levels[index].size += size
        }
    }

    /// Takes `size` off the level of an order whose remaining size went down by as much.
    mutating func reduce(_ order: EngineOrder, by size: Quantity) {
        let index = self.index(order.bookSide, order.bookPrice)
        self.change(order.bookSide) { $0[index].size -= size }
    }

    /// Takes the order out of its queue, with what remains of it.
    mutating func remove(_ slot: Int, in orders: inout Slab<EngineOrder>) {
        let order = orders[slot]
        let index = self.index(order.bookSide, order.bookPrice)
        self.countCrowdOrder(order, by: -1)
        self.change(order.bookSide) { levels in
            precondition(levels[index].price == order.bookPrice, "an order was looked for at a price that has no queue")
            if order.previous >= 0 { orders[order.previous].next = order.next } else { levels[index].head = order.next }
            if order.next >= 0 {
                orders[order.next].previous = order.previous
            } else {
                levels[index].tail = order.previous
            }
            levels[index].size -= order.remaining
            if levels[index].head < 0 { levels.remove(at: index) }
        }
        orders[slot].previous = -1
        orders[slot].next = -1
    }

    @inline(__always)
    private mutating func change(_ side: BookSide, _ body: (inout [EngineLevel]) -> Void) {
        switch side {
        case .bid: body(&self.bids)
        case .ask: body(&self.asks)
        }
    }

    /// Whether an order on `side` with this limit would find somebody.
    func isCrossed(by side: BookSide, at price: Price) -> Bool {
        switch side {
        case .bid: self.asks.last.map { $0.price <= price } ?? false
        case .ask: self.bids.last.map { $0.price >= price } ?? false
        }
    }

    /// The levels of a side, best first, as the outcome at `outcome` shows them.
    func shown(_ side: BookSide, outcome: Int) -> [Level] {
        outcome == 0
            ? self.levels(side).reversed().map { Level(price: $0.price, size: $0.size) }
            : self.levels(side.opposite).reversed().map { Level(price: $0.price.mirrored, size: $0.size) }
    }
}
