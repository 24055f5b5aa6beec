import Shared

/// What the venue holds of our orders, as far as it was told: says what to ask of the venue, and turns answers into what the
/// engine takes in. A value without I/O.
///
/// No order is sent twice. One without an answer is unknown until the venue tells of it; it never came when, thirty seconds after
/// its request has ended, two reads of orders and trades do not know it. Source: reference, 2.6 to 2.9.
struct OrderDesk: Sendable {
    /// What is asked of the venue; each is answered once by `take`.
    enum Request: Hashable, Sendable {
        case place([ApprovedOrder])
        /// By their hashes.
        case cancel([String])
        /// Everything that rests, of which these are known.
        case cancelAll([String])
        case readOrder(String)
        case readOpenOrders
        /// Whatever was matched since.
        case readTrades(since: Timestamp)
        /// One trade, by its id.
        case readTrade(String)
    }

    /// What the log is told.
    enum Note: Equatable, Sendable {
        /// The venue has an order that the ledger does not know; it is cancelled.
        case stray(hash: String)
        case cancelFailed(count: Int, ClobFailure)
        case readFailed(ClobFailure)
        /// So many of the venue's open orders are told in a form that is not known.
        case ordersUnread(count: Int)
        /// The venue calls an order by another id than its hash: nothing that it says of it can be believed.
        case misnamed(OrderID, as: String)
        /// Nothing of it was found: it never came.
        case neverCame(OrderID, hash: String)
        /// The account is banned, or may only close what it holds.
        case barred(String)
        case reconciled(open: Int, unknown: Int)
        /// A part of the account's in a trade is told in a form that cannot be read.
        case unreadPart(trade: String)
    }

    enum Output: Equatable, Sendable {
        case ask(Request)
        case tell(VenueEvent)
        case note(Note)
    }

    enum Stage: Hashable, Sendable {
        /// On its way, and no answer yet.
        case sending
        case open
        case delayed
        /// Its fate was not told.
        case unknown
    }

    /// An order is looked at, again and again with growing pauses, until what is not clear is.
    struct Doubt: Hashable, Sendable {
        /// Since when no request of ours that speaks of it is under way.
        let since: Instant
        var nextRead: Instant
        var pause = OrderDesk.readPauseMin
        var isReading = false
        /// Reads that did not know it, of orders and of trades.
        var missCount = 0
    }

    struct Entry: Hashable, Sendable {
        let id: OrderID
        let hash: String
        let size: Quantity
        let kind: OrderKind
        /// When it was approved.
        let time: Timestamp
        var stage: Stage
        /// Shares of the trades that are known.
        var booked = Quantity.zero
        /// Of them, in trades that had failed before they were heard of: nobody was told of a fill.
        var failed = Quantity.zero
        /// Shares that the venue says were matched.
        var matched = Quantity.zero
        var trades: Set<String> = []
        var isCancelWanted = false
        var isCancelAsked = false
        /// After a cancel that the venue refused.
        var cancelNotBefore: Instant?
        /// Whether the engine was told that its fate is open.
        var isLossTold = false
        /// Reads in a row that called it matched although something of it is left.
        var remainderCount = 0
        /// Why it ended, where fills of it are still to come.
        var ending: String?
        var doubt: Doubt?
    }

