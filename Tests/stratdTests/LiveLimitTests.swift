import Shared
import Testing

@testable import stratd

/// Limits and comparisons that concern the real account alone.
@Suite struct LiveLimitTests {
    @Test func aShareOfErrorsIsToldOnceThereAreEnoughAndForgottenAfterAMinute() {
        var rate = ErrorRate()
        for number in 0..<19 { rate.note(isFailure: true, now: at(Int64(number) * 10).instant) }
        #expect(rate.micros(now: at(200).instant) == 0)
        rate.note(isFailure: false, now: at(200).instant)
        #expect(rate.micros(now: at(200).instant) == 950_000)
        for _ in 0..<20 { rate.note(isFailure: false, now: at(30_000).instant) }
        #expect(rate.micros(now: at(30_000).instant) == 475_000)
        #expect(rate.micros(now: at(60_500).instant) == 0, "the first second is a minute ago")
    }

    @Test func aClockThatDiffersAndTooManyErrorsKeepTheGateShut() {
        var gate = RiskGate(limits: wideLimits, now: at(0).instant)
        var present = context()
        present.clockSkew = .milliseconds(2_001)
        #expect(gate.closedReason(strategy: "maker", present, now: at(0))?.code == .clockSkew)
        present.clockSkew = .milliseconds(2_000)
        #expect(gate.closedReason(strategy: "maker", present, now: at(0)) == nil)
        #expect(gate.set("error_rate_max", to: 100_000, now: at(0).instant) == nil)
        present.errorRate = 100_001
        #expect(gate.closedReason(strategy: "maker", present, now: at(0))?.code == .errorRate)
        present.errorRate = 0
        present.venueClosedReason = Refusal(.userChannelBlind, "")
        #expect(gate.closedReason(strategy: "maker", present, now: at(0))?.code == .userChannelBlind)
    }

    @Test func onTrialTheLimitsAreSmallUntilEnoughFillsAreConfirmed() throws {
        var limits = wideLimits
        limits.trialFillCount = 2
        limits.trialOrderMax = usd("4")
        limits.trialTotalMax = usd("7")
        var gate = RiskGate(limits: limits, now: at(0).instant)
        func refusal(_ wanted: OrderIntent, _ ledger: OrderLedger, isLive: Bool) -> RefusalCode? {
            var present = context(ledger: ledger)
            present.isLive = isLive
            guard case .failure(let refusal) = gate.check(wanted, present, now: at(0)) else { return nil }
            return refusal.code
        }
        var ledger = OrderLedger(cash: usd("1000"))
        #expect(refusal(intent(.buy, "0.48", "10"), ledger, isLive: true) == .maxOrderUSD)
        #expect(refusal(intent(.buy, "0.48", "10"), ledger, isLive: false) == nil, "paper is on no trial")
        #expect(refusal(intent(.buy, "0.48", "8"), ledger, isLive: true) == nil)
        // One confirmed, one still on its way.
        for (number, settlement) in [(1, Settlement.confirmed), (2, .matched)] as [(Int64, Settlement)] {
            let order = ledgerOrder(number, intent(.buy, "0.48", "8"))
            try ledger.open(order)
            var fill = fill(order, trade: "t\(number)", "0.48", "8")
            fill.settlement = settlement
            try ledger.apply(.fill(fill))
        }
        #expect(refusal(intent(.buy, "0.48", "5"), ledger, isLive: true) == .maxTotalUSD)
        try ledger.apply(.settlement(OrderID(number: 2), trade: "t2", .confirmed))
        #expect(refusal(intent(.buy, "0.48", "10"), ledger, isLive: true) == nil)
    }

