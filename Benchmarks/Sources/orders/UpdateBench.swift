import DaemonKit
import Shared

/// Updates of books that lie in memory, through the books and a maker that quotes on paper. The venue takes every order and every
/// cancel at once, and nobody trades.
struct UpdateBench {
    /// As many as a busy venue's, each market in turn at random.
    private static let updatesPerSecond: Int64 = 20_000
    private static let second = Duration.seconds(1)

    private let start = Moment(instant: .now(), time: Timestamp(seconds: 1_790_035_200))
    private let markets: [Market]
    private let events: [FeedEvent]

    init(marketCount: Int, updateCount: Int, seed: UInt64) {
        let start = self.start
        self.markets = (0..<marketCount).map { Self.market(UInt64($0), from: start.time) }
        var random = SeededRandom(seed: seed)
        var updates = [Int64](repeating: 1, count: marketCount)
        self.events = (0..<updateCount).map { index in
            let n = Int.random(in: 0..<marketCount, using: &random)
            updates[n] += 1
            let isBid = Bool.random(using: &random)
            let distance = Int64.random(in: 0..<20, using: &random)
            let isGone = Int.random(in: 0..<10, using: &random) == 0
            let size = isGone ? 0 : Int64.random(in: 1...200, using: &random)
            let time = start.time + .microseconds(Int64(index) * 1_000_000 / Self.updatesPerSecond)
            return .delta(
                DeltaBody(
                    n: Int64(n), epoch: 1, update: updates[n], isSettled: true,
                    levels: [
                        LevelChange(
                            side: isBid ? .bid : .ask,
                            price: Price(micros: isBid ? 490_000 - distance * 10_000 : 510_000 + distance * 10_000)!,
                            size: Quantity(shares: size))
                    ], venueTime: time, receivedTime: time))
        }
    }

    /// - Returns: nanoseconds, orders placed, looks taken.
    func run() -> (time: Int64, orders: Int64, looks: Int64) {
        var engine = self.engine()
        let begin = Orders.nanoseconds()
        var nextTick = self.start.instant + Self.second
        for (index, event) in self.events.enumerated() {
            let now = self.start.after(.microseconds(Int64(index) * 1_000_000 / Self.updatesPerSecond))
            if engine.isWakeDue(now: now) { self.answer(engine.wake(now: now), &engine, now: now) }
            if now.instant >= nextTick {
                nextTick = nextTick + Self.second
                self.answer(engine.tick(isHaltFilePresent: false, now: now), &engine, now: now)
            }
            self.answer(engine.handle(event, sentTime: now.time, now: now), &engine, now: now)
        }
        return (Orders.nanoseconds() - begin, engine.orderCount, engine.lookCount)
    }

    private func answer(_ actions: [EngineAction], _ engine: inout StrategyEngine, now: Moment) {
        for action in actions {
            switch action {
            case .submit(let order):
                let event = VenueEvent(order: order.id, kind: .accepted(isDelayed: false), time: now.time)
                self.answer(engine.handle(event, now: now), &engine, now: now)
            case .cancel(let id):
                let event = VenueEvent(order: id, kind: .cancelled(reason: "asked"), time: now.time)
                self.answer(engine.handle(event, now: now), &engine, now: now)
            case .record, .publish, .note, .answer: break
            }
        }
    }

    private func engine() -> StrategyEngine {
        let money = Money(micros: 1_000_000_000_000)
        let limits = RiskLimits(
            orderMax: money, marketMax: money, eventMax: money, totalMax: money, positionsMax: 10_000,
            openOrdersMax: 10_000, ordersPerSecondMax: 10_000, dailyLossMax: money, drawdownMax: money,
            priceBand: 200_000,
            bookAgeMax: .seconds(5), timeLeftMin: .seconds(60), unknownOrdersMax: 8)
        let maker = Maker(
            Maker.Parameters(
                orderSize: Quantity(shares: 10), halfSpreadTicks: 1, positionMax: Quantity(shares: 50), repriceTicks: 1,
                requoteInterval: Configuration().strategies.maker.requoteInterval))
        var engine = StrategyEngine(
            slots: [.init(name: "maker", maker: maker)], limits: limits, ledger: OrderLedger(cash: money),
            now: self.start)
        _ = engine.handle(.connected, sentTime: self.start.time, now: self.start)
        for (n, market) in self.markets.enumerated() {
            let levels = (0..<20).map { Int64($0) * 10_000 }
            let book = BookBody(
                n: Int64(n), market: market.condition, epoch: 1, update: 1, isTrusted: true, isSettled: true,
                source: .webSocket, tick: .cent,
                bids: levels.map { Level(price: Price(micros: 490_000 - $0)!, size: Quantity(shares: 100)) },
                asks: levels.map { Level(price: Price(micros: 510_000 + $0)!, size: Quantity(shares: 100)) }, hash: nil,
                conflated: nil, venueTime: self.start.time, receivedTime: self.start.time)
            for event in [FeedEvent.market(MarketBody(n: Int64(n), market: market)), .book(book)] {
                self.answer(
                    engine.handle(event, sentTime: self.start.time, now: self.start), &engine, now: self.start)
            }
        }
        return engine
    }

    private static func market(_ number: UInt64, from time: Timestamp) -> Market {
        Market(
            condition: ConditionID(words: (number, 2, 3, 4)), slug: "market-\(number)", question: "Up or down?",
            first: Outcome(label: "Up", token: TokenID(words: (number, 6, 7, 8))),
            second: Outcome(label: "Down", token: TokenID(words: (number, 10, 11, 12))), tick: .cent,
            sizeMin: Quantity(shares: 5), isNegRisk: false, event: "event-\(number)", startTime: nil,
            endTime: time + .seconds(864_000), feeRate: 70_000, feeExponent: 1, hasTakerDelay: true, rewards: nil,
            settlement: .other, asset: nil)
    }
}
