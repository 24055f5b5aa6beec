import Shared

/// A word that events are found by.
struct ListedTag: Hashable, Sendable {
    let id: Int
    let label: String
    let slug: String

    static let crypto = ListedTag(id: 21, label: "Crypto", slug: "crypto")
    static let bitcoin = ListedTag(id: 235, label: "Bitcoin", slug: "bitcoin")
    static let upOrDown = ListedTag(id: 102_127, label: "Up or Down", slug: "up-or-down")
    static let sports = ListedTag(id: 1, label: "Sports", slug: "sports")
    static let politics = ListedTag(id: 2, label: "Politics", slug: "politics")
    static let economy = ListedTag(id: 100_328, label: "Economy", slug: "economy")
    static let weather = ListedTag(id: 84, label: "Weather", slug: "weather")

    /// In the order of their ids.
    static let all = [
        Self.sports, Self.politics, Self.crypto, Self.weather, Self.bitcoin, Self.economy, Self.upOrDown,
    ].sorted { $0.id < $1.id }

    /// Tags that go together, each group in one list.
    private static let relations = [[Self.crypto, .bitcoin, .upOrDown], [.politics, .economy]]

    /// `ids`, and those of the tags that go with them.
    static func withRelated(_ ids: Set<String>) -> Set<String> {
        self.relations.reduce(into: ids) { all, group in
            let group = group.map { String($0.id) }
            if !ids.isDisjoint(with: group) { all.formUnion(group) }
        }
    }
}

/// A recurring family of events.
struct ListedSeries: Hashable, Sendable {
    let id: Int
    /// "btc-up-or-down-5m"
    let slug: String
    let title: String
    /// "5m", "15m", "hourly", "4h"
    let recurrence: String
}

/// What groups markets for people: Gamma's event.
struct ListedEvent: Hashable, Sendable {
    let id: Int
    let slug: String
    let title: String
    var series: ListedSeries?
    /// Of which exactly one market wins.
    let isNegRisk: Bool
    /// Outcomes may be added later: placeholders and an "Other" are listed.
    var isAugmented = false
    /// Start of the window, for a window.
    let startTime: Timestamp?
    let endTime: Timestamp
    var tags: [ListedTag] = []

    /// Shown first to people; one in so many is.
    var isFeatured: Bool { self.id.isMultiple(of: 7) }
    /// Of the game that it is about.
    var gameID: Int? { self.tags.contains(.sports) ? 10_000_000 + self.id : nil }
    /// Days since 1970 on which it ends.
    var day: Int64 { self.endTime.microseconds / 1_000_000 / CalendarDate.secondsInDay }
}
