import Testing

@testable import DaemonKit

/// What the real daemons tell at trace.
struct TraceTests {
    @Test func atTraceTextsFramesDecisionsAndOrdersAreTold() async throws {
        let pipeline = try await Pipeline(
            ["--markets", "3", "--rate", "100"], settings: ["POLYBOT_LOGGING_LEVEL": "trace"])
        let strategy = try RunningProgram(
            Programs.path(of: "stratd"),
            [
                "--runtime-dir", pipeline.directory.path, "--state-dir", pipeline.directory.file("state"),
                "--log-level", "trace",
            ], in: pipeline.directory.path)
        let feed = pipeline.feed
        let sent = try await feed.line(of: .errors) {
            $0.contains("trace feedd: Text sent ") && $0.contains(" connection=0 ")
        }
        #expect(sent.contains("assets_ids"))
        _ = try await feed.line(of: .errors) {
            $0.contains("trace feedd: Text received ") && $0.contains("price_change")
        }
        _ = try await feed.line(of: .errors) { $0.contains("trace feedd: Frame sent ") && $0.contains(" type=delta") }
        _ = try await feed.line(of: .errors) { $0.contains("trace feedd: Frame received ") && $0.contains("type=pong") }

        _ = try await strategy.line(of: .errors) {
            $0.contains("trace stratd: Frame received ") && $0.contains("feedd.sock")
        }
        let decision = try await strategy.line(of: .errors) {
            $0.contains("trace stratd: Decision action=quote ") && $0.contains("strategy: buy_first")
        }
        #expect(decision.contains(" market=0x") && decision.contains(" strategy=maker "))
        // By its number alone an order can be followed.
        let placed = try await strategy.line(of: .errors) { $0.contains("debug stratd: Order goes to the venue ") }
        let order = try #require(placed.split(separator: " ").first { $0.hasPrefix("order=") })
        _ = try await strategy.line(of: .errors) {
            $0.contains("debug stratd: Order changed its state ") && $0.contains(" \(order) ")
                && $0.contains(" state=live ")
        }
        #expect(try await strategy.stop() == .exited(0))
        _ = try await pipeline.stop()
        let longest =
            (feed.text(of: .errors) + "\n" + strategy.text(of: .errors)).split(separator: "\n")
            .map(\.utf8.count).max() ?? 0
        #expect(longest < LogRecord.lineByteCountMax)
    }
}
