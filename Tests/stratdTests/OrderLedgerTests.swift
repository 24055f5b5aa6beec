import Shared
import Testing

@testable import stratd

@Suite struct OrderLedgerTests {
    @Test func anOrderCountsAsExposureFromItsIntent() throws {
        var ledger = OrderLedger(cash: usd("100"))
        try ledger.apply(.intent(ledgerOrder(1, intent(.buy, "0.48", "10"), feeReserve: usd("0.1"))))
        #expect(ledger.exposure == usd("4.9"))
        #expect(ledger.reserved == usd("4.9"))
        #expect(ledger.cash == usd("100"))
        #expect(ledger.nextOrderNumber == 2)
        #expect(ledger.bound.inMarket(condition(1)) == usd("4.9") && ledger.bound.inMarket(condition(2)) == .zero)
        #expect(ledger.bound.of("maker") == usd("4.9") && ledger.invested == Exposure())
    }

    @Test func aFillMovesMoneyIntoThePosition() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.48", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(fill(order, trade: "t1", "0.48", "4", fee: "0.01")))
        #expect(ledger.cash == usd("98.07"))
        #expect(ledger.order(order.id)?.body.state == .partlyFilled)
        #expect(ledger.reserved == usd("2.88"))
        let position = try #require(ledger.sortedPositions.first)
        #expect(position.size == shares("4") && position.averageCost == 480_000 && position.fees == usd("0.01"))
        try ledger.apply(.fill(fill(order, trade: "t2", "0.48", "6")))
        #expect(ledger.order(order.id)?.body.state == .filled)
        #expect(ledger.open.isEmpty && ledger.exposure == usd("4.8"))
    }

    @Test func aTradeIsBookedOnce() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent())
        try ledger.open(order)
        try ledger.apply(.fill(fill(order, trade: "t1", "0.48", "4")))
        #expect(ledger.isBooked("t1", ofHash: order.body.hash) && !ledger.isBooked("t2", ofHash: order.body.hash))
        let before = ledger
        #expect(throws: LedgerError.alreadyBooked(trade: "t1")) {
            try ledger.apply(.fill(fill(order, trade: "t1", "0.48", "4")))
        }
        #expect(ledger == before)
    }

    @Test func filledNeverExceedsOrdered() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.48", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(fill(order, trade: "t1", "0.48", "8")))
        #expect(throws: LedgerError.overfilled(order.id, by: shares("1"))) {
            try ledger.apply(.fill(fill(order, trade: "t2", "0.48", "3")))
        }
    }

    @Test func aFillAfterTheCancelIsBookedAndTheOrderStaysCancelled() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.48", "10"))
        try ledger.open(order)
        try ledger.apply(.state(order.id, .cancelling, reason: nil), .state(order.id, .cancelled, reason: "requested"))
        try ledger.apply(.fill(fill(order, trade: "t1", "0.48", "10")))
        #expect(ledger.order(order.id)?.body.state == .cancelled)
        #expect(ledger.held(token(1, 0), by: "maker") == shares("10"))
    }

    @Test func whatIsSoldLeavesAtAverageCost() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let first = ledgerOrder(1, intent(.buy, "0.40", "10"))
        let second = ledgerOrder(2, intent(.buy, "0.50", "10"))
        let sale = ledgerOrder(3, intent(.sell, "0.60", "5"))
        for order in [first, second, sale] { try ledger.open(order) }
        try ledger.apply(.fill(fill(first, trade: "t1", "0.40", "10")), .fill(fill(second, trade: "t2", "0.50", "10")))
        #expect(ledger.sellable(token(1, 0), by: "maker") == shares("15"))
        try ledger.apply(.fill(fill(sale, trade: "t3", "0.60", "5", fee: "0.02")))
        let position = try #require(ledger.sortedPositions.first)
        #expect(position.averageCost == 450_000 && position.cost == usd("6.75"))
        #expect(position.realised == usd("0.75") && position.body(unrealised: .zero).realised == usd("0.73"))
        #expect(ledger.cash == usd("93.98"))
    }

    @Test func moreThanIsHeldCannotBeSold() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let sale = ledgerOrder(1, intent(.sell, "0.60", "5"))
        try ledger.open(sale)
        #expect(throws: LedgerError.oversold(sale.id, by: shares("5"))) {
            try ledger.apply(.fill(fill(sale, trade: "t1", "0.60", "5")))
        }
    }

    @Test(arguments: [Int64?(0), 1, nil])
    func aResolutionPaysOneNothingOrAHalf(winner: Int64?) throws {
        var ledger = OrderLedger(cash: usd("100"))
        let first = ledgerOrder(1, intent(.buy, "0.40", "10"))
        let second = ledgerOrder(2, intent(outcome: 1, .buy, "0.40", "6"))
        for order in [first, second] { try ledger.open(order) }
        try ledger.apply(.fill(fill(first, trade: "t1", "0.40", "10")), .fill(fill(second, trade: "t2", "0.40", "6")))
        #expect(ledger.cash == usd("93.6"))
        try ledger.apply(.resolution(condition(1), winner: winner))
        // 93.6 + 10, + 6, or + 5 + 3.
        #expect(ledger.cash == usd(winner == 0 ? "103.6" : winner == 1 ? "99.6" : "101.6"))
        #expect(ledger.markets.isEmpty)
        let balance = ledger.positions.values.reduce(Money.zero) { $0 + $1.realised - $1.fees - $1.cost }
        #expect(ledger.cash == usd("100") + balance)
        let before = ledger
        try ledger.apply(.resolution(condition(1), winner: winner))
        #expect(ledger == before)
    }

    /// What the chain or the venue tells after a market's end must leave the same as if it had come before.
    @Test(arguments: [Int64?(0), 1, nil])
    func whatIsToldAfterTheEndEndsAsIfItHadComeBefore(winner: Int64?) throws {
        let bought = ledgerOrder(1, intent(.buy, "0.40", "10"))
        let sold = ledgerOrder(2, intent(.sell, "0.55", "4"))
        let more = ledgerOrder(3, intent(.buy, "0.30", "6"))
        let end = LedgerRecord.Fact.resolution(condition(1), winner: winner)
        let waiting = fill(sold, trade: "t2", "0.55", "4", settlement: .matched)
        let late: [[LedgerRecord.Fact]] = [
            [.fill(fill(sold, trade: "t2", "0.55", "4", fee: "0.01"))],
            [.fill(fill(more, trade: "t3", "0.30", "6"))],
            [.fill(waiting), .settlement(sold.id, trade: "t2", .failed)],
            [
                .fill(fill(more, trade: "t3", "0.30", "6", settlement: .matched)),
                .settlement(more.id, trade: "t3", .failed),
            ],
        ]
        for facts in late {
            for split in 0...facts.count {
                var before = OrderLedger(cash: .zero)
                try before.apply(.funds(usd("100")))
                for order in [bought, sold, more] { try before.open(order) }
                try before.apply(.fill(fill(bought, trade: "t1", "0.40", "10")))
                var after = before
                for fact in facts { try before.apply(fact) }
                try before.apply(end)
                for fact in facts.prefix(split) { try after.apply(fact) }
                try after.apply(end)
                for fact in facts.dropFirst(split) { try after.apply(fact) }
                #expect(after == before, "\(facts) told after its step \(split)")
                #expect(bytes(after) == bytes(before))
                #expect(after.positions.values.allSatisfy { $0.size == .zero })
            }
        }
    }

    @Test func allSharesInASaleThatTheChainRefusesAfterTheEndArePaid() throws {
        var ledger = OrderLedger(cash: .zero)
        let bought = ledgerOrder(1, intent(.buy, "0.40", "10"))
        let sold = ledgerOrder(2, intent(.sell, "0.55", "10"))
        try ledger.apply(.funds(usd("100")))
        for order in [bought, sold] { try ledger.open(order) }
        try ledger.apply(
            .fill(fill(bought, trade: "t1", "0.40", "10")),
            .fill(fill(sold, trade: "t2", "0.55", "10", settlement: .mined)))
        #expect(ledger.cash == usd("101.5"))
        try ledger.apply(.resolution(condition(1), winner: 0), .settlement(sold.id, trade: "t2", .failed))
        #expect(ledger.cash == usd("106") && ledger.receivable == usd("10"))
        #expect(ledger.markets.isEmpty)
    }

    @Test func everyStateHasTheWaysOutThatTheTableSays() {
        let table: [OrderState: Set<OrderState>] = [
            .intended: [.sent, .rejected, .cancelled],
            .sent: [.live, .delayed, .partlyFilled, .filled, .cancelling, .cancelled, .rejected, .unknown, .expired],
            .live: [.partlyFilled, .filled, .cancelling, .cancelled, .unknown, .expired],
            .delayed: [.live, .partlyFilled, .filled, .cancelled, .rejected, .unknown, .expired],
            .partlyFilled: [.filled, .cancelling, .cancelled, .unknown, .expired],
            .cancelling: [.live, .partlyFilled, .filled, .cancelled, .unknown, .expired],
            .unknown: [.live, .delayed, .partlyFilled, .filled, .cancelling, .cancelled, .rejected, .expired],
            .filled: [], .cancelled: [], .rejected: [], .expired: [],
        ]
        for from in OrderState.allCases {
            for to in OrderState.allCases {
                #expect(from.mayBecome(to) == (table[from]?.contains(to) ?? false), "\(from) to \(to)")
            }
            #expect(from.isFinished == table[from]?.isEmpty, "a state that is not finished has a way out")
        }
    }

    @Test func anIllegalStepIsAnErrorAndChangesNothing() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent())
        try ledger.open(order)
        let before = ledger
        #expect(throws: LedgerError.illegal(order.id, from: .live, to: .sent)) {
            try ledger.apply(.state(order.id, .sent, reason: nil))
        }
        #expect(throws: LedgerError.orderExists(order.id)) { try ledger.apply(.intent(order)) }
        #expect(throws: LedgerError.unknownOrder(OrderID(number: 9))) {
            try ledger.apply(.state(OrderID(number: 9), .live, reason: nil))
        }
        #expect(ledger == before)
    }

    @Test func finishedOrdersAreForgottenBeyondTheBound() throws {
        var ledger = OrderLedger(cash: usd("100"))
        for number in 1...Int64(OrderLedger.finishedOrderCountMax + 10) {
            let order = ledgerOrder(number, intent())
            try ledger.apply(.intent(order), .state(order.id, .rejected, reason: "test"))
        }
        #expect(ledger.finished.count == OrderLedger.finishedOrderCountMax)
        #expect(ledger.order(OrderID(number: 10)) == nil && ledger.order(OrderID(number: 11)) != nil)
    }

    @Test func recordsReplayToTheSameLedgerByteForByte() throws {
        var ledger = OrderLedger(cash: usd("100"))
        let order = ledgerOrder(1, intent(.buy, "0.48", "10"))
        let facts: [LedgerRecord.Fact] = [
            .intent(order), .state(order.id, .sent, reason: nil), .state(order.id, .live, reason: nil),
            .fill(fill(order, trade: "t1", "0.48", "3.33", fee: "0.00001")), .halt(reason: "operator"),
            .halt(reason: "halt_file"), .pause(strategy: "maker"),
            .limit(name: "max_order_usd", SetLimit(value: 5, configured: 7)),
            .marks(day: 20_000, dayStart: usd("100"), peak: usd("101")), .resume,
            .marks(
                day: 20_000, dayStart: usd("100"), peak: usd("102"),
                bids: [token(1, 0): .bid(price("0.6")), token(9, 1): .nobody]),
            .rulesChanged(condition(1), "settlement other -> binance_1h"), .unpause(strategy: "maker"),
            .state(order.id, .cancelling, reason: nil), .state(order.id, .cancelled, reason: "requ\"ested"),
            .resolution(condition(1), winner: nil), .resolution(condition(2), winner: 1),
        ]
        var lines: [[UInt8]] = []
        for fact in facts {
            let record = LedgerRecord(fact, at: testStart)
            try ledger.apply(record)
            lines.append(record.line)
            #expect(try lines.last!.dropLast().withUnsafeBufferPointer { try LedgerRecord(line: $0) } == record)
        }
        let replayed = try replay(lines, from: OrderLedger(cash: usd("100")))
        #expect(replayed == ledger)
        #expect(bytes(replayed) == bytes(ledger))
        let checkpoint = LedgerRecord(.checkpoint(ledger), at: testStart).line
        #expect(checkpoint.starts(with: LedgerRecord.checkpointPrefix.utf8))
        #expect(try bytes(replay([checkpoint], from: OrderLedger(cash: .zero))) == bytes(ledger))
    }

    @Test(arguments: [
        "", "{}", #"{"type":"nonsense","time":1}"#, #"{"type":"state","time":1,"order":"x","state":"live"}"#,
        #"{"type":"state","time":1,"order":"o1","state":"lively"}"#, #"{"type":"halt","reason":"x"}"#,
        #"{"type":"marks","time":1,"day":1,"day_start":1,"peak":1,"bids":{"1":-1}}"#,
        #"{"type":"marks","time":1,"day":1,"day_start":1,"peak":1,"bids":{"x":5000}}"#,
        #"{"type":"checkpoint","time":1,"ledger":{}}"#, #"{"type":"resume","time":1} x"#,
    ])
    func aLineThatIsNoRecordIsRefused(text: String) {
        #expect(throws: JSONError.self) {
            try Array(text.utf8).withUnsafeBufferPointer { try LedgerRecord(line: $0) }
        }
    }
}
