/// How fast a journal is played.
enum ReplaySpeed: Equatable, CustomStringConvertible {
    /// Recorded seconds in one second.
    case times(Double)
    /// As fast as the slowest subscriber reads.
    case max

    private static let range = 0.001...1_000_000.0

    /// "0.5", "10", "max"; `nil` for what is none.
    init?(_ text: String) {
        if text == "max" {
            self = .max
        } else if let times = Double(text), Self.range.contains(times) {
            self = .times(times)
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .times(let times): "\(times)"
        case .max: "max"
        }
    }
}
