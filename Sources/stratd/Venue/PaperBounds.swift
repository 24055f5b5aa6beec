import Shared

/// The same orders and the same feed under three assumptions: what the paper venue fills, and the least and the most that it
/// could have filled. Only the realistic fills reach the engine; the others are counted.
///
/// At every moment, for every order: pessimistic ≤ realistic ≤ optimistic. The queue rules give that for an order alone; where
/// own orders share a print it is seen to. An order that has ended in the realistic venue has ended in all: what a strategy
/// would have done with other fills is not known, and so no bound of its profit.
struct PaperBounds: Sendable {
    /// How much of an order was filled.
    struct OrderFills: Hashable, Sendable {
        let order: OrderID
        let size: Quantity
        var filled = ByAssumption(Quantity.zero)
        /// Whether, while it rested, its book was not trusted or prints were lost: what was filled then nobody can say.
        var wasUnknown = false
    }
    /// An order that rests in the realistic venue.
    private struct Watched {
        var fills: OrderFills
        let intent: OrderIntent
        /// Token of the outcome that it does not speak of.
        let other: TokenID
        let since: Instant
        var unknownSince: Instant?
        /// A print of its market was lost: nothing makes it known again.
        var hasLostPrints = false

        mutating func becomeUnknown(now: Instant) {
            self.fills.wasUnknown = true
            if self.unknownSince == nil { self.unknownSince = now }
        }
    }

    /// Ended orders that are remembered.
    static let endedCountMax = 1_000

    private(set) var accounts: ByAssumption<PaperAccount>
    /// The latest ended orders, the oldest first.
    private(set) var ended: [OrderFills] = []
    private var watched: [OrderID: Watched] = [:]
    private var shadows: [PaperMatching]
    /// Sums over the orders that have ended.
    private var restedTime = Duration.zero
    private var unknownTime = Duration.zero

    init(_ settings: PaperVenue.Settings, _ ledger: OrderLedger) {
        self.accounts = ByAssumption(PaperAccount(ledger))
        self.shadows = [PaperMatching(.pessimistic, settings), PaperMatching(.optimistic, settings)]
    }

    /// The orders that rest, the oldest first.
    var open: [OrderFills] { self.watched.values.map(\.fills).sorted { $0.order < $1.order } }

    /// Resting orders of which nobody can say what was filled.
    var unknownCount: Int { self.watched.values.count { $0.unknownSince != nil } }

    /// Share of the orders' resting time in which it was unknown what filled, in millionths, rounded down.
    func unknownTimeMicros(now: Instant) -> Int64 {
        var (rested, unknown) = (self.restedTime, self.unknownTime)
        for order in self.watched.values {
            rested += now - order.since
            if let since = order.unknownSince { unknown += now - since }
        }
        guard rested > .zero else { return 0 }
        return Int64(Int128(unknown.nanoseconds) * 1_000_000 / Int128(rested.nanoseconds))
    }

    // MARK: Orders

    /// An order was matched against the book.
    ///
    /// - Parameters:
    ///   - bites: what it took in the realistic venue.
    ///   - rests: whether the rest of it rests there now.
    ///   - decreases: how many decreases of levels were told before.
    mutating func matched(
        _ order: ApprovedOrder, _ view: MarketView, bites: [Level], rests: Bool, after decreases: Int64, now: Moment
    ) {
        let intent = order.intent
        var watched = Watched(
            fills: OrderFills(order: order.id, size: intent.size), intent: intent,
            other: view.token(1 - intent.outcome), since: now.instant)
        self.take(bites, .realistic, &watched, view)
        let realistic = watched.fills.filled.realistic
        for index in self.shadows.indices {
            let assumption = self.shadows[index].assumption
            var own = self.shadows[index].bites(intent, view)
            var total = own.reduce(Quantity.zero) { $0 + $1.size }
            if intent.kind == .fok && total < intent.size { (own, total) = ([], .zero) }
            if assumption == .pessimistic ? total > realistic : total < realistic { own = bites }
            self.shadows[index].take(own, intent)
            self.take(own, assumption, &watched, view)
            let rest = intent.size - watched.fills.filled[assumption]
            guard rests && rest > .zero else { continue }
            self.shadows[index].rest(order, remaining: rest, fillCount: 0, view, after: decreases, now: now)
        }
        if rests {
            self.watched[order.id] = watched
        } else {
            self.keep(watched.fills)
        }
    }

    private mutating func take(
        _ bites: [Level], _ assumption: FillAssumption, _ watched: inout Watched, _ view: MarketView
    ) {
        for bite in bites {
            let price = watched.intent.outcome == 0 ? bite.price : bite.price.mirrored
            watched.fills.filled[assumption] += bite.size
            self.accounts[assumption].book(
                watched.intent, price, bite.size, fee: view.market.takerFee(size: bite.size, price: price),
                other: watched.other)
        }
    }

