import Shared
import Testing

@testable import stratd

/// Whose word counts: an operator's, or the configuration's that was changed after it.
@Suite struct SetLimitTests {
    private func engine(_ total: String, _ ledger: OrderLedger) -> StrategyEngine {
        var limits = wideLimits
        limits.totalMax = usd(total)
        return StrategyEngine(
            slots: [.init(name: "maker", maker: Maker(makerParameters))], limits: limits, ledger: ledger, now: at(0))
    }

    private func notes(_ actions: [EngineAction]) -> [EngineNote] {
        actions.compactMap { if case .note(let note) = $0 { note } else { nil } }
    }

    /// The ledger after an operator set the total, where the configuration says 1,000.
    private func ledger(after value: Int64) throws -> OrderLedger {
        var engine = self.engine("1000", OrderLedger(cash: usd("5000")))
        _ = engine.apply(.command(.setLimit(name: "max_total_usd", value: value)), now: at(1))
        return try readBack(engine.ledger)
    }

    @Test func anOperatorsLimitOutlivesARestartAndIsToldThen() throws {
        var engine = self.engine("1000", try self.ledger(after: 5_000_000_000))
        #expect(engine.gate.limits.totalMax == usd("5000"))
        #expect(
            self.notes(engine.apply(.recover, now: at(2))) == [
                .limitSet(name: "max_total_usd", 5_000_000_000, configured: 1_000_000_000, holds: true)
            ])
    }

    @Test func whoChangesTheConfigurationHasTheLaterWord() throws {
        var engine = self.engine("500", try self.ledger(after: 5_000_000_000))
        #expect(engine.gate.limits.totalMax == usd("500"), "a limit that was lowered is kept")
        let actions = engine.apply(.recover, now: at(2))
        #expect(
            self.notes(actions) == [
                .limitSet(name: "max_total_usd", 5_000_000_000, configured: 500_000_000, holds: false)
            ])
        // Once given way it does not come back with the old configuration.
        let lines = actions.compactMap { if case .record(let record) = $0 { record.line } else { nil } }
        let ledger = try replay(lines, from: try self.ledger(after: 5_000_000_000))
        #expect(ledger == engine.ledger && ledger.limits.isEmpty)
        #expect(self.engine("1000", ledger).gate.limits.totalMax == usd("1000"))
    }

    @Test func settingWhatTheConfigurationSaysEndsIt() throws {
        #expect(try self.ledger(after: 1_000_000_000).limits.isEmpty)
    }

    @Test func oneFromBeforeTheConfigurationWasKeptHoldsAndIsTold() throws {
        var ledger = OrderLedger(cash: usd("5000"))
        try ledger.apply(.limit(name: "max_total_usd", SetLimit(value: 7_000_000_000, configured: nil)))
        var engine = self.engine("500", ledger)
        #expect(engine.gate.limits.totalMax == usd("7000"))
        #expect(self.notes(engine.apply(.recover, now: at(2))).count == 1)
    }

    @Test func everyLimitThatCanBeSetCanBeRead() {
        var limits = wideLimits
        for (number, name) in RiskLimits.names.enumerated() {
            let value = Int64(1_000 + number)
            #expect(limits.set(name, to: value) == nil || name == "error_rate_max")
            #expect(limits.value(name) == value, "\(name)")
        }
        #expect(limits.value("max_hope") == nil)
    }
}
