import Shared
import Testing

@testable import DaemonKit
@testable import stratd

/// No limit is only advertised: each key of the section `risk` keeps an order from leaving.
@Suite struct LimitCoverageTests {
    /// The limit at a value that our order breaks, and the state in which it does.
    private struct Case {
        let value: Int64
        var wanted = intent()
        var context = stratdTests.context()
        let code: RefusalCode
    }

    private static func cases() throws -> [String: Case] {
        let facing = intent(.buy, "0.48", "10")
        var holding = OrderLedger(cash: usd("10000"))
        let other = ledgerOrder(1, intent(on: 2, .buy, "0.50", "10", event: "event"))
        try holding.open(other)
        var unknown = holding
        try unknown.apply(.state(other.id, .unknown, reason: nil))
        var live = context()
        live.isLive = true
        var skewed = context()
        skewed.clockSkew = .milliseconds(11)
        var failing = context()
        failing.errorRate = 1
        return [
            "max_order_usd": Case(value: 4_799_999, code: .maxOrderUSD),
            "max_market_usd": Case(value: 4_799_999, code: .maxMarketUSD),
            "max_event_usd": Case(value: 9_799_999, context: context(ledger: holding), code: .maxEventUSD),
            "max_total_usd": Case(value: 9_799_999, context: context(ledger: holding), code: .maxTotalUSD),
            "max_positions": Case(value: 1, context: context(ledger: holding), code: .maxPositions),
            "max_open_orders": Case(value: 1, context: context(ledger: holding), code: .maxOpenOrders),
            "max_orders_per_s": Case(value: 1, wanted: facing, code: .maxOrdersPerSecond),
            "daily_loss_usd": Case(value: 1, context: context(dailyProfit: usd("-1")), code: .dailyLoss),
            "max_drawdown_usd": Case(value: 1, context: context(drawdown: usd("1")), code: .maxDrawdown),
            "price_band": Case(value: 19_999, code: .priceBand),
            "book_age_max_ms": Case(
                value: 1, context: context(feedTime: Timestamp(microseconds: testStart.microseconds - 10_000)),
                code: .bookOld),
            "clock_skew_max_ms": Case(value: 10, context: skewed, code: .clockSkew),
            "min_time_left_s": Case(value: 3_601, code: .minTimeLeft),
            "unknown_orders_max": Case(value: 1, context: context(ledger: unknown), code: .unknownOrdersMax),
            "error_rate_max": Case(value: 0, context: failing, code: .errorRate),
            // With one fill to go the two limits beside it hold, which are zero without a configuration.
            "trial_fills": Case(value: 1, context: live, code: .maxOrderUSD),
            "trial_order_usd": Case(value: 4_799_999, context: live, code: .maxOrderUSD),
            "trial_total_usd": Case(value: 4_799_999, context: live, code: .maxTotalUSD),
        ]
    }

    @Test func everyLimitOfTheConfigurationKeepsAnOrderFromLeaving() throws {
        let cases = try Self.cases()
        let keys = ConfigurationKey.all.map(\.path).filter { $0.hasPrefix("risk.") }.map { String($0.dropFirst(5)) }
        // The halt file is a place and no number; `RiskGateTests` and the engine's tests have it.
        #expect(Set(keys).subtracting(["halt_file"]) == Set(cases.keys))
        for (name, present) in cases.sorted(by: { $0.key < $1.key }) {
            var limits = wideLimits
            if name.hasPrefix("trial_") && name != "trial_fills" {
                limits.trialFillCount = 1
                limits.trialOrderMax = usd("1000")
                limits.trialTotalMax = usd("1000")
            }
            var gate = RiskGate(limits: limits, now: at(0).instant)
            let before = name == "trial_fills" ? nil : gate.check(present.wanted, present.context, now: at(0))
            if case .failure(let refusal) = before { Issue.record("\(name) has no effect: \(refusal) without it") }
            #expect(gate.set(name, to: present.value, now: at(0).instant) == nil, "\(name)")
            var now = at(0)
            if name == "book_age_max_ms" { now = at(5) }
            if name == "max_orders_per_s" { _ = gate.check(present.wanted, present.context, now: now) }
            guard case .failure(let refusal) = gate.check(present.wanted, present.context, now: now) else {
                Issue.record("\(name) refuses nothing")
                continue
            }
            #expect(refusal.code == present.code, "\(name)")
            // Who asks why there is no order is told the same.
            let standings =
                gate.standings(strategy: present.wanted.strategy, present.context, now: now)
                + gate.standings(of: present.wanted, present.context, now: now)
            let shut = try #require(standings.first { !$0.isKept }, "\(name)")
            #expect(shut == RiskGate.Standing(code: refusal.code, isKept: false, detail: shut.detail), "\(name)")
            #expect(!shut.detail.isEmpty, "\(name)")
        }
    }

    @Test func anExplanationNamesEveryLimitThereIs() throws {
        let gate = RiskGate(limits: wideLimits, now: at(0).instant)
        let sale = intent(.sell)
        let standings =
            gate.standings(strategy: "maker", context(), now: at(0))
            + gate.standings(of: intent(), context(), now: at(0))
            + gate.standings(of: sale, context(), now: at(0))
        // The venue says of itself that it is blind; the gate has one question for both.
        #expect(Set(standings.map(\.code)) == Set(RefusalCode.allCases).subtracting([.userChannelBlind]))
        #expect(standings.filter { !$0.isKept }.map(\.code) == [.insufficientShares])
        var closed = context()
        closed.venueClosedReason = Refusal(.userChannelBlind, "no answer for 9 s")
        let blind = gate.standings(strategy: "maker", closed, now: at(0)).filter { !$0.isKept }
        #expect(blind == [RiskGate.Standing(code: .userChannelBlind, isKept: false, detail: "no answer for 9 s")])
    }
}
