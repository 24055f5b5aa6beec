import Shared

/// A venue that plays a recording: its frames go out byte for byte, and the books are kept beside for those who
/// come later.
struct ReplayVenue: VenueCore {
    private enum State: Hashable, Sendable {
        /// Next: `playing` at the first subscription.
        case waiting
        /// `since` is the venue's time of the first frame. Next: `paused`, or `ended` after the last frame.
        case playing(since: Int64)
        /// Next: `playing`, as much later as the pause took.
        case paused(since: Int64?, at: Int64)
        case ended
    }

    /// How long the markets of a recording seem to go on.
    private static let lifetime = Duration.seconds(86_400)

    private(set) var listing = MarketRegister()
    private let recording: Recording
    /// 0 plays as fast as the readers read.
    private let speed: Double
    private var state = State.waiting
    private var position = 0
    private var reader = MarketChannelReader()
    private var hasher = BookHasher()
    /// Slots whose hashes are to be computed anew.
    private var changed: Set<Int> = []
    private var clues: [Int: Clue] = [:]

    /// What tells a last trade's price before its print comes, or when it was never recorded.
    private struct Clue: Sendable {
        static let priceCountMax = 32
        /// The newest hash that the recording claims, and for which outcome.
        var hash: BookHash?
        var outcome = 0
        /// Levels that changed lately, in terms of the first outcome; the newest is the last.
        var prices: [Price] = []

        mutating func note(_ price: Price) {
            if self.prices.count == Self.priceCountMax { self.prices.removeFirst() }
            self.prices.append(price)
        }
    }

    init(_ recording: Recording, speed: Double, at time: Int64) {
        self.recording = recording
        self.speed = speed
        for (index, found) in recording.markets.enumerated() { self.list(found, id: 700_000 + index, at: time) }
    }

    private mutating func list(_ found: Recording.FoundMarket, id: Int, at time: Int64) {
        let condition = found.condition.description
        let slug = "replay-" + condition.dropFirst(2).prefix(8)
        let endTime = Timestamp(milliseconds: time) + Self.lifetime
        let terms = found.terms
        let isNegRisk = terms?.isNegRisk ?? false
        let event = ListedEvent(
            id: id, slug: slug, title: "Up or Down, replayed from a recording", isNegRisk: isNegRisk,
            startTime: nil, endTime: endTime)
        // A market whose second token the recording never names gets one that nobody else has.
        var random = SeededRandom(seed: 0, name: condition)
        let second = found.second ?? TokenID(words: random.words())
        let market = Market(
            condition: found.condition, slug: slug, question: "Up or Down, replayed from a recording of \(condition)",
            first: terms?.first ?? Outcome(label: "Up", token: found.first),
            second: terms?.second ?? Outcome(label: "Down", token: second),
            tick: found.tick ?? terms?.tick ?? .cent, sizeMin: terms?.sizeMin ?? Quantity(shares: 5),
            isNegRisk: isNegRisk, event: slug, startTime: nil, endTime: endTime, feeRate: terms?.feeRate ?? 70_000,
            feeExponent: terms?.feeExponent ?? 1, hasTakerDelay: terms?.hasTakerDelay ?? true, rewards: nil,
            settlement: .other, asset: nil)
        var listed = ListedMarket(
            id: id, kind: .replayed, event: event, market: market, feeType: "crypto_fees_v2",
            listedTime: Timestamp(milliseconds: time), bookTime: time, hasher: &self.hasher)
        listed.hasBook = false
        _ = self.listing.add(listed)
    }

    // MARK: Time

    var referencePrices: ReferencePrices? { nil }
    var waitsForReaders: Bool { self.speed == 0 }

    var nextTime: Int64? {
        switch self.state {
        case .playing(let since): self.dueTime(of: self.position, since: since)
        case .waiting, .paused, .ended: nil
        }
    }

    private func dueTime(of index: Int, since start: Int64) -> Int64 {
        guard self.speed > 0 else { return start }
        let frames = self.recording.frames
        return start + Int64(Double(frames[index].time - frames[0].time) / self.speed)
    }

    mutating func advance(to time: Int64, messageCountMax: Int, into batch: inout MessageBatch) {
        while batch.count < messageCountMax, let next = self.nextTime, next <= time {
            self.play(self.recording.frames[self.position], into: &batch)
            self.position += 1
            if self.position == self.recording.frames.count { self.state = .ended }
        }
        for slot in self.changed.sorted() { self.seal(slot) }
        self.changed.removeAll(keepingCapacity: true)
    }

    /// Computes the hashes of a slot. Where they are not the recorded ones, the last trade's price is what we do not
    /// know: it is the price of a level that changed lately, in the terms of one outcome or the other.
    private mutating func seal(_ slot: Int) {
        self.listing[slot].seal(at: self.listing[slot].bookTime, hasher: &self.hasher)
        guard let clue = self.clues[slot], let hash = clue.hash, self.listing[slot].hasBook else { return }
        guard self.listing[slot].hash(outcome: clue.outcome) != hash else { return }
        let listed = self.listing[slot]
        for price in clue.prices.reversed() {
            for candidate in [LastTradePrice(price), LastTradePrice(price.mirrored)] {
                let hashed = self.hasher.hash(
                    listed.book, of: listed.market, outcome: clue.outcome, timestamp: listed.bookTime,
                    lastTrade: candidate)
                guard hashed == hash else { continue }
                self.listing[slot].lastTrade = candidate
                return self.listing[slot].seal(at: listed.bookTime, hasher: &self.hasher)
            }
        }
    }

