import Shared
import Testing

private func millisecond(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000) }

@Suite struct BackoffTests {
    @Test func waitsDoubleUntilTheLongest() {
        var backoff = Backoff(first: .seconds(1), longest: .seconds(10))
        var random = SeededRandom(seed: 1)
        for (failures, seconds) in [1, 2, 4, 8, 10, 10, 10].enumerated() {
            #expect(backoff.failureCount == failures)
            let wait = backoff.next(using: &random)
            #expect(wait <= .seconds(seconds) && wait >= .seconds(seconds) / 2)
        }
    }

    @Test func aSuccessBeginsAnew() {
        var backoff = Backoff(first: .milliseconds(500), longest: .seconds(60))
        var random = SeededRandom(seed: 2)
        for _ in 0..<100 { #expect(backoff.next(using: &random) <= .seconds(60)) }
        backoff.reset()
        #expect(backoff.failureCount == 0)
        #expect(backoff.next(using: &random) <= .milliseconds(500))
    }

    @Test func theSameSeedWaitsTheSame() {
        func waits(seed: UInt64) -> [Duration] {
            var backoff = Backoff(first: .seconds(1), longest: .seconds(60))
            var random = SeededRandom(seed: seed)
            return (0..<20).map { _ in backoff.next(using: &random) }
        }
        #expect(waits(seed: 7) == waits(seed: 7))
        #expect(waits(seed: 7) != waits(seed: 8))
    }

    @Test func longWaitsDoNotOverflow() {
        var backoff = Backoff(first: .seconds(3_600), longest: .seconds(9_000_000_000))
        var random = SeededRandom(seed: 3)
        for _ in 0..<64 { #expect(backoff.next(using: &random) > .zero) }
    }
}

@Suite struct CircuitBreakerTests {
    @Test func itOpensAtTheLastAllowedFailureAndProbesLater() {
        var breaker = CircuitBreaker(failureCountMax: 3, openDuration: .milliseconds(100))
        for _ in 0..<2 { breaker.failed(now: millisecond(0)) }
        #expect(breaker.state == .closed(failureCount: 2))
        #expect(breaker.allows(now: millisecond(0)) == true)
        breaker.failed(now: millisecond(10))
        #expect(breaker.isOpen)
        #expect(breaker.state == .open(until: millisecond(110)))
        #expect(breaker.allows(now: millisecond(109)) == false)
        // One probe, and none beside it.
        #expect(breaker.allows(now: millisecond(110)) == true)
        #expect(breaker.state == .halfOpen(probeUntil: millisecond(210)))
        #expect(breaker.allows(now: millisecond(111)) == false)
        breaker.succeeded()
        #expect(breaker.state == .closed(failureCount: 0))
    }

    @Test func aFailedProbeOpensItAgain() {
        var breaker = CircuitBreaker(failureCountMax: 1, openDuration: .milliseconds(100))
        breaker.failed(now: millisecond(0))
        #expect(breaker.allows(now: millisecond(100)) == true)
        breaker.failed(now: millisecond(150))
        #expect(breaker.state == .open(until: millisecond(250)))
    }

    @Test func aLostProbeIsFollowedByAnother() {
        var breaker = CircuitBreaker(failureCountMax: 1, openDuration: .milliseconds(100))
        breaker.failed(now: millisecond(0))
        #expect(breaker.allows(now: millisecond(100)) == true)
        #expect(breaker.allows(now: millisecond(199)) == false)
        #expect(breaker.allows(now: millisecond(200)) == true)
    }

    @Test func aSuccessForgetsTheFailuresBefore() {
        var breaker = CircuitBreaker(failureCountMax: 2, openDuration: .milliseconds(100))
        breaker.failed(now: millisecond(0))
        breaker.succeeded()
        breaker.failed(now: millisecond(1))
        #expect(breaker.state == .closed(failureCount: 1))
    }

    @Test func failuresWhileOpenDoNotProlongIt() {
        var breaker = CircuitBreaker(failureCountMax: 1, openDuration: .milliseconds(100))
        breaker.failed(now: millisecond(0))
        breaker.failed(now: millisecond(90))
        #expect(breaker.state == .open(until: millisecond(100)))
    }
}

@Suite struct TokenBucketTests {
    @Test func theBurstCanBeTakenAtOnceAndThenTheRate() {
        var bucket = TokenBucket(rate: 10, burst: 5, now: millisecond(0))
        for _ in 0..<5 { #expect(bucket.take(now: millisecond(0)) == true) }
        #expect(bucket.take(now: millisecond(0)) == false)
        #expect(bucket.wait(now: millisecond(0)) == .milliseconds(100))
        #expect(bucket.take(now: millisecond(99)) == false)
        #expect(bucket.take(now: millisecond(100)) == true)
        #expect(bucket.take(now: millisecond(100)) == false)
    }

    @Test func moreThanTheBurstNeverComes() {
        var bucket = TokenBucket(rate: 10, burst: 5, now: millisecond(0))
        #expect(bucket.wait(for: 6, now: millisecond(0)) == nil)
        #expect(bucket.take(6, now: millisecond(1_000_000)) == false)
        #expect(bucket.take(5, now: millisecond(1_000_000)) == true)
    }

    @Test func aClockThatStandsOrGoesBackGivesNothing() {
        var bucket = TokenBucket(rate: 1, burst: 1, now: millisecond(5_000))
        #expect(bucket.take(now: millisecond(5_000)) == true)
        #expect(bucket.take(now: millisecond(0)) == false)
        #expect(bucket.take(now: millisecond(5_999)) == false)
        #expect(bucket.take(now: millisecond(6_000)) == true)
    }

    /// Counted in another way, in 128 bits: never a token more than the rate and the burst give, never one less.
    @Test(arguments: [(3, 7), (1, 1), (999_983, 10), (40, 60), (7, 1_000_000)] as [(Int64, Int64)])
    func itNeverDrifts(rate: Int64, burst: Int64) {
        var random = SeededRandom(seed: UInt64(rate))
        var bucket = TokenBucket(rate: rate, burst: burst, now: Instant(nanoseconds: 0))
        var level = Int128(burst) * 1_000_000_000
        var now: Int64 = 0
        for _ in 0..<5_000 {
            let pause = Int64.random(in: 0...2_000_000_000 / rate, using: &random)
            now += pause
            level = min(Int128(burst) * 1_000_000_000, level + Int128(pause) * Int128(rate))
            let count = Int64.random(in: 1...min(3, burst), using: &random)
            let expected = level >= Int128(count) * 1_000_000_000
            #expect(bucket.take(count, now: Instant(nanoseconds: now)) == expected)
            if expected { level -= Int128(count) * 1_000_000_000 }
        }
    }

    @Test func whoWaitsAsToldGetsHisTokens() throws {
        var random = SeededRandom(seed: 9)
        var bucket = TokenBucket(rate: 7, burst: 20, now: Instant(nanoseconds: 0))
        var now = Instant(nanoseconds: 0)
        for _ in 0..<500 {
            let count = Int64.random(in: 1...20, using: &random)
            let answer = bucket.wait(for: count, now: now)
            let wait = try #require(answer)
            if wait > .zero { #expect(bucket.take(count, now: now + wait + .nanoseconds(-1)) == false) }
            now = now + wait
            #expect(bucket.take(count, now: now) == true)
        }
    }
}

@Suite struct SeededRandomTests {
    /// Of an independent implementation of the published algorithm.
    @Test(
        arguments: [
            (0, [0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C]),
            (1, [0xB3F2_AF6D_0FC7_10C5, 0x853B_5596_4736_4CEA, 0x92F8_9756_082A_4514, 0x642E_1C7B_C266_A3A7]),
            (
                0xDEAD_BEEF,
                [0xC555_5444_A74D_7E83, 0x65C3_0D37_B4B1_6E38, 0x54F7_7320_0A4E_FA23, 0x429A_ED75_FB95_8AF7]
            ),
        ] as [(UInt64, [UInt64])])
    func theFirstNumbersOfASeedAreKnown(seed: UInt64, numbers: [UInt64]) {
        var random = SeededRandom(seed: seed)
        #expect(numbers.map { _ in random.next() } == numbers)
    }

    @Test func aCopyGoesOnAlike() {
        var random = SeededRandom(seed: 5)
        _ = random.next()
        var copy = random
        #expect(copy == random)
        #expect((0..<10).map { _ in copy.next() } == (0..<10).map { _ in random.next() })
    }
}

@Suite struct LatencyHistogramTests {
    @Test func nothingRecordedIsZero() {
        #expect(LatencyHistogram().quantile(0.99) == 0)
        #expect(LatencyHistogram().largest == 0)
    }

    @Test func smallDurationsAreExact() {
        var histogram = LatencyHistogram()
        for value in Int64(1)...50 { histogram.record(value) }
        #expect(histogram.count == 50)
        #expect(histogram.quantile(0.5) == 25)
        #expect(histogram.quantile(0.98) == 49)
        #expect(histogram.quantile(1) == 50)
        #expect(histogram.quantile(0) == 1)
    }

    @Test func largerOnesAreWithinThreePercentAndNeverTooSmall() {
        var random = SeededRandom(seed: 6)
        for _ in 0..<2_000 {
            let value = Int64.random(in: 0...Int64.max, using: &random) >> Int64.random(in: 0...62, using: &random)
            var histogram = LatencyHistogram()
            histogram.record(value)
            histogram.record(.max)
            let quantile = histogram.quantile(0.5)
            #expect(quantile >= value && Double(quantile - value) <= Double(value) / 32 + 1)
        }
    }

    @Test func oddValuesAreCountedWithoutHarm() {
        var histogram = LatencyHistogram()
        histogram.record(.min)
        histogram.record(-1)
        #expect(histogram.quantile(1) == 0)
        histogram.record(.max)
        #expect(histogram.quantile(1) == .max)
        histogram.reset()
        #expect(histogram.count == 0 && histogram.quantile(1) == 0)
    }
}
