import Shared

/// One WebSocket connection to a venue, on an event loop.
///
/// It belongs to the loop: created, used and called back there, never elsewhere. From `connect()` until its end it
/// keeps itself alive. It does not reconnect; whoever owns it decides that, and makes a new one.
///
/// Pings are answered by it. A closed connection is read until the peer ends it too, or for `closeTimeout`, so that
/// neither side's close frame is lost in a reset.
public final class WebSocketConnection {
    public struct Options {
        /// PEM file of the authorities to trust; nil for the system's.
        public var caFile: String?
        /// Proxy as libcurl writes it (`http://host:port`, `socks5h://…`); nil for the environment's, empty for none.
        public var proxy: String?
        /// Name, proxy, TCP and TLS together.
        public var connectTimeout: Duration = .seconds(10)
        /// From the upgrade request to the whole answer.
        public var handshakeTimeout: Duration = .seconds(10)
        /// How long a close waits for the peer's.
        public var closeTimeout: Duration = .seconds(2)
        public var userAgent = "polybot/0.1"
        /// Further headers of the upgrade request.
        public var headers: [WebSocketHandshake.Header] = []
        /// Whether the server may compress what it sends (permessage-deflate).
        public var offersDeflate = false
        /// Larger messages, counted as they are when inflated, end the connection with 1009.
        public var messageByteCountMax = WebSocketCodec.messageByteCountMaxDefault
        /// What may wait for a peer that does not read. Beyond it `send` refuses.
        public var sendQueueByteCountMax = 1 << 20

        public init() {}
    }

    private enum State {
        case idle
        /// Next: `handshaking`, or `closed` when it fails or its time is over.
        case connecting(CurlLineOpener)
        /// Next: `open`, or `closed` when the answer is wrong, the line breaks or its time is over.
        case handshaking(CurlLine, WebSocketHandshake)
        /// Next: `closing` by us, `draining` by the peer's close or its mistake, `closed` when the line breaks.
        case open(CurlLine)
        /// Our close is sent. Next: `draining` on the peer's, `closed` when the line ends or the time is over.
        case closing(CurlLine)
        /// Both closes are sent, the end is reported. Next: `closed` when the line ends or the time is over.
        case draining(CurlLine)
        case closed
    }

    /// Bytes read at a time.
    static let readByteCount = 64 << 10
    /// Bytes read before the loop's other descriptors get their turn.
    private static let bytesPerTurnMax = 512 << 10

    public let url: WebSocketURL
    /// What was agreed about compressed messages, once it is open.
    public private(set) var deflate: WebSocketDeflate?
    private let loop: EventLoop
    private let options: Options
    private var state = State.idle
    private var codec: WebSocketCodec
    private let buffer: UnsafeMutableRawBufferPointer
    private var random = SystemRandomNumberGenerator()
    /// Of the present state; every state that has one ends by it.
    private var deadline: EventLoop.TimerID?
    private var waitsForRoom = false

    /// The handshake is done.
    public var onOpen: (() -> Void)?
    /// A text message, valid UTF-8, in memory that is reused when the call returns.
    public var onText: ((UnsafeBufferPointer<UInt8>) -> Void)?
    /// A binary message, likewise.
    public var onBinary: ((UnsafeBufferPointer<UInt8>) -> Void)?
    /// The peer answered `ping()`.
    public var onPong: (() -> Void)?
    /// Called exactly once for every `connect()`; no other callback comes after it. It may come before `close()`,
    /// `abort()` or `send()` returns, never before `connect()` does.
    public var onClosed: ((CloseReason) -> Void)?

    public init(url: WebSocketURL, options: Options = Options(), loop: EventLoop) {
        self.url = url
        self.options = options
        self.loop = loop
        self.codec = WebSocketCodec(messageByteCountMax: options.messageByteCountMax)
        self.buffer = .allocate(byteCount: Self.readByteCount, alignment: 16)
    }

    deinit { self.buffer.deallocate() }

    public var isOpen: Bool {
        if case .open = self.state { true } else { false }
    }

    /// Nothing is left of it: the socket is closed. Later than `onClosed`, when both sides had to say goodbye.
    var isEnded: Bool {
        if case .closed = self.state { true } else { false }
    }

    // MARK: What the owner asks for

