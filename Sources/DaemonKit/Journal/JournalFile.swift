import CLinux
import Compression
import Glibc
import Shared

/// What all journals do with their directories and files.
enum JournalFile {
    /// Writes like `write(2)`; tests put failing disks in its place.
    typealias Write = (Int32, UnsafeRawPointer, Int) -> Int

    /// Writes all of `bytes`.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, with write: Write) throws(SystemError) {
        guard let base = bytes.baseAddress else { return }
        var written = 0
        while written < bytes.count {
            let count = write(descriptor, base + written, bytes.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw count < 0 ? SystemError("write") : SystemError("write", code: ENOSPC) }
            written += count
        }
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, with write: Write) throws(SystemError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(SystemError) in
            try Self.write(UnsafeRawBufferPointer(bytes), to: descriptor, with: write)
        }
    }

    /// Cuts what follows the last newline off a file and keeps it beside, in `path` with ".torn".
    ///
    /// - Returns: the bytes that the file has then, and what was cut off.
    static func mend(
        _ descriptor: Int32, _ path: String, with write: Write
    ) throws(SystemError) -> (byteCount: Int, tornTail: JournalWriter.TornTail?) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat") }
        var tail: [UInt8] = []
        let blockSize = 65_536
        var end = Int(status.st_size)
        var whole = 0
        while end > 0 {
            let start = max(0, end - blockSize)
            var block = [UInt8](repeating: 0, count: end - start)
            guard pread(descriptor, &block, block.count, off_t(start)) == block.count else {
                throw SystemError("pread")
            }
            if let newline = block.lastIndex(of: UInt8(ascii: "\n")) {
                whole = start + newline + 1
                tail = block[(newline + 1)...] + tail
                break
            }
            tail = block + tail
            end = start
        }
        guard !tail.isEmpty else { return (whole, nil) }
        let tornPath = path + ".torn"
        let torn = clinux_open(tornPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard torn >= 0 else { throw SystemError("open") }
        defer { close(torn) }
        let kept = tail + [UInt8(ascii: "\n")]
        try Self.write(kept, to: torn, with: write)
        guard ftruncate(descriptor, off_t(whole)) == 0 else { throw SystemError("ftruncate") }
        guard fsync(descriptor) == 0 else { throw SystemError("fsync") }
        return (whole, JournalWriter.TornTail(byteCount: tail.count, path: tornPath))
    }

    /// How many bytes of a file are whole blocks; `nil` when it does not begin with one, and was thus written by somebody else.
    ///
    /// The blocks are found by their lengths. Only the last is inflated: the others were whole when it was begun.
    static func wholeByteCount(_ descriptor: Int32) throws(SystemError) -> Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat") }
        let count = Int(status.st_size)
        var (end, last) = (0, 0)
        while end < count {
            let head = GzipBlocks.head(try Self.read(descriptor, from: end, count: GzipBlocks.headByteCount))
            if head == .foreign && end == 0 { return nil }
            guard case .block(let byteCount) = head, byteCount <= count - end else { break }
            last = end
            end += byteCount
        }
        guard end > 0 else { return 0 }
        return Self.isWhole(try Self.read(descriptor, from: last, count: end - last)) ? end : last
    }

    private static func read(_ descriptor: Int32, from offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = pread(descriptor, &bytes, count, off_t(offset))
        guard read >= 0 else { throw SystemError("pread") }
        return Array(bytes[..<read])
    }

    private static func isWhole(_ block: [UInt8]) -> Bool {
        let inflater = Inflater()
        do throws(CompressionProblem) {
            try block.withUnsafeBufferPointer { (block) throws(CompressionProblem) in
                try inflater.take(block) { _ in true }
            }
            try inflater.end()
            return true
        } catch { return false }
    }

    /// Cuts off what follows the first `whole` bytes of a file, and keeps it at the end of another.
    ///
    /// - Returns: the bytes that the other file has then; `nil` when there was nothing to cut.
    static func cut(
        _ descriptor: Int32, to whole: Int, rest path: String, with write: Write
    ) throws(SystemError) -> Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat") }
        guard status.st_size > whole else { return nil }
        let rest = clinux_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
        guard rest >= 0 else { throw SystemError("open") }
        defer { close(rest) }
        var offset = whole
        while case let piece = try Self.read(descriptor, from: offset, count: 65_536), !piece.isEmpty {
            try Self.write(piece, to: rest, with: write)
            offset += piece.count
        }
        guard ftruncate(descriptor, off_t(whole)) == 0 else { throw SystemError("ftruncate") }
        guard fsync(descriptor) == 0 else { throw SystemError("fsync") }
        guard fstat(rest, &status) == 0 else { throw SystemError("fstat") }
        return Int(status.st_size)
    }

    /// The day, since 1970, of a daily file of the journal `name`; `nil` for any other file.
    static func day(of file: String, name: String) -> Int64? {
        guard file.hasPrefix("\(name)-") && file.hasSuffix(".jsonl") else { return nil }
        let date = file.dropFirst(name.count + 1).dropLast(".jsonl".count)
        return Timestamp(rfc3339: "\(date)T00:00:00Z").map { $0.microseconds / 86_400_000_000 }
    }

    /// Names of what is in `directory`.
    static func entries(of directory: String) throws(JournalError) -> [String] {
        guard let stream = opendir(directory) else { throw .system(directory, SystemError("opendir")) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }
}

/// The sole right to a directory's journals.
///
/// The lock is on the directory itself, so that taking it needs no room on the disk and leaves no file behind.
struct JournalLock {
    private let descriptor: Int32

    /// - Throws: `locked` when another process has it.
    init(directory: String) throws(JournalError) {
        self.descriptor = clinux_open(directory, O_RDONLY | O_DIRECTORY, 0)
        guard self.descriptor >= 0 else { throw .system(directory, SystemError("open")) }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError("flock")
            close(self.descriptor)
            throw error.code == EWOULDBLOCK ? .locked(directory) : .system(directory, error)
        }
    }

    /// Gives it up, also for a child that was forked meanwhile and has not reached its `exec` yet: until then it holds a
    /// copy of the descriptor, and closing ours alone would leave the directory locked.
    func release() {
        flock(self.descriptor, LOCK_UN)
        close(self.descriptor)
    }
}

extension SystemError {
    /// The disk is full, over its quota or read-only: what a person mends, and what then works again.
    var isLackOfRoom: Bool { [ENOSPC, EDQUOT, EROFS].contains(self.code) }
}
