import DaemonKit
import Shared
import Testing

@testable import feedd

private func second(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }

/// The lines to Binance: one, and a second one before the day of the first is over.
@Suite struct BinanceFeedTests {
    private var feed = BinanceFeed(settings: .init(), seed: 1)

    private static let day = Int64(84_600)

    private func command(_ method: String, _ id: Int, _ pairs: String...) -> String {
        let streams = pairs.flatMap { ["\"\($0)@bookTicker\"", "\"\($0)@kline_1h\"", "\"\($0)@trade\""] }
        return #"{"method":"\#(method)","params":[\#(streams.joined(separator: ","))],"id":\#(id)}"#
    }

    /// A line that was opened after a second, was asked for its streams and told a price.
    private mutating func goLive(_ symbols: Set<ReferenceSymbol> = [.btcusd]) {
        _ = self.feed.handle(.wanted(symbols), now: second(0))
        _ = self.feed.handle(.opened(1), now: second(1))
        _ = self.feed.handle(.heard(1, isPrice: true), now: second(2))
    }

    private var waitingUntil: Instant? { if case .waiting(let until) = self.feed.state { until } else { nil } }

    // MARK: One line

    @Test mutating func nothingIsDoneWhileNothingIsWanted() {
        for event in [
            BinanceFeed.Event.wanted([]), .wanted([.hypeusd]), .opened(1), .heard(1, isPrice: true), .ending(1),
            .dropped(1), .woke,
        ] {
            #expect(self.feed.handle(event, now: second(0)) == [])
            #expect(self.feed.state == .idle)
        }
    }

