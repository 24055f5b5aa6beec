import Shared

/// A recurring family of windows on one asset. Source of names and grids: reference, 1.3.
struct WindowFamily: Hashable, Sendable {
    /// Index of the asset in the catalogue.
    let asset: Int
    /// Seconds: 300, 900, 3,600 or 14,400.
    let length: Int64

    private static let fourHours: Int64 = 14_400
    private static let hour: Int64 = 3_600
    /// The venue's id of "btc-up-or-down-5m", the first of them.
    private static let firstSeriesID = 10_684

    /// Where the window begins that runs at `seconds` since 1970.
    func start(containing seconds: Int64) -> Int64 {
        guard self.length == Self.fourHours else { return seconds / self.length * self.length }
        let local = seconds + NewYorkTime.offset(at: seconds)
        let start = local / self.length * self.length
        // The clock may have been changed since the window began.
        return start - NewYorkTime.offset(at: start - NewYorkTime.offset(at: seconds))
    }

    /// Where the window that begins at `start` ends, and the next one begins. Where New York changes its clock a window
    /// of four hours has three or five.
    func end(from start: Int64) -> Int64 {
        guard self.length == Self.fourHours else { return start + self.length }
        let offset = NewYorkTime.offset(at: start)
        let end = start + offset + self.length
        return end - NewYorkTime.offset(at: end - offset)
    }

    var recurrence: String {
        switch self.length {
        case Self.hour: "hourly"
        case Self.fourHours: "4h"
        default: "\(self.length / 60)m"
        }
    }

    var series: ListedSeries {
        let asset = Catalogue.assets[self.asset]
        let place = Catalogue.allFamilies.firstIndex(of: self) ?? 0
        return ListedSeries(
            id: Self.firstSeriesID + place, slug: "\(asset.symbol)-up-or-down-\(self.recurrence)",
            title: "\(asset.symbol.uppercased()) Up or Down \(self.recurrence)", recurrence: self.recurrence)
    }

    var settlement: SettlementSource { self.length == Self.hour ? .binance1h : .chainlinkTWAP60 }

    func slug(start: Int64) -> String {
        let asset = Catalogue.assets[self.asset]
        switch self.length {
        case Self.hour:
            return "\(asset.name.lowercased())-up-or-down-\(Self.hourName(start))-et"
        case Self.fourHours: return "\(asset.symbol)-updown-4h-\(start)"
        default: return "\(asset.symbol)-updown-\(self.length / 60)m-\(start)"
        }
    }

    /// "november-24-2026-1pm"; the second of the two hours of that name in autumn ends with "-2".
    private static func hourName(_ start: Int64) -> String {
        let local = start + NewYorkTime.offset(at: start)
        let date = CalendarDate(secondsSince1970: local)
        let hour = local / 3_600 % 24
        let name = "\(hour % 12 == 0 ? 12 : hour % 12)\(hour < 12 ? "am" : "pm")"
        let isRepeated = NewYorkTime.offset(at: start - 3_600) > NewYorkTime.offset(at: start)
        return "\(date.monthName.lowercased())-\(date.day)-\(date.year)-\(name)\(isRepeated ? "-2" : "")"
    }
}
