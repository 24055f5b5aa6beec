import Shared

/// Notices when one of two connections that tell the same is behind the other, or tells another book of the same moment.
struct LagWatch {
    /// A connection that has not told within this what the other has is late.
    static let lagMax = Duration.seconds(1)

    /// Which of them is not believed; both where they contradict each other, as nobody can say who is right. Neither once they agree again.
    enum Late: String { case leader, follower, both, neither }

    /// How far a connection has come, and the hash of its book there; without one nothing is compared.
    struct State: Hashable {
        let time: Timestamp
        var hash: BookHash?
    }

    /// The venue's time of a state that one of them has reached alone. Next: `nil` when the other has it too.
    private var lead: (time: Timestamp, since: Instant, late: Late)?

    /// Two books of one moment. Next: `nil` when one of them goes on.
    private var contradiction: (leader: State, follower: State, since: Instant)?

    /// The leader's state when the follower was last called late. A follower that was asked anew and is behind that very state again may be
    /// right: where the venue's clock was set back, who lost what came then has the later time.
    private(set) var blamed: State?

    init(blamed: State? = nil) { self.blamed = blamed }

    /// How far both had come when what they told of a past moment was a contradiction. Next: `nil` when they agree.
    private var disagreement: (leader: State?, follower: State?)?

    /// To be called now and then with how what both told compares.
    ///
    /// - Returns: whether they contradict each other, and did so at a look before, since when both have gone on: once may be a message
    ///   that one of them lost and that mattered no more, or a clock of the venue's that was set back while the other was silent.
    mutating func note(leader: ProvedMoments, follower: ProvedMoments) -> Bool {
        switch ProvedMoments.relation(leader, follower) {
        case .agree: self.disagreement = nil
        case .unclear: break
        case .contradict:
            guard let before = self.disagreement else {
                self.disagreement = (leader.youngest, follower.youngest)
                return false
            }
            return before.leader != leader.youngest && before.follower != follower.youngest
        }
        return false
    }

    /// To be called now and then with how far both have come.
    ///
    /// - Returns: which of them is late, or not to be believed.
    mutating func note(leader: State, follower: State, now: Instant) -> Late? {
        // Of several operations in one millisecond one connection may have told fewer so far.
        if leader.time == follower.time, let one = leader.hash, let other = follower.hash, one != other {
            guard let former = self.contradiction, former.leader == leader, former.follower == follower else {
                self.contradiction = (leader, follower, now)
                return nil
            }
            return now - former.since > Self.lagMax ? .both : nil
        }
        self.contradiction = nil
        let late = self.note(leader: leader.time, follower: follower.time, now: now)
        return late == .follower && leader == self.blamed ? .both : late
    }

    private mutating func note(leader: Timestamp, follower: Timestamp, now: Instant) -> Late? {
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
