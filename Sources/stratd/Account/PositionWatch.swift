import Shared

/// Compares the positions that the venue's Data API lists with the ledger, and tells what to make of a difference.
///
/// The Data API reads the chain and is late, at times by minutes. So a difference counts for something only when the ledger's
/// count has stood still for `lagMax` and for as long as the Data API says that it is behind, nothing of that token waits for
/// the chain, and three readings in a row found the same, with the account's orders and trades read between them. Balances are
/// compared elsewhere, token by token of those that are held; this finds what that cannot: tokens that the ledger does not hold,
/// and two sources that disagree.
///
///     what is found                                                 what it means
///     the same                                                      it agrees
///     a token with a fill that waits for the chain                  explained: nothing is compared
///     shares of a market that has ended, and no more than
///     the ledger had then                                           explained: they wait to be redeemed; told once where
///                                                                   that brings something
///     a token of at most 0.1 share that is not listed               explained: too few to be listed
///     a token that the ledger never had                             explained: told once for each count, never traded;
///                                                                   anybody may send shares to a wallet. Those that
///                                                                   have lost are passed over
///     anything else                                                 halts, once for each difference: who resumes has seen it
///
/// A reading that fails says nothing about the account. It never halts; that the Data API is away is told once.
struct PositionWatch: Sendable {
    enum Event: Sendable {
        /// `behind`: the chain, by the Data API's own word; zero where it does not say.
        case read(DataPositions, behind: Duration)
        case failed(reason: String)
    }

    enum Finding: Hashable, Sendable {
        case away(reason: String)
        case back(after: Duration)
        /// By more than is taken for usual.
        case behind(Duration)
        case caughtUp
        case unreadable(rowCount: Int)
        case unredeemed(TokenID, Quantity)
        case foreign(TokenID, Quantity, isRedeemable: Bool)
        /// Halts trading.
        case differs(TokenID, ledger: Quantity, venue: Quantity)
        /// What differed agrees again.
        case agrees(TokenID, Quantity)
    }

    /// Readings in a row that must find the same.
    static let lookCount = 3
    /// Findings that one reading tells; the others come with the next ones.
    static let findingCountMax = 10
    /// Between two readings: while something is looked into, and else.
    static let pauseMin = Duration.seconds(10)
    static let pauseMax = Duration.seconds(60)

    /// What the ledger has of one token.
    private struct Count: Hashable {
        var size = Quantity.zero
        /// What its market's end took, and what that was worth.
        var ended = Quantity.zero
        var payout = Money.zero
        var isPending = false
        /// Fills that the ledger remembers: who has bought and sold as much did not stand still.
        var fillCount = 0
    }

    private struct Look {
        let venue: Quantity
        let ledger: Quantity
        var count: Int
    }

    private let lagMax: Duration
    /// Each token's count in the ledger, and since when it is so.
    private var counts: [TokenID: (count: Count, since: Instant)] = [:]
    private var looks: [TokenID: Look] = [:]
    /// Counts that were told of tokens that explain themselves.
    private var told: [TokenID: Quantity] = [:]
    /// The venue's shares beyond the ledger's, of tokens that halted trading.
    private(set) var differing: [TokenID: Quantity] = [:]
    private var toldUnreadableCount = 0
    /// What the last reading said of the Data API's delay.
    private(set) var behind = Duration.zero
    /// Readings in a row that failed, and when the first of them did.
    private(set) var failureCount = 0
    private var awaySince: Instant?
    private(set) var foreignCount = 0
    /// Tokens that are held.
    private(set) var agreeingCount = 0
    /// Whether a difference is being looked into.
    private(set) var isMoving = false
    /// When the first of the differences that may be delay is none any more.
    private var settlesAt: Instant?

    /// - Parameter lagMax: how far the Data API may lag behind the chain.
    init(lagMax: Duration) { self.lagMax = lagMax }

    /// - Parameters:
    ///   - ledger: as it is now.
    ///   - isCaughtUp: whether orders and trades were read since the last reading.
    mutating func take(_ event: Event, _ ledger: OrderLedger, isCaughtUp: Bool, now: Instant) -> [Finding] {
        let positions: DataPositions
        let wasBehind: Bool
        switch event {
        case .failed(let reason):
            self.failureCount += 1
            self.awaySince = self.awaySince ?? now
            (self.isMoving, self.settlesAt) = (false, nil)
            return self.failureCount == 1 ? [.away(reason: reason)] : []
        case .read(let read, let behind):
            positions = read
            (wasBehind, self.behind) = (self.behind > self.lagMax, behind)
        }
        var findings: [Finding] = []
        if let since = self.awaySince { findings.append(.back(after: now - since)) }
        (self.failureCount, self.awaySince) = (0, nil)
        if wasBehind != (self.behind > self.lagMax) { findings.append(wasBehind ? .caughtUp : .behind(self.behind)) }
        if positions.unreadableCount > 0 && self.toldUnreadableCount != positions.unreadableCount {
            findings.append(.unreadable(rowCount: positions.unreadableCount))
        }
        self.toldUnreadableCount = positions.unreadableCount
        self.note(ledger, now: now)
        (self.isMoving, self.settlesAt, self.foreignCount, self.agreeingCount) = (false, nil, 0, 0)
        let tokens = Set(self.counts.keys).union(positions.holdings.keys)
        self.forget(allBut: tokens)
        for token in tokens.sorted() {
            self.compare(token, positions, isCaughtUp: isCaughtUp, now: now, &findings)
        }
        return findings
    }

