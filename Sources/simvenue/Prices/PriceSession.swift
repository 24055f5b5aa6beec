import Shared

/// What a client of a price stream sends.
enum PriceFrame: Hashable, Sendable {
    case text([UInt8])
    /// Answered by the shell.
    case ping
    case pong
}

/// What is to be done for a client of a price stream, in this order.
enum PriceAction: Hashable, Sendable {
    case send([UInt8])
    case ping
    /// Nothing comes after it.
    case close(code: UInt16)
}

/// Whether a triple of API credentials is good.
typealias CredentialsCheck = (ChannelCredentials) -> Bool

/// One connection of a price stream as a value: frames and time in, actions out. What it says depends on the prices and
/// the times of what it is asked, not on how often time is told.
protocol PriceSession: Sendable {
    /// Milliseconds UTC of the next thing that it will say or do by itself.
    var nextTime: Int64 { get }

    /// Lets everything happen up to `time`; `prices` have walked there.
    mutating func advance(to time: Int64, _ prices: ReferencePrices, into actions: inout [PriceAction])

    /// A frame that came at `time`, after all that happens before it.
    mutating func receive(
        _ frame: PriceFrame, at time: Int64, _ prices: ReferencePrices, accepts: CredentialsCheck,
        into actions: inout [PriceAction])
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
    mutating func act(at time: Int64, into actions: inout [PriceAction]) -> Bool {
        guard time < self.deadline else { return false }
        self.nextPing = time + self.interval
        actions.append(.ping)
        return true
    }
}

/// API credentials as a channel is given them. Source: reference, 3.3.
struct ChannelCredentials: Hashable, Sendable {
    /// Longest member.
    static let byteCountMax = 256

    let apiKey: String
    let secret: String
    let passphrase: String

    /// - Returns: `nil` when a member is absent, empty or too long, or the key is no UUID.
    init?(_ value: JSONValue?) {
        guard let key = value?["apiKey"]?.string, let secret = value?["secret"]?.string,
            let passphrase = value?["passphrase"]?.string, Self.isUUID(key),
            [secret, passphrase].allSatisfy({ (1...Self.byteCountMax).contains($0.utf8.count) })
        else { return nil }
        self.apiKey = key
        self.secret = secret
        self.passphrase = passphrase
    }

    private static func isUUID(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.joined().allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20)
            }
    }
}
