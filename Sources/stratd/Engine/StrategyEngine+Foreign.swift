import Shared

/// A part in a trade by an order that the ledger does not know.
struct ForeignFill: Hashable, Sendable {
    let hash: String
    var fill: VenueFill
    let time: Timestamp
    /// When it was heard of.
    let heardAt: Instant

    func isOld(now: Moment) -> Bool { now.instant - self.heardAt > StrategyEngine.homelessTimeMax }
}

/// Trades of the account that no order of the ledger explains.
extension StrategyEngine {
    /// Who holds what they bought: no strategy can have this name.
    static let foreignStrategy = "(foreign)"
    /// Of those that wait for the feed to describe their market.
    static let homelessCountMax = 1_000
    /// Less is not worth a record.
    static let tradesReadStep = Duration.seconds(1)
    /// How long the feed may take for that, before trading halts; it goes on being waited for.
    static let homelessTimeMax = Duration.seconds(60)

    /// Books a trade by an order that the ledger does not know, as an order of nobody's strategy; a sale takes the shares of whoever
    /// holds them.
    ///
    /// The account is what the venue says that it is: without the trade, balance and shares would differ from now on.
    mutating func adopt(_ hash: String, _ fill: VenueFill, at time: Timestamp, now: Moment) {
        guard !self.ledger.isBooked(fill.trade, ofHash: hash),
            !self.homeless.contains(where: { $0.hash == hash && $0.fill.trade == fill.trade })
        else { return }
        let told = ForeignFill(hash: hash, fill: fill, time: time, heardAt: now.instant)
        guard !self.book(told, now: now) else { return }
        // After a start the feed may have yet to tell of the market.
        self.note(.foreignTrade(fill, hash: hash, market: nil))
        guard self.homeless.count < Self.homelessCountMax else { return self.halt("foreign_trade", now: now) }
        self.homeless.append(told)
        // What was seen before may be this.
        self.unexplained = .zero
        self.unexplainedShares.removeAll()
    }

    mutating func settleForeign(_ trade: String, _ settlement: Settlement, now: Moment) {
        // All parts of a trade settle together.
        for fill in self.ledger.pending where fill.trade == trade { self.settled(fill, settlement, now: now) }
        for index in self.homeless.indices where self.homeless[index].fill.trade == trade {
            self.homeless[index].fill.settlement = settlement
        }
        self.homeless.removeAll { $0.fill.settlement == .failed }
    }

    /// Keeps up to when the ledger has the account's trades, so that the next start looks for those it lacks from there on: records that are
    /// younger than a trade do not show that it was booked.
    mutating func tradesRead(to time: Timestamp, now: Moment) {
        self.tradesToldTo = time
        // What waits for its market is booked nowhere yet.
        let end = self.homeless.reduce(time) { min($0, $1.time) }
        // Should our clock have been ahead, it goes back with it.
        guard self.ledger.tradesReadTo.map({ end < $0 || end - $0 >= Self.tradesReadStep }) ?? true else { return }
        self.record(.tradesRead(to: end), now: now)
    }

    /// Whether the feed may still tell of a trade's market: what moved the account may then be that trade.
    func isAwaitingMarket(now: Moment) -> Bool { self.homeless.contains { !$0.isOld(now: now) } }

    /// A person has seen those that trading was halted for: the venue's balance is to say what they were.
    mutating func forgetHomeless(now: Moment) {
        let count = self.homeless.count
        self.homeless.removeAll { $0.isOld(now: now) }
        // Or the next start would look for them again.
        if self.homeless.count < count, let time = self.tradesToldTo { self.tradesRead(to: time, now: now) }
    }

    /// Books what the feed has described the market of by now.
    mutating func bookHomeless(now: Moment) {
        guard !self.homeless.isEmpty else { return }
        var left: [ForeignFill] = []
        for told in self.homeless where !self.book(told, now: now) { left.append(told) }
        self.homeless = left
        if left.contains(where: { $0.isOld(now: now) }) { self.halt("foreign_trade", now: now) }
    }

    /// - Returns: `false` while nobody knows its token.
    private mutating func book(_ told: ForeignFill, now: Moment) -> Bool {
        let fill = told.fill
        guard let (view, outcome) = self.views.market(of: fill.token) else { return false }
        let holder = self.ledger.sortedPositions.first {
            fill.side == .sell && $0.key.token == fill.token && $0.size + ($0.end?.size ?? .zero) >= fill.size
        }
        self.note(.foreignTrade(fill, hash: told.hash, market: view.market.condition))
        guard fill.side == .buy || holder != nil else {
            // Nobody alone holds so much: a person has to say whose shares they were.
            self.halt("foreign_trade", now: now)
            return true
        }
        let id = OrderID(number: self.ledger.nextOrderNumber)
        let body = OrderBody(
            order: id.description, hash: told.hash, strategy: holder?.strategy ?? Self.foreignStrategy,
            market: view.market.condition, token: fill.token, side: fill.side, price: fill.price, size: fill.size,
            filled: .zero, kind: .gtc, isPostOnly: false, state: .intended, reason: nil, mode: self.mode, time: now.time
        )
        let order = LedgerOrder(
            id: id, body: body, event: view.market.event, outcome: outcome, feeReserve: .zero, isForeign: true)
        guard self.record(.intent(order), now: now), self.record(.state(id, .sent, reason: nil), now: now),
            let sent = self.ledger.order(id)
        else { return true }
        self.filled(sent, fill, at: told.time, now: now)
        // The ledger did not take it, and said why.
        if self.ledger.open[id] != nil { self.record(.state(id, .cancelled, reason: "not_booked"), now: now) }
        return true
    }
}

extension MarketViews {
    /// The market that trades a token, and which outcome it is.
    fileprivate func market(of token: TokenID) -> (MarketView, outcome: Int)? {
        // A token belongs to one market; should a feed say otherwise, each run takes the same.
        let view = self.sorted.first { $0.token(0) == token || $0.token(1) == token }
        return view.map { ($0, $0.token(0) == token ? 0 : 1) }
    }
}
