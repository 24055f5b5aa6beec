import Glibc
import Shared
import Testing

@testable import DaemonKit

/// The predecessor's `.env` runs the whole pipeline: each daemon does what the names say.
@Suite struct PredecessorTests {
    @Test func theOldDotEnvRunsThePipeline() async throws {
        let directory = try TemporaryDirectory()
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--markets", "12"], in: directory.path)
        let ready = try JSONValue(parsing: Array(try await venue.line(of: .output) { $0.contains("ready") }.utf8))
        let port = try #require(ready["port"]?.integer)
        try directory.write("polybot.toml", "[venue]\nprices_ws_url = \"\"\n[scanner]\nmax_markets = 9\n")
        try directory.write(
            ".env",
            """
            # As the predecessor kept it.
            GAMMA_API_URL=http://127.0.0.1:\(port)
            CLOB_API_URL=http://127.0.0.1:\(port)
            POLYMARKET_WS_URL=ws://127.0.0.1:\(port)/ws/market
            BINANCE_WS_URL=ws://127.0.0.1:\(port)/ws
            MAX_CONCURRENT_MARKETS=3
            MARKET_SCAN_INTERVAL=1
            LOG_LEVEL=debug
            DRY_RUN=true
            STRATEGY_MAKER_ENABLED=false
            STRATEGY_LATENCY_ARB_ENABLED=true
            """)
        let flags = ["--runtime-dir", directory.path, "--state-dir", directory.file("state")]
        func start(_ daemon: String) throws -> RunningProgram {
            try RunningProgram(
                Programs.path(of: daemon), flags, in: directory.path,
                environment: ["POLYBOT_CONFIG": directory.file("polybot.toml"), "POLYBOT_TRADING_MODE": "live"],
                hasPrices: true)
        }
        let daemons = try ["scannerd", "feedd", "stratd"].map(start)
        try await waitFor("three trusted books and no strategy", state: daemons.map(\.report).joined(separator: "\n")) {
            () -> Bool? in
            let status = try RunningProgram(
                Programs.path(of: "polybot"), ["status", "--json", "--runtime-dir", directory.path], in: directory.path)
            _ = try await status.waitForEnd()
            guard let told = try? JSONValue(parsing: Array(status.text(of: .output).utf8)) else { return nil }
            return told["markets"]?.integer == 3 && told["trusted"]?.integer == 3 && told["mode"]?.string == "paper"
                ? true : nil
        }
        for daemon in daemons {
            let log = daemon.text(of: .errors)
            #expect(log.contains("Subscriber connected"), "LOG_LEVEL=debug has no effect: \(log)")
            #expect(log.contains("STRATEGY_LATENCY_ARB_ENABLED has no effect"), "\(log)")
        }
        _ = try await daemons[1].line(of: .errors) { $0.contains("Connected to Binance") }
        // The first rounds are a second apart, not ten.
        let rounds = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "scannerd", "--runtime-dir", directory.path, "--type", "metrics", "--for", "4s"], in: directory.path
        )
        _ = try await rounds.waitForEnd()
        let counts = rounds.text(of: .output).split(separator: "\n").compactMap {
            (try? JSONValue(parsing: Array($0.utf8)))?["body"]?["values"]?["rounds"]?.integer
        }
        #expect((counts.last ?? 0) - (counts.first ?? 0) >= 2, "\(counts)")
        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "stratd", "--runtime-dir", directory.path, "--type", "strategy_status", "--for", "1500ms"],
            in: directory.path)
        _ = try await tap.waitForEnd()
        #expect(tap.text(of: .output).isEmpty, "\(tap.text(of: .output))")
        for daemon in daemons.reversed() { #expect(try await daemon.stop() == .exited(0), "\(daemon.report)") }
        _ = try await venue.stop()
    }
}
