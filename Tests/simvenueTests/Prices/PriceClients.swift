import Shared

@testable import simvenue

/// What somebody knows who has nothing but PolyBolt's messages.
struct PolyBoltClient {
    struct Topic: Hashable {
        let channel: String
        let symbol: String
    }

    /// Prices in units of `ReferencePrice`, by second since 1970.
    private(set) var prices: [Topic: [Int64: Int64]] = [:]
    private(set) var sequences: [Topic: [Int64]] = [:]
    private(set) var snapshotCount = 0
    private(set) var operations: [String] = []
    private(set) var problems: [String] = []

    func price(_ channel: String, _ symbol: String, _ second: Int64) -> Int64? {
        self.prices[Topic(channel: channel, symbol: symbol)]?[second]
    }

    mutating func read(_ actions: [ChannelAction]) {
        for action in actions { if case .send(let text) = action { self.read(text) } }
    }

    mutating func read(_ text: [UInt8]) {
        guard let message = try? JSONValue(parsing: text) else { return self.problems.append("no JSON") }
        if let operation = message["op"]?.string {
            return self.operations.append(message["code"]?.string ?? operation)
        }
        guard let channel = message["channel"]?.string, let payload = message["payload"],
            let symbol = payload["symbol"]?.string, let sequence = message["seq"]?.integer
        else { return self.problems.append("no message") }
        let topic = Topic(channel: channel, symbol: symbol)
        if payload["source"]?.string != "chainlink" { self.problems.append("no source") }
        if channel == "price.crypto.twap" && payload["window_seconds"]?.integer != 60 {
            self.problems.append("no window")
        }
        let isSnapshot = message["snapshot"]?.bool == true
        if isSnapshot { self.snapshotCount += 1 }
        self.sequences[topic, default: []].append(sequence)
        for point in isSnapshot ? payload["data"]?.array ?? [] : [payload] { self.note(point, topic) }
    }

    private mutating func note(_ point: JSONValue, _ topic: Topic) {
        guard let exact = point["full_accuracy_value"]?.string, exact.hasSuffix("0000000000"),
            let units = Int64(exact.dropLast(10)), let time = point["timestamp"]?.integer,
            let value = point["value"]?.double
        else { return self.problems.append("no price") }
        if abs(value * 1e8 - Double(units)) > 1 { self.problems.append("\(value) is not \(exact)") }
        self.prices[topic, default: [:]][time / 1_000] = units
    }
}

/// What somebody knows who has nothing but Binance's candles.
struct CandleClient {
    /// Opening and closing price of hours that ended, by pair and start in seconds since 1970.
    private(set) var ended: [String: [Int64: (open: String, close: String)]] = [:]

    mutating func read(_ actions: [ChannelAction]) {
        for action in actions {
            guard case .send(let text) = action, let message = try? JSONValue(parsing: text),
                let candle = message["k"], candle["x"]?.bool == true, let start = candle["t"]?.integer,
                let pair = candle["s"]?.string, let open = candle["o"]?.string, let close = candle["c"]?.string
            else { continue }
            self.ended[pair, default: [:]][start / 1_000] = (open, close)
        }
    }

    /// A price in hundred-millionths.
    static func units(_ text: String) -> Int64? { Int64(text.filter { $0 != "." }) }
}

let someCredentials =
    #"{"apiKey":"9180014b-33c8-9240-a14b-bdca11c0a465","secret":"c2VjcmV0","passphrase":"phrase"}"#

func polyBoltSubscription(_ topics: [(channel: String, symbol: String)], operation: String = "subscribe") -> String {
    let members = topics.map { channel, symbol in
        let window = channel.hasSuffix("twap") ? #","window_seconds":60"# : ""
        return "{\"channel\":\"\(channel)\",\"filter\":{\"symbol\":\"\(symbol)\"\(window)}}"
    }
    return "{\"op\":\"\(operation)\",\"rid\":\"s\",\"subscriptions\":[\(members.joined(separator: ","))]}"
}
