import Glibc
import Shared
import Testing

@testable import DaemonKit

/// A publisher that does anything, a subscriber that reads when it likes, and the promises between them.
struct OutputQueuePropertyTests {
    /// `SIMULATION_SEED` adds one of your own.
    static let seeds: [UInt64] =
        [1, 2] + (getenv("SIMULATION_SEED").flatMap { UInt64(String(cString: $0)) }.map { [$0] } ?? [])
    private static let isSoak = getenv("POLYBOT_SOAK") != nil

    private struct World {
        static let time = Timestamp(seconds: 1_780_000_000)
        static let marketCount: Int64 = 5
        var random: SeededRandom
        var markets: [Int64: ProtocolMarket] = [:]
        // Of the present connection:
        var queue = OutputQueue()
        var follower = ProtocolFollower()
        var wanted: Set<Int64> = []
        /// Markets whose losses were given up with them.
        var forgotten: Set<Int64> = []
        var tradesPublished: [Int64: Int64] = [:]
        var results: [Int64] = []
        var metrics: [Int64] = []
        /// The latest of each symbol.
        var prices: [String: String] = [:]
        var clock: Int64 = 0
        /// Bytes that the subscriber takes at a time.
        var appetite = 40_000
        /// Size of what may not be lost.
        var preciousByteCountMax: Int64 = 1_000
        var overflows = 0
        var conflations: Int64 = 0
        var problems: [String] = []

        init(seed: UInt64) {
            self.random = SeededRandom(seed: seed)
            for n in 1...Self.marketCount {
                self.markets[n] = ProtocolMarket(n)
                _ = self.markets[n]!.change(20, using: &self.random)
            }
        }

