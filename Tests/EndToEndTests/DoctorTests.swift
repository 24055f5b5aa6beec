import Shared
import Testing

@testable import DaemonKit

/// `stratd doctor`, at a venue that is well and at one that is not.
struct DoctorTests {
    /// Worth nothing anywhere.
    private static let key = "0x" + String(repeating: "b6", count: 32)

    private struct Practice {
        let venue: RunningProgram
        let port: Int
        let directory: TemporaryDirectory

        init(_ arguments: [String] = []) async throws {
            self.venue = try RunningProgram(Programs.path(of: "simvenue"), ["--port", "0", "--rate", "50"] + arguments)
            let ready = try await self.venue.line(of: .output) { $0.contains("ready") }
            self.port = Int(try #require(try JSONValue(parsing: ready.utf8)["port"]?.integer))
            self.directory = try TemporaryDirectory()
        }

        func control(_ commands: [String]) async throws {
            let client = try RESTClient()
            defer { client.stop() }
            for command in commands {
                let url = "http://127.0.0.1:\(self.port)/control"
                let answer = try await client.request(RESTRequest(.post, url: url, body: Array(command.utf8)))
                try #require(answer.isSuccess, "\(command): \(String(decoding: answer.body, as: UTF8.self))")
            }
        }

        /// - Returns: how it ended, and what it said of each thing.
        func look(
            _ settings: [String: String] = [:]
        ) async throws -> (
            ending: RunningProgram.Ending, verdicts: [String: String], all: String
        ) {
            let base = "http://127.0.0.1:\(self.port)"
            let environment = [
                "POLYGON_PRIVATE_KEY": DoctorTests.key, "POLYBOT_VENUE_CLOB_URL": base,
                "POLYBOT_VENUE_GEOBLOCK_URL": base + "/api/geoblock", "POLYBOT_VENUE_DATA_URL": base,
            ].merging(settings) { $1 }
            let doctor = try RunningProgram(
                Programs.path(of: "stratd"), ["doctor", "--state-dir", self.directory.file("state")],
                in: self.directory.path, environment: environment)
            let ending = try await doctor.waitForEnd()
            var verdicts: [String: String] = [:]
            for line in doctor.lines(of: .output) where !line.hasPrefix(" ") {
                let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true).map(String.init)
                verdicts[words[1]] = words[0]
            }
            let all = doctor.text(of: .output) + doctor.text(of: .errors)
            #expect(!all.contains(String(DoctorTests.key.dropFirst(2))))
            return (ending, verdicts, all)
        }
    }

    private static let names: Set<String> = [
        "region", "clock", "version", "wallet", "credentials", "account", "funds", "terms", "heartbeat", "positions",
        "disk",
    ]