    /// Begins to connect. Once in the life of a connection.
    public func connect() {
        guard case .idle = self.state else { preconditionFailure("a connection connects once") }
        let opener = CurlLineOpener(url: self.url, options: self.options, loop: self.loop)
        self.state = .connecting(opener)
        self.setDeadline(self.options.connectTimeout) { $0.end(.timedOut(.connecting)) }
        do throws(SystemError) {
            try opener.start { outcome in
                switch outcome {
                case .opened(let line): self.lineOpened(line)
                case .failed(let reason): self.end(reason)
                }
            }
        } catch {
            let reason = CloseReason.connectFailed(error.description)
            self.setDeadline(.zero) { $0.end(reason) }
        }
    }

    /// Queues a text message and sends what the socket takes. False: not open or the queue is full; nothing was queued.
    @discardableResult
    public func send(text: some Collection<UInt8>) -> Bool { self.send(.text, text) }

    /// Likewise.
    @discardableResult
    public func send(text: String) -> Bool { self.send(.text, text.utf8) }

    /// Queues a binary message, likewise.
    @discardableResult
    public func send(binary: some Collection<UInt8>) -> Bool { self.send(.binary, binary) }

    /// Asks the peer for a sign of life; `onPong` brings it. False as for `send`.
    @discardableResult
    public func ping() -> Bool { self.send(.ping, []) }

    /// Ends the connection in good order: sends a close frame, then waits for the peer's. No text is delivered after it.
    ///
    /// - Parameter code: 1000 for "done", 1001 for "going away", 3000...4999 for reasons of one's own.
    public func close(code: UInt16 = 1000, reason: String = "") {
        precondition(WebSocketCodec.mayBeSent(code), "close code \(code) is never sent")
        switch self.state {
        case .idle, .closing, .draining, .closed: break
        case .connecting, .handshaking: self.end(.closedByUs)
        case .open(let line):
            self.state = .closing(line)
            self.setDeadline(self.options.closeTimeout) { $0.end(.closedByUs) }
            line.queue { WebSocketFrame.appendClose(code, reason: reason, maskingKey: self.random.next(), to: &$0) }
            self.flush(line)
        }
    }

    /// Ends the connection now, without a word to the peer: for a line that is believed dead.
    public func abort() { self.end(.closedByUs) }

    // MARK: The line

