import Shared

/// The fewest steps from the orders there are to the orders that are wanted.
///
/// An order stays when it lies fewer than `repriceTicks` from a wanted one, is not much larger or smaller, and is not on the
/// wrong side of the midpoint. Cancels go first; on the side of a cancel, or of an order whose fate is open, nothing is
/// placed before it is known to be gone, and nothing is placed that would trade with an own order.
enum OrderDiff {
    /// Part of the wanted size by which an order may differ and stay, in percent.
    static let resizePercent: Int64 = 25

    struct Steps: Hashable {
        var cancel: [OrderID] = []
        var place: [WantedOrder] = []
    }

    private struct Slot {
        let outcome: Int
        let side: TradeSide
    }
    private static let slots = [
        Slot(outcome: 0, side: .buy), Slot(outcome: 0, side: .sell), Slot(outcome: 1, side: .buy),
        Slot(outcome: 1, side: .sell),
    ]

    static func steps(
        from orders: [LedgerOrder], to wanted: [WantedOrder], _ view: MarketView, repriceTicks: Int64
    ) -> Steps {
        var steps = Steps()
        var staying: [LedgerOrder] = []
        let reprice = repriceTicks * view.market.tick.micros
        for slot in Self.slots {
            let targets = wanted.filter { $0.outcome == slot.outcome && $0.side == slot.side }
                .sorted { $0.price < $1.price }
            let present = orders.filter { $0.outcome == slot.outcome && $0.body.side == slot.side }
                .sorted { ($0.body.price, $0.id) < ($1.body.price, $1.id) }
            var missing = targets
            var isWaiting = false
            for order in present {
                let match = missing.firstIndex { Self.mayStay(order, for: $0, view, reprice: reprice) }
                if let match, order.body.state != .cancelling {
                    missing.remove(at: match)
                    staying.append(order)
                    continue
                }
                if order.body.state.isCancellable { steps.cancel.append(order.id) }
                isWaiting = true
            }
            if !isWaiting { steps.place += missing }
        }
        let leaving = orders.filter { order in !staying.contains { $0.id == order.id } }
        steps.place.removeAll { place in
            (staying + leaving).contains { order in
                order.bookSide != place.bookSide
                    && (place.bookSide == .bid
                        ? place.bookPrice >= order.bookPrice : place.bookPrice <= order.bookPrice)
            }
        }
        return steps
    }

    private static func mayStay(
        _ order: LedgerOrder, for wanted: WantedOrder, _ view: MarketView, reprice: Int64
    ) -> Bool {
        guard abs(Int64(order.body.price.micros) - Int64(wanted.price.micros)) < reprice else { return false }
        let difference = abs(order.remaining.micros - wanted.size.micros)
        guard difference <= wanted.size.micros / 100 * Self.resizePercent else { return false }
        guard let midpoint = view.book.midpoint else { return false }
        let price = Int64(order.bookPrice.micros)
        return order.bookSide == .bid ? price <= midpoint : price >= midpoint
    }
}