    /// The order's cancel came while a print for it may be on its way.
    mutating func cancelArrived(_ id: OrderID) {
        for index in self.shadows.indices { self.shadows[index].cancelArrived(id) }
    }

    /// The realistic venue does not hold the order any more.
    mutating func end(_ id: OrderID, now: Moment) {
        guard let watched = self.watched.removeValue(forKey: id) else { return }
        for index in self.shadows.indices { self.shadows[index].remove(id) }
        self.restedTime += now.instant - watched.since
        if let since = watched.unknownSince { self.unknownTime += now.instant - since }
        self.keep(watched.fills)
    }

    private mutating func keep(_ fills: OrderFills) {
        self.ended.append(fills)
        if self.ended.count > Self.endedCountMax { self.ended.removeFirst() }
    }

    // MARK: The feed

    /// A print that was given to the realistic venue's orders.
    ///
    /// - Parameter told: what the book told of it before.
    mutating func printed(
        _ trade: TradeBody, _ condition: ConditionID, told: [AwaitedPrints.Part],
        realistic: [(order: RestingOrder, size: Quantity)], now: Moment
    ) {
        for (order, size) in realistic { self.fill(order.id, size, .realistic) }
        for index in self.shadows.indices where self.shadows[index].queues[condition] != nil {
            let assumption = self.shadows[index].assumption
            let watched = self.watched
            let filled = self.shadows[index].printed(trade, condition, told: told, now: now) { id, ours in
                guard let fills = watched[id]?.fills.filled else { return .zero }
                let behind = fills.realistic - fills[assumption]
                return assumption == .pessimistic ? min(ours, behind) : max(ours, behind)
            }
            for (order, size) in filled { self.fill(order.id, size, assumption) }
        }
    }

    /// A maker's fill, which costs no fee.
    private mutating func fill(_ id: OrderID, _ size: Quantity, _ assumption: FillAssumption) {
        guard let watched = self.watched[id] else { return }
        self.watched[id]?.fills.filled[assumption] += size
        self.accounts[assumption].book(watched.intent, watched.intent.price, size, fee: .zero, other: watched.other)
    }

    mutating func levelChanged(_ condition: ConditionID, _ level: LevelChange, now: Moment) {
        for index in self.shadows.indices { self.shadows[index].levelChanged(condition, level, now: now) }
    }

    mutating func refreshed(_ condition: ConditionID, _ book: OrderBook, now: Moment) {
        for index in self.shadows.indices { self.shadows[index].refreshed(condition, book, now: now) }
        self.change(condition) { order, unknownTime in
            guard let since = order.unknownSince, !order.hasLostPrints else { return }
            unknownTime += now.instant - since
            order.unknownSince = nil
        }
    }

    /// The book is not trusted.
    mutating func flag(_ condition: ConditionID, now: Moment) {
        for index in self.shadows.indices { self.shadows[index].flag(condition) }
        self.change(condition) { order, _ in order.becomeUnknown(now: now.instant) }
    }

    /// Prints were lost.
    mutating func lose(_ condition: ConditionID, now: Moment) {
        self.change(condition) { order, _ in
            order.becomeUnknown(now: now.instant)
            order.hasLostPrints = true
        }
    }

    private mutating func change(_ condition: ConditionID, _ change: (inout Watched, inout Duration) -> Void) {
        for (id, var order) in self.watched where order.intent.market == condition {
            change(&order, &self.unknownTime)
            self.watched[id] = order
        }
    }

    /// The market's outcome is known, and none of its orders rests any more.
    mutating func resolved(_ condition: ConditionID, winner: Int64?) {
        for assumption in FillAssumption.allCases { self.accounts[assumption].settle(condition, winner: winner) }
        for index in self.shadows.indices { self.shadows[index].forgetTaken(condition) }
    }

    // MARK: What can be told

    /// Gauges since the venue's beginning: fills, millionths of shares filled, result in millionths of a pUSD with positions at
    /// `value`, and what is unknown.
    func metrics(now: Instant, valuing value: (Position) -> Money) -> [String: Int64] {
        var values: [String: Int64] = [
            "paper_unknown_orders": Int64(self.unknownCount),
            "paper_unknown_time_ppm": self.unknownTimeMicros(now: now),
        ]
        for assumption in FillAssumption.allCases {
            let account = self.accounts[assumption]
            values["paper_\(assumption.rawValue)_fills"] = account.fillCount
            values["paper_\(assumption.rawValue)_shares"] = account.filled.micros
            values["paper_\(assumption.rawValue)_result"] = account.result(valuing: value).micros
        }
        return values
    }
}
