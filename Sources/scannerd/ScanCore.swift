import Shared

/// Which markets are watched, and what must be asked of the venue to know it, as a value: answers and the time in, requests
/// and changes out.
///
/// The whole listing is read each `fullInterval`. Between, each `interval` is a round: the newest markets, the present and
/// the next windows of the wanted series by their names, and every member once more.
struct ScanCore: Sendable {
    struct Settings: Sendable {
        var interval = Duration.seconds(10)
        var fullInterval = Duration.seconds(600)

        init() {}
    }

    enum Action: Hashable, Sendable {
        case publish(Universe.Change)
        case publishGroup(EventGroup)
        /// There is a universe to speak of from now on; changes follow.
        case ready
        /// Questions to a service began to fail, or do no longer.
        case troubled(ScanRequest.Service, String)
        case recovered(ScanRequest.Service)
    }

    /// Pages of the newest markets in one round.
    static let newestPageCountMax = 5
    /// How often a page whose cursor was there already is asked for.
    static let repeatCountMax = 3
    /// Members whose rules the order book service is asked for in one round: a sixth of them, within these bounds.
    private static let recheckCounts = 10...100
    /// Hints that wait.
    static let hintCountMax = 500
    /// The same hint counts again after this.
    private static let hintRepeatMin = Duration.seconds(5)
    /// New markets that are looked at again until they are ready, and how often.
    static let hydratingCountMax = 200
    static let hydratingLookMax = 60
    /// Events without a known group that are asked about in one round.
    static let groupCountMax = 20
    /// Answers of the order book service that are taken together: each taking looks at all that stand in line.
    private static let termsBatchMax = 100
    /// Until the first universe is published although some of it is not confirmed.
    private static let firstConfirmationMax = Duration.seconds(10)

    /// A reading of pages.
    struct Pass: Sendable {
        var listing: Listing
        let isWhole: Bool
        var cursor: String?
        var pageCount = 0
        var repeatCount = 0
        var isAsked = false
    }

    let settings: Settings
    var universe: Universe
    var pass: Pass?
    /// To be asked next; hints are put before.
    var queue: [ScanRequest.Subject] = []
    var hintCount = 0
    private var hinted: [String: Instant] = [:]
    var terms: [ConditionID] = []
    var termAnswers: [(ConditionID, ClobTerms?)] = []
    var asked: Set<ScanRequest.Subject> = []
    var roundDue: Instant
    var wholeDue: Instant
    var isRoundRunning = false
    var wantsNewest = false
    /// Up to which number all markets were read, as of the last reading of the whole or of the newest.
    var knownID: Int64?
    /// New markets that the venue has not made ready, and how often they were looked at.
    var hydrating: [String: Int] = [:]
    /// The last member whose rules were looked at.
    private var recheckedLast: ConditionID?
    /// Members that were not found, and how often.
    var missing: [ConditionID: Int] = [:]
    var groups: [String: EventGroup] = [:]
    /// The last events that were asked about in turn, without a known group and with one.
    private var unknownGroupLast: String?
    private var knownGroupLast: String?
    var wholePassEndedAt: Instant?

    private(set) var isReady = false
    /// Of the last whole reading.
    var lastWhole: Listing?
    /// When the listing was last read whole; of an earlier life at first.
    var listedTime: Timestamp?
    var health: [ScanRequest.Service: ServiceHealth] = [:]
    /// Whether the last reading of the whole was given up: until one succeeds the listing cannot be read, however well
    /// rounds go.
    var isWholeOwed = false
    var wholePassCount: Int64 = 0
    private(set) var roundCount: Int64 = 0
    /// Readings that were given up, of the whole and of the newest.
    var failedPassCount: Int64 = 0

    init(filter: MarketFilter, settings: Settings, now: Instant) {
        self.universe = Universe(filter: filter, needsConfirmation: true)
        self.settings = settings
        self.roundDue = now
        self.wholeDue = now
    }

    /// Begins with what an earlier life knew.
    mutating func restore(
        _ markets: [Market], pinned: Set<ConditionID> = [], listedTime: Timestamp, time: Timestamp
    ) -> [Action] {
        self.universe.restore(markets, pinned: pinned, now: time)
        self.listedTime = listedTime
        self.isReady = true
        return [.ready]
    }

    /// Why the listing cannot be read, or else the order book service; `nil` while both are well.
    var error: String? { ScanRequest.Service.allCases.lazy.compactMap { self.health[$0]?.error }.first }

