import DaemonKit
import Logging
import Shared

/// A market that always talks and stops is suspect before its line is.
extension FeedService {
    /// To be called now and then. What is suspect is asked for anew, on its line and by REST; it is still trusted meanwhile.
    func watchSilence(now: Instant) {
        var suspects: [Int: [TokenID]] = [:]
        for n in self.markets.keys.sorted() {
            guard let market = self.markets[n], self.isSuspect(market, now: now) else { continue }
            market.audit.want()
            suspects[market.connection, default: []] += market.tokens
            self.count("markets_suspected")
            guard self.sparingLog.admits("A market that always talks says nothing", now: now) else { continue }
            self.logger.notice(
                "A market that always talks says nothing",
                metadata: [
                    "market": "\(market.condition)", "connection": "\(market.connection)",
                    "seconds": "\(market.silence.silence.inSeconds)",
                ])
        }
        for (connection, tokens) in suspects.sorted(by: { $0.key < $1.key }) {
            self.connections[connection].refresh(tokens)
        }
    }

    private func isSuspect(_ market: CarriedMarket, now: Instant) -> Bool {
        let connection = self.connections[market.connection]
        // A market whose time is over says nothing more, and it is right to.
        let end = market.builder.market.endTime
        let hasEnded = end.microseconds > 0 && end <= .now()
        guard market.isTrusted, market.builder.source == .webSocket, connection.isLive, !hasEnded else {
            market.silence.interrupt()
            return false
        }
        return market.silence.look(lineHeardAt: connection.eventAt, now: now)
    }
}
