import Glibc
import Logging
import Shared
import Synchronization
import Testing

@testable import DaemonKit

/// A `FrameClient` on a thread of its own, and what it tells its daemon.
private final class TestClient: @unchecked Sendable {
    private let thread: LoopThread
    // Loop only, below.
    private let client: FrameClient
    private(set) var instances: [String] = []
    private(set) var frames: [String] = []
    private(set) var reasons: [String] = []

    init(_ path: String, timing: FrameTiming = .patient, reconnects: Bool = true) throws {
        self.thread = try LoopThread()
        self.client = FrameClient(
            loop: self.thread.loop, path: path, hello: Hello(daemon: "follower", version: "1", instance: "1", pid: 1),
            reconnects: reconnects, timing: timing, seed: 1,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        self.thread.loop.execute {
            self.client.onConnected = { [unowned self] in
                self.instances.append($0.instance)
                self.client.send(Subscribe(id: Int64(self.instances.count), markets: .all))
            }
            self.client.onFrame = { [unowned self] in self.frames.append($0.type) }
            self.client.onDisconnected = { [unowned self] in self.reasons.append($0) }
            self.client.start()
        }
    }

    func call<Value: Sendable>(_ body: @escaping @Sendable (TestClient) -> Value) async throws -> Value {
        try await self.thread.call { _ in body(self) }
    }

    func eventually(_ condition: @escaping @Sendable (TestClient) -> Bool) async throws -> Bool {
        try await DaemonKitTests.eventually { try await self.call(condition) }
    }

    var isConnected: Bool { self.client.isConnected }

    func stop() async throws { try await self.call { $0.client.stop() } }
}

/// A server that says to each connection what it is told to, and then waits for its end. It may block: on a thread.
private final class ScriptedServer: Sendable {
    let directory: DaemonTestDirectory
    let path: String
    private let listener: UnixListener
    private let thread: WorkerThread
    private let accepted = Tally()
    /// Connections so far.
    var connectionCount: Int { self.accepted.count.load(ordering: .relaxed) }

    private final class Tally: Sendable { let count = Atomic(0) }

    /// - Parameter script: what is sent to the first connection, the second, and so on; the last goes on for ever.
    init(_ script: [[UInt8]]) throws {
        self.directory = try DaemonTestDirectory()
        self.path = self.directory.path("test.sock")
        let listener = try UnixListener.bind(self.path, mode: 0o600)
        self.listener = listener
        let flags = fcntl(listener.descriptor, F_GETFL)
        _ = fcntl(listener.descriptor, F_SETFL, flags & ~O_NONBLOCK)
        let accepted = self.accepted
        self.thread = try WorkerThread {
            var index = 0
            while case let descriptor = accept(listener.descriptor, nil, nil), descriptor >= 0 {
                accepted.count.add(1, ordering: .relaxed)
                let probe = FrameProbe(owning: descriptor)
                let words = script[min(index, script.count - 1)]
                index += 1
                probe.send(words)
                // A refusal ends at once, as the real one does; otherwise the client decides when.
                if Self.isRefusal(words) { continue }
                // Whoever waits for it may be kept waiting by other tests.
                for _ in 0..<12 where (try? probe.isEnded()) != true {}
            }
        }
    }

    private static func isRefusal(_ words: [UInt8]) -> Bool {
        String(decoding: words, as: UTF8.self).contains(#""type":"error""#)
    }

    deinit {
        shutdown(self.listener.descriptor, Int32(SHUT_RDWR))
        self.thread.join()
        self.listener.stop()
    }
}

struct FrameClientTests {
    private static func frames(_ bodies: [any FrameBody], from first: Int64 = 1) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, body) in bodies.enumerated() {
            func write(_ body: some FrameBody) {
                EncodedFrame(body, sentTime: .now()).write(sequence: first + Int64(index), to: &bytes)
            }
            write(body)
        }
        return bytes
    }

    private static let hello = Hello(daemon: "scripted", version: "1", instance: "7", pid: 1)

    @Test func itSaysHelloSubscribesAndIsToldEverything() async throws {
        let server = try TestServer()
        try await server.call { $0.markets[1] = ProtocolMarket(1) }
        let client = try TestClient(server.path)
        #expect(try await client.eventually { $0.frames.count >= 3 })
        #expect(try await client.call { Array($0.frames.prefix(3)) } == ["result", "market", "book"])
        #expect(try await client.call { $0.isConnected })
        try await client.stop()
        #expect(try await eventually { try await server.call { $0.goneCount } == 1 })
        try await server.stop()
    }

    @Test func itAnswersPingsAndSoIsHeardOf() async throws {
        var timing = FrameTiming.patient
        timing.pingInterval = .milliseconds(20)
        let server = try TestServer(timing: timing)
        let client = try TestClient(server.path)
        // It subscribes at once and says nothing after that, but for its answers.
        let heard = try await eventually {
            try await server.call { server in
                server.server.peers.values.contains { $0.lastHeard - $0.connectedAt > .milliseconds(400) }
            }
        }
        #expect(heard)
        #expect(try await server.call { $0.received } == ["subscribe"])
        try await client.stop()
        try await server.stop()
    }