    /// How long to wait before the next reading.
    func pause(now: Instant) -> Duration {
        if self.isMoving || (1..<Self.lookCount).contains(self.failureCount) { return Self.pauseMin }
        return self.settlesAt.map { min(Self.pauseMax, max(Self.pauseMin, $0 - now)) } ?? Self.pauseMax
    }

    private mutating func note(_ ledger: OrderLedger, now: Instant) {
        var counts: [TokenID: Count] = [:]
        for position in ledger.sortedPositions {
            counts[position.token, default: Count()].size += position.size
            counts[position.token]?.ended += position.end?.size ?? .zero
            counts[position.token]?.payout += position.end?.payout ?? .zero
        }
        for fill in ledger.pending { counts[fill.position.token, default: Count()].isPending = true }
        for (token, fillCount) in ledger.knownFills { counts[token]?.fillCount = fillCount }
        self.counts = counts.reduce(into: [:]) { noted, entry in
            let former = self.counts[entry.key]
            noted[entry.key] = (entry.value, former?.count == entry.value ? former?.since ?? now : now)
        }
    }

    private mutating func forget(allBut tokens: Set<TokenID>) {
        self.looks = self.looks.filter { tokens.contains($0.key) }
        self.told = self.told.filter { tokens.contains($0.key) }
        self.differing = self.differing.filter { tokens.contains($0.key) }
    }

    private mutating func compare(
        _ token: TokenID, _ positions: DataPositions, isCaughtUp: Bool, now: Instant, _ findings: inout [Finding]
    ) {
        // What a reading does not say, the next one may.
        guard let venue = positions.size(of: token) else { return }
        guard let (count, since) = self.counts[token] else {
            guard positions.holdings[token]?.isWorthless == false else { return }
            self.foreignCount += 1
            guard self.look(token, venue, .zero, isCaughtUp: isCaughtUp) else { return }
            let isRedeemable = positions.holdings[token]?.isRedeemable ?? false
            return self.tell(token, venue, .foreign(token, venue, isRedeemable: isRedeemable), &findings)
        }
        let size = count.size
        guard venue != size else {
            if size > .zero { self.agreeingCount += 1 }
            self.looks[token] = nil
            self.told[token] = nil
            if self.differing.removeValue(forKey: token) != nil { findings.append(.agrees(token, size)) }
            return
        }
        guard !count.isPending else {
            self.looks[token] = nil
            return
        }
        if venue > size && venue <= size + count.ended {
            self.looks[token] = nil
            self.differing[token] = nil
            guard count.payout > .zero else { return }
            return self.tell(token, venue, .unredeemed(token, venue - size), &findings)
        }
        if venue == .zero && size <= DataPositions.unlistedSizeMax { return }
        let end = since + self.lagMax + self.behind
        guard now >= end else {
            self.looks[token] = nil
            self.settlesAt = min(self.settlesAt ?? end, end)
            return
        }
        guard self.look(token, venue, size, isCaughtUp: isCaughtUp), self.differing[token] != venue - size,
            findings.count < Self.findingCountMax
        else { return }
        self.differing[token] = venue - size
        findings.append(.differs(token, ledger: size, venue: venue))
    }

    /// - Returns: whether enough readings have found the same.
    private mutating func look(_ token: TokenID, _ venue: Quantity, _ ledger: Quantity, isCaughtUp: Bool) -> Bool {
        if let look = self.looks[token], look.venue == venue, look.ledger == ledger {
            self.looks[token]?.count += isCaughtUp ? 1 : 0
        } else {
            self.looks[token] = Look(venue: venue, ledger: ledger, count: 1)
        }
        let isKnown = (self.looks[token]?.count ?? 0) >= Self.lookCount
        if !isKnown { self.isMoving = true }
        return isKnown
    }

    private mutating func tell(_ token: TokenID, _ count: Quantity, _ finding: Finding, _ findings: inout [Finding]) {
        guard self.told[token] != count, findings.count < Self.findingCountMax else { return }
        self.told[token] = count
        findings.append(finding)
    }
}
