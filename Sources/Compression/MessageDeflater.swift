import CZlib

/// Deflates the messages of one direction of a WebSocket connection. Confined to its owner.
///
/// Source: RFC 7692, 7.2.1.
public final class MessageDeflater {
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: 9...15, the logarithm of how far back a message may refer, in bytes.
    public init(windowBits: Int32 = 15) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let code = deflateInit2_(
            self.stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib has no memory, or is of another version than its header")
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// One message, without the end that every message has.
    public func message(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        precondition(bytes.count <= Int32.max, "more than zlib takes at a time")
        // The beginning of an empty block: zlib flushes nothing where nothing is. Source: RFC 7692, 7.2.3.6.
        guard !bytes.isEmpty else { return [0x00] }
        // Beside the bound, the mark that ends a flush and the bits before it.
        let room = Int(deflateBound(self.stream, UInt(bytes.count))) + 16
        return [UInt8](unsafeUninitializedCapacity: room) { output, count in
            self.stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            self.stream.pointee.avail_in = UInt32(bytes.count)
            self.stream.pointee.next_out = output.baseAddress
            self.stream.pointee.avail_out = UInt32(room)
            let code = deflate(self.stream, Z_SYNC_FLUSH)
            precondition(code == Z_OK && self.stream.pointee.avail_out > 0, "deflateBound told of too little room")
            count = room - Int(self.stream.pointee.avail_out) - MessageInflater.tail.count
        }
    }

    /// The next message refers to nothing of those before it.
    public func forget() { deflateReset(self.stream) }
}
