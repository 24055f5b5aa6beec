extension Timestamp {
    /// Reads "2026-05-12T11:10:00Z", with or without a fraction, with "Z" or an offset such as "+00" or "-04:00", and
    /// with a space for the "T". `nil` for anything else.
    public init?(rfc3339 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        var at = 0
        func number(_ digits: Int) -> Int64? {
            guard at + digits <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[at..<at + digits] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            at += digits
            return value
        }
        func skip(_ characters: String) -> Bool {
            guard at < bytes.count, characters.utf8.contains(bytes[at]) else { return false }
            at += 1
            return true
        }
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2), skip("Tt "),
            let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2)
        else { return nil }
        guard (1...12).contains(month), (1...Self.dayCount(year: year, month: month)).contains(day), hour < 24,
            minute < 60,
            second <= 60
        else { return nil }
        var micros: Int64 = 0
        if skip(".") {
            var scale: Int64 = 100_000
            let first = at
            while at < bytes.count, let digit = number(1) {
                micros += digit * scale
                scale /= 10
            }
            guard at > first else { return nil }
        }
        var offset: Int64 = 0
        if !skip("Zz") {
            let isBehind = at < bytes.count && bytes[at] == UInt8(ascii: "-")
            guard skip("+-"), let hours = number(2) else { return nil }
            var minutes: Int64 = 0
            if at < bytes.count {
                _ = skip(":")
                guard let value = number(2) else { return nil }
                minutes = value
            }
            guard hours < 24, minutes < 60 else { return nil }
            offset = (hours * 60 + minutes) * (isBehind ? -60 : 60)
        }
        guard at == bytes.count else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        self.init(microseconds: (days * 86_400 + hour * 3_600 + minute * 60 + second - offset) * 1_000_000 + micros)
    }

    /// "2026-05-12T11:10:00Z", with a fraction where there is one.
    public var rfc3339: String {
        let (year, month, day) = Self.date(days: self.microseconds.floorDivided(by: 86_400_000_000))
        let rest = self.microseconds - self.microseconds.floorDivided(by: 86_400_000_000) * 86_400_000_000
        func pad(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let seconds = rest / 1_000_000
        let micros = rest % 1_000_000
        let fraction = micros == 0 ? "" : "." + pad(micros, 6)
        return
            "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(seconds / 3_600, 2)):\(pad(seconds / 60 % 60, 2)):"
            + "\(pad(seconds % 60, 2))\(fraction)Z"
    }

    private static func dayCount(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970 of a date in the Gregorian calendar. Source: H. Hinnant, "chrono-compatible low-level date
    /// algorithms".
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.floorDivided(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Division that rounds down, also below zero.
    func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
