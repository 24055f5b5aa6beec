import Compression

/// A server that broke RFC 6455. The connection is to be closed with `code`.
public struct WebSocketProtocolError: Error, Equatable, CustomStringConvertible {
    /// 1002 for broken framing, 1007 for text that is not UTF-8 and for what cannot be inflated, 1009 for a message that is
    /// too large.
    public let code: UInt16
    public let detail: String

    public init(code: UInt16, detail: String) {
        self.code = code
        self.detail = detail
    }

    public var description: String { "\(self.detail) (close code \(self.code))" }
}

/// The receiving half of RFC 6455 for a client, as a value: bytes in, messages and control frames out, no I/O.
///
///     while let event = try codec.next(&bytes) { … }
///
/// It pulls, so whoever handles an event may send, close or throw all away in the middle of a read. A message that lies
/// whole in `bytes`, as nearly all do, is handed out where it lies; only what is cut or fragmented is copied, once, and what
/// is compressed (RFC 7692) is inflated to where the others are copied.
public struct WebSocketCodec: ~Copyable {
    public typealias Bytes = UnsafeBufferPointer<UInt8>

    /// What the server sent. The bytes are valid until the next call of `next(_:)` or until the caller reuses them.
    public enum Event {
        /// Valid UTF-8.
        case text(Bytes)
        case binary(Bytes)
        /// To be answered with a pong of the same payload.
        case ping(Bytes)
        case pong(Bytes)
        /// To be answered with a close frame of the same code. Nothing is read after it. No code: 1005 in the standard.
        case close(code: UInt16?, reason: String)
    }

    /// Default bound of a message: the first books of a few hundred tokens come in one.
    public static let messageByteCountMaxDefault = 16 << 20
    /// Longest header of a server's frame: two bytes and a length of eight. A server does not mask.
    private static let headerByteCountMax = 10

    private let messageByteCountMax: Int
    private var isClosed = false

