import Shared

/// Tags and series: the words under which events are found. Source: reference, 1.1.
enum GammaIndex {
    /// - Returns: `nil` when the path is none of these.
    static func answer(_ request: PageRequest, _ listing: MarketRegister) -> Answer? {
        switch (request.path.first, request.path.dropFirst().first, request.path.count) {
        case ("tags", nil, 1): self.list(request, ListedTag.all) { self.write($0, to: &$1) }
        case ("tags", "slug", 3):
            self.one(ListedTag.all.first { $0.slug == request.path[2] }) { self.write($0, to: &$1) }
        case ("tags", let id?, 2): self.one(ListedTag.all.first { String($0.id) == id }) { self.write($0, to: &$1) }
        case ("series", nil, 1):
            self.list(request, self.series(listing).filter { self.isWanted($0, request) }) { self.write($0, to: &$1) }
        case ("series", let id?, 2):
            self.one(self.series(listing).first { String($0.id) == id }) { self.write($0, to: &$1) }
        default: nil
        }
    }

    /// Those of the listed events, in the order of their ids.
    private static func series(_ listing: MarketRegister) -> [ListedSeries] {
        Set(listing.order.compactMap { listing[$0].event.series }).sorted { $0.id < $1.id }
    }

    private static func isWanted(_ series: ListedSeries, _ request: PageRequest) -> Bool {
        let slugs = request.values("slug")
        let recurrence = request.value("recurrence")
        return (slugs.isEmpty || slugs.contains(series.slug)) && recurrence ?? series.recurrence == series.recurrence
    }

    private static func list<Item>(
        _ request: PageRequest, _ items: [Item], _ write: (Item, inout JSONWriter) -> Void
    ) -> Answer {
        do throws(GammaQuery.Problem) {
            let query = try GammaQuery(request, .offset, isEvents: false)
            let page = items.dropFirst(query.offset).prefix(query.limit)
            return .json { $0.array { for item in page { write(item, &$0) } } }
        } catch {
            return error.answer
        }
    }

    private static func one<Item>(_ item: Item?, _ write: (Item, inout JSONWriter) -> Void) -> Answer {
        guard let item else { return .error(404, "not found") }
        return .json { write(item, &$0) }
    }

    static func write(_ tags: [ListedTag], to writer: inout JSONWriter) {
        writer.array { for tag in tags { self.write(tag, to: &$0) } }
    }

    static func write(_ tag: ListedTag, to writer: inout JSONWriter) {
        writer.object {
            $0.key("id")
            $0.string(String(tag.id))
            $0.key("label")
            $0.string(tag.label)
            $0.key("slug")
            $0.string(tag.slug)
        }
    }

    static func write(_ series: ListedSeries, to writer: inout JSONWriter) {
        writer.object {
            $0.key("id")
            $0.string(String(series.id))
            $0.key("slug")
            $0.string(series.slug)
            $0.key("title")
            $0.string(series.title)
            $0.key("recurrence")
            $0.string(series.recurrence)
            $0.key("active")
            $0.bool(true)
            $0.key("closed")
            $0.bool(false)
        }
    }
}
