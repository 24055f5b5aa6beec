import Shared
import Testing

@testable import DaemonKit

/// What the other daemons tell scannerd: all of them as processes.
@Suite struct ScannerHintTests {
    private func strategy(_ pipeline: Pipeline) async throws -> RunningProgram {
        let program = try RunningProgram(
            Programs.path(of: "stratd"),
            ["--runtime-dir", pipeline.directory.path, "--state-dir", pipeline.directory.file("state")],
            in: pipeline.directory.path)
        _ = try await program.line(of: .errors) { $0.contains("Started") }
        return program
    }

    private func tap(_ daemon: String, _ type: String, in directory: TemporaryDirectory) async throws -> JSONValue {
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", daemon, "--runtime-dir", directory.path, "--type", type, "--count", "1"], in: directory.path)
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        return try #require(JSONValue(parsing: Array(tap.text(of: .output).utf8))["body"])
    }

    private func slugs(in directory: TemporaryDirectory) async throws -> Set<String> {
        let universe = try await self.tap("scannerd", "universe", in: directory)
        return Set((universe["markets"]?.array ?? []).compactMap { $0["slug"]?.string })
    }

    /// Which markets `scannerd` keeps for stratd's sake, as it has written it for its next life.
    private func pinned(in directory: TemporaryDirectory) throws -> Set<String> {
        guard let bytes = contents(of: directory.file("state/universe.json")) else { return [] }
        let lines = try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }
        let conditions = Set((lines.first?["pinned"]?.array ?? []).compactMap { $0.string })
        let markets = (lines.last?["markets"]?.array ?? []).filter { conditions.contains($0["market"]?.string ?? "") }
        return Set(markets.compactMap { $0["slug"]?.string })
    }

    @Test func whatTheVenueAnnouncesIsActedOnLongBeforeTheNextRound() async throws {
        let pipeline = try await Pipeline(
            ["--markets", "6", "--rate", "50"],
            settings: [
                "POLYBOT_SCANNER_INTERVAL_S": "3600", "POLYBOT_SCANNER_FULL_INTERVAL_S": "86400",
                "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_SCANNER_MAX_MARKETS": "50",
            ])
        let strategy = try await self.strategy(pipeline)
        _ = try await pipeline.feed.line(of: .errors) { $0.contains("All books are trusted") }
        let before = try await self.slugs(in: pipeline.directory)
        #expect(!before.isEmpty)
        let rounds = try await self.tap("scannerd", "metrics", in: pipeline.directory)["values"]?["rounds"]?.integer
        try await pipeline.control(#"{"do":"list_market"}"#)
        _ = try await pipeline.scanner.line(of: .errors, within: .seconds(20)) {
            $0.contains("Market added") && $0.contains("bitcoin-added-1")
        }
        #expect(try await self.slugs(in: pipeline.directory) == before.union(["bitcoin-added-1"]))
        // It is carried and traded as any other.
        _ = try await waitFor("the new market's book", within: .seconds(20), state: pipeline.feed.report) {
            let tap = try RunningProgram(
                Programs.path(of: "polybot"),
                [
                    "tap", "feedd", "--runtime-dir", pipeline.directory.path, "--type", "book", "--market",
                    "bitcoin-added-1", "--count", "1", "--for", "2s",
                ], in: pipeline.directory.path)
            _ = try await tap.waitForEnd()
            return tap.text(of: .output).contains(#""trusted":true"#) ? true : nil
        }
        try await pipeline.control(#"{"do":"resolve","market":"bitcoin-added-1"}"#)
        let removed = try await pipeline.scanner.line(of: .errors, within: .seconds(60)) {
            $0.contains("Market removed")
        }
        #expect(removed.contains("resolved"), "\(removed)")
        #expect(try await self.slugs(in: pipeline.directory).contains("bitcoin-added-1") == false)
        let after = try await self.tap("scannerd", "metrics", in: pipeline.directory)["values"]?["rounds"]?.integer
        #expect(rounds == after, "no round passed: the hints alone brought it")
        #expect(try await strategy.stop() == .exited(0))
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }

    /// What the filter would drop, and the ranking has no room for, stays as long as there is an order, over a restart too.
    @Test func aMarketWithAnOrderStaysUntilTheOrderIsGone() async throws {
        let families = try ["eth-up-or-down-4h", "sol-up-or-down-4h"].map { try #require(RollingSeries(slug: $0)) }
        // Nobody trades: an order stays an order.
        let pipeline = try await Pipeline(
            ["--listing", "full", "--rate", "0"],
            settings: [
                "POLYBOT_SCANNER_INTERVAL_S": "1",
                "POLYBOT_SCANNER_SERIES": families.map(\.slug).joined(separator: ","),
            ])
        let strategy = try await self.strategy(pipeline)
        // Those that begin later do not end while this runs; in the present ones there may be no time left for an order.
        let held = Set(families.map { $0.windows(at: .now())[1].slugs[0] })
        let state = { pipeline.scanner.report + pipeline.feed.report + strategy.report }
        _ = try await waitFor("pinned markets", within: .seconds(60), state: state()) {
            held.isSubset(of: try self.pinned(in: pipeline.directory)) ? true : nil
        }
        #expect(try await pipeline.scanner.stop() == .exited(0))
        let again = try RunningProgram(
            Programs.path(of: "scannerd"),
            ["--runtime-dir", pipeline.directory.path, "--state-dir", pipeline.directory.file("state")],
            in: pipeline.directory.path,
            environment: [
                "POLYBOT_SCANNER_INTERVAL_S": "1", "POLYBOT_SCANNER_SERIES": "xrp-up-or-down-4h",
                "POLYBOT_SCANNER_MAX_MARKETS": "1", "POLYBOT_VENUE_GAMMA_URL": "http://127.0.0.1:\(pipeline.port)",
                "POLYBOT_VENUE_CLOB_URL": "http://127.0.0.1:\(pipeline.port)",
            ])
        _ = try await again.line(of: .errors) { $0.contains("First pass over the listing is done") }
        // Longer than stratd takes to tell all that it holds, and several rounds.
        try await Task.sleep(for: .seconds(7))
        #expect(held.isSubset(of: try await self.slugs(in: pipeline.directory)), "\(again.report)")
        let removals = again.lines(of: .errors).filter { $0.contains("Market removed") }
        #expect(!removals.contains { line in held.contains { line.contains($0) } }, "\(again.report)")

        let halt = try RunningProgram(
            Programs.path(of: "polybot"), ["halt", "--runtime-dir", pipeline.directory.path],
            in: pipeline.directory.path)
        #expect(try await halt.waitForEnd() == .exited(0), "\(halt.report)")
        _ = try await waitFor("the markets to go", within: .seconds(60), state: again.report) {
            let slugs = try await self.slugs(in: pipeline.directory)
            return slugs.count == 1 && held.isDisjoint(with: slugs) ? true : nil
        }
        #expect(try await again.stop() == .exited(0))
        #expect(try await strategy.stop() == .exited(0))
        _ = try await pipeline.stop()
    }
}
