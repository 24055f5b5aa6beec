import DaemonKit
import Glibc
import Shared
import Testing

@testable import stratd

/// The ledger's real files, and what an export makes of them.
@Suite struct ExportTests {
    /// Files as stratd writes them, and an account that goes on from day to day.
    private final class Journal {
        let directory: String
        private var ledger: OrderLedger
        private var file: LedgerFile?

        init(_ ledger: OrderLedger = OrderLedger(cash: usd("1000"))) {
            var template = Array("/tmp/polybot-export-XXXXXX".utf8CString)
            self.directory = String(cString: mkdtemp(&template)!)
            self.ledger = ledger
        }

        deinit {
            _ = self.file?.close()
            for day in 1...28 { unlink(self.path(day)) }
            rmdir(self.directory)
        }

        func path(_ day: Int) -> String {
            "\(self.directory)/ledger-2026-05-\(day < 10 ? "0" : "")\(day).jsonl"
        }

        /// Begins the file of a day in May with the ledger as it stands.
        func begin(_ day: Int) throws {
            let file = try self.file ?? LedgerFile(directory: self.directory, .paper)
            self.file = file
            try file.beginFile(with: LedgerRecord(.checkpoint(self.ledger), at: time(day)))
        }

        /// Applies facts and writes them; `isLost` where they never reach the file.
        func write(_ day: Int, _ seconds: Int64 = 0, isLost: Bool = false, _ facts: LedgerRecord.Fact...) throws {
            for fact in facts {
                let record = LedgerRecord(fact, at: time(day, seconds))
                try self.ledger.apply(record)
                if !isLost { try self.file?.append([.record(record)]) }
            }
        }

        func checkpoint(_ day: Int, _ seconds: Int64) throws {
            try self.file?.append([.record(LedgerRecord(.checkpoint(self.ledger), at: time(day, seconds)))])
        }

        func append(_ text: String, to day: Int) throws {
            let stream = try #require(fopen(self.path(day), "a"))
            fputs(text, stream)
            fclose(stream)
        }

        /// An order that is filled whole at once.
        func trade(
            _ day: Int, _ seconds: Int64, _ number: Int64, _ intent: OrderIntent, fee: String = "0",
            trade: String? = nil,
            happened: Timestamp? = nil, settlement: Settlement = .confirmed, isLost: Bool = false
        ) throws {
            let order = ledgerOrder(number, intent)
            var fill = fill(
                order, trade: trade ?? "t\(number)", intent.price.description, intent.size.description, fee: fee)
            fill.time = happened ?? time(day, seconds)
            fill.settlement = settlement
            try self.write(
                day, seconds, isLost: isLost, .intent(order), .state(order.id, .sent, reason: nil), .fill(fill))
        }

        func export(
            _ subject: AccountHistory.Subject, from: String? = nil, to: String? = nil
        ) throws -> (rows: [String], warnings: [String]) {
            var warnings: [String] = []
            let history = try Export(
                subject: subject, from: from.map(dayNumber), to: to.map(dayNumber), directory: self.directory,
                caution: { warnings.append($0) }
            ).history()
            var bytes: [UInt8] = []
            try history.write { bytes += $0 }
            let text = String(decoding: bytes, as: UTF8.self)
            try #require(text.hasSuffix("\r\n"))
            return (text.split(separator: "\r\n").map(String.init), warnings)
        }
    }

    private static func market(_ n: Int64) -> String { condition(n).description }

