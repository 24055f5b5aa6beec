import Shared

/// What a list is asked for: filters, order, place. Source: reference, 1.1.
///
/// That mistakes are status 422 with a type and a sentence is the venue's way; its own words are those of the order and of
/// the offset that is too large, the others are ours.
struct GammaQuery {
    /// Answered with status 422.
    struct Problem: Error, Hashable {
        let sentence: String

        var answer: Answer {
            .json(status: 422) {
                $0.object {
                    $0.key("type")
                    $0.string("validation error")
                    $0.key("error")
                    $0.string(self.sentence)
                }
            }
        }
    }

    enum List: Hashable {
        /// `/markets/keyset` and `/events/keyset`.
        case keyset
        /// `/markets`, `/events` and `/events/pagination`.
        case offset
    }

    /// A member that lists are ordered by, under the name that it has in the objects.
    enum Field: String, Hashable {
        case id, startDate, createdAt, endDate, volume, volumeNum, volume24hr, liquidity, liquidityNum
    }

    /// `…_min` and `…_max` of one thing, both included. Upside down they hold nothing, and are no mistake to the venue.
    struct Bounds: Hashable {
        private let low: Int64
        private let high: Int64

        /// - Returns: `nil` when neither is asked for.
        init?(_ request: PageRequest, _ key: String, isDate: Bool) throws(Problem) {
            func bound(_ name: String) throws(Problem) -> Int64? {
                guard let text = request.value(name), !text.isEmpty else { return nil }
                let value = isDate ? Timestamp(rfc3339: text)?.microseconds : Decimal6.parse(text)
                guard let value else { throw Problem(sentence: "\(name) must be \(isDate ? "a date" : "a number")") }
                return value
            }
            let low = try bound(key + "_min")
            let high = try bound(key + "_max")
            guard low != nil || high != nil else { return nil }
            self.low = low ?? Int64.min
            self.high = high ?? Int64.max
        }

        func contains(_ value: Int64) -> Bool { self.low <= value && value <= self.high }
    }

    static let limitDefault = 20
    static let limitMax = 100
    static let offsetMax = 2_000
    /// Fields of one `order`.
    private static let fieldCountMax = 4
    private static let recurrences: Set = ["5m", "15m", "hourly", "4h", "daily", "weekly", "monthly", "annual"]

    let limit: Int
    let offset: Int
    let order: [Field]
    let isAscending: Bool
    /// Only what stands behind it is wanted.
    let after: GammaPlace?
    let includesTags: Bool
    let includesMarkets: Bool

    private let closed: Bool
    private let active: Bool?
    private let archived: Bool?
    private let texts: [String: Set<String>]
    private let bounds: [(field: Field, bounds: Bounds)]
    private let startTimes: Bounds?
    private let tags: Set<String>
    private let needsAllTags: Bool
    private let excludedTags: Set<String>
    private let title: String?
    private let isFeatured: Bool?
    private let isLive: Bool?
    /// Days since 1970 on which an event ends.
    private let eventDay: Int64?
    private let rewardsSizeMin: Int64?
    /// Of a tenth of a cent, or of a cent.
    private let isDecimalized: Bool?

