import DaemonKit
import Logging
import Shared

/// Holds the connections to the venue's market data and publishes numbered books.
///
/// It holds no keys and knows nothing of orders. When in doubt it says so; a wrong book costs more than a missing one.
actor FeedService: DaemonService {
    /// Markets carried at a time.
    static let marketCountMax = 5_000
    /// Markets of a universe: the scanner lists far fewer.
    static let universeCountMax = 20_000
    /// Between looks at books that wait for something.
    private static let checkInterval = Duration.milliseconds(200)
    private static let statusInterval = Duration.seconds(1)
    /// Ready is said by then, whatever is missing.

    let context: DaemonContext
    let loop: EventLoop
    let logger: Logger
    let server: FrameServer
    let scanner: FrameClient
    let venue: VenueBooks
    /// What the venue sent, on disk; `nil` where it is not wanted.
    let journal: RawJournal?
    /// A raw journal that is played in the place of the network.
    let player: JournalPlayer?
    let marketChannel: WebSocketURL
    /// Prices of what markets are about, from elsewhere.
    let prices: PriceService
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    var connections: [FeedConnection] = []
    /// What is carried, by number, by condition and by token.
    var markets: [Int64: CarriedMarket] = [:]
    var marketsByCondition: [ConditionID: CarriedMarket] = [:]
    var marketsByToken: [TokenID: CarriedMarket] = [:]
    /// Numbers are never given out twice.
    var lastNumber: Int64 = 0
    /// From the scanner.
    var universe: [ConditionID: Market] = [:]
    var universeParts: [Market] = []
    /// The last part of a universe that came.
    var universePart: Int64 = 0
    /// Whether the scanner has told its whole universe once.
    var hasUniverse = false
    /// What each subscriber asked for, by peer.
    var subscriptions: [Int: Subscribe] = [:]
    var lookups = Lookups()
    /// Numbers of markets in the run of a journal that is played, and ours.
    var replayedNumbers: [Int64: Int64] = [:]
    var health: HostHealth
    var budget = VenueBudget(now: .now())
    var hasher: MeteredHasher
    var hashShare = HashShareWatch()
    var reader = MarketChannelReader()
    var counters: [String: Int64] = [:]
    /// Events that say nothing new, by kind: too many to count by name.
    var passedOver: [MarketEvent.Kind: Int64] = [:]
    var venueLatency = LatencyHistogram()
    var publishLatency = LatencyHistogram()
    /// From the venue's time to the end of our publishing, for changes and trades: a first book tells of its last change.
    var wholeLatency = LatencyHistogram()
    private var latencyWatch: LatencyWatch
    /// The oldest time in the text that is being read, milliseconds.
    var oldestVenueTime = Int64.max
    /// Of markets that are carried no more, so that counters never go back.
    var pastBooks = BookBuilder.Counters()
    var messageCount: Int64 = 0
    var lastMessageCount: Int64 = 0
    /// Whether a text is being read, and lines that were found lost meanwhile.
    var isReading = false
    var linesLostMeanwhile: [(index: Int, reason: TrustReason)] = []
    var sparingLog = SparingLog()
    var random = SeededRandom(seed: UInt64.random(in: .min ... .max))
    /// Whether every carried book was trusted when that was looked at last.
    private var isWhole = false
    private var journalWatch = JournalWatch()
    var isStopped = false

    /// Requests to the venue that are under way or were made lately.
    struct Lookups {
        /// Books being fetched.
        var bookCount = 0
        /// Markets whose terms are being fetched.
        var markets: Set<ConditionID> = []
        var marketAllowedAt: [ConditionID: Instant] = [:]
        var isPolling = false
        /// Polls under way.
        var pollCount = 0
        var isPollFailing = false
        var isAuditing = false
        var isArbitrating = false
        /// Whether somebody's end is being asked for.
        var isResolving = false
        /// Markets, by number, of which the present look found two books.
        var doubted: [Int64] = []
        /// Connections, by index, whose lines are to begin anew.
        var liars: Set<Int> = []
        /// Whether something is wanted that is not carried.
        var isIncomplete = false
        var isReconcilePending = false
    }

    /// - Parameter replay: what is published in the place of what the venue sends now.
    init(_ context: DaemonContext, replay: (files: JournalFiles, speed: ReplaySpeed)? = nil) throws {
        self.player = replay.map { JournalPlayer($0.files, speed: $0.speed, loop: context.loop) }
        self.context = context
        self.loop = context.loop
        self.logger = context.logger
        do {
            self.marketChannel = try WebSocketURL(context.configuration.venue.marketWebSocketURL)
        } catch {
            throw DaemonExit(.configuration, "venue.market_ws_url: \(error)")
        }
        self.health = HostHealth(context.configuration.feed)
        self.hasher = MeteredHasher(percent: Int64(context.configuration.feed.hashBudgetPercent), now: .now())
        self.latencyWatch = LatencyWatch(target: context.configuration.feed.latencyTarget)
        self.server = try context.makeServer()
        self.scanner = context.makeClient(of: "scannerd")
        self.prices = try PriceService(context, server: self.server, isReplay: replay != nil)
        var options = RESTClient.Options()
        options.caFile = context.configuration.venue.authorityFile
        options.proxy = context.configuration.venue.proxy
        self.venue = VenueBooks(client: try RESTClient(options: options), baseURL: context.configuration.venue.clobURL)
        let feed = context.configuration.feed
        self.journal =
            feed.journal && replay == nil
            ? try RawJournal(
                directory: context.stateDirectory, megabytesMax: feed.journalMegabytesMax,
                daysMax: feed.journalDaysMax, hasFollowers: feed.standby)
            : nil
    }

    func start() async throws {
        // The callbacks run on the loop, which is this actor's executor; `stop()` breaks the cycles.
        self.server.onFrame = { self.take($1, from: $0) }
        let warn = self.warn
        self.prices.warn = { _ = warn($0, $1) }
        self.prices.onPrice = { self.journal?.note(.price($0), connection: 0, at: .now()) }
        self.server.onGone = { peer in
            self.prices.leave(peer)
            guard self.subscriptions.removeValue(forKey: peer.id) != nil else { return }
            self.reconcileSoon()
        }
        self.server.onSnapshotWanted = { self.markets[$0]?.body(conflated: $1) }
        self.scanner.onConnected = { _ in
            self.universeParts = []
            self.scanner.send(Subscribe(id: 1, markets: .all))
        }
        self.scanner.onFrame = { self.takeScan($0) }
        try self.server.start()
        self.every(Self.statusInterval) {
            self.publishStatus()
            self.tellLeftOut()
        }
        guard self.player == nil else {
            self.logger.notice("Waiting for a subscriber to play the journal for")
            return self.context.notifier.ready()
        }
        self.scanner.start()
        self.prices.start()
        self.every(Self.checkInterval) { self.check() }
        self.every(Self.statusInterval) {
            self.prices.carry(Set(self.markets.values.compactMap(\.builder.market.asset)))
            self.audit()
            self.askForResolution(now: .now(), time: .now())
            // What could not be carried is tried again.
            if self.lookups.isIncomplete { self.reconcileSoon() }
        }
        self.every(self.context.configuration.feed.restPollInterval) { self.poll() }
        let client = self.venue.client
        self.context.notifier.beat(while: "requests", wedge: client.wedgeForDrill) { client.isAdvancing(now: .now()) }
        if let file = self.journal?.file {
            self.context.notifier.beat(while: "raw journal", wedge: file.wedgeForDrill) {
                file.isAdvancing(now: .now())
            }
        }
        self.context.notifier.status("waiting for the scanner's universe")
    }

    func stop() async {
        self.isStopped = true
        self.player?.stop()
        for connection in self.connections { connection.stop() }
        self.scanner.stop()
        self.prices.stop()
        self.server.stop()
        self.venue.client.stop()
        self.journal?.file.close()
    }

    private func every(_ interval: Duration, _ work: @escaping () -> Void) {
        self.loop.after(interval) {
            guard !self.isStopped else { return }
            work()
            self.every(interval, work)
        }
    }

    func count(_ name: String, _ amount: Int64 = 1) { self.counters[name, default: 0] += amount }

    /// A warning that may come from many markets at once.
    ///
    /// - Returns: whether it was said.
    @discardableResult
    func warn(_ sentence: String, _ facts: Logger.Metadata) -> Bool {
        guard self.sparingLog.admits(sentence, now: .now()) else { return false }
        self.logger.warning("\(sentence)", metadata: facts)
        return true
    }

    private func tellLeftOut() {
        for (sentence, count) in self.sparingLog.leftOut(now: .now()) {
            self.logger.warning("Lines were left out", metadata: ["sentence": "\(sentence)", "lines": "\(count)"])
        }
    }

    var mode: FeedStatus.Mode {
        if self.player != nil { return .replay }
        if self.lookups.isPolling { return .restPolling }
        return self.connections.contains { $0.isLive } ? .webSocket : .disconnected
    }

    // MARK: Status

    private func publishStatus() {
        var checks = self.counters
        var trusted: Int64 = 0
        var carried: Int64 = 0
        var followed: Int64 = 0
        var books = self.pastBooks
        for market in self.markets.values {
            // A resolved market waits to be dropped: nobody misses its book.
            if !market.builder.isResolved { carried += 1 }
            if market.isTrusted { trusted += 1 }
            if market.follower?.builder.isTrusted == true { followed += 1 }
            books.add(market.builder.counters)
            if let follower = market.follower { books.add(follower.builder.counters) }
        }
        for (kind, count) in self.passedOver { checks["events_\(kind.rawValue)"] = count }
        if self.isWhole != (carried > 0 && trusted == carried) {
            self.isWhole.toggle()
            if self.isWhole { self.logger.info("All books are trusted", metadata: ["books": "\(trusted)"]) }
        }
        books.write(to: &checks)
        self.addHashShare(books, to: &checks)
        checks["followers_trusted"] = followed
        for (name, value) in self.server.counters { checks["subscribers_\(name)"] = value }
        self.addJournal(to: &checks)
        self.addLatency(to: &checks)
        self.addHealth(to: &checks)
        self.prices.add(to: &checks)
        let status = FeedStatus(
            mode: self.mode, connections: self.connections.map(\.status), markets: carried, trusted: trusted,
            counters: checks)
        self.server.publish(status, as: .status)
        let rate = self.messageCount - self.lastMessageCount
        self.lastMessageCount = self.messageCount
        let metrics = Metrics(values: [
            "messages": self.messageCount, "messages_per_s": rate,
            "venue_latency_p50_us": self.venueLatency.quantile(0.5),
            "venue_latency_p99_us": self.venueLatency.quantile(0.99),
            "publish_latency_p50_us": self.publishLatency.quantile(0.5),
            "publish_latency_p99_us": self.publishLatency.quantile(0.99),
            "whole_latency_p50_us": self.wholeLatency.quantile(0.5),
            "whole_latency_p99_us": self.wholeLatency.quantile(0.99),
            "subscribers": Int64(self.server.peers.count), "hashes_permille": self.hashShare.permille,
        ])
        self.server.publish(metrics, as: .status)
        self.venueLatency.reset()
        self.publishLatency.reset()
        self.wholeLatency.reset()
        let waits = self.hasUniverse || self.player != nil ? "" : "waiting for the scanner's universe, "
        self.context.notifier.status(
            "\(waits)\(self.mode.rawValue), \(trusted) of \(carried) books trusted, \(rate) messages/s")
    }

    /// How the raw journal fares; said once when it loses lines, and once when it keeps them again.
    private func addJournal(to counters: inout [String: Int64]) {
        guard let status = self.journal?.file.status else { return }
        counters["journal_lines"] = status.lineCount
        counters["journal_bytes"] = status.byteCount
        counters["journal_line_bytes"] = status.lineByteCount
        counters["journal_dropped"] = status.droppedCount
        if self.journal?.hasNewFile(status) == true { self.recordMarkets() }
        switch self.journalWatch.note(status) {
        case .lost(let reason):
            self.logger.error(
                "The raw journal loses lines", metadata: ["reason": "\(reason)", "lines": "\(status.droppedCount)"])
        case .kept(let count):
            self.logger.notice("The raw journal keeps lines again", metadata: ["lines": "\(count)"])
        case nil: break
        }
        counters["journal_down"] = self.journalWatch.isDown ? 1 : 0
    }

    private func addLatency(to counters: inout [String: Int64]) {
        let latency = self.wholeLatency.quantile(0.99)
        let target = self.latencyWatch.target.nanoseconds / 1_000
        switch self.latencyWatch.note(latency: latency, count: self.wholeLatency.count) {
        case .passed:
            self.logger.warning(
                "Books come later than they should", metadata: ["p99_us": "\(latency)", "target_us": "\(target)"])
        case .recovered:
            self.logger.notice(
                "Books come in time again", metadata: ["p99_us": "\(latency)", "target_us": "\(target)"])
        case nil: break
        }
        counters["latency_above_target"] = self.latencyWatch.isAbove ? 1 : 0
    }
}
