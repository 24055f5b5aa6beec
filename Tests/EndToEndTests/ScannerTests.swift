import Glibc
import Shared
import Testing

@testable import DaemonKit

/// `scannerd` as a process: when the venue is not there, and when it lists everything.
@Suite struct ScannerTests {
    @Test func beforeItsFirstPassItTellsItsTroubleAndNoUniverse() async throws {
        let directory = try TemporaryDirectory()
        // A port on which nobody listens: bound, never listening, and closed with the test.
        let deaf = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(deaf) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(deaf, $0, length) == 0 && getsockname(deaf, $0, &length) == 0
            }
        }
        try #require(port)
        let flags = ["--runtime-dir", directory.path, "--state-dir", directory.file("state")]
        let scanner = try RunningProgram(
            Programs.path(of: "scannerd"), flags, in: directory.path,
            environment: ["POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"])
        _ = try await scanner.line(of: .errors, within: .seconds(60)) { $0.contains("the universe stays as it is") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "scannerd", "--runtime-dir", directory.path, "--type", "scan_status,universe", "--count", "2"],
            in: directory.path)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        let frames = tap.text(of: .output)
        #expect(frames.contains(#""age":-1"#) && frames.contains(#""error":"#), "\(frames)")
        #expect(!frames.contains(#""type":"universe""#), "\(frames)")
        #expect(try await scanner.stop() == .exited(0))
    }

    /// What scannerd publishes, by its own word.
    private func universe(in directory: TemporaryDirectory) async throws -> [JSONValue] {
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "scannerd", "--runtime-dir", directory.path, "--type", "universe", "--count", "1"],
            in: directory.path)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        let frame = try JSONValue(parsing: Array(tap.text(of: .output).utf8))
        return try #require(frame["body"]?["markets"]?.array)
    }

    @Test func windowsOfASeriesAreWatchedAndSurviveARestartWhileTheVenueIsAway() async throws {
        let directory = try TemporaryDirectory()
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--listing", "full", "--rate", "0"], in: directory.path)
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
        let url = "http://127.0.0.1:\(try #require(ready["port"]?.integer))"
        let series = ["btc-up-or-down-5m", "eth-up-or-down-hourly", "sol-up-or-down-4h"]
        let flags = ["--runtime-dir", directory.path, "--state-dir", directory.file("state")]
        let environment = [
            "POLYBOT_VENUE_GAMMA_URL": url, "POLYBOT_VENUE_CLOB_URL": url, "POLYBOT_SCANNER_INTERVAL_S": "1",
            "POLYBOT_SCANNER_SERIES": series.joined(separator: ","), "POLYBOT_SCANNER_MIN_TIME_LEFT_S": "0",
        ]
        let scanner = try RunningProgram(
            Programs.path(of: "scannerd"), flags, in: directory.path, environment: environment)
        _ = try await scanner.line(of: .errors) { $0.contains("First pass over the listing is done") }
        let families = try series.map { try #require(RollingSeries(slug: $0)) }
        _ = try await waitFor("present and next windows", within: .seconds(60), state: scanner.report) {
            let slugs = try await self.universe(in: directory).compactMap { $0["slug"]?.string }
            let expected = families.flatMap { $0.windows(at: .now()).map { $0.slugs[0] } }
            return Set(slugs) == Set(expected) ? true : nil
        }
        #expect(try await scanner.stop() == .exited(0))
        #expect(try await venue.stop() == .exited(0))
        // Nobody is there now.
        let again = try RunningProgram(
            Programs.path(of: "scannerd"), flags, in: directory.path, environment: environment)
        _ = try await again.line(of: .errors) { $0.contains("The universe is that of the file") }
        let restored = try await self.universe(in: directory).compactMap { $0["slug"]?.string }
        #expect(restored.count >= families.count, "\(restored)")
        #expect(restored.allSatisfy { $0.contains("-updown-") || $0.hasPrefix("ethereum-up-or-down-") })
        _ = try await again.line(of: .errors, within: .seconds(60)) { $0.contains("the universe stays as it is") }
        #expect(try await self.universe(in: directory).isEmpty == false)
        #expect(try await again.stop() == .exited(0))
    }

    @Test func aListingInTroubleLosesNoMarketAndAChangedTickIsTold() async throws {
        let directory = try TemporaryDirectory()
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--listing", "full", "--markets", "100"], in: directory.path)
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
        let url = "http://127.0.0.1:\(try #require(ready["port"]?.integer))"
        let client = try RESTClient()
        defer { client.stop() }
        func control(_ text: String) async throws {
            let response = try await client.request(
                RESTRequest(.post, url: url + "/control", body: Array(text.utf8)))
            try #require(response.isSuccess, "\(text)")
        }
        let scanner = try RunningProgram(
            Programs.path(of: "scannerd"),
            ["--runtime-dir", directory.path, "--state-dir", directory.file("state")], in: directory.path,
            environment: [
                "POLYBOT_VENUE_GAMMA_URL": url, "POLYBOT_VENUE_CLOB_URL": url, "POLYBOT_SCANNER_INTERVAL_S": "1",
                "POLYBOT_SCANNER_FULL_INTERVAL_S": "10", "POLYBOT_SCANNER_MAX_MARKETS": "2000",
            ])
        _ = try await scanner.line(of: .errors) { $0.contains("First pass over the listing is done") }
        let longest = try await self.universe(in: directory).filter { $0["tick"]?.integer == 10_000 }.max {
            ($0["end_time"]?.integer ?? 0) < ($1["end_time"]?.integer ?? 0)
        }
        let market = try #require(longest?["market"]?.string)
        for fault in [
            #"{"do":"http_status","status":429,"retry_after":1,"path":"/markets","count":3}"#,
            #"{"do":"http_lost","path":"/markets","count":3}"#,
            #"{"do":"http_status","status":503,"path":"/markets","count":30}"#,
            #"{"do":"http_status","status":404,"path":"/clob-markets","count":10}"#,
            #"{"do":"tick_size","market":"\#(market)"}"#,
        ] { try await control(fault) }
        _ = try await scanner.line(of: .errors, within: .seconds(60)) { $0.contains("the universe stays as it is") }
        _ = try await scanner.line(of: .errors, within: .seconds(60)) { $0.contains("The listing can be read again") }
        // The venue moves a market near 0 or 1 to a finer tick by itself, which may be told first.
        _ = try await scanner.line(of: .errors, within: .seconds(60)) {
            $0.contains("Market changed") && $0.contains(market) && $0.contains("tick 10000 -> 1000")
        }
        let removed = scanner.text(of: .errors).split(separator: "\n").filter {
            $0.contains("Market removed") && !$0.contains("ended") && !$0.contains("resolved")
        }
        #expect(removed == [])
        #expect(try await scanner.stop() == .exited(0))
        #expect(try await venue.stop() == .exited(0))
    }

    @Test func ofAVenueWithEverythingInItsListingItWatchesExactlyTheRightMarkets() async throws {
        let directory = try TemporaryDirectory()
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--listing", "full", "--rate", "0"], in: directory.path)
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
        let url = "http://127.0.0.1:\(try #require(ready["port"]?.integer))"
        let client = try RESTClient()
        defer { client.stop() }
        func get(_ target: String) async throws -> JSONValue {
            let response = try await client.request(RESTRequest(url: url + target))
            try #require(response.isSuccess, "\(target)")
            return try JSONValue(parsing: response.body)
        }
        let scanner = try RunningProgram(
            Programs.path(of: "scannerd"),
            ["--runtime-dir", directory.path, "--state-dir", directory.file("state")], in: directory.path,
            environment: [
                "POLYBOT_VENUE_GAMMA_URL": url, "POLYBOT_VENUE_CLOB_URL": url, "POLYBOT_SCANNER_INTERVAL_S": "1",
                "POLYBOT_SCANNER_MAX_MARKETS": "2000", "POLYBOT_SCANNER_KEYWORDS": "bitcoin",
                "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "dominance", "POLYBOT_SCANNER_MIN_TIME_LEFT_S": "120",
            ])
        _ = try await scanner.line(of: .errors) { $0.contains("First pass over the listing is done") }
        // Windows end meanwhile: the two lists are equal between two such moments.
        let markets = try await waitFor("the expected universe", within: .seconds(90), state: scanner.report) {
            let truth = try await get("/truth")
            let time = try #require(truth["time"]?.integer)
            let expected = try #require(truth["markets"]?.array).filter { market in
                let slug = market["slug"]?.string ?? ""
                let isBitcoin = slug.hasPrefix("btc-") || slug.contains("bitcoin")
                return isBitcoin && !slug.contains("dominance") && market["end"]?.integer ?? 0 >= time + 120_000
            }
            let markets = try await self.universe(in: directory)
            let isExpected =
                expected.count > 30
                && Set(expected.compactMap { $0["market"]?.string }) == Set(markets.compactMap { $0["market"]?.string })
            return isExpected ? markets : nil
        }
        for market in markets {
            let compact = try await get("/clob-markets/\(try #require(market["market"]?.string))")
            #expect(compact["ao"]?.bool == true)
            #expect(compact["mts"]?.micros == market["tick"]?.integer)
            #expect(compact["mos"]?.micros == market["min_size"]?.integer)
            #expect((compact["nr"]?.bool ?? false) == market["neg_risk"]?.bool)
            #expect((compact["fd"]?["r"]?.micros ?? 0) == market["fee_rate"]?.integer)
            #expect((compact["itode"] != nil || compact["sd"] != nil) == market["taker_delay"]?.bool)
            let tokens = compact["t"]?.array?.compactMap { $0["t"]?.string }
            #expect(market["outcomes"]?.array?.compactMap { $0["token"]?.string } == tokens)
        }
        #expect(try await scanner.stop() == .exited(0))
        #expect(try await venue.stop() == .exited(0))
    }
}
