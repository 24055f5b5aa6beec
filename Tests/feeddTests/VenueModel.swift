import Shared

@testable import feedd

/// The venue's book of one market as a model: operations in, the texts of the market channel out, with right hashes.
struct VenueModel {
    private(set) var market: Market
    private(set) var book: OrderBook
    private(set) var lastTrade = LastTradePrice.none
    /// Milliseconds UTC.
    var time: Int64 = 1_786_845_514_657
    private var hasher = BookHasher()

    init(market: Market = .example()) {
        self.market = market
        self.book = OrderBook(tick: market.tick)
    }

    func hash(outcome: Int, time: Int64? = nil) -> BookHash {
        var hasher = self.hasher
        return hasher.hash(
            self.book, of: self.market, outcome: outcome, timestamp: time ?? self.time, lastTrade: self.lastTrade)
    }

    // MARK: Operations

    /// One operation of the engine: all levels at once, then one message a level with the hash of the end.
    mutating func operate(_ changes: [LevelChange], firstOutcomeFirst: Bool = true) -> [String] {
        for change in changes { precondition(self.book.set(change.side, change.price, change.size)) }
        return changes.map { self.changeText([$0], outcomes: firstOutcomeFirst ? [0, 1] : [1, 0]) }
    }

    mutating func operate(_ side: BookSide, _ price: String, _ size: Int64) -> String {
        self.operate([.init(side, price, size)])[0]
    }

    /// A taker takes `size` from the best `levels` of `side`, in terms of the first outcome.
    ///
    /// - Parameter taker: the outcome whose token the taker's order named.
    /// - Returns: one change a level, the book that follows, and the print that comes late; none without anything to take.
    mutating func trade(side: BookSide, size: Quantity, taker: Int, firstOutcomeFirst: Bool = true) -> Trade? {
        var rest = size
        var changes: [LevelChange] = []
        for level in self.book.levels(side) where rest > .zero {
            let taken = min(rest, level.size)
            changes.append(LevelChange(side: side, price: level.price, size: level.size - taken))
            rest -= taken
        }
        guard let price = changes.last?.price else { return nil }
        let takerPrice = taker == 0 ? price : price.mirrored
        self.lastTrade = LastTradePrice(takerPrice)
        let texts = self.operate(changes, firstOutcomeFirst: firstOutcomeFirst)
        let isBuy = (side == .ask) == (taker == 0)
        return Trade(
            changes: texts, book: self.bookText(outcome: 0, hasTerms: false),
            print: self.printText(takerPrice, size: size - rest, isBuy: isBuy, outcome: taker))
    }

    struct Trade {
        let changes: [String]
        let book: String
        let print: String
        var texts: [String] { self.changes + [self.book, self.print] }
    }

    mutating func changeTick(to tick: TickSize) -> String {
        let old = self.book.tick
        self.book.changeTick(to: tick)
        self.market.tick = tick
        return Self.text {
            $0.key("event_type")
            $0.string("tick_size_change")
            $0.key("asset_id")
            $0.string(self.market.first.token.description)
            $0.key("market")
            $0.string(self.market.condition.description)
            $0.key("old_tick_size")
            $0.decimalString(old.micros)
            $0.key("new_tick_size")
            $0.decimalString(tick.micros)
            $0.key("timestamp")
            $0.string(String(self.time))
        }
    }

    // MARK: Texts

    /// A `book` of the channel; the copy that follows a trade has no terms.
    func bookText(outcome: Int, hasTerms: Bool = true) -> String {
        Self.text {
            $0.key("event_type")
            $0.string("book")
            $0.key("market")
            $0.string(self.market.condition.description)
            $0.key("asset_id")
            $0.string(self.token(outcome))
            $0.key("timestamp")
            $0.string(String(self.time))
            $0.key("hash")
            $0.string(self.hash(outcome: outcome).description)
            BookHasher.writeLevels(self.book, outcome: outcome, to: &$0)
            guard hasTerms else { return }
            $0.key("tick_size")
            $0.decimalString(self.book.tick.micros)
            $0.key("last_trade_price")
            $0.string(self.lastTrade.text)
        }
    }

