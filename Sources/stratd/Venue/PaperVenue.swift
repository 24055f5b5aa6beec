import Shared

/// A venue on paper: real books and prints come in, fills that would have been ours come out.
///
/// Orders reach it after `latencyOut`, answers return after `latencyIn`. Makers are filled by prints alone, after the
/// queue ahead; takers walk the displayed book. While a book is untrusted nothing fills. When prints were lost, the
/// orders they may have filled become unknown, until the venue's own truth, asked once more, says that they rest.
struct PaperVenue: Sendable {
    struct Settings: Hashable, Sendable {
        var latencyOut = Duration.milliseconds(40)
        var latencyIn = Duration.milliseconds(40)
        /// How long the venue holds an order that would take, in markets that say so.
        var takerDelay = Duration.milliseconds(150)
        /// Share of a displayed size that a taker gets.
        var participationPercent: Int64 = 50
        /// How much later than its book change a print may come. A cancel waits for it, as the real match came first.
        var printLag = Duration.milliseconds(150)
    }

    private enum Step: Hashable {
        case arrive(ApprovedOrder)
        /// The taker delay is over.
        case take(ApprovedOrder)
        case cancel(OrderID)
        /// The fate of an unknown order was asked for.
        case ask(OrderID)
        case deliver(VenueEvent)
    }
    private struct Scheduled {
        let at: Moment
        let step: Step
    }
    private struct LevelKey: Hashable {
        let market: ConditionID
        let side: BookSide
        let price: Price
    }

    let settings: Settings
    /// What is under way, soonest first; equal times in the order in which they were scheduled.
    private var schedule: [Scheduled] = []
    private(set) var resting: [OrderID: RestingOrder] = [:]
    /// Resting orders of a market, in the order of their acceptance.
    private var queues: [ConditionID: [OrderID]] = [:]
    private var delayed: Set<OrderID> = []
    /// What own orders took from levels that have not changed since.
    private var taken: [LevelKey: Quantity] = [:]

    init(_ settings: Settings = Settings()) { self.settings = settings }

    /// When `advance` must be called next.
    var nextWake: Instant? { self.schedule.first?.at.instant }

    // MARK: From the engine

    mutating func submit(_ order: ApprovedOrder, now: Moment) {
        self.plan(.arrive(order), at: now.after(self.settings.latencyOut))
    }

    mutating func cancel(_ order: OrderID, now: Moment) {
        self.plan(.cancel(order), at: now.after(self.settings.latencyOut))
    }

    // MARK: Time

    /// Does everything that is due, and returns what has come back by now.
    mutating func advance(_ views: MarketViews, now: Moment) -> [VenueEvent] {
        var events: [VenueEvent] = []
        while let next = self.schedule.first, next.at.instant <= now.instant {
            self.schedule.removeFirst()
            switch next.step {
            case .deliver(let event): events.append(event)
            case .arrive(let order): self.arrive(order, views[order.intent.market], at: next.at)
            case .take(let order):
                self.delayed.remove(order.id)
                self.match(order, views[order.intent.market], at: next.at)
            case .cancel(let order): self.cancelArrived(order, at: next.at)
            case .ask(let order):
                if self.resting[order] != nil { self.tell(order, .found, at: next.at) }
            }
        }
        return events
    }

    private mutating func plan(_ step: Step, at time: Moment) {
        var index = self.schedule.endIndex
        while index > 0 && self.schedule[index - 1].at.instant > time.instant { index -= 1 }
        self.schedule.insert(Scheduled(at: time, step: step), at: index)
    }

    private mutating func tell(_ order: OrderID, _ kind: VenueEvent.Kind, at time: Moment) {
        self.plan(
            .deliver(VenueEvent(order: order, kind: kind, time: time.time)), at: time.after(self.settings.latencyIn))
    }

    // MARK: From the feed

