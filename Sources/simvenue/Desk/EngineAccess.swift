import Shared

/// The matching engine as the desk reaches it. Whoever owns the engine carries requests out, so that what they mean for
/// everybody, on the market channel, is told there.
protocol EngineAccess {
    /// To look at. A copy must be gone before the next request, which would have to copy all that the engine holds.
    var engine: MatchingEngine { get }

    /// Does what is asked at `time`.
    ///
    /// - Returns: all that happened, in order.
    mutating func handle(_ request: EngineRequest, at time: Timestamp) -> [EngineEvent]
}