    /// Buys 10 at 0.40 and 20 at 0.50 of market 1 on the 12th, sells 15 at 0.60 on the 13th; market 2 loses, market 3 ends in halves.
    private func week() throws -> Journal {
        let journal = Journal()
        try journal.begin(12)
        try journal.trade(12, 5, 1, intent(on: 1, .buy, "0.40", "10"), fee: "0.01")
        try journal.trade(12, 9, 2, intent(on: 1, .buy, "0.50", "20"), trade: "=HYPERLINK(1)")
        try journal.trade(12, 9, 3, intent(on: 2, outcome: 1, .buy, "0.25", "8"), fee: "0.002")
        try journal.begin(13)
        try journal.trade(13, 1, 4, intent(on: 1, .sell, "0.60", "15"), fee: "0.03")
        try journal.trade(13, 2, 5, intent(on: 3, .buy, "0.10", "5"))
        try journal.begin(16)
        try journal.write(16, 3, .resolution(condition(2), winner: 0))
        try journal.write(16, 4, .resolution(condition(3), winner: nil))
        try journal.write(16, 5, .resolution(condition(1), winner: 0))
        return journal
    }

    @Test func fillsAreToldByTimeWithExactNumbers() throws {
        let rows = try self.week().export(.fills).rows
        #expect(
            rows[0] == "time,order,hash,trade,strategy,market,token,side,price,size,money,fee,liquidity,settlement")
        let columns = rows.dropFirst().map { $0.split(separator: ",").map(String.init) }
        #expect(columns.map { $0[1] } == ["o1", "o2", "o3", "o4", "o5"])
        #expect(
            columns[0] == [
                "2026-05-12T00:00:05Z", "o1", columns[0][2], "t1", "maker", Self.market(1), token(1, 0).description,
                "buy", "0.4", "10", "4", "0.01", "maker", "confirmed",
            ])
        // The venue's text is no formula.
        #expect(columns[1][3] == "'=HYPERLINK(1)")
        #expect(columns[3].suffix(7) == ["sell", "0.6", "15", "9", "0.03", "maker", "confirmed"])
    }

    @Test func positionsAreThoseOfTheEndOfTheTime() throws {
        let journal = try self.week()
        let header = "strategy,market,token,outcome,size,average_cost,cost,realised,fees"
        // 30 for 14, of which 15 cost 7 and were sold for 9.
        let first = "maker,\(Self.market(1)),\(token(1, 0)),0"
        let second = "maker,\(Self.market(2)),\(token(2, 1)),1"
        let third = "maker,\(Self.market(3)),\(token(3, 0)),0"
        #expect(
            try journal.export(.positions, to: "2026-05-12").rows == [
                header, first + ",30,0.466666,14,0,0.01", second + ",8,0.25,2,0,0.002",
            ])
        #expect(
            try journal.export(.positions, to: "2026-05-15").rows == [
                header, first + ",15,0.466666,7,2,0.04", second + ",8,0.25,2,0,0.002", third + ",5,0.1,0.5,0,0",
            ])
        #expect(
            try journal.export(.positions).rows == [
                header, first + ",0,0,0,10,0.04", second + ",0,0,0,-2,0.002", third + ",0,0,0,2,0",
            ])
        // Of a time: what it brought and cost then, and whatever is held.
        #expect(
            try journal.export(.positions, from: "2026-05-13", to: "2026-05-14").rows == [
                header, first + ",15,0.466666,7,2,0.03", second + ",8,0.25,2,0,0", third + ",5,0.1,0.5,0,0",
            ])
        #expect(try journal.export(.positions, to: "2026-05-11").rows == [header])
    }

    @Test func resultsCountOnTheirDays() throws {
        let journal = try self.week()
        let rows = [
            "2026-05-12,maker,\(Self.market(1)),0,0.01,0,0", "2026-05-12,maker,\(Self.market(2)),0,0.002,0,0",
            "2026-05-13,maker,\(Self.market(1)),2,0.03,0,0", "2026-05-16,maker,\(Self.market(1)),8,0,0,0",
            "2026-05-16,maker,\(Self.market(2)),-2,0,0,0", "2026-05-16,maker,\(Self.market(3)),2,0,0,0",
        ]
        let header = "day,strategy,market,realised,fees,rewards_estimate,rebates_estimate"
        #expect(try journal.export(.pnl).rows == [header] + rows)
        #expect(try journal.export(.pnl, from: "2026-05-13", to: "2026-05-13").rows == [header, rows[2]])
        // A day without a file, and days before and after all.
        for day in ["2026-05-01", "2026-05-14", "2026-05-28"] {
            #expect(try journal.export(.pnl, from: day, to: day) == ([header], []))
        }
    }

    @Test func whatIsToldLateCountsWhenItHappened() throws {
        let journal = Journal()
        try journal.begin(12)
        try journal.begin(14)
        try journal.trade(14, 0, 1, intent(on: 1, .buy, "0.40", "10"), fee: "0.01", happened: time(12, 86_399))
        #expect(try journal.export(.fills, to: "2026-05-12").rows.count == 2)
        #expect(try journal.export(.fills, from: "2026-05-13").rows.count == 1)
        #expect(
            try journal.export(.pnl, to: "2026-05-12").rows.last == "2026-05-12,maker,\(Self.market(1)),0,0.01,0,0")
    }

    @Test func aTradeToldAfterItsMarketsEndCountsThoughThePositionIsForgottenAtOnce() throws {
        let journal = Journal()
        try journal.begin(12)
        let count = Int64(OrderLedger.closedPositionCountMax) + 2
        for number in 1...count {
            // The first two wait for the chain, and are not forgotten while they do.
            try journal.trade(
                12, number, number, intent(on: number, .buy, "0.40", "10"),
                settlement: number <= 2 ? .matched : .confirmed)
            try journal.write(12, number, .resolution(condition(number), winner: 0))
        }
        for number in 1...2 as ClosedRange<Int64> {
            try journal.write(12, count, .settlement(OrderID(number: number), trade: "t\(number)", .confirmed))
        }
        try journal.begin(13)
        try journal.trade(13, 0, count + 1, intent(on: 1, .buy, "0.40", "5"), fee: "0.01")
        #expect(
            try journal.export(.pnl, from: "2026-05-13").rows.dropFirst() == [
                "2026-05-13,maker,\(Self.market(1)),3,0.01,0,0"
            ])
    }

    @Test func aTradeThatFailsOnTheChainIsTakenBackOnThatDay() throws {
        let journal = Journal()
        try journal.begin(12)
        for (number, trade) in [(1, "kept"), (2, "failed")] as [(Int64, String)] {
            try journal.trade(
                12, number, number, intent(on: 1, .buy, "0.40", "10"), fee: "0.01", trade: trade, settlement: .matched)
        }
        try journal.write(12, 5, .settlement(OrderID(number: 1), trade: "kept", .mined))
        try journal.begin(13)
        try journal.write(
            13, 0, .settlement(OrderID(number: 1), trade: "kept", .confirmed),
            .settlement(OrderID(number: 2), trade: "failed", .failed), .funds(usd("5")))
        let fills = try journal.export(.fills).rows.dropFirst()
        #expect(fills.map { $0.split(separator: ",").last } == ["confirmed", "failed"])
        #expect(
            try journal.export(.pnl).rows.dropFirst() == [
                "2026-05-12,maker,\(Self.market(1)),0,0.02,0,0", "2026-05-13,maker,\(Self.market(1)),0,-0.01,0,0",
            ])
        let position = "maker,\(Self.market(1)),\(token(1, 0)),0"
        #expect(try journal.export(.positions, to: "2026-05-12").rows.last == position + ",20,0.4,8,0,0.02")
        #expect(try journal.export(.positions).rows.last == position + ",10,0.4,4,0,0.01")
        #expect(try journal.export(.pnl).warnings.isEmpty)
    }

    @Test func aTornTailIsPassedOver() throws {
        let journal = try self.week()
        let whole = try journal.export(.fills)
        try journal.append(#"{"type":"fill","time":17"#, to: 16)
        #expect(try journal.export(.fills) == whole)
    }

    @Test func aLineThatCannotBeBelievedIsNotLeftOut() throws {
        let journal = try self.week()
        try journal.append("nonsense\n", to: 13)
        do {
            _ = try journal.export(.fills)
            Issue.record("it was exported")
        } catch let error as DaemonExit {
            #expect(error.code == .refused && error.message.contains("2026-05-13.jsonl cannot be believed at byte"))
        }
        // Days after it can be had.
        #expect(try journal.export(.pnl, from: "2026-05-17").rows.count == 1)
    }

    @Test func aMissingFirstFileIsToldOf() throws {
        let journal = try self.week()
        unlink(journal.path(12))
        let (rows, warnings) = try journal.export(.fills)
        #expect(rows.dropFirst().map { $0.split(separator: ",")[1] } == ["o4", "o5"])
        #expect(warnings.count == 1 && warnings[0].contains("begin on 2026-05-13 with an account that had traded"))
        // What is held is known all the same; what closed before is not.
        #expect(
            try journal.export(.positions, to: "2026-05-13").rows[1]
                == "maker,\(Self.market(1)),\(token(1, 0)),0,15,0.466666,7,2,0.04")
        #expect(try journal.export(.pnl, from: "2026-05-14").warnings.isEmpty)
    }

    @Test func aMissingFileBetweenIsToldOfAndItsResultKept() throws {
        let journal = try self.week()
        unlink(journal.path(13))
        let (rows, warnings) = try journal.export(.pnl)
        #expect(warnings.count == 1 && warnings[0].contains("Records before a checkpoint of 2026-05-16 are missing"))
        #expect(
            rows.suffix(3) == [
                "2026-05-16,maker,\(Self.market(1)),10,0.03,0,0", "2026-05-16,maker,\(Self.market(2)),-2,0,0,0",
                "2026-05-16,maker,\(Self.market(3)),2,0,0,0",
            ])
    }

    @Test func whatADiskDidNotTakeIsInTheNextCheckpoint() throws {
        let journal = Journal()
        try journal.begin(12)
        try journal.trade(12, 1, 1, intent(on: 1, .buy, "0.40", "10"))
        try journal.trade(12, 2, 2, intent(on: 1, .sell, "0.50", "10"), fee: "0.01", isLost: true)
        try journal.checkpoint(12, 3)
        let (rows, warnings) = try journal.export(.pnl)
        #expect(rows.last == "2026-05-12,maker,\(Self.market(1)),1,0.01,0,0" && warnings.count == 1)
        #expect(try journal.export(.fills).rows.count == 2)
    }

    @Test func noLedgerIsNoTable() {
        for directory in ["/nowhere", "/proc/self/task"] {
            do throws(DaemonExit) {
                _ = try Export(subject: .pnl, from: nil, to: nil, directory: directory, caution: { _ in }).history()
                Issue.record("there is none")
            } catch {
                #expect(
                    error.code == .unreachable && error.message.contains("no ledger of paper trading in \(directory)"))
            }
        }
    }

    /// Positions that closed while records were lost, and that the ledger forgot before the next checkpoint.
    @Test func whatNoRecordTellsApartIsARowOfItsOwn() throws {
        let count = Int64(OrderLedger.closedPositionCountMax) + 20
        var ledger = try ledgerHolding(marketCount: count, fee: "0.01")
        let subjects: [AccountHistory.Subject] = [.positions, .pnl]
        var histories = subjects.map { AccountHistory($0, days: .min ... .max) }
        let whole = ledger
        for n in 1...count { try ledger.apply(.resolution(condition(n), winner: 0)) }
        for index in histories.indices {
            try histories[index].apply(LedgerRecord(.checkpoint(whole), at: time(1)))
            try histories[index].apply(LedgerRecord(.checkpoint(ledger), at: time(2)))
        }
        // Twenty of them, six pUSD each.
        let row = AccountHistory.ResultKey(day: dayNumber("2026-05-02"), strategy: "", market: nil)
        #expect(histories[1].results[row]?.realised == usd("120"))
        let results = histories[1].results.values.reduce(Money.zero) { $0 + $1.realised - $1.fees }
        #expect(results == Money(micros: count * 6_000_000) && histories[1].results.count == Int(count) - 19)
        #expect(histories[0].holdings.values.allSatisfy { $0.position.size == .zero && $0.isTouched })
    }

    /// Far more markets than the ledger remembers: rows add up to what it says.
    @Test(arguments: [UInt64(1), 2])
    func resultsAddUpToTheLedgersOwn(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var ledger = OrderLedger(cash: usd("100000"))
        var histories = [.positions, .pnl].map { AccountHistory($0, days: .min ... .max) }
        func tell(_ fact: LedgerRecord.Fact, _ day: Int) throws {
            let record = LedgerRecord(fact, at: time(day))
            try ledger.apply(record)
            for index in histories.indices { try histories[index].apply(record) }
        }
        try tell(.checkpoint(ledger), 1)
        for n in 1...580 as ClosedRange<Int64> {
            let day = Int(n / 60) + 1
            let outcome = Int.random(in: 0...1, using: &random)
            let strategy = Bool.random(using: &random) ? "maker" : "taker"
            func trade(_ number: Int64, _ side: TradeSide, _ size: String) throws {
                let ticks = Int.random(in: 1...99, using: &random)
                var wanted = intent(on: n, outcome: outcome, side, "0.\(ticks < 10 ? "0" : "")\(ticks)", size)
                wanted.strategy = strategy
                let order = ledgerOrder(number, wanted)
                try tell(.intent(order), day)
                try tell(.state(order.id, .sent, reason: nil), day)
                var body = fill(order, trade: "t", wanted.price.description, size, fee: "0.001")
                // The venue rounds as it likes.
                body.money += Money(micros: Int64.random(in: -3...3, using: &random))
                try tell(.fill(body), day)
            }
            try trade(2 * n, .buy, "7.77")
            if Bool.random(using: &random) { try trade(2 * n + 1, .sell, n % 3 == 0 ? "7.77" : "3.33") }
            if n % 20 > 0 {
                try tell(.resolution(condition(n), winner: [0, 1, nil].randomElement(using: &random)!), day)
            }
            if n % 100 == 0 { try tell(.checkpoint(ledger), day) }
        }
        let said = ledger.positions.values.reduce(ledger.closedProfit) { $0 + $1.realised - $1.fees }
        let results = histories[1].results.values.reduce(Money.zero) { $0 + $1.realised - $1.fees }
        let held = histories[0].holdings.values.reduce(Money.zero) { $0 + $1.realised - $1.fees }
        #expect(results == said && held == said && histories[1].gapDays.isEmpty, "seed \(seed)")
        #expect(ledger.closedProfit != .zero, "seed \(seed): nothing was forgotten")
    }
}

