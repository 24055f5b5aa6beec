import Shared

extension OrderDesk {
    /// What the venue says of one order of a request.
    enum Placement: Hashable, Sendable {
        /// It is there, under that id.
        case taken(id: String, Taken)
        case refused(String)
        /// The answer to it says neither yes nor no, with whatever problem it names.
        case unclear(String)
        enum Taken: String, Hashable, Sendable { case live, matched, delayed, unmatched }
    }

    enum Answer: Sendable {
        /// One for each order that was asked for, in the same order.
        case placed([ApprovedOrder], Result<[Placement], ClobFailure>)
        case cancelled([String], Result<ClobClient.Cancellation, ClobFailure>)
        /// `nil`: the venue knows no such order.
        case order(String, Result<VenueOrder?, ClobFailure>)
        /// With so many rows that could not be read.
        case openOrders(Result<[VenueOrder], ClobFailure>, unreadCount: Int = 0)
        /// Whatever was matched since the asked time, up to `asOf`.
        case trades(Result<[VenueTrade], ClobFailure>, asOf: Timestamp)
        /// `nil`: the venue knows no such trade.
        case trade(String, Result<VenueTrade?, ClobFailure>)
        /// From the user channel, unasked.
        case orderEvent(VenueOrder)
        case tradeEvent(VenueTrade)
        /// The user channel is open: what was said before is not heard any more.
        case channelOpened

        /// Why a request was not done; `nil` where it was, or where nothing was requested.
        var failure: ClobFailure? {
            switch self {
            case .placed(_, .failure(let failure)), .cancelled(_, .failure(let failure)),
                .order(_, .failure(let failure)), .openOrders(.failure(let failure), _),
                .trades(.failure(let failure), _), .trade(_, .failure(let failure)):
                failure
            case .placed, .cancelled, .order, .openOrders, .trades, .trade, .orderEvent, .tradeEvent, .channelOpened:
                nil
            }
        }

        /// Whether the request counts among those that failed.
        var isRequestFailure: Bool {
            // One that told of no order at all has told nothing.
            if case .placed(_, .success(let placements)) = self {
                return placements.allSatisfy { if case .unclear = $0 { true } else { false } }
            }
            return self.failure?.isRequestFailure ?? false
        }
    }

    /// How long nothing is placed after an answer that closes the venue.
    static let closedPauseMin = Duration.seconds(2)
    /// What the venue says where it may have taken the order all the same. Source: reference, 2.6.
    private static let unknownTexts = ["Duplicated", "could not insert order", "could not run the execution"]
    /// What it says to an account that is to stop. Source: reference, 2.6.
    private static let barredTexts = ["address banned", "closed only mode"]
    /// Reads that call an order matched although something of it is left, until it counts as gone.
    static let remainderReadCount = 3
    private static let reasonByteCountMax = 120

    /// Takes in what the venue says; `advance` then gives what follows.
    mutating func take(_ answer: Answer, now: Moment) {
        switch answer {
        case .placed(let orders, let result): self.placed(orders, result, now: now)
        case .cancelled(let hashes, let result): self.cancelled(hashes, result, now: now)
        case .order(let hash, let result): self.looked(hash, result, now: now)
        case .openOrders(let result, let unreadCount): self.listed(result, unreadCount: unreadCount, now: now)
        case .trades(let result, let asOf): self.traded(result, asOf: asOf, now: now)
        case .orderEvent(let order): self.report(order, now: now)
        case .tradeEvent(let trade): self.book(trade, now: now)
        case .trade(let id, let result): self.readAlone(id, result, now: now)
        case .channelOpened: self.catchUp(now: now)
        }
    }

    // MARK: Placing