    /// - Parameter isEvents: whether events are listed; they know some filters more.
    init(_ request: PageRequest, _ list: List, isEvents: Bool) throws(Problem) {
        // What the venue does not know it passes over; what it knows must make sense.
        if list == .keyset, request.value("offset") != nil {
            throw Problem(sentence: "offset is not supported, use after_cursor")
        }
        self.limit = min(max(try Self.integer(request, "limit") ?? Self.limitDefault, 1), Self.limitMax)
        self.offset = try Self.integer(request, "offset") ?? 0
        guard self.offset >= 0 else { throw Problem(sentence: "offset must not be negative") }
        guard self.offset <= Self.offsetMax else {
            throw Problem(
                sentence: "offset too large, use /\(isEvents ? "events" : "markets")/keyset for deeper pagination")
        }
        self.order = try Self.order(request)
        self.isAscending = try Self.flag(request, "ascending") ?? true
        if list == .keyset, let cursor = request.value("after_cursor"), !cursor.isEmpty {
            guard let place = GammaPlace(cursor: cursor, order: self.order, isAscending: self.isAscending) else {
                throw Problem(sentence: "invalid cursor")
            }
            self.after = place
        } else {
            self.after = nil
        }
        self.includesTags = try Self.flag(request, "include_tag") ?? false
        self.includesMarkets = try Self.flag(request, "include_markets") ?? true
        self.closed = try Self.flag(request, "closed") ?? false
        let active = try Self.flag(request, "active")
        self.active = list == .keyset && !self.closed ? active ?? true : active
        self.archived = try Self.flag(request, "archived")
        self.texts = Self.texts(request, isEvents: isEvents)
        self.bounds = try Self.bounds(request, isEvents: isEvents)
        self.startTimes = isEvents ? try Bounds(request, "start_time", isDate: true) : nil
        self.isFeatured = isEvents ? try Self.flag(request, "featured") : nil
        self.isLive = isEvents ? try Self.flag(request, "live") : nil
        self.eventDay = isEvents ? try Self.day(request, "event_date") : nil
        self.isDecimalized = isEvents || list == .offset ? nil : try Self.flag(request, "decimalized")
        self.rewardsSizeMin = isEvents ? nil : try Self.amount(request, "rewards_min_size")
        // No event of this venue has children; what is no flag is a mistake all the same.
        if isEvents { _ = try Self.flag(request, "include_children") }
        let tags = Self.set(request, "tag_id")
        let hasRelatedTags = try Self.flag(request, "related_tags") ?? false
        self.tags = hasRelatedTags ? ListedTag.withRelated(tags) : tags
        self.needsAllTags = request.value("tag_match") == "all" && !hasRelatedTags
        self.excludedTags = isEvents ? Self.set(request, "exclude_tag_id") : []
        guard tags.isDisjoint(with: self.excludedTags) else {
            throw Problem(sentence: "tag_id and exclude_tag_id overlap")
        }
        self.title = isEvents ? request.value("title_search").map { $0.lowercased() } : nil
        guard (self.texts["recurrence"] ?? []).isSubset(of: Self.recurrences) else {
            throw Problem(sentence: "invalid recurrence")
        }
    }

    // MARK: Reading

