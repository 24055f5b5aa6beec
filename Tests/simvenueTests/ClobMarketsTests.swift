import Shared
import Signing
import Testing

@testable import simvenue

/// The order book service's own markets and lists.
@Suite struct ClobMarketsTests {
    private static let venue = fullVenue()
    private let reader = GammaReader(Self.venue)

    private func page(_ list: String, _ cursor: String?, size: Int) throws -> JSONValue {
        let target = "/\(list)" + (cursor.map { "?next_cursor=\($0)" } ?? "")
        let request = try #require(PageRequest(method: "GET", target: target))
        let answer = try #require(ClobMarkets.answer(request, self.reader.listing, pageSize: size))
        #expect(answer.status == 200)
        return try JSONValue(parsing: answer.body)
    }

    private func all(_ list: String, from first: String?, size: Int) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor = first
        for _ in 0..<1_000 {
            let page = try self.page(list, cursor, size: size)
            let data = try #require(page["data"]?.array)
            #expect(page["limit"]?.integer == Int64(size) && page["count"]?.integer == Int64(data.count))
            items += data
            cursor = try #require(page["next_cursor"]?.string)
            if cursor == "LTE=" { return items }
            #expect(data.count == size)
        }
        Issue.record("the pages never end")
        return items
    }

    @Test(arguments: ["markets", "simplified-markets", "sampling-markets", "sampling-simplified-markets"])
    func pagesShowEveryMarketOnce(list: String) throws {
        let listing = self.reader.listing
        let known = listing.order.map { listing[$0] }.filter(\.isKnownToClob)
        for size in [7, 100, 1_000] {
            let items = try self.all(list, from: "MA==", size: size)
            let conditions = items.texts("condition_id")
            #expect(Set(conditions).count == conditions.count)
            if !list.hasPrefix("sampling") {
                #expect(conditions == known.map(\.market.condition.description))
                #expect(items.contains { $0["closed"]?.bool == true })
            } else {
                #expect(items.allSatisfy { $0["closed"]?.bool == false && $0["accepting_orders"]?.bool == true })
                #expect(items.allSatisfy { $0["rewards"]?["rates"]?.array?.count == 1 })
                #expect(!items.isEmpty && items.count < known.count)
            }
            let hasQuestions = items.allSatisfy { $0["question"] != nil }
            #expect(hasQuestions == !list.contains("simplified"))
        }
    }

    @Test func theFirstPageNeedsNoCursorWhereThePathIsTheServicesOwn() throws {
        let first = try self.page("simplified-markets", nil, size: 10)
        #expect(try self.page("simplified-markets", "MA==", size: 10) == first)
        #expect(try self.page("simplified-markets", "", size: 10) == first)
        // Where it is Gamma's too, a cursor says who is meant.
        #expect(try self.reader.get("/markets").value.array?.count == 20)
        #expect(try self.reader.get("/markets?next_cursor=MA==").value["limit"]?.integer == 1_000)
        #expect(try self.reader.get("/markets?next_cursor=").value["data"]?.array?.isEmpty == false)
    }

    @Test func cursorsGoOnBehindMarketsThatAreGone() throws {
        let page = try self.page("markets", "MA==", size: 3)
        let cursor = try #require(page["next_cursor"]?.string)
        var listing = self.reader.listing
        let known = listing.order.filter { listing[$0].isKnownToClob }
        let next = listing[known[3]].market.condition.description
        listing.remove(slot: known[2])
        let rest = try GammaReader(listing).get("/simplified-markets?next_cursor=\(cursor)").value
        #expect(rest["data"]?.array?.first?["condition_id"]?.string == next)
    }

    @Test func aCursorBehindTheEndGivesAnEmptyPage() throws {
        for plain in ["9999999", "id:9999999", "9223372036854775807", "id:9223372036854775807"] {
            let cursor = Array(plain.utf8).withUnsafeBytes { Base64URL.encode($0) }
            let page = try self.page("markets", cursor, size: 10)
            #expect(page["count"]?.integer == 0 && page["next_cursor"]?.string == "LTE=")
        }
    }

    @Test(arguments: [
        ("LTE=", "next item should be greater than or equal to 0"),
        ("LTU=", "next item should be greater than or equal to 0"),
        ("x", "invalid next_cursor"), ("!!!!", "invalid next_cursor"), ("aWQ6", "invalid next_cursor"),
        ("aWQ6eA==", "invalid next_cursor"), ("____", "invalid next_cursor"),
        ("OTIyMzM3MjAzNjg1NDc3NTgwOA==", "invalid next_cursor"),
        (String(repeating: "MDAw", count: 100), "invalid next_cursor"),
    ])
    func whatIsNoCursorIsRefused(cursor: String, sentence: String) throws {
        for list in ["markets", "simplified-markets", "sampling-markets", "sampling-simplified-markets"] {
            let answer = try self.reader.get("/\(list)?next_cursor=\(cursor)")
            #expect(answer.status == 400 && answer.value["error"]?.string == sentence)
        }
    }

    @Test func aMarketIsToldInFullByItsCondition() throws {
        let slot = try #require(self.reader.listing.slot(slug: "btc-updown-5m-1795542300"))
        let listed = self.reader.listing[slot]
        let market = try self.reader.get("/markets/\(listed.market.condition)").value
        #expect(market["market_slug"]?.string == listed.market.slug)
        #expect(market["end_date_iso"]?.string == "2026-11-24T00:00:00Z", "the day, and not the time")
        #expect(market["minimum_tick_size"]?.micros == 10_000 && market["minimum_order_size"]?.micros == 5_000_000)
        #expect(market["tags"]?.array?.contains(.string("Crypto")) == true)
        #expect(market["rewards"]?["max_spread"]?.micros == 4_500_000)
        let tokens = try #require(market["tokens"]?.array)
        #expect(tokens.texts("outcome") == ["Up", "Down"])
        #expect(tokens.texts("token_id") == [0, 1].map { listed.outcome($0).token.description })
        #expect(tokens.reduce(0) { $0 + ($1["price"]?.micros ?? 0) } == 1_000_000)
        #expect(tokens.allSatisfy { $0["winner"]?.bool == false })
        let closed = try #require(self.reader.listing.order.first { self.reader.listing[$0].isClosed })
        let resolved = try self.reader.get("/markets/\(self.reader.listing[closed].market.condition)").value
        #expect(resolved["tokens"]?.array?.map { $0["price"]?.micros } == [1_000_000, 0])
        #expect(resolved["tokens"]?.array?.first?["winner"]?.bool == true)
        #expect(resolved["rewards"]?["min_size"]?.micros == 0 && resolved["rewards"]?["rates"] == nil)
        #expect(resolved["accepting_orders"]?.bool == false)
        let unknown = try self.reader.get("/markets/0x" + String(repeating: "0", count: 64))
        #expect(unknown.status == 404 && unknown.value["error"]?.string == "market not found")
        let id = try self.reader.get("/markets/\(listed.id)")
        #expect(id.value["conditionId"]?.string == listed.market.condition.description, "Gamma's own id")
    }

    @Test func aTokenLeadsToItsMarketWhicheverComesFirst() throws {
        var isFirst: Set<Bool> = []
        for slot in self.reader.listing.order.prefix(60) where self.reader.listing[slot].isKnownToClob {
            let market = self.reader.listing[slot].market
            let one = try self.reader.get("/markets-by-token/\(market.first.token)").value
            #expect(try self.reader.get("/markets-by-token/\(market.second.token)").value == one)
            #expect(one["condition_id"]?.string == market.condition.description)
            let pair = [one["primary_token_id"]?.string, one["secondary_token_id"]?.string]
            #expect(Set(pair) == [market.first.token.description, market.second.token.description])
            isFirst.insert(pair[0] == market.first.token.description)
        }
        #expect(isFirst == [true, false])
        #expect(try self.reader.get("/markets-by-token/12").status == 404)
        #expect(try self.reader.get("/markets-by-token/x").status == 400)
    }

    /// The order book service does not know what cannot be read.
    @Test func whatItDoesNotKnowIsNotThere() throws {
        let slot = try #require(self.reader.listing.order.first { !self.reader.listing[$0].isKnownToClob })
        let market = self.reader.listing[slot].market
        #expect(try self.reader.get("/markets/\(market.condition)").status == 404)
        #expect(try self.reader.get("/markets-by-token/\(market.first.token)").status == 404)
    }
}
