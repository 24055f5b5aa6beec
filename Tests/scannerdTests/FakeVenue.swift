import Shared

@testable import scannerd

/// A market of the fake venue, as its discovery lists it.
struct FakeMarket {
    let number: UInt64
    var slug: String
    var question = "Bitcoin up or down?"
    var series = ""
    var event = ""
    var start: Timestamp?
    var end: Timestamp
    var isClosed = false
    var isAccepting = true
    var hasTokens = true
    var tick = "0.01"
    var isNegRisk = false
    /// When the order book service begins to know it.
    var knownSince = Timestamp(seconds: 0)

    init(_ number: UInt64, slug: String? = nil, end: Timestamp) {
        self.number = number
        self.slug = slug ?? "market-\(number)"
        self.end = end
    }

    var condition: ConditionID { ConditionID(words: (0, 0, 0, self.number)) }
    private var tokens: [String] { self.hasTokens ? ["\(2 * self.number)", "\(2 * self.number + 1)"] : [] }

    var value: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string("\(self.number)"), "conditionId": .string(self.condition.description),
            "slug": .string(self.slug), "question": .string(self.question), "active": .bool(true),
            "closed": .bool(self.isClosed), "archived": .bool(false), "enableOrderBook": .bool(true),
            "acceptingOrders": .bool(self.isAccepting), "endDate": .string(self.end.rfc3339),
            "outcomes": .string(#"["Up","Down"]"#), "negRisk": .bool(self.isNegRisk),
            "clobTokenIds": .string("[" + self.tokens.map { "\"\($0)\"" }.joined(separator: ",") + "]"),
            "orderPriceMinTickSize": .number(self.tick), "orderMinSize": .number("5"),
            "events": .array([.object(["slug": .string(self.event), "seriesSlug": .string(self.series)])]),
        ]
        if let start = self.start { members["eventStartTime"] = .string(start.rfc3339) }
        return .object(members)
    }

    var terms: JSONValue {
        .object([
            "c": .string(self.condition.description), "mos": .number("5"), "mts": .number(self.tick),
            "ao": .bool(!self.isClosed), "nr": .bool(self.isNegRisk),
            "t": .array([
                .object(["t": .string("\(2 * self.number)"), "o": .string("Up")]),
                .object(["t": .string("\(2 * self.number + 1)"), "o": .string("Down")]),
            ]),
        ])
    }
}

/// Discovery and order book service in memory.
struct FakeVenue {
    private static let pageSize = 10

    var markets: [FakeMarket] = []
    /// Asked so far.
    var requests: [ScanRequest.Subject] = []

    private var open: [FakeMarket] { self.markets.filter { !$0.isClosed } }

    mutating func answer(_ request: ScanRequest, time: Timestamp) -> ScanAnswer {
        self.requests.append(request.subject)
        switch request.subject {
        case .page(let isWhole, let cursor):
            let all = self.open.sorted { isWhole ? $0.number < $1.number : $0.number > $1.number }
            let rest = all.drop { market in
                guard let last = cursor.flatMap({ UInt64($0) }) else { return false }
                return isWhole ? market.number <= last : market.number >= last
            }
            let page = rest.prefix(Self.pageSize)
            var members: [String: JSONValue] = ["markets": .array(page.map(\.value))]
            if page.count < rest.count, let last = page.last { members["next_cursor"] = .string("\(last.number)") }
            return .value(.object(members))
        case .window(let window, let name): return self.one { $0.slug == window.slugs[name] }
        case .market(let slug, _): return self.one { $0.slug == slug }
        case .members(let conditions):
            let found = self.open.filter { conditions.contains($0.condition) }
            return .value(.object(["markets": .array(found.map(\.value))]))
        case .terms(let condition):
            guard let market = self.markets.first(where: { $0.condition == condition }), market.knownSince <= time
            else {
                return .missing
            }
            return .value(market.terms)
        case .event(let slug):
            let members = self.markets.filter { $0.event == slug }
            guard !members.isEmpty else { return .missing }
            return .value(
                .object([
                    "slug": .string(slug), "negRisk": .bool(true), "negRiskMarketID": .string("0xab"),
                    "negRiskAugmented": .bool(false), "markets": .array(members.map(\.value)),
                ]))
        }
    }

    private func one(_ isWanted: (FakeMarket) -> Bool) -> ScanAnswer {
        self.markets.first(where: isWanted).map { .value($0.value) } ?? .missing
    }
}

/// The core and the fake venue in a time of their own.
final class ScanStory {
    static let begin = Timestamp(rfc3339: "2026-06-01T12:00:00Z")!

    var core: ScanCore
    var venue = FakeVenue()
    var time: Timestamp
    var now = Instant(nanoseconds: 0)
    /// What a subscriber has made of what it was told.
    var followed: [ConditionID: Market]?
    var actions: [ScanCore.Action] = []
    /// Another venue than the fake one.
    var otherVenue: ((ScanRequest, Timestamp) -> ScanAnswer)?
    /// Makes another answer of one.
    var fault: (ScanRequest, ScanAnswer) -> ScanAnswer = { $1 }

    init(_ filter: MarketFilter = MarketFilter(), at time: Timestamp = begin, interval: Duration = .seconds(10)) {
        var settings = ScanCore.Settings()
        settings.interval = interval
        self.core = ScanCore(filter: filter, settings: settings, now: self.now)
        self.time = time
    }

    /// Asks and answers until the core wants nothing more at this moment.
    ///
    /// - Returns: whether it came to an end.
    @discardableResult
    func settle() -> Bool {
        for _ in 0..<20_000 {
            guard let request = self.core.next(now: self.now, time: self.time) else { return true }
            let honest = self.otherVenue?(request, self.time) ?? self.venue.answer(request, time: self.time)
            let answer = self.fault(request, honest)
            self.note(self.core.take(answer, to: request, now: self.now, time: self.time))
        }
        return false
    }

    func note(_ actions: [ScanCore.Action]) {
        self.actions += actions
        for action in actions {
            switch action {
            case .ready: self.followed = self.core.universe.markets
            case .publish(.added(let market)): self.followed?[market.condition] = market
            case .publish(.changed(let changed)): self.followed?[changed.market.condition] = changed.market
            case .publish(.removed(let condition, _)): self.followed?[condition] = nil
            case .publishGroup, .troubled, .recovered: break
            }
        }
    }

    /// Lets time pass, waking the core whenever it wants to.
    func pass(_ duration: Duration) {
        let end = self.now + duration
        self.settle()
        while self.now < end {
            let wake = max(self.core.wake(time: self.time, now: self.now), self.now + .milliseconds(1))
            let next = min(end, wake)
            self.time = self.time + (next - self.now)
            self.now = next
            self.settle()
        }
    }

    func hint(slug: String?, condition: ConditionID?) -> Bool {
        self.core.hint(slug: slug, condition: condition, now: self.now)
    }

    var slugs: Set<String> { Set(self.core.universe.markets.values.map(\.slug)) }
    func takeActions() -> [ScanCore.Action] {
        defer { self.actions = [] }
        return self.actions
    }
}
