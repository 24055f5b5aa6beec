import Shared
import Signing
import Testing

@testable import simvenue

/// What the user channel says, and to whom.
struct UserChannelTests {
    private func said(_ story: DeskStory, to trader: Trader) throws -> [JSONValue] {
        try story.messages.filter { $0.signer == trader.address }.map { try JSONValue(parsing: $0.text) }
    }

    /// Orders as "PLACEMENT LIVE", trades as "MATCHED TAKER".
    private func words(_ story: DeskStory, to trader: Trader) throws -> [String] {
        try self.said(story, to: trader).map {
            $0["event_type"]?.string == "order"
                ? "\($0["type"]?.string ?? "") \($0["status"]?.string ?? "")"
                : "\($0["status"]?.string ?? "") \($0["trader_side"]?.string ?? "")"
        }
    }

    // MARK: Messages

    @Test func anOrderIsToldToItsOwnerAlone() throws {
        var story = DeskStory()
        let (owner, other) = (story.join(1), story.join(2))
        let reply = story.place(owner, .buy, "10", at: "0.4")
        #expect(story.send(owner, "DELETE", "/cancel-all").canceled.count == 1)
        #expect(try self.words(story, to: owner) == ["PLACEMENT LIVE", "CANCELLATION CANCELED"])
        #expect(try self.said(story, to: other).isEmpty)
        let placement = try #require(try self.said(story, to: owner).first)
        #expect(placement["id"]?.string == reply.orderID && placement["owner"]?.string == owner.apiKey)
        #expect(placement["original_size"]?.string == "10" && placement["size_matched"]?.string == "0")
        #expect(placement["price"]?.string == "0.4" && placement["side"]?.string == "BUY")
        #expect(placement["associate_trades"] == nil && placement["order_type"]?.string == "GTC")
        #expect(placement["maker_address"]?.string == owner.address.description)
        #expect(placement["timestamp"]?.string?.count == 13 && placement["created_at"]?.string?.count == 10)
    }

