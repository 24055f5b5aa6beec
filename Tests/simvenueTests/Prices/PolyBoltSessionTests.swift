import Shared
import Testing

@testable import simvenue

/// PolyBolt as one client sees it.
struct PolyBoltSessionTests {
    /// A connection that was opened at `someTime`, and what came of it.
    private struct Story {
        var prices = ReferencePrices(seed: 7, from: someTime, to: someTime)
        var session = PolyBoltSession(openedAt: someTime)
        var client = PolyBoltClient()
        var texts: [[UInt8]] = []
        var pingTimes: [Int64] = []
        var closeCode: UInt16?
        /// Milliseconds since `someTime`.
        var offset: Int64 = 0
        var answersPings = true

        mutating func advance(to offset: Int64) {
            var actions: [ChannelAction] = []
            self.offset = offset
            self.prices.walk(to: someTime + offset)
            self.session.advance(to: someTime + offset, self.prices, into: &actions)
            self.take(actions)
        }

        mutating func hand(_ text: String, isGood: Bool = true) { self.hand(.text(Array(text.utf8)), isGood: isGood) }

        mutating func hand(_ frame: ChannelFrame, isGood: Bool = true) {
            var actions: [ChannelAction] = []
            self.session.receive(
                frame, at: someTime + self.offset, self.prices, accepts: { _ in isGood }, into: &actions)
            self.take(actions)
        }

        mutating func authenticate() { self.hand("{\"op\":\"auth\",\"rid\":\"a\",\"auth\":\(someCredentials)}") }

        private mutating func take(_ actions: [ChannelAction]) {
            self.client.read(actions)
            for action in actions {
                switch action {
                case .send(let text): self.texts.append(text)
                case .ping:
                    self.pingTimes.append(self.offset)
                    if self.answersPings { self.hand(.pong) }
                case .close(let code): self.closeCode = code
                }
            }
        }

        /// Operations answered since the last call.
        mutating func takeOperations() -> [String] {
            defer { self.client = PolyBoltClient() }
            return self.client.operations
        }
    }

