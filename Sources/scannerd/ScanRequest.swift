import Shared

/// What the core wants to know of the venue.
struct ScanRequest: Hashable, Sendable {
    enum Service: Hashable, Sendable, CaseIterable { case gamma, clob }

    enum Subject: Hashable, Sendable {
        /// A page of the listing, oldest markets first, or of the newest markets.
        case page(isWhole: Bool, cursor: String?)
        /// A window of a series, by the name at `name` of those that it may have.
        case window(RollingSeries.Window, name: Int)
        /// Members once more.
        case members([ConditionID])
        /// One market by its slug; `condition` where it is known.
        case market(slug: String, condition: ConditionID?)
        /// What the order book service knows of a market.
        case terms(ConditionID)
        /// A neg-risk event with its markets.
        case event(slug: String)
    }

    /// Markets asked for in one request; the venue takes about a hundred.
    static let memberCountMax = 50

    let subject: Subject

    var service: Service { if case .terms = self.subject { .clob } else { .gamma } }

    /// With its query, below the service's address.
    var path: String {
        switch self.subject {
        case .page(let isWhole, let cursor):
            "/markets/keyset?limit=100&active=true&closed=false&include_tag=true"
                + (isWhole ? "" : "&order=id&ascending=false")
                + (cursor.map { "&after_cursor=\(QueryText.escape($0))" } ?? "")
        case .window(let window, let name): "/markets/slug/\(QueryText.escape(window.slugs[name]))"
        case .members(let conditions):
            "/markets/keyset?limit=100&include_tag=true"
                + conditions.map { "&condition_ids=\($0)" }.joined()
        case .market(let slug, _): "/markets/slug/\(QueryText.escape(slug))"
        case .terms(let condition): "/clob-markets/\(condition)"
        case .event(let slug): "/events/slug/\(QueryText.escape(slug))"
        }
    }

    /// What is kept of the answer; `nil` for all.
    var memberNames: MemberNames? {
        switch self.subject {
        case .page, .window, .members, .market: GammaMarket.memberNames
        case .event: EventGroup.memberNames
        case .terms: nil
        }
    }
}

/// What the venue answered, after as many attempts as it was worth.
enum ScanAnswer: Sendable {
    case value(JSONValue)
    /// Status 404.
    case missing
    case failed(String)
}
