import Shared

/// One connection to the venue's market channel as a value: events in, actions out, no I/O.
///
/// The venue may fall silent with its socket open. Our own text `PING`, which it answers with `PONG`, tells a quiet market
/// from a dead line: whatever is heard, an answer included, is a sign of life.
struct MarketFeed {
    struct Settings: Equatable {
        /// Longest first wait before a reconnect; it doubles with each failure.
        var reconnectDelay = Duration.seconds(5)
        /// Where the doubling ends: a minute for the usual five seconds, and as many times as long for others.
        var reconnectDelayMax: Duration { self.reconnectDelay * 12 }
        /// After so many failures in a row REST polling takes over …
        var attemptsMax = 10
        /// … or after so long without a line, whichever is first. Also the longest silence that is believed.
        var silenceMax = Duration.seconds(15)
        var pingInterval = Duration.seconds(10)
        /// The longest wait that the venue may ask for.
        var pauseMax = Duration.seconds(300)
        /// A connection that is not open by then is given up.
        var connectMax = Duration.seconds(15)
    }

    enum Event: Equatable {
        /// The set of tokens that this connection carries.
        case wanted(Set<TokenID>)
        /// Books of these are wanted anew.
        case refresh(Set<TokenID>)
        case opened
        /// Any text, `PONG` included.
        case heard
        case dropped
        /// The venue wants no connection before this has passed.
        case refused(retryAfter: Duration)
        case woke
    }

    enum Action: Equatable {
        case connect
        case close
        case send(String)
        /// Every book of this connection.
        case distrust(TrustReason)
        case pollREST(Bool)
        case wake(at: Instant)
    }

    enum State: Equatable {
        /// Nothing is wanted. Next: `connecting` when something is.
        case idle
        /// Next: `live` when it opens; `waiting` when dropped or after `connectMax`; `idle`.
        case connecting(since: Instant)
        /// Next: `waiting` when dropped or silent for `silenceMax`; `idle`.
        case live(lastHeard: Instant, lastPing: Instant)
        /// Next: `connecting` once `until` has passed; `idle`.
        case waiting(until: Instant)
    }

    private let settings: Settings
    private(set) var state = State.idle
    private var tokens: Set<TokenID> = []
    private var backoff: Backoff
    private var random: SeededRandom
    /// Since when there has been no line, while something is wanted.
    private var downSince: Instant?
    private(set) var isPolling = false

    init(settings: Settings, seed: UInt64) {
        self.settings = settings
        self.backoff = Backoff(
            first: settings.reconnectDelay, longest: settings.reconnectDelayMax)
        self.random = SeededRandom(seed: seed)
    }

    mutating func handle(_ event: Event, now: Instant) -> [Action] {
        switch event {
        case .wanted(let tokens): self.want(tokens, now: now)
        case .refresh(let tokens): self.refresh(tokens)
        case .opened: self.opened(now: now)
        case .heard: self.heard(now: now)
        case .dropped: self.dropped(.dropped, now: now)
        case .refused(let pause): self.dropped(.dropped, atLeast: min(pause, self.settings.pauseMax), now: now)
        case .woke: self.woke(now: now)
        }
    }

    private mutating func want(_ tokens: Set<TokenID>, now: Instant) -> [Action] {
        let added = tokens.subtracting(self.tokens)
        let removed = self.tokens.subtracting(tokens)
        self.tokens = tokens
        switch self.state {
        case .idle: return tokens.isEmpty ? [] : self.connect(now: now)
        case .connecting, .waiting:
            return tokens.isEmpty ? self.rest() : []
        case .live:
            if tokens.isEmpty { return self.rest() }
            var actions: [Action] = []
            if !removed.isEmpty { actions.append(.send(Self.change("unsubscribe", removed))) }
            if !added.isEmpty { actions.append(.send(Self.change("subscribe", added))) }
            return actions
        }
    }

    /// The venue sends a first book to whoever subscribes, and refuses an id that is subscribed already. The book stands in its
    /// place among the changes, so that no other source can tell as well what follows upon it.
    private func refresh(_ tokens: Set<TokenID>) -> [Action] {
        let tokens = tokens.intersection(self.tokens)
        guard case .live = self.state, !tokens.isEmpty else { return [] }
        return [.send(Self.change("unsubscribe", tokens)), .send(Self.change("subscribe", tokens))]
    }

    /// Ends the connection because nothing is wanted on it.
    private mutating func rest() -> [Action] {
        self.state = .idle
        self.downSince = nil
        self.backoff.reset()
        return [.close] + self.stopPolling()
    }

