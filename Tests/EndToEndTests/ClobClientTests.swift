import Shared
import Testing

@testable import DaemonKit

/// The venue's official Python client trades at the simulated venue as it would at the real one.
struct ClobClientTests {
    private static let python = Programs.variable("POLYBOT_TEST_CLOB_PYTHON")

    @Test(
        .enabled(if: python != nil, "the official client is not installed: scripts/test-clob-client puts it in place"),
        arguments: [["--seed", "5"], ["--seed", "6", "--listing", "full"]])
    func itDerivesKeysPlacesBatchesFillsAndCancelsWithEverySignatureType(flags: [String]) async throws {
        let venue = try RunningProgram(
            Programs.path(of: "simvenue"), ["--port", "0", "--rate", "300"] + flags)
        let ready = try await venue.line(of: .output) { $0.contains("ready") }
        let trader = try RunningProgram(try #require(Self.python), [Programs.peer("clob_trader.py"), ready])
        let ending = try await trader.waitForEnd(within: .seconds(240))
        try #require(ending == .exited(0), "\(trader.report)\n\(venue.report)")
        let lines = try trader.text(of: .output).split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
        #expect(lines.map { $0["signature_type"]?.integer } == [0, 1, 2, 3])
        // A placement, fifteen and their ends, two takers and the life of their trades, at the least.
        for line in lines { #expect(line["user_events"]?.integer ?? 0 >= 40, "\(line)") }
        #expect(try await venue.stop() == .exited(0))
    }
}
