import DaemonKit
import Shared
import Testing

@testable import polybot

@Suite struct SupervisorCoreTests {
    private func second(_ seconds: Double) -> Instant { Samples.second(seconds) }

    /// All four, running since second 1.
    private func running() -> SupervisorCore {
        var core = SupervisorCore(children: ChildName.allCases, seed: 1)
        _ = core.start(now: self.second(0))
        for child in ChildName.allCases { _ = core.answered(child, now: self.second(1)) }
        return core
    }

    @Test func theVenueIsReadyBeforeAnybodyElseIsStarted() {
        var core = SupervisorCore(children: ChildName.allCases, seed: 1)
        #expect(core.start(now: self.second(0)) == [.spawn(.simvenue), .wake(at: self.second(20))])
        #expect(
            core.answered(.simvenue, now: self.second(1)) == [
                .spawn(.scannerd), .wake(at: self.second(21)), .spawn(.feedd), .wake(at: self.second(21)),
                .spawn(.stratd), .wake(at: self.second(21)),
            ])
        #expect(core.states[.simvenue] == .running(since: self.second(1)))
    }

    @Test func withoutAVenueOfItsOwnAllAreStartedAtOnce() {
        var core = SupervisorCore(children: ChildName.daemons, seed: 1)
        let spawned = core.start(now: self.second(0)).filter { if case .spawn = $0 { true } else { false } }
        #expect(spawned == [.spawn(.scannerd), .spawn(.feedd), .spawn(.stratd)])
    }

    @Test func aKilledChildIsStartedAgainWithinATenthOfASecondAndCounted() {
        var core = self.running()
        let actions = core.ended(.feedd, .signal(9), now: self.second(30))
        guard case .wake(let at)? = actions.first, actions.count == 1 else {
            Issue.record("expected one wake, got \(actions)")
            return
        }
        #expect(at > self.second(30) && at <= self.second(30.1))
        #expect(core.woke(now: self.second(30.01)).isEmpty)
        #expect(core.woke(now: at).first == .spawn(.feedd))
        #expect(core.restarts[.feedd] == 1)
        #expect(core.down(now: self.second(34), outageMax: .seconds(3)) == [.feedd])
        #expect(core.answered(.feedd, now: self.second(30.5)).isEmpty)
        #expect(core.longestOutage[.feedd] == .milliseconds(500))
        #expect(core.down(now: self.second(34), outageMax: .seconds(3)).isEmpty)
    }

    @Test func aChildThatNeverStaysIsStartedLessAndLessOften() {
        var core = self.running()
        var now = self.second(2)
        var waits: [Duration] = []
        for _ in 0..<12 {
            guard case .wake(let at)? = core.ended(.stratd, .code(70), now: now).first else { return }
            waits.append(at - now)
            _ = core.woke(now: at)
            now = at
        }
        #expect(waits[0] <= SupervisorCore.firstWait)
        #expect(waits.last! >= SupervisorCore.longestWait / 2 && waits.last! <= SupervisorCore.longestWait)
        // Once it has stayed for a while, it is as if nothing had been.
        _ = core.answered(.stratd, now: now)
        guard case .wake(let at)? = core.ended(.stratd, .code(70), now: now + .seconds(10)).first else { return }
        #expect(at - (now + .seconds(10)) <= SupervisorCore.firstWait)
    }

    @Test(arguments: [DaemonExit.Code.usage, .refused, .configuration])
    func aChildThatCannotRunEndsEverything(code: DaemonExit.Code) {
        var core = self.running()
        #expect(core.ended(.stratd, .code(code.rawValue), now: self.second(2)).first == .terminate(.scannerd))
        #expect(core.failure?.code == code)
        #expect(core.failure?.child == .stratd)
        #expect(core.restarts[.stratd] == 0)
        #expect(core.isStopping)
    }

    @Test func allAreStoppedFromLastToFirst() {
        var core = self.running()
        #expect(core.stop(now: self.second(5)) == [.terminate(.stratd), .wake(at: self.second(10))])
        #expect(core.stop(now: self.second(5)).isEmpty)
        #expect(core.ended(.stratd, .code(0), now: self.second(6)).first == .terminate(.scannerd))
        #expect(core.ended(.scannerd, .code(0), now: self.second(6)).first == .terminate(.feedd))
        // Who ends before its turn is not asked.
        #expect(core.ended(.simvenue, .signal(9), now: self.second(6)).isEmpty)
        #expect(core.ended(.feedd, .code(0), now: self.second(7)) == [.finished])
        #expect(core.restarts.values.allSatisfy { $0 == 0 })
    }

    @Test func aChildThatDoesNotStopIsKilledAndOneThatCannotBeKilledIsGivenUp() {
        var core = self.running()
        _ = core.stop(now: self.second(5))
        #expect(core.woke(now: self.second(9.9)).isEmpty)
        #expect(core.woke(now: self.second(10)) == [.kill(.stratd), .wake(at: self.second(12))])
        #expect(core.woke(now: self.second(10)).isEmpty)
        #expect(core.woke(now: self.second(12)).first == .terminate(.scannerd))
        #expect(core.lost == [.stratd])
    }

    @Test func insistenceKillsAllAtOnce() {
        var core = self.running()
        _ = core.stop(now: self.second(5))
        let kills = core.stopAtOnce(now: self.second(6)).filter { if case .kill = $0 { true } else { false } }
        #expect(kills == [.kill(.stratd), .kill(.scannerd), .kill(.feedd), .kill(.simvenue)])
        for child in [ChildName.simvenue, .feedd, .scannerd] {
            #expect(core.ended(child, .signal(9), now: self.second(6)).isEmpty)
        }
        #expect(core.ended(.stratd, .signal(9), now: self.second(6)) == [.finished])
    }

    @Test func aStopDuringAWaitForARestartStartsNobody() {
        var core = self.running()
        _ = core.ended(.stratd, .signal(9), now: self.second(5))
        #expect(core.stop(now: self.second(5.01)).first == .terminate(.scannerd))
        #expect(core.woke(now: self.second(6)).isEmpty)
        #expect(core.states[.stratd] == .stopped)
    }

    @Test func aChildThatFallsSilentIsKilledAfterAWhile() {
        var core = self.running()
        #expect(core.fellSilent(.feedd, now: self.second(40)) == [.wake(at: self.second(60))])
        #expect(core.woke(now: self.second(59)).isEmpty)
        #expect(core.woke(now: self.second(60)).first == .kill(.feedd))
        // An answer in time would have been enough.
        var other = self.running()
        _ = other.fellSilent(.feedd, now: self.second(40))
        _ = other.answered(.feedd, now: self.second(45))
        #expect(other.woke(now: self.second(60)).isEmpty)
    }

    @Test func aProgramThatCannotBeStartedEndsEverything() {
        var core = SupervisorCore(children: ChildName.allCases, seed: 1)
        _ = core.start(now: self.second(0))
        #expect(core.couldNotSpawn(.simvenue, "no such file", now: self.second(0)) == [.finished])
        #expect(core.failure?.code == .unreachable)
    }
}
