import Glibc
import Shared
import Testing

@testable import simvenue

struct EngineStormTests {
    static let seeds = Array(1...8) as [UInt64]

    /// - Parameter isModelled: Whether the two-book model is kept beside; it knows no taker delay.
    private func run(seed: UInt64, count: Int, isModelled: Bool, auditEvery period: Int = 200) {
        var storm = EngineStorm(seed: seed, allowsDelay: !isModelled)
        for step in 0..<count {
            let events = storm.step()
            var problem: String?
            if isModelled { problem = storm.compare(events) }
            if problem == nil && step % period == 0 {
                problem = EngineAudit.problem(in: storm.engine) ?? (isModelled ? storm.bookDifference() : nil)
            }
            if let problem {
                Issue.record("ENGINE_SEED=\(seed), step \(step): \(problem)")
                return
            }
        }
        storm.end()
        #expect(EngineAudit.problem(in: storm.engine) == nil, "ENGINE_SEED=\(seed), at the end")
        #expect(storm.engine.unsettledCount == 0 && storm.engine.openOrderCount == 0, "ENGINE_SEED=\(seed), at the end")
        let paid = storm.engine.accounts.reduce(storm.engine.fees) { $0 + $1.money }
        // Halves of odd millionths stay behind, at most one for each payment.
        #expect((storm.engine.deposited - paid).micros <= storm.tradeCount * 20, "ENGINE_SEED=\(seed), at the end")
        #expect(storm.acceptedCount > count / 10, "ENGINE_SEED=\(seed)")
        #expect(storm.tradeCount > count / 50, "ENGINE_SEED=\(seed)")
        #expect(storm.kinds == [.complementary, .mint, .merge], "ENGINE_SEED=\(seed)")
    }

    @Test(arguments: EngineStormTests.seeds)
    func nothingIsMadeOrLostWhateverIsAsked(seed: UInt64) { self.run(seed: seed, count: 18_000, isModelled: false) }

    @Test(arguments: EngineStormTests.seeds)
    func aPlainModelWithTwoBooksSeesTheSameMatches(seed: UInt64) {
        self.run(seed: seed, count: 8_000, isModelled: true)
    }

    @Test func theSameSeedGivesTheSameEvents() {
        var (one, other) = (EngineStorm(seed: 9, allowsDelay: true), EngineStorm(seed: 9, allowsDelay: true))
        for step in 0..<3_000 where one.step() != other.step() {
            Issue.record("ENGINE_SEED=9, step \(step): the events differ")
            return
        }
    }

    /// A dictionary's order differs from process to process: what is recorded here holds in each.
    @Test func theSameSeedGivesTheSameTradesInEveryProcess() {
        var storm = EngineStorm(seed: 10, allowsDelay: true)
        var digest: UInt64 = 0
        for _ in 0..<2_000 {
            for event in storm.step() {
                guard case .trade(let trade) = event.what else { continue }
                for value in [trade.id.high, UInt64(trade.size.micros), UInt64(trade.price.micros)] {
                    digest = (digest ^ value) &* 0x100_0000_01B3
                }
            }
        }
        #expect(digest == 4_375_645_158_538_354_821)
    }

    @Test(
        .enabled(if: getenv("POLYBOT_SOAK") != nil, "minutes long: `make soak` runs it"),
        arguments: [101, 102, 103, 104])
    func millionsOfRequestsSoak(seed: UInt64) {
        self.run(seed: seed, count: 1_000_000, isModelled: false, auditEvery: 1_000)
        self.run(seed: seed, count: 100_000, isModelled: true, auditEvery: 500)
    }
}
