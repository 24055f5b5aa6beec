import Shared

/// What can be subscribed to on PolyBolt. Source: reference, 3.4.
struct PolyBoltTopic: Hashable, Sendable {
    enum Channel: String, Hashable, Sendable {
        case price = "price.crypto"
        case twap = "price.crypto.twap"
        /// Known, and of nothing that this venue has.
        case equity = "price.equity"
        case equityTWAP = "price.equity.twap"
    }

    /// The name of who observes the prices.
    static let source = "chainlink"
    static let windows: [Int64] = [30, 60]

    let channel: Channel
    /// Index in the catalogue.
    let asset: Int
    /// Seconds that are averaged; `nil` for the price itself.
    let window: Int64?

    /// - Throws: the code of the answer.
    init(_ subscription: JSONValue) throws(PolyBoltError) {
        guard let channel = subscription["channel"]?.string.flatMap({ Channel(rawValue: $0) }) else {
            throw .badChannel
        }
        let filter = subscription["filter"]
        let symbol = filter?["symbol"]?.string
        let asset = ReferenceAsset.all.firstIndex { $0.dollarSymbol == symbol }
        guard let asset, filter?["provider"].map({ $0.string == Self.source }) ?? true else { throw .badFilter }
        switch channel {
        case .equity, .equityTWAP: throw .badFilter
        case .price: self.window = nil
        case .twap:
            guard let window = filter?["window_seconds"]?.integer, Self.windows.contains(window) else {
                throw .badFilter
            }
            self.window = window
        }
        self.channel = channel
        self.asset = asset
    }

    /// What is observed at a second since 1970; `nil` when it is not known.
    func price(_ prices: ReferencePrices, at second: Int64) -> ReferencePrice? {
        prices[self.asset].latent.twap(seconds: self.window ?? 1, endingAt: second)
    }
}

/// Codes of PolyBolt's errors. Source: reference, 3.4.
enum PolyBoltError: String, Error, Hashable, Sendable {
    case badOperation = "bad_op"
    case badChannel = "bad_channel"
    case badFilter = "bad_filter"
    case tooManySubscriptions = "sub_limit"
    case rateLimited = "rate_limited"
    case authRequired = "auth_required"
    case tooManyAuths = "auth_attempts"
    case authInvalid = "auth_invalid"
}

/// PolyBolt's messages. Source: reference, 3.4.
enum PolyBoltMessages {
    /// An observation leaves so many milliseconds after its own time. Source of the size: strategies, 0.6.
    static let delay: Int64 = 1_200
    /// Seconds of the first message of a subscription.
    static let snapshotCount: Int64 = 120

    static func answer(_ operation: String, rid: String?, channel: String? = nil) -> ChannelAction {
        Self.text {
            $0.key("op")
            $0.string(operation)
            Self.write(rid: rid, channel, to: &$0)
        }
    }

    static func error(_ error: PolyBoltError, rid: String?, channel: String? = nil) -> ChannelAction {
        Self.text {
            $0.key("op")
            $0.string("error")
            $0.key("code")
            $0.string(error.rawValue)
            Self.write(rid: rid, channel, to: &$0)
        }
    }

    private static func write(rid: String?, _ channel: String?, to writer: inout JSONWriter) {
        if let channel {
            writer.key("channel")
            writer.string(channel)
        }
        guard let rid else { return }
        writer.key("rid")
        writer.string(rid)
    }

    /// The observation of `second`, sent when its delay has passed.
    static func update(_ topic: PolyBoltTopic, _ price: ReferencePrice, second: Int64, sequence: Int64) -> ChannelAction
    {
        let sentTime = second * 1_000 + Self.delay
        return Self.envelope(topic, sequence: sequence, time: sentTime, isSnapshot: false) {
            Self.writeHead(topic, to: &$0)
            Self.write(price, second: second, to: &$0)
            $0.key("received_at")
            $0.integer(sentTime)
        }
    }

    /// The observations up to `second`.
    static func snapshot(
        _ topic: PolyBoltTopic, _ prices: ReferencePrices, upTo second: Int64, time: Int64, sequence: Int64
    ) -> ChannelAction {
        Self.envelope(topic, sequence: sequence, time: time, isSnapshot: true) {
            Self.writeHead(topic, to: &$0)
            $0.key("data")
            $0.array { writer in
                for second in second - Self.snapshotCount + 1...second {
                    guard let price = topic.price(prices, at: second) else { continue }
                    writer.object { Self.write(price, second: second, to: &$0) }
                }
            }
        }
    }

    private static func envelope(
        _ topic: PolyBoltTopic, sequence: Int64, time: Int64, isSnapshot: Bool,
        _ payload: (inout JSONWriter) -> Void
    ) -> ChannelAction {
        Self.text {
            $0.key("v")
            $0.integer(1)
            $0.key("channel")
            $0.string(topic.channel.rawValue)
            $0.key("seq")
            $0.integer(sequence)
            $0.key("ts")
            $0.integer(time)
            if isSnapshot {
                $0.key("snapshot")
                $0.bool(true)
            }
            $0.key("payload")
            $0.object(payload)
        }
    }

    private static func writeHead(_ topic: PolyBoltTopic, to writer: inout JSONWriter) {
        writer.key("symbol")
        writer.string(ReferenceAsset.all[topic.asset].dollarSymbol)
        writer.key("source")
        writer.string(PolyBoltTopic.source)
        guard let window = topic.window else { return }
        writer.key("window_seconds")
        writer.integer(window)
    }

    private static func write(_ price: ReferencePrice, second: Int64, to writer: inout JSONWriter) {
        writer.key("value")
        writer.raw(price.number.utf8)
        writer.key("full_accuracy_value")
        writer.string(price.fullAccuracyText)
        writer.key("timestamp")
        writer.integer(second * 1_000)
    }

    private static func text(_ body: (inout JSONWriter) -> Void) -> ChannelAction {
        var writer = JSONWriter(capacity: 256)
        writer.object(body)
        return .send(writer.bytes)
    }
}