/// Seconds into a day of May.
private func time(_ day: Int, _ seconds: Int64 = 0) -> Timestamp {
    Timestamp(
        seconds: Timestamp(rfc3339: "2026-05-01T00:00:00Z")!.microseconds / 1_000_000 + Int64(day - 1) * 86_400
            + seconds)
}
private func dayNumber(_ text: String) -> Int64 { Moment.day(of: Timestamp(rfc3339: text + "T00:00:00Z")!) }

@Suite struct CSVTests {
    private func row(_ write: (inout CSV) -> Void) -> String {
        var csv = CSV(["a", "b"])
        write(&csv)
        csv.endRow()
        return String(decoding: csv.bytes, as: UTF8.self).split(separator: "\r\n", maxSplits: 1).last.map(String.init)
            ?? ""
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""),
        ("two\nlines", "\"two\nlines\""), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("\r=1", "\"'\r=1\""), ("=\"a\",1", "\"'=\"\"a\"\",1\""), ("a=1", "a=1"), ("ü", "ü"),
    ])
    func textsAreQuotedAndNoFormulas(text: String, field: String) {
        #expect(self.row { $0.text(text) } == field + "\r\n")
    }

    @Test func numbersStayNumbers() {
        let row = self.row {
            $0.decimal(-250_000)
            $0.decimal(1)
            $0.integer(-3)
            $0.time(Timestamp(microseconds: 1_500_000))
        }
        #expect(row == "-0.25,0.000001,-3,1970-01-01T00:00:01.500000Z\r\n")
    }
}
