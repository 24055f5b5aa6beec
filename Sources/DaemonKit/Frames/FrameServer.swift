import CLinux
import Glibc
public import Logging
public import Shared

/// Publishes frames on a Unix socket and takes requests. Confined to its loop; the publisher never waits for anyone.
public final class FrameServer {
    /// Pause in accepting when the process has no descriptor left.
    private static let acceptPause = Duration.milliseconds(100)
    /// The log tells of such pauses no more often than this.
    private static let acceptPauseLogInterval = Duration.seconds(10)
    /// Connections accepted in one round, so that a flood does not starve the feed.
    private static let acceptCountMax = 64
    /// Reads from one peer in one round.
    private static let readCountMax = 4

    /// Called with a peer that has said `hello`.
    public var onHello: (FramePeer) -> Void = { _ in }
    /// Called with every frame but `hello` and `pong`. The envelope's body is valid during the call only.
    public var onFrame: (FramePeer, Envelope) -> Void = { _, _ in }
    public var onGone: (FramePeer) -> Void = { _ in }
    /// Called each second while nobody who connects to the socket's path reaches this server; see `move(to:)`.
    public var onMisplaced: () -> Void = {}
    /// Asked for the book of market `n` when a subscriber is due one; `nil` when the market is gone.
    public var onSnapshotWanted: (_ n: Int64, _ conflated: Int64?) -> BookBody? = { _, _ in nil }

    public private(set) var peers: [Int: FramePeer] = [:]
    /// Since the start, by name.
    public private(set) var counters: [String: Int64] = [:]

    /// Whether more now could cost a subscriber something: whoever publishes without a clock waits until it is not so.
    public var isBehind: Bool { self.peers.values.contains { $0.isWaitingForRoom || $0.queue.isBehind } }

    private let loop: EventLoop
    private var listener: UnixListener
    private let access: Access
    private let hello: Hello
    private let timing: FrameTiming
    private let logger: Logger
    private let trace: FrameTrace
    private var peerCount = 0
    private var acceptPauseLoggedAt: Instant?
    private var writer = JSONWriter()
    /// What is published; used again each time, so that publishing allocates nothing while nobody's queue keeps it.
    private var frame = EncodedFrame()
    private var pingTimer: EventLoop.TimerID?
    private var isStopped = false

    public init(
        loop: EventLoop, listener: UnixListener, access: Access, hello: Hello, timing: FrameTiming = FrameTiming(),
        logger: Logger
    ) {
        self.loop = loop
        self.listener = listener
        self.access = access
        self.hello = hello
        self.timing = timing
        self.logger = logger
        self.trace = FrameTrace(logger)
    }

    public func start() throws(SystemError) {
        try self.loop.watch(self.listener.descriptor, for: .read) { [weak self] _ in self?.accept() }
        self.schedulePing()
    }

    /// Where the file of the present listener is, or was.
    var place: UnixListener.Place { self.listener.place }

    /// Accepts on another listener from now on. Connections stay.
    public func move(to listener: UnixListener) throws(SystemError) {
        self.loop.unwatch(self.listener.descriptor)
        self.listener.stop()
        self.listener = listener
        try self.loop.watch(listener.descriptor, for: .read) { [weak self] _ in self?.accept() }
    }

    /// Sends what is queued as far as the kernel takes it, ends all connections and removes the socket. Once; again does
    /// nothing.
    public func stop() {
        // A descriptor that was closed twice may have been somebody else's the second time.
        guard !self.isStopped else { return }
        self.isStopped = true
        if let timer = self.pingTimer { self.loop.cancel(timer) }
        self.loop.unwatch(self.listener.descriptor)
        self.listener.stop()
        for peer in self.sortedPeers {
            self.flush(peer)
            self.remove(peer)
        }
    }

    // MARK: Publishing

    /// Queues `body` for every peer that wants market `n`; for every subscriber when `n` is `nil`.
    public func publish<Body: FrameBody>(_ body: Body, market n: Int64? = nil, as frameClass: FrameClass = .precious) {
        self.publish(body, as: frameClass) { n.map($0.wants) ?? $0.isSubscribed }
    }