    @Test func aTradeIsToldToBothThroughItsWholeLife() throws {
        var story = DeskStory()
        let (maker, taker) = (story.join(1), story.join(2))
        story.place(maker, .buy, "10", at: "0.4")
        // Buying the other outcome meets it: both pay for new sets.
        story.place(taker, .buy, "6", at: "0.6", outcome: 1)
        story.wait(milliseconds: 60_000)
        #expect(
            try self.words(story, to: maker) == [
                "PLACEMENT LIVE", "MATCHED MAKER", "UPDATE LIVE", "MINED MAKER", "CONFIRMED MAKER",
            ])
        #expect(
            try self.words(story, to: taker).filter { $0.hasSuffix("TAKER") } == [
                "MATCHED TAKER", "MINED TAKER", "CONFIRMED TAKER",
            ])
        let trade = try #require(try self.said(story, to: maker).first { $0["event_type"]?.string == "trade" })
        let part = trade["maker_orders"]?.array?.first
        #expect(trade["asset_id"]?.string == story.market.second.token.description)
        #expect(part?["asset_id"]?.string == story.market.first.token.description)
        #expect(trade["price"]?.string == "0.6" && part?["price"]?.string == "0.4")
        #expect(part?["matched_amount"]?.string == "6" && part?["owner"]?.string == maker.apiKey)
        #expect(trade["owner"]?.string == taker.apiKey && trade["transaction_hash"]?.string == "")
        let ids = Set(try self.said(story, to: taker).compactMap { $0["match_time"] == nil ? nil : $0["id"]?.string })
        #expect(ids.count == 1)
    }

    @Test(arguments: [true, false]) func aSettlementThatFailsOrIsSentAgainIsTold(isFinal: Bool) throws {
        var story = DeskStory()
        let (maker, taker) = (story.join(1), story.join(2))
        let before = story.send(taker, "GET", "/balance-allowance?asset_type=COLLATERAL&signature_type=0")
        try story.desk.perform(
            .settlement(isFinal: isFinal, seconds: nil), at: story.time, engine: &story.engine)
        story.place(maker, .buy, "10", at: "0.4")
        story.place(taker, .buy, "10", at: "0.6", outcome: 1)
        story.wait(milliseconds: 60_000)
        let after = story.send(taker, "GET", "/balance-allowance?asset_type=COLLATERAL&signature_type=0")
        let life = try self.words(story, to: taker).filter { $0.hasSuffix("TAKER") }
        if isFinal {
            #expect(life == ["MATCHED TAKER", "FAILED TAKER"])
            #expect(before["balance"] == after["balance"], "the balance is as it was")
        } else {
            #expect(life == ["MATCHED TAKER", "RETRYING TAKER", "MINED TAKER", "CONFIRMED TAKER"])
            #expect(before["balance"] != after["balance"])
        }
    }

    // MARK: Sessions

    @Test func strangersAndLiarsAreSentAway() throws {
        let signer = Trader(1).address
        let away = [ChannelAction.close(code: UserSession.unauthorized)]
        let good = #"{"type":"user","auth":\#(someCredentials)}"#
        for text in [
            "", "{}", "[]", "hello", #"{"type":"user"}"#, #"{"operation":"subscribe","markets":[]}"#,
            #"{"type":"user","auth":{"apiKey":"x","secret":"y","passphrase":"z"}}"#, #"{"type":"market"}"#,
            String(repeating: "[", count: 100_000),
        ] {
            var session = UserSession(openedAt: 0)
            #expect(session.receive(Array(text.utf8)) { _ in signer } == away, "\(text.prefix(40))")
        }
        var session = UserSession(openedAt: 0)
        #expect(session.receive(Array(good.utf8)) { _ in nil } == away)
        #expect(session.receive(Array("PING".utf8)) { _ in nil } == [.send(Array("PONG".utf8))])
        #expect(session.receive(Array(good.utf8)) { _ in signer } == [])
        #expect(session.receive(Array("{}".utf8)) { _ in signer } == [.send(Array("INVALID OPERATION".utf8))])
    }

    @Test func marketsAreChosen() throws {
        let signer = Trader(1).address
        let conditions = (1...3).map { ConditionID(words: (0, 0, 0, UInt64($0))) }
        func wants(_ session: UserSession) -> [Bool] {
            conditions.map { session.wants(UserMessage(signer: signer, market: $0, text: [])) }
        }
        func hand(_ session: inout UserSession, _ start: String, _ markets: [ConditionID]) {
            let list = markets.map { "\"\($0)\"" }.joined(separator: ",")
            #expect(session.receive(Array("{\(start),\"markets\":[\(list)]}".utf8)) { _ in signer } == [])
        }
        let claim = "\"type\":\"user\",\"auth\":\(someCredentials)"
        var all = UserSession(openedAt: 0)
        #expect(wants(all) == [false, false, false], "nothing before it is known who it is")
        hand(&all, claim, [])
        #expect(wants(all) == [true, true, true])
        var some = UserSession(openedAt: 0)
        hand(&some, claim, [conditions[0]])
        #expect(wants(some) == [true, false, false])
        _ = some.receive(Array(#"{"operation":"subscribe","markets":[7,"what",null]}"#.utf8)) { _ in signer }
        hand(&some, #""operation":"subscribe""#, [conditions[2]])
        #expect(wants(some) == [true, false, true])
        hand(&some, #""operation":"unsubscribe""#, [conditions[0], conditions[2]])
        #expect(wants(some) == [false, false, false])
        #expect(!all.wants(UserMessage(signer: Trader(2).address, market: conditions[0], text: [])))
    }

    // MARK: Over a socket

    @Test func theChannelHasFaultsOfItsOwn() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let caller = try Caller(story)
            func connect() throws -> VenueClient {
                let client = try VenueClient(port: story.port)
                #expect(try client.upgrade("/ws/user") == 101)
                try client.sendText("{\"type\":\"user\",\"auth\":\(caller.credentials)}")
                try client.sendText("PING")
                #expect(try client.readText() == Array("PONG".utf8))
                return client
            }
            func place(_ client: VenueClient) throws -> JSONValue {
                let reply = try caller.send("POST", "/order", try caller.bid().body)
                let told = try JSONValue(parsing: try client.readText())
                #expect(told["type"]?.string == "PLACEMENT" && told["id"]?.string == reply.orderID)
                return told
            }
            let stranger = try VenueClient(port: story.port)
            #expect(try stranger.upgrade("/ws/user") == 101)
            try stranger.sendText("{\"type\":\"user\",\"auth\":\(someCredentials)}")
            #expect(stranger.waitForEnd() == .end)

            let client = try connect()
            _ = try place(client)
            try story.control(#"{"do":"silence_user","seconds":60}"#)
            _ = try caller.send("DELETE", "/cancel-all")
            try story.control(#"{"do":"silence_user","seconds":0}"#)
            // The cancellation was lost: the next that comes is of a new order.
            _ = try place(client)
            try story.control(#"{"do":"refuse_user","seconds":60}"#)
            #expect(try VenueClient(port: story.port).upgrade("/ws/user") == 503)
            try story.control(#"{"do":"heal"}"#)
            let other = try connect()
            #expect(try story.get("/audit")["user"]?["connections"]?.integer == 2)
            try story.control(#"{"do":"drop_user","code":1012}"#)
            #expect(client.waitForEnd() != nil)
            #expect(other.waitForEnd() != nil)
            #expect(try story.get("/audit")["user"]?["connections"]?.integer == 0)
        }
    }

    @Test func whoseKeyIsRevokedHearsNoMore() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let (caller, other) = (try Caller(story), try Caller(story, 2))
            let clients = try [caller, other].map { caller in
                let client = try VenueClient(port: story.port)
                #expect(try client.upgrade("/ws/user") == 101)
                try client.sendText("{\"type\":\"user\",\"auth\":\(caller.credentials)}")
                try client.sendText("PING")
                #expect(try client.readText() == Array("PONG".utf8))
                return client
            }
            #expect(try caller.send("DELETE", "/auth/api-key").status == 200)
            #expect(clients[0].waitForEnd() == .end)
            try clients[1].sendText("PING")
            #expect(try clients[1].readText() == Array("PONG".utf8))
        }
    }

    @Test func whoIsSentAwayAndDoesNotReadIsGoneAllTheSame() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let client = try VenueClient(port: story.port, receiveBufferByteCount: 4_096)
            #expect(try client.upgrade("/ws/user") == 101)
            // More answers than the sockets hold: a goodbye waits behind them.
            let ping = [0x89, 0x80 | 125] + [UInt8](repeating: 0, count: 4 + 125)
            try client.send([[UInt8]](repeating: ping, count: 80_000).flatMap { $0 })
            try client.sendText("{\"type\":\"user\",\"auth\":\(someCredentials)}")
            let deadline = ContinuousClock.now + .seconds(20)
            while try story.get("/audit")["user"]?["connections"]?.integer != 0 {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(50))
            }
            _ = client
        }
    }
}