    private static func order(_ request: PageRequest) throws(Problem) -> [Field] {
        guard let text = request.value("order"), !text.isEmpty else { return [.id] }
        var order: [Field] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let field = Field(rawValue: String(name)), order.count < Self.fieldCountMax else {
                throw Problem(sentence: "order fields are not valid")
            }
            order.append(field)
        }
        return order
    }

    static func integer(_ request: PageRequest, _ key: String) throws(Problem) -> Int? {
        guard let text = request.value(key), !text.isEmpty else { return nil }
        guard let value = Int(text) else { throw Problem(sentence: "\(key) must be a number") }
        return value
    }

    static func flag(_ request: PageRequest, _ key: String) throws(Problem) -> Bool? {
        switch request.value(key) {
        case nil, "": return nil
        case "true": return true
        case "false": return false
        case _?: throw Problem(sentence: "\(key) must be true or false")
        }
    }

    private static func amount(_ request: PageRequest, _ key: String) throws(Problem) -> Int64? {
        guard let text = request.value(key), !text.isEmpty else { return nil }
        guard let value = Decimal6.parse(text) else { throw Problem(sentence: "\(key) must be a number") }
        return value
    }

    /// A date without a time, as days since 1970.
    private static func day(_ request: PageRequest, _ key: String) throws(Problem) -> Int64? {
        guard let text = request.value(key), !text.isEmpty else { return nil }
        guard let time = Timestamp(rfc3339: text + "T00:00:00Z") else {
            throw Problem(sentence: "\(key) must be a date")
        }
        return time.microseconds / 1_000_000 / CalendarDate.secondsInDay
    }

    private static func set(_ request: PageRequest, _ key: String) -> Set<String> {
        Set(request.values(key).filter { !$0.isEmpty })
    }

    private static func texts(_ request: PageRequest, isEvents: Bool) -> [String: Set<String>] {
        let keys =
            isEvents
            ? ["id", "slug", "series_id", "series_slug", "tag_slug", "recurrence"]
            : [
                "id", "slug", "condition_ids", "clob_token_ids", "question_ids", "position_ids", "version",
                "uma_resolution_status", "game_id", "sports_market_types",
            ]
        var texts: [String: Set<String>] = [:]
        for key in keys {
            let wanted = Self.set(request, key)
            if !wanted.isEmpty { texts[key] = wanted }
        }
        return texts
    }

    private static func bounds(
        _ request: PageRequest, isEvents: Bool
    ) throws(Problem) -> [(field: Field, bounds: Bounds)] {
        let keys: [(key: String, field: Field, isDate: Bool)] = [
            ("start_date", .startDate, true), ("end_date", .endDate, true),
            (isEvents ? "volume" : "volume_num", .volume, false),
            (isEvents ? "liquidity" : "liquidity_num", .liquidity, false),
        ]
        var bounds: [(field: Field, bounds: Bounds)] = []
        for (key, field, isDate) in keys {
            if let found = try Bounds(request, key, isDate: isDate) { bounds.append((field, found)) }
        }
        return bounds
    }

    // MARK: Judging

    func admits(_ listed: ListedMarket) -> Bool {
        func isWanted(_ key: String, _ value: String...) -> Bool {
            guard let wanted = self.texts[key] else { return true }
            return value.contains(where: wanted.contains)
        }
        guard listed.isClosed == self.closed, self.active ?? listed.isActive == listed.isActive,
            self.archived ?? listed.isArchived == listed.isArchived
        else { return false }
        // Without filters nothing is printed for nothing.
        if !self.texts.isEmpty {
            let tokens = [listed.market.first.token.description, listed.market.second.token.description]
            guard isWanted("id", String(listed.id)), isWanted("slug", listed.market.slug),
                isWanted("condition_ids", listed.decoy == .noCondition ? "" : listed.market.condition.description),
                isWanted("clob_token_ids", tokens[0], tokens[1]), isWanted("question_ids", listed.questionID),
                listed.showsPositions || self.texts["position_ids"] == nil,
                isWanted("position_ids", tokens[0], tokens[1]),
                isWanted("version", listed.decoy == .otherProtocol ? "v2" : "v1"),
                isWanted("uma_resolution_status", listed.resolutionStatus),
                isWanted("game_id", listed.event.gameID.map { String($0) } ?? ""),
                isWanted("sports_market_types", listed.sportsMarketType ?? "")
            else { return false }
        }
        if let isDecimalized, listed.book.tick.micros != (isDecimalized ? 1_000 : 10_000) { return false }
        if let rewardsSizeMin, listed.market.rewards?.sizeMin.micros ?? 0 < rewardsSizeMin { return false }
        return self.admits(listed.event.tags)
            && self.bounds.allSatisfy { $0.bounds.contains(listed.value(of: $0.field)) }
    }

    func admits(_ event: ListedEventSummary) -> Bool {
        func isWanted(_ key: String, _ value: String?) -> Bool {
            self.texts[key].map { $0.contains(value ?? "") } ?? true
        }
        let series = event.event.series
        guard event.isClosed == self.closed, self.active ?? true, self.archived ?? event.isArchived == event.isArchived,
            isWanted("id", String(event.event.id)), isWanted("slug", event.event.slug),
            isWanted("series_slug", series?.slug), isWanted("series_id", series.map { String($0.id) }),
            isWanted("recurrence", series?.recurrence),
            self.isFeatured ?? event.event.isFeatured == event.event.isFeatured,
            // No game is ever under way here.
            self.isLive != true, self.eventDay ?? event.event.day == event.event.day
        else { return false }
        if let slugs = self.texts["tag_slug"], !event.event.tags.contains(where: { slugs.contains($0.slug) }) {
            return false
        }
        if let startTimes {
            guard let start = event.event.startTime, startTimes.contains(start.microseconds) else { return false }
        }
        if let title, !event.event.title.lowercased().contains(title) { return false }
        return self.admits(event.event.tags)
            && self.bounds.allSatisfy { $0.bounds.contains(event.value(of: $0.field)) }
    }

    private func admits(_ tags: [ListedTag]) -> Bool {
        guard !self.tags.isEmpty || !self.excludedTags.isEmpty else { return true }
        let ids = Set(tags.map { String($0.id) })
        guard ids.isDisjoint(with: self.excludedTags) else { return false }
        return self.tags.isEmpty || (self.needsAllTags ? self.tags.isSubset(of: ids) : !self.tags.isDisjoint(with: ids))
    }
}
