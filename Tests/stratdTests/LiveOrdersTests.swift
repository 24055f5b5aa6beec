import DaemonKit
import Shared
import Signing
import Testing

@testable import stratd

/// An engine and the desk of its real venue, joined as the shell joins them; the venue itself is the test.
final class LiveWorld {
    static let form = OrderForm(owner: Address("0x" + String(repeating: "a1", count: 20))!, funder: nil, .eoa)

    var engine: StrategyEngine
    private(set) var asked: [OrderDesk.Request] = []
    private(set) var notes: [EngineNote] = []
    private(set) var decisions: [DecisionBody] = []
    private(set) lazy var orders = LiveOrders(ask: { [unowned self] in self.asked.append($0) }, tell: { _ in })

    /// Markets from 1 on, with their books, and a venue that has told of everything.
    init(marketCount: Int64 = 2) {
        self.engine = StrategyEngine(
            slots: [.init(name: "maker", maker: Maker(makerParameters))], limits: wideLimits,
            ledger: OrderLedger(cash: usd("1000")), identity: .live(Self.form), now: at(0))
        self.orders.isHearing = { true }
        self.orders.lastBeat = at(0).instant
        self.orders.balanceReadAt = at(0).instant
        self.orders.open(OrderDesk(open: [], finished: [], unsettled: [:], since: testStart, now: at(0)))
        self.advance(0)
        self.answer(.openOrders(.success([])), 0)
        self.answer(.trades(.success([]), asOf: testStart), 0)
        self.take(.feed(.connected, sentTime: testStart), 0)
        for n in 1...marketCount {
            self.take(.feed(.market(MarketBody(n: n, market: market(n))), sentTime: testStart), 0)
            self.take(.feed(.book(book(n)), sentTime: testStart), 0)
        }
    }

    func take(_ input: EngineInput, _ milliseconds: Int64) {
        for action in self.engine.apply(input, now: at(milliseconds)) {
            switch action {
            case .submit(let order): self.orders.submit(order, now: at(milliseconds))
            case .cancel(let order): self.orders.cancel(order, now: at(milliseconds))
            case .note(let note): self.notes.append(note)
            case .publish(.decision(let body)): self.decisions.append(body)
            case .record, .publish, .answer: break
            }
        }
    }
    func advance(_ milliseconds: Int64) {
        let closed = self.orders.closedReason(now: at(milliseconds))
        if closed != self.engine.venueClosedReason { self.take(.venueClosed(closed), milliseconds) }
        for event in self.orders.advance(self.engine.views, now: at(milliseconds)) {
            self.take(.venue(event), milliseconds)
        }
    }
    func answer(_ answer: OrderDesk.Answer, _ milliseconds: Int64) {
        self.orders.take(answer, now: at(milliseconds))
        self.advance(milliseconds)
    }

    /// What was asked for since the last call.
    func takeAsked() -> [OrderDesk.Request] {
        defer { self.asked = [] }
        return self.asked
    }

    /// Sends what was submitted, and lets the venue take it.
    func rest(_ milliseconds: Int64) -> [ApprovedOrder] {
        self.advance(milliseconds)
        let sent = placed(self.takeAsked())
        self.answer(.placed(sent, .success(sent.map { .taken(id: $0.hash, .live) })), milliseconds)
        return sent
    }
}

private func placed(_ asked: [OrderDesk.Request]) -> [ApprovedOrder] {
    asked.flatMap { request -> [ApprovedOrder] in
        if case .place(let orders) = request { orders } else { [] }
    }
}

/// All of an order is filled, at a price of the venue's choice.
private func filled(_ order: ApprovedOrder, _ id: String, at price: Price, _ milliseconds: Int64) -> VenueTrade {
    let part = VenueTrade.Part(
        order: order.hash, token: order.intent.token, side: order.intent.side, price: price, size: order.intent.size,
        money: order.intent.size.notional(at: price), liquidity: .maker, isOwn: true)
    return VenueTrade(id: id, settlement: .confirmed, time: at(milliseconds).time, parts: [part])
}

@Suite struct LiveOrdersTests {
    /// Both fills come with one answer: the first is quoted around before anybody has heard of the second.
    @Test func whatAHaltFindsUnsentNeverLeaves() throws {
        let world = LiveWorld()
        let resting = world.rest(10)
        #expect(resting.count == 4)
        let first = try #require(resting.first { $0.intent.market == condition(1) })
        let second = try #require(resting.first { $0.intent.market == condition(2) })
        let trades = [
            filled(first, "t1", at: first.intent.price, 500),
            filled(second, "t2", at: price("0.60"), 500),
        ]
        world.answer(.trades(.success(trades), asOf: at(500).time), 500)
        #expect(world.engine.ledger.halts == ["price"])
        let quotes = world.engine.ledger.openOrders.filter { $0.body.state == .sent }
        #expect(!quotes.isEmpty, "the first fill is quoted around")
        world.advance(500)
        world.advance(600)
        #expect(placed(world.takeAsked()) == [])
        // None of them was ever at the venue, and nothing waits for its answer.
        for quote in quotes { #expect(world.engine.ledger.order(quote.id)?.body.state == .rejected) }
        #expect(world.engine.ledger.openOrders.allSatisfy { $0.body.state == .cancelling })
    }

    @Test func whatAnOperatorHaltsBeforeItWasSentNeverLeaves() {
        let world = LiveWorld()
        world.take(.command(.halt(reason: "operator")), 10)
        world.advance(10)
        #expect(placed(world.takeAsked()) == [] && world.engine.ledger.open.isEmpty)
        // The venue has no part in that.
        #expect(world.notes.count { if case .orderWithheld = $0 { true } else { false } } == 4)
        #expect(!world.notes.contains { if case .orderRejected = $0 { true } else { false } })
    }

    @Test func whatIsOnItsWayWhenTradingHaltsIsCancelledWhenItArrives() {
        let world = LiveWorld()
        world.advance(10)
        let sent = placed(world.takeAsked())
        world.take(.command(.halt(reason: "operator")), 20)
        world.advance(20)
        #expect(sent.count == 4 && world.takeAsked() == [], "the venue may not have them yet")
        world.answer(.placed(sent, .success(sent.map { .taken(id: $0.hash, .live) })), 100)
        world.advance(100)
        #expect(world.takeAsked() == [.cancel(sent.map(\.hash))])
        world.answer(.cancelled(sent.map(\.hash), .success(.init(cancelled: sent.map(\.hash)))), 200)
        #expect(world.engine.ledger.open.isEmpty && world.engine.ledger.halts == ["operator"])
    }

    @Test func whileNobodyCanReadTheBalanceNothingLeaves() {
        let world = LiveWorld()
        func reason(_ seconds: Int64) -> String? {
            world.orders.lastBeat = at(seconds * 1_000).instant
            for request in world.takeAsked() + [.readOpenOrders, .readTrades(since: testStart)] {
                switch request {
                case .readOpenOrders: world.answer(.openOrders(.success([])), seconds * 1_000)
                case .readTrades:
                    world.answer(.trades(.success([]), asOf: at(seconds * 1_000).time), seconds * 1_000)
                default: break
                }
            }
            return world.orders.closedReason(now: at(seconds * 1_000))?.detail
        }
        // Everything else is read as ever.
        for second in stride(from: Int64(20), through: 180, by: 20) { #expect(reason(second) == nil, "\(second)") }
        #expect(reason(200) == "the account's balance could not be read for 180 s")
        world.orders.balanceReadAt = at(200_000).instant
        #expect(reason(220) == nil)
    }
}
