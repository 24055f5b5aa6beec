import Shared

/// One average of the venue's stream. Source: reference, 3.4.
struct PolyBoltUpdate: Equatable {
    let symbol: ReferenceSymbol
    /// Counts the messages of a subscription.
    let sequence: Int64
    /// By the stream's clock, milliseconds since 1970.
    let time: Int64
    /// `nil` when its two readings contradict each other.
    let price: AgreedPrice?
    /// The first of a subscription: counting begins anew.
    var isSnapshot = false
    /// A repeated value.
    var isCarriedForward = false
    /// Messages that the stream left out because we were slow.
    var dropped: Int64 = 0
}

/// What a text of the venue's stream says. Source: reference, 3.4.
enum PolyBoltMessage: Equatable {
    case authed
    /// Average prices over `PolyBoltFeed.windowSeconds`.
    case update(PolyBoltUpdate)
    /// The code, and the request that it answers.
    case error(code: String, request: String?)
    /// Well-formed, and nothing that must be acted on.
    case other

    private static let codeByteCountMax = 64

    init(reading text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        let value = try JSONValue(parsing: text)
        guard value.object != nil else { throw JSONError(.unexpected, at: 0) }
        switch value["op"]?.string {
        case "authed": self = .authed
        case "error":
            let code = value["code"]?.string ?? "none"
            self = .error(
                code: code.shortened(toByteCount: Self.codeByteCountMax),
                request: value["rid"]?.string?.shortened(toByteCount: Self.codeByteCountMax))
        case nil where value["channel"]?.string == PolyBoltFeed.channel:
            self = try Self.update(value).map { .update($0) } ?? .other
        default: self = .other
        }
    }

    /// - Returns: `nil` for what was not asked for.
    private static func update(_ value: JSONValue) throws(JSONError) -> PolyBoltUpdate? {
        func need<Value>(_ value: Value?, _ member: String) throws(JSONError) -> Value {
            guard let value else { throw JSONError(.missing, at: 0, member: member) }
            return value
        }
        let payload = try need(value["payload"], "payload")
        // A stream that does not say whose prices these are, and over which window, is not believed.
        guard let source = payload["source"]?.string, !source.isEmpty else {
            throw JSONError(.missing, at: 0, member: "source")
        }
        let window = try need(payload["window_seconds"]?.integer, "window_seconds")
        guard let symbol = ReferenceSymbol(rawValue: try need(payload["symbol"]?.string, "symbol")),
            window == PolyBoltFeed.windowSeconds
        else { return nil }
        let isSnapshot = value["snapshot"]?.bool == true
        var observation = payload
        if isSnapshot {
            // Of the history only the newest counts.
            let history = try need(payload["data"]?.array, "data")
            guard let newest = history.max(by: { Self.time($0) ?? 0 < Self.time($1) ?? 0 }) else { return nil }
            observation = newest
        }
        guard case .number(let number)? = observation["value"] else {
            throw JSONError(.missing, at: 0, member: "value")
        }
        let fullAccuracy = try need(observation["full_accuracy_value"]?.string, "full_accuracy_value")
        return PolyBoltUpdate(
            symbol: symbol, sequence: try need(value["seq"]?.integer, "seq"),
            time: try need(Self.time(observation), "timestamp"),
            price: AgreedPrice(value: number, fullAccuracy: fullAccuracy), isSnapshot: isSnapshot,
            isCarriedForward: observation["is_carried_forward"]?.bool == true,
            dropped: max(0, value["dropped"]?.integer ?? 0))
    }

    private static func time(_ observation: JSONValue) -> Int64? {
        observation["timestamp"]?.integer.flatMap { (1...MarketChannelReader.timestampMax).contains($0) ? $0 : nil }
    }
}
