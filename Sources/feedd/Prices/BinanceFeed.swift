import Shared

/// The connections to Binance's market data as a value: events in, actions out, no I/O. Source: reference, 5.
///
/// Binance ends every connection after a day. Before that a second one is opened, asked for the same, and read together
/// with the first for a while; then the first is closed. What both say is told apart by the ids of trades and updates.
/// A line that says nothing is dead: what is followed is traded every few seconds.
struct BinanceFeed {
    struct Settings: Equatable {
        /// Longest first wait before a reconnect; it doubles with each failure.
        var reconnectDelay = Duration.seconds(2)
        var reconnectDelayMax = Duration.seconds(60)
        /// Between two connects, whoever changes his mind how often. An address may try 300 times in five minutes.
        var connectInterval = Duration.seconds(2)
        var silenceMax = Duration.seconds(20)
        /// A connection that is not open by then is given up.
        var connectMax = Duration.seconds(15)
        /// Age at which a line's successor is opened: half an hour before Binance ends it.
        var lifetimeMax = Duration.seconds(84_600)
        /// How long two lines are read once the younger has told a price.
        var overlap = Duration.seconds(5)
    }

    enum Event: Equatable {
        /// What is to be followed.
        case wanted(Set<ReferenceSymbol>)
        case opened(Int)
        /// A text came; whether it told a price.
        case heard(Int, isPrice: Bool)
        /// Binance says that this line ends soon.
        case ending(Int)
        case dropped(Int)
        case woke
    }

    /// Lines are told apart by their numbers, which only grow.
    enum Action: Equatable {
        case connect(Int)
        case close(Int)
        case send(Int, String)
        /// No line is left that tells prices.
        case lost
        case wake(at: Instant)
    }

    struct Line: Equatable {
        let number: Int
        /// When it was begun; it is given up after `connectMax` if it does not open.
        let since: Instant
        var openedAt: Instant?
        var lastHeard: Instant
        /// When it told its first price.
        var pricedAt: Instant?
        var isEnding = false
        /// Streams that it was asked for.
        var streams: Set<String> = []
        /// Commands that may be sent: two a second leave room for pongs below Binance's five.
        var commands: TokenBucket
    }

    enum State: Equatable {
        /// Nothing is wanted. Next: `waiting` when something is, and `running` at once if a connect is allowed.
        case idle
        /// Next: `waiting` when every line was dropped, silent or never opened; `idle`.
        case running(Line, successor: Line?)
        /// Next: `running` once `until` has passed; `idle`.
        case waiting(until: Instant)
    }

    private let settings: Settings
    private(set) var state = State.idle
    private var streams: Set<String> = []
    private var lineCount = 0
    private var commandCount = 0
    private var backoff: Backoff
    private var successorAllowedAt: Instant?
    /// When the next first line may be begun.
    private var beginAllowedAt: Instant?
    private var random: SeededRandom

    init(settings: Settings, seed: UInt64) {
        self.settings = settings
        self.backoff = Backoff(
            first: settings.reconnectDelay, longest: max(settings.reconnectDelay, settings.reconnectDelayMax))
        self.random = SeededRandom(seed: seed)
    }

    /// Whether a line is open.
    var isLive: Bool {
        guard case .running(let line, let successor) = self.state else { return false }
        return line.openedAt != nil || successor?.openedAt != nil
    }

