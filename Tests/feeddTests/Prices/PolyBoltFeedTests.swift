import DaemonKit
import Shared
import Testing

@testable import feedd

private func second(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }

/// The line to the venue's price stream.
@Suite struct PolyBoltFeedTests {
    private var feed = PolyBoltFeed(settings: .init(), seed: 1)

    private func request(_ operation: String, _ symbol: String) -> PolyBoltFeed.Action {
        .send(
            #"{"op":"\#(operation)","rid":"\#(symbol)","subscriptions":[{"channel":"price.crypto.twap","#
                + #""filter":{"symbol":"\#(symbol)","window_seconds":60}}]}"#)
    }

    private mutating func goLive(_ symbols: Set<ReferenceSymbol> = [.btcusd], at start: Int64 = 0) {
        _ = self.feed.handle(.wanted(symbols), now: second(start))
        _ = self.feed.handle(.opened, now: second(start))
        _ = self.feed.handle(.authed, now: second(start))
    }

    private var wait: Instant? { if case .waiting(let until) = self.feed.state { until } else { nil } }

    @Test mutating func nothingIsDoneWhileNothingIsWanted() {
        for event in [
            PolyBoltFeed.Event.wanted([]), .opened, .authed, .heard(isPrice: true),
            .error(code: "auth_invalid", request: nil), .dropped(.lost), .woke,
        ] {
            #expect(self.feed.handle(event, now: second(0)) == [])
            #expect(self.feed.state == .idle)
        }
    }

    @Test mutating func theLineIsOpenedAuthenticatedAndAskedForEachSymbol() {
        #expect(
            self.feed.handle(.wanted([.ethusd, .btcusd]), now: second(0)) == [.connect, .wake(at: second(15))])
        #expect(self.feed.handle(.opened, now: second(1)) == [.authenticate(request: "auth")])
        #expect(!self.feed.isLive)
        #expect(
            self.feed.handle(.authed, now: second(2)) == [
                self.request("subscribe", "btcusd"), self.request("subscribe", "ethusd"), .wake(at: second(12)),
            ])
        #expect(self.feed.isLive)
        #expect(
            self.feed.handle(.wanted([.ethusd, .solusd]), now: second(3)) == [
                self.request("unsubscribe", "btcusd"), self.request("subscribe", "solusd"), .wake(at: second(12)),
            ])
        #expect(self.feed.handle(.wanted([]), now: second(4)) == [.close])
    }

    @Test mutating func aLineIsPingedAndDeadWithoutPricesThoughItAnswers() {
        self.goLive()
        #expect(self.feed.handle(.woke, now: second(10)).first == .send(#"{"op":"ping"}"#))
        _ = self.feed.handle(.heard(isPrice: true), now: second(11))
        _ = self.feed.handle(.heard(isPrice: false), now: second(29))
        #expect(self.feed.handle(.woke, now: second(30)).first == .send(#"{"op":"ping"}"#))
        #expect(self.feed.handle(.woke, now: second(31)).first == .close)
        #expect(self.wait != nil)
    }

    @Test mutating func aStreamThatHasNothingOfWhatIsWantedIsLeftInPeace() {
        self.goLive([.zecusd])
        let refusal = self.feed.handle(.error(code: "bad_filter", request: "zecusd"), now: second(1))
        #expect(refusal == [.tellRefused(code: "bad_filter", symbol: .zecusd)])
        for time in stride(from: Int64(10), through: 300, by: 10) {
            _ = self.feed.handle(.heard(isPrice: false), now: second(time))
            _ = self.feed.handle(.woke, now: second(time))
        }
        #expect(self.feed.isLive)
        #expect(
            self.feed.handle(.wanted([.zecusd, .btcusd]), now: second(301)).contains(
                self.request("subscribe", "btcusd")))
    }

    @Test mutating func whatNeverOpensOrNeverAuthenticatesIsGivenUp() throws {
        _ = self.feed.handle(.wanted([.btcusd]), now: second(0))
        #expect(self.feed.handle(.woke, now: second(3)) == [.wake(at: second(15))])
        _ = self.feed.handle(.opened, now: second(4))
        #expect(self.feed.handle(.woke, now: second(15)).first == .close)
        let until = try #require(self.wait)
        #expect(self.feed.handle(.woke, now: until) == [.connect, .wake(at: until + .seconds(15))])
    }

    @Test(arguments: [(UInt16(4_001), Int64(300)), (4_008, 300), (4_002, 1), (4_003, 10), (1_006, 1), (1_000, 1)])
    mutating func everyEndHasItsPause(code: UInt16, longest: Int64) throws {
        self.goLive()
        _ = self.feed.handle(.dropped(PolyBoltFeed.Ending(closeCode: code)), now: second(100))
        // When the stream drains, chance may say at once.
        let until = self.wait ?? second(100)
        #expect(until <= second(100 + longest))
        if longest == 300 { #expect(until == second(400)) }
    }

    @Test mutating func waitsGrowUntilAPriceComes() throws {
        var now = second(0)
        var waits: [Duration] = []
        _ = self.feed.handle(.wanted([.btcusd]), now: now)
        for _ in 0..<8 {
            _ = self.feed.handle(.opened, now: now)
            _ = self.feed.handle(.authed, now: now)
            _ = self.feed.handle(.heard(isPrice: false), now: now)
            _ = self.feed.handle(.dropped(.lost), now: now)
            let until = try #require(self.wait)
            waits.append(until - now)
            now = until
            _ = self.feed.handle(.woke, now: now)
        }
        #expect(waits[0] <= .seconds(1) && waits[7] >= .seconds(15) && waits[7] <= .seconds(30))
        _ = self.feed.handle(.opened, now: now)
        _ = self.feed.handle(.authed, now: now)
        _ = self.feed.handle(.heard(isPrice: true), now: now)
        _ = self.feed.handle(.dropped(.lost), now: now)
        #expect(try #require(self.wait) - now <= .seconds(1))
    }

    @Test mutating func credentialsThatAreRefusedAreNotTriedAgainForAWhileWhoeverAsks() throws {
        _ = self.feed.handle(.wanted([.btcusd]), now: second(0))
        _ = self.feed.handle(.opened, now: second(1))
        let refusal = self.feed.handle(.error(code: "auth_invalid", request: "auth"), now: second(2))
        #expect(refusal == [.tellRefused(code: "auth_invalid", symbol: nil), .close, .wake(at: second(302))])
        #expect(self.feed.handle(.wanted([]), now: second(3)) == [.close])
        #expect(self.feed.handle(.wanted([.btcusd]), now: second(4)) == [.wake(at: second(302))])
        #expect(self.feed.handle(.woke, now: second(302)).first == .connect)
    }

    @Test(arguments: ["auth_unavailable", "rate_limited"])
    mutating func aStreamThatCannotLookNowIsAskedSoon(code: String) throws {
        _ = self.feed.handle(.wanted([.btcusd]), now: second(0))
        _ = self.feed.handle(.opened, now: second(1))
        _ = self.feed.handle(.error(code: code, request: "auth"), now: second(2))
        #expect(try #require(self.wait) <= second(3))
    }

    @Test mutating func aRequestThatCameTooSoonIsMadeAgain() {
        self.goLive()
        let actions = self.feed.handle(.error(code: "rate_limited", request: "btcusd"), now: second(1))
        guard case .wake(let again) = actions.last, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        #expect(again <= second(2))
        #expect(self.feed.handle(.woke, now: again).contains(self.request("subscribe", "btcusd")))
    }

    @Test mutating func whoeverChangesHisMindOverAndOverCostsFewConnectsAndRequests() {
        var connects = 0
        for step in Int64(0)..<600 {
            let now = Instant(nanoseconds: step * 100_000_000)
            connects += self.feed.handle(.wanted(step % 2 == 0 ? [.btcusd] : []), now: now).count { $0 == .connect }
        }
        #expect((1...61).contains(connects))
        var live = PolyBoltFeed(settings: .init(), seed: 1)
        _ = live.handle(.wanted([.btcusd]), now: second(100))
        _ = live.handle(.opened, now: second(100))
        _ = live.handle(.authed, now: second(100))
        var requests = 0
        for step in Int64(1)...100 {
            let now = second(100) + .milliseconds(step * 10)
            for action in live.handle(.wanted(step % 2 == 0 ? [.btcusd] : [.ethusd]), now: now) {
                if case .send = action { requests += 1 }
            }
        }
        #expect(requests <= 20)
    }
}
