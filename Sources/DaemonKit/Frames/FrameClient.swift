import Glibc
public import Logging
public import Shared

/// Follows another daemon's socket: connects, says hello, answers pings, and begins anew whenever the line is lost.
/// Confined to its loop.
public final class FrameClient {
    /// Requests that may wait to be sent, in bytes.
    static let outputByteCountMax = 1 << 20
    /// Reads in one round.
    private static let readCountMax = 16

    /// Called with the server's `hello`. Subscribe here.
    public var onConnected: (Hello) -> Void = { _ in }
    /// Called with every frame but `hello` and `ping`. The envelope's body is valid during the call only.
    public var onFrame: (Envelope) -> Void = { _ in }
    /// Called once for each lost or refused connection, with what went wrong.
    public var onDisconnected: (String) -> Void = { _ in }

    /// Whether the server's `hello` has arrived on the present connection.
    public private(set) var isConnected = false
    /// Frames received on all connections.
    public private(set) var frameCount: Int64 = 0

    private enum State {
        /// Next: `open` when the socket answers, `waiting` when it does not, `stopped`.
        case idle
        /// Next: `waiting` when the line is lost or silent, `stopped`.
        case open(Int32)
        /// Next: `open` or `waiting` when the timer fires, `stopped`.
        case waiting
        case stopped
    }

    private let loop: EventLoop
    public let path: String
    private let hello: Hello
    private let logger: Logger
    private let trace: FrameTrace
    private let reconnects: Bool
    private let timing: FrameTiming
    private var state = State.idle
    private var backoff = Backoff(first: .milliseconds(50), longest: .seconds(1))
    private var random: SeededRandom
    private var decoder = FrameDecoder()
    private var sentSequence: Int64 = 0
    private var receivedSequence: Int64 = 0
    private var output: [UInt8] = []
    private var isWaitingForRoom = false
    private var isFlushPending = false
    private var lastHeard = Instant.now()
    private var timer: EventLoop.TimerID?
    private var wasReported = false

    /// - Parameter reconnects: whether a lost connection is made anew; otherwise it ends there.
    public init(
        loop: EventLoop, path: String, hello: Hello, reconnects: Bool = true, timing: FrameTiming = FrameTiming(),
        seed: UInt64, logger: Logger
    ) {
        self.loop = loop
        self.path = path
        self.hello = hello
        self.reconnects = reconnects
        self.timing = timing
        self.random = SeededRandom(seed: seed)
        self.logger = logger
        self.trace = FrameTrace(logger)
    }

    public func start() {
        self.connect()
        self.scheduleLifeCheck()
    }

    public func stop() {
        if let timer = self.timer { self.loop.cancel(timer) }
        if case .open(let descriptor) = self.state {
            self.flush()
            self.loop.unwatch(descriptor)
            close(descriptor)
        }
        self.isConnected = false
        self.state = .stopped
    }

    /// Queues a request. Without a connection nothing is sent: everything is asked anew in `onConnected`.
    public func send<Body: FrameBody>(_ body: Body) {
        guard case .open = self.state else { return }
        self.append(EncodedFrame(body, sentTime: .now()))
    }

    /// As `send(_:)`, for a request that this version has no body type for.
    public func send(type: FrameType, body: JSONValue) {
        guard case .open = self.state else { return }
        self.append(EncodedFrame(type: type, body: body, sentTime: .now()))
    }

    private func append(_ frame: EncodedFrame) {
        guard self.output.count < Self.outputByteCountMax else {
            self.lost("the server does not read what it is sent")
            return
        }
        self.sentSequence += 1
        let start = self.output.count
        frame.write(sequence: self.sentSequence, to: &self.output)
        if self.trace.isOn { self.trace.sent(self.output[start...], on: ["socket": "\(self.path)"]) }
        guard !self.isFlushPending else { return }
        self.isFlushPending = true
        self.loop.deferToEndOfRound { [weak self] in
            self?.isFlushPending = false
            self?.flush()
        }
    }

    private func flush() {
        guard case .open(let descriptor) = self.state else { return }
        while !self.output.isEmpty {
            let count = self.output.withUnsafeBytes { UnixSocket.send(descriptor, $0) }
            if count >= 0 {
                self.output.removeFirst(count)
            } else if errno == EAGAIN {
                self.waitForRoom(descriptor, true)
                return
            } else if errno != EINTR {
                let error = SystemError("send")
                // Who refuses us has closed the line already; why stands in what can still be read.
                self.output.removeAll()
                self.read()
                self.lost("\(error)")
                return
            }
        }
        self.waitForRoom(descriptor, false)
    }

