import Glibc
import Shared
import Testing

/// `polybot run` as a person types it: real programs, real sockets, one directory of its own.
@Suite(.serialized) struct RunCommandTests {
    /// Time for books and orders on a machine that is busy with other tests.
    private static let startMax = Duration.seconds(40)

    private let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private func polybot(_ arguments: [String]) throws -> RunningProgram {
        try RunningProgram(
            Programs.path(of: "polybot"), arguments, in: self.directory.path,
            environment: ["TMPDIR": self.directory.path])
    }

    private func run(_ arguments: [String]) throws -> RunningProgram {
        try self.polybot(["run", "--runtime-dir", self.directory.file("run")] + arguments)
    }

    /// Waits until books are trusted, as another terminal would see it.
    private func waitForBooks(_ run: RunningProgram) async throws {
        try await waitFor("trusted books", within: Self.startMax, state: run.report) { () -> Bool? in
            if let ending = run.ending { throw WaitedInVain(description: "\(ending)\n\(run.report)") }
            let status = try self.polybot(["status", "--json", "--runtime-dir", self.directory.file("run")])
            guard try await status.waitForEnd() == .exited(0) else { return nil }
            return true
        }
    }

    /// The processes that `run` has started, by name.
    private func children(of run: RunningProgram) -> [String: pid_t] { self.children(of: run.pid) }

    private func children(of run: pid_t) -> [String: pid_t] {
        var children: [String: pid_t] = [:]
        let text = contents(of: "/proc/\(run)/task/\(run)/children") ?? []
        for pid in String(decoding: text, as: UTF8.self).split(separator: " ").compactMap({ pid_t($0) }) {
            let name = String(decoding: contents(of: "/proc/\(pid)/comm") ?? [], as: UTF8.self)
            children[String(name.prefix { $0 != "\n" })] = pid
        }
        return children
    }

    private func summary(_ run: RunningProgram) throws -> JSONValue {
        try JSONValue(parsing: Array(run.text(of: .output).utf8))
    }

