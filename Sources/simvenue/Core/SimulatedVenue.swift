import Shared

/// The venue's market half as a value: markets, books and made-up traffic. The same seed and the same start give the
/// same bytes, however often and in whatever steps time is told.
struct SimulatedVenue: VenueCore {
    struct Settings: Hashable, Sendable {
        enum Listing: String, CaseIterable, Sendable {
            /// Windows of five and fifteen minutes, dated markets, a decoy now and then.
            case plain
            /// Everything that the real venue lists: see `Catalogue.rest`.
            case full
        }

        static let marketCountMax = 2_000
        /// Fewer do not show every kind of the full listing.
        static let fullMarketCountMin = 100
        static let fullMarketCountDefault = 300
        static let rateMax = 1_000_000
        /// Tradable markets at any time.
        var marketCount = 30
        /// Messages a second over all markets, on average; 0 for a still venue.
        var rate = 200
        var seed: UInt64 = 7
        var listing = Listing.plain
    }

    /// Resolved windows that are still found through Gamma. Older ones are forgotten.
    static let resolvedCountMax = 64
    /// A trade's print comes so many milliseconds after the change of the book, at least.
    static let printDelayMin = 30
    static let printDelayMax = 90
    /// How much more often a running window is touched than another market.
    private static let windowWeight = 4
    /// In the full listing a window is closed so many milliseconds after its end. Source: reference, 1.3.
    private static let closingDelay = 60_000..<120_000

    /// Something that will happen at a known time.
    enum Appointment: Sendable {
        case print(slot: Int, TradePrint)
        /// The running window of a family ends.
        case rollover(family: Int)
        /// The venue closes a window that has ended.
        case close(slot: Int, winner: Int)
        case tickChange(slot: Int, TickSize)
        case resolution(slot: Int, winner: Int)
    }

    let settings: Settings
    var listing = MarketRegister()
    var flows: [Flow?] = []
    var assets: [AssetWalk]
    var random: SeededRandom
    var hasher = BookHasher()
    var catalogue: Catalogue
    /// Texts that are not of the hot path.
    var writer = JSONWriter(capacity: 16_384)
    /// Changes of the operation at work.
    var changes: [LevelChange] = []

    /// Milliseconds UTC of what happened last.
    private(set) var now: Int64
    private let start: Int64
    /// Microseconds since `start` of the next operation.
    private var nextOperation: Double
    /// Latest first, so that the next one is taken from the end.
    private var agenda: [(time: Int64, sequence: Int, what: Appointment)] = []
    private var agendaSequence = 0
    /// Slots as often as they are to be touched.
    private var wheel: [Int] = []
    /// The listed windows of each family; the running one is the first.
    private var windows: [(family: WindowFamily, slots: [Int])] = []
    private var resolved: [Int] = []
    private var removed: [Int] = []
    private(set) var isPaused = false
    /// Milliseconds that the venue's clock is off.
    private var clockSkew: Int64 = 0
    /// What the venue takes the time to be.
    var shownTime: Int64 { self.now + self.clockSkew }

    /// A venue that opens at `time`, milliseconds UTC.
    init(_ settings: Settings, at time: Int64) {
        self.settings = settings
        self.now = time
        self.start = time
        self.random = SeededRandom(seed: settings.seed, name: "traffic")
        self.catalogue = Catalogue(seed: settings.seed)
        self.assets = Catalogue.assets.map { _ in AssetWalk(at: time) }
        self.nextOperation = settings.rate > 0 ? 0 : .infinity
        for (index, (family, windowCount)) in Catalogue.plan(settings).enumerated() {
            var windowStart = family.start(containing: time / 1_000)
            self.appoint(.rollover(family: index), at: family.end(from: windowStart) * 1_000)
            var slots: [Int] = []
            for place in 0..<windowCount {
                slots.append(self.list(window: family, start: windowStart))
                if place == 0 { self.open(slots[0], strike: self.random.normal() * 3) }
                windowStart = family.end(from: windowStart)
            }
            self.windows.append((family, slots))
        }
        let windowCount = self.windows.reduce(0) { $0 + $1.slots.count }
        for market in self.catalogue.rest(settings, count: settings.marketCount - windowCount, now: time, &self.hasher)
        {
            self.list(dated: market)
        }
        self.remakeWheel()
    }

    // MARK: Time

    var waitsForReaders: Bool { false }

