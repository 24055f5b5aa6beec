import Shared

/// What subscribers are told.
enum Publication: Hashable, Sendable {
    case order(OrderBody)
    case fill(FillBody)
    case position(PositionBody)
    case balance(BalanceBody)
    case decision(DecisionBody)
    case risk(RiskStatus)
    case strategy(StrategyStatus)
}

/// What the log is told: a sentence for each, with its facts beside it.
enum EngineNote: Hashable, Sendable {
    case halted(reason: String)
    case resumed
    case orderRefused(strategy: String, market: ConditionID, Refusal)
    case orderRejected(OrderID, strategy: String, market: ConditionID, reason: String)
    /// It was approved, and never left for the venue.
    case orderWithheld(OrderID, strategy: String, market: ConditionID, reason: String)
    case orderUnknown(OrderID, hash: String, reason: String)
    case filled(FillBody)
    /// The venue tells of a worse price than the order allows.
    case filledBeyondLimit(FillBody, limit: Price)
    /// The account traded by an order that the ledger does not know; `market` is `nil` where the token is not known either.
    case foreignTrade(VenueFill, hash: String, market: ConditionID?)
    case settlementFailed(OrderID, trade: String, market: ConditionID?)
    /// The venue holds so much more of money than the ledger; less when negative.
    case balanceDiffers(by: Money)
    /// The venue holds so many shares more than the ledger; fewer when negative.
    case sharesDiffer(TokenID, by: Quantity)
    case printsLost(market: ConditionID, count: Int64)
    case marketResolved(market: ConditionID, winner: Int64?)
    /// Another winner was told than the one that was settled for; so much more cash for it, less when negative.
    case settledAgain(market: ConditionID, winner: Int64?, by: Money)
    case rulesChanged(market: ConditionID, String)
    /// An operator set it before the start; told whether it holds against what the configuration says now.
    case limitSet(name: String, Int64, configured: Int64, holds: Bool)
    /// The clock was set so far ahead between two ticks; back when negative.
    case clockSet(by: Duration)
    case contradiction(LedgerError)
    case flattened(market: ConditionID, isWhole: Bool)
}

/// What the engine asks its shell to do, in this order. Records are written before anything else of the same list.
enum EngineAction: Hashable, Sendable {
    case record(LedgerRecord)
    case submit(ApprovedOrder)
    case cancel(OrderID)
    case publish(Publication)
    case note(EngineNote)
    /// The last action after a command.
    case answer(CommandOutcome)
}

/// What an operator may ask for.
enum OperatorCommand: Hashable, Sendable {
    case halt(reason: String)
    case resume
    /// Ends every order once; strategies that run quote anew.
    case cancelAll
    /// Pauses every strategy, ends every order, sells what is held to whoever bids.
    case flatten
    case pause(strategy: String)
    case unpause(strategy: String)
    case setLimit(name: String, value: Int64)
    case explain(ConditionID)
}

/// The answer to a command.
enum CommandOutcome: Hashable, Sendable {
    case done(JSONValue?)
    case failed(String)
}
