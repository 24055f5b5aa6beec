import Shared
import Testing

@testable import DaemonKit

/// What a slow subscriber gets, told frame by frame.
struct OutputQueueTests {
    /// A queue, its publisher and the subscriber at its end, in one thread.
    private struct Line {
        static let time = Timestamp(seconds: 1_780_000_000)
        var queue = OutputQueue()
        var markets: [Int64: ProtocolMarket] = [:]
        var follower = ProtocolFollower()
        /// What the snapshots were asked for with.
        var asked: [(n: Int64, conflated: Int64?, lost: Int64?)] = []
        var random = SeededRandom(seed: 3)

        init(markets: ClosedRange<Int64>) {
            for n in markets {
                self.markets[n] = ProtocolMarket(n)
                _ = self.markets[n]!.change(30, using: &self.random)
                #expect(self.add(self.markets[n]!.marketBody, .opening) == .queued)
                self.queue.wantFirstSnapshot(n)
            }
        }

        mutating func add(_ body: some FrameBody, _ frameClass: FrameClass) -> OutputQueue.Admission {
            self.queue.add(EncodedFrame(body, sentTime: Self.time), frameClass)
        }

        mutating func change(_ n: Int64, levels: Int = 1) {
            let delta = self.markets[n]!.change(levels, using: &self.random)
            #expect(self.add(delta, .book(n: n)) == .queued)
        }

        mutating func trade(_ n: Int64, at time: Int64) {
            let class_ = FrameClass.trade(n: n, received: Timestamp(microseconds: time))
            #expect(self.add(self.markets[n]!.trade(at: time), class_) == .queued)
        }

        mutating func refill() {
            let markets = self.markets
            var asked: [(n: Int64, conflated: Int64?, lost: Int64?)] = []
            self.queue.refill { n, conflated, lost in
                asked.append((n, conflated, lost?.count))
                var frames: [EncodedFrame] = []
                if let lost {
                    let body = TradesDropped(n: n, count: lost.count, from: lost.from, to: lost.to)
                    frames.append(EncodedFrame(body, sentTime: Self.time))
                }
                if let market = markets[n] {
                    frames.append(EncodedFrame(market.bookBody(conflated: conflated), sentTime: Self.time))
                }
                return frames
            }
            self.asked += asked
        }

        /// Reads everything, as a subscriber does that is fast again.
        mutating func drain() {
            while true {
                if self.queue.ready.count == self.queue.sentCount { self.refill() }
                let rest = self.queue.ready.count - self.queue.sentCount
                guard rest > 0 else { return }
                self.follower.receive(self.queue.ready.suffix(rest))
                self.queue.sent(rest)
            }
        }

        /// Publishes changes of market `n` until the next would not fit.
        mutating func fill(_ n: Int64) {
            while self.queue.byteCount < OutputQueue.byteCountMax - 4_000 { self.change(n, levels: 60) }
        }
    }

