import Shared

/// Builds one market's book from what the venue sends, and says when it may be believed.
///
/// The venue hashes its whole book into every message, so each state is checked, not hoped for. One operation may come
/// in several messages that share the hash of its end: until the hash agrees, the book is unsettled. After a trade the
/// hash holds a last trade price that is told only later; until then the prices just consumed are tried.
struct BookBuilder {
    let n: Int64
    private(set) var market: Market
    private(set) var book: OrderBook
    private(set) var trust = Trust.untrusted(.noSnapshot)
    private(set) var epoch: Int64 = 1
    private(set) var update: Int64 = 0
    private(set) var source = BookSource.webSocket
    /// Of the last verified state, as the first outcome shows it; `nil` when only the second's was checked.
    private(set) var hash: BookHash?
    private(set) var venueTime = Timestamp(microseconds: 0)
    private(set) var receivedTime = Timestamp(microseconds: 0)
    /// Venue's time of the last state that its hash proved.
    private(set) var settledTime = Timestamp(microseconds: 0)
    /// The last message's changes; reused, so that the steady state allocates nothing.
    private(set) var delta: DeltaBody
    private(set) var counters = Counters()
    /// What is compared with the other connection's.
    private(set) var moments = ProvedMoments()
    private var unsettled: Unsettled?
    private var unverified: Unverified?
    /// `nil` on a new line.
    private var claim: BookClaim?
    private var lastTrade = LastTradeSearch()
    private var pending: [Pending] = []
    /// Venue's time of the fetched book on which this one stands: what the line brings up to then is inside it.
    private var fetchedTime: Int64 = 0
    /// Messages of the line that agreed with the fetched book.
    private var provedCount = 0
    /// Whether the venue itself told the terms that its hash covers.
    private var hasVenueTerms = false
    /// Operations until the second outcome's hash is compared too.
    private var mirrorWait = 0

    init(n: Int64, market: Market) {
        self.n = n
        self.market = market
        self.book = OrderBook(tick: market.tick)
        let never = Timestamp(microseconds: 0)
        self.delta = DeltaBody(
            n: n, epoch: 1, update: 0, isSettled: true, levels: [], venueTime: never, receivedTime: never)
    }

    var isTrusted: Bool { self.trust == .trusted }
    var isSettled: Bool { self.unsettled == nil }
    /// The market has ended: whatever still comes, its book is never believed again.
    var isResolved: Bool { self.trust == .untrusted(.resolved) }

    /// Takes new terms from the scanner; those inside the hash stay as the venue told them to the feed.
    mutating func describe(_ market: Market) {
        var market = market
        market.tick = self.book.tick
        if self.hasVenueTerms {
            market.sizeMin = self.market.sizeMin
            market.isNegRisk = self.market.isNegRisk
        }
        self.market = market
    }

    /// The book becomes the one that is published: it is numbered as those before it were.
    mutating func lead(epoch: Int64) {
        self.epoch = epoch
        self.update = 1
    }

    /// Takes the terms that the hash covers from the venue itself, whatever else is made of the fetched book.
    mutating func learnTerms(of rest: RESTBook) {
        self.hasVenueTerms = true
        self.market.sizeMin = rest.sizeMin
        self.market.isNegRisk = rest.isNegRisk
    }

    // MARK: Trust

    /// Ends the belief in this book; what follows is a new epoch.
    mutating func distrust(_ reason: TrustReason) -> Effect {
        guard self.trust != .untrusted(reason) && !self.isResolved else { return .unchanged }
        if self.isTrusted { self.epoch += 1 }
        if reason == .crossed { self.counters.crossed += 1 }
        if reason == .mirror { self.counters.mirrorsBroken += 1 }
        self.trust = .untrusted(reason)
        self.moments.forget()
        self.unsettled = nil
        self.unverified = nil
        self.update = 0
        return .distrusted(reason)
    }

    /// Forgets what was kept for a snapshot: the line on which it came is gone.
    mutating func lineLost(_ reason: TrustReason) -> Effect {
        self.pending.removeAll()
        self.claim = nil
        self.lastTrade = LastTradeSearch()
        return self.distrust(reason)
    }

