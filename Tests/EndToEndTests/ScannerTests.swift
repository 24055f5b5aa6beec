import Glibc
import Shared
import Testing

/// `scannerd` as a process, when the venue is not there.
@Suite struct ScannerTests {
    @Test func beforeItsFirstPassItTellsItsTroubleAndNoUniverse() async throws {
        let directory = try TemporaryDirectory()
        // A port on which nobody listens: bound, never listening, and closed with the test.
        let deaf = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(deaf) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(deaf, $0, length) == 0 && getsockname(deaf, $0, &length) == 0
            }
        }
        try #require(port)
        let flags = ["--runtime-dir", directory.path, "--state-dir", directory.file("state")]
        let scanner = try RunningProgram(
            Programs.path(of: "scannerd"), flags, in: directory.path,
            environment: ["POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"])
        _ = try await scanner.line(of: .errors, within: .seconds(30)) { $0.contains("the universe stays as it is") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "scannerd", "--runtime-dir", directory.path, "--type", "scan_status,universe", "--count", "2"],
            in: directory.path)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        let frames = tap.text(of: .output)
        #expect(frames.contains(#""age":-1"#) && frames.contains(#""error":"#), "\(frames)")
        #expect(!frames.contains(#""type":"universe""#), "\(frames)")
        #expect(try await scanner.stop() == .exited(0))
    }
}
