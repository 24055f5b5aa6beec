import Shared
import Synchronization
import Testing

@testable import DaemonKit

/// Work handed in from other threads, while the loop has nothing else to wake it.
@Suite struct EventLoopWakeTests {
    private static let roundCount = 20_000
    /// Far less than the longest sleep, far more than any scheduler takes.
    private static let patience = Duration.seconds(10)

    @Test func noWorkWaitsForATimer() throws {
        let loop = try EventLoop()
        try WorkerThread { loop.run() }.detach()
        defer { loop.stop() }
        let done = Atomic<Int>(0)
        // Two at a time, some apart: one that arrives just while the loop takes notice of the other.
        for round in 1...Self.roundCount {
            loop.execute { _ = done.add(1, ordering: .relaxed) }
            for _ in 0..<(round % 200) * 4 { _ = done.load(ordering: .relaxed) }
            loop.execute { _ = done.add(1, ordering: .relaxed) }
            let deadline = Instant.now() + Self.patience
            while done.load(ordering: .relaxed) < 2 * round {
                guard Instant.now() < deadline else {
                    Issue.record("work was not done after \(Self.patience) in round \(round)")
                    return
                }
            }
        }
    }
}
