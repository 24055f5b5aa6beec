import CDeflate
import Glibc

/// A file of `GzipBlocks`, read block by block: nothing is handed out before its checksum was found right, and what follows a damaged
/// block can still be read. Confined to its owner.
public final class RecordedBlocks {
    /// Largest block, compressed or not: far more than any writer makes.
    static let byteCountMax = 64 << 20

    private let descriptor: Int32
    private let decompressor: OpaquePointer
    private var offset = 0
    private var block: [UInt8] = []

    /// - Returns: `nil` for a file that does not begin with a block: it was written by somebody else, or is empty.
    public init?(_ path: String) throws(RecordedFile.Problem) {
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw .system(code: errno) }
        guard let decompressor = libdeflate_alloc_decompressor() else { fatalError("no memory to decompress with") }
        self.decompressor = decompressor
        try self.read(GzipBlocks.headByteCount)
        guard case .block = GzipBlocks.head(self.block) else { return nil }
    }

    deinit {
        close(self.descriptor)
        libdeflate_free_decompressor(self.decompressor)
    }

    /// Puts the next block's text into `text`.
    ///
    /// - Returns: false at the file's end.
    /// - Throws: what is wrong; after a damaged block the next call goes on with the one behind it, where that can be found.
    public func next(_ text: inout [UInt8]) throws(RecordedFile.Problem) -> Bool {
        try self.read(GzipBlocks.headByteCount)
        guard !self.block.isEmpty else { return false }
        switch GzipBlocks.head(self.block) {
        case .cut: throw self.end(with: .torn)
        case .foreign: throw self.end(with: .damaged)
        case .block(let byteCount):
            guard byteCount <= Self.byteCountMax else { throw self.end(with: .damaged) }
            try self.read(byteCount)
            guard self.block.count == byteCount else { throw self.end(with: .torn) }
            self.offset += byteCount
            guard self.inflate(into: &text) else { throw .compression(.damaged) }
            return true
        }
    }

    private func end(with problem: CompressionProblem) -> RecordedFile.Problem {
        self.offset = Int.max
        return .compression(problem)
    }

    /// Reads so many bytes at the present place, or as many as there are.
    private func read(_ count: Int) throws(RecordedFile.Problem) {
        self.block.removeAll(keepingCapacity: true)
        guard self.offset < Int.max else { return }
        var failure: Int32?
        let offset = self.offset
        self.block = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            while filled < count {
                let read = pread(self.descriptor, room.baseAddress! + filled, count - filled, off_t(offset + filled))
                if read < 0 && errno == EINTR { continue }
                if read < 0 { failure = errno }
                guard read > 0 else { return }
                filled += read
            }
        }
        if let failure { throw .system(code: failure) }
    }

    private func inflate(into text: inout [UInt8]) -> Bool {
        let length = self.block.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.byteCountMax else { return false }
        var isRight = false
        text = [UInt8](unsafeUninitializedCapacity: length) { room, count in
            let result = self.block.withUnsafeBufferPointer {
                libdeflate_gzip_decompress(
                    self.decompressor, $0.baseAddress, $0.count, room.baseAddress, length, nil)
            }
            isRight = result == LIBDEFLATE_SUCCESS
            count = isRight ? length : 0
        }
        return isRight
    }
}
