import Shared

@testable import simvenue

/// Looks from outside whether an engine still has all that was put into it, and its books are sound.
enum EngineAudit {
    /// - Returns: What is wrong, if anything.
    static func problem(in engine: MatchingEngine) -> String? {
        Self.moneyProblem(engine) ?? Self.sharesProblem(engine) ?? Self.reservationProblem(engine)
            ?? engine.markets.indices.lazy.compactMap { Self.bookProblem(engine, market: $0) }.first
    }

    private static func unsettled(_ engine: MatchingEngine) -> [EngineTrade] {
        engine.slotsByTrade.values.map { engine.trades[$0] }.filter { !$0.isSettled }
    }

    private static func moneyProblem(_ engine: MatchingEngine) -> String? {
        var sum = engine.fees
        for account in engine.accounts {
            guard account.money >= .zero else { return "an account has \(account.money)" }
            sum += account.money
        }
        for market in engine.markets { sum += market.collateral }
        for trade in Self.unsettled(engine) { sum += trade.heldMoney }
        return sum == engine.deposited ? nil : "\(sum) pUSD are left of \(engine.deposited)"
    }

    private static func sharesProblem(_ engine: MatchingEngine) -> String? {
        let unsettled = Self.unsettled(engine)
        for index in engine.markets.indices {
            let market = engine.markets[index]
            let sums = (0..<2).map { outcome in
                let place = OutcomePlace(market: index, outcome: outcome)
                return engine.accounts.reduce(Quantity.zero) { $0 + $1.holding(place).balance }
                    + unsettled.reduce(Quantity.zero) { $0 + $1.heldShares(place) }
            }
            if let resolution = market.resolution {
                let owed = (0..<2).reduce(Money.zero) { $0 + resolution.payout(sums[$1], outcome: $1) }
                if market.collateral < owed { return "\(owed) is owed of \(market.collateral)" }
            } else if sums[0] != sums[1] || sums[0].micros != market.collateral.micros {
                return "\(sums[0]) and \(sums[1]) shares stand on \(market.collateral)"
            }
        }
        return nil
    }

    private static func reservationProblem(_ engine: MatchingEngine) -> String? {
        for (index, account) in engine.accounts.enumerated() {
            var money = Money.zero
            var shares: [OutcomePlace: Quantity] = [:]
            for open in account.openOrders {
                let order = engine.orders[open.slot]
                guard order.status.isOpen, order.signed.account.index == index else { return "a closed order is open" }
                switch order.signed.side {
                case .buy:
                    money += Money(micros: order.reserved)
                    if order.reserved > order.budget.micros { return "an order may spend more than it signed" }
                case .sell: shares[order.place, default: .zero] += Quantity(micros: order.reserved)
                }
                if order.matched > order.signed.shares && !order.signed.isSizedInMoney {
                    return "an order is overfilled"
                }
            }
            guard money == account.reserved, money <= account.money else {
                return "\(account.reserved) reserved of \(account.money), orders ask for \(money)"
            }
            for (place, size) in shares {
                let holding = account.holding(place)
                guard size == holding.reserved, size <= holding.balance else {
                    return "\(holding.reserved) shares reserved of \(holding.balance), orders ask for \(size)"
                }
            }
        }
        return nil
    }

    /// Levels that are empty, crossed, unordered, or not the sum of their queues.
    static func bookProblem(_ engine: MatchingEngine, market: Int) -> String? {
        let book = engine.markets[market].book
        if let bid = book.bids.last, let ask = book.asks.last, bid.price >= ask.price {
            return "\(bid.price) is bid and \(ask.price) asked"
        }
        for side in [BookSide.bid, .ask] {
            var last: Price?
            for level in book.levels(side) {
                var sum = Quantity.zero
                var slot = level.head
                var sequence = 0
                while slot >= 0 {
                    let order = engine.orders[slot]
                    guard order.status == .live, order.bookPrice == level.price, order.bookSide == side,
                        order.remaining > .zero
                    else { return "an order stands where it does not belong" }
                    // An order that was delayed joins its queue later than it came.
                    let isInOrder = order.sequence > sequence || engine.markets[market].terms.hasTakerDelay
                    guard isInOrder else { return "a queue is not in the order of arrival" }
                    sequence = order.sequence
                    sum += order.remaining
                    slot = order.next
                }
                guard sum == level.size, sum > .zero else { return "\(level.size) is shown where \(sum) stands" }
                if let last, side == .bid ? last >= level.price : last <= level.price { return "levels are unordered" }
                last = level.price
            }
        }
        return nil
    }
}
