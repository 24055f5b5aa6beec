import CLinux
import Compression
import Glibc
public import Shared

/// A journal of lines, compressed, in files of bounded size, within bounds for all of them: the oldest go first.
///
/// Its owner appends to a buffer in memory and never waits; a thread of its own compresses what came, block by block, and writes
/// it to the disk. Lines that the disk does not take, or that do not fit the buffer, are dropped and counted, and the next line
/// in the file tells of the gap: `{"recv_ms":…,"raw":null,"dropped":17,"from":…,"to":…}`. Files are called
/// `NAME-20260512T235959Z-42.jsonl.gz`, where the number grows by one with each file, and are readable by their owner alone.
public final class SegmentedJournal: @unchecked Sendable {
    /// Bytes that wait for the disk, at most, where nothing else is said.
    public static let bufferByteCountMax = 8 << 20
    /// Largest file, where the whole has room for eight such.
    static let segmentByteCountMax = 64 << 20
    /// Files at a time, whatever their size.
    static let segmentCountMax = 1_000
    /// Text of a block: more of it compresses no better, unless one line is longer.
    static let blockByteCount = 256 << 10
    /// How long a line waits for company before its block is closed. What is lost in a crash came within it.
    static let blockAgeMax = Duration.seconds(1)
    /// Pause after a write that failed.
    static let retryPause = Duration.seconds(1)
    /// Work that the thread has had for so long without advancing is stuck.
    static let pendingAgeMax = Duration.seconds(5)
    /// How long `close()` waits for each step of the thread, and for all of them: it stands back behind whoever is busy.
    static let closeTimeMax = Duration.seconds(2)
    static let closeTotalMax = Duration.seconds(10)

    /// How the journal fares.
    public struct Status: Sendable {
        /// Since the start.
        public var lineCount: Int64 = 0
        /// Of the lines, as they came.
        public var lineByteCount: Int64 = 0
        /// On the disk.
        public var byteCount: Int64 = 0
        public var droppedCount: Int64 = 0
        /// Of the file that is written to; 0 before the first.
        public var fileNumber: Int64 = 0
        /// Why the disk takes nothing at present; `nil` when it does.
        public var failure: String?

        public init() {}
    }

    /// Lines that are written together, and those that were lost right after them.
    private struct Batch {
        var bytes: [UInt8] = []
        var lineCount: Int64 = 0
        var since: Instant?
        var times: ClosedRange<Timestamp>?
        var gap = Gap()

        var isEmpty: Bool { self.bytes.isEmpty && self.gap.isEmpty }
    }

    /// Lines that were lost, and when they came.
    struct Gap: Equatable {
        var count: Int64 = 0
        var times: ClosedRange<Timestamp>?

        var isEmpty: Bool { self.count == 0 }

        mutating func add(_ count: Int64, _ times: ClosedRange<Timestamp>?) {
            self.count += count
            guard count > 0, let times else { return }
            let old = self.times ?? times
            self.times = min(old.lowerBound, times.lowerBound)...max(old.upperBound, times.upperBound)
        }

        /// A line that other readers of the journal take for a message without a text.
        var line: [UInt8] {
            var writer = JSONWriter()
            writer.object {
                $0.key("recv_ms")
                $0.integer((self.times?.upperBound.microseconds ?? 0) / 1_000)
                $0.key("raw")
                $0.null()
                $0.key("dropped")
                $0.integer(self.count)
                $0.key("from")
                $0.integer(self.times?.lowerBound.microseconds ?? 0)
                $0.key("to")
                $0.integer(self.times?.upperBound.microseconds ?? 0)
            }
            return writer.bytes + [UInt8(ascii: "\n")]
        }
    }

    private let bufferByteCountMax: Int
    private let monitor = Monitor()
    // Guarded by the monitor.
    private var filling = Batch()
    private var writingByteCount = 0
    /// When the thread began, or went on with, what it does; `nil` while it waits for work.
    private var writingSince: Instant?
    private var counted = Status()
    private var isWedged = false
    private var isStopping = false
    private var hasEnded = false

    // The thread's own.
    private var segments: JournalSegments
    private let blocks = GzipBlocks()
    private var lost = Gap()

    /// Takes the journals of `directory` for this process alone; it is made where it is missing. Whatever else is wrong with
    /// the disk is found out, and tried again, by the thread.
    ///
    /// - Parameters:
    ///   - byteCountMax: of all files, leftovers included; more than `bufferByteCountMax`.
    ///   - bufferByteCountMax: bytes that wait for the disk, at most; no line may have more.
    ///   - dayCountMax: files of an older UTC day go; `nil` keeps them for as long as there is room.
    /// - Throws: `locked` when another process has it; also when the system gives no thread.
    public convenience init(
        directory: String, name: String, byteCountMax: Int, dayCountMax: Int?,
        bufferByteCountMax: Int = SegmentedJournal.bufferByteCountMax
    ) throws(JournalError) {
        try self.init(
            directory: directory, name: name, byteCountMax: byteCountMax, dayCountMax: dayCountMax,
            bufferByteCountMax: bufferByteCountMax, write: Glibc.write)
    }

