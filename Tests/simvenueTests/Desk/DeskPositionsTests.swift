import Shared
import Testing

@testable import simvenue

/// The Data API's positions, which anybody may read. Source: reference, 7.
struct DeskPositionsTests {
    private func page(_ story: inout DeskStory, _ trader: Trader, _ query: String = "") -> DeskReply {
        story.send("GET", "/v2/positions?user=\(trader.address)\(query)")
    }

    @Test func aWalletsSharesAreListed() throws {
        var story = DeskStory()
        let trader = story.join()
        #expect(self.page(&story, trader)["data"] == .array([]))
        #expect(self.page(&story, Trader(9))["data"] == .array([]), "nobody knows it, so it holds nothing")
        story.split(trader, 25)
        let rows = try #require(self.page(&story, trader)["data"]?.array)
        #expect(rows.count == 2)
        let row = try #require(rows.first { $0["token_id"]?.string == "\(story.market.second.token)" })
        #expect(row["proxy_wallet"]?.string == "\(trader.address)".lowercased())
        #expect(row["condition_id"]?.string == "\(story.market.condition)")
        #expect(row["current_size"] == .number("25") && row["status"]?.string == "OPEN")
        #expect(row["redeemable"]?.bool == false && row["mergeable"]?.bool == true)
        #expect(row["outcome"]?.string == story.market.second.label && row["outcome_index"]?.integer == 1)
        #expect(row["opposite_token_id"]?.string == "\(story.market.first.token)")
        #expect(row["end_date"]?.string?.utf8.count == 10)
        #expect(row["current_price"]?.micros == 500_000 && row["current_value"]?.micros == 12_500_000)
    }

    @Test func whatIsSmallIsListedOnDemandAlone() {
        var story = DeskStory()
        let (maker, taker) = (story.join(1), story.join(2))
        story.split(taker, 10)
        story.place(maker, .buy, "5.05", at: "0.4")
        story.place(taker, .sell, "5.05", at: "0.4", kind: "FAK")
        story.wait(milliseconds: 10_000)
        story.place(taker, .buy, "5", at: "0.4")
        story.place(maker, .sell, "5", at: "0.4", kind: "FAK")
        story.wait(milliseconds: 10_000)
        #expect(self.page(&story, maker)["data"] == .array([]))
        let rows = self.page(&story, maker, "&filter_type=TOKENS&filter_amount=0")["data"]?.array ?? []
        #expect(rows.map { $0["current_size"] } == [.number("0.05")])
    }

    @Test func longListsComeInPagesLargestFirst() throws {
        let markets = (1...5).map { engineMarket($0) }
        var story = DeskStory(markets: markets)
        let trader = story.join()
        let account = try #require(story.desk.accounts.account(of: trader.funder))
        for (n, market) in markets.enumerated() {
            _ = story.engine.handle(
                .split(account, market.condition, Quantity(shares: Int64(n + 1))), at: story.time)
        }
        var cursor: String?
        var sizes: [Int64] = []
        var tokens: Set<String> = []
        var pageCount = 0
        repeat {
            let page = self.page(&story, trader, cursor.map { "&cursor=\($0)" } ?? "&limit=3")
            for row in page["data"]?.array ?? [] {
                sizes.append(row["current_size"]?.micros ?? 0)
                tokens.insert(row["token_id"]?.string ?? "")
            }
            pageCount += 1
            cursor = page["pagination"]?["next_cursor"]?.string
            #expect(page["pagination"]?["has_more"]?.bool == (cursor != nil))
            #expect(page["pagination"]?["limit"]?.integer == 3, "the cursor has the size of the first page")
        } while cursor != nil && pageCount < 10
        #expect(pageCount == 4 && tokens.count == 10 && sizes == sizes.sorted(by: >))
    }

    @Test func whatCannotBeAskedForIsRefused() {
        var story = DeskStory()
        let trader = story.join()
        #expect(story.send("GET", "/v2/positions").status == 400)
        #expect(story.send("GET", "/v2/positions?user=0x12").status == 400)
        for query in [
            "&limit=0", "&limit=1001", "&limit=x", "&cursor=x", "&cursor=MTow", "&status=HELD", "&filter_amount=-1",
            "&filter_type=CASH",
        ] {
            #expect(self.page(&story, trader, query).status == 400, "\(query)")
        }
        for status in ["CLOSED", "REDEEMABLE"] {
            #expect(self.page(&story, trader, "&status=\(status)")["data"] == .array([]))
        }
    }

    @Test func howFarItIsBehindIsToldOnDemandAlone() throws {
        var story = DeskStory()
        func seconds(_ story: inout DeskStory) -> Int64? {
            story.send("GET", "/v2/status")["data"]?["serving"]?["lag_seconds"]?.integer
        }
        #expect(seconds(&story) == 0)
        for isTold in [false, true] {
            try story.desk.perform(
                .stalePositions(seconds: 60, isTold: isTold), at: story.time, engine: &story.engine)
            story.wait(milliseconds: 50_000)
            #expect(seconds(&story) == (isTold ? 50 : 0))
        }
        story.wait(milliseconds: 10_000)
        #expect(seconds(&story) == 0)
    }

    @Test func thePageMayBeBehind() throws {
        var story = DeskStory()
        let trader = story.join()
        story.split(trader, 25)
        try story.desk.perform(.stalePositions(seconds: 60, isTold: false), at: story.time, engine: &story.engine)
        story.split(trader, 5)
        func sizes(_ story: inout DeskStory) -> [JSONValue?] {
            (self.page(&story, trader)["data"]?.array ?? []).map { $0["current_size"] }
        }
        #expect(sizes(&story) == [.number("25"), .number("25")])
        story.wait(milliseconds: 60_000)
        #expect(sizes(&story) == [.number("30"), .number("30")])
        try story.desk.perform(.stalePositions(seconds: 60, isTold: false), at: story.time, engine: &story.engine)
        story.split(trader, 5)
        story.desk.heal(at: story.time, engine: &story.engine)
        #expect(sizes(&story) == [.number("35"), .number("35")])
    }
}
