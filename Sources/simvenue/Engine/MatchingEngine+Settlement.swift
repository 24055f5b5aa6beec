import Shared

/// What becomes of trades: matched, mined, confirmed; or retried, or failed and undone. Source: reference, 3.3.
extension MatchingEngine {
    mutating func startSettling(_ trade: EngineTrade) {
        self.emit(.trade(trade))
        // Nobody sees when the crowd's balances change, and there are thousands of such trades a second: they wait for
        // nothing, so that neither their appointments nor their number stand in anybody's way.
        guard !trade.isAmongCrowd else { return self.deliver(trade) }
        let slot = self.trades.insert(trade)
        self.slotsByTrade[trade.id] = slot
        self.unsettledCount += 1
        self.appoint(.settle(slot: slot, trade.id, turn: trade.turn), at: self.now + self.settings.miningTime)
    }

    /// The chain has done the next step.
    mutating func goOnSettling(_ slot: Int) {
        switch self.trades[slot].settlement {
        case .matched, .retrying: self.move(slot, to: .mined, next: self.settings.confirmingTime)
        case .mined:
            self.deliver(self.trades[slot])
            self.move(slot, to: .confirmed)
        case .confirmed, .failed: break
        }
    }

    /// The transaction was lost: it is sent once more.
    mutating func retry(_ id: TradeID) throws(CommandRefusal) {
        self.move(try self.unsettled(id), to: .retrying, next: self.settings.miningTime)
    }

    /// The transaction is given up: everybody gets back what the trade took.
    mutating func fail(_ id: TradeID) throws(CommandRefusal) {
        let slot = try self.unsettled(id)
        self.undo(self.trades[slot])
        self.move(slot, to: .failed)
    }

    private func unsettled(_ id: TradeID) throws(CommandRefusal) -> Int {
        guard let slot = self.slotsByTrade[id], !self.trades[slot].isSettled else { throw .unknownTrade }
        return slot
    }

    private mutating func move(_ slot: Int, to settlement: Settlement, next wait: Duration? = nil) {
        self.trades[slot].settlement = settlement
        self.trades[slot].lastUpdate = self.now
        self.trades[slot].turn += 1
        let trade = self.trades[slot]
        self.emit(.trade(trade))
        if let wait { self.appoint(.settle(slot: slot, trade.id, turn: trade.turn), at: self.now + wait) }
        guard trade.isSettled else { return }
        self.unsettledCount -= 1
        if let forgotten = self.settledTrades.add(slot) {
            self.slotsByTrade[self.trades[forgotten].id] = nil
            self.trades.remove(forgotten)
        }
    }

    /// Gives everybody what the trade brings.
    private mutating func deliver(_ trade: EngineTrade) {
        self.fees += trade.fee
        var earned = Money.zero - trade.fee
        for leg in trade.legs {
            switch leg.kind {
            case .complementary: break
            case .mint: self.markets[leg.place.market].collateral += Money(micros: leg.size.micros)
            case .merge: self.markets[leg.place.market].collateral -= Money(micros: leg.size.micros)
            }
            switch leg.side {
            case .buy: self.give(leg.size, leg.place, to: leg.account)
            case .sell: self.withAccount(leg.account) { $0.receive(leg.makerMoney) }
            }
            earned += leg.takerMoney
        }
        switch trade.side {
        case .buy: self.give(trade.size, trade.place, to: trade.taker)
        case .sell: self.withAccount(trade.taker) { $0.receive(earned) }
        }
    }

    /// Gives everybody back what the trade took.
    private mutating func undo(_ trade: EngineTrade) {
        for leg in trade.legs {
            switch leg.side {
            case .buy: self.withAccount(leg.account) { $0.refund(leg.makerMoney, trade.contract) }
            case .sell: self.give(leg.size, leg.place, to: leg.account)
            }
        }
        switch trade.side {
        case .buy:
            let paid = trade.legs.reduce(trade.fee) { $0 + $1.takerMoney }
            self.withAccount(trade.taker) { $0.refund(paid, trade.contract) }
        case .sell: self.give(trade.size, trade.place, to: trade.taker)
        }
    }

    /// Gives shares, or what they are worth once the market is resolved.
    private mutating func give(_ size: Quantity, _ place: OutcomePlace, to account: AccountID) {
        self.withAccount(account) { $0.receive(size, place) }
        if let resolution = self.markets[place.market].resolution { self.redeem(place, resolution, of: account) }
    }

    // MARK: Resolution

    /// Ends a market and pays for all shares that accounts hold; what waits in trades is paid as it arrives.
    mutating func resolve(_ market: Int, _ resolution: Resolution) {
        self.closeAll(in: market, .canceledMarketResolved)
        // The book is seen to be empty before the market is seen to be over.
        self.tellLevels()
        self.markets[market].resolution = resolution
        self.markets[market].acceptsOrders = false
        self.emit(.resolved(self.markets[market].terms.condition, resolution))
        for index in self.accounts.indices {
            for outcome in 0..<2 {
                self.redeem(OutcomePlace(market: market, outcome: outcome), resolution, of: AccountID(index: index))
            }
        }
    }

    /// Pays for all shares of a token that an account holds.
    private mutating func redeem(_ place: OutcomePlace, _ resolution: Resolution, of account: AccountID) {
        let size = self.accounts[account.index].holding(place).balance
        guard size > .zero else { return }
        let payout = resolution.payout(size, outcome: place.outcome)
        self.markets[place.market].collateral -= payout
        self.withAccount(account) {
            $0.take(size, place)
            $0.receive(payout)
        }
    }
}