    init(
        directory: String, name: String, byteCountMax: Int, dayCountMax: Int? = nil,
        bufferByteCountMax: Int = SegmentedJournal.bufferByteCountMax,
        write: @escaping @Sendable (Int32, UnsafeRawPointer, Int) -> Int
    ) throws(JournalError) {
        precondition(byteCountMax > bufferByteCountMax, "less than the buffer may hold at once")
        self.bufferByteCountMax = bufferByteCountMax
        self.segments = JournalSegments(
            directory: directory, name: name, byteCountMax: byteCountMax, dayCountMax: dayCountMax,
            segmentByteCountMax: min(Self.segmentByteCountMax, byteCountMax / 8), write: write)
        do throws(JournalError) { try self.segments.takeLock() } catch {
            if case .locked = error { throw error }
        }
        do throws(SystemError) {
            try WorkerThread { self.run() }.detach()
        } catch {
            self.segments.close()
            throw .system(directory, error)
        }
    }

    /// The paths of a journal's files as they were written one after the other. Nothing is changed, and nobody's right to write is
    /// taken.
    ///
    /// - Throws: when the directory cannot be read.
    public static func files(of directory: String, name: String) throws(JournalError) -> [String] {
        try JournalSegments.files(of: directory, name: name)
    }

    /// With the lock held: enough waits for a block.
    private var hasBlock: Bool { self.filling.bytes.count >= Self.blockByteCount || !self.filling.gap.isEmpty }

    // MARK: The owner

    /// Appends a line to the buffer, where there is room. Never waits for the disk.
    ///
    /// - Parameters:
    ///   - time: when the line's matter came, for the record of gaps.
    ///   - byteCountMax: what `write` appends at most.
    ///   - write: appends one line with its newline; not called when there is no room.
    public func append(at time: Timestamp, byteCountMax: Int, _ write: (inout [UInt8]) -> Void) {
        self.monitor.lock()
        defer { self.monitor.unlock() }
        guard !self.isStopping else { return }
        let wasEmpty = self.filling.isEmpty
        let held = self.filling.bytes.count + self.writingByteCount
        // After a gap nothing more joins this batch, so that the gap stands where the lines are missing.
        if self.filling.gap.isEmpty && held + byteCountMax <= self.bufferByteCountMax {
            write(&self.filling.bytes)
            self.filling.lineCount += 1
            let first = self.filling.times?.lowerBound ?? time
            self.filling.times = min(first, time)...max(self.filling.times?.upperBound ?? time, time)
        } else {
            self.filling.gap.add(1, time...time)
            self.counted.droppedCount += 1
        }
        if wasEmpty { self.filling.since = .now() }
        if wasEmpty || self.hasBlock { self.monitor.broadcast() }
    }

    /// How it fares now.
    public var status: Status { self.monitor.withLock { self.counted } }

    /// Whether the thread goes on with what it has to do: no line, and no write, has waited for over five seconds. A disk that
    /// refuses is no standstill. From any thread.
    public func isAdvancing(now: Instant) -> Bool {
        self.monitor.withLock {
            guard !self.hasEnded, let since = self.writingSince ?? self.filling.since else { return true }
            return now - since <= Self.pendingAgeMax
        }
    }

    /// Makes the thread stand still, as a dead disk would, until `close()`.
    public func wedgeForDrill() {
        self.monitor.withLock {
            self.isWedged = true
            self.writingSince = self.writingSince ?? .now()
            self.monitor.broadcast()
        }
    }

    /// Writes what is in the buffer, and ends. A disk that does not answer for two seconds is left alone.
    public func close() {
        self.monitor.lock()
        defer { self.monitor.unlock() }
        self.isStopping = true
        self.monitor.broadcast()
        let start = Instant.now()
        while !self.hasEnded {
            let deadline = min(max(start, self.writingSince ?? start) + Self.closeTimeMax, start + Self.closeTotalMax)
            guard Instant.now() < deadline else { return }
            self.monitor.wait(until: deadline)
        }
    }

    // MARK: The thread

