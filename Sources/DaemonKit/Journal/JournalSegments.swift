import CLinux
import Glibc
import Shared

/// The files of a segmented journal: which there are, which is written to, and which must go. Confined to its owner.
struct JournalSegments {
    private struct Segment {
        let number: Int64
        let path: String
        var byteCount: Int
    }

    /// Bytes handed to the kernel at a time: a disk that takes them in time is alive.
    private static let writeByteCountMax = 1 << 20

    private let directory: String
    private let name: String
    private let byteCountMax: Int
    private let segmentByteCountMax: Int
    private let write: JournalFile.Write

    private var lock: JournalLock?
    private var isPrepared = false
    /// What is there, oldest first, the file that is written to last. Torn ends that were put aside are among them.
    private var segments: [Segment] = []
    private var byteCount = 0
    private var descriptor: Int32 = -1
    /// Of the file that is written to.
    private var day: Int64 = 0
    private var lastNumber: Int64 = 0
    /// Whether half a write stands at the end, which could not be taken back.
    private var isBroken = false

    init(
        directory: String, name: String, byteCountMax: Int, segmentByteCountMax: Int, write: @escaping JournalFile.Write
    ) {
        self.directory = directory
        self.name = name
        self.byteCountMax = byteCountMax
        self.segmentByteCountMax = segmentByteCountMax
        self.write = write
    }

    /// Makes the directory where it is missing, and locks it, unless that is done.
    mutating func takeLock() throws(JournalError) {
        guard self.lock == nil else { return }
        guard mkdir(self.directory, 0o700) == 0 || errno == EEXIST else {
            throw .system(self.directory, SystemError("mkdir"))
        }
        self.lock = try JournalLock(directory: self.directory)
    }

    /// Finds the files and mends the newest, unless that is done.
    mutating func prepare() throws(JournalError) {
        guard !self.isPrepared else { return }
        try self.takeLock()
        self.segments = []
        for file in try JournalFile.entries(of: self.directory) {
            guard let number = self.number(of: file) else { continue }
            let path = "\(self.directory)/\(file)"
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            self.segments.append(Segment(number: number, path: path, byteCount: Int(status.st_size)))
            self.lastNumber = max(self.lastNumber, number)
        }
        self.segments.sort { ($0.number, $1.path) < ($1.number, $0.path) }
        self.byteCount = self.segments.reduce(0) { $0 + $1.byteCount }
        if let newest = self.segments.last, newest.path.hasSuffix(".jsonl") { try self.goOn(with: newest.path) }
        self.isPrepared = true
    }

