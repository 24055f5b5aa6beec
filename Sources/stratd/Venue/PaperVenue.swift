import Shared

/// A venue on paper: real books and prints come in, fills that would have been ours come out.
///
/// Orders reach it after `latencyOut`, answers return after `latencyIn`. Makers are filled by prints alone, after the
/// queue ahead; takers walk the displayed book. While a book is untrusted nothing fills. When prints were lost, the
/// orders they may have filled become unknown, until the venue's own truth, asked once more, says that they rest. What the
/// engine is told are the realistic fills; the least and the most that could have been filled are counted in `bounds`.
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

    let settings: Settings
    /// What is under way, soonest first; equal times in the order in which they were scheduled.
    private var schedule: [Scheduled] = []
    private var matching: PaperMatching
    private var awaited: AwaitedPrints
    /// What else could have been filled, counted from `account` on.
    private(set) var bounds: PaperBounds
    private var delayed: Set<OrderID> = []

    /// - Parameter account: what the engine's account holds at the beginning, for the bounds.
    init(_ settings: Settings = Settings(), account: OrderLedger = OrderLedger(cash: .zero)) {
        self.settings = settings
        self.matching = PaperMatching(.realistic, settings)
        self.awaited = AwaitedPrints(printLag: settings.printLag)
        self.bounds = PaperBounds(settings, account)
    }

    var resting: [OrderID: RestingOrder] { self.matching.resting }

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
            guard let condition = views.condition(trade.n), views[condition]?.isTrusted == true else { return }
            self.printed(trade, condition, now: now)
        case .delta(let delta):
            guard let condition = views.condition(delta.n), let view = views[condition] else { return }
            guard view.isTrusted else { return self.flag(condition, now: now) }
            self.awaited.levelsChanged(delta.levels, view, now: now.instant)
            for level in delta.levels {
                self.matching.levelChanged(condition, level, now: now)
                self.bounds.levelChanged(condition, level, now: now)
            }
        case .book(let book): self.bookChanged(book.market, views, now: now)
        case .trust(let trust):
            switch trust.n {
            case .one(let n): if let condition = views.condition(n) { self.bookChanged(condition, views, now: now) }
            case .all: for condition in self.matching.queues.keys { self.bookChanged(condition, views, now: now) }
            }
        case .tickSize(let change):
            if let condition = views.condition(change.n) { self.flag(condition, now: now) }
        case .disconnected: for condition in self.matching.queues.keys { self.flag(condition, now: now) }
        case .resolved(let resolved):
            guard let condition = views.condition(resolved.n) else { return }
            for order in self.matching.queues[condition] ?? [] {
                self.end(order, reason: "market_resolved", at: now)
            }
            self.matching.forgetTaken(condition)
            self.awaited.forget(condition)
            self.bounds.resolved(condition, winner: views[condition]?.resolution ?? resolved.winner)
        case .tradesDropped(let dropped):
            guard let condition = views.condition(dropped.n) else { return }
            self.bounds.lose(condition, now: now)
            for order in self.matching.queues[condition] ?? [] { self.lose(order, reason: "prints_lost", at: now) }
        case .market: self.awaited.forgetOthers(than: views)
        case .alive, .connected: break
        }
    }

    private mutating func flag(_ condition: ConditionID, now: Moment) {
        self.matching.flag(condition)
        self.bounds.flag(condition, now: now)
    }

    private mutating func lose(_ order: OrderID, reason: String, at now: Moment) {
        self.tell(order, .lost(reason: reason), at: now)
        self.plan(.ask(order), at: now.after(self.settings.latencyIn + self.settings.latencyOut))
    }

    /// The whole book is another, or is believed or not as before.
    private mutating func bookChanged(_ condition: ConditionID, _ views: MarketViews, now: Moment) {
        guard let view = views[condition] else { return }
        guard view.isTrusted else { return self.flag(condition, now: now) }
        self.awaited.refreshed(view, now: now.instant)
        self.matching.refreshed(condition, view.book, now: now)
        self.bounds.refreshed(condition, view.book, now: now)
    }

    private mutating func printed(_ trade: TradeBody, _ condition: ConditionID, now: Moment) {
        let told = self.awaited.printed(trade, condition, now: now.instant)
        let filled = self.matching.printed(trade, condition, told: told, now: now)
        self.bounds.printed(trade, condition, told: told, realistic: filled, now: now)
        for (order, size) in filled {
            self.tell(
                order.id,
                .filled(
                    VenueFill(
                        trade: "paper-\(order.id)-\(order.fillCount)", token: order.order.intent.token,
                        side: order.order.intent.side, price: order.order.intent.price, size: size,
                        fee: .zero, liquidity: .maker)),
                at: now)
            if order.remaining == .zero { self.bounds.end(order.id, now: now) }
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
        var bites = self.matching.bites(intent, view)
        let total = bites.reduce(Quantity.zero) { $0 + $1.size }
        let isRefused = intent.kind == .fok && total < intent.size
        if isRefused { bites = [] }
        let rest = isRefused ? .zero : intent.size - total
        let rests = rest > .zero && (intent.kind == .gtc || intent.kind == .gtd)
        let decreases = self.awaited.decreaseCount
        self.bounds.matched(order, view, bites: bites, rests: rests, after: decreases, now: time)
        if isRefused { return self.reject(order, "fok_not_filled", at: time) }
        self.matching.take(bites, intent)
        for (index, bite) in bites.enumerated() {
            let price = intent.outcome == 0 ? bite.price : bite.price.mirrored
            self.tell(
                order.id,
                .filled(
                    VenueFill(
                        trade: "paper-\(order.id)-\(index + 1)", token: intent.token, side: intent.side, price: price,
                        size: bite.size,
                        fee: view.market.takerFee(size: bite.size, price: price), liquidity: .taker)),
                at: time)
        }
        if rests {
            self.matching.rest(
                order, remaining: rest, fillCount: Int64(bites.count), view, after: decreases, now: time)
            if bites.isEmpty { self.tell(order.id, .accepted(isDelayed: false), at: time) }
        } else if rest > .zero {
            self.tell(order.id, .cancelled(reason: "nothing_more_to_take"), at: time)
        }
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
            self.matching.cancelArrived(id)
            self.bounds.cancelArrived(id)
            self.plan(.cancel(id), at: time.after(order.shrunkUntil - time.instant))
        } else {
            self.end(id, reason: "requested", at: time)
        }
    }

    private mutating func end(_ id: OrderID, reason: String, at time: Moment) {
        guard self.resting[id] != nil else { return }
        self.matching.remove(id)
        self.bounds.end(id, now: time)
        self.tell(id, .cancelled(reason: reason), at: time)
    }
}
