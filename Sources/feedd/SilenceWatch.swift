import Shared

/// Notices when a market that always talks has stopped, long before its line is suspected.
///
/// A market is measured by its own tape: the longest gap between two of its messages in each of the last seconds in which it spoke. A
/// silence that is many times the longest of these is suspect, but only while the line goes on talking of others; one that grows
/// little by little is none.
struct SilenceWatch {
    /// Seconds of talk that are remembered. Before that much was heard nothing is suspect.
    static let secondCount = 64
    /// How many times the longest gap a silence may be.
    static let factor: Int64 = 4
    /// No shorter silence is suspect.
    static let silenceMin = Duration.seconds(2)
    /// Between two looks no more than this is counted.
    private static let lookMax = Duration.seconds(1)

    /// Milliseconds, rounded up. A ring.
    private var gaps: [Int32] = []
    private var nextGap = 0
    /// Of the second that is under way.
    private var second: (start: Instant, longest: Duration)?
    private var heardAt: Instant?
    private var lookedAt: Instant?
    /// How long it has said nothing while others did.
    private(set) var silence = Duration.zero
    /// Next: `false` when it speaks.
    private(set) var isSuspected = false

    /// A change or a print of it came.
    mutating func heard(now: Instant) {
        self.silence = .zero
        self.isSuspected = false
        guard let heardAt = self.heardAt, let second = self.second else {
            self.heardAt = now
            self.second = (now, .zero)
            return
        }
        self.heardAt = now
        let longest = max(second.longest, now - heardAt)
        guard now - second.start >= .seconds(1) else {
            self.second = (second.start, longest)
            return
        }
        self.remember(longest)
        self.second = (now, .zero)
    }

    private mutating func remember(_ gap: Duration) {
        let milliseconds = Int32(clamping: (gap.nanoseconds + 999_999) / 1_000_000)
        guard self.gaps.count == Self.secondCount else { return self.gaps.append(milliseconds) }
        self.gaps[self.nextGap] = milliseconds
        self.nextGap = (self.nextGap + 1) % Self.secondCount
    }

    /// Its line is gone or its book is not trusted: what is missing now is not its own silence.
    mutating func interrupt() {
        self.second = nil
        self.heardAt = nil
        self.lookedAt = nil
        self.silence = .zero
        self.isSuspected = false
    }

    /// To be called now and then.
    ///
    /// - Parameter lineHeardAt: when its line spoke last, of whichever market.
    /// - Returns: whether it is suspect from now on; once for each silence.
    mutating func look(lineHeardAt: Instant, now: Instant) -> Bool {
        defer { self.lookedAt = now }
        guard let lookedAt = self.lookedAt, self.heardAt != nil, lineHeardAt > lookedAt else { return false }
        self.silence += min(now - lookedAt, Self.lookMax)
        guard !self.isSuspected, self.silence > Self.silenceMin, self.gaps.count == Self.secondCount,
            self.silence > self.longestGap * Self.factor
        else { return false }
        self.isSuspected = true
        return true
    }

    private var longestGap: Duration {
        max(.milliseconds(Int64(self.gaps.max() ?? 0)), self.second?.longest ?? .zero)
    }
}
