import Glibc
import Shared
import Testing

@testable import DaemonKit

/// `stratd cancel-all`, with orders that the venue's official client has placed.
struct CancelAllTests {
    private static let python = Programs.variable("POLYBOT_TEST_CLOB_PYTHON")
    /// Worth nothing anywhere.
    private static let key = "0x" + String(repeating: "a7", count: 32)

    /// The venue, and a directory for what is kept.
    private struct Account {
        let venue: RunningProgram
        let ready: String
        let port: Int
        let directory: TemporaryDirectory

        init() async throws {
            self.venue = try RunningProgram(Programs.path(of: "simvenue"), ["--port", "0", "--rate", "100"])
            self.ready = try await self.venue.line(of: .output) { $0.contains("ready") }
            self.port = Int(try #require(try JSONValue(parsing: self.ready.utf8)["port"]?.integer))
            self.directory = try TemporaryDirectory()
        }

        /// Places so many orders.
        ///
        /// - Returns: how many are open then.
        func place(_ count: Int) async throws -> Int? {
            let python = try #require(CancelAllTests.python)
            let trader = try RunningProgram(
                python, [Programs.peer("clob_orders.py"), self.ready, CancelAllTests.key, "\(count)"])
            try #require(try await trader.waitForEnd() == .exited(0), "\(trader.report)\n\(self.venue.report)")
            return Int(trader.text(of: .output))
        }

        func control(_ command: String) async throws {
            let client = try RESTClient()
            defer { client.stop() }
            let url = "http://127.0.0.1:\(self.port)/control"
            let answer = try await client.request(RESTRequest(.post, url: url, body: Array(command.utf8)))
            try #require(answer.isSuccess, "\(String(decoding: answer.body, as: UTF8.self))")
        }

        func cancelAll(
            by program: String = "stratd", _ environment: [String: String] = ["POLYGON_PRIVATE_KEY": CancelAllTests.key]
        ) async throws
            -> (ending: RunningProgram.Ending, output: String, errors: String)
        {
            let command = try RunningProgram(
                Programs.path(of: program), ["cancel-all", "--state-dir", self.directory.file("state")],
                in: self.directory.path,
                environment: environment.merging(["POLYBOT_VENUE_CLOB_URL": "http://127.0.0.1:\(self.port)"]) { $1 })
            let ending = try await command.waitForEnd()
            return (ending, command.text(of: .output), command.text(of: .errors))
        }

        /// Names of what is kept.
        var kept: [String] {
            get throws { try JournalFile.entries(of: self.directory.file("state")).filter { !$0.hasPrefix(".") } }
        }
    }

    private static let isHere = Testing.ConditionTrait.enabled(
        if: python != nil, "the official client is not installed: scripts/test-clob-client puts it in place")

