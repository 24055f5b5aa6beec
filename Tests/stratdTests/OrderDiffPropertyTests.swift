import Shared
import Testing

@testable import stratd

/// Random books, orders and wishes: every step is safe, the end is what was wanted, and no way there is shorter.
@Suite struct OrderDiffPropertyTests {
    private struct Case {
        var view: MarketView
        var orders: [LedgerOrder]
        let wanted: [WantedOrder]
        let tolerance: OrderDiff.Tolerance
    }

    private static func ticks(_ ticks: Int64) -> Price { Price(micros: min(99, max(1, ticks)) * 10_000)! }

    private static func size(using random: inout SeededRandom) -> String { "\(Int.random(in: 8...14, using: &random))" }

    private static func draw(using random: inout SeededRandom, countMax: Int) -> Case {
        let middle = Int64.random(in: 5...95, using: &random)
        let spread = Int64.random(in: 1...3, using: &random)
        let isWhole = Int.random(in: 0..<10, using: &random) > 0
        let body = book(
            bids: [(Self.ticks(middle - spread).description, "100")],
            asks: isWhole ? [(Self.ticks(middle + spread).description, "100")] : [])
        let reach = Int64.random(in: 2...5, using: &random)
        func near() -> Price { Self.ticks(middle + Int64.random(in: -reach...reach, using: &random)) }
        var orders: [LedgerOrder] = []
        for number in 0..<Int.random(in: 0...countMax, using: &random) {
            var order = ledgerOrder(
                Int64(number) + 1,
                intent(
                    outcome: Int.random(in: 0...1, using: &random), Bool.random(using: &random) ? .buy : .sell,
                    near().description, Self.size(using: &random)))
            order.body.state = ([.live, .live, .live, .partlyFilled, .sent, .cancelling] as [OrderState])
                .randomElement(using: &random)!
            // The venue would have let two that meet trade.
            if !orders.contains(where: { Self.meet(order, $0) }) { orders.append(order) }
        }
        let wanted = (0..<Int.random(in: 0...countMax, using: &random)).map { _ in
            WantedOrder(
                outcome: Int.random(in: 0...1, using: &random), side: Bool.random(using: &random) ? .buy : .sell,
                price: near(), size: shares(Self.size(using: &random)))
        }
        return Case(
            view: views(market(), body)[condition(1)]!, orders: orders, wanted: wanted,
            tolerance: OrderDiff.Tolerance(
                priceTicks: Int64.random(in: 1...6, using: &random),
                sizePercent: [0, 25, 80].randomElement(using: &random)!, lifeMin: .seconds(30)))
    }

    private static func meet(_ a: LedgerOrder, _ b: LedgerOrder) -> Bool {
        let (bid, ask) = a.bookSide == .bid ? (a, b) : (b, a)
        return bid.bookSide == .bid && ask.bookSide == .ask && bid.bookPrice >= ask.bookPrice
    }

    // MARK: The rules once more, in other words

    private static func order(_ wish: WantedOrder, _ number: Int64) -> LedgerOrder {
        ledgerOrder(
            number, intent(outcome: wish.outcome, wish.side, wish.price.description, wish.size.description))
    }

    private static func mayStay(_ order: LedgerOrder, for wish: WantedOrder, _ drawn: Case) -> Bool {
        guard order.outcome == wish.outcome, order.body.side == wish.side else { return false }
        let isBid = (order.body.side == .buy) == (order.outcome == 0)
        // In terms of its own outcome: a purchase must not be dearer, a sale not cheaper.
        let ahead =
            order.body.side == .buy ? order.body.price > wish.price : order.body.price < wish.price
        if ahead {
            guard let bid = drawn.view.book.bestBid, let ask = drawn.view.book.bestAsk else { return false }
            let doubled = 2 * Int64((order.outcome == 0 ? order.body.price : order.body.price.mirrored).micros)
            let middle = Int64(bid.price.micros) + Int64(ask.price.micros)
            guard isBid ? doubled <= middle : doubled >= middle else { return false }
        }
        let ticks = abs(Int64(order.body.price.micros) - Int64(wish.price.micros)) / 10_000
        let difference = abs(order.remaining.micros - wish.size.micros)
        return ticks < drawn.tolerance.priceTicks && difference * 100 <= wish.size.micros * drawn.tolerance.sizePercent
    }

    /// The fewest cancels and places of all ways to let orders stay for wishes.
    private static func fewestSteps(_ drawn: Case, _ wishes: [WantedOrder]) -> Int {
        let orders = drawn.orders.filter { $0.body.state != .cancelling }
        var best = Int.max
        func go(_ index: Int, _ taken: Set<Int>, _ staying: [LedgerOrder]) {
            guard index < orders.count else {
                let missing = wishes.indices.filter { !taken.contains($0) }.map { Self.order(wishes[$0], 999) }
                guard !missing.contains(where: { wish in staying.contains { Self.meet(wish, $0) } }) else { return }
                best = min(best, orders.count - staying.count + missing.count)
                return
            }
            go(index + 1, taken, staying)
            for wish in wishes.indices
            where !taken.contains(wish) && Self.mayStay(orders[index], for: wishes[wish], drawn) {
                go(index + 1, taken.union([wish]), staying + [orders[index]])
            }
        }
        go(0, [], [])
        return best
    }

