/// What every frame says of itself.
public struct Envelope {
    /// The version that this code speaks.
    public static let version: Int64 = 1

    /// Counts per connection and direction from 1 without gaps.
    public let sequence: Int64
    public let type: String
    public let sentTime: Timestamp
    /// The body's JSON, within the frame's bytes; valid only as long as they are.
    public let body: UnsafeBufferPointer<UInt8>

    /// Reads one frame. Members may come in any order; unknown ones are passed over.
    public init(reading frame: UnsafeBufferPointer<UInt8>) throws(FrameError) {
        var version: Int64?
        var sequence: Int64?
        var type: String?
        var sentTime: Int64?
        var body: UnsafeBufferPointer<UInt8>?
        var length = 0
        do {
            try JSONReader.read(frame) { (reader) throws(JSONError) in
                try reader.object { (key, reader) throws(JSONError) in
                    switch key {
                    case "v": version = try reader.integer()
                    case "seq": sequence = try reader.integer()
                    case "type": type = try reader.string().string
                    case "sent_time": sentTime = try reader.integer()
                    case "body": body = try reader.raw()
                    default: try reader.skip()
                    }
                }
                length = reader.offset
            }
        } catch { throw .badJSON(error) }
        guard let version else { throw .badJSON(JSONError(.missing, at: length, member: "v")) }
        guard version == Self.version else { throw .badVersion(version) }
        guard let sequence else { throw .badJSON(JSONError(.missing, at: length, member: "seq")) }
        guard let type else { throw .badJSON(JSONError(.missing, at: length, member: "type")) }
        guard let sentTime else { throw .badJSON(JSONError(.missing, at: length, member: "sent_time")) }
        guard let sentTime = Timestamp(wire: sentTime) else {
            throw .badJSON(JSONError(.wrongValue, at: length, member: "sent_time"))
        }
        guard let body else { throw .badJSON(JSONError(.missing, at: length, member: "body")) }
        self.sequence = sequence
        self.type = type
        self.sentTime = sentTime
        self.body = body
    }

    /// Reads the body as `Body`.
    public func decode<Body: FrameBody>(_: Body.Type = Body.self) throws(FrameError) -> Body {
        do {
            return try JSONReader.read(self.body) { (reader) throws(JSONError) in try Body(reading: &reader) }
        } catch { throw .badJSON(error) }
    }
}

/// A frame encoded once for all subscribers: everything but its length and sequence.
public struct EncodedFrame: Hashable, Sendable {
    /// `,"type":…,"sent_time":…,"body":{…}}`
    public private(set) var tail: [UInt8] = []

    /// Of nothing yet: to be encoded into.
    public init() {}

    public init<Body: FrameBody>(_ body: Body, sentTime: Timestamp, writer: inout JSONWriter) {
        self.encode(body, sentTime: sentTime, writer: &writer)
    }

    /// Becomes the frame of `body`. Its memory is used again, unless somebody keeps a copy of the frame that was.
    public mutating func encode<Body: FrameBody>(_ body: Body, sentTime: Timestamp, writer: inout JSONWriter) {
        writer.clear()
        body.write(to: &writer)
        self.wrap(writer.bytes, type: Body.type, sentTime: sentTime)
    }

    /// Takes a body that is JSON already.
    private mutating func wrap(_ body: [UInt8], type: FrameType, sentTime: Timestamp) {
        self.tail.removeAll(keepingCapacity: true)
        self.tail.reserveCapacity(body.count + 64)
        self.tail.append(contentsOf: #","type":""#.utf8)
        self.tail.append(contentsOf: type.rawValue.utf8)
        self.tail.append(contentsOf: #"","sent_time":"#.utf8)
        Decimal6.writeInteger(UInt64(max(0, sentTime.microseconds)), to: &self.tail)
        self.tail.append(contentsOf: #","body":"#.utf8)
        self.tail.append(contentsOf: body)
        self.tail.append(UInt8(ascii: "}"))
    }

    /// A frame whose body has no type of its own, such as an operator's command.
    public init(type: FrameType, body: JSONValue, sentTime: Timestamp) {
        var writer = JSONWriter()
        body.write(to: &writer)
        self.wrap(writer.bytes, type: type, sentTime: sentTime)
    }

    public init<Body: FrameBody>(_ body: Body, sentTime: Timestamp) {
        var writer = JSONWriter()
        self.init(body, sentTime: sentTime, writer: &writer)
    }

    private static let head = Array(#"{"v":1,"seq":"#.utf8)

    /// Bytes of the whole frame, the length included, with this sequence number.
    public func byteCount(sequence: Int64) -> Int { 4 + Self.head.count + Self.digitCount(sequence) + self.tail.count }

    /// Appends the whole frame, length first.
    public func write(sequence: Int64, to bytes: inout [UInt8]) {
        let length = self.byteCount(sequence: sequence) - 4
        precondition(length <= FrameDecoder.byteCountMax, "a frame of \(length) bytes must come in parts")
        bytes.append(UInt8(truncatingIfNeeded: length >> 24))
        bytes.append(UInt8(truncatingIfNeeded: length >> 16))
        bytes.append(UInt8(truncatingIfNeeded: length >> 8))
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(contentsOf: Self.head)
        Decimal6.writeInteger(UInt64(sequence), to: &bytes)
        bytes.append(contentsOf: self.tail)
    }

    private static func digitCount(_ value: Int64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }
}

/// The body of one type of frame. `docs/PROTOCOL.md` shows an example of each.
public protocol FrameBody: Sendable {
    static var type: FrameType { get }
    func write(to writer: inout JSONWriter)
    init(reading reader: inout JSONReader) throws(JSONError)
}
