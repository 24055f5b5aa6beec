import Shared
import Testing

@testable import DaemonKit

/// The processes themselves: that they start, answer and stop.
struct PipelineTests {
    @Test func theDaemonsStartAnswerAndStopInOrder() async throws {
        let pipeline = try await Pipeline(["--markets", "3", "--rate", "50"])
        #expect(try await pipeline.get("/truth")["markets"]?.array?.count == 3)
        _ = try await pipeline.feed.line(of: .errors) { $0.contains("Market channel connected") }
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
        #expect(pipeline.directory.names == ["state"], "sockets stay behind")
    }
}