    @Test func itWaitsForAServerThatIsNotThereYetAndSaysSoOnce() async throws {
        let directory = try DaemonTestDirectory()
        let client = try TestClient(directory.path("test.sock"))
        #expect(try await client.eventually { $0.reasons.count == 1 })
        let server = try TestServer(in: directory)
        #expect(try await client.eventually { $0.isConnected })
        let reasons = try await client.call { $0.reasons }
        #expect(reasons.count == 1 && reasons[0].contains("No such file"), "\(reasons)")
        try await client.stop()
        try await server.stop()
    }

    @Test func itComesBackAfterARestartAndSubscribesAnew() async throws {
        let directory = try DaemonTestDirectory()
        var server = try TestServer(in: directory)
        let client = try TestClient(server.path)
        for round in 1...3 {
            #expect(try await client.eventually { $0.instances.count == round && $0.isConnected })
            let running = server
            #expect(try await eventually { try await running.call { $0.received } == ["subscribe"] })
            try await server.stop()
            #expect(try await client.eventually { !$0.isConnected })
            if round < 3 { server = try TestServer(in: directory) }
        }
        #expect(try await client.call { Set($0.instances).count } == 3)
        try await client.stop()
    }

    @Test func itComesBackAfterAServerThatWasKilled() async throws {
        let directory = try DaemonTestDirectory()
        // A dead socket file first: refused, not missing.
        let dead = try UnixListener.bind(directory.path("test.sock"), mode: 0o600)
        close(dead.descriptor)
        let client = try TestClient(directory.path("test.sock"))
        #expect(try await client.eventually { $0.reasons.count == 1 })
        let server = try TestServer(in: directory)
        #expect(try await client.eventually { $0.isConnected })
        try await client.stop()
        try await server.stop()
    }

    @Test func aRefusalIsHeardAndTriedAgain() async throws {
        let refusal = Self.frames([ErrorBody(code: .tooMany, message: "256 connections are open")])
        let server = try ScriptedServer([refusal, refusal, Self.frames([Self.hello])])
        let client = try TestClient(server.path)
        #expect(try await client.eventually { $0.isConnected })
        #expect(try await client.call { $0.frames } == ["error", "error"])
        #expect(server.connectionCount == 3)
        try await client.stop()
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let reason: String
        var testDescription: String { self.name }
    }

    static let mistakes = [
        Mistake(name: "no hello first", bytes: frames([Ping(id: 1)]), reason: "not hello"),
        Mistake(name: "a gap in seq", bytes: frames([hello]) + frames([Ping(id: 1)], from: 3), reason: "seq 3"),
        Mistake(name: "a length of 0", bytes: frames([hello]) + [0, 0, 0, 0], reason: "0 bytes"),
        Mistake(name: "a length of 2 GiB", bytes: frames([hello]) + [0x80, 0, 0, 0], reason: "2147483648 bytes"),
        Mistake(name: "no JSON", bytes: frames([hello]) + [0, 0, 0, 1, 0x7B], reason: "not the JSON"),
        Mistake(
            name: "version 2",
            bytes: [0, 0, 0, 54] + Array(#"{"v":2,"seq":1,"type":"hello","sent_time":0,"body":{}}"#.utf8),
            reason: "version 2"),
    ]

    @Test(arguments: mistakes)
    func aServerThatMakesAMistakeIsLeftAndTriedAgain(mistake: Mistake) async throws {
        let server = try ScriptedServer([mistake.bytes, Self.frames([Self.hello])])
        let client = try TestClient(server.path)
        #expect(try await client.eventually { $0.isConnected && !$0.reasons.isEmpty })
        let reasons = try await client.call { $0.reasons }
        #expect(reasons.count == 1 && reasons[0].contains(mistake.reason), "\(reasons)")
        #expect(server.connectionCount == 2)
        try await client.stop()
    }

    @Test func aServerThatFallsSilentIsLeftAndTriedAgain() async throws {
        // It says hello and nothing else, for ever.
        let server = try ScriptedServer([Self.frames([Self.hello])])
        let client = try TestClient(server.path, timing: .quick)
        #expect(try await client.eventually { $0.instances.count >= 2 })
        #expect(try await client.call { $0.reasons.first?.contains("nothing was heard for 250 ms") } == true)
        try await client.stop()
    }

    @Test func withoutReconnectingTheEndIsTheEnd() async throws {
        let server = try TestServer()
        let client = try TestClient(server.path, reconnects: false)
        #expect(try await client.eventually { $0.isConnected })
        try await server.stop()
        #expect(try await client.eventually { $0.reasons == ["the server closed the connection"] })
        #expect(try await client.call { !$0.isConnected })
        try await client.stop()
    }

    @Test func aStoppedClientStaysAway() async throws {
        let directory = try DaemonTestDirectory()
        let client = try TestClient(directory.path("test.sock"))
        #expect(try await client.eventually { $0.reasons.count == 1 })
        try await client.stop()
        let server = try TestServer(in: directory)
        // Longer than the longest wait between two attempts at this point would be.
        let start = ContinuousClock.now
        #expect(try await client.eventually { _ in ContinuousClock.now - start > .milliseconds(300) })
        #expect(try await server.call { $0.credentials.isEmpty })
        try await server.stop()
    }
}
