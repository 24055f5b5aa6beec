import DaemonKit
import Shared
import Testing

@testable import stratd

/// A desk, and what it asked and told so far.
struct DeskWorld {
    var desk: OrderDesk
    var asked: [OrderDesk.Request] = []
    /// What became of orders.
    var told: [VenueEvent] = []
    /// Up to when trades were told, by each good reading.
    var tradesReadTo: [Timestamp] = []
    var notes: [OrderDesk.Note] = []

    init(open: [LedgerOrder] = [], finished: [LedgerOrder] = [], isReconciled: Bool = true) {
        self.desk = OrderDesk(open: open, finished: finished, unsettled: [:], since: testStart, now: at(0))
        guard isReconciled else { return }
        self.advance(0)
        self.take(.openOrders(.success([])), 0)
        self.take(.trades(.success([]), asOf: testStart), 0)
        self.asked = []
        self.notes = []
    }

    mutating func advance(_ milliseconds: Int64) {
        for output in self.desk.advance(now: at(milliseconds)) {
            switch output {
            case .ask(let request): self.asked.append(request)
            case .tell(let event) where event.kind == .tradesRead: self.tradesReadTo.append(event.time)
            case .tell(let event): self.told.append(event)
            case .note(let note): self.notes.append(note)
            }
        }
    }
    mutating func take(_ answer: OrderDesk.Answer, _ milliseconds: Int64) {
        self.desk.take(answer, now: at(milliseconds))
        self.advance(milliseconds)
    }

    /// Sends one order and returns it.
    mutating func submit(
        _ wanted: OrderIntent = intent(), number: Int64 = 1, _ milliseconds: Int64 = 0
    ) throws
        -> ApprovedOrder
    {
        var ledger = OrderLedger(cash: usd("10000"))
        for earlier in 1..<max(1, number) {
            try ledger.apply(.intent(ledgerOrder(earlier, intent(.buy, "0.01", "5"))))
            try ledger.apply(.state(OrderID(number: earlier), .cancelled, reason: nil))
        }
        let order = try approved(wanted, ledger: ledger, view: views()[wanted.market])
        self.desk.submit(order)
        self.advance(milliseconds)
        return order
    }

    /// Sends one order that the venue takes at once.
    mutating func rest(
        _ wanted: OrderIntent = intent(), number: Int64 = 1, _ milliseconds: Int64 = 0
    ) throws
        -> ApprovedOrder
    {
        let order = try self.submit(wanted, number: number, milliseconds)
        self.take(.placed([order], .success([.taken(id: order.hash, .live)])), milliseconds)
        return order
    }

    var kinds: [VenueEvent.Kind] { self.told.map(\.kind) }
    var placeCount: Int { self.asked.count { if case .place = $0 { true } else { false } } }
    mutating func clear() {
        self.asked = []
        self.told = []
    }
}

let lost = ClobFailure.transport(RESTError(.connectionLost, isOutcomeUnknown: true))

/// A trade in which `order` made, at its price.
private func made(
    _ order: ApprovedOrder, _ id: String = "t1", _ size: String = "10", _ settlement: Settlement = .matched
) -> VenueTrade {
    let taker = VenueTrade.Part(
        order: condition(99).description, token: order.intent.token, side: .sell, price: order.intent.price,
        size: shares("100"), money: usd("48"), liquidity: .taker)
    let maker = VenueTrade.Part(
        order: order.hash, token: order.intent.token, side: order.intent.side, price: order.intent.price,
        size: shares(size), money: shares(size).notional(at: order.intent.price), liquidity: .maker)
    return VenueTrade(id: id, settlement: settlement, time: testStart, parts: [taker, maker])
}

private func fill(
    _ id: String = "t1", _ size: String = "10", _ p: String = "0.48", _ settlement: Settlement = .matched
) -> VenueEvent.Kind {
    .filled(
        VenueFill(
            trade: id, token: token(1, 0), side: .buy, price: price(p), size: shares(size), fee: .zero,
            money: shares(size).notional(at: price(p)),
            liquidity: .maker, settlement: settlement))
}