    /// To be called now and then: an operation whose end never came, or whose last trade price is now known.
    mutating func check(now: Instant, hasher: inout MeteredHasher) -> Effect {
        guard let unsettled = self.unsettled else { return .unchanged }
        if unsettled.isLeftOut && hasher.leavesOut(after: self.unverified, now: now) { return .unchanged }
        if self.settle(unsettled, hasher: &hasher) {
            return self.book.isCrossed ? self.distrust(.crossed) : self.emit([], received: self.receivedTime)
        }
        guard now - unsettled.since > Self.unsettledMax else { return .unchanged }
        self.counters.mismatched += 1
        return self.distrust(.hashMismatch)
    }

    // MARK: Messages

    /// A `price_change`.
    mutating func change(
        _ event: borrowing MarketEvent, received: Timestamp, now: Instant, hasher: inout MeteredHasher
    ) -> Effect {
        guard self.isTrusted && self.source == .webSocket else {
            if self.isResolved { return .unchanged }
            self.keep(Pending(timestamp: event.timestamp, changes: event.changes))
            return .unchanged
        }
        if event.timestamp < self.fetchedTime - Self.overtakenMax { self.fetchedTime = 0 }
        guard event.timestamp <= self.fetchedTime else {
            return self.apply(
                event.changes, timestamp: event.timestamp, received: received, now: now, hasher: &hasher, mayWait: true)
        }
        return self.applyOld(event.changes, timestamp: event.timestamp, received: received, now: now, hasher: &hasher)
    }

    /// What the fetched book holds already is passed over; within its very millisecond only the hash can tell.
    private mutating func applyOld(
        _ changes: [MarketEvent.Change], timestamp: Int64, received: Timestamp, now: Instant,
        hasher: inout MeteredHasher
    ) -> Effect {
        if timestamp == self.fetchedTime {
            var trial = self
            let effect = trial.apply(changes, timestamp: timestamp, received: received, now: now, hasher: &hasher)
            if trial.isTrusted && trial.isSettled {
                self = trial
                return effect
            }
        }
        self.counters.old += 1
        return .unchanged
    }

    /// - Parameter mayWait: whether the hash may be left out where the budget is spent.
    private mutating func apply(
        _ changes: [MarketEvent.Change], timestamp: Int64, received: Timestamp, now: Instant,
        hasher: inout MeteredHasher,
        mayWait: Bool = false
    ) -> Effect {
        let claim = BookClaim(changes, timestamp: timestamp, of: self.market)
        // Without a hash it proves nothing, and what was said before is true no more.
        self.claim = claim
        let outcome = claim.hashes.0 != nil ? 0 : 1
        guard let hash = claim.hash(of: outcome) else { return self.distrust(.malformed) }
        if timestamp * 1_000 < self.venueTime.microseconds { self.counters.backwards += 1 }
        guard !BookMirror.isBroken(changes, of: self.market) else {
            self.keep(Pending(timestamp: timestamp, changes: changes))
            return self.distrust(.mirror)
        }
        if let unsettled = self.unsettled,
            unsettled.timestamp != timestamp || claim.hash(of: unsettled.outcome) != unsettled.hash
        {
            // The operation before is over; this is the last moment to see whether it was whole.
            if unsettled.isLeftOut {
                // Nobody looked: what is right later says that this was as well.
                self.unsettled = nil
            } else if self.settle(unsettled, hasher: &hasher) {
                self.lastTrade.forgetCandidates()
            } else if unsettled.timestamp == timestamp && claim.hash(of: unsettled.outcome) == nil {
                // It may go on in the other outcome's words, and these say its end as well.
                self.unsettled?.hash = hash
                self.unsettled?.outcome = outcome
            } else {
                self.counters.mismatched += 1
                self.keep(Pending(timestamp: timestamp, changes: changes))
                return self.distrust(.hashMismatch)
            }
        }
        self.delta.levels.removeAll(keepingCapacity: true)
        for change in changes {
            guard let outcome = self.outcome(of: change.token) else {
                self.counters.tokensUnknown += 1
                continue
            }
            guard self.set(change, outcome: outcome) else {
                self.keep(Pending(timestamp: timestamp, changes: changes))
                return self.distrust(.malformed)
            }
        }
        self.venueTime = Timestamp(milliseconds: timestamp)
        if self.delta.levels.isEmpty && self.isSettled && self.delta.isSettled && hash == self.hash && outcome == 0
            && self.venueTime == self.settledTime
        {
            self.counters.repeated += 1
            return .unchanged
        }
        if mayWait && hasher.leavesOutChange(after: self.unverified, now: now) {
            return self.leaveOut(timestamp, hash, outcome, received: received, now: now)
        }
        self.counters.checked += 1
        let actual = hasher.hash(
            self.book, of: self.market, outcome: outcome, timestamp: timestamp, lastTrade: self.lastTrade.price ?? .none
        )
        if actual == hash {
            guard self.mirrors(claim, timestamp: timestamp, hasher: &hasher) else { return self.distrust(.mirror) }
            self.prove(hash, outcome: outcome)
            self.lastTrade.forgetCandidates()
            if self.book.isCrossed { return self.distrust(.crossed) }
            if self.delta.levels.isEmpty && self.delta.isSettled {
                self.counters.repeated += 1
                return .unchanged
            }
        } else if self.unsettled == nil {
            self.unsettled = Unsettled(timestamp: timestamp, hash: hash, outcome: outcome, since: now)
        } else {
            self.unsettled?.isLeftOut = false
        }
        return self.emit(nil, received: received)
    }

