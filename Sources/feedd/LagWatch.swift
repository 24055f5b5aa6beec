import Shared

/// Notices when one of two connections that tell the same is behind the other.
struct LagWatch {
    /// A connection that has not told within this what the other has is late.
    static let lagMax = Duration.seconds(1)

    enum Late: String { case leader, follower }

    /// The venue's time of a state that one of them has reached alone. Next: `nil` when the other has it too.
    private var lead: (time: Timestamp, since: Instant, late: Late)?

    /// To be called now and then with how far both have come.
    ///
    /// - Returns: which of them is late.
    mutating func note(leader: Timestamp, follower: Timestamp, now: Instant) -> Late? {
        if let lead = self.lead {
            let behind = lead.late == .leader ? leader : follower
            guard behind < lead.time else {
                self.lead = nil
                return self.note(leader: leader, follower: follower, now: now)
            }
            return now - lead.since > Self.lagMax ? lead.late : nil
        }
        if leader != follower {
            self.lead = (max(leader, follower), now, leader < follower ? .leader : .follower)
        }
        return nil
    }
}
