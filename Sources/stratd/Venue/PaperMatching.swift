import Shared

/// Who rests where in which queue, what was taken, and what fills, under one assumption. Knows no time but what it is told.
struct PaperMatching: Sendable {
    private struct LevelKey: Hashable {
        let market: ConditionID
        let side: BookSide
        let price: Price
    }

    let assumption: FillAssumption
    /// Share of a displayed size that a taker gets.
    private let participationPercent: Int64
    private let printLag: Duration
    private(set) var resting: [OrderID: RestingOrder] = [:]
    /// Resting orders of a market, in the order of their acceptance.
    private(set) var queues: [ConditionID: [OrderID]] = [:]
    /// What own orders took from levels that have not changed since.
    private var taken: [LevelKey: Quantity] = [:]

    init(_ assumption: FillAssumption, _ settings: PaperVenue.Settings) {
        self.assumption = assumption
        self.participationPercent =
            switch assumption {
            case .pessimistic: settings.participationPercent / 2
            case .realistic: settings.participationPercent
            case .optimistic: 100
            }
        self.printLag = settings.printLag
    }

    // MARK: The feed

    mutating func flag(_ condition: ConditionID) {
        for order in self.queues[condition] ?? [] { self.resting[order]?.flag() }
    }

    mutating func levelChanged(_ condition: ConditionID, _ level: LevelChange, now: Moment) {
        if !self.taken.isEmpty {
            self.taken[LevelKey(market: condition, side: level.side, price: level.price)] = nil
        }
        for id in self.queues[condition] ?? [] {
            guard let order = self.resting[id], order.side == level.side, order.price == level.price else { continue }
            self.resting[id]?.levelChanged(to: level.size, now: now.instant, printLag: self.printLag)
        }
    }

    /// The whole book is known anew.
    mutating func refreshed(_ condition: ConditionID, _ book: OrderBook, now: Moment) {
        self.forgetTaken(condition)
        for id in self.queues[condition] ?? [] {
            guard let order = self.resting[id] else { continue }
            let displayed = book.size(order.side, at: order.price)
            if order.isFlagged {
                self.resting[id]?.requeue(displayed: displayed)
            } else {
                self.resting[id]?.levelChanged(to: displayed, now: now.instant, printLag: self.printLag)
            }
        }
    }

    mutating func forgetTaken(_ condition: ConditionID) {
        if !self.taken.isEmpty { self.taken = self.taken.filter { $0.key.market != condition } }
    }

    /// Gives a print to the orders that it reaches, the best price first, then the oldest.
    ///
    /// - Parameters:
    ///   - told: what the book told of it before; what was told before an order came is not for it.
    ///   - grant: what an order gets in the place of what its queue gives; at most what remains of it counts.
    /// - Returns: the orders that were filled, as they are then, and by how much.
    mutating func printed(
        _ trade: TradeBody, _ condition: ConditionID, told: [AwaitedPrints.Part], now: Moment,
        grant: (OrderID, Quantity) -> Quantity = { $1 }
    ) -> [(order: RestingOrder, size: Quantity)] {
        guard let queue = self.queues[condition] else { return [] }
        let (side, price) = (trade.takenSide, trade.bookPrice)
        let reached = queue.compactMap { self.resting[$0] }
            .filter { $0.side == side && (side == .bid ? price <= $0.price : price >= $0.price) }
            .sorted { a, b in
                a.price == b.price ? a.id < b.id : side == .bid ? a.price > b.price : a.price < b.price
            }
        var given = Quantity.zero
        var filled: [(order: RestingOrder, size: Quantity)] = []
        for var order in reached {
            let before = told.reduce(Quantity.zero) { $1.number < order.decreasesBefore ? $0 + $1.size : $0 }
            let ours = order.printed(
                at: price, trade.size - before, given: given, now: now.instant, printLag: self.printLag)
            let size = min(order.remaining, grant(order.id, ours))
            if size > .zero {
                given += size
                order.fill(size)
                filled.append((order, size))
            }
            self.resting[order.id] = order
            if order.remaining == .zero { self.remove(order.id) }
        }
        return filled
    }

    // MARK: Orders

    /// What a taker gets of the other side, best price first, up to its limit and its share of each level. Takes nothing yet.
    func bites(_ intent: OrderIntent, _ view: MarketView) -> [Level] {
        guard !intent.isPostOnly else { return [] }
        var bites: [Level] = []
        var rest = intent.size
        let side = intent.bookSide.opposite
        let visit = { (level: Level) in
            guard rest > .zero else { return }
            guard side == .ask ? level.price <= intent.bookPrice : level.price >= intent.bookPrice else { return }
            let share = Quantity(micros: level.size.micros / 100 * self.participationPercent)
            let taken = self.taken[LevelKey(market: intent.market, side: side, price: level.price)] ?? .zero
            let size = min(rest, max(.zero, share - taken).flooredToSizeGrid)
            guard size > .zero else { return }
            rest -= size
            bites.append(Level(price: level.price, size: size))
        }
        side == .ask ? view.book.forEachAsk(visit) : view.book.forEachBid(visit)
        return bites
    }

    /// What was taken is not there again before its level changes.
    mutating func take(_ bites: [Level], _ intent: OrderIntent) {
        for bite in bites {
            let key = LevelKey(market: intent.market, side: intent.bookSide.opposite, price: bite.price)
            self.taken[key, default: .zero] += bite.size
        }
    }

    /// - Parameter decreases: how many decreases of levels were told before.
    mutating func rest(
        _ order: ApprovedOrder, remaining: Quantity, fillCount: Int64, _ view: MarketView, after decreases: Int64,
        now: Moment
    ) {
        let intent = order.intent
        self.resting[order.id] = RestingOrder(
            order, remaining: remaining, fillCount: fillCount, decreasesBefore: decreases,
            displayed: view.book.size(intent.bookSide, at: intent.bookPrice), assumption: self.assumption,
            now: now.instant)
        self.queues[intent.market, default: []].append(order.id)
    }

    /// The order's cancel came while a print for it may be on its way.
    mutating func cancelArrived(_ id: OrderID) { self.resting[id]?.cancelArrived() }

    mutating func remove(_ id: OrderID) {
        guard let order = self.resting.removeValue(forKey: id) else { return }
        let market = order.order.intent.market
        self.queues[market]?.removeAll { $0 == id }
        if self.queues[market]?.isEmpty ?? false { self.queues[market] = nil }
    }
}
