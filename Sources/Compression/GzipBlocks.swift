import CZlib

/// Makes blocks, each of them one gzip member that says in its header how long it is.
///
/// Members after one another are a gzip file, which `zcat` reads. The length stands in the header's extra field, as in the BGZF
/// files of the trade of genomes, so that the last whole block of a large file is found without inflating it.
///
///     bytes   0…9      10…11  12…13  14…15      16…19             20…            the last 8
///             header   8      "PB"   4          length of it all  deflated       checksum, length
///
/// Numbers are little-endian. Source: RFC 1952, 2.3. Confined to its owner.
public final class GzipBlocks {
    /// The fastest. The best levels save a fifth of the room for well over half as much time again.
    public static let level: Int32 = 1
    static let headerByteCount = 20
    static let trailerByteCount = 8
    /// The header's first four bytes (deflate, with an extra field), and the extra field's first six.
    static let magic: [UInt8] = [0x1f, 0x8b, 8, 4]
    static let extra: [UInt8] = [8, 0, UInt8(ascii: "P"), UInt8(ascii: "B"), 4, 0]

    /// zlib keeps the address of it.
    private let stream: UnsafeMutablePointer<z_stream>

    public init() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        // 15: the largest window; negative: bare deflate, as header and checksum are ours to write.
        let code = deflateInit2_(
            self.stream, Self.level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib has no memory, or is of another version than its header")
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// One block that holds `bytes`.
    ///
    /// - Parameter bytes: fewer than 2^31.
    public func block(of bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        precondition(bytes.count <= Int32.max, "more than a block's header can say")
        deflateReset(self.stream)
        let room = Self.headerByteCount + Int(deflateBound(self.stream, UInt(bytes.count))) + Self.trailerByteCount
        return [UInt8](unsafeUninitializedCapacity: room) { block, count in
            let deflated = self.deflate(bytes, to: block.baseAddress! + Self.headerByteCount, room: room)
            count = Self.headerByteCount + deflated + Self.trailerByteCount
            // No time, no flags; 4: the fastest way was taken; 255: of no named system.
            let header = Self.magic + [0, 0, 0, 0, 4, 255] + Self.extra + Self.littleEndian(UInt32(count))
            let checksum = UInt32(truncatingIfNeeded: crc32_z(0, bytes.baseAddress, bytes.count))
            let trailer = Self.littleEndian(checksum) + Self.littleEndian(UInt32(bytes.count))
            for (index, byte) in header.enumerated() { block.initializeElement(at: index, to: byte) }
            for (index, byte) in trailer.enumerated() {
                block.initializeElement(at: count - trailer.count + index, to: byte)
            }
        }
    }

    private func deflate(_ bytes: UnsafeBufferPointer<UInt8>, to out: UnsafeMutablePointer<UInt8>, room: Int) -> Int {
        self.stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        self.stream.pointee.avail_in = UInt32(bytes.count)
        self.stream.pointee.next_out = out
        self.stream.pointee.avail_out = UInt32(room - Self.headerByteCount - Self.trailerByteCount)
        let code = CZlib.deflate(self.stream, Z_FINISH)
        precondition(code == Z_STREAM_END, "deflateBound told of too little room")
        return Int(self.stream.pointee.total_out)
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    // MARK: Finding them again

    /// Bytes of a file that tell of a block, at most.
    public static let headByteCount = headerByteCount

    /// What the first bytes at some place of a file are.
    public enum Head: Equatable, Sendable {
        /// A block of so many bytes, whether they are there or not.
        case block(byteCount: Int)
        /// Too little to tell.
        case cut
        /// Nothing that was made here.
        case foreign
    }

    /// - Parameter bytes: at most the first `headByteCount` bytes at some place of a file.
    public static func head(_ bytes: some Collection<UInt8>) -> Head {
        let bytes = Array(bytes)
        let isOurs = zip(bytes, Self.magic).allSatisfy(==) && zip(bytes.dropFirst(10), Self.extra).allSatisfy(==)
        guard isOurs else { return .foreign }
        guard bytes.count >= Self.headerByteCount else { return .cut }
        let byteCount = (16..<20).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
        let isPossible = byteCount > Self.headerByteCount + Self.trailerByteCount
        return isPossible ? .block(byteCount: byteCount) : .foreign
    }
}
