import Shared

/// Turns what the engine says into messages of the market channel, and keeps the books that the venue shows.
/// Source: reference, 3.1 and 3.2.
///
/// Each operation is told level by level under the hash of the book after all of it; after a match the whole book of the
/// taker's token follows, and later the print.
struct EngineBroadcast: Sendable {
    /// Who hears it, in the captures, hears of a trade more than 30 ms after the change of the book: milliseconds.
    static let printDelays = 30..<90

    private struct Print: Sendable {
        let market: ConditionID
        var what: TradePrint
    }

    /// Prints of a market that are still to come.
    private struct Owed {
        var count: Int
        /// When the last of them is due.
        var dueTime: Timestamp
    }

    private var hasher = BookHasher()
    private var writer = JSONWriter(capacity: 16_384)
    /// Which outcome's entry of a change comes first, and when prints come.
    private var random: SeededRandom
    /// Matches of the operation at work, whose levels are still to be told.
    private var matches: [Print] = []
    private var prints = Agenda<Print>()
    private var owed: [ConditionID: Owed] = [:]
    /// Milliseconds that the times which the venue shows are off.
    var clockSkew: Int64 = 0

    init(seed: UInt64) { self.random = SeededRandom(seed: seed, name: "broadcast") }

    /// When the next print is due.
    var nextTime: Timestamp? { self.prints.nextTime }

    /// Whether a trade of this market was told in the book and not yet by its print.
    func owesPrint(_ market: ConditionID) -> Bool { self.owed[market] != nil }

    /// Shows the book of a market whose orders came before anybody could hear of them.
    mutating func show(_ book: EngineBook, as listed: inout ListedMarket, at time: Timestamp) {
        listed.book.removeAll()
        for side in [BookSide.bid, .ask] {
            for level in book.levels(side) { Self.set(LevelChange(side, level), in: &listed) }
        }
        listed.seal(at: self.shown(time), hasher: &self.hasher)
    }

    private static func set(_ change: LevelChange, in listed: inout ListedMarket) {
        let isKept = listed.book.set(change.side, change.price, change.size)
        precondition(isKept, "the engine made a level that no book holds")
    }

    /// Whole milliseconds, as the channel tells times.
    private func shown(_ time: Timestamp) -> Int64 { time.microseconds / 1_000 + self.clockSkew }

    /// Appends what the channel says of `event`, and before it the prints that are due by then. Events of markets that
    /// are not listed are let go.
    mutating func tell(_ event: EngineEvent, _ listing: inout MarketRegister, into batch: inout MessageBatch) {
        self.advance(to: event.time, listing, into: &batch)
        switch event.what {
        case .trade(let trade) where trade.settlement == .matched: self.note(trade)
        case .book(let market, let changes):
            let matches = self.matches
            self.matches.removeAll()
            guard let slot = listing.slot(of: market) else { break }
            self.tell(
                changes, matches.first { $0.market == market }?.what, at: event.time, &listing[slot], slot, &batch)
        case .tick(let market, let old, let new):
            guard let slot = listing.slot(of: market) else { break }
            self.tellTick(from: old, to: new, at: event.time, &listing[slot], slot, &batch)
        case .resolved(let market, let resolution):
            guard let slot = listing.slot(of: market) else { break }
            self.tellEnd(resolution, at: event.time, &listing[slot], slot, &batch)
        case .accepted, .refused, .canceled, .accountOpened, .done, .commandRefused, .order, .trade: break
        }
    }

    /// Appends the prints that are due at `time`. Those of a market that has ended are never told.
    mutating func advance(to time: Timestamp, _ listing: MarketRegister, into batch: inout MessageBatch) {
        while let due = self.prints.take(until: time) {
            self.settleOwed(due.what.market)
            guard let slot = listing.slot(of: due.what.market), !listing[slot].isClosed else { continue }
            let time = self.shown(due.time)
            self.write(for: .market(slot), &batch) {
                MarketMessages.lastTradePrice(listing[slot], due.what.what, time: time, to: &$0)
            }
        }
    }

    /// Has the print of a match come in time, and never before that of an earlier match.
    private mutating func owe(_ print: Print, at time: Timestamp) {
        let delay = Self.printDelays.lowerBound + self.random.below(Self.printDelays.count)
        let before = self.owed[print.market]
        let dueTime = max(time + .milliseconds(Int64(delay)), before?.dueTime ?? time)
        self.owed[print.market] = Owed(count: 1 + (before?.count ?? 0), dueTime: dueTime)
        self.prints.add(print, at: dueTime)
    }

