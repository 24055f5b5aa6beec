import Shared
import Testing

@testable import simvenue

/// Two makers of windows that know nothing of each other: the venue's, and the scanner's.
@Suite struct WindowNameTests {
    @Test(arguments: ["2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z", "2027-11-06T00:00:00Z", "2026-07-01T00:00:00Z"])
    func theScannerKnowsEveryWindowByNameAndDates(day: String) throws {
        let begin = try #require(Timestamp(rfc3339: day)).microseconds / 1_000_000
        for family in Catalogue.allFamilies {
            let series = try #require(RollingSeries(slug: family.series.slug), "\(family.series.slug)")
            for step in 0..<576 as Range<Int64> {
                let seconds = begin + 300 * step + 7
                let start = family.start(containing: seconds)
                let window = try #require(series.windows(at: Timestamp(seconds: seconds)).first)
                #expect(window.start == Timestamp(seconds: start), "\(family.series.slug) at \(seconds)")
                #expect(window.end == Timestamp(seconds: family.end(from: start)))
                #expect(window.slugs[0] == family.slug(start: start))
            }
        }
    }
}
