import Shared

/// The venue's market half as a value: markets, their matching engine, and made-up traffic through it. The same seed and
/// the same start give the same bytes, however often and in whatever steps time is told.
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
        /// In millionths.
        static let volatilityMax = 20 * Decimal6.scale
        static let burstSpacingMax = 86_400
        /// Tradable markets at any time.
        var marketCount = 30
        /// Messages a second over all markets, on average; 0 for a still venue.
        var rate = 200
        var seed: UInt64 = 7
        var listing = Listing.plain
        /// Of latent and fair prices, in millionths of what is usual.
        var volatility = Decimal6.scale
        /// Seconds from one burst of traffic to the next, on average; 0 for none.
        var burstSpacing = 0

        var volatilityFactor: Double { Double(self.volatility) / Double(Decimal6.scale) }
    }

    /// Resolved windows that are still found through Gamma. Older ones are forgotten.
    static let resolvedCountMax = 64
    /// Events that are kept for `takeAccountEvents()`. When nobody takes them, the older half is forgotten.
    static let accountEventCountMax = 50_000
    /// For so many milliseconds of a burst there is so much more traffic.
    static let burstLength: Int64 = 1_000
    static let burstFactor = 10.0

    /// Something that will happen at a known time.
    enum Appointment: Sendable {
        /// The running window of a family ends.
        case rollover(family: Int)
        /// Gamma shows the price that the window in `slot` is compared with.
        case showStrike(slot: Int)
        /// The venue closes a window that has ended.
        case close(slot: Int, winner: Int)
        case tickChange(slot: Int, TickSize)
        case resolution(slot: Int, winner: Int)
        case listing
        case burst
    }

    /// What can be next.
    private enum Step { case print, engine, appointment, operation }

    let settings: Settings
    var listing = MarketRegister()
    /// What moves the market in a slot; `nil` where the crowd does not trade.
    var flows: [Flow?] = []
    /// Known to `now` at least where somebody asks.
    var prices: ReferencePrices
    var random: SeededRandom
    var catalogue: Catalogue
    var hasher = BookHasher()
    var matching: MatchingEngine
    var broadcast: EngineBroadcast
    var crowd: Crowd

    /// Milliseconds UTC of what happened last.
    private(set) var now: Int64
    private let start: Int64
    /// Microseconds since `start` of the next operation.
    private var nextOperation: Double
    /// Traffic before this was let go by: microseconds since `start`.
    private var skippedTo = 0.0
    private var burstEnd: Int64
    private var agenda = Agenda<Appointment>()
    /// Slots as often as they are to be touched.
    var wheel: [Int] = []
    /// The listed windows of each family; the running one is the first.
    var windows: [(family: WindowFamily, slots: [Int])] = []
    var resolved: [Int] = []
    private var removed: [Int] = []
    private var accountEvents: [EngineEvent] = []
    private(set) var isPaused = false
    /// What the venue takes the time to be.
    var shownTime: Int64 { self.now + self.broadcast.clockSkew }

    /// A venue that opens at `time`, milliseconds UTC.
    init(_ settings: Settings, at time: Int64) {
        self.settings = settings
        self.now = time
        self.start = time
        self.burstEnd = time
        self.random = SeededRandom(seed: settings.seed, name: "traffic")
        self.catalogue = Catalogue(seed: settings.seed)
        let starts = Catalogue.plan(settings).map { $0.family.start(containing: time / 1_000) * 1_000 }
        self.prices = ReferencePrices(
            seed: settings.seed, volatility: settings.volatilityFactor, from: starts.min() ?? time, to: time)
        self.nextOperation = settings.rate > 0 ? 0 : .infinity
        var engineSettings = MatchingEngine.Settings()
        engineSettings.seed = settings.seed
        self.matching = MatchingEngine(engineSettings, at: Timestamp(milliseconds: time))
        self.broadcast = EngineBroadcast(seed: settings.seed)
        self.crowd = Crowd(marketCount: settings.marketCount, seed: settings.seed, in: &self.matching)
        self.listMarkets()
        if settings.burstSpacing > 0 { self.appointBurst() }
    }

    // MARK: Time

    var waitsForReaders: Bool { false }
    var referencePrices: ReferencePrices? { self.prices }

    var nextTime: Int64? { self.nextStep?.time }

    /// What is next; of what falls into one millisecond, in this order.
    private var nextStep: (time: Int64, what: Step)? {
        var next: (time: Int64, what: Step)?
        if let time = self.broadcast.nextTime?.wholeMilliseconds { next = (time, .print) }
        if let time = self.matching.nextTime?.wholeMilliseconds, time < next?.time ?? .max { next = (time, .engine) }
        if let time = self.agenda.nextTime?.wholeMilliseconds, time < next?.time ?? .max { next = (time, .appointment) }
        if self.nextOperation.isFinite && !self.isPaused {
            let time = self.start + Int64(self.nextOperation / 1_000)
            if time < next?.time ?? .max { next = (time, .operation) }
        }
        return next
    }

    mutating func advance(to time: Int64, messageCountMax: Int, into batch: inout MessageBatch) {
        while batch.count < messageCountMax, let next = self.nextStep, next.time <= time {
            self.now = max(self.now, next.time)
            let before = batch.plainCount
            switch next.what {
            case .print: self.broadcast.advance(to: self.timestamp, self.listing, into: &batch)
            case .engine: self.tell(self.matching.advance(to: self.timestamp), into: &batch)
            case .appointment:
                // What it says is not traffic, which goes on at its rate.
                if let due = self.agenda.take(until: self.timestamp) { self.keep(due.what, into: &batch) }
                continue
            case .operation:
                let isHeld = self.operate(into: &batch)
                if !isHeld && batch.plainCount == before { self.rest(after: 1) }
            }
            self.rest(after: batch.plainCount - before)
        }
        if batch.count < messageCountMax { self.now = max(self.now, time) }
        self.prices.walk(to: self.now)
    }

    /// The present as the engine tells it.
    var timestamp: Timestamp { Timestamp(milliseconds: self.now) }

    mutating func skip(to time: Int64) {
        guard self.nextOperation.isFinite else { return }
        self.skippedTo = max(self.skippedTo, Double(time - self.start) * 1_000)
        self.nextOperation = max(self.nextOperation, self.skippedTo)
    }

    mutating func pause(at time: Int64) {
        self.isPaused = true
        self.withdrawHeldOrders()
    }

    mutating func resume(at time: Int64) {
        self.isPaused = false
        self.skip(to: time)
    }

    /// - Returns: Whether the taker delay holds what was done, which is told and counts when it is over.
    private mutating func operate(into batch: inout MessageBatch) -> Bool {
        guard !self.wheel.isEmpty else { return false }
        return self.operate(on: self.wheel[self.random.below(self.wheel.count)], into: &batch)
    }

    /// Lets the traffic rest for as long as so many messages take at its rate.
    private mutating func rest(after messageCount: Int) {
        guard messageCount > 0, self.settings.rate > 0 else { return }
        self.nextOperation += Double(messageCount) * self.spacing * self.random.exponential()
    }

    /// Microseconds from one message to the next, on average.
    private var spacing: Double {
        1_000_000 / Double(self.settings.rate) / (self.now < self.burstEnd ? Self.burstFactor : 1)
    }

    mutating func appoint(_ what: Appointment, at time: Int64) {
        self.agenda.add(what, at: Timestamp(milliseconds: time))
    }

    private mutating func keep(_ appointment: Appointment, into batch: inout MessageBatch) {
        switch appointment {
        case .rollover(let family): self.rollOver(family, into: &batch)
        case .showStrike(let slot):
            guard case .window(let window) = self.flows[slot]?.model else { break }
            self.listing[slot].priceToBeat = window.strike
        case .close(let slot, let winner): self.close(slot, winner: winner, into: &batch)
        case .tickChange(let slot, let tick):
            // Asked for twice at one time, this and the next happen once.
            guard self.flows[slot] != nil, self.listing[slot].book.tick.micros > tick.micros else { break }
            self.ask(.setTick(self.listing[slot].market.condition, tick), into: &batch)
        case .resolution(let slot, let winner):
            guard self.flows[slot] != nil else { break }
            self.close(slot, winner: winner, into: &batch)
        case .listing: self.listAnother(into: &batch)
        case .burst: self.burst()
        }
    }

    // MARK: Bursts

    private mutating func appointBurst() {
        let wait = Double(self.settings.burstSpacing) * 1_000 * self.random.exponential()
        self.appoint(.burst, at: self.now + Int64(wait))
    }

    private mutating func burst() {
        self.burstEnd = self.now + Self.burstLength
        self.appointBurst()
        guard self.nextOperation.isFinite else { return }
        // An operation that is far away at the usual rate does not keep the burst from beginning.
        let present = max(self.skippedTo, Double(self.now - self.start) * 1_000)
        self.nextOperation = min(self.nextOperation, present + self.spacing * self.random.exponential())
    }

    // MARK: The engine

    var engine: MatchingEngine? { self.matching }

    mutating func handle(_ request: EngineRequest, at time: Int64, into batch: inout MessageBatch) -> [EngineEvent] {
        self.advance(to: time, messageCountMax: .max, into: &batch)
        return self.ask(request, into: &batch)
    }

    /// Has something done now, and tells what it does to the books.
    @discardableResult
    mutating func ask(_ request: EngineRequest, into batch: inout MessageBatch) -> [EngineEvent] {
        let events = self.matching.handle(request, now: self.timestamp)
        self.tell(events, into: &batch)
        return events
    }

    private mutating func tell(_ events: [EngineEvent], into batch: inout MessageBatch) {
        for event in events {
            self.broadcast.tell(event, &self.listing, into: &batch)
            switch event.what {
            case .order: self.keep(event)
            case .trade(let trade): if !trade.isAmongCrowd { self.keep(event) }
            case .book(let market, _): self.refineTick(of: market, into: &batch)
            case .accepted, .refused, .canceled, .accountOpened, .done, .commandRefused, .tick, .resolved: break
            }
        }
    }

    private mutating func keep(_ event: EngineEvent) {
        if self.accountEvents.count == Self.accountEventCountMax {
            self.accountEvents.removeFirst(Self.accountEventCountMax / 2)
        }
        self.accountEvents.append(event)
    }

    mutating func takeAccountEvents() -> [EngineEvent] {
        defer { self.accountEvents.removeAll() }
        return self.accountEvents
    }

    // MARK: Leaving

    /// Forgets the oldest of too many resolved markets.
    mutating func forgetOldest() {
        guard self.resolved.count > Self.resolvedCountMax else { return }
        let oldest = self.resolved.removeFirst()
        self.listing.remove(slot: oldest)
        self.removed.append(oldest)
    }

    mutating func takeRemovedSlots() -> [Int] {
        defer { self.removed.removeAll() }
        return self.removed
    }

    func noteSubscription(slot: Int, at time: Int64) {}

    // MARK: Faults

    mutating func force(_ event: ForcedEvent) -> String? {
        switch event {
        case .skewClock(let skew): self.broadcast.clockSkew = skew
        case .list:
            guard self.matching.markets.count < MatchingEngine.marketCountMax else {
                return "there is no room for more"
            }
            self.appoint(.listing, at: self.now)
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

extension Timestamp {
    /// Rounded up, so that what is due then is due.
    fileprivate var wholeMilliseconds: Int64 { (self.microseconds + 999) / 1_000 }
}