    // MARK: Asking

    /// What is to be asked now; `nil` for nothing. Call it again until it is, and answer each with `take`.
    mutating func next(now: Instant, time: Timestamp) -> ScanRequest? {
        self.beginWhatIsDue(now: now, time: time)
        while !self.queue.isEmpty {
            let subject = self.queue.removeFirst()
            self.hintCount = max(0, self.hintCount - 1)
            if self.asked.insert(subject).inserted { return ScanRequest(subject: subject) }
        }
        if self.terms.isEmpty && self.termAnswers.isEmpty && !self.isAskingTerms {
            self.terms = self.universe.toConfirm(now: time).reversed()
        }
        if let condition = self.terms.popLast() {
            let subject = ScanRequest.Subject.terms(condition)
            self.asked.insert(subject)
            return ScanRequest(subject: subject)
        }
        return self.nextPage()
    }

    private mutating func nextPage() -> ScanRequest? {
        guard let pass = self.pass, !pass.isAsked else { return nil }
        self.pass?.isAsked = true
        let subject = ScanRequest.Subject.page(isWhole: pass.isWhole, cursor: pass.cursor)
        self.asked.insert(subject)
        return ScanRequest(subject: subject)
    }

    var isAskingTerms: Bool { self.asked.contains { if case .terms = $0 { true } else { false } } }

    /// When `next` is to be called again although no answer comes.
    func wake(time: Timestamp, now: Instant) -> Instant {
        // A reading goes on with its answers.
        var wake = self.pass == nil ? self.wholeDue : now + self.settings.fullInterval
        if !self.isRoundRunning { wake = min(wake, self.roundDue) }
        if let next = self.universe.nextConfirmation(after: time) {
            wake = min(wake, now + max(.milliseconds(100), next - time))
        }
        return wake
    }

    private mutating func beginWhatIsDue(now: Instant, time: Timestamp) {
        if self.pass == nil && now >= self.wholeDue {
            self.pass = Pass(listing: Listing(for: self.universe, now: time), isWhole: true)
        }
        if !self.isRoundRunning && now >= self.roundDue { self.beginRound(time: time) }
        if self.pass == nil && self.wantsNewest {
            self.wantsNewest = false
            self.pass = Pass(listing: Listing(for: self.universe, now: time), isWhole: false)
        }
    }

    private mutating func beginRound(time: Timestamp) {
        self.isRoundRunning = true
        // A whole reading shows the newest as well.
        self.wantsNewest = self.pass == nil && self.wholePassCount > 0
        let known = self.universe.knownStarts
        for series in self.universe.rollingSeries {
            for window in series.windows(at: time) {
                // In autumn the window before may have the same name.
                let isKnown = window.slugs.contains { known[$0]?.contains(window.start) ?? false }
                if !isKnown { self.queue.append(.window(window, name: 0)) }
            }
        }
        let members = Set(self.universe.markets.keys).union(self.universe.unknownPinned).sorted()
        for start in stride(from: 0, to: members.count, by: ScanRequest.memberCountMax) {
            let end = min(start + ScanRequest.memberCountMax, members.count)
            self.queue.append(.members(Array(members[start..<end])))
        }
        self.recheckRules()
        self.recheckGroups()
        for slug in self.hydrating.keys.sorted() { self.queue.append(.market(slug: slug, condition: nil)) }
    }

    /// Members in turn: the order book service knows of a changed rule before the listing does.
    private mutating func recheckRules() {
        let members = self.universe.markets.keys.sorted()
        let bounds = Self.recheckCounts
        let count = min(members.count, max(bounds.lowerBound, min(bounds.upperBound, members.count / 6)))
        let next = self.recheckedLast.flatMap { last in members.firstIndex { $0 > last } } ?? 0
        for place in next..<next + count {
            let condition = members[place % members.count]
            self.recheckedLast = condition
            self.queue.append(.terms(condition))
        }
    }

    /// Events of members whose question failed, or that an earlier life knew, have no group yet; one that is known is looked
    /// at in turn.
    private mutating func recheckGroups() {
        func inTurn(_ events: [String], after last: String?) -> ArraySlice<String> {
            let next = last.flatMap { last in events.firstIndex { $0 > last } } ?? 0
            return events[next...] + events[..<next]
        }
        let events = self.groupEvents
        let unknown = inTurn(events.filter { self.groups[$0] == nil }, after: self.unknownGroupLast)
            .prefix(Self.groupCountMax)
        let known = inTurn(events.filter { self.groups[$0] != nil }, after: self.knownGroupLast).prefix(1)
        self.unknownGroupLast = unknown.last ?? self.unknownGroupLast
        self.knownGroupLast = known.last ?? self.knownGroupLast
        for event in unknown + known { self.askGroup(event) }
    }

