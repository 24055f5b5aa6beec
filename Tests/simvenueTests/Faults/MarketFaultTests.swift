import Shared
import Testing

@testable import simvenue

/// What the venue itself may be told to do, and scripts.
@Suite(.serialized) struct MarketFaultTests {
    @Test func aFinerTickIsToldAndTheBooksStayRight() async throws {
        try await FaultStory.tell { story in
            var (client, follower) = try story.connect()
            let market = story.listing[try #require(story.listing.place(of: story.tokens[0])).slot].market
            let body = "{\"do\":\"tick_size\",\"tick\":\"0.0001\",\"market\":\"\(market.slug)\"}"
            try story.control(body)
            while follower.kinds[.tickSizeChange, default: 0] < 2 { follower.read(try client.readText()) }
            try story.control(body, expecting: 409)
            let target = follower.checkedCount + 500
            while follower.checkedCount < target { follower.read(try client.readText()) }
            #expect(follower.problems.prefix(3) == [])
            #expect(follower.book(of: market.condition)?.tick.micros == 100)
            #expect(try story.get("/tick-size?token_id=\(market.first.token)")["minimum_tick_size"]?.micros == 100)
        }
    }

    @Test func aResolutionTakesTheMarketAway() async throws {
        try await FaultStory.tell { story in
            var (client, follower) = try story.connect()
            let market = story.listing[try #require(story.listing.place(of: story.tokens[2])).slot].market
            let body = "{\"do\":\"resolve\",\"winner\":1,\"market\":\"\(market.slug)\"}"
            try story.control(body)
            while follower.kinds[.marketResolved] == nil { follower.read(try client.readText()) }
            #expect(try story.get("/truth")["markets"]?.array?.count == 2)
            let listed = try story.get("/markets/slug/\(market.slug)")
            #expect(listed["closed"]?.bool == true && listed["outcomePrices"]?.string == #"["0", "1"]"#)
            #expect(try VenueClient(port: story.port).get("/book?token_id=\(market.first.token)").status == 404)
            try story.control(body, expecting: 409)
        }
    }

    @Test func twoOfAKindAtOnceAreOne() {
        var venue = SimulatedVenue(settings(3, rate: 0), at: someTime)
        var batch = MessageBatch()
        #expect(venue.force(.resolve(winner: 0, slot: 0)) == nil)
        #expect(venue.force(.resolve(winner: 1, slot: 0)) == nil)
        venue.advance(to: someTime + 1, messageCountMax: .max, into: &batch)
        let resolutions = batch.entries.indices.filter { batch.text(at: $0).contains("market_resolved") }
        #expect(resolutions == [batch.count - 1] && venue.listing[0].winner == 0)
        batch.clear()
        let tick = TickSize(micros: 100)!
        #expect(venue.force(.changeTick(tick, slot: 1)) == nil)
        #expect(venue.force(.changeTick(tick, slot: 1)) == nil)
        venue.advance(to: someTime + 2, messageCountMax: .max, into: &batch)
        // A change of tick and a book for each outcome.
        #expect(batch.count == 4 && venue.listing[1].book.tick == tick)
    }

    @Test func aMarketThatIsListedLaterIsToldTradedAndFound() throws {
        var venue = SimulatedVenue(settings(3, rate: 500), at: someTime)
        var batch = MessageBatch()
        #expect(venue.force(.list) == nil && venue.force(.list) == nil)
        venue.advance(to: someTime + 1, messageCountMax: .max, into: &batch)
        let told = batch.entries.indices.filter { batch.text(at: $0).contains("new_market") }
        #expect(told.count == 2 && batch.text(at: told[1]).contains(#""slug":"bitcoin-added-2""#))
        let slot = try #require(venue.listing.slot(slug: "bitcoin-added-1"))
        #expect(venue.listing[slot].isTradable(at: Timestamp(milliseconds: someTime)))
        let before = venue.listing[slot].bookTime
        venue.advance(to: someTime + 20_000, messageCountMax: .max, into: &batch)
        #expect(venue.listing[slot].bookTime > before)
    }

    @Test func aWindowResolvesAtItsEndAlone() {
        var venue = SimulatedVenue(settings(12, rate: 0), at: someTime)
        let window = venue.listing.order.first { if case .window = venue.listing[$0].kind { true } else { false } }
        #expect(window != nil)
        #expect(venue.force(.resolve(winner: 0, slot: window)) != nil)
    }

    @Test func aClockThatIsOffKeepsItsHashesRight() async throws {
        try await FaultStory.tell { story in
            var (client, follower) = try story.connect()
            while follower.checkedCount < 50 { follower.read(try client.readText()) }
            try story.control(#"{"do":"clock_skew","ms":-3600000}"#)
            try FaultStory.read(client, &follower, untilWrongWithin: 50_000)
            for _ in 0..<300 { follower.read(try client.readText()) }
            #expect(follower.problems.contains { $0.hasPrefix("time went back") })
            // A print of before may seem too soon now, but every hash holds.
            #expect(follower.problems.allSatisfy { $0.hasPrefix("time went back") || $0 == "a print too soon" })
            let now = WallClock.milliseconds / 1_000
            let shown = try #require(try story.get("/time").integer)
            #expect((now - 3_660...now - 3_540).contains(shown))
            try story.control(#"{"do":"heal"}"#)
            #expect(abs(try #require(try story.get("/time").integer) - now) < 60)
        }
    }

    @Test func aRecordingRefusesWhatItCannotDo() throws {
        let book =
            #"{"event_type":"book","market":"0x"# + String(repeating: "1", count: 64)
            + #"","asset_id":"12","timestamp":"1","hash":""# + String(repeating: "0", count: 40)
            + #"","bids":[],"asks":[]}"#
        let venue = ReplayVenue(try Recording(parsing: Array(book.utf8)), speed: 1, at: someTime)
        #expect(venue.force(.skewClock(1)) == "a replayed recording goes as it was recorded")
    }

    // MARK: Scripts

    @Test func aScriptIsFollowedInItsOrder() async throws {
        let text = """
            {"at_ms":0,"do":"pause_traffic"}
            {"at_ms":0,"do":"http_status","status":500,"path":"/ok"}
            {"at_ms":200,"do":"resume"}
            {"at_ms":200,"do":"resolve","market":"nobody"}
            """
        let start = WallClock.milliseconds
        try await FaultStory.tell(script: try FaultScript(parsing: Array(text.utf8))) { story in
            let (client, _) = try story.connect()
            #expect(try VenueClient(port: story.port).get("/ok").status == 500)
            // Traffic comes with the third step alone.
            while !(try client.readText()).starts(with: Array(#"{"event_type":"price_change""#.utf8)) {}
            #expect(WallClock.milliseconds - start >= 200)
            let faults = try story.get("/audit")["faults"]?["latest"]?.array ?? []
            #expect(faults.map { $0["fault"]?["do"]?.string } == ["pause_traffic", "http_status", "resume", "resolve"])
            #expect(faults.map { $0["from"]?.string } == Array(repeating: "script", count: 4))
            let times = faults.compactMap { $0["time"]?.integer }
            #expect(times.count == 4 && times[2] - times[0] == 200)
            #expect(faults.last?["problem"]?.string == "no market here goes by 'nobody'")
        }
    }

    @Test func aScriptMayWaitForTheFirstSubscription() async throws {
        let text = """
            {"at_ms":100,"do":"await_subscription"}
            {"at_ms":150,"do":"empty_array"}
            """
        try await FaultStory.tell(rate: 0, script: try FaultScript(parsing: Array(text.utf8))) { story in
            try await Task.sleep(for: .milliseconds(200))
            #expect(try story.get("/audit")["faults"]?["count"]?.integer == 0)
            let (client, _) = try story.connect()
            #expect(try client.readText() == Array("[]".utf8))
            let control = try story.control(#"{"do":"await_subscription"}"#, expecting: 409)
            #expect(control["error"]?.string == "only a script can wait")
        }
    }

    @Test func theSameFaultsOnTheSameSeedGiveTheSameBytes() throws {
        func run(step: Int64) -> [UInt8] {
            var venue = SimulatedVenue(settings(3, rate: 500), at: someTime)
            var faults = DeltaFaults()
            var bytes: [UInt8] = []
            for kind in [DeltaFault.Kind.lost, .wrongSize, .doubled, .reordered, .wrongHash, .cut] {
                let isTaken = faults.add(DeltaFault(kind: kind, count: 2, market: nil), slot: nil)
                #expect(isTaken)
            }
            for time in stride(from: step, through: 5_000, by: Int64.Stride(step)) {
                var batch = MessageBatch()
                venue.advance(to: someTime + time, messageCountMax: .max, into: &batch)
                faults.spoil(&batch, at: someTime + time) { _ in true }
                bytes += batch.bytes
            }
            return bytes
        }
        #expect(run(step: 1) == run(step: 1_000))
    }
}
