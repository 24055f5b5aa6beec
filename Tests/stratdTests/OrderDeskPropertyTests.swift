import DaemonKit
import Shared
import Testing

@testable import stratd

/// A desk at a venue that loses requests and answers, says things twice, late and in any order, and forgets nothing itself.
@Suite struct OrderDeskPropertyTests {
    /// The venue's own truth of one order.
    private struct Truth {
        let order: ApprovedOrder
        var filled = Quantity.zero
        var trades: [(id: String, size: Quantity, settlement: Settlement, time: Timestamp)] = []
        var isCancelled = false
        var arrivals = 0

        var isOpen: Bool { !self.isCancelled && self.filled < self.order.intent.size }
        var standing: VenueOrder.Standing {
            self.isCancelled ? .ended(reason: "canceled") : self.isOpen ? .open : .matched
        }
        var report: VenueOrder { VenueOrder(hash: self.order.hash, standing: self.standing, matched: self.filled) }
        func trade(_ index: Int) -> VenueTrade {
            let part = VenueTrade.Part(
                order: self.order.hash, token: self.order.intent.token, side: self.order.intent.side,
                price: self.order.intent.price, size: self.trades[index].size,
                money: self.trades[index].size.notional(at: self.order.intent.price), liquidity: .maker, isOwn: true)
            return VenueTrade(
                id: self.trades[index].id, settlement: self.trades[index].settlement, time: self.trades[index].time,
                parts: [part])
        }
    }

    /// What the engine has been told of one order.
    private struct Told {
        var filled: [String: Quantity] = [:]
        var settled: [String: Settlement] = [:]
        var isEnded = false
    }

    private struct World {
        var random: SeededRandom
        var desk = OrderDesk(open: [], finished: [], unsettled: [:], since: testStart, now: at(0))
        var truths: [String: Truth] = [:]
        var told: [OrderID: Told] = [:]
        var later: [(at: Int64, answer: OrderDesk.Answer)] = []
        var tradeCount = 0
        /// Orders that somebody else placed for the same account.
        var foreign: [String: OrderID] = [:]
        /// How often of a hundred something goes wrong.
        var trouble = 30

        mutating func isUnlucky() -> Bool { Int.random(in: 0..<100, using: &self.random) < self.trouble }

        mutating func answer(_ answer: OrderDesk.Answer, _ now: Int64) {
            self.later.append(
                (now + Int64.random(in: 1...(self.trouble > 0 ? 3_000 : 50), using: &self.random), answer))
        }

        mutating func tellTrade(_ hash: String, _ index: Int, _ now: Int64) {
            guard let truth = self.truths[hash], !self.isUnlucky() else { return }
            for _ in 0...(self.isUnlucky() ? 1 : 0) { self.answer(.tradeEvent(truth.trade(index)), now) }
        }

        var allTrades: [VenueTrade] {
            self.truths.keys.sorted().compactMap { self.truths[$0] }.flatMap { truth in
                truth.trades.indices.map { truth.trade($0) }
            }
        }

        mutating func perform(_ request: OrderDesk.Request, _ now: Int64) {
            // Lost on the way there, or on the way back.
            let isLost = self.isUnlucky()
            let isDone = !isLost || Bool.random(using: &self.random)
            let failure = ClobFailure.transport(RESTError(.connectionLost, isOutcomeUnknown: true))
            switch request {
            case .place(let orders):
                if isDone {
                    for order in orders { self.truths[order.hash, default: Truth(order: order)].arrivals += 1 }
                }
                let placements = orders.map { OrderDesk.Placement.taken(id: $0.hash, .live) }
                self.answer(.placed(orders, isLost ? .failure(failure) : .success(placements)), now)
            case .cancel(let hashes), .cancelAll(let hashes):
                var cancellation = ClobClient.Cancellation()
                for hash in hashes {
                    if self.truths[hash]?.isOpen == true {
                        guard isDone else { continue }
                        self.truths[hash]?.isCancelled = true
                        cancellation.cancelled.append(hash)
                    } else {
                        cancellation.notCancelled[hash] = "order can't be found - already canceled or matched"
                    }
                }
                self.answer(.cancelled(hashes, isLost ? .failure(failure) : .success(cancellation)), now)
            case .readOrder(let hash):
                self.answer(.order(hash, isLost ? .failure(failure) : .success(self.truths[hash]?.report)), now)
            case .readOpenOrders:
                let open = self.truths.values.filter(\.isOpen).map(\.report)
                self.answer(.openOrders(isLost ? .failure(failure) : .success(open)), now)
            case .readTrades(let since):
                // To the second before.
                let start = Timestamp(seconds: since.microseconds / 1_000_000 - 1)
                let trades = self.allTrades.filter { $0.time > start }
                self.answer(.trades(isLost ? .failure(failure) : .success(trades), asOf: at(now).time), now)
            case .readTrade(let id):
                self.answer(
                    .trade(id, isLost ? .failure(failure) : .success(self.allTrades.first { $0.id == id })), now)
            }
        }

