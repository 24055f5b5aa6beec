import Shared

/// What a client of a channel sends.
enum ChannelFrame: Hashable, Sendable {
    case text([UInt8])
    /// Answered by the shell.
    case ping
    case pong
}

/// What is to be done for a client of a channel, in this order.
enum ChannelAction: Hashable, Sendable {
    case send([UInt8])
    case ping
    /// Nothing comes after it.
    case close(code: UInt16)
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
