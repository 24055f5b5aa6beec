import CLinux
import Glibc

/// Something that a daemon's program does once, in a terminal, while no daemon need run: `stratd cancel-all`.
///
/// It takes the daemon's flags for configuration and state. What it has to say goes to standard output, a line each; why it failed to
/// standard error, with the exit code.
public struct DaemonCommand: Sendable {
    public struct Context: Sendable {
        public let configuration: Configuration
        public let environment: [String: String]
        /// Exists, and belongs to this user.
        public let stateDirectory: String
        /// Writes a line to standard output.
        public let tell: @Sendable (String) -> Void
    }

    /// Which of the daemons' flags it takes.
    static let flagNames: Set<String> = ["--config", "--state-dir", "--help"]

    public let name: String
    /// For help and manual: without a full stop.
    public let summary: String
    let perform: @Sendable (Context) async throws(DaemonExit) -> Void

    public init(
        _ name: String, _ summary: String, perform: @escaping @Sendable (Context) async throws(DaemonExit) -> Void
    ) {
        self.name = name
        self.summary = summary
        self.perform = perform
    }

    /// Runs it on the calling thread.
    func run(_ context: Context) throws(DaemonExit) {
        // Before anything that could be a secret is read.
        guard clinux_forbid_dumps() == 0 else {
            throw DaemonExit(.refused, "Dumps of this process's memory cannot be forbidden: \(SystemError("prctl")).")
        }
        let loop: EventLoop
        do { loop = try EventLoop() } catch { throw DaemonExit(.bug, "The event loop cannot be made: \(error).") }
        let outcome = Outcome()
        Task.detached(executorPreference: loop) {
            do throws(DaemonExit) { try await self.perform(context) } catch { outcome.failure = error }
            loop.execute { loop.stop() }
        }
        loop.run()
        if let failure = outcome.failure { throw failure }
    }

    /// Written on the loop, read when it has ended.
    private final class Outcome: @unchecked Sendable { var failure: DaemonExit? }
}
