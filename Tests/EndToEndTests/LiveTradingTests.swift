import Glibc
import Shared
import Signing
import Testing

@testable import DaemonKit

/// stratd at the venue's own interface: real requests, real signatures, real kills.
@Suite(.serialized) struct LiveTradingTests {
    @Test func itQuotesIsFilledAndLeavesNothingOpen() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "300", "--limits", "enforce"])
        let stratd = try account.start()
        // Nobody else trades for the account on this machine meanwhile, wherever its ledger is.
        _ = try await stratd.line(of: .errors) { $0.contains("Started") }
        let second = try account.start(arguments: [
            "--state-dir", account.pipeline.directory.file("other"), "--runtime-dir",
            account.pipeline.directory.file("elsewhere"),
        ])
        #expect(try await second.waitForEnd() == .exited(77), "\(second.report)")
        #expect(second.text(of: .errors).contains("trades for the account of 0x"), "\(second.report)")
        try await waitFor("twenty fills", state: stratd.report) {
            (try? account.ledger.fillCount).map { $0 >= 20 } == true ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        // Nothing is open when it has ended, and each order came once.
        #expect(try await account.truth.openOrders.isEmpty)
        let audit = try await account.audit
        #expect(audit["orders"]?.array?.allSatisfy { $0["count"]?.integer == 1 } == true)
        for name in ["duplicates", "refused_signatures", "limit_breaches", "heartbeat_cancels", "unauthorized"] {
            #expect(audit[name]?.integer == 0, "\(name)")
        }
        try await account.expectAgreement()
    }

    /// Logs at trace, ledger, frames, arguments and environments of a whole run: what is secret stands in none of them.
    @Test func theKeyIsNowhereButInStratdsMemory() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "200"])
        let stratd = try account.start(arguments: ["--log-level", "trace"])
        _ = try await stratd.line(of: .errors) { $0.contains("Live trading is open") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "stratd", "--raw", "--runtime-dir", account.pipeline.directory.path],
            in: account.pipeline.directory.path)
        try await waitFor("thirty fills", state: stratd.report) {
            (try? account.ledger.fillCount).map { $0 >= 30 } == true ? true : nil
        }
        var texts: [(place: String, bytes: [UInt8])] = []
        for program in [account.pipeline.venue, account.pipeline.scanner, account.pipeline.feed, stratd, tap] {
            for page in ["cmdline", "environ"] {
                texts.append(("\(program.name) \(page)", contents(of: "/proc/\(program.pid)/\(page)") ?? []))
            }
        }
        _ = try await tap.stop()
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        for program in [account.pipeline.venue, account.pipeline.scanner, account.pipeline.feed, stratd, tap] {
            for stream in RunningProgram.Stream.allCases {
                texts.append(("\(program.name) \(stream)", Array(program.text(of: stream).utf8)))
            }
        }
        #expect(texts.contains { $0.place == "polybot output" && $0.bytes.count > 10_000 }, "frames were seen")
        #expect(texts.contains { $0.place == "stratd errors" && $0.bytes.count > 50_000 }, "it told everything")
        let kept = try JournalFile.entries(of: account.stateDirectory).filter { $0.hasPrefix("credentials-") }
        let credentials = try JSONValue(
            parsing: contents(of: account.stateDirectory + "/" + (try #require(kept.first))) ?? [])
        for name in try JournalFile.entries(of: account.stateDirectory) where !kept.contains(name) {
            texts.append((name, contents(of: account.stateDirectory + "/" + name) ?? []))
        }
        let inputs = try JournalFile.entries(of: account.stateDirectory + "/input").filter { $0.hasSuffix(".gz") }
        #expect(!inputs.isEmpty)
        for name in inputs { texts.append((name, recordedText(of: account.stateDirectory + "/input/" + name))) }
        let secrets = [String(account.key.dropFirst(2)), "secret", "passphrase"].compactMap {
            credentials[$0]?.string ?? ($0.count == 64 ? $0 : nil)
        }
        #expect(secrets.count == 3)
        for secret in secrets {
            // Whatever is long enough to be of use, in either case.
            let piece = Array(secret.lowercased().utf8.prefix(24))
            for (place, bytes) in texts {
                #expect(!Self.contains(bytes, piece), "\(place) has a secret")
            }
        }
    }

    private static func contains(_ bytes: [UInt8], _ piece: [UInt8]) -> Bool {
        let lower = bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        return String(decoding: lower, as: UTF8.self).contains(String(decoding: piece, as: UTF8.self))
    }

    @Test func withoutWhatLiveTradingNeedsNothingLeaves() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "100"])
        // A place where the venue forbids it.
        try await account.pipeline.control(#"{"do":"geoblock","seconds":60}"#)
        let stratd = try account.start()
        let line = try await stratd.line(of: .errors) { $0.contains("A check before live trading failed") }
        #expect(line.contains("region") && line.contains("no way around"), "\(line)")
        try await Task.sleep(for: .seconds(2))
        #expect(try await stratd.stop() == .exited(0))
        #expect(try await account.audit["orders"]?.array?.isEmpty == true)
        // Without a key it does not even start, and says so.
        let keyless = try account.start(["POLYBOT_TRADING_PRIVATE_KEY_FILE": ""])
        #expect(try await keyless.waitForEnd() == .exited(78), "\(keyless.report)")
        // DRY_RUN forces paper, key or not.
        let dry = try account.start(["DRY_RUN": "true"])
        _ = try await dry.line(of: .errors) { $0.contains("Started") }
        try await Task.sleep(for: .seconds(1))
        #expect(try await dry.stop() == .exited(0), "\(dry.report)")
        #expect(try await account.audit["orders"]?.array?.isEmpty == true)
    }

    @Test func allOrdersAreGoneWhenItIsHaltedAndWhenItIsStopped() async throws {
        // Two hundred and fifty markets keep a debug build busy for a minute.
        let marketCount = Programs.variable("POLYBOT_SOAK") != nil ? 260 : 75
        let account = try await LiveAccount(
            ["--markets", "\(marketCount * 5 / 4)", "--rate", "50", "--balance", "100000"], marketCount: marketCount,
            settings: [
                "POLYBOT_RISK_MAX_OPEN_ORDERS": "600", "POLYBOT_RISK_MAX_POSITIONS": "600",
                "POLYBOT_RISK_MAX_TOTAL_USD": "100000",
            ])
        let stratd = try account.start()
        func waitForOrders() async throws {
            try await waitFor("orders to be open", within: .seconds(120), state: stratd.report) { () -> Bool? in
                try await account.truth.openOrders.count >= marketCount * 2 - 20 ? true : nil
            }
        }
        try await waitForOrders()
        try account.pipeline.directory.write("state/HALT", "")
        try await waitFor("no order to be open", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        // It stays so until a person resumes.
        try await Task.sleep(for: .seconds(2))
        #expect(try await account.truth.openOrders.isEmpty)
        let before = try await account.audit["orders"]?.array?.count ?? 0
        unlink(account.stateDirectory + "/HALT")
        try await Task.sleep(for: .seconds(2))
        #expect(try await account.audit["orders"]?.array?.count == before, "a halt does not end by itself")
        func operate(_ words: [String]) async throws -> RunningProgram {
            let command = try RunningProgram(
                Programs.path(of: "polybot"), words + ["--runtime-dir", account.pipeline.directory.path],
                in: account.pipeline.directory.path)
            #expect(try await command.waitForEnd() == .exited(0), "\(words)\n\(command.report)")
            return command
        }
        let market = try #require(try account.ledger.markets.sorted().first)
        let explanation = try await operate(["explain", market]).text(of: .output)
        #expect(explanation.contains("shut now: halted  halt_file"), "\(explanation)")
        _ = try await operate(["resume"])
        try await waitForOrders()
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        #expect(try await account.truth.openOrders.isEmpty)
    }

    @Test func aDeadStratdsOrdersAreEndedByTheVenue() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "50"])
        let stratd = try account.start()
        try await waitFor("open orders", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.count >= 4 ? true : nil
        }
        // Nobody is to take them meanwhile.
        try await account.pipeline.control(#"{"do":"pause_traffic"}"#)
        try #require(try await account.truth.openOrders.count >= 1)
        kill(stratd.pid, SIGKILL)
        try await waitFor("the venue to miss its heartbeats") { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        #expect(try await account.audit["heartbeat_cancels"]?.integer ?? 0 >= 1)
        // The next start finds them ended.
        try await account.expectAgreement()
    }

    @Test func whateverTheVenueDoesToTradersLedgerAndVenueAgreeInTheEnd() async throws {
        let seed = Programs.variable("SIMULATION_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
        let seconds = Programs.variable("POLYBOT_SOAK") != nil ? 300 : 30
        var random = SeededRandom(seed: seed)
        let account = try await LiveAccount(
            ["--markets", "12", "--rate", "300", "--seed", "\(seed % 1_000_000)", "--balance", "1000000"],
            settings: [
                "POLYBOT_RISK_UNKNOWN_ORDERS_MAX": "100", "POLYBOT_RISK_DAILY_LOSS_USD": "100000",
                "POLYBOT_RISK_MAX_DRAWDOWN_USD": "100000", "POLYBOT_RISK_ERROR_RATE_MAX": "1",
            ])
        let stratd = try account.start()
        _ = try await stratd.line(of: .errors) { $0.contains("Live trading is open") }
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            let fault = [
                #""engine_restart","seconds":1,"post_only_seconds":1"#, #""cancel_only","seconds":1"#,
                #""disable_trading","seconds":1"#, #""refuse_heartbeats","seconds":2"#, #""drop_user""#,
                #""refuse_user","seconds":1"#, #""silence_user","seconds":2"#, #""settlement_fails","seconds":2"#,
                #""settlement_retries","seconds":2"#, #""http_lost","path":"/order","count":2"#,
                #""http_lost","path":"/orders","count":2"#, #""http_status","status":500,"path":"/order","count":2"#,
                #""http_status","status":429,"retry_after":1,"path":"/orders","count":1"#,
                #""http_slow","ms":1500,"path":"/data/trades","count":1"#,
                #""http_lost","path":"/data/orders","count":1"#,
            ].randomElement(using: &random)!
            try await account.pipeline.control("{\"do\":\(fault)}")
            try await Task.sleep(for: .milliseconds(Int64.random(in: 100...900, using: &random)))
        }
        try await account.pipeline.control(#"{"do":"heal"}"#)
        let before = try account.ledger.fillCount
        let report = { "SIMULATION_SEED=\(seed)\n\(stratd.report)" }
        // An order that never came takes half a minute to be given up.
        try await waitFor("trading to go on", within: .seconds(180), state: report()) { () -> Bool? in
            let ledger = try account.ledger
            return ledger.fillCount > before + 3 && ledger.unknownCount == 0 ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(report())")
        let audit = try await account.audit
        #expect(audit["orders"]?.array?.allSatisfy { $0["count"]?.integer == 1 } == true, "SIMULATION_SEED=\(seed)")
        #expect(audit["duplicates"]?.integer == 0, "SIMULATION_SEED=\(seed)")
        try await account.expectAgreement("SIMULATION_SEED=\(seed)")
    }

    /// The process lives, its engine does not: the heartbeat's own thread finds out, and the venue ends the orders.
    @Test func whileTheEngineStandsStillNoHeartbeatIsSent() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "50"])
        let stratd = try account.start(["POLYBOT_DRILLS": "1"])
        try await waitFor("open orders", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.count >= 4 ? true : nil
        }
        try await account.pipeline.control(#"{"do":"pause_traffic"}"#)
        kill(stratd.pid, SIGUSR1)
        _ = try await stratd.line(of: .errors) { $0.contains("The loop is stuck on purpose") }
        try await waitFor("the venue to miss its heartbeats") { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        #expect(try await account.audit["heartbeat_cancels"]?.integer ?? 0 >= 1)
        #expect(stratd.ending == nil, "it is not the end of the process that ended the orders")
        kill(stratd.pid, SIGKILL)
    }

    /// Each time the venue's name for the next heartbeat is another than stratd knows, as if somebody else had sent one.
    @Test func lostAnswersToHeartbeatsAreNotTakenForAnotherStratd() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "50"], marketCount: 2)
        let stratd = try account.start()
        _ = try await stratd.line(of: .errors) { $0.contains("Live trading is open") }
        // The doctor beats too.
        let refused = try await account.audit["refused_heartbeats"]?.integer ?? 0
        for loss in Int64(1)...5 {
            try await account.pipeline.control(#"{"do":"http_lost","path":"/v1/heartbeats","count":1}"#)
            try await waitFor("the venue to want another name, \(loss)", state: stratd.report) { () -> Bool? in
                try await account.audit["refused_heartbeats"]?.integer ?? 0 >= refused + loss ? true : nil
            }
        }
        let before = try await account.audit["heartbeats"]?.integer ?? 0
        try await waitFor("a heartbeat", state: stratd.report) { () -> Bool? in
            try await account.audit["heartbeats"]?.integer ?? 0 > before + 1 ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        #expect(!stratd.text(of: .errors).contains("another_stratd"), "\(stratd.report)")
    }

    /// No lock reaches another machine; what both send to the venue does.
    @Test(.enabled(if: Programs.variable("POLYBOT_TEST_CLOB_PYTHON") != nil, "needs scripts/test-clob-client"))
    func whoSendsHeartbeatsForTheSameAccountElsewhereHaltsTrading() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "50"], marketCount: 2)
        let stratd = try account.start()
        try await waitFor("open orders", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? nil : true
        }
        let other = try RunningProgram(
            try #require(Programs.variable("POLYBOT_TEST_CLOB_PYTHON")),
            [
                Programs.peer("clob_heart.py"), "http://127.0.0.1:\(account.pipeline.port)",
                account.pipeline.directory.file("key"),
            ])
        _ = try await other.line(of: .output) { $0.contains("beat 2") }
        _ = try await stratd.line(of: .errors, within: .seconds(60)) {
            $0.contains("Trading is halted") && $0.contains("another_stratd")
        }
        try await waitFor("nothing to be open", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        #expect(other.ending == nil, "\(other.report)")
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        // A person decides, after both have ended too.
        #expect(try account.ledger.halts.contains("another_stratd"))
    }

    @Test func aClockThatGoesWrongDoesNotKeepItFromCancelling() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "50"])
        let stratd = try account.start()
        try await waitFor("open orders", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.count >= 4 ? true : nil
        }
        // From here on the venue refuses our requests: they are of two minutes ago.
        try await account.pipeline.control(#"{"do":"clock_skew","ms":120000}"#)
        try account.pipeline.directory.write("state/HALT", "")
        _ = try await stratd.line(of: .errors) { $0.contains("Logged in to the venue again") }
        try await waitFor("no order to be open", state: stratd.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
    }

    @Test func theDrillTellsHowLongOrdersOutliveStratd() async throws {
        let directory = try TemporaryDirectory()
        // An account of one's own, wherever daemons look for one: none of it may be touched.
        let key = "0x" + String(repeating: "c9", count: 32)
        for name in ["private_key", ".env"] {
            try directory.write(name, (name == ".env" ? "POLYGON_PRIVATE_KEY=" : "") + key + "\n")
            chmod(directory.file(name), 0o600)
        }
        let settings = "private_key_file = \"\(directory.file("private_key"))\"\n"
        let file = try directory.write("polybot.toml", "[trading]\n" + settings)
        let own = Array(key.utf8).withUnsafeBufferPointer { PrivateKey(hex: $0)?.address.description }
        let drill = try RunningProgram(
            Programs.path(of: "polybot"), ["drill", "dead-man"], in: directory.path,
            environment: [
                "TMPDIR": directory.path, "XDG_RUNTIME_DIR": directory.path, "POLYBOT_CONFIG": file,
                "POLYBOT_TRADING_PRIVATE_KEY_FILE": directory.file("private_key"), "POLYGON_PRIVATE_KEY": key,
                "CREDENTIALS_DIRECTORY": directory.path, "DRY_RUN": "true",
            ])
        #expect(try await drill.waitForEnd(within: .seconds(120)) == .exited(0), "\(drill.report)")
        let lines = drill.lines(of: .output)
        #expect(lines.count == 2 && lines[0].hasPrefix("stratd was killed with "), "\(lines)")
        let account = try #require(lines.first?.split(separator: " ").last)
        #expect(account.hasPrefix("0x") && account.count == 42, "\(lines)")
        #expect(account.lowercased() != (try #require(own)).lowercased())
        #expect(lines.last?.hasPrefix("no order was open after ") == true, "\(lines)")
        // Nothing is left of it.
        #expect(
            directory.names.filter { $0 != "polybot" } == [".env", "polybot.toml", "private_key"],
            "\(directory.names)")
    }
}
