/// The clock of New York, by which the venue names hours and cuts its windows of four. The rule of 2007 and later, without
/// a time-zone database: daylight time from 2:00 of March's second Sunday to 2:00 of November's first.
public enum NewYorkClock {
    private static let standard: Int64 = -5 * 3_600
    private static let daylight: Int64 = -4 * 3_600
    private static let secondsInDay: Int64 = 86_400

    /// Seconds to add to UTC at `seconds` since 1970.
    public static func offset(at seconds: Int64) -> Int64 {
        let (year, _, _) = Timestamp.date(days: seconds.floorDivided(by: Self.secondsInDay))
        let begin = Self.sunday(2, year: year, month: 3) + 2 * 3_600 - Self.standard
        let end = Self.sunday(1, year: year, month: 11) + 2 * 3_600 - Self.daylight
        return (begin..<end).contains(seconds) ? Self.daylight : Self.standard
    }

    /// UTC of what clocks in New York show; of an hour that comes twice the first, of one that is skipped the next.
    public static func seconds(ofLocal local: Int64) -> Int64 {
        let asDaylight = local - Self.daylight
        return Self.offset(at: asDaylight) == Self.daylight ? asDaylight : local - Self.standard
    }

    /// Midnight UTC of the `count`th Sunday of a month.
    private static func sunday(_ count: Int64, year: Int64, month: Int64) -> Int64 {
        let first = Timestamp.days(year: year, month: month, day: 1)
        // Day 0 was a Thursday.
        let untilSunday = (7 - (first + 4) % 7) % 7
        return (first + untilSunday + 7 * (count - 1)) * Self.secondsInDay
    }
}
