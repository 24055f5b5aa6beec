/// Where a book's content came from.
public enum BookSource: String, Hashable, Sendable {
    case webSocket = "ws"
    case rest
}

/// A snapshot: the whole book, both sides best first, in terms of the first outcome.
public struct BookBody: FrameBody, Hashable {
    public static let type = FrameType.book
    public let n: Int64
    public let market: ConditionID
    /// Counts the publisher's fresh starts of this book.
    public let epoch: Int64
    /// Counts changes within the epoch, without gaps.
    public let update: Int64
    public let isTrusted: Bool
    public let isSettled: Bool
    public let source: BookSource
    public let tick: TickSize
    public let bids: [Level]
    public let asks: [Level]
    public let hash: BookHash?
    /// Updates that this snapshot stands for, when a slow subscriber's backlog was replaced by it.
    public let conflated: Int64?
    public let venueTime: Timestamp
    public let receivedTime: Timestamp

    public init(
        n: Int64, market: ConditionID, epoch: Int64, update: Int64, isTrusted: Bool, isSettled: Bool,
        source: BookSource,
        tick: TickSize, bids: [Level], asks: [Level], hash: BookHash?, conflated: Int64?, venueTime: Timestamp,
        receivedTime: Timestamp
    ) {
        self.n = n
        self.market = market
        self.epoch = epoch
        self.update = update
        self.isTrusted = isTrusted
        self.isSettled = isSettled
        self.source = source
        self.tick = tick
        self.bids = bids
        self.asks = asks
        self.hash = hash
        self.conflated = conflated
        self.venueTime = venueTime
        self.receivedTime = receivedTime
    }

    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        guard let tick = TickSize(micros: try fields.integer("tick")) else {
            throw JSONError(.wrongValue, at: 0, member: "tick")
        }
        var hash: BookHash?
        if let text = try fields.optionalString("hash") {
            hash = BookHash(text)
            guard hash != nil else { throw JSONError(.wrongValue, at: 0, member: "hash") }
        }
        self.init(
            n: try fields.integer("n"), market: try fields.condition("market"), epoch: try fields.integer("epoch"),
            update: try fields.integer("update"), isTrusted: try fields.bool("trusted"),
            isSettled: try fields.bool("settled"), source: try fields.word("source"), tick: tick,
            bids: try Self.levels(try fields.array("bids")), asks: try Self.levels(try fields.array("asks")),
            hash: hash,
            conflated: try fields.optionalInteger("conflated"), venueTime: try fields.time("venue_time"),
            receivedTime: try fields.time("received_time"))
    }

    private static func levels(_ values: [JSONValue]) throws(JSONError) -> [Level] {
        var levels: [Level] = []
        levels.reserveCapacity(values.count)
        for value in values {
            guard let pair = value.array, pair.count == 2,
                let price = pair[0].plainInteger.flatMap({ Price(micros: $0) }),
                let size = pair[1].plainInteger, size > 0
            else { throw JSONError(.wrongValue, at: 0, member: "level") }
            levels.append(Level(price: price, size: Quantity(micros: size)))
        }
        return levels
    }

    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("n", self.n)
            $0.string("market", self.market.description)
            $0.integer("epoch", self.epoch)
            $0.integer("update", self.update)
            $0.bool("trusted", self.isTrusted)
            $0.bool("settled", self.isSettled)
            $0.string("source", self.source.rawValue)
            $0.integer("tick", self.tick.micros)
            $0.key("bids")
            $0.array { for level in self.bids { Self.write(level, to: &$0) } }
            $0.key("asks")
            $0.array { for level in self.asks { Self.write(level, to: &$0) } }
            if let hash = self.hash { $0.string("hash", hash.description) }
            if let conflated = self.conflated { $0.integer("conflated", conflated) }
            $0.time("venue_time", self.venueTime)
            $0.time("received_time", self.receivedTime)
        }
    }

    private static func write(_ level: Level, to writer: inout JSONWriter) {
        writer.array {
            $0.integer(Int64(level.price.micros))
            $0.integer(level.size.micros)
        }
    }
}