    /// Orders of one request. Source: reference, 2.3.
    static let batchCountMax = 15
    /// Orders and cancels a second, and at once: the lowest tier's. Source: reference, 2.9.
    static let orderRate: (perSecond: Int64, burst: Int64) = (40, 60)
    static let cancelRate: (perSecond: Int64, burst: Int64) = (80, 120)
    /// Cancels of one request: two fit the burst.
    static let cancelCountMax = 60
    /// Requests of a kind that are under way at a time.
    static let placeCountMax = 8
    static let cancelRequestCountMax = 4
    static let readCountMax = 8
    static let readPauseMin = Duration.seconds(1)
    static let readPauseMax = Duration.seconds(15)
    static let absenceMin = Duration.seconds(30)
    static let absenceReadCount = 2
    static let reconcileInterval = Duration.seconds(60)
    static let cancelPause = Duration.seconds(1)
    /// However long the venue wants us to wait: orders that are to go must not rest for its sake.
    static let cancelPauseMax = Duration.seconds(5)
    /// So many cancels are worth one request that ends everything, where everything is to end.
    static let cancelAllCountMin = 2 * cancelCountMax
    /// How long that is not tried again after the venue has refused it.
    static let cancelAllPause = Duration.seconds(60)
    /// Trades are read again from so long before the last read.
    static let tradeOverlap = Duration.seconds(120)
    /// Ended orders that are remembered, for trades and reports that come late.
    static let endedCountMax = OrderLedger.finishedOrderCountMax
    /// Trades that wait for the chain, remembered at a time; the ledger keeps no more either.
    static let unsettledCountMax = OrderLedger.pendingFillCountMax
    /// Of them, those that are read by themselves, as they are older than what is read together, at a time.
    static let aloneCountMax = 4
    /// Without a good read of orders and of trades for so long, nothing is placed.
    static let readAgeMax = Duration.seconds(180)
    /// Orders that the ledger does not know, remembered at a time.
    static let strayCountMax = 1_000

    var entries: [String: Entry] = [:]
    var hashes: [OrderID: String] = [:]
    private(set) var ended: [String: (id: OrderID, trades: Set<String>)] = [:]
    private var endedQueue: [String] = []
    /// Seen once at the venue, and unknown here.
    var strays: Set<String> = []
    /// Those of them of which the log was told.
    var toldStrays: Set<String> = []

    var outputs: [Output] = []
    private var submitted: [ApprovedOrder] = []
    private var orders: TokenBucket
    private var cancels: TokenBucket
    var placeCount = 0
    var cancelRequestCount = 0
    var readCount = 0
    var cancelsResumeAt: Instant?
    var cancelAllResumesAt: Instant?
    /// Why the venue takes no orders now, and until when none is tried.
    var closed: (reason: String, until: Instant)?

    var isReadingOpenOrders = false
    var isReadingTrades = false
    var reconcileAt: Instant
    /// Whether the venue's orders and trades were read since the start.
    var hasReadOrders = false
    var hasReadTrades = false
    /// Whether the first list of a start was taken in.
    var hasStarted = false
    /// Of the lists that are being read: whether they began before the channel opened, and are of no use for what was missed.
    var isOrderReadStale = false
    var isTradeReadStale = false
    /// How long the next failure of each puts off the next try.
    var orderReadPause = OrderDesk.readPauseMin
    var tradeReadPause = OrderDesk.readPauseMin
    /// When the last good list of each kind was asked for.
    var ordersReadAt: Instant?
    var tradesReadAt: Instant?
    private var ordersAskedAt: Instant
    private var tradesAskedAt: Instant
    var tradesReadTo: Timestamp
    /// Trades that wait for the chain, and when they were matched: they are read until they have got there.
    var unsettled: [String: Timestamp]
    /// Reads of single trades that are under way, and the trade that was read last.
    var aloneCount = 0
    private var lastAlone = ""
    /// Parts of trades that were told, of the time that is read again.
    var seen: [SeenPart: Timestamp] = [:]
    /// Trades with a part of the account's that could not be read, and when they were matched.
    var unread: [String: Timestamp] = [:]
    /// Trades from then on that no order of ours had are the account's all the same.
    let foreignSince: Timestamp

