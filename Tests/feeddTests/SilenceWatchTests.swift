import DaemonKit
import Shared
import Testing

@testable import feedd

/// A market that always talks and stops is suspect before its line is.
@Suite struct SilenceWatchTests {
    private static func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    /// A market and its line, looked at five times a second, in milliseconds of their own.
    private struct Tape {
        var watch = SilenceWatch()
        var time: Int64 = 0
        /// When it was suspected.
        var suspicions: [Int64] = []
        /// Whether the line talks of others.
        var lineTalks = true
        private var lineHeardAt: Int64 = 0
        private var lookedAt: Int64 = 0

        mutating func wait(until end: Int64) {
            while self.lookedAt + 200 <= end {
                self.lookedAt += 200
                if self.lineTalks { self.lineHeardAt = self.lookedAt }
                if self.watch.look(lineHeardAt: at(self.lineHeardAt), now: at(self.lookedAt)) {
                    self.suspicions.append(self.lookedAt)
                }
            }
            self.time = end
        }

        /// The market speaks after so long.
        mutating func speak(after gap: Int64) {
            self.wait(until: self.time + gap)
            self.watch.heard(now: at(self.time))
        }
    }

    @Test func whoAlwaysTalksAndStopsIsSuspectAfterTwoSeconds() {
        var tape = Tape()
        for _ in 0..<700 { tape.speak(after: 100) }
        let end = tape.time
        tape.wait(until: end + 60_000)
        #expect(tape.suspicions.count == 1, "once for each silence")
        #expect((end + 2_000...end + 2_400).contains(tape.suspicions.first ?? 0))
        #expect(tape.watch.isSuspected)
        tape.speak(after: 0)
        #expect(!tape.watch.isSuspected)
        // That long a silence is known from now on.
        for _ in 0..<50 { tape.speak(after: 100) }
        tape.wait(until: tape.time + 100_000)
        #expect(tape.suspicions.count == 1)
    }

    @Test func whoTalksSeldomIsGivenFourTimesItsLongestGap() {
        var tape = Tape()
        for index in 0..<200 { tape.speak(after: index % 7 == 0 ? 3_000 : 900) }
        let end = tape.time
        tape.wait(until: end + 11_800)
        #expect(tape.suspicions.isEmpty)
        tape.wait(until: end + 12_400)
        #expect(tape.suspicions.count == 1)
    }

    @Test func nobodyIsSuspectBeforeItsTapeIsKnown() {
        var tape = Tape()
        for _ in 0..<500 { tape.speak(after: 100) }
        tape.wait(until: tape.time + 600_000)
        #expect(tape.suspicions.isEmpty)
    }

    @Test func whileTheWholeLineIsSilentNoMarketIs() {
        var tape = Tape()
        for _ in 0..<700 { tape.speak(after: 100) }
        tape.lineTalks = false
        tape.wait(until: tape.time + 3_600_000)
        // The others speak again a moment before this one does.
        tape.lineTalks = true
        tape.speak(after: 1_500)
        #expect(tape.suspicions.isEmpty)
    }

    @Test func whoFallsSilentLittleByLittleIsNotSuspect() {
        var tape = Tape()
        for _ in 0..<700 { tape.speak(after: 100) }
        var gap: Int64 = 100
        while gap < 300_000 {
            tape.speak(after: gap)
            gap = gap * 5 / 2
        }
        #expect(tape.suspicions.isEmpty)
    }

    @Test func whoTalksInBurstsIsKnownForThePausesBetweenThem() {
        var tape = Tape()
        for _ in 0..<100 {
            for _ in 0..<80 { tape.speak(after: 5) }
            tape.speak(after: 6_000)
        }
        #expect(tape.suspicions.isEmpty)
        tape.wait(until: tape.time + 24_600)
        #expect(tape.suspicions.count == 1)
    }

    @Test func aLineThatWasLostIsNoSilenceOfTheMarket() {
        var tape = Tape()
        for _ in 0..<700 { tape.speak(after: 100) }
        tape.wait(until: tape.time + 1_900)
        tape.watch.interrupt()
        tape.wait(until: tape.time + 60_000)
        #expect(tape.suspicions.isEmpty)
        // And nothing was learned of it.
        tape.speak(after: 0)
        tape.speak(after: 100)
        tape.wait(until: tape.time + 2_600)
        #expect(tape.suspicions.count == 1)
    }

    /// Messages at random, as many a second: an hour without a false alarm.
    @Test(arguments: [200, 1_000, 5_000, 60_000] as [Int64], UInt64(1)...2)
    func chanceAloneIsNotSuspect(meanGap: Int64, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var tape = Tape()
        while tape.time < 3_600_000 {
            // A geometric gap, in steps of a twentieth of the mean.
            var steps: Int64 = 1
            while Int.random(in: 0..<20, using: &random) > 0 { steps += 1 }
            tape.speak(after: steps * meanGap / 20)
        }
        #expect(tape.suspicions.isEmpty, "SIMULATION_SEED=\(seed)")
    }

    /// The same market within the service: it is asked for anew, and is trusted meanwhile.
    @Test func aSuspectIsAskedForAndStaysTrusted() async throws {
        let feed = try await FeedHarness()
        let venue = VenueModel()
        var market = venue.market
        market.endTime = Timestamp(microseconds: 0)
        let universe = UniverseBody(markets: [market], age: 0)
        let (condition, book) = (market.condition, venue.bookText(outcome: 0))
        try await feed.run { feed in try feed.hear(universe) }
        try await feed.run { feed in
            feed.hear(book)
            let found = feed.market(condition)
            let market = try #require(found)
            feed.connections[0].isReplayedLive = true
            let start = Instant.now()
            for step in Int64(0)..<700 { market.silence.heard(now: start + .milliseconds(100 * step)) }
            for step in Int64(0)..<50 {
                let now = start + .milliseconds(70_000 + 200 * step)
                feed.connections[0].eventAt = now
                feed.watchSilence(now: now)
            }
            #expect(feed.counters["markets_suspected"] == 1)
            #expect(market.builder.isTrusted && market.builder.epoch == 1)
            #expect(market.audit.isDue(quietMin: .seconds(3_600), now: start))
            market.audit.begin(now: start)
            #expect(!market.audit.isDue(quietMin: .seconds(3_600), now: start))
        }
        #expect(feed.log.count("A market that always talks says nothing") == 1)
        await feed.stop()
    }
}