    var nextTime: Int64? {
        let operation =
            self.nextOperation.isFinite && !self.isPaused ? self.start + Int64(self.nextOperation / 1_000) : Int64.max
        let next = min(operation, self.agenda.last?.time ?? Int64.max)
        return next == Int64.max ? nil : next
    }

    mutating func advance(to time: Int64, messageCountMax: Int, into batch: inout MessageBatch) {
        while batch.count < messageCountMax, let next = self.nextTime, next <= time {
            self.now = max(self.now, next)
            if let appointment = self.agenda.last, appointment.time <= next {
                self.agenda.removeLast()
                self.keep(appointment.what, into: &batch)
            } else {
                self.operate(into: &batch)
            }
        }
        if batch.count < messageCountMax { self.now = max(self.now, time) }
    }

    mutating func skip(to time: Int64) {
        guard self.nextOperation.isFinite else { return }
        self.nextOperation = max(self.nextOperation, Double(time - self.start) * 1_000)
    }

    mutating func pause(at time: Int64) { self.isPaused = true }
    mutating func resume(at time: Int64) {
        self.isPaused = false
        self.skip(to: time)
    }

    private mutating func operate(into batch: inout MessageBatch) {
        let before = batch.plainCount
        if !self.wheel.isEmpty {
            self.operate(on: self.wheel[self.random.below(self.wheel.count)], into: &batch)
        }
        let messageCount = max(1, batch.plainCount - before)
        self.nextOperation += Double(messageCount) * 1_000_000 / Double(self.settings.rate) * self.random.exponential()
    }

    mutating func appoint(_ what: Appointment, at time: Int64) {
        self.agendaSequence += 1
        let index = self.agenda.firstIndex { $0.time <= time } ?? self.agenda.endIndex
        self.agenda.insert((time, self.agendaSequence, what), at: index)
    }

    private mutating func keep(_ appointment: Appointment, into batch: inout MessageBatch) {
        switch appointment {
        case .print(let slot, let print):
            self.flows[slot]?.owesPrint = false
            self.write(for: .market(slot), into: &batch) { venue, writer in
                MarketMessages.lastTradePrice(venue.listing[slot], print, time: venue.shownTime, to: &writer)
            }
        case .rollover(let family): self.rollOver(family, into: &batch)
        case .close(let slot, let winner): self.close(slot, winner: winner, into: &batch)
        case .tickChange(let slot, let tick):
            // Asked for twice at one time, this and the next happen once.
            guard self.flows[slot] != nil, self.listing[slot].book.tick.micros > tick.micros else { break }
            self.changeTick(slot, to: tick, into: &batch)
        case .resolution(let slot, let winner):
            guard self.flows[slot] != nil else { break }
            self.quieten(slot)
            self.close(slot, winner: winner, into: &batch)
            self.remakeWheel()
        }
    }

    /// Appends a message that the venue's writer makes.
    mutating func write(
        for audience: Audience, into batch: inout MessageBatch, _ body: (inout SimulatedVenue, inout JSONWriter) -> Void
    ) {
        var writer = self.writer
        self.writer = JSONWriter()
        writer.clear()
        body(&self, &writer)
        batch.append(for: audience) { $0.append(contentsOf: writer.bytes) }
        self.writer = writer
    }

    // MARK: Listing

    private mutating func list(window family: WindowFamily, start: Int64) -> Int {
        var listed = self.catalogue.window(family, start: start, hasher: &self.hasher)
        listed.bookTime = self.now
        let flow = Flow(
            model: .window(asset: family.asset, end: family.end(from: start) * 1_000, strike: nil), fair: 0.5,
            at: self.now)
        return self.list(listed, flow)
    }

    private mutating func list(dated listed: ListedMarket) {
        var random = SeededRandom(seed: self.settings.seed, name: "fair " + listed.market.slug)
        let base = listed.fairBase ?? 0.1 + 0.8 * random.unit()
        let volatility = listed.market.tick == .cent ? 0.004 : 0.001
        let hasTraffic = listed.decoy?.hasTraffic ?? true
        _ = self.list(
            listed,
            hasTraffic ? Flow(model: .reverting(base: base, volatility: volatility), fair: base, at: self.now) : nil)
    }

    private mutating func list(_ listed: ListedMarket, _ flow: Flow?) -> Int {
        let slot = self.listing.add(listed)
        while self.flows.count <= slot { self.flows.append(nil) }
        self.flows[slot] = flow
        if flow != nil { self.fillBook(slot) }
        return slot
    }

