import Shared

/// What a venue itself may be told to do; all other faults happen between it and the sockets.
enum ForcedEvent: Hashable, Sendable {
    /// The market in `slot`, or the first that can, moves to a finer tick.
    case changeTick(TickSize, slot: Int?)
    /// The market in `slot`, or the first that can, is won by an outcome.
    case resolve(winner: Int, slot: Int?)
    /// A dated market more is listed, and told of.
    case list
    /// The venue's times are so many milliseconds off.
    case skewClock(Int64)
}

/// A venue as a value: time goes in, messages come out, books can be asked for. No sockets, clocks or files.
protocol VenueCore: Sendable {
    var listing: MarketRegister { get }

    /// Prices outside the venue that its windows are about, up to where time was told; `nil` for a recording.
    var referencePrices: ReferencePrices? { get }

    /// Milliseconds UTC of the next thing that will happen by itself; `nil` when nothing will.
    var nextTime: Int64? { get }

    /// Whether it is to be no faster than its slowest reader: a recording without pacing.
    var waitsForReaders: Bool { get }

    /// Whether the made-up traffic rests. A trade that was told in the book is finished all the same: its print comes.
    var isPaused: Bool { get }
    mutating func pause(at time: Int64)
    mutating func resume(at time: Int64)

    /// Lets everything happen up to `time` (milliseconds UTC), or until `batch` holds `messageCountMax` messages.
    mutating func advance(to time: Int64, messageCountMax: Int, into batch: inout MessageBatch)

    /// Where orders are kept and matched; `nil` for a recording, which takes none.
    var engine: MatchingEngine? { get }

    /// Lets everything happen up to `time`, then what is asked. What the market channel says of both goes into `batch`.
    ///
    /// - Returns: What the engine said to the request. A recording answers that trading is disabled.
    mutating func handle(_ request: EngineRequest, at time: Int64, into batch: inout MessageBatch) -> [EngineEvent]

    /// What happened since the last call to orders and trades of accounts that are not the venue's own crowd, whoever
    /// made it happen, in order: placements, matches of either side with all their steps of settlement, cancels, kills.
    mutating func takeAccountEvents() -> [EngineEvent]

    /// Lets traffic of the past go by unsent: the process was stopped, or cannot keep up with its rate.
    mutating func skip(to time: Int64)

    /// Somebody subscribed to the market in `slot`.
    mutating func noteSubscription(slot: Int, at time: Int64)

    /// Makes `event` happen at the next turn.
    ///
    /// - Returns: why it cannot; `nil` when it will happen.
    mutating func force(_ event: ForcedEvent) -> String?

    /// Slots that were given up since the last call; subscriptions to them are void.
    mutating func takeRemovedSlots() -> [Int]
}
