import Shared

/// Everything that the engine takes in: what the feed, the venue, people, the clock and the shell say. Whatever changes the
/// engine is one of these, so that the same inputs at the same times give the same actions.
enum EngineInput: Sendable {
    /// What the feed said, and when it sent it: everything before that has been heard.
    case feed(FeedEvent, sentTime: Timestamp)
    /// What the venue said of one of our orders.
    case venue(VenueEvent)
    case command(OperatorCommand)
    /// The looks that are due are to be taken.
    case wake
    /// Once a second.
    case tick(isHaltFilePresent: Bool)
    /// The first after a start: orders that an earlier process left are looked at.
    case recover
    /// The journal begins a file, or takes records again: it wants the whole ledger.
    case checkpoint
    /// The journal took nothing of the last actions. These orders were among them, and never left.
    case journalFailed(unsent: [OrderID])
    /// The daemon is about to leave.
    case stop

    /// Why the venue can be sent nothing now; `nil` when it can.
    case venueClosed(Refusal?)
    /// How far our clock and the venue's differ.
    case clockSkew(Duration)
    /// A request to the venue has ended.
    case requestEnded(isFailure: Bool)
    /// What the account was found to hold when its ledger was begun.
    case fund(Money)
    /// What comparing the venue's balance with the ledger has shown.
    case compare(BalanceWatch.Verdict)
    /// The same of the shares of a token.
    case compareShares(BalanceWatch.ShareVerdict, of: TokenID)
}

extension StrategyEngine {
    /// The one door: takes in what happened, and returns what is to be done, in this order.
    mutating func apply(_ input: EngineInput, now: Moment) -> [EngineAction] {
        switch input {
        case .feed(let event, let sentTime): return self.handle(event, sentTime: sentTime, now: now)
        case .venue(let event): return self.handle(event, now: now)
        case .command(let command):
            let (actions, outcome) = self.perform(command, now: now)
            return actions + [.answer(outcome)]
        case .wake: return self.wake(now: now)
        case .tick(let isHaltFilePresent): return self.tick(isHaltFilePresent: isHaltFilePresent, now: now)
        case .recover: return self.recover(now: now)
        case .checkpoint: return [.record(self.checkpoint(now: now))]
        case .journalFailed(let unsent): return self.journalFailed(unsent: unsent, now: now)
        case .stop: return self.stop(now: now)
        case .venueClosed(let reason):
            self.venueClosedReason = reason
            // A quiet market brings no look by itself.
            if reason == nil { self.lookNow(self.views.conditions, now: now) }
            return self.takeActions()
        case .clockSkew(let skew):
            self.clockSkew = skew
            self.isClockTold = true
        // While the venue is closed to us nothing is placed anyhow: an outage is waited for, and needs nobody who resumes.
        case .requestEnded(let isFailure):
            if self.venueClosedReason == nil { self.errorRate.note(isFailure: isFailure, now: now.instant) }
        case .fund(let money): return self.fund(money, now: now)
        case .compare(let verdict): return self.compare(verdict, now: now)
        case .compareShares(let verdict, let token): return self.compare(verdict, of: token, now: now)
        }
        return []
    }

    /// Whether a look is due: without one, `wake` changes nothing and needs not be applied.
    func isWakeDue(now: Moment) -> Bool { self.nextWake.map { $0 <= now.instant } ?? false }
}
