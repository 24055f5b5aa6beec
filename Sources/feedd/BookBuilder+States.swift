import Shared

extension BookBuilder {
    /// What a message did. `delta` is in `self.delta`; a snapshot is read with `body`.
    enum Effect: Equatable {
        case unchanged
        case delta
        case snapshot
        case distrusted(TrustReason)
    }

    enum Trust: Equatable {
        case trusted
        case untrusted(TrustReason)
    }

    /// An operation of which not all has arrived. Next: none when the hash agrees, a distrusted book otherwise.
    struct Unsettled {
        let timestamp: Int64
        var hash: BookHash
        var outcome: Int
        let since: Instant
    }

    /// A `price_change` that came before its snapshot.
    struct Pending {
        let timestamp: Int64
        let changes: [MarketEvent.Change]
    }
}
