import Shared

/// The midpoints of all books at every whole minute, for a day.
struct PriceHistory: Sendable {
    struct Point: Hashable, Sendable {
        /// Minutes since 1970.
        let minute: Int32
        /// Midpoint of the first outcome, in millionths.
        let midpoint: Int32
    }

    /// Points of one market: a day of them. The oldest go first.
    static let pointCountMax = 1_440
    static let millisecondsInMinute: Int64 = 60_000

    /// The points of one market, the oldest at `start` once there are as many as are kept.
    private struct Series: Sendable {
        var points: [Point] = []
        var start = 0

        mutating func append(_ point: Point) {
            if self.points.count < PriceHistory.pointCountMax {
                self.points.append(point)
            } else {
                self.points[self.start] = point
                self.start = (self.start + 1) % self.points.count
            }
        }
    }

    /// Of the markets that are listed, as long as they are.
    private var series: [ConditionID: Series] = [:]
    /// When the next points are due: a whole minute, milliseconds UTC.
    private(set) var nextTime: Int64

    /// One that begins with the first whole minute after `time`, milliseconds UTC.
    init(at time: Int64) { self.nextTime = Self.minute(after: time) }

    private static func minute(after time: Int64) -> Int64 {
        (time / Self.millisecondsInMinute + 1) * Self.millisecondsInMinute
    }

    /// Nothing happened up to `time`: the minutes until then have no points.
    mutating func skip(to time: Int64) { self.nextTime = max(self.nextTime, Self.minute(after: time - 1)) }

    /// Takes a point of every book that is served, for the time that is due.
    mutating func sample(_ listing: MarketRegister) {
        let minute = Int32(truncatingIfNeeded: self.nextTime / Self.millisecondsInMinute)
        self.nextTime += Self.millisecondsInMinute
        for slot in listing.order where listing[slot].isBookServed {
            guard let midpoint = listing[slot].book.midpoint else { continue }
            let point = Point(minute: minute, midpoint: Int32(truncatingIfNeeded: midpoint))
            self.series[listing[slot].market.condition, default: Series()].append(point)
        }
        for condition in Array(self.series.keys) where listing.slot(of: condition) == nil {
            self.series[condition] = nil
        }
    }

    /// The points of a market, the oldest first.
    func points(of condition: ConditionID) -> [Point] {
        guard let series = self.series[condition] else { return [] }
        return Array(series.points[series.start...] + series.points[..<series.start])
    }
}