    /// Mends a file and writes on in it.
    private mutating func goOn(with path: String) throws(JournalError) {
        let descriptor = clinux_open(path, O_RDWR | O_APPEND | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { throw .system(path, SystemError("open")) }
        do throws(SystemError) {
            let (byteCount, tornTail) = try JournalFile.mend(descriptor, path, with: self.write)
            self.add(byteCount - self.segments[self.segments.count - 1].byteCount)
            if let tornTail {
                // There may be one from an earlier start, to which this one was added.
                let earlier = self.segments.first { $0.path == tornTail.path }?.byteCount ?? 0
                let torn = Segment(
                    number: self.lastNumber, path: tornTail.path, byteCount: earlier + tornTail.byteCount + 1)
                self.segments.removeAll { $0.path == torn.path }
                self.segments.insert(torn, at: self.segments.count - 1)
                self.byteCount = self.segments.reduce(0) { $0 + $1.byteCount }
            }
        } catch {
            Glibc.close(descriptor)
            throw .system(path, error)
        }
        self.descriptor = descriptor
        // Its day is in its name; a name that does not tell is of another day.
        let date = path.split(separator: "-").dropLast().last ?? ""
        self.day = Self.day(ofStamp: date)
    }

    /// Writes as many of the whole lines as go in one piece.
    ///
    /// - Parameter lines: not empty, and ended by a newline.
    /// - Returns: how many bytes were written: at least one line.
    /// - Throws: when the disk does not take them; then none of them is in the file.
    mutating func append(_ lines: ArraySlice<UInt8>, at time: Timestamp) throws(JournalError) -> Int {
        try self.prepare()
        let day = time.microseconds / 86_400_000_000
        var room = self.segmentByteCountMax - (self.segments.last?.byteCount ?? 0)
        var piece = Self.piece(of: lines, room: min(room, Self.writeByteCountMax))
        if self.descriptor < 0 || day > self.day || piece.count > room {
            try self.begin(at: time, day: day)
            room = self.segmentByteCountMax
            piece = Self.piece(of: lines, room: min(room, Self.writeByteCountMax))
        }
        self.makeRoom(for: piece.count)
        let path = self.segments[self.segments.count - 1].path
        do throws(SystemError) {
            if self.isBroken { try self.takeBack() }
            try piece.withUnsafeBufferPointer { (bytes) throws(SystemError) in
                try JournalFile.write(UnsafeRawBufferPointer(bytes), to: self.descriptor, with: self.write)
            }
        } catch {
            do throws(SystemError) { try self.takeBack() } catch { self.isBroken = true }
            throw .system(path, error)
        }
        self.add(piece.count)
        return piece.count
    }

    /// Whole lines that fit `room`; the first line alone when not even that does.
    private static func piece(of lines: ArraySlice<UInt8>, room: Int) -> ArraySlice<UInt8> {
        guard lines.count > room else { return lines }
        let newline = UInt8(ascii: "\n")
        if let last = lines.prefix(max(0, room)).lastIndex(of: newline) { return lines[...last] }
        return lines[...(lines.firstIndex(of: newline) ?? lines.endIndex - 1)]
    }

    private mutating func begin(at time: Timestamp, day: Int64) throws(JournalError) {
        let stamp = time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        let path = "\(self.directory)/\(self.name)-\(stamp)-\(self.lastNumber + 1).jsonl"
        let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600)
        guard descriptor >= 0 else {
            let error = SystemError("open")
            // Somebody took the directory away: it is made anew, and locked anew, with the next try.
            if error.code == ENOENT { self.close() }
            throw .system(path, error)
        }
        if self.descriptor >= 0 { Glibc.close(self.descriptor) }
        self.descriptor = descriptor
        self.isBroken = false
        self.day = day
        self.lastNumber += 1
        self.segments.append(Segment(number: self.lastNumber, path: path, byteCount: 0))
    }

    /// Deletes the oldest files until so many bytes more stay within the bounds.
    private mutating func makeRoom(for count: Int) {
        while self.segments.count > 1,
            self.byteCount + count > self.byteCountMax || self.segments.count > SegmentedJournal.segmentCountMax
        {
            let oldest = self.segments.removeFirst()
            self.byteCount -= oldest.byteCount
            unlink(oldest.path)
        }
    }

    private mutating func takeBack() throws(SystemError) {
        let byteCount = self.segments.last?.byteCount ?? 0
        guard ftruncate(self.descriptor, off_t(byteCount)) == 0 else { throw SystemError("ftruncate") }
        self.isBroken = false
    }

    private mutating func add(_ count: Int) {
        self.segments[self.segments.count - 1].byteCount += count
        self.byteCount += count
    }

    mutating func close() {
        if self.descriptor >= 0 { Glibc.close(self.descriptor) }
        self.descriptor = -1
        self.lock?.release()
        self.lock = nil
        self.isPrepared = false
    }

    // MARK: Names

    /// The number in a file's name; `nil` when it is none of ours.
    private func number(of file: String) -> Int64? {
        var rest = file[...]
        if rest.hasSuffix(".torn") { rest = rest.dropLast(".torn".count) }
        guard rest.hasPrefix("\(self.name)-"), rest.hasSuffix(".jsonl") else { return nil }
        rest = rest.dropLast(".jsonl".count)
        return rest.split(separator: "-").last.flatMap { Int64($0) }.flatMap {
            (1...Int64.max / 2).contains($0) ? $0 : nil
        }
    }

    /// The UTC day of "20260512T235959Z"; -1 for what is none.
    private static func day(ofStamp stamp: Substring) -> Int64 {
        guard stamp.utf8.count == 16, stamp.utf8.allSatisfy({ $0 < 0x80 }) else { return -1 }
        let digits = Array(stamp)
        let date = "\(String(digits[0..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))"
        return Timestamp(rfc3339: "\(date)T00:00:00Z").map { $0.microseconds / 86_400_000_000 } ?? -1
    }
}
