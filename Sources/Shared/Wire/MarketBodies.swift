extension Market {
    /// Appends the members that `market`, `universe` and `market_added` share.
    func writeMembers(to writer: inout JSONWriter) {
        writer.string("market", self.condition.description)
        writer.string("slug", self.slug)
        writer.string("question", self.question)
        writer.key("outcomes")
        writer.array {
            for outcome in [self.first, self.second] {
                $0.object {
                    $0.string("label", outcome.label)
                    $0.string("token", outcome.token.description)
                }
            }
        }
        writer.integer("tick", self.tick.micros)
        writer.integer("min_size", self.sizeMin.micros)
        writer.bool("neg_risk", self.isNegRisk)
        if self.isAugmented { writer.bool("augmented", true) }
        writer.string("event", self.event)
        if let startTime = self.startTime { writer.time("start_time", startTime) }
        writer.time("end_time", self.endTime)
        writer.integer("fee_rate", self.feeRate)
        writer.integer("fee_exponent", self.feeExponent)
        if self.rebateRate > 0 { writer.integer("rebate_rate", self.rebateRate) }
        writer.bool("taker_delay", self.hasTakerDelay)
        if self.takerDelaySeconds > 0 { writer.integer("taker_delay_s", self.takerDelaySeconds) }
        if let rewards = self.rewards {
            writer.key("rewards")
            writer.object {
                $0.integer("min_size", rewards.sizeMin.micros)
                $0.integer("max_spread", rewards.spreadMax)
                $0.integer("daily", rewards.daily.micros)
            }
        }
        writer.string("settlement", self.settlement.rawValue)
        if !self.resolutionSource.isEmpty { writer.string("resolution_source", self.resolutionSource) }
        if let asset = self.asset { writer.string("asset", asset) }
    }

    init(_ fields: Fields) throws(JSONError) {
        var outcomes: [Outcome] = []
        for value in try fields.array("outcomes") {
            let outcome = try Fields(value)
            outcomes.append(Outcome(label: try outcome.string("label"), token: try outcome.token("token")))
        }
        guard outcomes.count == 2 else { throw JSONError(.wrongValue, at: 0, member: "outcomes") }
        guard let tick = TickSize(micros: try fields.integer("tick")) else {
            throw JSONError(.wrongValue, at: 0, member: "tick")
        }
        let (feeRate, feeExponent) = (try fields.integer("fee_rate"), try fields.integer("fee_exponent"))
        guard (0...Self.feeRateMax).contains(feeRate), (0...Self.feeExponentMax).contains(feeExponent) else {
            throw JSONError(.wrongValue, at: 0, member: "fee_rate, fee_exponent")
        }
        var rewards: RewardTerms?
        if let value = fields["rewards"] {
            let terms = try Fields(value)
            rewards = RewardTerms(
                sizeMin: try terms.quantity("min_size"), spreadMax: try terms.integer("max_spread"),
                daily: try terms.money("daily"))
        }
        self.init(
            condition: try fields.condition("market"), slug: try fields.string("slug"),
            question: try fields.string("question"), first: outcomes[0], second: outcomes[1], tick: tick,
            sizeMin: try fields.quantity("min_size"), isNegRisk: try fields.bool("neg_risk"),
            event: try fields.string("event"),
            startTime: fields["start_time"] == nil ? nil : try fields.time("start_time"),
            endTime: try fields.time("end_time"), feeRate: feeRate, feeExponent: feeExponent,
            hasTakerDelay: try fields.bool("taker_delay"),
            rewards: rewards, settlement: try fields.word("settlement"), asset: try fields.optionalString("asset"))
        self.isAugmented = fields["augmented"] == nil ? false : try fields.bool("augmented")
        self.rebateRate = try fields.optionalInteger("rebate_rate") ?? 0
        self.takerDelaySeconds = try fields.optionalInteger("taker_delay_s") ?? 0
        self.resolutionSource = try fields.optionalString("resolution_source") ?? ""
    }
}

/// A market that `feedd` carries, with the number that its hot frames use.
public struct MarketBody: FrameBody, Hashable {
    public static let type = FrameType.market
    /// Good for the life of the publisher's instance.
    public let n: Int64
    public let market: Market

    public init(n: Int64, market: Market) {
        self.n = n
        self.market = market
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(n: try fields.integer("n"), market: try Market(fields))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("n", self.n)
            self.market.writeMembers(to: &$0)
        }
    }
}

/// Every market that is watched; long lists come in parts.
public struct UniverseBody: FrameBody, Hashable {
    public static let type = FrameType.universe
    /// Markets in one frame.
    public static let partMarketCountMax = 400
    /// Bytes of them: leaves room for one market of any size that `Market.textByteCountMax` allows.
    static let partByteCountMax = 512 << 10

    public let markets: [Market]
    /// How old the listing is, in microseconds.
    public let age: Int64
    /// Counted from 1.
    public let part: Int64
    public let parts: Int64