    /// - Parameters:
    ///   - open: orders of the ledger that are not finished: what became of them is asked first.
    ///   - finished: of the ledger, for trades that come late.
    ///   - unsettled: trades that wait for the chain, and when they were matched.
    ///   - since: trades from then on may not be booked yet. `nil` for a new ledger.
    init(
        open: [LedgerOrder], finished: [LedgerOrder], unsettled: [String: Timestamp], since: Timestamp?, now: Moment
    ) {
        self.foreignSince = since.map { $0 + (.zero - Self.lossMax) } ?? now.time
        self.unsettled = unsettled
        self.orders = TokenBucket(rate: Self.orderRate.perSecond, burst: Self.orderRate.burst, now: now.instant)
        self.cancels = TokenBucket(rate: Self.cancelRate.perSecond, burst: Self.cancelRate.burst, now: now.instant)
        self.reconcileAt = now.instant
        self.ordersAskedAt = now.instant
        self.tradesAskedAt = now.instant
        self.tradesReadTo = open.reduce(since ?? now.time) { min($0, $1.body.time) } + (.zero - Self.tradeOverlap)
        for order in finished {
            guard !order.isForeign else {
                for trade in order.trades {
                    self.seen[SeenPart(trade: trade, order: order.body.hash)] = order.body.time
                }
                continue
            }
            self.remember(order.body.hash, order.id, Set(order.trades))
        }
        for order in open {
            var entry = Entry(
                id: order.id, hash: order.body.hash, size: order.body.size, kind: order.body.kind,
                time: order.body.time, stage: .unknown)
            entry.booked = order.body.filled
            entry.matched = order.body.filled
            entry.trades = Set(order.trades)
            entry.isCancelWanted = order.body.state == .cancelling
            entry.doubt = Doubt(since: now.instant, nextRead: now.instant + Self.readPauseMin)
            self.entries[entry.hash] = entry
            self.hashes[entry.id] = entry.hash
        }
    }

    /// Whether the venue was asked, since the start and since the user channel opened last, what it holds.
    var isReconciled: Bool { self.hasReadOrders && self.hasReadTrades }

    /// Why no order can leave now; `nil` when one can.
    func closedReason(now: Instant) -> String? {
        guard self.isReconciled, let orders = self.ordersReadAt, let trades = self.tradesReadAt else {
            return "the venue's orders and trades are still to be read"
        }
        guard now - min(orders, trades) < Self.readAgeMax else {
            return "the venue's orders and trades could not be read for \(Self.readAgeMax.components.seconds) s"
        }
        guard let closed = self.closed, now < closed.until else { return nil }
        return closed.reason
    }

    // MARK: From the engine

    mutating func submit(_ order: ApprovedOrder) { self.submitted.append(order) }

    /// Asks the venue to end an order as soon as it is known to hold it; one that has not left yet stays here.
    mutating func cancel(_ id: OrderID, now: Moment) {
        if let index = self.submitted.firstIndex(where: { $0.id == id }) {
            self.submitted.remove(at: index)
            return self.tell(id, .withheld(reason: "cancelled before it was sent"), now.time)
        }
        guard let hash = self.hashes[id] else { return self.tell(id, .cancelRefused(reason: "not_found"), now.time) }
        self.entries[hash]?.isCancelWanted = true
    }

    // MARK: Time

    /// Sends what was submitted, and does whatever is due.
    ///
    /// - Returns: what follows, in this order.
    mutating func advance(now: Moment) -> [Output] {
        self.place(now: now)
        self.askForCancels(now: now)
        self.readOrders(now: now)
        if now.instant >= self.reconcileAt { self.reconcile(now: now) }
        defer { self.outputs.removeAll(keepingCapacity: true) }
        return self.outputs
    }

    /// When `advance` must be called next.
    var nextWake: Instant {
        var next = self.reconcileAt
        if self.readCount < Self.readCountMax {
            for entry in self.entries.values {
                if let doubt = entry.doubt, !doubt.isReading { next = min(next, doubt.nextRead) }
            }
        }
        // Nothing that `advance` could not do by then: what it leaves as it was would wake again at once, and for ever.
        if let resumesAt = self.cancelsResumeAt {
            next = min(next, resumesAt)
        } else if self.cancelRequestCount < Self.cancelRequestCountMax {
            for entry in self.entries.values where entry.isCancelWanted && !entry.isCancelAsked && entry.stage == .open
            {
                if let notBefore = entry.cancelNotBefore { next = min(next, notBefore) }
            }
        }
        return next
    }

