import Shared

/// The connection to the venue's stream of average prices as a value: events in, actions out, no I/O.
/// Source: reference, 3.4.
struct PolyBoltFeed {
    static let channel = "price.crypto.twap"
    /// What markets of 5 minutes to 4 hours settle on.
    static let windowSeconds: Int64 = 60
    private static let authRequest = "auth"

    struct Settings: Equatable {
        /// Longest first wait before a reconnect; it doubles with each failure. Source: reference, 3.4, close code 1006.
        var reconnectDelay = Duration.seconds(1)
        var reconnectDelayMax = Duration.seconds(30)
        /// The stream drains before a restart: whoever comes back does so within this time, by chance.
        var drainDelayMax = Duration.seconds(10)
        /// After credentials or what was said were refused: nothing changes by asking often.
        var refusedDelay = Duration.seconds(300)
        /// Between two connects, whoever changes his mind how often.
        var connectInterval = Duration.seconds(1)
        /// One observation a second comes for each symbol.
        var silenceMax = Duration.seconds(20)
        var pingInterval = Duration.seconds(10)
        /// A connection that is not open and authenticated by then is given up.
        var connectMax = Duration.seconds(15)
    }

    /// Why a connection ended.
    enum Ending: Equatable {
        /// 4001, or we have no credentials.
        case refused
        /// 4003: the server goes away.
        case draining
        /// 4008: we broke a rule.
        case policy
        /// 4002 when we read too slowly or our pongs did not come, 1006 and all else.
        case lost

        init(closeCode: UInt16?) {
            switch closeCode {
            case 4_001: self = .refused
            case 4_003: self = .draining
            case 4_008: self = .policy
            default: self = .lost
            }
        }
    }

    enum Event: Equatable {
        /// What is to be followed.
        case wanted(Set<ReferenceSymbol>)
        case opened
        /// A text came that is none of the others; whether it told a price.
        case heard(isPrice: Bool)
        case authed
        case error(code: String, request: String?)
        case dropped(Ending)
        case woke
    }

    enum Action: Equatable {
        case connect
        case close
        /// Reads the credentials, sends them with the request id, and forgets them.
        case authenticate(request: String)
        case send(String)
        /// The credentials were refused, or what was asked of a symbol.
        case tellRefused(code: String, symbol: ReferenceSymbol?)
        case wake(at: Instant)
    }

    enum State: Equatable {
        /// Nothing is wanted. Next: `connecting` when something is.
        case idle
        /// Next: `authenticating` when it opens; `waiting` when dropped or after `connectMax`; `idle`.
        case connecting(since: Instant)
        /// Next: `live` when the credentials are accepted; `waiting` when refused, dropped or after `connectMax`; `idle`.
        case authenticating(since: Instant)
        /// Next: `waiting` when dropped or silent for `silenceMax`; `idle`.
        case live(lastHeard: Instant, lastPing: Instant)
        /// Next: `connecting` once `until` has passed; `idle`.
        case waiting(until: Instant)
    }

    private let settings: Settings
    private(set) var state = State.idle
    private var symbols: Set<ReferenceSymbol> = []
    /// What this line was asked for. Fewer than the 64 that the stream allows.
    private var told: Set<ReferenceSymbol> = []
    /// What of it the stream does not have.
    private var refused: Set<ReferenceSymbol> = []
    private var connectAllowedAt: Instant?
    /// Requests that may be sent: the stream allows 20 a second.
    private var requests = TokenBucket(rate: 10, burst: 10, now: Instant(nanoseconds: 0))
    private var backoff: Backoff
    private var random: SeededRandom

    init(settings: Settings, seed: UInt64) {
        self.settings = settings
        self.backoff = Backoff(
            first: settings.reconnectDelay, longest: max(settings.reconnectDelay, settings.reconnectDelayMax))
        self.random = SeededRandom(seed: seed)
    }

    var isLive: Bool { if case .live = self.state { true } else { false } }

    mutating func handle(_ event: Event, now: Instant) -> [Action] {
        switch event {
        case .wanted(let symbols):
            guard symbols != self.symbols else { return [] }
            self.symbols = symbols
            return self.want(now: now)
        case .opened:
            guard case .connecting(let since) = self.state else { return [] }
            self.state = .authenticating(since: since)
            return [.authenticate(request: Self.authRequest)]
        case .authed:
            guard case .authenticating = self.state else { return [] }
            self.state = .live(lastHeard: now, lastPing: now)
            self.told = []
            self.refused = []
            return self.proceed(now: now)
        case .heard(let isPrice):
            if isPrice { self.backoff.reset() }
            // A stream that answers pings and tells no prices is of no use.
            if isPrice || self.told.isSubset(of: self.refused) { self.noteLife(now: now) }
            return []
        case .error(let code, let request): return self.failed(code, request, now: now)
        case .dropped(let ending): return self.drop(ending, now: now)
        case .woke: return self.woke(now: now)
        }
    }

