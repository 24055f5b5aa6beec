import Shared

extension BookBuilder {
    /// Messages kept while a snapshot is under way.
    static let pendingCountMax = 512
    /// An operation that takes longer than this to arrive has lost a message.
    static let unsettledMax = Duration.seconds(1)
    /// A message that is older than a fetched book by so much, milliseconds of the venue's clock, was not on its way with it: the clock was
    /// set back.
    static let overtakenMax: Int64 = 5_000
    /// The second outcome's hash is computed beside the first's for one operation of so many, the first after a snapshot included.
    static let mirrorPeriod = 16

    /// What a message did. `delta` is in `self.delta`; a snapshot is read with `body`.
    enum Effect: Equatable {
        case unchanged
        case delta
        case snapshot
        case distrusted(TrustReason)
    }

    enum Trust: Equatable {
        case trusted
        case untrusted(TrustReason)
    }

    /// An operation of which not all has arrived, or whose hash was left out. Next: none when the hash agrees, a distrusted book
    /// otherwise; where it was left out, the next operation.
    struct Unsettled {
        let timestamp: Int64
        var hash: BookHash
        var outcome: Int
        let since: Instant
        /// Whether the last message of it was applied without a look at the hash.
        var isLeftOut = false
    }

    /// Changes that were applied since the last hash that was right.
    struct Unverified {
        let since: Instant
        var count = 0

        /// Longest time and most messages between two hashes of one market, whatever they cost.
        static let durationMax = Duration.milliseconds(500)
        static let countMax = 256

        /// Whether one more may be left out.
        func mayGrow(now: Instant) -> Bool { self.count < Self.countMax && now - self.since < Self.durationMax }
    }

    /// A `price_change` that came before its snapshot.
    struct Pending {
        let timestamp: Int64
        let changes: [MarketEvent.Change]
    }

    /// What is compared with the other connection's.
    var lagState: LagWatch.State {
        LagWatch.State(time: self.settledTime, hash: self.isSettled ? self.hash : nil)
    }

    /// The snapshot that a subscriber gets now.
    ///
    /// - Parameter isTrusted: false where the publisher does not believe it, though it is built as it should be.
    func body(conflated: Int64?, isTrusted: Bool? = nil) -> BookBody {
        BookBody(
            n: self.n, market: self.market.condition, epoch: self.epoch, update: self.update,
            isTrusted: isTrusted ?? self.isTrusted,
            isSettled: self.isSettled, source: self.source, tick: self.book.tick, bids: self.book.levels(.bid),
            asks: self.book.levels(.ask), hash: self.isSettled ? self.hash : nil, conflated: conflated,
            venueTime: self.venueTime, receivedTime: self.receivedTime)
    }

    /// 0 the first outcome, 1 the second, `nil` when the token is of another market.
    func outcome(of token: TokenID) -> Int? {
        token == self.market.first.token ? 0 : token == self.market.second.token ? 1 : nil
    }
}