    @Test mutating func anOpenLineIsAskedForAllStreamsAtOnce() {
        #expect(self.feed.handle(.wanted([.ethusd]), now: second(0)) == [.connect(1), .wake(at: second(15))])
        #expect(self.feed.handle(.wanted([.ethusd, .btcusd]), now: second(0)) == [.wake(at: second(15))])
        #expect(
            self.feed.handle(.opened(1), now: second(1)) == [
                .send(1, self.command("SUBSCRIBE", 1, "btcusdt", "ethusdt")), .wake(at: second(21)),
            ])
        #expect(self.feed.isLive)
        #expect(self.feed.handle(.heard(1, isPrice: true), now: second(2)) == [.wake(at: second(22))])
        #expect(self.feed.handle(.heard(1, isPrice: true), now: second(3)) == [])
    }

    @Test mutating func whatIsWantedNoMoreIsGivenUp() {
        self.goLive([.btcusd, .ethusd])
        let actions = self.feed.handle(.wanted([.ethusd, .solusd]), now: second(9))
        #expect(
            actions.prefix(2) == [
                .send(1, self.command("UNSUBSCRIBE", 2, "btcusdt")), .send(1, self.command("SUBSCRIBE", 3, "solusdt")),
            ])
        #expect(self.feed.handle(.wanted([]), now: second(10)) == [.close(1)])
        #expect(self.feed.state == .idle)
    }

    @Test mutating func aLineThatNeverOpensIsGivenUp() throws {
        _ = self.feed.handle(.wanted([.btcusd]), now: second(0))
        #expect(self.feed.handle(.woke, now: second(14)) == [.wake(at: second(15))])
        #expect(self.feed.handle(.woke, now: second(15)).first == .close(1))
        let until = try #require(self.waitingUntil)
        #expect((second(16)...second(17)).contains(until))
        #expect(self.feed.handle(.woke, now: until) == [.connect(2), .wake(at: until + .seconds(15))])
    }

    @Test mutating func aLineThatSaysNothingIsDeadThoughItIsOpen() {
        self.goLive()
        _ = self.feed.handle(.heard(1, isPrice: true), now: second(30))
        #expect(self.feed.handle(.woke, now: second(49)) == [.wake(at: second(50))])
        #expect(self.feed.handle(.woke, now: second(50)).prefix(2) == [.close(1), .lost])
        #expect(!self.feed.isLive)
    }

    @Test mutating func waitsGrowUntilAPriceComesAndAnAnswerIsNone() throws {
        _ = self.feed.handle(.wanted([.btcusd]), now: second(0))
        var now = second(0)
        var waits: [Duration] = []
        for number in 1...8 {
            _ = self.feed.handle(.opened(number), now: now)
            _ = self.feed.handle(.heard(number, isPrice: false), now: now)
            _ = self.feed.handle(.dropped(number), now: now)
            let until = try #require(self.waitingUntil)
            waits.append(until - now)
            now = until
            _ = self.feed.handle(.woke, now: now)
        }
        #expect(waits[0] <= .seconds(2) && waits[7] >= .seconds(30) && waits[7] <= .seconds(60))
        _ = self.feed.handle(.opened(9), now: now)
        _ = self.feed.handle(.heard(9, isPrice: true), now: now)
        _ = self.feed.handle(.dropped(9), now: now)
        #expect(try #require(self.waitingUntil) - now <= .seconds(2))
    }

    @Test mutating func whoeverChangesHisMindOverAndOverCostsFewConnectsAndCommands() {
        var connects = 0
        var commands = 0
        for step in Int64(0)..<600 {
            let now = Instant(nanoseconds: step * 100_000_000)
            for action in self.feed.handle(.wanted(step % 2 == 0 ? [.btcusd] : []), now: now) {
                if case .connect = action { connects += 1 }
            }
        }
        #expect((1...31).contains(connects), "an address may try once a second")
        let end = second(100)
        var line = 0
        for action in self.feed.handle(.wanted([.btcusd]), now: end) {
            if case .connect(let number) = action { line = number }
        }
        _ = self.feed.handle(.opened(line), now: end)
        for step in Int64(1)...100 {
            let now = end + .milliseconds(10 * step)
            for action in self.feed.handle(.wanted(step % 2 == 0 ? [.btcusd] : [.ethusd]), now: now) {
                if case .send = action { commands += 1 }
            }
        }
        #expect(commands <= 4, "Binance takes five frames a second, pongs among them")
        // And in the end it is asked for what is wanted in the end.
        _ = self.feed.handle(.woke, now: end + .seconds(3))
        _ = self.feed.handle(.woke, now: end + .seconds(6))
        guard case .running(let state, _) = self.feed.state else {
            Issue.record("no line is left")
            return
        }
        #expect(state.streams == ["btcusdt@bookTicker", "btcusdt@kline_1h", "btcusdt@trade"])
    }

    // MARK: Two lines

    @Test mutating func beforeItsDayIsOverALineHasASuccessorThatIsReadBesideIt() {
        self.goLive()
        let due = 1 + Self.day
        _ = self.feed.handle(.heard(1, isPrice: true), now: second(due - 1))
        #expect(self.feed.handle(.woke, now: second(due)) == [.connect(2), .wake(at: second(due + 15))])
        #expect(
            self.feed.handle(.opened(2), now: second(due + 1)) == [
                .send(2, self.command("SUBSCRIBE", 2, "btcusdt")), .wake(at: second(due + 19)),
            ])
        #expect(self.feed.handle(.heard(2, isPrice: false), now: second(due + 1)) == [])
        #expect(self.feed.handle(.heard(1, isPrice: true), now: second(due + 2)) == [])
        // The overlap is counted from the successor's first price: until then only the first can be relied on.
        #expect(
            self.feed.handle(.heard(2, isPrice: true), now: second(due + 3)) == [.wake(at: second(due + 8))])
        #expect(self.feed.handle(.heard(1, isPrice: true), now: second(due + 7)) == [])
        #expect(self.feed.handle(.woke, now: second(due + 8)) == [.close(1), .wake(at: second(due + 23))])
        #expect(self.feed.isLive)
    }

    @Test mutating func aLineThatIsToEndHasItsSuccessorAtOnce() {
        self.goLive()
        #expect(self.feed.handle(.ending(1), now: second(9)) == [.connect(2), .wake(at: second(22))])
    }

    @Test mutating func aSuccessorThatFailsLeavesTheFirstInPlaceAndIsTriedAgain() {
        self.goLive()
        _ = self.feed.handle(.ending(1), now: second(9))
        let actions = self.feed.handle(.dropped(2), now: second(10))
        guard case .wake(let again) = actions.last, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        #expect((second(11)...second(12)).contains(again))
        #expect(self.feed.handle(.woke, now: again).first == .connect(3))
        #expect(self.feed.isLive)
    }

    @Test mutating func whenTheFirstEndsTooSoonItsSuccessorTakesItsPlace() {
        self.goLive()
        _ = self.feed.handle(.ending(1), now: second(9))
        _ = self.feed.handle(.opened(2), now: second(10))
        #expect(self.feed.handle(.dropped(1), now: second(11)).first == .lost, "the second has told no price")
        _ = self.feed.handle(.heard(2, isPrice: true), now: second(12))
        _ = self.feed.handle(.ending(2), now: second(13))
        _ = self.feed.handle(.opened(3), now: second(14))
        _ = self.feed.handle(.heard(3, isPrice: true), now: second(14))
        #expect(!self.feed.handle(.dropped(2), now: second(15)).contains(.lost), "the third tells prices")
        #expect(self.feed.isLive)
    }

    @Test mutating func whatAForgottenLineSaysIsOfNoInterest() {
        self.goLive()
        _ = self.feed.handle(.ending(1), now: second(9))
        let before = self.feed.state
        for event in [BinanceFeed.Event.opened(7), .heard(7, isPrice: true), .ending(7), .dropped(7)] {
            _ = self.feed.handle(event, now: second(9))
            #expect(self.feed.state == before)
        }
    }

    // MARK: Whatever happens

    /// Binance as far as it matters here: lines, and what each was asked for.
    private struct World {
        var feed: BinanceFeed
        var random: SeededRandom
        var now = second(0)
        var wakeAt: Instant?
        var pending: Set<Int> = []
        var open: [Int: Set<String>] = [:]
        var sentAt: [Int: [Instant]] = [:]
        var wanted: Set<ReferenceSymbol> = []
        var problems: [String] = []

        init(seed: UInt64) {
            self.feed = BinanceFeed(settings: .init(), seed: seed)
            self.random = SeededRandom(seed: seed)
        }

        mutating func handle(_ event: BinanceFeed.Event) {
            for action in self.feed.handle(event, now: self.now) { self.perform(action) }
            if self.pending.count + self.open.count > 2 { self.problems.append("more than two lines") }
        }

        mutating func perform(_ action: BinanceFeed.Action) {
            switch action {
            case .connect(let number): self.pending.insert(number)
            case .close(let number):
                let isKnown = self.pending.remove(number) != nil || self.open.removeValue(forKey: number) != nil
                if !isKnown { self.problems.append("line \(number) was closed twice") }
            case .send(let number, let text):
                guard let command = try? JSONValue(parsing: Array(text.utf8)), self.open[number] != nil else {
                    return self.problems.append("line \(number) is not open")
                }
                let streams = Set((command["params"]?.array ?? []).compactMap(\.string))
                if command["method"]?.string == "SUBSCRIBE" {
                    self.open[number]!.formUnion(streams)
                } else {
                    self.open[number]!.subtract(streams)
                }
                let recent = (self.sentAt[number] ?? []).filter { self.now - $0 < .seconds(1) } + [self.now]
                self.sentAt[number] = recent
                if recent.count > 4 { self.problems.append("\(recent.count) commands in a second") }
            case .lost: break
            case .wake(let at): self.wakeAt = at
            }
        }

        mutating func pass(_ duration: Duration) {
            let end = self.now + duration
            while let at = self.wakeAt, at <= end {
                self.now = max(self.now, at)
                self.wakeAt = nil
                self.handle(.woke)
            }
            self.now = end
        }

        mutating func step() {
            self.pass(.milliseconds(Int64.random(in: 0...4_000, using: &self.random)))
            let line = (self.open.keys.sorted() + self.pending.sorted()).randomElement(using: &self.random)
            switch Int.random(in: 0..<20, using: &self.random) {
            case 0...1:
                self.wanted = Set(ReferenceSymbol.allCases.filter { _ in Bool.random(using: &self.random) })
                if Int.random(in: 0..<4, using: &self.random) == 0 { self.wanted = [] }
                self.handle(.wanted(self.wanted))
            case 2: if let line, self.open[line] != nil { self.handle(.ending(line)) }
            case 3...4:
                guard let line else { return }
                self.pending.remove(line)
                self.open[line] = nil
                self.handle(.dropped(line))
            case 5: self.pass(.seconds(Int64.random(in: 0...50_000, using: &self.random)))
            case 6...10:
                guard let line, self.pending.remove(line) != nil else { return }
                self.open[line] = []
                self.handle(.opened(line))
            default:
                guard let line, self.open[line] != nil else { return }
                self.handle(.heard(line, isPrice: Bool.random(using: &self.random)))
            }
        }

        /// All is well for a while.
        mutating func heal() {
            for _ in 0..<200 {
                for line in self.pending.sorted() {
                    self.pending.remove(line)
                    self.open[line] = []
                    self.handle(.opened(line))
                }
                for line in self.open.keys.sorted() where self.open[line]?.isEmpty == false {
                    self.handle(.heard(line, isPrice: true))
                }
                self.pass(.seconds(1))
            }
        }
    }

    @Test func afterAnythingAllThatIsWantedIsFollowedByOneLine() {
        let seed = UInt64.random(in: .min ... .max)
        for offset in UInt64(0)..<40 {
            var world = World(seed: seed &+ offset)
            for _ in 0..<300 { world.step() }
            world.wanted = [.btcusd, .ethusd]
            world.handle(.wanted(world.wanted))
            world.heal()
            #expect(world.problems == [], "seed \(seed &+ offset)")
            #expect(world.open.count == 1 && world.open.values.first?.count == 6, "seed \(seed &+ offset)")
        }
    }

    // MARK: The address

    @Test(arguments: [
        ("wss://stream.binance.com:9443", "wss://stream.binance.com:9443/stream"),
        ("wss://stream.binance.com:9443/ws", "wss://stream.binance.com:9443/stream"),
        ("wss://stream.binance.com/ws/btcusdt@trade", "wss://stream.binance.com/stream"),
        ("wss://stream.binance.com/stream?streams=btcusdt@trade", "wss://stream.binance.com/stream"),
        ("ws://[::1]:8080/mirror/ws", "ws://[::1]:8080/mirror/stream"), ("ws://h/stream", "ws://h/stream"),
    ])
    func binancesOwnPathsAreReplaced(text: String, address: String) throws {
        #expect(try BinanceLines.address(text).description == address)
    }
}