    private mutating func settleOwed(_ market: ConditionID) {
        guard var owed = self.owed[market] else { return }
        owed.count -= 1
        self.owed[market] = owed.count == 0 ? nil : owed
    }

    /// All that a taker matched counts as one print, at the last and worst price.
    private mutating func note(_ trade: EngineTrade) {
        let before = self.matches.first { $0.market == trade.market }?.what.size ?? .zero
        self.matches.removeAll { $0.market == trade.market }
        self.matches.append(
            Print(
                market: trade.market,
                what: TradePrint(
                    outcome: trade.place.outcome, price: trade.price, size: before + trade.size,
                    isBuy: trade.side == .buy, transaction: trade.transaction)))
    }

    // MARK: Messages

    private mutating func tell(
        _ changes: [LevelChange], _ match: TradePrint?, at time: Timestamp, _ listed: inout ListedMarket, _ slot: Int,
        _ batch: inout MessageBatch
    ) {
        let bests = (listed.book.bestBid?.price, listed.book.bestAsk?.price)
        for change in changes { Self.set(change, in: &listed) }
        if let match {
            listed.lastTrade = LastTradePrice(match.price)
            listed.lastTradeSide = match.isBuy ? .buy : .sell
        }
        listed.seal(at: self.shown(time), hasher: &self.hasher)
        for change in changes {
            let isReversed = self.random.chance(0.5)
            batch.append(for: .market(slot)) {
                MarketMessages.priceChange(listed, change, isReversed: isReversed, to: &$0)
            }
        }
        if let match {
            self.tellBook(listed, slot, outcome: match.outcome, isAfterTrade: true, &batch)
            self.owe(Print(market: listed.market.condition, what: match), at: time)
        }
        if bests != (listed.book.bestBid?.price, listed.book.bestAsk?.price) {
            for outcome in 0..<2 {
                self.write(for: .market(slot, tokens: 1 << UInt8(outcome), needsFeatures: true), &batch) {
                    MarketMessages.bestBidAsk(listed, outcome: outcome, to: &$0)
                }
            }
        }
    }

    private mutating func tellTick(
        from old: TickSize, to new: TickSize, at time: Timestamp, _ listed: inout ListedMarket, _ slot: Int,
        _ batch: inout MessageBatch
    ) {
        listed.market.tick = new
        listed.book.changeTick(to: new)
        let time = self.shown(time)
        listed.seal(at: time, hasher: &self.hasher)
        for outcome in 0..<2 {
            self.write(for: .market(slot, tokens: 1 << UInt8(outcome)), &batch) {
                MarketMessages.tickSizeChange(listed, outcome: outcome, from: old, time: time, to: &$0)
            }
            self.tellBook(listed, slot, outcome: outcome, isAfterTrade: false, &batch)
        }
    }

    /// What the venue says when both outcomes pay a half is not known: nothing is said then.
    private mutating func tellEnd(
        _ resolution: Resolution, at time: Timestamp, _ listed: inout ListedMarket, _ slot: Int,
        _ batch: inout MessageBatch
    ) {
        listed.isClosed = true
        listed.acceptsOrders = false
        listed.resolutionStatus = "resolved"
        switch resolution {
        case .first: listed.winner = 0
        case .second: listed.winner = 1
        case .half: return
        }
        let winner = resolution == .first ? 0 : 1
        let time = self.shown(time)
        self.write(for: .market(slot, needsFeatures: true), &batch) {
            MarketMessages.marketResolved(listed, winner: winner, time: time, to: &$0)
        }
    }

    private mutating func tellBook(
        _ listed: ListedMarket, _ slot: Int, outcome: Int, isAfterTrade: Bool, _ batch: inout MessageBatch
    ) {
        self.write(for: .market(slot, tokens: 1 << UInt8(outcome)), &batch) {
            MarketMessages.book(listed, outcome: outcome, isAfterTrade: isAfterTrade, to: &$0)
        }
    }

    private mutating func write(
        for audience: Audience, _ batch: inout MessageBatch, _ body: (inout JSONWriter) -> Void
    ) {
        self.writer.clear()
        body(&self.writer)
        batch.append(for: audience) { $0.append(contentsOf: self.writer.bytes) }
    }
}

extension LevelChange {
    fileprivate init(_ side: BookSide, _ level: EngineLevel) {
        self.init(side: side, price: level.price, size: level.size)
    }
}