    private mutating func placed(
        _ orders: [ApprovedOrder], _ result: Result<[Placement], ClobFailure>, now: Moment
    ) {
        self.placeCount -= 1
        switch result {
        case .success(let placements) where placements.count == orders.count:
            for (order, placement) in zip(orders, placements) { self.placed(order, placement, now: now) }
        case .success:
            for order in orders { self.lose(order.hash, reason: "the answer is about other orders", now: now) }
        case .failure(let failure):
            self.close(after: failure, now: now)
            for order in orders {
                if failure.isOutcomeUnknown {
                    self.lose(order.hash, reason: "\(failure)", now: now)
                } else {
                    self.refuse(order.hash, reason: "\(failure)", now: now)
                }
            }
        }
    }

    private mutating func placed(_ order: ApprovedOrder, _ placement: Placement, now: Moment) {
        // Reports of the user channel may have come before.
        guard let entry = self.entries[order.hash] else { return }
        switch placement {
        case .taken(let id, let taken):
            guard id == order.hash else {
                self.note(.misnamed(order.id, as: id.shortened(toByteCount: Self.reasonByteCountMax)))
                return self.lose(order.hash, reason: "the venue calls it by another id", now: now)
            }
            switch taken {
            case .live, .unmatched: self.open(order.hash, now: now)
            case .delayed:
                guard entry.stage == .sending else { break }
                self.entries[order.hash]?.stage = .delayed
                self.tell(order.id, .accepted(isDelayed: true), now.time)
                self.doubt(order.hash, after: Self.readPauseMax, now: now)
            case .matched:
                self.open(order.hash, now: now)
                // The fills are told by the user channel; whether something rests, nobody says unasked.
                self.doubt(order.hash, now: now)
            }
        case .refused(let text) where Self.unknownTexts.contains(where: text.contains) || entry.booked > .zero:
            self.lose(order.hash, reason: text, now: now)
        case .refused(let text): self.refuse(order.hash, reason: text, now: now)
        case .unclear(let text):
            self.lose(
                order.hash,
                reason: text.isEmpty ? "the answer to it is unclear" : "the answer to it is unclear: \(text)",
                now: now)
        }
    }

    private mutating func open(_ hash: String, now: Moment) {
        guard let entry = self.entries[hash], entry.stage != .open else { return }
        self.entries[hash]?.stage = .open
        self.tell(entry.id, entry.stage == .unknown ? .found : .accepted(isDelayed: false), now.time)
    }

    private mutating func lose(_ hash: String, reason: String, now: Moment) {
        guard let entry = self.entries[hash], entry.stage == .sending else { return }
        self.entries[hash]?.stage = .unknown
        self.entries[hash]?.isLossTold = true
        self.tell(entry.id, .lost(reason: reason.shortened(toByteCount: Self.reasonByteCountMax)), now.time)
        self.doubt(hash, now: now)
    }

    private mutating func refuse(_ hash: String, reason: String, now: Moment) {
        guard let entry = self.entries[hash], entry.stage == .sending else { return }
        if Self.barredTexts.contains(where: reason.contains) {
            self.note(.barred(reason.shortened(toByteCount: Self.reasonByteCountMax)))
        }
        self.end(entry)
        self.tell(entry.id, .rejected(reason: reason.shortened(toByteCount: Self.reasonByteCountMax)), now.time)
    }

    private mutating func close(after failure: ClobFailure, now: Moment) {
        switch failure {
        case .restarting, .postOnly, .cancelOnly, .disabled, .tooMany, .unauthorized, .region:
            let pause = max(Self.closedPauseMin, failure.retryAfter ?? .zero)
            self.closed = ("\(failure)", now.instant + pause)
        case .transport, .staleHeartbeat, .trouble, .refused, .malformed: break
        }
    }

    // MARK: Cancelling

