import DaemonKit
import Logging
import Shared

/// Which markets are carried: the scanner's universe and what subscribers name.
extension FeedService {
    private static let lookupPause = Duration.seconds(5)
    /// Lookups of unknown markets at a time.
    private static let lookupCountMax = 8

    // MARK: The scanner

    func takeScan(_ envelope: Envelope) {
        do throws(FrameError) {
            switch FrameType(rawValue: envelope.type) {
            case .universe: self.takeUniverse(try envelope.decode(UniverseBody.self))
            case .marketAdded:
                let market = try envelope.decode(MarketAdded.self).market
                self.universe[market.condition] = market
                // A subscriber may have named it before, and it is carried with what the order book knew of it.
                self.describe(market)
                self.reconcileSoon()
            case .marketChanged:
                let market = try envelope.decode(MarketChanged.self).market
                self.universe[market.condition] = market
                self.describe(market)
            case .marketRemoved:
                self.universe[try envelope.decode(MarketRemoved.self).market] = nil
                self.reconcileSoon()
            case .result, .scanStatus, .metrics, .error: break
            default: self.count("scanner_frames_skipped")
            }
        } catch {
            self.count("scanner_frames_malformed")
            self.logger.error(
                "Cannot read a frame of the scanner", metadata: ["type": "\(envelope.type)", "reason": "\(error)"])
        }
    }

    private func takeUniverse(_ body: UniverseBody) {
        if body.part == 1 {
            self.universeParts = []
            self.universePart = 0
        }
        guard body.part == self.universePart + 1, body.part <= body.parts,
            self.universeParts.count + body.markets.count <= Self.universeCountMax
        else {
            self.universeParts = []
            self.universePart = 0
            self.count("scanner_frames_malformed")
            self.warn(
                "A universe of the scanner is not whole, or too large",
                ["found": "part \(body.part) of \(body.parts)", "limit": "\(Self.universeCountMax)"])
            return
        }
        self.universePart = body.part
        self.universeParts += body.markets
        guard body.part == body.parts else { return }
        self.universe = Dictionary(self.universeParts.map { ($0.condition, $0) }) { first, _ in first }
        self.universeParts = []
        self.logger.info("Universe received", metadata: ["markets": "\(self.universe.count)"])
        for market in self.universe.values.sorted(by: { $0.condition < $1.condition }) { self.describe(market) }
        self.reconcile()
        self.hasUniverse = true
        self.context.notifier.ready()
    }

    /// New terms of a carried market go to its builder and to the subscribers.
    func describe(_ market: Market) {
        guard let carried = self.marketsByCondition[market.condition] else { return }
        let old = carried.builder.market
        guard old.first == market.first && old.second == market.second else {
            // Every price that was said of it would mean something else: it ends, and is another from now on.
            self.logger.warning("Outcomes of a market changed", metadata: ["market": "\(market.condition)"])
            for index in self.drop(carried) { self.connections[index].apply() }
            self.reconcileSoon()
            return
        }
        let followers = carried.follower?.builder.market
        carried.builder.describe(market)
        carried.follower?.builder.describe(market)
        if carried.builder.market != carried.toldMarket || carried.follower?.builder.market != followers {
            self.journal?.note(
                .described(MarketBody(n: carried.n, market: market)), connection: carried.connection, at: .now())
        }
        self.tellTerms(of: carried)
    }

    func tellTerms(of market: CarriedMarket) {
        guard market.builder.market != market.toldMarket else { return }
        market.toldMarket = market.builder.market
        let body = MarketBody(n: market.n, market: market.toldMarket)
        self.server.publish(body, market: market.n)
        self.recordTerms(of: market)
    }

    // MARK: Carrying

    /// Reconciles at the end of this round: many changes cost one look.
    func reconcileSoon() {
        guard !self.lookups.isReconcilePending && self.player == nil else { return }
        self.lookups.isReconcilePending = true
        self.loop.deferToEndOfRound {
            self.lookups.isReconcilePending = false
            self.reconcile()
        }
    }

