/// Whether somebody bought or sold.
public enum TradeSide: String, Hashable, Sendable {
    case buy, sell
    public var opposite: TradeSide { self == .buy ? .sell : .buy }
}

/// A print.
public struct TradeBody: FrameBody, Hashable {
    public static let type = FrameType.trade
    public let n: Int64
    /// 0 the first outcome, 1 the second: whose token traded.
    public let outcome: Int64
    public let price: Price
    public let size: Quantity
    public let takerSide: TradeSide
    public let venueTime: Timestamp
    public let receivedTime: Timestamp
    public let transaction: String?

    public init(
        n: Int64, outcome: Int64, price: Price, size: Quantity, takerSide: TradeSide, venueTime: Timestamp,
        receivedTime: Timestamp, transaction: String?
    ) {
        self.n = n
        self.outcome = outcome
        self.price = price
        self.size = size
        self.takerSide = takerSide
        self.venueTime = venueTime
        self.receivedTime = receivedTime
        self.transaction = transaction
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        let outcome = try fields.integer("outcome")
        guard outcome == 0 || outcome == 1 else { throw JSONError(.wrongValue, at: 0, member: "outcome") }
        self.init(
            n: try fields.integer("n"), outcome: outcome, price: try fields.price("price"),
            size: try fields.quantity("size"), takerSide: try fields.word("taker_side"),
            venueTime: try fields.time("venue_time"), receivedTime: try fields.time("received_time"),
            transaction: try fields.optionalString("transaction"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("n", self.n)
            $0.integer("outcome", self.outcome)
            $0.integer("price", Int64(self.price.micros))
            $0.integer("size", self.size.micros)
            $0.string("taker_side", self.takerSide.rawValue)
            $0.time("venue_time", self.venueTime)
            $0.time("received_time", self.receivedTime)
            if let transaction = self.transaction { $0.string("transaction", transaction) }
        }
    }
}

/// Whom `trust` speaks of.
public enum MarketNumber: Hashable, Sendable {
    case one(Int64)
    case all
}

/// Whether a book may be believed. Every consumer stops trusting it at once.
public struct TrustBody: FrameBody, Hashable {
    public static let type = FrameType.trust
    public let n: MarketNumber
    public let epoch: Int64
    public let isTrusted: Bool
    /// Present while it is not trusted.
    public let reason: TrustReason?

    public init(n: MarketNumber, epoch: Int64, isTrusted: Bool, reason: TrustReason?) {
        self.n = n
        self.epoch = epoch
        self.isTrusted = isTrusted
        self.reason = reason
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        let n: MarketNumber = try fields.value("n") == .string("all") ? .all : .one(try fields.integer("n"))
        let isTrusted = try fields.bool("trusted")
        let isWithoutReason = isTrusted && fields["reason"] == nil
        self.init(
            n: n, epoch: try fields.integer("epoch"), isTrusted: isTrusted,
            reason: isWithoutReason ? nil : try fields.word("reason"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("n")
            switch self.n {
            case .one(let n): $0.integer(n)
            case .all: $0.string("all")
            }
            $0.integer("epoch", self.epoch)
            $0.bool("trusted", self.isTrusted)
            if let reason = self.reason { $0.string("reason", reason.rawValue) }
        }
    }
}

/// The venue changed a market's grid; a new epoch of its book follows.
public struct TickSizeBody: FrameBody, Hashable {
    public static let type = FrameType.tickSize
    public let n: Int64
    public let old: TickSize
    public let new: TickSize
    public let venueTime: Timestamp