        mutating func hear(_ event: VenueEvent, _ seed: UInt64) throws {
            var told = self.told[event.order] ?? Told()
            switch event.kind {
            case .filled(let fill), .filledLate(_, let fill):
                #expect(told.filled[fill.trade] == nil, "\(fill.trade) twice, SIMULATION_SEED=\(seed)")
                told.filled[fill.trade] = fill.size
                told.settled[fill.trade] = fill.settlement
            case .settled(let trade, let settlement):
                // One that had failed before it was heard of is told of as settled alone, which changes nothing.
                told.settled[trade] =
                    told.settled[trade] == .confirmed || told.settled[trade] == .failed
                    ? told.settled[trade] : settlement
            case .cancelled, .rejected, .withheld:
                #expect(!told.isEnded, "\(event.order) ended twice, SIMULATION_SEED=\(seed)")
                told.isEnded = true
            case .foreign(let hash, let fill):
                #expect(self.foreign[hash] != nil, "SIMULATION_SEED=\(seed)")
                #expect(told.filled[fill.trade] == nil, "\(fill.trade) twice, SIMULATION_SEED=\(seed)")
                told.filled[fill.trade] = fill.size
                told.settled[fill.trade] = fill.settlement
            case .foreignSettled(let trade, let settlement):
                told.settled[trade] =
                    told.settled[trade] == .confirmed || told.settled[trade] == .failed
                    ? told.settled[trade] : settlement
            case .accepted, .cancelRefused, .lost, .found, .tradesRead: break
            }
            self.told[event.order] = told
        }

        mutating func advance(_ now: Int64, _ seed: UInt64) throws {
            let due = self.later.filter { $0.at <= now }
            self.later.removeAll { $0.at <= now }
            for (_, answer) in due { self.desk.take(answer, now: at(now)) }
            for output in self.desk.advance(now: at(now)) {
                switch output {
                case .ask(let request): self.perform(request, now)
                case .tell(let event): try self.hear(event, seed)
                case .note: break
                }
            }
            #expect(self.desk.nextWake > at(now).instant, "it would wake for ever, SIMULATION_SEED=\(seed)")
        }

        /// Somebody else trades on the account.
        mutating func placeForeign() throws {
            let number = 1_000 + Int64(self.foreign.count)
            var ledger = OrderLedger(cash: usd("100000"))
            try ledger.apply(.intent(ledgerOrder(number - 1, intent())))
            let order = try approved(
                intent(.buy, "0.40", "10", kind: .gtd), ledger: ledger, view: views()[condition(1)])
            self.truths[order.hash] = Truth(order: order, arrivals: 1)
            self.foreign[order.hash] = order.id
        }

        /// Somebody takes from an open order, or a trade goes on towards the chain.
        mutating func trade(_ now: Int64) {
            let open = self.truths.values.filter(\.isOpen).map(\.order.hash).sorted()
            if let hash = open.randomElement(using: &self.random), var truth = self.truths[hash] {
                let left = truth.order.intent.size - truth.filled
                let size = Bool.random(using: &self.random) ? left : Quantity(micros: max(1, left.micros / 3))
                self.tradeCount += 1
                truth.filled += size
                // The venue tells whole seconds.
                truth.trades.append(
                    (
                        "t\(self.tradeCount)", size, .matched,
                        Timestamp(seconds: at(now).time.microseconds / 1_000_000)
                    ))
                self.truths[hash] = truth
                self.tellTrade(hash, truth.trades.count - 1, now)
            }
            let traded = self.truths.values.filter { !$0.trades.isEmpty }.map(\.order.hash).sorted()
            if let hash = traded.randomElement(using: &self.random), let truth = self.truths[hash] {
                self.settle(hash, Int.random(in: truth.trades.indices, using: &self.random), now)
            }
        }

