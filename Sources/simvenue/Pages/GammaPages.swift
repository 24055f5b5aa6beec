import Shared

/// Gamma: finding markets and events. Source: reference, 1.1.
enum GammaPages {
    static let limitDefault = 20
    static let limitMax = 100
    static let offsetMax = 2_000

    /// - Returns: `nil` when the path is none of Gamma's.
    static func answer(_ request: PageRequest, _ listing: MarketRegister) -> Answer? {
        guard request.method == "GET", let first = request.path.first else { return nil }
        switch (first, request.path.dropFirst().first, request.path.count) {
        case ("markets", nil, 1): return self.legacyList(request, listing, isEvents: false)
        case ("events", nil, 1): return self.legacyList(request, listing, isEvents: true)
        case ("markets", "keyset", 2): return self.keyset(request, listing, isEvents: false)
        case ("events", "keyset", 2): return self.keyset(request, listing, isEvents: true)
        case ("markets", "slug", 3): return self.one(listing.slot(slug: request.path[2]), listing)
        case ("events", "slug", 3):
            return self.one(event: listing.order.first { listing[$0].event.slug == request.path[2] }, listing)
        case ("markets", let id?, 2): return Int(id).map { self.one(listing.slot(id: $0), listing) }
        case ("events", let id?, 2):
            return Int(id).map { id in self.one(event: listing.order.first { listing[$0].event.id == id }, listing) }
        default: return nil
        }
    }

    private static func one(_ slot: Int?, _ listing: MarketRegister) -> Answer {
        guard let slot else { return .error(404, "not found: no such market") }
        return .json { GammaObjects.write(listing[slot], in: listing, withEvents: true, to: &$0) }
    }

    private static func one(event slot: Int?, _ listing: MarketRegister) -> Answer {
        guard let slot else { return .error(404, "not found: no such event") }
        return .json { GammaObjects.write(listing[slot].event, in: listing, withMarkets: true, to: &$0) }
    }

    // MARK: Lists

    /// An item of a list: a market, or an event by one of its markets.
    private struct Item {
        let id: Int
        let slot: Int
    }

    private static func keyset(_ request: PageRequest, _ listing: MarketRegister, isEvents: Bool) -> Answer {
        guard request.value("offset") == nil else {
            return .error(422, "offset is not supported here; continue with after_cursor")
        }
        guard let limit = self.limit(request) else { return .error(400, "limit must be a number") }
        var after = 0
        if let cursor = request.value("after_cursor"), !cursor.isEmpty {
            guard let id = self.id(ofCursor: cursor) else { return .error(400, "invalid after_cursor") }
            after = id
        }
        let items = self.items(request, listing, isEvents: isEvents).drop { $0.id <= after }
        let page = items.prefix(limit)
        return .json {
            $0.object { writer in
                writer.key(dynamic: isEvents ? "events" : "markets")
                writer.array { self.write(page, listing, isEvents: isEvents, to: &$0) }
                if let last = page.last, page.count < items.count {
                    writer.key("next_cursor")
                    writer.string(self.cursor(after: last.id))
                }
            }
        }
    }

    private static func legacyList(_ request: PageRequest, _ listing: MarketRegister, isEvents: Bool) -> Answer {
        guard let limit = self.limit(request) else { return .error(400, "limit must be a number") }
        guard let offset = Int(request.value("offset") ?? "0"), (0...self.offsetMax).contains(offset) else {
            return .error(422, "offset must be 0 to \(self.offsetMax)")
        }
        let page = self.items(request, listing, isEvents: isEvents).dropFirst(offset).prefix(limit)
        return .json { $0.array { self.write(page, listing, isEvents: isEvents, to: &$0) } }
    }

    /// Everything that passes the filters, by id.
    private static func items(_ request: PageRequest, _ listing: MarketRegister, isEvents: Bool) -> ArraySlice<Item> {
        let closed = request.value("closed") == "true"
        let filters = request.query.filter { !$0.value.isEmpty }
        let ids = Set(filters.filter { $0.key == "id" }.map(\.value))
        let slugs = Set(filters.filter { $0.key == "slug" }.map(\.value))
        let conditions = Set(filters.filter { $0.key == "condition_ids" }.map(\.value))
        let tokens = Set(filters.filter { $0.key == "clob_token_ids" }.map(\.value))
        let series = Set(filters.filter { $0.key == "series_slug" }.map(\.value))
        let slots = listing.order.filter { slot in
            let listed = listing[slot]
            guard listed.isClosed == closed else { return false }
            if isEvents {
                return (ids.isEmpty || ids.contains(String(listed.event.id)))
                    && (slugs.isEmpty || slugs.contains(listed.event.slug))
                    && (series.isEmpty || series.contains(listed.event.series ?? ""))
            }
            return (ids.isEmpty || ids.contains(String(listed.id)))
                && (slugs.isEmpty || slugs.contains(listed.market.slug))
                && (conditions.isEmpty || conditions.contains(listed.market.condition.description))
                && (tokens.isEmpty || tokens.contains(listed.market.first.token.description)
                    || tokens.contains(listed.market.second.token.description))
        }
        guard isEvents else { return slots.map { Item(id: listing[$0].id, slot: $0) }[...] }
        var seen: Set<Int> = []
        return slots.filter { seen.insert(listing[$0].event.id).inserted }
            .map { Item(id: listing[$0].event.id, slot: $0) }.sorted { $0.id < $1.id }[...]
    }

    private static func write(
        _ page: ArraySlice<Item>, _ listing: MarketRegister, isEvents: Bool, to writer: inout JSONWriter
    ) {
        for item in page {
            if isEvents {
                GammaObjects.write(listing[item.slot].event, in: listing, withMarkets: true, to: &writer)
            } else {
                GammaObjects.write(listing[item.slot], in: listing, withEvents: true, to: &writer)
            }
        }
    }

    /// 1...100; larger ones are clamped as the venue does. `nil` when it is no number.
    private static func limit(_ request: PageRequest) -> Int? {
        guard let text = request.value("limit") else { return self.limitDefault }
        return Int(text).map { min(max($0, 1), self.limitMax) }
    }

    // Cursors are opaque to clients; here they are the last id, in a form that nobody takes for an offset.
    private static func cursor(after id: Int) -> String { "k" + String(id, radix: 36) }
    private static func id(ofCursor cursor: String) -> Int? {
        cursor.first == "k" ? Int(cursor.dropFirst(), radix: 36) : nil
    }
}
