import DaemonKit
import Logging
import Shared

/// Two connections carry each market, each with books of its own: one leads and is published, the other follows.
extension FeedService {
    /// Something of a carried market came.
    func heard(_ event: borrowing MarketEvent, on connection: Int, now: Instant) {
        self.connections[connection].eventAt = now
        self.connections[connection & ~1].twins.heard(
            on: connection & 1, time: event.timestamp, isNews: event.kind != .book, now: now)
    }

    /// A message of the connection that follows: nothing of it is published while the leader does well.
    func follow(
        _ event: borrowing MarketEvent, _ market: CarriedMarket, on connection: Int, received: Timestamp, now: Instant
    ) {
        // Its books are in place: taking them out would copy them.
        guard market.follower?.connection == connection else { return self.count("events_of_other_markets") }
        var effect = BookBuilder.Effect.unchanged
        switch event.kind {
        case .priceChange:
            effect = market.follower!.builder.change(event, received: received, now: now, hasher: &self.hasher)
        case .book:
            guard let outcome = event.token.flatMap({ market.builder.outcome(of: $0) }) else {
                return self.count("events_of_other_markets")
            }
            effect = market.follower!.builder.snapshot(
                event, outcome: outcome, received: received, now: now, hasher: &self.hasher)
        case .lastTradePrice:
            if let trade = market.follower!.builder.trade(event, received: received) { market.tape.follow(trade) }
        case .tickSizeChange: self.changeTick(event, of: market)
        case .marketResolved: self.resolve(event, market)
        case .unknown, .bestBidAsk, .newMarket: break
        }
        self.take(effect, ofFollowerOf: market)
    }

    func take(_ effect: BookBuilder.Effect, ofFollowerOf market: CarriedMarket) {
        if case .distrusted(let reason) = effect {
            self.count("follower_distrusted_\(reason.rawValue)")
            self.renewFollower(of: market)
        }
        if !market.builder.isTrusted || market.builder.source == .rest { self.changeLeader(of: market, because: nil) }
    }

    private func renewFollower(of market: CarriedMarket) {
        let now = Instant.now()
        guard let follower = market.follower, !market.builder.isResolved, market.mayRenewFollower(now: now) else {
            return
        }
        market.beginRenewal(now: now)
        self.connections[follower.connection].refresh(market.tokens)
    }

    /// A line that was opened brings the first books by itself.
    func awaitBooks(onLine index: Int) {
        let now = Instant.now()
        self.connections[index & ~1].twins.begin()
        for n in self.connections[index].markets { self.markets[n]?.beginRenewal(now: now) }
    }

    /// The follower's book takes the place of the leader's, if it may.
    ///
    /// - Parameter reason: what happened to the leader; `nil` when it was not trusted before.
    /// - Returns: whether it did.
    @discardableResult
    func changeLeader(of market: CarriedMarket, because reason: TrustReason?) -> Bool {
        market.follower?.builder.settleLeftOut(hasher: &self.hasher)
        guard market.mayChangeLeader else { return false }
        self.makeFollowerLead(of: market, because: reason)
        return true
    }

    /// - Parameter reason: as for `changeLeader`.
    func makeFollowerLead(of market: CarriedMarket, because reason: TrustReason?) {
        market.changeLeader()
        self.count("leader_changes")
        if let reason {
            self.warn(
                "Another connection leads",
                [
                    "market": "\(market.condition)", "reason": "\(reason.rawValue)",
                    "connection": "\(market.connection)",
                ])
        }
        self.publish(.snapshot, of: market)
        for trade in market.tape.changeLeader(bookTime: market.builder.venueTime) { self.publish(trade) }
        // What was wrong with the former leader is mended behind the scenes.
        self.renewFollower(of: market)
    }

    func publish(_ trade: TradeBody) {
        self.count("trades")
        self.server.publish(trade, market: trade.n, as: .trade(n: trade.n, received: trade.receivedTime))
    }

    /// Whether no connection has carried it for so long that it is polled.
    func isBlind(_ market: CarriedMarket) -> Bool {
        self.connections[market.connection].feed.isPolling
            && market.follower.map {
                // Who lied lately is no line for it.
                self.connections[$0.connection].feed.isPolling || $0.connection == market.conviction?.connection
            } ?? true
    }

    /// To be called now and then: a connection that is late is no leader, and no follower either.
    func compareConnections(of market: CarriedMarket, now: Instant) {
        guard market.follower != nil else { return }
        self.checkFollower(of: market, now: now)
        guard let follower = market.follower?.builder, follower.isTrusted, market.builder.isTrusted,
            market.builder.source == .webSocket
        else {
            market.lag = LagWatch(blamed: market.lag.blamed)
            // What was asked for may not have come.
            if market.follower?.builder.isTrusted == false { self.renewFollower(of: market) }
            _ = self.heed(nil, of: market, now: now)
            return
        }
        let late = market.lag.note(leader: market.builder.lagState, follower: follower.lagState, now: now)
        let relation =
            late == .both ? .contradict : ProvedMoments.relation(market.builder.moments, follower.moments)
        guard !self.heed(relation, of: market, now: now) else { return }
        let contradicts = market.lag.note(leader: market.builder.moments, follower: follower.moments)
        switch contradicts ? .both : late {
        case nil: break
        // An operation may be half told just now; then the next look will do.
        case .leader where !market.mayChangeLeader: break
        case let late?: self.decide(late, of: market)
        }
    }

    /// The clock decided it, not a text.
    func decide(_ late: LagWatch.Late, of market: CarriedMarket) {
        self.journal?.note(.late(n: market.n, late), connection: market.connection, at: .now())
        self.take(late, of: market)
    }

    func checkFollower(of market: CarriedMarket, now: Instant) {
        guard let follower = market.follower?.connection else { return }
        let effect = market.follower!.builder.check(now: now, hasher: &self.hasher)
        guard effect != .unchanged else { return }
        self.recordCheck(of: market, on: follower, effect)
        self.take(effect, ofFollowerOf: market)
    }

    /// One of two connections has not told what the other has for so long that it is not believed.
    func take(_ late: LagWatch.Late, of market: CarriedMarket) {
        switch late {
        case .leader:
            guard self.changeLeader(of: market, because: .silent) else { return }
            self.count("leaders_late")
            _ = market.follower?.builder.distrust(.silent)
        case .follower:
            market.lag = LagWatch(blamed: market.builder.lagState)
            guard market.follower != nil else { return }
            self.take(market.follower!.builder.distrust(.silent), ofFollowerOf: market)
        case .both:
            market.lag = LagWatch()
            self.beginDispute(of: market)
        case .neither: self.endDispute(of: market)
        }
    }

    /// Ends a line that says nothing of its markets while its twin does: a venue may go on answering pings.
    func compareLines(now: Instant) {
        guard self.connectionStep == 2 else { return }
        for index in stride(from: 0, to: self.connections.count - 1, by: 2) {
            let (one, other) = (self.connections[index], self.connections[index + 1])
            guard one.isLive && other.isLive else { continue }
            guard let (line, since) = one.twins.silent(now: now) else { continue }
            let silent = line == 0 ? one : other
            self.count("lines_silent")
            self.logger.warning(
                "A connection says nothing while the other does",
                metadata: ["connection": "\(silent.index)", "seconds": "\((now - since).inSeconds)"])
            one.twins.begin()
            silent.restart(.silent)
        }
    }
}
