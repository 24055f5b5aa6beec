import Shared
import Signing
import Testing

@testable import stratd

/// A clock that is set while money is real.
@Suite struct ClockTests {
    private static let form = OrderForm(
        owner: Address("0x00000000000000000000000000000000000000a1")!, funder: nil, .eoa)
    private static let day = Duration.seconds(86_400)

    /// Lost 3 since the day began.
    private func engine(_ identity: OrderIdentity, loss: Money = wideLimits.dailyLossMax) throws -> StrategyEngine {
        var limits = wideLimits
        limits.dailyLossMax = loss
        var ledger = OrderLedger(cash: usd("100"))
        try ledger.apply(.marks(day: at(0).day, dayStart: usd("103"), peak: usd("103"), bids: [:]))
        return StrategyEngine(
            slots: [.init(name: "maker", maker: Maker(makerParameters))], limits: limits, ledger: ledger,
            identity: identity, now: at(0))
    }

    @Test(
        arguments: [(-3_001, 2_001), (-3_000, 2_000), (-1_000, 0), (-1, 0), (0, 0), (2_001, 2_001)] as [(Int64, Int64)])
    func whatTheVenueRoundsDownIsNoDifference(offset: Int64, skew: Int64) {
        #expect(VenueClock.skew(.milliseconds(offset)) == .milliseconds(skew))
    }

    @Test func noDayBeginsAtAStartBeforeTheVenueHasToldTheTime() throws {
        var engine = try self.engine(.live(Self.form))
        // The machine started with a clock that is a day ahead.
        _ = engine.apply(.recover, now: Moment(instant: at(0).instant, time: at(0).time + Self.day))
        self.tick(&engine, at: 1_000, ahead: Self.day)
        #expect(engine.ledger.day == at(0).day && engine.profit.daily == usd("-3"))
        _ = engine.apply(.clockSkew(Self.day), now: at(1_500))
        self.tick(&engine, at: 2_000, ahead: Self.day)
        #expect(engine.ledger.day == at(0).day)
    }

    @Test func yesterdaysLossHaltsNothingAtAStartOfToday() throws {
        var engine = try self.engine(.live(Self.form), loss: usd("2"))
        _ = engine.apply(.recover, now: Moment(instant: at(0).instant, time: at(0).time + Self.day))
        self.tick(&engine, at: 1_000, ahead: Self.day)
        #expect(engine.ledger.halts == [] && engine.profit.daily == usd("-3"))
        _ = engine.apply(.clockSkew(.zero), now: at(1_500))
        self.tick(&engine, at: 2_000, ahead: Self.day)
        #expect(engine.ledger.halts == [] && engine.profit.daily == .zero)
        var today = try self.engine(.live(Self.form), loss: usd("2"))
        self.tick(&today, at: 1_000)
        #expect(today.ledger.halts == ["daily_loss"])
    }

    /// A tick so long after the test's beginning, with the clock set ahead by `step`.
    @discardableResult
    private func tick(
        _ engine: inout StrategyEngine, at milliseconds: Int64, ahead step: Duration = .zero
    ) -> [EngineNote] {
        let now = Moment(instant: at(milliseconds).instant, time: at(milliseconds).time + step)
        return engine.apply(.tick(isHaltFilePresent: false), now: now).compactMap {
            if case .note(let note) = $0 { note } else { nil }
        }
    }

    @Test func aDayThatComesByASetClockForgivesNoLoss() throws {
        var engine = try self.engine(.live(Self.form))
        _ = engine.apply(.clockSkew(.zero), now: at(500))
        self.tick(&engine, at: 1_000)
        #expect(self.tick(&engine, at: 2_000, ahead: Self.day) == [.clockSet(by: Self.day)])
        #expect(engine.ledger.dayStart == usd("103") && engine.profit.daily == usd("-3"))
        let refusal = engine.gate.closedReason(strategy: "maker", engine.context(nil, now: at(2_000)), now: at(2_000))
        #expect(refusal?.code == .clockSkew, "nothing is placed by a clock that may be wrong")
        // The venue says what it says; then the clock is put right.
        _ = engine.apply(.clockSkew(Self.day), now: at(2_500))
        self.tick(&engine, at: 3_000, ahead: Self.day)
        #expect(engine.ledger.dayStart == usd("103"))
        #expect(self.tick(&engine, at: 4_000) == [.clockSet(by: .zero - Self.day)])
        _ = engine.apply(.clockSkew(.zero), now: at(4_500))
        self.tick(&engine, at: 5_000)
        #expect(engine.ledger.dayStart == usd("103") && engine.ledger.day == at(0).day)
        #expect(engine.isDayCertain)
    }

    @Test func aDayThatCameWhileTheMachineSleptBeginsOnceTheVenueAgrees() throws {
        var engine = try self.engine(.live(Self.form))
        _ = engine.apply(.clockSkew(.zero), now: at(500))
        self.tick(&engine, at: 1_000)
        self.tick(&engine, at: 2_000, ahead: Self.day)
        _ = engine.apply(.clockSkew(.milliseconds(20)), now: at(2_500))
        #expect(self.tick(&engine, at: 3_000, ahead: Self.day).isEmpty)
        #expect(engine.ledger.day == at(0).day + 1 && engine.ledger.dayStart == usd("100"))
    }

    @Test func aClockThatIsSlewedIsNotSet() throws {
        var engine = try self.engine(.live(Self.form))
        _ = engine.apply(.clockSkew(.zero), now: at(500))
        self.tick(&engine, at: 1_000)
        #expect(self.tick(&engine, at: 2_000, ahead: .milliseconds(900)).isEmpty)
        #expect(self.tick(&engine, at: 3_000, ahead: .milliseconds(1_700)).isEmpty)
        #expect(engine.clockSkew == .zero)
    }

    @Test func onPaperItIsToldAlone() throws {
        var engine = try self.engine(.paper)
        self.tick(&engine, at: 1_000)
        #expect(self.tick(&engine, at: 2_000, ahead: Self.day) == [.clockSet(by: Self.day)])
        #expect(engine.ledger.day == at(0).day + 1 && engine.clockSkew == .zero)
    }
}
