import DaemonKit
import Shared
import Testing

@testable import stratd

/// What the predecessor's names do to stratd, one by one.
@Suite struct SettingsTests {
    private func configuration(_ variables: [String: String]) throws -> Configuration {
        try Configuration(resolving: ConfigurationSources(environment: variables))
    }

    private static let limits = RiskLimits(Configuration().risk, Configuration().strategies)

    private static let changes: [(String, String, @Sendable (inout RiskLimits) -> Void)] = [
        ("GLOBAL_POSITION_SIZE_MAX", "33.5", { $0.marketMax = usd("33.5") }),
        ("GLOBAL_MAX_POSITIONS", "4", { $0.positionsMax = 4 }),
        ("GLOBAL_DAILY_LOSS_LIMIT", "25", { $0.dailyLossMax = usd("25") }),
        ("MIN_TIME_REMAINING_TO_TRADE", "300", { $0.timeLeftMin = .seconds(300) }),
        ("STRATEGY_ALLOCATION", "0.25", { $0.allocationMicros = 250_000 }),
    ]

    @Test(arguments: changes)
    func aNameChangesItsLimitAndNoOther(
        name: String, text: String, change: @Sendable (inout RiskLimits) -> Void
    ) throws {
        let configuration = try self.configuration([name: text])
        var expected = Self.limits
        change(&expected)
        #expect(expected != Self.limits)
        #expect(RiskLimits(configuration.risk, configuration.strategies) == expected)
    }

    @Test func orderSizeReachesTheMaker() throws {
        let plain = Maker.Parameters(Configuration().strategies.maker)
        var expected = plain
        expected.orderValue = usd("12.5")
        #expect(try Maker.Parameters(self.configuration(["ORDER_SIZE_USD": "12.5"]).strategies.maker) == expected)
        #expect(plain.orderValue == .zero)
    }

    @Test(arguments: ["STRATEGY_MAKER_ENABLED", "STRATEGY_MARKET_MAKER_ENABLED", "STRATEGY_MARKET_MAKING_ENABLED"])
    func aStrategyThatIsTurnedOffDoesNotRun(name: String) throws {
        #expect(StrategyEngine.Slot.all(Configuration().strategies).map(\.name) == ["maker"])
        #expect(try StrategyEngine.Slot.all(self.configuration([name: "false"]).strategies).isEmpty)
    }

    @Test func theShareOfAStrategyHoldsThroughTheEngine() {
        // Half of 19.2: room for one quote of 10 shares a side, and not for those of a second market.
        var limits = wideLimits
        limits.totalMax = usd("19.6")
        limits.allocationMicros = 500_000
        var harness = Harness(limits: limits)
        harness.open()
        harness.run(for: 1_000)
        let exposure = harness.ledger.bound.of("maker")
        #expect(exposure > .zero && exposure <= usd("9.8"), "\(exposure)")
        harness.feed(.market(MarketBody(n: 2, market: market(2, event: "other"))), .book(book(2)))
        harness.run(for: 1_000)
        #expect(harness.ledger.bound.of("maker") <= usd("9.8"))
        #expect(
            harness.decisions.contains { decision in
                decision.market == condition(2) && decision.reasons.contains { $0.code == "strategy_allocation" }
            }, "\(harness.decisions)")
    }
}