    /// Takes in what the feed said; `views` has it already. Call `advance` before and after.
    mutating func handle(_ event: FeedEvent, _ views: MarketViews, now: Moment) {
        switch event {
        case .trade(let trade):
            guard let condition = views.condition(trade.n), let view = views[condition] else { return }
            self.printed(trade, condition, view, now: now)
        case .delta(let delta):
            guard let condition = views.condition(delta.n), let view = views[condition] else { return }
            guard view.isTrusted else { return self.flag(condition) }
            for level in delta.levels { self.levelChanged(condition, level, now: now) }
        case .book(let book):
            guard let view = views[book.market] else { return }
            view.isTrusted ? self.refreshed(book.market, view, now: now) : self.flag(book.market)
        case .trust(let trust):
            guard !trust.isTrusted else { return }
            switch trust.n {
            case .one(let n): if let condition = views.condition(n) { self.flag(condition) }
            case .all: self.flagAll()
            }
        case .tickSize(let change): if let condition = views.condition(change.n) { self.flag(condition) }
        case .disconnected: self.flagAll()
        case .resolved(let resolved):
            guard let condition = views.condition(resolved.n) else { return }
            for order in self.queues[condition] ?? [] { self.end(order, reason: "market_resolved", at: now) }
            self.taken = self.taken.filter { $0.key.market != condition }
        case .tradesDropped(let dropped):
            guard let condition = views.condition(dropped.n) else { return }
            for order in self.queues[condition] ?? [] { self.lose(order, reason: "prints_lost", at: now) }
        case .market, .alive, .connected: break
        }
    }

    private mutating func flagAll() { for condition in self.queues.keys { self.flag(condition) } }

    private mutating func flag(_ condition: ConditionID) {
        for order in self.queues[condition] ?? [] { self.resting[order]?.flag() }
    }

    private mutating func lose(_ order: OrderID, reason: String, at now: Moment) {
        self.tell(order, .lost(reason: reason), at: now)
        self.plan(.ask(order), at: now.after(self.settings.latencyIn + self.settings.latencyOut))
    }

    private mutating func levelChanged(_ condition: ConditionID, _ level: LevelChange, now: Moment) {
        if !self.taken.isEmpty {
            self.taken[LevelKey(market: condition, side: level.side, price: level.price)] = nil
        }
        for id in self.queues[condition] ?? [] {
            guard let order = self.resting[id], order.side == level.side, order.price == level.price else { continue }
            self.resting[id]?.levelChanged(to: level.size, now: now.instant, printLag: self.settings.printLag)
        }
    }

    private mutating func refreshed(_ condition: ConditionID, _ view: MarketView, now: Moment) {
        if !self.taken.isEmpty { self.taken = self.taken.filter { $0.key.market != condition } }
        for id in self.queues[condition] ?? [] {
            guard let order = self.resting[id] else { continue }
            let displayed = view.book.size(order.side, at: order.price)
            if order.isFlagged {
                self.resting[id]?.requeue(displayed: displayed)
            } else {
                self.resting[id]?.levelChanged(to: displayed, now: now.instant, printLag: self.settings.printLag)
            }
        }
    }

    private mutating func printed(_ trade: TradeBody, _ condition: ConditionID, _ view: MarketView, now: Moment) {
        guard view.isTrusted, let queue = self.queues[condition] else { return }
        let price = trade.outcome == 0 ? trade.price : trade.price.mirrored
        // A sale of the first outcome, or a purchase of the second, takes bids.
        let side = OrderIntent.bookSide(outcome: Int(trade.outcome), side: trade.takerSide).opposite
        let reached = queue.compactMap { self.resting[$0] }
            .filter { $0.side == side && (side == .bid ? price <= $0.price : price >= $0.price) }
            .sorted { a, b in
                a.price == b.price ? a.id < b.id : side == .bid ? a.price > b.price : a.price < b.price
            }
        var given = Quantity.zero
        for order in reached {
            let size =
                self.resting[order.id]?.printed(
                    at: price, trade.size, given: given, now: now.instant, printLag: self.settings.printLag) ?? .zero
            guard size > .zero else { continue }
            given += size
            self.fillMaker(order.id, size, at: now)
        }
    }

    // MARK: Matching

    private mutating func arrive(_ order: ApprovedOrder, _ view: MarketView?, at time: Moment) {
        guard let view, !view.isResolved else { return self.reject(order, "market_closed", at: time) }
        guard view.market.tick.allows(order.intent.price) else {
            return self.reject(order, "invalid_tick_size", at: time)
        }
        // Whether it would take is not known without a book.
        guard view.isTrusted else { return self.reject(order, "book_untrusted", at: time) }
        guard Self.crosses(order.intent, view.book) else { return self.match(order, view, at: time) }
        if order.intent.isPostOnly { return self.reject(order, "post_only_would_take", at: time) }
        guard view.market.hasTakerDelay && self.settings.takerDelay > .zero else {
            return self.match(order, view, at: time)
        }
        self.delayed.insert(order.id)
        self.tell(order.id, .accepted(isDelayed: true), at: time)
        self.plan(.take(order), at: time.after(self.settings.takerDelay))
    }

    private static func crosses(_ intent: OrderIntent, _ book: OrderBook) -> Bool {
        switch intent.bookSide {
        case .bid: book.bestAsk.map { intent.bookPrice >= $0.price } ?? false
        case .ask: book.bestBid.map { intent.bookPrice <= $0.price } ?? false
        }
    }