    /// - Parameter outcomes: those that the message names, in this order.
    func changeText(_ changes: [LevelChange], outcomes: [Int] = [0, 1], hash: BookHash? = nil) -> String {
        Self.text {
            $0.key("event_type")
            $0.string("price_change")
            $0.key("market")
            $0.string(self.market.condition.description)
            $0.key("timestamp")
            $0.string(String(self.time))
            $0.key("price_changes")
            $0.array {
                for change in changes {
                    for outcome in outcomes {
                        self.write(change, outcome: outcome, hash: hash ?? self.hash(outcome: outcome), to: &$0)
                    }
                }
            }
        }
    }

    private func write(_ change: LevelChange, outcome: Int, hash: BookHash, to writer: inout JSONWriter) {
        writer.object {
            $0.key("asset_id")
            $0.string(self.token(outcome))
            $0.key("price")
            $0.decimalString(Int64((outcome == 0 ? change.price : change.price.mirrored).micros))
            $0.key("size")
            $0.decimalString(change.size.micros)
            $0.key("side")
            $0.string((change.side == .bid) == (outcome == 0) ? "BUY" : "SELL")
            $0.key("hash")
            $0.string(hash.description)
        }
    }

    private func printText(_ price: Price, size: Quantity, isBuy: Bool, outcome: Int) -> String {
        Self.text {
            $0.key("event_type")
            $0.string("last_trade_price")
            $0.key("asset_id")
            $0.string(self.token(outcome))
            $0.key("market")
            $0.string(self.market.condition.description)
            $0.key("price")
            $0.decimalString(Int64(price.micros))
            $0.key("size")
            $0.decimalString(size.micros)
            $0.key("side")
            $0.string(isBuy ? "BUY" : "SELL")
            $0.key("timestamp")
            $0.string(String(self.time))
            $0.key("transaction_hash")
            $0.string("0xabc")
        }
    }

    /// What `GET /book` answers now.
    func restBook(outcome: Int = 0) -> RESTBook {
        var writer = JSONWriter()
        BookHasher.write(
            self.book, of: self.market, outcome: outcome, timestamp: self.time, lastTrade: self.lastTrade,
            hash: self.hash(outcome: outcome), to: &writer)
        return try! RESTBook(JSONValue(parsing: writer.bytes))
    }

    /// As `restBook`, but with a byte of its text changed, as a broken proxy may.
    func restBook(replacing text: String, with other: String) -> RESTBook {
        var writer = JSONWriter()
        BookHasher.write(
            self.book, of: self.market, outcome: 0, timestamp: self.time, lastTrade: self.lastTrade,
            hash: self.hash(outcome: 0), to: &writer)
        return try! RESTBook(
            JSONValue(parsing: String(decoding: writer.bytes, as: UTF8.self).replacing(text, with: other).utf8))
    }

    private func token(_ outcome: Int) -> String {
        (outcome == 0 ? self.market.first : self.market.second).token.description
    }

    private static func text(_ members: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.object(members)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension LevelChange {
    /// Of a price that is known to be one, in whole shares.
    init(_ side: BookSide, _ price: String, _ shares: Int64) {
        self.init(side: side, price: Price(decimal: price)!, size: Quantity(shares: shares))
    }
}

extension Market {
    /// A market as the venue lists thousands of them: Bitcoin, five minutes, one cent.
    static func example(
        condition: ConditionID = ConditionID(words: (0, 0, 0, 1)), tick: TickSize = .cent,
        first: TokenID = TokenID(words: (0, 0, 0, 2)),
        second: TokenID = TokenID(words: (0, 0, 0, 3))
    ) -> Market {
        Market(
            condition: condition, slug: "btc-updown-5m-1778584200",
            question: "Bitcoin Up or Down - May 12, 7:10AM-7:15AM ET",
            first: Outcome(label: "Up", token: first),
            second: Outcome(label: "Down", token: second), tick: tick, sizeMin: Quantity(shares: 5), isNegRisk: false,
            event: "btc-updown-5m-1778584200", startTime: Timestamp(seconds: 1_778_584_200),
            endTime: Timestamp(seconds: 1_778_584_500), feeRate: 70_000, feeExponent: 1, hasTakerDelay: true,
            rewards: nil,
            settlement: .chainlinkTWAP60, asset: "btc")
    }
}
