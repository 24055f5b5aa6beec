import Shared

/// What the full listing holds beside windows: all kinds of events, and one at least of everything that looks like a
/// market and must be refused.
extension Catalogue {
    /// A kind of event that is not about a price at an hour. Names and rates of fees: reference, 2.10.
    private struct Subject {
        let slug: String
        let title: String
        /// What the event's markets are called; one for a market of its own.
        let outcomes: [String]
        let tags: [ListedTag]
        var isNegRisk = false
        var isAugmented = false
        var feeType: String?
        var feeRate: Int64 = 0
        var tick: Int64 = 10_000
        var secondsDelay: Int64 = 0
    }

    private static let subjects = [
        Subject(
            slug: "fed-decision", title: "Fed decision",
            outcomes: ["50+ bps decrease", "25 bps decrease", "No change", "25+ bps increase"], tags: [.economy],
            isNegRisk: true, feeType: "economics_fees", feeRate: 50_000, tick: 1_000),
        Subject(
            slug: "madrid-vs-milan", title: "Madrid vs. Milan", outcomes: ["Madrid", "Draw", "Milan"], tags: [.sports],
            isNegRisk: true, feeType: "sports_fees_v3", feeRate: 50_000, secondsDelay: 3),
        Subject(
            slug: "bitcoin-dominance-above-60", title: "Bitcoin dominance above 60%", outcomes: [""],
            tags: [.crypto, .bitcoin], feeType: "crypto_fees_v2", feeRate: 70_000),
        Subject(
            slug: "presidential-nominee", title: "Presidential nominee",
            outcomes: ["Alvarez", "Brandt", "Castellano", "Duval", "Eriksen"], tags: [.politics], isNegRisk: true,
            isAugmented: true, feeType: "politics_fees", feeRate: 40_000, tick: 1_000),
        Subject(
            slug: "ceasefire-signed", title: "Ceasefire signed", outcomes: [""], tags: [.politics], tick: 100_000),
        Subject(
            slug: "highest-temperature-in-london", title: "Highest temperature in London",
            outcomes: ["8°C or below", "9°C", "10°C", "11°C", "12°C or higher"], tags: [.weather], isNegRisk: true,
            feeType: "weather_fees", feeRate: 50_000, tick: 5_000),
        Subject(
            slug: "first-set-winner", title: "First set winner", outcomes: [""], tags: [.sports],
            feeType: "sports_fees_v3", feeRate: 50_000, secondsDelay: 1),
        Subject(
            slug: "ethereum-all-time-high", title: "Ethereum all time high", outcomes: [""], tags: [.crypto],
            feeType: "crypto_fees_v2", feeRate: 70_000, tick: 100),
        Subject(
            slug: "inflation-above-3", title: "Inflation above 3%", outcomes: [""], tags: [.economy],
            feeType: "economics_fees", feeRate: 50_000, tick: 2_500),
    ]
    /// Outcomes of an augmented event that are to be named later.
    private static let placeholders = ["Person A", "Person B"]
    /// The outcome of an augmented event that wins when no named one does.
    private static let other = "Other"
    /// One market in so many of the full listing ended long ago, and as many are closed.
    private static let marketsPerZombie = 10

    /// What is listed beside the windows: `count` tradable markets, and those that are not. `now` in milliseconds.
    mutating func rest(
        _ settings: SimulatedVenue.Settings, count: Int, now: Int64, _ hasher: inout BookHasher
    ) -> [ListedMarket] {
        switch settings.listing {
        case .plain: return self.dated(count: count, now: now, hasher: &hasher)
        case .full:
            var markets = self.dated(count: count / 2, now: now, hasher: &hasher)
            markets += self.subjects(count: count - count / 2, now: now, &hasher)
            let zombieCount = settings.marketCount / Self.marketsPerZombie
            let decoys =
                ListedMarket.Decoy.allCases + repeatElement(.ended, count: zombieCount)
                + repeatElement(.closed, count: zombieCount)
            for (index, decoy) in decoys.enumerated() {
                markets.append(self.decoy(decoy, index, now: now, &hasher))
            }
            for index in markets.indices { self.vary(&markets[index]) }
            return markets
        }
    }

    /// Members that come and go with a market's age.
    private func vary(_ listed: inout ListedMarket) {
        var random = SeededRandom(seed: self.seed, name: "members " + listed.market.slug)
        listed.showsPositions = random.chance(0.5) || listed.decoy == .otherProtocol
        listed.showsVersion = listed.showsPositions || random.chance(0.8)
    }

    // MARK: Subjects

