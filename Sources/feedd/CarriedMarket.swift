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
    /// Next: `nil` when both agree again, or one of them leads on the REST interface's word, or is polled.
    private(set) var dispute: Dispute?
    private var disputeEndedAt: Instant?
    /// Next: `nil` when it has not contradicted the other for a while.
    var conviction: Conviction?
    /// Before this nobody asks again whose book is the venue's.
    private var judgedAfter: Instant?
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
    /// When the REST interface was last asked what became of it.
    var resolutionAskedAt: Instant?
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
        guard self.dispute == nil, self.isFollowerFit, self.follower?.connection != self.conviction?.connection,
            let follower = self.follower?.builder
        else { return false }
        return self.builder.source == .rest || follower.settledTime >= self.builder.settledTime
    }

    /// Whether the follower's book is one that can be published at all.
    var isFollowerFit: Bool {
        guard let follower = self.follower?.builder else { return false }
        return follower.isTrusted && follower.isSettled && follower.source == .webSocket && !self.builder.isResolved
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

    // MARK: Trust

    /// Whether what is published of it may be believed.
    var isTrusted: Bool { self.builder.isTrusted && self.dispute == nil }

    /// The snapshot that a subscriber gets now.
    func body(conflated: Int64?) -> BookBody {
        self.builder.body(conflated: conflated, isTrusted: self.isTrusted)
    }

    func beginDispute(now: Instant) {
        self.dispute = Dispute(lastEnd: self.disputeEndedAt, now: now)
        self.judgedAfter = nil
    }

    /// - Returns: whether both have agreed for long enough to be believed.
    func noteInDispute(_ relation: ProvedMoments.Relation?, now: Instant) -> Bool {
        self.dispute?.note(relation, now: now) ?? false
    }

    func endDispute(now: Instant) {
        guard self.dispute != nil else { return }
        self.dispute = nil
        self.disputeEndedAt = now
    }

    /// Whether somebody must say whose book is the venue's.
    var isDoubted: Bool { self.dispute != nil || self.conviction != nil }

    func mayBeJudged(now: Instant) -> Bool { self.judgedAfter.map { now >= $0 } ?? true }

    /// Who was asked for longest ago comes first.
    var judgementRank: (Instant, Int64) { (self.judgedAfter ?? Instant(nanoseconds: 0), self.n) }

    /// - Parameter pause: until it is asked for again.
    func beginJudgement(now: Instant, pause: Duration) { self.judgedAfter = now + pause }

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
