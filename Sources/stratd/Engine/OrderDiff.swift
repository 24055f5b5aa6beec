import Shared

/// The fewest steps from the orders there are to the orders that are wanted.
///
/// An order stays, and keeps its place in the queue, for a wanted one of its outcome and side that is near enough, unless it is
/// more aggressive than that and on the wrong side of the midpoint, or would meet an order that is still to be placed. Of
/// two the older stays. A young order stays further away too.
///
/// Cancels go first. Nothing is placed that would trade with an own order, in either outcome, before that is known to be
/// gone; and on the side of an order that leaves, or whose fate is open, no more is placed than was wanted in all.
/// Source: strategy reference, 2.9.
enum OrderDiff {
    struct Tolerance: Hashable, Sendable {
        /// An order stays while its price is fewer ticks away than this.
        var priceTicks: Int64
        /// Part of the wanted size by which an order may differ and stay.
        var sizePercent: Int64 = 25
        /// For this long after it was accepted, or last filled, an order stays at any price and smaller than wanted.
        var lifeMin = Duration.zero
    }

    struct Steps: Hashable {
        var cancel: [OrderID] = []
        var place: [WantedOrder] = []
    }

    /// Up to so many wanted orders the fewest steps are searched for where orders would meet; with more they are safe, and may
    /// be a few more.
    static let searchedWishCountMax = 16

    /// - Parameter others: further own orders in the market, which stay.
    static func steps(
        from orders: [LedgerOrder], to wanted: [WantedOrder], beside others: [LedgerOrder] = [], _ view: MarketView,
        _ tolerance: Tolerance, now: Timestamp
    ) -> Steps {
        let wishes = Self.consistent(wanted)
        let candidates = orders.filter { $0.body.state != .cancelling }.sorted { $0.id < $1.id }
        let fits = candidates.map { order in
            wishes.map { Self.fit(of: order, for: $0, view, tolerance, now: now) }
        }
        let pairing = Self.pairing(candidates, wishes, fits)
        var steps = Steps()
        var leaving = orders.filter { $0.body.state == .cancelling }
        for (index, order) in candidates.enumerated() where pairing.partners[index] == nil {
            leaving.append(order)
            if order.body.state.isCancellable { steps.cancel.append(order.id) }
        }
        let missing = wishes.indices.filter { pairing.owners[$0] == nil }.map { wishes[$0] }
        steps.place = Self.placeable(missing, beside: leaving).filter { wish in
            !(orders + others).contains { Self.meet(wish.bookSide, wish.bookPrice, $0) }
        }
        return steps
    }

    /// The wanted orders that can stand beside each other, those named first before others. Two would trade when a bid, in terms of
    /// one outcome, is not below an ask.
    static func consistent(_ wanted: [WantedOrder]) -> [WantedOrder] {
        var wishes: [WantedOrder] = []
        for wish in wanted
        where !wishes.contains(where: { Self.meet(wish.bookSide, wish.bookPrice, $0.bookSide, $0.bookPrice) }) {
            wishes.append(wish)
        }
        return wishes
    }

    private static func meet(_ side: BookSide, _ price: Price, _ order: LedgerOrder) -> Bool {
        Self.meet(side, price, order.bookSide, order.bookPrice)
    }

    private static func meet(_ side: BookSide, _ price: Price, _ otherSide: BookSide, _ otherPrice: Price) -> Bool {
        side != otherSide && (side == .bid ? price >= otherPrice : price <= otherPrice)
    }

    // MARK: What stays

    private enum Fit { case none, close, young }

    private static func fit(
        of order: LedgerOrder, for wish: WantedOrder, _ view: MarketView, _ tolerance: Tolerance, now: Timestamp
    ) -> Fit {
        guard order.outcome == wish.outcome && order.body.side == wish.side else { return .none }
        // The market's terms may have changed since it was placed.
        guard view.market.tick.allows(order.body.price), order.body.size >= view.market.sizeMin else { return .none }
        let isBid = order.bookSide == .bid
        if isBid ? order.bookPrice > wish.bookPrice : order.bookPrice < wish.bookPrice {
            guard let midpoint = view.book.midpoint else { return .none }
            let price = Int64(order.bookPrice.micros)
            guard isBid ? price <= midpoint : price >= midpoint else { return .none }
        }
        let excess = order.remaining.micros - wish.size.micros
        let excessMax = wish.size.micros / 100 * tolerance.sizePercent
        guard excess <= excessMax else { return .none }
        let distance = Self.distance(order, wish)
        let isNear = distance == 0 || distance < tolerance.priceTicks * view.market.tick.micros
        if isNear && -excess <= excessMax { return .close }
        // A clock that was set back makes nothing young for long.
        let age = now - order.body.time
        return age < tolerance.lifeMin && age > .zero - tolerance.lifeMin ? .young : .none
    }

