import Shared

/// Whom an order would meet and for how much, before anything is done.
///
/// Every match is at the resting order's price. Its pUSD is rounded down to a millionth for the resting order, and for
/// the taker too where they trade one token. A set costs, or brings, exactly one: there the taker's part is the rest of
/// that, so that no millionth is made or lost. No order ever pays more than it signed; what its rest no longer buys, some
/// millionths of a share, is dropped, and so is what is worth less than a millionth of a pUSD to one of the two.
struct MatchPlan: Sendable {
    struct Leg: Sendable {
        /// Place of the resting order.
        let slot: Int
        let kind: MatchKind
        let size: Quantity
        let makerMoney: Money
        let takerMoney: Money
        /// In terms of the taker's token.
        let price: Price
    }

    private(set) var legs: [Leg] = []
    private(set) var size = Quantity.zero
    /// What the taker pays or gets, without fees.
    private(set) var money = Money.zero
    /// What the taker still wants; zero when too little is left to match or rest.
    private(set) var remaining: Quantity

    /// - Parameter taker: Not in the book.
    init(for taker: EngineOrder, in book: EngineBook, _ orders: Slab<EngineOrder>) {
        self.remaining = taker.remaining
        let side = taker.bookSide
        for level in book.levels(side.opposite).reversed() {
            guard side == .bid ? level.price <= taker.bookPrice : level.price >= taker.bookPrice else { break }
            let price = taker.outcome == 0 ? level.price : level.price.mirrored
            var slot = level.head
            while slot >= 0 {
                guard self.add(slot, orders[slot], at: price, for: taker) else {
                    self.remaining = .zero
                    return
                }
                slot = orders[slot].next
            }
        }
        self.trim(taker)
    }

    /// Plans the meeting with one resting order.
    ///
    /// - Returns: `false` when the taker has nothing left to meet the next one with.
    private mutating func add(_ slot: Int, _ maker: EngineOrder, at price: Price, for taker: EngineOrder) -> Bool {
        let isBuy = taker.signed.side == .buy
        var size = taker.signed.isSizedInMoney ? maker.remaining : min(self.remaining, maker.remaining)
        if isBuy { size = (taker.budget - self.money).shares(at: price, most: size) }
        let makerMoney = size.notional(at: maker.limit)
        let kind: MatchKind = maker.outcome == taker.outcome ? .complementary : isBuy ? .mint : .merge
        let takerMoney = kind == .complementary ? makerMoney : Money(micros: size.micros - makerMoney.micros)
        guard makerMoney > .zero && takerMoney > .zero else { return false }
        self.legs.append(
            Leg(slot: slot, kind: kind, size: size, makerMoney: makerMoney, takerMoney: takerMoney, price: price))
        self.size += size
        self.money += takerMoney
        if !taker.signed.isSizedInMoney { self.remaining -= size }
        return size == maker.remaining
    }

    /// Leaves of the rest what its money still buys at its limit.
    private mutating func trim(_ taker: EngineOrder) {
        if taker.signed.side == .buy {
            let most = taker.signed.isSizedInMoney ? taker.signed.shares : self.remaining
            self.remaining = (taker.budget - self.money).shares(at: taker.limit, most: most)
        }
        if self.remaining.notional(at: taker.limit) == .zero { self.remaining = .zero }
    }

    /// Legs at one price, in groups small enough for one trade.
    var groups: [ArraySlice<Leg>] {
        var groups: [ArraySlice<Leg>] = []
        var start = 0
        for index in self.legs.indices {
            let isLast = index + 1 == self.legs.count || self.legs[index + 1].price != self.legs[index].price
            guard isLast || index + 1 - start == EngineTrade.legCountMax else { continue }
            groups.append(self.legs[start...index])
            start = index + 1
        }
        return groups
    }
}