    private mutating func place(now: Moment) {
        guard !self.submitted.isEmpty else { return }
        var batch: [ApprovedOrder] = []
        for order in self.submitted {
            // Nothing waits here: an order's price is of its moment.
            if let reason = self.closedReason(now: now.instant) {
                self.tell(order.id, .withheld(reason: reason), now.time)
            } else if self.placeCount >= Self.placeCountMax {
                self.tell(order.id, .withheld(reason: "too many requests are under way"), now.time)
            } else if !self.orders.take(now: now.instant) {
                self.tell(order.id, .withheld(reason: "the venue's rate limit"), now.time)
            } else {
                self.entries[order.hash] = Entry(
                    id: order.id, hash: order.hash, size: order.intent.size, kind: order.intent.kind, time: order.time,
                    stage: .sending)
                self.hashes[order.id] = order.hash
                batch.append(order)
                if batch.count == Self.batchCountMax { self.send(&batch) }
            }
        }
        self.send(&batch)
        self.submitted.removeAll(keepingCapacity: true)
    }

    private mutating func send(_ batch: inout [ApprovedOrder]) {
        guard !batch.isEmpty else { return }
        self.placeCount += 1
        self.ask(.place(batch))
        batch.removeAll(keepingCapacity: true)
    }

    private mutating func askForCancels(now: Moment) {
        if let resumesAt = self.cancelsResumeAt {
            guard now.instant >= resumesAt else { return }
            self.cancelsResumeAt = nil
        }
        var wanted = self.entries.values
            .filter { $0.isCancelWanted && !$0.isCancelAsked && $0.stage == .open }
            .filter { entry in entry.cancelNotBefore.map { now.instant >= $0 } ?? true }
            .sorted { $0.id < $1.id }.map(\.hash)[...]
        if wanted.count >= Self.cancelAllCountMin,
            wanted.count == self.entries.values.count(where: { $0.stage == .open }),
            self.cancelRequestCount == 0, self.cancelAllResumesAt.map({ now.instant >= $0 }) ?? true
        {
            for hash in wanted { self.entries[hash]?.isCancelAsked = true }
            self.cancelRequestCount += 1
            return self.ask(.cancelAll(Array(wanted)))
        }
        while !wanted.isEmpty, self.cancelRequestCount < Self.cancelRequestCountMax {
            let count = min(wanted.count, Self.cancelCountMax)
            guard self.takeCancels(count, now: now) else { return }
            for hash in wanted.prefix(count) { self.entries[hash]?.isCancelAsked = true }
            self.cancelRequestCount += 1
            self.ask(.cancel(Array(wanted.prefix(count))))
            wanted = wanted.dropFirst(count)
        }
    }

    /// Counts cancels against the venue's limit; where it is used up, the next go out when it is not.
    mutating func takeCancels(_ count: Int, now: Moment) -> Bool {
        guard !self.cancels.take(Int64(count), now: now.instant) else { return true }
        let wait = self.cancels.wait(for: Int64(count), now: now.instant) ?? Self.cancelPause
        self.cancelsResumeAt = now.instant + wait
        return false
    }

    private mutating func readOrders(now: Moment) {
        let due = self.entries.values
            .filter { entry in entry.doubt.map { !$0.isReading && $0.nextRead <= now.instant } ?? false }
            .sorted { $0.id < $1.id }
        for entry in due {
            guard self.readCount < Self.readCountMax else { return }
            self.entries[entry.hash]?.doubt?.isReading = true
            self.readCount += 1
            self.ask(.readOrder(entry.hash))
        }
    }

    /// Asks for all that is open, and for the trades of late.
    mutating func reconcile(now: Moment) {
        self.reconcileAt = now.instant + Self.reconcileInterval
        if !self.isReadingOpenOrders {
            self.isReadingOpenOrders = true
            self.ordersAskedAt = now.instant
            self.ask(.readOpenOrders)
        }
        self.readTrades(now: now)
    }

