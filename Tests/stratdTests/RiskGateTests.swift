import Shared
import Testing

@testable import stratd

/// Each limit alone: an order just inside passes, one just outside is refused with the limit's code.
@Suite struct RiskGateTests {
    private func refusal(
        _ intent: OrderIntent = intent(), _ context: RiskContext = context(), now: Moment = at(0),
        _ change: (inout RiskLimits) -> Void = { _ in }
    ) -> RefusalCode? {
        var limits = wideLimits
        change(&limits)
        var gate = RiskGate(limits: limits, now: at(0).instant)
        switch gate.check(intent, context, now: now) {
        case .success: return nil
        case .failure(let refusal):
            #expect(gate.refused == [refusal.code: 1])
            return refusal.code
        }
    }

    private func ledger(_ facts: LedgerRecord.Fact...) throws -> OrderLedger {
        var ledger = OrderLedger(cash: usd("10000"))
        for fact in facts { try ledger.apply(fact) }
        return ledger
    }

    private func view(_ change: (inout MarketViews) -> Void) -> MarketView? {
        var views = views()
        change(&views)
        return views[condition(1)]
    }

    @Test func anOrderWithinEveryLimitIsApprovedWithItsHash() throws {
        var gate = RiskGate(limits: wideLimits, now: at(0).instant)
        let order = try gate.check(intent(), context(), now: at(0)).get()
        #expect(order.id == OrderID(number: 1) && order.hash.count == 66 && order.hash.hasPrefix("0x"))
        #expect(order.feeReserve == .zero)
        let taker = try gate.check(
            intent(isPostOnly: false), context(view: views(market(feeRate: 70_000))[condition(1)]), now: at(0)
        ).get()
        #expect(taker.feeReserve > .zero)
    }

