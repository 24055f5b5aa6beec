import Shared
import Signing

/// One connection of the user channel as a value: texts in, actions out. Source: reference, 3.3.
struct UserSession: Sendable {
    /// Who has not said by then (milliseconds) who it is, is sent away. The venue's own bound is not known.
    static let authenticationMax: Int64 = 30_000
    /// Markets of one subscription; more are passed over.
    static let marketCountMax = 10_000
    /// With which strangers are sent away.
    static let unauthorized: UInt16 = 1000

    /// What a client says.
    enum Request: Hashable, Sendable {
        case ping
        /// Without a list, or with an empty one, all markets are meant.
        case authenticate(ChannelCredentials, [ConditionID]?)
        case subscribe([ConditionID])
        case unsubscribe([ConditionID])
        /// Answered with "INVALID OPERATION".
        case invalid

        init(parsing text: [UInt8]) {
            if text.elementsEqual("PING".utf8) {
                self = .ping
                return
            }
            guard let value = try? JSONValue(parsing: text), value.object != nil else {
                self = .invalid
                return
            }
            // An id that is none is passed over like one that nobody knows.
            let ids = value["markets"]?.array ?? []
            let markets = ids.prefix(marketCountMax).compactMap { $0.string.flatMap { ConditionID($0) } }
            switch (value["operation"]?.string, value["type"]?.string?.lowercased()) {
            case ("subscribe", _): self = .subscribe(markets)
            case ("unsubscribe", _): self = .unsubscribe(markets)
            case (nil, "user"):
                guard let credentials = ChannelCredentials(value["auth"]) else {
                    self = .invalid
                    return
                }
                self = .authenticate(credentials, ids.isEmpty ? nil : markets)
            default: self = .invalid
            }
        }
    }

    /// `nil` until its credentials were found good.
    private(set) var signer: Address?
    /// With which it said so. Who hears with a key that is revoked later is sent away; what the venue does then is not known.
    private(set) var apiKey: String?
    /// `nil` for all of the signer's.
    private(set) var markets: Set<ConditionID>?
    /// Milliseconds UTC by which it must have said who it is.
    let deadline: Int64

    init(openedAt time: Int64) { self.deadline = time + Self.authenticationMax }

    /// What a text is answered with.
    ///
    /// - Parameter signer: whose credentials they are; `nil` when they are wrong.
    mutating func receive(_ text: [UInt8], signer: (ChannelCredentials) -> Address?) -> [ChannelAction] {
        switch Request(parsing: text) {
        case .ping: return [.send(Array("PONG".utf8))]
        case .authenticate(let credentials, let markets):
            // The venue closes without an explanation.
            guard let signer = signer(credentials) else { return [.close(code: Self.unauthorized)] }
            self.signer = signer
            self.apiKey = credentials.apiKey
            self.markets = markets.map { Set($0) }
            return []
        case .subscribe(let markets):
            guard self.signer != nil else { return [.close(code: Self.unauthorized)] }
            // Who hears of all hears of these already.
            let room = Self.marketCountMax - (self.markets?.count ?? 0)
            self.markets?.formUnion(markets.prefix(max(0, room)))
            return []
        case .unsubscribe(let markets):
            guard self.signer != nil else { return [.close(code: Self.unauthorized)] }
            // The last one taken away leaves none, not all.
            self.markets?.subtract(markets)
            return []
        case .invalid:
            guard self.signer != nil else { return [.close(code: Self.unauthorized)] }
            return [.send(Array("INVALID OPERATION".utf8))]
        }
    }

    func wants(_ message: UserMessage) -> Bool {
        message.signer == self.signer && (self.markets?.contains(message.market) ?? true)
    }
}