    /// Brings what is carried in line with what is wanted.
    private func reconcile() {
        guard !self.isStopped else { return }
        var wanted = Set(self.universe.keys)
        for subscription in self.subscriptions.values {
            if case .only(let named) = subscription.markets { wanted.formUnion(named) }
        }
        var touched: Set<Int> = []
        for market in self.marketsByCondition.values.filter({ !wanted.contains($0.condition) }).sorted(by: {
            $0.n < $1.n
        }) {
            touched.formUnion(self.drop(market))
        }
        self.lookups.isIncomplete = false
        for condition in wanted.filter({ self.marketsByCondition[$0] == nil }).sorted() {
            if let market = self.universe[condition], let carried = self.carry(market) {
                touched.formUnion(carried.connections)
            } else {
                self.lookups.isIncomplete = true
                if self.universe[condition] == nil { self.lookUp(condition) }
            }
        }
        if !self.lookups.marketAllowedAt.isEmpty {
            self.lookups.marketAllowedAt = self.lookups.marketAllowedAt.filter { wanted.contains($0.key) }
        }
        for index in touched.sorted() { self.connections[index].apply() }
    }

    /// - Returns: what is carried now, and its connections must tell the venue.
    private func carry(_ market: Market) -> CarriedMarket? {
        let index = self.connectionWithRoom()
        return self.carry(market, on: index, followedBy: self.connectionStep == 2 ? index + 1 : nil)
    }

    /// - Returns: what is carried now; `nil` where it may not be.
    func carry(_ market: Market, on index: Int, followedBy follower: Int?) -> CarriedMarket? {
        guard self.markets.count < Self.marketCountMax else {
            self.count("markets_refused")
            self.warn(
                "Too many markets, one is left out",
                ["market": "\(market.condition)", "limit": "\(Self.marketCountMax)"])
            return nil
        }
        let tokens = [market.first.token, market.second.token]
        guard tokens.allSatisfy({ self.marketsByToken[$0] == nil }) else {
            self.count("markets_refused")
            self.warn("A market has another's tokens and is left out", ["market": "\(market.condition)"])
            return nil
        }
        self.lastNumber += 1
        let carried = CarriedMarket(
            n: self.lastNumber, connection: index, follower: follower, market: market, now: .now())
        self.markets[carried.n] = carried
        self.marketsByCondition[market.condition] = carried
        for token in tokens { self.marketsByToken[token] = carried }
        for connection in carried.connections { self.connections[connection].add(carried.n, tokens) }
        self.recordTerms(of: carried)
        for peer in self.server.peers.values.sorted(by: { $0.id < $1.id }) { self.offer(carried, to: peer) }
        return carried
    }

    /// - Returns: connections that must tell the venue.
    func drop(_ market: CarriedMarket) -> [Int] {
        guard self.markets.removeValue(forKey: market.n) != nil else { return [] }
        self.journal?.note(.removed(n: market.n), connection: market.connection, at: .now())
        let trust = TrustBody(n: .one(market.n), epoch: market.builder.epoch + 1, isTrusted: false, reason: .removed)
        self.server.publish(trust, market: market.n)
        for peer in self.server.peers.values { peer.lose(market.n) }
        self.marketsByCondition[market.condition] = nil
        for token in market.tokens { self.marketsByToken[token] = nil }
        self.pastBooks.add(market.builder.counters)
        if let follower = market.follower { self.pastBooks.add(follower.builder.counters) }
        for connection in market.connections { self.connections[connection].remove(market.n, market.tokens) }
        return market.connections
    }

    /// A pair of connections carries the same markets where one is to follow the other.
    var connectionStep: Int { self.context.configuration.feed.standby ? 2 : 1 }

    /// The first of such a pair.
    private func connectionWithRoom() -> Int {
        let limit = min(FeedConnection.tokenCountMax, self.context.configuration.feed.tokensPerConnection)
        let first = stride(from: 0, to: self.connections.count, by: self.connectionStep)
        if let index = first.first(where: { self.connections[$0].tokenCount + 2 <= limit }) { return index }
        let index = self.connections.count
        for offset in 0..<self.connectionStep { self.connections.append(self.makeConnection(index + offset)) }
        return index
    }

    func makeConnection(_ index: Int) -> FeedConnection {
        let configuration = self.context.configuration
        var options = WebSocketConnection.Options()
        options.caFile = configuration.venue.authorityFile
        options.proxy = configuration.venue.proxy
        options.offersDeflate = configuration.feed.compression
        let connection = FeedConnection(
            index: index, loop: self.loop, url: self.player == nil ? self.marketChannel : nil, options: options,
            settings: MarketFeed.Settings(configuration.feed),
            seed: UInt64.random(in: .min ... .max), logger: self.logger)
        connection.onText = { self.take($0, on: index) }
        connection.onOpened = {
            self.journal?.note(.opened, connection: index, at: .now())
            self.awaitBooks(onLine: index)
        }
        connection.onDistrust = { self.lineLost(index, $0) }
        connection.onPollREST = { (_: Bool) in self.updatePolling() }
        return connection
    }

