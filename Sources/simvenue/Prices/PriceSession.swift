import Shared

/// Whether a triple of API credentials is good.
typealias CredentialsCheck = (ChannelCredentials) -> Bool

/// One connection of a price stream as a value: frames and time in, actions out. What it says depends on the prices and
/// the times of what it is asked, not on how often time is told.
protocol PriceSession: Sendable {
    /// Milliseconds UTC of the next thing that it will say or do by itself.
    var nextTime: Int64 { get }

    /// Lets everything happen up to `time`; `prices` have walked there.
    mutating func advance(to time: Int64, _ prices: ReferencePrices, into actions: inout [ChannelAction])

    /// A frame that came at `time`, after all that happens before it.
    mutating func receive(
        _ frame: ChannelFrame, at time: Int64, _ prices: ReferencePrices, accepts: CredentialsCheck,
        into actions: inout [ChannelAction])
}

/// The pings that a server sends, and how long it waits for the pongs.
struct KeepAlive: Hashable, Sendable {
    private let interval: Int64
    private let silenceMax: Int64
    private var nextPing: Int64
    private var heardAt: Int64

    /// - Parameters:
    ///   - interval: milliseconds between two pings.
    ///   - silenceMax: milliseconds that a pong may take.
    init(interval: Int64, silenceMax: Int64, openedAt time: Int64) {
        self.interval = interval
        self.silenceMax = silenceMax
        self.nextPing = time + interval
        self.heardAt = time
    }

    private var deadline: Int64 { self.heardAt + self.interval + self.silenceMax }
    var nextTime: Int64 { min(self.nextPing, self.deadline) }

    /// Any pong will do; who sends one is alive.
    mutating func notePong(at time: Int64) { self.heardAt = max(self.heardAt, time) }

    /// What is due at `time`, which is `nextTime`.
    ///
    /// - Returns: `false` when the client has been silent for too long.
    mutating func act(at time: Int64, into actions: inout [ChannelAction]) -> Bool {
        guard time < self.deadline else { return false }
        self.nextPing = time + self.interval
        actions.append(.ping)
        return true
    }
}
