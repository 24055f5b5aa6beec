import Shared
import Testing

@testable import feedd

private func second(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }

private let a = TokenID(words: (0, 0, 0, 1))
private let b = TokenID(words: (0, 0, 0, 2))
private let c = TokenID(words: (0, 0, 0, 10))

/// One connection: what it does in each state, and how each state ends.
@Suite struct MarketFeedTests {
    private var feed = MarketFeed(settings: .init(), seed: 1)

    /// Brings the feed to a live line that has been heard.
    private mutating func goLive(_ tokens: Set<TokenID> = [a], at start: Int64 = 0) {
        _ = self.feed.handle(.wanted(tokens), now: second(start))
        _ = self.feed.handle(.opened, now: second(start))
        _ = self.feed.handle(.heard, now: second(start))
    }

    private func wakes(_ actions: [MarketFeed.Action]) -> [Instant] {
        actions.compactMap { if case .wake(let at) = $0 { at } else { nil } }
    }

    private var waitingUntil: Instant {
        get throws {
            guard case .waiting(let until) = self.feed.state else {
                Issue.record("it does not wait: \(self.feed.state)")
                throw CancellationError()
            }
            return until
        }
    }

    // MARK: Idle

    @Test mutating func nothingIsDoneWhileNothingIsWanted() {
        for event in [MarketFeed.Event.wanted([]), .opened, .heard, .dropped, .woke] {
            #expect(self.feed.handle(event, now: second(0)) == [])
            #expect(self.feed.state == .idle)
        }
    }

    @Test mutating func whatIsWantedIsConnected() {
        #expect(self.feed.handle(.wanted([a]), now: second(3)) == [.connect, .wake(at: second(18))])
        #expect(self.feed.state == .connecting(since: second(3)))
    }

    // MARK: Connecting

    @Test mutating func anOpenLineIsAskedForAllThatIsWantedByThen() {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        #expect(self.feed.handle(.wanted([c, a]), now: second(1)) == [])
        let text = #"{"type":"market","assets_ids":["1","10"],"custom_feature_enabled":true}"#
        #expect(self.feed.handle(.opened, now: second(2)) == [.send(text), .wake(at: second(12))])
        #expect(self.feed.state == .live(lastHeard: second(2), lastPing: second(2)))
    }

    @Test mutating func aHandshakeThatNeverEndsIsGivenUp() throws {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        #expect(self.feed.handle(.woke, now: second(14)) == [.wake(at: second(15))])
        #expect(self.feed.handle(.woke, now: second(15)).prefix(2) == [.close, .pollREST(true)])
        let until = try self.waitingUntil
        #expect(until > second(15) && until <= second(20))
    }

    @Test mutating func aRefusedConnectionWaitsAndTriesAgain() throws {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        let actions = self.feed.handle(.dropped, now: second(1))
        let until = try self.waitingUntil
        // No book was believed on it.
        #expect(actions == [.close, .wake(at: until)])
        #expect(until >= second(3) && until <= second(6))
        #expect(self.feed.handle(.woke, now: second(2)) == [.wake(at: until)])
        #expect(self.feed.handle(.woke, now: until).first == .connect)
        #expect(self.feed.state == .connecting(since: until))
    }

    @Test mutating func aVenueThatAsksForAPauseGetsItWithinReason() throws {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        _ = self.feed.handle(.refused(retryAfter: .seconds(40)), now: second(1))
        #expect(try self.waitingUntil == second(41))
        _ = self.feed.handle(.woke, now: second(41))
        _ = self.feed.handle(.refused(retryAfter: .seconds(3_600)), now: second(42))
        #expect(try self.waitingUntil == second(342))
        _ = self.feed.handle(.woke, now: second(342))
        _ = self.feed.handle(.refused(retryAfter: .zero), now: second(343))
        #expect(try self.waitingUntil > second(343), "its own wait is never cut short")
    }

    @Test mutating func whatIsWantedNoMoreIsLetGo() {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        #expect(self.feed.handle(.wanted([]), now: second(1)) == [.close])
        #expect(self.feed.state == .idle)
        #expect(self.feed.handle(.opened, now: second(2)) == [])
    }

    // MARK: Live