    private mutating func cancelled(
        _ hashes: [String], _ result: Result<ClobClient.Cancellation, ClobFailure>, now: Moment
    ) {
        self.cancelRequestCount -= 1
        switch result {
        case .success(let cancellation):
            let gone = Set(cancellation.cancelled.map { $0.lowercased() })
            for hash in hashes {
                guard self.entries[hash] != nil else { continue }
                if gone.contains(hash) {
                    self.entries[hash]?.ending = "requested"
                    self.settle(hash, now: now)
                } else {
                    // Matched, ended or delayed: the venue's reason is free text, its order is not. Until it was looked at,
                    // the cancel counts as asked for.
                    self.entries[hash]?.doubt = nil
                    self.doubt(hash, after: .zero, now: now)
                }
            }
        case .failure(let failure):
            for hash in hashes { self.entries[hash]?.isCancelAsked = false }
            self.note(.cancelFailed(count: hashes.count, failure))
            // It costs as much as the cancels that it makes, which may be more than the venue ever allows at once.
            guard hashes.count <= Self.cancelCountMax else {
                self.cancelAllResumesAt = now.instant + Self.cancelAllPause
                return
            }
            let pause = min(Self.cancelPauseMax, max(Self.cancelPause, failure.retryAfter ?? .zero))
            self.cancelsResumeAt = now.instant + pause
        }
    }

    // MARK: Looking

    private mutating func looked(_ hash: String, _ result: Result<VenueOrder?, ClobFailure>, now: Moment) {
        self.readCount -= 1
        guard let entry = self.entries[hash] else { return }
        if entry.isCancelAsked {
            // The venue refused the cancel; where the order rests all the same, it is asked again, but not at once.
            self.entries[hash]?.isCancelAsked = false
            self.entries[hash]?.cancelNotBefore = now.instant + Self.cancelPause
        }
        self.doubtAgain(hash, now: now)
        switch result {
        case .failure(let failure): self.note(.readFailed(failure))
        case .success(.some(let order)):
            self.weigh(order)
            self.report(order, now: now)
        case .success(.none):
            self.entries[hash]?.doubt?.missCount += 1
            if entry.stage == .unknown && !entry.isLossTold {
                self.entries[hash]?.isLossTold = true
                self.tell(entry.id, .lost(reason: "the venue does not know it"), now.time)
            }
            self.reconcile(now: now)
            self.giveUp(hash, now: now)
        }
        self.readMissingTrades(hash, now: now)
    }

    /// Ends an order that the venue does not know, when it was asked often and long enough.
    private mutating func giveUp(_ hash: String, now: Moment) {
        guard let entry = self.entries[hash], let doubt = entry.doubt, doubt.missCount > Self.absenceReadCount,
            now.instant - doubt.since >= Self.absenceMin, entry.matched <= entry.booked,
            // Neither the list nor the trades knew it, asked for long enough afterwards.
            [self.ordersReadAt, self.tradesReadAt].allSatisfy({
                $0.map { $0 - doubt.since >= Self.absenceMin / 2 } ?? false
            })
        else { return }
        self.end(entry)
        if entry.booked > .zero || entry.stage == .open {
            self.tell(entry.id, .cancelled(reason: "unknown at the venue"), now.time)
        } else {
            self.note(.neverCame(entry.id, hash: hash))
            self.tell(entry.id, .rejected(reason: "it never came"), now.time)
        }
    }

    /// A read tells how an order stands, whatever was told before.
    private mutating func weigh(_ order: VenueOrder) {
        guard var entry = self.entries[order.hash] else { return }
        switch order.standing {
        case .open, .delayed: entry.remainderCount = 0
        case .ended: entry.matched = max(entry.booked, order.matched)
        case .matched:
            // What is too little to rest is gone, and nobody says so.
            entry.remainderCount += 1
            entry.matched = max(entry.booked, order.matched)
            if entry.remainderCount >= Self.remainderReadCount { entry.ending = "matched" }
        }
        self.entries[order.hash] = entry
    }

    private mutating func readMissingTrades(_ hash: String, now: Moment) {
        if let entry = self.entries[hash], entry.booked < entry.matched { self.readTrades(now: now) }
    }