    /// Takes what may be taken, then lets the rest rest, or end, as the order's kind says.
    private mutating func match(_ order: ApprovedOrder, _ view: MarketView?, at time: Moment) {
        guard let view, view.isTrusted else { return self.reject(order, "book_untrusted", at: time) }
        let intent = order.intent
        let bites = intent.isPostOnly ? [] : self.bites(intent, view)
        let total = bites.reduce(Quantity.zero) { $0 + $1.size }
        if intent.kind == .fok && total < intent.size { return self.reject(order, "fok_not_filled", at: time) }
        var fillCount: Int64 = 0
        for bite in bites {
            fillCount += 1
            self.taken[
                LevelKey(market: intent.market, side: intent.bookSide.opposite, price: bite.price), default: .zero] +=
                bite.size
            let price = intent.outcome == 0 ? bite.price : bite.price.mirrored
            self.tell(
                order.id,
                .filled(
                    VenueFill(
                        trade: "paper-\(order.id)-\(fillCount)", price: price, size: bite.size,
                        fee: view.market.takerFee(size: bite.size, price: price), liquidity: .taker)),
                at: time)
        }
        let rest = intent.size - total
        guard rest > .zero else { return }
        switch intent.kind {
        case .gtc, .gtd:
            let displayed = view.book.size(intent.bookSide, at: intent.bookPrice)
            self.resting[order.id] = RestingOrder(
                order, remaining: rest, fillCount: fillCount, displayed: displayed, now: time.instant)
            self.queues[intent.market, default: []].append(order.id)
            if fillCount == 0 { self.tell(order.id, .accepted(isDelayed: false), at: time) }
        case .fok, .fak: self.tell(order.id, .cancelled(reason: "nothing_more_to_take"), at: time)
        }
    }

    /// What a taker gets of the other side, best price first, up to its limit and its share of each level.
    private func bites(_ intent: OrderIntent, _ view: MarketView) -> [Level] {
        var bites: [Level] = []
        var rest = intent.size
        let side = intent.bookSide.opposite
        let visit = { (level: Level) in
            guard rest > .zero else { return }
            guard side == .ask ? level.price <= intent.bookPrice : level.price >= intent.bookPrice else { return }
            let share = Quantity(micros: level.size.micros / 100 * self.settings.participationPercent)
            let taken = self.taken[LevelKey(market: intent.market, side: side, price: level.price)] ?? .zero
            let size = min(rest, max(.zero, share - taken).flooredToSizeGrid)
            guard size > .zero else { return }
            rest -= size
            bites.append(Level(price: level.price, size: size))
        }
        side == .ask ? view.book.forEachAsk(visit) : view.book.forEachBid(visit)
        return bites
    }

    private mutating func fillMaker(_ id: OrderID, _ size: Quantity, at time: Moment) {
        guard var order = self.resting[id] else { return }
        order.fill(size)
        self.resting[id] = order
        self.tell(
            id,
            .filled(
                VenueFill(
                    trade: "paper-\(id)-\(order.fillCount)", price: order.order.intent.price, size: size, fee: .zero,
                    liquidity: .maker)),
            at: time)
        if order.remaining == .zero { self.remove(id) }
    }

    // MARK: Ends

    private mutating func reject(_ order: ApprovedOrder, _ reason: String, at time: Moment) {
        self.tell(order.id, .rejected(reason: reason), at: time)
    }

    private mutating func cancelArrived(_ id: OrderID, at time: Moment) {
        guard let order = self.resting[id] else {
            // Filled or ended already, which is on its way to the engine; or held by the taker delay.
            return self.tell(id, .cancelRefused(reason: self.delayed.contains(id) ? "delayed" : "not_found"), at: time)
        }
        if order.mayBePrinted(now: time.instant) {
            let wait = order.shrunkUntil - time.instant
            self.plan(.cancel(id), at: time.after(wait))
        } else {
            self.end(id, reason: "requested", at: time)
        }
    }

    private mutating func end(_ id: OrderID, reason: String, at time: Moment) {
        guard self.resting[id] != nil else { return }
        self.remove(id)
        self.tell(id, .cancelled(reason: reason), at: time)
    }

    private mutating func remove(_ id: OrderID) {
        guard let order = self.resting.removeValue(forKey: id) else { return }
        self.queues[order.order.intent.market]?.removeAll { $0 == id }
        if self.queues[order.order.intent.market]?.isEmpty ?? false { self.queues[order.order.intent.market] = nil }
    }
}