    private func run() {
        // On a machine with one core to spare, whoever compresses must not keep the loop waiting. Where the system forbids it,
        // the journal is written all the same.
        clinux_stand_back()
        var batch = Batch()
        var isFailing = self.prepare()
        while self.waitForWork(isFailing: isFailing, &batch) { isFailing = !self.write(&batch) }
        self.segments.close()
        self.monitor.withLock {
            self.hasEnded = true
            self.monitor.broadcast()
        }
    }

    /// Finds out before the first line whether there is room.
    ///
    /// - Returns: whether there is none.
    private func prepare() -> Bool {
        self.advance()
        do throws(JournalError) { try self.segments.prepare() } catch {
            self.count(lines: 0, of: 0, written: 0, dropped: 0, error)
            return true
        }
        return false
    }

    /// Takes the buffer when its time has come; after a failure not before the pause is over.
    ///
    /// - Returns: false when there is nothing more to do.
    private func waitForWork(isFailing: Bool, _ batch: inout Batch) -> Bool {
        self.monitor.lock()
        defer { self.monitor.unlock() }
        if !self.isWedged { self.writingSince = nil }
        let resumesAt = Instant.now() + (isFailing ? Self.retryPause : .zero)
        while !self.isStopping {
            if self.isWedged {
                self.monitor.wait()
            } else if Instant.now() < resumesAt {
                self.monitor.wait(until: resumesAt)
            } else if let since = self.filling.since, Instant.now() < since + Self.blockAgeMax, !self.hasBlock {
                self.monitor.wait(until: since + Self.blockAgeMax)
            } else if !self.filling.isEmpty || isFailing {
                break
            } else {
                self.monitor.wait()
            }
        }
        if self.isStopping && self.filling.isEmpty { return false }
        swap(&self.filling, &batch)
        self.writingByteCount = batch.bytes.count
        self.writingSince = .now()
        return true
    }

    /// Writes a batch and empties it. What the disk does not take is lost: what comes next is worth as much.
    private func write(_ batch: inout Batch) -> Bool {
        defer {
            // Room that one burst needed is not kept for ever.
            batch.bytes.removeAll(keepingCapacity: batch.bytes.capacity <= Self.bufferByteCountMax / 8)
            batch = Batch(bytes: batch.bytes)
            self.monitor.withLock { self.writingByteCount = 0 }
        }
        let time = batch.times?.upperBound ?? batch.gap.times?.upperBound ?? Timestamp.now()
        var done = 0
        var written = 0
        var gap = batch.gap
        do throws(JournalError) {
            try self.segments.prepare()
            written += try self.tellGap(at: time)
            while done < batch.bytes.count {
                let lines = Self.block(of: batch.bytes[done...])
                written += try self.append(lines, at: time)
                done += lines.count
                self.advance()
            }
            swap(&self.lost, &gap)
            written += try self.tellGap(at: time)
        } catch {
            let droppedCount = Int64(batch.bytes[done...].count { $0 == UInt8(ascii: "\n") })
            self.lost.add(droppedCount, batch.times)
            self.lost.add(gap.count, gap.times)
            self.count(lines: batch.lineCount - droppedCount, of: done, written: written, dropped: droppedCount, error)
            return false
        }
        self.count(lines: batch.lineCount, of: done, written: written, dropped: 0, nil)
        return true
    }

    /// Whole lines for one block; at least one.
    private static func block(of lines: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard lines.count > Self.blockByteCount else { return lines }
        let newline = UInt8(ascii: "\n")
        if let last = lines.prefix(Self.blockByteCount).lastIndex(of: newline) { return lines[...last] }
        return lines[...(lines.firstIndex(of: newline) ?? lines.endIndex - 1)]
    }

    /// - Returns: the bytes that it took on the disk.
    private func append(_ lines: ArraySlice<UInt8>, at time: Timestamp) throws(JournalError) -> Int {
        let block = lines.withUnsafeBufferPointer { self.blocks.block(of: $0) }
        try self.segments.append(block, at: time)
        return block.count
    }

    /// Marks in the file that lines are missing here.
    private func tellGap(at time: Timestamp) throws(JournalError) -> Int {
        guard !self.lost.isEmpty else { return 0 }
        let count = try self.append(self.lost.line[...], at: time)
        self.lost = Gap()
        return count
    }

    private func advance() {
        self.monitor.withLock { if !self.isWedged { self.writingSince = .now() } }
    }

    private func count(
        lines: Int64, of lineByteCount: Int, written: Int, dropped: Int64, _ failure: JournalError?
    ) {
        self.monitor.withLock {
            self.counted.lineCount += lines
            self.counted.lineByteCount += Int64(lineByteCount)
            self.counted.byteCount += Int64(written)
            self.counted.droppedCount += dropped
            self.counted.fileNumber = self.segments.lastNumber
            self.counted.failure = failure.map { "\($0)" }
        }
    }
}
