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
}
