import Logging
import Shared
import Synchronization
import Testing

@testable import DaemonKit

/// Keeps what is logged.
private struct KeepingLogHandler: LogHandler {
    final class Lines: Sendable {
        private let lines = Mutex<[(message: String, facts: [String: String])]>([])

        func append(_ message: String, _ facts: [String: String]) {
            self.lines.withLock { $0.append((message, facts)) }
        }

        /// The facts of all lines with that sentence.
        func said(_ message: String) -> [[String: String]] {
            self.lines.withLock { $0.filter { $0.message == message }.map(\.facts) }
        }
    }

    let lines: Lines
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        self.lines.append(event.message.description, (event.metadata ?? [:]).mapValues(\.description))
    }

    static func logger(_ level: Logger.Level) -> (logger: Logger, lines: Lines) {
        let lines = Lines()
        return (Logger(label: "test") { _ in KeepingLogHandler(lines: lines, logLevel: level) }, lines)
    }
}

/// A client that subscribes, on a thread of its own.
private final class TracingClient: @unchecked Sendable {
    private let thread: LoopThread
    private let client: FrameClient

    init(_ path: String, logger: Logger) throws {
        self.thread = try LoopThread()
        self.client = FrameClient(
            loop: self.thread.loop, path: path, hello: Hello(daemon: "follower", version: "1", instance: "1", pid: 1),
            reconnects: false, timing: .patient, seed: 1, logger: logger)
        self.thread.loop.execute {
            self.client.onConnected = { [unowned self] _ in self.client.send(Subscribe(id: 1, markets: .all)) }
            self.client.start()
        }
    }

    func stop() async throws { try await self.thread.call { _ in self.client.stop() } }
}

/// What both ends of a socket tell at trace.
@Suite struct FrameTraceTests {
    /// Type, number and length of each frame.
    private static func frames(_ facts: [[String: String]]) -> [String] {
        facts.map { "\($0["seq"] ?? "") \($0["type"] ?? "") \($0["bytes"] ?? "")" }
    }

    @Test func everyFrameIsToldOnceAtBothEnds() async throws {
        let (serverLogger, served) = KeepingLogHandler.logger(.trace)
        let (clientLogger, followed) = KeepingLogHandler.logger(.trace)
        let server = try TestServer(logger: serverLogger)
        try await server.call { $0.markets[1] = ProtocolMarket(1) }
        let client = try TracingClient(server.path, logger: clientLogger)
        #expect(await DaemonTest.eventually { followed.said("Frame received").contains { $0["type"] == "book" } })
        // More than the kernel takes at once: what waits is told when its turn comes, and not again.
        for _ in 0..<4 {
            try await server.call { server in for _ in 0..<400 { server.change(1, levels: 40) } }
        }
        #expect(await DaemonTest.eventually { followed.said("Frame received").count > 400 })
        #expect(await DaemonTest.eventually { served.said("Frame received").count >= 2 })
        try await client.stop()
        try await server.stop()

        let sent = served.said("Frame sent")
        #expect(sent.compactMap { $0["seq"].flatMap { Int($0) } } == Array(1...sent.count))
        // A ping comes whenever its time has come, on a slow machine between any two.
        let told = sent.filter { $0["type"] != "ping" && $0["type"] != "pong" }
        #expect(told.prefix(4).map { $0["type"] } == ["hello", "result", "market", "book"])
        #expect(sent.allSatisfy { $0["peer"] == "1" })
        let asked = followed.said("Frame sent")
        #expect(asked.filter { $0["type"] != "pong" }.prefix(2).map { $0["type"] } == ["hello", "subscribe"])
        #expect(asked.allSatisfy { $0["socket"] == server.path })
        // What was under way at the end, a ping or a pong, never arrived.
        let received = Self.frames(followed.said("Frame received"))
        #expect(Self.frames(sent).prefix(received.count) == received[...])
        let answered = Self.frames(served.said("Frame received"))
        #expect(Self.frames(asked).prefix(answered.count) == answered[...])

        let market = try #require(sent.first { $0["type"] == "market" })
        #expect(market["body"]?.hasPrefix(#"{"n":1,"market":"0x"#) == true)
        // Cut where it is long; its length is told nevertheless.
        let delta = try #require(sent.last { $0["type"] == "delta" })
        #expect(try #require(delta["bytes"].flatMap { Int($0) }) > 600)
        #expect(delta["body"]?.utf8.count == Logger.MetadataValue.tracedByteCountMax + "…".utf8.count)
    }

    @Test func nonsenseIsToldAsItCame() async throws {
        let (logger, lines) = KeepingLogHandler.logger(.trace)
        let server = try TestServer(logger: logger)
        let path = server.path
        try await onThread {
            let probe = try FrameProbe(path)
            probe.send(text: "{nonsense\u{1}")
            #expect(try probe.isEnded())
        }
        let received = lines.said("Frame received")
        #expect(received == [["peer": "1", "type": "", "seq": "0", "bytes": "10", "body": "{nonsense\u{1}"]])
        #expect(lines.said("Frame sent").map { $0["type"] } == ["hello", "error"])
        try await server.stop()
    }

    @Test func aboveTraceNothingIsToldOfFrames() async throws {
        let (logger, lines) = KeepingLogHandler.logger(.debug)
        let server = try TestServer(logger: logger)
        let client = try TracingClient(server.path, logger: logger)
        #expect(await DaemonTest.eventually { !lines.said("Connected to a daemon").isEmpty })
        #expect(try await eventually { try await server.call { $0.received.contains("subscribe") } })
        try await client.stop()
        try await server.stop()
        #expect(lines.said("Frame sent").isEmpty && lines.said("Frame received").isEmpty)
    }
}
