import Shared

/// Makes up the markets: windows on the current clock, dated Yes/No markets, and decoys among them.
///
/// Ids come from the seed and the market's name, so that a venue started again with the same seed on the same day lists
/// the same markets.
struct Catalogue: Sendable {
    /// An underlying price that windows are about.
    struct Asset: Hashable, Sendable {
        let symbol: String
        let name: String
        /// First threshold of its dated markets, and the step to the next, in dollars.
        let threshold: Int
        let step: Int
    }

    /// A recurring family of windows.
    struct Family: Hashable, Sendable {
        let asset: Int
        /// Seconds: 300 or 900.
        let length: Int64
    }

    static let assets = [
        Asset(symbol: "btc", name: "Bitcoin", threshold: 88_000, step: 2_000),
        Asset(symbol: "eth", name: "Ethereum", threshold: 2_800, step: 100),
        Asset(symbol: "sol", name: "Solana", threshold: 130, step: 5),
        Asset(symbol: "xrp", name: "XRP", threshold: 2, step: 1),
    ]
    static let families = [
        Family(asset: 0, length: 300), Family(asset: 1, length: 300), Family(asset: 0, length: 900),
        Family(asset: 2, length: 300), Family(asset: 3, length: 300), Family(asset: 1, length: 900),
        Family(asset: 2, length: 900), Family(asset: 3, length: 900),
    ]
    /// Most markets of one event of dated markets.
    static let eventSize = 4
    /// One decoy is listed for so many tradable markets.
    static let marketsPerDecoy = 6
    private static let dayCount = 60

    private let seed: UInt64
    private var nextID = 500_000
    private var nextEventID = 90_000

    init(seed: UInt64) { self.seed = seed }

    /// Families that a venue of `marketCount` tradable markets has; each has two windows listed at a time.
    static func familyCount(for marketCount: Int) -> Int { min(Self.families.count, (marketCount + 3) / 8) }

    /// The window of `family` that starts at `start` (seconds since 1970).
    mutating func window(_ family: Family, start: Int64, hasher: inout BookHasher) -> ListedMarket {
        let asset = Self.assets[family.asset]
        let slug = "\(asset.symbol)-updown-\(family.length / 60)m-\(start)"
        let title =
            "\(asset.name) Up or Down - \(CalendarDate.rfc3339(start)) "
            + "to \(CalendarDate.rfc3339(start + family.length))"
        let startTime = Timestamp(seconds: start)
        let endTime = Timestamp(seconds: start + family.length)
        let event = self.makeEvent(
            slug: slug, title: title, series: "\(asset.symbol)-up-or-down-\(family.length / 60)m", isNegRisk: false,
            startTime: startTime, endTime: endTime)
        let terms = Terms(
            tick: .cent, isNegRisk: false, feeRate: 70_000, feeType: "crypto_fees_v2", hasTakerDelay: true,
            settlement: .chainlinkTWAP60, asset: asset.symbol)
        return self.make(
            kind: .window(asset: family.asset, length: family.length, start: start), event: event, slug: slug,
            question: title,
            labels: ("Up", "Down"), terms: terms, endTime: endTime, listedTime: startTime + .seconds(-86_400),
            bookTime: start * 1_000, hasher: &hasher)
    }

    /// `count` dated markets in events of one to `eventSize`, with decoys among them. `now` in milliseconds.
    mutating func dated(count: Int, now: Int64, hasher: inout BookHasher) -> [ListedMarket] {
        var markets: [ListedMarket] = []
        var made = 0
        var decoyCount = 0
        var eventIndex = 0
        while made < count {
            let size = min(count - made, 1 + eventIndex % Self.eventSize)
            let event = self.datedEvent(eventIndex, now: now)
            for member in 0..<size {
                markets.append(
                    self.member(member, of: event, index: eventIndex, kind: .dated, now: now, hasher: &hasher))
                made += 1
                if made % Self.marketsPerDecoy == 0 || made == count {
                    let reason = ListedMarket.Decoy.allCases[decoyCount % ListedMarket.Decoy.allCases.count]
                    decoyCount += 1
                    markets.append(
                        self.member(
                            Self.eventSize + decoyCount, of: event, index: eventIndex, kind: .decoy(reason), now: now,
                            hasher: &hasher))
                }
            }
            eventIndex += 1
        }
        return markets
    }

    private mutating func datedEvent(_ index: Int, now: Int64) -> ListedEvent {
        let asset = Self.assets[index % Self.assets.count]
        let round = index / Self.assets.count
        let midnight = now / 1_000 / CalendarDate.secondsInDay * CalendarDate.secondsInDay
        // 17:00 UTC, a week from now and later.
        let end = midnight + Int64(7 + round % Self.dayCount) * CalendarDate.secondsInDay + 61_200
        let date = CalendarDate(secondsSince1970: end)
        // Every fourth event is one of which exactly one market wins.
        let isNegRisk = index % 4 == 3
        let verb = isNegRisk ? "close between" : "be above"
        let suffix = round / Self.dayCount == 0 ? "" : "-\(round / Self.dayCount + 1)"
        return self.makeEvent(
            slug:
                "\(asset.name.lowercased())-\(isNegRisk ? "price" : "above")-on-"
                + "\(date.monthName.lowercased())-\(date.day)\(suffix)",
            title: "Where will \(asset.name) \(verb) on \(date.monthName) \(date.day)?", series: nil,
            isNegRisk: isNegRisk,
            startTime: nil, endTime: Timestamp(seconds: end))
    }

