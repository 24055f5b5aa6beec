import CLinux
import Glibc
import Shared
import Testing

@testable import DaemonKit

/// A directory of its own for one test.
private final class TestDirectory {
    let path: String
    init() {
        var template = Array("/tmp/polybot-journal-XXXXXX".utf8CString)
        self.path = String(cString: mkdtemp(&template)!)
    }
    deinit {
        for file in self.files { unlink("\(self.path)/\(file)") }
        rmdir(self.path)
    }

    var files: [String] {
        guard let stream = opendir(self.path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func text(_ file: String) -> String {
        guard let stream = fopen("\(self.path)/\(file)", "r") else { return "" }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(stream), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func write(_ file: String, _ text: String) {
        let stream = fopen("\(self.path)/\(file)", "a")!
        fputs(text, stream)
        fclose(stream)
    }

    func lines(_ file: String, from prefix: String? = nil) throws -> [String] {
        var lines: [String] = []
        try JournalReader.forEachLine(of: "\(self.path)/\(file)", fromLastStartingWith: prefix) { line, _ in
            lines.append(String(decoding: line, as: UTF8.self))
        }
        return lines
    }
}

private let firstDay = Timestamp(rfc3339: "2026-05-12T23:59:59Z")!
private let secondDay = Timestamp(rfc3339: "2026-05-13T00:00:00Z")!
private let firstFile = "ledger-2026-05-12.jsonl"
private let secondFile = "ledger-2026-05-13.jsonl"

@Suite struct JournalTests {
    private let directory = TestDirectory()

    private func begun(_ head: String = "head\n") throws -> JournalWriter {
        let journal = try JournalWriter(directory: self.directory.path, name: "ledger")
        try journal.beginFile(at: firstDay, head: Array(head.utf8))
        return journal
    }

    @Test func linesAreReadBackAsTheyWereWritten() throws {
        let journal = try self.begun()
        try journal.append(Array("one\ntwo\n".utf8))
        try journal.append(Array("three\n".utf8))
        #expect(try self.directory.lines(firstFile) == ["head", "one", "two", "three"])
        #expect(try self.directory.lines(firstFile, from: "t") == ["three"])
        #expect(try self.directory.lines(firstFile, from: "two") == ["two", "three"])
        #expect(try self.directory.lines(firstFile, from: "none") == ["head", "one", "two", "three"])
        journal.sync()
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1 << 20])
    func aFileThatGrowsIsReadInPiecesOfAnySize(pieceByteCount: Int) throws {
        let text = "head\n\na line that is longer than others\nlast\nhalf a li"
        self.directory.write(firstFile, text)
        var lines: [String] = []
        let path = "\(self.directory.path)/\(firstFile)"
        try JournalReader.forEachLine(ofGrowing: path, pieceByteCount: pieceByteCount) { line, offset in
            lines.append("\(offset) \(String(decoding: line, as: UTF8.self))")
            // What is added meanwhile is for the next reader.
            if offset == 0 { self.directory.write(firstFile, "ne\nmore\n") }
        }
        #expect(lines == ["0 head", "5 ", "6 a line that is longer than others", "40 last"])
    }

    @Test func theFilesOfAJournalAreFoundByTheirDays() throws {
        for file in [secondFile, firstFile, firstFile + ".torn", secondFile + ".new", "other-2026-05-12.jsonl"] {
            self.directory.write(file, "")
        }
        let files = try JournalReader.dailyFiles(in: self.directory.path, of: "ledger")
        #expect(files.map(\.path) == [firstFile, secondFile].map { "\(self.directory.path)/\($0)" })
        #expect(files[1].day - files[0].day == 1)
        #expect(try JournalReader.dailyFiles(in: "/nowhere", of: "ledger") == [])
    }

    @Test func everyDayHasItsFile() throws {
        let journal = try self.begun()
        #expect(!journal.needsFile(for: firstDay) && journal.needsFile(for: secondDay))
        try journal.append(Array("one\n".utf8))
        try journal.beginFile(at: secondDay, head: Array("head2\n".utf8))
        try journal.append(Array("two\n".utf8))
        // A clock that goes back does not reopen yesterday's file.
        #expect(!journal.needsFile(for: firstDay))
        #expect(try self.directory.lines(firstFile) == ["head", "one"])
        #expect(try self.directory.lines(secondFile) == ["head2", "two"])
        journal.close()
        let next = try JournalWriter(directory: self.directory.path, name: "ledger")
        #expect(next.path == "\(self.directory.path)/\(secondFile)" && next.tornTail == nil)
        try next.append(Array("three\n".utf8))
        #expect(try self.directory.lines(secondFile) == ["head2", "two", "three"])
    }

    @Test func aTornTailIsCutOffAndKeptBeside() throws {
        try self.begun().close()
        self.directory.write(firstFile, "one\nhalf a li")
        let journal = try JournalWriter(directory: self.directory.path, name: "ledger")
        #expect(journal.tornTail?.byteCount == 9)
        #expect(self.directory.text(firstFile + ".torn") == "half a li\n")
        try journal.append(Array("two\n".utf8))
        #expect(try self.directory.lines(firstFile) == ["head", "one", "two"])
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func aTornTailOfAnyLengthIsFound(length: Int) throws {
        try self.begun().close()
        self.directory.write(firstFile, String(repeating: "x", count: length))
        let journal = try JournalWriter(directory: self.directory.path, name: "ledger")
        #expect(journal.tornTail?.byteCount ?? 0 == length)
        #expect(self.directory.text(firstFile) == "head\n")
    }

    @Test func aFileThatWasNeverFinishedIsForgotten() throws {
        try self.begun().close()
        self.directory.write(secondFile + ".new", "hea")
        let journal = try JournalWriter(directory: self.directory.path, name: "ledger")
        #expect(journal.path?.hasSuffix(firstFile) == true)
        #expect(!self.directory.files.contains(secondFile + ".new"))
    }

    @Test func aSecondWriterIsRefusedUntilTheFirstIsGone() throws {
        let journal = try self.begun()
        let error = #expect(throws: JournalError.self) {
            _ = try JournalWriter(directory: self.directory.path, name: "ledger")
        }
        guard case .locked = error else {
            Issue.record("expected the lock to be held, got \(String(describing: error))")
            return
        }
        journal.close()
        _ = try JournalWriter(directory: self.directory.path, name: "ledger")
    }

    @Test func aFullDiskIsAnErrorAndLeavesNoHalfLine() throws {
        let disk = FakeDisk()
        let journal = try JournalWriter(directory: self.directory.path, name: "ledger", write: disk.write)
        try journal.beginFile(at: firstDay, head: Array("head\n".utf8))
        disk.room = 3
        let error = #expect(throws: JournalError.self) { try journal.append(Array("one\n".utf8)) }
        #expect(error?.description.contains("No space left") == true)
        #expect(self.directory.text(firstFile) == "head\n")
        disk.room = .max
        try journal.append(Array("two\n".utf8))
        #expect(try self.directory.lines(firstFile) == ["head", "two"])
    }

    @Test func filesAreTheOwnersAlone() throws {
        _ = try self.begun()
        for file in self.directory.files {
            var status = stat()
            #expect(stat("\(self.directory.path)/\(file)", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600, "\(file)")
        }
    }

    @Test func aMissingDirectoryIsASentence() {
        let error = #expect(throws: JournalError.self) { _ = try JournalWriter(directory: "/nowhere", name: "ledger") }
        #expect(error?.description == "the journal /nowhere cannot be used: open: No such file or directory")
    }

    /// A child between fork and exec holds copies of all descriptors, for which the one made here stands.
    @Test func aChildThatHasNotReachedItsProgramDoesNotKeepTheLock() throws {
        let journal = try self.begun()
        let copies = Self.descriptors(of: self.directory.path).map { dup($0) }
        defer { for copy in copies { close(copy) } }
        #expect(!copies.isEmpty)
        journal.close()
        _ = try JournalWriter(directory: self.directory.path, name: "ledger")
    }

    /// Descriptors of this process that are open on `path` itself.
    private static func descriptors(of path: String) -> [Int32] {
        var wanted = stat()
        guard stat(path, &wanted) == 0 else { return [] }
        return (0..<4_096).filter { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && status.st_dev == wanted.st_dev && status.st_ino == wanted.st_ino
        }
    }

    @Test func aDiskWithoutRoomIsFoundOutWhenWriting() throws {
        try self.begun().close()
        self.directory.write(firstFile, "one\nhalf a li")
        let disk = FakeDisk()
        disk.error = ENOSPC
        let journal = try JournalWriter(directory: self.directory.path, name: "ledger", write: disk.write)
        // What is there can be read; the torn end is passed over.
        #expect(try self.directory.lines(firstFile) == ["head", "one"])
        #expect(journal.tornTail == nil)
        #expect(throws: JournalError.self) { try journal.append(Array("two\n".utf8)) }
        #expect(throws: JournalError.self) { try journal.beginFile(at: secondDay, head: Array("head2\n".utf8)) }
        #expect(journal.needsFile(for: secondDay))
        disk.error = nil
        try journal.append(Array("two\n".utf8))
        #expect(journal.tornTail?.byteCount == 9)
        try journal.beginFile(at: secondDay, head: Array("head2\n".utf8))
        #expect(try self.directory.lines(firstFile) == ["head", "one", "two"])
        #expect(try self.directory.lines(secondFile) == ["head2"])
    }

    @Test func aLineThatCouldNotBeTakenBackIsTakenBackBeforeTheNext() throws {
        let disk = FakeDisk()
        let journal = try JournalWriter(directory: self.directory.path, name: "ledger", write: disk.write)
        try journal.beginFile(at: firstDay, head: Array("head\n".utf8))
        disk.room = 2
        #expect(throws: JournalError.self) { try journal.append(Array("one\n".utf8)) }
        disk.room = .max
        try journal.append(Array("two\n".utf8))
        #expect(try self.directory.lines(firstFile) == ["head", "two"])
    }

    @Test func aDiskThatLosesWhatItTookIsToldOnceBeforeTheNextLines() throws {
        let disk = FakeDisk()
        let journal = try JournalWriter(
            directory: self.directory.path, name: "ledger", write: disk.write, sync: disk.sync)
        try journal.beginFile(at: firstDay, head: Array("head\n".utf8))
        disk.syncError = EIO
        try journal.append(Array("one\n".utf8))
        journal.sync()
        disk.syncError = nil
        #expect(throws: JournalError.self) { try journal.append(Array("two\n".utf8)) }
        try journal.append(Array("checkpoint\n".utf8))
        #expect(try self.directory.lines(firstFile) == ["head", "one", "checkpoint"])
    }

    @Test func aDiskThatLosesWhatItTookIsToldToWhoeverAsksWithoutLines() throws {
        let disk = FakeDisk()
        let journal = try JournalWriter(
            directory: self.directory.path, name: "ledger", write: disk.write, sync: disk.sync)
        try journal.beginFile(at: firstDay, head: Array("head\n".utf8))
        try journal.append([])
        disk.syncError = EIO
        try journal.append(Array("halted\n".utf8))
        journal.sync()
        #expect(throws: JournalError.self) { try journal.append([]) }
        try journal.append([])
        try journal.append(Array("again\n".utf8))
        #expect(!journal.close(), "what was written last is lost, and nobody else says so")
    }

    @Test func aDiskThatDoesNotAnswerDoesNotHoldUpTheEnd() throws {
        let disk = FakeDisk()
        let journal = try JournalWriter(
            directory: self.directory.path, name: "ledger", write: Glibc.write, sync: disk.sync)
        try journal.beginFile(at: firstDay, head: Array("head\n".utf8))
        try journal.append(Array("one\n".utf8))
        journal.sync()
        disk.hold()
        defer { disk.letGo() }
        try journal.append(Array("two\n".utf8))
        let start = Instant.now()
        #expect(!journal.close())
        #expect(Instant.now() - start >= JournalWriter.closeTimeMax)
        // Whoever comes next finds the journal free, and what the kernel has.
        let next = try JournalWriter(directory: self.directory.path, name: "ledger")
        #expect(try self.directory.lines(firstFile) == ["head", "one", "two"])
        #expect(next.close())
    }

    @Test func aFileOfYesterdayThatIsStillBeingSyncedDoesNotHoldUpTheNext() throws {
        let disk = FakeDisk()
        let journal = try JournalWriter(
            directory: self.directory.path, name: "ledger", write: Glibc.write, sync: disk.sync)
        try journal.beginFile(at: firstDay, head: Array("head\n".utf8))
        disk.hold()
        try journal.append(Array("one\n".utf8))
        try journal.beginFile(at: firstDay + .seconds(86_400), head: Array("next\n".utf8))
        try journal.append(Array("two\n".utf8))
        #expect(!journal.isAdvancing(now: .now() + .seconds(6)))
        disk.letGo()
        journal.sync()
        #expect(try self.directory.lines(firstFile) == ["head", "one"])
        #expect(
            try journal.path.map { try self.directory.lines(String($0.split(separator: "/").last!)) } == [
                "next", "two",
            ])
        #expect(journal.close())
    }

    @Test func whatEndsADaemonSaysWhetherANewStartMayHelp() {
        #expect(JournalError.locked("/state").exit.code == .refused)
        #expect(JournalError.system("/state", SystemError("open", code: EACCES)).exit.code == .refused)
        #expect(JournalError.system("/state", SystemError("pthread_create", code: EAGAIN)).exit.code == .temporary)
    }

    // MARK: The watchdog

    @Test func aSyncThatNeverEndsIsNoAdvance() throws {
        let disk = FakeDisk()
        let journal = try JournalWriter(
            directory: self.directory.path, name: "ledger", write: Glibc.write, sync: disk.sync)
        try journal.beginFile(at: firstDay, head: Array("head\n".utf8))
        let start = Instant.now()
        #expect(journal.isAdvancing(now: start + .seconds(86_400)), "a quiet market is no standstill")
        disk.hold()
        try journal.append(Array("one\n".utf8))
        #expect(journal.isAdvancing(now: start + .seconds(5)))
        #expect(!journal.isAdvancing(now: .now() + .seconds(6)))
        disk.letGo()
        journal.sync()
        #expect(journal.isAdvancing(now: start + .seconds(86_400)))
    }

    @Test func aDrillWedgesTheJournalUntilItIsClosed() throws {
        let journal = try self.begun()
        try journal.append(Array("one\n".utf8))
        journal.sync()
        journal.wedgeForDrill()
        #expect(journal.isAdvancing(now: .now()))
        #expect(!journal.isAdvancing(now: .now() + .seconds(6)))
        journal.close()
        #expect(try self.directory.lines(firstFile) == ["head", "one"])
    }
}