    /// Whether each order stands for a wish of its own, and each wish has its order.
    private static func isReached(_ drawn: Case, _ wishes: [WantedOrder]) -> Bool {
        guard drawn.orders.count == wishes.count else { return false }
        func go(_ index: Int, _ taken: Set<Int>) -> Bool {
            guard index < drawn.orders.count else { return true }
            return wishes.indices.contains {
                !taken.contains($0) && Self.mayStay(drawn.orders[index], for: wishes[$0], drawn)
                    && go(index + 1, taken.union([$0]))
            }
        }
        return go(0, [])
    }

    /// Carries the steps out, in an order that chance draws, until there are none.
    ///
    /// - Returns: what is wrong, and how many steps it took.
    private static func carryOut(
        _ drawn: inout Case, _ wishes: [WantedOrder], after milliseconds: Int64 = 60_000,
        using random: inout SeededRandom
    ) -> (problems: [String], count: Int) {
        var (problems, count, number): ([String], Int, Int64) = ([], 0, 100)
        for _ in 0..<20 {
            let steps = OrderDiff.steps(
                from: drawn.orders, to: drawn.wanted, drawn.view, drawn.tolerance, now: at(milliseconds).time)
            count += steps.cancel.count + steps.place.count
            for id in steps.cancel {
                guard let index = drawn.orders.firstIndex(where: { $0.id == id }) else {
                    problems.append("\(id) is cancelled and not there")
                    continue
                }
                drawn.orders[index].body.state = .cancelling
            }
            for wish in steps.place {
                number += 1
                var order = Self.order(wish, number)
                if let other = drawn.orders.first(where: { Self.meet(order, $0) }) {
                    problems.append("\(wish) meets \(other.id)")
                }
                order.body.state = .sent
                drawn.orders.append(order)
            }
            let isQuiet = steps == OrderDiff.Steps()
            if isQuiet && !drawn.orders.contains(where: { [.sent, .cancelling].contains($0.body.state) }) { break }
            // Some of what was asked for is done by the next look; all of it when nothing else happens.
            for index in drawn.orders.indices.reversed() where isQuiet || Bool.random(using: &random) {
                switch drawn.orders[index].body.state {
                case .cancelling: drawn.orders.remove(at: index)
                case .sent: drawn.orders[index].body.state = .live
                default: break
                }
            }
        }
        return (problems, count)
    }

    @Test(arguments: Array(1...24) as [UInt64])
    func everyWayIsSafeEndsAtTheWishesAndIsTheShortest(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for number in 0..<50 {
            var drawn = Self.draw(using: &random, countMax: 4)
            let wishes = OrderDiff.consistent(drawn.wanted)
            let fewest = Self.fewestSteps(drawn, wishes)
            let (problems, count) = Self.carryOut(&drawn, wishes, using: &random)
            #expect(problems.isEmpty, "seed \(seed), case \(number): \(problems)")
            #expect(Self.isReached(drawn, wishes), "seed \(seed), case \(number): \(drawn.orders) for \(wishes)")
            #expect(count == fewest, "seed \(seed), case \(number): \(count) steps where \(fewest) do")
        }
    }

    /// More than are searched: safe and right, if not always the shortest.
    @Test(arguments: Array(1...6) as [UInt64])
    func manyOrdersAreSafeToo(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for number in 0..<5 {
            var drawn = Self.draw(using: &random, countMax: 40)
            let wishes = OrderDiff.consistent(drawn.wanted)
            let (problems, _) = Self.carryOut(&drawn, wishes, using: &random)
            #expect(problems.isEmpty, "seed \(seed), case \(number): \(problems)")
            let steps = OrderDiff.steps(
                from: drawn.orders, to: drawn.wanted, drawn.view, drawn.tolerance, now: at(60_000).time)
            #expect(steps == OrderDiff.Steps() && drawn.orders.count == wishes.count, "seed \(seed), case \(number)")
        }
    }

    @Test(arguments: Array(1...6) as [UInt64])
    func youngOrdersAreSafeAndMakeWayInTheEnd(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for number in 0..<40 {
            var drawn = Self.draw(using: &random, countMax: 4)
            let wishes = OrderDiff.consistent(drawn.wanted)
            var asYoung = drawn
            let (problems, young) = Self.carryOut(&asYoung, wishes, after: 10_000, using: &random)
            #expect(problems.isEmpty, "seed \(seed), case \(number): \(problems)")
            #expect(young <= Self.fewestSteps(drawn, wishes), "seed \(seed), case \(number)")
            drawn = asYoung
            let (later, _) = Self.carryOut(&drawn, wishes, using: &random)
            #expect(later.isEmpty && Self.isReached(drawn, wishes), "seed \(seed), case \(number): \(later)")
        }
    }

    @Test func theSameInputGivesTheSameSteps() {
        for seed in 1...50 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let drawn = Self.draw(using: &random, countMax: 8)
            let steps = (0..<2).map { pass in
                OrderDiff.steps(
                    from: pass == 0 ? drawn.orders : drawn.orders.reversed(), to: drawn.wanted, drawn.view,
                    drawn.tolerance, now: at(60_000).time)
            }
            #expect(steps[0] == steps[1], "seed \(seed)")
        }
    }
}
