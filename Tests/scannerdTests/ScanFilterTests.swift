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

    private static let plain = Universe.Filter(Configuration().scanner)

    private static let changes: [(String, String, @Sendable (inout Universe.Filter) -> Void)] = [
        ("MAX_CONCURRENT_MARKETS", "7", { $0.marketCountMax = 7 }),
        ("MARKET_KEYWORDS_EXTENDED", "bitcoin, Ethereum", { $0.keywords = ["bitcoin", "Ethereum"] }),
        ("EXCLUDE_KEYWORDS", "dominance", { $0.excludedKeywords = ["dominance"] }),
        ("MIN_TIME_REMAINING_TO_TRADE", "300", { $0.timeLeftMin = .seconds(300) }),
    ]

    @Test(arguments: changes)
    func aNameOfThePredecessorChangesItsPartOfTheFilterAndNoOther(
        name: String, text: String, change: @Sendable (inout Universe.Filter) -> Void
    ) throws {
        let configuration = try Configuration(resolving: ConfigurationSources(environment: [name: text]))
        var expected = Self.plain
        change(&expected)
        #expect(expected != Self.plain)
        #expect(Universe.Filter(configuration.scanner) == expected)
    }
}
