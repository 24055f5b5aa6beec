import Shared

/// Opening and ending orders, and what they reserve.
extension MatchingEngine {
    /// Makes an order known. It reserves nothing yet.
    mutating func open(_ order: EngineOrder) -> Int {
        let slot = self.orders.insert(order)
        self.slotsByHash[order.signed.hash] = slot
        self.openOrderCount += 1
        self.withAccount(order.signed.account) { $0.addOpenOrder(order.sequence, at: slot) }
        return slot
    }

    /// Ends an open order, wherever it stands, and says so unless it was matched, which was said with the match.
    mutating func close(_ slot: Int, _ status: OrderStatus) {
        let order = self.orders[slot]
        switch order.status {
        case .delayed: self.markets[order.market].delayed.removeAll { $0 == slot }
        case .live where self.isQueued(slot):
            self.touch(order.market, order.bookSide, order.bookPrice)
            self.markets[order.market].book.remove(slot, in: &self.orders)
        default: break
        }
        self.setReserved(slot, 0)
        self.orders[slot].status = status
        self.openOrderCount -= 1
        self.withAccount(order.signed.account) { $0.removeOpenOrder(order.sequence) }
        if status != .matched { self.tell(.cancellation, slot) }
        // The crowd's would push everybody else's out within seconds.
        if order.isCrowd {
            self.forget(slot)
        } else if let oldest = self.finishedOrders.add(slot) {
            self.forget(oldest)
        }
    }

    private mutating func forget(_ slot: Int) {
        self.slotsByHash[self.orders[slot].signed.hash] = nil
        self.orders.remove(slot)
    }

    /// Tells the owner of an order what happened to it.
    mutating func tell(_ notice: OrderNotice, _ slot: Int) {
        if !self.orders[slot].isCrowd { self.emit(.order(notice, self.orders[slot].told)) }
    }

    /// Whether a live order stands in the book: one that just matched and may not rest never did.
    private func isQueued(_ slot: Int) -> Bool {
        let order = self.orders[slot]
        return !order.signed.isImmediate && order.remaining > .zero
    }

    /// Keeps for a resting order what its rest asks for, rounded down: its matches are so too, and add up to no more.
    mutating func reserveRest(_ slot: Int) {
        let order = self.orders[slot]
        switch order.signed.side {
        case .buy: self.setReserved(slot, order.remaining.notional(at: order.limit).micros)
        case .sell: self.setReserved(slot, order.remaining.micros)
        }
    }

    mutating func setReserved(_ slot: Int, _ micros: Int64) {
        let order = self.orders[slot]
        let change = micros - order.reserved
        guard change != 0 else { return }
        self.orders[slot].reserved = micros
        let contract = self.markets[order.market].contract
        self.withAccount(order.signed.account) {
            switch order.signed.side {
            case .buy: $0.reserve(Money(micros: change), contract)
            case .sell: $0.reserve(Quantity(micros: change), order.place)
            }
        }
    }

    /// Cancels orders that an account can no longer pay for, latest first.
    mutating func dropUncovered(_ account: AccountID) {
        for open in self.accounts[account.index].openOrders.reversed() {
            let order = self.orders[open.slot]
            let contract = self.markets[order.market].contract
            let isShort =
                switch order.signed.side {
                case .buy: self.accounts[account.index].isShortOfMoney(contract)
                case .sell: self.accounts[account.index].isShortOfShares(order.place, contract)
                }
            if isShort { self.close(open.slot, .canceledNotEnoughBalance) }
        }
    }

    // MARK: Cancelling

    mutating func cancel(_ hashes: [OrderHash], of account: AccountID) throws(CommandRefusal) {
        try self.check(account)
        var receipt = CancelReceipt()
        for hash in hashes {
            if let reason = self.cancel(hash, of: account) {
                receipt.kept.append(CancelReceipt.Kept(hash: hash, reason: reason))
            } else {
                receipt.canceled.append(hash)
            }
        }
        self.emit(.canceled(receipt))
    }

    private mutating func cancel(_ hash: OrderHash, of account: AccountID) -> CancelRefusal? {
        guard let slot = self.slotsByHash[hash], self.orders[slot].signed.account == account else { return .notFound }
        switch self.orders[slot].status {
        case .live: self.close(slot, .canceled)
        case .delayed: return .delayed
        case .matched: return .matched
        case .canceled, .canceledExpired, .canceledMarketResolved, .canceledNotEnoughBalance, .killed, .invalid:
            return .alreadyCanceled
        }
        return nil
    }

    /// Cancels the account's orders that are wanted so, earliest first.
    mutating func cancel(of account: AccountID, where isWanted: (EngineOrder) -> Bool) throws(CommandRefusal) {
        try self.check(account)
        let hashes = self.accounts[account.index].openOrders.compactMap {
            let order = self.orders[$0.slot]
            return isWanted(order) ? order.signed.hash : nil
        }
        try self.cancel(hashes, of: account)
    }

    mutating func cancelMarket(
        of account: AccountID, _ condition: ConditionID?, _ token: TokenID?
    )
        throws(CommandRefusal)
    {
        var market: Int?
        if let condition { market = try self.market(condition) }
        let isNamed = condition != nil || token != nil
        try self.cancel(of: account) {
            isNamed && (market == nil || $0.market == market) && (token == nil || $0.signed.token == token)
        }
    }

    /// Ends every open order of a market, earliest first.
    mutating func closeAll(in market: Int, _ status: OrderStatus) {
        var slots = self.markets[market].delayed
        for side in [BookSide.bid, .ask] {
            for level in self.markets[market].book.levels(side) {
                var slot = level.head
                while slot >= 0 {
                    slots.append(slot)
                    slot = self.orders[slot].next
                }
            }
        }
        slots.sort { self.orders[$0].sequence < self.orders[$1].sequence }
        for slot in slots { self.close(slot, status) }
    }
}
