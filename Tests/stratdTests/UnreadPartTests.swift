import Shared
import Testing

@testable import stratd

/// A part of the account's in a trade that is told in a form that nobody here can read.
@Suite struct UnreadPartTests {
    private func trade(
        _ id: String, at second: Int64, _ settlement: Settlement = .matched, own: ApprovedOrder? = nil
    ) -> VenueTrade {
        let part = VenueTrade.Part(
            order: condition(99).description, token: token(1, 0), side: .sell, price: price("0.48"),
            size: shares("10"), money: usd("4.8"), liquidity: .taker)
        let own = own.map {
            VenueTrade.Part(
                order: $0.hash, token: $0.intent.token, side: .buy, price: $0.intent.price, size: shares("10"),
                money: usd("4.8"), liquidity: .maker, isOwn: true)
        }
        return VenueTrade(
            id: id, settlement: settlement, time: testStart + .seconds(second),
            parts: [part] + (own.map { [$0] } ?? []),
            hasUnreadPart: own == nil)
    }

    private func read(_ trades: [VenueTrade], at second: Int64, _ world: inout DeskWorld) {
        world.take(.trades(.success(trades), asOf: at(second * 1_000).time), second * 1_000)
    }

    @Test func itIsToldOnceAndNotAllTradesCountAsRead() throws {
        var world = DeskWorld()
        let order = try world.rest()
        world.tradesReadTo = []
        world.take(.tradeEvent(self.trade("t1", at: 100)), 100_000)
        for second in [160, 220] as [Int64] { self.read([self.trade("t1", at: 100)], at: second, &world) }
        #expect(world.notes == [.unreadPart(trade: "t1")])
        // Also when it is no longer among the trades that are read together.
        self.read([], at: 600, &world)
        #expect(world.tradesReadTo == Array(repeating: testStart + .seconds(100), count: 3))
        // Told again as it should be, it is booked, and all is read.
        world.clear()
        world.take(.tradeEvent(self.trade("t1", at: 100, own: order)), 610_000)
        #expect(world.told.contains { if case .filled(let fill) = $0.kind { fill.trade == "t1" } else { false } })
        self.read([], at: 660, &world)
        #expect(world.tradesReadTo.last == testStart + .seconds(660) + (.zero - OrderDesk.lossMax))
        #expect(world.notes == [.unreadPart(trade: "t1")])
    }

    @Test func whatFailedOnTheChainMovedNothing() throws {
        var world = DeskWorld()
        self.read([self.trade("t1", at: 100), self.trade("t2", at: 110, .failed)], at: 160, &world)
        #expect(world.notes == [.unreadPart(trade: "t1")] && world.desk.unread.keys.sorted() == ["t1"])
        self.read([self.trade("t1", at: 100, .failed)], at: 220, &world)
        #expect(world.desk.unread.isEmpty)
    }

    @Test func noMoreThanSoManyAreRemembered() throws {
        var world = DeskWorld()
        let count = OrderDesk.unreadCountMax + 10
        for _ in 0..<2 { self.read((0..<count).map { self.trade("t\($0)", at: 100) }, at: 160, &world) }
        #expect(world.notes.count == OrderDesk.unreadCountMax && world.desk.unread.count == OrderDesk.unreadCountMax)
    }
}