    /// Queues `body` for every peer that wants it.
    public func publish<Body: FrameBody>(_ body: Body, as frameClass: FrameClass, to wants: (FramePeer) -> Bool) {
        var isEncoded = false
        for peer in self.peers.values where peer.state == .open && wants(peer) {
            if !isEncoded { self.frame.encode(body, sentTime: .now(), writer: &self.writer) }
            isEncoded = true
            self.queue(self.frame, frameClass, for: peer)
        }
    }

    /// Queues `body` for one peer.
    public func send<Body: FrameBody>(_ body: Body, to peer: FramePeer, as frameClass: FrameClass = .precious) {
        guard peer.state == .open else { return }
        self.queue(EncodedFrame(body, sentTime: .now(), writer: &self.writer), frameClass, for: peer)
    }

    /// Puts a snapshot of market `n` in line for a peer; nothing of its book is sent before.
    public func sendSnapshot(of n: Int64, to peer: FramePeer) {
        guard peer.state == .open else { return }
        peer.queue.wantFirstSnapshot(n)
        self.scheduleFlush(peer)
    }

    /// Drops what waits of a market that the peer no longer wants.
    public func forget(_ n: Int64, for peer: FramePeer) { peer.queue.forget(n) }

    private func queue(_ frame: EncodedFrame, _ frameClass: FrameClass, for peer: FramePeer) {
        switch peer.queue.add(frame, frameClass) {
        case .queued: self.scheduleFlush(peer)
        case .overflow:
            self.end(peer, .slowConsumer, "\(OutputQueue.byteCountMax) bytes wait for you and may not be dropped")
        }
    }

    private func scheduleFlush(_ peer: FramePeer) {
        guard !peer.isFlushPending && !peer.isWaitingForRoom else { return }
        peer.isFlushPending = true
        self.loop.deferToEndOfRound(peer.flush)
    }

    private func flush(_ peer: FramePeer) {
        guard peer.state != .ended else { return }
        while true {
            if peer.queue.ready.count == peer.queue.sentCount {
                peer.queue.refill { n, conflated, lost in self.snapshot(n, conflated, lost) }
            }
            guard peer.queue.ready.count > peer.queue.sentCount else { break }
            if self.trace.isOn { self.traceSent(peer) }
            let count = peer.queue.ready.withUnsafeBytes {
                UnixSocket.send(peer.descriptor, UnsafeRawBufferPointer(rebasing: $0[peer.queue.sentCount...]))
            }
            if count >= 0 {
                peer.queue.sent(count)
                if peer.queue.ready.isEmpty { peer.tracedCount = 0 }
            } else if errno == EAGAIN {
                self.waitForRoom(peer, true)
                return
            } else if errno != EINTR {
                self.remove(peer)
                return
            }
        }
        self.waitForRoom(peer, false)
        if peer.state == .ending { shutdown(peer.descriptor, Int32(SHUT_WR)) }
    }

    private func traceSent(_ peer: FramePeer) {
        self.trace.sent(peer.queue.ready[peer.tracedCount...], on: ["peer": "\(peer.id)"])
        peer.tracedCount = peer.queue.ready.count
    }

    private func snapshot(_ n: Int64, _ conflated: Int64?, _ lost: OutputQueue.LostTrades?) -> [EncodedFrame] {
        var frames: [EncodedFrame] = []
        if let lost {
            let body = TradesDropped(n: n, count: lost.count, from: lost.from, to: lost.to)
            frames.append(EncodedFrame(body, sentTime: .now(), writer: &self.writer))
            self.count("trades_dropped", lost.count)
        }
        if conflated != nil { self.count("conflated") }
        if let book = self.onSnapshotWanted(n, conflated) {
            frames.append(EncodedFrame(book, sentTime: .now(), writer: &self.writer))
        }
        return frames
    }

