/// Frames of a client, ready to send: whole, final and masked (RFC 6455, 5.2).
public enum WebSocketFrame {
    public enum Opcode: UInt8, Sendable {
        case continuation = 0x0
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xA

        /// Control frames may stand between the fragments of a message; they are short and never fragmented.
        public var isControl: Bool { self.rawValue & 0x8 != 0 }
    }

    /// Largest payload of a control frame (RFC 6455, 5.5).
    public static let controlByteCountMax = 125
    /// Longest header that a client sends: two bytes, a length of eight, a key of four.
    public static let headerByteCountMax = 14

    /// Appends one frame to `output`.
    ///
    /// - Parameter maskingKey: fresh and unpredictable for every frame, or a hostile page could write requests of its
    ///   choice onto the wire (RFC 6455, 10.3).
    public static func append(
        _ opcode: Opcode, _ payload: some Collection<UInt8>, maskingKey: UInt32, to output: inout [UInt8]
    ) {
        let count = payload.count
        precondition(!opcode.isControl || count <= self.controlByteCountMax, "control frame of \(count) bytes")
        output.append(0x80 | opcode.rawValue)
        switch count {
        case ...125: output.append(0x80 | UInt8(count))
        case ...0xFFFF:
            output.append(0x80 | 126)
            Self.appendBigEndian(UInt16(count), to: &output)
        default:
            output.append(0x80 | 127)
            Self.appendBigEndian(UInt64(count), to: &output)
        }
        Self.appendBigEndian(maskingKey, to: &output)
        var key = maskingKey
        for byte in payload {
            key = key << 8 | key >> 24
            output.append(byte ^ UInt8(truncatingIfNeeded: key))
        }
    }

    /// Appends a close frame. A reason that does not fit is cut between two characters.
    ///
    /// - Parameter code: nil for a close without a code.
    public static func appendClose(_ code: UInt16?, reason: String = "", maskingKey: UInt32, to output: inout [UInt8]) {
        guard let code else { return self.append(.close, [], maskingKey: maskingKey, to: &output) }
        var payload = [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)]
        for character in reason {
            guard payload.count + character.utf8.count <= self.controlByteCountMax else { break }
            payload.append(contentsOf: character.utf8)
        }
        self.append(.close, payload, maskingKey: maskingKey, to: &output)
    }

    private static func appendBigEndian(_ value: some FixedWidthInteger, to output: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { output.append(contentsOf: $0) }
    }
}
