import DaemonKit
import Glibc
import Testing

/// A small file that is read whole and replaced whole.
@Suite struct StateFileTests {
    private let directory: DaemonTestDirectory
    private let file: StateFile

    init() throws {
        self.directory = try DaemonTestDirectory()
        self.file = StateFile(self.directory.path("state"), byteCountMax: 5)
    }

    @Test func whatWasWrittenLastIsRead() throws {
        #expect(try self.file.read() == nil)
        try self.file.write([1, 2, 3])
        try self.file.write([4, 5])
        #expect(try self.file.read() == [4, 5])
    }

    @Test func aFileThatIsTooLargeIsRefused() throws {
        try self.file.write([1, 2, 3, 4, 5])
        #expect(try self.file.read()?.count == 5)
        try self.file.write([1, 2, 3, 4, 5, 6])
        #expect(throws: StateFile.Problem.failed(SystemError("read", code: EFBIG))) { try self.file.read() }
    }

    @Test func aPipeOrADirectoryInItsPlaceHoldsNobodyUp() throws {
        try #require(mkfifo(self.file.path, 0o600) == 0)
        #expect(throws: StateFile.Problem.notRegular) { try self.file.read() }
        try self.file.write([1])
        #expect(try self.file.read() == [1], "it is replaced")
        let draft = self.file.path + ".new"
        try #require(mkfifo(draft, 0o600) == 0)
        #expect(throws: StateFile.Problem.self, "nobody reads it") { try self.file.write([2]) }
        let reader = open(draft, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        #expect(throws: StateFile.Problem.notRegular) { try self.file.write([2]) }
        #expect(try self.file.read() == [1])
        let other = StateFile(self.directory.root, byteCountMax: 5)
        #expect(throws: StateFile.Problem.notRegular) { try other.read() }
        #expect("\(StateFile.Problem.notRegular)" == "it is no regular file")
    }
}
