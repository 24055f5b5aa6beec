import DaemonKit
import Shared

/// All states that a venue's books had, rebuilt from an undisturbed connection: what was called trusted and settled must be one.
final class TrueStates {
    /// One market's state, as a number: its condition and all levels.
    static func fingerprint(_ condition: ConditionID, _ book: OrderBook) -> Int {
        var hasher = Hasher()
        hasher.combine(condition)
        for side in [BookSide.bid, .ask] {
            hasher.combine(book.bidCount)
            for level in book.levels(side) {
                hasher.combine(level.price)
                hasher.combine(level.size)
            }
        }
        return hasher.finalize()
    }

    private struct Followed {
        let first: TokenID
        var book: OrderBook
        /// Of the operation that is being told; its state counts when the next begins.
        var operation: (time: Int64, hash: BookHash?)?
    }

    private var markets: [ConditionID: Followed]
    var states: Set<Int> { Set(self.leftAt.keys) }
    /// When the venue's book was none of that any more.
    private(set) var leftAt: [Int: Instant] = [:]
    private var reader = MarketChannelReader()

    init(firstTokens: [ConditionID: TokenID]) {
        self.markets = firstTokens.mapValues { Followed(first: $0, book: OrderBook(tick: .cent), operation: nil) }
    }

    func take(_ text: UnsafeBufferPointer<UInt8>) throws {
        var reader = self.reader
        _ = try reader.read(text) { self.take($0) }
    }

    private func take(_ event: borrowing MarketEvent) {
        guard let condition = event.market, var market = self.markets[condition] else { return }
        switch event.kind {
        case .priceChange:
            let hash = event.changes.first { $0.token == market.first }?.hash
            if let last = market.operation, last.time != event.timestamp || last.hash != hash {
                self.leave(Self.fingerprint(condition, market.book))
            }
            market.operation = (event.timestamp, hash)
            for change in event.changes where change.token == market.first {
                _ = market.book.set(change.side == .buy ? .bid : .ask, change.price, change.size)
            }
        case .book where event.token == market.first:
            if market.operation != nil { self.leave(Self.fingerprint(condition, market.book)) }
            market.book = OrderBook(tick: event.tick ?? market.book.tick)
            for level in event.bids { _ = market.book.set(.bid, level.price, level.size) }
            for level in event.asks { _ = market.book.set(.ask, level.price, level.size) }
            market.operation = (event.timestamp, event.hash)
        case .tickSizeChange: if let tick = event.tick { market.book.changeTick(to: tick) }
        default: return
        }
        self.markets[condition] = market
    }

    /// The states as they are now, which count as well.
    func last() -> [ConditionID: Int] {
        let last = self.markets.reduce(into: [:]) { $0[$1.key] = Self.fingerprint($1.key, $1.value.book) }
        for state in last.values { self.leave(state) }
        return last
    }

    private func leave(_ state: Int) { self.leftAt[state] = .now() }
}

/// A consumer of `feedd.sock`: what it is told to believe.
final class BelievedStates {
    private struct Told {
        let condition: ConditionID
        let source: BookSource
        var book: OrderBook
        var epoch: Int64
        var update: Int64
        var isTrusted: Bool
    }

    private var markets: [Int64: Told] = [:]
    /// What was trusted and settled.
    var states: Set<Int> { Set(self.believedAt.keys) }
    /// When each was believed last.
    private(set) var believedAt: [Int: Instant] = [:]
    private(set) var status: FeedStatus?
    private(set) var statusCount = 0
    private var statusAt: Instant?
    /// The longest time between two of them since this was set.
    var statusGapMax = Duration.zero
    /// What no publisher may send.
    private(set) var faults: [String] = []

    func take(_ envelope: Envelope) {
        do throws(FrameError) {
            switch FrameType(rawValue: envelope.type) {
            case .book: self.take(try envelope.decode(BookBody.self))
            case .delta: self.take(try envelope.decode(DeltaBody.self))
            case .trust: self.take(try envelope.decode(TrustBody.self))
            case .feedStatus:
                self.status = try envelope.decode(FeedStatus.self)
                self.statusCount += 1
                let now = Instant.now()
                self.statusGapMax = max(self.statusGapMax, now - (self.statusAt ?? now))
                self.statusAt = now
            default: break
            }
        } catch { self.faults.append("\(envelope.type): \(error)") }
    }

    private func take(_ body: BookBody) {
        var book = OrderBook(tick: body.tick)
        for level in body.bids { _ = book.set(.bid, level.price, level.size) }
        for level in body.asks { _ = book.set(.ask, level.price, level.size) }
        self.markets[body.n] = Told(
            condition: body.market, source: body.source, book: book, epoch: body.epoch, update: body.update,
            isTrusted: body.isTrusted)
        if body.isTrusted && body.isSettled { self.believe(body.n) }
    }

    private func take(_ delta: DeltaBody) {
        guard var told = self.markets[delta.n], told.isTrusted else {
            return self.faults.append("a delta of a market that is not trusted, \(delta.n)")
        }
        if delta.epoch != told.epoch || delta.update != told.update + 1 {
            self.faults.append("\(delta.epoch).\(delta.update) after \(told.epoch).\(told.update)")
        }
        for level in delta.levels { _ = told.book.set(level.side, level.price, level.size) }
        told.update = delta.update
        self.markets[delta.n] = told
        if delta.isSettled { self.believe(delta.n) }
    }

    private func take(_ trust: TrustBody) {
        if case .one(let n) = trust.n { self.markets[n]?.isTrusted = trust.isTrusted }
    }

    private func believe(_ n: Int64) {
        guard let told = self.markets[n] else { return }
        self.believedAt[TrueStates.fingerprint(told.condition, told.book)] = .now()
    }

    /// Those that are trusted now.
    var last: [ConditionID: Int] {
        self.markets.values.filter(\.isTrusted).reduce(into: [:]) {
            $0[$1.condition] = TrueStates.fingerprint($1.condition, $1.book)
        }
    }
    /// Where those come from.
    var sources: Set<BookSource> { Set(self.markets.values.filter(\.isTrusted).map(\.source)) }
}
