import Shared

/// Every limit that the risk gate reads.
struct RiskLimits: Hashable, Sendable {
    /// Largest notional of one order.
    var orderMax: Money
    /// Positions and open purchases at cost: in one market, in one event, in all.
    var marketMax: Money
    var eventMax: Money
    var totalMax: Money
    /// Share of `totalMax` that one strategy may have, in millionths of one.
    var allocationMicros: Int64 = 1_000_000
    /// Markets with a position or an open purchase.
    var positionsMax: Int64
    var openOrdersMax: Int64
    /// New orders a second, which is also the burst; 1...1_000_000.
    var ordersPerSecondMax: Int64
    /// Loss since midnight UTC, realised and not, at which trading halts.
    var dailyLossMax: Money
    /// Loss since the highest worth of the account at which trading halts.
    var drawdownMax: Money
    /// How far a price may lie from the midpoint, in millionths of a pUSD.
    var priceBand: Int64
    /// How old the feed's last word may be. A quiet book does not age while the feed keeps talking.
    var bookAgeMax: Duration
    /// Nothing is bought in a market that ends sooner.
    var timeLeftMin: Duration
    /// Orders of unknown fate at which trading halts.
    var unknownOrdersMax: Int64
    /// How far our clock and the venue's may differ.
    var clockSkewMax = Duration.seconds(2)
    /// Share of failed requests over the last minute at which trading halts, in millionths.
    var errorRateMax: Int64 = 1_000_000
    /// Live trading is on trial until so many fills were confirmed on the chain; until then these limits hold besides.
    var trialFillCount: Int64 = 0
    var trialOrderMax = Money.zero
    var trialTotalMax = Money.zero

    /// The limits that hold after so many confirmed fills.
    func limits(afterConfirmedFills count: Int64) -> RiskLimits {
        guard count < self.trialFillCount else { return self }
        var limits = self
        limits.orderMax = min(self.orderMax, self.trialOrderMax)
        limits.totalMax = min(self.totalMax, self.trialTotalMax)
        return limits
    }

    /// Positions and open purchases of one strategy at cost, rounded down.
    var strategyMax: Money {
        Money(micros: Int64(Int128(self.totalMax.micros) * Int128(self.allocationMicros) / 1_000_000))
    }

    /// Sets the limit that the configuration calls `name`.
    ///
    /// - Parameter value: millionths for `…_usd` and `price_band`, else the whole number that the name's unit says.
    /// - Returns: `nil` when it was set, else what is wrong.
    mutating func set(_ name: String, to value: Int64) -> String? {
        guard let range = Self.ranges[name] else {
            return "there is no limit \"\(name)\"; known are \(Self.names.joined(separator: ", "))"
        }
        guard range.contains(value) else {
            return "\(name) must lie in \(range.lowerBound)...\(range.upperBound), not \(value)"
        }
        switch name {
        case "max_order_usd": self.orderMax = Money(micros: value)
        case "max_market_usd": self.marketMax = Money(micros: value)
        case "max_event_usd": self.eventMax = Money(micros: value)
        case "max_total_usd": self.totalMax = Money(micros: value)
        case "max_positions": self.positionsMax = value
        case "max_open_orders": self.openOrdersMax = value
        case "max_orders_per_s": self.ordersPerSecondMax = value
        case "daily_loss_usd": self.dailyLossMax = Money(micros: value)
        case "max_drawdown_usd": self.drawdownMax = Money(micros: value)
        case "price_band": self.priceBand = value
        case "book_age_max_ms": self.bookAgeMax = .milliseconds(value)
        case "min_time_left_s": self.timeLeftMin = .seconds(value)
        case "unknown_orders_max": self.unknownOrdersMax = value
        case "clock_skew_max_ms": self.clockSkewMax = .milliseconds(value)
        case "error_rate_max": self.errorRateMax = value
        case "trial_fills": self.trialFillCount = value
        case "trial_order_usd": self.trialOrderMax = Money(micros: value)
        case "trial_total_usd": self.trialTotalMax = Money(micros: value)
        default: preconditionFailure("a limit that has a range has a place")
        }
        return nil
    }

    /// The limit that the configuration calls `name`, as `set` takes it; `nil` when there is none.
    func value(_ name: String) -> Int64? {
        switch name {
        case "max_order_usd": self.orderMax.micros
        case "max_market_usd": self.marketMax.micros
        case "max_event_usd": self.eventMax.micros
        case "max_total_usd": self.totalMax.micros
        case "max_positions": self.positionsMax
        case "max_open_orders": self.openOrdersMax
        case "max_orders_per_s": self.ordersPerSecondMax
        case "daily_loss_usd": self.dailyLossMax.micros
        case "max_drawdown_usd": self.drawdownMax.micros
        case "price_band": self.priceBand
        case "book_age_max_ms": self.bookAgeMax.milliseconds
        case "min_time_left_s": self.timeLeftMin.milliseconds / 1_000
        case "unknown_orders_max": self.unknownOrdersMax
        case "clock_skew_max_ms": self.clockSkewMax.milliseconds
        case "error_rate_max": self.errorRateMax
        case "trial_fills": self.trialFillCount
        case "trial_order_usd": self.trialOrderMax.micros
        case "trial_total_usd": self.trialTotalMax.micros
        default: nil
        }
    }

    static var names: [String] { Self.ranges.keys.sorted() }

    private static let moneyRange: ClosedRange<Int64> = 0...1_000_000_000_000_000
    private static let ranges: [String: ClosedRange<Int64>] = [
        "max_order_usd": moneyRange, "max_market_usd": moneyRange, "max_event_usd": moneyRange,
        "max_total_usd": moneyRange, "daily_loss_usd": moneyRange, "max_drawdown_usd": moneyRange,
        "max_positions": 0...100_000, "max_open_orders": 0...100_000, "max_orders_per_s": 1...1_000_000,
        "price_band": 0...1_000_000,
        "book_age_max_ms": 1...3_600_000, "min_time_left_s": 0...31_536_000, "unknown_orders_max": 1...10_000,
        "clock_skew_max_ms": 10...60_000, "error_rate_max": 0...1_000_000, "trial_fills": 0...1_000_000,
        "trial_order_usd": moneyRange, "trial_total_usd": moneyRange,
    ]
}
