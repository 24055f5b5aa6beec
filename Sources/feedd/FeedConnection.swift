import DaemonKit
import Logging
import Shared

/// A `MarketFeed` and the socket that it steers. Confined to the daemon's loop.
final class FeedConnection {
    /// Tokens that a connection may carry: the venue stops sending first snapshots beyond 500.
    static let tokenCountMax = 500

    let index: Int
    private(set) var feed: MarketFeed
    /// Markets whose tokens this connection carries, by number.
    private(set) var markets: Set<Int64> = []
    /// How often a line was opened: what was asked on one line says nothing of the next.
    private(set) var lineCount = 0
    /// When the line was opened, or brought an event last; a `PONG` is none.
    var eventAt = Instant(nanoseconds: 0)
    /// Of the first of two connections: how both compare.
    var twins = TwinWatch()
    /// When it was begun anew last because of what it told.
    private var liarEndedAt: Instant?
    /// Whether the line is open in the journal that is played.
    var isReplayedLive = false
    var onText: (UnsafeBufferPointer<UInt8>) -> Void = { _ in }
    var onOpened: () -> Void = {}
    var onDistrust: (TrustReason) -> Void = { _ in }
    var onPollREST: (Bool) -> Void = { _ in }

    private let loop: EventLoop
    private let url: WebSocketURL?
    private let options: WebSocketConnection.Options
    private let logger: Logger
    private let isTracing: Bool
    private var tokens: Set<TokenID> = []
    private var socket: WebSocketConnection?
    private var timer: EventLoop.TimerID?
    private var restartReason: TrustReason?

    /// - Parameter url: `nil` when a journal stands in the place of the venue: then nothing is opened or sent.
    init(
        index: Int, loop: EventLoop, url: WebSocketURL?, options: WebSocketConnection.Options,
        settings: MarketFeed.Settings, seed: UInt64, logger: Logger
    ) {
        self.index = index
        self.loop = loop
        self.url = url
        self.options = options
        self.feed = MarketFeed(settings: settings, seed: seed)
        self.logger = logger
        self.isTracing = logger.isTracing
    }

    var tokenCount: Int { self.tokens.count }
    var isLive: Bool { if case .live = self.feed.state { true } else { self.isReplayedLive } }

    var status: FeedStatus.Connection {
        let (state, silence): (String, Int64) =
            switch self.feed.state {
            case .live(let lastHeard, _): ("live", (Instant.now() - lastHeard).nanoseconds / 1_000)
            case .idle where self.isReplayedLive: ("live", -1)
            case .idle: ("idle", -1)
            case .connecting: ("connecting", -1)
            case .waiting: ("waiting", -1)
            }
        return FeedStatus.Connection(
            state: state, tokens: state == "idle" ? 0 : Int64(self.tokens.count), silence: silence)
    }

    func add(_ n: Int64, _ tokens: [TokenID]) {
        self.markets.insert(n)
        self.tokens.formUnion(tokens)
    }

    func remove(_ n: Int64, _ tokens: [TokenID]) {
        self.markets.remove(n)
        self.tokens.subtract(tokens)
    }

    /// Tells the venue what is wanted now.
    func apply() { self.handle(.wanted(self.tokens)) }

    func stop() {
        self.tokens = []
        self.apply()
    }

    /// Asks the line for the books of these anew.
    func refresh(_ tokens: [TokenID]) { self.handle(.refresh(Set(tokens))) }

    /// Whether a line that lies may be begun anew: who goes on lying on new lines gets one now and then.
    func mayEndForLying(now: Instant) -> Bool {
        guard self.isLive, self.liarEndedAt.map({ now - $0 > Conviction.duration }) ?? true else { return false }
        self.liarEndedAt = now
        return true
    }

    /// What came cannot be read on, or nothing comes: begin anew.
    func restart(_ reason: TrustReason) {
        self.restartReason = reason
        self.socket?.abort()
        self.restartReason = nil
    }

    private func handle(_ event: MarketFeed.Event) {
        guard self.url != nil else { return }
        for action in self.feed.handle(event, now: .now()) { self.perform(action) }
    }

    private func perform(_ action: MarketFeed.Action) {
        switch action {
        case .connect: self.connect()
        case .close:
            let socket = self.socket
            self.socket = nil
            socket?.onText = nil
            socket?.onClosed = nil
            // One that ended by itself was told of already.
            if let socket, case .waiting = self.feed.state {
                self.tellOfEnd(
                    wasOpen: socket.isOpen,
                    socket.isOpen ? "nothing was heard for too long" : "it did not open in time")
            }
            socket?.close()
        case .send(let text):
            if self.isTracing {
                var text = text
                text.withUTF8 { self.tell(ofSent: $0) }
            }
            if self.socket?.send(text: text) != true { self.socket?.abort() }
        case .distrust(let reason): self.onDistrust(self.restartReason ?? reason)
        case .pollREST(let begins): self.onPollREST(begins)
        case .wake(let instant):
            if let timer = self.timer { self.loop.cancel(timer) }
            self.timer = self.loop.at(instant) { [weak self] in self?.handle(.woke) }
        }
    }

    private func tell(ofSent text: UnsafeBufferPointer<UInt8>) {
        self.logger.trace(
            "Text sent",
            metadata: ["connection": "\(self.index)", "bytes": "\(text.count)", "text": .traced(text)])
    }

    private func tell(ofReceived text: UnsafeBufferPointer<UInt8>) {
        self.logger.trace(
            "Text received",
            metadata: ["connection": "\(self.index)", "bytes": "\(text.count)", "text": .traced(text)])
    }

    private func tellOfEnd(wasOpen: Bool, _ reason: String) {
        self.logger.warning(
            wasOpen ? "Market channel lost" : "Market channel cannot be reached",
            metadata: ["connection": "\(self.index)", "reason": "\(reason)"])
    }

    private func connect() {
        guard let url = self.url else { return }
        let socket = WebSocketConnection(url: url, options: self.options, loop: self.loop)
        self.socket = socket
        socket.onOpen = { [weak self] in
            guard let self else { return }
            self.logger.info(
                "Market channel connected",
                metadata: [
                    "connection": "\(self.index)", "tokens": "\(self.tokens.count)",
                    "compression": "\(self.socket?.deflate?.description ?? "none")",
                ])
            self.lineCount += 1
            self.eventAt = .now()
            self.onOpened()
            self.handle(.opened)
        }
        socket.onText = { [weak self] text in
            guard let self else { return }
            if self.isTracing { self.tell(ofReceived: text) }
            // A text that cannot be read ends the line, and then it is no sign of life.
            self.onText(text)
            self.handle(.heard)
        }
        socket.onClosed = { [weak self] reason in
            guard let self else { return }
            self.socket = nil
            self.tellOfEnd(wasOpen: self.isLive, "\(reason)")
            if case .handshakeRejected(_, let pause?) = reason {
                self.handle(.refused(retryAfter: pause))
            } else {
                self.handle(.dropped)
            }
        }
        socket.connect()
    }
}
