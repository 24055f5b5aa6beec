import Shared

/// What was read before changes nothing of what is read now; every event is within its bounds; books keep what they are told.
enum MarketChannelTarget {
    /// An event as a value of its own: the reader uses one again and again.
    private struct Event: Equatable {
        struct Change: Equatable {
            let token: TokenID
            let price: Price
            let size: Quantity
            let isBuy: Bool
            let hash: BookHash?
        }

        let kind: MarketEvent.Kind
        let market: ConditionID?
        let token: TokenID?
        let timestamp: Int64
        let hash: BookHash?
        let bids: [Level]
        let asks: [Level]
        let changes: [Change]
        let ticks: [TickSize?]
        let lastTrade: LastTradePrice?
        let price: Price?
        let size: Quantity
        let isBuy: Bool?
        let transaction: String?

        init(_ event: borrowing MarketEvent) {
            self.kind = event.kind
            self.market = event.market
            self.token = event.token
            self.timestamp = event.timestamp
            self.hash = event.hash
            self.bids = event.bids
            self.asks = event.asks
            self.changes = event.changes.map {
                Change(token: $0.token, price: $0.price, size: $0.size, isBuy: $0.side == .buy, hash: $0.hash)
            }
            self.ticks = [event.tick, event.oldTick]
            self.lastTrade = event.lastTrade
            self.price = event.price
            self.size = event.size
            self.isBuy = event.side.map { $0 == .buy }
            self.transaction = event.transaction
        }
    }

    private struct Reading: Equatable {
        var events: [Event] = []
        var result: Result<MarketText, JSONError> = .success(.pong)
    }

    private static let before = Array(
        """
        {"event_type":"book","market":"0xd5f15f31689703aea70b93a52194a0964220d10d92ee7497346f146a8b6ef8ab","asset_id":"7",\
        "timestamp":"1786845514657","hash":"8182cc8b57d17f795809322ec7315452325e5a5e","bids":[{"price":"0.01","size":"5"}],\
        "asks":[{"price":"0.99","size":"5"}],"tick_size":"0.01","last_trade_price":"0.820"}
        """.utf8)

    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        var fresh = MarketChannelReader()
        let outcome = self.read(input, &fresh)
        var used = MarketChannelReader()
        _ = self.before.withUnsafeBufferPointer { self.read($0, &used) }
        check(self.read(input, &used) == outcome, "what was read before is still there")
        if case .success(.events(let count)) = outcome.result {
            check(count == outcome.events.count, "\(count) events were told, \(outcome.events.count) came")
            check((try? JSONValue(parsing: input)) != nil, "events in what is no JSON")
        }
        for event in outcome.events {
            self.checkBounds(event)
            self.apply(event)
        }
    }

    private static func read(_ text: UnsafeBufferPointer<UInt8>, _ reader: inout MarketChannelReader) -> Reading {
        var outcome = Reading()
        do {
            outcome.result = .success(try reader.read(text) { outcome.events.append(Event($0)) })
        } catch {
            outcome.result = .failure(error)
        }
        return outcome
    }

    private static func checkBounds(_ event: Event) {
        check((0...MarketChannelReader.timestampMax).contains(event.timestamp), "a time of \(event.timestamp)")
        check(event.bids.count <= MarketChannelReader.levelCountMax, "too many levels")
        check(event.asks.count <= MarketChannelReader.levelCountMax, "too many levels")
        check(event.changes.count <= MarketChannelReader.changeCountMax, "too many changes")
        for level in event.bids + event.asks {
            check((1...999_999).contains(level.price.micros) && level.size >= .zero, "a level that cannot be")
        }
        switch event.kind {
        case .book: check(event.market != nil && event.token != nil && event.hash != nil, "a book without its names")
        case .priceChange: check(event.market != nil && !event.changes.isEmpty, "a change of nothing")
        case .lastTradePrice: check(event.price != nil && event.isBuy != nil && event.size > .zero, "half a trade")
        case .tickSizeChange: check(event.token != nil && event.ticks[0] != nil, "half a change of tick")
        case .marketResolved: check(event.market != nil, "nothing is resolved")
        case .bestBidAsk, .newMarket, .unknown: return
        }
    }

    /// A book against a dictionary that is told the same.
    private static func apply(_ event: Event) {
        var book = OrderBook(tick: event.ticks[0] ?? .cent)
        var model: [BookSide: [Price: Quantity]] = [.bid: [:], .ask: [:]]
        let changes =
            event.bids.map { (BookSide.bid, $0.price, $0.size) } + event.asks.map { (BookSide.ask, $0.price, $0.size) }
            + event.changes.map { ($0.isBuy ? BookSide.bid : .ask, $0.price, $0.size) }
        for (side, price, size) in changes where book.set(side, price, size) {
            model[side]?[price] = size == .zero ? nil : size
        }
        for side in [BookSide.bid, .ask] {
            let levels = book.levels(side)
            let wanted = (model[side] ?? [:]).map { Level(price: $0.key, size: $0.value) }
                .sorted { side == .bid ? $0.price > $1.price : $0.price < $1.price }
            check(levels == wanted, "the book is not what it was told")
        }
        if let tick = event.ticks[1] {
            let before = (book.levels(.bid), book.levels(.ask))
            book.changeTick(to: tick)
            check(book.levels(.bid) == before.0 && book.levels(.ask) == before.1, "a change of tick changes levels")
        }
        self.checkHash(of: book, event)
    }

    /// The hash's text has a buffer of a size that is reckoned beforehand.
    private static func checkHash(of book: OrderBook, _ event: Event) {
        guard let market = event.market, let token = event.token, let other = TokenID("1") else { return }
        let terms = Market(
            condition: market, slug: "", question: "", first: Outcome(label: "Up", token: token),
            second: Outcome(label: "Down", token: other), tick: book.tick, sizeMin: Quantity(shares: 5),
            isNegRisk: false, event: "", startTime: nil, endTime: Timestamp(seconds: 1), feeRate: 0, feeExponent: 1,
            hasTakerDelay: false, rewards: nil, settlement: .other, asset: nil)
        var hasher = BookHasher()
        for outcome in 0...1 {
            let last = event.lastTrade ?? .none
            let hash = hasher.hash(
                book, of: terms, outcome: outcome, timestamp: event.timestamp, lastTrade: last)
            var writer = JSONWriter()
            BookHasher.write(
                book, of: terms, outcome: outcome, timestamp: event.timestamp, lastTrade: last, hash: hash, to: &writer)
            check((try? JSONValue(parsing: writer.bytes)) != nil, "a book is written as what is no JSON")
        }
    }
}