    @Test func aSubscriptionBeginsWithTwoMinutesAndGoesOnWithoutAGap() {
        var story = Story()
        story.authenticate()
        story.hand(polyBoltSubscription([("price.crypto", "btcusd"), ("price.crypto.twap", "xrpusd")]))
        story.advance(to: 20_500)
        #expect(story.client.operations == ["authed", "subscribed", "subscribed"])
        #expect(story.client.problems == [] && story.client.snapshotCount == 2)
        for (topic, sequences) in story.client.sequences { #expect(sequences == Array(1...22), "\(topic)") }
        for (topic, prices) in story.client.prices {
            let seconds = prices.keys.sorted()
            #expect(seconds.count == 141, "\(topic)")
            #expect(seconds.last == (someTime + 20_500 - PolyBoltMessages.delay) / 1_000)
            #expect(zip(seconds, seconds.dropFirst()).allSatisfy { $0 + 1 == $1 })
        }
        for (second, units) in story.client.prices[.init(channel: "price.crypto.twap", symbol: "xrpusd")] ?? [:] {
            #expect(story.prices[3].latent.twap(seconds: 60, endingAt: second)?.units == units)
        }
    }

    @Test func theSameSeedGivesTheSameBytesInWhateverStepsTimeIsTold() {
        func texts(step: Int64) -> [[UInt8]] {
            var story = Story()
            story.authenticate()
            story.hand(polyBoltSubscription([("price.crypto", "ethusd"), ("price.crypto.twap", "solusd")]))
            for offset in stride(from: step, through: 60_000, by: Int(step)) { story.advance(to: offset) }
            story.advance(to: 60_000)
            return story.texts
        }
        let one = texts(step: 13)
        #expect(one.count > 120 && one == texts(step: 7_777))
    }

    @Test func aMessageLooksLikeTheVenues() throws {
        var story = Story()
        story.authenticate()
        story.hand(polyBoltSubscription([("price.crypto.twap", "btcusd")]))
        story.advance(to: 1_200)
        let message = try JSONValue(parsing: try #require(story.texts.last))
        #expect(message.object?.keys.sorted() == ["channel", "payload", "seq", "ts", "v"])
        #expect(message["ts"]?.integer == someTime + 1_200)
        #expect(
            message["payload"]?.object?.keys.sorted() == [
                "full_accuracy_value", "received_at", "source", "symbol", "timestamp", "value", "window_seconds",
            ])
        #expect(message["payload"]?["timestamp"]?.integer == someTime)
    }

    @Test func nobodySubscribesWithoutCredentials() {
        var story = Story()
        let subscribe = polyBoltSubscription([("price.crypto", "btcusd")])
        story.hand(subscribe)
        #expect(story.takeOperations() == ["auth_required"])
        for credentials in [
            "null", "{}", #"{"apiKey":"key","secret":"s","passphrase":"p"}"#,
            #"{"apiKey":"9180014b-33c8-9240-a14b-bdca11c0a465","secret":"","passphrase":"p"}"#,
        ] {
            story.hand("{\"op\":\"auth\",\"auth\":\(credentials)}")
            #expect(story.takeOperations() == ["auth_invalid"])
        }
        story.hand("{\"op\":\"auth\",\"auth\":\(someCredentials)}", isGood: false)
        story.hand(subscribe)
        #expect(story.takeOperations() == ["auth_invalid", "auth_required"])
        story.authenticate()
        story.hand(subscribe)
        #expect(story.takeOperations() == ["authed", "subscribed"])
        story.authenticate()
        story.authenticate()
        #expect(story.closeCode == nil)
        story.authenticate()
        #expect(story.takeOperations() == ["authed", "authed", "auth_attempts"])
        #expect(story.closeCode == 4_001)
        story.hand(subscribe)
        story.advance(to: 100_000)
        #expect(story.takeOperations() == [], "nothing comes after the end")
    }

    @Test func whatIsMalformedIsAnsweredAndHarmsNothing() {
        var story = Story()
        story.authenticate()
        story.hand(polyBoltSubscription([("price.crypto", "btcusd")]))
        _ = story.takeOperations()
        for (text, code) in [
            ("", "bad_op"), ("{", "bad_op"), ("[]", "bad_op"), ("7", "bad_op"), (#"{"op":"dance"}"#, "bad_op"),
            (#"{"op":"subscribe"}"#, "bad_op"), (#"{"op":"subscribe","subscriptions":[]}"#, "bad_op"),
            (#"{"op":"subscribe","subscriptions":{"channel":"price.crypto"}}"#, "bad_op"),
            (#"{"op":"subscribe","subscriptions":[7]}"#, "bad_channel"),
            (#"{"op":"subscribe","subscriptions":[{"channel":"price.stars"}]}"#, "bad_channel"),
            (#"{"op":"subscribe","subscriptions":[{"channel":"price.crypto"}]}"#, "bad_filter"),
            (polyBoltSubscription([("price.crypto", "BTC/USD")]), "bad_filter"),
            (polyBoltSubscription([("price.equity", "btcusd")]), "bad_filter"),
            (
                #"{"op":"subscribe","subscriptions":[{"channel":"price.crypto.twap","filter":{"symbol":"btcusd"}}]}"#,
                "bad_filter"
            ),
            (
                #"{"op":"subscribe","subscriptions":"#
                    + #"[{"channel":"price.crypto","filter":{"symbol":"btcusd","provider":"pyth"}}]}"#, "bad_filter"
            ),
            (polyBoltSubscription([("price.stars", "btcusd")], operation: "unsubscribe"), "bad_channel"),
        ] {
            story.hand(text)
            #expect(story.takeOperations() == [code], "\(text)")
        }
        story.hand(#"{"op":"ping"}"#)
        #expect(story.takeOperations() == ["pong"])
        story.advance(to: 5_000)
        #expect(story.client.prices.count == 1 && story.closeCode == nil)
    }

    @Test func limitsAreKept() {
        var story = Story()
        story.authenticate()
        let many = [(channel: String, symbol: String)](repeating: ("price.crypto", "btcusd"), count: 65)
        story.hand(polyBoltSubscription(many))
        #expect(story.takeOperations() == ["authed", "sub_limit"])
        story.hand(polyBoltSubscription(Array(many.dropLast())))
        #expect(story.takeOperations().count == 64)
        let frame = polyBoltSubscription([("price.crypto", "btcusd")], operation: "unsubscribe")
        for _ in 0..<18 { story.hand(frame) }
        #expect(story.takeOperations().allSatisfy { $0 == "unsubscribed" })
        story.hand(frame)
        #expect(story.takeOperations() == ["rate_limited"])
        story.advance(to: 1_000)
        story.hand(frame)
        #expect(story.takeOperations() == ["unsubscribed"])
        story.hand(.text([UInt8](repeating: UInt8(ascii: " "), count: PolyBoltSession.frameByteCountMax + 1)))
        #expect(story.closeCode == 4_008)
    }

    @Test func whoUnsubscribesHearsNothingAndWhoSubscribesAgainBeginsAnew() {
        var story = Story()
        story.authenticate()
        story.hand(polyBoltSubscription([("price.crypto", "btcusd")]))
        story.advance(to: 5_000)
        story.hand(polyBoltSubscription([("price.crypto", "btcusd")], operation: "unsubscribe"))
        story.client = PolyBoltClient()
        story.advance(to: 15_000)
        #expect(story.client.prices.isEmpty)
        story.hand(polyBoltSubscription([("price.crypto", "btcusd")]))
        story.hand(polyBoltSubscription([("price.crypto", "btcusd")]))
        story.advance(to: 17_500)
        #expect(story.client.sequences.values.first == [1, 1, 2, 3, 4] && story.client.snapshotCount == 2)
    }

    @Test func whoDoesNotAnswerPingsIsSentAway() {
        var story = Story()
        for offset in stride(from: 1_000, through: 200_000, by: 1_000) { story.advance(to: Int64(offset)) }
        #expect(story.pingTimes == [25_000, 50_000, 75_000, 100_000, 125_000, 150_000, 175_000, 200_000])
        #expect(story.closeCode == nil)
        story.answersPings = false
        for offset in stride(from: 201_000, through: 300_000, by: 1_000) { story.advance(to: Int64(offset)) }
        #expect(story.closeCode == 4_002)
    }

    @Test func aServerThatStoodStillForAnHourSendsEverybodyAway() {
        var story = Story()
        story.authenticate()
        story.answersPings = false
        story.hand(polyBoltSubscription([("price.crypto", "btcusd")]))
        story.advance(to: 3_600_000)
        #expect(story.closeCode == 4_002)
        #expect(story.texts.count < 100, "an hour is not made up for")
    }
}
