import Shared

@testable import stratd

/// Engine, venue and journal as the shell joins them, on a clock that the test moves.
struct Harness {
    var engine: StrategyEngine
    var venue: PaperVenue
    /// Lines of the journal, as far as they reached it.
    var lines: [[UInt8]] = []
    var now: Moment
    /// Everything that was asked for, in order.
    var log: [EngineAction] = []
    let start: OrderLedger
    let limits: RiskLimits
    let parameters: Maker.Parameters
    let settings: PaperVenue.Settings
    /// Called before each action is done; `false` kills the process there.
    var survives: (EngineAction, StrategyEngine) -> Bool = { _, _ in true }
    private(set) var isKilled = false
    /// Called with each input, the engine before it, and the actions that followed.
    var hears: (EngineInput, StrategyEngine, [EngineAction], Moment) -> Void = { _, _, _, _ in }

    init(
        limits: RiskLimits = wideLimits, parameters: Maker.Parameters = makerParameters,
        settings: PaperVenue.Settings = .init(latencyOut: .milliseconds(10), latencyIn: .milliseconds(10)),
        cash: Money = usd("1000")
    ) {
        self.start = OrderLedger(cash: cash)
        self.limits = limits
        self.parameters = parameters
        self.settings = settings
        self.now = at(0)
        self.engine = Self.engine(self.start, limits, parameters, at(0))
        self.venue = PaperVenue(settings, account: self.start)
        self.take(.recover)
    }

    /// A maker that has bought ten of the first outcome for 4.90, and is paused.
    static func bought(limits: RiskLimits = wideLimits) -> Harness {
        var harness = Harness(limits: limits)
        harness.open()
        harness.run(for: 50)
        harness.feed(.trade(trade(.sell, "10", at: "0.49")))
        harness.run(for: 50)
        harness.command(.pause(strategy: "maker"))
        harness.run(for: 100)
        return harness
    }

    private static func engine(
        _ ledger: OrderLedger, _ limits: RiskLimits, _ parameters: Maker.Parameters, _ now: Moment
    ) -> StrategyEngine {
        StrategyEngine(
            slots: [.init(name: "maker", maker: Maker(parameters))], limits: limits, ledger: ledger, now: now)
    }

    // MARK: What happens

    mutating func feed(_ events: FeedEvent...) {
        for event in events {
            self.advanceVenue()
            guard !self.isKilled else { return }
            self.take(.feed(event, sentTime: self.now.time))
            guard !self.isKilled else { return }
            self.venue.handle(event, self.engine.views, now: self.now)
            self.advanceVenue()
        }
    }

    /// Connects, with market 1 and its book.
    mutating func open(_ market: Market = market(), _ body: BookBody = book()) {
        self.feed(.connected, .market(MarketBody(n: body.n, market: market)), .book(body))
    }

    /// Lets time pass, waking whoever asked for it, and ticking at whole seconds.
    mutating func run(for milliseconds: Int64) {
        let end = self.now.after(.milliseconds(milliseconds))
        while !self.isKilled {
            let second = Instant(nanoseconds: (self.now.instant.nanoseconds / 1_000_000_000 + 1) * 1_000_000_000)
            let next = min(second, min(self.engine.nextWake ?? end.instant, self.venue.nextWake ?? end.instant))
            guard next <= end.instant else { break }
            self.now = self.now.after(max(.zero, next - self.now.instant))
            self.advanceVenue()
            guard !self.isKilled else { return }
            self.take(.wake)
            guard !self.isKilled else { return }
            if next == second { self.take(.tick(isHaltFilePresent: false)) }
            if next == end.instant && (self.engine.nextWake ?? end.instant) >= end.instant { break }
        }
        self.now = self.now.after(max(.zero, end.instant - self.now.instant))
    }

    @discardableResult
    mutating func command(_ command: OperatorCommand) -> CommandOutcome {
        guard case .answer(let outcome) = self.take(.command(command)).last else { return .failed("no answer") }
        return outcome
    }

    @discardableResult
    mutating func take(_ input: EngineInput) -> [EngineAction] {
        let engine = self.engine
        let actions = self.engine.apply(input, now: self.now)
        self.hears(input, engine, actions, self.now)
        self.perform(actions)
        return actions
    }

    private mutating func advanceVenue() {
        for event in self.venue.advance(self.engine.views, now: self.now) where !self.isKilled {
            self.take(.venue(event))
        }
    }

    mutating func perform(_ actions: [EngineAction]) {
        // As the shell does: all records of the list first, with one write.
        for case .record(let record) in actions {
            guard self.survives(.record(record), self.engine) else { return self.kill() }
            self.lines.append(record.line)
        }
        for action in actions {
            // An answer goes to whoever asked.
            switch action {
            case .record, .answer: continue
            case .submit, .cancel, .publish, .note: break
            }
            guard self.survives(action, self.engine) else { return self.kill() }
            switch action {
            case .record, .publish, .note, .answer: break
            case .submit(let order): self.venue.submit(order, now: self.now)
            case .cancel(let order): self.venue.cancel(order, now: self.now)
            }
        }
        self.log += actions
    }

    private mutating func kill() { self.isKilled = true }

    /// A new process on what the journal holds.
    mutating func restart() throws {
        self.isKilled = false
        let ledger = try replay(self.lines, from: self.start)
        self.engine = Self.engine(ledger, self.limits, self.parameters, self.now)
        self.venue = PaperVenue(self.settings, account: ledger)
        self.take(.recover)
    }

    // MARK: What can be seen

    var ledger: OrderLedger { self.engine.ledger }
    var open: [LedgerOrder] { self.engine.ledger.openOrders }

    /// "buy 0 10 at 0.49 live", for each order that is not finished, sorted.
    var orders: [String] {
        self.open.map {
            "\($0.body.side.rawValue) \($0.outcome) \($0.remaining) at \($0.body.price) \($0.body.state.rawValue)"
        }.sorted()
    }

    var decisions: [DecisionBody] {
        self.log.compactMap { if case .publish(.decision(let body)) = $0 { body } else { nil } }
    }
    var fills: [FillBody] {
        self.log.compactMap { if case .publish(.fill(let body)) = $0 { body } else { nil } }
    }
    var submitted: [ApprovedOrder] {
        self.log.compactMap { if case .submit(let order) = $0 { order } else { nil } }
    }
    var notes: [EngineNote] {
        self.log.compactMap { if case .note(let note) = $0 { note } else { nil } }
    }
}