    /// What is published now has the venue's hash.
    private mutating func prove(_ hash: BookHash, outcome: Int) {
        self.unsettled = nil
        self.unverified = nil
        self.hash = outcome == 0 ? hash : nil
        self.settledTime = self.venueTime
        self.moments.note(self.lagState)
    }

    /// Applied, and not compared: it stays unsettled, as nobody may decide on what is not proved.
    private mutating func leaveOut(
        _ timestamp: Int64, _ hash: BookHash, _ outcome: Int, received: Timestamp, now: Instant
    ) -> Effect {
        self.counters.leftOut += 1
        if self.unverified == nil { self.unverified = Unverified(since: now) }
        self.unverified?.count += 1
        if self.unsettled == nil {
            self.unsettled = Unsettled(timestamp: timestamp, hash: hash, outcome: outcome, since: now)
        }
        self.unsettled?.isLeftOut = true
        return self.emit(nil, received: received)
    }

    /// Compares what was left out, whatever it costs: somebody wants to build on it.
    mutating func settleLeftOut(hasher: inout MeteredHasher) {
        if let unsettled = self.unsettled, unsettled.isLeftOut { _ = self.settle(unsettled, hasher: &hasher) }
    }

    /// Whether the second outcome's hash is that of the mirrored book, as far as it is due: the first's has just been found right.
    private mutating func mirrors(_ claim: BookClaim, timestamp: Int64, hasher: inout MeteredHasher) -> Bool {
        guard claim.hashes.0 != nil, let hash = claim.hashes.1 else { return true }
        self.mirrorWait -= 1
        guard self.mirrorWait < 0 else { return true }
        self.mirrorWait = Self.mirrorPeriod - 1
        self.counters.mirrorsChecked += 1
        return hash
            == hasher.hash(
                self.book, of: self.market, outcome: 1, timestamp: timestamp, lastTrade: self.lastTrade.price ?? .none)
    }

    private mutating func set(_ change: MarketEvent.Change, outcome: Int) -> Bool {
        let side: BookSide = (change.side == .buy) == (outcome == 0) ? .bid : .ask
        let price = outcome == 0 ? change.price : change.price.mirrored
        let old = self.book.size(side, at: price)
        guard old != change.size else { return true }
        guard OrderBook.believes(change.size) else {
            self.counters.sizesRefused += 1
            return false
        }
        if !self.book.tick.allows(price) { self.counters.offTick += 1 }
        guard self.book.set(side, price, change.size) else { return false }
        if change.size < old { self.lastTrade.consider(price) }
        self.delta.levels.append(LevelChange(side: side, price: price, size: change.size))
        return true
    }

    private mutating func settle(_ unsettled: Unsettled, hasher: inout MeteredHasher) -> Bool {
        guard
            self.verify(
                self.book, unsettled.hash, outcome: unsettled.outcome, timestamp: unsettled.timestamp, hasher: &hasher)
        else { return false }
        self.prove(unsettled.hash, outcome: unsettled.outcome)
        return true
    }

    /// Whether `hash` is that of `book`, with the last trade price that is known or one that may be.
    private mutating func verify(
        _ book: OrderBook, _ hash: BookHash, outcome: Int, timestamp: Int64, hasher: inout MeteredHasher
    ) -> Bool {
        self.counters.checked += 1
        let known = self.lastTrade.price
        guard
            self.lastTrade.explains(
                hash, book, of: self.market, outcome: outcome, timestamp: timestamp, hasher: &hasher)
        else { return false }
        if self.lastTrade.price != known && known != nil { self.counters.lastTradesFound += 1 }
        return true
    }

