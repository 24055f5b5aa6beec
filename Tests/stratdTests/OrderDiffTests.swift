import Shared
import Testing

@testable import stratd

@Suite struct OrderDiffTests {
    private func order(
        _ number: Int64, outcome: Int = 0, _ side: TradeSide, _ p: String, _ size: String = "10", filled: String = "0",
        _ state: OrderState = .live
    ) -> LedgerOrder {
        var order = ledgerOrder(number, intent(outcome: outcome, side, p, size))
        order.body.state = state
        order.body.filled = shares(filled)
        return order
    }

    private func steps(_ orders: [LedgerOrder], _ wanted: [WantedOrder], repriceTicks: Int64 = 2) -> [String] {
        let steps = OrderDiff.steps(from: orders, to: wanted, views()[condition(1)]!, repriceTicks: repriceTicks)
        return steps.cancel.map { "cancel \($0)" }
            + steps.place.map { "\($0.side.rawValue) \($0.outcome) at \($0.price)" }
    }

    private func want(_ outcome: Int, _ side: TradeSide, _ p: String, _ size: String = "10") -> WantedOrder {
        WantedOrder(outcome: outcome, side: side, price: price(p), size: shares(size))
    }

    @Test func nothingThereMeansPlacing() {
        #expect(steps([], [want(0, .buy, "0.48"), want(1, .buy, "0.47")]) == ["buy 0 at 0.48", "buy 1 at 0.47"])
    }

    @Test func nothingWantedMeansCancelling() {
        #expect(steps([order(1, .buy, "0.48"), order(2, outcome: 1, .buy, "0.47")], []) == ["cancel o1", "cancel o2"])
    }

    @Test func anOrderNearEnoughStaysInItsQueue() {
        #expect(steps([order(1, .buy, "0.47")], [want(0, .buy, "0.48")]) == [])
        #expect(steps([order(1, .buy, "0.46")], [want(0, .buy, "0.48")]) == ["cancel o1"])
        #expect(steps([order(1, .buy, "0.47")], [want(0, .buy, "0.48")], repriceTicks: 1) == ["cancel o1"])
    }

    @Test func anOrderOnTheWrongSideOfTheMidpointGoes() {
        #expect(steps([order(1, .buy, "0.51")], [want(0, .buy, "0.50")]) == ["cancel o1"])
    }

    @Test func anOrderOfMuchOtherSizeGoes() {
        #expect(steps([order(1, .buy, "0.48", "10", filled: "2.5")], [want(0, .buy, "0.48")]) == [])
        #expect(steps([order(1, .buy, "0.48", "10", filled: "2.6")], [want(0, .buy, "0.48")]) == ["cancel o1"])
    }

    @Test(arguments: [OrderState.cancelling, .unknown, .sent, .intended, .delayed])
    func nothingIsPlacedBesideAnOrderWhoseFateIsOpen(state: OrderState) {
        #expect(steps([order(1, .buy, "0.40", "10", state)], [want(0, .buy, "0.48")]) == [])
    }

    @Test func anOrderOnItsWayThatIsWantedIsWaitedFor() {
        #expect(steps([order(1, .buy, "0.48", "10", .sent)], [want(0, .buy, "0.48")]) == [])
    }

    @Test func nothingIsPlacedThatWouldTradeWithAnOwnOrder() {
        // The sale of the second at 0.50 is a bid for the first at 0.50; an ask at 0.50 would meet it.
        let own = order(1, outcome: 1, .sell, "0.50", "10", .cancelling)
        #expect(steps([own], [want(0, .sell, "0.50")]) == [])
        #expect(steps([own], [want(0, .sell, "0.51")]) == ["sell 0 at 0.51"])
    }
}
