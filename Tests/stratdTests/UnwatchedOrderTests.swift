import Shared
import Signing
import Testing

@testable import stratd

/// Orders of an earlier process that rest at the venue, where nobody can watch over them.
@Suite struct UnwatchedOrderTests {
    private static let form = OrderForm(owner: Address("0x" + String(repeating: "a1", count: 20))!, funder: nil, .eoa)

    /// An engine that has begun anew with an order of `strategy` that rests.
    private func restarted(_ strategy: String = "maker") throws -> (engine: StrategyEngine, order: OrderID) {
        var wanted = intent(.buy, "0.49", "10", kind: .gtd)
        wanted.strategy = strategy
        let order = ledgerOrder(1, wanted)
        var ledger = OrderLedger(cash: usd("1000"))
        try ledger.open(order)
        var engine = StrategyEngine(
            slots: [.init(name: "maker", maker: Maker(makerParameters))], limits: wideLimits, ledger: ledger,
            identity: .live(Self.form), now: at(0))
        #expect(!engine.recover(now: at(0)).contains(.cancel(order.id)))
        return (engine, order.id)
    }

    private func describe(_ engine: inout StrategyEngine, _ milliseconds: Int64) {
        for event in [FeedEvent.connected, .market(MarketBody(n: 1, market: market())), .book(book())] {
            _ = engine.handle(event, sentTime: at(milliseconds).time, now: at(milliseconds))
        }
    }

    private func cancels(_ actions: [EngineAction]) -> [OrderID] {
        actions.compactMap { if case .cancel(let order) = $0 { order } else { nil } }
    }

    @Test func whatIsFoundWithoutAFeedIsCancelledAtOnce() throws {
        var (engine, order) = try self.restarted()
        let found = VenueEvent(order: order, kind: .found, time: at(500).time)
        #expect(self.cancels(engine.handle(found, now: at(500))) == [order])
        #expect(self.cancels(engine.tick(isHaltFilePresent: false, now: at(1_000))) == [], "once is enough")
    }

    @Test func whatRestsInAMarketThatTheFeedDoesNotTellOfIsCancelled() throws {
        var (engine, order) = try self.restarted()
        _ = engine.handle(.connected, sentTime: at(500).time, now: at(500))
        #expect(self.cancels(engine.tick(isHaltFilePresent: false, now: at(1_000))) == [order])
    }

    @Test func whatAStrategyLeftThatIsGoneIsCancelled() throws {
        var (engine, order) = try self.restarted("former")
        self.describe(&engine, 500)
        #expect(self.cancels(engine.tick(isHaltFilePresent: false, now: at(1_000))) == [order])
    }

    @Test func whatIsFoundWithItsBookIsKept() throws {
        var (engine, order) = try self.restarted()
        self.describe(&engine, 500)
        let found = VenueEvent(order: order, kind: .found, time: at(600).time)
        #expect(self.cancels(engine.handle(found, now: at(600))) == [])
        #expect(self.cancels(engine.tick(isHaltFilePresent: false, now: at(1_000))) == [])
        #expect(engine.ledger.order(order)?.body.state == .live)
    }
}
