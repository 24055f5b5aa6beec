import Shared

/// The clock of New York, by which the venue names hours and cuts its four-hour windows. The rule of 2007 and later,
/// without a time-zone database.
enum NewYorkTime {
    private static let standard: Int64 = -5 * 3_600
    private static let daylight: Int64 = -4 * 3_600

    /// Seconds to add to UTC at `seconds` since 1970.
    static func offset(at seconds: Int64) -> Int64 {
        let year = CalendarDate(secondsSince1970: seconds).year
        // Daylight time begins at 2:00 of the second Sunday of March, and ends at 2:00 of the first of November.
        let begin = self.sunday(2, year: year, month: 3) + 2 * 3_600 - Self.standard
        let end = self.sunday(1, year: year, month: 11) + 2 * 3_600 - Self.daylight
        return (begin..<end).contains(seconds) ? Self.daylight : Self.standard
    }

    /// Midnight UTC of the `count`th Sunday of a month.
    private static func sunday(_ count: Int64, year: Int64, month: Int) -> Int64 {
        let first = CalendarDate.dayNumber(year: year, month: month, day: 1)
        // Day 0 was a Thursday.
        let untilSunday = (7 - (first + 4) % 7) % 7
        return (first + untilSunday + 7 * (count - 1)) * CalendarDate.secondsInDay
    }
}
