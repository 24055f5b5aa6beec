import Shared

/// The header `Retry-After` (RFC 9110, 10.2.3): a number of seconds, or a date, for which the server's own `Date` tells
/// the time, as our clocks may differ.
enum RetryAfter {
    /// Longest pause that is told; a server that asks for more is asked again after this.
    static let pauseMax = Duration.seconds(pauseSecondsMax)
    private static let pauseSecondsMax: Int64 = 3_600
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Nil for what makes no sense. A date that is past is no pause.
    ///
    /// - Parameters:
    ///   - date: the answer's header `Date`.
    ///   - time: when it came, where that is missing.
    static func pause(_ text: String, date: String?, time: Timestamp) -> Duration? {
        if let seconds = Int64(text) {
            return seconds < 0 ? nil : .seconds(min(seconds, Self.pauseSecondsMax))
        }
        guard let until = Self.time(text) else { return nil }
        return min(max(.zero, until - (date.flatMap(Self.time) ?? time)), Self.pauseMax)
    }

    /// The preferred form alone: "Sun, 06 Nov 1994 08:49:37 GMT".
    private static func time(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[0].utf8.count == 4, words[0].hasSuffix(","), words[1].utf8.count == 2,
            let month = Self.months.firstIndex(of: String(words[2])), words[3].utf8.count == 4, words[5] == "GMT"
        else { return nil }
        let number = month + 1
        return Timestamp(rfc3339: "\(words[3])-\(number < 10 ? "0" : "")\(number)-\(words[1])T\(words[4])Z")
    }
}
