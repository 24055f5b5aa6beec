import Shared

/// A market that is carried: its book, and how it fares. Confined to the daemon's loop.
final class CarriedMarket {
    /// First and longest pause between fetches of one book: one that cannot be healed must not cost the others theirs.
    private static let fetchPauseFirst = Duration.milliseconds(500)
    private static let fetchPauseMax = Duration.seconds(30)

    let n: Int64
    /// Which connection carries its tokens.
    let connection: Int
    var builder: BookBuilder
    /// The terms as the subscribers know them.
    var toldMarket: Market
    /// Since when there has been no trusted book.
    var untrustedSince: Instant?
    /// Whether its trouble was logged by name, so that its end is too.
    var isTroubleLogged = false
    var isFetching = false
    private var fetchAllowedAt: Instant?
    private var fetchPause = Backoff(first: fetchPauseFirst, longest: fetchPauseMax)
    /// When the poll began that confirmed the book last.
    var polledAt: Instant?
    /// What the venue said of the market's end.
    var resolution: ResolvedBody?

    init(n: Int64, connection: Int, market: Market, now: Instant) {
        self.n = n
        self.connection = connection
        self.builder = BookBuilder(n: n, market: market)
        self.toldMarket = market
        self.untrustedSince = now
    }

    var condition: ConditionID { self.builder.market.condition }
    var tokens: [TokenID] { [self.builder.market.first.token, self.builder.market.second.token] }

    func mayFetch(now: Instant) -> Bool {
        !self.isFetching && !self.builder.isResolved && self.fetchAllowedAt.map { now >= $0 } ?? true
    }

    func beginFetch(now: Instant, random: inout some RandomNumberGenerator) {
        self.isFetching = true
        self.fetchAllowedAt = now + max(Self.fetchPauseFirst, self.fetchPause.next(using: &random))
    }

    /// The book is trusted: the next trouble begins anew.
    func recovered() {
        self.untrustedSince = nil
        self.fetchPause.reset()
    }
}
