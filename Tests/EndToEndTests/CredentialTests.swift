import CLinux
import Glibc
import Testing

@testable import DaemonKit

/// Who reads the account's secrets, and what is said of those that cannot be used.
@Suite struct CredentialTests {
    private static let secret = "0x" + String(repeating: "4f", count: 31) + "zz"

    /// Tells of every file that is opened in a directory.
    private final class Watch {
        private let descriptor: Int32

        init(_ directory: String) throws {
            self.descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
            guard self.descriptor >= 0, inotify_add_watch(self.descriptor, directory, UInt32(IN_OPEN)) >= 0 else {
                throw SystemError("inotify")
            }
        }

        deinit { close(self.descriptor) }

        var hasSeenAnything: Bool {
            var events = [UInt8](repeating: 0, count: 4_096)
            return read(self.descriptor, &events, events.count) > 0
        }
    }

    /// The service manager's end: where `STATUS=` arrives.
    private final class Manager {
        private let descriptor: Int32
        private var lines: [String] = []

        init(_ path: String) throws {
            let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
            self.descriptor = socket(AF_UNIX, Int32(kind), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let isBound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
            guard isBound else { throw SystemError("bind") }
        }

        deinit { close(self.descriptor) }

        /// All that was said so far.
        var said: String {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while case let count = recv(self.descriptor, &buffer, buffer.count, 0), count > 0 {
                self.lines.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
            return self.lines.joined(separator: "\n")
        }
    }

    private func start(
        _ daemon: String, in directory: TemporaryDirectory, _ environment: [String: String]
    ) throws -> RunningProgram {
        try RunningProgram(
            Programs.path(of: daemon),
            ["--runtime-dir", directory.path, "--state-dir", directory.file("state-\(daemon)")],
            in: directory.path,
            environment: environment.merging(["POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:1"]) { $1 })
    }

    private func waitForSocket(of daemon: RunningProgram, in directory: TemporaryDirectory) async throws {
        try await waitFor("the socket of \(daemon.name)", state: daemon.report) { () -> Bool? in
            guard let descriptor = UnixSocket.connect(directory.file(daemon.name + ".sock")) else { return nil }
            close(descriptor)
            return true
        }
    }

    @Test func stratdAloneLooksAtThem() async throws {
        let directory = try TemporaryDirectory()
        let credentials = directory.file("credentials")
        mkdir(credentials, 0o700)
        try directory.write("credentials/private_key", Self.secret)
        mkfifo(credentials + "/api_credentials", 0o600)
        let environment = ["CREDENTIALS_DIRECTORY": credentials, "POLYGON_PRIVATE_KEY": Self.secret]
        let watch = try Watch(credentials)
        for name in ["feedd", "scannerd"] {
            let daemon = try self.start(name, in: directory, environment)
            try await self.waitForSocket(of: daemon, in: directory)
            #expect(try await daemon.stop() == .exited(0), "\(daemon.report)")
            #expect(!daemon.text(of: .errors).contains("credential"), "\(daemon.report)")
            #expect(!watch.hasSeenAnything, "\(name) looked at the secrets")
        }
        let stratd = try self.start("stratd", in: directory, environment)
        try await self.waitForSocket(of: stratd, in: directory)
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        #expect(watch.hasSeenAnything)
        let log = stratd.text(of: .errors)
        #expect(log.split(separator: "\n").count { $0.contains("A credential cannot be used") } == 3, "\(log)")
        #expect(!log.contains("4f4f"), "\(log)")
    }

    @Test(arguments: [
        ("{}", 0o400, "it is no JSON object"),
        (#"{"apiKey":"a","secret":"4f4f","passphrase":"c"}"#, 0o404, "everybody may use it"),
    ])
    func whatFeeddCannotUseOfItsOwnIsSaidAndEstimatesDo(text: String, mode: Int, reason: String) async throws {
        let directory = try TemporaryDirectory()
        let credentials = directory.file("credentials")
        mkdir(credentials, 0o700)
        chmod(try directory.write("credentials/readonly_api_credentials", text), mode_t(mode))
        let feed = try self.start(
            "feedd", in: directory,
            ["CREDENTIALS_DIRECTORY": credentials, "POLYBOT_VENUE_PRICES_WS_URL": "ws://127.0.0.1:9"])
        try await self.waitForSocket(of: feed, in: directory)
        #expect(try await feed.stop() == .exited(0), "\(feed.report)")
        let log = feed.text(of: .errors)
        #expect(log.contains("A credential cannot be used") && log.contains("credential=readonly_api_credentials"))
        #expect(log.contains(reason), "\(log)")
        #expect(!log.contains("4f4f") && !log.contains("price stream"), "\(log)")
    }

    @Test func theStatusLineNamesWhatCannotBeUsed() async throws {
        let directory = try TemporaryDirectory()
        let credentials = directory.file("credentials")
        mkdir(credentials, 0o700)
        mkdir(credentials + "/private_key", 0o700)
        try directory.write("credentials/api_credentials", "{}")
        chmod(credentials + "/api_credentials", 0o600)
        let manager = try Manager(directory.file("notify"))
        let stratd = try self.start(
            "stratd", in: directory,
            ["CREDENTIALS_DIRECTORY": credentials, "NOTIFY_SOCKET": directory.file("notify")])
        try await waitFor("a status line", state: manager.said + stratd.report) {
            let isTold = manager.said.contains(
                " · credential private_key unreadable · credential api_credentials malformed")
            return isTold ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
    }

    @Test func withoutSecretsNothingIsSaid() async throws {
        let directory = try TemporaryDirectory()
        let stratd = try self.start("stratd", in: directory, ["CREDENTIALS_DIRECTORY": directory.file("none")])
        try await self.waitForSocket(of: stratd, in: directory)
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        #expect(!stratd.text(of: .errors).contains("credential"), "\(stratd.report)")
    }
}