    private mutating func want(now: Instant) -> [Action] {
        if self.symbols.isEmpty {
            defer { self.state = .idle }
            return self.state == .idle ? [] : [.close]
        }
        switch self.state {
        case .idle: return self.waitForConnect(until: self.connectAllowedAt ?? now, now: now)
        case .connecting, .authenticating, .waiting: return []
        case .live: return self.proceed(now: now)
        }
    }

    private mutating func waitForConnect(until: Instant, now: Instant) -> [Action] {
        guard now >= until else {
            self.connectAllowedAt = until
            self.state = .waiting(until: until)
            return [.wake(at: until)]
        }
        self.connectAllowedAt = now + self.settings.connectInterval
        self.state = .connecting(since: now)
        return [.connect, .wake(at: now + self.settings.connectMax)]
    }

    private mutating func noteLife(now: Instant) {
        guard case .live(_, let lastPing) = self.state else { return }
        self.state = .live(lastHeard: now, lastPing: lastPing)
    }

    private mutating func drop(_ ending: Ending, now: Instant) -> [Action] {
        switch self.state {
        case .idle, .waiting: return []
        case .connecting, .authenticating, .live: break
        }
        let delay: Duration
        switch ending {
        case .refused, .policy: delay = self.settings.refusedDelay
        case .draining:
            delay = .nanoseconds(Int64.random(in: 0...self.settings.drainDelayMax.nanoseconds, using: &self.random))
        case .lost: delay = self.backoff.next(using: &self.random)
        }
        return [.close] + self.waitForConnect(until: max(now + delay, self.connectAllowedAt ?? now), now: now)
    }

    private mutating func failed(_ code: String, _ request: String?, now: Instant) -> [Action] {
        switch self.state {
        case .idle, .connecting, .waiting: return []
        case .authenticating:
            let isPassing = code == "auth_unavailable" || code == "rate_limited"
            return [.tellRefused(code: code, symbol: nil)] + self.drop(isPassing ? .lost : .refused, now: now)
        case .live:
            let symbol = request.flatMap(ReferenceSymbol.init(rawValue:))
            switch code {
            case "auth_expired", "auth_required", "auth_unavailable": return self.drop(.lost, now: now)
            case "auth_invalid", "auth_attempts":
                return [.tellRefused(code: code, symbol: nil)] + self.drop(.refused, now: now)
            case "rate_limited":
                // Asked again when the bucket, emptied now, has filled.
                if let symbol { self.told.remove(symbol) }
                while self.requests.take(now: now) {}
                return self.proceed(now: now)
            default:
                // A symbol that is not there: asked for again with the next connection, not before.
                if let symbol { self.refused.insert(symbol) }
                return [.tellRefused(code: code, symbol: symbol)]
            }
        }
    }

    private mutating func woke(now: Instant) -> [Action] {
        switch self.state {
        case .idle: return []
        case .connecting(let since), .authenticating(let since):
            let deadline = since + self.settings.connectMax
            return now < deadline ? [.wake(at: deadline)] : self.drop(.lost, now: now)
        case .live(let lastHeard, _):
            return now - lastHeard < self.settings.silenceMax
                ? self.proceed(now: now) : self.drop(.lost, now: now)
        case .waiting(let until): return self.waitForConnect(until: until, now: now)
        }
    }

    /// On a live line: pings, and asks for what is wanted as far as requests are allowed.
    private mutating func proceed(now: Instant) -> [Action] {
        guard case .live(let lastHeard, var lastPing) = self.state else { return [] }
        var actions: [Action] = []
        if now - lastPing >= self.settings.pingInterval {
            lastPing = now
            actions.append(.send(#"{"op":"ping"}"#))
        }
        for symbol in self.told.subtracting(self.symbols).sorted() where self.requests.take(now: now) {
            self.told.remove(symbol)
            self.refused.remove(symbol)
            actions.append(.send(Self.request("unsubscribe", symbol)))
        }
        for symbol in self.symbols.subtracting(self.told).sorted() where self.requests.take(now: now) {
            self.told.insert(symbol)
            actions.append(.send(Self.request("subscribe", symbol)))
        }
        self.state = .live(lastHeard: lastHeard, lastPing: lastPing)
        var next = min(lastHeard + self.settings.silenceMax, lastPing + self.settings.pingInterval)
        if self.told != self.symbols { next = min(next, now + (self.requests.wait(now: now) ?? .zero)) }
        return actions + [.wake(at: next)]
    }

    /// One symbol in each: a refusal then names it by the request's id.
    private static func request(_ operation: String, _ symbol: ReferenceSymbol) -> String {
        var writer = JSONWriter()
        writer.object {
            $0.key("op")
            $0.string(operation)
            $0.key("rid")
            $0.string(symbol.rawValue)
            $0.key("subscriptions")
            $0.array {
                $0.object {
                    $0.key("channel")
                    $0.string(Self.channel)
                    $0.key("filter")
                    $0.object {
                        $0.key("symbol")
                        $0.string(symbol.rawValue)
                        $0.key("window_seconds")
                        $0.integer(Self.windowSeconds)
                    }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