    /// Asks the venue for the terms of a market that a subscriber named and the scanner does not list.
    private func lookUp(_ condition: ConditionID) {
        guard !self.lookups.markets.contains(condition), self.lookups.markets.count < Self.lookupCountMax,
            self.lookups.marketAllowedAt[condition].map({ Instant.now() >= $0 }) ?? true,
            self.mayAsk(.market)
        else { return }
        self.lookups.markets.insert(condition)
        Task(executorPreference: self.loop) { await self.learn(condition) }
    }

    private func learn(_ condition: ConditionID) async {
        do throws(VenueBooks.Failure) {
            let (market, duration) = try await self.venue.market(condition)
            self.noteAnswer(after: duration)
            self.lookups.marketAllowedAt[condition] = nil
            if self.marketsByCondition[condition] == nil, self.isNamed(condition), let carried = self.carry(market) {
                for index in carried.connections { self.connections[index].apply() }
            }
        } catch {
            self.noteFailure(error)
            self.lookups.marketAllowedAt[condition] = Instant.now() + Self.lookupPause
            self.warn("Cannot learn a named market's terms", ["market": "\(condition)", "reason": "\(error)"])
        }
        self.lookups.markets.remove(condition)
        if self.lookups.isIncomplete && self.lookups.markets.isEmpty { self.reconcileSoon() }
    }

    private func isNamed(_ condition: ConditionID) -> Bool {
        self.subscriptions.values.contains {
            if case .only(let named) = $0.markets { named.contains(condition) } else { false }
        }
    }

    /// What the venue broadcasts of markets, carried or not, for the scanner.
    func hint(_ event: borrowing MarketEvent) {
        let kind: MarketHint.Kind = event.kind == .newMarket ? .new : .resolved
        self.server.publish(MarketHint(kind: kind, market: event.market, slug: event.slug), as: .status)
    }

    // MARK: Subscribers

    func take(_ envelope: Envelope, from peer: FramePeer) {
        guard envelope.type == FrameType.subscribe.rawValue else {
            self.count("requests_skipped")
            self.logger.debug("Frame skipped", metadata: ["type": "\(envelope.type)", "peer": "\(peer.id)"])
            return
        }
        do throws(FrameError) {
            self.subscribe(peer, try envelope.decode(Subscribe.self))
        } catch {
            self.server.end(peer, .badRequest, "subscribe: \(error)")
        }
    }

    private func subscribe(_ peer: FramePeer, _ subscription: Subscribe) {
        let named: Set<ConditionID>? = if case .only(let named) = subscription.markets { Set(named) } else { nil }
        let markets = self.markets.values.sorted { $0.n < $1.n }
        for market in markets where peer.wants(market.n) {
            // What stays wanted keeps its losses: they are told with its next snapshot.
            if named?.contains(market.condition) == false { self.server.forget(market.n, for: peer) }
        }
        self.subscriptions[peer.id] = subscription
        peer.isSubscribed = true
        switch subscription.markets {
        case .all: peer.interest = .all
        case .only: peer.interest = .only([])
        }
        let value = self.prices.subscribe(peer, to: subscription.referencePrices)
        if let id = subscription.id { self.server.send(ResultBody(id: id, .ok(value)), to: peer) }
        self.prices.tellKnown(to: peer)
        for market in markets { self.offer(market, to: peer) }
        self.reconcileSoon()
        self.beginReplay()
    }

    /// A market and its snapshot to a subscriber that wants it.
    private func offer(_ market: CarriedMarket, to peer: FramePeer) {
        guard let subscription = self.subscriptions[peer.id] else { return }
        if case .only(let named) = subscription.markets {
            guard named.contains(market.condition) else { return }
            peer.gain(market.n)
        }
        self.server.send(MarketBody(n: market.n, market: market.toldMarket), to: peer, as: .opening)
        if let resolution = market.resolution { self.server.send(resolution, to: peer, as: .opening) }
        self.server.sendSnapshot(of: market.n, to: peer)
    }
}
