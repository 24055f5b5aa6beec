import Shared
import Testing

@testable import feedd

/// Hands texts to a builder as the feed does, and follows what it publishes as a subscriber does.
struct BuilderDriver {
    private(set) var builder: BookBuilder
    private(set) var trades: [TradeBody] = []
    private(set) var tickSizes: [TickSizeBody] = []
    /// Monotonic, moves as the test says.
    var now = Instant(nanoseconds: 0)
    /// Our clock, beside it.
    private var received: Timestamp { Timestamp(microseconds: 1_786_845_600_000_000 + self.now.nanoseconds / 1_000) }
    private var reader = MarketChannelReader()
    private var hasher: MeteredHasher
    private var subscriber = Subscriber()

    /// - Parameter hashPercent: share of one core for hashes; with 0 only those are computed that cannot wait.
    init(_ market: Market = .example(), hashPercent: Int64 = 25) {
        self.builder = BookBuilder(n: 17, market: market)
        self.hasher = MeteredHasher(percent: hashPercent, now: self.now)
    }

    /// The book as its bids and asks in shares, best first: "0.48:100 0.47:5 | 0.52:7".
    var picture: String { BuilderDriver.picture(self.builder.book) }

    static func picture(_ book: OrderBook) -> String {
        func side(_ side: BookSide) -> String {
            book.levels(side).map { "\($0.price):\($0.size)" }.joined(separator: " ")
        }
        return "\(side(.bid)) | \(side(.ask))"
    }

    @discardableResult
    mutating func take(_ texts: [String]) throws -> [BookBuilder.Effect] { try texts.flatMap { try self.take($0) } }

    /// What one text of the channel does.
    @discardableResult
    mutating func take(_ text: String) throws -> [BookBuilder.Effect] {
        var copy = text
        var effects: [BookBuilder.Effect] = []
        self.hasher.beginText()
        var reader = self.reader
        let kind = try copy.withUTF8 { bytes in try reader.read(bytes) { effects.append(self.take($0)) } }
        self.reader = reader
        #expect(kind == .events(effects.count))
        return effects
    }

    private mutating func take(_ event: borrowing MarketEvent) -> BookBuilder.Effect {
        switch event.kind {
        case .priceChange:
            return self.publish(
                self.builder.change(event, received: self.received, now: self.now, hasher: &self.hasher))
        case .book:
            guard let outcome = event.token.flatMap({ self.builder.outcome(of: $0) }) else { return .unchanged }
            return self.publish(
                self.builder.snapshot(
                    event, outcome: outcome, received: self.received, now: self.now, hasher: &self.hasher))
        case .lastTradePrice:
            if let trade = self.builder.trade(event, received: self.received) { self.trades.append(trade) }
            return .unchanged
        case .tickSizeChange:
            guard let change = self.builder.changeTick(event) else { return .unchanged }
            self.tickSizes.append(change)
            return self.publish(self.builder.distrust(.noSnapshot))
        case .bestBidAsk, .newMarket, .marketResolved, .unknown: return .unchanged
        }
    }

    @discardableResult
    mutating func take(_ book: RESTBook, source: BookSource = .webSocket) -> BookBuilder.Effect {
        self.publish(
            self.builder.snapshot(book, source: source, received: self.received, now: self.now, hasher: &self.hasher))
    }

    /// The line speaks of that book, without its levels: a `price_change` that takes nothing away and carries its hash.
    mutating func hear(of book: RESTBook) throws {
        let text = """
            {"event_type":"price_change","market":"\(book.market)","timestamp":"\(book.timestamp)","price_changes":[
            {"asset_id":"\(book.token)","price":"0.5","size":"0","side":"BUY","hash":"\(book.hash)"}]}
            """
        #expect(try self.take(text) == [.unchanged])
    }

    @discardableResult
    mutating func check() -> BookBuilder.Effect {
        self.publish(self.builder.check(now: self.now, hasher: &self.hasher))
    }

    @discardableResult
    mutating func distrust(_ reason: TrustReason) -> BookBuilder.Effect { self.publish(self.builder.distrust(reason)) }

    @discardableResult
    mutating func loseLine(_ reason: TrustReason) -> BookBuilder.Effect { self.publish(self.builder.lineLost(reason)) }

    mutating func describe(_ market: Market) { self.builder.describe(market) }

    private mutating func publish(_ effect: BookBuilder.Effect) -> BookBuilder.Effect {
        switch effect {
        case .unchanged: break
        case .delta: self.subscriber.take(self.builder.delta)
        case .snapshot: self.subscriber.take(self.builder.body(conflated: nil))
        case .distrusted(let reason):
            #expect(self.builder.trust == .untrusted(reason))
            self.subscriber.distrust(epoch: self.builder.epoch)
        }
        self.subscriber.expectToEqual(self.builder)
        return effect
    }
}

/// A consumer of the feed: epochs never go back, updates have no gaps, and the book is the publisher's.
private struct Subscriber {
    private var book = OrderBook(tick: .cent)
    private var epoch: Int64 = 0
    private var update: Int64 = 0
    private var isTrusted = false
    private var isSettled = false

    mutating func take(_ body: BookBody) {
        #expect(body.n == 17)
        #expect(body.epoch > self.epoch || body.epoch == self.epoch && (body.update > self.update || !self.isTrusted))
        self.book = OrderBook(tick: body.tick)
        for level in body.bids { #expect(self.book.set(.bid, level.price, level.size) == true) }
        for level in body.asks { #expect(self.book.set(.ask, level.price, level.size) == true) }
        (self.epoch, self.update) = (body.epoch, body.update)
        (self.isTrusted, self.isSettled) = (body.isTrusted, body.isSettled)
    }

    mutating func take(_ delta: DeltaBody) {
        #expect(delta.n == 17 && self.isTrusted)
        #expect(delta.epoch == self.epoch && delta.update == self.update + 1)
        for level in delta.levels { #expect(self.book.set(level.side, level.price, level.size) == true) }
        self.update = delta.update
        self.isSettled = delta.isSettled
    }

    mutating func distrust(epoch: Int64) {
        #expect(epoch >= self.epoch)
        #expect(!self.isTrusted || epoch > self.epoch, "a trusted epoch ends with its trust")
        self.epoch = epoch
        self.isTrusted = false
    }

    func expectToEqual(_ builder: BookBuilder) {
        #expect(self.isTrusted == builder.isTrusted)
        guard builder.isTrusted else { return }
        #expect(self.isSettled == builder.isSettled)
        #expect(self.epoch == builder.epoch && self.update == builder.update)
        #expect(self.book.tick == builder.book.tick)
        #expect(self.book.levels == builder.book.levels)
    }
}

extension OrderBook {
    /// All of them, bids before asks, best first.
    var levels: [Level] { self.levels(.bid) + self.levels(.ask) }
}
