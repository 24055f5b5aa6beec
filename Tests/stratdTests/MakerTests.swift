import Shared
import Testing

@testable import stratd

@Suite struct MakerTests {
    private func answer(
        _ body: BookBody = book(), first: String = "0", second: String = "0", orderMax: String? = nil,
        _ change: (inout Maker.Parameters) -> Void = { _ in }
    ) -> [String] {
        var parameters = makerParameters
        change(&parameters)
        let input = StrategyInput(
            view: views(market(), body)[condition(1)]!, heldFirst: shares(first), heldSecond: shares(second),
            now: at(0),
            orderMax: orderMax.map { usd($0) })
        switch Maker(parameters).decide(input) {
        case .quote(let wanted): return wanted.map { "\($0.side.rawValue) \($0.outcome) \($0.size) at \($0.price)" }
        case .hold(let code, _): return [code]
        }
    }

    @Test func quotesStandWithinAWideSpread() {
        #expect(answer() == ["buy 0 10 at 0.49", "buy 1 10 at 0.49"])
        #expect(answer { $0.halfSpreadTicks = 2 } == ["buy 0 10 at 0.48", "buy 1 10 at 0.48"])
    }

    @Test func quotesJoinTheTouchOfANarrowSpread() {
        let narrow = book(bids: [("0.50", "100")], asks: [("0.51", "100")])
        #expect(answer(narrow) == ["buy 0 10 at 0.5", "buy 1 10 at 0.49"])
        #expect(answer(narrow) { $0.halfSpreadTicks = 5 } == ["buy 0 10 at 0.5", "buy 1 10 at 0.49"])
    }

    @Test func anOddMidpointIsRoundedAwayFromIt() {
        let odd = book(bids: [("0.47", "100")], asks: [("0.52", "100")])
        // Midpoint 0.495: bid at most 0.485, ask at least 0.505.
        #expect(answer(odd) == ["buy 0 10 at 0.48", "buy 1 10 at 0.49"])
    }

    @Test func whatIsHeldIsSoldBeforeTheOtherSideIsBought() {
        #expect(answer(first: "10") == ["buy 0 10 at 0.49", "sell 0 10 at 0.51"])
        #expect(answer(second: "10") == ["sell 1 10 at 0.51", "buy 1 10 at 0.49"])
        #expect(answer(first: "4.99") == ["buy 0 10 at 0.49", "buy 1 10 at 0.49"], "dust cannot be sold")
    }

    @Test func noRestTooSmallToSellIsLeft() {
        #expect(answer(first: "14").last == "sell 0 14 at 0.51")
        #expect(answer(first: "15").last == "sell 0 10 at 0.51")
    }

    @Test func theLargestPositionIsNotPassedAndQuotesLeanAgainstIt() {
        #expect(answer(first: "45") == ["sell 0 10 at 0.5"])
        #expect(answer(first: "50") == ["sell 0 10 at 0.49"])
        #expect(answer(second: "50") == ["sell 1 10 at 0.49"])
        #expect(answer { $0.positionMax = shares("9") } == ["no_room"])
    }

    @Test func theSizeMayComeFromMoney() {
        #expect(answer { $0.orderValue = usd("10") } == ["buy 0 20.4 at 0.49", "buy 1 20.4 at 0.49"])
        #expect(
            answer { $0.orderValue = usd("1") } == ["buy 0 5 at 0.49", "buy 1 5 at 0.49"], "at least the smallest order"
        )
    }

    @Test func aSaleIsSizedByItsOwnPrice() {
        let high = book(bids: [("0.90", "100")], asks: [("0.91", "100")])
        let answer = answer(high, first: "60") {
            $0.orderValue = usd("10")
            $0.positionMax = shares("200")
        }
        #expect(answer == ["buy 0 11.11 at 0.9", "sell 0 10.98 at 0.91"])
    }

    @Test func aSaleKeepsTheLimitOfAnOrder() {
        #expect(answer(first: "20").last == "sell 0 10 at 0.51")
        #expect(answer(first: "20", orderMax: "5.1").last == "sell 0 10 at 0.51")
        // 8 at 0.51 is 4.08, a hundredth of a share more passes 4.083.
        #expect(answer(first: "20", orderMax: "4.083").last == "sell 0 8 at 0.51")
        #expect(answer(first: "14", orderMax: "5.1").last == "sell 0 9 at 0.51", "5 must be left")
        #expect(answer(first: "12", orderMax: "5.1").last == "sell 0 7 at 0.51")
        #expect(answer(first: "14").last == "sell 0 14 at 0.51")
        // Neither part could be sold: the risk gate says so.
        #expect(answer(first: "9", orderMax: "4").last == "sell 0 9 at 0.51")
        #expect(answer(first: "20", orderMax: "2").last == "sell 0 10 at 0.51")
    }

    @Test func aBookWithOneSideIsNotQuoted() {
        #expect(answer(book(asks: [])) == ["one_sided_book"])
        #expect(answer(book(bids: [])) == ["one_sided_book"])
    }

    @Test func quotesNeverLeaveThePricesOfTheMarket() {
        let low = book(bids: [("0.01", "100")], asks: [("0.02", "100")])
        #expect(answer(low) == ["buy 0 10 at 0.01", "buy 1 10 at 0.98"])
        #expect(answer(low, first: "45") == ["sell 0 10 at 0.02"])
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func quotesNeverCrossTheBookOrEachOther(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let bid = Int64.random(in: 1...97, using: &random)
            let ask = Int64.random(in: bid + 1...99, using: &random)
            let body = book(bids: [(Decimal6.text(bid * 10_000), "10")], asks: [(Decimal6.text(ask * 10_000), "10")])
            var parameters = makerParameters
            parameters.halfSpreadTicks = Int64.random(in: 1...5, using: &random)
            let input = StrategyInput(
                view: views(market(), body)[condition(1)]!,
                heldFirst: Quantity(micros: Int64.random(in: 0...50_000_000, using: &random)),
                heldSecond: Quantity(micros: Int64.random(in: 0...50_000_000, using: &random)), now: at(0))
            guard case .quote(let wanted) = Maker(parameters).decide(input) else { continue }
            for order in wanted {
                let micros = Int64(order.bookPrice.micros)
                #expect(order.bookSide == .bid ? micros < ask * 10_000 : micros > bid * 10_000)
                #expect(micros % 10_000 == 0)
                if order.side == .sell { #expect(order.size <= input.held(order.outcome)) }
            }
            let bids = wanted.filter { $0.bookSide == .bid }.map(\.bookPrice)
            let asks = wanted.filter { $0.bookSide == .ask }.map(\.bookPrice)
            for own in bids { #expect(asks.allSatisfy { own < $0 }) }
        }
    }
}
