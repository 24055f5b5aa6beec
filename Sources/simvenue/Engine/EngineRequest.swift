import Shared

/// Whom the engine serves, for all markets at once. Source: reference, 2.6 and 2.8.
enum EngineMode: Hashable, Sendable {
    case normal
    /// Takes orders that promise not to match.
    case postOnly
    case cancelOnly
    case disabled
}

/// How a market ended.
enum Resolution: Hashable, Sendable {
    case first, second
    /// Each share pays a half, rounded down to a millionth of a pUSD for each holder.
    case half

    func payout(_ size: Quantity, outcome: Int) -> Money {
        switch self {
        case .first: Money(micros: outcome == 0 ? size.micros : 0)
        case .second: Money(micros: outcome == 1 ? size.micros : 0)
        case .half: Money(micros: size.micros / 2)
        }
    }
}

/// What the engine can be asked to do.
enum EngineRequest: Hashable, Sendable {
    // By traders.
    case place(SignedOrder)
    case cancel(AccountID, [OrderHash])
    /// Those of a market, of a token, or, with neither, none.
    case cancelMarket(AccountID, ConditionID?, TokenID?)
    case cancelAll(AccountID)

    // On the chain, which knows nothing of orders.
    case openAccount
    /// One of the venue's own traders; see `Account.isCrowd`.
    case openCrowdAccount
    case deposit(AccountID, Money)
    case withdraw(AccountID, Money)
    /// Makes sets of both shares from pUSD, or pUSD from sets.
    case split(AccountID, ConditionID, Quantity)
    case merge(AccountID, ConditionID, Quantity)
    case approve(AccountID, ExchangeContract, Approval)

    // By the venue, or whoever plays it.
    case list(Market)
    case setAccepting(ConditionID, Bool)
    case setTick(ConditionID, TickSize)
    case resolve(ConditionID, Resolution)
    /// Cancels whatever is open in the market.
    case clear(ConditionID)
    case cancelByVenue(OrderHash)
    case setStanding(AccountID, AccountStanding)
    case setMode(EngineMode)
    /// The transaction of a trade did not get through: it is sent again, or given up.
    case retry(TradeID)
    case fail(TradeID)
}
