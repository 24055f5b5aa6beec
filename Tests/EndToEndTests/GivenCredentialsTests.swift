import Glibc
import Shared
import Testing

@testable import DaemonKit

/// API credentials that an operator gives instead of those that the key would get from the venue.
@Suite struct GivenCredentialsTests {
    /// Worth nothing anywhere.
    private static let key = "0x" + String(repeating: "b7", count: 32)

    private let directory: TemporaryDirectory
    private let venue: RunningProgram
    private let url: String

    init() async throws {
        self.directory = try TemporaryDirectory()
        self.venue = try RunningProgram(Programs.path(of: "simvenue"), ["--port", "0", "--rate", "50"])
        let ready = try await self.venue.line(of: .output) { $0.contains("ready") }
        self.url = "http://127.0.0.1:\(try #require(JSONValue(parsing: ready.utf8)["port"]?.integer))"
    }

    private func look(
        _ settings: [String: String] = [:], state: String, expecting code: Int32
    ) async throws -> String {
        let doctor = try RunningProgram(
            Programs.path(of: "stratd"), ["doctor", "--state-dir", self.directory.file(state)], in: self.directory.path,
            environment: [
                "POLYGON_PRIVATE_KEY": Self.key, "POLYBOT_VENUE_CLOB_URL": self.url,
                "POLYBOT_VENUE_GEOBLOCK_URL": self.url + "/api/geoblock", "POLYBOT_VENUE_DATA_URL": self.url,
            ].merging(settings) { $1 })
        #expect(try await doctor.waitForEnd() == .exited(code), "\(doctor.report)")
        return doctor.text(of: .output) + "\n" + doctor.text(of: .errors)
    }

    private func give(_ name: String, _ text: String, mode: UInt32 = 0o600) throws -> [String: String] {
        chmod(try self.directory.write(name, text), mode)
        return ["POLYBOT_TRADING_CREDENTIALS_FILE": self.directory.file(name)]
    }

    private func kept(in state: String) throws -> String? {
        let names = TemporaryDirectory.names(in: self.directory.file(state))
        guard let name = names.first(where: { $0.hasPrefix("credentials-") }) else { return nil }
        return String(decoding: contents(of: self.directory.file(state) + "/" + name) ?? [], as: UTF8.self)
    }

    @Test func theyAreUsedAndNoneAreAskedForOrKept() async throws {
        let derived = try await self.look(state: "first", expecting: 0)
        #expect(derived.contains("they are kept in"), "\(derived)")
        let text = try #require(try self.kept(in: "first"))
        let all = try await self.look(try self.give("api", text + "\n"), state: "second", expecting: 0)
        #expect(all.contains("the venue knows those at \(self.directory.file("api"))"), "\(all)")
        #expect(try self.kept(in: "second") == nil)
        // As a service has them.
        chmod(try self.directory.write("api_credentials", text), 0o400)
        let managed = try await self.look(
            ["CREDENTIALS_DIRECTORY": self.directory.path], state: "third", expecting: 0)
        #expect(managed.contains("those at \(self.directory.file("api_credentials"))"), "\(managed)")
    }

    @Test func thoseThatTheVenueRefusesAreNamedAndNoOthersTaken() async throws {
        _ = try await self.look(state: "first", expecting: 0)
        let text = try #require(try self.kept(in: "first"))
        let members = try #require(JSONValue(parsing: Array(text.utf8)).object)
        let secret = try #require(members["secret"]?.string)
        let wrong =
            #"{"apiKey":"\#(members["apiKey"]?.string ?? "")","secret":"\#(String(secret.reversed().drop { $0 == "=" }))","#
            + #""passphrase":"wrong-passphrase"}"#
        let all = try await self.look(try self.give("api", wrong), state: "second", expecting: 77)
        #expect(all.contains("FAILED  credentials"), "\(all)")
        #expect(all.contains("the venue refuses those at \(self.directory.file("api"))"), "\(all)")
        #expect(!all.contains("wrong-passphrase") && !all.contains(secret.prefix(12)), "a secret is told")
        #expect(try self.kept(in: "second") == nil)
    }

    @Test func thoseThatCannotBeUsedEndItWithTheReason() async throws {
        let good = #"{"apiKey":"key","secret":"c2VjcmV0","passphrase":"sesame"}"#
        let cases: [(text: String, mode: UInt32, reason: String)] = [
            ("{}", 0o600, "no JSON object"), ("", 0o600, "no JSON object"),
            (String(good.dropLast(8)), 0o600, "no JSON object"),
            (good.replacing("c2VjcmV0", with: "?"), 0o600, "its secret is no base64"),
            (good.replacing("sesame", with: "se same"), 0o600, "not of one line"),
            (good, 0o644, ""),
        ]
        for (index, (text, mode, reason)) in cases.enumerated() {
            let settings = try self.give("api-\(index)", text, mode: mode)
            let all = try await self.look(settings, state: "state-\(index)", expecting: 78)
            #expect(
                all.contains("The API credentials at \(self.directory.file("api-\(index)")) cannot be used"), "\(all)")
            #expect(all.contains(reason) && !all.contains("sesame"), "\(all)")
        }
        let absent = ["POLYBOT_TRADING_CREDENTIALS_FILE": self.directory.file("nowhere")]
        #expect(try await self.look(absent, state: "state", expecting: 78).contains("does not exist"))
    }

    /// Others would be another's choice, and the same ones make no difference: it is said, and nothing is opened anew.
    @Test func whenTheVenueForgetsThemWhileTradingItIsSaid() async throws {
        let account = try await LiveAccount(["--markets", "12", "--rate", "50"], marketCount: 2)
        let first = try account.start()
        _ = try await first.line(of: .errors) { $0.contains("Live trading is open") }
        #expect(try await first.stop() == .exited(0))
        let names = TemporaryDirectory.names(in: account.stateDirectory).filter { $0.hasPrefix("credentials-") }
        let file = account.stateDirectory + "/" + (try #require(names.first))
        let stratd = try account.start(["POLYBOT_TRADING_CREDENTIALS_FILE": file])
        _ = try await stratd.line(of: .errors) { $0.contains("Live trading is open") }
        try await account.pipeline.control(#"{"do":"http_status","status":401,"path":"/data/orders","count":50}"#)
        let line = try await stratd.line(of: .errors) { $0.contains("The log-in to the venue failed") }
        #expect(line.contains("the venue refuses the credentials that were given, \(file)"), "\(line)")
        #expect(try await stratd.stop() == .exited(0), "\(stratd.report)")
        #expect(!stratd.text(of: .errors).contains("Logged in to the venue again"), "\(stratd.report)")
    }
}
