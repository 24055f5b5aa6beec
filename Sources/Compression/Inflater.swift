import CZlib

/// What is wrong with compressed bytes.
public enum CompressionProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// They end within a block, as after a kill.
    case torn
    /// They are no gzip, or not what was written.
    case damaged

    public var description: String {
        switch self {
        case .torn: "its last block is not whole"
        case .damaged: "a block is damaged"
        }
    }
}

/// Inflates gzip members that follow one another, piece by piece, in bounded memory. Confined to its owner.
public final class Inflater {
    /// Inflated at a time, whatever the compressed bytes promise.
    static let pieceByteCountMax = 65_536

    private let stream: UnsafeMutablePointer<z_stream>
    private var piece: [UInt8]
    /// Whether the bytes so far end with a member's end.
    private var isBetweenMembers = true

    public init() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        self.piece = [UInt8](repeating: 0, count: Self.pieceByteCountMax)
        // 15: the largest window; 16: with gzip's header and checksum.
        let code = inflateInit2_(self.stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib has no memory, or is of another version than its header")
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Takes the next compressed bytes, and hands out what they become, at most 64 KiB at a time.
    ///
    /// - Parameter take: returns whether more is wanted; otherwise the rest of `bytes` is given up.
    public func take(
        _ bytes: UnsafeBufferPointer<UInt8>, _ take: (UnsafeBufferPointer<UInt8>) -> Bool
    ) throws(CompressionProblem) {
        self.stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        self.stream.pointee.avail_in = UInt32(bytes.count)
        var isFull = false
        while self.stream.pointee.avail_in > 0 || isFull {
            if self.isBetweenMembers && self.stream.pointee.avail_in > 0 { inflateReset(self.stream) }
            let (code, count) = self.step()
            isFull = count == self.piece.count
            self.isBetweenMembers = code == Z_STREAM_END
            // Z_BUF_ERROR: there was nothing left to hand out.
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .damaged }
            let wantsMore = self.piece.withUnsafeBufferPointer { piece in
                count == 0 || take(UnsafeBufferPointer(rebasing: piece[..<count]))
            }
            guard wantsMore else { return }
            if self.isBetweenMembers && self.stream.pointee.avail_in == 0 { return }
        }
    }

    private func step() -> (code: Int32, count: Int) {
        self.piece.withUnsafeMutableBufferPointer { piece in
            self.stream.pointee.next_out = piece.baseAddress
            self.stream.pointee.avail_out = UInt32(piece.count)
            let code = inflate(self.stream, Z_NO_FLUSH)
            return (code, piece.count - Int(self.stream.pointee.avail_out))
        }
    }

    /// To be called after the last bytes.
    public func end() throws(CompressionProblem) {
        guard self.isBetweenMembers else { throw .torn }
    }
}
