import Shared

/// Two connections have told two books of one moment, each with the right hash of its own: nothing of the market is believed until they
/// agree again or the REST interface sides with one of them.
struct Dispute {
    /// Who contradicts each other again within this is believed only after having agreed for as long, or on the REST interface's word.
    static let relapseMax = Duration.seconds(60)

    /// How long they must have agreed.
    let agreementMin: Duration
    /// Next: `nil` when they contradict each other, or one of them says nothing.
    private var agreedSince: Instant?

    /// - Parameter lastEnd: when the dispute before it ended.
    init(lastEnd: Instant?, now: Instant) {
        let isRelapse = lastEnd.map { now - $0 < Self.relapseMax } ?? false
        self.agreementMin = isRelapse ? Self.relapseMax : .zero
    }

    /// To be called at each look.
    ///
    /// - Returns: whether they have agreed for long enough.
    mutating func note(_ relation: ProvedMoments.Relation?, now: Instant) -> Bool {
        switch relation {
        case .agree: self.agreedSince = self.agreedSince ?? now
        case .contradict, nil: self.agreedSince = nil
        case .unclear: break
        }
        return relation == .agree && self.agreedSince.map { now - $0 >= self.agreementMin } ?? false
    }
}

/// A connection of whose book the REST interface said that it is not the venue's. It may not lead, and its word counts for nothing
/// against the other, until it has not contradicted that for a while.
struct Conviction {
    static let duration = Duration.seconds(60)

    let connection: Int
    private(set) var contradictedAt: Instant

    init(connection: Int, now: Instant) {
        self.connection = connection
        self.contradictedAt = now
    }

    /// To be called at each look.
    ///
    /// - Returns: whether it is over.
    mutating func note(_ relation: ProvedMoments.Relation?, now: Instant) -> Bool {
        if relation == .contradict || relation == nil { self.contradictedAt = now }
        return relation == .agree && now - self.contradictedAt > Self.duration
    }
}
