import CLinux
import Glibc

/// Reads a journal's file, line by line.
public enum JournalReader {
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