    /// The window in `slot` opens: from now on the asset is compared with where it stands, plus `strike`.
    private mutating func open(_ slot: Int, strike offset: Double) {
        guard case .window(let asset, let end, _) = self.flows[slot]?.model else { return }
        self.flows[slot]?.model = .window(asset: asset, end: end, strike: self.assets[asset].level + offset)
    }

    private mutating func rollOver(_ index: Int, into batch: inout MessageBatch) {
        let family = self.windows[index].family
        self.assets[family.asset].walk(to: self.now, using: &self.random)
        let ended = self.windows[index].slots.removeFirst()
        self.end(ended, into: &batch)
        let running = self.windows[index].slots[0]
        self.open(running, strike: 0)
        self.appoint(.rollover(family: index), at: self.listing[running].market.endTime.microseconds / 1_000)
        let last = self.listing[self.windows[index].slots.last!].market.endTime.microseconds / 1_000_000
        let next = self.list(window: family, start: last)
        self.windows[index].slots.append(next)
        self.write(for: .everybody, into: &batch) { venue, writer in
            MarketMessages.newMarket(venue.listing[next], time: venue.shownTime, to: &writer)
        }
        self.remakeWheel()
    }

    /// The window in `slot` ends: its winner is known, and nobody trades it any more.
    private mutating func end(_ slot: Int, into batch: inout MessageBatch) {
        guard case .window(let asset, _, let strike) = self.flows[slot]?.model else { return }
        let winner = self.assets[asset].level >= (strike ?? 0) ? 0 : 1
        self.quieten(slot)
        switch self.settings.listing {
        case .plain: self.close(slot, winner: winner, into: &batch)
        case .full:
            let delay = Self.closingDelay.lowerBound + self.random.below(Self.closingDelay.count)
            self.appoint(.close(slot: slot, winner: winner), at: self.now + Int64(delay))
        }
    }

    /// Nobody trades it any more.
    private mutating func quieten(_ slot: Int) {
        self.flows[slot] = nil
        self.agenda.removeAll { if case .print(slot, _) = $0.what { true } else { false } }
    }

    private mutating func close(_ slot: Int, winner: Int, into batch: inout MessageBatch) {
        self.listing[slot].isClosed = true
        self.listing[slot].acceptsOrders = false
        self.listing[slot].resolutionStatus = "resolved"
        self.listing[slot].winner = winner
        self.write(for: .market(slot, needsFeatures: true), into: &batch) { venue, writer in
            MarketMessages.marketResolved(venue.listing[slot], winner: winner, time: venue.shownTime, to: &writer)
        }
        self.resolved.append(slot)
        if self.resolved.count > Self.resolvedCountMax {
            let oldest = self.resolved.removeFirst()
            self.listing.remove(slot: oldest)
            self.removed.append(oldest)
        }
    }

    private mutating func remakeWheel() {
        self.wheel = self.listing.order.filter { slot in
            if case .decoy = self.listing[slot].kind { return false }
            return self.flows[slot] != nil
        }
        for (_, slots) in self.windows {
            self.wheel.append(contentsOf: repeatElement(slots[0], count: Self.windowWeight - 1))
        }
    }

    mutating func takeRemovedSlots() -> [Int] {
        defer { self.removed.removeAll() }
        return self.removed
    }

    func noteSubscription(slot: Int, at time: Int64) {}

    // MARK: Faults

    mutating func force(_ event: ForcedEvent) -> String? {
        switch event {
        case .skewClock(let skew): self.clockSkew = skew
        case .changeTick(let tick, let slot):
            let fitting = self.slots(slot) { $0.isBookServed && $0.book.tick.micros > tick.micros }
            guard let first = fitting.first else { return "no such market has a tick that is not as fine already" }
            self.appoint(.tickChange(slot: first, tick), at: self.now)
        case .resolve(let winner, let slot):
            // A window resolves at its end, which is appointed.
            let fitting = self.slots(slot) { $0.kind == .dated && !$0.isClosed }
            guard let first = fitting.first else { return "no such dated market is open; windows resolve at their end" }
            self.appoint(.resolution(slot: first, winner: winner), at: self.now)
        }
        return nil
    }

    /// Traded slots that fit, or the one that is meant if it does.
    private func slots(_ meant: Int?, _ isFitting: (ListedMarket) -> Bool) -> [Int] {
        (meant.map { [$0] } ?? self.wheel).filter { self.flows[$0] != nil && isFitting(self.listing[$0]) }
    }
}
