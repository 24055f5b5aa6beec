import Shared

@testable import DaemonKit

/// A subscriber that believes nothing: it keeps books by the rules of `docs/PROTOCOL.md` and notes what breaks them.
struct ProtocolFollower {
    struct FollowedBook: Equatable {
        var epoch: Int64 = 0
        var update: Int64 = 0
        var isTrusted = false
        var tick: TickSize
        var bids: [Int32: Int64] = [:]
        var asks: [Int32: Int64] = [:]
    }

    private(set) var books: [Int64: FollowedBook] = [:]
    /// Markets of which a `market` frame came and no snapshot yet.
    private(set) var announced: [Int64: TickSize] = [:]
    private(set) var resolved: Set<Int64> = []
    private(set) var trades: [Int64: Int64] = [:]
    private(set) var tradesDropped: [Int64: Int64] = [:]
    /// Updates that snapshots stood for.
    private(set) var conflated: Int64 = 0
    /// Ids of `result` frames: what must never be lost.
    private(set) var results: [Int64] = []
    /// `messages` of `metrics` frames: what may be left out.
    private(set) var metrics: [Int64] = []
    /// Of `reference_price` frames, all that came of each symbol.
    private(set) var prices: [String: [String]] = [:]
    private(set) var errors: [ErrorBody] = []
    private(set) var frameCount: Int64 = 0
    /// What broke a rule, at most a few.
    private(set) var violations: [String] = []
    private var decoder = FrameDecoder()

    mutating func receive(_ bytes: some Collection<UInt8>) {
        self.decoder.append(bytes)
        do throws(FrameError) {
            var decoder = self.decoder
            defer { self.decoder = decoder }
            while try decoder.next({ (frame) throws(FrameError) in try self.take(Envelope(reading: frame)) }) != nil {}
        } catch {
            self.complain("\(error)")
        }
    }

    private mutating func complain(_ what: String) {
        if self.violations.count < 10 { self.violations.append("frame \(self.frameCount): \(what)") }
    }

    private mutating func take(_ envelope: Envelope) throws(FrameError) {
        self.frameCount += 1
        if envelope.sequence != self.frameCount { self.complain("seq \(envelope.sequence)") }
        switch FrameType(rawValue: envelope.type) {
        case .market: self.take(try envelope.decode(MarketBody.self))
        case .book: self.take(try envelope.decode(BookBody.self))
        case .delta: self.take(try envelope.decode(DeltaBody.self))
        case .trade:
            let trade = try envelope.decode(TradeBody.self)
            if self.books[trade.n] == nil { self.complain("a trade before the book") }
            self.trades[trade.n, default: 0] += 1
        case .tradesDropped:
            let lost = try envelope.decode(TradesDropped.self)
            if lost.count < 1 || lost.from > lost.to { self.complain("\(lost)") }
            self.tradesDropped[lost.n, default: 0] += lost.count
        case .trust:
            let trust = try envelope.decode(TrustBody.self)
            guard case .one(let n) = trust.n, var book = self.books[n] else { return }
            if trust.epoch < book.epoch { self.complain("trust of epoch \(trust.epoch) after \(book.epoch)") }
            book.epoch = trust.epoch
            book.update = 0
            book.isTrusted = trust.isTrusted
            self.books[n] = book
        case .tickSize:
            let change = try envelope.decode(TickSizeBody.self)
            self.books[change.n]?.tick = change.new
            if self.announced[change.n] != nil { self.announced[change.n] = change.new }
        case .resolved: self.resolved.insert(try envelope.decode(ResolvedBody.self).n)
        case .result: self.results.append(try envelope.decode(ResultBody.self).id)
        case .metrics: self.metrics.append(try envelope.decode(Metrics.self).values["messages"] ?? -1)
        case .referencePrice:
            let body = try envelope.decode(ReferencePriceBody.self)
            self.prices[body.symbol, default: []].append(body.price)
        case .error: self.errors.append(try envelope.decode(ErrorBody.self))
        default: break
        }
    }

    private mutating func take(_ body: MarketBody) {
        self.announced[body.n] = body.market.tick
        self.books[body.n]?.tick = body.market.tick
    }

    private mutating func take(_ body: BookBody) {
        guard self.announced[body.n] != nil || self.books[body.n] != nil else {
            return self.complain("a book before its market")
        }
        if let old = self.books[body.n] {
            if (body.epoch, body.update) < (old.epoch, old.update) {
                self.complain(
                    "a book older than what was said: \(body.epoch)/\(body.update) after \(old.epoch)/\(old.update)")
            }
            if body.epoch == old.epoch && body.update > old.update + 1 && body.conflated == nil
                && self.announced[body.n] == nil
            {
                self.complain("a gap before a book that nothing was conflated into")
            }
        }
        let tick = self.announced.removeValue(forKey: body.n) ?? self.books[body.n]!.tick
        if body.tick != tick { self.complain("a book with tick \(body.tick), where \(tick) was told") }
        if body.isTrusted && self.resolved.contains(body.n) { self.complain("a trusted book of a resolved market") }
        self.conflated += body.conflated ?? 0
        var book = FollowedBook(epoch: body.epoch, update: body.update, isTrusted: body.isTrusted, tick: body.tick)
        for level in body.bids { book.bids[level.price.micros] = level.size.micros }
        for level in body.asks { book.asks[level.price.micros] = level.size.micros }
        self.books[body.n] = book
    }

