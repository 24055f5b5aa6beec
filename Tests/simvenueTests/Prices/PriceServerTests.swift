import Shared
import Testing

@testable import simvenue

/// The price streams over a socket.
@Suite(.serialized) struct PriceServerTests {
    private func text(_ client: VenueClient) throws -> JSONValue { try JSONValue(parsing: try client.readText()) }

    private func polyBolt(_ story: FaultStory, _ topics: [(channel: String, symbol: String)]) throws -> VenueClient {
        let credentials = try Caller(story, 7).credentials
        let client = try VenueClient(port: story.port)
        #expect(try client.upgrade("/prices") == 101)
        try client.sendText("{\"op\":\"auth\",\"rid\":\"1\",\"auth\":\(credentials)}")
        #expect(try self.text(client)["op"]?.string == "authed")
        try client.sendText(polyBoltSubscription(topics))
        #expect(try self.text(client)["op"]?.string == "subscribed")
        return client
    }

    @Test func polyBoltSpeaksToWhoeverHasCredentials() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let stranger = try VenueClient(port: story.port)
            #expect(try stranger.upgrade("/prices") == 101)
            try stranger.sendText("{\"op\":\"auth\",\"auth\":\(someCredentials)}")
            #expect(try self.text(stranger)["code"]?.string == "auth_invalid")
            let client = try self.polyBolt(story, [("price.crypto.twap", "btcusd")])
            var follower = PolyBoltClient()
            for _ in 0..<3 { follower.read(try client.readText()) }
            #expect(follower.problems == [] && follower.snapshotCount == 1)
            let seconds = follower.prices.values.first?.keys.sorted() ?? []
            #expect(seconds.count == 122 && zip(seconds, seconds.dropFirst()).allSatisfy { $0 + 1 == $1 })
            let age = WallClock.milliseconds - (seconds.last ?? 0) * 1_000
            #expect((PolyBoltMessages.delay...PolyBoltMessages.delay + 8_000).contains(age), "\(age)")
            let plain = try VenueClient(port: story.port)
            #expect(try plain.upgrade("/ws") == 101)
            try plain.sendText(#"{"op":"ping"}"#)
            #expect(try self.text(plain)["op"]?.string == "pong")
            #expect(try story.get("/audit")["prices"]?["connections"]?.integer == 3)
        }
    }

    @Test func binanceSpeaksOnItsPathsAndTheVenuesChannelsStayTheirs() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let raw = try VenueClient(port: story.port)
            #expect(try raw.upgrade("/ws/btcusdt@trade") == 101)
            #expect(try self.text(raw)["e"]?.string == "trade")
            let combined = try VenueClient(port: story.port)
            #expect(try combined.upgrade("/stream?streams=ethusdt@bookTicker/solusdt@depth20@100ms") == 101)
            let names = Set([try self.text(combined), try self.text(combined)].compactMap { $0["stream"]?.string })
            #expect(names == ["ethusdt@bookTicker", "solusdt@depth20@100ms"])
            let empty = try VenueClient(port: story.port)
            #expect(try empty.upgrade("/stream") == 101)
            try empty.sendText(#"{"method":"SUBSCRIBE","params":["xrpusdt@bookTicker"],"id":1}"#)
            #expect(try self.text(empty) == .object(["result": .null, "id": .number("1")]))
            #expect(try self.text(empty)["data"]?["s"]?.string == "XRPUSDT")
            #expect(try VenueClient(port: story.port).upgrade() == 101)
            for path in ["/nowhere", "/stream/x"] {
                #expect(try VenueClient(port: story.port).upgrade(path) != 101, "\(path)")
            }
        }
    }

    @Test func whoDoesNotReadIsCutOffAndOthersNoticeNothing() async throws {
        let first = FirstListing()
        try await withServer(pendingByteCountMax: 1 << 20, first.core(3, rate: 0)) { port in
            let story = FaultStory(port: port, listing: first.value)
            let sleeper = try VenueClient(port: port, receiveBufferByteCount: 4_096)
            #expect(try sleeper.upgrade("/prices") == 101)
            try sleeper.sendText("{\"op\":\"auth\",\"auth\":\(try Caller(story, 8).credentials)}")
            // Each of them is answered with fourteen kilobytes: more than the sockets and the server hold.
            let many = [(channel: String, symbol: String)](repeating: ("price.crypto", "btcusd"), count: 64)
            for _ in 0..<18 { try sleeper.sendText(polyBoltSubscription(many)) }
            // Nobody reads before it is cut off, well before it would be sent away for a pong.
            let deadline = ContinuousClock.now + .seconds(40)
            while try VenueClient(port: port).json("/audit")["prices"]?["connections"]?.integer != 0 {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(sleeper.waitForEnd() != nil)
            _ = try self.polyBolt(story, [("price.crypto", "btcusd")])
        }
    }

    @Test func thePriceStreamsHaveFaultsOfTheirOwn() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let binance = try VenueClient(port: story.port)
            #expect(try binance.upgrade("/ws/btcusdt@bookTicker") == 101)
            let before = try #require(try self.text(binance)["u"]?.integer)
            try story.control(#"{"do":"silence_prices","seconds":60}"#)
            let quiet = try VenueClient(port: story.port)
            quiet.wait(atMost: 400)
            #expect(try quiet.upgrade("/ws/btcusdt@bookTicker") == 101)
            #expect(throws: VenueClient.Failure.self) { try quiet.readText() }
            try story.control(#"{"do":"silence_prices","seconds":0}"#)
            var after = before
            var gap: Int64 = 0
            for _ in 0..<50 where gap < 3 {
                let next = try #require(try self.text(binance)["u"]?.integer)
                gap = max(gap, next - after)
                after = next
            }
            #expect(gap >= 3, "what was to be said is lost")

            let market = try VenueClient(port: story.port)
            #expect(try market.upgrade() == 101)
            try story.control(#"{"do":"drop_prices","code":4003}"#)
            var frame = try binance.readFrame()
            while frame.firstByte != 0x88 { frame = try binance.readFrame() }
            #expect(frame.payload == [0x0F, 0xA3])
            #expect(binance.waitForEnd() == .end)
            let again = try self.polyBolt(story, [("price.crypto", "btcusd")])
            try story.control(#"{"do":"drop_prices"}"#)
            #expect(again.waitForEnd() != nil)
            try market.sendText("PING")
            #expect(try market.readText() == Array("PONG".utf8), "the market channel is another one")
        }
    }

    @Test func aRecordingHasNoPrices() async throws {
        let venue = SimulatedVenue(settings(3, rate: 0), at: someTime)
        let slot = try #require(venue.listing.order.first { venue.listing[$0].isBookServed })
        var writer = JSONWriter()
        writer.array { MarketMessages.book(venue.listing[slot], outcome: 0, isAfterTrade: false, to: &$0) }
        let recording = try Recording(parsing: writer.bytes)
        try await withServer({ ReplayVenue(recording, speed: 1, at: $0) }) { port in
            for path in ["/prices", "/ws/btcusdt@trade"] {
                let status = try VenueClient(port: port).upgrade(path)
                // The order book service has a page of that name, for POST.
                #expect(status == (path == "/prices" ? 400 : 404))
            }
        }
    }
}
