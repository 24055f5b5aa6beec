import Shared
import Testing

@testable import feedd

/// A made-up venue, a line that loses, doubles and exchanges texts, answers that come early or late: whatever happens, a
/// book that is called trusted and settled is the venue's after the same operation, and once the faults stop all is well.
@Suite struct BookBuilderSimulationTests {
    /// - Parameter hashPercent: with 0 all hashes are left out that can be.
    @Test(arguments: UInt64(1)...16, [Int64(25), 0])
    func aTrustedSettledBookIsTheVenues(seed: UInt64, hashPercent: Int64) throws {
        var simulation = FeedSimulation(seed: seed, hashPercent: hashPercent)
        for step in 0..<400 {
            try simulation.step(hasFaults: true)
            let isRight = simulation.isRight
            #expect(isRight, "SIMULATION_SEED=\(seed) step \(step): \(simulation.explanation)")
            guard isRight else { return }
        }
        for step in 400..<550 {
            try simulation.step(hasFaults: false)
            let isRight = simulation.isRight
            #expect(isRight, "SIMULATION_SEED=\(seed) step \(step): \(simulation.explanation)")
        }
        try simulation.settle()
        let isHealed = simulation.isHealed
        #expect(isHealed, "SIMULATION_SEED=\(seed): \(simulation.explanation)")
        let provesSomething = simulation.faultCount > 0 && simulation.believedCount > 100
        #expect(provesSomething, "SIMULATION_SEED=\(seed) proves nothing")
    }

    @Test(arguments: UInt64(1)...8, [Int64(25), 0])
    func withoutFaultsTrustIsNeverLost(seed: UInt64, hashPercent: Int64) throws {
        var simulation = FeedSimulation(seed: seed, hashPercent: hashPercent)
        for step in 0..<400 {
            try simulation.step(hasFaults: false)
            let isRight = simulation.isRight
            #expect(isRight, "SIMULATION_SEED=\(seed) step \(step): \(simulation.explanation)")
        }
        try simulation.settle()
        let isHealed = simulation.isHealed
        #expect(isHealed, "SIMULATION_SEED=\(seed): \(simulation.explanation)")
        #expect(simulation.lossCount == 0, "SIMULATION_SEED=\(seed)")
        #expect((simulation.leftOutCount > 200) == (hashPercent == 0), "\(simulation.leftOutCount)")
    }

    @Test func theSameSeedGivesTheSameStory() throws {
        func story(_ seed: UInt64) throws -> [String] {
            var simulation = FeedSimulation(seed: seed)
            return try (0..<200).map { _ in
                try simulation.step(hasFaults: true)
                return simulation.explanation
            }
        }
        #expect(try story(5) == story(5))
        #expect(try story(5) != story(6))
    }
}

/// One market's venue, line and builder, all drawn from one seed.
private struct FeedSimulation {
    private static let ticks: [Int64] = [10_000, 2_500, 1_000, 100]

    private var random: SeededRandom
    private var venue: VenueModel
    private var driver: BuilderDriver
    /// Texts under way, first in, first out.
    private var line: [String] = []
    /// An answer under way: how many steps it still takes.
    private var fetch: (book: RESTBook, steps: Int)?
    /// The venue's books by time: every state after an operation of that millisecond.
    private var history: [Int64: [[Level]]] = [:]
    private(set) var faultCount = 0
    private(set) var lossCount = 0
    private(set) var believedCount = 0

    init(seed: UInt64, hashPercent: Int64 = 25) {
        self.random = SeededRandom(seed: seed)
        let tick = TickSize(micros: Self.ticks.randomElement(using: &self.random)!)!
        self.venue = VenueModel(market: .example(tick: tick))
        self.driver = BuilderDriver(self.venue.market, hashPercent: hashPercent)
        for _ in 0..<20 { _ = self.operation() }
        self.record()
        self.line = [self.venue.bookText(outcome: 0), self.venue.bookText(outcome: 1)]
    }

    mutating func step(hasFaults: Bool) throws {
        self.driver.now = self.driver.now + .milliseconds(20)
        if Int.random(in: 0..<3, using: &self.random) > 0 {
            self.venue.time += Int64.random(in: 1...30, using: &self.random)
        }
        for _ in 0..<Int.random(in: 0...3, using: &self.random) { self.send(self.operation(), hasFaults: hasFaults) }
        // The line is now quicker, now slower than the answers.
        for _ in 0..<Int.random(in: 0...8, using: &self.random) { try self.deliver() }
        if Int.random(in: 0..<10, using: &self.random) == 0 { self.note(self.driver.check()) }
        self.fetchIfNeeded()
    }

    /// No more operations: what is under way arrives, books are fetched as long as one is missing.
    mutating func settle() throws {
        for _ in 0..<60 {
            self.driver.now = self.driver.now + .milliseconds(100)
            while !self.line.isEmpty { try self.deliver() }
            self.note(self.driver.check())
            self.fetchIfNeeded()
        }
    }

    // MARK: The venue