    /// Takes in what the venue says of one order.
    private mutating func report(_ order: VenueOrder, now: Moment) {
        guard var entry = self.entries[order.hash] else { return }
        entry.matched = max(entry.matched, order.matched)
        self.entries[order.hash] = entry
        switch order.standing {
        case .open: self.open(order.hash, now: now)
        case .delayed:
            guard entry.stage == .sending || entry.stage == .unknown else { break }
            self.entries[order.hash]?.stage = .delayed
            self.tell(entry.id, .accepted(isDelayed: true), now.time)
        case .matched:
            self.open(order.hash, now: now)
            // What is left of an order that takes and does not rest is gone.
            if entry.kind == .fak || entry.kind == .fok { self.entries[order.hash]?.ending = "nothing_more_to_take" }
        case .ended(let reason):
            self.open(order.hash, now: now)
            self.entries[order.hash]?.ending = reason
        }
        self.settle(order.hash, now: now)
    }

    /// Ends an order once all that was matched of it is booked, and stops looking at one of which all is clear.
    private mutating func settle(_ hash: String, now: Moment) {
        guard let entry = self.entries[hash] else { return }
        if entry.booked >= entry.size {
            self.end(entry)
            // Fills alone end an order for the engine; of those that failed it has none.
            if entry.failed > .zero { self.tell(entry.id, .cancelled(reason: "failed_on_chain"), now.time) }
            return
        }
        guard entry.booked >= entry.matched else { return self.doubt(hash, now: now) }
        if let ending = entry.ending {
            self.end(entry)
            self.tell(entry.id, .cancelled(reason: ending), now.time)
        } else if entry.stage == .open {
            self.entries[hash]?.doubt = nil
        }
    }

    // MARK: Lists

    private mutating func listed(_ result: Result<[VenueOrder], ClobFailure>, unreadCount: Int, now: Moment) {
        guard case .success(let orders) = result else {
            self.isReadingOpenOrders = false
            self.isOrderReadStale = false
            if case .failure(let failure) = result { self.readFailed(failure, \.orderReadPause, now: now) }
            return
        }
        let listed = Set(orders.map(\.hash))
        for entry in self.entries.values.sorted(by: { $0.id < $1.id }) {
            if entry.stage == .open && !listed.contains(entry.hash) { self.doubt(entry.hash, now: now) }
        }
        var unknown: [String] = []
        for order in orders.sorted(by: { $0.hash < $1.hash }) {
            self.entries[order.hash] == nil ? unknown.append(order.hash) : self.report(order, now: now)
        }
        self.cancelStrays(unknown, now: now)
        guard unreadCount == 0 else {
            // Any of them may be an order of ours, or one that nobody here knows: the list does not count as read.
            self.note(.ordersUnread(count: unreadCount))
            self.isReadingOpenOrders = false
            self.isOrderReadStale = false
            self.reconcileAt = min(self.reconcileAt, now.instant + Self.readPauseMax)
            return
        }
        if !self.hasStarted {
            self.hasStarted = true
            // Those of the ledger that the list does not have are looked at before anybody is told of them.
            for entry in self.entries.values where entry.stage == .unknown {
                self.entries[entry.hash]?.doubt?.nextRead = now.instant
            }
        }
        self.noteOrdersRead(now: now)
        let unknownCount = self.entries.values.count { $0.stage == .unknown }
        self.note(.reconciled(open: listed.count, unknown: unknownCount))
    }

    /// Orders that nobody here knows: seen twice, they are not about to end by themselves.
    private mutating func cancelStrays(_ unknown: [String], now: Moment) {
        let again = Array(unknown.filter(self.strays.contains).prefix(Self.cancelCountMax))
        self.strays = Set(unknown.prefix(Self.strayCountMax))
        self.toldStrays.formIntersection(self.strays)
        // Where the venue's limits are used up, the next list finds them again.
        if !again.isEmpty, self.cancelRequestCount < Self.cancelRequestCountMax, self.takeCancels(again.count, now: now)
        {
            for hash in again where self.toldStrays.insert(hash).inserted { self.note(.stray(hash: hash)) }
            self.cancelRequestCount += 1
            self.ask(.cancel(again))
        }
        if !unknown.isEmpty { self.reconcileAt = min(self.reconcileAt, now.instant + Self.readPauseMin) }
    }

