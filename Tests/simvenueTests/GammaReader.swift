import Shared
import Testing

@testable import simvenue

/// Reads a venue's pages, as a client does.
struct GammaReader {
    let listing: MarketRegister

    init(_ venue: SimulatedVenue) { self.init(venue.listing) }
    init(_ listing: MarketRegister) { self.listing = listing }

    func get(_ target: String) throws -> (status: Int, value: JSONValue) {
        let request = try #require(PageRequest(method: "GET", target: target))
        let answer =
            ClobPages.answer(request, self.listing, time: someTime) ?? GammaPages.answer(request, self.listing)
            ?? .unknownPath
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    func post(_ target: String, _ body: String) throws -> (status: Int, value: JSONValue) {
        let request = try #require(PageRequest(method: "POST", target: target, body: Array(body.utf8)))
        let answer = ClobPages.answer(request, self.listing, time: someTime) ?? .unknownPath
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    /// One page, and the cursor of the next.
    func page(_ list: String, _ query: String, after cursor: String?) throws -> ([JSONValue], next: String?) {
        let page = try self.get("/\(list)/keyset?\(query)\(cursor.map { "&after_cursor=\($0)" } ?? "")")
        try #require(page.status == 200, "\(query) \(page.value)")
        return (try #require(page.value[list]?.array), page.value["next_cursor"]?.string)
    }

    /// All pages by cursor.
    func all(_ list: String, _ query: String) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor: String?
        for _ in 0..<2_000 {
            let page = try self.page(list, query, after: cursor)
            items += page.0
            cursor = page.next
            if cursor == nil { return items }
        }
        Issue.record("the pages never end")
        return items
    }

    /// All pages by offset.
    func allByOffset(_ list: String, _ query: String, limit: Int) throws -> [JSONValue] {
        var items: [JSONValue] = []
        while true {
            let page = try self.get("/\(list)?\(query)&limit=\(limit)&offset=\(items.count)")
            try #require(page.status == 200, "\(query) \(page.value)")
            let more = try #require(page.value.array)
            if more.isEmpty { return items }
            items += more
        }
    }
}

extension [JSONValue] {
    func texts(_ key: String) -> [String] { self.compactMap { $0[key]?.string } }
    var ids: [String] { self.texts("id") }
}

/// A venue with everything in its listing.
func fullVenue(_ marketCount: Int = 300, rate: Int = 0, seed: UInt64 = 7, at time: Int64 = someTime) -> SimulatedVenue {
    var settings = settings(marketCount, rate: rate, seed: seed)
    settings.listing = .full
    return SimulatedVenue(settings, at: time)
}
