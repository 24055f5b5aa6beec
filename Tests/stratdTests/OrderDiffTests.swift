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

    private func steps(
        _ orders: [LedgerOrder], _ wanted: [WantedOrder], beside others: [LedgerOrder] = [], repriceTicks: Int64 = 2,
        lifeMin: Duration = .zero, after milliseconds: Int64 = 60_000
    ) -> [String] {
        let steps = OrderDiff.steps(
            from: orders, to: wanted, beside: others, views()[condition(1)]!,
            OrderDiff.Tolerance(priceTicks: repriceTicks, lifeMin: lifeMin), now: at(milliseconds).time)
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

    @Test func nothingIsPlacedThatWouldTradeWithAnotherStrategysOrder() {
        let other = order(1, outcome: 1, .buy, "0.51")
        // The purchase of the second at 0.51 is an ask at 0.49.
        #expect(steps([], [want(0, .buy, "0.49")], beside: [other]) == [])
        #expect(steps([], [want(0, .buy, "0.48")], beside: [other]) == ["buy 0 at 0.48"])
    }

    @Test func wantedOrdersThatWouldTradeWithEachOtherAreNotBothPlaced() {
        #expect(steps([], [want(0, .buy, "0.49"), want(1, .buy, "0.51")]) == ["buy 0 at 0.49"])
        #expect(steps([], [want(1, .buy, "0.51"), want(0, .buy, "0.49")]) == ["buy 1 at 0.51"])
    }

    @Test func anOrderThatIsInTheWayOfAWantedOneGoesAlthoughItIsNear() {
        let bid = order(1, .buy, "0.49")
        // An ask at 0.49 is wanted: the bid must leave before it comes.
        #expect(steps([bid], [want(0, .buy, "0.48"), want(1, .buy, "0.51")]) == ["cancel o1"])
        // Where that ask is there already, a little higher, nothing need be done.
        let ask = order(2, outcome: 1, .buy, "0.50")
        #expect(steps([bid, ask], [want(0, .buy, "0.48"), want(1, .buy, "0.51")]) == [])
    }

    @Test func aYoungOrderStaysWhileItIsSafe() {
        func after(_ milliseconds: Int64, _ order: LedgerOrder, _ wanted: WantedOrder...) -> [String] {
            steps([order], wanted, lifeMin: .seconds(1), after: milliseconds)
        }
        let far = order(1, .buy, "0.40")
        #expect(after(999, far, want(0, .buy, "0.48")) == [])
        #expect(after(1_000, far, want(0, .buy, "0.48")) == ["cancel o1"])
        #expect(after(-999, far, want(0, .buy, "0.48")) == [])
        #expect(after(-1_000, far, want(0, .buy, "0.48")) == ["cancel o1"])
        // Nobody wants it any more; it is on the wrong side; it is larger than what is wanted.
        #expect(after(10, far, want(1, .buy, "0.47")) == ["cancel o1", "buy 1 at 0.47"])
        #expect(after(10, order(1, .buy, "0.51"), want(0, .buy, "0.50")) == ["cancel o1"])
        #expect(after(10, order(1, .buy, "0.40", "13"), want(0, .buy, "0.48")) == ["cancel o1"])
        // One that is near enough goes before it.
        #expect(
            steps(
                [far, order(2, .buy, "0.48")], [want(0, .buy, "0.48")], lifeMin: .seconds(1), after: 10) == [
                    "cancel o1"
                ])
    }

    @Test func theOlderOfTwoKeepsItsPlaceInTheQueue() {
        #expect(steps([order(2, .buy, "0.48"), order(1, .buy, "0.47")], [want(0, .buy, "0.48")]) == ["cancel o2"])
        // Both can stay, if the nearer of the two leaves its own to the other.
        #expect(
            steps(
                [order(1, .buy, "0.47"), order(2, .buy, "0.48")], [want(0, .buy, "0.46"), want(0, .buy, "0.47")]) == [])
    }

    @Test func whileOneLeavesNoMoreIsPlacedThanWasWantedInAll() {
        let wanted = [want(0, .buy, "0.48"), want(0, .buy, "0.45"), want(0, .buy, "0.42")]
        #expect(steps([order(1, .buy, "0.30")], wanted) == ["cancel o1", "buy 0 at 0.48", "buy 0 at 0.45"])
        #expect(steps([order(1, .buy, "0.45", "10", .cancelling)], wanted) == ["buy 0 at 0.48", "buy 0 at 0.45"])
    }
}
