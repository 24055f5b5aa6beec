import Glibc
import Shared
import Testing

@testable import simvenue

/// The program itself: what it prints, how it stops, with what it exits.
struct ProcessTests {
    /// Beside the test bundle, where the package manager puts it.
    private static let program: String = {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/simvenue"
    }()
    private static let hasProgram = access(program, X_OK) == 0

    private struct Child {
        let pid: pid_t
        let output: CInt

        /// The first line on its standard output.
        func readLine() -> String {
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while read(self.output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// Waits for its end: its exit code, or minus the signal that ended it, which is ours when it takes too long.
        func wait() -> CInt {
            let deadline = ContinuousClock.now + .seconds(60)
            var status: CInt = 0
            while waitpid(self.pid, &status, WNOHANG) == 0 {
                if ContinuousClock.now > deadline { kill(self.pid, SIGKILL) }
                usleep(2_000)
            }
            close(self.output)
            return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
        }
    }

    /// Descriptors that are never inherited: other tests spawn at the same time, and an end that leaked into their children
    /// would stay open.
    private func channel() -> (read: CInt, write: CInt) {
        var ends: [CInt] = [-1, -1]
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    /// - Parameter closed: a descriptor that the child does not have, whatever other tests left open.
    private func spawn(
        _ arguments: [String], environment: [String] = [], lifeline: CInt? = nil, closed: CInt? = nil
    ) throws -> Child {
        let output = self.channel()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        if let lifeline { posix_spawn_file_actions_adddup2(&actions, lifeline, 3) }
        if let closed { posix_spawn_file_actions_addclose(&actions, closed) }
        var pid: pid_t = 0
        let argv = ([Self.program] + arguments).map { strdup($0) } + [nil]
        let envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        let result = posix_spawn(&pid, Self.program, &actions, nil, argv, envp)
        close(output.write)
        try #require(result == 0)
        return Child(pid: pid, output: output.read)
    }

    private func port(_ line: String) throws -> Int {
        let value = try JSONValue(parsing: Array(line.utf8))
        #expect(value["ready"]?.bool == true)
        let port = Int(try #require(value["port"]?.integer))
        #expect(value["gamma_url"]?.string == "http://127.0.0.1:\(port)")
        #expect(value["clob_url"]?.string == "http://127.0.0.1:\(port)")
        #expect(value["data_url"]?.string == "http://127.0.0.1:\(port)")
        #expect(value["market_ws_url"]?.string == "ws://127.0.0.1:\(port)/ws/market")
        #expect(value["user_ws_url"]?.string == "ws://127.0.0.1:\(port)/ws/user")
        #expect(value["prices_ws_url"]?.string == "ws://127.0.0.1:\(port)/prices")
        #expect(value["binance_ws_url"]?.string == "ws://127.0.0.1:\(port)")
        return port
    }

    @Test(.enabled(if: hasProgram, "the program is not beside the tests"), arguments: [SIGTERM, SIGINT])
    func aSignalStopsItCleanlyWithOpenConnections(signal: CInt) throws {
        let child = try self.spawn(["--markets", "3"])
        let port = try self.port(child.readLine())
        let client = try VenueClient(port: port)
        #expect(try client.upgrade() == 101)
        kill(child.pid, signal)
        #expect(child.wait() == 0)
        #expect(client.isClosedByServer())
    }

    @Test(.enabled(if: hasProgram, "the program is not beside the tests"))
    func itEndsWithItsParent() throws {
        let lifeline = self.channel()
        let child = try self.spawn(["--port", "0"], environment: ["POLYBOT_LIFELINE_FD=3"], lifeline: lifeline.read)
        close(lifeline.read)
        _ = try self.port(child.readLine())
        close(lifeline.write)
        #expect(child.wait() == 0)
    }

    @Test(.enabled(if: hasProgram, "the program is not beside the tests"))
    func wrongUsageExitsWith64() throws {
        for arguments in [
            ["--port", "99999"], ["--replay", "/nowhere/at/all"], ["--what"], ["--script", "/nowhere/at/all"],
            // A file, and no script.
            ["--script", #filePath],
        ] {
            #expect(try self.spawn(arguments).wait() == 64)
        }
        #expect(try self.spawn([], environment: ["POLYBOT_LIFELINE_FD=77"], closed: 77).wait() == 64)
        let taken = try self.spawn([])
        let port = try self.port(taken.readLine())
        #expect(try self.spawn(["--port", "\(port)"]).wait() == 64)
        kill(taken.pid, SIGTERM)
        #expect(taken.wait() == 0)
        for flag in ["--help", "--faults", "--print-config"] { #expect(try self.spawn([flag]).wait() == 0) }
    }
}
