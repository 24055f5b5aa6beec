import DaemonKit
import Shared

/// What the raw journal keeps besides the texts, so that whoever plays it comes to the same books.
extension FeedService {
    func recordTerms(of market: CarriedMarket) {
        self.journal?.note(
            .terms(MarketBody(n: market.n, market: market.builder.market), follower: market.follower?.connection),
            connection: market.connection, at: .now())
    }

    /// The clock decided it, not a text.
    func recordCheck(of market: CarriedMarket, on connection: Int, _ effect: BookBuilder.Effect) {
        self.journal?.note(
            .checked(n: market.n, isExpired: effect == .distrusted(.hashMismatch)), connection: connection, at: .now())
    }

    /// The budget decided it. To be called before the text itself is recorded.
    func recordLeftOut(on connection: Int) {
        guard let journal = self.journal, !self.hasher.leftOut.isEmpty else { return }
        journal.note(.leftOut(self.hasher.leftOut), connection: connection, at: .now())
    }

    /// The files before this one may be gone when it is played: it names all markets and open lines itself.
    func recordMarkets() {
        for connection in self.connections where connection.isLive {
            self.journal?.note(.opened, connection: connection.index, at: .now())
        }
        for n in self.markets.keys.sorted() { if let market = self.markets[n] { self.recordTerms(of: market) } }
    }
}
