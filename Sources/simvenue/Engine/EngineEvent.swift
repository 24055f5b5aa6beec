import Shared

/// The answer to an order that was taken. Source: reference, 2.6.
struct OrderReceipt: Hashable, Sendable {
    enum Status: String, Hashable, Sendable {
        case live, matched, delayed
    }

    let hash: OrderHash
    let status: Status
    /// What was given and got by matches at once, in millionths, without fees.
    let making: Int64
    let taking: Int64
    let trades: [TradeID]
}

/// The answer to a cancellation. Source: reference, 2.3.
struct CancelReceipt: Hashable, Sendable {
    struct Kept: Hashable, Sendable {
        let hash: OrderHash
        let reason: CancelRefusal
    }

    var canceled: [OrderHash] = []
    var kept: [Kept] = []
}

/// What the user channel says happened to an order. Source: reference, 3.3.
enum OrderNotice: String, Hashable, Sendable {
    case placement = "PLACEMENT"
    case update = "UPDATE"
    case cancellation = "CANCELLATION"
}

/// Something that happened, or the answer to a request, in the order of happening.
struct EngineEvent: Hashable, Sendable {
    enum What: Hashable, Sendable {
        // Answers.
        case accepted(OrderReceipt)
        case refused(OrderHash, EngineRefusal)
        case canceled(CancelReceipt)
        case accountOpened(AccountID)
        /// The command is carried out.
        case done
        case commandRefused(CommandRefusal)

        // For the owners.
        case order(OrderNotice, EngineOrder)
        /// A match, and again whenever its settlement goes on.
        case trade(EngineTrade)

        // For everybody.
        /// New sizes of levels after one operation, bids first, each side from its best price on.
        case book(ConditionID, [LevelChange])
        case tick(ConditionID, from: TickSize, to: TickSize)
        case resolved(ConditionID, Resolution)
    }

    let time: Timestamp
    let what: What
}