        mutating func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self.random) }

        // MARK: The publisher

        mutating func publish(_ body: some FrameBody, _ frameClass: FrameClass) {
            let before = self.queue.byteCount
            let admission = self.queue.add(EncodedFrame(body, sentTime: Self.time), frameClass)
            // Only a snapshot, which is outside the bound, can have brought it above.
            if frameClass != .opening && self.queue.byteCount > max(before, OutputQueue.byteCountMax) {
                self.problems.append("\(self.queue.byteCount) bytes wait")
            }
            if admission == .overflow { self.disconnect(frameClass) }
        }

        mutating func publish(_ body: some FrameBody, market n: Int64, _ frameClass: FrameClass = .precious) {
            if self.wanted.contains(n) { self.publish(body, frameClass) }
        }

        mutating func step() {
            self.clock += 1
            let n = self.number(1...Self.marketCount)
            let isUsable = self.markets[n]!.book.isTrusted
            switch self.number(0...999) {
            case 0..<600:
                guard isUsable else { return }
                let delta = self.markets[n]!.change(Int(self.number(1...120)), using: &self.random)
                self.publish(delta, market: n, .book(n: n))
            case 600..<750:
                guard self.wanted.contains(n) else { return }
                self.tradesPublished[n, default: 0] += 1
                let received = Timestamp(microseconds: self.clock)
                self.publish(self.markets[n]!.trade(at: self.clock), .trade(n: n, received: received))
            case 750..<780:
                guard isUsable else { return }
                let trust = self.markets[n]!.distrust(.hashMismatch)
                self.publish(trust, market: n)
            case 780..<860:
                guard !self.markets[n]!.isResolved else { return }
                let book = self.markets[n]!.restore()
                self.publish(book, market: n, .book(n: n))
            case 860..<870:
                let tick = self.markets[n]!.changeTick()
                self.publish(tick, market: n)
                let trust = self.markets[n]!.distrust(.noSnapshot)
                self.publish(trust, market: n)
            case 870 where self.markets[n]!.isResolved == false && n == 1:
                let resolved = self.markets[n]!.resolve()
                self.publish(resolved, market: n)
                let trust = self.markets[n]!.distrust(.resolved)
                self.publish(trust, market: n)
            case 880..<950:
                self.metrics.append(self.clock)
                self.publish(Metrics(values: ["messages": self.clock]), .status)
            case 950..<985:
                self.results.append(self.clock)
                let size = self.number(0...self.preciousByteCountMax)
                let text = String(repeating: "x", count: Int(size))
                self.publish(ResultBody(id: self.clock, .ok(.string(text))), .precious)
            case 985: self.subscribe(n)
            case 986..<993:
                self.prices["symbol-\(n)"] = "\(self.clock)"
                self.publish(ProtocolMarket.price("symbol-\(n)", "\(self.clock)"), .latest(Int(n)))
            case 993 where self.number(1...3) == 1:
                self.wanted.remove(n)
                self.forgotten.insert(n)
                self.queue.forget(n)
            default: break
            }
        }

        /// As `feedd` does it, the market being wanted before or not.
        mutating func subscribe(_ n: Int64) {
            self.wanted.insert(n)
            self.publish(self.markets[n]!.marketBody, .opening)
            self.queue.wantFirstSnapshot(n)
        }

        // MARK: The subscriber

        mutating func read(_ limit: Int) -> Int {
            if self.queue.ready.count == self.queue.sentCount {
                let markets = self.markets
                self.queue.refill { n, conflated, lost in
                    var frames: [EncodedFrame] = []
                    if let lost {
                        let body = TradesDropped(n: n, count: lost.count, from: lost.from, to: lost.to)
                        frames.append(EncodedFrame(body, sentTime: Self.time))
                    }
                    frames.append(EncodedFrame(markets[n]!.bookBody(conflated: conflated), sentTime: Self.time))
                    return frames
                }
            }
            let count = min(limit, self.queue.ready.count - self.queue.sentCount)
            self.follower.receive(self.queue.ready[self.queue.sentCount..<self.queue.sentCount + count])
            self.queue.sent(count)
            return count
        }

        mutating func drain() { while self.read(.max) > 0 {} }

        /// What the server does with a subscriber that is too slow, and the subscriber's fresh start.
        mutating func disconnect(_ frameClass: FrameClass) {
            if frameClass != .precious && frameClass != .opening {
                self.problems.append("\(frameClass) passed the bound")
            }
            self.overflows += 1
            let error = ErrorBody(code: .slowConsumer, message: "")
            self.queue.endWith(EncodedFrame(error, sentTime: Self.time))
            self.drain()
            if self.follower.errors != [error] { self.problems.append("no goodbye") }
            if !self.results.starts(with: self.follower.results) { self.problems.append("results before the end") }
            self.note()
            (self.queue, self.follower, self.wanted) = (OutputQueue(), ProtocolFollower(), [])
            (self.tradesPublished, self.forgotten, self.results, self.metrics) = ([:], [], [], [])
            self.prices = [:]
            for n in 1...Self.marketCount { self.subscribe(n) }
        }

        mutating func note() {
            self.problems += self.follower.violations
            self.conflations += self.follower.conflated
        }

        /// The subscriber has caught up: nothing is missing but what it was told is.
        mutating func check() {
            self.drain()
            self.note()
            for n in self.wanted where self.follower.books[n] != self.markets[n]!.book {
                self.problems.append("book \(n) differs: \(self.markets[n]!.book.update)")
            }
            for (n, count) in self.tradesPublished where self.wanted.contains(n) {
                let known = self.follower.trades[n, default: 0] + self.follower.tradesDropped[n, default: 0]
                if self.forgotten.contains(n) ? known > count : known != count {
                    self.problems.append("\(known) of \(count) trades of \(n)")
                }
            }
            if self.results != self.follower.results { self.problems.append("precious frames were lost") }
            if self.prices != self.follower.prices.compactMapValues(\.last) {
                self.problems.append("a latest value was lost")
            }
            if !Set(self.follower.metrics).isSubset(of: self.metrics)
                || self.follower.metrics != self.follower.metrics.sorted()
            {
                self.problems.append("status frames out of order")
            }
        }
    }

    @Test(arguments: seeds)
    func whateverHappensTheSubscriberEndsWhereThePublisherIs(seed: UInt64) async {
        let world = await self.live(through: seed)
        #expect(world.conflations > 0 && world.overflows > 0, "the story was too quiet to prove anything")
    }

    @Test(.enabled(if: isSoak, "many seeds take minutes: make soak"), arguments: UInt64(3)...60)
    func itHoldsForManySeedsInTheSoak(seed: UInt64) async { _ = await self.live(through: seed) }

    private func live(through seed: UInt64) async -> World {
        var world = World(seed: seed)
        for n in 1...World.marketCount { world.subscribe(n) }
        // Fast, deaf, fast again, deaf while much is said that may not be lost, and then slow.
        for (appetite, precious) in [(40_000, 1_000), (0, 1_000), (40_000, 1_000), (0, 60_000), (300, 1_000)] {
            world.appetite = appetite
            world.preciousByteCountMax = Int64(precious)
            for step in 0..<2_000 {
                // Other tests wait for their turn on the same few threads.
                if step % 50 == 0 { await Task.yield() }
                world.step()
                if world.appetite > 0 { _ = world.read(world.appetite) }
                guard world.problems.isEmpty else { break }
            }
        }
        world.check()
        #expect(world.problems == [], "SIMULATION_SEED=\(seed)")
        return world
    }
}
