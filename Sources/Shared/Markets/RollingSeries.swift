/// A recurring family of up/down markets whose windows have names that are known before they are listed. Source: reference,
/// 1.3.
public struct RollingSeries: Hashable, Sendable {
    public enum Length: Hashable, Sendable, CaseIterable {
        case fiveMinutes, fifteenMinutes, hour, fourHours

        /// Seconds by the clock on the wall.
        var seconds: Int64 {
            switch self {
            case .fiveMinutes: 300
            case .fifteenMinutes: 900
            case .hour: 3_600
            case .fourHours: 14_400
            }
        }

        /// What the family's slug ends with.
        fileprivate var endings: [String] {
            switch self {
            case .fiveMinutes: ["5m"]
            case .fifteenMinutes: ["15m"]
            case .hour: ["hourly", "1h"]
            case .fourHours: ["4h"]
            }
        }
    }

    /// One market of the family.
    public struct Window: Hashable, Sendable {
        public let start: Timestamp
        public let end: Timestamp
        /// What it may be called, the likeliest name first.
        public let slugs: [String]
        /// `start` and the length by the wall: where the clock is changed within a window of four hours it has three or
        /// five, and the venue's names say nothing about which it counts.
        fileprivate let nominalEnd: Timestamp

        /// Whether a market of one of its names is this window by its dates too. A name may come back a year later, and
        /// one hour in autumn comes twice.
        public func isShown(by market: Market) -> Bool {
            market.startTime == self.start && (market.endTime == self.end || market.endTime == self.nominalEnd)
        }
    }

    /// Windows that are sought: the one that runs, and the next.
    public static let windowCount = 2

    /// "btc-up-or-down-5m", as configured.
    public let slug: String
    /// "btc"
    public let asset: String
    public let length: Length

    /// - Returns: `nil` for a family whose windows have no names of this kind.
    public init?(slug: String) {
        let middle = "-up-or-down-"
        guard let place = slug.firstRange(of: middle), place.lowerBound > slug.startIndex,
            let length = Length.allCases.first(where: { $0.endings.contains(String(slug[place.upperBound...])) })
        else { return nil }
        self.slug = slug
        self.asset = String(slug[..<place.lowerBound])
        self.length = length
    }

    /// The window that runs at `now`, and those after it.
    public func windows(at now: Timestamp, count: Int = windowCount) -> [Window] {
        var windows: [Window] = []
        var start = self.start(containing: now.microseconds.floorDivided(by: 1_000_000))
        for _ in 0..<count {
            let end = self.end(from: start)
            windows.append(
                Window(
                    start: Timestamp(seconds: start), end: Timestamp(seconds: end), slugs: self.slugs(start),
                    nominalEnd: Timestamp(seconds: start + self.length.seconds)))
            start = end
        }
        return windows
    }

    /// When the window begins that follows the one that runs at `now`.
    func nextStart(after now: Timestamp) -> Timestamp {
        let seconds = now.microseconds.floorDivided(by: 1_000_000)
        return Timestamp(seconds: self.end(from: self.start(containing: seconds)))
    }

    /// Seconds since 1970. Windows of four hours lie on New York's clock, all others on everybody's.
    private func start(containing seconds: Int64) -> Int64 {
        let length = self.length.seconds
        guard self.length == .fourHours else { return seconds.floorDivided(by: length) * length }
        let local = seconds + NewYorkClock.offset(at: seconds)
        return NewYorkClock.seconds(ofLocal: local.floorDivided(by: length) * length)
    }

    private func end(from start: Int64) -> Int64 {
        guard self.length == .fourHours else { return start + self.length.seconds }
        return NewYorkClock.seconds(ofLocal: start + NewYorkClock.offset(at: start) + self.length.seconds)
    }

    private func slugs(_ start: Int64) -> [String] {
        switch self.length {
        case .fiveMinutes, .fifteenMinutes, .fourHours: ["\(self.asset)-updown-\(self.length.endings[0])-\(start)"]
        case .hour: self.hourSlugs(start)
        }
    }

    /// "bitcoin-up-or-down-november-24-2026-1pm-et". Newer names have the year; the second of the two hours of one name in
    /// autumn ends with "-2" where it has a name of its own.
    private func hourSlugs(_ start: Int64) -> [String] {
        let offset = NewYorkClock.offset(at: start)
        let local = start + offset
        let (year, month, day) = Timestamp.date(days: local.floorDivided(by: 86_400))
        let hour = local.floorDivided(by: 3_600) % 24
        let clock = "\(hour % 12 == 0 ? 12 : hour % 12)\(hour < 12 ? "am" : "pm")"
        let date = "\(Self.months[Int(month) - 1])-\(day)"
        let name = Self.names[self.asset] ?? self.asset
        let isRepeated = NewYorkClock.offset(at: start - 3_600) > offset
        let endings = isRepeated ? ["-2-et", "-et"] : ["-et"]
        return endings.flatMap { ending in
            ["\(name)-up-or-down-\(date)-\(year)-\(clock)\(ending)", "\(name)-up-or-down-\(date)-\(clock)\(ending)"]
        }
    }

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]

    /// Hourly markets call assets by their long names. Source: reference, 1.3; those that are not there are called as
    /// everywhere.
    static let names = [
        "btc": "bitcoin", "eth": "ethereum", "sol": "solana", "doge": "dogecoin", "hype": "hyperliquid",
    ]
}