    // A header that is cut by the end of the bytes.
    private let header = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.headerByteCountMax)
    private var headerCount = 0

    // The frame whose payload is being read.
    private var isInFrame = false
    private var opcode = WebSocketFrame.Opcode.continuation
    private var isFinal = false
    private var remaining = 0

    // The message whose fragments or pieces are being put together.
    private var messageOpcode: WebSocketFrame.Opcode?
    private var message = WebSocketMessageBuffer()
    private var utf8 = UTF8Validator()
    private var control = WebSocketMessageBuffer()

    // Where compressed messages were agreed on.
    private var inflater: MessageInflater?
    private var forgetsMessages = false
    private var isCompressed = false
    /// Bytes of the present message, as they came.
    private var compressedByteCount = 0

    /// - Parameter messageByteCountMax: a larger message, fragmented or not, is refused with 1009 before it is stored; a
    ///   compressed one as soon as so much of it is inflated.
    public init(messageByteCountMax: Int = Self.messageByteCountMaxDefault) {
        precondition(messageByteCountMax >= 0)
        self.messageByteCountMax = messageByteCountMax
    }

    deinit { self.header.deallocate() }

    /// From now on messages may be compressed. To be called before the first byte.
    public mutating func accept(_ deflate: WebSocketDeflate) {
        self.inflater = MessageInflater()
        self.forgetsMessages = deflate.serverNoContextTakeover
    }

    /// Takes from the front of `bytes` what makes the next event. Nil: all of `bytes` is taken, and more is needed.
    ///
    /// - Throws: once; after it, as after a close, the codec takes everything and gives nothing.
    public mutating func next(_ bytes: inout Bytes) throws(WebSocketProtocolError) -> Event? {
        do throws(WebSocketProtocolError) {
            while !self.isClosed {
                if !self.isInFrame {
                    self.forgetHandedOut()
                    guard try self.readHeader(&bytes) else { return nil }
                }
                guard self.remaining == 0 || !bytes.isEmpty else { return nil }
                if let event = try self.readPayload(&bytes) { return event }
            }
        } catch {
            self.isClosed = true
            throw error
        }
        bytes = Bytes(rebasing: bytes[bytes.endIndex...])
        return nil
    }

    /// The last event's bytes may lie in these buffers, so they are emptied only when the next one is asked for.
    private mutating func forgetHandedOut() {
        if self.control.count > 0 { self.control.removeAll() }
        if self.messageOpcode == nil && self.message.count > 0 { self.message.removeAll() }
    }

    // MARK: Headers

    private mutating func readHeader(_ bytes: inout Bytes) throws(WebSocketProtocolError) -> Bool {
        if self.headerCount == 0, bytes.count >= 2, let start = bytes.baseAddress {
            let size = Self.headerByteCount(start[1])
            if bytes.count >= size {
                try self.beginFrame(start)
                bytes = Bytes(rebasing: bytes[size...])
                return true
            }
        }
        while let byte = bytes.first {
            bytes = Bytes(rebasing: bytes[1...])
            self.header[self.headerCount] = byte
            self.headerCount += 1
            guard self.headerCount >= 2 else { continue }
            // What the first two bytes forbid is refused at once, not after the length has come.
            if self.headerCount == 2 { try self.checkFirstBytes(self.header) }
            guard self.headerCount == Self.headerByteCount(self.header[1]) else { continue }
            self.headerCount = 0
            try self.beginFrame(self.header)
            return true
        }
        return false
    }

    private static func headerByteCount(_ second: UInt8) -> Int {
        switch second & 0x7F {
        case 126: 4
        case 127: 10
        default: 2
        }
    }

    // This and what it calls change nothing. But a codec that is not to be changed is handed on as a copy, for every frame.
    private mutating func checkFirstBytes(_ header: UnsafePointer<UInt8>) throws(WebSocketProtocolError) {
        guard header[0] & 0x70 == 0 || self.beginsCompressed(header[0]) else {
            throw Self.broken("a reserved bit is set")
        }
        guard let opcode = WebSocketFrame.Opcode(rawValue: header[0] & 0x0F) else {
            throw Self.broken("reserved opcode \(header[0] & 0x0F)")
        }
        guard header[1] & 0x80 == 0 else { throw Self.broken("a server's frame is masked") }
        if opcode.isControl {
            guard header[0] & 0x80 != 0 else { throw Self.broken("a control frame is fragmented") }
            guard header[1] <= UInt8(WebSocketFrame.controlByteCountMax) else {
                throw Self.broken("a control frame is longer than \(WebSocketFrame.controlByteCountMax) bytes")
            }
        } else if opcode == .continuation {
            guard self.messageOpcode != nil else { throw Self.broken("a continuation without a beginning") }
        } else {
            guard self.messageOpcode == nil else { throw Self.broken("a message begins inside another") }
        }
    }

    /// The first frame of a message may say that it is compressed, if that was agreed on (RFC 7692, 6).
    private mutating func beginsCompressed(_ first: UInt8) -> Bool {
        guard first & 0x70 == 0x40 && self.inflater != nil else { return false }
        return first & 0x0F == WebSocketFrame.Opcode.text.rawValue
            || first & 0x0F == WebSocketFrame.Opcode.binary.rawValue
    }

    private mutating func beginFrame(_ header: UnsafePointer<UInt8>) throws(WebSocketProtocolError) {
        try self.checkFirstBytes(header)
        var length = UInt64(header[1])
        if length >= 126 {
            let smallest: UInt64 = length == 126 ? 126 : 0x1_0000
            length = (2..<Self.headerByteCount(header[1])).reduce(0) { $0 << 8 | UInt64(header[$1]) }
            guard length >= smallest else { throw Self.broken("a length is written longer than needed") }
            guard length <= UInt64(Int64.max) else { throw Self.broken("the highest bit of a length is set") }
        }
        self.isFinal = header[0] & 0x80 != 0
        self.opcode = WebSocketFrame.Opcode(rawValue: header[0] & 0x0F) ?? .continuation
        if !self.opcode.isControl {
            guard length <= UInt64(self.messageByteCountMax - self.message.count) else { throw self.tooLarge() }
            if header[0] & 0x40 != 0 { self.beginCompressed() }
        }
        self.remaining = Int(length)
        self.isInFrame = true
    }

    // MARK: Payloads

    private mutating func readPayload(_ bytes: inout Bytes) throws(WebSocketProtocolError) -> Event? {
        let piece = Bytes(rebasing: bytes.prefix(self.remaining))
        bytes = Bytes(rebasing: bytes[piece.count...])
        self.remaining -= piece.count
        if self.remaining == 0 { self.isInFrame = false }
        if self.opcode.isControl {
            self.control.append(piece)
            return self.remaining == 0 ? try self.endControl() : nil
        }
        if self.opcode != .continuation && self.messageOpcode == nil {
            if self.isFinal && self.remaining == 0 { return try Self.wholeMessage(self.opcode, piece) }
            self.messageOpcode = self.opcode
            self.utf8 = UTF8Validator()
        }
        if self.isCompressed {
            try self.inflate(piece)
        } else {
            if self.messageOpcode == .text {
                guard self.utf8.accept(piece) else { throw Self.notUTF8 }
            }
            self.message.append(piece)
        }
        guard self.remaining == 0 && self.isFinal else { return nil }
        if self.isCompressed { try self.endInflating() }
        let isText = self.messageOpcode == .text
        guard !isText || self.utf8.isComplete else { throw Self.notUTF8 }
        self.messageOpcode = nil
        return isText ? .text(self.message.bytes) : .binary(self.message.bytes)
    }

    private static func wholeMessage(
        _ opcode: WebSocketFrame.Opcode, _ bytes: Bytes
    ) throws(WebSocketProtocolError) -> Event {
        guard opcode == .text else { return .binary(bytes) }
        var utf8 = UTF8Validator()
        guard utf8.accept(bytes) && utf8.isComplete else { throw Self.notUTF8 }
        return .text(bytes)
    }

    // MARK: Compressed messages

    /// Such a message is put together like one of many pieces, even if it lies whole in the bytes.
    private mutating func beginCompressed() {
        self.messageOpcode = self.opcode
        self.utf8 = UTF8Validator()
        self.isCompressed = true
        self.compressedByteCount = 0
    }

    private mutating func inflate(_ piece: Bytes) throws(WebSocketProtocolError) {
        self.compressedByteCount += piece.count
        // Of bytes that become nothing there could be any number.
        guard self.compressedByteCount <= self.messageByteCountMax else { throw self.tooLarge() }
        var rest = piece
        var isFull = false
        while !rest.isEmpty || isFull {
            let room = self.roomForInflated()
            let count: Int
            do throws(CompressionProblem) { count = try self.inflater?.inflate(&rest, to: room) ?? 0 } catch {
                throw Self.damaged(error)
            }
            try self.take(room, count)
            isFull = count == room.count
        }
    }

    private mutating func endInflating() throws(WebSocketProtocolError) {
        let room = self.roomForInflated()
        let count: Int
        do throws(CompressionProblem) { count = try self.inflater?.endMessage(room) ?? 0 } catch {
            throw Self.damaged(error)
        }
        try self.take(room, count)
        if self.forgetsMessages { self.inflater?.forget() }
        self.isCompressed = false
    }

    /// One byte more than a message may have, so that a larger one shows.
    private mutating func roomForInflated() -> UnsafeMutableBufferPointer<UInt8> {
        self.message.room(byteCountMax: self.messageByteCountMax - self.message.count + 1)
    }

    private mutating func take(_ room: UnsafeMutableBufferPointer<UInt8>, _ count: Int) throws(WebSocketProtocolError) {
        self.message.grew(by: count)
        guard self.message.count <= self.messageByteCountMax else { throw self.tooLarge() }
        guard self.messageOpcode != .text || self.utf8.accept(Bytes(rebasing: room[..<count])) else {
            throw Self.notUTF8
        }
    }

    private mutating func endControl() throws(WebSocketProtocolError) -> Event {
        let payload = self.control.bytes
        guard self.opcode == .close else { return self.opcode == .ping ? .ping(payload) : .pong(payload) }
        self.isClosed = true
        guard !payload.isEmpty else { return .close(code: nil, reason: "") }
        guard payload.count >= 2 else { throw Self.broken("half a close code") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard Self.mayBeSent(code) else { throw Self.broken("close code \(code) is never sent") }
        let reason = Bytes(rebasing: payload[2...])
        var utf8 = UTF8Validator()
        guard utf8.accept(reason) && utf8.isComplete else { throw Self.notUTF8 }
        return .close(code: code, reason: String(decoding: reason, as: UTF8.self))
    }

    /// Whether a close frame may carry `code`: those that RFC 6455 and its registry define for the wire, those of
    /// libraries (3000...3999) and those of applications (4000...4999).
    public static func mayBeSent(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    private static func broken(_ detail: String) -> WebSocketProtocolError {
        WebSocketProtocolError(code: 1002, detail: detail)
    }

    private mutating func tooLarge() -> WebSocketProtocolError {
        WebSocketProtocolError(code: 1009, detail: "a message is larger than \(self.messageByteCountMax) bytes")
    }

    private static func damaged(_ problem: CompressionProblem) -> WebSocketProtocolError {
        WebSocketProtocolError(code: 1007, detail: "a message cannot be inflated: \(problem)")
    }

    private static var notUTF8: WebSocketProtocolError {
        WebSocketProtocolError(code: 1007, detail: "a text is not UTF-8")
    }
}
