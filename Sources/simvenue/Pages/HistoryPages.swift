import Shared

/// The order book service's price histories. Source: reference, 2.1.
///
/// The sentence about the fidelity is the venue's own, and so is the beginning of the others; what follows there is ours.
enum HistoryPages {
    /// Tokens of one `POST /batch-prices-history`.
    static let tokenCountMax = 20

    /// - Parameters:
    ///   - history: what was, as far as it is known.
    ///   - time: milliseconds UTC.
    /// - Returns: `nil` when the path is none of these.
    static func answer(
        _ request: PageRequest, _ listing: MarketRegister, _ history: PriceHistory, time: Int64
    ) -> Answer? {
        do throws(HistoryQuery.Problem) {
            switch (request.method, request.path) {
            case ("GET", ["prices-history"]):
                guard let text = request.value("market"), let token = TokenID(text) else {
                    throw .filter("'market' must be a token id")
                }
                let query = try HistoryQuery(time: time) { key in
                    // Names of the query are not those of the body.
                    request.value(key == "start_ts" ? "startTs" : key == "end_ts" ? "endTs" : key)
                }
                return .json {
                    $0.object {
                        $0.key("history")
                        self.write(token, query, listing, history, to: &$0)
                    }
                }
            case ("POST", ["batch-prices-history"]):
                return try self.batch(request, listing, history, time: time)
            default: return nil
            }
        } catch {
            return error.answer
        }
    }

    private static func batch(
        _ request: PageRequest, _ listing: MarketRegister, _ history: PriceHistory, time: Int64
    ) throws(HistoryQuery.Problem) -> Answer {
        guard let body = try? JSONValue(parsing: request.body), let names = body["markets"]?.array, !names.isEmpty
        else {
            throw .payload("Invalid payload")
        }
        guard names.count <= self.tokenCountMax else { throw .payload("Payload exceeds the limit") }
        var tokens: [TokenID] = []
        for name in names {
            guard let token = name.string.flatMap({ TokenID($0) }) else { throw .filter("'market' must be a token id") }
            if !tokens.contains(token) { tokens.append(token) }
        }
        let query = try HistoryQuery(time: time) { key in
            switch body[key] {
            case .number(let text), .string(let text): text
            case .bool, .array, .object: ""
            case .null, nil: nil
            }
        }
        return .json {
            $0.object {
                $0.key("history")
                $0.object {
                    for token in tokens {
                        $0.key(dynamic: token.description)
                        self.write(token, query, listing, history, to: &$0)
                    }
                }
            }
        }
    }

    /// Nothing for tokens that nobody knows.
    private static func write(
        _ token: TokenID, _ query: HistoryQuery, _ listing: MarketRegister, _ history: PriceHistory,
        to writer: inout JSONWriter
    ) {
        writer.array {
            guard let place = listing.place(of: token) else { return }
            let listed = listing[place.slot]
            for point in history.points(of: listed.market.condition) where query.wants(minute: Int64(point.minute)) {
                let midpoint = Int64(point.midpoint)
                self.write(
                    seconds: Int64(point.minute) * 60, place.outcome == 0 ? midpoint : 1_000_000 - midpoint, to: &$0)
            }
            // Whatever is asked for, the venue ends with how it stands now.
            guard listed.isBookServed, listed.book.midpoint != nil else { return }
            self.write(seconds: query.now, listed.midpoint(outcome: place.outcome), to: &$0)
        }
    }

    private static func write(seconds: Int64, _ price: Int64, to writer: inout JSONWriter) {
        writer.object {
            $0.key("t")
            $0.integer(seconds)
            $0.key("p")
            $0.decimal(price)
        }
    }
}

/// Which part of a history is wanted, and how fine.
struct HistoryQuery {
    /// Answered with status 400.
    enum Problem: Error, Hashable {
        case filter(String)
        case payload(String)

        var answer: Answer {
            switch self {
            case .filter(let sentence): .error(400, "invalid filters: " + sentence)
            case .payload(let sentence): .error(400, sentence)
            }
        }
    }

    private enum Interval: String {
        case max, all
        case month = "1m"
        case week = "1w"
        case day = "1d"
        case sixHours = "6h"
        case hour = "1h"

        /// Seconds that it reaches back; `nil` for all there is.
        var length: Int64? {
            switch self {
            case .max, .all: nil
            case .month: 30 * CalendarDate.secondsInDay
            case .week: 7 * CalendarDate.secondsInDay
            case .day: CalendarDate.secondsInDay
            case .sixHours: 21_600
            case .hour: 3_600
            }
        }

        /// Minutes between two points, at least.
        var fidelityMin: Int64 {
            switch self {
            case .month: 10
            case .week: 5
            case .max, .all, .day, .sixHours, .hour: 1
            }
        }
    }

    /// Seconds that two timestamps may be apart.
    private static let windowMax = 15 * CalendarDate.secondsInDay
    private static let fidelityMax: Int64 = 1 << 20

    /// Seconds since 1970.
    let now: Int64
    private let window: ClosedRange<Int64>
    /// Minutes.
    private let fidelity: Int64

    /// - Parameter value: the text of a parameter, by its name in a body; `nil` when it is not given.
    init(time: Int64, _ value: (String) -> String?) throws(Problem) {
        let now = time / 1_000
        self.now = now
        let start = try Self.whole(value("start_ts"), "startTs")
        let end = try Self.whole(value("end_ts"), "endTs")
        var interval: Interval?
        if let text = value("interval") {
            guard let known = Interval(rawValue: text) else {
                throw .filter("'interval' must be one of max, all, 1m, 1w, 1d, 6h, 1h")
            }
            interval = known
        }
        self.fidelity = try Self.whole(value("fidelity"), "fidelity") ?? 1
        guard (1...Self.fidelityMax).contains(self.fidelity) else { throw .filter("'fidelity' must be at least 1") }
        if let interval, self.fidelity < interval.fidelityMin {
            throw .filter("minimum 'fidelity' for '\(interval.rawValue)' range is \(interval.fidelityMin)")
        }
        // Timestamps win over an interval.
        if let start {
            let end = end ?? now
            guard start <= end else { throw .filter("'startTs' must not be after 'endTs'") }
            guard end - start <= Self.windowMax else { throw .filter("'startTs' and 'endTs' interval is too long") }
            self.window = start...end
        } else {
            guard end == nil else { throw .filter("'endTs' needs 'startTs'") }
            guard let interval else { throw .filter("'interval' or 'startTs' is required") }
            self.window = (interval.length.map { now - $0 } ?? 0)...now
        }
    }

    /// A whole number of seconds or minutes that leaves room to count with.
    private static func whole(_ text: String?, _ name: String) throws(Problem) -> Int64? {
        guard let text else { return nil }
        guard let value = Int64(text), (0...Int64.max / 2).contains(value) else {
            throw .filter("'\(name)' must be a whole number")
        }
        return value
    }

    func wants(minute: Int64) -> Bool { self.window.contains(minute * 60) && minute.isMultiple(of: self.fidelity) }
}