    private mutating func take(_ body: DeltaBody) {
        guard var book = self.books[body.n] else { return self.complain("a delta before the book") }
        guard body.epoch == book.epoch && body.update == book.update + 1 else {
            return self.complain("delta \(body.epoch)/\(body.update) after \(book.epoch)/\(book.update)")
        }
        if !book.isTrusted { self.complain("a delta of an untrusted book") }
        book.update = body.update
        for level in body.levels {
            let size = level.size.micros == 0 ? nil : level.size.micros
            switch level.side {
            case .bid: book.bids[level.price.micros] = size
            case .ask: book.asks[level.price.micros] = size
            }
        }
        self.books[body.n] = book
    }
}

/// Publishers of made-up books, for what must be told of them.
struct ProtocolMarket {
    let n: Int64
    private(set) var market: Market
    private(set) var book: ProtocolFollower.FollowedBook
    private(set) var isResolved = false

    init(_ n: Int64) {
        self.n = n
        self.market = Market(
            condition: ConditionID(words: (0, 0, 0, UInt64(n))), slug: "market-\(n)", question: "Will it?",
            first: Outcome(label: "Yes", token: TokenID(words: (0, 0, 0, UInt64(2 * n)))),
            second: Outcome(label: "No", token: TokenID(words: (0, 0, 0, UInt64(2 * n + 1)))), tick: .cent,
            sizeMin: Quantity(micros: 5_000_000), isNegRisk: false, event: "", startTime: nil,
            endTime: Timestamp(seconds: 1_790_000_000), feeRate: 0, feeExponent: 1, hasTakerDelay: false, rewards: nil,
            settlement: .other, asset: nil)
        self.book = ProtocolFollower.FollowedBook(epoch: 1, update: 1, isTrusted: true, tick: .cent)
    }

    private static let time = Timestamp(seconds: 1_780_000_000)

    var marketBody: MarketBody { MarketBody(n: self.n, market: self.market) }

    func bookBody(conflated: Int64? = nil) -> BookBody {
        func levels(_ sizes: [Int32: Int64]) -> [Level] {
            sizes.sorted { $0.key < $1.key }
                .map { Level(price: Price(micros: Int64($0.key))!, size: Quantity(micros: $0.value)) }
        }
        return BookBody(
            n: self.n, market: self.market.condition, epoch: self.book.epoch, update: self.book.update,
            isTrusted: self.book.isTrusted, isSettled: true, source: .webSocket, tick: self.book.tick,
            bids: levels(self.book.bids).reversed(), asks: levels(self.book.asks), hash: nil, conflated: conflated,
            venueTime: Self.time, receivedTime: Self.time)
    }

    /// Changes `count` levels.
    mutating func change(_ count: Int, using random: inout SeededRandom) -> DeltaBody {
        self.book.update += 1
        var changes: [LevelChange] = []
        for _ in 0..<count {
            let side: BookSide = Bool.random(using: &random) ? .bid : .ask
            let price = Int32.random(in: 1...99, using: &random) * 10_000
            let size = Int64.random(in: 0...4, using: &random) * 1_000_000
            switch side {
            case .bid: self.book.bids[price] = size == 0 ? nil : size
            case .ask: self.book.asks[price] = size == 0 ? nil : size
            }
            changes.append(
                LevelChange(side: side, price: Price(micros: Int64(price))!, size: Quantity(micros: size)))
        }
        return DeltaBody(
            n: self.n, epoch: self.book.epoch, update: self.book.update, isSettled: true, levels: changes,
            venueTime: Self.time, receivedTime: Self.time)
    }

    func trade(at time: Int64) -> TradeBody {
        TradeBody(
            n: self.n, outcome: 0, price: Price(micros: 500_000)!, size: Quantity(micros: 1_000_000), takerSide: .buy,
            venueTime: Self.time, receivedTime: Timestamp(microseconds: time), transaction: nil)
    }

    static func price(_ symbol: String, _ price: String) -> ReferencePriceBody {
        ReferencePriceBody(
            symbol: symbol, source: .binance, kind: .book, price: price, observedTime: Self.time,
            receivedTime: Self.time)
    }

    mutating func distrust(_ reason: TrustReason) -> TrustBody {
        if self.book.isTrusted { self.book.epoch += 1 }
        self.book.isTrusted = false
        self.book.update = 0
        return TrustBody(n: .one(self.n), epoch: self.book.epoch, isTrusted: false, reason: reason)
    }

    mutating func restore() -> BookBody {
        if self.book.isTrusted { self.book.epoch += 1 }
        self.book.isTrusted = true
        self.book.update = 1
        return self.bookBody()
    }

    mutating func changeTick() -> TickSizeBody {
        let old = self.book.tick
        let new = old == .cent ? TickSize(micros: 1_000)! : .cent
        self.book.tick = new
        self.market.tick = new
        return TickSizeBody(n: self.n, old: old, new: new, venueTime: Self.time)
    }

    mutating func resolve() -> ResolvedBody {
        self.isResolved = true
        return ResolvedBody(n: self.n, winner: 0, venueTime: Self.time)
    }
}