    @Test func halted() throws {
        #expect(try refusal(intent(), context(ledger: ledger(.halt(reason: "operator")))) == .halted)
    }
    @Test func haltFile() { #expect(refusal(intent(), context(isHaltFilePresent: true)) == .haltFile) }
    @Test func strategyPausedButNotTheOperator() throws {
        let paused = try ledger(.pause(strategy: "maker"))
        #expect(refusal(intent(), context(ledger: paused)) == .strategyPaused)
        #expect(refusal(intent(origin: .operators), context(ledger: paused)) == nil)
        #expect(try refusal(intent(), context(ledger: ledger(.pause(strategy: "other")))) == nil)
    }
    @Test func feedDown() { #expect(refusal(intent(), context(isFeedUp: false)) == .feedDown) }
    @Test func marketUntrusted() {
        #expect(refusal(intent(), context(view: nil)) == .marketUntrusted)
        #expect(refusal(intent(), context(view: view { _ = $0.apply(.trust(distrust())) })) == .marketUntrusted)
    }
    @Test func marketUnsettled() {
        let unsettled = view { _ = $0.apply(.delta(delta(update: 2, isSettled: false, [(.bid, "0.48", "1")]))) }
        #expect(refusal(intent(), context(view: unsettled)) == .marketUnsettled)
    }
    @Test func bookOldUnlessTheFeedKeepsTalking() {
        #expect(refusal(now: at(5_000)) == nil)
        #expect(refusal(now: at(5_001)) == .bookOld)
        #expect(refusal(intent(), context(feedTime: at(4_000).time), now: at(9_000)) == nil)
    }
    @Test func minTimeLeftForPurchasesOnly() throws {
        let late = at(3_600_000 - 60_000 + 1)
        let talking = context(feedTime: late.time)
        #expect(refusal(intent(), talking, now: late) == .minTimeLeft)
        #expect(refusal(intent(), context(feedTime: at(3_540_000).time), now: at(3_540_000)) == nil)
        let holding = try self.holding("10")
        #expect(refusal(intent(.sell, "0.52", "10"), context(ledger: holding, feedTime: late.time), now: late) == nil)
    }
    @Test func priceOffTick() { #expect(refusal(intent(.buy, "0.485")) == .priceOffTick) }
    @Test func belowMinSize() {
        #expect(refusal(intent(.buy, "0.48", "4.99")) == .belowMinSize)
        #expect(refusal(intent(.buy, "0.48", "5")) == nil)
    }
    @Test func priceBandInTermsOfEitherOutcome() {
        #expect(refusal(intent(.buy, "0.45")) { $0.priceBand = 50_000 } == nil)
        #expect(refusal(intent(.buy, "0.44")) { $0.priceBand = 50_000 } == .priceBand)
        #expect(refusal(intent(outcome: 1, .buy, "0.44")) { $0.priceBand = 50_000 } == .priceBand)
        let oneSided = views(market(), book(asks: []))[condition(1)]
        #expect(refusal(intent(), context(view: oneSided)) == .priceBand)
    }
    @Test func maxOrderUSD() {
        #expect(refusal { $0.orderMax = usd("4.8") } == nil)
        #expect(refusal { $0.orderMax = usd("4.79") } == .maxOrderUSD)
    }
    @Test func maxMarketUSD() throws {
        let open = try self.opened(intent(.buy, "0.48", "10"))
        #expect(refusal(intent(), context(ledger: open)) { $0.marketMax = usd("9.6") } == nil)
        #expect(refusal(intent(), context(ledger: open)) { $0.marketMax = usd("9.59") } == .maxMarketUSD)
    }
    @Test func maxEventUSDAcrossMarkets() throws {
        let open = try self.opened(intent(on: 2, .buy, "0.48", "10"))
        #expect(refusal(intent(), context(ledger: open)) { $0.eventMax = usd("9.59") } == .maxEventUSD)
        #expect(refusal(intent(event: "other"), context(ledger: open)) { $0.eventMax = usd("9.59") } == nil)
    }
    @Test func maxTotalUSD() throws {
        let open = try self.opened(intent(on: 2, .buy, "0.48", "10", event: "other"))
        #expect(refusal(intent(), context(ledger: open)) { $0.totalMax = usd("9.6") } == nil)
        #expect(refusal(intent(), context(ledger: open)) { $0.totalMax = usd("9.59") } == .maxTotalUSD)
    }
    @Test func aStrategysShareOfTheTotalIsItsOwn() throws {
        let open = try self.opened(intent(on: 2, .buy, "0.48", "10", event: "other"))
        let half = { (total: String) in
            { (limits: inout RiskLimits) in (limits.totalMax, limits.allocationMicros) = (usd(total), 500_000) }
        }
        #expect(refusal(intent(), context(ledger: open), half("19.2")) == nil)
        #expect(refusal(intent(), context(ledger: open), half("19.19")) == .strategyAllocation)
        // What another strategy holds does not count.
        var other = intent(on: 2, .buy, "0.48", "10", event: "other")
        other.strategy = "other"
        #expect(try refusal(intent(), context(ledger: self.opened(other)), half("19.19")) == nil)
        #expect(refusal { $0.allocationMicros = 0 } == .strategyAllocation)
    }
    @Test func maxPositionsCountsMarketsNotOrders() throws {
        let open = try self.opened(intent(on: 2))
        #expect(refusal(intent(), context(ledger: open)) { $0.positionsMax = 1 } == .maxPositions)
        #expect(refusal(intent(), context(ledger: open)) { $0.positionsMax = 2 } == nil)
        let same = try self.opened(intent(on: 1))
        #expect(refusal(intent(), context(ledger: same)) { $0.positionsMax = 1 } == nil)
    }
    @Test func maxOpenOrders() throws {
        let open = try self.opened(intent())
        #expect(refusal(intent(), context(ledger: open)) { $0.openOrdersMax = 2 } == nil)
        #expect(refusal(intent(), context(ledger: open)) { $0.openOrdersMax = 1 } == .maxOpenOrders)
    }
    @Test func unknownOrdersMax() throws {
        var open = try self.opened(intent())
        try open.apply(.state(OrderID(number: 1), .unknown, reason: "test"))
        #expect(refusal(intent(), context(ledger: open)) { $0.unknownOrdersMax = 1 } == .unknownOrdersMax)
        #expect(refusal(intent(), context(ledger: open)) { $0.unknownOrdersMax = 2 } == nil)
    }
    @Test func dailyLoss() {
        #expect(refusal(intent(), context(dailyProfit: usd("-25"))) { $0.dailyLossMax = usd("25") } == nil)
        #expect(refusal(intent(), context(dailyProfit: usd("-25.01"))) { $0.dailyLossMax = usd("25") } == .dailyLoss)
    }
    @Test func maxDrawdown() {
        #expect(refusal(intent(), context(drawdown: usd("50"))) { $0.drawdownMax = usd("50") } == nil)
        #expect(refusal(intent(), context(drawdown: usd("50.01"))) { $0.drawdownMax = usd("50") } == .maxDrawdown)
    }
    @Test func insufficientBalanceCountsWhatIsReserved() throws {
        var poor = OrderLedger(cash: usd("9.59"))
        #expect(refusal(intent(), context(ledger: poor)) == nil)
        try poor.open(ledgerOrder(1, intent()))
        #expect(refusal(intent(), context(ledger: poor)) == .insufficientBalance)
    }
    @Test func insufficientSharesCountWhatIsOffered() throws {
        var holding = try self.holding("10")
        #expect(refusal(intent(.sell, "0.52", "10"), context(ledger: holding)) == nil)
        try holding.open(ledgerOrder(2, intent(.sell, "0.52", "5")))
        #expect(refusal(intent(.sell, "0.52", "6"), context(ledger: holding)) == .insufficientShares)
        #expect(refusal(intent(.sell, "0.52", "5"), context(ledger: holding)) == nil)
    }
    @Test func maxOrdersPerSecond() {
        var limits = wideLimits
        limits.ordersPerSecondMax = 2
        var gate = RiskGate(limits: limits, now: at(0).instant)
        let codes = [0, 0, 0, 499, 500].map { (milliseconds: Int64) -> RefusalCode? in
            guard case .failure(let refusal) = gate.check(intent(), context(), now: at(milliseconds)) else {
                return nil
            }
            return refusal.code
        }
        #expect(codes == [nil, nil, .maxOrdersPerSecond, .maxOrdersPerSecond, nil])
    }

    @Test func everyLimitThatCanBeSetIsNamedAndRanged() {
        var gate = RiskGate(limits: wideLimits, now: at(0).instant)
        for name in [
            "max_order_usd", "max_market_usd", "max_event_usd", "max_total_usd", "max_positions", "max_open_orders",
            "max_orders_per_s",
            "daily_loss_usd", "max_drawdown_usd", "price_band", "book_age_max_ms", "min_time_left_s",
            "unknown_orders_max",
        ] {
            #expect(gate.set(name, to: 7, now: at(0).instant) == nil)
            #expect(gate.set(name, to: -1, now: at(0).instant)?.contains(name) == true)
        }
        #expect(gate.limits.orderMax == Money(micros: 7) && gate.limits.bookAgeMax == .milliseconds(7))
        #expect(gate.set("max_orders", to: 7, now: at(0).instant)?.contains("max_open_orders") == true)
    }

    private func opened(_ intent: OrderIntent) throws -> OrderLedger {
        var ledger = OrderLedger(cash: usd("10000"))
        try ledger.open(ledgerOrder(1, intent))
        return ledger
    }

    private func holding(_ size: String) throws -> OrderLedger {
        let order = ledgerOrder(1, intent(.buy, "0.48", size))
        var ledger = try self.opened(intent(.buy, "0.48", size))
        try ledger.apply(.fill(fill(order, trade: "t1", "0.48", size)))
        return ledger
    }
}