    /// The user channel opened: what it had said until then is to be read.
    mutating func catchUp(now: Moment) {
        self.hasReadOrders = false
        self.hasReadTrades = false
        self.isOrderReadStale = self.isReadingOpenOrders
        self.isTradeReadStale = self.isReadingTrades
        // The venue answers again.
        self.orderReadPause = Self.readPauseMin
        self.tradeReadPause = Self.readPauseMin
        self.reconcile(now: now)
    }

    /// A list came.
    mutating func noteOrdersRead(now: Moment) {
        self.isReadingOpenOrders = false
        self.orderReadPause = Self.readPauseMin
        self.ordersReadAt = self.ordersAskedAt
        guard self.isOrderReadStale else {
            self.hasReadOrders = true
            return
        }
        self.isOrderReadStale = false
        self.reconcile(now: now)
    }
    mutating func noteTradesRead(now: Moment) {
        self.isReadingTrades = false
        self.tradeReadPause = Self.readPauseMin
        self.tradesReadAt = self.tradesAskedAt
        guard self.isTradeReadStale else {
            self.hasReadTrades = true
            return
        }
        self.isTradeReadStale = false
        self.readTrades(now: now)
    }

    mutating func readTrades(now: Moment) {
        guard !self.isReadingTrades else { return }
        self.isReadingTrades = true
        self.tradesAskedAt = now.instant
        self.ask(.readTrades(since: self.tradesReadTo))
        self.readUnsettled()
    }

    /// Reads the trades that still wait for the chain and are no longer among those that are read together, some at a time.
    private mutating func readUnsettled() {
        let old = self.unsettled.filter { $0.value < self.tradesReadTo }.keys.sorted()
        let next = old.filter { $0 > self.lastAlone } + old.filter { $0 <= self.lastAlone }
        for trade in next.prefix(max(0, Self.aloneCountMax - self.aloneCount)) {
            self.lastAlone = trade
            self.aloneCount += 1
            self.ask(.readTrade(trade))
        }
    }

    // MARK: Steps

    mutating func ask(_ request: Request) { self.outputs.append(.ask(request)) }
    mutating func note(_ note: Note) { self.outputs.append(.note(note)) }
    mutating func tell(_ id: OrderID, _ kind: VenueEvent.Kind, _ time: Timestamp) {
        self.outputs.append(.tell(VenueEvent(order: id, kind: kind, time: time)))
    }

    /// Looks at an order soon, unless it is looked at already.
    mutating func doubt(_ hash: String, after pause: Duration = OrderDesk.readPauseMin, now: Moment) {
        guard self.entries[hash]?.doubt == nil else { return }
        self.entries[hash]?.doubt = Doubt(since: now.instant, nextRead: now.instant + pause)
    }

    /// What is not clear yet is looked at again, later each time.
    mutating func doubtAgain(_ hash: String, now: Moment) {
        guard var doubt = self.entries[hash]?.doubt else { return self.doubt(hash, now: now) }
        doubt.isReading = false
        doubt.nextRead = now.instant + doubt.pause
        doubt.pause = min(doubt.pause + doubt.pause, Self.readPauseMax)
        self.entries[hash]?.doubt = doubt
    }

    /// Forgets an order, but for what may be told of it late.
    mutating func end(_ entry: Entry) {
        self.entries[entry.hash] = nil
        self.hashes[entry.id] = nil
        self.remember(entry.hash, entry.id, entry.trades)
    }

    private mutating func remember(_ hash: String, _ id: OrderID, _ trades: Set<String>) {
        if self.ended.updateValue((id, trades), forKey: hash) == nil { self.endedQueue.append(hash) }
        if self.endedQueue.count > Self.endedCountMax {
            let half = Self.endedCountMax / 2
            for hash in self.endedQueue.prefix(half) { self.ended[hash] = nil }
            self.endedQueue.removeFirst(half)
        }
    }

    mutating func noteLate(_ trade: String, of hash: String) { self.ended[hash]?.trades.insert(trade) }
}
