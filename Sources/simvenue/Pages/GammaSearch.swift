import Shared

/// Gamma's search by words. Source: reference, 1.1.
///
/// As unreliable for short-lived windows as the venue's: here it never finds those of five and fifteen minutes.
enum GammaSearch {
    private static let limitDefault = 5
    private static let limitMax = 50
    private static let pageMax = 1_000
    /// Words of a search that count, and their letters.
    private static let wordCountMax = 16
    private static let textByteCountMax = 256
    private static let unseenRecurrences: Set = ["5m", "15m"]

    /// - Returns: `nil` when the path is none of the search's.
    static func answer(_ request: PageRequest, _ listing: MarketRegister) -> Answer? {
        guard request.method == "GET", request.path == ["public-search"] else { return nil }
        do throws(GammaQuery.Problem) {
            guard let text = request.value("q"), !text.isEmpty else {
                throw GammaQuery.Problem(sentence: "required query parameter is missing")
            }
            guard text.utf8.count <= Self.textByteCountMax else { throw GammaQuery.Problem(sentence: "q is too long") }
            let words = text.lowercased().split(separator: " ").prefix(Self.wordCountMax)
            let limit = min(
                max(try GammaQuery.integer(request, "limit_per_type") ?? Self.limitDefault, 1), Self.limitMax)
            let page = min(max(try GammaQuery.integer(request, "page") ?? 1, 1), Self.pageMax)
            let texts = self.texts(listing)
            let events = try self.events(request, listing).filter { event in
                self.matches(texts[event.id] ?? [], words)
            }
            let searchesTags = try GammaQuery.flag(request, "search_tags") ?? true
            let tags =
                searchesTags
                ? ListedTag.all.filter { self.matches([$0.label.lowercased() + " " + $0.slug], words) } : []
            let rest = events.dropFirst((page - 1) * limit)
            return .json {
                $0.object { writer in
                    writer.key("events")
                    writer.array {
                        for event in rest.prefix(limit) {
                            GammaObjects.write(event, in: listing, withMarkets: true, to: &$0)
                        }
                    }
                    writer.key("tags")
                    GammaIndex.write(Array(tags.prefix(limit)), to: &writer)
                    // Nobody has a profile here.
                    writer.key("profiles")
                    writer.array { _ in }
                    writer.key("pagination")
                    writer.object {
                        $0.key("hasMore")
                        $0.bool(rest.count > limit)
                        $0.key("totalResults")
                        $0.integer(events.count)
                    }
                }
            }
        } catch {
            return error.answer
        }
    }

    /// Those that the request's filters leave, in the order that it asks for.
    private static func events(
        _ request: PageRequest, _ listing: MarketRegister
    ) throws(GammaQuery.Problem) -> [ListedEvent] {
        let wantsClosed: Bool? =
            switch request.value("events_status") {
            case "active": false
            case "resolved", "closed": true
            default: nil
            }
        let tags = Set(request.values("events_tag"))
        let excludedTags = Set(request.values("exclude_tag_id"))
        let recurrence = request.value("recurrence")
        let field = self.field(request.value("sort"))
        let isAscending = try GammaQuery.flag(request, "ascending") ?? (field == nil)
        let found = ListedEventSummary.all(in: listing).map(\.summary).filter { summary in
            let event = summary.event
            return !Self.unseenRecurrences.contains(event.series?.recurrence ?? "")
                && wantsClosed ?? summary.isClosed == summary.isClosed
                && (tags.isEmpty || event.tags.contains { tags.contains($0.slug) })
                && !event.tags.contains { excludedTags.contains(String($0.id)) }
                && recurrence ?? event.series?.recurrence == event.series?.recurrence
        }
        return found.map { summary in
            (GammaPlace(values: [summary.value(of: field ?? .id)], id: Int64(summary.event.id)), summary.event)
        }.sorted { $0.0.isBefore($1.0, isAscending: isAscending) }.map(\.1)
    }

    /// What `sort` names, in either way of writing it; `nil` for what the venue would pass over.
    private static func field(_ sort: String?) -> GammaQuery.Field? {
        switch sort {
        case "volume_24hr": .volume24hr
        case "start_date": .startDate
        case "end_date": .endDate
        case let name?: GammaQuery.Field(rawValue: name)
        case nil: nil
        }
    }

    /// What each event is found by: one text for each of its markets, with the event's own words in all of them.
    private static func texts(_ listing: MarketRegister) -> [Int: [String]] {
        var texts: [Int: [String]] = [:]
        for slot in listing.order {
            let listed = listing[slot]
            texts[listed.event.id, default: []].append(
                "\(listed.event.title) \(listed.event.slug) \(listed.market.question)".lowercased())
        }
        return texts
    }

    private static func matches(_ texts: [String], _ words: ArraySlice<Substring>) -> Bool {
        texts.contains { text in words.allSatisfy { text.contains($0) } }
    }
}
