import Shared
import Testing

@testable import stratd

/// What the account is worth to a process that has just started, before the feed tells of what is held.
@Suite struct RestartMarkTests {
    /// Holds ten shares for 4.90, paused, with the first outcome's bid at 0.80 since more than a minute.
    private func holding(_ limits: RiskLimits) -> Harness {
        var harness = Harness.bought(limits: limits)
        self.bid("0.80", at: "0.82", 2, &harness)
        harness.run(for: 61_000)
        return harness
    }

    private func bid(_ bid: String, at ask: String, _ update: Int64, _ harness: inout Harness) {
        harness.feed(.book(book(update: update, bids: [(bid, "100")], asks: [(ask, "100")])))
    }

    private func limits(loss: String, drawdown: String) -> RiskLimits {
        var limits = wideLimits
        limits.dailyLossMax = usd(loss)
        limits.drawdownMax = usd(drawdown)
        return limits
    }

    @Test func whatNobodyBidsForIsWorthNothingAfterAWhile() throws {
        var harness = self.holding(self.limits(loss: "1000", drawdown: "7"))
        #expect(harness.engine.profit.drawdown == .zero)
        harness.feed(.book(book(update: 3, bids: [], asks: [("0.82", "100")])))
        harness.run(for: 9_000)
        #expect(harness.engine.profit.drawdown == .zero, "a book between two quotes")
        harness.run(for: 3_000)
        #expect(harness.engine.profit.drawdown == usd("8") && harness.ledger.halts == ["max_drawdown"])
        self.bid("0.80", at: "0.82", 4, &harness)
        harness.run(for: 1_500)
        #expect(harness.engine.profit.drawdown == .zero && harness.ledger.peak == usd("1003.1"))
        // Neither side says anything of what it is worth.
        harness.feed(.book(book(update: 5, bids: [], asks: [])))
        harness.run(for: 30_000)
        #expect(harness.engine.profit.drawdown == .zero)
    }

    @Test func aLossOfWhatNobodyBidsForIsCountedOnce() throws {
        var harness = self.holding(self.limits(loss: "1000", drawdown: "1000"))
        harness.feed(.book(book(update: 3, bids: [], asks: [("0.82", "100")])))
        harness.run(for: 75_000)
        #expect(harness.engine.profit.daily == usd("-4.9"))
        harness.now = harness.now.after(.seconds(86_400))
        try harness.restart()
        harness.feed(.connected, .market(MarketBody(n: 1, market: market())))
        harness.feed(.book(book(update: 1, bids: [], asks: [("0.82", "100")])))
        harness.run(for: 15_000)
        #expect(harness.engine.profit.daily == .zero && harness.ledger.dayStart == usd("995.1"))
    }

    @Test func theTimeWithoutABidDoesNotRunWhileNobodyCanLook() throws {
        var harness = self.holding(self.limits(loss: "1000", drawdown: "1000"))
        harness.feed(.book(book(update: 3, bids: [], asks: [("0.82", "100")])))
        harness.run(for: 2_000)
        harness.feed(.trust(TrustBody(n: .one(1), epoch: 1, isTrusted: false, reason: .silent)))
        harness.run(for: 60_000)
        harness.feed(.book(book(update: 4, bids: [], asks: [("0.82", "100")])))
        harness.run(for: 9_000)
        #expect(harness.engine.profit.drawdown == .zero)
        harness.run(for: 3_000)
        #expect(harness.engine.profit.drawdown == usd("8"))
    }