    @Test(isHere) func nothingIsOpenWhenItHasEnded() async throws {
        let account = try await Account()
        #expect(try await account.place(40) == 40)
        let (ending, output, errors) = try await account.cancelAll()
        #expect(ending == .exited(0) && output == "40 orders were cancelled, nothing is open", "\(output)\n\(errors)")
        #expect(try await account.place(0) == 0)
        // Once more does no harm, with what was kept for this user alone.
        let again = try await account.cancelAll()
        #expect(again.ending == .exited(0) && again.output == "0 orders were cancelled, nothing is open")
        // The operator's command is the same.
        #expect(try await account.place(3) == 3)
        let third = try await account.cancelAll(by: "polybot")
        #expect(third.ending == .exited(0) && third.output == "3 orders were cancelled, nothing is open")
        let file = try #require(try account.kept.first { $0.hasPrefix("credentials-0x") })
        var status = stat()
        #expect(stat(account.directory.file("state") + "/" + file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        // What is secret was told to nobody.
        let secret = String(
            decoding: try #require(contents(of: account.directory.file("state") + "/" + file)), as: UTF8.self)
        for word in [Self.key, String(Self.key.dropFirst(2))] + secret.split(separator: "\"").map(String.init)
        where word.count > 20 {
            #expect(!(output + errors + again.output + again.errors).contains(word))
        }
    }

    @Test(isHere) func itTriesUntilTheVenueObeys() async throws {
        let account = try await Account()
        #expect(try await account.place(5) == 5)
        // What is kept is of another age, the clocks differ, the engine restarts, answers are lost.
        _ = try await account.cancelAll()
        let file = try #require(try account.kept.first)
        let path = account.directory.file("state") + "/" + file
        let kept = String(decoding: try #require(contents(of: path)), as: UTF8.self)
        let key = try #require(try JSONValue(parsing: kept.utf8)["apiKey"]?.string)
        let other = kept.replacing(key, with: "00000000-0000-0000-0000-000000000000")
        try #require(fopen(path, "w").map { fputs(other, $0) >= 0 && fclose($0) == 0 } == true)
        #expect(try await account.place(7) == 7)
        for fault in [
            #"{"do":"clock_skew","ms":50000}"#, #"{"do":"engine_restart","seconds":2,"post_only_seconds":2}"#,
            #"{"do":"http_lost","path":"/cancel-all","count":1}"#,
            #"{"do":"http_status","status":429,"retry_after":1,"path":"/data/orders","count":1}"#,
        ] { try await account.control(fault) }
        let (ending, output, errors) = try await account.cancelAll()
        #expect(ending == .exited(0) && output.hasSuffix("nothing is open"), "\(output)\n\(errors)")
        for sentence in ["clock, which is used, differs by", "engine restarts (425)", "asked too often (429)"] {
            #expect(output.contains(sentence), "\(output)")
        }
        try await account.control(#"{"do":"clock_skew","ms":0}"#)
        #expect(try await account.place(0) == 0)
    }

    @Test(isHere) func whereTheVenueDoesNotEndAllAtOnceTheyEndByTheirHashes() async throws {
        let account = try await Account()
        #expect(try await account.place(70) == 70)
        try await account.control(#"{"do":"http_status","status":500,"path":"/cancel-all","count":10000}"#)
        let (ending, output, errors) = try await account.cancelAll()
        #expect(
            ending == .exited(0) && output.hasSuffix("70 orders were cancelled, nothing is open"),
            "\(output)\n\(errors)")
        #expect(try await account.place(0) == 0)
    }

    @Test func whatItCannotUseItSays() async throws {
        let account = try await Account()
        let none = try await account.cancelAll([:])
        #expect(none.ending == .exited(78) && none.errors.contains("There is no private key"), "\(none.errors)")
        // Nobody is to type a key into a shell, and that of the unit is another's.
        #expect(none.errors.contains("sudo polybot cancel-all --service") && !none.errors.contains("set POLYGON"))
        // A place for sockets that cannot be is none of its business.
        let far = try await account.cancelAll(["XDG_RUNTIME_DIR": "/" + String(repeating: "x", count: 200)])
        #expect(far.errors.contains("There is no private key"), "\(far.errors)")
        let short = try await account.cancelAll(["POLYGON_PRIVATE_KEY": "0x1234"])
        #expect(short.ending == .exited(78) && short.errors.contains("64 hexadecimal digits"))
        #expect(!short.errors.contains("1234"))
        for wrong in [["--service", "--state-dir", "/var/lib/polybot/stratd"], ["--service", "--config", "my.toml"]] {
            let command = try RunningProgram(
                Programs.path(of: "polybot"), ["cancel-all"] + wrong, in: account.directory.path)
            #expect(try await command.waitForEnd() == .exited(64), "\(command.report)")
        }
        let zero = "0x" + String(repeating: "0", count: 64)
        let no = try await account.cancelAll(["POLYGON_PRIVATE_KEY": zero])
        #expect(no.ending == .exited(78) && no.errors.contains("no such key"))
        // A named file that others may read is not used, and no other key in its place.
        let path = account.directory.file("key")
        try #require(fopen(path, "w").map { fputs(Self.key, $0) >= 0 && fclose($0) == 0 } == true)
        chmod(path, 0o644)
        let open = try await account.cancelAll([
            "POLYBOT_TRADING_PRIVATE_KEY_FILE": path, "POLYGON_PRIVATE_KEY": Self.key,
        ])
        #expect(open.ending == .exited(78) && open.errors.contains("must be 0600"), "\(open.errors)")
        chmod(path, 0o600)
        let used = try await account.cancelAll(["POLYBOT_TRADING_PRIVATE_KEY_FILE": path])
        #expect(
            used.ending == .exited(0) && used.output == "0 orders were cancelled, nothing is open", "\(used.errors)")
    }
}
