import Shared

/// A market that is carried: its book, and how it fares. Confined to the daemon's loop.
final class CarriedMarket {
    /// First and longest pause between fetches of one book: one that cannot be healed must not cost the others theirs.
    private static let fetchPauseFirst = Duration.milliseconds(500)
    private static let fetchPauseMax = Duration.seconds(4)
    /// Between two requests for the follower's book.
    private static let renewalPause = Duration.seconds(1)

    /// A second connection with books of its own.
    struct Follower {
        var connection: Int
        var builder: BookBuilder
    }

    let n: Int64
    /// The connection that leads: its books are published.
    private(set) var connection: Int
    var builder: BookBuilder
    /// `nil` where none is wanted.
    var follower: Follower?
    /// Prints of both connections.
    var tape = TradeTape()
    /// How far the one connection is behind the other.
    var lag = LagWatch()
    /// How it usually talks.
    var silence = SilenceWatch()
    /// When the REST interface is asked whether it is still so.
    var audit: AuditWatch
    /// The terms as the subscribers know them.
    var toldMarket: Market
    /// Since when there has been no trusted book.
    var untrustedSince: Instant?
    /// Whether its trouble was logged by name, so that its end is too.
    var isTroubleLogged = false
    var isFetching = false
    private var fetchAllowedAt: Instant?
    private var renewalAllowedAt: Instant
    private var fetchPause = Backoff(first: fetchPauseFirst, longest: fetchPauseMax)
    /// When the poll began that confirmed the book last.
    var polledAt: Instant?
    /// What the venue said of the market's end.
    var resolution: ResolvedBody?

    init(n: Int64, connection: Int, follower: Int?, market: Market, now: Instant) {
        self.n = n
        self.connection = connection
        self.builder = BookBuilder(n: n, market: market)
        self.follower = follower.map { Follower(connection: $0, builder: BookBuilder(n: n, market: market)) }
        self.toldMarket = market
        self.untrustedSince = now
        self.audit = AuditWatch(now: now)
        self.renewalAllowedAt = now + Self.renewalPause
    }

    /// All that carry its tokens.
    var connections: [Int] { [self.connection] + (self.follower.map { [$0.connection] } ?? []) }

    /// Whether the follower's book can be published in the place of the leader's: it is not behind what was published. A polled
    /// book is worth less than any that a line vouches for.
    var mayChangeLeader: Bool {
        guard let follower = self.follower?.builder, follower.isTrusted, follower.isSettled,
            follower.source == .webSocket, !self.builder.isResolved
        else { return false }
        return self.builder.source == .rest || follower.settledTime >= self.builder.settledTime
    }

    /// The follower leads from now on, with a new epoch.
    func changeLeader() {
        guard var next = self.follower else {
            preconditionFailure("a market without a follower has one leader for ever")
        }
        // Distrusting the old one has begun the epoch already.
        next.builder.lead(epoch: self.builder.epoch + (self.builder.isTrusted ? 1 : 0))
        self.follower = Follower(connection: self.connection, builder: self.builder)
        (self.connection, self.builder) = (next.connection, next.builder)
        self.lag = LagWatch()
    }

    var condition: ConditionID { self.builder.market.condition }
    var tokens: [TokenID] { [self.builder.market.first.token, self.builder.market.second.token] }

    func mayFetch(now: Instant) -> Bool {
        !self.isFetching && !self.builder.isResolved && self.fetchAllowedAt.map { now >= $0 } ?? true
    }

    func beginFetch(now: Instant, random: inout some RandomNumberGenerator) {
        self.fetchAllowedAt = now + max(Self.fetchPauseFirst, self.fetchPause.next(using: &random))
    }

    func mayRenewFollower(now: Instant) -> Bool { now >= self.renewalAllowedAt }

    func beginRenewal(now: Instant) { self.renewalAllowedAt = now + Self.renewalPause }

    /// The book is trusted: the next trouble begins anew.
    func recovered() {
        self.untrustedSince = nil
        self.fetchPause.reset()
    }
}