    @Test func aRestartBeforeTheFeedIsBackTakesNoGainForLost() throws {
        var harness = self.holding(self.limits(loss: "1", drawdown: "1"))
        #expect(harness.ledger.peak == usd("1003.1"))
        try harness.restart()
        harness.run(for: 2_000)
        #expect(harness.ledger.halts == [] && harness.engine.profit.drawdown == .zero)
        #expect(harness.engine.profit.daily == usd("3.1"))
        harness.feed(.connected, .market(MarketBody(n: 1, market: market())))
        self.bid("0.75", at: "0.77", 1, &harness)
        harness.run(for: 1_000)
        #expect(harness.ledger.halts == [] && harness.engine.profit.drawdown == usd("0.5"))
        self.bid("0.65", at: "0.67", 2, &harness)
        harness.run(for: 1_000)
        #expect(harness.ledger.halts == ["max_drawdown"], "what was really lost halts")
    }

    @Test func aFallThatIsNoPeakIsRememberedTooAfterAMinute() throws {
        var harness = self.holding(self.limits(loss: "1000", drawdown: "3"))
        self.bid("0.55", at: "0.57", 3, &harness)
        harness.run(for: 61_000)
        try harness.restart()
        harness.run(for: 1_000)
        #expect(harness.engine.profit.drawdown == usd("2.5") && harness.ledger.halts == [])
    }

    @Test(arguments: [("0.80", []), ("0.65", ["daily_loss"])] as [(String, [String])])
    func aDayThatBeginsWhileNobodyRunsBeginsWithWhatWasLastSeen(bid: String, halts: [String]) throws {
        var harness = self.holding(self.limits(loss: "1", drawdown: "1000"))
        harness.now = harness.now.after(.seconds(86_400))
        try harness.restart()
        harness.run(for: 2_000)
        #expect(harness.ledger.day == harness.now.day && harness.ledger.dayStart == usd("1003.1"))
        #expect(harness.ledger.halts == [] && harness.engine.profit.daily == .zero)
        harness.feed(.connected, .market(MarketBody(n: 1, market: market())))
        self.bid(bid, at: "0.90", 1, &harness)
        harness.run(for: 1_000)
        #expect(harness.ledger.halts == halts)
    }

    @Test func aFillThatIsYoungerThanTheLastBidSaysMore() throws {
        var ledger = OrderLedger(cash: usd("1000"))
        let orders = [ledgerOrder(1, intent(.buy, "0.30", "10")), ledgerOrder(2, intent(.buy, "0.60", "10"))]
        for order in orders { try ledger.open(order) }
        try ledger.apply(
            .fill(fill(orders[0], trade: "t1", "0.30", "10")),
            .marks(day: 1, dayStart: usd("1000"), peak: usd("1000"), bids: [token(1, 0): .bid(price("0.29"))]))
        let key = PositionKey(token: token(1, 0), strategy: "maker")
        #expect(ledger.positions[key]?.mark == .bid(price("0.29")))
        try ledger.apply(.fill(fill(orders[1], trade: "t2", "0.60", "10")))
        let engine = StrategyEngine(slots: [], limits: wideLimits, ledger: ledger, now: at(0))
        #expect(try engine.value(of: #require(ledger.positions[key])) == usd("12"))
    }

    @Test func aLedgerFromBeforeBidsWereKeptIsReadAsItWas() throws {
        var ledger = OrderLedger(cash: usd("1000"))
        let order = ledgerOrder(1, intent(.buy, "0.30", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(fill(order, trade: "t1", "0.30", "10")))
        let key = PositionKey(token: token(1, 0), strategy: "maker")
        let line = String(decoding: LedgerRecord(.checkpoint(ledger), at: testStart).line, as: UTF8.self)
        let former = line.split(separator: #","mark":300000"#, omittingEmptySubsequences: false).joined()
        #expect(former != line)
        let marks = #"{"type":"marks","time":1,"day":7,"day_start":5000000,"peak":9000000}"# + "\n"
        let read = try replay([Array(former.utf8), Array(marks.utf8)], from: OrderLedger(cash: .zero))
        #expect(read.day == 7 && read.peak == usd("9"))
        let position = try #require(read.positions[key])
        let engine = StrategyEngine(slots: [], limits: wideLimits, ledger: read, now: at(0))
        #expect(position.mark == nil && engine.value(of: position) == position.cost)
    }
}
