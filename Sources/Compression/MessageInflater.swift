import CZlib

/// Inflates the messages of one direction of a WebSocket connection, piece by piece. Confined to its owner.
///
/// Its window is the largest, which reads what was made with any smaller one. Source: RFC 7692, 7.2.2.
public final class MessageInflater {
    /// What a sender leaves out at the end of each message: the length of an empty block without compression.
    static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    /// What zlib tells in `data_type` between two blocks, with no bit of a byte left over.
    private static let isBetweenBlocks: Int32 = 128

    private let stream: UnsafeMutablePointer<z_stream>

    public init() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        // 15: the largest window; negative: bare deflate, without header and checksum.
        let code = inflateInit2_(self.stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib has no memory, or is of another version than its header")
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Takes from the front of a message's bytes what fills `room`, or all of them.
    ///
    /// - Parameter room: not empty. When it was filled more may be to come, even if `bytes` is empty.
    /// - Returns: how many bytes were put into `room`.
    public func inflate(
        _ bytes: inout UnsafeBufferPointer<UInt8>, to room: UnsafeMutableBufferPointer<UInt8>
    ) throws(CompressionProblem) -> Int {
        let count = min(bytes.count, Int(Int32.max))
        self.stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        self.stream.pointee.avail_in = UInt32(count)
        self.stream.pointee.next_out = room.baseAddress
        self.stream.pointee.avail_out = UInt32(min(room.count, Int(Int32.max)))
        while true {
            let code = CZlib.inflate(self.stream, Z_SYNC_FLUSH)
            // A block may be marked as the last of all; others follow it nevertheless, and may refer to what was before it.
            if code == Z_STREAM_END { inflateResetKeep(self.stream) }
            // Z_BUF_ERROR: there was nothing to take, or nothing left to hand out.
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .damaged }
            guard code == Z_STREAM_END && self.stream.pointee.avail_in > 0 && self.stream.pointee.avail_out > 0 else {
                break
            }
        }
        bytes = UnsafeBufferPointer(rebasing: bytes[(count - Int(self.stream.pointee.avail_in))...])
        return room.count - Int(self.stream.pointee.avail_out)
    }

    /// Takes what the sender left out at the end of a message, as `inflate(_:to:)` takes what it sent.
    ///
    /// - Returns: how many bytes were put into `room`: none where the message is whole.
    public func endMessage(_ room: UnsafeMutableBufferPointer<UInt8>) throws(CompressionProblem) -> Int {
        let count = try Self.tail.withUnsafeBufferPointer { (tail) throws(CompressionProblem) in
            var rest = tail
            return try self.inflate(&rest, to: room)
        }
        guard self.stream.pointee.data_type == Self.isBetweenBlocks else { throw .torn }
        return count
    }

    /// The next message refers to nothing of those before it.
    public func forget() { inflateReset(self.stream) }
}