    @Test mutating func aLiveLineIsToldTheDifferenceOnly() {
        self.goLive([a, b])
        #expect(self.feed.handle(.wanted([a, b]), now: second(1)) == [])
        #expect(
            self.feed.handle(.wanted([b, c]), now: second(1)) == [
                .send(#"{"operation":"unsubscribe","assets_ids":["1"]}"#),
                .send(#"{"operation":"subscribe","assets_ids":["10"],"custom_feature_enabled":true}"#),
            ])
        #expect(
            self.feed.handle(.wanted([c]), now: second(2))
                == [.send(#"{"operation":"unsubscribe","assets_ids":["2"]}"#)])
        #expect(self.feed.handle(.wanted([]), now: second(3)) == [.close])
        #expect(self.feed.state == .idle)
    }

    @Test mutating func aQuietLineIsAskedForALifeSign() {
        self.goLive()
        #expect(self.feed.handle(.woke, now: second(9)) == [.wake(at: second(10))])
        #expect(self.feed.handle(.woke, now: second(10)) == [.send("PING"), .wake(at: second(15))])
        #expect(self.feed.handle(.heard, now: second(11)) == [])
        #expect(self.feed.handle(.woke, now: second(15)) == [.wake(at: second(20))])
        #expect(self.feed.handle(.woke, now: second(20)) == [.send("PING"), .wake(at: second(26))])
    }

    @Test mutating func aSilentLineIsDeadThoughItsSocketIsOpen() throws {
        self.goLive()
        _ = self.feed.handle(.woke, now: second(10))
        #expect(self.feed.handle(.woke, now: second(14)) == [.wake(at: second(15))])
        let actions = self.feed.handle(.woke, now: second(15))
        let until = try self.waitingUntil
        #expect(actions == [.close, .distrust(.silent), .wake(at: until)])
    }

    @Test mutating func aDroppedLineTakesItsBooksWithIt() throws {
        self.goLive()
        let actions = self.feed.handle(.dropped, now: second(7))
        let until = try self.waitingUntil
        #expect(actions == [.close, .distrust(.dropped), .wake(at: until)])
        #expect(self.feed.handle(.dropped, now: second(7)) == [])
        #expect(self.feed.handle(.heard, now: second(7)) == [])
        #expect(self.feed.handle(.opened, now: second(7)) == [])
    }

    // MARK: Waiting

    @Test mutating func waitsGrowUntilSomethingIsHeard() throws {
        var settings = MarketFeed.Settings()
        settings.reconnectDelay = .seconds(1)
        settings.attemptsMax = 100
        self.feed = MarketFeed(settings: settings, seed: 2)
        var now = second(0)
        _ = self.feed.handle(.wanted([a]), now: now)
        for longest in [1, 2, 4, 8, 12, 12] as [Int64] {
            // Accepted, and never a word: that is no line.
            _ = self.feed.handle(.opened, now: now)
            _ = self.feed.handle(.dropped, now: now)
            let until = try self.waitingUntil
            #expect(until - now <= .seconds(longest) && until - now >= .seconds(longest) / 2)
            now = until
            _ = self.feed.handle(.woke, now: now)
            #expect(self.feed.state == .connecting(since: now))
        }
        _ = self.feed.handle(.opened, now: now)
        _ = self.feed.handle(.heard, now: now)
        _ = self.feed.handle(.dropped, now: now)
        let until = try self.waitingUntil
        #expect(until - now <= .seconds(1))
    }

    @Test mutating func whileWaitingTheWishesMayChange() {
        self.goLive()
        _ = self.feed.handle(.dropped, now: second(7))
        #expect(self.feed.handle(.wanted([b]), now: second(8)) == [])
        #expect(self.feed.handle(.wanted([]), now: second(8)) == [.close])
        #expect(self.feed.state == .idle)
        // A new wish waits for nothing.
        #expect(self.feed.handle(.wanted([c]), now: second(9)).first == .connect)
    }

    // MARK: REST polling

    @Test mutating func withoutALineForLongPollingTakesOver() {
        self.goLive()
        _ = self.feed.handle(.dropped, now: second(100))
        var now = second(100)
        var polledAt: Instant?
        // Every attempt fails at once; the wakes alone drive it.
        for _ in 0..<20 where polledAt == nil {
            let actions = self.feed.handle(.woke, now: now)
            if actions.contains(.pollREST(true)) { polledAt = now }
            if actions.contains(.connect) {
                let dropped = self.feed.handle(.dropped, now: now)
                #expect(!dropped.contains(.pollREST(true)))
                now = self.wakes(dropped)[0]
            } else {
                now = self.wakes(actions).first ?? now
            }
        }
        #expect(polledAt == second(115))
        #expect(self.feed.isPolling)
        #expect(!self.feed.handle(.woke, now: second(116)).contains(.pollREST(true)), "it is said once")
    }

    @Test mutating func afterManyFailedAttemptsPollingTakesOverSooner() throws {
        var settings = MarketFeed.Settings()
        settings.reconnectDelay = .milliseconds(10)
        settings.attemptsMax = 3
        self.feed = MarketFeed(settings: settings, seed: 3)
        var now = second(0)
        _ = self.feed.handle(.wanted([a]), now: now)
        for attempt in 1...3 {
            let actions = self.feed.handle(.dropped, now: now)
            #expect(actions.contains(.pollREST(true)) == (attempt == 3))
            let until = try self.waitingUntil
            now = until
            _ = self.feed.handle(.woke, now: now)
        }
        #expect(now < second(1))
    }

    @Test mutating func pollingEndsWhenTheLineIsHeardAndNotBefore() {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        _ = self.feed.handle(.woke, now: second(15))
        #expect(self.feed.isPolling)
        _ = self.feed.handle(.woke, now: second(30))
        #expect(!self.feed.handle(.opened, now: second(31)).contains(.pollREST(false)))
        #expect(self.feed.isPolling)
        #expect(self.feed.handle(.heard, now: second(32)) == [.pollREST(false)])
        #expect(!self.feed.isPolling)
        #expect(self.feed.handle(.heard, now: second(33)) == [])
    }

    @Test mutating func pollingEndsWhenNothingIsWanted() {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        _ = self.feed.handle(.woke, now: second(15))
        #expect(self.feed.handle(.wanted([]), now: second(16)) == [.close, .pollREST(false)])
        #expect(!self.feed.isPolling)
    }

    /// A venue that accepts connections and says nothing must not put polling off.
    @Test mutating func aMuteLineDoesNotPutPollingOff() {
        _ = self.feed.handle(.wanted([a]), now: second(0))
        let actions = self.feed.handle(.opened, now: second(12))
        #expect(self.wakes(actions) == [second(15)])
        #expect(self.feed.handle(.woke, now: second(15)).first == .pollREST(true))
        #expect(self.feed.handle(.heard, now: second(16)) == [.pollREST(false)])
    }

    @Test mutating func shortSilencesAreNoticedInTime() {
        var settings = MarketFeed.Settings()
        settings.silenceMax = .seconds(4)
        self.feed = MarketFeed(settings: settings, seed: 4)
        // Polling takes over after four seconds though the handshake may take fifteen.
        #expect(self.feed.handle(.wanted([a]), now: second(0)) == [.connect, .wake(at: second(4))])
        #expect(self.feed.handle(.woke, now: second(4)) == [.pollREST(true), .wake(at: second(15))])
        #expect(self.wakes(self.feed.handle(.opened, now: second(5))) == [second(9)])
        #expect(self.feed.handle(.heard, now: second(6)) == [.pollREST(false)])
        #expect(self.feed.handle(.woke, now: second(9)) == [.wake(at: second(10))])
        #expect(self.feed.handle(.woke, now: second(10)).prefix(2) == [.close, .distrust(.silent)])
    }

    // MARK: Any order of events

    /// Whatever comes in whatever order: a state that waits always names its next wake, and polling is said in pairs.
    @Test(arguments: UInt64(1)...50) func noOrderOfEventsLeavesItHanging(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.fuzz(MarketFeed(settings: .init(), seed: seed), &random)
    }

    private func fuzz(_ start: MarketFeed, _ random: inout SeededRandom) {
        var feed = start
        var now = second(0)
        var isPolling = false
        var nextWake: Instant?
        for _ in 0..<500 {
            let events: [MarketFeed.Event] = [
                .wanted([]), .wanted([a]), .wanted([a, b, c]), .opened, .opened, .heard, .heard, .dropped, .woke, .woke,
                .woke,
            ]
            var event = events.randomElement(using: &random)!
            if event == .woke, let at = nextWake, Bool.random(using: &random) { now = max(now, at) }
            if let at = nextWake, at <= now { event = .woke }
            let actions = feed.handle(event, now: now)
            if event == .woke { nextWake = nil }
            for case .pollREST(let polls) in actions {
                #expect(polls != isPolling)
                isPolling = polls
            }
            if let at = self.wakes(actions).last { nextWake = at }
            #expect(feed.isPolling == isPolling)
            #expect(feed.state == .idle || nextWake != nil, "\(feed.state) after \(event)")
            if feed.state == .idle { #expect(!isPolling) }
            now = now + .milliseconds(Int64.random(in: 0...3_000, using: &random))
        }
    }
}
