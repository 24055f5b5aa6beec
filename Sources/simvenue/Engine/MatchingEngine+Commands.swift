import Shared

/// What the chain does to accounts, and what the venue does to markets.
extension MatchingEngine {
    mutating func performOnAccount(_ request: EngineRequest) throws(CommandRefusal) {
        switch request {
        case .deposit(let account, let amount):
            try self.check(account, amount.micros)
            guard self.deposited.micros + amount.micros <= Self.depositedMax else { throw .tooMany }
            self.deposited += amount
            self.withAccount(account) { $0.receive(amount) }
        case .withdraw(let account, let amount):
            try self.check(account, amount.micros)
            try self.take(amount, from: account)
            self.deposited -= amount
        case .split(let account, let condition, let size):
            try self.check(account, size.micros)
            try self.split(account, try self.unresolved(condition), size)
        case .merge(let account, let condition, let size):
            try self.check(account, size.micros)
            try self.merge(account, try self.unresolved(condition), size)
        case .approve(let account, let contract, let approval):
            try self.check(account)
            guard approval.money >= .zero else { throw .badAmount }
            self.withAccount(account) { $0.approve(approval, for: contract) }
            self.dropUncovered(account)
        case .setStanding(let account, let standing):
            try self.check(account)
            self.withAccount(account) { $0.standing = standing }
        default: preconditionFailure("not a request about an account")
        }
    }

    mutating func performForVenue(_ request: EngineRequest) throws(CommandRefusal) {
        switch request {
        case .list(let market): try self.list(market)
        case .setAccepting(let condition, let accepts):
            self.markets[try self.unresolved(condition)].acceptsOrders = accepts
        case .setTick(let condition, let tick): try self.setTick(try self.market(condition), tick)
        case .resolve(let condition, let resolution): try self.resolve(try self.market(condition), resolution)
        case .clear(let condition): self.closeAll(in: try self.market(condition), .canceled)
        case .cancelByVenue(let hash):
            guard let slot = self.slotsByHash[hash], self.orders[slot].status.isOpen else { throw .unknownOrder }
            self.close(slot, .canceled)
        case .setMode(let mode): self.mode = mode
        case .retry(let id): try self.retry(id)
        case .fail(let id): try self.fail(id)
        default: preconditionFailure("not a request of the venue")
        }
    }

    private func check(_ account: AccountID, _ amount: Int64) throws(CommandRefusal) {
        try self.check(account)
        guard (1...Self.transferMax).contains(amount) else { throw .badAmount }
    }

    private func unresolved(_ condition: ConditionID) throws(CommandRefusal) -> Int {
        let market = try self.market(condition)
        guard self.markets[market].resolution == nil else { throw .alreadyResolved }
        return market
    }

    // MARK: Accounts

    private mutating func take(_ amount: Money, from account: AccountID) throws(CommandRefusal) {
        guard amount <= self.accounts[account.index].money else { throw .notEnough }
        self.withAccount(account) { $0.take(amount) }
        self.dropUncovered(account)
    }

    private mutating func split(_ account: AccountID, _ market: Int, _ size: Quantity) throws(CommandRefusal) {
        try self.take(Money(micros: size.micros), from: account)
        self.markets[market].collateral += Money(micros: size.micros)
        self.withAccount(account) {
            for outcome in 0..<2 { $0.receive(size, OutcomePlace(market: market, outcome: outcome)) }
        }
    }

    private mutating func merge(_ account: AccountID, _ market: Int, _ size: Quantity) throws(CommandRefusal) {
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

    // MARK: Markets

    /// Orders that are off the new grid stay where they are; new ones must be on it.
    private mutating func setTick(_ market: Int, _ tick: TickSize) throws(CommandRefusal) {
        let old = self.markets[market].terms.tick
        guard tick != old else { return }
        let offGrid = [BookSide.bid, .ask].map { side in
            self.markets[market].book.levels(side).reduce(0) { $0 + (tick.allows($1.price) ? 0 : 1) }
        }
        guard offGrid.allSatisfy({ $0 <= Self.offGridLevelCountMax }) else { throw .tooMany }
        self.markets[market].terms.tick = tick
        self.emit(.tick(self.markets[market].terms.condition, from: old, to: tick))
    }
}
