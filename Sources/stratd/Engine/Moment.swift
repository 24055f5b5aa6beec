import Shared

/// One point in time on both clocks, read once for each event: waits are counted on `instant`, records carry `time`.
struct Moment: Hashable, Sendable {
    let instant: Instant
    let time: Timestamp

    /// Both clocks, `duration` later.
    func after(_ duration: Duration) -> Moment {
        Moment(instant: self.instant + duration, time: self.time + duration)
    }

    /// By how much the time of day went further since `other` than really passed.
    func step(since other: Moment) -> Duration { (self.time - other.time) - (self.instant - other.instant) }

    /// Days since 1970, UTC: what daily limits and daily files count by.
    var day: Int64 { Self.day(of: self.time) }

    static func day(of time: Timestamp) -> Int64 { time.microseconds / 86_400_000_000 }
}