    private func waitForRoom(_ descriptor: Int32, _ waits: Bool) {
        guard waits != self.isWaitingForRoom else { return }
        self.isWaitingForRoom = waits
        self.loop.change(descriptor, to: waits ? [.read, .write] : .read)
    }

    // MARK: The line

    private func connect() {
        guard let descriptor = UnixSocket.connect(self.path) else {
            self.waitAndReconnect("\(SystemError("connect"))")
            return
        }
        self.decoder = FrameDecoder()
        self.sentSequence = 0
        self.receivedSequence = 0
        self.output.removeAll(keepingCapacity: true)
        self.isWaitingForRoom = false
        self.lastHeard = .now()
        do {
            try self.loop.watch(descriptor, for: .read) { [weak self] readiness in
                guard let self else { return }
                if readiness.contains(.write) { self.flush() }
                if readiness.contains(.read) || !readiness.isDisjoint(with: .hangup) { self.read() }
            }
        } catch {
            close(descriptor)
            self.waitAndReconnect("\(error)")
            return
        }
        self.state = .open(descriptor)
        self.send(self.hello)
    }

    private func lost(_ reason: String) {
        guard case .open(let descriptor) = self.state else { return }
        self.loop.unwatch(descriptor)
        close(descriptor)
        self.isConnected = false
        self.wasReported = false
        self.waitAndReconnect(reason)
    }

    private func waitAndReconnect(_ reason: String) {
        self.state = self.reconnects ? .waiting : .stopped
        if !self.wasReported {
            self.wasReported = true
            self.logger.info("Not connected to a daemon", metadata: ["socket": "\(self.path)", "reason": "\(reason)"])
            self.onDisconnected(reason)
        }
        guard case .waiting = self.state else { return }
        self.loop.after(self.backoff.next(using: &self.random)) { [weak self] in
            guard let self, case .waiting = self.state else { return }
            self.connect()
        }
    }

    private func read() {
        for _ in 0..<Self.readCountMax {
            guard case .open(let descriptor) = self.state else { return }
            let count = self.decoder.receive { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count == 0 {
                self.lost("the server closed the connection")
                return
            }
            guard count > 0 else {
                if errno != EAGAIN && errno != EINTR { self.lost("\(SystemError("recv"))") }
                return
            }
            self.lastHeard = .now()
            self.takeFrames()
            if count < FrameDecoder.readByteCount { return }
        }
    }

    private func takeFrames() {
        do throws(FrameError) {
            while case .open = self.state {
                let isWhole = try self.decoder.next { (frame) throws(FrameError) in
                    if self.trace.isOn { self.trace.received(frame, on: ["socket": "\(self.path)"]) }
                    try self.take(Envelope(reading: frame))
                    return true
                }
                guard isWhole == true else { return }
            }
        } catch {
            self.lost("\(error)")
        }
    }

    private func take(_ envelope: Envelope) throws(FrameError) {
        self.receivedSequence += 1
        self.frameCount += 1
        guard envelope.sequence == self.receivedSequence else {
            self.lost("frame \(self.receivedSequence) came with seq \(envelope.sequence)")
            return
        }
        let isRefusal = envelope.type == FrameType.error.rawValue
        guard self.isConnected || isRefusal || envelope.type == FrameType.hello.rawValue else {
            self.lost("the first frame was \(envelope.type), not hello")
            return
        }
        switch envelope.type {
        case FrameType.hello.rawValue where !self.isConnected:
            let hello = try envelope.decode(Hello.self)
            self.isConnected = true
            self.wasReported = false
            self.backoff.reset()
            self.logger.info(
                "Connected to a daemon", metadata: ["socket": "\(self.path)", "daemon": "\(hello.daemon)"])
            self.onConnected(hello)
        case FrameType.ping.rawValue: self.send(Pong(id: try envelope.decode(Ping.self).id))
        case FrameType.error.rawValue:
            let error = try envelope.decode(ErrorBody.self)
            self.logger.warning(
                "A daemon answered with an error",
                metadata: ["socket": "\(self.path)", "code": "\(error.code.rawValue)", "reason": "\(error.message)"])
            self.onFrame(envelope)
        default: self.onFrame(envelope)
        }
    }

    private func scheduleLifeCheck() {
        self.timer = self.loop.after(self.timing.pingInterval) { [weak self] in
            guard let self else { return }
            if case .open = self.state, Instant.now() - self.lastHeard > self.timing.silenceMax {
                self.lost("nothing was heard for \(self.timing.silenceMax.milliseconds) ms")
            }
            self.scheduleLifeCheck()
        }
    }
}
