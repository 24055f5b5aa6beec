import Shared
import Signing
import Testing

@testable import simvenue

/// Balances, pages of lists, and what goes wrong on purpose. Source: reference, 2.3, 2.6 and 2.8.
struct DeskAccountTests {
    @Test func anAccountIsOpenedWithMoneyAndApprovals() {
        var story = DeskStory()
        let trader = story.join()
        let balance = story.send(trader, "GET", "/balance-allowance?asset_type=COLLATERAL&signature_type=0")
        #expect(balance["balance"]?.string == "10000000000")
        let allowances = balance["allowances"]?.object ?? [:]
        #expect(
            allowances.keys.sorted() == [
                "0xE111180000d2663C0091e4f400237545B87B996B", "0xe2222d279d744050d28e00520010520000310F59",
            ])
        #expect(allowances.values.allSatisfy { $0.string?.utf8.count == 78 })
        #expect(story.send(trader, "GET", "/balance-allowance/update?asset_type=COLLATERAL").status == 200)
        story.split(trader, 25)
        let token = story.market.second.token
        let shares = story.send(trader, "GET", "/balance-allowance?asset_type=CONDITIONAL&token_id=\(token)")
        #expect(shares["balance"]?.string == "25000000")
        // The Safe is another account.
        let safe = story.send(trader, "GET", "/balance-allowance?asset_type=COLLATERAL&signature_type=2")
        #expect(safe["balance"]?.string == "10000000000" && story.desk.accounts.count == 2)
        for query in [
            "", "?asset_type=GOLD", "?asset_type=CONDITIONAL", "?asset_type=COLLATERAL&signature_type=4",
            "?asset_type=CONDITIONAL&token_id=x",
        ] {
            #expect(story.send(trader, "GET", "/balance-allowance\(query)").status == 400)
        }
    }

    @Test func anAccountMayStartWithNothing() {
        var settings = Desk.Settings()
        settings.startingBalance = .zero
        var story = DeskStory(settings)
        let trader = story.join()
        #expect(story.send(trader, "GET", "/balance-allowance?asset_type=COLLATERAL")["balance"]?.string == "0")
        #expect(story.place(trader, .buy, "10", at: "0.4").error == "not enough balance / allowance")
    }

    @Test func longListsComeInPages() {
        var story = DeskStory()
        let trader = story.join()
        for _ in 0..<205 { story.place(trader, .buy, "5", at: "0.4") }
        var cursor = ""
        var counts: [Int64] = []
        var ids: Set<String> = []
        while cursor != "LTE=" {
            let page = story.send(trader, "GET", "/data/orders?next_cursor=\(cursor)")
            counts.append(page["count"]?.integer ?? 0)
            for order in page["data"]?.array ?? [] { ids.insert(order["id"]?.string ?? "") }
            cursor = page["next_cursor"]?.string ?? "LTE="
        }
        #expect(counts == [100, 100, 5] && ids.count == 205)
        #expect(story.send(trader, "GET", "/data/orders?next_cursor=MA==")["count"]?.integer == 100)
        #expect(story.send(trader, "GET", "/data/orders?next_cursor=LTE=")["count"]?.integer == 0)
        #expect(story.send(trader, "GET", "/data/orders?next_cursor=x").status == 400)
        let token = story.market.first.token
        let id = ids.sorted()[0]
        #expect(story.send(trader, "GET", "/data/orders?asset_id=\(token)&id=\(id)")["count"]?.integer == 1)
        #expect(story.send(trader, "GET", "/data/orders?asset_id=\(story.market.second.token)")["count"]?.integer == 0)
        #expect(story.send(trader, "GET", "/data/orders?market=x").status == 400)
    }

    @Test func tradesAreFiltered() {
        var story = DeskStory()
        let maker = story.join(1)
        let taker = story.join(2)
        story.place(maker, .buy, "10", at: "0.4")
        story.split(taker, 100)
        story.place(taker, .sell, "5", at: "0.4", kind: "FAK")
        story.wait(milliseconds: 3_000)
        story.place(taker, .sell, "5", at: "0.4", kind: "FAK")
        let now = story.time.microseconds / 1_000_000
        for (query, count) in [
            ("", 2), ("?after=\(now - 2)", 1), ("?before=\(now - 2)", 1), ("?before=\(now)&after=\(now)", 0),
            ("?market=\(story.market.condition)", 2), ("?asset_id=\(story.market.second.token)", 0),
            ("?maker_address=\(maker.address)", 2), ("?maker_address=\(Trader(3).address)", 0),
        ] as [(String, Int64)] {
            let page = story.send(maker, "GET", "/data/trades\(query)")
            #expect(page["count"]?.integer == count, "\(query)")
        }
        #expect(story.send(maker, "GET", "/data/trades?after=soon").status == 400)
        #expect(story.send(Trader(3), "GET", "/data/trades").status == 401)
    }

    @Test func noticesAreKeptAndDropped() {
        var story = DeskStory()
        let maker = story.join(1)
        let taker = story.join(2)
        for _ in 0..<120 { story.place(maker, .buy, "5", at: "0.4") }
        _ = story.send(maker, "DELETE", "/cancel-all")
        let all = story.send(maker, "GET", "/notifications?signature_type=0").json.array ?? []
        #expect(all.count == NoticeBoard.noticeCountMax && all.allSatisfy { $0["type"]?.integer == 1 })
        let ids = all.compactMap { $0["id"]?.integer }.map(String.init).joined(separator: ",")
        _ = story.send(maker, "DELETE", "/notifications?ids=\(ids)")
        story.place(maker, .buy, "5", at: "0.4")
        story.split(taker, 10)
        story.place(taker, .sell, "5", at: "0.4", kind: "FOK")
        story.wait(milliseconds: 10_000)
        let fills = story.send(maker, "GET", "/notifications").json.array ?? []
        #expect(fills.map { $0["type"]?.integer } == [2])
    }

    @Test func emptyPagesAreWellFormed() {
        var story = DeskStory()
        let trader = story.join()
        for path in ["/rewards/user", "/rewards/user/markets"] {
            #expect(story.send(trader, "GET", path)["next_cursor"]?.string == "LTE=")
        }
        for path in ["/rewards/markets/current", "/rewards/markets/\(story.market.condition)"] {
            #expect(story.send("GET", path)["data"] == .array([]))
        }
        #expect(story.send("GET", "/rebates/current?date=2026-11-01").json == .array([]))
        #expect(story.send("GET", "/fees/builder-fees/0x12")["builder_taker_fee_rate_bps"]?.integer == 0)
        #expect(story.send("GET", "/api/geoblock")["blocked"] == .bool(false))
        #expect(story.send(trader, "GET", "/rewards/user/percentages").json == .object([:]))
        #expect(story.send(trader, "GET", "/auth/ban-status/closed-only")["closed_only"] == .bool(false))
        let id = story.place(trader, .buy, "10", at: "0.4").orderID ?? ""
        #expect(story.send(trader, "GET", "/order-scoring?order_id=\(id)")["scoring"] == .bool(false))
        #expect(story.send(trader, "POST", "/orders-scoring", #"["\#(id)"]"#)[id] == .bool(false))
        #expect(story.send("GET", "/nothing").status == 0 && story.send("PUT", "/order").status == 0)
    }

    @Test func theTruthOfAnAccountIsExact() throws {
        var story = DeskStory()
        let trader = story.join()
        story.split(trader, 25)
        let id = story.place(trader, .buy, "10", at: "0.4").orderID
        let request = try #require(PageRequest(method: "GET", target: "/truth/account?address=\(trader.address)"))
        let truth = DeskReply(story.desk.truth(request, story.engine.engine))
        #expect(truth["money"]?.integer == 9_975_000_000 && truth["reserved"]?.integer == 4_000_000)
        #expect(truth["holdings"]?.array?.count == 2 && truth["standing"]?.string == "normal")
        #expect(truth["orders"]?.array?.first?["hash"]?.string == id)
        let none = try #require(PageRequest(method: "GET", target: "/truth/account?address=\(Trader(9).address)"))
        #expect(DeskReply(story.desk.truth(none, story.engine.engine)).status == 404)
    }

    // MARK: Faults

    @Test func aRestartIsFollowedByPostOnly() throws {
        var story = DeskStory()
        let trader = story.join()
        story.place(trader, .buy, "10", at: "0.4")
        try story.perform(.engineRestart(seconds: 90, postOnlySeconds: 120))
        #expect(story.place(trader, .buy, "10", at: "0.4").status == 425)
        #expect(story.send(trader, "DELETE", "/cancel-all").status == 425)
        #expect(story.openOrders(trader).count == 1)
        story.wait(milliseconds: 90_000)
        let refused = story.place(trader, .buy, "10", at: "0.4")
        #expect(refused.status == 503 && refused["code"]?.string == "post_only_mode")
        let batch = "[" + story.order(trader, .buy, "10", at: "0.4").body + "]"
        #expect(story.send(trader, "POST", "/orders", batch)["code"]?.string == "post_only_mode")
        #expect(story.place(trader, .buy, "10", at: "0.4", postOnly: true).status == 200)
        #expect(story.send(trader, "DELETE", "/cancel-all").canceled.count == 2)
        story.wait(milliseconds: 120_000)
        #expect(story.place(trader, .buy, "10", at: "0.4").status == 200)
        #expect(story.engine.engine.mode == .normal && story.desk.nextTime == nil)
    }

    @Test func phasesEndAndCanBeEnded() throws {
        var story = DeskStory()
        let trader = story.join()
        story.place(trader, .buy, "10", at: "0.4")
        try story.perform(.cancelOnly(seconds: 60))
        let refused = story.place(trader, .buy, "10", at: "0.4", postOnly: true)
        #expect(refused.status == 503 && refused.error?.contains("cancel-only") == true)
        #expect(story.send(trader, "DELETE", "/cancel-all").canceled.count == 1)
        try story.perform(.disableTrading(seconds: 60))
        #expect(story.send(trader, "DELETE", "/cancel-all").error == "Trading is currently disabled")
        try story.perform(.disableTrading(seconds: 0))
        try story.perform(.geoblock(seconds: 5))
        let blocked = story.place(trader, .buy, "10", at: "0.4")
        #expect(blocked.status == 403 && blocked.error == "Trading restricted in your region")
        #expect(story.send("GET", "/api/geoblock")["blocked"] == .bool(true))
        #expect(story.send(trader, "DELETE", "/cancel-all").status == 200)
        story.wait(milliseconds: 5_000)
        #expect(story.place(trader, .buy, "10", at: "0.4").status == 200)
        try story.perform(.refuseHeartbeats(seconds: 60))
        #expect(story.send(trader, "POST", "/v1/heartbeats", "{}").status == 503)
        try story.perform(.cancelOnly(seconds: 60))
        story.desk.heal(at: story.time, engine: &story.engine)
        #expect(story.send(trader, "POST", "/v1/heartbeats", "{}").status == 200)
        #expect(story.place(trader, .buy, "10", at: "0.4").status == 200)
    }

    @Test func theVenueMayCancelAndTakeMoneyAway() throws {
        var story = DeskStory()
        let trader = story.join()
        let ids = (0..<3).compactMap { _ in story.place(trader, .buy, "10", at: "0.4").orderID }
        try story.perform(.cancelByVenue(OrderHash(ids[0])))
        #expect(story.openOrders(trader) == [ids[1], ids[2]])
        #expect(throws: FaultProblem.self) { try story.perform(.cancelByVenue(OrderHash(ids[0]))) }
        try story.perform(.balanceGone(trader.address))
        #expect(story.openOrders(trader).isEmpty)
        #expect(story.send(trader, "GET", "/data/order/\(ids[1])")["status"]?.string == "ORDER_STATUS_CANCELED")
        #expect(throws: FaultProblem.self) { try story.perform(.balanceGone(Trader(9).address)) }
        let other = story.join(2)
        story.place(other, .buy, "10", at: "0.4")
        try story.perform(.cancelByVenue(nil))
        #expect(story.engine.engine.openOrderCount == 0)
    }

    @Test func whoIsBannedPlacesNothing() throws {
        var story = DeskStory()
        let trader = story.join()
        story.split(trader, 10)
        try story.perform(.standing(trader.address, .closedOnly))
        #expect(story.place(trader, .buy, "10", at: "0.4").error == "address in closed only mode")
        #expect(story.place(trader, .sell, "10", at: "0.4").status == 200)
        #expect(story.send(trader, "GET", "/auth/ban-status/closed-only")["closed_only"] == .bool(true))
        try story.perform(.standing(trader.address, .banned))
        #expect(story.place(trader, .sell, "10", at: "0.5").error == "address banned")
        try story.perform(.standing(trader.address, .normal))
        #expect(story.place(trader, .buy, "10", at: "0.3").status == 200)
    }

    @Test(arguments: [true, false])
    func settlementGoesWrongOnce(isFinal: Bool) throws {
        var story = DeskStory()
        let maker = story.join(1)
        let taker = story.join(2)
        story.place(maker, .buy, "10", at: "0.4")
        story.split(taker, 10)
        try story.perform(.settlement(isFinal: isFinal, seconds: nil))
        story.place(taker, .sell, "5", at: "0.4", kind: "FAK")
        story.place(taker, .sell, "5", at: "0.4", kind: "FAK")
        story.wait(milliseconds: 1_000)
        func states() -> [String] {
            (story.send(maker, "GET", "/data/trades")["data"]?.array ?? []).compactMap { $0["status"]?.string }.sorted()
        }
        #expect(states() == ["TRADE_STATUS_MATCHED", "TRADE_STATUS_" + (isFinal ? "FAILED" : "RETRYING")].sorted())
        story.wait(milliseconds: 10_000)
        #expect(states() == ["TRADE_STATUS_CONFIRMED", "TRADE_STATUS_" + (isFinal ? "FAILED" : "CONFIRMED")].sorted())
    }

    // MARK: Bounds

    @Test func aFloodOfNonsenseLeavesNothingBehind() {
        var story = DeskStory()
        let trader = story.join()
        var random = SeededRandom(seed: 5)
        let good = story.order(trader, .buy, "10", at: "0.4").body
        let targets = [
            ("POST", "/auth/api-key"), ("POST", "/order"), ("POST", "/orders"), ("DELETE", "/orders"),
            ("POST", "/v1/heartbeats"), ("DELETE", "/cancel-market-orders"), ("POST", "/orders-scoring"),
        ]
        for _ in 0..<1_500 {
            let (method, path) = targets[random.below(targets.count)]
            var bytes = Array(good.utf8)
            for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(32 + random.below(95)) }
            let body = String(
                decoding: bytes.prefix(random.below(2) == 0 ? bytes.count : random.below(400)), as: UTF8.self)
            let headers = trader.mark(method, path, body, at: story.time)
            let reply = story.send(method, path, random.below(4) == 0 ? [] : headers, body)
            // An object without the members that are asked for is a cancellation of nothing, or a first heartbeat.
            #expect((400..<500).contains(reply.status) || reply.status == 200, "\(reply.status): \(body)")
        }
        #expect(story.desk.accounts.count == 1 && story.desk.keys.count == 1)
        #expect(story.desk.placements.count <= 1 && story.desk.budgets.count == 1)
        // Whoever behaves is served as before.
        #expect(story.send(trader, "POST", "/order", good).status == 200 || story.openOrders(trader).count == 1)
    }

    @Test func strangersAreTurnedAwayAtTheBound() {
        var accounts = AccountRegister()
        let trader = Trader(1)
        for index in 0..<Desk.accountCountMax {
            let digits = String(index, radix: 16)
            let address = Address("0x" + String(repeating: "0", count: 40 - digits.utf8.count) + digits)!
            accounts.add(AccountRegister.Owned(account: AccountID(index: index), address: address, signer: address))
        }
        var story = DeskStory()
        story.desk.accounts = accounts
        let reply = story.send("POST", "/auth/api-key", trader.claim(at: story.time))
        #expect(reply.status == 400 && reply.error == "Could not create api key")
        #expect(story.desk.keys.count == 0)
    }

    @Test func oldNewsIsForgotten() {
        var audit = DeskAudit()
        for number in 0..<5_000 {
            audit.noteReceived(OrderHash(digest: ConditionID(words: (0, 0, 0, UInt64(number)))), at: engineStart)
        }
        var writer = JSONWriter()
        audit.write(accountCount: 0, keyCount: 0, armedCount: 0, to: &writer)
        let orders = (try? JSONValue(parsing: writer.bytes))?["orders"]?.array
        #expect(orders?.count == DeskAudit.orderCountMax)
        #expect(orders?.last?["hash"]?.string?.hasSuffix("1387") == true)
    }
}

extension DeskStory {
    fileprivate mutating func perform(_ fault: DeskFault) throws(FaultProblem) {
        try self.desk.perform(fault, at: self.time, engine: &self.engine)
        self.wait(milliseconds: 0)
    }
}