    @Test func aDifferenceCountsWhenItStays() throws {
        var watch = BalanceWatch()
        var ledger = OrderLedger(cash: usd("100"))
        #expect(watch.compare(usd("100"), ledger, fillCount: 0, isCaughtUp: true) == .agrees)
        // What waits for the chain is money still there, or not there yet.
        let order = ledgerOrder(1, intent(.buy, "0.50", "10"))
        try ledger.open(order)
        var bought = fill(order, trade: "t1", "0.50", "10")
        bought.settlement = .matched
        try ledger.apply(.fill(bought))
        #expect(
            ledger.cash == usd("95") && watch.compare(usd("100"), ledger, fillCount: 1, isCaughtUp: true) == .agrees)
        try ledger.apply(.settlement(order.id, trade: "t1", .confirmed))
        #expect(
            watch.compare(usd("100"), ledger, fillCount: 1, isCaughtUp: true) == .moving,
            "the venue's page is a little behind")
        #expect(watch.compare(usd("95"), ledger, fillCount: 1, isCaughtUp: true) == .agrees)
        // A few micros for a fill are rounding; the same again without one are not.
        for _ in 1..<BalanceWatch.lookCount {
            #expect(watch.compare(usd("94.99999"), ledger, fillCount: 2, isCaughtUp: true) == .moving)
        }
        #expect(watch.compare(usd("94.99999"), ledger, fillCount: 2, isCaughtUp: true) == .rounding(usd("-0.00001")))
        // Unless orders and trades were read meanwhile, a look tells nothing new.
        for _ in 0..<10 { #expect(watch.compare(usd("94"), ledger, fillCount: 2, isCaughtUp: false) == .moving) }
        #expect(watch.compare(usd("94"), ledger, fillCount: 2, isCaughtUp: true) == .moving)
        #expect(watch.compare(usd("94"), ledger, fillCount: 2, isCaughtUp: true) == .differs(usd("-1")))
    }

    @Test func aRestartSoonAfterAFillStillTakesItsRoundingOver() throws {
        var ledger = OrderLedger(cash: usd("100"))
        var early = BalanceWatch()
        for _ in 1..<BalanceWatch.lookCount {
            #expect(early.compare(usd("99.99999"), ledger, fillCount: 0, isCaughtUp: true) == .moving)
        }
        #expect(early.compare(usd("99.99999"), ledger, fillCount: 0, isCaughtUp: true) == .differs(usd("-0.00001")))
        let order = ledgerOrder(1, intent(.buy, "0.50", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(fill(order, trade: "t1", "0.50", "10")))
        // Another process booked the fill, and had no time to compare.
        var watch = BalanceWatch()
        func third(_ balance: String) -> BalanceWatch.Verdict {
            for _ in 1..<BalanceWatch.lookCount {
                #expect(watch.compare(usd(balance), ledger, fillCount: 0, isCaughtUp: true) == .moving)
            }
            return watch.compare(usd(balance), ledger, fillCount: 0, isCaughtUp: true)
        }
        #expect(third("94.99997") == .differs(usd("-0.00003")), "more than one fill is rounded by")
        #expect(third("94.99999") == .rounding(usd("-0.00001")))
        #expect(third("94.99998") == .differs(usd("-0.00002")), "the fill has had its rounding")
    }

    @Test func sharesThatGoOnDifferingAreToldOfAndTokensTakeTurns() throws {
        var watch = BalanceWatch()
        var ledger = OrderLedger(cash: usd("10000"))
        for n in 1...25 as ClosedRange<Int64> {
            let order = ledgerOrder(n, intent(on: n, .buy, "0.10", "5"))
            try ledger.open(order)
            try ledger.apply(.fill(fill(order, trade: "t\(n)", "0.10", "5")))
        }
        let (first, second, third) = (watch.nextTokens(ledger), watch.nextTokens(ledger), watch.nextTokens(ledger))
        #expect(first.count == 20 && second.count == 5 && Set(first + second).count == 25 && third == first)
        func look(_ balance: String, isCaughtUp: Bool = true) -> BalanceWatch.ShareVerdict {
            watch.compare(shares(balance), of: first[0], ledger, isCaughtUp: isCaughtUp)
        }
        #expect(look("5") == .agrees)
        #expect(look("4") == .moving, "it may be on its way")
        #expect(look("4") == .moving && look("4", isCaughtUp: false) == .moving)
        #expect(look("4") == .differs(shares("4") - shares("5")))
        #expect(look("5") == .agrees)
        #expect(look("4") == .moving, "it agreed in between")
    }

    @Test func anUnexplainedBalanceHaltsUntilAPersonTakesItOver() {
        var engine = StrategyEngine(slots: [], limits: wideLimits, ledger: OrderLedger(cash: usd("100")), now: at(0))
        _ = engine.compare(.differs(usd("25")), now: at(0))
        #expect(engine.ledger.halts == ["balance"] && engine.ledger.cash == usd("100"))
        _ = engine.perform(.resume, now: at(1_000))
        #expect(!engine.ledger.isHalted && engine.ledger.cash == usd("125"))
        // A deposit is no profit.
        _ = engine.tick(isHaltFilePresent: false, now: at(2_000))
        #expect(engine.profit.daily == .zero && engine.profit.drawdown == .zero)
    }

    @Test func whatALateTradeExplainsIsNotTakenOverAsWell() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.50", "20"))
        try ledger.open(order)
        var engine = StrategyEngine(slots: [], limits: wideLimits, ledger: ledger, now: at(0))
        func hear(_ kind: VenueEvent.Kind, _ milliseconds: Int64) {
            _ = engine.handle(
                VenueEvent(order: order.id, kind: kind, time: at(milliseconds).time), now: at(milliseconds))
        }
        func bought(_ trade: String, _ settlement: Settlement) -> VenueEvent.Kind {
            .filled(
                VenueFill(
                    trade: trade, token: token(1, 0), side: .buy, price: price("0.50"), size: shares("10"), fee: .zero,
                    money: nil, liquidity: .maker, settlement: settlement))
        }
        // The trade was missing from the venue's lists for three looks; then it comes.
        _ = engine.compare(.differs(usd("-5")), now: at(0))
        hear(bought("t1", .confirmed), 500)
        _ = engine.perform(.resume, now: at(1_000))
        #expect(engine.ledger.cash == usd("95") && !engine.ledger.isHalted)
        // The chain paid for a trade that was still thought to wait for it.
        hear(bought("t2", .matched), 1_500)
        _ = engine.compare(.differs(usd("-5")), now: at(2_000))
        hear(.settled(trade: "t2", .confirmed), 2_500)
        _ = engine.perform(.resume, now: at(3_000))
        #expect(engine.ledger.cash == usd("90") && engine.profit.daily == .zero)
        // What was measured since is taken over.
        _ = engine.compare(.differs(usd("-1")), now: at(4_000))
        _ = engine.perform(.resume, now: at(5_000))
        #expect(engine.ledger.cash == usd("89"))
    }

    @Test func aFillThatFailsOnTheChainIsTakenBackToTheMicro() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let first = ledgerOrder(1, intent(.buy, "0.40", "10"))
        try ledger.open(first)
        try ledger.apply(.fill(fill(first, trade: "t1", "0.40", "10")))
        let before = ledger
        let second = ledgerOrder(2, intent(.buy, "0.60", "10"))
        try ledger.open(second)
        var pending = fill(second, trade: "t2", "0.60", "10", fee: "0.01")
        pending.settlement = .matched
        try ledger.apply(.fill(pending))
        let key = PositionKey(token: token(1, 0), strategy: "maker")
        #expect(ledger.pending(key).in == shares("10"))
        // What is not on the chain yet cannot be sold.
        #expect(ledger.sellable(token(1, 0), by: "maker") == shares("10"))
        // The older shares are sold meanwhile, at the average of both.
        let sale = ledgerOrder(3, intent(.sell, "0.50", "10"))
        try ledger.open(sale)
        try ledger.apply(.fill(fill(sale, trade: "t3", "0.50", "10")))
        try ledger.apply(.settlement(second.id, trade: "t2", .failed))
        #expect(ledger.cash == before.cash + usd("5"))
        let position = try #require(ledger.positions[key])
        #expect(position.size == .zero && position.cost == .zero && position.realised == usd("1"))
        #expect(position.fees == .zero && ledger.pending.isEmpty)
        #expect(throws: LedgerError.notPending(trade: "t2")) {
            try ledger.apply(.settlement(second.id, trade: "t2", .failed))
        }
        // A checkpoint keeps what waits.
        var later = before
        let fourth = ledgerOrder(4, intent(.buy, "0.60", "10"))
        try later.open(fourth)
        var waiting = fill(fourth, trade: "t4", "0.60", "10")
        waiting.settlement = .retrying
        try later.apply(.fill(waiting))
        let line = LedgerRecord(.checkpoint(later), at: testStart).line.dropLast()
        let read = try Array(line).withUnsafeBufferPointer { try LedgerRecord(line: $0) }
        #expect(read.fact == .checkpoint(later))
    }
}