    /// Numbers the change and leaves it in `delta`. `levels` replaces those that are there already.
    private mutating func emit(_ levels: [LevelChange]?, received: Timestamp) -> Effect {
        if let levels { self.delta.levels = levels }
        if self.unsettled != nil { self.moments.note(LagWatch.State(time: self.venueTime, hash: nil)) }
        self.update += 1
        self.receivedTime = received
        self.delta.epoch = self.epoch
        self.delta.update = self.update
        self.delta.isSettled = self.unsettled == nil
        self.delta.venueTime = self.venueTime
        self.delta.receivedTime = received
        return .delta
    }

    private mutating func keep(_ pending: Pending) {
        // Too many: the oldest go. If they mattered, the hash will say so.
        if self.pending.count == Self.pendingCountMax { self.pending.removeFirst(Self.pendingCountMax / 2) }
        for change in pending.changes {
            guard let outcome = self.outcome(of: change.token) else { continue }
            self.lastTrade.consider(outcome == 0 ? change.price : change.price.mirrored)
        }
        self.claim = BookClaim(pending.changes, timestamp: pending.timestamp, of: self.market)
        self.pending.append(pending)
    }

    /// A `book` of the market channel.
    mutating func snapshot(
        _ event: borrowing MarketEvent, outcome: Int, received: Timestamp, now: Instant, hasher: inout MeteredHasher
    ) -> Effect {
        guard !self.isResolved else { return .unchanged }
        guard let hash = event.hash else { return self.distrust(.malformed) }
        if self.isTrusted && self.source == .webSocket {
            if event.timestamp * 1_000 < self.venueTime.microseconds {
                self.counters.old += 1
                return .unchanged
            }
            // The copy that follows a trade, or the other outcome's: usually it shows what we have.
            let (known, settled) = (self.lastTrade.price, self.isSettled ? self.settledTime : nil)
            if self.verify(self.book, hash, outcome: outcome, timestamp: event.timestamp, hasher: &hasher) {
                self.venueTime = Timestamp(milliseconds: event.timestamp)
                // The first outcome's hash of that very state is still known when the second's is shown.
                let isSame = settled == self.venueTime && known == self.lastTrade.price && self.hash != nil
                if outcome == 0 || !isSame { self.prove(hash, outcome: outcome) }
                guard settled == nil else { return .unchanged }
                self.lastTrade.forgetCandidates()
                return self.book.isCrossed ? self.distrust(.crossed) : self.emit([], received: received)
            }
            // The other outcome was just proved to be something else at that very time.
            if self.isSettled, event.timestamp * 1_000 == self.settledTime.microseconds,
                outcome == (self.hash == nil ? 0 : 1)
            {
                return self.distrust(.mirror)
            }
        }
        return self.restart(
            BookContent(event, hash: hash, outcome: outcome), source: .webSocket, received: received, now: now,
            hasher: &hasher)
    }

    /// A `/book` of the REST interface.
    ///
    /// To build on with a line's changes it must be borne out by that line: the interface may serve what is long past, with a hash
    /// that is right for it. Whoever has no line has nothing better than what is polled.
    mutating func snapshot(
        _ rest: RESTBook, source: BookSource, received: Timestamp, now: Instant, hasher: inout MeteredHasher
    ) -> Effect {
        guard !self.isResolved, let outcome = self.outcome(of: rest.token) else { return .unchanged }
        // An answer that was overtaken by the line, or by a later answer.
        guard !self.isTrusted || rest.timestamp * 1_000 >= self.venueTime.microseconds else {
            self.counters.old += 1
            return .unchanged
        }
        self.learnTerms(of: rest)
        let content = BookContent(rest, outcome: outcome)
        guard source == .webSocket else {
            // No line says what is true. What was polled before stays until no poll has confirmed it for too long.
            guard !rest.isPlaceholder else {
                self.counters.unproved += 1
                return .unchanged
            }
            return self.restart(content, source: source, received: received, now: now, hasher: &hasher)
        }
        var trial = self
        let effect = trial.restart(content, source: source, received: received, now: now, hasher: &hasher)
        if let unsettled = trial.unsettled { _ = trial.settle(unsettled, hasher: &hasher) }
        guard
            effect != .snapshot || self.claim?.names(rest, outcome: outcome) == true
                || (trial.provedCount > 0 && trial.isSettled)
        else {
            self.counters.unproved += 1
            return .unchanged
        }
        self = trial
        return effect
    }

