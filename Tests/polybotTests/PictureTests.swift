import Shared
import Testing

@testable import polybot

@Suite struct PictureTests {
    @Test func anOrderIsOpenUntilItIsFinishedAndCountedOnce() throws {
        var picture = Picture()
        try picture.take(Samples.order("o1", .intended), from: .stratd)
        #expect(picture.openOrders.count == 1)
        #expect(picture.orderCount == 0)
        for state in [OrderState.sent, .live, .cancelling] {
            try picture.take(Samples.order("o1", state), from: .stratd)
        }
        #expect(picture.orderCount == 1)
        try picture.take(Samples.order("o1", .cancelled), from: .stratd)
        try picture.take(Samples.order("o2", .rejected), from: .stratd)
        #expect(picture.openOrders.isEmpty)
        #expect(picture.orderCount == 1)
    }

    @Test func aFillIsCountedOnceThroughItsSettlement() throws {
        var picture = Picture()
        for settlement in [Settlement.matched, .mined, .confirmed] {
            try picture.take(Samples.fill(trade: "t1", settlement: settlement), from: .stratd)
        }
        try picture.take(Samples.fill(trade: "t2"), from: .stratd)
        #expect(picture.fillCount == 2)
    }

    @Test func aFlatPositionIsNone() throws {
        var picture = Picture()
        try picture.take(Samples.position(shares: 20, unrealised: 1_500_000), from: .stratd)
        #expect(picture.positions.count == 1)
        #expect(picture.unrealised == Money(micros: 1_500_000))
        try picture.take(Samples.position(shares: 0), from: .stratd)
        #expect(picture.positions.isEmpty)
    }

    @Test func whatARestartedStratdNoLongerNamesIsGone() throws {
        var picture = Picture()
        picture.connected(.stratd, Samples.hello(.stratd))
        try picture.take(Samples.order("o1", .live), from: .stratd)
        try picture.take(Samples.risk, from: .stratd)
        picture.disconnected(.stratd, "gone")
        #expect(picture.risk == nil)
        #expect(picture.lines[.stratd]?.isConnected == false)
        picture.connected(.stratd, Samples.hello(.stratd, pid: 101))
        #expect(picture.openOrders.isEmpty)
        try picture.take(Samples.order("o1", .live), from: .stratd)
        #expect(picture.orderCount == 1)
        #expect(picture.lines[.stratd]?.pid == 101)
    }

    @Test func countersAreSummedOverTheLivesOfADaemon() throws {
        var picture = Picture()
        picture.connected(.feedd, Samples.hello(.feedd))
        try picture.take(Metrics(values: ["messages": 100]), from: .feedd)
        try picture.take(Metrics(values: ["messages": 250]), from: .feedd)
        picture.disconnected(.feedd, "gone")
        #expect(picture.messageCount == 250)
        picture.connected(.feedd, Samples.hello(.feedd))
        try picture.take(Metrics(values: ["messages": 7]), from: .feedd)
        #expect(picture.messageCount == 257)
    }

    @Test func decisionsOfASecondAreTheDifferenceOfTwoReports() throws {
        var picture = Picture()
        try picture.take(Metrics(values: ["decisions": 10]), from: .stratd)
        #expect(picture.decisionsPerSecond == nil)
        try picture.take(Metrics(values: ["decisions": 35]), from: .stratd)
        #expect(picture.decisionsPerSecond == 25)
    }

    @Test func aMarketThatWasJustAddedIsNotYetUntrusted() throws {
        var picture = Picture()
        for trusted in [25, 24, 25] as [Int64] {
            try picture.take(Samples.feed(markets: 25, trusted: trusted), from: .feedd)
        }
        #expect(picture.untrusted == 0)
        #expect(picture.mostUntrusted == 1)
        for _ in 0..<Picture.steadyReportCount {
            try picture.take(Samples.feed(markets: 25, trusted: 23), from: .feedd)
        }
        #expect(picture.untrusted == 2)
        #expect(picture.mostUntrusted == 2)
    }

    @Test func theFirstBooksOnTheirWayAreNoMistrust() throws {
        var picture = Picture()
        for trusted in [0, 10, 24] as [Int64] {
            try picture.take(Samples.feed(markets: 25, trusted: trusted), from: .feedd)
        }
        #expect(picture.mostUntrusted == nil)
    }

    @Test func marketsHaveTheirNamesAlsoAfterTheScannerHasDroppedThem() throws {
        var picture = Picture()
        #expect(picture.name(of: Samples.condition) == "0xababababab…")
        try picture.take(UniverseBody(markets: [Samples.market], age: 0, part: 1, parts: 1), from: .scannerd)
        try picture.take(MarketRemoved(market: Samples.condition, reason: .ended), from: .scannerd)
        #expect(picture.name(of: Samples.condition) == "btc-updown-5m-1790000100")
        #expect(picture.label(of: Samples.market.second.token, in: Samples.condition) == "Down")
        #expect(picture.label(of: TokenID("3")!, in: Samples.condition) == "?")
    }

    @Test func theSummaryIsOneLineOfJSONWithAllMembers() throws {
        var picture = Picture()
        try picture.take(Samples.feed(markets: 25, trusted: 25), from: .feedd)
        try picture.take(Samples.risk, from: .stratd)
        try picture.take(BalanceBody(cash: Money(micros: 9_000_500_000), reserved: .zero, mode: .paper), from: .stratd)
        let summary = Summary(
            isOK: true, elapsed: .milliseconds(20_003), venue: "embedded", restarts: [.feedd: 1, .stratd: 0],
            outages: [.feedd: .milliseconds(240)])
        let bytes = summary.json(picture)
        #expect(bytes.firstIndex(of: 10) == bytes.count - 1)
        let value = try JSONValue(parsing: bytes)
        #expect(value["ok"]?.bool == true)
        #expect(value["seconds"]?.micros == 20_003_000)
        #expect(value["trusted"]?.integer == 25)
        #expect(value["max_untrusted"]?.integer == 0)
        #expect(value["cash"]?.string == "9000.5")
        #expect(value["profit"]?.string == "-1.234567")
        #expect(value["restarts"]?["feedd"]?.integer == 1)
        #expect(value["longest_outage_ms"]?["feedd"]?.integer == 240)
        #expect(value["error"] == nil)
        // What is written is what --help tells of.
        for name in value.object!.keys where name != "error" { #expect(Summary.members.contains(name)) }
    }

    @Test func onPaperIsOnlyWhatIsKnownToBe() throws {
        func mode(_ summary: Summary) throws -> JSONValue? {
            try JSONValue(parsing: summary.json(Picture())).object?["mode"]
        }
        #expect(try mode(Summary(isOK: false, venue: "unknown")) == .null)
        #expect(try mode(Summary(isOK: false, venue: "embedded", mode: .paper)) == .string("paper"))
    }

    @Test func aMemoryIsBoundedAndForgetsTheOldestFirst() {
        var recent = RecentSet<Int>(countMax: 3)
        let isNew = [1, 2, 3, 1, 4, 1, 4].map { recent.insert($0) }
        #expect(isNew == [true, true, true, false, true, true, false])
    }
}
