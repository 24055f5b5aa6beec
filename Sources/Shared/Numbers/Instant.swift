/// A point on the monotonic clock, in nanoseconds. Inside a process only; it means nothing to another.
public struct Instant: Hashable, Comparable, Sendable {
    public let nanoseconds: Int64
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    public static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(nanoseconds: instant.nanoseconds.saturatingAdd(duration.nanoseconds))
    }
    public static func - (a: Instant, b: Instant) -> Duration {
        .nanoseconds(a.nanoseconds.saturatingSubtract(b.nanoseconds))
    }
}

/// A point in time that other programs understand: microseconds UTC since 1970.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let microseconds: Int64
    public init(microseconds: Int64) { self.microseconds = microseconds }
    public init(milliseconds: Int64) { self.microseconds = milliseconds * 1_000 }
    public init(seconds: Int64) { self.microseconds = seconds * 1_000_000 }

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
    public static func + (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microseconds: time.microseconds.saturatingAdd(duration.nanoseconds / 1_000))
    }
    public static func - (a: Timestamp, b: Timestamp) -> Duration {
        .microseconds(a.microseconds.saturatingSubtract(b.microseconds))
    }
}

extension Duration {
    /// Whole nanoseconds, towards zero. Good for 292 years; what is longer counts as that, as no time of a file or of
    /// the venue may end a program.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (whole, isBeyond) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !isBeyond else { return seconds < 0 ? .min : .max }
        return whole.saturatingAdd(attoseconds / 1_000_000_000)
    }
    /// Whole milliseconds, towards zero.
    public var milliseconds: Int64 { self.nanoseconds / 1_000_000 }
    /// For estimators and people; never for amounts.
    public var inSeconds: Double { Double(self.nanoseconds) / 1e9 }
}

/// What lies beyond the bounds counts as the bound.
extension Int64 {
    fileprivate func saturatingAdd(_ other: Int64) -> Int64 {
        let (sum, isBeyond) = self.addingReportingOverflow(other)
        guard isBeyond else { return sum }
        return other < 0 ? .min : .max
    }

    fileprivate func saturatingSubtract(_ other: Int64) -> Int64 {
        let (difference, isBeyond) = self.subtractingReportingOverflow(other)
        guard isBeyond else { return difference }
        return other < 0 ? .max : .min
    }
}
