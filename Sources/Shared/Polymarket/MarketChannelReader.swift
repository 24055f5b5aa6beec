/// What a text of the market channel is.
public enum MarketText: Hashable, Sendable {
    /// JSON with so many events; an acknowledgement has none.
    case events(Int)
    /// The answer to our "PING".
    case pong
    /// Text that is not JSON, such as "INVALID OPERATION".
    case notice(String)
}

/// Reads the market channel's texts, each in one pass.
public struct MarketChannelReader: Sendable {
    /// "0x" and 64 digits.
    static let transactionByteCountMax = 66
    /// Levels of one side of one book.
    public static let levelCountMax = 10_000
    /// Entries of one `price_change`.
    public static let changeCountMax = 2_000
    /// Events of one text.
    public static let eventCountMax = 2_000
    /// Latest time believed, in milliseconds: the end of the year 9999. Later ones would overflow in microseconds.
    public static let timestampMax: Int64 = 253_402_300_799_999
    private static let noticeLengthMax = 200

    private var event = MarketEvent()

    public init() {}

    /// Reads `text` and calls `each` with every event, in order.
    ///
    /// - Throws: `JSONError` at the first event that is malformed; events before it were delivered.
    public mutating func read(
        _ text: UnsafeBufferPointer<UInt8>, _ each: (borrowing MarketEvent) -> Void
    ) throws(JSONError) -> MarketText {
        guard let first = text.first(where: { $0 > 0x20 }) else { throw JSONError(.endOfInput, at: 0) }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            guard UTF8Validation.isValid(text) else { throw JSONError(.badUTF8, at: 0) }
            let notice = String(decoding: text.prefix(Self.noticeLengthMax), as: UTF8.self)
            return notice == "PONG" ? .pong : .notice(notice)
        }
        var reader = JSONReader(text)
        var count = 0
        if first == UInt8(ascii: "[") {
            try reader.array { (reader) throws(JSONError) in
                guard count < Self.eventCountMax else { throw JSONError(.outOfRange, at: reader.offset) }
                count += 1
                try self.readEvent(&reader)
                each(self.event)
            }
        } else {
            count = 1
            try self.readEvent(&reader)
            each(self.event)
        }
        try reader.end()
        return .events(count)
    }

    private mutating func readEvent(_ reader: inout JSONReader) throws(JSONError) {
        self.event.reset()
        var problem: JSONError?
        try reader.object { (key, reader) throws(JSONError) in
            let start = reader
            do throws(JSONError) {
                try self.readMember(key, &reader)
            } catch {
                // It matters only to some kinds, and the kind may come after it.
                reader = start
                try reader.skip()
                if problem == nil { problem = error }
            }
        }
        switch self.event.kind {
        case .unknown, .newMarket, .bestBidAsk: return
        case .book, .priceChange, .lastTradePrice, .tickSizeChange, .marketResolved: break
        }
        if let problem { throw problem }
        try self.check(offset: reader.offset)
    }

    private mutating func readMember(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "event_type": self.event.kind = Self.kind(try reader.string())
        case "market": self.event.market = ConditionID(hex: try reader.string().bytes)
        case "asset_id": self.event.token = try Self.token(&reader)
        case "winning_asset_id":
            // Nobody may have won.
            if try reader.peek() == .null { try reader.null() } else { self.event.token = try Self.winner(&reader) }
        case "timestamp": self.event.timestamp = try Self.timestamp(&reader)
        case "hash": self.event.hash = BookHash(hex: try reader.string().bytes)
        case "bids": try Self.levels(&reader, into: &self.event.bids)
        case "asks": try Self.levels(&reader, into: &self.event.asks)
        case "price_changes": try self.changes(&reader)
        case "tick_size", "new_tick_size": self.event.tick = try Self.tick(&reader)
        case "old_tick_size": self.event.oldTick = try Self.tick(&reader)
        case "last_trade_price": self.event.lastTrade = LastTradePrice(text: try reader.string().string)
        case "price": self.event.price = try Self.price(&reader)
        case "size": self.event.size = Quantity(micros: try reader.decimal())
        case "side": self.event.side = try Self.side(&reader)
        case "slug":
            if try reader.peek() == .string { self.event.slug = try reader.string().string } else { try reader.skip() }
        case "transaction_hash":
            if try reader.peek() == .string {
                // What is no hash is no use, and it would be kept with the print.
                let hash = try reader.string()
                if hash.bytes.count <= Self.transactionByteCountMax { self.event.transaction = hash.string }
            } else {
                try reader.skip()
            }
        default: try reader.skip()
        }
    }

    /// What each kind cannot do without. A price that is no price, a market that is no id: refused, never guessed.
    private func check(offset: Int) throws(JSONError) {
        func need(_ condition: Bool, _ member: String) throws(JSONError) {
            guard condition else { throw JSONError(.missing, at: offset, member: member) }
        }
        try need(self.event.timestamp > 0, "timestamp")
        switch self.event.kind {
        case .book:
            try need(self.event.market != nil, "market")
            try need(self.event.token != nil, "asset_id")
            try need(self.event.hash != nil, "hash")
        case .priceChange:
            try need(self.event.market != nil, "market")
            try need(!self.event.changes.isEmpty, "price_changes")
        case .lastTradePrice:
            try need(self.event.token != nil, "asset_id")
            try need(self.event.price != nil, "price")
            try need(self.event.size > .zero, "size")
            try need(self.event.side != nil, "side")
        case .tickSizeChange:
            try need(self.event.token != nil, "asset_id")
            try need(self.event.tick != nil, "new_tick_size")
        case .marketResolved: try need(self.event.market != nil, "market")
        case .bestBidAsk, .newMarket, .unknown: break
        }
    }

    private static func timestamp(_ reader: inout JSONReader) throws(JSONError) -> Int64 {
        let time = try reader.integerInString()
        guard (1...Self.timestampMax).contains(time) else {
            throw JSONError(.wrongValue, at: reader.offset, member: "timestamp")
        }
        return time
    }

    private static func winner(_ reader: inout JSONReader) throws(JSONError) -> TokenID? {
        let text = try reader.string()
        guard !text.bytes.isEmpty else { return nil }
        guard let token = TokenID(decimal: text.bytes) else {
            throw JSONError(.wrongValue, at: reader.offset, member: "winning_asset_id")
        }
        return token
    }

    private static func kind(_ text: JSONText) -> MarketEvent.Kind {
        switch text {
        case "price_change": .priceChange
        case "book": .book
        case "last_trade_price": .lastTradePrice
        case "tick_size_change": .tickSizeChange
        case "best_bid_ask": .bestBidAsk
        case "new_market": .newMarket
        case "market_resolved": .marketResolved
        default: .unknown
        }
    }

    private static func token(_ reader: inout JSONReader) throws(JSONError) -> TokenID {
        guard let token = TokenID(decimal: try reader.string().bytes) else {
            throw JSONError(.wrongValue, at: reader.offset, member: "asset_id")
        }
        return token
    }

    private static func tick(_ reader: inout JSONReader) throws(JSONError) -> TickSize {
        guard let tick = TickSize(micros: try reader.decimal()) else {
            throw JSONError(.wrongValue, at: reader.offset, member: "tick_size")
        }
        return tick
    }

    private static func side(_ reader: inout JSONReader) throws(JSONError) -> MarketEvent.Side {
        switch try reader.string() {
        case "BUY", "buy": .buy
        case "SELL", "sell": .sell
        default: throw JSONError(.wrongValue, at: reader.offset, member: "side")
        }
    }

    private static func price(_ reader: inout JSONReader) throws(JSONError) -> Price {
        guard let price = Price(micros: try reader.decimal()) else {
            throw JSONError(.wrongValue, at: reader.offset, member: "price")
        }
        return price
    }

    private static func levels(_ reader: inout JSONReader, into levels: inout [Level]) throws(JSONError) {
        try reader.array { (reader) throws(JSONError) in
            guard levels.count < Self.levelCountMax else { throw JSONError(.outOfRange, at: reader.offset) }
            var price: Price?
            var size: Int64?
            try reader.object { (key, reader) throws(JSONError) in
                switch key {
                case "price": price = try Self.price(&reader)
                case "size": size = try reader.decimal()
                default: try reader.skip()
                }
            }
            guard let price, let size else { throw JSONError(.missing, at: reader.offset, member: "level") }
            levels.append(Level(price: price, size: Quantity(micros: size)))
        }
    }

    private mutating func changes(_ reader: inout JSONReader) throws(JSONError) {
        try reader.array { (reader) throws(JSONError) in
            guard self.event.changes.count < Self.changeCountMax else {
                throw JSONError(.outOfRange, at: reader.offset)
            }
            var token: TokenID?
            var price: Price?
            var size: Int64?
            var side: MarketEvent.Side?
            var hash: BookHash?
            try reader.object { (key, reader) throws(JSONError) in
                switch key {
                case "asset_id": token = try Self.token(&reader)
                case "price": price = try Self.price(&reader)
                case "size": size = try reader.decimal()
                case "side": side = try Self.side(&reader)
                case "hash": hash = BookHash(hex: try reader.string().bytes)
                default: try reader.skip()
                }
            }
            guard let token, let price, let size, let side else {
                throw JSONError(.missing, at: reader.offset, member: "price_changes")
            }
            self.event.changes.append(
                MarketEvent.Change(token: token, price: price, size: Quantity(micros: size), side: side, hash: hash))
        }
    }
}
