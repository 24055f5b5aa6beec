import Glibc
import Shared
import Testing

@testable import DaemonKit

/// `polybot scan-markets` as a person types it, at a venue without any daemon.
@Suite struct ScanMarketsTests {
    private let directory: TemporaryDirectory
    private let venue: RunningProgram
    private let url: String

    init() async throws {
        self.directory = try TemporaryDirectory()
        self.venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--listing", "full", "--rate", "0"], in: self.directory.path)
        let ready = try await self.venue.line(of: .output) { $0.contains("ready") }
        self.url = "http://127.0.0.1:\(try #require(JSONValue(parsing: Array(ready.utf8))["port"]?.integer))"
    }

    private func scan(
        _ arguments: [String], at url: String? = nil, expecting code: Int32 = 0
    ) async throws -> (output: String, errors: String) {
        let url = url ?? self.url
        let program = try RunningProgram(
            Programs.path(of: "polybot"), ["scan-markets"] + arguments, in: self.directory.path,
            environment: [
                "POLYBOT_VENUE_GAMMA_URL": url, "POLYBOT_VENUE_CLOB_URL": url,
                "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown,up-or-down",
            ])
        #expect(try await program.waitForEnd() == .exited(code), "\(program.report)")
        return (program.text(of: .output), program.text(of: .errors))
    }

    private func lines(_ arguments: [String]) async throws -> [JSONValue] {
        try await self.scan(arguments + ["--json"]).output.split(separator: "\n").map {
            try JSONValue(parsing: Array($0.utf8))
        }
    }

    /// Slugs of what the venue lists, with a reason of its own to refuse it.
    private func listed(_ isWanted: (JSONValue) -> Bool) async throws -> String {
        let client = try RESTClient()
        defer { client.stop() }
        for query in ["closed=true"] + (0..<5).map({ "closed=false&offset=\(100 * $0)" }) {
            let response = try await client.request(RESTRequest(url: self.url + "/markets?limit=100&\(query)"))
            let markets = try #require(JSONValue(parsing: response.body).array)
            if let slug = markets.first(where: isWanted)?["slug"]?.string { return slug }
        }
        throw WaitedInVain(description: "the venue lists nothing of the kind")
    }

    @Test func tableAndJSONShowTheSameMarkets() async throws {
        let markets = try await self.lines(["--limit", "12"])
        #expect(markets.count == 12)
        let slugs = try markets.map { try #require($0["slug"]?.string) }
        let ends = markets.map { $0["end_time"]?.integer ?? 0 }
        #expect(ends == ends.sorted() && slugs.allSatisfy { !$0.contains("updown") })
        let table = try await self.scan(["--limit", "12"]).output.split(separator: "\n")
        #expect(table.count == 14 && table[0].hasPrefix("market"), "\(table)")
        for (line, slug) in zip(table.dropFirst(), slugs) { #expect(line.hasPrefix(slug.prefix(40)), "\(line)") }
        #expect(table.last?.hasPrefix("12 markets of ") == true && table.last?.contains("refused:") == true)
        let found = try await self.lines(["--keyword", "ceasefire"])
        #expect(!found.isEmpty && found.allSatisfy { $0["slug"]?.string?.contains("ceasefire") == true })
    }

    @Test func whyOfOneThatIsWatchedAndOfOneThatOthersLeaveOut() async throws {
        let markets = try await self.lines(["--limit", "40"])
        let best = try #require(markets.first?["slug"]?.string)
        let last = try #require(markets.last?["slug"]?.string)
        let watched = try await self.lines(["--limit", "40", "--why", best])
        #expect(watched.count == 1 && watched[0]["slug"]?.string == best)
        #expect(watched[0]["watched"]?.bool == true && watched[0]["reason"]?.string == nil)
        #expect(watched[0]["sentence"]?.string?.hasPrefix("It is watched: ") == true)
        let left = try await self.lines(["--limit", "1", "--why", last])
        #expect(left.first?["watched"]?.bool == false && left.first?["reason"]?.string == "outranked")
        let text = try await self.scan(["--limit", "1", "--why", last]).output
        #expect(text.hasPrefix("\(last): outranked: ") && text.contains("max_markets"), "\(text)")
    }

    @Test func whyOfDecoysIsTheVenuesReasonOrOurs() async throws {
        // Of the present window there may be too little left, which is said first.
        let series = try #require(RollingSeries(slug: "btc-up-or-down-4h"))
        let next = series.windows(at: .now())[1].slugs[0]
        let cases: [(reason: String, slug: String)] = [
            ("closed", try await self.listed { $0["closed"]?.bool == true }),
            (
                "not_accepting_orders",
                try await self.listed { $0["acceptingOrders"]?.bool == false && $0["closed"]?.bool == false }
            ),
            (
                "no_order_book",
                try await self.listed { $0["enableOrderBook"]?.bool == false && $0["closed"]?.bool == false }
            ),
            ("excluded_keywords", try await self.listed { $0["slug"]?.string == next }),
        ]
        for (reason, slug) in cases {
            let answer = try await self.lines(["--why", slug])
            #expect(answer.first?["watched"]?.bool == false, "\(slug)")
            #expect(answer.first?["reason"]?.string == reason, "\(slug)")
            #expect(answer.first?["sentence"]?.string?.hasSuffix(".") == true)
        }
    }

    @Test func whatIsNotThereIsToldInASentenceWithItsExitCode() async throws {
        let unknown = try await self.scan(["--why", "no-such-market"], expecting: 69)
        #expect(unknown.output.isEmpty && unknown.errors.contains("lists no market called no-such-market"))
        let odd = try await self.scan(["--why", "../control"], expecting: 64)
        #expect(odd.errors.contains("is no slug"), "\(odd.errors)")
        let limit = try await self.scan(["--limit", "0"], expecting: 64)
        #expect(limit.errors.contains("--limit must be from 1 to 2000"), "\(limit.errors)")
    }

    @Test func aVenueThatIsDownIsToldAndNoListIsShown() async throws {
        #expect(try await self.venue.stop() == .exited(0))
        for arguments in [[], ["--json"], ["--why", "some-market"]] {
            let (output, errors) = try await self.scan(arguments, expecting: 69)
            #expect(output.isEmpty && errors.contains(self.url) && errors.contains("cannot be read"), "\(errors)")
            #expect(errors.split(separator: "\n").count == 1, "\(errors)")
        }
    }
}
