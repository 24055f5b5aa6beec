import Glibc
import Shared
import Signing

@testable import DaemonKit
@testable import stratd

/// What an engine went through as a seed drew it: inputs with their moments, and what it answered.
struct InputSession {
    struct Step {
        let input: EngineInput
        let now: Moment
        let answer: [UInt8]
    }

    /// The engine before the first step.
    private(set) var start: StrategyEngine
    private(set) var end: StrategyEngine
    private(set) var steps: [Step] = []
    private(set) var now = at(0)

    static let limits = RiskLimits(
        orderMax: usd("8"), marketMax: usd("14"), eventMax: usd("20"), totalMax: usd("25"), positionsMax: 3,
        openOrdersMax: 5, ordersPerSecondMax: 40, dailyLossMax: usd("60"), drawdownMax: usd("80"), priceBand: 100_000,
        bookAgeMax: .seconds(2), timeLeftMin: .seconds(60), unknownOrdersMax: 4, trialFillCount: 5,
        trialOrderMax: usd("6"), trialTotalMax: usd("20"))

    /// The account whose orders have real hashes.
    static let form = OrderForm(
        owner: Address("0x" + String(repeating: "a1", count: 20))!, funder: nil, .eoa)

    static func bytes(_ actions: [EngineAction]) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { for action in actions { action.write(to: &$0) } }
        return writer.bytes
    }

    static func bytes(_ engine: StrategyEngine) -> [UInt8] {
        var writer = JSONWriter()
        engine.write(to: &writer)
        return writer.bytes
    }

    static func engine(_ bytes: [UInt8]) throws -> StrategyEngine {
        try bytes.withUnsafeBufferPointer {
            try JSONReader.read($0) { (reader) throws(JSONError) in try StrategyEngine(reading: &reader) }
        }
    }

    init(identity: OrderIdentity) {
        var parameters = makerParameters
        parameters.requoteInterval = .milliseconds(20)
        parameters.orderLifeMin = .milliseconds(30)
        self.start = StrategyEngine(
            slots: [.init(name: "maker", maker: Maker(parameters))], limits: Self.limits,
            ledger: OrderLedger(cash: usd("24")), identity: identity, now: at(0))
        self.end = self.start
    }

    /// A session with a live account, at whose venue everything happens that can be told.
    init(seed: UInt64, count: Int) {
        self.init(identity: seed % 2 == 0 ? .paper : .live(Self.form))
        var random = SeededRandom(seed: seed)
        var feed = SimulatedFeed(count: 4)
        self.take(.recover)
        for event in feed.connect(using: &random, now: self.now) {
            self.take(.feed(event, sentTime: self.now.time))
        }
        while self.steps.count < count {
            self.now = self.now.after(.milliseconds(Int64.random(in: 0...40, using: &random)))
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<60:
                for event in feed.next(using: &random, now: self.now, hasFaults: true) {
                    self.take(.feed(event, sentTime: self.now.time))
                }
            case 60..<85: if let event = self.venueEvent(using: &random) { self.take(.venue(event)) }
            case 85..<90: self.take(.tick(isHaltFilePresent: Int.random(in: 0..<60, using: &random) == 0))
            case 90..<97: self.take(.command(self.command(using: &random)))
            default: self.take(self.rareInput(using: &random))
            }
            if self.end.isWakeDue(now: self.now) { self.take(.wake) }
        }
    }

    mutating func take(_ input: EngineInput) {
        let actions = self.end.apply(input, now: self.now)
        self.steps.append(Step(input: input, now: self.now, answer: Self.bytes(actions)))
    }

    mutating func wait(_ duration: Duration) { self.now = self.now.after(duration) }

    private func venueEvent(using random: inout SeededRandom) -> VenueEvent? {
        let ledger = self.end.ledger
        let known = ledger.openOrders + ledger.finishedQueue.suffix(4).compactMap { ledger.order($0) }
        guard let order = known.randomElement(using: &random) else { return nil }
        let fill = VenueFill(
            trade: "trade-\(Int.random(in: 0..<400, using: &random))", token: order.body.token, side: order.body.side,
            price: order.body.price,
            size: Quantity(micros: Int64.random(in: 1...max(1, order.remaining.micros), using: &random)), fee: nil,
            money: nil, liquidity: .maker, settlement: Bool.random(using: &random) ? .matched : .confirmed)
        if let pending = ledger.pending.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0 {
            let settlement = ([.mined, .confirmed, .retrying, .failed] as [Settlement]).randomElement(using: &random)!
            return VenueEvent(
                order: pending.order, kind: .settled(trade: pending.trade, settlement), time: self.now.time)
        }
        if Int.random(in: 0..<40, using: &random) == 0 { return self.foreignEvent(using: &random) }
        let kinds: [VenueEvent.Kind] = [
            .accepted(isDelayed: Int.random(in: 0..<5, using: &random) == 0), .accepted(isDelayed: false),
            .filled(fill), .filled(fill), .cancelled(reason: "asked"), .cancelRefused(reason: "delayed"), .found,
            order.id.number % 2 == 0 ? .rejected(reason: "no \"reason\"") : .withheld(reason: "halted"),
            .lost(reason: "timeout"),
        ]
        return VenueEvent(order: order.id, kind: kinds.randomElement(using: &random)!, time: self.now.time)
    }

    private func foreignEvent(using random: inout SeededRandom) -> VenueEvent {
        let trade = "foreign-\(Int.random(in: 0..<6, using: &random))"
        let fill = VenueFill(
            trade: trade, token: token(Int64.random(in: 1...4, using: &random), 0), side: .buy, price: price("0.4"),
            size: shares("1"), fee: nil, money: usd("0.4"), liquidity: .taker, settlement: .matched)
        let kinds: [VenueEvent.Kind] = [
            .foreign(hash: "0x\(trade)", fill), .foreignSettled(trade: trade, .confirmed), .tradesRead,
        ]
        let kind = kinds.randomElement(using: &random)!
        return VenueEvent(order: OrderID(number: 0), kind: kind, time: self.now.time)
    }

    private func command(using random: inout SeededRandom) -> OperatorCommand {
        switch Int.random(in: 0..<40, using: &random) {
        case 0: .halt(reason: "operator")
        case 1: .pause(strategy: "maker")
        case 2: .cancelAll
        case 3: .flatten
        case 4...6: .explain(condition(Int64.random(in: 1...5, using: &random)))
        case 7...9: .setLimit(name: "max_orders_per_s", value: Int64.random(in: 0...50, using: &random))
        case 10...20: .unpause(strategy: "maker")
        default: .resume
        }
    }

    private func rareInput(using random: inout SeededRandom) -> EngineInput {
        switch Int.random(in: 0..<40, using: &random) {
        case 0: .checkpoint
        case 1: .journalFailed(unsent: self.end.ledger.openOrders.prefix(1).map(\.id))
        case 2: .venueClosed(Refusal(.venueClosed, "it \"restarts\""))
        case 3...9: .venueClosed(nil)
        case 10: .clockSkew(.milliseconds(5_000))
        case 11...14: .clockSkew(.microseconds(Int64.random(in: 0...999, using: &random)))
        case 15: .fund(usd("3"))
        case 16: .compare(.differs(usd("1")))
        case 17: .compare(.rounding(Money(micros: 7)))
        case 18: .compare(.agrees)
        case 19: .compareShares(.differs(shares("2")), of: token(1, 0))
        case 20: .compareShares(.agrees, of: token(1, 0))
        default: .requestEnded(isFailure: Int.random(in: 0..<4, using: &random) == 0)
        }
    }

    // MARK: In a journal

    /// Writes the session, its first state included.
    func write(to journal: InputJournal) {
        journal.noteState(self.start, now: at(0))
        for (step, actions) in self.replayed() { journal.note(step.input, actions, now: step.now) }
    }

    /// The steps with the actions as values.
    func replayed() -> [(Step, [EngineAction])] {
        var engine = self.start
        return self.steps.map { ($0, engine.apply($0.input, now: $0.now)) }
    }
}

