import DaemonKit
import Logging
import Shared

/// How the venue's REST interface fares, and how often it is asked.
extension FeedService {
    /// Whether a request to `path` may go out now; a yes takes it from the budget.
    func mayAsk(_ path: VenueBudget.Path) -> Bool {
        let now = Instant.now()
        guard self.player == nil, self.health.wouldAllow(now: now) else { return false }
        guard self.budget.take(path, now: now) else {
            self.count("requests_over_budget")
            return false
        }
        return self.health.allows(now: now)
    }

    /// An answer is a sign of health, unless it took too long: then it is used, and counts as an error.
    func noteAnswer(after duration: Duration) {
        let wasOpen = self.health.isOpen
        guard !self.health.answered(after: duration, now: .now()) else { return }
        self.count("answers_slow")
        self.tellIfOpened(wasOpen, "the answer took \(duration.milliseconds) ms")
    }

    func noteFailure(_ failure: VenueBooks.Failure) {
        // A refusal of what was asked is an answer.
        guard failure.isOfTheVenue else { return self.noteAnswer(after: .zero) }
        let wasOpen = self.health.isOpen
        if failure.retryAfter != nil { self.count("pauses_asked") }
        self.health.failed(retryAfter: failure.retryAfter, now: .now())
        self.tellIfOpened(wasOpen, "\(failure)")
    }

    /// The REST interface is left alone for a while when it keeps failing.
    private func tellIfOpened(_ wasOpen: Bool, _ reason: String) {
        guard self.health.isOpen && !wasOpen else { return }
        self.count("breaker_opened")
        self.logger.warning(
            "The REST interface keeps failing and is left alone for a while",
            metadata: [
                "reason": "\(reason)", "seconds": "\(self.context.configuration.feed.breakerTimeout.inSeconds)",
            ])
    }

    /// One for the present state of health, zero for the others.
    func addHealth(to counters: inout [String: Int64]) {
        for state in HostHealth.State.allCases {
            counters["rest_\(state.rawValue)"] = state == self.health.state ? 1 : 0
        }
    }
}
