import Glibc
import Shared
import Testing

@testable import scannerd

/// Rolling windows against simvenue's own listing: a quiet quarter of an hour and one of page failures by turns. With
/// `POLYBOT_SOAK` the whole days on which New York changes its clock.
@Suite(.enabled(if: WindowTable.isHere, "there is no python3 that knows New York's time"))
struct SimulatedDayTests {
    private static let series = [
        "btc-up-or-down-5m", "eth-up-or-down-15m", "btc-up-or-down-hourly", "sol-up-or-down-4h",
    ]
    private static let isSoak = getenv("POLYBOT_SOAK") != nil

    private struct Day {
        /// Rounds come seven seconds after each minute.
        let begin: Timestamp
        let minutes: Int
    }

    /// The hardest part: in spring the end of a four-hour window that has three, in autumn the hour that comes twice.
    private static func day(_ name: String) -> Day {
        let time =
            switch (name, Self.isSoak) {
            case ("spring", false): "2026-03-08T07:20:07Z"
            case ("spring", true): "2026-03-08T00:00:07Z"
            case (_, false): "2026-11-01T05:25:07Z"
            case (_, true): "2026-11-01T00:00:07Z"
            }
        return Day(begin: Timestamp(rfc3339: time)!, minutes: Self.isSoak ? 1_440 : 45)
    }

    @Test(.timeLimit(.minutes(15)), arguments: ["spring", "autumn"])
    func exactlyThePresentAndNextWindowsAreWatchedWhateverPagesFail(name: String) async throws {
        let day = Self.day(name)
        let table = try WindowTable(from: day.begin, minutes: day.minutes, of: Self.series)
        let venue = SimulatedDay(at: day.begin, marketCount: Self.isSoak ? 300 : 100, seed: 20)
        var filter = MarketFilter()
        filter.series = Self.series
        filter.timeLeftMin = .zero
        let story = ScanStory(filter, at: day.begin, interval: .seconds(60))
        story.otherVenue = { venue.answer($0, at: $1) }
        story.settle()
        #expect(story.core.isReady)
        var seen: Set<String> = []
        for minute in 0..<day.minutes {
            // Quiet and in trouble by turns.
            let isInTrouble = minute / 15 % 2 == 1
            venue.troublePercent = isInTrouble ? 20 : 0
            if minute > 0 { story.pass(.seconds(60)) }
            // Others want the processor, too.
            await Task.yield()
            let pairs = try Self.series.map { try table.pair($0, at: story.time) }
            let (present, next) = (Set(pairs.map(\.present.slug)), Set(pairs.map(\.next.slug)))
            let isCalm = !isInTrouble && (minute < 15 || minute % 15 >= 2)
            let (lost, foreign) = (present.subtracting(story.slugs), story.slugs.subtracting(present.union(next)))
            #expect(lost.isEmpty && foreign.isEmpty, "\(name), \(story.time.rfc3339): \(lost) \(foreign)")
            if isCalm { #expect(next.isSubset(of: story.slugs), "\(name), \(story.time.rfc3339)") }
            // What is next is there before the present ends.
            for pair in pairs where pair.present.end - story.time < .seconds(60) {
                #expect(story.slugs.contains(pair.next.slug), "\(name), \(story.time.rfc3339): \(pair.next.slug)")
            }
            for market in story.core.universe.sorted where seen.insert(market.slug).inserted {
                let row = pairs.flatMap { [$0.present, $0.next] }.first { $0.slug == market.slug }
                #expect(market.startTime == row?.start && market.endTime == row?.end, "\(market.slug)")
            }
        }
        #expect(story.followed == story.core.universe.markets)
        #expect(seen.count >= day.minutes / 4)
        #expect(venue.troubles.count == SimulatedDay.Trouble.allCases.count, "\(venue.troubles)")
        // The listing holds far more, and something of every kind that must be refused.
        let refused = story.core.lastWhole?.refused ?? [:]
        #expect(["window_ahead", "series", "ended", "no_tokens", "bad_tick"].allSatisfy { refused[$0] ?? 0 > 0 })
    }
}
