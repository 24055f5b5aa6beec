import Shared

extension StrategyEngine {
    /// How far the two clocks may go apart between two looks at them; slewing does no more.
    static let clockStepMax = Duration.seconds(1)

    /// Compares how far both clocks went since the last look. Where a real account trades, a clock that was set is taken for wrong
    /// until the venue tells the time again: nothing is placed, and no day begins.
    mutating func watchClock(now: Moment) {
        defer { self.lastMoment = now }
        guard let last = self.lastMoment else { return }
        let step = now.step(since: last)
        let size = step < .zero ? .zero - step : step
        guard size > Self.clockStepMax else { return }
        self.note(.clockSet(by: step))
        if self.mode == .live { self.clockSkew = max(self.clockSkew, size) }
    }

    /// Whether the day may be believed: one that began by mistake would forgive a loss, and the right one would never begin.
    var isDayCertain: Bool {
        self.mode == .paper || self.isClockTold && self.clockSkew <= self.gate.limits.clockSkewMax
    }
}
