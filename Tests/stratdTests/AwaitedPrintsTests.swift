import Shared
import Testing

@testable import stratd

/// Decreases of levels, and the prints that explain them.
@Suite struct AwaitedPrintsTests {
    private struct World {
        var awaited = AwaitedPrints(printLag: .milliseconds(150))
        var views = stratdTests.views()
        private var update: Int64 = 1

        init() { self.awaited.refreshed(self.views[condition(1)]!, now: at(0).instant) }

        mutating func change(_ levels: (BookSide, String, String)..., at milliseconds: Int64) {
            self.update += 1
            let body = delta(update: self.update, levels)
            _ = self.views.apply(.delta(body))
            self.awaited.levelsChanged(body.levels, self.views[condition(1)]!, now: at(milliseconds).instant)
        }

        /// "number size" of what the book told before.
        mutating func print(_ trade: TradeBody, at milliseconds: Int64) -> [String] {
            self.awaited.printed(trade, condition(1), now: at(milliseconds).instant).map { "\($0.number) \($0.size)" }
        }
    }

    @Test func aPrintIsTakenForTheEarliestDecreasesAtItsPriceAndSide() {
        var world = World()
        world.change((.bid, "0.48", "90"), (.bid, "0.47", "100"), at: 10)
        world.change((.bid, "0.48", "95"), (.ask, "0.52", "50"), at: 20)
        world.change((.bid, "0.48", "65"), at: 30)
        #expect(world.awaited.decreaseCount == 4)
        #expect(world.print(trade(.sell, "15", at: "0.48"), at: 40) == ["0 10", "3 5"])
        #expect(world.print(trade(.sell, "40", at: "0.48"), at: 40) == ["3 25"])
        #expect(world.print(trade(.buy, "60", at: "0.52"), at: 40) == ["2 50"])
        #expect(world.print(trade(outcome: 1, .buy, "7", at: "0.53"), at: 40) == ["1 7"])
        #expect(world.print(trade(.sell, "500", at: "0.47"), at: 160) == [], "it is too late for the rest")
    }

    @Test func aPrintThatCameFirstExplainsADecreaseOnce() {
        var world = World()
        #expect(world.print(trade(.sell, "30", at: "0.48"), at: 0) == [])
        world.change((.bid, "0.48", "60"), at: 10)
        #expect(world.print(trade(.sell, "30", at: "0.48"), at: 20) == ["0 10"])
    }

    @Test func asManyPartsAsMayWaitThenTheOldestWaitsNoMore() {
        var world = World()
        for _ in 0...AwaitedPrints.partCountMax {
            world.change((.bid, "0.48", "100"), at: 10)
            world.change((.bid, "0.48", "99"), at: 10)
        }
        let told = world.print(trade(.sell, "1000000", at: "0.48"), at: 20)
        #expect(told.count == AwaitedPrints.partCountMax && told.first == "1 1")
    }

    @Test func aMarketThatIsForgottenExplainsNothing() {
        var world = World()
        world.change((.bid, "0.48", "90"), at: 10)
        world.awaited.forgetOthers(than: world.views)
        #expect(world.print(trade(.sell, "4", at: "0.48"), at: 20) == ["0 4"])
        world.awaited.forgetOthers(than: MarketViews())
        #expect(world.print(trade(.sell, "6", at: "0.48"), at: 20) == [])
    }
}
