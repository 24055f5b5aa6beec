/// A market's compact parameters, as the order book service knows them. Source: reference, 2.1, `/clob-markets/{id}`.
public struct ClobTerms: Hashable, Sendable {
    public let condition: ConditionID
    public let first: Outcome
    public let second: Outcome
    public let tick: TickSize
    public let sizeMin: Quantity
    public let acceptsOrders: Bool
    public let isNegRisk: Bool
    /// In millionths.
    public let feeRate: Int64
    public let feeExponent: Int64
    /// Of any length; the listing does not show delays below a second.
    public let hasTakerDelay: Bool

    /// - Throws: when a member is missing or makes no sense; what is false may be left out by the service.
    public init(_ value: JSONValue) throws(JSONError) {
        func need<Value>(_ member: String, _ value: Value?) throws(JSONError) -> Value {
            guard let value else { throw JSONError(.wrongValue, at: 0, member: member) }
            return value
        }
        self.condition = try need("c", value["c"]?.string.flatMap { ConditionID($0) })
        let outcomes = try need("t", value["t"]?.array)
        guard outcomes.count == 2 else { throw JSONError(.wrongValue, at: 0, member: "t") }
        self.first = try need("t", Self.outcome(outcomes[0]))
        self.second = try need("t", Self.outcome(outcomes[1]))
        guard self.first.token != self.second.token, self.first.label != self.second.label else {
            throw JSONError(.wrongValue, at: 0, member: "t")
        }
        self.tick = try need("mts", value["mts"]?.micros.flatMap { TickSize(micros: $0) })
        self.sizeMin = Quantity(micros: try need("mos", value["mos"]?.micros))
        self.acceptsOrders = value["ao"]?.bool ?? false
        self.isNegRisk = value["nr"]?.bool ?? false
        let fees = value["fd"]
        self.feeRate = fees == nil ? 0 : try need("fd", fees?["r"]?.micros)
        let exponent = try need("fd", fees == nil ? Decimal6.scale : fees?["e"]?.micros)
        guard self.feeRate <= Market.feeRateMax, exponent % Decimal6.scale == 0,
            exponent / Decimal6.scale <= Market.feeExponentMax
        else { throw JSONError(.wrongValue, at: 0, member: "fd") }
        self.feeExponent = exponent / Decimal6.scale
        self.hasTakerDelay = value["itode"]?.bool == true || (value["sd"]?.integer ?? 0) > 0
    }

    private static func outcome(_ value: JSONValue) -> Outcome? {
        guard let token = value["t"]?.string.flatMap({ TokenID($0) }), let label = value["o"]?.string,
            label.utf8.count <= Market.textByteCountMax
        else { return nil }
        return Outcome(label: label, token: token)
    }

    /// Whether the listing means the same market. Outcomes are compared by label, in any order.
    func isSameMarket(as market: Market) -> Bool {
        self.condition == market.condition && self.isNegRisk == market.isNegRisk
            && Set([self.first, self.second]) == Set([market.first, market.second])
    }

    /// Whether the listing knows the same rules of it too. The tick is left out: it changes while a market is traded, and
    /// the listing is minutes late.
    public func agrees(with market: Market) -> Bool {
        let isSameFee = self.feeRate == market.feeRate && (self.feeRate == 0 || self.feeExponent == market.feeExponent)
        return self.isSameMarket(as: market) && self.sizeMin == market.sizeMin && isSameFee
    }

    /// Puts what is here in the place of what the listing said: orders are taken by these.
    func apply(to market: inout Market) {
        market.tick = self.tick
        market.sizeMin = self.sizeMin
        market.feeRate = self.feeRate
        if self.feeRate > 0 { market.feeExponent = self.feeExponent }
    }
}
