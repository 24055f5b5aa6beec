import Shared
import Testing

@testable import DaemonKit

/// A listing as long as the venue's: what reading it needs. `make soak` runs it.
@Suite(.serialized, .enabled(if: Programs.variable("POLYBOT_SOAK") != nil, "minutes long: `make soak` runs it"))
struct ListingSoakTests {
    private static let marketCount = 50_000
    /// Bytes in memory, at the most.
    private static let residentMax = 60_000_000

    @Test func fiftyThousandMarketsAreReadInLittleMemory() async throws {
        let directory = try TemporaryDirectory()
        let venue = try RunningProgram(
            Programs.python, [Programs.peer("listing_venue.py"), "\(Self.marketCount)"], in: directory.path)
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("port") }.utf8))
        let url = "http://127.0.0.1:\(try #require(ready["port"]?.integer))"
        let scanner = try RunningProgram(
            Programs.path(of: "scannerd"),
            ["--runtime-dir", directory.path, "--state-dir", directory.file("state")], in: directory.path,
            environment: ["POLYBOT_VENUE_GAMMA_URL": url, "POLYBOT_VENUE_CLOB_URL": url])
        let line = try await scanner.line(of: .errors, within: .seconds(600)) {
            $0.contains("First pass over the listing is done")
        }
        #expect(line.contains("\(Self.marketCount)"), "\(line)")
        let resident = try #require(Self.residentPeak(of: scanner))
        #expect(resident < Self.residentMax, "\(resident) bytes")
        #expect(try await scanner.stop() == .exited(0))
    }

    /// The most bytes that were in memory at a time.
    private static func residentPeak(of program: RunningProgram) -> Int? {
        guard let bytes = contents(of: "/proc/\(program.pid)/status") else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let words = lines.first { $0.hasPrefix("VmHWM:") }?.split { $0 == " " || $0 == "\t" } ?? []
        return words.count > 1 ? Int(words[1]).map { $0 * 1_024 } : nil
    }
}
