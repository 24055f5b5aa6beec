import DaemonKit
import Shared
import Testing

@testable import stratd

extension LiveWorld {
    /// Lets time pass with a feed that talks, and a venue that hears and is heard and says `placement` of each order.
    ///
    /// - Returns: the orders that left.
    func run(
        _ span: ClosedRange<Int64>, placement: (ApprovedOrder) -> OrderDesk.Placement
    ) -> [ApprovedOrder] {
        self.run(span) { (orders: [ApprovedOrder]) in .success(orders.map(placement)) }
    }

    /// The same with a venue that answers to each request for orders.
    func run(
        _ span: ClosedRange<Int64>, result: ([ApprovedOrder]) -> Result<[OrderDesk.Placement], ClobFailure>
    ) -> [ApprovedOrder] {
        var sent: [ApprovedOrder] = []
        var resting: Set<String> = []
        func order(_ hash: String) -> VenueOrder? {
            resting.contains(hash) ? VenueOrder(hash: hash, standing: .open, matched: .zero) : nil
        }
        for time in stride(from: span.lowerBound, through: span.upperBound, by: 50) {
            self.orders.lastBeat = at(time).instant
            self.orders.balanceReadAt = at(time).instant
            self.take(.feed(.alive, sentTime: at(time).time), time)
            self.advance(time)
            if self.engine.isWakeDue(now: at(time)) { self.take(.wake, time) }
            if time % 1_000 == 0 { self.take(.tick(isHaltFilePresent: false), time) }
            self.advance(time)
            for request in self.takeAsked() {
                switch request {
                case .place(let orders):
                    sent += orders
                    let result = result(orders)
                    for (order, placement) in zip(orders, (try? result.get()) ?? []) {
                        if case .taken = placement { resting.insert(order.hash) }
                    }
                    self.answer(.placed(orders, result), time)
                case .cancel(let hashes), .cancelAll(let hashes):
                    resting.subtract(hashes)
                    self.answer(.cancelled(hashes, .success(.init(cancelled: hashes))), time)
                case .readOrder(let hash): self.answer(.order(hash, .success(order(hash))), time)
                case .readOpenOrders: self.answer(.openOrders(.success(resting.compactMap(order))), time)
                case .readTrades: self.answer(.trades(.success([]), asOf: at(time).time), time)
                case .readTrade(let id): self.answer(.trade(id, .success(nil)), time)
                }
            }
        }
        return sent
    }
}

/// What the venue answers to orders, and what follows.
@Suite struct VenueAnswerTests {
    /// Both lists fail at once for a minute, again and again: not enough requests for a share of errors that halts.
    @Test func aVenueThatIsAwayIsAskedMoreSeldom() {
        var world = DeskWorld()
        let failure = lost
        var count = 0
        for second in 60..<120 as Range<Int64> {
            world.advance(second * 1_000)
            while !world.asked.isEmpty {
                count += 1
                switch world.asked.removeFirst() {
                case .readTrades: world.take(.trades(.failure(failure), asOf: testStart), second * 1_000)
                case .readOpenOrders: world.take(.openOrders(.failure(failure)), second * 1_000)
                default: Issue.record("nothing else is asked")
                }
            }
        }
        #expect(count > 8 && count < ErrorRate.requestCountMin, "\(count)")
    }

    /// A cancel is tried each second, and fails each second: that is no reason for a person to come.
    @Test func anOutageIsNoShareOfErrors() {
        var limits = wideLimits
        limits.errorRateMax = 500_000
        var harness = Harness(limits: limits)
        harness.take(.venueClosed(Refusal(.userChannelBlind, "the user channel is down")))
        for _ in 0..<60 {
            harness.take(.requestEnded(isFailure: true))
            harness.run(for: 1_000)
        }
        #expect(!harness.ledger.isHalted)
        harness.take(.venueClosed(nil))
        for _ in 0..<ErrorRate.requestCountMin { harness.take(.requestEnded(isFailure: true)) }
        harness.run(for: 2_000)
        #expect(harness.ledger.halts == ["error_rate"])
    }

