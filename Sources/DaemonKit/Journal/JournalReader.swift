import CLinux
import Glibc

/// Reads a journal's file, line by line.
public enum JournalReader {
    /// A daily file of a journal.
    public struct DailyFile: Hashable, Sendable {
        /// Since 1970, UTC.
        public let day: Int64
        public let path: String
    }

    /// The longest line of a file that somebody may be writing to. A checkpoint has a few megabytes.
    static let lineByteCountMax = 256 << 20

    /// The daily files of the journal `name`, the oldest first; none where there is no directory.
    public static func dailyFiles(in directory: String, of name: String) throws(JournalError) -> [DailyFile] {
        guard DaemonDirectories.exists(directory) else { return [] }
        return try JournalFile.entries(of: directory)
            .compactMap { file in
                JournalFile.day(of: file, name: name).map { DailyFile(day: $0, path: "\(directory)/\(file)") }
            }
            .sorted { $0.day < $1.day }
    }

    /// Calls `body` with each whole line that a file has now, without its newline, also while somebody writes to it.
    ///
    /// The file is copied piece by piece: a writer may take half a line back that a full disk did not take.
    ///
    /// - Parameter body: gets the line and its offset in the file; the bytes are valid during the call only.
    public static func forEachLine(
        ofGrowing path: String, pieceByteCount: Int = 1 << 20,
        _ body: (UnsafeBufferPointer<UInt8>, _ offset: Int) throws -> Void
    ) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalError.system(path, SystemError("open")) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw JournalError.system(path, SystemError("fstat")) }
        let end = Int(status.st_size)
        /// What follows the last newline, and where it begins.
        var (rest, start): ([UInt8], Int) = ([], 0)
        while start + rest.count < end {
            let wanted = min(pieceByteCount, end - start - rest.count)
            let searched = rest.count
            let piece = try Self.read(descriptor, path, from: start + searched, count: wanted)
            guard !piece.isEmpty else { return }
            rest += piece
            guard rest.count <= Self.lineByteCountMax else {
                throw JournalError.system(path, SystemError("read", code: EFBIG))
            }
            var used = 0
            try rest.withUnsafeBufferPointer { bytes in
                var from = searched
                while let newline = bytes[from...].firstIndex(of: UInt8(ascii: "\n")) {
                    try body(UnsafeBufferPointer(rebasing: bytes[used..<newline]), start + used)
                    used = newline + 1
                    from = used
                }
            }
            rest.removeFirst(used)
            start += used
        }
    }

    private static func read(_ descriptor: Int32, _ path: String, from offset: Int, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            let read = pread(descriptor, &bytes, count, off_t(offset))
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw JournalError.system(path, SystemError("pread")) }
            return Array(bytes[..<read])
        }
    }

    /// Calls `body` with each whole line, without its newline; bytes after the last newline are passed over.
    ///
    /// - Parameters:
    ///   - prefix: begin with the last line that starts so; with the first line where none does.
    ///   - body: gets the line and its offset in the file; the bytes are valid during the call only.
    public static func forEachLine(
        of path: String, fromLastStartingWith prefix: String? = nil,
        _ body: (UnsafeBufferPointer<UInt8>, _ offset: Int) throws -> Void
    ) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalError.system(path, SystemError("open")) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw JournalError.system(path, SystemError("fstat")) }
        let count = Int(status.st_size)
        guard count > 0 else { return }
        let map = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let map, map != MAP_FAILED else { throw JournalError.system(path, SystemError("mmap")) }
        defer { munmap(map, count) }
        let bytes = UnsafeBufferPointer(start: map.assumingMemoryBound(to: UInt8.self), count: count)
        var start = prefix.map { Self.lastLine(of: bytes, startingWith: Array($0.utf8)) } ?? 0
        while start < count, let length = Self.newline(in: bytes, from: start) {
            try body(UnsafeBufferPointer(rebasing: bytes[start..<start + length]), start)
            start += length + 1
        }
    }

    /// Bytes up to and without the next newline; `nil` when there is none.
    private static func newline(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        let base = bytes.baseAddress! + start
        guard let found = memchr(base, Int32(UInt8(ascii: "\n")), bytes.count - start) else { return nil }
        return UnsafeRawPointer(base).distance(to: found)
    }

    /// Offset of the last whole line that starts with `prefix`; zero when none does.
    private static func lastLine(of bytes: UnsafeBufferPointer<UInt8>, startingWith prefix: [UInt8]) -> Int {
        var end = bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0
        while end > 0 {
            let before = bytes[..<end].lastIndex(of: UInt8(ascii: "\n"))
            let start = before.map { $0 + 1 } ?? 0
            if bytes[start..<end].starts(with: prefix) { return start }
            guard let before else { return 0 }
            end = before
        }
        return 0
    }
}
