import DaemonKit
import Shared
import Signing

/// An engine that has seen a bid alone and is asked, by the delta that brings an ask, to quote: one order leaves, as no more may be open.
final class OrderBench {
    private let engine: StrategyEngine
    private let frame: [UInt8]
    /// Brings nothing to quote.
    private let quiet: [UInt8]
    private let form: OrderForm
    private let key: PrivateKey
    private let secret = APISecret("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")!
    private let owner = "00000000-0000-0000-0000-000000000001"
    private let now: Moment
    private var writer = JSONWriter()
    private var lines: [UInt8] = []
    private(set) var byteCount = 0

    var ledger: OrderLedger { self.engine.ledger }

    init(key: PrivateKey) throws {
        self.key = key
        self.form = OrderForm(owner: key.address, funder: nil, .eoa)
        let time = Timestamp(seconds: 1_790_035_200)
        self.now = Moment(instant: .now(), time: time)
        let market = Market(
            condition: ConditionID(words: (1, 2, 3, 4)), slug: "market", question: "Up or down?",
            first: Outcome(label: "Up", token: TokenID(words: (5, 6, 7, 8))),
            second: Outcome(label: "Down", token: TokenID(words: (9, 10, 11, 12))), tick: .cent,
            sizeMin: Quantity(shares: 5), isNegRisk: false, event: "event", startTime: nil,
            endTime: time + .seconds(3_600), feeRate: 70_000, feeExponent: 1, hasTakerDelay: true, rewards: nil,
            settlement: .other, asset: nil)
        let limits = RiskLimits(
            orderMax: Money(micros: 1_000_000_000), marketMax: Money(micros: 5_000_000_000),
            eventMax: Money(micros: 5_000_000_000), totalMax: Money(micros: 10_000_000_000), positionsMax: 100,
            openOrdersMax: 1, ordersPerSecondMax: 1_000, dailyLossMax: Money(micros: 1_000_000_000),
            drawdownMax: Money(micros: 1_000_000_000), priceBand: 200_000, bookAgeMax: .seconds(5),
            timeLeftMin: .seconds(60), unknownOrdersMax: 8)
        let maker = Maker(
            Maker.Parameters(
                orderSize: Quantity(shares: 10), halfSpreadTicks: 1, positionMax: Quantity(shares: 50), repriceTicks: 1,
                requoteInterval: .milliseconds(1)))
        var engine = StrategyEngine(
            slots: [.init(name: "maker", maker: maker)], limits: limits,
            ledger: OrderLedger(cash: Money(micros: 10_000_000_000)), identity: .live(self.form), now: self.now)
        let bids = (1...30).compactMap { Price(micros: 500_000 - $0 * 10_000) }.map {
            Level(price: $0, size: Quantity(shares: 100))
        }
        let book = BookBody(
            n: 1, market: market.condition, epoch: 1, update: 1, isTrusted: true, isSettled: true, source: .webSocket,
            tick: .cent, bids: bids, asks: [], hash: nil, conflated: nil, venueTime: time, receivedTime: time)
        for event in [FeedEvent.connected, .market(MarketBody(n: 1, market: market)), .book(book)] {
            _ = engine.handle(event, sentTime: time, now: self.now)
        }
        // The first look's interval is over.
        self.engine = engine
        self.quiet = Self.frame(update: 2, .bid, 490_000, at: time)
        self.frame = Self.frame(update: 3, .ask, 530_000, at: time)
    }

    private static func frame(update: Int64, _ side: BookSide, _ price: Int64, at time: Timestamp) -> [UInt8] {
        let delta = DeltaBody(
            n: 1, epoch: 1, update: update, isSettled: true,
            levels: [LevelChange(side: side, price: Price(micros: price)!, size: Quantity(shares: 100))],
            venueTime: time, receivedTime: time)
        var bytes: [UInt8] = []
        EncodedFrame(delta, sentTime: time).write(sequence: 17, to: &bytes)
        return Array(bytes.dropFirst(4))
    }

    /// What `run` measures, each from the frame's bytes on.
    static let steps = ["decide", "record", "sign", "ready"]

    /// - Returns: nanoseconds from the frame's bytes to the actions, to the journal's lines, to the signature, and to the request that
    ///   leaves, headers included.
    func run() -> [Int64] {
        var engine = self.prepared
        let start = Orders.nanoseconds()
        let actions = self.decide(self.frame, after: 4, &engine)
        let decided = Orders.nanoseconds()
        self.lines.removeAll(keepingCapacity: true)
        for case .record(let record) in actions { record.writeLine(to: &self.lines, writer: &self.writer) }
        let recorded = Orders.nanoseconds()
        var orders = actions.compactMap { if case .submit(let order) = $0 { order } else { nil } }[...]
        guard let order = orders.popFirst(), orders.isEmpty else { preconditionFailure("not one order left") }
        let message = self.form.message(order.id, order.intent, at: order.time)
        let (_, signature) = message.sign(with: self.key, in: self.form.domain(order.intent))
        let signed = Orders.nanoseconds()
        self.write(order, message, signature)
        return [decided, recorded, signed, Orders.nanoseconds()].map { $0 - start }
    }

    /// What one event writes to the journal.
    var records: [EngineAction] {
        var engine = self.prepared
        return self.decide(self.frame, after: 4, &engine).filter { if case .record = $0 { true } else { false } }
    }

    /// An engine that shares nothing with another: one that lives copies no book when it changes it.
    private var prepared: StrategyEngine {
        var engine = self.engine
        _ = self.decide(self.quiet, after: 2, &engine)
        return engine
    }

    private func decide(_ frame: [UInt8], after milliseconds: Int64, _ engine: inout StrategyEngine) -> [EngineAction] {
        let delta = frame.withUnsafeBufferPointer { try! Envelope(reading: $0).decode(DeltaBody.self) }
        return engine.handle(
            .delta(delta), sentTime: delta.receivedTime, now: self.now.after(.milliseconds(milliseconds)))
    }

    /// The request as it leaves.
    private func write(_ order: ApprovedOrder, _ message: OrderMessage, _ signature: OrderSignature) {
        let body = ClobClient.body(
            of: message, signature, kind: order.intent.kind, isPostOnly: order.intent.isPostOnly,
            expiration: 1_790_035_380, owner: self.owner)
        let header = self.secret.sign(timestamp: 1_790_035_200, method: "POST", path: "/order", body: body)
        self.byteCount = body.count + header.utf8.count
    }
}
