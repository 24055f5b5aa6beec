/// First frame each way.
public struct Hello: FrameBody, Hashable {
    public static let type = FrameType.hello
    /// Of each text, when it is read: what a peer says of itself is kept as long as it is connected.
    public static let textByteCountMax = 256

    public let daemon: String
    public let version: String
    /// New at every start of the process.
    public let instance: String
    public let pid: Int64

    public init(daemon: String, version: String, instance: String, pid: Int64) {
        self.daemon = daemon
        self.version = version
        self.instance = instance
        self.pid = pid
    }

    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            daemon: try fields.string("daemon"), version: try fields.string("version"),
            instance: try fields.string("instance"), pid: try fields.integer("pid"))
        for (name, text) in [("daemon", self.daemon), ("version", self.version), ("instance", self.instance)] {
            guard text.utf8.count <= Self.textByteCountMax else { throw JSONError(.outOfRange, at: 0, member: name) }
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("daemon", self.daemon)
            $0.string("version", self.version)
            $0.string("instance", self.instance)
            $0.integer("pid", self.pid)
        }
    }
}

/// Sent by the server each second; the client answers `pong` with the id.
public struct Ping: FrameBody, Hashable {
    public static let type = FrameType.ping
    public let id: Int64
    public init(id: Int64) { self.id = id }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        self.init(id: try Fields(reading: &reader).integer("id"))
    }
    public func write(to writer: inout JSONWriter) { writer.object { $0.integer("id", self.id) } }
}

public struct Pong: FrameBody, Hashable {
    public static let type = FrameType.pong
    public let id: Int64
    public init(id: Int64) { self.id = id }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        self.init(id: try Fields(reading: &reader).integer("id"))
    }
    public func write(to writer: inout JSONWriter) { writer.object { $0.integer("id", self.id) } }
}

/// Said before a connection is ended, or of a request without an id.
public struct ErrorBody: FrameBody, Hashable {
    public static let type = FrameType.error
    /// A message may quote what a peer sent; it never becomes longer than a frame may be.
    public static let messageByteCountMax = 1_000
    public let code: ErrorCode
    public let message: String

    /// - Parameter message: shortened to `messageByteCountMax`.
    public init(code: ErrorCode, message: String) {
        self.code = code
        self.message = message.shortened(toByteCount: Self.messageByteCountMax)
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(code: try fields.word("code"), message: try fields.string("message"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("code", self.code.rawValue)
            $0.string("message", self.message)
        }
    }
}

/// The answer to every request that has an `id`.
public struct ResultBody: FrameBody, Hashable {
    public static let type = FrameType.result
    public enum Outcome: Hashable, Sendable {
        case ok(JSONValue?)
        case failed(code: ErrorCode, message: String)
    }
    public let id: Int64
    public let outcome: Outcome

    public init(id: Int64, _ outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        let outcome: Outcome =
            try fields.bool("ok")
            ? .ok(fields["value"]) : .failed(code: try fields.word("code"), message: try fields.string("message"))
        self.init(id: try fields.integer("id"), outcome)
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("id", self.id)
            switch self.outcome {
            case .ok(let value):
                $0.bool("ok", true)
                if let value {
                    $0.key("value")
                    value.write(to: &$0)
                }
            case .failed(let code, let message):
                $0.bool("ok", false)
                $0.string("code", code.rawValue)
                $0.string("message", message.shortened(toByteCount: ErrorBody.messageByteCountMax))
            }
        }
    }
}

/// What a subscriber wants; may be sent again and replaces the former.
public struct Subscribe: FrameBody, Hashable {
    public static let type = FrameType.subscribe
    /// Markets that one subscriber may name.
    public static let marketCountMax = 10_000

    public enum Markets: Hashable, Sendable {
        case all
        case only([ConditionID])
    }
    public let id: Int64?
    public let markets: Markets
    public let referencePrices: [String]

    public init(id: Int64?, markets: Markets, referencePrices: [String] = []) {
        self.id = id
        self.markets = markets
        self.referencePrices = referencePrices
    }

    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.id = try fields.optionalInteger("id")
        switch try fields.value("markets") {
        case .string("all"): self.markets = .all
        case .array(let names):
            guard names.count <= Self.marketCountMax else { throw JSONError(.outOfRange, at: 0, member: "markets") }
            var conditions: [ConditionID] = []
            for name in names {
                guard let text = name.string, let condition = ConditionID(text) else {
                    throw JSONError(.wrongValue, at: 0, member: "markets")
                }
                conditions.append(condition)
            }
            self.markets = .only(conditions)
        default: throw JSONError(.wrongValue, at: 0, member: "markets")
        }
        self.referencePrices = fields["reference_prices"] == nil ? [] : try fields.strings("reference_prices")
    }

    public func write(to writer: inout JSONWriter) {
        writer.object {
            if let id = self.id { $0.integer("id", id) }
            $0.key("markets")
            switch self.markets {
            case .all: $0.string("all")
            case .only(let conditions):
                $0.array { for condition in conditions { $0.string(condition.description) } }
            }
            $0.key("reference_prices")
            $0.array { for symbol in self.referencePrices { $0.string(symbol) } }
        }
    }
}

/// Counters and gauges of a daemon, by name; units are in the names.
public struct Metrics: FrameBody, Hashable {
    public static let type = FrameType.metrics
    public let values: [String: Int64]
    public init(values: [String: Int64]) { self.values = values }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        self.init(values: try Fields(reading: &reader).counters("values"))
    }
    public func write(to writer: inout JSONWriter) { writer.object { $0.counters("values", self.values) } }
}

/// A command without arguments of its own: `scan_now`, `halt`, `resume`, `cancel_all` and the like name it.
public struct Command: Hashable, Sendable {
    public let id: Int64?
    /// The whole body, for what a command takes besides.
    public let body: JSONValue
    public init(_ envelope: Envelope) throws(FrameError) {
        do {
            self.body = try JSONReader.read(envelope.body) { (reader) throws(JSONError) in
                try JSONValue(reading: &reader)
            }
        } catch { throw .badJSON(error) }
        self.id = self.body["id"]?.integer
    }
}