    @Test func everythingIsLookedAtAndWellTwice() async throws {
        let practice = try await Practice()
        for _ in 0..<2 {
            let (ending, verdicts, all) = try await practice.look()
            #expect(ending == .exited(0) && Set(verdicts.keys) == Self.names, "\(all)")
            #expect(verdicts.values.allSatisfy { $0 == "ok" }, "\(all)")
            #expect(all.contains(#/clock +differs from the venue's by -?\d{1,4} ms/#), "\(all)")
        }
        // Told in whole seconds it seems two to three ahead: stratd would place nothing.
        try await practice.control([#"{"do":"clock_skew","ms":3000}"#])
        let (_, verdicts, all) = try await practice.look()
        #expect(verdicts["clock"] == "FAILED", "\(all)")
    }

    @Test func eachThingThatIsMissingIsNamedWithItsRemedy() async throws {
        let practice = try await Practice()
        let first = try await practice.look()
        let address = try #require(first.all.firstMatch(of: #/wallet +(0x[0-9a-fA-F]{40}),/#)?.1)
        try await practice.control([
            #"{"do":"geoblock"}"#, #"{"do":"clock_skew","ms":-20000}"#,
            #"{"do":"http_status","status":503,"path":"/version"}"#,
            #"{"do":"closed_only","address":"\#(address)"}"#,
        ])
        let (ending, verdicts, all) = try await practice.look(["POLYBOT_TRADING_SIGNATURE_TYPE": "2"])
        #expect(ending == .exited(77), "\(all)")
        for name in ["region", "clock", "version", "wallet", "account"] {
            #expect(verdicts[name] == "FAILED", "\(name): \(all)")
        }
        #expect(verdicts["credentials"] == "ok" && verdicts["disk"] == "ok", "\(all)")
        // The venue tells whole seconds, and an answer may be late.
        #expect(
            all.contains(
                #/differs from the venue's by -(19|20|21)\d{3} ms, told in whole seconds; -3000 to 2000 are allowed/#),
            "\(all)")
        for words in ["there is no way around", "trading.funder_address is empty"] {
            #expect(all.contains(words), "\(all)")
        }
        // The wallet that is told is the one that counts.
        let wallet = try #require(all.firstMatch(of: #/profile: (0x[0-9a-fA-F]{40})\./#)?.1)
        let right = try await practice.look([
            "POLYBOT_TRADING_SIGNATURE_TYPE": "2", "POLYBOT_TRADING_FUNDER_ADDRESS": String(wallet),
        ])
        #expect(right.verdicts["wallet"] == "ok", "\(right.all)")
        let wrong = try await practice.look([
            "POLYBOT_TRADING_FUNDER_ADDRESS": "0x00000000000000000000000000000000000000a1"
        ])
        #expect(wrong.verdicts["wallet"] == "FAILED" && wrong.all.contains("is no wallet of the key"), "\(wrong.all)")
    }

    @Test func aPoorAccountAndAVenueThatIsAwayAreSaid() async throws {
        let practice = try await Practice(["--balance", "0"])
        let poor = try await practice.look()
        #expect(poor.ending == .exited(77) && poor.verdicts["funds"] == "FAILED", "\(poor.all)")
        #expect(poor.all.contains("holds no pUSD"), "\(poor.all)")
        let away = try await practice.look([
            "POLYBOT_VENUE_CLOB_URL": "http://127.0.0.1:9", "POLYBOT_VENUE_GEOBLOCK_URL": "http://127.0.0.1:9",
        ])
        #expect(away.ending == .exited(77) && away.verdicts["clock"] == "FAILED", "\(away.all)")
        #expect(away.verdicts["disk"] == "ok" && away.all.contains("can be reached from here"), "\(away.all)")
    }

    @Test func anAccountThatCouldBuyAndNotSellIsToldSo() async throws {
        let practice = try await Practice()
        let well = try await practice.look()
        #expect(well.ending == .exited(0), "\(well.all)")
        let client = try RESTClient()
        defer { client.stop() }
        let url = "http://127.0.0.1:\(practice.port)/truth/account"
        let answer = try await client.request(RESTRequest(url: url))
        let address = try #require(try JSONValue(parsing: answer.body).array?.first?.string)
        try await practice.control([#"{"do":"revoke_shares","address":"\#(address)"}"#])
        let (ending, verdicts, all) = try await practice.look()
        #expect(ending == .exited(77) && verdicts["funds"] == "FAILED", "\(all)")
        #expect(all.contains("may not move the wallet's shares") && all.contains("setApprovalForAll"), "\(all)")
        #expect(verdicts.count { $0.value == "ok" } == Self.names.count - 1, "\(all)")
    }

    @Test(arguments: ["/elsewhere", ":9"])
    func aDataAPIThatDoesNotAnswerIsWarnedOfAndNothingMore(place: String) async throws {
        let practice = try await Practice()
        let url = place == ":9" ? "http://127.0.0.1:9" : "http://127.0.0.1:\(practice.port)\(place)"
        let (ending, verdicts, all) = try await practice.look(["POLYBOT_VENUE_DATA_URL": url])
        #expect(ending == .exited(0) && verdicts["positions"] == "warning", "\(all)")
        #expect(verdicts.count { $0.value == "ok" } == Self.names.count - 1, "\(all)")
        #expect(all.contains("Trading goes on without; where it stays so, see venue.data_url."), "\(all)")
    }
}
