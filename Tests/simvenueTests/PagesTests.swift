import Shared
import Testing

@testable import simvenue

struct PagesTests {
    private let venue = SimulatedVenue(settings(75, rate: 0), at: someTime)

    private func get(_ target: String) throws -> (status: Int, value: JSONValue) {
        let request = try #require(PageRequest(method: "GET", target: target))
        let answer =
            TruthPages.answer(request, self.venue.listing, time: someTime)
            ?? ClobPages.answer(request, self.venue.listing, time: someTime)
            ?? GammaPages.answer(request, self.venue.listing) ?? .unknownPath
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    private func post(_ target: String, _ body: String) throws -> (status: Int, value: JSONValue) {
        let request = try #require(PageRequest(method: "POST", target: target, body: Array(body.utf8)))
        let answer = try #require(ClobPages.answer(request, self.venue.listing, time: someTime))
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    private func allPages(_ list: String, _ query: String) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor = ""
        for _ in 0..<1_000 {
            let page = try self.get("/\(list)/keyset?\(query)\(cursor.isEmpty ? "" : "&after_cursor=\(cursor)")")
            #expect(page.status == 200)
            items += try #require(page.value[list]?.array)
            guard let next = page.value["next_cursor"]?.string else { return items }
            cursor = next
        }
        Issue.record("the pages never end")
        return items
    }

    @Test(arguments: [1, 7, 100])
    func pagesShowEveryOpenMarketOnce(limit: Int) throws {
        let open = self.venue.listing.order.filter { !self.venue.listing[$0].isClosed }
        let ids = try self.allPages("markets", "limit=\(limit)").compactMap { $0["id"]?.string }
        #expect(ids == open.map { String(self.venue.listing[$0].id) })
        let closed = try self.allPages("markets", "limit=\(limit)&closed=true")
        #expect(closed.count == self.venue.listing.order.count - open.count && !closed.isEmpty)
    }

    @Test func pagesShowEveryEventOnceWithItsMarkets() throws {
        let events = try self.allPages("events", "limit=3")
        let ids = events.compactMap { $0["id"]?.string }
        #expect(Set(ids).count == ids.count)
        #expect(ids.count == Set(self.venue.listing.order.map { self.venue.listing[$0].event.id }).count)
        #expect(events.allSatisfy { $0["markets"]?.array?.isEmpty == false })
    }

    @Test func exactlyTheTradableOnesPassTheTradableTest() throws {
        let now = CalendarDate.rfc3339(someTime / 1_000)
        let tradable = try self.allPages("markets", "limit=50").filter {
            $0["active"]?.bool == true && $0["closed"]?.bool == false && $0["enableOrderBook"]?.bool == true
                && $0["acceptingOrders"]?.bool == true && ($0["endDate"]?.string ?? "") > now
                && $0["umaResolutionStatus"] == nil
        }
        #expect(tradable.count == 75)
        for market in tradable {
            for key in ["outcomes", "outcomePrices", "clobTokenIds"] {
                let text = try #require(market[key]?.string)
                #expect(try JSONValue(parsing: Array(text.utf8)).array?.count == 2)
            }
            #expect(market["events"]?.array?.first?["slug"]?.string != nil)
            #expect(market["orderMinSize"]?.micros == 5_000_000)
        }
        #expect(tradable.contains { $0["outcomes"]?.string == #"["No", "Yes"]"# })
        #expect(tradable.contains { $0["negRisk"]?.bool == true })
        #expect(tradable.contains { $0["orderPriceMinTickSize"]?.micros == 1_000 })
        #expect(try self.get("/truth").value["markets"]?.array?.count == 75)
    }

    @Test func listsRefuseWhatTheVenueRefuses() throws {
        #expect(try self.get("/markets/keyset?offset=20").status == 422)
        #expect(try self.get("/markets/keyset?after_cursor=zzz!").status == 422)
        #expect(try self.get("/markets/keyset?limit=many").status == 422)
        #expect(try self.get("/markets/keyset").value["markets"]?.array?.count == 20)
        let openCount = self.venue.listing.order.count { !self.venue.listing[$0].isClosed }
        #expect(try self.get("/markets/keyset?limit=1000").value["markets"]?.array?.count == min(100, openCount))
        #expect(try self.get("/markets?limit=5&offset=3").value.array?.count == 5)
        #expect(try self.get("/nowhere").status == 404)
    }

    @Test func aMarketIsFoundByItsNames() throws {
        let slug = "btc-updown-5m-1795542300"
        let market = try self.get("/markets/slug/\(slug)").value
        let event = try self.get("/events/slug/\(slug)").value
        #expect(event["markets"]?.array?.first?["conditionId"] == market["conditionId"])
        #expect(market["eventStartTime"]?.string == "2026-11-24T17:45:00Z")
        #expect(market["endDate"]?.string == "2026-11-24T17:50:00Z")
        #expect(market["feeSchedule"]?["rate"]?.micros == 70_000)
        let id = try #require(market["id"]?.string)
        #expect(try self.get("/markets/\(id)").value["slug"]?.string == slug)
        let condition = try #require(market["conditionId"]?.string)
        #expect(try self.get("/markets/keyset?condition_ids=\(condition)").value["markets"]?.array?.count == 1)
        #expect(try self.get("/markets/slug/no-such-market").status == 404)
        let compact = try self.get("/clob-markets/\(condition)").value
        #expect(compact["ao"]?.bool == true && compact["itode"]?.bool == true && compact["nr"] == nil)
        #expect(compact["mts"]?.micros == 10_000 && compact["t"]?.array?.count == 2)
        let tokens = (compact["t"]?.array ?? []).compactMap { $0["t"]?.string }
        let found = try self.get("/markets-by-token/\(tokens[1])").value
        let pair = [found["primary_token_id"]?.string, found["secondary_token_id"]?.string]
        #expect(found["condition_id"]?.string == condition && Set(pair) == Set(tokens))
        #expect(try self.get("/markets-by-token/1").status == 404)
        #expect(try self.get("/markets-by-token/x").status == 400)
    }

    @Test func booksAreServedWithTheirRightHash() throws {
        let slot = try #require(self.venue.listing.slot(slug: "btc-updown-5m-1795542300"))
        let listed = self.venue.listing[slot]
        for outcome in 0..<2 {
            let book = try self.get("/book?token_id=\(listed.outcome(outcome).token)").value
            var hasher = BookHasher()
            let time = try #require(book["timestamp"]?.integer)
            let lastTrade = LastTradePrice(text: book["last_trade_price"]?.string ?? "?")
            let hash = hasher.hash(
                listed.book, of: listed.market, outcome: outcome, timestamp: time, lastTrade: lastTrade)
            #expect(book["hash"]?.string == hash.description)
            let bids = try #require(book["bids"]?.array?.compactMap { $0["price"]?.micros })
            let asks = try #require(book["asks"]?.array?.compactMap { $0["price"]?.micros })
            #expect(bids == bids.sorted() && asks == asks.sorted(by: >))
        }
        #expect(try self.get("/book?token_id=12").status == 404)
        #expect(try self.get("/book?token_id=twelve").status == 400)
        #expect(try self.get("/book").status == 400)
    }

    @Test func manyBooksAreServedAtOnceAndUnknownOnesDropped() throws {
        let slot = try #require(self.venue.listing.slot(slug: "btc-updown-5m-1795542300"))
        let token = self.venue.listing[slot].market.second.token
        let some = try self.post("/books", #"[{"token_id":"12"},{"token_id":"\#(token)"}]"#)
        #expect(some.value.array?.map { $0["asset_id"]?.string } == [token.description])
        let tooMany = "[" + Array(repeating: #"{"token_id":"12"}"#, count: 501).joined(separator: ",") + "]"
        #expect(try self.post("/books", tooMany).status == 400)
        #expect(try self.post("/books", "{").status == 400)
    }

    @Test func targetsAreDecodedOrRefused() throws {
        let request = try #require(PageRequest(method: "GET", target: "/a%20b//c?x=1%2B1&y&x=2"))
        #expect(request.path == ["a b", "c"])
        #expect(request.values("x") == ["1+1", "2"] && request.value("y") == "")
        for target in ["", "a", "/%4", "/%zz", "/%ff", "*"] {
            #expect(PageRequest(method: "GET", target: target) == nil)
        }
    }

    @Test func datesAreWrittenAsTheVenueWritesThem() {
        #expect(CalendarDate.rfc3339(0) == "1970-01-01T00:00:00Z")
        #expect(CalendarDate.rfc3339(951_827_696) == "2000-02-29T12:34:56Z")
        #expect(CalendarDate.rfc3339(someTime / 1_000) == "2026-11-24T17:49:00Z")
    }
}