    private mutating func subjects(count: Int, now: Int64, _ hasher: inout BookHasher) -> [ListedMarket] {
        var markets: [ListedMarket] = []
        var made = 0
        var index = 0
        while made < count {
            let subject = Self.subjects[index % Self.subjects.count]
            let tradableCount = subject.outcomes.count + (subject.isAugmented ? 1 : 0)
            // An event with half of its outcomes would be none.
            if made + tradableCount <= count {
                markets += self.event(subject, round: index / Self.subjects.count, now: now, &hasher)
                made += tradableCount
            }
            index += 1
        }
        return markets
    }

    private mutating func event(
        _ subject: Subject, round: Int, now: Int64, _ hasher: inout BookHasher
    ) -> [ListedMarket] {
        let midnight = now / 1_000 / CalendarDate.secondsInDay * CalendarDate.secondsInDay
        let end = midnight + Int64(2 + round % Self.dayCount) * CalendarDate.secondsInDay
        let date = CalendarDate(secondsSince1970: end)
        let suffix = round < Self.dayCount ? "" : "-\(round / Self.dayCount + 1)"
        let day = "\(date.monthName) \(date.day)"
        let slug = "\(subject.slug)-\(date.monthName.lowercased())-\(date.day)\(suffix)"
        let event = self.makeEvent(
            slug: slug, title: "\(subject.title) on \(day)?", isNegRisk: subject.isNegRisk,
            isAugmented: subject.isAugmented, endTime: Timestamp(seconds: end), tags: subject.tags)
        var names = subject.outcomes.map { (name: $0, kind: ListedMarket.Kind.dated) }
        if subject.isAugmented {
            names += Self.placeholders.map { ($0, .decoy(.inactive)) }
            names.append((Self.other, .dated))
        }
        var random = SeededRandom(seed: self.seed, name: "shares " + slug)
        let shares = names.map { $0.kind == .dated ? 0.3 + random.unit() : 0 }
        let total = shares.reduce(0, +)
        let tick = TickSize(micros: subject.tick)!
        return names.enumerated().map { place, named in
            let terms = Terms(
                tick: tick, isNegRisk: subject.isNegRisk, feeRate: subject.feeRate, feeType: subject.feeType,
                hasTakerDelay: subject.secondsDelay > 0 || subject.feeType == "crypto_fees_v2")
            let isAlone = named.name.isEmpty
            var listed = self.make(
                kind: named.kind, event: event, slug: isAlone ? slug : "\(slug)-\(Self.slug(named.name))",
                question: isAlone ? event.title : "\(subject.title) on \(day): \(named.name)?", labels: ("Yes", "No"),
                terms: terms, endTime: event.endTime, listedTime: Timestamp(milliseconds: now) + .seconds(-86_400),
                bookTime: now, hasher: &hasher)
            listed.secondsDelay = subject.secondsDelay
            listed.groupTitle = isAlone ? nil : named.name
            listed.groupPlace = place
            listed.isNegRiskOther = named.name == Self.other
            // The chances of outcomes of which one wins add up to one.
            if subject.isNegRisk && total > 0 { listed.fairBase = min(max(shares[place] / total, 0.02), 0.98) }
            return listed
        }
    }

    /// "8°C or below" as "8-c-or-below".
    private static func slug(_ name: String) -> String {
        var slug = ""
        for character in name.lowercased() {
            if character.isASCII && (character.isLetter || character.isNumber) {
                slug.append(character)
            } else if slug.last != "-" {
                slug.append("-")
            }
        }
        return slug.last == "-" ? String(slug.dropLast()) : slug
    }

    // MARK: Decoys

    /// A market of its own that keywords would find, and that cannot be traded for `reason`.
    private mutating func decoy(
        _ reason: ListedMarket.Decoy, _ index: Int, now: Int64, _ hasher: inout BookHasher
    ) -> ListedMarket {
        let isPast = reason == .ended || reason == .closed
        let midnight = now / 1_000 / CalendarDate.secondsInDay * CalendarDate.secondsInDay
        let end = midnight + (isPast ? -3 * Int64(1 + index) : 30) * CalendarDate.secondsInDay
        let date = CalendarDate(secondsSince1970: end)
        let threshold = 50_000 + 100 * index
        let slug = "bitcoin-above-\(threshold)-on-\(date.monthName.lowercased())-\(date.day)-\(date.year)"
        let question = "Bitcoin above $\(threshold) on \(date.monthName) \(date.day), \(date.year)?"
        let event = self.makeEvent(
            slug: slug, title: question, isNegRisk: false, endTime: Timestamp(seconds: end), tags: [.crypto, .bitcoin])
        let terms = Terms(
            tick: .cent, isNegRisk: false, feeRate: 70_000, feeType: "crypto_fees_v2", hasTakerDelay: true)
        return self.make(
            kind: .decoy(reason), event: event, slug: slug, question: question, labels: ("Yes", "No"), terms: terms,
            endTime: event.endTime, listedTime: Timestamp(seconds: min(end, midnight) - 30 * CalendarDate.secondsInDay),
            bookTime: now, hasher: &hasher)
    }
}