    // MARK: Trades

    private mutating func traded(
        _ result: Result<[VenueTrade], ClobFailure>, asOf: Timestamp, now: Moment
    ) {
        switch result {
        case .failure(let failure):
            self.isReadingTrades = false
            self.isTradeReadStale = false
            self.readFailed(failure, \.tradeReadPause, now: now)
        case .success(let trades):
            for trade in trades.sorted(by: { ($0.time, $0.id) < ($1.time, $1.id) }) { self.book(trade, now: now) }
            self.noteTradesRead(now: now)
            // Should our clock have been ahead, it goes back with it.
            self.tradesReadTo = asOf + (.zero - Self.tradeOverlap)
            self.forgetSeen()
            self.tell(OrderID(number: 0), .tradesRead, self.tradesTold(to: asOf + (.zero - Self.lossMax)))
        }
    }

    /// A list could not be read. Each further failure waits longer: a venue that is away for a while is no reason to halt for its errors.
    private mutating func readFailed(
        _ failure: ClobFailure, _ pause: WritableKeyPath<OrderDesk, Duration>, now: Moment
    ) {
        self.note(.readFailed(failure))
        let wait = max(self[keyPath: pause], min(failure.retryAfter ?? .zero, Self.readPauseMax))
        self.reconcileAt = min(self.reconcileAt, now.instant + wait)
        self[keyPath: pause] = min(self[keyPath: pause] * 2, Self.readPauseMax)
    }

    private mutating func readAlone(_ id: String, _ result: Result<VenueTrade?, ClobFailure>, now: Moment) {
        self.aloneCount -= 1
        switch result {
        case .failure(let failure): self.note(.readFailed(failure))
        case .success(.some(let trade)): self.book(trade, now: now)
        // It may not be listed yet, or not any more; what it moved shows in the balance.
        case .success(.none): break
        }
    }

    /// Tells the engine of our parts in a trade. A trade is told again with each step of its settlement.
    private mutating func book(_ trade: VenueTrade, now: Moment) {
        self.noteUnread(trade)
        self.noteParts(of: trade)
        let isOurs = trade.parts.contains { self.entries[$0.order] != nil || self.ended[$0.order] != nil }
        switch trade.settlement {
        case .confirmed, .failed: self.unsettled[trade.id] = nil
        case .matched, .mined, .retrying:
            if isOurs && self.unsettled.count < Self.unsettledCountMax { self.unsettled[trade.id] = trade.time }
        }
        for part in trade.parts {
            if let entry = self.entries[part.order] {
                if !entry.trades.contains(trade.id) {
                    self.entries[part.order]?.trades.insert(trade.id)
                    self.entries[part.order]?.booked += part.size
                    if trade.settlement == .failed { self.entries[part.order]?.failed += part.size }
                    self.entries[part.order]?.matched = max(entry.matched, entry.booked + part.size)
                }
                self.tellFill(entry.id, trade, part, isKnown: entry.trades.contains(trade.id))
                self.settle(part.order, now: now)
            } else if let late = self.ended[part.order] {
                self.tellFill(late.id, trade, part, isKnown: late.trades.contains(trade.id), isLate: true)
                if trade.settlement != .failed { self.noteLate(trade.id, of: part.order) }
            }
        }
    }

    private mutating func tellFill(
        _ id: OrderID, _ trade: VenueTrade, _ part: VenueTrade.Part, isKnown: Bool, isLate: Bool = false
    ) {
        if isKnown { return self.tell(id, .settled(trade: trade.id, trade.settlement), trade.time) }
        // One that failed before it was heard of changes nothing.
        guard trade.settlement != .failed else { return }
        let fill = VenueFill(part, of: trade)
        self.tell(id, isLate ? .filledLate(hash: part.order, fill) : .filled(fill), trade.time)
    }
}
