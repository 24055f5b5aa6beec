import Glibc
import Testing

@testable import DaemonKit

struct UnixListenerTests {
    private static func names(_ error: any Error, _ words: String...) -> Bool {
        words.allSatisfy { "\(error)".contains($0) }
    }

    @Test(arguments: [Access.sameUser, .groups(readers: nil, operators: nil)])
    func theFileHasTheModeThatAccessDemands(access: Access) throws {
        let directory = try DaemonTestDirectory()
        let path = directory.path("a.sock")
        let listener = try UnixListener.bind(path, mode: access.socketMode)
        #expect(DaemonTest.mode(of: path) == access.socketMode)
        listener.stop()
        #expect(DaemonTest.mode(of: path) == nil)
    }

    @Test func aPathThatIsTooLongIsRefusedInASentence() throws {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        let error = #expect(throws: ListenerError.self) { try UnixListener.bind(path, mode: 0o600) }
        #expect(error.map { Self.names($0, "108 bytes", "allows 107", "shorter --runtime-dir") } == true)
        #expect(UnixSocket.connect(path) == nil && errno == ENAMETOOLONG)
    }

    @Test func theLongestPathIsTaken() throws {
        let directory = try DaemonTestDirectory()
        let name = String(repeating: "x", count: 107 - directory.path("").utf8.count)
        let listener = try UnixListener.bind(directory.path(name), mode: 0o600)
        let descriptor = try #require(UnixSocket.connect(directory.path(name)))
        close(descriptor)
        listener.stop()
    }

    @Test func aSocketThatNobodyAnswersOnIsReplaced() throws {
        let directory = try DaemonTestDirectory()
        let path = directory.path("a.sock")
        let dead = try UnixListener.bind(path, mode: 0o600)
        // As after `kill -9`: the descriptor is gone, the file is not.
        close(dead.descriptor)
        #expect(UnixSocket.connect(path) == nil && errno == ECONNREFUSED)
        let listener = try UnixListener.bind(path, mode: 0o600)
        close(try #require(UnixSocket.connect(path)))
        listener.stop()
    }

    @Test func aSocketThatSomebodyAnswersOnIsLeftToThem() throws {
        let directory = try DaemonTestDirectory()
        let path = directory.path("a.sock")
        let first = try UnixListener.bind(path, mode: 0o600)
        let error = #expect(throws: ListenerError.self) { try UnixListener.bind(path, mode: 0o600) }
        #expect(error.map { Self.names($0, "another process answers", path) } == true)
        close(try #require(UnixSocket.connect(path)))
        first.stop()
    }

    @Test func aFileThatIsNoSocketIsNotTouched() throws {
        let directory = try DaemonTestDirectory()
        try directory.write("precious", to: "a.sock")
        let error = #expect(throws: ListenerError.self) {
            try UnixListener.bind(directory.path("a.sock"), mode: 0o600)
        }
        #expect(error.map { Self.names($0, "is no socket") } == true)
        #expect(directory.read("a.sock") == "precious")
        mkdir(directory.path("b.sock"), 0o700)
        let other = #expect(throws: ListenerError.self) {
            try UnixListener.bind(directory.path("b.sock"), mode: 0o600)
        }
        #expect(other.map { Self.names($0, "is no socket") } == true)
    }

    @Test func aMissingDirectoryIsNamed() throws {
        let error = #expect(throws: ListenerError.self) { try UnixListener.bind("/nowhere/a.sock", mode: 0o600) }
        #expect(error.map { Self.names($0, "/nowhere/a.sock", "No such file") } == true)
    }

    @Test func aKeptListenersFileOutlivesTheProcess() throws {
        let directory = try DaemonTestDirectory()
        let path = directory.path("a.sock")
        let bound = try UnixListener.bind(path, mode: 0o600)
        let copy = dup(bound.descriptor)
        bound.kept.stop()
        #expect(DaemonTest.mode(of: path) == 0o600)
        let again = UnixListener(kept: copy, path: path, place: bound.place)
        #expect(again.isInPlace)
        close(try #require(UnixSocket.connect(path)))
        again.stop()
    }

    @Test func aFileOfSomebodyElseAtTheSamePathIsNotOurs() throws {
        let directory = try DaemonTestDirectory()
        let path = directory.path("a.sock")
        let first = try UnixListener.bind(path, mode: 0o600)
        unlink(path)
        #expect(!first.isInPlace)
        let second = try UnixListener.bind(path, mode: 0o600)
        #expect(second.isInPlace && !first.isInPlace && first.place != second.place)
        // The first one's end leaves the second one's file alone.
        first.stop()
        #expect(second.isInPlace)
        second.stop()
        #expect(UnixListener.Place(of: path) == nil)
    }
}
