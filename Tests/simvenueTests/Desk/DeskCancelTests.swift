import Shared
import Signing
import Testing

@testable import simvenue

/// Cancels, heartbeats and rate limits. Source: reference, 2.3, 2.8 and 2.9.
struct DeskCancelTests {
    // MARK: Cancels

    @Test func aCancelSaysWhatWasAndWhatWasNot() {
        var story = DeskStory()
        let trader = story.join(1)
        let other = story.join(2)
        let ids = (0..<3).compactMap { _ in story.place(trader, .buy, "10", at: "0.4").orderID }
        let foreign = story.place(other, .buy, "10", at: "0.4").orderID ?? ""
        let one = story.send(trader, "DELETE", "/order", #"{"orderID":"\#(ids[0])"}"#)
        #expect(one.status == 200 && one.canceled == [ids[0]] && one["not_canceled"] == .object([:]))
        let list = ([ids[0], ids[1], ids[1], foreign]).map { "\"\($0)\"" }.joined(separator: ",")
        let some = story.send(trader, "DELETE", "/orders", "[\(list)]")
        #expect(some.canceled == [ids[1]])
        #expect(some["not_canceled"]?[ids[0]]?.string == "the order is already canceled")
        #expect(some["not_canceled"]?[foreign]?.string == "order can't be found - already canceled or matched")
        #expect(some["not_canceled"]?[ids[1]] == nil)
        #expect(story.openOrders(trader) == [ids[2]] && story.openOrders(other) == [foreign])
        for body in ["", "{}", #"{"orderID":"0x12"}"#, #"{"orderID":7}"#] {
            #expect(story.send(trader, "DELETE", "/order", body).status == 400)
        }
        for body in ["", "{}", #"["0x12"]"#, "[1]"] {
            #expect(story.send(trader, "DELETE", "/orders", body).status == 400)
        }
        let tooMany = "[" + Array(repeating: "\"\(ids[0])\"", count: 1_001).joined(separator: ",") + "]"
        #expect(story.send(trader, "DELETE", "/orders", tooMany).status == 400)
    }

    @Test func allOrdersOfASignerAreCanceledWhereverTheirFundsAre() {
        var story = DeskStory(markets: [engineMarket(), engineMarket(1)])
        let trader = story.join(1)
        var safe = trader
        safe.type = .polyGnosisSafe
        let first = story.place(trader, .buy, "10", at: "0.4").orderID ?? ""
        let second = story.place(safe, .buy, "10", at: "0.4", outcome: 1).orderID ?? ""
        let reply = story.send(trader, "DELETE", "/cancel-all")
        #expect(reply.canceled == [first, second])
        #expect(reply.headers["Poly-RateLimit-Remaining"] == "117")
        #expect(story.send(trader, "DELETE", "/cancel-all").canceled.isEmpty)
    }

    @Test func aMarketsOrdersAreCanceledByConditionOrToken() {
        var story = DeskStory(markets: [engineMarket(), engineMarket(1)])
        let trader = story.join()
        let first = story.place(trader, .buy, "10", at: "0.4").orderID ?? ""
        let second = story.place(trader, .buy, "10", at: "0.4", outcome: 1).orderID ?? ""
        let market = story.market
        #expect(story.send(trader, "DELETE", "/cancel-market-orders", "{}").canceled.isEmpty)
        let other = engineMarket(1).condition
        #expect(story.send(trader, "DELETE", "/cancel-market-orders", #"{"market":"\#(other)"}"#).canceled.isEmpty)
        let byToken = #"{"market":"","asset_id":"\#(market.second.token)"}"#
        #expect(story.send(trader, "DELETE", "/cancel-market-orders", byToken).canceled == [second])
        let byMarket = #"{"market":"\#(market.condition)","asset_id":""}"#
        #expect(story.send(trader, "DELETE", "/cancel-market-orders", byMarket).canceled == [first])
        for body in ["[]", #"{"market":7}"#, #"{"market":"0x"}"#, #"{"asset_id":"x"}"#] {
            #expect(story.send(trader, "DELETE", "/cancel-market-orders", body).status == 400)
        }
    }

    // MARK: Heartbeats

    @Test func whoIsSilentLosesItsOrders() {
        var story = DeskStory()
        let trader = story.join(1)
        let other = story.join(2)
        story.place(other, .buy, "10", at: "0.4")
        let first = story.send(trader, "POST", "/v1/heartbeats", #"{"heartbeat_id":""}"#)
        var id = first["heartbeat_id"]?.string ?? ""
        #expect(first.status == 200 && id.utf8.count == 36)
        story.place(trader, .buy, "10", at: "0.4")
        for _ in 0..<5 {
            story.wait(milliseconds: 5_000)
            let reply = story.send(trader, "POST", "/v1/heartbeats", #"{"heartbeat_id":"\#(id)"}"#)
            #expect(reply.status == 200 && reply["heartbeat_id"]?.string != id)
            id = reply["heartbeat_id"]?.string ?? ""
        }
        #expect(story.openOrders(trader).count == 1)
        story.wait(milliseconds: 9_999)
        #expect(story.openOrders(trader).count == 1)
        story.wait(milliseconds: 5_001)
        #expect(story.openOrders(trader).isEmpty && story.openOrders(other).count == 1)
        // It stays armed: what is placed now has until the next check.
        story.place(trader, .buy, "10", at: "0.4")
        story.wait(milliseconds: 5_000)
        #expect(story.openOrders(trader).isEmpty)
    }

    @Test func aStaleHeartbeatIsAnsweredWithTheRightOneAndCountsForNothing() {
        var story = DeskStory()
        let trader = story.join()
        let early = story.send(trader, "POST", "/v1/heartbeats", #"{"heartbeat_id":"x"}"#)
        #expect(early.status == 400 && early.error == "Invalid Heartbeat ID" && early["heartbeat_id"]?.string == "")
        let id = story.send(trader, "POST", "/v1/heartbeats", "{}")["heartbeat_id"]?.string
        story.place(trader, .buy, "10", at: "0.4")
        for _ in 0..<3 {
            story.wait(milliseconds: 5_000)
            let stale = story.send(trader, "POST", "/v1/heartbeats", #"{"heartbeat_id":""}"#)
            #expect(stale.status == 400 && stale["heartbeat_id"]?.string == id)
        }
        #expect(story.openOrders(trader).isEmpty)
        for body in ["", "[]", #"{"heartbeat_id":7}"#, #"{"heartbeat_id":"\#(String(repeating: "x", count: 65))"}"#] {
            #expect(story.send(trader, "POST", "/v1/heartbeats", body).status == 400)
        }
    }

    @Test func aRevokedKeysOrdersEndAtItsDeadline() {
        var story = DeskStory()
        let trader = story.join()
        _ = story.send(trader, "POST", "/v1/heartbeats", "{}")
        story.place(trader, .buy, "10", at: "0.4")
        _ = story.send(trader, "DELETE", "/auth/api-key")
        story.wait(milliseconds: 15_000)
        #expect(story.engine.engine.openOrderCount == 0 && story.desk.nextTime == nil)
    }

    @Test func anOrderThatWasKilledBelongsToTheKeyThatPlacesItAgain() throws {
        var story = DeskStory()
        let first = story.join()
        var order = story.order(first, .buy, "10", at: "0.4", kind: "FOK")
        #expect(story.send(first, "POST", "/order", order.body).status == 400)
        _ = story.send(first, "DELETE", "/auth/api-key")
        let claim = story.send("POST", "/auth/api-key", Trader(1).claim(at: story.time, nonce: 1))
        var second = Trader(1)
        second.apiKey = try #require(claim["apiKey"]?.string)
        second.secret = try #require(claim["secret"]?.string)
        second.passphrase = try #require(claim["passphrase"]?.string)
        _ = story.send(second, "POST", "/v1/heartbeats", "{}")
        // Neither the type of an order nor its owner is signed.
        order.kind = "GTC"
        order.owner = second.apiKey
        #expect(story.send(second, "POST", "/order", order.body).orderID == order.hash)
        #expect(story.send(second, "GET", "/data/order/\(order.hash)")["owner"]?.string == second.apiKey)
        story.wait(milliseconds: 15_000)
        #expect(story.openOrders(second).isEmpty, "the key was silent for too long")
    }

    // MARK: Limits

    @Test func whoGoesTooFarIsWarned() {
        var story = DeskStory()
        let trader = story.join()
        for _ in 0..<60 { story.place(trader, .buy, "5", at: "0.4") }
        let warned = story.place(trader, .buy, "5", at: "0.4")
        #expect(warned.status == 200 && warned.headers["Poly-RateLimit-Warning"] == "true")
        #expect(warned.headers["Poly-RateLimit-Remaining"] == "0")
        #expect(warned.headers["Poly-RateLimit-Tier"] == "Standard")
        story.wait(milliseconds: 25)
        let fine = story.place(trader, .buy, "5", at: "0.4")
        #expect(fine.status == 200 && fine.headers["Poly-RateLimit-Warning"] == nil)
        let reset = Int64(fine.headers["Poly-RateLimit-Reset"] ?? "") ?? 0
        #expect((1...2).contains(reset - story.time.microseconds / 1_000_000))
    }

    @Test func whoGoesTooFarIsRefusedWhereLimitsAreEnforced() {
        var settings = Desk.Settings()
        settings.enforcesRateLimits = true
        var story = DeskStory(settings)
        let trader = story.join()
        for _ in 0..<60 { #expect(story.place(trader, .buy, "5", at: "0.4").status == 200) }
        let refused = story.place(trader, .buy, "5", at: "0.4")
        #expect(refused.status == 429 && refused.retryAfter == 1)
        // A batch is taken whole or not at all.
        story.wait(milliseconds: 100)
        let bodies = (0..<5).map { _ in story.order(trader, .buy, "5", at: "0.4").body }
        #expect(story.send(trader, "POST", "/orders", "[" + bodies.joined(separator: ",") + "]").status == 429)
        #expect(story.openOrders(trader).count == 60)
        let four = "[" + bodies.prefix(4).joined(separator: ",") + "]"
        #expect(story.send(trader, "POST", "/orders", four).status == 200)
        // More than the burst never passes, and cancels have a budget of their own.
        let ids = story.openOrders(trader)
        let many = "[" + Array(repeating: "\"\(ids[0])\"", count: 121).joined(separator: ",") + "]"
        let never = story.send(trader, "DELETE", "/orders", many)
        #expect(never.status == 429 && never.retryAfter == nil)
        let all = story.send(trader, "DELETE", "/cancel-all")
        #expect(all.canceled.count == 64 && all.headers["Poly-RateLimit-Remaining"] == "55")
    }

    @Test func cancelAllMayOweTokens() {
        var settings = Desk.Settings()
        settings.enforcesRateLimits = true
        var story = DeskStory(settings)
        let trader = story.join()
        for _ in 0..<3 {
            for _ in 0..<60 { story.place(trader, .buy, "5", at: "0.4") }
            story.wait(milliseconds: 1_500)
        }
        let all = story.send(trader, "DELETE", "/cancel-all")
        #expect(all.canceled.count == 180 && all.headers["Poly-RateLimit-Remaining"] == "-61")
        #expect(story.send(trader, "DELETE", "/cancel-all").status == 429)
        story.wait(milliseconds: 1_000)
        #expect(story.send(trader, "DELETE", "/cancel-all").status == 200)
    }

    @Test func budgetsAreExactWhateverTheSteps() {
        var random = SeededRandom(seed: 11)
        for tier in RateTier.allCases {
            var time = engineStart
            var budget = RateBudget(tier.orders, at: time)
            var taken: Int64 = 0
            for _ in 0..<2_000 {
                time = time + .microseconds(Int64(random.below(40_000)))
                budget.fill(at: time)
                let cost = Int64(1 + random.below(15))
                guard budget.allows(cost) else { continue }
                budget.take(cost, least: 0)
                taken += cost
                let most = tier.orders.burst + (time - engineStart).nanoseconds * tier.orders.rate / 1_000_000_000
                #expect(taken <= most && budget.remaining >= 0)
            }
        }
    }
}