    private func expectNothingIsLeft(_ children: [String: pid_t]) {
        #expect(self.directory.names == [])
        // A process that has ended may still be waited for by nobody: its directory in /proc goes with its parent.
        for (name, pid) in children { #expect(kill(pid, 0) != 0, "\(name) is left") }
    }

    @Test func aShortRunTradesOnPaperAndTellsHowItWent() async throws {
        let run = try self.run(["--for", "8s", "--json"])
        #expect(try await run.waitForEnd(within: Self.startMax) == .exited(0), "\(run.report)")
        let summary = try self.summary(run)
        #expect(summary["ok"]?.bool == true)
        #expect(summary["mode"]?.string == "paper")
        #expect(summary["trusted"]?.integer ?? 0 >= 25)
        #expect(summary["untrusted"]?.integer == 0)
        #expect(summary["orders"]?.integer ?? 0 > 0)
        #expect(summary["malformed_frames"]?.integer == 0)
        #expect(summary["restarts"]?.object?.values.allSatisfy { $0.integer == 0 } == true)
        #expect(run.text(of: .errors) == "")
        self.expectNothingIsLeft([:])
    }

    @Test func aKilledChildIsHealedAndCtrlCLeavesNothingBehind() async throws {
        let run = try self.run(["--json"])
        try await self.waitForBooks(run)
        let before = self.children(of: run)
        #expect(before.keys.sorted() == ["feedd", "scannerd", "simvenue", "stratd"])
        for name in ["feedd", "simvenue", "stratd", "scannerd"] {
            kill(try #require(before[name]), SIGKILL)
            _ = try await run.line(of: .errors) { $0.hasPrefix("polybot: \(name) answers again after") }
        }
        let after = self.children(of: run)
        #expect(after.keys.sorted() == before.keys.sorted())
        #expect(Set(after.values).isDisjoint(with: before.values))
        try await self.waitForBooks(run)
        #expect(try await run.stop(SIGINT) == .exited(0), "\(run.report)")
        let summary = try self.summary(run)
        #expect(summary["ok"]?.bool == true)
        for name in before.keys {
            #expect(summary["restarts"]?[name]?.integer == 1)
            #expect(summary["longest_outage_ms"]?[name]?.integer ?? .max < 3_000)
        }
        self.expectNothingIsLeft(before.merging(after.map { ("new \($0)", $1) }) { $1 })
    }

    @Test func daemonsFollowARunThatIsKilled() async throws {
        let run = try self.run(["--json", "--state-dir", self.directory.file("state")])
        try await self.waitForBooks(run)
        let children = self.children(of: run)
        #expect(try await run.stop(SIGKILL) == .killed(by: SIGKILL))
        try await waitFor("the daemons' end") { () -> Bool? in
            children.values.allSatisfy { kill($0, 0) != 0 || self.isZombie($0) } ? true : nil
        }
        // The next run takes over what was left.
        let next = try self.run(["--for", "500ms", "--json"])
        _ = try await next.waitForEnd()
        #expect(try self.summary(next)["restarts"]?["simvenue"]?.integer == 0)
        #expect(self.directory.names == ["state"])
    }

    @Test func theLossOfTheTerminalStopsAllInOrder() async throws {
        let command = "exec \(Programs.path(of: "polybot")) run --runtime-dir \(self.directory.file("run"))"
        let terminal = try RunningProgram(
            "script", ["-qec", command, "/dev/null"], in: self.directory.path,
            environment: ["TMPDIR": self.directory.path, "TERM": "xterm", "SHELL": "/bin/sh"])
        try await self.waitForBooks(terminal)
        let run = try #require(self.children(of: terminal).first { $0.key == "polybot" }).value
        let daemons = self.children(of: run)
        #expect(daemons.count == 4)
        _ = try await terminal.stop(SIGKILL)
        try await waitFor("the daemons' end", state: "\(self.directory.names)") { () -> Bool? in
            let isOver = daemons.values.allSatisfy { kill($0, 0) != 0 || self.isZombie($0) }
            return isOver && self.directory.names.isEmpty ? true : nil
        }
    }

    @Test func aDaemonThatCannotRunEndsTheRunWithItsReason() async throws {
        // Where a socket would be, there is something that cannot be taken away.
        mkdir(self.directory.file("run"), 0o700)
        mkdir(self.directory.file("run/stratd.sock"), 0o700)
        let run = try self.run(["--json"])
        #expect(try await run.waitForEnd() == .exited(77), "\(run.report)")
        #expect(run.text(of: .errors).contains(self.directory.file("run/stratd.sock")))
        #expect(run.text(of: .errors).hasSuffix("stratd ended with code 77, so everything is stopped."))
        let summary = try self.summary(run)
        #expect(summary["ok"]?.bool == false)
        #expect(summary["restarts"]?["stratd"]?.integer == 0)
        rmdir(self.directory.file("run/stratd.sock"))
        rmdir(self.directory.file("run"))
        self.expectNothingIsLeft([:])
    }

    private func isZombie(_ pid: pid_t) -> Bool {
        String(decoding: contents(of: "/proc/\(pid)/stat") ?? [], as: UTF8.self).contains(") Z ")
    }

    @Test func aSecondRunIsRefusedWithASentence() async throws {
        let first = try self.run(["--json"])
        try await waitFor("the first run's lock", state: first.report) {
            self.directory.names.contains("run") ? true : nil
        }
        _ = try await waitFor("the first run's children", state: first.report) {
            self.children(of: first).isEmpty ? nil : true
        }
        let second = try self.run(["--json"])
        #expect(try await second.waitForEnd() == .exited(77))
        #expect(second.text(of: .errors).hasPrefix("polybot: Another polybot run (process \(first.pid)) uses "))
        #expect(try await [.exited(0), .exited(1)].contains(first.stop()))
        self.expectNothingIsLeft([:])
    }

    @Test func aWrongConfigurationIsRefusedBeforeAnythingStarts() async throws {
        let file = try self.directory.write("polybot.toml", "[feed]\nreconnect_delay_s = -1\n")
        let run = try self.run(["--json", "--config", file])
        #expect(try await run.waitForEnd() == .exited(78))
        #expect(run.text(of: .errors).contains("feed.reconnect_delay_s"))
        #expect(run.text(of: .output) == "")
        #expect(self.directory.names == ["polybot.toml"])
    }

    @Test func aWrongCommandLineIsAnsweredWithUsage() async throws {
        for arguments in [["--for", "20"], ["--speed", "2"], ["--venue", "moon"], ["--markets", "0"]] {
            let run = try self.run(arguments)
            #expect(try await run.waitForEnd() == .exited(64), "\(arguments)\n\(run.report)")
        }
        self.expectNothingIsLeft([:])
    }

    @Test func withoutDaemonsEveryQuestionIsAnsweredWithNotReachable() async throws {
        for arguments in [["status"], ["tap", "feedd"]] {
            let run = try self.polybot(arguments + ["--runtime-dir", self.directory.path])
            #expect(try await run.waitForEnd() == .exited(69), "\(run.report)")
            #expect(run.text(of: .errors).hasPrefix("polybot: N"))
        }
    }

    @Test func aTapShowsWholeFramesOfOneMarket() async throws {
        let run = try self.run(["--json"])
        try await self.waitForBooks(run)
        let runtime = ["--runtime-dir", self.directory.file("run")]
        let universe = try self.polybot(["tap", "scannerd", "--type", "universe", "--count", "1"] + runtime)
        #expect(try await universe.waitForEnd() == .exited(0), "\(universe.report)")
        let frame = try JSONValue(parsing: Array(universe.text(of: .output).utf8))
        let market = try #require(frame["body"]?["markets"]?.array?.last?["slug"]?.string)
        let tap = try self.polybot(
            ["tap", "feedd", "--market", market, "--type", "market,book", "--count", "2"] + runtime)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        let lines = try tap.text(of: .output).split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
        #expect(lines.compactMap { $0["type"]?.string } == ["market", "book"])
        #expect(lines.first?["body"]?["slug"]?.string == market)
        #expect(lines.first?["body"]?["market"] == lines.last?["body"]?["market"])
        #expect(try await run.stop() == .exited(0))
    }
}