    private mutating func member(
        _ member: Int, of event: ListedEvent, index: Int, kind: ListedMarket.Kind, now: Int64, hasher: inout BookHasher
    ) -> ListedMarket {
        let asset = Self.assets[index % Self.assets.count]
        let round = index / Self.assets.count / Self.dayCount
        let low = asset.threshold + asset.step * (member + Self.eventSize * round)
        let date = CalendarDate(secondsSince1970: event.endTime.microseconds / 1_000_000)
        let what = event.isNegRisk ? "close between $\(low) and $\(low + asset.step)" : "be above $\(low)"
        let slug =
            "will-\(asset.name.lowercased())-\(event.isNegRisk ? "close-at" : "be-above")-\(low)-on-"
            + "\(date.monthName.lowercased())-\(date.day)\(round == 0 ? "" : "-\(round + 1)")"
        var random = SeededRandom(seed: self.seed, name: "terms " + slug)
        let hasFee = !random.chance(0.2)
        var endTime = event.endTime
        if kind == .decoy(.ended) { endTime = Timestamp(milliseconds: now) + .seconds(-3 * 86_400) }
        let terms = Terms(
            tick: random.chance(0.2) ? TickSize(micros: 1_000)! : .cent, isNegRisk: event.isNegRisk,
            feeRate: hasFee ? 70_000 : 0, feeType: hasFee ? "crypto_fees_v2" : nil, hasTakerDelay: false,
            settlement: .other,
            asset: asset.symbol)
        return self.make(
            kind: kind, event: event, slug: slug,
            question: "Will \(asset.name) \(what) on \(date.monthName) \(date.day)?",
            labels: random.chance(0.25) ? ("No", "Yes") : ("Yes", "No"), terms: terms, endTime: endTime,
            listedTime: Timestamp(milliseconds: now) + .seconds(-86_400 * Int64(1 + random.below(30))), bookTime: now,
            hasher: &hasher)
    }

    // MARK: Parts

    private struct Terms {
        let tick: TickSize
        let isNegRisk: Bool
        let feeRate: Int64
        let feeType: String?
        let hasTakerDelay: Bool
        let settlement: SettlementSource
        let asset: String
    }

    private mutating func makeEvent(
        slug: String, title: String, series: String?, isNegRisk: Bool, startTime: Timestamp?, endTime: Timestamp
    ) -> ListedEvent {
        self.nextEventID += 1
        return ListedEvent(
            id: self.nextEventID, slug: slug, title: title, series: series, isNegRisk: isNegRisk, startTime: startTime,
            endTime: endTime)
    }

    private mutating func make(
        kind: ListedMarket.Kind, event: ListedEvent, slug: String, question: String, labels: (String, String),
        terms: Terms,
        endTime: Timestamp, listedTime: Timestamp, bookTime: Int64, hasher: inout BookHasher
    ) -> ListedMarket {
        self.nextID += 1
        var random = SeededRandom(seed: self.seed, name: slug)
        let market = Market(
            condition: ConditionID(words: random.words()), slug: slug, question: question,
            first: Outcome(label: labels.0, token: TokenID(words: random.words())),
            second: Outcome(label: labels.1, token: TokenID(words: random.words())), tick: terms.tick,
            sizeMin: Quantity(shares: 5), isNegRisk: terms.isNegRisk, event: event.slug, startTime: event.startTime,
            endTime: endTime, feeRate: terms.feeRate, feeExponent: 1, hasTakerDelay: terms.hasTakerDelay,
            rewards: RewardTerms(
                sizeMin: Quantity(shares: 50), spreadMax: 45_000,
                daily: Money(micros: Int64(5 + random.below(20)) * 1_000_000)),
            settlement: terms.settlement, asset: terms.asset)
        var listed = ListedMarket(
            id: self.nextID, kind: kind, event: event, market: market, feeType: terms.feeType, listedTime: listedTime,
            bookTime: bookTime, hasher: &hasher)
        if case .decoy(let reason) = kind {
            switch reason {
            case .closed:
                listed.isClosed = true
                listed.winner = 0
                listed.resolutionStatus = "resolved"
            case .notAccepting: listed.acceptsOrders = false
            case .ended: break
            case .noOrderBook: listed.hasOrderBook = false
            case .resolving: listed.resolutionStatus = "proposed"
            }
        }
        return listed
    }
}
