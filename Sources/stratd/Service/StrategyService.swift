import DaemonKit
import Glibc
import Logging
import Shared
import Signing

/// Performs what the engine asks for: the journal, the venue, the subscribers, the clock.
///
/// Everything that leaves is in the journal first; when the journal takes nothing, nothing leaves.
actor StrategyService: DaemonService {
    static let tickInterval = Duration.seconds(1)
    /// A loop that has not ticked for this long is stuck.
    static let tickAgeMax = Duration.seconds(3)
    /// How long a stop waits for the cancels of its orders.
    static let cancelTimeMax = Duration.seconds(2)
    /// What live trading begins with.
    struct Opening {
        let session: AccountSession
        let form: OrderForm
    }

    let context: DaemonContext
    let loop: EventLoop
    let logger: Logger
    let server: FrameServer
    let feed: FrameClient
    /// Names markets with a position or an order, so that the feed carries them whatever the scanner ranks.
    let keeper: FrameClient
    let ledgerFile: LedgerFile
    /// All that the engine takes in; `nil` where it is not wanted.
    let inputJournal: InputJournal?
    var inputJournalWatch = JournalWatch()
    let haltFile: String
    /// What the status line adds about secrets that cannot be used.
    private let credentialStatus: String
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    var engine: StrategyEngine
    var venue: any OrderVenue
    /// The real account, once live trading is open.
    var live: LiveAccount?
    var liveOrders: LiveOrders?
    var session: AccountSession?
    private var accountLock: AccountLock?
    /// When the venue was last asked for credentials.
    var loginAt: Instant?
    var userLine: UserLine?
    var heart: Heart?
    /// When the ledger's last record was made, at the start.
    private(set) var ledgerTime: Timestamp?
    /// Whether the last write to the journal failed; the next second tries a whole checkpoint.
    var isJournalDown = false
    /// Whether what the engine asks for is told step by step.
    let isDebugging: Bool
    var counters: [String: Int64] = [:]
    var latency = LatencyHistogram()
    var messageCount: Int64 = 0
    private var lastMessageCount: Int64 = 0
    private var lastBrokenCount: Int64 = 0
    private var keptMarkets: [ConditionID] = []
    private var publishedPositions: [PositionKey: PositionBody] = [:]
    var opening: Opening?
    private var timer: (id: EventLoop.TimerID, at: Instant)?
    private var lastTick = Instant.now()
    private(set) var isStopped = false
    /// Whether the last cancel was waited for.
    private(set) var isClosed = false
    private var sparingLog = SparingLog()

    init(_ context: DaemonContext) throws {
        let configuration = context.configuration
        let mode: TradingMode = configuration.trading.mode == .live ? .live : .paper
        // Before anything that could be a secret is read.
        do throws(SystemError) { try context.forbidDumps() } catch {
            throw DaemonExit(.refused, "Dumps of this process's memory cannot be forbidden: \(error).")
        }
        self.credentialStatus = CredentialSearch.report(
            CredentialSearch.findings(configuration, environment: context.environment), to: context.logger)
        self.context = context
        self.loop = context.loop
        self.logger = context.logger
        self.isDebugging = context.logger.isDebugging
        self.ledgerFile = try LedgerFile(directory: context.stateDirectory, mode)
        let ledger = try self.ledgerFile.read()
        if let torn = self.ledgerFile.tornTail {
            context.logger.warning(
                "The ledger ended in half a line, which was put aside",
                metadata: ["bytes": "\(torn.byteCount)", "file": "\(torn.path)"])
        }
        self.ledgerTime = self.ledgerFile.lastTime
        self.inputJournal =
            configuration.trading.journal
            ? try InputJournal(
                directory: context.stateDirectory, megabytesMax: configuration.trading.journalMegabytesMax,
                daysMax: configuration.trading.journalDaysMax) : nil
        // What a new live account holds, the venue tells.
        let account = ledger ?? OrderLedger(cash: mode == .paper ? configuration.trading.paperBalance : .zero)
        var identity = OrderIdentity.paper
        if mode == .live {
            let session = try AccountSession(
                configuration, environment: context.environment, stateDirectory: context.stateDirectory
            ) { context.logger.notice("About the account", metadata: ["text": "\($0)"]) }
            let form = OrderForm(
                owner: session.clob.key.address, funder: configuration.trading.funderAddress.flatMap { Address($0) },
                SignatureType(rawValue: UInt8(clamping: configuration.trading.signatureType)) ?? .eoa)
            self.accountLock = try AccountLock(session.clob.key.address)
            identity = .live(form)
            self.opening = Opening(session: session, form: form)
        }
        self.engine = StrategyEngine(
            slots: StrategyEngine.Slot.all(configuration.strategies),
            limits: RiskLimits(configuration.risk, configuration.strategies),
            ledger: account, identity: identity, now: .now())
        self.venue = PaperOrders(PaperVenue.Settings(configuration.trading), account: account)
        let haltFile = configuration.risk.haltFile
        self.haltFile = haltFile.hasPrefix("/") ? haltFile : "\(context.stateDirectory)/\(haltFile)"
        self.server = try context.makeServer()
        self.feed = context.makeClient(of: "feedd")
        self.keeper = context.makeClient(of: "feedd")
        context.logger.info(
            "The ledger was read",
            metadata: [
                "cash": "\(account.cash)", "open_orders": "\(account.open.count)",
                "markets": "\(account.markets.count)", "halted": "\(account.isHalted)",
            ])
    }

    func start() async throws {
        self.inputJournal?.noteState(self.engine, now: .now())
        self.startLive()
        // A disk without room is a state, as it is later: nothing is traded until a file of the day is begun.
        self.keepJournal(now: .now())
        self.take(.recover, now: .now())
        // The callbacks run on the loop, which is this actor's executor; `stop()` ends them.
        self.server.onFrame = { self.take($1, from: $0) }
        self.feed.onConnected = { _ in
            self.feed.send(Subscribe(id: 1, markets: .all))
            self.hear(.connected, sentTime: Timestamp(microseconds: 0))
        }
        self.feed.onDisconnected = { _ in self.hear(.disconnected, sentTime: Timestamp(microseconds: 0)) }
        self.feed.onFrame = { self.takeFeed($0) }
        self.keeper.onConnected = { _ in self.keeper.send(Subscribe(id: 1, markets: .only(self.keptMarkets))) }
        try self.server.start()
        self.tick()
        self.feed.start()
        self.keeper.start()
        self.context.notifier.beat(while: "engine") {
            self.assumeIsolated { Instant.now() - $0.lastTick < Self.tickAgeMax }
        }
        self.context.notifier.beat(
            while: "ledger disk", wedge: { self.assumeIsolated { $0.ledgerFile.wedgeForDrill() } },
            isAdvancing: { self.assumeIsolated { $0.ledgerFile.isAdvancing(now: .now()) } })
        if let file = self.inputJournal?.file {
            self.context.notifier.beat(while: "input journal", wedge: file.wedgeForDrill) {
                file.isAdvancing(now: .now())
            }
        }
        self.context.notifier.ready()
    }

    func stop() async {
        self.take(.stop, now: .now())
        let deadline = Instant.now() + Self.cancelTimeMax
        while !self.engine.ledger.open.isEmpty && Instant.now() < deadline {
            await self.loop.sleep(for: .milliseconds(10))
        }
        if !self.engine.ledger.open.isEmpty {
            self.logger.warning(
                "Orders were still open at the end", metadata: ["orders": "\(self.engine.ledger.open.count)"])
        }
        self.isStopped = true
        self.isClosed = true
        self.closeLive()
        self.feed.stop()
        self.keeper.stop()
        self.server.stop()
        // What the disk did not take, a halt among it, is whole in a checkpoint: it is offered once more.
        self.keepJournal(now: .now())
        if self.isJournalDown { self.keepJournal(now: .now()) }
        let isSynced = self.ledgerFile.close()
        if !isSynced || self.isJournalDown {
            self.logger.error("The ledger's last records may not be on the disk")
        }
        self.inputJournal?.file.close()
    }

    func count(_ name: String) { self.counters[name, default: 0] += 1 }

    // MARK: Events

    /// Takes in what the feed says, and performs what follows.
    ///
    /// - Parameter frame: the body that said it, where a frame did.
    func hear(_ event: FeedEvent, sentTime: Timestamp, frame: UnsafeBufferPointer<UInt8>? = nil) {
        guard !self.isStopped else { return }
        let now = Moment.now()
        self.advanceVenue(now: now)
        self.take(.feed(event, sentTime: sentTime), frame: frame, now: now)
        self.venue.hear(event, self.engine.views, now: now)
        self.advanceVenue(now: now)
        self.schedule()
    }

    /// Takes in whatever the venue has to say, and what follows.
    func advanceNow() {
        guard !self.isClosed else { return }
        self.advanceVenue(now: .now())
        self.schedule()
    }

    private func advanceVenue(now: Moment) {
        let closedReason = self.venue.closedReason(now: now)
        if closedReason != self.engine.venueClosedReason { self.take(.venueClosed(closedReason), now: now) }
        for event in self.venue.advance(self.engine.views, now: now) { self.take(.venue(event), now: now) }
    }

    /// Wakes the engine or the venue, whichever comes first.
    func schedule() {
        guard let next = [self.engine.nextWake, self.venue.nextWake].compactMap({ $0 }).min() else { return }
        if let timer = self.timer {
            guard next < timer.at else { return }
            self.loop.cancel(timer.id)
        }
        let id = self.loop.at(next) {
            self.timer = nil
            guard !self.isClosed else { return }
            let now = Moment.now()
            self.advanceVenue(now: now)
            if self.engine.isWakeDue(now: now) { self.take(.wake, now: now) }
            self.schedule()
        }
        self.timer = (id, next)
    }

    private func tick() {
        guard !self.isStopped else { return }
        let now = Moment.now()
        self.lastTick = now.instant
        self.inputJournal?.noteState(self.engine, now: now)
        self.keepJournal(now: now)
        let isHaltFilePresent = access(self.haltFile, F_OK) == 0
        self.take(.tick(isHaltFilePresent: isHaltFilePresent), now: now)
        self.keepMarkets()
        self.publishStatus()
        self.tellLeftOut()
        self.schedule()
        self.loop.after(Self.tickInterval) { self.tick() }
    }

    // MARK: The journal

    private func openDay(now: Moment) throws(JournalError) {
        guard self.ledgerFile.needsFile(for: now.time) else { return }
        try self.ledgerFile.beginFile(with: LedgerRecord(.checkpoint(self.engine.ledger), at: now.time))
        self.noteCheckpoint(now: now)
    }

    /// The engine counts records anew from a checkpoint that was written. Only then is it told: a disk that takes nothing is tried each
    /// second, and the input journal would keep a whole ledger for each try.
    private func noteCheckpoint(now: Moment) { _ = self.decide(.checkpoint, now: now) }

    /// Begins a new day's file; after a failure, tries whether the journal takes a checkpoint again. A halted engine makes no
    /// records, so the disk is asked here whether it lost the last of them: its halt may be among these.
    private func keepJournal(now: Moment) {
        do throws(JournalError) {
            try self.openDay(now: now)
            guard self.isJournalDown else { return try self.ledgerFile.checkDisk() }
            try self.ledgerFile.append([.record(LedgerRecord(.checkpoint(self.engine.ledger), at: now.time))])
            self.noteCheckpoint(now: now)
            self.isJournalDown = false
            self.logger.notice("The journal takes records again; trading stays halted until it is resumed")
        } catch { self.journalFailed(error, [], now: now) }
    }

    private func journalFailed(_ error: JournalError, _ actions: [EngineAction], now: Moment) {
        if !self.isJournalDown {
            self.logger.critical("The journal cannot be written", metadata: ["reason": "\(error)"])
        }
        self.count("journal_failures")
        self.isJournalDown = true
        let unsent = actions.compactMap { if case .submit(let order) = $0 { order.id } else { nil } }
        // That it still takes nothing is no news to the engine, unless somebody resumed meanwhile.
        guard !unsent.isEmpty || !self.engine.ledger.halts.contains(StrategyEngine.journalHalt) else { return }
        self.take(.journalFailed(unsent: unsent), now: now)
    }

    /// Writes the records first, then does the rest in order. What the journal did not take must not leave; everything else of the
    /// list is done before what follows from that, so that the last word on an order is the last that is told of it.
    func perform(_ actions: [EngineAction], now: Moment) {
        var failure: JournalError?
        if !self.isJournalDown {
            do throws(JournalError) { try self.ledgerFile.append(actions) } catch { failure = error }
        }
        self.act(actions, isJournalled: failure == nil && !self.isJournalDown, now: now)
        if let failure { self.journalFailed(failure, actions, now: now) }
    }

    private func act(_ actions: [EngineAction], isJournalled: Bool, now: Moment) {
        for action in actions {
            if case .submit = action, !isJournalled { continue }
            if self.isDebugging { self.tell(action) }
            switch action {
            case .record, .answer: break
            case .submit(let order): self.venue.submit(order, now: now)
            case .cancel(let order): self.venue.cancel(order, now: now)
            case .publish(let publication): self.publish(publication)
            case .note(let note): self.log(note)
            }
        }
        if !actions.isEmpty { self.schedule() }
    }

    private var tradingState: String {
        guard self.engine.mode == .live else { return "trading on paper" }
        return self.engine.venueClosedReason.map { "not trading: \($0.detail)" } ?? "trading live"
    }

    /// A warning that may come often.
    func warn(_ sentence: String, _ facts: Logger.Metadata) {
        guard self.sparingLog.admits(sentence, now: .now()) else { return }
        self.logger.warning("\(sentence)", metadata: facts)
    }

    private func tellLeftOut() {
        for (sentence, count) in self.sparingLog.leftOut(now: .now()) {
            self.logger.warning("Lines were left out", metadata: ["sentence": "\(sentence)", "lines": "\(count)"])
        }
    }

    // MARK: Publishing

    private func publish(_ publication: Publication) {
        switch publication {
        case .order(let body): self.server.publish(body)
        case .fill(let body): self.server.publish(body)
        case .position(let body):
            self.publishedPositions[PositionKey(token: body.token, strategy: body.strategy ?? "")] = body
            self.server.publish(body)
        case .balance(let body): self.server.publish(body)
        case .decision(let body): self.server.publish(body)
        case .risk(let body): self.server.publish(body, as: .status)
        case .strategy(let body): self.server.publish(body, as: .status)
        }
    }

    /// Everything that a new subscriber must know.
    func sendSnapshot(to peer: FramePeer) {
        for publication in self.engine.snapshot {
            switch publication {
            case .order(let body): self.server.send(body, to: peer, as: .opening)
            case .fill(let body): self.server.send(body, to: peer, as: .opening)
            case .position(let body): self.server.send(body, to: peer, as: .opening)
            case .balance(let body): self.server.send(body, to: peer, as: .opening)
            case .decision(let body): self.server.send(body, to: peer, as: .opening)
            case .risk(let body): self.server.send(body, to: peer)
            case .strategy(let body): self.server.send(body, to: peer)
            }
        }
    }

    private func publishStatus() {
        let risk = self.engine.riskStatus
        self.server.publish(risk, as: .status)
        for status in self.engine.strategyStatuses { self.server.publish(status, as: .status) }
        self.publishMovedPositions()
        let rate = self.messageCount - self.lastMessageCount
        self.lastMessageCount = self.messageCount
        var values = self.counters
        values["orders"] = self.engine.orderCount
        values["fills"] = self.engine.fillCount
        values["decisions"] = self.engine.lookCount
        values["messages"] = self.messageCount
        values["messages_per_s"] = rate
        values["decision_latency_p50_us"] = self.latency.quantile(0.5)
        values["decision_latency_p99_us"] = self.latency.quantile(0.99)
        values["markets"] = Int64(self.engine.views.count)
        values["trusted"] = Int64(self.engine.views.trustedCount)
        values["frames_of_unknown_markets"] = self.engine.views.skippedCount
        values["books_broken"] = self.engine.views.brokenCount
        self.addInputJournal(to: &values)
        values["subscribers"] = Int64(self.server.peers.count)
        if let paper = self.venue as? PaperOrders {
            values.merge(paper.bounds.metrics(now: .now()) { self.engine.value(of: $0) }) { $1 }
        }
        self.server.publish(Metrics(values: values), as: .status)
        self.latency.reset()
        let state = risk.isHalted ? "halted (\(risk.reasons.joined(separator: ", ")))" : self.tradingState
        self.context.notifier.status(
            "\(state), \(risk.openOrders) orders open, \(self.engine.views.trustedCount) trusted books, \(rate) messages/s"
                + self.credentialStatus + self.dataStatus)
    }

    /// Positions whose worth has changed with the market.
    private func publishMovedPositions() {
        let positions = self.engine.ledger.sortedPositions
        for position in positions where position.size > .zero {
            let body = self.engine.body(of: position)
            if self.publishedPositions[position.key] != body { self.publish(.position(body)) }
        }
        if self.publishedPositions.count > 2 * positions.count {
            self.publishedPositions = self.publishedPositions.filter { self.engine.ledger.positions[$0.key] != nil }
        }
    }

    /// Names what is held, when it has changed; asks for fresh books where some broke here.
    private func keepMarkets() {
        let markets = self.engine.ledger.markets.sorted()
        if markets != self.keptMarkets {
            self.keptMarkets = Array(markets.prefix(Subscribe.marketCountMax))
            if self.keeper.isConnected { self.keeper.send(Subscribe(id: 2, markets: .only(self.keptMarkets))) }
        }
        let broken = self.engine.views.brokenCount
        if broken != self.lastBrokenCount && self.feed.isConnected {
            self.lastBrokenCount = broken
            self.feed.send(Subscribe(id: 3, markets: .all))
        }
    }
}
