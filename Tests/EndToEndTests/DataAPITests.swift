import Shared
import Testing

/// stratd beside the venue's Data API: what both say of the account's positions.
@Suite(.serialized) struct DataAPITests {
    private static let away = "The Data API cannot be read"
    private static let differs = "The Data API's position is not the ledger's"
    private static let foreign = "The account holds shares that the ledger does not know"

    private func wait(for count: Int, _ account: LiveAccount, _ stratd: RunningProgram) async throws {
        try await waitFor("\(count) fills", state: stratd.report) {
            (try? account.ledger.fillCount).map { $0 >= count } == true ? true : nil
        }
    }

    /// Waits until nothing is open or on its way to the chain, with nobody there to trade with.
    private func settle(_ account: LiveAccount, _ stratd: RunningProgram) async throws {
        try await account.pipeline.control(#"{"do":"pause_traffic"}"#)
        try await waitFor("all trades to settle", state: stratd.report) { () -> Bool? in
            guard try await account.truth.waitingTradeCount == 0 else { return nil }
            return try account.ledger.pending.isEmpty ? true : nil
        }
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        try #require(try await !account.truth.holdings.isEmpty, "some test or other needs shares")
    }

    /// Waits until stratd's metrics are as wanted.
    private func metrics(
        _ account: LiveAccount, _ runtime: [String], where isWanted: (JSONValue) -> Bool
    ) async throws {
        let tap = try RunningProgram(
            Programs.path(of: "polybot"), ["tap", "stratd", "--raw", "--type", "metrics"] + runtime,
            in: account.pipeline.directory.path)
        _ = try await tap.line(of: .output, within: .seconds(120)) {
            guard let frame = try? JSONValue(parsing: $0.utf8), let values = frame["body"] else { return false }
            return isWanted(values["values"] ?? values)
        }
        try await tap.stop()
    }

    @Test func whatBothKnowAgreesAndWhatTheLedgerDoesNotKnowIsToldAndLeftAlone() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "300"])
        let first = try account.start(["POLYBOT_VENUE_DATA_LAG_MAX_S": "1"])
        _ = try await first.line(of: .errors) { $0.contains("Live trading is open") }
        try await self.wait(for: 20, account, first)
        try await self.settle(account, first)
        let holdings = try await account.truth.holdings
        // The next start compares at once. An answer that is cut is asked for again, before anybody is told.
        try await account.pipeline.control(#"{"do":"http_lost","path":"/v2/positions","count":2}"#)
        let second = try account.start(["POLYBOT_VENUE_DATA_LAG_MAX_S": "1"])
        _ = try await second.line(of: .errors) { $0.contains("Live trading is open") }
        try await self.metrics(account, ["--runtime-dir", account.pipeline.directory.path]) {
            $0["positions_agreeing"]?.integer ?? 0 >= Int64(holdings.count) && $0["positions_differing"]?.integer == 0
                && $0["positions_foreign"]?.integer == 0 && $0["data_api_down"]?.integer == 0
        }
        #expect(try await second.stop() == .exited(0), "\(second.report)")
        for stratd in [first, second] {
            for sentence in [Self.away, Self.differs, Self.foreign] {
                #expect(!stratd.text(of: .errors).contains(sentence), "\(stratd.report)")
            }
        }
        // To a ledger that is begun anew, all of that was there before.
        let stranger = try account.start(arguments: ["--state-dir", account.pipeline.directory.file("other")])
        try await waitFor("each token to be told", state: stranger.report) {
            stranger.lines(of: .errors).count { $0.contains(Self.foreign) } >= min(10, holdings.count) ? true : nil
        }
        for token in holdings.keys {
            let lines = stranger.lines(of: .errors).filter { $0.contains(Self.foreign) && $0.contains(token) }
            #expect(lines.count <= 1, "\(lines)")
        }
        try await self.metrics(account, ["--runtime-dir", account.pipeline.directory.path]) {
            $0["positions_foreign"]?.integer == Int64(holdings.count)
        }
        #expect(try await stranger.stop() == .exited(0), "\(stranger.report)")
        #expect(!stranger.text(of: .errors).contains("Trading is halted"), "\(stranger.report)")
    }

    @Test func aDifferenceThatStaysHaltsAlthoughTheBalancesAgree() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "300"])
        // The page goes on without anything that is bought from here on.
        try await account.pipeline.control(#"{"do":"stale_positions","seconds":3600}"#)
        let first = try account.start()
        try await self.wait(for: 10, account, first)
        try await self.settle(account, first)
        #expect(!first.text(of: .errors).contains("Trading is halted"), "it may be delay\n\(first.report)")
        let second = try account.start(["POLYBOT_VENUE_DATA_LAG_MAX_S": "1"])
        let line = try await second.line(of: .errors, within: .seconds(120)) { $0.contains(Self.differs) }
        let holdings = try await account.truth.holdings
        #expect(
            holdings.contains {
                let size = Decimal6.text($0.value)
                return line.contains($0.key) && line.contains("ledger=\(size)") && line.contains("balance=\(size)")
            }, "\(line)")
        _ = try await second.line(of: .errors) { $0.contains("Trading is halted") && $0.contains("ledger") }
        #expect(try account.ledger.halts == ["ledger"], "\(second.report)")
        try await waitFor("no order to be open", state: second.report) { () -> Bool? in
            try await account.truth.openOrders.isEmpty ? true : nil
        }
        // Who resumes has seen it, and the same difference does not halt again.
        let resume = try RunningProgram(
            Programs.path(of: "polybot"), ["resume", "--runtime-dir", account.pipeline.directory.path],
            in: account.pipeline.directory.path)
        #expect(try await resume.waitForEnd() == .exited(0), "\(resume.report)")
        try await account.pipeline.control(#"{"do":"heal"}"#)
        _ = try await second.line(of: .errors, within: .seconds(120)) {
            $0.contains("The Data API's position is the ledger's again")
        }
        #expect(try await second.stop() == .exited(0), "\(second.report)")
        #expect(try account.ledger.halts == ["ledger"], "\(second.report)")
    }

    @Test func whatTheDataAPISaysOfItsDelayIsWaitedFor() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "300"])
        try await account.pipeline.control(#"{"do":"stale_positions","seconds":3600,"told":true}"#)
        let first = try account.start()
        try await self.wait(for: 10, account, first)
        try await self.settle(account, first)
        let second = try account.start(["POLYBOT_VENUE_DATA_LAG_MAX_S": "1"])
        _ = try await second.line(of: .errors) { $0.contains("The Data API is behind the chain") }
        // As many readings as would halt.
        try await self.metrics(account, ["--runtime-dir", account.pipeline.directory.path]) {
            $0["position_reads"]?.integer ?? 0 >= 5 && $0["data_api_behind_s"]?.integer ?? 0 > 30
        }
        try await account.pipeline.control(#"{"do":"heal"}"#)
        _ = try await second.line(of: .errors, within: .seconds(120)) {
            $0.contains("The Data API has caught up with the chain")
        }
        #expect(try await second.stop() == .exited(0), "\(second.report)")
        #expect(try account.ledger.halts == [], "\(second.report)")
    }

    @Test func withoutTheDataAPITradingGoesOn() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "300"])
        try await account.pipeline.control(#"{"do":"http_status","status":503,"path":"/v2/positions","count":10000}"#)
        let stratd = try account.start()
        let odd = try await stratd.line(of: .errors) { $0.contains("A check before live trading found something odd") }
        #expect(odd.contains("positions") && odd.contains("503"), "\(odd)")
        _ = try await stratd.line(of: .errors) { $0.contains(Self.away) && $0.contains("503") }
        try await self.metrics(account, ["--runtime-dir", account.pipeline.directory.path]) {
            $0["data_api_down"]?.integer == 1
        }
        try await self.wait(for: 10, account, stratd)
        try await account.pipeline.control(#"{"do":"heal"}"#)
        _ = try await stratd.line(of: .errors, within: .seconds(120)) { $0.contains("The Data API can be read again") }
        #expect(stratd.lines(of: .errors).count { $0.contains(Self.away) } == 1, "\(stratd.report)")
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        #expect(try account.ledger.halts == [], "\(stratd.report)")
    }
}