    private mutating func restart(
        _ content: BookContent, source: BookSource, received: Timestamp, now: Instant, hasher: inout MeteredHasher
    ) -> Effect {
        let book: OrderBook
        do throws(BookContent.Fault) {
            book = try content.book(tick: self.book.tick)
        } catch {
            self.counters.add(error)
            return self.distrust(.malformed)
        }
        self.counters.offTick += Int64(book.offGridCount)
        if let lastTrade = content.lastTrade { self.lastTrade.learn(lastTrade) }
        guard self.verify(book, content.hash, outcome: content.outcome, timestamp: content.timestamp, hasher: &hasher)
        else {
            self.counters.mismatched += 1
            return self.distrust(.hashMismatch)
        }
        guard !book.isCrossed else { return self.distrust(.crossed) }
        if self.isTrusted && self.source == source && source == .rest && book.tick == self.book.tick {
            self.update += 1
        } else {
            if self.isTrusted { self.epoch += 1 }
            self.update = 1
        }
        self.book = book
        self.market.tick = book.tick
        self.trust = .trusted
        self.source = source
        self.mirrorWait = 0
        self.delta.isSettled = true
        self.venueTime = Timestamp(milliseconds: content.timestamp)
        self.prove(content.hash, outcome: content.outcome)
        self.receivedTime = received
        self.lastTrade.forgetCandidates()
        self.fetchedTime = content.isFetched && source == .webSocket ? content.timestamp : 0
        self.catchUp(received: received, now: now, hasher: &hasher)
        return switch self.trust {
        case .trusted: .snapshot
        case .untrusted(let reason): .distrusted(reason)
        }
    }

    /// Applies what came on the line while a book was fetched and is younger than it.
    private mutating func catchUp(received: Timestamp, now: Instant, hasher: inout MeteredHasher) {
        let pending = self.pending
        self.pending.removeAll(keepingCapacity: true)
        self.provedCount = 0
        // Whatever is caught up on, the line has said what it said last.
        let claim = self.claim
        defer { self.claim = claim }
        // The line's own snapshot holds all that came before it; polled books are replaced by it.
        guard self.fetchedTime > 0 else { return }
        for message in pending {
            if message.timestamp > self.fetchedTime {
                _ = self.apply(
                    message.changes, timestamp: message.timestamp, received: received, now: now, hasher: &hasher)
            } else {
                _ = self.applyOld(
                    message.changes, timestamp: message.timestamp, received: received, now: now, hasher: &hasher)
            }
            guard self.isTrusted else {
                // It did not fit this book; it may fit the next.
                self.pending = pending
                return
            }
            if message.timestamp > self.fetchedTime { self.provedCount += 1 }
        }
        self.delta.levels.removeAll(keepingCapacity: true)
    }

    /// A `last_trade_price`: it names what the hash has held since the trade.
    mutating func trade(_ event: borrowing MarketEvent, received: Timestamp) -> TradeBody? {
        guard let outcome = event.token.flatMap({ self.outcome(of: $0) }) else {
            self.counters.tokensUnknown += 1
            return nil
        }
        guard let price = event.price, let side = event.side else { return nil }
        self.lastTrade.consider(LastTradePrice(price))
        return TradeBody(
            n: self.n, outcome: Int64(outcome), price: price, size: event.size, takerSide: side == .buy ? .buy : .sell,
            venueTime: Timestamp(milliseconds: event.timestamp), receivedTime: received, transaction: event.transaction)
    }

    /// A `tick_size_change`: the levels are laid out anew, and the book must be confirmed by a snapshot.
    mutating func changeTick(_ event: borrowing MarketEvent) -> TickSizeBody? {
        guard let tick = event.tick, tick != self.book.tick else { return nil }
        self.counters.ticksChanged += 1
        let old = self.book.tick
        self.book.changeTick(to: tick)
        self.market.tick = tick
        // What the line said of the former grid bears out no book of the new one.
        self.claim = nil
        self.pending.removeAll()
        return TickSizeBody(n: self.n, old: old, new: tick, venueTime: Timestamp(milliseconds: event.timestamp))
    }
}
