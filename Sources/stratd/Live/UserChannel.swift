import DaemonKit
import Logging
import Shared

/// The venue's channel about our own orders, kept open: a state machine without I/O. Source: reference, 3.3.
///
///     idle ──connect──► connecting ──opened──► proving ──PONG──► open
///                            ▲                    │               │
///                            └──── wait ◄─────────┴── lost, silent ┘
///
/// The venue answers credentials with nothing, or by closing: only an answered ping tells that they were taken.
struct UserChannel: Sendable {
    enum Event: Hashable, Sendable {
        case started, opened, heard, pong, lost, woke
    }
    enum Action: Hashable, Sendable {
        case connect
        case close
        /// Sends the credentials, and a ping after them.
        case authenticate
        case ping
        /// Whatever was said before is not heard again.
        case tellOpen
        case tellClosed
        case wake(Instant)
    }

    static let pingInterval = Duration.seconds(10)
    /// Without a word, not even a pong, for so long it is dead.
    static let silenceMax = Duration.seconds(25)
    static let openTimeMax = Duration.seconds(15)
    static let pauseMin = Duration.milliseconds(500)
    static let pauseMax = Duration.seconds(30)

    private enum State {
        case idle
        case connecting(until: Instant)
        case proving(until: Instant)
        case open(heard: Instant, pinged: Instant)
        case waiting(until: Instant)
    }

    private var state = State.idle
    private var backoff = Backoff(first: Self.pauseMin, longest: Self.pauseMax)
    private var random: SeededRandom

    init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

    var isOpen: Bool { if case .open = self.state { true } else { false } }

    mutating func handle(_ event: Event, now: Instant) -> [Action] {
        switch (event, self.state) {
        case (.started, .idle): return self.connect(now)
        case (.opened, .connecting):
            self.state = .proving(until: now + Self.openTimeMax)
            return [.authenticate, .wake(now + Self.openTimeMax)]
        case (.pong, .proving):
            self.backoff.reset()
            self.state = .open(heard: now, pinged: now)
            return [.tellOpen, .wake(now + Self.pingInterval)]
        case (.heard, .open(_, let pinged)), (.pong, .open(_, let pinged)):
            self.state = .open(heard: now, pinged: pinged)
            return []
        case (.lost, .connecting), (.lost, .proving), (.lost, .open): return self.wait(now)
        case (.woke, _): return self.woke(now)
        case (.started, _), (.opened, _), (.heard, _), (.pong, _), (.lost, _): return []
        }
    }

    private mutating func woke(_ now: Instant) -> [Action] {
        switch self.state {
        case .idle: return []
        case .waiting(let until): return now >= until ? self.connect(now) : [.wake(until)]
        case .connecting(let until), .proving(let until):
            return now >= until ? [.close] + self.wait(now) : [.wake(until)]
        case .open(let heard, let pinged):
            guard now - heard < Self.silenceMax else { return [.close] + self.wait(now) }
            guard now - pinged >= Self.pingInterval else { return [.wake(pinged + Self.pingInterval)] }
            self.state = .open(heard: heard, pinged: now)
            return [.ping, .wake(now + Self.pingInterval)]
        }
    }

    private mutating func connect(_ now: Instant) -> [Action] {
        self.state = .connecting(until: now + Self.openTimeMax)
        return [.connect, .wake(now + Self.openTimeMax)]
    }

    private mutating func wait(_ now: Instant) -> [Action] {
        let wasOpen = self.isOpen
        let until = now + self.backoff.next(using: &self.random)
        self.state = .waiting(until: until)
        return (wasOpen ? [.tellClosed] : []) + [.wake(until)]
    }
}
