import Shared
import Testing

/// What stratd tells of its paper account beside the fills.
@Suite struct PaperMetricsTests {
    @Test func threeResultsAreToldEachSecond() async throws {
        let directory = try TemporaryDirectory()
        let place = ["--runtime-dir", directory.path]
        let daemon = try RunningProgram(
            Programs.path(of: "stratd"), place + ["--state-dir", directory.path, "--log-format", "text"],
            in: directory.path)
        _ = try await daemon.line(of: .errors) { $0.contains("Started") }
        let tap = try RunningProgram(
            Programs.path(of: "polybot"), ["tap", "stratd", "--type", "metrics"] + place, in: directory.path)
        let line = try await tap.line(of: .output) { $0.contains("paper_") }
        for assumption in ["pessimistic", "realistic", "optimistic"] {
            for figure in ["fills", "shares", "result"] {
                #expect(line.contains("paper_\(assumption)_\(figure)"), "\(line)")
            }
        }
        #expect(line.contains("paper_unknown_orders") && line.contains("paper_unknown_time_ppm"), "\(line)")
        try await tap.stop()
        #expect(try await daemon.stop() == .exited(0), "\(daemon.report)")
    }
}
