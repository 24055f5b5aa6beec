import Glibc
import Shared
import Testing

/// A full disk is a state: the daemons start on it, say so, and heal.
@Suite(.enabled(if: SmallDisk.isPossible, "only root may mount the small disk that these tests fill"))
struct FullDiskTests {
    @Test func stratdStartsHaltedAndHealsWhenThereIsRoom() async throws {
        let directory = try TemporaryDirectory()
        let disk = try SmallDisk(at: directory.path)
        #expect(disk.fill())
        let flags = ["--runtime-dir", directory.path, "--state-dir", disk.path]
        let daemon = try RunningProgram(Programs.path(of: "stratd"), flags, in: directory.path)
        _ = try await daemon.line(of: .errors) {
            $0.contains("The journal cannot be written") && $0.contains("No space")
        }
        _ = try await daemon.line(of: .errors) { $0.contains("Trading is halted") && $0.contains("reason=journal") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "stratd", "--runtime-dir", directory.path, "--type", "risk_status", "--count", "1"],
            in: directory.path)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        #expect(tap.text(of: .output).contains(#""reasons":["journal"]"#), "\(tap.report)")
        #expect(Self.ledgers(on: disk) == [])
        disk.makeRoom()
        _ = try await daemon.line(of: .errors) { $0.contains("The journal takes records again") }
        let ledger = try #require(Self.ledgers(on: disk).first)
        #expect(ledger.hasSuffix(".jsonl"))
        #expect(try await daemon.stop() == .exited(0), "\(daemon.report)")

        // And again, on a full disk with a ledger that can be read: the halt is remembered.
        #expect(disk.fill())
        let next = try RunningProgram(Programs.path(of: "stratd"), flags, in: directory.path)
        _ = try await next.line(of: .errors) { $0.contains("The ledger was read") && $0.contains("halted=true") }
        #expect(try await next.stop() == .exited(0), "\(next.report)")
    }

    private static func ledgers(on disk: SmallDisk) -> [String] {
        TemporaryDirectory.names(in: disk.path).filter { $0.hasPrefix("ledger-") }.sorted()
    }
}