    private func lineOpened(_ line: CurlLine) {
        let key = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &self.random) }
        let handshake = WebSocketHandshake(
            url: self.url, key: key, userAgent: self.options.userAgent, headers: self.options.headers,
            offersDeflate: self.options.offersDeflate)
        self.state = .handshaking(line, handshake)
        self.setDeadline(self.options.handshakeTimeout) { $0.end(.timedOut(.handshake)) }
        do throws(SystemError) {
            try self.loop.watch(line.socket, for: .read) { self.lineIsReady($0) }
        } catch {
            return self.end(.connectFailed(error.description))
        }
        line.queue { $0 += handshake.request }
        self.flush(line)
    }

    private func lineIsReady(_ readiness: EventLoop.Readiness) {
        // Read first: the peer may have said why it ends, and a write to a line that it has reset would be the end.
        if !readiness.isDisjoint(with: [.read, .hangup]) { self.readTurn() }
        if readiness.contains(.write), let line = self.line { self.flush(line) }
    }

    private var line: CurlLine? {
        switch self.state {
        case .idle, .connecting, .closed: nil
        case .handshaking(let line, _), .open(let line), .closing(let line), .draining(let line): line
        }
    }

    private func flush(_ line: CurlLine) {
        switch line.flush() {
        case .allWritten: self.waitForRoom(false, line)
        case .wouldBlock: self.waitForRoom(true, line)
        case .failed(let detail): self.end(.connectionLost(detail))
        }
    }

    private func waitForRoom(_ waits: Bool, _ line: CurlLine) {
        guard waits != self.waitsForRoom else { return }
        self.waitsForRoom = waits
        self.loop.change(line.socket, to: waits ? [.read, .write] : .read)
    }

    private func send(_ opcode: WebSocketFrame.Opcode, _ payload: some Collection<UInt8>) -> Bool {
        guard case .open(let line) = self.state else { return false }
        let byteCount = line.queuedByteCount + payload.count + WebSocketFrame.headerByteCountMax
        guard byteCount <= self.options.sendQueueByteCountMax else { return false }
        line.queue { WebSocketFrame.append(opcode, payload, maskingKey: self.random.next(), to: &$0) }
        self.flush(line)
        return true
    }

    // MARK: Reading

    private func readTurn() {
        var byteCount = 0
        while byteCount < Self.bytesPerTurnMax {
            guard let line = self.line else { return }
            switch line.read(into: self.buffer) {
            case .bytes(let count):
                byteCount += count
                self.received(UnsafeBufferPointer(rebasing: self.buffer.bindMemory(to: UInt8.self)[..<count]))
                // A plain socket that gave less than asked for is empty, and the loop tells when it is not.
                if !line.isSecure && count < self.buffer.count { return }
            case .wouldBlock: return
            case .ended: return self.end(.connectionLost("the peer ended it without a close frame"))
            case .failed(let detail): return self.end(.connectionLost(detail))
            }
        }
        // Decrypted bytes may wait inside the TLS library, where the loop cannot see them.
        self.loop.after(.zero) { if self.line?.isSecure == true { self.readTurn() } }
    }

    private func received(_ bytes: UnsafeBufferPointer<UInt8>) {
        var bytes = bytes
        if case .handshaking(let line, var handshake) = self.state {
            do throws(WebSocketHandshakeError) {
                let taken = try handshake.receive(bytes, time: .now())
                self.state = .handshaking(line, handshake)
                guard let taken else { return }
                bytes = UnsafeBufferPointer(rebasing: bytes[taken...])
                self.deflate = handshake.deflate
                if let deflate = handshake.deflate { self.codec.accept(deflate) }
            } catch {
                switch error {
                case .rejected(let status, let pause):
                    return self.end(.handshakeRejected(status: status, retryAfter: pause))
                case .malformed(let detail): return self.end(.handshakeMalformed(detail))
                }
            }
            self.setDeadline(nil)
            self.state = .open(line)
            self.onOpen?()
        }
        do throws(WebSocketProtocolError) {
            while self.isReading, let event = try self.codec.next(&bytes) { self.handle(event) }
        } catch {
            self.protocolFailed(error)
        }
    }

    private var isReading: Bool {
        switch self.state {
        case .open, .closing: true
        case .idle, .connecting, .handshaking, .draining, .closed: false
        }
    }

    private func handle(_ event: WebSocketCodec.Event) {
        guard self.isOpen else {
            // What crosses our close on the way is no longer wanted.
            if case .close = event { self.drain(.closedByUs) }
            return
        }
        switch event {
        case .text(let bytes): self.onText?(bytes)
        case .binary(let bytes): self.onBinary?(bytes)
        // When the peer pings but does not read, a pong is dropped: RFC 6455, 5.5.3, wants the last one answered.
        case .ping(let bytes): _ = self.send(.pong, bytes)
        case .pong: self.onPong?()
        case .close(let code, let reason): self.drain(.closedByPeer(code: code, reason: reason), answer: .some(code))
        }
    }

    private func protocolFailed(_ error: WebSocketProtocolError) {
        if self.isOpen {
            self.drain(.protocolError(code: error.code, detail: error.detail), answer: error.code, saying: error.detail)
        } else {
            self.drain(.closedByUs)
        }
    }

    // MARK: Ends

    /// - Parameter answer: a close frame to send, with this code or with none.
    private func drain(_ reason: CloseReason, answer: UInt16?? = nil, saying text: String = "") {
        guard let line = self.line else { return }
        self.state = .draining(line)
        self.setDeadline(self.options.closeTimeout) { $0.end(.closedByUs) }
        if let code = answer {
            line.queue { WebSocketFrame.appendClose(code, reason: text, maskingKey: self.random.next(), to: &$0) }
        }
        // Before the answer is sent: that fails when the peer has reset the line behind its close frame.
        self.report(reason)
        if case .draining(let line) = self.state, answer != nil { self.flush(line) }
    }

    /// Lets the line go. Reports `reason`, unless an end was reported already.
    private func end(_ reason: CloseReason) {
        switch self.state {
        case .idle, .closed: return
        case .connecting(let opener): opener.giveUp()
        case .handshaking(let line, _), .open(let line), .closing(let line), .draining(let line):
            self.loop.unwatch(line.socket)
        }
        self.setDeadline(nil)
        let wasClosing = if case .closing = self.state { true } else { false }
        self.state = .closed
        self.report(wasClosing ? .closedByUs : reason)
    }

    private func report(_ reason: CloseReason) {
        let onClosed = self.onClosed
        // Whoever is called back usually owns this connection: the callbacks go, so that both can.
        self.onOpen = nil
        self.onText = nil
        self.onBinary = nil
        self.onPong = nil
        self.onClosed = nil
        onClosed?(reason)
    }

    private func setDeadline(_ timeout: Duration?, _ action: ((WebSocketConnection) -> Void)? = nil) {
        if let deadline = self.deadline { self.loop.cancel(deadline) }
        self.deadline = nil
        guard let timeout, let action else { return }
        self.deadline = self.loop.after(timeout) {
            self.deadline = nil
            action(self)
        }
    }
}
