import CLinux
import Glibc
public import Shared

/// A journal of lines in daily files, `NAME-2026-05-12.jsonl`, that survives being killed at any instruction.
///
/// Lines are in the kernel's hands when `append` returns, and on the disk some 20 ms later. Every file begins with a
/// line that stands for all files before it, and appears in the directory whole or not at all. Files are readable by
/// their owner alone and never deleted. Confined to its owner; the disk is waited for on another thread.
public final class JournalWriter {
    /// What a write that was cut off left behind.
    public struct TornTail: Sendable {
        public let byteCount: Int
        /// Where the bytes were put aside.
        public let path: String
    }

    /// Writes like `write(2)`; tests put failing disks in its place.
    typealias Write = (Int32, UnsafeRawPointer, Int) -> Int

    public let directory: String
    public let name: String
    /// What had to be mended at the start.
    public private(set) var tornTail: TornTail?
    /// The present file; `nil` before the first.
    public private(set) var path: String?

    private let lock: Int32
    private let syncer: JournalSyncer
    private let write: Write
    private var descriptor: Int32 = -1
    private var byteCount = 0
    private var day: Int64?
    private var isBroken = false
    private var isClosed = false

    /// Takes the journal of `directory`, which must exist, for this process alone, and mends the end of its last file.
    public convenience init(directory: String, name: String) throws(JournalError) {
        try self.init(directory: directory, name: name, write: Glibc.write)
    }

    init(directory: String, name: String, write: @escaping Write) throws(JournalError) {
        self.directory = directory
        self.name = name
        self.write = write
        let lockPath = "\(directory)/\(name).lock"
        let lock = clinux_open(lockPath, O_RDWR | O_CREAT, 0o600)
        guard lock >= 0 else { throw .system(lockPath, SystemError("open")) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError("flock")
            Glibc.close(lock)
            throw error.code == EWOULDBLOCK ? .locked(directory) : .system(lockPath, error)
        }
        do {
            self.syncer = try JournalSyncer()
        } catch {
            Glibc.close(lock)
            throw .system(directory, error)
        }
        self.lock = lock
        do throws(JournalError) {
            try self.openNewest()
        } catch {
            self.close()
            throw error
        }
    }

    deinit { self.close() }

    /// Whether a file of `time`'s day, or of a later one, is still to be begun.
    public func needsFile(for time: Timestamp) -> Bool { self.day.map { Self.day(of: time) > $0 } ?? true }

    /// Begins the file of `time`'s day with `head`, a whole line that stands for everything before.
    public func beginFile(at time: Timestamp, head: [UInt8]) throws(JournalError) {
        precondition(self.needsFile(for: time) && head.last == UInt8(ascii: "\n"), "a file begins once, with a line")
        let day = Self.day(of: time)
        let path = "\(self.directory)/\(self.name)-\(Self.text(day)).jsonl"
        let draft = path + ".new"
        unlink(draft)
        let descriptor = clinux_open(draft, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw .system(draft, SystemError("open")) }
        do throws(SystemError) {
            try self.write(head, to: descriptor)
            guard fsync(descriptor) == 0 else { throw SystemError("fsync") }
            guard rename(draft, path) == 0 else { throw SystemError("rename") }
            try self.syncDirectory()
        } catch {
            Glibc.close(descriptor)
            unlink(draft)
            throw .system(path, error)
        }
        self.closeFile()
        self.descriptor = descriptor
        self.byteCount = head.count
        self.path = path
        self.day = day
        self.isBroken = false
    }

    /// Appends whole lines with one write.
    ///
    /// - Throws: when the disk does not take them; then none of them is in the file.
    public func append(_ lines: [UInt8]) throws(JournalError) {
        guard let path = self.path else { preconditionFailure("a journal's first file was not begun") }
        guard !self.isBroken else { throw .broken(path) }
        guard !lines.isEmpty else { return }
        do throws(SystemError) {
            try self.write(lines, to: self.descriptor)
        } catch {
            // What was written of them must not stand before the next line.
            if ftruncate(self.descriptor, off_t(self.byteCount)) != 0 { self.isBroken = true }
            throw .system(path, error)
        }
        self.byteCount += lines.count
        if let failure = self.syncer.request(self.descriptor) { throw .system(path, failure) }
    }

    /// Waits until everything is on the disk.
    public func sync() { self.syncer.waitUntilIdle() }

    /// Brings everything to the disk and gives the journal free.
    public func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.closeFile()
        self.syncer.stop()
        Glibc.close(self.lock)
    }

    // MARK: Files

    private func openNewest() throws(JournalError) {
        var newest: (day: Int64, path: String)?
        for file in try Self.entries(of: self.directory) {
            if file.hasPrefix("\(self.name)-") && file.hasSuffix(".jsonl.new") { unlink("\(self.directory)/\(file)") }
            guard let day = self.day(ofFile: file), day > newest?.day ?? -1 else { continue }
            newest = (day, "\(self.directory)/\(file)")
        }
        guard let newest else { return }
        let descriptor = clinux_open(newest.path, O_RDWR | O_APPEND, 0)
        guard descriptor >= 0 else { throw .system(newest.path, SystemError("open")) }
        self.descriptor = descriptor
        self.path = newest.path
        self.day = newest.day
        do throws(SystemError) { try self.mend(newest.path) } catch { throw .system(newest.path, error) }
    }

    /// Cuts what follows the last newline off the present file and keeps it beside.
    private func mend(_ path: String) throws(SystemError) {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { throw SystemError("fstat") }
        let size = Int(status.st_size)
        var tail: [UInt8] = []
        let blockSize = 65_536
        var end = size
        var whole = 0
        while end > 0 {
            let start = max(0, end - blockSize)
            var block = [UInt8](repeating: 0, count: end - start)
            guard pread(self.descriptor, &block, block.count, off_t(start)) == block.count else {
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
        self.byteCount = whole
        guard !tail.isEmpty else { return }
        let tornPath = path + ".torn"
        let torn = clinux_open(tornPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard torn >= 0 else { throw SystemError("open") }
        defer { Glibc.close(torn) }
        try self.write(tail + [UInt8(ascii: "\n")], to: torn)
        guard ftruncate(self.descriptor, off_t(whole)) == 0 else { throw SystemError("ftruncate") }
        guard fsync(self.descriptor) == 0 else { throw SystemError("fsync") }
        self.tornTail = TornTail(byteCount: tail.count, path: tornPath)
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                self.write(descriptor, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw count < 0 ? SystemError("write") : SystemError("write", code: ENOSPC) }
            written += count
        }
    }

    private func closeFile() {
        guard self.descriptor >= 0 else { return }
        self.syncer.waitUntilIdle()
        fdatasync(self.descriptor)
        Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    /// A new name is only safe once its directory is on the disk.
    private func syncDirectory() throws(SystemError) {
        let descriptor = clinux_open(self.directory, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError("fsync") }
    }

    private static func entries(of directory: String) throws(JournalError) -> [String] {
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

    private func day(ofFile file: String) -> Int64? {
        guard file.hasPrefix("\(self.name)-") && file.hasSuffix(".jsonl") else { return nil }
        let date = file.dropFirst(self.name.count + 1).dropLast(".jsonl".count)
        return Timestamp(rfc3339: "\(date)T00:00:00Z").map(Self.day)
    }

    private static func day(of time: Timestamp) -> Int64 { time.microseconds / 86_400_000_000 }
    private static func text(_ day: Int64) -> String { String(Timestamp(seconds: day * 86_400).rfc3339.prefix(10)) }
}
