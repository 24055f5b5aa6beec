import ArgumentParser

/// Durations on the command line: "500ms", "20s", "1.5m", "2h".
enum DurationText {
    /// Longest that is taken: thirty days.
    static let longest = Duration.seconds(30 * 86_400)
    /// Digits of a number: more would be a mistake.
    private static let digitCountMax = 12

    /// Reads one duration, exact to the millisecond.
    ///
    /// - Throws: `ValidationError` that says what is allowed.
    static func parse(_ text: String) throws -> Duration {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text[number.endIndex...]
        let scale: Int64
        switch unit {
        case "ms": scale = 1
        case "s": scale = 1_000
        case "m": scale = 60_000
        case "h": scale = 3_600_000
        case "": throw ValidationError("'\(text)' is a duration without a unit: write 500ms, 20s, 2m or 1h.")
        default: throw ValidationError("'\(text)' is no duration: write 500ms, 20s, 2m or 1h.")
        }
        let halves = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = halves.count == 2 ? halves[1] : ""
        guard number.count <= Self.digitCountMax, let whole = Int64(halves[0]), fraction.count <= 3,
            let thousandths = Int64(fraction + String(repeating: "0", count: 3 - fraction.count))
        else {
            throw ValidationError("'\(text)' is no duration: write a number such as 20 or 1.5, then ms, s, m or h.")
        }
        guard whole <= Self.longest.components.seconds * 1_000 else { throw Self.tooLong(text) }
        let duration = Duration.milliseconds(whole * scale + thousandths * scale / 1_000)
        guard duration > .zero else {
            throw ValidationError("'\(text)' is no time at all: give a duration above zero.")
        }
        guard duration <= Self.longest else { throw Self.tooLong(text) }
        return duration
    }

    private static func tooLong(_ text: String) -> ValidationError {
        ValidationError("'\(text)' is longer than \(Self.longest.components.seconds / 3_600)h, the longest allowed.")
    }
}
