import Shared
import Testing

@testable import feedd

/// Two connections carry the same markets: one that says nothing of what the other told is dead.
@Suite struct TwinWatchTests {
    private var watch = TwinWatch()

    private static func second(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    /// - Parameter time: the venue's, seconds; usually just before.
    private mutating func heard(_ line: Int, _ seconds: Double, time: Double? = nil, isNews: Bool = true) {
        let time = Int64((time ?? seconds) * 1_000)
        self.watch.heard(on: line, time: time, isNews: isNews, now: Self.second(seconds))
    }

    private func silent(_ seconds: Double) -> Int? { self.watch.silent(now: Self.second(seconds))?.line }

    @Test mutating func newsThatOneDoesNotTellSaysThatItIsDead() {
        for line in 0...1 { self.heard(line, 1) }
        self.heard(0, 2)
        self.heard(0, 6.9)
        #expect(self.silent(7) == nil)
        #expect(self.silent(7.1) == 1)
        #expect(self.watch.silent(now: Self.second(7.1))?.since == Self.second(2))
    }

    @Test mutating func whoComesAsFarIsAlive() {
        self.heard(1, 2)
        self.heard(0, 6, time: 1.9)
        #expect(self.silent(7.1) == 0, "it tells of what was before")
        // A book that was asked for tells of the last change as well.
        self.heard(0, 8, time: 2, isNews: false)
        #expect(self.silent(60) == nil)
        self.heard(1, 61)
        #expect(self.silent(66.1) == 0)
    }

    @Test mutating func whoIsSlowIsNotDead() {
        for second in 1...600 {
            self.heard(0, Double(second))
            if second > 4 { self.heard(1, Double(second), time: Double(second - 4)) }
            #expect(self.silent(Double(second) + 0.9) == nil)
        }
        self.heard(1, 604, time: 600)
        #expect(self.silent(3_600) == nil)
    }

    @Test mutating func severalNewsOfOneMomentMayComeOneAfterTheOther() {
        for line in [0, 0, 1, 1] { self.heard(line, 2) }
        #expect(self.silent(3_600) == nil)
    }

    /// In a quiet hour a line that is opened anew, or a book that was asked for, is no reason to blame the other.
    @Test mutating func inAQuietHourABookOfOneLineIsNoNews() {
        for line in 0...1 { self.heard(line, 1) }
        self.watch.begin()
        self.heard(0, 600, time: 1, isNews: false)
        self.heard(0, 601, isNews: false)
        #expect(self.silent(3_600) == nil)
    }

    @Test mutating func aLineThatWasJustOpenedOwesNothingOfBefore() {
        self.heard(0, 2)
        self.watch.begin()
        #expect(self.silent(8) == nil)
        self.heard(0, 8)
        #expect(self.silent(13) == nil)
        #expect(self.silent(13.1) == 1)
    }

    @Test mutating func aClockThatIsSetBackBlindsNobody() {
        for line in 0...1 { self.heard(line, 1, time: 3_600) }
        for line in 0...1 { self.heard(line, 2, time: 2) }
        #expect(self.silent(60) == nil)
        self.heard(1, 61)
        #expect(self.silent(66.1) == 0)
    }

    @Test mutating func scarceNewsThatBothTellAreNothing() {
        for minute in 0..<60 {
            let time = Double(minute * 60)
            self.heard(minute % 2, time)
            #expect(self.silent(time + 0.3) == nil)
            self.heard(1 - minute % 2, time + 0.3, time: time)
            #expect(self.silent(time + 59) == nil)
        }
    }
}
