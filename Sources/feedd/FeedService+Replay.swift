import DaemonKit
import Logging
import Shared

/// A raw journal in the place of the network: its texts, and what its events tell of everything else.
///
/// No clock decides here, so that the same journal publishes the same books at any speed; only the time of receiving is that of
/// the playing. Nothing is asked of the venue or the scanner, and nothing is recorded.
extension FeedService {
    /// To be called when there is somebody to play for.
    func beginReplay() {
        guard let player = self.player, !player.hasBegun, !self.isStopped else { return }
        self.logger.notice("Playing the journal", metadata: ["speed": "\(player.speed)"])
        player.begin(
            JournalPlayer.Owner(
                beginRun: { self.beginRun() },
                takeGap: { for index in self.connections.indices { self.lineLost(index, .dropped) } },
                take: { self.play($0, $1) },
                tell: { self.warn("The journal is damaged", ["reason": "\($0)"]) },
                isBehind: { self.server.isBehind }, end: { self.endReplay($0) }))
    }

    private func beginRun() {
        for n in self.markets.keys.sorted() { if let market = self.markets[n] { _ = self.drop(market) } }
        self.replayedNumbers = [:]
        for connection in self.connections { connection.isReplayedLive = false }
        self.hasher.play(leftOut: [])
    }

    private func endReplay(_ counts: JournalPlayer.Counts) {
        self.logger.notice(
            "The journal was played to its end",
            metadata: [
                "lines": "\(counts.lines)", "runs": "\(counts.runs)", "gaps": "\(counts.gaps)",
                "malformed": "\(counts.malformed)",
            ])
        self.beginRun()
        self.context.requestStop(DaemonExit(.stopped, "the journal was played to its end"))
    }

    private func play(_ line: JournalLine, _ bytes: UnsafeBufferPointer<UInt8>) {
        while self.connections.count <= line.connection { self.connections.append(self.replayedConnection()) }
        switch line.content {
        case .json(let range):
            self.take(UnsafeBufferPointer(rebasing: bytes[range]), on: line.connection)
            self.hasher.play(leftOut: [])
        case .text(var text):
            text.withUTF8 { self.take($0, on: line.connection) }
            self.hasher.play(leftOut: [])
        case .event(let event): self.play(event, on: line.connection)
        case .gap: break
        }
    }

    private func play(_ event: JournalEvent, on connection: Int) {
        switch event {
        case .opened: self.connections[connection].isReplayedLive = true
        case .dropped(let reason):
            self.connections[connection].isReplayedLive = false
            self.lineLost(connection, reason)
        case .terms(let terms, let follower):
            guard self.replayedNumbers[terms.n] == nil else { return }
            if let follower {
                while self.connections.count <= follower { self.connections.append(self.replayedConnection()) }
            }
            guard let carried = self.carry(terms.market, on: connection, followedBy: follower) else { return }
            self.replayedNumbers[terms.n] = carried.n
        case .described(let terms): self.describe(terms.market)
        case .removed(let n):
            guard let market = self.replayed(n) else { return }
            _ = self.drop(market)
            self.replayedNumbers[n] = nil
        case .fetched(let n, let book):
            if let market = self.replayed(n) { self.take(book, fetchedFor: market) }
        case .polled(let n, let book):
            if let market = self.replayed(n) { self.take(book, polledFor: market) }
        case .checked(let n, let isExpired):
            guard let market = self.replayed(n) else { return }
            // An operation that is half told is either too old at any rate, or not at all.
            let now = isExpired ? Instant.now() + BookBuilder.unsettledMax * 2 : Instant(nanoseconds: 0)
            if market.connection == connection {
                self.check(market, now: now)
            } else {
                self.checkFollower(of: market, now: now)
            }
        case .expired(let n):
            if let market = self.replayed(n) { self.expirePolled(market) }
        case .leftOut(let places): self.hasher.play(leftOut: places)
        case .price(let price): self.prices.play(price)
        case .resolved(let n, let winner, let time):
            if let market = self.replayed(n) { self.resolve(market, winner: winner, at: time) }
        case .late(let n, let late):
            if let market = self.replayed(n) { self.take(late, of: market) }
        }
    }

    private func replayed(_ n: Int64) -> CarriedMarket? {
        self.replayedNumbers[n].flatMap { self.markets[$0] }
    }

    private func replayedConnection() -> FeedConnection { self.makeConnection(self.connections.count) }
}
