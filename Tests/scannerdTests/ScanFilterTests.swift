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
        section.tags = ["crypto"]
        section.excludedTags = ["sports"]
        section.series = ["btc-up-or-down-5m"]
        section.timeLeftMax = .seconds(3_600)
        section.volumeMin = Money(micros: 1)
        section.liquidityMin = Money(micros: 2)
        section.spreadMax = 3
        section.priceMin = 4
        section.priceMax = 5
        section.rewardsOnly = true
        section.feeRateMax = 6
        section.ranking = .rewards
        section.hysteresis = 8
        let filter = MarketFilter(section)
        #expect(filter.keywords == ["bitcoin"])
        #expect(filter.excludedKeywords == ["dominance"])
        #expect(filter.timeLeftMin == .seconds(90))
        #expect(filter.marketCountMax == 7)
        #expect(
            filter.tags == ["crypto"] && filter.excludedTags == ["sports"] && filter.series == ["btc-up-or-down-5m"])
        #expect(
            filter.timeLeftMax == .seconds(3_600) && filter.volumeMin.micros == 1 && filter.liquidityMin.micros == 2)
        #expect(filter.spreadMax == 3 && filter.priceMin == 4 && filter.priceMax == 5 && filter.needsRewards)
        #expect(filter.feeRateMax == 6 && filter.ranking == .rewards && filter.hysteresis == 8)
    }

    private static let plain = MarketFilter(Configuration().scanner)

    private static let changes: [(String, String, @Sendable (inout MarketFilter) -> Void)] = [
        ("MAX_CONCURRENT_MARKETS", "7", { $0.marketCountMax = 7 }),
        ("MARKET_KEYWORDS_EXTENDED", "bitcoin, Ethereum", { $0.keywords = ["bitcoin", "Ethereum"] }),
        ("EXCLUDE_KEYWORDS", "dominance", { $0.excludedKeywords = ["dominance"] }),
        ("MIN_TIME_REMAINING_TO_TRADE", "300", { $0.timeLeftMin = .seconds(300) }),
    ]

    @Test(arguments: changes)
    func aNameOfThePredecessorChangesItsPartOfTheFilterAndNoOther(
        name: String, text: String, change: @Sendable (inout MarketFilter) -> Void
    ) throws {
        let configuration = try Configuration(resolving: ConfigurationSources(environment: [name: text]))
        var expected = Self.plain
        change(&expected)
        #expect(expected != Self.plain)
        #expect(MarketFilter(configuration.scanner) == expected)
    }
}
