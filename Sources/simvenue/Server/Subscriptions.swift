import Shared

/// What one connection subscribed to, by slot, so that the question asked for every message is one look-up.
struct Subscriptions: Sendable {
    /// Outcomes in the two low bits, those with custom features in the next two.
    private var bits: [UInt8] = []
    /// Ids subscribed to.
    private(set) var count = 0
    private var featureCount = 0

    /// - Returns: `false` when the id was there already; its custom features are then switched in place.
    mutating func add(_ place: MarketRegister.TokenPlace, wantsFeatures: Bool) -> Bool {
        while self.bits.count <= place.slot { self.bits.append(0) }
        let bit: UInt8 = 1 << UInt8(place.outcome)
        let isNew = self.bits[place.slot] & bit == 0
        self.remove(place)
        self.bits[place.slot] |= bit | (wantsFeatures ? bit << 2 : 0)
        self.count += 1
        if wantsFeatures { self.featureCount += 1 }
        return isNew
    }

    mutating func remove(_ place: MarketRegister.TokenPlace) {
        guard place.slot < self.bits.count else { return }
        let bit: UInt8 = 1 << UInt8(place.outcome)
        guard self.bits[place.slot] & bit != 0 else { return }
        self.count -= 1
        if self.bits[place.slot] & (bit << 2) != 0 { self.featureCount -= 1 }
        self.bits[place.slot] &= ~(bit | bit << 2)
    }

    mutating func forget(slot: Int) {
        self.remove(MarketRegister.TokenPlace(slot: slot, outcome: 0))
        self.remove(MarketRegister.TokenPlace(slot: slot, outcome: 1))
    }

    func wants(_ entry: MessageBatch.Entry) -> Bool {
        self.wants(entry.audience) || entry.others.contains { self.wants($0) }
    }

    private func wants(_ audience: Audience) -> Bool {
        guard let slot = audience.slot else { return (audience.needsFeatures ? self.featureCount : self.count) > 0 }
        guard slot < self.bits.count else { return false }
        return self.bits[slot] & (audience.needsFeatures ? audience.tokens << 2 : audience.tokens) != 0
    }
}

/// A text that a subscriber sent. Source: reference, 3.1.
enum SubscriberMessage: Hashable, Sendable {
    /// Ids of one message; more make it invalid.
    static let tokenCountMax = 10_000

    case ping
    case subscribe([TokenID], wantsFeatures: Bool, wantsDump: Bool)
    case unsubscribe([TokenID])
    /// Answered with "INVALID OPERATION".
    case invalid

    init(parsing text: [UInt8]) {
        if text.elementsEqual("PING".utf8) {
            self = .ping
            return
        }
        guard let value = try? JSONValue(parsing: text), let ids = value["assets_ids"]?.array,
            ids.count <= Self.tokenCountMax
        else {
            self = .invalid
            return
        }
        // An id that is none is passed over like one that nobody knows.
        let tokens = ids.compactMap { $0.string.flatMap { TokenID($0) } }
        switch (value["operation"]?.string, value["type"]?.string?.lowercased()) {
        case ("unsubscribe", _): self = .unsubscribe(tokens)
        case ("subscribe", _), (nil, "market"):
            self = .subscribe(
                tokens, wantsFeatures: value["custom_feature_enabled"]?.bool ?? false,
                wantsDump: value["initial_dump"]?.bool ?? true)
        default: self = .invalid
        }
    }
}