    mutating func noteSubscription(slot: Int, at time: Int64) {
        switch self.state {
        case .waiting: self.state = .playing(since: time)
        case .paused(nil, let at): self.state = .paused(since: time, at: max(at, time))
        case .playing, .paused, .ended: break
        }
    }

    /// A recording is never shortened: what is late is sent late.
    func skip(to time: Int64) {}

    var isPaused: Bool { if case .paused = self.state { true } else { false } }

    mutating func pause(at time: Int64) {
        switch self.state {
        case .waiting: self.state = .paused(since: nil, at: time)
        case .playing(let since): self.state = .paused(since: since, at: time)
        case .paused, .ended: break
        }
    }

    mutating func resume(at time: Int64) {
        guard case .paused(let since, let at) = self.state else { return }
        self.state = since.map { .playing(since: $0 + time - at) } ?? .waiting
    }

    func takeRemovedSlots() -> [Int] { [] }

    var engine: MatchingEngine? { nil }

    func handle(_ request: EngineRequest, at time: Int64, into batch: inout MessageBatch) -> [EngineEvent] {
        let what: EngineEvent.What =
            if case .place(let order) = request { .refused(order.hash, .disabled) } else { .commandRefused(.disabled) }
        return [EngineEvent(time: Timestamp(milliseconds: time), what: what)]
    }

    func takeAccountEvents() -> [EngineEvent] { [] }

    func force(_ event: ForcedEvent) -> String? { "a replayed recording goes as it was recorded" }

    // MARK: Playing

    private mutating func play(_ frame: Recording.Frame, into batch: inout MessageBatch) {
        var audiences: [Audience] = []
        self.recording.bytes.withUnsafeBufferPointer { buffer in
            var reader = self.reader
            _ = try? reader.read(UnsafeBufferPointer(rebasing: buffer[frame.range])) { event in
                self.follow(event, &audiences)
            }
            self.reader = reader
        }
        // What names no market, or cannot be read, is for everybody: the recording had it too.
        let audience = audiences.popLast() ?? .anybody
        batch.append(for: audience, others: audiences) { $0.append(contentsOf: self.recording.bytes[frame.range]) }
    }

    private mutating func follow(_ event: borrowing MarketEvent, _ audiences: inout [Audience]) {
        var tokens = event.changes.map(\.token)
        if let token = event.token { tokens.append(token) }
        for token in tokens {
            guard let place = self.listing.place(of: token) else { continue }
            let audience = Audience.market(place.slot, tokens: 1 << UInt8(place.outcome))
            if !audiences.contains(audience) { audiences.append(audience) }
        }
        guard let condition = event.market, let slot = self.listing.slot(of: condition) else { return }
        switch event.kind {
        case .book: self.followBook(event, slot)
        case .priceChange:
            self.listing[slot].bookTime = event.timestamp
            for change in event.changes {
                guard let place = self.listing.place(of: change.token), place.slot == slot else { continue }
                let side: BookSide = change.side == .buy ? .bid : .ask
                self.set(slot, place.outcome, side, change.price, change.size)
                self.clues[slot, default: Clue()].note(place.outcome == 0 ? change.price : change.price.mirrored)
                self.clues[slot]?.hash = change.hash
                self.clues[slot]?.outcome = place.outcome
            }
            self.changed.insert(slot)
        case .lastTradePrice:
            guard let price = event.price else { return }
            self.listing[slot].lastTrade = LastTradePrice(price)
            self.listing[slot].lastTradeSide = event.side.map { $0 == .buy ? .buy : .sell }
            self.changed.insert(slot)
        case .tickSizeChange:
            guard let tick = event.tick else { return }
            self.change(tick, of: slot)
            self.changed.insert(slot)
        case .marketResolved:
            self.listing[slot].isClosed = true
            self.listing[slot].acceptsOrders = false
            self.listing[slot].resolutionStatus = "resolved"
            self.listing[slot].winner = event.token.flatMap { self.listing.place(of: $0)?.outcome }
        case .bestBidAsk, .newMarket, .unknown: break
        }
    }

    private mutating func followBook(_ event: borrowing MarketEvent, _ slot: Int) {
        guard let token = event.token, let place = self.listing.place(of: token), place.slot == slot else { return }
        if let tick = event.tick { self.change(tick, of: slot) }
        if let lastTrade = event.lastTrade { self.listing[slot].lastTrade = lastTrade }
        self.listing[slot].book.removeAll()
        for level in event.bids { self.set(slot, place.outcome, .bid, level.price, level.size) }
        for level in event.asks { self.set(slot, place.outcome, .ask, level.price, level.size) }
        self.listing[slot].bookTime = event.timestamp
        self.listing[slot].hasBook = true
        self.clues[slot, default: Clue()].hash = event.hash
        self.clues[slot]?.outcome = place.outcome
        self.changed.insert(slot)
    }

    /// Sets a level as `outcome` tells it. A size that no book holds was told by the recording; it is left out here.
    private mutating func set(_ slot: Int, _ outcome: Int, _ side: BookSide, _ price: Price, _ size: Quantity) {
        if outcome == 0 {
            _ = self.listing[slot].book.set(side, price, size)
        } else {
            _ = self.listing[slot].book.set(side.opposite, price.mirrored, size)
        }
    }

    private mutating func change(_ tick: TickSize, of slot: Int) {
        self.listing[slot].market.tick = tick
        self.listing[slot].book.changeTick(to: tick)
    }
}
