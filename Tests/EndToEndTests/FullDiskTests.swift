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

    /// The ledger's disk is tried each second: the input journal, on a disk with room, is not filled by that.
    @Test func theInputJournalKeepsOneTryOfMany() async throws {
        let directory = try TemporaryDirectory()
        let disk = try SmallDisk(at: directory.path)
        let inputs = directory.path + "/roomy"
        try #require(mkdir(inputs, 0o700) == 0 && symlink(inputs, disk.path + "/input") == 0)
        #expect(disk.fill())
        let flags = ["--runtime-dir", directory.path, "--state-dir", disk.path]
        let daemon = try RunningProgram(Programs.path(of: "stratd"), flags, in: directory.path)
        _ = try await daemon.line(of: .errors) { $0.contains("Trading is halted") && $0.contains("reason=journal") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "stratd", "--runtime-dir", directory.path, "--type", "metrics", "--count", "4"],
            in: directory.path)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        let metrics = try #require(tap.text(of: .output).split(separator: "\n").last)
        let failures = try JSONValue(parsing: Array(metrics.utf8))["body"]?["values"]?["journal_failures"]?.integer
        #expect(try #require(failures) >= 4, "\(metrics)")
        disk.makeRoom()
        _ = try await daemon.line(of: .errors) { $0.contains("The journal takes records again") }
        #expect(try await daemon.stop() == .exited(0), "\(daemon.report)")
        let raw = TemporaryDirectory.names(in: inputs).map { recordedText(of: "\(inputs)/\($0)") }
        let lines = String(decoding: raw.joined(), as: UTF8.self).split(separator: "\n")
        for name in ["checkpoint", "journal_failed"] {
            let count = lines.count { $0.contains(#""in":"\#(name)""#) }
            // The file's own first line is one, and one stands for what was not written meanwhile.
            #expect(count == (name == "checkpoint" ? 2 : 1), "\(count) of \(name)")
        }
    }

    @Test func feeddFeedsOnAndKeepsWhatItHearsWhenThereIsRoom() async throws {
        let directory = try TemporaryDirectory()
        let disk = try SmallDisk(at: directory.path)
        #expect(disk.fill())
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--markets", "2", "--rate", "20"], in: directory.path)
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
        let port = try #require(ready["port"]?.integer)
        let environment = [
            "POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:\(port)", "POLYBOT_VENUE_CLOB_URL": "http://127.0.0.1:\(port)",
            "POLYBOT_VENUE_MARKET_WS_URL": "ws://127.0.0.1:\(port)/ws/market",
        ]
        let flags = ["--runtime-dir", directory.path, "--state-dir", disk.path]
        let scanner = try RunningProgram(
            Programs.path(of: "scannerd"), flags, in: directory.path, environment: environment)
        let feed = try RunningProgram(Programs.path(of: "feedd"), flags, in: directory.path, environment: environment)
        _ = try await feed.line(of: .errors) { $0.contains("The raw journal loses lines") && $0.contains("No space") }
        _ = try await feed.line(of: .errors) { $0.contains("All books are trusted") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "feedd", "--runtime-dir", directory.path, "--type", "feed_status", "--count", "1"],
            in: directory.path)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        #expect(tap.text(of: .output).contains(#""journal_down":1"#), "\(tap.report)")
        disk.makeRoom()
        _ = try await feed.line(of: .errors) { $0.contains("The raw journal keeps lines again") }
        #expect(try await feed.stop() == .exited(0), "\(feed.report)")
        let raw = TemporaryDirectory.names(in: disk.path + "/raw").map { recordedText(of: "\(disk.path)/raw/\($0)") }
        let lines = String(decoding: raw.joined(), as: UTF8.self).split(separator: "\n")
        #expect(lines.contains { $0.contains(#""dropped":"#) && $0.contains(#""from":"#) })
        #expect(lines.contains { $0.contains(#""event_type":"#) })
        for program in [scanner, venue] { #expect(try await program.stop() == .exited(0), "\(program.report)") }
    }

    @Test func aStopOnAFullDiskSaysThatAHaltMayBeForgotten() async throws {
        let directory = try TemporaryDirectory()
        let disk = try SmallDisk(at: directory.path)
        #expect(disk.fill())
        let stratd = try RunningProgram(
            Programs.path(of: "stratd"), ["--runtime-dir", directory.path, "--state-dir", disk.path],
            in: directory.path, environment: ["POLYBOT_TRADING_JOURNAL": "false"])
        _ = try await stratd.line(of: .errors) { $0.contains("The journal cannot be written") }
        _ = try await stratd.line(of: .errors) { $0.contains("Started") }
        let halt = try RunningProgram(
            Programs.path(of: "polybot"), ["halt", "--runtime-dir", directory.path], in: directory.path)
        #expect(try await halt.waitForEnd() == .exited(0), "\(halt.report)")
        _ = try await stratd.stop()
        #expect(stratd.report.contains("The ledger's last records may not be on the disk"), "\(stratd.report)")
    }

    /// What the journal did not take never left: the last word on each order is that it was rejected, not that it was sent.
    @Test func whatCouldNotBeWrittenIsNotToldAsSent() async throws {
        let directory = try TemporaryDirectory()
        let disk = try SmallDisk(at: directory.path)
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--markets", "12", "--rate", "20"], in: directory.path)
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
        let port = try #require(ready["port"]?.integer)
        let environment = [
            "POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:\(port)", "POLYBOT_VENUE_CLOB_URL": "http://127.0.0.1:\(port)",
            "POLYBOT_VENUE_MARKET_WS_URL": "ws://127.0.0.1:\(port)/ws/market", "POLYBOT_TRADING_JOURNAL": "false",
        ]
        let runtime = ["--runtime-dir", directory.path]
        func start(_ daemon: String, state: String) throws -> RunningProgram {
            try RunningProgram(
                Programs.path(of: daemon), runtime + ["--state-dir", state], in: directory.path,
                environment: environment)
        }
        let daemon = try start("stratd", state: disk.path)
        _ = try await daemon.line(of: .errors) { $0.contains("Started") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"), ["tap", "stratd", "--type", "order,risk_status"] + runtime,
            in: directory.path)
        _ = try await tap.line(of: .output) { $0.contains("risk_status") }
        #expect(disk.fill())
        // The first orders are those that find no room.
        let scanner = try start("scannerd", state: directory.file("state"))
        let feed = try start("feedd", state: directory.file("state"))
        let lines = try await waitFor("orders that were not sent", state: daemon.report) { () -> ArraySlice<String>? in
            let lines = tap.lines(of: .output)
            guard let last = lines.lastIndex(where: { $0.contains("journal_failed") }) else { return nil }
            // Whatever was told in one go with it has come by then.
            return lines[last...].contains { $0.contains("risk_status") } ? lines[...] : nil
        }
        var unsent: Set<String> = []
        var states: [String: String] = [:]
        for line in lines {
            let body = try JSONValue(parsing: line.utf8)["body"]
            guard let order = body?["order"]?.string else { continue }
            states[order] = body?["state"]?.string
            if body?["reason"]?.string == "journal_failed" { unsent.insert(order) }
        }
        for order in unsent { #expect(states[order] == "rejected", "\(order)") }
        for program in [tap, feed, scanner, daemon, venue] { _ = try await program.stop() }
    }

    private static func ledgers(on disk: SmallDisk) -> [String] {
        TemporaryDirectory.names(in: disk.path).filter { $0.hasPrefix("ledger-") }.sorted()
    }
}