    mutating func handle(_ event: Event, now: Instant) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .wanted(let symbols):
            let streams = Set(symbols.flatMap(Self.streams))
            guard streams != self.streams else { return [] }
            self.streams = streams
        case .opened(let number):
            self.change(number) {
                $0.openedAt = now
                $0.lastHeard = now
            }
        case .heard(let number, let isPrice):
            var isFirst = false
            self.change(number) {
                $0.lastHeard = now
                guard isPrice && $0.pricedAt == nil else { return }
                $0.pricedAt = now
                isFirst = true
            }
            guard isFirst else { return [] }
            self.backoff.reset()
        case .ending(let number): self.change(number) { $0.isEnding = true }
        case .dropped(let number): self.drop(number, now: now, &actions)
        case .woke: break
        }
        self.proceed(now: now, &actions)
        return actions
    }

    private mutating func change(_ number: Int, _ body: (inout Line) -> Void) {
        guard case .running(var line, var successor) = self.state else { return }
        if line.number == number { body(&line) }
        if successor?.number == number { body(&successor!) }
        self.state = .running(line, successor: successor)
    }

    /// Does all that is due.
    private mutating func proceed(now: Instant, _ actions: inout [Action]) {
        self.rest(&actions)
        if case .idle = self.state, !self.streams.isEmpty { self.state = .waiting(until: self.beginAllowedAt ?? now) }
        if case .waiting(let until) = self.state, now >= until {
            self.successorAllowedAt = nil
            self.state = .running(self.makeLine(now: now, &actions), successor: nil)
        }
        for number in self.dead(now: now) {
            actions.append(.close(number))
            self.drop(number, now: now, &actions)
        }
        self.succeed(now: now, &actions)
        self.ask(now: now, &actions)
        if let next = self.nextTime(now: now) { actions.append(.wake(at: next)) }
    }

    private mutating func rest(_ actions: inout [Action]) {
        guard self.streams.isEmpty else { return }
        if case .running(let line, let successor) = self.state {
            actions.append(.close(line.number))
            if let successor { actions.append(.close(successor.number)) }
        }
        self.state = .idle
    }

    private mutating func makeLine(now: Instant, _ actions: inout [Action]) -> Line {
        self.lineCount += 1
        self.beginAllowedAt = now + self.settings.connectInterval
        actions.append(.connect(self.lineCount))
        return Line(
            number: self.lineCount, since: now, lastHeard: now, commands: TokenBucket(rate: 2, burst: 2, now: now))
    }

    private func deadline(of line: Line) -> Instant {
        line.openedAt == nil ? line.since + self.settings.connectMax : line.lastHeard + self.settings.silenceMax
    }

    private func dead(now: Instant) -> [Int] {
        guard case .running(let line, let successor) = self.state else { return [] }
        return [line, successor].compactMap { $0 }.filter { now >= self.deadline(of: $0) }.map(\.number)
    }

    private mutating func drop(_ number: Int, now: Instant, _ actions: inout [Action]) {
        guard case .running(let line, let successor) = self.state else { return }
        if number == successor?.number {
            self.successorAllowedAt = now + self.backoff.next(using: &self.random)
            self.state = .running(line, successor: nil)
        } else if number == line.number {
            if line.pricedAt != nil && successor?.pricedAt == nil { actions.append(.lost) }
            if let successor {
                self.state = .running(successor, successor: nil)
            } else {
                let until = max(now + self.backoff.next(using: &self.random), self.beginAllowedAt ?? now)
                self.beginAllowedAt = until
                self.state = .waiting(until: until)
            }
        }
    }

    // MARK: The overlap

    /// When the line's successor is due.
    private func successorTime(of line: Line) -> Instant? {
        guard let openedAt = line.openedAt else { return nil }
        let due = line.isEnding ? openedAt : openedAt + self.settings.lifetimeMax
        return max(due, self.successorAllowedAt ?? due)
    }

    private mutating func succeed(now: Instant, _ actions: inout [Action]) {
        guard case .running(let line, let successor) = self.state else { return }
        guard let successor else {
            guard let due = self.successorTime(of: line), now >= due else { return }
            self.state = .running(line, successor: self.makeLine(now: now, &actions))
            return
        }
        guard let pricedAt = successor.pricedAt, now >= pricedAt + self.settings.overlap else { return }
        actions.append(.close(line.number))
        self.successorAllowedAt = nil
        self.state = .running(successor, successor: nil)
    }

    // MARK: What is said to Binance

    private static func streams(of symbol: ReferenceSymbol) -> [String] {
        guard let pair = symbol.pair else { return [] }
        return ["\(pair)@bookTicker", "\(pair)@kline_1h", "\(pair)@trade"]
    }

    /// Asks the open lines for what is wanted, as far as commands are allowed.
    private mutating func ask(now: Instant, _ actions: inout [Action]) {
        guard case .running(var line, var successor) = self.state else { return }
        self.ask(&line, now: now, &actions)
        if successor != nil { self.ask(&successor!, now: now, &actions) }
        self.state = .running(line, successor: successor)
    }

    private mutating func ask(_ line: inout Line, now: Instant, _ actions: inout [Action]) {
        guard line.openedAt != nil else { return }
        let removed = line.streams.subtracting(self.streams)
        if !removed.isEmpty, line.commands.take(now: now) {
            line.streams.subtract(removed)
            actions.append(.send(line.number, self.command("UNSUBSCRIBE", removed)))
        }
        let added = self.streams.subtracting(line.streams)
        if !added.isEmpty, line.commands.take(now: now) {
            line.streams.formUnion(added)
            actions.append(.send(line.number, self.command("SUBSCRIBE", added)))
        }
    }

    private mutating func command(_ method: String, _ streams: Set<String>) -> String {
        self.commandCount += 1
        var writer = JSONWriter()
        writer.object {
            $0.key("method")
            $0.string(method)
            $0.key("params")
            $0.array { for stream in streams.sorted() { $0.string(stream) } }
            $0.key("id")
            $0.integer(self.commandCount)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    // MARK: Time

    private func nextTime(now: Instant) -> Instant? {
        switch self.state {
        case .idle: return nil
        case .waiting(let until): return until
        case .running(let line, let successor):
            var times = [self.deadline(of: line)]
            if let successor {
                times.append(self.deadline(of: successor))
                if let pricedAt = successor.pricedAt { times.append(pricedAt + self.settings.overlap) }
            } else if let due = self.successorTime(of: line) {
                times.append(due)
            }
            for var line in [line, successor].compactMap({ $0 })
            where line.openedAt != nil && line.streams != self.streams {
                times.append(now + (line.commands.wait(now: now) ?? .zero))
            }
            return times.min()
        }
    }
}