    private func waitForRoom(_ peer: FramePeer, _ waits: Bool) {
        guard waits != peer.isWaitingForRoom else { return }
        peer.isWaitingForRoom = waits
        self.loop.change(peer.descriptor, to: waits ? [.read, .write] : .read)
    }

    // MARK: Connections

    private var sortedPeers: [FramePeer] { self.peers.values.sorted { $0.id < $1.id } }

    private func accept() {
        for _ in 0..<Self.acceptCountMax {
            let descriptor = clinux_accept(self.listener.descriptor)
            if descriptor < 0 {
                let code = errno
                if code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS { self.pauseAccepting(code) }
                return
            }
            self.welcome(descriptor)
        }
    }

    private func pauseAccepting(_ code: Int32) {
        self.count("accept_paused")
        let now = Instant.now()
        if self.acceptPauseLoggedAt.map({ now - $0 > Self.acceptPauseLogInterval }) ?? true {
            self.acceptPauseLoggedAt = now
            self.logger.warning(
                "Cannot accept connections for a moment", metadata: ["error": "\(SystemError("accept", code: code))"])
        }
        self.loop.change(self.listener.descriptor, to: [])
        self.loop.after(Self.acceptPause) { [weak self] in
            guard let self else { return }
            self.loop.change(self.listener.descriptor, to: .read)
        }
    }

    private func welcome(_ descriptor: Int32) {
        guard let credentials = self.access.credentials(of: descriptor) else {
            close(descriptor)
            return
        }
        guard credentials.mayRead else {
            self.count("refused")
            self.logger.warning(
                "Refused a connection of another user",
                metadata: ["uid": "\(credentials.uid)", "pid": "\(credentials.pid)"])
            Self.refuse(descriptor, .notAllowed, "this socket is for the user who runs the daemon")
            return
        }
        if let reason = FramePlaces.refusal(of: credentials, among: self.peers.values.lazy.map(\.credentials)) {
            if self.count("too_many") % 1_000 == 1 {
                self.logger.warning(
                    "Refused a connection, too many are open",
                    metadata: [
                        "open": "\(self.peers.count)", "uid": "\(credentials.uid)", "pid": "\(credentials.pid)",
                        "reason": "\(reason)",
                    ])
            }
            Self.refuse(descriptor, .tooMany, reason)
            return
        }
        self.peerCount += 1
        let peer = FramePeer(id: self.peerCount, descriptor: descriptor, credentials: credentials, now: .now())
        do {
            try self.loop.watch(descriptor, for: .read) { [weak self, weak peer] readiness in
                guard let self, let peer else { return }
                self.ready(peer, readiness)
            }
        } catch {
            self.logger.error("Cannot watch a connection", metadata: ["error": "\(error)"])
            close(descriptor)
            return
        }
        peer.flush = { [weak self, weak peer] in
            guard let self, let peer else { return }
            peer.isFlushPending = false
            self.flush(peer)
        }
        self.peers[peer.id] = peer
        self.send(self.hello, to: peer)
        self.logger.debug("Subscriber connected", metadata: ["peer": "\(peer.id)", "pid": "\(credentials.pid)"])
    }

    /// One `error` frame to somebody who never becomes a peer.
    private static func refuse(_ descriptor: Int32, _ code: ErrorCode, _ message: String) {
        var bytes: [UInt8] = []
        EncodedFrame(ErrorBody(code: code, message: message), sentTime: .now()).write(sequence: 1, to: &bytes)
        _ = bytes.withUnsafeBytes { UnixSocket.send(descriptor, $0) }
        close(descriptor)
    }

    private func ready(_ peer: FramePeer, _ readiness: EventLoop.Readiness) {
        if readiness.contains(.write) { self.flush(peer) }
        if readiness.contains(.read) || !readiness.isDisjoint(with: .hangup) { self.read(peer) }
    }