    /// One order may leave each second, and the other market has none that would bring a look.
    @Test func whatTheOrderRateKeptBackLeavesWhenThereIsRoom() {
        var limits = wideLimits
        limits.ordersPerSecondMax = 1
        var harness = Harness(limits: limits)
        harness.open()
        harness.open(market(2), book(2))
        harness.run(for: 50)
        #expect(harness.ledger.openOrders.count == 1)
        for _ in 0..<8 {
            harness.feed(.alive)
            harness.run(for: 1_000)
        }
        #expect([1, 2].map { harness.ledger.openOrders(in: condition($0)).count } == [2, 2])
    }

    /// No look is due by itself where no book changes.
    @Test func aQuietMarketIsQuotedWhenTheVenueOpensAgain() {
        var harness = Harness(limits: wideLimits)
        harness.open()
        harness.run(for: 50)
        harness.take(.venueClosed(Refusal(.venueClosed, "the venue's engine restarts (425)")))
        for _ in 0..<2 {
            harness.feed(.alive)
            harness.run(for: 1_000)
        }
        #expect(harness.ledger.openOrders.isEmpty)
        harness.take(.venueClosed(nil))
        harness.run(for: 50)
        #expect(!harness.ledger.openOrders.isEmpty)
    }

    // MARK: Unclear answers

