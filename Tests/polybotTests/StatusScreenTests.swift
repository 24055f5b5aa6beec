import Shared
import Testing

@testable import polybot

@Suite struct StatusScreenTests {
    private let run = RunView(
        venue: "embedded venue, port 41233", elapsed: .seconds(3_725), mode: .paper,
        children: [
            .simvenue: .init(state: "running", pid: 11, restarts: 0),
            .scannerd: .init(state: "running", pid: 12, restarts: 0),
            .feedd: .init(state: "running", pid: 13, restarts: 2),
            .stratd: .init(state: "restarting", pid: nil, restarts: 1),
        ], note: "Ctrl-C stops")

    private func picture(orders: Int = 3, positions: Int = 1) throws -> Picture {
        var picture = Picture()
        let conditions = (0..<max(orders, positions)).map { index in
            ConditionID(words: (1, 2, 3, UInt64(index)))
        }
        let markets = conditions.enumerated().map { Samples.market($1, slug: "market-\($0)") }
        try picture.take(UniverseBody(markets: markets, age: 0, part: 1, parts: 1), from: .scannerd)
        try picture.take(
            ScanStatus(markets: 25, listed: 1_033, refused: [:], age: 2_500_000, error: nil), from: .scannerd)
        try picture.take(Samples.feed(markets: 25, trusted: 24), from: .feedd)
        try picture.take(
            Metrics(values: [
                "messages": 5_000, "messages_per_s": 1_212, "venue_latency_p50_us": 1_400,
                "venue_latency_p99_us": 88_000,
                "publish_latency_p50_us": 50, "publish_latency_p99_us": 231,
            ]), from: .feedd)
        try picture.take(Samples.risk, from: .stratd)
        try picture.take(
            BalanceBody(cash: Money(micros: 9_748_249_999), reserved: Money(micros: 278_520_000), mode: .paper),
            from: .stratd)
        try picture.take(StrategyStatus(strategy: "maker", state: .running, markets: 24, openOrders: 46), from: .stratd)
        for index in 0..<orders {
            try picture.take(
                Samples.order(
                    "o\(index)", .live, market: conditions[index], time: Samples.time + .seconds(index)), from: .stratd)
        }
        for index in 0..<positions {
            var position = Samples.position(shares: 20, unrealised: -400_000)
            position.market = conditions[index]
            try picture.take(position, from: .stratd)
        }
        return picture
    }

    @Test func everythingIsThereOnATerminalOfTheLeastSize() throws {
        let lines = StatusScreen.render(try self.picture(), self.run, width: 80, height: 24)
        #expect(lines.count == 24)
        #expect(lines.allSatisfy { $0.count <= 80 })
        let text = lines.joined(separator: "\n")
        for fact in [
            "PAPER TRADING", "embedded venue, port 41233", "01:02:05", "websocket, 24/25 books trusted",
            "1,212 messages/s", "1.4 ms / 88.0 ms", "50 µs / 231 µs", "25 markets of 1,033, 2.5 s ago",
            "maker running in 24 markets", "restarting", "orders 3 open", "balance 9,748.24", "reserved 278.52",
            "exposure 17.20", "P&L today -1.23", "open P&L -0.40", "positions 1", "market-2", "Ctrl-C stops",
        ] { #expect(text.contains(fact), "\(fact) is not on\n\(text)") }
    }

    @Test func theNewestOrderIsOnTop() throws {
        let lines = StatusScreen.render(try self.picture(), self.run, width: 80, height: 24)
        let head = try #require(lines.firstIndex { $0.hasPrefix("newest open orders") })
        #expect(lines[head + 1].hasPrefix("market-2"))
        #expect(lines[head + 1].hasSuffix("live"))
        #expect(lines[head + 1].contains("Down   buy    0.43      20"))
    }

    @Test func ordersAndPositionsShareWhatRoomThereIs() throws {
        let lines = StatusScreen.render(
            try self.picture(orders: 40, positions: 40), self.run, width: 100, height: 40)
        let orders = try #require(lines.firstIndex { $0.hasPrefix("newest open orders") })
        let positions = try #require(lines.firstIndex { $0.hasPrefix("positions ") && $0.contains("shares") })
        let end = lines.count - 1
        #expect(abs((positions - orders) - (end - positions)) <= 1)
        #expect(lines[end] == "Ctrl-C stops")
    }

    @Test(arguments: [(80, 24), (40, 10), (20, 3), (1, 1), (200, 60), (0, 0)])
    func noSizeIsExceeded(width: Int, height: Int) throws {
        let lines = StatusScreen.render(
            try self.picture(orders: 50, positions: 50), self.run, width: width, height: height)
        #expect(lines.count == height)
        #expect(lines.allSatisfy { $0.count <= width })
    }

    @Test func aPictureOfNothingIsAPictureToo() {
        let lines = StatusScreen.render(Picture(), self.run, width: 80, height: 24)
        #expect(lines.contains("balance -            reserved -           exposure -"))
        #expect(lines.contains("no open orders"))
    }

    @Test func aHaltIsShownWithItsReason() throws {
        var picture = Picture()
        var risk = Samples.risk
        risk.isHalted = true
        risk.reasons = ["daily_loss"]
        try picture.take(risk, from: .stratd)
        let lines = StatusScreen.render(picture, self.run, width: 80, height: 24)
        #expect(lines.contains { $0.hasSuffix("HALTED: daily_loss") })
    }

    @Test func aNameCannotSteerTheTerminal() {
        #expect(Text.fitted("a\u{1B}[2Jb\nc\u{9B}", 20) == "a?[2Jb?c?")
        #expect(Text.fitted("漢字é", 20) == "??é")
        #expect(Text.fitted("abcdef", 4) == "abc…")
        #expect(Text.left("ab", 4) == "ab  ")
        #expect(Text.right("ab", 4) == "  ab")
    }

    @Test func numbersReadAsPeopleWriteThem() {
        #expect(Text.count(1_234_567) == "1,234,567")
        #expect(Text.count(-999) == "-999")
        #expect(Text.money(Money(micros: -5_000)) == "0.00")
        #expect(Text.money(Money(micros: -1_010_000)) == "-1.01")
        #expect(Text.profit(Money(micros: 1_010_000)) == "+1.01")
        #expect(Text.latency(999) == "999 µs")
        #expect(Text.latency(1_250) == "1.2 ms")
        #expect(Text.latency(61_500_000) == "61.5 s")
    }

    @Test func withoutAScreenOneLineSaysTheMost() throws {
        let line = StatusScreen.line(try self.picture(), self.run)
        #expect(
            line == "01:02:05 websocket, 24/25 books trusted, 1212 messages/s, 3 open orders, 0 fills, 1 positions, "
                + "P&L -1.23, 3 restarts")
    }
}
