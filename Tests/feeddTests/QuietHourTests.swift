import Shared
import Testing

@testable import feedd

/// An hour in which next to nothing happens, in virtual time: nobody is blamed, nothing is asked for more than the rules say.
@Suite struct QuietHourTests {
    @Test(arguments: UInt64(1)...2, [Int64(45), 600])
    func nobodyIsBlamedInAQuietHour(seed: UInt64, meanGap: Int64) throws {
        var hour = try QuietHour(seed: seed, meanGap: .seconds(meanGap), reconnectAt: nil)
        try hour.run()
        #expect(hour.troubles == [], "SIMULATION_SEED=\(seed)")
        #expect(hour.connects == [1, 1] && hour.pings[0] > 300 && hour.pings[1] > 300)
        #expect(hour.messageCount > 3_600 / meanGap)
        // Once in two and a half seconds at most, for all markets together.
        #expect((1...1_440).contains(hour.audits), "\(hour.audits)")
    }

    /// One line breaks and comes back: the other has nothing to do with it.
    @Test(arguments: UInt64(1)...2)
    func aLineThatBreaksInAQuietHourTakesNothingWithIt(seed: UInt64) throws {
        var hour = try QuietHour(seed: seed, meanGap: .seconds(600), reconnectAt: .seconds(1_800))
        try hour.run()
        #expect(hour.troubles == ["line 1 dropped"], "SIMULATION_SEED=\(seed)")
        #expect(hour.connects == [1, 2])
    }
}

/// Twenty-five markets on two lines, with the cores that watch them.
private struct QuietHour {
    private static let marketCount = 25
    private static let look = Duration.milliseconds(500)
    private static let settings = MarketFeed.Settings()

    private struct Watched {
        var venue: VenueModel
        /// Of the leader and of the follower.
        var books: [BuilderDriver]
        var lag = LagWatch()
        var silence = SilenceWatch()
        var audit = AuditWatch(now: Instant(nanoseconds: 0))
        var nextAt: Instant
    }

    /// Something that happens at a time.
    private enum Step {
        case text(line: Int, market: Int, String)
        case pong(line: Int)
        case opened(line: Int)
    }

    private var random: SeededRandom
    private let meanGap: Duration
    private let reconnectAt: Instant?
    private var now = Instant(nanoseconds: 0)
    private var lines: [MarketFeed]
    private var wakes: [Instant?] = [nil, nil]
    private var markets: [Watched] = []
    private var twins = TwinWatch()
    private var lineHeardAt = [Instant(nanoseconds: 0), Instant(nanoseconds: 0)]
    private var steps: [(at: Instant, step: Step)] = []
    private(set) var troubles: [String] = []
    private(set) var connects = [0, 0]
    private(set) var pings = [0, 0]
    private(set) var messageCount = 0
    private(set) var audits = 0

    init(seed: UInt64, meanGap: Duration, reconnectAt: Duration?) throws {
        self.random = SeededRandom(seed: seed)
        self.meanGap = meanGap
        self.reconnectAt = reconnectAt.map { Instant(nanoseconds: 0) + $0 }
        self.lines = [1, 2].map { MarketFeed(settings: Self.settings, seed: seed + $0) }
        for number in 1...Self.marketCount {
            let words = UInt64(number)
            let market = Market.example(
                condition: ConditionID(words: (0, 0, 0, words)), first: TokenID(words: (0, 0, 1, 2 * words)),
                second: TokenID(words: (0, 0, 1, 2 * words + 1)))
            var venue = VenueModel(market: market)
            _ = venue.operate([.init(.bid, "0.48", 100), .init(.ask, "0.52", 7)])
            let books = [BuilderDriver(market), BuilderDriver(market)]
            self.markets.append(Watched(venue: venue, books: books, nextAt: self.now + self.gap()))
        }
    }

    private mutating func gap() -> Duration {
        .milliseconds(Int64.random(in: 1...2 * self.meanGap.milliseconds, using: &self.random))
    }

    mutating func run() throws {
        let tokens = Set(self.markets.map(\.venue.market.first.token))
        for line in 0...1 { self.perform(self.lines[line].handle(.wanted(tokens), now: self.now), line) }
        let end = self.now + .seconds(3_600)
        var hasBroken = false
        while self.now < end {
            self.now = self.now + Self.look
            for index in self.markets.indices where self.markets[index].nextAt <= self.now { self.operate(index) }
            if let at = self.reconnectAt, self.now >= at, !hasBroken {
                hasBroken = true
                self.troubles.append("line 1 dropped")
                self.steps.removeAll { if case .pong(1) = $0.step { true } else { false } }
                self.perform(self.lines[1].handle(.dropped, now: self.now), 1)
            }
            try self.happen()
            for line in 0...1 {
                guard let wake = self.wakes[line], wake <= self.now else { continue }
                self.wakes[line] = nil
                self.perform(self.lines[line].handle(.woke, now: self.now), line)
            }
            self.check()
        }
    }

