import Shared

/// What a text of Binance's market data says. Source: reference, 5.
enum BinanceMessage: Equatable {
    /// Prices and times are as they came; whether they can be believed is another's to say. Times in milliseconds.
    case trade(ReferenceSymbol, id: Int64, price: Int64, time: Int64)
    /// The best bid and ask. They have no time.
    case book(ReferenceSymbol, updateID: Int64, bid: Int64, ask: Int64)
    /// The running candle of an hour, or, at its end, the whole of it.
    case candle(ReferenceSymbol, start: Int64, close: Int64, time: Int64)
    /// This connection ends soon.
    case shutdown
    /// A command was obeyed.
    case answer
    /// A command was refused, and why.
    case refusal(String)
    /// Well-formed, and of nothing that was asked for.
    case other

    private static let reasonByteCountMax = 200

    /// What any message may have, by the names of its members.
    private struct Members {
        var event: String?
        var symbol: ReferenceSymbol?
        var tradeID: Int64?
        var price: Int64?
        var tradeTime: Int64?
        var eventTime: Int64?
        var updateID: Int64?
        var bid: Int64?
        var ask: Int64?
        var candle: (start: Int64, close: Int64)?
        var reason: String?
        var hasID = false
    }

    init(reading text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        var members = Members()
        try JSONReader.read(text) { (reader) throws(JSONError) in try Self.read(&reader, depth: 0, into: &members) }
        self = try Self.message(members)
    }

    private static func read(_ reader: inout JSONReader, depth: Int, into members: inout Members) throws(JSONError) {
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "data" where depth == 0: try Self.read(&reader, depth: 1, into: &members)
            case "e": members.event = try reader.string().string
            case "s": members.symbol = ReferenceSymbol(pair: try reader.string().string)
            case "t": members.tradeID = try reader.integer()
            case "p": members.price = try Self.units(&reader, "p")
            case "T": members.tradeTime = try reader.integer()
            case "E": members.eventTime = try reader.integer()
            case "u": members.updateID = try reader.integer()
            case "b": members.bid = try Self.units(&reader, "b")
            case "a": members.ask = try Self.units(&reader, "a")
            case "k": members.candle = try Self.candle(&reader)
            case "error": members.reason = try Self.reason(&reader)
            case "id":
                members.hasID = true
                try reader.skip()
            default: try reader.skip()
            }
        }
    }

    private static func units(_ reader: inout JSONReader, _ member: String) throws(JSONError) -> Int64 {
        guard let units = DollarPrice.units(try reader.string().bytes) else {
            throw JSONError(.badNumber, at: reader.offset, member: member)
        }
        return units
    }

    private static func candle(_ reader: inout JSONReader) throws(JSONError) -> (start: Int64, close: Int64) {
        var start: Int64?
        var close: Int64?
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "t": start = try reader.integer()
            case "c": close = try Self.units(&reader, "c")
            default: try reader.skip()
            }
        }
        guard let start, let close else { throw JSONError(.missing, at: reader.offset, member: "k") }
        return (start, close)
    }

    private static func reason(_ reader: inout JSONReader) throws(JSONError) -> String {
        let value = try JSONValue(reading: &reader)
        return (value["msg"]?.string ?? "no reason given").shortened(toByteCount: Self.reasonByteCountMax)
    }

    private static func message(_ members: Members) throws(JSONError) -> BinanceMessage {
        func need<Value>(_ value: Value?, _ member: String) throws(JSONError) -> Value {
            guard let value else { throw JSONError(.missing, at: 0, member: member) }
            return value
        }
        if let reason = members.reason { return .refusal(reason) }
        switch members.event {
        case "serverShutdown": return .shutdown
        case "trade":
            guard let symbol = members.symbol else { return .other }
            return .trade(
                symbol, id: try need(members.tradeID, "t"), price: try need(members.price, "p"),
                time: try Self.time(members.tradeTime, "T"))
        case "kline":
            guard let symbol = members.symbol else { return .other }
            let candle = try need(members.candle, "k")
            return .candle(
                symbol, start: try Self.time(candle.start, "t"), close: candle.close,
                time: try Self.time(members.eventTime, "E"))
        case nil:
            if let updateID = members.updateID {
                guard let symbol = members.symbol else { return .other }
                return .book(
                    symbol, updateID: updateID, bid: try need(members.bid, "b"), ask: try need(members.ask, "a"))
            }
            return members.hasID ? .answer : .other
        default: return .other
        }
    }

    private static func time(_ time: Int64?, _ member: String) throws(JSONError) -> Int64 {
        guard let time, (1...MarketChannelReader.timestampMax).contains(time) else {
            throw JSONError(.wrongValue, at: 0, member: member)
        }
        return time
    }
}
