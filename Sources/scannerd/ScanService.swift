import DaemonKit
import Logging
import Shared

/// Decides which markets are watched and tells everyone who asks.
actor ScanService: DaemonService {
    private static let statusInterval = Duration.seconds(1)
    /// Questions that are open at a time.
    private static let inFlightMax = 6
    /// Questions a second to the order book service, which allows far more.
    private static let termsPerSecond: Int64 = 50
    /// A question about one market comes again by itself: it is not worth as many attempts as a page.
    private static let attemptCountMax = 2
    /// Between two writings of the universe's file.
    private static let saveInterval = Duration.seconds(5)
    private static let listingName = "the venue's listing"
    private static let orderBookName = "the venue's order book service"

    let context: DaemonContext
    let loop: EventLoop
    let logger: Logger
    let server: FrameServer
    let feed: FrameClient
    let strategies: FrameClient
    private let client: RESTClient
    private let gamma: VenueReader
    private let clob: VenueReader
    private let file: StateFile
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    var core: ScanCore
    var pins = PinBoard()
    private var questions: [Int: Task<Void, Never>] = [:]
    private var lastQuestion = 0
    private var wakeTimer: EventLoop.TimerID?
    private var isFirstPassTold = false
    private var savedTime: Timestamp?
    private var isSavePending = false
    private var isSaveTroubled = false
    private(set) var isStopped = false

    init(_ context: DaemonContext) throws {
        self.context = context
        self.loop = context.loop
        self.logger = context.logger
        self.server = try context.makeServer()
        self.feed = context.makeClient(of: "feedd")
        self.strategies = context.makeClient(of: "stratd")
        let venue = context.configuration.venue
        var options = RESTClient.Options()
        options.caFile = venue.authorityFile
        options.proxy = venue.proxy
        self.client = try RESTClient(options: options)
        self.gamma = VenueReader(
            client: self.client, baseURL: venue.gammaURL, requestsPerSecond: GammaClient.requestsPerSecond,
            loop: context.loop, seed: UInt64.random(in: .min ... .max))
        self.clob = VenueReader(
            client: self.client, baseURL: venue.clobURL, requestsPerSecond: Self.termsPerSecond, loop: context.loop,
            seed: UInt64.random(in: .min ... .max))
        self.file = StateFile(
            context.stateDirectory + "/" + UniverseFile.name, byteCountMax: UniverseFile.byteCountMax)
        let scanner = context.configuration.scanner
        var settings = ScanCore.Settings()
        settings.interval = scanner.interval
        settings.fullInterval = scanner.fullInterval
        self.core = ScanCore(filter: MarketFilter(scanner), settings: settings, now: .now())
    }

    func start() async throws {
        self.server.onFrame = { self.take($1, from: $0) }
        try self.server.start()
        self.scheduleStatus()
        let client = self.client
        self.context.notifier.beat(while: "requests", wedge: client.wedgeForDrill) { client.isAdvancing(now: .now()) }
        self.context.notifier.status("reading the listing")
        self.restore()
        self.followPauses()
        self.followOthers()
        self.pump()
    }

    func stop() async {
        self.isStopped = true
        if let timer = self.wakeTimer { self.loop.cancel(timer) }
        for (_, question) in self.questions { question.cancel() }
        self.questions = [:]
        for client in [self.feed, self.strategies] {
            client.stop()
            client.onConnected = { _ in }
            client.onFrame = { _ in }
        }
        if self.isSavePending { self.save() }
        self.server.stop()
        self.client.stop()
    }

    // MARK: Questions

    /// Asks what the core wants to know, as far as there is room.
    func pump() {
        guard !self.isStopped else { return }
        while self.questions.count < Self.inFlightMax, let request = self.core.next(now: .now(), time: .now()) {
            self.lastQuestion += 1
            let id = self.lastQuestion
            self.questions[id] = Task(executorPreference: self.loop) { await self.ask(request, id) }
        }
        if let timer = self.wakeTimer { self.loop.cancel(timer) }
        self.wakeTimer = nil
        guard self.questions.count < Self.inFlightMax else { return }
        let pause = max(.milliseconds(10), self.core.wake(time: .now(), now: .now()) - .now())
        self.wakeTimer = self.loop.after(pause) { self.pump() }
    }

    private func ask(_ request: ScanRequest, _ id: Int) async {
        let answer = await self.answer(request)
        // Stopped meanwhile: then nothing is published any more.
        guard !self.isStopped else { return }
        self.questions[id] = nil
        self.perform(self.core.take(answer, to: request, now: .now(), time: .now()))
        self.tellFirstPass()
        if self.core.listedTime != self.savedTime { self.saveSoon() }
        self.pump()
    }

    private func answer(_ request: ScanRequest) async -> ScanAnswer {
        let (reader, name) =
            switch request.service {
            case .gamma: (self.gamma, Self.listingName)
            case .clob: (self.clob, Self.orderBookName)
            }
        let isPage = if case .page = request.subject { true } else { false }
        do throws(VenueReader.Failure) {
            let answer = try await reader.get(
                request.path, keeping: request.memberNames,
                attemptCountMax: isPage ? GammaClient.attemptCountMax : Self.attemptCountMax)
            return switch answer {
            case .value(let value): .value(value)
            case .missing: .missing
            }
        } catch {
            // Told by itself. A market that is not confirmed now is asked about later, as one that is not known yet.
            if case .paused = error, case .clob = request.service { return .missing }
            return .failed("\(name) \(error)")
        }
    }

    private func followPauses() {
        let logger = self.logger
        for (reader, name) in [(self.gamma, Self.listingName), (self.clob, Self.orderBookName)] {
            reader.onPause = { duration in
                logger.warning(
                    "The venue asked to be left alone for a while",
                    metadata: ["reason": "\(name) says so", "seconds": "\(duration.components.seconds)"])
            }
        }
    }

    // MARK: Actions

    func perform(_ actions: [ScanCore.Action]) {
        for action in actions {
            switch action {
            case .publish(let change): self.publish(change)
            case .publishGroup(let group): self.server.publish(EventGroupBody(group))
            case .ready: self.begin()
            case .troubled(.gamma, let reason):
                self.logger.warning(
                    "The listing could not be read, the universe stays as it is", metadata: ["reason": "\(reason)"])
            case .troubled(.clob, let reason):
                self.logger.warning(
                    "The order book service could not be read, what it confirmed counts",
                    metadata: ["reason": "\(reason)"])
            case .recovered(.gamma):
                self.logger.info(
                    "The listing can be read again", metadata: ["passes_failed": "\(self.core.failedPassCount)"])
            case .recovered(.clob): self.logger.info("The order book service can be read again")
            }
        }
    }

    private func tellFirstPass() {
        guard !self.isFirstPassTold, self.core.isReady, let listed = self.core.lastWhole?.listedCount else { return }
        self.isFirstPassTold = true
        self.logger.info(
            "First pass over the listing is done",
            metadata: ["listed": "\(listed)", "markets": "\(self.core.universe.markets.count)"])
    }

    /// From now on there is a universe.
    private func begin() {
        for peer in self.server.peers.values.sorted(by: { $0.id < $1.id }) where peer.isSubscribed {
            self.sendUniverse(to: peer)
        }
        self.context.notifier.ready()
        self.publishStatus()
    }

    private func publish(_ change: Universe.Change) {
        switch change {
        case .added(let market):
            self.logger.info("Market added", metadata: ["market": "\(market.condition)", "slug": "\(market.slug)"])
            self.server.publish(MarketAdded(market: market))
        case .changed(let changed):
            self.tell(changed)
            self.server.publish(changed)
        case .removed(let condition, let reason):
            self.logger.info("Market removed", metadata: ["market": "\(condition)", "reason": "\(reason.rawValue)"])
            self.server.publish(MarketRemoved(market: condition, reason: reason))
        }
        self.saveSoon()
    }

    private func tell(_ changed: MarketChanged) {
        let rules = changed.changedRules
        guard !rules.isEmpty else {
            self.logger.info(
                "Market described anew",
                metadata: [
                    "market": "\(changed.market.condition)", "changed": "\(changed.changed.joined(separator: " "))",
                ])
            return
        }
        self.logger.warning(
            "Market changed",
            metadata: [
                "market": "\(changed.market.condition)", "slug": "\(changed.market.slug)",
                "changed": "\(rules.joined(separator: " "))", "terms": "\(changed.description(of: rules))",
            ])
    }

    // MARK: On disk

    /// Begins with the universe of an earlier life, with its age: better than none while the venue is away.
    private func restore() {
        do {
            guard let bytes = try self.file.read() else { return }
            let saved = try UniverseFile(bytes, now: .now())
            self.logger.info(
                "The universe is that of the file until the listing is read",
                metadata: [
                    "markets": "\(saved.markets.count)",
                    "age_s": "\((Timestamp.now() - saved.listedTime).components.seconds)",
                ])
            self.pins.restore(saved.pinned)
            self.perform(
                self.core.restore(
                    saved.markets, pinned: self.pins.markets, listedTime: saved.listedTime, time: .now()))
        } catch {
            self.logger.warning("The universe's file cannot be used", metadata: ["reason": "\(error)"])
        }
    }

    func saveSoon() {
        guard !self.isSavePending else { return }
        self.isSavePending = true
        self.loop.after(Self.saveInterval) { if self.isSavePending { self.save() } }
    }

    private func save() {
        self.isSavePending = false
        guard let listedTime = self.core.listedTime else { return }
        self.savedTime = listedTime
        do throws(StateFile.Problem) {
            try self.file.write(
                UniverseFile(
                    listedTime: listedTime, markets: self.core.universe.sorted, pinned: self.pins.markets.sorted()
                ).bytes)
            self.isSaveTroubled = false
        } catch {
            // The disk is told of once, not every few seconds.
            guard !self.isSaveTroubled else { return }
            self.isSaveTroubled = true
            self.logger.warning("The universe's file cannot be written", metadata: ["reason": "\(error)"])
        }
    }

    private func scheduleStatus() {
        self.loop.after(Self.statusInterval) {
            self.publishStatus()
            self.scheduleStatus()
        }
    }
}
