import DaemonKit
import Shared
import Testing

@testable import scannerd

/// What the configuration's words do to the universe.
@Suite struct ScanFilterTests {
    @Test func everyWordOfTheScannersSectionReachesTheFilter() {
        var section = Configuration().scanner
        section.keywords = ["bitcoin"]
        section.excludedKeywords = ["dominance"]
        section.timeLeftMin = .seconds(90)
        section.marketCountMax = 7
        let filter = Universe.Filter(section)
        #expect(filter.keywords == ["bitcoin"])
        #expect(filter.excludedKeywords == ["dominance"])
        #expect(filter.timeLeftMin == .seconds(90))
        #expect(filter.marketCountMax == 7)
    }
}