/// One level's new size, in terms of the first outcome; zero removes it.
public struct LevelChange: Hashable, Sendable {
    public let side: BookSide
    public let price: Price
    public let size: Quantity
    public init(side: BookSide, price: Price, size: Quantity) {
        self.side = side
        self.price = price
        self.size = size
    }
}

/// What one message of the venue changed.
public struct DeltaBody: FrameBody, Hashable {
    public static let type = FrameType.delta
    public var n: Int64
    public var epoch: Int64
    public var update: Int64
    /// False while one operation of the venue is still arriving.
    public var isSettled: Bool
    public var levels: [LevelChange]
    public var venueTime: Timestamp
    public var receivedTime: Timestamp

    public init(
        n: Int64, epoch: Int64, update: Int64, isSettled: Bool, levels: [LevelChange], venueTime: Timestamp,
        receivedTime: Timestamp
    ) {
        self.n = n
        self.epoch = epoch
        self.update = update
        self.isSettled = isSettled
        self.levels = levels
        self.venueTime = venueTime
        self.receivedTime = receivedTime
    }

    /// The hot path of every consumer: read member by member, nothing built but the levels.
    public init(reading reader: inout JSONReader) throws(JSONError) {
        var n: Int64?
        var epoch: Int64?
        var update: Int64?
        var isSettled: Bool?
        var levels: [LevelChange]?
        var venueTime: Int64?
        var receivedTime: Int64?
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "n": n = try reader.integer()
            case "epoch": epoch = try reader.integer()
            case "update": update = try reader.integer()
            case "settled": isSettled = try reader.bool()
            case "levels": levels = try Self.levels(&reader)
            case "venue_time": venueTime = try reader.integer()
            case "received_time": receivedTime = try reader.integer()
            default: try reader.skip()
            }
        }
        guard let n, let epoch, let update, let isSettled, let levels, let venueTime, let receivedTime else {
            throw JSONError(.missing, at: reader.offset, member: "delta")
        }
        guard let venueTime = Timestamp(wire: venueTime), let receivedTime = Timestamp(wire: receivedTime) else {
            throw JSONError(.wrongValue, at: reader.offset, member: "time")
        }
        self.init(
            n: n, epoch: epoch, update: update, isSettled: isSettled, levels: levels, venueTime: venueTime,
            receivedTime: receivedTime)
    }

    private static func levels(_ reader: inout JSONReader) throws(JSONError) -> [LevelChange] {
        var levels: [LevelChange] = []
        try reader.array { (reader) throws(JSONError) in
            var index = 0
            var side: BookSide?
            var price: Price?
            var size: Int64?
            try reader.array { (reader) throws(JSONError) in
                switch index {
                case 0:
                    let text = try reader.string()
                    side = text == "bid" ? .bid : text == "ask" ? .ask : nil
                case 1: price = Price(micros: try reader.integer())
                case 2: size = try reader.integer()
                default: try reader.skip()
                }
                index += 1
            }
            guard index == 3, let side, let price, let size, size >= 0 else {
                throw JSONError(.wrongValue, at: reader.offset, member: "levels")
            }
            levels.append(LevelChange(side: side, price: price, size: Quantity(micros: size)))
        }
        return levels
    }

    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("n", self.n)
            $0.integer("epoch", self.epoch)
            $0.integer("update", self.update)
            $0.bool("settled", self.isSettled)
            $0.key("levels")
            $0.array {
                for level in self.levels {
                    $0.array {
                        $0.string(level.side.rawValue)
                        $0.integer(Int64(level.price.micros))
                        $0.integer(level.size.micros)
                    }
                }
            }
            $0.time("venue_time", self.venueTime)
            $0.time("received_time", self.receivedTime)
        }
    }
}