    public init(n: Int64, old: TickSize, new: TickSize, venueTime: Timestamp) {
        self.n = n
        self.old = old
        self.new = new
        self.venueTime = venueTime
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        guard let old = TickSize(micros: try fields.integer("old")),
            let new = TickSize(micros: try fields.integer("new"))
        else { throw JSONError(.wrongValue, at: 0, member: "tick") }
        self.init(n: try fields.integer("n"), old: old, new: new, venueTime: try fields.time("venue_time"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("n", self.n)
            $0.integer("old", self.old.micros)
            $0.integer("new", self.new.micros)
            $0.time("venue_time", self.venueTime)
        }
    }
}

/// A market's outcome is known.
public struct ResolvedBody: FrameBody, Hashable {
    public static let type = FrameType.resolved
    public let n: Int64
    /// 0 the first outcome, 1 the second, `nil` when neither won.
    public let winner: Int64?
    public let venueTime: Timestamp

    public init(n: Int64, winner: Int64?, venueTime: Timestamp) {
        self.n = n
        self.winner = winner
        self.venueTime = venueTime
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        let winner = try fields.optionalInteger("winner")
        guard winner == nil || winner == 0 || winner == 1 else { throw JSONError(.wrongValue, at: 0, member: "winner") }
        self.init(n: try fields.integer("n"), winner: winner, venueTime: try fields.time("venue_time"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("n", self.n)
            $0.key("winner")
            if let winner = self.winner { $0.integer(winner) } else { $0.null() }
            $0.time("venue_time", self.venueTime)
        }
    }
}

/// Prints that a slow subscriber did not get.
public struct TradesDropped: FrameBody, Hashable {
    public static let type = FrameType.tradesDropped
    public let n: Int64
    public let count: Int64
    /// Received times of the first and the last of them.
    public let from: Timestamp
    public let to: Timestamp

    public init(n: Int64, count: Int64, from: Timestamp, to: Timestamp) {
        self.n = n
        self.count = count
        self.from = from
        self.to = to
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            n: try fields.integer("n"), count: try fields.integer("count"), from: try fields.time("from"),
            to: try fields.time("to"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("n", self.n)
            $0.integer("count", self.count)
            $0.time("from", self.from)
            $0.time("to", self.to)
        }
    }
}

/// How the feed stands; sent each second.
public struct FeedStatus: FrameBody, Hashable {
    public static let type = FrameType.feedStatus
    public enum Mode: String, CaseIterable, Sendable {
        case webSocket = "websocket"
        case restPolling = "rest_polling"
        case disconnected
        /// A journal is played: the books are of another time.
        case replay
    }
    /// One connection to the venue.
    public struct Connection: Hashable, Sendable {
        /// "idle", "connecting", "live" or "waiting".
        public let state: String
        public let tokens: Int64
        /// Since the last text, microseconds; -1 when there was none.
        public let silence: Int64
        public init(state: String, tokens: Int64, silence: Int64) {
            self.state = state
            self.tokens = tokens
            self.silence = silence
        }
    }
    public let mode: Mode
    public let connections: [Connection]
    public let markets: Int64
    public let trusted: Int64
    public let counters: [String: Int64]

    public init(mode: Mode, connections: [Connection], markets: Int64, trusted: Int64, counters: [String: Int64]) {
        self.mode = mode
        self.connections = connections
        self.markets = markets
        self.trusted = trusted
        self.counters = counters
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        var connections: [Connection] = []
        for value in try fields.array("connections") {
            let connection = try Fields(value)
            connections.append(
                Connection(
                    state: try connection.string("state"), tokens: try connection.integer("tokens"),
                    silence: try connection.integer("silence")))
        }
        self.init(
            mode: try fields.word("mode"), connections: connections, markets: try fields.integer("markets"),
            trusted: try fields.integer("trusted"), counters: try fields.counters("counters"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("mode", self.mode.rawValue)
            $0.key("connections")
            $0.array {
                for connection in self.connections {
                    $0.object {
                        $0.string("state", connection.state)
                        $0.integer("tokens", connection.tokens)
                        $0.integer("silence", connection.silence)
                    }
                }
            }
            $0.integer("markets", self.markets)
            $0.integer("trusted", self.trusted)
            $0.counters("counters", self.counters)
        }
    }
}