    @Test func aSubscriberThatReadsGetsEveryFrameInOrder() {
        var line = Line(markets: 1...2)
        line.drain()
        for number in 0..<100 {
            line.change(1 + Int64(number % 2))
            if number % 7 == 0 { line.trade(1, at: Int64(number)) }
            if number % 10 == 0 { line.drain() }
        }
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.books == line.markets.mapValues(\.book))
        #expect(line.follower.trades == [1: 15])
        #expect(line.follower.conflated == 0 && line.follower.tradesDropped.isEmpty)
    }

    @Test func theMarketComesFirstThenItsSnapshotThenItsChanges() {
        var line = Line(markets: 1...1)
        // A change that the snapshot will hold already, and a print before it.
        line.change(1)
        line.trade(1, at: 5)
        line.drain()
        line.change(1)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.frameCount == 4, "market, trades_dropped, book, delta")
        #expect(line.follower.tradesDropped == [1: 1])
        #expect(line.follower.books[1] == line.markets[1]!.book)
    }

    @Test func aFullQueueBecomesOneSnapshotForEachMarketThatLosesSomething() {
        var line = Line(markets: 1...3)
        line.drain()
        line.asked = []
        line.change(2)
        line.fill(1)
        let changed = line.markets[1]!.book.update
        line.change(1, levels: 200)
        line.change(1)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.books == line.markets.mapValues(\.book))
        #expect(line.asked.map(\.n) == [1], "the second market's change was in the kernel's chunk, the third had none")
        #expect(line.follower.conflated > 0 && line.follower.conflated <= changed)
    }

    @Test func lostPrintsAreToldBeforeTheSnapshotWithTheirTimes() {
        var line = Line(markets: 1...2)
        line.drain()
        line.fill(1)
        line.trade(2, at: 70)
        line.trade(2, at: 71)
        line.change(1, levels: 200)
        line.trade(2, at: 72)
        line.trade(1, at: 73)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.trades == [:])
        #expect(line.follower.tradesDropped == [1: 1, 2: 3])
        #expect(line.asked.last { $0.n == 2 }?.lost == 3)
    }

    @Test func statusIsLeftOutWhileTheQueueIsFullAndCostsNobodyABook() {
        var line = Line(markets: 1...1)
        line.drain()
        line.fill(1)
        for number in Int64(0)..<1_000 { _ = line.add(Metrics(values: ["messages": number]), .status) }
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.conflated == 0)
        #expect(line.follower.metrics.count < 200)
        #expect(line.follower.metrics == line.follower.metrics.sorted())
    }

    @Test func ofALatestValueThatWaitsOnlyTheNewestIsTold() {
        var line = Line(markets: 1...1)
        line.drain()
        line.fill(1)
        let before = line.queue.byteCount
        for number in 1...10_000 {
            for (key, symbol) in ["btcusd", "ethusd"].enumerated() {
                let price = ProtocolMarket.price(symbol, "\(number)")
                #expect(line.add(price, .latest(key)) == .queued)
            }
        }
        #expect(line.queue.byteCount == before, "they take no room of books")
        line.drain()
        line.change(1)
        #expect(line.add(ProtocolMarket.price("btcusd", "10001"), .latest(0)) == .queued)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.prices == ["btcusd": ["10000", "10001"], "ethusd": ["10000"]])
        #expect(line.follower.conflated == 0 && line.follower.books[1] == line.markets[1]!.book)
    }

    @Test func aLatestValueIsGivenUpWithTheConnection() {
        var line = Line(markets: 1...1)
        line.drain()
        line.fill(1)
        #expect(line.add(ProtocolMarket.price("btcusd", "1"), .latest(0)) == .queued)
        line.queue.endWith(EncodedFrame(ErrorBody(code: .slowConsumer, message: "too slow"), sentTime: Line.time))
        line.drain()
        #expect(line.follower.prices.isEmpty && line.follower.errors.count == 1)
    }

    @Test func preciousFramesDriveBooksOutAndAreNeverLost() {
        var line = Line(markets: 1...1)
        line.drain()
        line.fill(1)
        let message = String(repeating: "x", count: 10_000)
        for id in 1...50 {
            let body = ResultBody(id: Int64(id), .ok(.string(message)))
            #expect(line.add(body, .precious) == .queued)
        }
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.results == Array(1...50))
        #expect(line.follower.conflated > 0)
        #expect(line.follower.books[1] == line.markets[1]!.book)
    }

    @Test func whatIsPreciousAloneMayNotPassTheBound() {
        var line = Line(markets: 1...1)
        line.drain()
        let message = String(repeating: "x", count: 100_000)
        var admitted: Int64 = 0
        while line.add(ResultBody(id: admitted + 1, .ok(.string(message))), .precious) == .queued {
            admitted += 1
            #expect(line.queue.byteCount <= OutputQueue.byteCountMax)
        }
        #expect(admitted == 10)
        // The goodbye comes after what was begun; the rest is given up.
        line.queue.endWith(EncodedFrame(ErrorBody(code: .slowConsumer, message: "too slow"), sentTime: Line.time))
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.results == [1])
        #expect(line.follower.errors.map(\.code) == [.slowConsumer])
    }

    @Test func openingFramesHaveABoundOfTheirOwn() {
        var line = Line(markets: 1...1)
        line.drain()
        let message = String(repeating: "x", count: 100_000)
        var admitted: Int64 = 0
        while line.add(ResultBody(id: admitted + 1, .ok(.string(message))), .opening) == .queued {
            admitted += 1
        }
        // The first stands in the kernel's chunk already.
        #expect(admitted == 1 + Int64(OutputQueue.openingByteCountMax / 100_200))
        #expect(line.add(ResultBody(id: 1_000, .ok(nil)), .precious) == .queued)
        line.change(1)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.results == Array(1...admitted) + [1_000])
        #expect(line.follower.conflated == 0)
    }

    @Test func twoThousandMarketsAreToldAtOnceThoughTheyExceedTheBound() {
        var line = Line(markets: 1...2_000)
        #expect(line.add(ResultBody(id: 1, .ok(nil)), .precious) == .queued)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.books == line.markets.mapValues(\.book))
    }

    @Test func distrustOvertakesNoSnapshotAndNoSnapshotOvertakesDistrust() {
        var line = Line(markets: 1...1)
        line.drain()
        line.fill(1)
        line.change(1, levels: 200)
        // The snapshot is still to come; what is said of the market meanwhile comes first and is in it.
        let distrust = line.markets[1]!.distrust(.crossed)
        #expect(line.add(distrust, .precious) == .queued)
        let tick = line.markets[1]!.changeTick()
        #expect(line.add(tick, .precious) == .queued)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.books[1] == line.markets[1]!.book)
        let book = line.markets[1]!.restore()
        #expect(line.add(book, .book(n: 1)) == .queued)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.books[1]?.isTrusted == true)
    }

    @Test func aForgottenMarketsTurnIsNobodyElses() {
        var line = Line(markets: 1...300)
        line.drain()
        line.asked = []
        for n in Int64(1)...300 { line.queue.wantFirstSnapshot(n) }
        // As many as fit into a chunk have their turn; the first of them becomes due again and is then forgotten.
        line.refill()
        #expect((2...299).contains(line.asked.count))
        line.queue.wantFirstSnapshot(1)
        line.queue.forget(1)
        line.drain()
        #expect(line.asked.map(\.n) == Array(1...300))
        #expect(line.follower.violations == [])
    }

    @Test func subscribingOverAndOverDoesNotMakeTheLineOfTurnsGrow() {
        var line = Line(markets: 1...3)
        for _ in 0..<10_000 {
            for n in Int64(1)...3 {
                line.queue.forget(n)
                line.queue.wantFirstSnapshot(n)
            }
        }
        line.asked = []
        line.drain()
        #expect(line.asked.map(\.n).sorted() == [1, 2, 3])
    }

    @Test func aNewSubscriptionKeepsTheLossesOfWhatStaysWanted() {
        var line = Line(markets: 1...1)
        line.drain()
        line.fill(1)
        line.change(1, levels: 200)
        line.trade(1, at: 9)
        line.queue.wantFirstSnapshot(1)
        line.trade(1, at: 10)
        line.drain()
        #expect(line.follower.tradesDropped == [1: 2])
        #expect(line.asked.last?.conflated == nil, "a first snapshot, as asked for")
    }

    @Test func lossesAreToldFromTheFirstToTheLastWhateverTheirOrder() {
        var line = Line(markets: 1...1)
        line.drain()
        line.fill(1)
        line.trade(1, at: 9)
        #expect(line.add(line.markets[1]!.marketBody, .opening) == .queued)
        line.queue.wantFirstSnapshot(1)
        line.trade(1, at: 10)
        // What waited, the earlier print too, is given up only now.
        #expect(line.add(ResultBody(id: 1, .ok(.string(String(repeating: "x", count: 100_000)))), .precious) == .queued)
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.tradesDropped == [1: 2])
    }

    @Test func aForgottenMarketsBacklogIsGivenUpWithoutASnapshot() {
        var line = Line(markets: 1...2)
        line.drain()
        line.fill(1)
        line.change(2)
        line.trade(2, at: 9)
        line.queue.forget(2)
        line.asked = []
        line.change(1, levels: 200)
        line.drain()
        #expect(line.asked.map(\.n) == [1])
        #expect(line.follower.tradesDropped == [:])
    }

    @Test func aSubscriberThatIsAlwaysALittleBehindCostsNoMoreThanItsBacklog() {
        var line = Line(markets: 1...1)
        line.drain()
        for _ in 0..<200 { line.change(1, levels: 60) }
        for _ in 0..<2_000 {
            line.change(1, levels: 60)
            if line.queue.ready.count == line.queue.sentCount { line.refill() }
            let rest = min(line.queue.ready.count - line.queue.sentCount, 2_000)
            line.follower.receive(line.queue.ready[line.queue.sentCount..<line.queue.sentCount + rest])
            line.queue.sent(rest)
        }
        line.drain()
        #expect(line.follower.violations == [])
        #expect(line.follower.books[1] == line.markets[1]!.book)
    }
}
