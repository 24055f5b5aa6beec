import Shared

/// What the chain does to accounts, and what the venue does to markets.
extension MatchingEngine {
    // MARK: Accounts

    mutating func deposit(_ amount: Money, to account: AccountID) throws(CommandRefusal) {
        try self.check(account, amount.micros)
        guard self.deposited.micros + amount.micros <= Self.depositedMax else { throw .tooMany }
        self.deposited += amount
        self.withAccount(account) { $0.receive(amount) }
    }

    mutating func withdraw(_ amount: Money, from account: AccountID) throws(CommandRefusal) {
        try self.check(account, amount.micros)
        try self.take(amount, from: account)
        self.deposited -= amount
    }

    mutating func split(_ size: Quantity, of condition: ConditionID, for account: AccountID) throws(CommandRefusal) {
        try self.check(account, size.micros)
        let market = try self.unresolved(condition)
        try self.take(Money(micros: size.micros), from: account)
        self.markets[market].collateral += Money(micros: size.micros)
        self.withAccount(account) {
            for outcome in 0..<2 { $0.receive(size, OutcomePlace(market: market, outcome: outcome)) }
        }
    }

    mutating func merge(_ size: Quantity, of condition: ConditionID, for account: AccountID) throws(CommandRefusal) {
        try self.check(account, size.micros)
        let market = try self.unresolved(condition)
        let places = (0..<2).map { OutcomePlace(market: market, outcome: $0) }
        for place in places {
            guard size <= self.accounts[account.index].holding(place).balance else { throw .notEnough }
        }
        self.markets[market].collateral -= Money(micros: size.micros)
        self.withAccount(account) {
            for place in places { $0.take(size, place) }
            $0.receive(Money(micros: size.micros))
        }
        self.dropUncovered(account)
    }

    mutating func approve(
        _ approval: Approval, for contract: ExchangeContract, by account: AccountID
    )
        throws(CommandRefusal)
    {
        try self.check(account)
        guard approval.money >= .zero else { throw .badAmount }
        self.withAccount(account) { $0.approve(approval, for: contract) }
        self.dropUncovered(account)
    }

    private func check(_ account: AccountID, _ amount: Int64) throws(CommandRefusal) {
        try self.check(account)
        guard (1...Self.transferMax).contains(amount) else { throw .badAmount }
    }

    private mutating func take(_ amount: Money, from account: AccountID) throws(CommandRefusal) {
        guard amount <= self.accounts[account.index].money else { throw .notEnough }
        self.withAccount(account) { $0.take(amount) }
        self.dropUncovered(account)
    }

    // MARK: Markets

    mutating func cancelByVenue(_ hash: OrderHash) throws(CommandRefusal) {
        guard let slot = self.slotsByHash[hash], self.orders[slot].status.isOpen else { throw .unknownOrder }
        self.close(slot, .canceled)
    }

    /// Orders that are off the new grid stay where they are; new ones must be on it.
    mutating func setTick(of market: Int, to tick: TickSize) throws(CommandRefusal) {
        let old = self.markets[market].terms.tick
        guard tick != old else { return }
        for side in [BookSide.bid, .ask] {
            let levels = self.markets[market].book.levels(side)
            let offGridCount = levels.reduce(0) { $0 + (tick.allows($1.price) ? 0 : 1) }
            guard offGridCount <= Self.offGridLevelCountMax else { throw .tooMany }
        }
        self.markets[market].terms.tick = tick
        self.emit(.tick(self.markets[market].terms.condition, from: old, to: tick))
    }
}
