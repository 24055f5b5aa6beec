import CLinux
import Glibc
import Logging
import Shared

@testable import DaemonKit

extension FrameTiming {
    /// For stories that are not about time: nobody is called silent on a busy machine.
    static var patient: FrameTiming {
        var timing = FrameTiming()
        timing.silenceMax = .seconds(120)
        return timing
    }

    /// The contract's times, divided by twenty.
    static var quick: FrameTiming {
        var timing = FrameTiming()
        timing.pingInterval = .milliseconds(50)
        timing.silenceMax = .milliseconds(250)
        timing.lingerMax = .milliseconds(50)
        return timing
    }
}

/// A `FrameServer` on a thread of its own. It publishes made-up markets to whoever subscribes.
final class TestServer: @unchecked Sendable {
    let directory: DaemonTestDirectory
    let path: String
    private let thread: LoopThread

    // Loop only, below.
    private(set) var server: FrameServer
    var markets: [Int64: ProtocolMarket] = [:]
    var random = SeededRandom(seed: 5)
    /// Types of the frames that reached the daemon.
    private(set) var received: [String] = []
    private(set) var goneCount = 0
    private(set) var credentials: [PeerCredentials] = []

    /// - Parameter mode: of the socket's file, where it is not to be what `access` demands.
    init(
        timing: FrameTiming = .patient, access: Access = .sameUser, mode: UInt32? = nil,
        in directory: DaemonTestDirectory? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws {
        self.directory = try directory ?? DaemonTestDirectory()
        self.path = self.directory.path("test.sock")
        self.thread = try LoopThread()
        let hello = Hello(daemon: "testd", version: "1", instance: "\(UInt64.random(in: .min ... .max))", pid: 1)
        // Made before anything runs on the loop, and touched on it alone afterwards.
        let listener = try UnixListener.bind(self.path, mode: mode ?? access.socketMode)
        self.server = FrameServer(
            loop: self.thread.loop, listener: listener, access: access, hello: hello, timing: timing,
            logger: logger)
        self.thread.loop.execute { self.start() }
    }

    private func start() {
        self.server.onHello = { [unowned self] in self.credentials.append($0.credentials) }
        self.server.onGone = { [unowned self] _ in self.goneCount += 1 }
        self.server.onSnapshotWanted = { [unowned self] n, conflated in self.markets[n]?.bookBody(conflated: conflated)
        }
        self.server.onFrame = { [unowned self] peer, envelope in
            self.received.append(envelope.type)
            guard envelope.type == FrameType.subscribe.rawValue else { return }
            guard let subscription: Subscribe = try? envelope.decode() else {
                return self.server.end(peer, .badRequest, "subscribe cannot be read")
            }
            peer.isSubscribed = true
            peer.interest = .all
            if let id = subscription.id { self.server.send(ResultBody(id: id, .ok(nil)), to: peer) }
            for market in self.markets.values.sorted(by: { $0.n < $1.n }) {
                self.server.send(market.marketBody, to: peer, as: .opening)
                self.server.sendSnapshot(of: market.n, to: peer)
            }
        }
        do { try self.server.start() } catch { preconditionFailure("\(error)") }
    }

    /// Calls `body` on the loop.
    func call<Value: Sendable>(_ body: @escaping @Sendable (TestServer) throws -> Value) async throws -> Value {
        try await self.thread.call { _ in try body(self) }
    }

    /// Changes `levels` levels of market `n` and publishes it.
    func change(_ n: Int64, levels: Int) {
        let delta = self.markets[n]!.change(levels, using: &self.random)
        self.server.publish(delta, market: n, as: .book(n: n))
    }

    /// Ends all connections and removes the socket. To be called at the end of each test.
    func stop() async throws {
        try await self.call { $0.server.stop() }
    }
}

/// The other end of a Unix socket, without any of our manners. Its calls block: use it on a thread.
final class FrameProbe {
    let descriptor: Int32
    private var decoder = FrameDecoder()
    private var sequence: Int64 = 0

    struct Frame {
        let sequence: Int64
        let type: String
        let body: JSONValue
    }

    init(_ path: String) throws(SystemError) {
        // Blocking, so that a full backlog is waited for.
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0 else { throw SystemError("socket") }
        guard UnixSocket.withAddress(path, { Glibc.connect(self.descriptor, $0, $1) }) == 0 else {
            // The end of a half-made client closes the descriptor: twice would be somebody else's.
            throw SystemError("connect")
        }
        self.limitWaiting()
    }

    /// A second descriptor of this connection, for another thread to go on with. It is the caller's.
    func duplicate() -> Int32 { fcntl(self.descriptor, F_DUPFD_CLOEXEC, 0) }

    /// Takes over the reading of a connection that was made before.
    init(owning descriptor: Int32) {
        self.descriptor = descriptor
        self.limitWaiting()
    }

    /// No test may hang.
    private func limitWaiting() {
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(self.descriptor) }

    func send(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { UnixSocket.send(self.descriptor, $0) }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Sends text as a frame of the right length.
    func send(text: String) {
        let length = UInt32(text.utf8.count)
        self.send([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + Array(text.utf8))
    }

    func send(_ body: some FrameBody) {
        self.sequence += 1
        var bytes: [UInt8] = []
        EncodedFrame(body, sentTime: .now()).write(sequence: self.sequence, to: &bytes)
        self.send(bytes)
    }

    func hello() { self.send(Hello(daemon: "probe", version: "1", instance: "1", pid: Int64(getpid()))) }

    /// The next frame; `nil` when the connection has ended, or after 30 s.
    func next() throws -> Frame? {
        while true {
            let frame = try self.decoder.next { (bytes) throws(FrameError) -> Frame in
                let envelope = try Envelope(reading: bytes)
                return Frame(sequence: envelope.sequence, type: envelope.type, body: try Command(envelope).body)
            }
            if let frame { return frame }
            let count = self.decoder.receive { recv(self.descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return nil }
        }
    }

    /// The next frame of that type; pings are answered on the way.
    func next(_ type: FrameType) throws -> Frame? {
        while let frame = try self.next() {
            if frame.type == type.rawValue { return frame }
            if frame.type == FrameType.ping.rawValue { self.send(Pong(id: frame.body["id"]?.integer ?? 0)) }
        }
        return nil
    }

    /// Whether the server ends the connection now, whatever it still says.
    func isEnded() throws -> Bool {
        while try self.next() != nil {}
        var byte: UInt8 = 0
        let count = recv(self.descriptor, &byte, 1, 0)
        return count == 0 || errno == ECONNRESET
    }
}

/// Runs `body`, which may block, on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await Result<Value, any Error>.onThread(body).get()
}
