import DaemonKit
import Logging
import Shared

/// Decides which markets are watched and tells everyone who asks.
actor ScanService: DaemonService {
    /// Between attempts at the first pass.
    private static let firstPassPause = Duration.seconds(1)
    private static let statusInterval = Duration.seconds(1)

    private let context: DaemonContext
    private let loop: EventLoop
    private let logger: Logger
    private let server: FrameServer
    private let client: RESTClient
    private let gamma: GammaClient
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    private var universe: Universe
    private var lastPass: Listing?
    private var lastPassAt: Timestamp?
    private var lastError: String?
    private var scan: Task<Void, Never>?
    private var timer: EventLoop.TimerID?
    private var passCount: Int64 = 0
    private var failureCount: Int64 = 0
    private var random = SeededRandom(seed: UInt64.random(in: .min ... .max))

    init(_ context: DaemonContext) throws {
        self.context = context
        self.loop = context.loop
        self.logger = context.logger
        self.server = try context.makeServer()
        var options = RESTClient.Options()
        options.caFile = context.configuration.venue.authorityFile
        options.proxy = context.configuration.venue.proxy
        self.client = try RESTClient(options: options)
        self.gamma = GammaClient(
            client: self.client, baseURL: context.configuration.venue.gammaURL, loop: context.loop)
        self.universe = Universe(filter: Universe.Filter(context.configuration.scanner))
    }

    func start() async throws {
        self.server.onFrame = { self.take($1, from: $0) }
        try self.server.start()
        self.scheduleStatus()
        let client = self.client
        self.context.notifier.beat(while: "requests", wedge: client.wedgeForDrill) { client.isAdvancing(now: .now()) }
        self.context.notifier.status("reading the listing")
        self.beginPass()
    }

    func stop() async {
        if let timer = self.timer { self.loop.cancel(timer) }
        self.scan?.cancel()
        self.scan = nil
        self.server.stop()
        self.client.stop()
    }

    // MARK: Passes

    private func beginPass() {
        guard self.scan == nil else { return }
        if let timer = self.timer { self.loop.cancel(timer) }
        self.scan = Task(executorPreference: self.loop) { await self.passAndSchedule() }
    }

    private func passAndSchedule() async {
        await self.pass()
        // Stopped meanwhile: then nothing is scheduled anew.
        guard !Task.isCancelled else { return }
        self.scan = nil
        let interval = self.context.configuration.scanner.interval
        // Until there is a universe nobody has anything to do.
        let pause = self.passCount == 0 ? min(interval, Self.firstPassPause) : interval
        self.timer = self.loop.after(pause) { self.beginPass() }
    }

    private func pass() async {
        var listing = Listing(for: self.universe, now: .now())
        do throws(GammaClient.Failure) {
            var random = self.random
            defer { self.random = random }
            try await self.gamma.readAll(into: &listing, using: &random)
        } catch {
            guard !Task.isCancelled else { return }
            self.failureCount += 1
            // A venue that is away for an hour is told once, not with each pass.
            if self.lastError != "\(error)" {
                self.logger.warning(
                    "The listing could not be read, the universe stays as it is", metadata: ["reason": "\(error)"])
            }
            self.lastError = "\(error)"
            return
        }
        guard !Task.isCancelled else { return }
        let changes = self.universe.update(listing.tradable, gone: listing.gone, now: .now())
        self.passCount += 1
        self.lastPass = listing
        self.lastPassAt = .now()
        if self.lastError != nil {
            self.logger.info("The listing can be read again", metadata: ["passes_failed": "\(self.failureCount)"])
        }
        self.lastError = nil
        if self.passCount == 1 {
            self.logger.info(
                "First pass over the listing is done",
                metadata: ["listed": "\(listing.listedCount)", "markets": "\(self.universe.markets.count)"])
            for peer in self.server.peers.values.sorted(by: { $0.id < $1.id }) where peer.isSubscribed {
                self.sendUniverse(to: peer)
            }
            self.context.notifier.ready()
        } else {
            for change in changes { self.publish(change) }
        }
        self.publishStatus()
    }

    private func sendUniverse(to peer: FramePeer) {
        for body in UniverseBody.split(self.universe.sorted, age: self.age) {
            self.server.send(body, to: peer, as: .opening)
        }
    }

    private func publish(_ change: Universe.Change) {
        switch change {
        case .added(let market):
            self.logger.info("Market added", metadata: ["market": "\(market.condition)", "slug": "\(market.slug)"])
            self.server.publish(MarketAdded(market: market))
        case .changed(let market, let names):
            self.logger.warning(
                "Market changed",
                metadata: ["market": "\(market.condition)", "changed": "\(names.joined(separator: " "))"])
            self.server.publish(MarketChanged(market: market, changed: names))
        case .removed(let condition, let reason):
            self.logger.info("Market removed", metadata: ["market": "\(condition)", "reason": "\(reason.rawValue)"])
            self.server.publish(MarketRemoved(market: condition, reason: reason))
        }
    }

    // MARK: Subscribers

    private func take(_ envelope: Envelope, from peer: FramePeer) {
        do throws(FrameError) {
            switch FrameType(rawValue: envelope.type) {
            case .subscribe:
                let subscription = try envelope.decode(Subscribe.self)
                if let id = subscription.id { self.server.send(ResultBody(id: id, .ok(nil)), to: peer) }
                peer.isSubscribed = true
                // Before the first pass nobody knows; an empty universe would make every follower drop its markets.
                if self.passCount > 0 { self.sendUniverse(to: peer) }
                self.server.send(self.status, to: peer, as: .status)
            case .scanNow:
                let command = try Command(envelope)
                guard peer.credentials.isOperator else {
                    self.answer(command.id, peer, .failed(code: .notAllowed, message: "scan_now is for operators"))
                    return
                }
                self.beginPass()
                self.answer(command.id, peer, .ok(nil))
            default: self.logger.debug("Frame skipped", metadata: ["type": "\(envelope.type)", "peer": "\(peer.id)"])
            }
        } catch {
            self.server.end(peer, .badRequest, "\(envelope.type): \(error)")
        }
    }

    private func answer(_ id: Int64?, _ peer: FramePeer, _ outcome: ResultBody.Outcome) {
        if let id { self.server.send(ResultBody(id: id, outcome), to: peer) }
    }

    /// Of the listing, microseconds; -1 before the first pass.
    private var age: Int64 { self.lastPassAt.map { (Timestamp.now() - $0).nanoseconds / 1_000 } ?? -1 }

    private var status: ScanStatus {
        ScanStatus(
            markets: Int64(self.universe.markets.count), listed: self.lastPass?.listedCount ?? 0,
            refused: self.lastPass?.refused ?? [:], age: self.age, error: self.lastError)
    }

    private func scheduleStatus() {
        self.loop.after(Self.statusInterval) {
            self.publishStatus()
            self.scheduleStatus()
        }
    }

    private func publishStatus() {
        self.server.publish(self.status, as: .status)
        self.server.publish(
            Metrics(values: [
                "passes": self.passCount, "passes_failed": self.failureCount,
                "subscribers": Int64(self.server.peers.count),
            ]), as: .status)
        let problem = self.lastError.map { ", last pass failed: \($0)" } ?? ""
        self.context.notifier.status(
            "\(self.universe.markets.count) markets of \(self.lastPass?.listedCount ?? 0)\(problem)")
    }
}

extension Universe.Filter {
    init(_ configuration: Configuration.Scanner) {
        self.init()
        self.keywords = configuration.keywords
        self.excludedKeywords = configuration.excludedKeywords
        self.timeLeftMin = configuration.timeLeftMin
        self.marketCountMax = configuration.marketCountMax
    }
}