@Suite struct OrderDeskTests {
    @Test func anOrderRestsIsFilledAndSettles() throws {
        var world = DeskWorld()
        let order = try world.rest()
        #expect(world.asked == [.place([order])] && world.kinds == [.accepted(isDelayed: false)])
        world.clear()
        world.take(.tradeEvent(made(order, "t1", "4")), 100)
        // The same once more, by the other way, and further on.
        world.take(.trades(.success([made(order, "t1", "4", .mined)]), asOf: at(100).time), 200)
        world.take(.tradeEvent(made(order, "t2", "6")), 300)
        world.take(.tradeEvent(made(order, "t1", "4", .confirmed)), 400)
        world.take(.tradeEvent(made(order, "t2", "6", .failed)), 500)
        #expect(
            world.kinds == [
                fill("t1", "4"), .settled(trade: "t1", .mined), fill("t2", "6"), .settled(trade: "t1", .confirmed),
                .settled(trade: "t2", .failed),
            ])
        #expect(world.desk.entries.isEmpty && world.desk.unsettled.isEmpty)
    }

    @Test func withoutAnAnswerItIsLookedForAndNeverSentAgain() throws {
        var world = DeskWorld()
        let order = try world.submit()
        world.take(.placed([order], .failure(lost)), 100)
        guard case .lost = world.kinds.last else { return #expect(Bool(false), "\(world.kinds)") }
        world.clear()
        var time: Int64 = 100
        while world.kinds.isEmpty && time < 120_000 {
            time += 500
            world.advance(time)
            while !world.asked.isEmpty {
                switch world.asked.removeFirst() {
                case .readOrder(let hash): world.take(.order(hash, .success(nil)), time)
                case .readTrades: world.take(.trades(.success([]), asOf: at(time).time), time)
                case .readOpenOrders: world.take(.openOrders(.success([])), time)
                case .place, .cancel, .cancelAll, .readTrade: break
                }
            }
            #expect(world.placeCount == 0)
        }
        // Not before thirty seconds after its request had ended.
        #expect(world.kinds == [.rejected(reason: "it never came")] && time >= 30_100, "\(time)")
        #expect(world.notes.contains(.neverCame(order.id, hash: order.hash)))
    }

    @Test func whatWasThoughtLostIsFound() throws {
        var world = DeskWorld()
        let order = try world.submit()
        world.take(.placed([order], .failure(.trouble(500, "could not insert order"))), 100)
        world.take(.order(order.hash, .success(VenueOrder(hash: order.hash, standing: .open, matched: .zero))), 1_200)
        #expect(world.kinds.last == .found)
        // A duplicate is the same: the venue has it.
        let other = try world.submit(number: 2, 2_000)
        world.take(.placed([other], .success([.refused("order is invalid. Duplicated. Same order")])), 2_100)
        guard case .lost = world.kinds.last else { return #expect(Bool(false), "\(world.kinds)") }
        world.take(.orderEvent(VenueOrder(hash: other.hash, standing: .open, matched: .zero)), 2_200)
        #expect(world.kinds.last == .found)
    }

    /// A reading that fails has told nothing.
    @Test func howFarTradesWereReadIsToldAfterThem() throws {
        var world = DeskWorld(isReconciled: false)
        world.advance(0)
        world.take(.trades(.failure(lost), asOf: at(0).time), 100)
        #expect(world.tradesReadTo == [])
        world.take(.trades(.success([]), asOf: at(5_000).time), 5_100)
        #expect(world.tradesReadTo == [at(5_000).time + (.zero - OrderDesk.lossMax)])
    }

    @Test func aFillMayComeBeforeTheAnswer() throws {
        var world = DeskWorld()
        let order = try world.submit()
        world.take(.tradeEvent(made(order)), 50)
        #expect(world.kinds == [fill()])
        world.take(.placed([order], .success([.taken(id: order.hash, .matched)])), 100)
        #expect(world.kinds == [fill()] && world.desk.entries.isEmpty)
    }

    @Test func refusalsAreRefusalsAndCloseTheVenueForATime() throws {
        var world = DeskWorld()
        let first = try world.submit()
        world.take(.placed([first], .success([.refused("not enough balance / allowance")])), 100)
        #expect(world.kinds == [.rejected(reason: "not enough balance / allowance")])
        let second = try world.submit(number: 2, 200)
        world.take(.placed([second], .failure(.restarting)), 300)
        #expect(world.desk.closedReason(now: at(400).instant) == "\(ClobFailure.restarting)")
        world.clear()
        _ = try world.submit(number: 3, 400)
        #expect(world.placeCount == 0 && world.kinds == [.withheld(reason: "\(ClobFailure.restarting)")])
        #expect(world.desk.closedReason(now: at(2_400).instant) == nil)
        // So long as the venue asks for.
        let fourth = try world.submit(number: 4, 2_400)
        world.take(.placed([fourth], .failure(.tooMany(retryAfter: .seconds(7)))), 2_400)
        #expect(world.desk.closedReason(now: at(9_300).instant) != nil)
        #expect(world.desk.closedReason(now: at(9_400).instant) == nil)
    }

    @Test func anAnswerForOtherOrdersIsNone() throws {
        var world = DeskWorld()
        let order = try world.submit()
        world.take(.placed([order], .success([])), 100)
        guard case .lost = world.kinds.last else { return #expect(Bool(false), "\(world.kinds)") }
        let other = try world.submit(number: 2, 200)
        world.take(.placed([other], .success([.taken(id: condition(5).description, .live)])), 300)
        #expect(world.notes == [.misnamed(other.id, as: condition(5).description)])
        guard case .lost = world.kinds.last else { return #expect(Bool(false), "\(world.kinds)") }
    }

    @Test func cancelsGoInPortionsAndAreRepeatedUntilTheyAreObeyed() throws {
        var world = DeskWorld()
        var orders: [ApprovedOrder] = []
        for number in 1...130 {
            // Slowly, as orders have a rate too.
            orders.append(try world.rest(intent(.buy, "0.40", "5"), number: Int64(number), Int64(number) * 50))
        }
        world.clear()
        // One stays, so that not everything may be ended.
        orders.append(try world.rest(intent(.buy, "0.40", "5"), number: 131, 6_600))
        world.clear()
        for order in orders.dropLast() { world.desk.cancel(order.id, now: at(7_000)) }
        world.advance(7_000)
        var asked = world.asked.compactMap { if case .cancel(let hashes) = $0 { hashes } else { nil } }
        #expect(asked.map(\.count) == [60, 60])
        // The rest when the bucket has filled.
        let wake = world.desk.nextWake
        #expect(wake > at(7_000).instant && wake < at(7_300).instant)
        world.take(.cancelled(asked[0], .success(.init(cancelled: asked[0]))), 7_100)
        world.take(.cancelled(asked[1], .failure(lost)), 7_100)
        #expect(world.kinds.count { $0 == .cancelled(reason: "requested") } == 60)
        world.clear()
        world.advance(8_200)
        asked = world.asked.compactMap { if case .cancel(let hashes) = $0 { hashes } else { nil } }
        #expect(asked.map(\.count) == [60, 10], "both those whose answer was lost and the rest")
    }

    @Test func whereEverythingIsToEndOneRequestEndsIt() throws {
        var world = DeskWorld()
        var orders: [ApprovedOrder] = []
        for number in 1...130 {
            orders.append(try world.rest(intent(.buy, "0.40", "5"), number: Int64(number), Int64(number) * 50))
        }
        world.clear()
        for order in orders { world.desk.cancel(order.id, now: at(7_000)) }
        world.advance(7_000)
        let hashes = orders.map(\.hash)
        #expect(world.asked == [.cancelAll(hashes)])
        // Where the venue finds that too much at once, the cancels go in portions.
        world.clear()
        world.take(.cancelled(hashes, .failure(.tooMany(retryAfter: nil))), 7_100)
        let portions = world.asked.compactMap { if case .cancel(let hashes) = $0 { hashes.count } else { nil } }
        #expect(portions == [60, 60])
    }

    @Test func anOldTradeThatWaitsForTheChainIsReadByItself() throws {
        let old = testStart + .seconds(-3_600)
        var desk = OrderDesk(open: [], finished: [], unsettled: ["t1": old, "t2": old], since: testStart, now: at(0))
        func reads(_ outputs: [OrderDesk.Output]) -> [OrderDesk.Request] {
            outputs.compactMap {
                guard case .ask(let request) = $0 else { return nil }
                switch request {
                case .readTrade, .readTrades: return request
                default: return nil
                }
            }
        }
        // What is read together stays short.
        let since = testStart + (.zero - OrderDesk.tradeOverlap)
        #expect(reads(desk.advance(now: at(0))) == [.readTrades(since: since), .readTrade("t1"), .readTrade("t2")])
        desk.take(
            .trade("t1", .success(VenueTrade(id: "t1", settlement: .confirmed, time: old, parts: []))), now: at(100))
        desk.take(.trade("t2", .success(nil)), now: at(100))
        desk.take(.trades(.success([]), asOf: testStart), now: at(100))
        #expect(desk.unsettled.keys.sorted() == ["t2"])
        #expect(reads(desk.advance(now: at(60_000))).contains(.readTrade("t2")))
    }

    @Test func withoutGoodReadsForLongNothingIsPlaced() throws {
        var world = DeskWorld()
        _ = try world.rest()
        for second in stride(from: Int64(1), to: 200, by: 1) {
            world.advance(second * 1_000)
            while !world.asked.isEmpty {
                switch world.asked.removeFirst() {
                case .readTrades: world.take(.trades(.failure(lost), asOf: at(second * 1_000).time), second * 1_000)
                case .readOpenOrders: world.take(.openOrders(.failure(lost)), second * 1_000)
                case .readOrder(let hash): world.take(.order(hash, .failure(lost)), second * 1_000)
                case .place, .cancel, .cancelAll, .readTrade: break
                }
            }
            let reason = world.desk.closedReason(now: at(second * 1_000).instant)
            #expect((reason == nil) == (second < 180), "\(second): \(reason ?? "open")")
        }
    }

    @Test func anAccountThatIsBarredIsTold() throws {
        var world = DeskWorld()
        let order = try world.submit()
        world.take(.placed([order], .success([.refused("address in closed only mode")])), 100)
        #expect(world.notes == [.barred("address in closed only mode")])
        #expect(world.kinds == [.rejected(reason: "address in closed only mode")])
    }

    @Test func aCancelThatIsRefusedIsLookedInto() throws {
        var world = DeskWorld()
        let order = try world.rest()
        world.desk.cancel(order.id, now: at(100))
        world.advance(100)
        world.clear()
        let refusal = ClobClient.Cancellation(notCancelled: [order.hash: "matched orders can't be canceled"])
        world.take(.cancelled([order.hash], .success(refusal)), 200)
        #expect(world.asked == [.readOrder(order.hash)])
        world.clear()
        world.take(
            .order(order.hash, .success(VenueOrder(hash: order.hash, standing: .matched, matched: shares("10")))), 300)
        // Its fills are still to come, and asked for.
        #expect(world.asked.contains { if case .readTrades = $0 { true } else { false } } && world.kinds.isEmpty)
        world.take(.trades(.success([made(order)]), asOf: at(300).time), 400)
        #expect(world.kinds == [fill()] && world.desk.entries.isEmpty)
    }

    @Test func whatRestsInSpiteOfACancelIsCancelledAgain() throws {
        var world = DeskWorld()
        let order = try world.rest()
        world.desk.cancel(order.id, now: at(100))
        world.advance(100)
        world.take(.cancelled([order.hash], .success(.init(notCancelled: [order.hash: "try later"]))), 200)
        world.take(.order(order.hash, .success(VenueOrder(hash: order.hash, standing: .open, matched: .zero))), 300)
        world.clear()
        world.advance(1_400)
        #expect(world.asked == [.cancel([order.hash])])
        world.take(.cancelled([order.hash], .success(.init(cancelled: [order.hash]))), 1_500)
        #expect(world.kinds == [.cancelled(reason: "requested")])
        // A trade from just before is booked all the same, once.
        world.take(.tradeEvent(made(order, "t9", "3")), 1_600)
        world.take(.tradeEvent(made(order, "t9", "3", .confirmed)), 1_700)
        guard case .filled(let late) = fill("t9", "3") else { return }
        #expect(
            world.kinds.dropFirst() == [.filledLate(hash: order.hash, late), .settled(trade: "t9", .confirmed)])
    }

    @Test func whileTheVenueRefusesCancelsTheDeskSleepsUntilItMayAskAgain() throws {
        var world = DeskWorld()
        let order = try world.rest()
        world.desk.cancel(order.id, now: at(100))
        world.advance(100)
        world.take(.cancelled([order.hash], .success(.init())), 200)
        world.take(.order(order.hash, .success(VenueOrder(hash: order.hash, standing: .open, matched: .zero))), 300)
        #expect(world.desk.nextWake == at(1_300).instant)
        world.advance(1_300)
        #expect(world.asked.suffix(1) == [.cancel([order.hash])])
        // When it may be asked again is over; when anything may be is not.
        world.take(.cancelled([order.hash], .failure(lost)), 1_400)
        #expect(world.desk.nextWake > at(1_400).instant && world.desk.nextWake <= at(2_400).instant)
        world.advance(2_399)
        #expect(world.desk.nextWake == at(2_400).instant)
        world.clear()
        world.advance(2_400)
        #expect(world.asked.contains(.cancel([order.hash])))
    }

    @Test func whileAsManyCancelsAsMayBeAreUnderWayTheDeskWaitsForTheirAnswers() throws {
        var world = DeskWorld()
        var orders: [ApprovedOrder] = []
        for number in 1...6 {
            orders.append(try world.rest(intent(.buy, "0.40", "5"), number: Int64(number), Int64(number) * 50))
        }
        let first = orders[0].hash
        world.desk.cancel(orders[0].id, now: at(400))
        world.advance(400)
        world.take(.cancelled([first], .success(.init())), 500)
        world.take(.order(first, .success(VenueOrder(hash: first, standing: .open, matched: .zero))), 600)
        for order in orders[1..<5] {
            world.desk.cancel(order.id, now: at(700))
            world.advance(700)
        }
        #expect(world.desk.cancelRequestCount == OrderDesk.cancelRequestCountMax)
        world.clear()
        world.advance(1_700)
        #expect(world.asked.isEmpty && world.desk.nextWake > at(1_700).instant)
        world.take(.cancelled([orders[1].hash], .success(.init(cancelled: [orders[1].hash]))), 1_800)
        #expect(world.asked.contains(.cancel([first])))
    }

    @Test func anOrderEndsOnlyWithAllItsFills() throws {
        var world = DeskWorld()
        let order = try world.rest()
        world.clear()
        // The venue ended it after four shares, of which nobody told yet.
        world.take(
            .orderEvent(
                VenueOrder(hash: order.hash, standing: .ended(reason: "canceled_expired_order"), matched: shares("4"))),
            100)
        #expect(world.kinds.isEmpty)
        world.take(.tradeEvent(made(order, "t1", "4")), 200)
        #expect(world.kinds == [fill("t1", "4"), .cancelled(reason: "canceled_expired_order")])
    }

    @Test func afterAStartTheVenueIsAskedFirst() throws {
        let open = (1...3 as ClosedRange<Int64>).map { number -> LedgerOrder in
            var order = ledgerOrder(number, intent(.buy, "0.40", "5"))
            order.body.state = number == 3 ? .cancelling : .live
            return order
        }
        var world = DeskWorld(open: open, isReconciled: false)
        world.advance(0)
        #expect(world.desk.closedReason(now: at(0).instant) != nil)
        #expect(world.asked.contains(.readOpenOrders))
        world.clear()
        let listed = [open[0], open[2]].map {
            VenueOrder(hash: $0.body.hash, standing: .open, matched: .zero)
        }
        world.take(.openOrders(.success(listed)), 100)
        #expect(world.desk.closedReason(now: at(100).instant) != nil, "trades were not read")
        world.take(.trades(.success([]), asOf: at(100).time), 200)
        #expect(world.desk.closedReason(now: at(200).instant) == nil)
        #expect(Set(world.told.map(\.order)) == [open[0].id, open[2].id] && world.kinds == [.found, .found])
        // The second is looked at before anybody is told that its fate is open, and found filled, by a trade of the time when
        // nobody listened.
        #expect(world.asked.contains(.readOrder(open[1].body.hash)))
        // One that was being cancelled still is.
        #expect(world.asked.contains(.cancel([open[2].body.hash])))
        world.clear()
        world.take(
            .order(
                open[1].body.hash,
                .success(VenueOrder(hash: open[1].body.hash, standing: .matched, matched: shares("5")))), 1_300)
        let part = VenueTrade.Part(
            order: open[1].body.hash, token: token(1, 0), side: .buy, price: price("0.40"), size: shares("5"),
            money: usd("2"), liquidity: .maker)
        world.take(
            .trades(
                .success([VenueTrade(id: "t1", settlement: .confirmed, time: testStart, parts: [part])]),
                asOf: at(1_300).time), 1_400)
        #expect(world.kinds == [.found, fill("t1", "5", "0.40", .confirmed)])
    }

    @Test func strangersAreCancelledWhenTheyStay() throws {
        var world = DeskWorld()
        let stranger = VenueOrder(hash: condition(77).description, standing: .open, matched: .zero)
        world.take(.openOrders(.success([stranger])), 100)
        #expect(!world.asked.contains(.cancel([stranger.hash])), "it may be about to end")
        world.take(.openOrders(.success([stranger])), 1_200)
        #expect(world.asked.contains(.cancel([stranger.hash])) && world.notes.contains(.stray(hash: stranger.hash)))
        #expect(world.told.isEmpty)
    }

    @Test func aStrangerWhoseCancelIsRefusedIsToldOnce() throws {
        var world = DeskWorld()
        let stranger = VenueOrder(hash: condition(77).description, standing: .open, matched: .zero)
        var cancelCount = 0
        for second in 1...10 as ClosedRange<Int64> {
            world.clear()
            world.take(.openOrders(.success([stranger])), second * 1_000)
            guard world.asked.contains(.cancel([stranger.hash])) else { continue }
            cancelCount += 1
            world.take(
                .cancelled([stranger.hash], .success(.init(notCancelled: [stranger.hash: "not now"]))),
                second * 1_000 + 100)
        }
        #expect(cancelCount == 9 && world.notes.count { $0 == .stray(hash: stranger.hash) } == 1)
        // One that was gone and is there again is another matter.
        world.take(.openOrders(.success([])), 11_000)
        for second in 12...13 as ClosedRange<Int64> { world.take(.openOrders(.success([stranger])), second * 1_000) }
        #expect(world.notes.count { $0 == .stray(hash: stranger.hash) } == 2)
    }

    @Test func whatTheListDoesNotHaveIsLookedAt() throws {
        var world = DeskWorld()
        let order = try world.rest()
        world.clear()
        world.take(.openOrders(.success([])), 60_000)
        world.advance(61_100)
        #expect(world.asked.contains(.readOrder(order.hash)) && world.told.isEmpty)
    }

    @Test func twoBatchesTakeTwentyOrders() throws {
        var world = DeskWorld()
        for number in 1...20 {
            var ledger = OrderLedger(cash: usd("10000"))
            for earlier in 1..<Int64(number) {
                try ledger.apply(.intent(ledgerOrder(earlier, intent(.buy, "0.01", "5"))))
            }
            world.desk.submit(try approved(intent(.buy, "0.40", "5"), ledger: ledger, view: views()[condition(1)]))
        }
        world.advance(0)
        let sizes = world.asked.compactMap { if case .place(let orders) = $0 { orders.count } else { nil } }
        #expect(sizes == [15, 5])
    }
}