    @Test func aLegThatCannotBeMadeOutIsLostAlone() throws {
        let world = LiveWorld(marketCount: 8)
        world.advance(10)
        var batches: [[ApprovedOrder]] = []
        for case .place(let orders) in world.takeAsked() { batches.append(orders) }
        let batch = try #require(batches.first)
        try #require(batch.count == 15)
        var legs = batch.map { #"{"success":true,"errorMsg":"","orderID":"\#($0.hash)","status":"live"}"# }
        legs[6] = #"{"success":false,"errorMsg":null,"orderID":null,"status":null,"tradeIDs":null}"#
        let answer = try JSONValue(parsing: "[\(legs.joined(separator: ","))]".utf8)
        let placements = try ClobClient.placements(answer, count: 15)
        world.answer(.placed(batch, .success(placements)), 100)
        for (index, order) in batch.enumerated() {
            let state = world.engine.ledger.order(order.id)?.body.state
            #expect(state == (index == 6 ? .unknown : .live), "\(index)")
        }
        #expect(!world.engine.ledger.isHalted && world.engine.ledger.unknownOrderCount == 1)
    }

    @Test func anAnswerThatNamesAnOrderAndAProblemIsUnclear() throws {
        func placements(_ text: String) throws -> [OrderDesk.Placement] {
            try ClobClient.placements(try JSONValue(parsing: text.utf8), count: 1)
        }
        #expect(try placements(#"[{"success":false}]"#) == [.unclear("")])
        #expect(
            try placements(#"[{"success":true,"errorMsg":"no","orderID":"0x1","status":"live"}]"#) == [.unclear("no")])
        #expect(try placements(#"[{"success":true,"errorMsg":"no","orderID":""}]"#) == [.refused("no")])
        #expect(throws: ClobFailure.self) { try placements("[]") }
        // A request counts as failed when it told of no order at all.
        func counts(_ placements: [OrderDesk.Placement]) -> Bool {
            OrderDesk.Answer.placed([], .success(placements)).isRequestFailure
        }
        #expect(counts([.unclear("")]) && !counts([.unclear(""), .refused("no")]) && !counts([.refused("no")]))
    }

    @Test func aListWithRowsThatCannotBeReadIsNotRead() throws {
        var world = DeskWorld(isReconciled: false)
        world.advance(0)
        world.take(.trades(.success([]), asOf: testStart), 0)
        world.take(.openOrders(.success([]), unreadCount: 1), 0)
        #expect(world.notes == [.ordersUnread(count: 1)])
        #expect(world.desk.closedReason(now: at(100).instant) != nil)
        // It is read again, and then all is clear.
        world.asked = []
        world.advance(15_000)
        #expect(world.asked.contains(.readOpenOrders))
        world.take(.openOrders(.success([])), 15_100)
        #expect(world.desk.closedReason(now: at(15_200).instant) == nil)
    }

    // MARK: Rejections

    @Test(arguments: ["invalid signature", "the order signer address has to be the address of the API KEY"])
    func aRejectionThatEveryOrderWouldMeetHalts(text: String) {
        let world = LiveWorld()
        let sent = world.run(50...60_000) { _ in .refused(text) }
        #expect(world.engine.ledger.halts == ["rejected"] && sent.count <= 4, "\(sent.count)")
    }

    @Test func anotherOrderFormatHaltsOnceItIsSaidAgain() {
        let world = LiveWorld()
        var sent = world.run(50...450) { _ in .refused("order_version_mismatch") }
        #expect(!world.engine.ledger.isHalted && sent.count == 4)
        sent += world.run(500...60_000) { _ in .refused("order_version_mismatch") }
        #expect(world.engine.ledger.halts == ["rejected"] && sent.count <= 8, "\(sent.count)")
    }

    @Test func anotherOrderFormatThatIsSaidOnceAmongOtherRejectionsHaltsNothing() {
        let world = LiveWorld()
        var count = 0
        _ = world.run(50...20_000) { _ in
            count += 1
            return .refused((5...8).contains(count) ? "order_version_mismatch" : "not enough balance / allowance")
        }
        #expect(count > 12 && !world.engine.ledger.isHalted)
    }

    /// Two orders in each of two markets, seven rounds: 0.5 s after the first, 16 s before the last.
    @Test func rejectedOrdersAreTriedAgainLaterEachTime() throws {
        let world = LiveWorld()
        let sent = world.run(50...60_000) { _ in .refused("not enough balance / allowance") }
        #expect(sent.count == 4 * 7 && !world.engine.ledger.isHalted, "\(sent.count)")
        let decision = try #require(world.decisions.last { $0.market == condition(1) })
        #expect(decision.action == .refuse)
        #expect(decision.reasons.contains { $0.gate == "venue" && $0.code == "rejected" }, "\(decision)")
        // Taken again, all is as before.
        let taken = world.run(60_050...95_000) { .taken(id: $0.hash, .live) }
        #expect(taken.count == 4 && world.engine.ledger.open.count == 4)
        #expect(world.engine.rejectionWaits.isEmpty)
    }

    @Test func whileAStrategyWaitsItsOtherOrdersAreStillCancelled() throws {
        let world = LiveWorld()
        // One of two is taken; then the book moves away from it.
        _ = world.run(50...300) { $0.intent.outcome == 0 ? .taken(id: $0.hash, .live) : .refused("no") }
        #expect(world.engine.ledger.openOrders(in: condition(1)).count == 1)
        let moved = book(update: 2, bids: [("0.30", "100")], asks: [("0.34", "100")], at: 350)
        world.take(.feed(.book(moved), sentTime: at(350).time), 350)
        let sent = world.run(350...450) { .taken(id: $0.hash, .live) }
        #expect(world.engine.ledger.openOrders(in: condition(1)).isEmpty && sent.isEmpty, "\(sent)")
    }

    @Test func waitsDoubleUpToHalfAMinute() {
        var wait: RejectionWait?
        var pauses: [Int64] = []
        for _ in 1...9 {
            wait = RejectionWait(after: wait, isVersion: false, now: at(0).instant)
            pauses.append((wait!.until - at(0).instant).milliseconds)
        }
        #expect(pauses == [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    }

    // MARK: The share of failed requests

    @Test(
        arguments: [
            (.transport(RESTError(.refused, isOutcomeUnknown: false)), true),
            (.transport(RESTError(.unresolved, isOutcomeUnknown: false)), true),
            (.transport(RESTError(.timedOut, isOutcomeUnknown: true)), true),
            (.transport(RESTError(.stopped, isOutcomeUnknown: false)), false),
            (.unauthorized(""), true), (.region(""), true), (.tooMany(retryAfter: nil), true),
            (.trouble(500, ""), true),
            (.malformed(""), true), (.refused(400, "not enough balance / allowance"), false),
            // Its maintenance is waited for.
            (.restarting, false), (.postOnly, false), (.cancelOnly, false), (.disabled, false),
        ] as [(ClobFailure, Bool)])
    func whatIsNoWordOnOneOrderIsAFailedRequest(failure: ClobFailure, isFailure: Bool) {
        #expect(OrderDesk.Answer.openOrders(.failure(failure)).isRequestFailure == isFailure)
        #expect(OrderDesk.Answer.placed([], .failure(failure)).isRequestFailure == isFailure)
    }
}