    public init(markets: [Market], age: Int64, part: Int64 = 1, parts: Int64 = 1) {
        self.markets = markets
        self.age = age
        self.part = part
        self.parts = parts
    }

    /// As many bodies as the frames' bound demands; one when there is nothing.
    public static func split(_ markets: [Market], age: Int64) -> [UniverseBody] {
        var slices: [[Market]] = [[]]
        var byteCount = 0
        var writer = JSONWriter()
        for market in markets {
            writer.clear()
            writer.object { market.writeMembers(to: &$0) }
            byteCount += writer.bytes.count
            if slices[slices.count - 1].count == Self.partMarketCountMax || byteCount > Self.partByteCountMax {
                slices.append([])
                byteCount = writer.bytes.count
            }
            slices[slices.count - 1].append(market)
        }
        return slices.enumerated().map { part, slice in
            UniverseBody(markets: slice, age: age, part: Int64(part + 1), parts: Int64(slices.count))
        }
    }

    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        var markets: [Market] = []
        for value in try fields.array("markets") { markets.append(try Market(try Fields(value))) }
        self.init(
            markets: markets, age: try fields.integer("age"), part: try fields.optionalInteger("part") ?? 1,
            parts: try fields.optionalInteger("parts") ?? 1)
    }

    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("markets")
            $0.array { for market in self.markets { $0.object { market.writeMembers(to: &$0) } } }
            $0.integer("age", self.age)
            if self.parts > 1 {
                $0.integer("part", self.part)
                $0.integer("parts", self.parts)
            }
        }
    }
}

/// A market that came into the universe.
public struct MarketAdded: FrameBody, Hashable {
    public static let type = FrameType.marketAdded
    public let market: Market
    public init(market: Market) { self.market = market }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        self.init(market: try Market(try Fields(reading: &reader)))
    }
    public func write(to writer: inout JSONWriter) { writer.object { self.market.writeMembers(to: &$0) } }
}

/// A watched market whose terms changed, and which ones.
public struct MarketChanged: FrameBody, Hashable {
    public static let type = FrameType.marketChanged
    public let market: Market
    /// Names of the members that differ, sorted.
    public let changed: [String]
    /// What they were before; the new values stand in the market. A member that was absent is absent here.
    public let old: [String: JSONValue]

    public init(market: Market, changed: [String], old: [String: JSONValue]) {
        self.market = market
        self.changed = changed
        self.old = old
    }

    /// - Returns: `nil` when nothing differs.
    public init?(from old: Market, to new: Market) {
        let (before, after) = (old.members, new.members)
        let names = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
        guard !names.isEmpty else { return nil }
        self.init(market: new, changed: names, old: before.filter { names.contains($0.key) })
    }

    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            market: try Market(fields), changed: try fields.strings("changed"), old: try fields.object("old"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            self.market.writeMembers(to: &$0)
            $0.key("changed")
            $0.array { for name in self.changed { $0.string(name) } }
            $0.key("old")
            JSONValue.object(self.old).write(to: &$0)
        }
    }
}

extension Market {
    /// As frames show them, by name.
    var members: [String: JSONValue] {
        var writer = JSONWriter()
        writer.object { self.writeMembers(to: &$0) }
        return (try? JSONValue(parsing: writer.bytes))?.object ?? [:]
    }
}

/// A market that is watched no more.
public struct MarketRemoved: FrameBody, Hashable {
    public static let type = FrameType.marketRemoved
    public enum Reason: String, CaseIterable, Sendable { case ended, resolved, filtered, outranked, unlisted }
    public let market: ConditionID
    public let reason: Reason

    public init(market: ConditionID, reason: Reason) {
        self.market = market
        self.reason = reason
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(market: try fields.condition("market"), reason: try fields.word("reason"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("market", self.market.description)
            $0.string("reason", self.reason.rawValue)
        }
    }
}

/// How the last pass over the listing went.
public struct ScanStatus: FrameBody, Hashable {
    public static let type = FrameType.scanStatus
    /// Markets in the universe.
    public let markets: Int64
    /// Markets read in the last whole pass.
    public let listed: Int64
    /// Refused in it, by reason.
    public let refused: [String: Int64]
    /// Of the listing, microseconds; -1 before the first pass.
    public let age: Int64
    /// What went wrong since the last whole pass.
    public let error: String?

    public init(markets: Int64, listed: Int64, refused: [String: Int64], age: Int64, error: String?) {
        self.markets = markets
        self.listed = listed
        self.refused = refused
        self.age = age
        self.error = error
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            markets: try fields.integer("markets"), listed: try fields.integer("listed"),
            refused: try fields.counters("refused"), age: try fields.integer("age"),
            error: try fields.optionalString("error"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("markets", self.markets)
            $0.integer("listed", self.listed)
            $0.counters("refused", self.refused)
            $0.integer("age", self.age)
            if let error = self.error { $0.string("error", error) }
        }
    }
}
