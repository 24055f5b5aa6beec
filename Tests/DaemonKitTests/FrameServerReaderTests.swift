import CLinux
import Glibc
import Shared
import Testing

@testable import DaemonKit

/// The server with connections of other users.
struct FrameServerReaderTests {
    /// A client in Python that gives its rights up first and prints the first frame that it gets.
    private static func answer(asUser user: Int, group: Int, at path: String) async throws -> String {
        let script = """
            import os, socket, sys
            os.setgroups([\(group)]); os.setgid(65534); os.setuid(\(user))
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(sys.argv[1])
            except PermissionError:
                sys.exit("EACCES")
            try:
                line.sendall(bytes([0, 0, 0, len(sys.argv[2])]) + sys.argv[2].encode())
            except BrokenPipeError:
                pass
            print(line.recv(4096)[4:].decode())
            print(line.recv(4096)[4:].decode())
            """
        let hello =
            #"{"v":1,"seq":1,"type":"hello","sent_time":0,"body":{"daemon":"a","version":"1","instance":"1","pid":1}}"#
        return try await onThread {
            let directory = try DaemonTestDirectory()
            let command = "exec \"$0\" -c \"$1\" \"$2\" \"$3\" > \(directory.path("answer")) 2>&1"
            _ = succeeds(["/bin/sh", "-c", command, PythonPeer.python, script, path, hello])
            return directory.read("answer")
        }
    }

    private static let isRoot = getuid() == 0 && PythonPeer.isAvailable
    private static let needsRoot: Comment = "only root can connect as somebody else"

    @Test(.enabled(if: isRoot, needsRoot))
    func theFilesModeKeepsOtherUsersOut() async throws {
        let server = try TestServer()
        chmod(server.directory.root, 0o755)
        #expect(try await Self.answer(asUser: 65_534, group: 65_534, at: server.path).contains("EACCES"))
        try await server.stop()
    }

    @Test(.enabled(if: isRoot, needsRoot))
    func anotherUserIsToldThatItMayNotConnectEvenWhereTheFileLetsIt() async throws {
        let server = try TestServer(mode: 0o666)
        chmod(server.directory.root, 0o755)
        let answer = try await Self.answer(asUser: 65_534, group: 65_534, at: server.path)
        #expect(answer.contains(#""type":"error""#) && answer.contains("not_allowed"), "\(answer)")
        #expect(!answer.contains("hello"))
        #expect(try await server.call { $0.server.counters["refused"] } == 1)
        try await server.stop()
    }

    @Test(.enabled(if: isRoot, needsRoot), arguments: [true, false])
    func membersOfTheOperatorsGroupCommandAndOthersRead(isMember: Bool) async throws {
        let operators: UInt32 = 54_321
        let server = try TestServer(access: .groups(readers: nil, operators: operators), mode: 0o666)
        chmod(server.directory.root, 0o755)
        let answer = try await Self.answer(asUser: 65_534, group: isMember ? 54_321 : 54_322, at: server.path)
        #expect(answer.contains(#""type":"hello""#), "\(answer)")
        let credentials = try await server.call { $0.credentials }
        #expect(credentials.map(\.mayRead) == [true])
        #expect(credentials.map(\.isOperator) == [isMember])
        #expect(credentials.map(\.uid) == [65_534])
        try await server.stop()
    }

    // MARK: Mere readers

    /// What a mere reader asks of a server must not matter to an operator, or to the daemons.
    @Test func readersLeavePlacesForOperatorsAndDaemons() {
        func peer(_ uid: UInt32, isOperator: Bool = false, isDaemon: Bool = false) -> PeerCredentials {
            PeerCredentials(pid: 1, uid: uid, mayRead: true, isOperator: isOperator, isDaemon: isDaemon)
        }
        var present: [PeerCredentials] = []
        func admits(_ newcomer: PeerCredentials) -> Bool {
            guard FramePlaces.refusal(of: newcomer, among: present) == nil else { return false }
            present.append(newcomer)
            return true
        }
        let own = (0..<256).count { _ in admits(peer(1_000)) }
        #expect(own == 64)
        // Others of other users, until what is left is not theirs.
        let others = (0..<256).count { admits(peer(2_000 + UInt32($0))) }
        #expect(own + others == 240)
        #expect(admits(peer(3_000, isOperator: true)) && admits(peer(3_001, isDaemon: true)))
        // Both may have as many as there are.
        #expect((0..<256).count { _ in admits(peer(0, isOperator: true)) } == 14)
        #expect(present.count == 256)
        #expect(FramePlaces.refusal(of: peer(0, isOperator: true), among: present) == "256 connections are open")
        present.removeLast()
        #expect(!admits(peer(4_000)), "an operator's place is no reader's")
        #expect(admits(peer(3_001, isDaemon: true)))
    }

    @Test(.enabled(if: isRoot, needsRoot))
    func readersThatTakeAllTheyGetDoNotKeepAnOperatorOut() async throws {
        let server = try TestServer(access: .groups(readers: nil, operators: nil), mode: 0o666)
        chmod(server.directory.root, 0o755)
        clinux_raise_open_files()
        let readers = try await PythonPeer("reader_peer.py", [server.path, "64", "64", "64", "64", "64"])
        #expect(readers.port == 240, "a peer's number is how many were welcome")
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            #expect(try probe.next()?.type == "hello")
            probe.hello()
            probe.send(Subscribe(id: 1, markets: .all))
            #expect(try probe.next(.result) != nil)
        }
        #expect(try await server.call { $0.server.counters["too_many"] } == 80)
        try await server.stop()
    }

    @Test(.enabled(if: isRoot, needsRoot))
    func halfFramesOfReadersFillNoMemory() async throws {
        let server = try TestServer(access: .groups(readers: nil, operators: nil), mode: 0o666)
        chmod(server.directory.root, 0o755)
        clinux_raise_open_files()
        let largest = FramePlaces.readerFrameByteCountMax
        let readers = try await PythonPeer("reader_peer.py", [server.path, "64", "64", "half", "\(largest)"])
        #expect(readers.port == 128)
        let held = try await eventually {
            try await server.call { $0.server.peers.values.count { $0.decoder.pendingByteCount == largest } } == 128
        }
        #expect(held, "the frames lack four bytes each")
        let byteCount = try await server.call { $0.server.peers.values.reduce(0) { $0 + $1.decoder.heldByteCount } }
        #expect(byteCount <= 128 * (4 + largest + FrameDecoder.readByteCount))
        // A larger frame is refused for its length alone; of a third user, as the two have no place left.
        let greedy = try await PythonPeer("reader_peer.py", [server.path, "0", "0", "1", "half", "\(largest + 1)"])
        #expect(greedy.port == 1)
        #expect(try await eventually { try await server.call { $0.server.counters["ended_bad_length"] } == 1 })
        try await server.stop()
    }
}
