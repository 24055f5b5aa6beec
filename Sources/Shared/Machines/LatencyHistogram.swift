/// Counts durations in buckets that are exact below 64 µs and within 3 % above, as HDR histograms do; bounded and without
/// heap use once made.
public struct LatencyHistogram: Sendable {
    /// Buckets of each power of two.
    private static let subCount = 32
    private var counts = [UInt32](repeating: 0, count: 64 * subCount)
    public private(set) var count: Int64 = 0
    public private(set) var largest: Int64 = 0

    public init() {}

    /// Notes one duration in microseconds; what is below zero, which two clocks may give, counts as zero.
    public mutating func record(_ microseconds: Int64) {
        let value = max(0, microseconds)
        self.counts[Self.bucket(value)] &+= 1
        self.count += 1
        self.largest = max(self.largest, value)
    }

    /// The duration that `share` (0...1) of all do not exceed, in microseconds; zero without any.
    public func quantile(_ share: Double) -> Int64 {
        guard self.count > 0 else { return 0 }
        let rank = Int64((Double(self.count) * share).rounded(.up))
        var seen: Int64 = 0
        for (bucket, count) in self.counts.enumerated() where count > 0 {
            seen += Int64(count)
            if seen >= rank { return min(self.largest, Self.upperBound(bucket)) }
        }
        return self.largest
    }

    /// Begins anew.
    public mutating func reset() { self = LatencyHistogram() }

    private static func bucket(_ value: Int64) -> Int {
        guard value >= Int64(2 * Self.subCount) else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - 5
        return (shift + 1) * Self.subCount + Int(value >> Int64(shift)) - Self.subCount
    }

    private static func upperBound(_ bucket: Int) -> Int64 {
        guard bucket >= 2 * Self.subCount else { return Int64(bucket) }
        let shift = Int64(bucket / Self.subCount - 1)
        // The last bucket ends at the largest `Int64`: its bound wraps round, and back.
        return (Int64(bucket % Self.subCount + Self.subCount) + 1) << shift &- 1
    }
}
