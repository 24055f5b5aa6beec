import Shared

/// Gamma: finding markets and events. Source: reference, 1.1.
enum GammaPages {
    /// - Returns: `nil` when the path is none of Gamma's.
    static func answer(_ request: PageRequest, _ listing: MarketRegister) -> Answer? {
        guard request.method == "GET", let first = request.path.first else { return nil }
        switch (first, request.path.dropFirst().first, request.path.count) {
        case ("markets", nil, 1): return self.list(request, listing, .offset, isEvents: false)
        case ("events", nil, 1): return self.list(request, listing, .offset, isEvents: true)
        case ("markets", "keyset", 2): return self.list(request, listing, .keyset, isEvents: false)
        case ("events", "keyset", 2): return self.list(request, listing, .keyset, isEvents: true)
        case ("events", "pagination", 2): return self.list(request, listing, .offset, isEvents: true, hasTotals: true)
        case ("markets", "slug", 3): return self.one(listing.slot(slug: request.path[2]), listing)
        case ("events", "slug", 3):
            return self.one(event: listing.order.first { listing[$0].event.slug == request.path[2] }, listing)
        case ("markets", let id?, 2): return self.one(Int(id).flatMap { listing.slot(id: $0) }, listing)
        case ("events", let id?, 2):
            return self.one(event: listing.order.first { String(listing[$0].event.id) == id }, listing)
        default: return GammaIndex.answer(request, listing) ?? GammaSearch.answer(request, listing)
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
        let place: GammaPlace
        let slot: Int
    }

    private static func list(
        _ request: PageRequest, _ listing: MarketRegister, _ list: GammaQuery.List, isEvents: Bool,
        hasTotals: Bool = false
    ) -> Answer {
        do throws(GammaQuery.Problem) {
            let query = try GammaQuery(request, list, isEvents: isEvents)
            let items = isEvents ? self.events(query, listing) : self.markets(query, listing)
            switch list {
            case .keyset: return self.keyset(items, query, listing, isEvents: isEvents)
            case .offset:
                let rest = items.dropFirst(query.offset)
                let page = rest.prefix(query.limit)
                guard hasTotals else { return .json { self.write(page, query, listing, isEvents: isEvents, to: &$0) } }
                return .json {
                    $0.object { writer in
                        writer.key("data")
                        self.write(page, query, listing, isEvents: isEvents, to: &writer)
                        writer.key("pagination")
                        writer.object {
                            $0.key("hasMore")
                            $0.bool(page.count < rest.count)
                            $0.key("totalResults")
                            $0.integer(items.count)
                        }
                    }
                }
            }
        } catch {
            return error.answer
        }
    }

    private static func keyset(
        _ items: [Item], _ query: GammaQuery, _ listing: MarketRegister, isEvents: Bool
    ) -> Answer {
        let rest = items.drop { item in
            query.after.map { !$0.isBefore(item.place, isAscending: query.isAscending) } ?? false
        }
        let page = rest.prefix(query.limit)
        return .json {
            $0.object { writer in
                writer.key(dynamic: isEvents ? "events" : "markets")
                self.write(page, query, listing, isEvents: isEvents, to: &writer)
                if let last = page.last, page.count < rest.count {
                    writer.key("next_cursor")
                    writer.string(last.place.cursor(order: query.order, isAscending: query.isAscending))
                }
            }
        }
    }

    private static func markets(_ query: GammaQuery, _ listing: MarketRegister) -> [Item] {
        var items: [Item] = []
        for slot in listing.order {
            let listed = listing[slot]
            guard query.admits(listed) else { continue }
            let place = GammaPlace(values: query.order.map { listed.value(of: $0) }, id: Int64(listed.id))
            items.append(Item(place: place, slot: slot))
        }
        return self.sorted(items, query)
    }

    private static func events(_ query: GammaQuery, _ listing: MarketRegister) -> [Item] {
        let items = ListedEventSummary.all(in: listing).filter { query.admits($0.summary) }.map { event in
            let values = query.order.map { event.summary.value(of: $0) }
            return Item(place: GammaPlace(values: values, id: Int64(event.summary.event.id)), slot: event.slot)
        }
        return self.sorted(items, query)
    }

    private static func sorted(_ items: [Item], _ query: GammaQuery) -> [Item] {
        items.sorted { $0.place.isBefore($1.place, isAscending: query.isAscending) }
    }

    private static func write(
        _ page: ArraySlice<Item>, _ query: GammaQuery, _ listing: MarketRegister, isEvents: Bool,
        to writer: inout JSONWriter
    ) {
        writer.array {
            for item in page {
                if isEvents {
                    GammaObjects.write(
                        listing[item.slot].event, in: listing, withMarkets: query.includesMarkets, to: &$0)
                } else {
                    GammaObjects.write(
                        listing[item.slot], in: listing, withEvents: true, withTags: query.includesTags, to: &$0)
                }
            }
        }
    }
}