    /// Events of members that must have a group, sorted.
    var groupEvents: [String] {
        Set(self.universe.markets.values.filter { $0.isNegRisk && !$0.event.isEmpty }.map(\.event)).sorted()
    }

    /// Reads the whole listing as soon as may be.
    mutating func hurry(now: Instant) {
        self.roundDue = now
        self.wholeDue = now
    }

    // MARK: Hints

    /// Somebody heard that a market is new or was resolved: it is looked at before all else.
    ///
    /// - Returns: whether there was room for it.
    mutating func hint(slug: String?, condition: ConditionID?, now: Instant) -> Bool {
        guard self.hintCount < Self.hintCountMax else { return false }
        guard self.isNews(slug ?? condition?.description ?? "", now: now) else { return true }
        let subject: ScanRequest.Subject
        if let condition, let market = self.universe.markets[condition] {
            subject = .market(slug: market.slug, condition: condition)
        } else if let slug, !slug.isEmpty {
            subject = .market(slug: slug, condition: nil)
        } else {
            return true
        }
        guard !self.queue.contains(subject) else { return true }
        self.queue.insert(subject, at: self.hintCount)
        self.hintCount += 1
        return true
    }

    /// Every line of the market channel brings the same news.
    private mutating func isNews(_ name: String, now: Instant) -> Bool {
        if self.hinted.count > 2 * Self.hintCountMax {
            self.hinted = self.hinted.filter { now - $0.value < Self.hintRepeatMin }
        }
        if let last = self.hinted[name], now - last < Self.hintRepeatMin { return false }
        self.hinted[name] = now
        return true
    }

    /// Says which markets have a position or an order.
    mutating func pin(_ conditions: Set<ConditionID>, time: Timestamp) -> [Action] {
        self.publish(self.universe.pin(conditions, now: time))
    }

    // MARK: Publishing

    /// Before the first universe is whole nobody is told of its parts.
    mutating func publish(_ changes: [Universe.Change]) -> [Action] {
        for case .added(let market) in changes where market.isNegRisk && !market.event.isEmpty {
            self.askGroup(market.event)
        }
        if !changes.isEmpty {
            let events = Set(self.universe.markets.values.map(\.event))
            self.groups = self.groups.filter { events.contains($0.key) }
        }
        return self.isReady ? changes.map { .publish($0) } : []
    }

    mutating func askGroup(_ event: String) {
        let subject = ScanRequest.Subject.event(slug: event)
        if !self.queue.contains(subject) { self.queue.append(subject) }
    }

    /// After every answer: whether enough is known to publish, and whether the round is over.
    mutating func conclude(now: Instant, time: Timestamp) -> [Action] {
        var actions: [Action] = []
        let isConfirming = !self.terms.isEmpty || self.isAskingTerms
        if !self.termAnswers.isEmpty && (!isConfirming || self.termAnswers.count >= Self.termsBatchMax) {
            let answers = self.termAnswers
            self.termAnswers = []
            actions += self.publish(self.universe.confirm(answers, now: time))
        }
        if self.isRoundRunning && self.queue.isEmpty && !self.wantsNewest && self.pass?.isWhole != false
            && !self.isAskingOfRound
        {
            self.isRoundRunning = false
            self.roundCount += 1
            self.roundDue = now + self.settings.interval
            for service in ScanRequest.Service.allCases {
                let mayRecover = service != .gamma || !self.isWholeOwed
                let isWell = self.health[service]?.endRound(mayRecover: mayRecover) ?? false
                if isWell { actions.append(.recovered(service)) }
            }
            actions += self.publish(self.universe.tick(now: time))
        }
        guard !self.isReady, let ended = self.wholePassEndedAt else { return actions }
        if now - ended >= Self.firstConfirmationMax
            || (!isConfirming && self.termAnswers.isEmpty && self.universe.toConfirm(now: time).isEmpty)
        {
            self.isReady = true
            actions.append(.ready)
        }
        return actions
    }

    private var isAskingOfRound: Bool {
        self.asked.contains { subject in
            switch subject {
            case .page(let isWhole, _): !isWhole
            case .window, .members, .market, .event: true
            case .terms: false
            }
        }
    }
}