/// A directory of input journals, which goes with all that is in it.
final class InputDirectory {
    let path: String
    let disk = FullDisk()

    init() throws {
        var template = Array("/tmp/polybot-input-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        self.path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit {
        for file in (try? JournalFile.entries(of: self.path)) ?? [] { unlink("\(self.path)/\(file)") }
        rmdir(self.path)
    }

    func journal() throws -> InputJournal {
        InputJournal(
            try SegmentedJournal(
                directory: self.path, name: InputJournal.name, byteCountMax: 9_000_000, write: self.disk.write))
    }

    /// Paths, the oldest first.
    var files: [String] { (try? SegmentedJournal.files(of: self.path, name: InputJournal.name)) ?? [] }

    func replay() throws -> ReplayCommand {
        var command = ReplayCommand()
        command.run(try JournalFiles(self.path, name: InputJournal.name))
        return command
    }

    /// The lines of all files.
    func lines() throws -> [String] {
        let files = JournalFiles(self.files)
        var lines: [String] = []
        var line: [UInt8] = []
        while try files.next(&line) { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    /// In the place of what is there.
    func replace(with lines: [String]) throws {
        for file in self.files { unlink(file) }
        try self.write(Array(lines.map { $0 + "\n" }.joined().utf8), to: "\(self.path)/input-20260512T000000Z-1.jsonl")
    }

    func bytes(of path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(descriptor, &piece, piece.count), count > 0 { bytes += piece[..<count] }
        return bytes
    }

    func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw SystemError("fopen") }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw SystemError("fwrite") }
    }
}

/// A disk that takes nothing while it is full.
final class FullDisk: @unchecked Sendable {
    private let monitor = Monitor()
    private var full = false

    var isFull: Bool {
        get { self.monitor.withLock { self.full } }
        set { self.monitor.withLock { self.full = newValue } }
    }

    var write: @Sendable (Int32, UnsafeRawPointer, Int) -> Int {
        { descriptor, bytes, count in
            guard self.isFull else { return Glibc.write(descriptor, bytes, count) }
            errno = ENOSPC
            return -1
        }
    }
}
