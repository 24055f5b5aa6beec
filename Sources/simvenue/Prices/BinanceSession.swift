import Shared

/// One connection of Binance's market data. Source: reference, 5.
struct BinanceSession: PriceSession {
    static let frameByteCountMax = 64 << 10
    /// Frames of the client a second, pings and pongs too; who sends more is sent away.
    static let frameRateMax: Int64 = 5
    static let pingInterval: Int64 = 20_000
    static let pongMax: Int64 = 60_000
    /// Every connection ends after a day.
    static let lifetimeMax: Int64 = 86_400_000
    static let closeCodePolicy: UInt16 = 1_008
    static let closeCodeAway: UInt16 = 1_001

    private let messages: BinanceMessages
    /// In the order in which they were asked for; `nil` for those that never say anything.
    private var streams: [(name: String, stream: BinanceStream?)] = []
    private var frames: TokenBucket
    /// The latest step that was told, milliseconds UTC.
    private var toldTime: Int64
    private var keepAlive: KeepAlive
    private let endTime: Int64
    private var isClosed = false

    /// - Parameter time: milliseconds UTC.
    init(_ target: BinanceTarget, openedAt time: Int64) {
        self.messages = BinanceMessages(isCombined: target.isCombined, isMicroseconds: target.isMicroseconds)
        self.frames = TokenBucket(
            rate: Self.frameRateMax, burst: Self.frameRateMax, now: Instant(nanoseconds: time * 1_000_000))
        self.toldTime = time / LatentPrice.step * LatentPrice.step
        self.keepAlive = KeepAlive(interval: Self.pingInterval, silenceMax: Self.pongMax, openedAt: time)
        self.endTime = time + Self.lifetimeMax
        for name in target.streams { self.add(name) }
    }

    private mutating func add(_ name: String) {
        guard !self.streams.contains(where: { $0.name == name }) else { return }
        self.streams.append((name, BinanceStream(name)))
    }

    // MARK: Time

    private var nextStep: Int64 { self.streams.isEmpty ? .max : self.toldTime + LatentPrice.step }

    var nextTime: Int64 { self.isClosed ? .max : min(self.nextStep, self.keepAlive.nextTime, self.endTime) }

    mutating func advance(to time: Int64, _ prices: ReferencePrices, into actions: inout [ChannelAction]) {
        // What is no more remembered is lost; without streams nothing is to be told.
        let remembered = self.streams.isEmpty ? 0 : LatentPrice.step * Int64(BinanceTape.stepCountMax - 2)
        self.toldTime = max(self.toldTime, time / LatentPrice.step * LatentPrice.step - remembered)
        while self.nextTime <= time {
            let next = self.nextTime
            if self.nextStep == next {
                self.toldTime = next
                for (name, stream) in self.streams {
                    guard let stream else { continue }
                    self.messages.write(stream, name: name, prices[stream.asset], at: next, into: &actions)
                }
            } else if self.endTime == next {
                return self.close(Self.closeCodeAway, into: &actions)
            } else if !self.keepAlive.act(at: next, into: &actions) {
                return self.close(Self.closeCodePolicy, into: &actions)
            }
        }
    }

    private mutating func close(_ code: UInt16, into actions: inout [ChannelAction]) {
        self.isClosed = true
        actions.append(.close(code: code))
    }

    // MARK: Commands

    mutating func receive(
        _ frame: ChannelFrame, at time: Int64, _ prices: ReferencePrices, accepts: CredentialsCheck,
        into actions: inout [ChannelAction]
    ) {
        self.advance(to: time, prices, into: &actions)
        guard !self.isClosed else { return }
        guard self.frames.take(now: Instant(nanoseconds: time * 1_000_000)) else {
            return self.close(Self.closeCodePolicy, into: &actions)
        }
        switch frame {
        case .ping: break
        case .pong: self.keepAlive.notePong(at: time)
        case .text(let text):
            guard text.count <= Self.frameByteCountMax else { return self.close(Self.closeCodePolicy, into: &actions) }
            self.obey(text, into: &actions)
        }
    }

    /// Why a command is refused. Source of the codes: Binance's WebSocket streams, "Error messages".
    private enum Refusal: Error {
        case unknownProperty
        case invalidRequest(StaticString)
        case invalidJSON

        var answer: (code: Int, message: String) {
            switch self {
            case .unknownProperty: (0, "Unknown property")
            case .invalidRequest(let what): (2, "Invalid request: \(what)")
            case .invalidJSON: (3, "Invalid JSON: expected value at line 1 column 1")
            }
        }
    }

    private mutating func obey(_ text: [UInt8], into actions: inout [ChannelAction]) {
        var id = JSONValue.null
        var writer = JSONWriter(capacity: 128)
        do throws(Refusal) {
            guard let command = try? JSONValue(parsing: text) else { throw .invalidJSON }
            if let given = command["id"] { id = try Self.checked(id: given) }
            let result = try self.result(of: command)
            writer.object {
                $0.key("result")
                result.write(to: &$0)
                $0.key("id")
                id.write(to: &$0)
            }
        } catch {
            let (code, message) = error.answer
            writer.object {
                $0.key("error")
                $0.object {
                    $0.key("code")
                    $0.integer(code)
                    $0.key("msg")
                    $0.string(message)
                }
                $0.key("id")
                id.write(to: &$0)
            }
        }
        actions.append(.send(writer.bytes))
    }

    /// Longest id that is a text.
    private static let idByteCountMax = 36

    private static func checked(id: JSONValue) throws(Refusal) -> JSONValue {
        if case .number = id, id.integer != nil { return id }
        if let text = id.string, text.utf8.count <= Self.idByteCountMax { return id }
        throw .invalidRequest("request ID must be an unsigned integer")
    }

    private mutating func result(of command: JSONValue) throws(Refusal) -> JSONValue {
        guard command.object != nil else { throw .invalidRequest("a command is an object") }
        switch command["method"]?.string {
        case "SUBSCRIBE":
            let names = try Self.names(command)
            let fresh = Set(names).subtracting(self.streams.map(\.name))
            guard self.streams.count + fresh.count <= BinanceStream.countMax else {
                throw .invalidRequest("too many streams")
            }
            for name in names { self.add(name) }
            return .null
        case "UNSUBSCRIBE":
            let names = Set(try Self.names(command))
            self.streams.removeAll { names.contains($0.name) }
            return .null
        case "LIST_SUBSCRIPTIONS": return .array(self.streams.map { .string($0.name) })
        case "SET_PROPERTY", "GET_PROPERTY": throw .unknownProperty
        default:
            throw .invalidRequest("unknown variant, expected one of SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS")
        }
    }

    private static func names(_ command: JSONValue) throws(Refusal) -> [String] {
        guard let values = command["params"]?.array, !values.isEmpty else {
            throw .invalidRequest("params must be an array of stream names")
        }
        guard values.count <= BinanceStream.countMax else { throw .invalidRequest("too many parameters") }
        let names = values.compactMap(\.string).filter { (1...BinanceStream.nameByteCountMax).contains($0.utf8.count) }
        guard names.count == values.count else { throw .invalidRequest("a stream name must be a short string") }
        return names
    }
}
