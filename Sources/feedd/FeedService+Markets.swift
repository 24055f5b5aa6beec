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
                self.reconcile()
            case .marketChanged:
                let market = try envelope.decode(MarketChanged.self).market
                self.universe[market.condition] = market
                self.describe(market)
            case .marketRemoved:
                self.universe[try envelope.decode(MarketRemoved.self).market] = nil
                self.reconcile()
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
        self.universeParts = body.part == 1 ? body.markets : self.universeParts + body.markets
        guard body.part == body.parts else { return }
        self.universe = Dictionary(self.universeParts.map { ($0.condition, $0) }) { first, _ in first }
        self.universeParts = []
        self.logger.info("Universe received", metadata: ["markets": "\(self.universe.count)"])
        for market in self.universe.values.sorted(by: { $0.condition < $1.condition }) { self.describe(market) }
        self.reconcile()
        self.context.notifier.ready()
    }

    /// New terms of a carried market go to its builder and to the subscribers.
    private func describe(_ market: Market) {
        guard let n = self.numbers[market.condition], let old = self.builders[Int(n) - 1]?.market else { return }
        self.builders[Int(n) - 1]?.describe(market)
        guard let new = self.builders[Int(n) - 1]?.market, new != old else { return }
        self.server.publish(MarketBody(n: n, market: new), market: n)
    }

    // MARK: Carrying

    /// Brings what is carried in line with what is wanted.
    func reconcile() {
        guard !self.isStopped else { return }
        var wanted = Set(self.universe.keys)
        for subscription in self.subscriptions.values {
            if case .only(let named) = subscription.markets { wanted.formUnion(named) }
        }
        var touched: Set<Int> = []
        for condition in self.numbers.keys.sorted() where !wanted.contains(condition) {
            if let index = self.drop(condition) { touched.insert(index) }
        }
        for condition in wanted.sorted() where self.numbers[condition] == nil {
            if let market = self.universe[condition] {
                if let index = self.carry(market) { touched.insert(index) }
            } else {
                self.lookUp(condition)
            }
        }
        for index in touched.sorted() { self.connections[index].apply() }
    }

    /// - Returns: the connection that must tell the venue.
    private func carry(_ market: Market) -> Int? {
        guard self.numbers.count < Self.marketCountMax else {
            self.count("markets_refused")
            self.logger.warning(
                "Too many markets, one is left out",
                metadata: ["market": "\(market.condition)", "limit": "\(Self.marketCountMax)"])
            return nil
        }
        let n = Int64(self.builders.count + 1)
        self.builders.append(BookBuilder(n: n, market: market))
        self.numbers[market.condition] = n
        for token in [market.first.token, market.second.token] { self.numbersByToken[token] = n }
        let index = self.connectionWithRoom()
        self.connectionOf[n] = index
        self.connections[index].add(n, [market.first.token, market.second.token])
        self.lookups.untrustedSince[n] = .now()
        for peer in self.server.peers.values.sorted(by: { $0.id < $1.id }) { self.offer(n, to: peer) }
        return index
    }

    private func drop(_ condition: ConditionID) -> Int? {
        guard let n = self.numbers.removeValue(forKey: condition), let builder = self.builders[Int(n) - 1] else {
            return nil
        }
        let trust = TrustBody(n: .one(n), epoch: builder.epoch + 1, isTrusted: false, reason: .removed)
        self.server.publish(trust, market: n)
        self.builders[Int(n) - 1] = nil
        let tokens = [builder.market.first.token, builder.market.second.token]
        for token in tokens { self.numbersByToken[token] = nil }
        self.lookups.untrustedSince[n] = nil
        self.lookups.bookAllowedAt[n] = nil
        guard let index = self.connectionOf.removeValue(forKey: n) else { return nil }
        self.connections[index].remove(n, tokens)
        return index
    }

    private func connectionWithRoom() -> Int {
        let limit = min(FeedConnection.tokenCountMax, self.context.configuration.feed.tokensPerConnection)
        if let index = self.connections.firstIndex(where: { $0.tokenCount + 2 <= limit }) { return index }
        let index = self.connections.count
        self.connections.append(self.makeConnection(index))
        return index
    }

    private func makeConnection(_ index: Int) -> FeedConnection {
        let configuration = self.context.configuration
        var options = WebSocketConnection.Options()
        options.caFile = configuration.venue.authorityFile
        options.proxy = configuration.venue.proxy
        var settings = MarketFeed.Settings()
        settings.reconnectDelay = configuration.feed.reconnectDelay
        settings.attemptsMax = configuration.feed.reconnectAttemptsMax
        settings.pingInterval = configuration.feed.pingInterval
        settings.silenceMax = configuration.feed.silenceMax
        let connection = FeedConnection(
            index: index, loop: self.loop, url: self.marketChannel, options: options, settings: settings,
            seed: UInt64.random(in: .min ... .max), logger: self.logger)
        connection.onText = { self.take($0, on: index) }
        connection.onDistrust = { self.lineLost(index, $0) }
        connection.onPollREST = { (_: Bool) in self.updatePolling() }
        return connection
    }

    /// Asks the venue for the terms of a market that a subscriber named and the scanner does not list.
    private func lookUp(_ condition: ConditionID) {
        guard !self.lookups.markets.contains(condition), self.lookups.markets.count < Self.lookupCountMax,
            self.lookups.marketAllowedAt[condition].map({ Instant.now() >= $0 }) ?? true
        else { return }
        self.lookups.markets.insert(condition)
        Task {
            do throws(VenueBooks.Failure) {
                let market = try await self.venue.market(condition)
                self.lookups.marketAllowedAt[condition] = nil
                if self.numbers[condition] == nil, self.isNamed(condition), let index = self.carry(market) {
                    self.connections[index].apply()
                }
            } catch {
                self.lookups.marketAllowedAt[condition] = Instant.now() + Self.lookupPause
                self.logger.warning(
                    "Cannot learn a named market's terms", metadata: ["market": "\(condition)", "reason": "\(error)"])
            }
            self.lookups.markets.remove(condition)
        }
    }

    private func isNamed(_ condition: ConditionID) -> Bool {
        self.subscriptions.values.contains {
            if case .only(let named) = $0.markets { named.contains(condition) } else { false }
        }
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
        for builder in self.builders.compactMap({ $0 }) where peer.wants(builder.n) {
            // What stays wanted keeps its losses: they are told with its next snapshot.
            if named?.contains(builder.market.condition) == false { self.server.forget(builder.n, for: peer) }
        }
        self.subscriptions[peer.id] = subscription
        peer.isSubscribed = true
        switch subscription.markets {
        case .all: peer.interest = .all
        case .only: peer.interest = .only([])
        }
        if let id = subscription.id { self.server.send(ResultBody(id: id, .ok(nil)), to: peer) }
        for builder in self.builders { if let builder { self.offer(builder.n, to: peer) } }
        self.reconcile()
    }

    /// A market and its snapshot to a subscriber that wants it.
    private func offer(_ n: Int64, to peer: FramePeer) {
        guard let subscription = self.subscriptions[peer.id], let builder = self.builders[Int(n) - 1] else { return }
        if case .only(let named) = subscription.markets {
            guard named.contains(builder.market.condition) else { return }
            if case .only(var numbers) = peer.interest {
                numbers.insert(n)
                peer.interest = .only(numbers)
            }
        }
        self.server.send(MarketBody(n: n, market: builder.market), to: peer, as: .opening)
        self.server.sendSnapshot(of: n, to: peer)
    }
}