    /// A change that both lines tell, the one a little after the other.
    private mutating func operate(_ index: Int) {
        self.markets[index].nextAt = self.now + self.gap()
        self.markets[index].venue.time += Int64.random(in: 1...5_000, using: &self.random)
        let size = Int64.random(in: 1...99, using: &self.random)
        let text = self.markets[index].venue.operate(.bid, "0.4", size)
        self.messageCount += 1
        let first = Int.random(in: 0...1, using: &self.random)
        for (line, delay) in [(first, Int64(20)), (1 - first, Int64.random(in: 20...400, using: &self.random))]
        where self.lines[line].state.isLive {
            self.steps.append((self.now + .milliseconds(delay), .text(line: line, market: index, text)))
        }
    }

    private mutating func happen() throws {
        let due = self.steps.filter { $0.at <= self.now }
        self.steps.removeAll { $0.at <= self.now }
        for (_, step) in due {
            switch step {
            case .pong(let line): self.perform(self.lines[line].handle(.heard, now: self.now), line)
            case .opened(let line):
                self.twins.begin()
                self.lineHeardAt[line] = self.now
                self.perform(self.lines[line].handle(.opened, now: self.now), line)
                for index in self.markets.indices {
                    try self.take(self.markets[index].venue.bookText(outcome: 0), of: index, on: line, isNews: false)
                }
            case .text(let line, let index, let text):
                guard self.lines[line].state.isLive else { continue }
                self.markets[index].silence.heard(now: self.now)
                try self.take(text, of: index, on: line, isNews: true)
            }
        }
    }

    private mutating func take(_ text: String, of index: Int, on line: Int, isNews: Bool) throws {
        self.perform(self.lines[line].handle(.heard, now: self.now), line)
        self.lineHeardAt[line] = self.now
        self.twins.heard(on: line, time: self.markets[index].venue.time, isNews: isNews, now: self.now)
        self.markets[index].audit.heard(now: self.now)
        self.markets[index].books[line].now = self.now
        for effect in try self.markets[index].books[line].take(text) {
            if case .distrusted(let reason) = effect { self.troubles.append("market \(index): \(reason)") }
        }
    }

    private mutating func perform(_ actions: [MarketFeed.Action], _ line: Int) {
        for action in actions {
            switch action {
            case .connect:
                self.connects[line] += 1
                self.steps.append((self.now + .milliseconds(100), .opened(line: line)))
            case .send("PING"):
                self.pings[line] += 1
                self.steps.append((self.now + .milliseconds(60), .pong(line: line)))
            case .send: break
            case .wake(let at): self.wakes[line] = at
            case .close where self.reconnectAt != nil && line == 1: break
            case .distrust where self.reconnectAt != nil && line == 1:
                for index in self.markets.indices { self.markets[index].books[1].loseLine(.dropped) }
            case .close, .distrust, .pollREST: self.troubles.append("line \(line): \(action)")
            }
        }
    }

    /// What the service looks at now and then, and each second.
    private mutating func check() {
        if let silent = self.twins.silent(now: self.now) { self.troubles.append("line \(silent.line) is silent") }
        for index in self.markets.indices {
            for line in 0...1 {
                guard !self.markets[index].books[line].builder.isSettled else { continue }
                self.markets[index].books[line].now = self.now
                if self.markets[index].books[line].check() != .unchanged { self.troubles.append("market \(index)") }
            }
            if self.markets[index].books[0].builder.isTrusted && self.markets[index].books[1].builder.isTrusted {
                let late = self.markets[index].lag.note(
                    leader: self.markets[index].books[0].builder.lagState,
                    follower: self.markets[index].books[1].builder.lagState, now: self.now)
                if let late { self.troubles.append("market \(index): the \(late) is late") }
            } else {
                self.markets[index].lag = LagWatch()
            }
            if self.markets[index].silence.look(lineHeardAt: self.lineHeardAt[0], now: self.now) {
                self.troubles.append("market \(index) is suspect")
            }
        }
        if self.now.nanoseconds % 1_000_000_000 == 0 { self.auditMarkets() }
    }

    private mutating func auditMarkets() {
        let quietMin = Self.settings.silenceMax / 3
        let now = self.now
        guard self.markets.contains(where: { $0.audit.isDue(quietMin: quietMin, now: now) }) else { return }
        self.audits += 1
        for index in self.markets.indices where self.markets[index].audit.mayGoAlong(quietMin: quietMin, now: now) {
            self.markets[index].audit.begin(now: now)
            // What it would answer a moment ago is what the leader has, unless a text is under way.
            let hash = self.markets[index].books[0].builder.hash
            let isUnderWay = self.steps.contains { if case .text(0, index, _) = $0.step { true } else { false } }
            if hash != self.markets[index].venue.hash(outcome: 0) && !isUnderWay {
                self.troubles.append("market \(index) is doubted")
            }
        }
    }
}

extension MarketFeed.State {
    fileprivate var isLive: Bool { if case .live = self { true } else { false } }
}
