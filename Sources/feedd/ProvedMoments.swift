import Shared

/// What a line proved of one market's book lately, moment by moment of the venue's time: what two lines say of one moment can be
/// compared, and what the REST interface says of it.
struct ProvedMoments {
    /// Moments kept. A book that is asked for shows one of a twentieth of a second ago, in the busiest markets ten changes before the last.
    static let countMax = 32

    /// How two lines compare at the youngest moment of which both proved a book, and that is over.
    enum Relation: Equatable {
        case agree
        /// Both have proved later books since: neither was in the midst of an operation.
        case contradict
        case unclear
    }

    /// What a line says of a book that was fetched.
    private enum Answer { case confirms, denies, unknown }

    /// The oldest is overwritten; `next` is its place once all are in use.
    private var ring: [LagWatch.State] = []
    private var next = 0

    var count: Int { self.ring.count }
    var isEmpty: Bool { self.ring.isEmpty }
    var youngest: LagWatch.State? { self.isEmpty ? nil : self[0] }

    /// The youngest has the age 0.
    private subscript(age: Int) -> LagWatch.State {
        self.ring[(self.next - 1 - age + 2 * Self.countMax) % Self.countMax]
    }

    /// To be called with each state; without a hash it is one that is not proved, in the midst of an operation or left out.
    mutating func note(_ state: LagWatch.State) {
        if let youngest = self.youngest {
            if youngest.time == state.time {
                self.ring[(self.next - 1 + Self.countMax) % Self.countMax] = state
                return
            }
            // The venue's clock was set back: a moment may come again, with another book.
            if state.time < youngest.time { self.forget() }
        }
        if self.ring.count < Self.countMax { self.ring.append(state) } else { self.ring[self.next] = state }
        self.next = (self.next + 1) % Self.countMax
    }

    mutating func forget() {
        self.ring.removeAll(keepingCapacity: true)
        self.next = 0
    }

    static func relation(_ one: ProvedMoments, _ other: ProvedMoments) -> Relation {
        var (i, j) = (0, 0)
        var (hasLaterOne, hasLaterOther) = (false, false)
        // The last moment of both: one may have told fewer of its operations.
        var differsAtLast = false
        while i < one.count && j < other.count {
            let (a, b) = (one[i], other[j])
            if a.time == b.time, let hash = a.hash, let otherHash = b.hash {
                if hash == otherHash { return differsAtLast ? .unclear : .agree }
                if hasLaterOne && hasLaterOther { return .contradict }
                differsAtLast = true
            }
            if a.time >= b.time {
                hasLaterOne = hasLaterOne || a.hash != nil
                i += 1
            }
            if b.time >= a.time {
                hasLaterOther = hasLaterOther || b.hash != nil
                j += 1
            }
        }
        return .unclear
    }

    /// Which of two lines lies if `fetched` is the venue's book; `nil` where it does not tell them apart, as it is older than what they
    /// dispute, or is nobody's.
    static func liar(leader: ProvedMoments, follower: ProvedMoments, fetched: LagWatch.State) -> LagWatch.Late? {
        if leader.isBorneOut(by: fetched, against: follower) { return .follower }
        if follower.isBorneOut(by: fetched, against: leader) { return .leader }
        return nil
    }

    private func isBorneOut(by fetched: LagWatch.State, against other: ProvedMoments) -> Bool {
        guard self.answer(to: fetched) == .confirms else { return false }
        // Of who says nothing nobody knows what it would have said: then the book must be the one that is to be published.
        return other.answer(to: fetched) == .denies || other.isEmpty && self.youngest == fetched
    }

    private func answer(to fetched: LagWatch.State) -> Answer {
        var hasLater = false
        for age in 0..<self.count {
            let state = self[age]
            if state.time == fetched.time {
                guard let hash = state.hash else { return .unknown }
                return hash == fetched.hash ? .confirms : .denies
            }
            if state.time < fetched.time { return hasLater ? .denies : .unknown }
            hasLater = true
        }
        return .unknown
    }
}