    private mutating func connect(now: Instant) -> [Action] {
        self.state = .connecting(since: now)
        if self.downSince == nil { self.downSince = now }
        return [.connect, .wake(at: self.nextWake(now + self.settings.connectMax))]
    }

    private mutating func opened(now: Instant) -> [Action] {
        guard case .connecting = self.state else { return [] }
        self.state = .live(lastHeard: now, lastPing: now)
        let next = now + min(self.settings.pingInterval, self.settings.silenceMax)
        return [.send(Self.subscription(self.tokens)), .wake(at: self.nextWake(next))]
    }

    private mutating func heard(now: Instant) -> [Action] {
        guard case .live(_, let lastPing) = self.state else { return [] }
        self.state = .live(lastHeard: now, lastPing: lastPing)
        guard self.downSince != nil else { return [] }
        // Only now: a venue that accepts connections and says nothing is no line.
        self.downSince = nil
        self.backoff.reset()
        return self.stopPolling()
    }

    private mutating func dropped(_ reason: TrustReason, atLeast pause: Duration = .zero, now: Instant) -> [Action] {
        switch self.state {
        case .idle, .waiting: return []
        case .connecting, .live: break
        }
        let wasLive = if case .live = self.state { true } else { false }
        if self.downSince == nil { self.downSince = now }
        let until = now + max(pause, self.backoff.next(using: &self.random))
        self.state = .waiting(until: until)
        var actions: [Action] = [.close]
        if wasLive { actions.append(.distrust(reason)) }
        return actions + self.pollIfDownForLong(now: now) + [.wake(at: self.nextWake(until))]
    }

    private mutating func woke(now: Instant) -> [Action] {
        switch self.state {
        case .idle: return []
        case .connecting(let since):
            let deadline = since + self.settings.connectMax
            guard now < deadline else { return self.dropped(.dropped, now: now) }
            return self.pollIfDownForLong(now: now) + [.wake(at: self.nextWake(deadline))]
        case .live(let lastHeard, let lastPing):
            guard now - lastHeard < self.settings.silenceMax else { return self.dropped(.silent, now: now) }
            let silentAt = lastHeard + self.settings.silenceMax
            // A line that was opened and not yet heard is none.
            let polling = self.pollIfDownForLong(now: now)
            guard now - lastPing >= self.settings.pingInterval else {
                return polling + [.wake(at: self.nextWake(min(silentAt, lastPing + self.settings.pingInterval)))]
            }
            self.state = .live(lastHeard: lastHeard, lastPing: now)
            return polling + [.send("PING"), .wake(at: self.nextWake(min(silentAt, now + self.settings.pingInterval)))]
        case .waiting(let until):
            let polling = self.pollIfDownForLong(now: now)
            return now < until ? polling + [.wake(at: self.nextWake(until))] : polling + self.connect(now: now)
        }
    }

    private mutating func pollIfDownForLong(now: Instant) -> [Action] {
        guard !self.isPolling, let downSince = self.downSince else { return [] }
        guard self.backoff.failureCount >= self.settings.attemptsMax || now - downSince >= self.settings.silenceMax
        else {
            return []
        }
        self.isPolling = true
        return [.pollREST(true)]
    }

    private mutating func stopPolling() -> [Action] {
        guard self.isPolling else { return [] }
        self.isPolling = false
        return [.pollREST(false)]
    }

    /// The earlier of `instant` and the moment when polling takes over.
    private func nextWake(_ instant: Instant) -> Instant {
        guard !self.isPolling, let downSince = self.downSince else { return instant }
        return min(instant, downSince + self.settings.silenceMax)
    }

    // MARK: What is said to the venue

    private static func subscription(_ tokens: Set<TokenID>) -> String {
        Self.text { writer in
            writer.key("type")
            writer.string("market")
            Self.write(tokens, to: &writer)
            writer.key("custom_feature_enabled")
            writer.bool(true)
        }
    }

    private static func change(_ operation: String, _ tokens: Set<TokenID>) -> String {
        Self.text { writer in
            writer.key("operation")
            writer.string(operation)
            Self.write(tokens, to: &writer)
            if operation == "subscribe" {
                writer.key("custom_feature_enabled")
                writer.bool(true)
            }
        }
    }

    private static func write(_ tokens: Set<TokenID>, to writer: inout JSONWriter) {
        writer.key("assets_ids")
        writer.array { for token in tokens.sorted() { $0.string(token.description) } }
    }

    private static func text(_ members: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.object(members)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