    private static func distance(_ order: LedgerOrder, _ wish: WantedOrder) -> Int64 {
        abs(Int64(order.body.price.micros) - Int64(wish.price.micros))
    }

    /// The most orders that can stay: pairs of candidates and wishes.
    private static func pairing(_ orders: [LedgerOrder], _ wishes: [WantedOrder], _ fits: [[Fit]]) -> Pairing {
        func choices(_ isAllowed: (LedgerOrder) -> Bool, _ accepts: (Fit) -> Bool) -> [[Int]] {
            orders.indices.map { index in
                guard isAllowed(orders[index]) else { return [] }
                return wishes.indices.filter { accepts(fits[index][$0]) }
                    .sorted {
                        (Self.distance(orders[index], wishes[$0]), $0) < (Self.distance(orders[index], wishes[$1]), $1)
                    }
            }
        }
        var pairing = Pairing(choices({ _ in true }) { $0 == .close }, rightCount: wishes.count)
        pairing.joinAll()
        pairing.widen(to: choices({ _ in true }) { $0 != .none })
        pairing.joinAll()
        guard Self.isUnsafe(pairing, orders, wishes) else { return pairing }

        // Where the best ask to be placed is `ask`, bids that stay are below it, and all better asks are there already;
        // likewise for bids.
        var best: Pairing?
        for (bid, ask) in Self.limits(wishes) {
            var pairing = Pairing(
                choices({ order in
                    order.bookSide == .bid
                        ? ask.map { order.bookPrice < $0 } ?? true : bid.map { order.bookPrice > $0 } ?? true
                }) { $0 != .none }, rightCount: wishes.count)
            let needed = wishes.indices.filter { index in
                let price = wishes[index].bookPrice
                return wishes[index].bookSide == .bid ? bid.map { price > $0 } ?? true : ask.map { price < $0 } ?? true
            }
            guard needed.allSatisfy({ pairing.join(right: $0) }) else { continue }
            pairing.joinAll()
            if pairing.count > best?.count ?? -1 { best = pairing }
        }
        guard let best else { preconditionFailure("with the best wishes as limits nothing is needed") }
        return best
    }

    /// Whether an order that stays would trade with one that is still to be placed.
    private static func isUnsafe(_ pairing: Pairing, _ orders: [LedgerOrder], _ wishes: [WantedOrder]) -> Bool {
        let missing = wishes.indices.filter { pairing.owners[$0] == nil }
        return orders.indices.contains { index in
            pairing.partners[index] != nil
                && missing.contains { Self.meet(wishes[$0].bookSide, wishes[$0].bookPrice, orders[index]) }
        }
    }

    /// Which bid and which ask may be the best that are still to be placed; `nil` for none. The last pair is always possible.
    private static func limits(_ wishes: [WantedOrder]) -> [(bid: Price?, ask: Price?)] {
        func prices(_ side: BookSide) -> [Price] {
            Set(wishes.filter { $0.bookSide == side }.map(\.bookPrice)).sorted { side == .bid ? $0 < $1 : $0 > $1 }
        }
        let (bids, asks) = (prices(.bid), prices(.ask))
        guard wishes.count <= Self.searchedWishCountMax else { return [(bids.last, asks.last)] }
        return ([nil] + bids).flatMap { bid in ([nil] + asks).map { (bid, $0) } }
    }

    // MARK: What is placed

    private struct Slot: Hashable {
        let outcome: Int
        let side: TradeSide
    }
    private static let slots = [
        Slot(outcome: 0, side: .buy), Slot(outcome: 0, side: .sell), Slot(outcome: 1, side: .buy),
        Slot(outcome: 1, side: .sell),
    ]

    /// What may be placed, the most aggressive first, while the shares of what leaves still count.
    private static func placeable(_ missing: [WantedOrder], beside leaving: [LedgerOrder]) -> [WantedOrder] {
        Self.slots.flatMap { slot in
            let wishes = missing.filter { $0.outcome == slot.outcome && $0.side == slot.side }
                .sorted { slot.side == .buy ? $0.price > $1.price : $0.price < $1.price }
            var room = wishes.reduce(Quantity.zero) { $0 + $1.size }
            for order in leaving where order.outcome == slot.outcome && order.body.side == slot.side {
                room -= order.remaining
            }
            return wishes.filter { wish in
                guard wish.size <= room else { return false }
                room -= wish.size
                return true
            }
        }
    }
}
