import CLinux
import Compression
import Glibc
import Shared
import Testing

@testable import DaemonKit

private let evening = Timestamp(rfc3339: "2026-05-12T23:59:59Z")!
private let morning = Timestamp(rfc3339: "2026-05-13T00:00:00Z")!

/// A journal that stays within its bounds, and whose disk fails in every way.
@Suite struct SegmentedJournalTests {
    private static let byteCountMax = 9_000_000

    private let directory: DaemonTestDirectory
    private let disk = FakeDisk()

    init() throws { self.directory = try DaemonTestDirectory() }

    private var path: String { self.directory.path("raw") }

    private func journal(in path: String? = nil, days: Int? = nil) throws -> SegmentedJournal {
        try SegmentedJournal(
            directory: path ?? self.path, name: "raw", byteCountMax: Self.byteCountMax, dayCountMax: days,
            write: self.disk.write)
    }

    private func append(_ text: String, to journal: SegmentedJournal, at time: Timestamp = evening) {
        self.append(Array(text.utf8)[...], to: journal, at: time)
    }

    private func append(_ line: ArraySlice<UInt8>, to journal: SegmentedJournal, at time: Timestamp = evening) {
        journal.append(at: time, byteCountMax: line.count + 1) { bytes in
            bytes.append(contentsOf: line)
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    private func written(_ count: Int64, by journal: SegmentedJournal) async -> Bool {
        await DaemonTest.eventually { journal.status.lineCount >= count }
    }

    /// Names of the files, oldest first.
    private var files: [String] {
        let names = (try? JournalFile.entries(of: self.path)) ?? []
        return names.filter { $0.hasPrefix("raw-") }.sorted { Self.number(of: $0) < Self.number(of: $1) }
    }

    private static func number(of file: String) -> Int {
        file.split(separator: "-").last.flatMap { Int($0.prefix { $0 != "." }) } ?? 0
    }

    /// Of a file's whole blocks.
    private func text(_ file: String) -> String {
        var text: [UInt8] = []
        let recorded = try? RecordedFile("\(self.path)/\(file)")
        while (try? recorded?.read({
            text.append(contentsOf: $0)
            return true
        })) == true {}
        return String(decoding: text, as: UTF8.self)
    }

    private func byteCount(of file: String) -> Int {
        var status = stat()
        return stat("\(self.path)/\(file)", &status) == 0 ? Int(status.st_size) : 0
    }

    private var byteCount: Int { self.files.reduce(0) { $0 + self.byteCount(of: $1) } }

    /// What no compression makes smaller, and no line end in it.
    private static func noise(_ count: Int) -> [UInt8] {
        var random = SeededRandom(seed: 1)
        return (0..<count).map { _ in UInt8.random(in: 11...255, using: &random) }
    }

    private func bytes(of file: String) throws -> [UInt8] {
        let descriptor = open("\(self.path)/\(file)", O_RDONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: self.byteCount(of: file))
        try #require(read(descriptor, &bytes, bytes.count) == bytes.count)
        return bytes
    }

    private func put(_ bytes: [UInt8], in file: String) throws {
        let descriptor = open("\(self.path)/\(file)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(bytes.isEmpty || write(descriptor, bytes, bytes.count) == bytes.count)
    }

    @Test func linesAreWrittenByTheThreadAndCounted() async throws {
        let journal = try self.journal()
        self.append("one", to: journal)
        self.append("two", to: journal)
        #expect(await self.written(2, by: journal))
        self.append("three", to: journal)
        journal.close()
        #expect(self.files == ["raw-20260512T235959Z-1.jsonl.gz"])
        #expect(self.text(self.files[0]) == "one\ntwo\nthree\n")
        #expect(journal.status.lineCount == 3 && journal.status.lineByteCount == 14)
        #expect(journal.status.byteCount == self.byteCount && journal.status.droppedCount == 0)
        #expect(DaemonTest.mode(of: "\(self.path)/\(self.files[0])") == 0o600)
        #expect(DaemonTest.mode(of: self.path) == 0o700)
        self.append("after the end", to: journal)
        #expect(journal.status.lineCount == 3)
    }

    @Test func aDayHasItsFilesAndARestartWritesOn() async throws {
        let first = try self.journal()
        self.append("one", to: first)
        #expect(await self.written(1, by: first))
        self.append("two", to: first, at: morning)
        #expect(await self.written(2, by: first))
        // A clock that goes back begins no file.
        self.append("three", to: first)
        first.close()
        let second = try self.journal()
        self.append("four", to: second, at: morning)
        second.close()
        #expect(self.files == ["raw-20260512T235959Z-1.jsonl.gz", "raw-20260513T000000Z-2.jsonl.gz"])
        #expect(self.files.map(self.text) == ["one\n", "two\nthree\nfour\n"])
    }

    @Test func theOldestFilesGoAndNoLineIsCut() async throws {
        let noise = Self.noise(999_900)
        // What an earlier version left, and what is none of ours.
        try #require(mkdir(self.path, 0o700) == 0)
        try self.directory.write(
            String(repeating: "y", count: 4_000_000) + "\n", to: "raw/raw-20260101T000000Z-7.jsonl")
        try self.directory.write("torn\n", to: "raw/raw-20260101T000000Z-6.jsonl.torn")
        try self.directory.write("notes", to: "raw/notes.txt")
        let journal = try self.journal()
        for round in 1...20 {
            for line in 0..<100 { self.append(noise[(line * 9_999)..<((line + 1) * 9_999)], to: journal) }
            #expect(await self.written(Int64(100 * round), by: journal))
            #expect(self.byteCount <= Self.byteCountMax)
        }
        journal.close()
        #expect(journal.status.droppedCount == 0)
        let files = self.files
        #expect(files.count >= 8 && Self.number(of: files[0]) > 8)
        #expect(self.byteCount > Self.byteCountMax / 2)
        for file in files {
            #expect(self.byteCount(of: file) <= Self.byteCountMax / 8)
            var lengths: Set<Int> = []
            let recorded = try RecordedFile("\(self.path)/\(file)")
            while let length = try recorded.nextLine(\.count) { lengths.insert(length) }
            #expect(lengths == [9_999], "\(file)")
        }
        #expect(self.directory.read("raw/notes.txt") == "notes")
    }

    @Test func aLineLargerThanAFileHasOneOfItsOwn() async throws {
        let journal = try self.journal()
        self.append("small", to: journal)
        #expect(await self.written(1, by: journal))
        self.append(Self.noise(3_000_000)[...], to: journal)
        self.append("small again", to: journal)
        #expect(await self.written(3, by: journal))
        self.append(String(repeating: "x", count: SegmentedJournal.bufferByteCountMax), to: journal)
        self.append("after a gap", to: journal)
        journal.close()
        #expect(self.text(self.files[0]) == "small\n" && self.byteCount(of: self.files[1]) > 2_900_000)
        #expect(journal.status.droppedCount >= 1 && self.byteCount <= Self.byteCountMax)
    }

    @Test func whoHasLongLinesGetsRoomForThem() async throws {
        let count = SegmentedJournal.bufferByteCountMax
        let journal = try SegmentedJournal(
            directory: self.directory.path("long"), name: "long", byteCountMax: 4 * count, dayCountMax: nil,
            bufferByteCountMax: 2 * count)
        self.append("small", to: journal)
        self.append(String(repeating: "x", count: count), to: journal)
        #expect(await self.written(2, by: journal))
        journal.close()
        #expect(journal.status.droppedCount == 0)
    }

    @Test func aFileThatEndsAtAnyByteOfItsLastBlockIsMended() throws {
        let file = "raw-20260512T235959Z-1.jsonl.gz"
        let first = try self.journal()
        self.append("one", to: first)
        first.close()
        let whole = try self.bytes(of: file)
        let second = try self.journal()
        self.append("two", to: second)
        second.close()
        let both = try self.bytes(of: file)
        #expect(both.starts(with: whole) && both.count > whole.count + 20)
        var tornByteCount = 0
        for count in whole.count...both.count {
            try self.put(Array(both[..<count]), in: file)
            let next = try self.journal()
            self.append("three", to: next)
            next.close()
            let isTorn = count > whole.count && count < both.count
            #expect(self.text(file) == (count == both.count ? "one\ntwo\nthree\n" : "one\nthree\n"), "\(count)")
            // What was put aside before is there still.
            if isTorn { tornByteCount += count - whole.count }
            #expect(self.byteCount(of: file + ".torn") == tornByteCount, "\(count)")
        }
    }

    @Test func aLastBlockOfWhichThePowerLossLeftOnlyItsPlaceIsPutAside() throws {
        let file = "raw-20260512T235959Z-1.jsonl.gz"
        for line in ["one", "two"] {
            let journal = try self.journal()
            self.append(line, to: journal)
            journal.close()
        }
        var bytes = try self.bytes(of: file)
        bytes[(bytes.count - 8)...] = [0, 0, 0, 0, 0, 0, 0, 0]
        try self.put(bytes, in: file)
        var journal = try self.journal()
        self.append("three", to: journal)
        journal.close()
        #expect(self.text(file) == "one\nthree\n")
        // Zeros where blocks should be.
        try self.put(try self.bytes(of: file) + [UInt8](repeating: 0, count: 70_000), in: file)
        journal = try self.journal()
        self.append("four", to: journal)
        journal.close()
        #expect(self.text(file) == "one\nthree\nfour\n" && self.byteCount(of: file + ".torn") > 70_000)
    }

    @Test func whatSomebodyElseCompressedIsLeftAlone() throws {
        try #require(mkdir(self.path, 0o700) == 0)
        // The empty file of gzip(1).
        let foreign: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try self.put(foreign, in: "raw-20260512T000000Z-4.jsonl.gz")
        try self.put(Array("{}\n{".utf8), in: "raw-20260511T000000Z-3.jsonl")
        let journal = try self.journal()
        self.append("one", to: journal)
        journal.close()
        #expect(try self.bytes(of: "raw-20260512T000000Z-4.jsonl.gz") == foreign)
        #expect(self.files.count == 3 && self.text("raw-20260512T235959Z-5.jsonl.gz") == "one\n")
    }

    @Test func filesOfDaysLongAgoGo() async throws {
        try #require(mkdir(self.path, 0o700) == 0)
        for (number, day) in ["20260509", "20260510", "20260511"].enumerated() {
            try self.put([1], in: "raw-\(day)T120000Z-\(number + 1).jsonl.gz.torn")
            try self.put([1], in: "raw-\(day)T120000Z-\(number + 1).jsonl")
        }
        try self.put([1], in: "raw-undated-1.jsonl")
        let journal = try self.journal(days: 2)
        self.append("one", to: journal)
        #expect(await self.written(1, by: journal))
        func days() -> Set<String> { Set(self.files.map { String($0.split(separator: "-")[1].prefix(8)) }) }
        #expect(days() == ["20260510", "20260511", "20260512", "undated"] && self.files.count == 6)
        // The next day begins while it runs.
        self.append("two", to: journal, at: morning)
        #expect(await self.written(2, by: journal))
        journal.close()
        #expect(days() == ["20260511", "20260512", "20260513", "undated"])
    }

    @Test func aClockThatLeapsByMistakeDeletesNothing() async throws {
        try #require(mkdir(self.path, 0o700) == 0)
        for day in ["20260511", "20260512"] {
            try self.put([1], in: "raw-\(day)T120000Z-\(day.suffix(1)).jsonl.gz.torn")
        }
        let journal = try self.journal(days: 2)
        self.append("one", to: journal)
        #expect(await self.written(1, by: journal))
        let years = evening + .seconds(10 * 365 * 86_400)
        for (number, time) in [years, evening, morning].enumerated() {
            self.append("\(number)", to: journal, at: time)
            #expect(await self.written(Int64(number) + 2, by: journal))
        }
        journal.close()
        #expect(self.files.contains { $0.hasPrefix("raw-20260512T120000Z") }, "\(self.files)")
    }

    @Test func aBlockIsClosedByItsSizeOrItsAge() async throws {
        let journal = try self.journal()
        let start = Instant.now()
        self.append("alone", to: journal)
        #expect(await self.written(1, by: journal))
        #expect(Instant.now() - start >= SegmentedJournal.blockAgeMax)
        let line = Self.noise(SegmentedJournal.blockByteCount / 4)
        // A block takes whole lines alone: three of these.
        for _ in 0..<7 { self.append(line[...], to: journal) }
        #expect(await self.written(8, by: journal))
        journal.close()
        let bytes = try self.bytes(of: self.files[0])
        var offset = 0
        var lineCounts: [Int] = []
        while case .block(let count) = GzipBlocks.head(bytes[offset...].prefix(GzipBlocks.headByteCount)) {
            try self.put(Array(bytes[offset..<offset + count]), in: "block")
            let recorded = try RecordedFile("\(self.path)/block")
            var lineCount = 0
            while try recorded.nextLine({ _ in () }) != nil { lineCount += 1 }
            lineCounts.append(lineCount)
            offset += count
        }
        #expect(offset == bytes.count && lineCounts.reduce(0, +) == 8)
        #expect(lineCounts[0] == 1 && lineCounts.dropFirst().allSatisfy { $0 <= 3 })
    }

    @Test func aSecondWriterIsRefusedUntilTheFirstIsGone() throws {
        let journal = try self.journal()
        let error = #expect(throws: JournalError.self) { _ = try self.journal() }
        guard case .locked = error else {
            Issue.record("expected the lock to be held, got \(String(describing: error))")
            return
        }
        journal.close()
        try self.journal().close()
    }

    // MARK: A disk that fails

    @Test(arguments: [ENOSPC, EIO])
    func whatTheDiskDoesNotTakeIsMarkedInTheFile(code: Int32) async throws {
        let journal = try self.journal()
        self.append("one", to: journal)
        #expect(await self.written(1, by: journal))
        self.disk.error = code
        self.append("two", to: journal, at: evening + .seconds(-2))
        self.append("three", to: journal, at: evening + .seconds(-1))
        #expect(await DaemonTest.eventually { journal.status.droppedCount == 2 })
        #expect(journal.status.failure != nil && journal.status.lineCount == 1)
        #expect(journal.isAdvancing(now: .now()), "a disk that refuses is a state")
        self.disk.error = nil
        // It is found out without a line, so that a quiet market does not look like a full disk.
        #expect(await DaemonTest.eventually { journal.status.failure == nil })
        self.append("four", to: journal)
        journal.close()
        let (from, to) = (evening.microseconds - 2_000_000, evening.microseconds - 1_000_000)
        let gap = #"{"recv_ms":\#(to / 1_000),"raw":null,"dropped":2,"from":\#(from),"to":\#(to)}"#
        #expect(self.files.map(self.text).joined() == "one\n\(gap)\nfour\n")
    }

    @Test func aDiskThatFillsInTheMidstOfAWriteLeavesWholeLines() async throws {
        let journal = try self.journal()
        self.disk.room = 6
        self.append("one", to: journal)
        self.append("two", to: journal)
        #expect(await DaemonTest.eventually { journal.status.failure != nil })
        #expect(self.files.map(self.text).joined() == "")
        self.disk.room = .max
        #expect(await DaemonTest.eventually { journal.status.failure == nil })
        journal.close()
        #expect(self.files.map(self.text).joined().contains(#""dropped":2"#))
    }

    @Test func aDiskThatIsTooSlowLosesWhatTheBufferDoesNotHold() async throws {
        let journal = try self.journal()
        self.disk.hold()
        let line = String(repeating: "x", count: 1_048_575)
        for _ in 0..<8 { self.append(line, to: journal) }
        self.append("lost", to: journal, at: morning)
        self.append("lost", to: journal, at: morning)
        #expect(journal.status.droppedCount == 2)
        #expect(journal.isAdvancing(now: .now()))
        #expect(!journal.isAdvancing(now: .now() + .seconds(6)), "a disk that does not answer is a standstill")
        self.disk.letGo()
        #expect(await self.written(8, by: journal))
        self.append("kept", to: journal, at: morning)
        journal.close()
        let text = self.files.map(self.text).joined()
        let time = morning.microseconds
        #expect(
            text.hasSuffix(
                "x\n" + #"{"recv_ms":\#(time / 1_000),"raw":null,"dropped":2,"from":\#(time),"to":\#(time)}"#
                    + "\nkept\n"))
        #expect(journal.status.lineCount == 9 && journal.status.droppedCount == 2 && journal.status.failure == nil)
    }

    @Test func aDirectoryThatCannotBeMadeYetIsAState() async throws {
        let place = self.directory.path("later")
        let journal = try self.journal(in: place + "/raw")
        self.append("one", to: journal)
        #expect(await DaemonTest.eventually { journal.status.droppedCount == 1 && journal.status.failure != nil })
        try #require(mkdir(place, 0o700) == 0)
        #expect(await DaemonTest.eventually { journal.status.failure == nil })
        journal.close()
        #expect(try JournalFile.entries(of: place + "/raw").contains { $0.hasSuffix(".jsonl.gz") })
    }

    @Test func aDirectoryThatSomebodyTakesAwayIsMadeAnew() async throws {
        let journal = try self.journal()
        self.append("one", to: journal)
        #expect(await self.written(1, by: journal))
        unlink("\(self.path)/\(self.files[0])")
        try #require(rmdir(self.path) == 0)
        // Until a new file is due, the old one has no name and takes lines all the same.
        self.append("two", to: journal, at: morning)
        #expect(await DaemonTest.eventually { journal.status.droppedCount == 1 && journal.status.failure == nil })
        self.append("three", to: journal, at: morning)
        journal.close()
        let text = self.files.map(self.text).joined()
        #expect(text.contains(#""dropped":1"#) && text.hasSuffix("\nthree\n"))
    }

    // MARK: The watchdog

    @Test func aQuietMarketIsNoStandstillAndAWedgedThreadIs() async throws {
        let journal = try self.journal()
        self.append("one", to: journal)
        #expect(await self.written(1, by: journal))
        #expect(await DaemonTest.eventually { journal.isAdvancing(now: .now() + .seconds(86_400)) })
        journal.wedgeForDrill()
        #expect(journal.isAdvancing(now: .now()))
        #expect(!journal.isAdvancing(now: .now() + .seconds(6)))
        self.append("two", to: journal)
        journal.close()
        #expect(self.files.map(self.text).joined() == "one\ntwo\n")
    }

    @Test func aDiskThatNeverAnswersDoesNotHoldUpTheEnd() throws {
        let journal = try self.journal()
        self.disk.hold()
        self.append("one", to: journal)
        let start = Instant.now()
        journal.close()
        #expect(Instant.now() - start < SegmentedJournal.closeTimeMax + .seconds(3))
        self.disk.letGo()
    }
}