    /// One operation of the engine, as its texts.
    private mutating func operation() -> [String] {
        defer { self.record() }
        if Int.random(in: 0..<6, using: &self.random) == 0 {
            let size = Quantity(shares: .random(in: 1...120, using: &self.random))
            let side: BookSide = Bool.random(using: &self.random) ? .bid : .ask
            let taker = Int.random(in: 0...1, using: &self.random)
            let isFirst = Bool.random(using: &self.random)
            if let trade = self.venue.trade(side: side, size: size, taker: taker, firstOutcomeFirst: isFirst) {
                return Int.random(in: 0..<4, using: &self.random) == 0 ? trade.changes + [trade.print] : trade.texts
            }
        }
        if Int.random(in: 0..<80, using: &self.random) == 0 { return self.tickChange() }
        var changes: [LevelChange] = []
        for _ in 0..<(Int.random(in: 0..<5, using: &self.random) == 0 ? Int.random(in: 2...5, using: &self.random) : 1)
        {
            let change = self.change()
            // Two changes of a level in one operation would be one.
            if !changes.contains(where: { $0.price == change.price }) { changes.append(change) }
        }
        return self.venue.operate(changes, firstOutcomeFirst: Bool.random(using: &self.random))
    }

    /// Told for both outcomes; the books that follow have the levels on the new grid.
    private mutating func tickChange() -> [String] {
        let text = self.venue.changeTick(to: TickSize(micros: Self.ticks.randomElement(using: &self.random)!)!)
        return [text, text, self.venue.bookText(outcome: 0), self.venue.bookText(outcome: 1)]
    }

    private mutating func change() -> LevelChange {
        let book = self.venue.book
        let side: BookSide = Bool.random(using: &self.random) ? .bid : .ask
        let size =
            Int.random(in: 0..<3, using: &self.random) == 0 ? 0 : Int64.random(in: 1...9_999, using: &self.random)
        let known = book.levels(side)
        if size == 0 || Bool.random(using: &self.random),
            let level = known.prefix(12).randomElement(using: &self.random)
        {
            return LevelChange(side: side, price: level.price, size: Quantity(micros: size * 10_000))
        }
        // Bids below half, asks above: the book never crosses by itself.
        let tick = book.tick.micros
        let distance = Int64.random(in: 1...min(30, 400_000 / tick), using: &self.random) * tick
        let price = Price(micros: side == .bid ? 500_000 - distance : 500_000 + distance)!
        return LevelChange(side: side, price: price, size: Quantity(micros: max(1, size) * 10_000))
    }

    private mutating func record() {
        let levels = self.venue.book.levels
        if self.history[self.venue.time]?.last != levels { self.history[self.venue.time, default: []].append(levels) }
    }

    // MARK: The line

    private mutating func send(_ texts: [String], hasFaults: Bool) {
        for text in texts {
            self.line.append(text)
            guard hasFaults else { continue }
            switch Int.random(in: 0..<60, using: &self.random) {
            case 0: self.line.removeLast()
            case 1: self.line.append(text)
            case 2 where self.line.count > 1: self.line.swapAt(self.line.count - 1, self.line.count - 2)
            case 3: self.line.append(contentsOf: self.line.suffix(3))
            default: continue
            }
            self.faultCount += 1
        }
        guard hasFaults, Int.random(in: 0..<150, using: &self.random) == 0 else { return }
        // The line drops; on the next the venue begins with its books.
        self.faultCount += 1
        self.fetch = nil
        self.note(self.driver.loseLine(.dropped))
        self.line = [self.venue.bookText(outcome: Int.random(in: 0...1, using: &self.random))]
    }

    private mutating func deliver() throws {
        guard !self.line.isEmpty else { return }
        for effect in try self.driver.take(self.line.removeFirst()) { self.note(effect) }
    }

    private mutating func fetchIfNeeded() {
        if let (book, steps) = self.fetch {
            self.fetch = steps > 0 ? (book, steps - 1) : nil
            if steps == 0 && !self.driver.builder.isTrusted { self.note(self.driver.take(book)) }
        } else if !self.driver.builder.isTrusted {
            let outcome = Int.random(in: 0...1, using: &self.random)
            self.record()
            self.fetch = (self.venue.restBook(outcome: outcome), Int.random(in: 0...4, using: &self.random))
        }
    }

    private mutating func note(_ effect: BookBuilder.Effect) {
        // A new tick asks for a new book: that is no loss.
        if case .distrusted(let reason) = effect, reason != .noSnapshot { self.lossCount += 1 }
        if self.driver.builder.isTrusted && self.driver.builder.isSettled { self.believedCount += 1 }
    }

    // MARK: Checks

    /// Section 7 of the design, first sentence.
    var isRight: Bool {
        let builder = self.driver.builder
        guard builder.isTrusted && builder.isSettled else { return true }
        return self.history[builder.venueTime.microseconds / 1_000]?.contains(builder.book.levels) ?? false
    }

    var isHealed: Bool {
        self.driver.builder.isTrusted && self.driver.builder.isSettled
            && self.driver.builder.book.levels == self.venue.book.levels
    }

    var leftOutCount: Int64 { self.driver.builder.counters.leftOut }

    var explanation: String {
        let builder = self.driver.builder
        return "\(builder.trust), settled \(builder.isSettled), epoch \(builder.epoch), update \(builder.update), "
            + "time \(builder.venueTime.microseconds / 1_000) of \(self.venue.time), \(self.line.count) under way: "
            + self.driver.picture
    }
}
