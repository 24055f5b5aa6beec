import CLinux
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

    private func journal(in path: String? = nil) throws -> SegmentedJournal {
        try SegmentedJournal(
            directory: path ?? self.path, name: "raw", byteCountMax: Self.byteCountMax, write: self.disk.write)
    }

    private func append(_ text: String, to journal: SegmentedJournal, at time: Timestamp = evening) {
        journal.append(at: time, byteCountMax: text.utf8.count + 1) { bytes in
            bytes.append(contentsOf: text.utf8)
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

    private func text(_ file: String) -> String { self.directory.read("raw/\(file)") }

    private var byteCount: Int {
        self.files.reduce(0) { sum, file in
            var status = stat()
            return stat("\(self.path)/\(file)", &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }

    @Test func linesAreWrittenByTheThreadAndCounted() async throws {
        let journal = try self.journal()
        self.append("one", to: journal)
        self.append("two", to: journal)
        #expect(await self.written(2, by: journal))
        self.append("three", to: journal)
        journal.close()
        #expect(self.files == ["raw-20260512T235959Z-1.jsonl"])
        #expect(self.text(self.files[0]) == "one\ntwo\nthree\n")
        #expect(journal.status.lineCount == 3 && journal.status.byteCount == 14 && journal.status.droppedCount == 0)
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
        #expect(self.files == ["raw-20260512T235959Z-1.jsonl", "raw-20260513T000000Z-2.jsonl"])
        #expect(self.files.map(self.text) == ["one\n", "two\nthree\nfour\n"])
    }

    @Test func theOldestFilesGoAndNoLineIsCut() async throws {
        let line = String(repeating: "x", count: 9_999)
        // What an earlier version left, and what is none of ours.
        try #require(mkdir(self.path, 0o700) == 0)
        try self.directory.write(
            String(repeating: "y", count: 4_000_000) + "\n", to: "raw/raw-20260101T000000Z-7.jsonl")
        try self.directory.write("torn\n", to: "raw/raw-20260101T000000Z-6.jsonl.torn")
        try self.directory.write("notes", to: "raw/notes.txt")
        let journal = try self.journal()
        for round in 1...20 {
            for _ in 0..<100 { self.append(line, to: journal) }
            #expect(await self.written(Int64(100 * round), by: journal))
            #expect(self.byteCount <= Self.byteCountMax)
        }
        journal.close()
        #expect(journal.status.droppedCount == 0)
        let files = self.files
        #expect(files.count >= 8 && Self.number(of: files[0]) > 8)
        #expect(self.byteCount > Self.byteCountMax / 2)
        for file in files {
            let text = self.text(file)
            #expect(text.utf8.count <= Self.byteCountMax / 8)
            #expect(text.utf8.count % 10_000 == 0 && text.hasSuffix("x\n"), "\(file)")
        }
        #expect(self.text("notes.txt") == "notes")
    }

    @Test func aLineLargerThanAFileHasOneOfItsOwn() async throws {
        let journal = try self.journal()
        self.append("small", to: journal)
        #expect(await self.written(1, by: journal))
        self.append(String(repeating: "x", count: 3_000_000), to: journal)
        self.append("small again", to: journal)
        #expect(await self.written(3, by: journal))
        self.append(String(repeating: "x", count: SegmentedJournal.bufferByteCountMax), to: journal)
        self.append("after a gap", to: journal)
        journal.close()
        #expect(self.files.map { self.text($0).utf8.count }.prefix(2) == [6, 3_000_001])
        #expect(journal.status.droppedCount >= 1 && self.byteCount <= Self.byteCountMax)
    }

    @Test(arguments: [0, 1, 70_000])
    func aTornTailIsPutAside(length: Int) throws {
        let first = try self.journal()
        self.append("one", to: first)
        first.close()
        try self.directory.write("one\n" + String(repeating: "x", count: length), to: "raw/\(self.files[0])")
        let second = try self.journal()
        self.append("two", to: second)
        second.close()
        #expect(self.text("raw-20260512T235959Z-1.jsonl") == "one\ntwo\n")
        #expect(self.text("raw-20260512T235959Z-1.jsonl.torn").utf8.count == (length == 0 ? 0 : length + 1))
        // And what was put aside is there still at the next start, which writes on.
        let third = try self.journal()
        self.append("three", to: third)
        third.close()
        #expect(self.text("raw-20260512T235959Z-1.jsonl") == "one\ntwo\nthree\n")
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
        #expect(try JournalFile.entries(of: place + "/raw").contains { $0.hasSuffix(".jsonl") })
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
