import CLinux
import Glibc
public import Shared

/// A journal of lines in daily files, `NAME-2026-05-12.jsonl`, that survives being killed at any instruction.
///
/// Lines are in the kernel's hands when `append` returns, and on the disk some 20 ms later. Every file begins with a
/// line that stands for all files before it, and appears in the directory whole or not at all. Files are readable by
/// their owner alone and never deleted. Confined to its owner; the disk is waited for on another thread, but for the
/// beginning of a file: its head must be safe before a line follows it.
public final class JournalWriter {
    /// What a write that was cut off left behind.
    public struct TornTail: Sendable {
        public let byteCount: Int
        /// Where the bytes were put aside.
        public let path: String
    }

    /// How long `close()` waits for the disk. One that does not answer by then is left alone: its daemon must come to an end.
    static let closeTimeMax = Duration.seconds(3)

    public let directory: String
    public let name: String
    /// What had to be mended at the start.
    public private(set) var tornTail: TornTail?
    /// The present file; `nil` before the first.
    public private(set) var path: String?

    private let lock: JournalLock
    private let syncer: JournalSyncer
    private let write: JournalFile.Write
    private var descriptor: Int32 = -1
    private var byteCount = 0
    private var day: Int64?
    /// Whether the newest file is open and its end mended.
    private var isPrepared = false
    /// Whether half a line stands at the end, which could not be taken back.
    private var isBroken = false
    private var isClosed = false

    /// Takes the journals of `directory`, which must exist, for this process alone, and mends the end of the newest file.
    ///
    /// A disk without room is no error here: what is there can be read, and the end is mended before the next write.
    public convenience init(directory: String, name: String) throws(JournalError) {
        try self.init(directory: directory, name: name, write: Glibc.write)
    }

    init(
        directory: String, name: String, write: @escaping JournalFile.Write,
        sync: @escaping JournalSyncer.Sync = fdatasync
    ) throws(JournalError) {
        self.directory = directory
        self.name = name
        self.write = write
        self.lock = try JournalLock(directory: directory)
        do {
            self.syncer = try JournalSyncer(sync: sync)
        } catch {
            self.lock.release()
            throw .system(directory, error)
        }
        do throws(JournalError) {
            try self.findNewest()
            do throws(JournalError) { try self.prepare() } catch {
                guard case .system(_, let reason) = error, reason.isLackOfRoom else { throw error }
            }
        } catch {
            self.close()
            throw error
        }
    }

    deinit { self.close() }

    /// Whether a file of `time`'s day, or of a later one, is still to be begun.
    public func needsFile(for time: Timestamp) -> Bool { self.day.map { Self.day(of: time) > $0 } ?? true }

    /// Begins the file of `time`'s day with `head`, a whole line that stands for everything before. Waits for the disk.
    ///
    /// - Throws: when the disk does not take it; then the file is not there, and may be begun again later.
    public func beginFile(at time: Timestamp, head: [UInt8]) throws(JournalError) {
        precondition(self.needsFile(for: time) && head.last == UInt8(ascii: "\n"), "a file begins once, with a line")
        try self.prepare()
        let day = Self.day(of: time)
        let path = "\(self.directory)/\(self.name)-\(Self.text(day)).jsonl"
        let draft = path + ".new"
        unlink(draft)
        let descriptor = clinux_open(draft, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw .system(draft, SystemError("open")) }
        do throws(SystemError) {
            try JournalFile.write(head, to: descriptor, with: self.write)
            guard fsync(descriptor) == 0 else { throw SystemError("fsync") }
            guard rename(draft, path) == 0 else { throw SystemError("rename") }
            try self.syncDirectory()
        } catch {
            Glibc.close(descriptor)
            unlink(draft)
            throw .system(path, error)
        }
        if self.descriptor >= 0 { self.syncer.retire(self.descriptor) }
        self.descriptor = descriptor
        self.byteCount = head.count
        self.path = path
        self.day = day
        self.isBroken = false
    }

    /// Appends whole lines with one write. Without any it only tells whether the disk lost earlier ones: whoever has
    /// nothing to write for long asks so.
    ///
    /// - Throws: when the disk does not take them, then none of them is in the file; or when it lost earlier ones: then
    ///   the next lines must stand for all before them.
    public func append(_ lines: [UInt8]) throws(JournalError) {
        guard let path = self.path else { preconditionFailure("a journal's first file was not begun") }
        if let failure = self.syncer.takeFailure() { throw .system(path, failure) }
        guard !lines.isEmpty else { return }
        try self.prepare()
        do throws(SystemError) {
            if self.isBroken { try self.takeBack() }
            try JournalFile.write(lines, to: self.descriptor, with: self.write)
        } catch {
            // What was written of them must not stand before the next line.
            do throws(SystemError) { try self.takeBack() } catch { self.isBroken = true }
            throw .system(path, error)
        }
        self.byteCount += lines.count
        self.syncer.request(self.descriptor)
    }

    private func takeBack() throws(SystemError) {
        guard ftruncate(self.descriptor, off_t(self.byteCount)) == 0 else { throw SystemError("ftruncate") }
        self.isBroken = false
    }

    /// Whether nothing that was appended has waited for the disk for over five seconds.
    public func isAdvancing(now: Instant) -> Bool { self.syncer.isAdvancing(now: now) }

    /// Makes the thread that waits for the disk stand still, as a dead disk would, until the journal is closed.
    public func wedgeForDrill() { self.syncer.wedgeForDrill() }

    /// Waits until everything is on the disk.
    public func sync() { self.syncer.waitUntilIdle() }

    /// Brings everything to the disk, where that answers within `closeTimeMax`, and gives the journal free.
    ///
    /// - Returns: false when what was appended last may not be on the disk.
    @discardableResult
    public func close() -> Bool {
        guard !self.isClosed else { return true }
        self.isClosed = true
        defer { self.lock.release() }
        // The thread that is stuck in a sync goes on using its descriptor: that stays open until the process ends.
        guard self.syncer.stop(within: Self.closeTimeMax) else { return false }
        if self.descriptor >= 0 { Glibc.close(self.descriptor) }
        self.descriptor = -1
        return self.syncer.takeFailure() == nil
    }

    // MARK: Files

    private func findNewest() throws(JournalError) {
        for file in try JournalFile.entries(of: self.directory) {
            if file.hasPrefix("\(self.name)-") && file.hasSuffix(".jsonl.new") { unlink("\(self.directory)/\(file)") }
            guard let day = JournalFile.day(of: file, name: self.name), day > self.day ?? -1 else { continue }
            self.day = day
            self.path = "\(self.directory)/\(file)"
        }
    }

    /// Opens and mends the newest file, unless that is done.
    private func prepare() throws(JournalError) {
        guard !self.isPrepared else { return }
        if let path = self.path {
            if self.descriptor < 0 { self.descriptor = clinux_open(path, O_RDWR | O_APPEND, 0) }
            guard self.descriptor >= 0 else { throw .system(path, SystemError("open")) }
            do throws(SystemError) {
                (self.byteCount, self.tornTail) = try JournalFile.mend(self.descriptor, path, with: self.write)
            } catch { throw .system(path, error) }
        }
        self.isPrepared = true
    }

    /// A new name is only safe once its directory is on the disk.
    private func syncDirectory() throws(SystemError) {
        let descriptor = clinux_open(self.directory, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError("fsync") }
    }

    private static func day(of time: Timestamp) -> Int64 { time.microseconds / 86_400_000_000 }
    private static func text(_ day: Int64) -> String { String(Timestamp(seconds: day * 86_400).rfc3339.prefix(10)) }
}
