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

    static let assets = [
        Asset(symbol: "btc", name: "Bitcoin", threshold: 88_000, step: 2_000),
        Asset(symbol: "eth", name: "Ethereum", threshold: 2_800, step: 100),
        Asset(symbol: "sol", name: "Solana", threshold: 130, step: 5),
        Asset(symbol: "xrp", name: "XRP", threshold: 2, step: 1),
    ]
    /// Families of the plain listing, the first first.
    private static let families = [
        WindowFamily(asset: 0, length: 300), WindowFamily(asset: 1, length: 300), WindowFamily(asset: 0, length: 900),
        WindowFamily(asset: 2, length: 300), WindowFamily(asset: 3, length: 300), WindowFamily(asset: 1, length: 900),
        WindowFamily(asset: 2, length: 900), WindowFamily(asset: 3, length: 900),
    ]
    /// Every length for every asset.
    static let allFamilies = [300, 900, 3_600, 14_400].flatMap { length in
        Self.assets.indices.map { WindowFamily(asset: $0, length: length) }
    }
    /// Most markets of one event of dated markets.
    static let eventSize = 4
    /// One decoy is listed for so many tradable markets.
    static let marketsPerDecoy = 6
    static let dayCount = 60
    /// The full listing has a window of each family for so many markets.
    private static let marketsPerWindow = 32

    let seed: UInt64
    private var nextID = 500_000
    private var nextEventID = 90_000
    /// Markets that were asked for.
    private var addedCount = 0

    init(seed: UInt64) { self.seed = seed }

    /// Families that a venue has, with how many windows of each are listed at a time: the running one and those ahead.
    static func plan(_ settings: SimulatedVenue.Settings) -> [(family: WindowFamily, windowCount: Int)] {
        switch settings.listing {
        case .plain:
            let count = min(Self.families.count, (settings.marketCount + 3) / 8)
            return Self.families.prefix(count).map { ($0, 2) }
        case .full:
            let wanted = max(2, settings.marketCount / Self.marketsPerWindow)
            // The venue lists a day ahead.
            return Self.allFamilies.map { ($0, min(1 + Int(CalendarDate.secondsInDay / $0.length), wanted)) }
        }
    }

    /// The window of `family` that starts at `start` (seconds since 1970).
    mutating func window(_ family: WindowFamily, start: Int64, hasher: inout BookHasher) -> ListedMarket {
        let asset = Self.assets[family.asset]
        let slug = family.slug(start: start)
        let end = family.end(from: start)
        let title = "\(asset.name) Up or Down - \(CalendarDate.rfc3339(start)) to \(CalendarDate.rfc3339(end))"
        let startTime = Timestamp(seconds: start)
        let endTime = Timestamp(seconds: end)
        let event = self.makeEvent(
            slug: slug, title: title, series: family.series, isNegRisk: false, startTime: startTime, endTime: endTime,
            tags: [.crypto, .upOrDown] + (family.asset == 0 ? [.bitcoin] : []))
        let terms = Terms(
            tick: .cent, isNegRisk: false, feeRate: 70_000, feeType: "crypto_fees_v2", hasTakerDelay: true,
            settlement: family.settlement, asset: asset.symbol)
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
                    let reason = ListedMarket.Decoy.common[decoyCount % ListedMarket.Decoy.common.count]
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
            title: "Where will \(asset.name) \(verb) on \(date.monthName) \(date.day)?", isNegRisk: isNegRisk,
            endTime: Timestamp(seconds: end),
            tags: [.crypto] + (index % Self.assets.count == 0 ? [.bitcoin] : []))
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
            feeRate: hasFee ? 70_000 : 0, feeType: hasFee ? "crypto_fees_v2" : nil, hasTakerDelay: hasFee,
            settlement: .other, asset: nil)
        var listed = self.make(
            kind: kind, event: event, slug: slug,
            question: "Will \(asset.name) \(what) on \(date.monthName) \(date.day)?",
            labels: random.chance(0.25) ? ("No", "Yes") : ("Yes", "No"), terms: terms, endTime: endTime,
            listedTime: Timestamp(milliseconds: now) + .seconds(-86_400 * Int64(1 + random.below(30))), bookTime: now,
            hasher: &hasher)
        listed.groupPlace = member
        return listed
    }

    /// A dated market beside those of the beginning, in an event of its own.
    mutating func another(now: Int64, hasher: inout BookHasher) -> ListedMarket {
        self.addedCount += 1
        let number = self.addedCount
        let midnight = now / 1_000 / CalendarDate.secondsInDay * CalendarDate.secondsInDay
        let question = "Will Bitcoin be the answer to question \(number)?"
        let event = self.makeEvent(
            slug: "added-\(number)", title: question, isNegRisk: false,
            endTime: Timestamp(seconds: midnight + 7 * CalendarDate.secondsInDay), tags: [.crypto, .bitcoin])
        return self.make(
            kind: .dated, event: event, slug: "bitcoin-added-\(number)", question: question, labels: ("Yes", "No"),
            terms: Terms(tick: .cent, isNegRisk: false, feeRate: 0, feeType: nil, hasTakerDelay: false),
            endTime: event.endTime, listedTime: Timestamp(milliseconds: now), bookTime: now, hasher: &hasher)
    }

    // MARK: Parts

    struct Terms {
        var tick: TickSize
        let isNegRisk: Bool
        let feeRate: Int64
        let feeType: String?
        let hasTakerDelay: Bool
        var settlement = SettlementSource.other
        var asset: String?
    }

    mutating func makeEvent(
        slug: String, title: String, series: ListedSeries? = nil, isNegRisk: Bool, isAugmented: Bool = false,
        startTime: Timestamp? = nil, endTime: Timestamp, tags: [ListedTag]
    ) -> ListedEvent {
        self.nextEventID += 1
        return ListedEvent(
            id: self.nextEventID, slug: slug, title: title, series: series, isNegRisk: isNegRisk,
            isAugmented: isAugmented, startTime: startTime, endTime: endTime, tags: tags)
    }

    mutating func make(
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
            case .noOrderBook: listed.hasOrderBook = false
            case .resolving: listed.resolutionStatus = "proposed"
            case .inactive: listed.isActive = false
            case .archived: listed.isArchived = true
            case .ended, .noCondition, .noTokens, .threeOutcomes, .sameOutcomes, .oddTick, .noSizeMin, .noEndDate,
                .oddFees, .otherProtocol:
                break
            }
        }
        return listed
    }
}
