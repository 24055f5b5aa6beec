import Glibc

/// A file of recorded text that is read from its beginning, compressed with gzip or not, in bounded memory.
///
/// Whether it is compressed is told by its first two bytes. Confined to its owner.
public final class RecordedFile {
    public enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        case system(code: Int32)
        case compression(CompressionProblem)
        case lineTooLong

        public var description: String {
            switch self {
            case .system(let code): String(cString: strerror(code))
            case .compression(let problem): problem.description
            case .lineTooLong: "a line in it is longer than \(RecordedFile.lineByteCountMax >> 20) MiB"
            }
        }
    }

    /// Longest line: more than any text of the venue's with what stands around it.
    public static let lineByteCountMax = 32 << 20
    /// Deflate makes at most 1,032 bytes of one: 17 MB of a chunk.
    private static let chunkByteCount = 16_384

    private let descriptor: Int32
    private var chunk = [UInt8](repeating: 0, count: chunkByteCount)
    private var hasBegun = false
    private var hasEnded = false
    private var inflater: Inflater?
    /// Text that was read and not handed out as lines yet; `position` is where the next line begins.
    private var text: [UInt8] = []
    private var position = 0
    /// Bytes at the end of `text` that no newline ends yet.
    private var openByteCount = 0
    /// What went wrong after the text that was read last.
    private var kept: Problem?

    public init(_ path: String) throws(Problem) {
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw .system(code: errno) }
    }

    deinit { close(self.descriptor) }

    /// Reads on, and hands out what was read, piece by piece.
    ///
    /// - Parameter take: returns whether more is wanted.
    /// - Returns: false at the file's end.
    public func read(_ take: (UnsafeBufferPointer<UInt8>) -> Bool) throws(Problem) -> Bool {
        guard !self.hasEnded else { return false }
        let count = try self.fill()
        guard count > 0 else {
            self.hasEnded = true
            do throws(CompressionProblem) { try self.inflater?.end() } catch { throw .compression(error) }
            return false
        }
        do throws(CompressionProblem) {
            try self.chunk.withUnsafeBufferPointer { (chunk) throws(CompressionProblem) in
                let bytes = UnsafeBufferPointer(rebasing: chunk[..<count])
                guard let inflater = self.inflater else {
                    _ = take(bytes)
                    return
                }
                try inflater.take(bytes, take)
            }
        } catch {
            self.hasEnded = true
            throw .compression(error)
        }
        return true
    }

    private func fill() throws(Problem) -> Int {
        var filled = 0
        // The first two bytes must come together.
        while filled < (self.hasBegun ? 1 : 2) {
            let count = self.chunk.withUnsafeMutableBytes {
                Glibc.read(self.descriptor, $0.baseAddress! + filled, $0.count - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(code: errno) }
            guard count > 0 else { break }
            filled += count
        }
        if !self.hasBegun && filled >= 2 && self.chunk[0] == 0x1f && self.chunk[1] == 0x8b {
            self.inflater = Inflater()
        }
        self.hasBegun = true
        return filled
    }

    /// Hands out the next whole line, without its newline.
    ///
    /// Lines that were read before a damaged place are handed out before the error; what follows the last newline is not.
    ///
    /// - Returns: `nil` when there is none.
    public func nextLine<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) throws(Problem) -> Result? {
        var searched = self.position
        while true {
            if let end = self.newline(from: searched) {
                let line = self.position..<end
                self.position = end + 1
                return self.text.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[line])) }
            }
            self.text.removeSubrange(..<self.position)
            self.position = 0
            searched = self.text.count
            guard try self.readText() else { return nil }
        }
    }

    private func readText() throws(Problem) -> Bool {
        if let problem = self.kept {
            self.kept = nil
            throw problem
        }
        var isTooLong = false
        do throws(Problem) {
            let goesOn = try self.read { piece in
                self.text.append(contentsOf: piece)
                let newline = piece.lastIndex(of: UInt8(ascii: "\n"))
                self.openByteCount = newline.map { piece.count - $0 - 1 } ?? self.openByteCount + piece.count
                isTooLong = self.openByteCount > Self.lineByteCountMax
                return !isTooLong
            }
            guard goesOn else { return false }
        } catch {
            self.kept = error
        }
        if isTooLong {
            self.hasEnded = true
            throw .lineTooLong
        }
        return true
    }

    private func newline(from start: Int) -> Int? {
        self.text.withUnsafeBufferPointer { text in
            guard start < text.count, let base = text.baseAddress,
                let found = memchr(base + start, Int32(UInt8(ascii: "\n")), text.count - start)
            else { return nil }
            return UnsafeRawPointer(base).distance(to: found)
        }
    }
}
