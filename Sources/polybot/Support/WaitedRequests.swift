import DaemonKit
import Shared
import Synchronization

/// Requests of a command that has nothing else to do meanwhile.
enum WaitedRequests {
    /// Runs `body` to its end while this thread waits.
    ///
    /// - Parameter venue: whose authority and proxy count; `nil` for what is on this machine.
    static func run<Value: Sendable>(
        _ venue: Configuration.Venue?,
        _ body: @escaping @Sendable (RESTClient, EventLoop) async throws(DaemonExit) -> Value
    ) throws(DaemonExit) -> Value {
        var options = RESTClient.Options()
        options.caFile = venue?.authorityFile
        options.proxy = venue == nil ? "" : venue?.proxy
        let client: RESTClient
        let loop: EventLoop
        do {
            client = try RESTClient(options: options)
            loop = try EventLoop()
        } catch {
            throw DaemonExit(.bug, "The client cannot be made: \(error).")
        }
        defer { client.stop() }
        let answer = Answer<Value>()
        Task.detached(executorPreference: loop) {
            answer.set(await Self.result { () async throws(DaemonExit) in try await body(client, loop) })
            loop.stop()
        }
        loop.run()
        return try answer.take().get()
    }

    private static func result<Value>(_ body: () async throws(DaemonExit) -> Value) async -> Result<Value, DaemonExit> {
        do throws(DaemonExit) { return .success(try await body()) } catch { return .failure(error) }
    }

    /// What a task leaves for the thread that waits for it.
    private final class Answer<Value: Sendable>: Sendable {
        private let result = Mutex<Result<Value, DaemonExit>?>(nil)
        func set(_ result: Result<Value, DaemonExit>) { self.result.withLock { $0 = result } }
        func take() -> Result<Value, DaemonExit> { self.result.withLock { $0! } }
    }
}
