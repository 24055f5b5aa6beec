import Shared
import Testing

private func second(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }

@Suite struct HostHealthTests {
    private var health = HostHealth(failureCountMax: 3, openDuration: .seconds(60), latencyMax: .seconds(2))

    @Test mutating func aHostFallsIllAndRecovers() {
        #expect(self.health.state == .healthy)
        self.health.answered(after: .seconds(3), now: second(0))
        #expect(self.health.state == .degraded)
        self.health.failed(now: second(1))
        #expect(self.health.state == .unhealthy && self.health.wouldAllow(now: second(1)))
        self.health.answered(after: .seconds(2), now: second(2))
        #expect(self.health.state == .healthy, "an answer in time ends the row")
    }

    @Test mutating func whoKeepsFailingIsProbedOnceAndBelievedAgain() {
        for _ in 0..<3 { self.health.failed(now: second(0)) }
        #expect(self.health.state == .circuitOpen && self.health.isOpen)
        #expect(!self.health.wouldAllow(now: second(59)))
        #expect(self.health.wouldAllow(now: second(60)), "a look is no probe")
        let probes = [60, 60, 61].map { self.health.allows(now: second($0)) }
        #expect(probes == [true, false, false] && self.health.state == .circuitOpen)
        self.health.answered(after: .seconds(3), now: second(63))
        #expect(self.health.isOpen, "a probe that is answered late opens the circuit again")
        let again = self.health.allows(now: second(123))
        self.health.answered(after: .milliseconds(5), now: second(123))
        #expect(again && self.health.state == .healthy)
    }

    @Test mutating func aPauseThatTheHostAsksForIsKept() {
        self.health.failed(retryAfter: .seconds(10), now: second(0))
        self.health.failed(retryAfter: .seconds(4), now: second(1))
        self.health.answered(after: .milliseconds(1), now: second(2))
        let allowed = [2, 9, 10].map { self.health.allows(now: second($0)) }
        #expect(allowed == [false, false, true], "neither a shorter pause nor a good answer ends a longer one")
        #expect(self.health.pausedUntil == nil)
    }

    @Test mutating func noPauseIsLongerThanTheLongest() {
        self.health.failed(retryAfter: .seconds(1_000_000), now: second(0))
        #expect(!self.health.wouldAllow(now: second(299)) && self.health.wouldAllow(now: second(300)))
    }

    @Test mutating func aPauseDoesNotUseUpTheProbe() {
        for _ in 0..<3 { self.health.failed(retryAfter: .seconds(90), now: second(0)) }
        let allowed = [60, 89, 90, 90].map { self.health.allows(now: second($0)) }
        #expect(allowed == [false, false, true, false])
    }
}

@Suite struct VenueBudgetTests {
    /// Requests that pass when one is tried every millisecond for ten seconds.
    private func passed(_ path: VenueBudget.Path, in budget: inout VenueBudget) -> Int64 {
        var count: Int64 = 0
        for millisecond in 0..<Int64(10_000) where budget.take(path, now: Instant(nanoseconds: millisecond * 1_000_000))
        {
            count += 1
        }
        return count
    }

    @Test(arguments: VenueBudget.Path.allCases)
    func whoeverAsksWithoutEndStaysAtHalfTheVenuesLimit(path: VenueBudget.Path) {
        var budget = VenueBudget(now: second(0))
        let count = self.passed(path, in: &budget)
        #expect(count * 100 <= path.venueLimit * 55 && count * 100 >= path.venueLimit * 50)
    }

    @Test func onePathsHungerStarvesNoOther() {
        var budget = VenueBudget(now: second(0))
        while budget.take(.books, now: second(0)) {}
        let isBookAllowed = budget.take(.book, now: second(0))
        #expect(isBookAllowed)
    }

    @Test func allPathsTogetherStayBelowTheLimitOfAll() {
        var budget = VenueBudget(now: second(0))
        var count = 0
        for path in VenueBudget.Path.allCases { while budget.take(path, now: second(0)) { count += 1 } }
        #expect(count == 450)
    }
}
