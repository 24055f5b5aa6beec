import Glibc
import Shared
import Testing

@testable import DaemonKit

/// The pipeline reaches a venue behind TLS, which a real terminator speaks.
struct TLSTests {
    /// A port of this machine that nobody has.
    private func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(isBound)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private func startTerminator(
        in directory: TemporaryDirectory, from port: Int, to venue: Int, certificate: TestAuthority.Certificate
    ) throws -> RunningProgram {
        let file = try directory.write(
            "stunnel.conf",
            """
            foreground = yes
            pid =
            syslog = no
            [venue]
            accept = 127.0.0.1:\(port)
            connect = 127.0.0.1:\(venue)
            cert = \(certificate.file)
            key = \(certificate.key)

            """)
        return try RunningProgram("/usr/bin/stunnel4", [file], in: directory.path)
    }

    @Test(.enabled(if: access("/usr/bin/stunnel4", X_OK) == 0, "stunnel4 is not installed"))
    func booksComeThroughATerminatorAndComeBackAfterItWasKilled() async throws {
        let directory = try TemporaryDirectory()
        let authority = try await TestAuthority()
        let certificate = try await authority.sign(for: "localhost")
        let port = try self.freePort()
        let secure = [
            "POLYBOT_VENUE_GAMMA_URL": "https://localhost:\(port)",
            "POLYBOT_VENUE_CLOB_URL": "https://localhost:\(port)",
            "POLYBOT_VENUE_MARKET_WS_URL": "wss://localhost:\(port)/ws/market",
            "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_SCANNER_INTERVAL_S": "1",
            "POLYBOT_FEED_RECONNECT_DELAY_S": "0.1", "POLYBOT_FEED_BREAKER_TIMEOUT_S": "1",
        ]
        let pipeline = try await Pipeline(
            ["--markets", "10", "--rate", "300", "--seed", "41"],
            settings: secure.merging(["POLYBOT_VENUE_CA_FILE": authority.file]) { $1 })
        var terminator = try self.startTerminator(
            in: directory, from: port, to: pipeline.port, certificate: certificate)
        let client = try PythonClient(pipeline)
        func waitForMovingBooks() async throws {
            let seen = client.states.count
            try await waitFor("books", state: pipeline.feed.report + terminator.report) {
                client.books.count >= 4 && client.states.count > seen + 100 ? true : nil
            }
        }
        try await waitForMovingBooks()

        // Who does not know the authority gets nothing, and is told why.
        let stranger = try RunningProgram(
            Programs.path(of: "scannerd"),
            ["--runtime-dir", directory.file("other"), "--state-dir", directory.file("other")], in: directory.path,
            environment: secure)
        _ = try await stranger.line(of: .errors) { $0.lowercased().contains("certificate") }
        #expect(try await stranger.stop() == .exited(0))

        #expect(try await terminator.stop(SIGKILL) == .killed(by: SIGKILL))
        try await waitFor("untrusted books", state: pipeline.feed.report) { client.books.isEmpty ? true : nil }
        terminator = try self.startTerminator(in: directory, from: port, to: pipeline.port, certificate: certificate)
        try await waitForMovingBooks()
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }
}
