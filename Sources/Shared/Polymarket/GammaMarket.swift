/// One market as the discovery interface lists it. Source: reference of the market object, 1.2.
public enum GammaMarket {
    /// Rewards of one market that are added up.
    private static let rewardCountMax = 100
    /// Tags that keywords are looked for in.
    private static let tagCountMax = 50
    /// What keywords are looked for in, of a description; real ones have up to about 5,000.
    private static let descriptionByteCountMax = 10_000
    /// Longest delay that is believed.
    private static let delaySecondsMax: Int64 = 3_600
    /// Latest time that is believed: the beginning of the year 2200.
    private static let timeMax = Timestamp(seconds: 7_258_118_400)

    /// Reads and judges one listed market.
    ///
    /// - Parameters:
    ///   - event: slug of the event around it, where the listing was of events.
    ///   - now: for the date test; about one "active" market in eight ended long ago.
    public static func read(_ value: JSONValue, event: String? = nil, now: Timestamp) throws(Refusal) -> Market {
        try Self.candidate(value, event: event, now: now).market
    }

    /// As `read`, with what it is chosen by.
    public static func candidate(
        _ value: JSONValue, event: String? = nil, now: Timestamp
    ) throws(Refusal) -> Candidate {
        guard value["active"]?.bool == true else { throw .inactive }
        guard value["closed"]?.bool != true else { throw .closed }
        guard value["archived"]?.bool != true else { throw .archived }
        guard value["enableOrderBook"]?.bool == true else { throw .noOrderBook }
        guard value["acceptingOrders"]?.bool == true else { throw .notAccepting }
        guard (value["umaResolutionStatus"]?.string ?? "").isEmpty else { throw .resolving }
        guard let text = value["endDate"]?.string, let endTime = Timestamp(rfc3339: text), endTime <= Self.timeMax
        else { throw .badDates }
        guard endTime > now else { throw .ended }
        var candidate = Candidate(try Self.terms(value, event: event, endTime: endTime))
        let parent = value["events"]?.array?.first
        candidate.series = Self.text(parent?["seriesSlug"] ?? parent?["series"]?.array?.first?["slug"])
        candidate.tags = (value["tags"]?.array ?? parent?["tags"]?.array ?? []).prefix(Self.tagCountMax).flatMap {
            [$0["label"], $0["slug"]].compactMap { $0 }.map { Self.text($0) }
        }
        candidate.description = (value["description"]?.string ?? "").shortened(
            toByteCount: Self.descriptionByteCountMax)
        candidate.volume = Self.amount(value["volume24hr"])
        candidate.liquidity = Self.amount(value["liquidityNum"] ?? value["liquidity"])
        candidate.bestBid = Self.price(value["bestBid"])
        candidate.bestAsk = Self.price(value["bestAsk"])
        return candidate
    }

    private static func terms(_ value: JSONValue, event: String?, endTime: Timestamp) throws(Refusal) -> Market {
        guard let condition = value["conditionId"]?.string.flatMap({ ConditionID($0) }) else { throw .noConditionID }
        let (first, second) = try Self.outcomes(value)
        guard let tick = value["orderPriceMinTickSize"]?.micros.flatMap({ TickSize(micros: $0) }) else {
            throw .badTick
        }
        guard let sizeMin = value["orderMinSize"]?.micros, sizeMin > 0 else { throw .badSizeMin }
        var startTime: Timestamp?
        if let text = value["eventStartTime"]?.string {
            startTime = Timestamp(rfc3339: text)
            guard let startTime, startTime.microseconds >= 0, startTime <= Self.timeMax else { throw .badDates }
        }
        let fees = try Self.fees(value)
        let slug = Self.text(value["slug"])
        let parent = value["events"]?.array?.first
        let source = Self.text(value["resolutionSource"])
        guard let delay = (value["secondsDelay"] ?? .number("0")).integer, (0...Self.delaySecondsMax).contains(delay),
            let isNegRisk = (value["negRisk"] ?? .bool(false)).bool,
            let isAugmented = (parent?["negRiskAugmented"] ?? .bool(false)).bool
        else { throw .badTerms }
        var market = Market(
            condition: condition, slug: slug, question: Self.text(value["question"]), first: first, second: second,
            tick: tick, sizeMin: Quantity(micros: sizeMin), isNegRisk: isNegRisk,
            event: event ?? Self.text(parent?["slug"]), startTime: startTime, endTime: endTime, feeRate: fees.rate,
            feeExponent: fees.exponent, hasTakerDelay: delay > 0 || value["feeType"]?.string == "crypto_fees_v2",
            rewards: try Self.rewards(value), settlement: Self.settlement(slug: slug, source: source),
            asset: Self.asset(slug: slug))
        market.isAugmented = isAugmented
        market.rebateRate = fees.rebate
        market.takerDelaySeconds = delay
        market.resolutionSource = source
        return market
    }

