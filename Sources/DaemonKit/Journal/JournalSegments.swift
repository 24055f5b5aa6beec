import CLinux
import Compression
import Glibc
import Shared

/// The files of a segmented journal: which there are, which is written to, and which must go. Confined to its owner.
struct JournalSegments {
    private struct Segment {
        let number: Int64
        /// UTC, on which it was begun; -1 where its name does not tell. Nothing in it is of a later day.
        let day: Int64
        let path: String
        var byteCount: Int
    }

    private static let suffix = ".jsonl.gz"
    /// What earlier versions left; it counts, is deleted when its turn comes, and is not written to.
    private static let plainSuffix = ".jsonl"
    private static let tornSuffix = ".torn"

    private let directory: String
    private let name: String
    private let byteCountMax: Int
    private let dayCountMax: Int?
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
    private(set) var lastNumber: Int64 = 0
    /// The day whose old files went.
    private var expiredDay = Int64.min
    /// Whether half a write stands at the end, which could not be taken back.
    private var isBroken = false

    init(
        directory: String, name: String, byteCountMax: Int, dayCountMax: Int?, segmentByteCountMax: Int,
        write: @escaping JournalFile.Write
    ) {
        self.directory = directory
        self.name = name
        self.byteCountMax = byteCountMax
        self.dayCountMax = dayCountMax
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
            guard let number = Self.number(of: file, name: self.name) else { continue }
            let path = "\(self.directory)/\(file)"
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            self.segments.append(
                Segment(number: number, day: Self.day(of: file), path: path, byteCount: Int(status.st_size)))
            self.lastNumber = max(self.lastNumber, number)
        }
        self.segments.sort { ($0.number, $1.path) < ($1.number, $0.path) }
        self.byteCount = self.segments.reduce(0) { $0 + $1.byteCount }
        if let newest = self.segments.last, newest.path.hasSuffix(Self.suffix) { try self.goOn(with: newest) }
        self.isPrepared = true
    }

    /// Mends a file and writes on in it, unless somebody else has compressed it.
    private mutating func goOn(with newest: Segment) throws(JournalError) {
        let path = newest.path
        let descriptor = clinux_open(path, O_RDWR | O_APPEND | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { throw .system(path, SystemError("open")) }
        do throws(SystemError) {
            guard let whole = try JournalFile.wholeByteCount(descriptor) else {
                Glibc.close(descriptor)
                return
            }
            let torn = path + Self.tornSuffix
            if let tornByteCount = try JournalFile.cut(descriptor, to: whole, rest: torn, with: self.write) {
                self.segments[self.segments.count - 1].byteCount = whole
                // There may be one from an earlier start, to which this one was added.
                self.segments.removeAll { $0.path == torn }
                let segment = Segment(number: newest.number, day: newest.day, path: torn, byteCount: tornByteCount)
                self.segments.insert(segment, at: self.segments.count - 1)
                self.byteCount = self.segments.reduce(0) { $0 + $1.byteCount }
            }
        } catch {
            Glibc.close(descriptor)
            throw .system(path, error)
        }
        self.descriptor = descriptor
        self.day = newest.day
    }

    /// Writes a block.
    ///
    /// - Throws: when the disk does not take it; then nothing of it is in the file.
    mutating func append(_ block: [UInt8], at time: Timestamp) throws(JournalError) {
        try self.prepare()
        let day = time.microseconds / 86_400_000_000
        let room = self.segmentByteCountMax - (self.segments.last?.byteCount ?? 0)
        if self.descriptor < 0 || day > self.day || block.count > room { try self.begin(at: time, day: day) }
        self.expire(on: day)
        self.makeRoom(for: block.count)
        let path = self.segments[self.segments.count - 1].path
        do throws(SystemError) {
            if self.isBroken { try self.takeBack() }
            try JournalFile.write(block, to: self.descriptor, with: self.write)
        } catch {
            do throws(SystemError) { try self.takeBack() } catch { self.isBroken = true }
            throw .system(path, error)
        }
        self.add(block.count)
    }

    private mutating func begin(at time: Timestamp, day: Int64) throws(JournalError) {
        let stamp = time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        let path = "\(self.directory)/\(self.name)-\(stamp)-\(self.lastNumber + 1)\(Self.suffix)"
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
        self.segments.append(Segment(number: self.lastNumber, day: day, path: path, byteCount: 0))
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

    /// Deletes files of days that are too old, when a day begins.
    private mutating func expire(on day: Int64) {
        guard let dayCountMax = self.dayCountMax, day != self.expiredDay else { return }
        self.expiredDay = day
        // The last is the one that is written to. Days that were leapt over do not count: the clock may have been set wrongly, and
        // what is deleted does not come back with it.
        guard let former = self.segments.dropLast().map(\.day).max() else { return }
        let first = min(day, former + 1) - Int64(dayCountMax)
        let old = self.segments.dropLast().filter { (0..<max(0, first)).contains($0.day) }
        for segment in old {
            unlink(segment.path)
            self.byteCount -= segment.byteCount
        }
        self.segments.removeAll { segment in old.contains { $0.path == segment.path } }
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
    private static func number(of file: String, name: String) -> Int64? {
        var rest = file[...]
        if rest.hasSuffix(Self.tornSuffix) { rest = rest.dropLast(Self.tornSuffix.count) }
        guard rest.hasPrefix("\(name)-"),
            let suffix = [Self.suffix, Self.plainSuffix].first(where: { rest.hasSuffix($0) })
        else { return nil }
        rest = rest.dropLast(suffix.count)
        return rest.split(separator: "-").last.flatMap { Int64($0) }.flatMap {
            (1...Int64.max / 2).contains($0) ? $0 : nil
        }
    }

    /// The files of a journal as they were written one after the other, torn ends left out.
    static func files(of directory: String, name: String) throws(JournalError) -> [String] {
        var found: [(number: Int64, file: String)] = []
        for file in try JournalFile.entries(of: directory) where !file.hasSuffix(Self.tornSuffix) {
            if let number = Self.number(of: file, name: name) { found.append((number, file)) }
        }
        return found.sorted { ($0.number, $0.file) < ($1.number, $1.file) }.map { "\(directory)/\($0.file)" }
    }

    /// The UTC day of "NAME-20260512T235959Z-42.jsonl.gz"; -1 for what is none.
    private static func day(of file: String) -> Int64 {
        let stamp = file.split(separator: "-").dropLast().last ?? ""
        guard stamp.utf8.count == 16, stamp.utf8.allSatisfy({ $0 < 0x80 }) else { return -1 }
        let digits = Array(stamp)
        let date = "\(String(digits[0..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))"
        return Timestamp(rfc3339: "\(date)T00:00:00Z").map { $0.microseconds / 86_400_000_000 } ?? -1
    }
}
