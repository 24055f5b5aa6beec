import Shared

/// Notices when one of two connections that carry the same markets says nothing of what the other told, whatever it answers to pings.
///
/// What counts is news that the other does not reach, never how long it has been silent: in a quiet hour both say nothing, and a
/// line that was just opened anew has told books that are no news.
struct TwinWatch {
    /// A connection that has not reached within this what the other told is dead.
    static let lagMax = Duration.seconds(5)
    /// News that are so much older than what was told, in milliseconds, say that the venue's clock was set back.
    static let backMax: Int64 = 60_000

    /// The venue's time, milliseconds, up to which each has told, books included.
    private var told: InlineArray<2, Int64> = [0, 0]
    /// The same of news alone.
    private var news: InlineArray<2, Int64> = [0, 0]
    /// News that one of them told first. Next: `nil` when the other has come as far.
    private var lead: (line: Int, time: Int64, since: Instant)?

    /// - Parameters:
    ///   - line: 0 or 1.
    ///   - time: the venue's, milliseconds.
    ///   - isNews: whether the other is bound to tell it too: a change, but no book that was asked for.
    mutating func heard(on line: Int, time: Int64, isNews: Bool, now: Instant) {
        if isNews && time < max(self.told[0], self.told[1]) - Self.backMax { self.begin() }
        self.told[line] = max(self.told[line], time)
        if isNews { self.news[line] = max(self.news[line], time) }
        if let lead = self.lead {
            guard self.told[1 - lead.line] >= lead.time else { return }
            self.lead = nil
        }
        for ahead in 0...1 where self.news[ahead] > self.told[1 - ahead] { self.lead = (ahead, self.news[ahead], now) }
    }

    /// One of them was opened, or the venue's clock was set back: neither is to be blamed for what was told before.
    mutating func begin() { self = TwinWatch() }

    /// The one that says nothing, and since when it should have.
    func silent(now: Instant) -> (line: Int, since: Instant)? {
        guard let lead = self.lead, now - lead.since > Self.lagMax else { return nil }
        return (1 - lead.line, lead.since)
    }
}