    /// Statistics come with any number of places: cut after the sixth, so rounded down.
    static func amount(_ value: JSONValue?) -> Money? {
        let text: String
        switch value {
        case .number(let number)?, .string(let number)?: text = number
        default: return nil
        }
        let whole = text.prefix { $0 != "." }
        return Decimal6.parse(whole.count == text.count ? text[...] : text.prefix(whole.count + 7)).map {
            Money(micros: $0)
        }
    }

    private static func price(_ value: JSONValue?) -> Int64? {
        guard let price = Self.amount(value)?.micros, price <= Decimal6.scale else { return nil }
        return price
    }

    /// A text for people and keywords; whatever the venue's writers do, it fits into a frame.
    private static func text(_ value: JSONValue?) -> String {
        (value?.string ?? "").shortened(toByteCount: Market.textByteCountMax)
    }

    private static func outcomes(_ value: JSONValue) throws(Refusal) -> (Outcome, Outcome) {
        // "v2" names positions of another protocol, which have no book here.
        guard value["version"]?.string ?? "v1" == "v1" else { throw .unsupportedVersion }
        guard let labels = Self.embedded(value["outcomes"]) else { throw .notBinary }
        guard let ids = Self.embedded(value["clobTokenIds"]), !ids.isEmpty else { throw .noTokens }
        guard labels.count == 2, ids.count == 2 else { throw .notBinary }
        // A label is a name to compare by; a cut one would be another.
        guard labels.allSatisfy({ $0.utf8.count <= Market.textByteCountMax }) else { throw .notBinary }
        guard let first = TokenID(ids[0]), let second = TokenID(ids[1]) else { throw .noTokens }
        guard first != second, labels[0] != labels[1] else { throw .sameOutcomes }
        return (Outcome(label: labels[0], token: first), Outcome(label: labels[1], token: second))
    }

    /// A list that comes as JSON inside a string.
    private static func embedded(_ value: JSONValue?) -> [String]? {
        guard let text = value?.string, let list = try? JSONValue(parsing: Array(text.utf8)), let elements = list.array
        else {
            return nil
        }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }

    private static func fees(
        _ value: JSONValue
    ) throws(Refusal) -> (rate: Int64, exponent: Int64, rebate: Int64) {
        guard value["feesEnabled"]?.bool == true, let schedule = value["feeSchedule"] else { return (0, 1, 0) }
        // Who rests an order is nowhere reckoned to pay.
        guard schedule["takerOnly"]?.bool != false else { throw .badFees }
        guard let rate = schedule["rate"]?.micros, rate <= Market.feeRateMax,
            let exponent = schedule["exponent"]?.micros, exponent % Decimal6.scale == 0,
            exponent / Decimal6.scale <= Market.feeExponentMax
        else { throw .badFees }
        guard let rebate = (schedule["rebateRate"] ?? .number("0")).micros, rebate <= Decimal6.scale else {
            throw .badFees
        }
        return (rate, exponent / Decimal6.scale, rebate)
    }

    private static func rewards(_ value: JSONValue) throws(Refusal) -> RewardTerms? {
        guard let sizeMember = value["rewardsMinSize"], let spreadMember = value["rewardsMaxSpread"] else { return nil }
        guard let size = sizeMember.micros, let cents = spreadMember.micros else { throw .badTerms }
        guard cents > 0 else { return nil }
        var daily: Int64 = 0
        for reward in (value["clobRewards"]?.array ?? []).prefix(Self.rewardCountMax) {
            guard let rate = (reward["rewardsDailyRate"] ?? .number("0")).micros else { throw .badTerms }
            daily += rate
        }
        return RewardTerms(sizeMin: Quantity(micros: size), spreadMax: cents / 100, daily: Money(micros: daily))
    }

    /// By the name, unless the venue's own word is another.
    private static func settlement(slug: String, source: String) -> SettlementSource {
        let named = Self.settlement(slug: slug)
        let isSo =
            switch named {
            case .chainlinkTWAP60: source.contains("chain.link")
            case .binance1h: source.contains("binance")
            case .other: true
            }
        return source.isEmpty || isSo ? named : .other
    }

    private static func settlement(slug: String) -> SettlementSource {
        if ["-updown-5m-", "-updown-15m-", "-updown-4h-"].contains(where: slug.contains) { return .chainlinkTWAP60 }
        return slug.contains("-up-or-down-") && slug.hasSuffix("-et") ? .binance1h : .other
    }

    private static func asset(slug: String) -> String? {
        if let end = slug.firstRange(of: "-updown-") { return String(slug[..<end.lowerBound]) }
        guard Self.settlement(slug: slug) == .binance1h, let end = slug.firstRange(of: "-up-or-down-") else {
            return nil
        }
        let name = slug[..<end.lowerBound]
        return RollingSeries.names.first { $0.value == name }?.key ?? String(name)
    }
}
