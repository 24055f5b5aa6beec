import Shared

/// Dates of the proleptic Gregorian calendar in UTC, without a time-zone database.
///
/// Source of the day arithmetic: Howard Hinnant, <https://howardhinnant.github.io/date_algorithms.html>.
struct CalendarDate: Hashable, Sendable {
    let year: Int64
    /// 1...12
    let month: Int
    /// 1...31
    let day: Int

    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let secondsInDay: Int64 = 86_400

    init(secondsSince1970 seconds: Int64) {
        let days = Self.floorDivide(seconds, Self.secondsInDay) + 719_468
        let era = Self.floorDivide(days, 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        self.day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        self.month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    /// Days since 1970 of a date; not before year 0.
    static func dayNumber(year: Int64, month: Int, day: Int) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    var monthName: String { Self.monthNames[self.month - 1] }

    /// RFC 3339 as the venue writes it: "2026-05-12T11:10:00Z".
    static func rfc3339(_ seconds: Int64) -> String {
        let date = CalendarDate(secondsSince1970: seconds)
        let rest = seconds - Self.floorDivide(seconds, Self.secondsInDay) * Self.secondsInDay
        let clock = [rest / 3_600, rest / 60 % 60, rest % 60].map { Self.two($0) }.joined(separator: ":")
        return "\(date.year)-\(Self.two(Int64(date.month)))-\(Self.two(Int64(date.day)))T\(clock)Z"
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((-a + b - 1) / b) }
}
