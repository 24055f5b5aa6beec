import Shared
import Testing

@testable import simvenue

/// What each fault of the market channel does to somebody who follows it.
@Suite(.serialized) struct ChannelFaultTests {
    @Test func aDropEndsTheConnectionWithTheCodeAskedFor() async throws {
        try await FaultStory.tell { story in
            let (plain, _) = try story.connect()
            try story.control(#"{"do":"drop"}"#)
            #expect(plain.waitForEnd() == .end)
            let (coded, _) = try story.connect()
            try story.control(#"{"do":"drop","code":1012}"#)
            var frame = try coded.readFrame()
            while frame.firstByte != 0x88 { frame = try coded.readFrame() }
            #expect(frame.payload == [0x03, 0xF4])
            #expect(coded.waitForEnd() == .end)
        }
    }

    @Test func aFaultOfOneConnectionLeavesTheOthersAlone() async throws {
        try await FaultStory.tell { story in
            let page = try VenueClient(port: story.port)
            let (one, _) = try story.connect()
            let (other, _) = try story.connect()
            #expect(try page.post("/control", #"{"do":"drop","connection":3}"#).status == 409)
            try story.control(#"{"do":"drop","connection":1}"#)
            #expect(one.waitForEnd() == .end)
            _ = try other.readFrame()
            // The oldest is another now; what it is not told, the next is.
            let (third, _) = try story.connect()
            try story.control(#"{"do":"silence","connection":1,"seconds":3600}"#)
            try story.control(#"{"do":"cut_next","connection":2}"#)
            var cut = String(decoding: try third.readFrame().payload, as: UTF8.self)
            while cut.hasSuffix("}") || cut.hasSuffix("]") {
                cut = String(decoding: try third.readFrame().payload, as: UTF8.self)
            }
            #expect(cut.contains("price_change"))
        }
    }

    @Test func booksThatAreWithheldComeWithALaterSubscription() async throws {
        try await FaultStory.tell(rate: 0) { story in
            try story.control(#"{"do":"withhold_books","seconds":3600}"#)
            let client = try VenueClient(port: story.port)
            #expect(try client.upgrade() == 101)
            try client.subscribe(story.tokens, features: true)
            #expect(try client.readText() == Array("[]".utf8))
            try story.control(#"{"do":"heal"}"#)
            _ = try story.connect()
        }
    }

    /// Whoever follows the one that is lied to finds every hash right, and another book than everybody else.
    @Test func whoIsLiedToCannotTellByTheHashes() async throws {
        try await FaultStory.tell { story in
            try story.control(#"{"do":"pause_traffic"}"#)
            let (other, honest) = try story.connect()
            let client = try VenueClient(port: story.port)
            #expect(try client.upgrade() == 101)
            try story.control(#"{"do":"lie","connection":2,"seconds":3600}"#)
            var lied = Follower()
            lied.meet(story.listing)
            try client.subscribe(story.tokens, features: true)
            lied.read(try client.readText())
            for slot in story.listing.order where story.tokens.contains(story.listing[slot].market.first.token) {
                let condition = story.listing[slot].market.condition
                let truth = try #require(honest.book(of: condition)?.bestBid)
                #expect(lied.book(of: condition)?.bestBid?.size == truth.size + Quantity(shares: 7))
            }
            try story.control(#"{"do":"resume"}"#)
            try FaultStory.read(client, &lied, untilWrongWithin: 500)
            #expect(lied.problems.isEmpty && lied.kinds[.priceChange] == nil, "\(lied.problems)")
            try story.control(#"{"do":"heal"}"#)
            while lied.kinds[.priceChange] == nil { lied.read(try client.readText()) }
            try other.send("PING")
        }
    }

    @Test func aResetIsNoOrderlyEnd() async throws {
        try await FaultStory.tell { story in
            let (client, _) = try story.connect()
            try story.control(#"{"do":"reset"}"#)
            #expect(client.waitForEnd() == .reset)
        }
    }

    @Test func aRestartEndsAllConnectionsAndTheBooksGoOn() async throws {
        try await FaultStory.tell { story in
            let (client, _) = try story.connect()
            let page = try VenueClient(port: story.port)
            let target = "/truth?token_id=\(story.tokens[0])"
            let before = try page.json(target)
            try story.control(#"{"do":"restart","seconds":3}"#)
            try await story.waitForListener(toBeThere: false)
            #expect(client.waitForEnd() == .end)
            #expect(page.waitForEnd() == .end)
            try await story.waitForListener()
            #expect(try story.get(target)["hash"] != before["hash"])
            _ = try story.connect()
        }
    }

    @Test func whileNobodyListensOpenConnectionsStay() async throws {
        try await FaultStory.tell { story in
            let page = try VenueClient(port: story.port)
            func refuse(seconds: Int) throws {
                let body = "{\"do\":\"refuse_connections\",\"seconds\":\(seconds)}"
                #expect(try page.post("/control", body).status == 200)
            }
            try refuse(seconds: 60)
            try await story.waitForListener(toBeThere: false)
            #expect(try page.get("/ok").status == 200)
            // Sent away again while it comes back.
            try refuse(seconds: 0)
            try refuse(seconds: 60)
            try await story.waitForListener(toBeThere: false)
            try refuse(seconds: 0)
            try await story.waitForListener()
            #expect(try story.get("/ok").string == "OK")
        }
    }

    @Test func refusedUpgradesAreCounted() async throws {
        try await FaultStory.tell { story in
            try story.control(#"{"do":"refuse_ws","seconds":60}"#)
            #expect(try VenueClient(port: story.port).upgrade() == 503)
            #expect(try story.get("/audit")["channel"]?["refused"]?.integer == 1)
            try story.control(#"{"do":"heal"}"#)
            #expect(try VenueClient(port: story.port).upgrade() == 101)
        }
    }

    @Test(arguments: [true, false])
    func silenceHidesThatTheBooksGoOn(answersPings: Bool) async throws {
        try await FaultStory.tell { story in
            var (client, follower) = try story.connect()
            client.wait(atMost: 200)
            try story.control("{\"do\":\"silence\",\"seconds\":60,\"pong\":\(answersPings)}")
            // What was sent before is still to be read.
            #expect(throws: VenueClient.Failure.self) { while true { _ = try client.readText() } }
            try client.sendText("PING")
            if answersPings {
                client.wait(atMost: 60_000)
                #expect(try client.readText() == Array("PONG".utf8))
                client.wait(atMost: 200)
            }
            #expect(throws: VenueClient.Failure.self) { try client.readText() }
            client.wait(atMost: 60_000)
            try story.control(#"{"do":"heal"}"#)
            // Whoever believed the silence has books that nothing which follows agrees with.
            try FaultStory.read(client, &follower, untilWrongWithin: 50_000)
            #expect(!follower.problems.isEmpty)
        }
    }

    // MARK: Deltas

    /// All but the doubled one, which a follower must not notice.
    @Test(arguments: [
        "lose_next_delta", "delay_next", "reorder_next", "corrupt_next", "wrong_hash", "cut_next",
    ])
    func aSpoiltDeltaIsNoticedByWhoChecksHashes(name: String) async throws {
        try await FaultStory.tell { story in
            var (client, follower) = try story.connect()
            while follower.checkedCount < 100 { follower.read(try client.readText()) }
            #expect(follower.problems.isEmpty)
            // More than one: a lost change may be overtaken by another of the same level and operation.
            try story.control("{\"do\":\"\(name)\",\"count\":5}")
            try FaultStory.read(client, &follower, untilWrongWithin: 50_000)
            #expect(!follower.problems.isEmpty)
        }
    }

    @Test func aDoubledDeltaIsTheSameTextTwiceAndChangesNothing() async throws {
        try await FaultStory.tell { story in
            var (client, follower) = try story.connect()
            try story.control(#"{"do":"double_next"}"#)
            var last: [UInt8] = []
            var doubledCount = 0
            for _ in 0..<500 {
                let text = try client.readText()
                if text == last { doubledCount += 1 }
                last = text
                follower.read(text)
            }
            #expect(doubledCount == 1)
            #expect(follower.problems.isEmpty)
        }
    }

    @Test func aFaultOfOneMarketLeavesTheOthersAlone() async throws {
        try await FaultStory.tell { story in
            let market = try #require(story.listing.place(of: story.tokens[2])).slot
            let slug = story.listing[market].market.slug
            for name in [slug, story.listing[market].market.condition.description, story.tokens[2].description] {
                var (client, follower) = try story.connect()
                try story.control("{\"do\":\"wrong_hash\",\"market\":\"\(name)\",\"count\":10}")
                try FaultStory.read(client, &follower, untilWrongWithin: 50_000)
                #expect(follower.problems.first?.contains(slug) == true)
                try story.control(#"{"do":"heal"}"#)
            }
            try story.control(#"{"do":"wrong_hash","market":"nobody"}"#, expecting: 409)
        }
    }

    @Test func noFaultIsWastedOnAMarketThatNobodySubscribedTo() async throws {
        try await FaultStory.tell { story in
            let client = try VenueClient(port: story.port)
            #expect(try client.upgrade() == 101)
            try client.subscribe(Array(story.tokens.prefix(2)))
            var follower = Follower()
            follower.meet(story.listing)
            follower.read(try client.readText())
            try story.control(#"{"do":"wrong_hash"}"#)
            for _ in 0..<300 { follower.read(try client.readText()) }
            #expect(!follower.problems.isEmpty)
        }
    }

    @Test func soManyFaultsMayWaitAndNoMore() async throws {
        try await FaultStory.tell(rate: 0) { story in
            for _ in 0..<DeltaFaults.waitingCountMax { try story.control(#"{"do":"lose_next_delta"}"#) }
            try story.control(#"{"do":"lose_next_delta"}"#, expecting: 409)
            for _ in 0..<RequestFaults.waitingCountMax { try story.control(#"{"do":"http_lost"}"#) }
            try story.control(#"{"do":"http_lost"}"#, expecting: 409)
            try story.control(#"{"do":"heal"}"#)
            #expect(try story.get("/ok").string == "OK")
        }
    }

    // MARK: Frames

    @Test func framesThatNoVenueSendsCanBeHad() async throws {
        try await FaultStory.tell(rate: 0) { story in
            var (client, follower) = try story.connect()
            try story.control(#"{"do":"empty_array"}"#)
            let empty = try client.readText()
            #expect(empty == Array("[]".utf8))
            follower.read(empty)
            #expect(follower.problems.isEmpty)
            try story.control(#"{"do":"broken_json"}"#)
            follower.read(try client.readText())
            #expect(follower.problems.count == 1)
            try story.control(#"{"do":"broken_utf8"}"#)
            #expect(String(validating: try client.readText(), as: UTF8.self) == nil)
            // Above what may wait for a subscriber otherwise.
            try story.control(#"{"do":"huge_frame"}"#)
            let huge = try client.readText()
            #expect(huge.count == 17 << 20)
            #expect(huge.starts(with: Array(#"["x"#.utf8)) && huge.suffix(2) == Array(#""]"#.utf8)[...])
            try client.sendText("PING")
            #expect(try client.readText() == Array("PONG".utf8))
        }
    }
}