        mutating func settle(_ hash: String, _ index: Int, _ now: Int64) {
            guard let settlement = self.truths[hash]?.trades[index].settlement else { return }
            let next: Settlement? =
                switch settlement {
                case .matched: Int.random(in: 0..<5, using: &self.random) == 0 ? .failed : .mined
                case .mined, .retrying: .confirmed
                case .confirmed, .failed: nil
                }
            guard let next else { return }
            self.truths[hash]?.trades[index].settlement = next
            self.tellTrade(hash, index, now)
        }
    }

    @Test(arguments: Array(UInt64(1)...20))
    func whateverIsLostTheDeskEndsWhereTheVenueIs(seed: UInt64) throws {
        let seed = seed &* 1_000 &+ 7
        var world = World(random: SeededRandom(seed: seed))
        var ledger = OrderLedger(cash: usd("100000"))
        var now: Int64 = 0
        var submitted: [ApprovedOrder] = []
        while now < 120_000 {
            now += 100
            if now % 1_000 == 0, world.desk.closedReason(now: at(now).instant) == nil, now < 60_000 {
                let order = try approved(
                    intent(.buy, "0.40", "10", kind: .gtd), ledger: ledger, view: views()[condition(1)])
                try ledger.apply(.intent(ledgerOrder(order.id.number, order.intent)))
                try ledger.apply(.state(order.id, .cancelled, reason: nil))
                submitted.append(order)
                world.desk.submit(order)
            }
            if now % 20_000 == 5_000 { try world.placeForeign() }
            if Int.random(in: 0..<8, using: &world.random) == 0 { world.trade(now) }
            if Int.random(in: 0..<20, using: &world.random) == 0,
                let order = submitted.randomElement(using: &world.random)
            {
                world.desk.cancel(order.id, now: at(now))
            }
            if now % 20_000 == 0 { world.desk.take(.channelOpened, now: at(now)) }
            try world.advance(now, seed)
        }
        // The troubles are over: whatever is open is cancelled, and everything settles.
        world.trouble = 0
        while now < 320_000 {
            now += 250
            for order in submitted { world.desk.cancel(order.id, now: at(now)) }
            for hash in world.truths.keys.sorted() {
                for index in world.truths[hash]!.trades.indices { world.settle(hash, index, now) }
            }
            try world.advance(now, seed)
        }
        #expect(submitted.count > 15, "SIMULATION_SEED=\(seed)")
        #expect(world.desk.entries.isEmpty, "\(world.desk.entries.values) SIMULATION_SEED=\(seed)")
        for order in submitted {
            let told = world.told[order.id] ?? Told()
            let truth = world.truths[order.hash]
            // Never sent twice, and each trade told once, with its end.
            #expect((truth?.arrivals ?? 0) <= 1, "\(order.id) SIMULATION_SEED=\(seed)")
            var expected: [String: Quantity] = [:]
            for trade in truth?.trades ?? [] where told.filled[trade.id] != nil || trade.settlement != .failed {
                expected[trade.id] = trade.size
                #expect(told.settled[trade.id] == trade.settlement, "\(order.id) \(trade) SIMULATION_SEED=\(seed)")
            }
            #expect(told.filled == expected, "\(order.id) SIMULATION_SEED=\(seed)")
            let isFilled = truth.map { $0.filled == $0.order.intent.size } ?? false
            #expect(told.isEnded || isFilled, "\(order.id) has no end, SIMULATION_SEED=\(seed)")
            #expect(truth?.isOpen != true, "\(order.id) still rests, SIMULATION_SEED=\(seed)")
        }
        // What was traded by others is told once, with its end; one that failed before it was heard of is not.
        let foreign = world.told[OrderID(number: 0)] ?? Told()
        var expected: [String: Quantity] = [:]
        for hash in world.foreign.keys {
            for trade in world.truths[hash]?.trades ?? []
            where foreign.filled[trade.id] != nil || trade.settlement != .failed {
                expected[trade.id] = trade.size
                #expect(foreign.settled[trade.id] == trade.settlement, "\(trade) SIMULATION_SEED=\(seed)")
            }
        }
        #expect(foreign.filled == expected, "SIMULATION_SEED=\(seed)")
        #expect(world.desk.unsettled.isEmpty, "SIMULATION_SEED=\(seed)")
    }
}
