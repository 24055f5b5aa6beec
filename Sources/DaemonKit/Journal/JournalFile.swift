import CLinux
import Glibc

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
