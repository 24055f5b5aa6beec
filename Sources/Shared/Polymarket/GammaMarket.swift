/// Why a listed market is not watched. The names stand in `scan_status` and in `polybot scan-markets --why`.
public enum Refusal: String, Error, CaseIterable, Sendable {
    // What cannot be read is refused with the reason, never guessed.
    case noConditionID = "no_condition_id"
    case noTokens = "no_tokens"
    case notBinary = "not_binary"
    case sameOutcomes = "same_outcomes"
    case badTick = "bad_tick"
    case badSizeMin = "bad_min_size"
    case badDates = "bad_dates"
    case badFees = "bad_fees"
    case unsupportedVersion = "unsupported_version"
    // The venue's own word that it cannot be traded.
    case inactive, closed, archived
    case noOrderBook = "no_order_book"
    case notAccepting = "not_accepting_orders"
    case ended, resolving
    // Ours.
    case keywords
    case excluded = "excluded_keywords"
    case tooLittleTime = "too_little_time"
    case outranked
}

/// One market as the discovery interface lists it. Source: reference of the market object, 1.2.
public enum GammaMarket {
    /// Rewards of one market that are added up.
    private static let rewardCountMax = 100

    /// Reads and judges one listed market.
    ///
    /// - Parameters:
    ///   - event: slug of the event around it, where the listing was of events.
    ///   - now: for the date test; about one "active" market in eight ended long ago.
    public static func read(_ value: JSONValue, event: String? = nil, now: Timestamp) throws(Refusal) -> Market {
        guard value["active"]?.bool == true else { throw .inactive }
        guard value["closed"]?.bool != true else { throw .closed }
        guard value["archived"]?.bool != true else { throw .archived }
        guard value["enableOrderBook"]?.bool == true else { throw .noOrderBook }
        guard value["acceptingOrders"]?.bool == true else { throw .notAccepting }
        guard (value["umaResolutionStatus"]?.string ?? "").isEmpty else { throw .resolving }
        guard let text = value["endDate"]?.string, let endTime = Timestamp(rfc3339: text) else { throw .badDates }
        guard endTime > now else { throw .ended }
        return try Self.terms(value, event: event, endTime: endTime)
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
            guard let startTime, startTime.microseconds >= 0 else { throw .badDates }
        }
        let (feeRate, feeExponent) = try Self.fees(value)
        let slug = Self.text(value["slug"])
        let eventSlug = event ?? Self.text(value["events"]?.array?.first?["slug"])
        return Market(
            condition: condition, slug: slug, question: Self.text(value["question"]), first: first, second: second,
            tick: tick, sizeMin: Quantity(micros: sizeMin), isNegRisk: value["negRisk"]?.bool ?? false,
            event: eventSlug,
            startTime: startTime, endTime: endTime, feeRate: feeRate, feeExponent: feeExponent,
            hasTakerDelay: (value["secondsDelay"]?.integer ?? 0) > 0 || value["feeType"]?.string == "crypto_fees_v2",
            rewards: Self.rewards(value), settlement: Self.settlement(slug: slug), asset: Self.asset(slug: slug))
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

    private static func fees(_ value: JSONValue) throws(Refusal) -> (rate: Int64, exponent: Int64) {
        guard value["feesEnabled"]?.bool == true, let schedule = value["feeSchedule"] else { return (0, 1) }
        guard let rate = schedule["rate"]?.micros, rate <= Market.feeRateMax,
            let exponent = schedule["exponent"]?.micros, exponent % Decimal6.scale == 0,
            exponent / Decimal6.scale <= Market.feeExponentMax
        else { throw .badFees }
        return (rate, exponent / Decimal6.scale)
    }

    private static func rewards(_ value: JSONValue) -> RewardTerms? {
        guard let size = value["rewardsMinSize"]?.micros, let cents = value["rewardsMaxSpread"]?.micros, cents > 0
        else {
            return nil
        }
        let daily =
            value["clobRewards"]?.array?.prefix(Self.rewardCountMax).reduce(Int64(0)) {
                $0 + ($1["rewardsDailyRate"]?.micros ?? 0)
            } ?? 0
        return RewardTerms(sizeMin: Quantity(micros: size), spreadMax: cents / 100, daily: Money(micros: daily))
    }

    private static func settlement(slug: String) -> SettlementSource {
        if ["-updown-5m-", "-updown-15m-", "-updown-4h-"].contains(where: slug.contains) { return .chainlinkTWAP60 }
        return slug.contains("-up-or-down-") && slug.hasSuffix("-et") ? .binance1h : .other
    }

    private static func asset(slug: String) -> String? {
        if let end = slug.range(of: "-updown-") { return String(slug[..<end.lowerBound]) }
        guard Self.settlement(slug: slug) == .binance1h, let end = slug.range(of: "-up-or-down-") else { return nil }
        switch slug[..<end.lowerBound] {
        case "bitcoin": return "btc"
        case "ethereum": return "eth"
        case "solana": return "sol"
        case let name: return String(name)
        }
    }
}

extension StringProtocol {
    /// First place of `text`, without Foundation.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = self.startIndex
        while start < self.endIndex {
            if self[start...].hasPrefix(text) { return start..<self.index(start, offsetBy: text.count) }
            start = self.index(after: start)
        }
        return nil
    }
}