    private func read(_ peer: FramePeer) {
        for _ in 0..<Self.readCountMax {
            guard peer.state != .ended else { return }
            let count = peer.decoder.receive { recv(peer.descriptor, $0.baseAddress, $0.count, 0) }
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) {
                self.remove(peer)
                return
            }
            guard count > 0 else { return }
            peer.lastHeard = .now()
            let sequence = peer.receivedSequence
            if peer.state == .open { self.takeFrames(peer) }
            if peer.state != .open { peer.forgetReceived() }
            peer.notePartialFrame(hasAdvanced: peer.receivedSequence != sequence, now: peer.lastHeard)
            if count < FrameDecoder.readByteCount { return }
        }
    }

    private func takeFrames(_ peer: FramePeer) {
        do throws(FrameError) {
            var more = true
            while more && peer.state == .open {
                more =
                    try peer.decoder.next { (frame) throws(FrameError) -> Void in
                        if self.trace.isOn { self.trace.received(frame, on: ["peer": "\(peer.id)"]) }
                        try self.take(Envelope(reading: frame), from: peer)
                    } != nil
            }
        } catch {
            self.end(peer, error.code, error.description)
        }
    }

    private func take(_ envelope: Envelope, from peer: FramePeer) throws(FrameError) {
        peer.receivedSequence += 1
        guard envelope.sequence == peer.receivedSequence else {
            self.end(peer, .badRequest, "frame \(peer.receivedSequence) came with seq \(envelope.sequence)")
            return
        }
        guard peer.hello != nil else {
            guard envelope.type == FrameType.hello.rawValue else {
                self.end(peer, .badRequest, "the first frame must be hello, not \(envelope.type)")
                return
            }
            peer.hello = try envelope.decode(Hello.self)
            self.onHello(peer)
            return
        }
        guard envelope.type != FrameType.pong.rawValue else { return }
        self.onFrame(peer, envelope)
    }

    /// Says why, then ends the connection once that was read or could have been.
    public func end(_ peer: FramePeer, _ code: ErrorCode, _ message: String) {
        guard peer.state == .open else { return }
        let error = ErrorBody(code: code, message: message)
        self.count("ended_\(code.rawValue)")
        self.logger.warning(
            "Ended a subscriber's connection",
            metadata: [
                "peer": "\(peer.id)", "pid": "\(peer.credentials.pid)", "code": "\(code.rawValue)",
                "reason": "\(error.message)",
            ])
        // Its queue is given up, but for what was begun: the kernel may hold half a frame.
        peer.queue.endWith(EncodedFrame(error, sentTime: .now()))
        peer.state = .ending
        self.scheduleFlush(peer)
        self.loop.after(self.timing.lingerMax) { [weak self, weak peer] in
            if let self, let peer { self.remove(peer) }
        }
    }

    private func remove(_ peer: FramePeer) {
        guard peer.state != .ended else { return }
        peer.state = .ended
        self.loop.unwatch(peer.descriptor)
        close(peer.descriptor)
        self.peers[peer.id] = nil
        self.logger.debug("Subscriber gone", metadata: ["peer": "\(peer.id)"])
        self.onGone(peer)
    }

    @discardableResult
    private func count(_ name: String, _ amount: Int64 = 1) -> Int64 {
        self.counters[name, default: 0] += amount
        return self.counters[name]!
    }

    // MARK: Life

    private func schedulePing() {
        self.pingTimer = self.loop.after(self.timing.pingInterval) { [weak self] in
            guard let self else { return }
            self.ping()
            if !self.listener.isInPlace { self.onMisplaced() }
            self.schedulePing()
        }
    }

    private func ping() {
        let now = Instant.now()
        for peer in self.sortedPeers where peer.state == .open {
            // Bytes alone do not keep a place for somebody who never says hello, nor memory for a frame that never ends.
            let since = peer.hello == nil ? peer.connectedAt : min(peer.lastHeard, peer.partialSince ?? peer.lastHeard)
            if now - since > self.timing.silenceMax {
                self.count("silent")
                self.logger.warning(
                    "A subscriber went silent", metadata: ["peer": "\(peer.id)", "pid": "\(peer.credentials.pid)"])
                self.remove(peer)
                continue
            }
            peer.pingID += 1
            self.send(Ping(id: peer.pingID), to: peer, as: .status)
        }
    }
}
