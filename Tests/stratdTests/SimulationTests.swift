import Shared
import Testing

@testable import stratd

/// Engine, ledger, gate and paper venue in a made-up world that breaks wherever the seed says, kills included.
@Suite struct SimulationTests {
    private struct Outcome {
        var lines: [[UInt8]]
        var problems: [String]
        var kills = 0
        var corrections = 0
        var fills = 0
        var orders: Set<String> = []
        var refused: [RefusalCode: Int64] = [:]
    }

    private static let limits = RiskLimits(
        orderMax: usd("8"), marketMax: usd("14"), eventMax: usd("20"), totalMax: usd("25"), positionsMax: 3,
        openOrdersMax: 5, ordersPerSecondMax: 40, dailyLossMax: usd("6"), drawdownMax: usd("8"), priceBand: 100_000,
        bookAgeMax: .seconds(2), timeLeftMin: .seconds(60), unknownOrdersMax: 4)
    private static let cash = usd("24")

    private static func simulate(seed: UInt64, steps: Int) throws -> Outcome {
        var random = SeededRandom(seed: seed)
        let checker = InvariantChecker(limits: Self.limits)
        var feed = SimulatedFeed(count: 4)
        var parameters = makerParameters
        parameters.requoteInterval = .milliseconds(20)
        parameters.positionMax = shares("30")
        var harness = Harness(limits: Self.limits, parameters: parameters, cash: Self.cash)
        var outcome = Outcome(lines: [], problems: [])
        // Its own source of chance: when the process dies must not change what the world does.
        nonisolated(unsafe) var fate = SeededRandom(seed: seed ^ 0xDEAD)
        nonisolated(unsafe) var mayDie = true
        harness.survives = { action, engine in
            checker.check(action, engine)
            return !mayDie || Int.random(in: 0..<400, using: &fate) > 0
        }
        for event in feed.connect(using: &random, now: harness.now) { harness.feed(event) }
        for step in 0..<steps {
            for event in feed.next(using: &random, now: harness.now, hasFaults: true) { harness.feed(event) }
            harness.run(for: Int64.random(in: 0...30, using: &random))
            if let command = Self.command(using: &random) { harness.command(command) }
            if harness.isKilled {
                outcome.kills += 1
                outcome.refused.merge(harness.engine.gate.refused) { $0 + $1 }
                mayDie = false
                try harness.restart()
                mayDie = true
                try checker.checkAccounts(harness.lines, start: Self.cash, harness.ledger)
                feed.isConnected = false
            }
            if step % 100 == 0 { try checker.checkAccounts(harness.lines, start: Self.cash, harness.ledger) }
        }
        outcome.refused.merge(harness.engine.gate.refused) { $0 + $1 }
        // The faults end, and all must settle.
        mayDie = false
        for _ in 0..<50 {
            for event in feed.next(using: &random, now: harness.now, hasFaults: false) { harness.feed(event) }
            harness.run(for: 20)
        }
        harness.command(.halt(reason: "end"))
        harness.run(for: 2_000)
        if !harness.ledger.open.isEmpty { checker.problem("open after the end: \(harness.orders)") }
        try checker.checkAccounts(harness.lines, start: Self.cash, harness.ledger)
        if try bytes(replay(harness.lines, from: harness.start)) != bytes(harness.ledger) {
            checker.problem("the journal tells of another ledger")
        }
        for case .contradiction(let error) in harness.notes { checker.problem("contradiction: \(error)") }
        outcome.lines = harness.lines
        outcome.problems = checker.problems
        outcome.fills = harness.fills.count
        outcome.corrections = harness.notes.count { if case .settledAgain = $0 { true } else { false } }
        outcome.orders = Set(harness.submitted.map(\.hash))
        return outcome
    }

    private static func command(using random: inout SeededRandom) -> OperatorCommand? {
        switch Int.random(in: 0..<400, using: &random) {
        case 0: .halt(reason: "operator")
        case 1...20: .resume
        case 21: .pause(strategy: "maker")
        case 22...30: .unpause(strategy: "maker")
        case 31: .cancelAll
        case 32: .flatten
        case 33...40: .setLimit(name: "daily_loss_usd", value: 60_000_000)
        default: nil
        }
    }

    @Test(arguments: Array(1...24) as [UInt64])
    func whateverHappensTheAccountsHoldAndNothingForbiddenLeaves(seed: UInt64) throws {
        let outcome = try Self.simulate(seed: seed, steps: 600)
        #expect(outcome.problems.isEmpty, "SIMULATION_SEED=\(seed) \(outcome.problems)")
        #expect(outcome.orders.count > 5, "SIMULATION_SEED=\(seed): the world was too quiet to show anything")
    }

    @Test func theWorldHasFillsAndKillsInIt() throws {
        let outcomes = try (1...8).map { try Self.simulate(seed: $0, steps: 600) }
        let fills = outcomes.reduce(0) { $0 + $1.fills }
        let kills = outcomes.reduce(0) { $0 + $1.kills }
        #expect(outcomes.contains { $0.corrections > 0 }, "no market was settled again")
        #expect(fills > 50 && kills > 10, "\(fills) fills, \(kills) kills")
        // The limits were pushed at, else it shows nothing that they held.
        let refused = Set(outcomes.flatMap(\.refused.keys))
        for code in [RefusalCode.maxMarketUSD, .maxTotalUSD, .maxOpenOrders, .insufficientBalance] {
            #expect(refused.contains(code), "\(code) was never reached: \(refused)")
        }
    }

    @Test(arguments: [UInt64(3), 99])
    func theSameSeedWritesTheSameJournal(seed: UInt64) throws {
        let first = try Self.simulate(seed: seed, steps: 400)
        let second = try Self.simulate(seed: seed, steps: 400)
        #expect(first.lines == second.lines)
        #expect(first.lines != (try Self.simulate(seed: seed + 1, steps: 400).lines))
    }
}
