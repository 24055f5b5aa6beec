import Glibc
import Shared
import Testing

@testable import DaemonKit

/// What stratd decided, by what it kept of it: `stratd replay` and `polybot explain MARKET TIME`, with no daemon running.
@Suite(.serialized) struct InputReplayTests {
    private static let faults = [
        #"{"do":"lose_next_delta","count":3}"#, #"{"do":"drop","code":1012}"#, #"{"do":"wrong_hash","count":2}"#,
        #"{"do":"tick_size"}"#, #"{"do":"reset"}"#, #"{"do":"double_next","count":20}"#,
    ]

    private func run(_ program: String, _ words: [String]) async throws -> RunningProgram {
        let command = try RunningProgram(Programs.path(of: program), words)
        _ = try await command.waitForEnd()
        return command
    }

    /// Replays a journal, which must be equal.
    private func replay(_ directory: String, runs: Int64) async throws -> JSONValue {
        let command = try await self.run("stratd", ["replay", directory, "--json"])
        #expect(command.ending == .exited(0), "\(command.report)")
        let answer = try JSONValue(parsing: Array(command.text(of: .output).utf8))
        #expect(answer["equal"]?.bool == true && answer["damaged"]?.integer == 0)
        #expect(answer["gaps"]?.integer == 0 && answer["skipped"]?.integer == 0, "\(command.report)")
        #expect(answer["runs"]?.integer == runs, "\(command.report)")
        return answer
    }

    /// The last decision that the lines of a journal tell of, by market and time.
    private func decision(
        _ directory: String, _ action: String
    ) throws -> (market: String, reason: String, time: Timestamp) {
        let files = try JournalFiles(directory, name: "input")
        var found: (String, String, Timestamp)?
        var line: [UInt8] = []
        while (try? files.next(&line)) == true {
            let value = try JSONValue(parsing: line)
            for answer in value["out"]?.array ?? [] {
                guard let decision = answer["publish"]?["decision"], decision["action"]?.string == action else {
                    continue
                }
                let time = Timestamp(microseconds: try #require(value["t"]?.integer))
                let reason = try #require(decision["reasons"]?.array?.first?["detail"]?.string)
                found = (try #require(decision["market"]?.string), reason, time)
            }
        }
        return try #require(found)
    }

    @Test(.timeLimit(.minutes(3))) func aSessionWithFaultsAndAKillIsRunAgain() async throws {
        let pipeline = try await Pipeline(
            ["--markets", "8", "--rate", "300", "--seed", "77"],
            settings: ["POLYBOT_FEED_RECONNECT_DELAY_S": "0.2", "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown"])
        let state = pipeline.directory.file("strategy")
        func start() throws -> RunningProgram {
            try RunningProgram(
                Programs.path(of: "stratd"), ["--runtime-dir", pipeline.directory.path, "--state-dir", state],
                in: pipeline.directory.path)
        }
        func lines() -> Int {
            let files = try? JournalFiles(state, name: "input")
            var count = 0
            var line: [UInt8] = []
            while let files, (try? files.next(&line)) == true { count += 1 }
            return count
        }
        let first = try start()
        for fault in Self.faults {
            let target = lines() + 200
            try await waitFor("inputs", state: first.report) { lines() >= target ? true : nil }
            try await pipeline.control(fault)
        }
        try await waitFor("more inputs", state: first.report) { lines() >= 2_000 ? true : nil }
        kill(first.pid, SIGKILL)
        #expect(try await first.waitForEnd() == .killed(by: SIGKILL))
        let killed = lines()
        let second = try start()
        try await waitFor("inputs of the second", state: second.report) { lines() >= killed + 500 ? true : nil }
        // While it runs; half a block may be on the disk.
        let meanwhile = try await self.run("stratd", ["replay", state])
        #expect(meanwhile.ending == .exited(0), "\(meanwhile.report)")
        #expect(try await second.stop() == .exited(0), "\(second.report)")
        _ = try await pipeline.stop()

        let answer = try await self.replay(state, runs: 2)
        #expect(answer["decisions"]?.integer ?? 0 > 100 && answer["updates"]?.integer ?? 0 > 1_000, "\(answer)")
        #expect(try await self.replay(state + "/input", runs: 2)["inputs"] == answer["inputs"])

        for action in ["quote", "refuse"] {
            let decision = try self.decision(state, action)
            let words = ["explain", decision.market, decision.time.rfc3339, "--state-dir", state]
            let told = try await self.run("polybot", words)
            #expect(told.ending == .exited(0), "\(told.report)")
            let text = told.text(of: .output)
            #expect(text.hasPrefix("at \(decision.time.rfc3339)\n\(decision.market)\nbook "), "\(text)")
            #expect(text.contains("maker\n  decided \(action) at ") && text.contains(decision.reason), "\(text)")
        }
    }

    @Test(.timeLimit(.minutes(3))) func aLiveSessionIsRunAgain() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "300"])
        let stratd = try account.start()
        try await waitFor("ten fills", state: stratd.report) {
            (try? account.ledger.fillCount).map { $0 >= 10 } == true ? true : nil
        }
        try await account.pipeline.control(#"{"do":"drop","code":1012}"#)
        try await waitFor("twenty fills", state: stratd.report) {
            (try? account.ledger.fillCount).map { $0 >= 20 } == true ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        let answer = try await self.replay(account.stateDirectory, runs: 1)
        #expect(answer["decisions"]?.integer ?? 0 > 100, "\(answer)")
    }

    @Test func whatCannotBeRunIsSaid() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        for (words, code, sentence) in [
            (["replay"], 64, "After replay comes DIR."),
            (["replay", path], 64, "there is no file of a journal \"input\" in it"),
            (["replay", path + "/none"], 64, "No such file or directory"),
            (["explain", "0x1"], 64, "After explain comes MARKET TIME."),
            (["explain", "0x1", "soon"], 64, "\"soon\" is no time"),
            (["explain", "0x1", "00:00:00", "--state-dir", path], 69, "there is no file of a journal"),
            (["explain", "0x1", "2199-05-12T11:10:00Z", "--state-dir", path], 69, "is in the future: it is 20"),
        ] as [([String], Int32, String)] {
            let wrong = try await self.run("stratd", words)
            #expect(wrong.ending == .exited(code) && wrong.text(of: .errors).contains(sentence), "\(wrong.report)")
        }
        try directory.write("input-20260512T000000Z-1.jsonl", "nonsense\n")
        let nonsense = try await self.run("stratd", ["replay", path])
        #expect(nonsense.ending == .exited(65), "\(nonsense.report)")
        #expect(nonsense.text(of: .errors).contains("a line that is not one of an input journal"))
    }
}
