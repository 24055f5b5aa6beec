import Shared

@testable import stratd

/// A day in the middle of nowhere, so that no test depends on the clock.
let testStart = Timestamp(seconds: 1_790_035_200)

/// `milliseconds` into the test, on both clocks.
func at(_ milliseconds: Int64) -> Moment {
    Moment(
        instant: Instant(nanoseconds: milliseconds * 1_000_000),
        time: Timestamp(microseconds: testStart.microseconds + milliseconds * 1_000))
}

func condition(_ n: Int64) -> ConditionID { ConditionID(words: (0, 0, 0, UInt64(n))) }
func token(_ n: Int64, _ outcome: Int) -> TokenID { TokenID(words: (0, 0, 7, UInt64(n * 2) + UInt64(outcome))) }
func price(_ text: String) -> Price { Price(decimal: text)! }
func shares(_ text: String) -> Quantity { Quantity(micros: Decimal6.parse(text)!) }
func usd(_ text: String) -> Money {
    text.hasPrefix("-") ? -Money(micros: Decimal6.parse(text.dropFirst())!) : Money(micros: Decimal6.parse(text)!)
}

func market(
    _ n: Int64 = 1, event: String = "event", feeRate: Int64 = 0, hasTakerDelay: Bool = false, tick: TickSize = .cent
) -> Market {
    Market(
        condition: condition(n), slug: "market-\(n)", question: "Up or down?",
        first: Outcome(label: "Up", token: token(n, 0)), second: Outcome(label: "Down", token: token(n, 1)),
        tick: tick, sizeMin: shares("5"), isNegRisk: false, event: event, startTime: nil,
        endTime: Timestamp(microseconds: testStart.microseconds + 3_600_000_000), feeRate: feeRate, feeExponent: 1,
        hasTakerDelay: hasTakerDelay, rewards: nil, settlement: .other, asset: nil)
}

func levels(_ pairs: [(String, String)]) -> [Level] { pairs.map { Level(price: price($0.0), size: shares($0.1)) } }

func book(
    _ n: Int64 = 1, epoch: Int64 = 1, update: Int64 = 1, isTrusted: Bool = true, isSettled: Bool = true,
    bids: [(String, String)] = [("0.48", "100"), ("0.47", "200")],
    asks: [(String, String)] = [("0.52", "100"), ("0.53", "200")], at milliseconds: Int64 = 0,
    tick: TickSize = .cent
) -> BookBody {
    BookBody(
        n: n, market: condition(n), epoch: epoch, update: update, isTrusted: isTrusted, isSettled: isSettled,
        source: .webSocket, tick: tick, bids: levels(bids), asks: levels(asks), hash: nil, conflated: nil,
        venueTime: at(milliseconds).time, receivedTime: at(milliseconds).time)
}

func delta(
    on n: Int64 = 1, epoch: Int64 = 1, update: Int64, isSettled: Bool = true, _ changes: [(BookSide, String, String)],
    at milliseconds: Int64 = 0
) -> DeltaBody {
    DeltaBody(
        n: n, epoch: epoch, update: update, isSettled: isSettled,
        levels: changes.map { LevelChange(side: $0.0, price: price($0.1), size: shares($0.2)) },
        venueTime: at(milliseconds).time, receivedTime: at(milliseconds).time)
}

func trade(
    on n: Int64 = 1, outcome: Int64 = 0, _ takerSide: TradeSide, _ size: String, at p: String, _ milliseconds: Int64 = 0
) -> TradeBody {
    TradeBody(
        n: n, outcome: outcome, price: price(p), size: shares(size), takerSide: takerSide,
        venueTime: at(milliseconds).time, receivedTime: at(milliseconds).time, transaction: nil)
}

func distrust(_ n: MarketNumber = .one(1), _ reason: TrustReason = .silent, epoch: Int64 = 2) -> TrustBody {
    TrustBody(n: n, epoch: epoch, isTrusted: false, reason: reason)
}

let wideLimits = RiskLimits(
    orderMax: usd("1000"), marketMax: usd("5000"), eventMax: usd("5000"), totalMax: usd("10000"), positionsMax: 100,
    openOrdersMax: 100,
    ordersPerSecondMax: 1_000, dailyLossMax: usd("1000"), drawdownMax: usd("1000"), priceBand: 200_000,
    bookAgeMax: .seconds(5), timeLeftMin: .seconds(60), unknownOrdersMax: 8)

let makerParameters = Maker.Parameters(
    orderSize: shares("10"), halfSpreadTicks: 1, positionMax: shares("50"), repriceTicks: 1,
    requoteInterval: .milliseconds(100))

/// A purchase of the first outcome, as strategies ask for it.
func intent(
    on n: Int64 = 1, outcome: Int = 0, _ side: TradeSide = .buy, _ p: String = "0.48", _ size: String = "10",
    kind: OrderKind = .gtc, isPostOnly: Bool = true, event: String = "event", origin: OrderIntent.Origin = .strategy
) -> OrderIntent {
    OrderIntent(
        strategy: "maker", origin: origin, market: condition(n), event: event, outcome: outcome,
        token: token(n, outcome),
        side: side, price: price(p), size: shares(size), kind: kind, isPostOnly: isPostOnly)
}

/// Views with one market and its book.
func views(_ market: Market = market(), _ body: BookBody = book()) -> MarketViews {
    var views = MarketViews()
    _ = views.apply(.market(MarketBody(n: body.n, market: market)))
    _ = views.apply(.book(body))
    return views
}

func context(
    ledger: OrderLedger = OrderLedger(cash: usd("10000")), view: MarketView? = views()[condition(1)],
    isHaltFilePresent: Bool = false, isFeedUp: Bool = true, feedTime: Timestamp = at(0).time,
    dailyProfit: Money = .zero, drawdown: Money = .zero
) -> RiskContext {
    RiskContext(
        ledger: ledger, view: view, isHaltFilePresent: isHaltFilePresent, isFeedUp: isFeedUp, feedTime: feedTime,
        dailyProfit: dailyProfit, drawdown: drawdown)
}

/// An approved order, by the only door there is.
func approved(
    _ intent: OrderIntent, ledger: OrderLedger = OrderLedger(cash: usd("10000")), view: MarketView?
) throws -> ApprovedOrder {
    var gate = RiskGate(limits: wideLimits, now: at(0).instant)
    return try gate.check(intent, context(ledger: ledger, view: view), now: at(0)).get()
}

/// The ledger's view of an intent, as the engine records it.
func ledgerOrder(_ number: Int64, _ intent: OrderIntent, feeReserve: Money = .zero) -> LedgerOrder {
    let id = OrderID(number: number)
    return LedgerOrder(
        id: id,
        body: OrderBody(
            order: id.description, hash: PaperHash.of(id, intent, at: testStart), strategy: intent.strategy,
            market: intent.market, token: intent.token, side: intent.side, price: intent.price, size: intent.size,
            filled: .zero, kind: intent.kind, isPostOnly: intent.isPostOnly, state: .intended, reason: nil,
            mode: .paper,
            time: testStart), event: intent.event, outcome: intent.outcome, feeReserve: feeReserve)
}

func fill(
    _ order: LedgerOrder, trade: String, _ p: String, _ size: String, fee: String = "0",
    settlement: Settlement = .confirmed
) -> FillBody {
    FillBody(
        order: order.id.description, hash: order.body.hash, trade: trade, strategy: order.body.strategy,
        market: order.body.market, token: order.body.token, side: order.body.side, price: price(p), size: shares(size),
        fee: usd(fee), liquidity: .maker, settlement: settlement, time: testStart)
}

extension OrderLedger {
    /// Whether what is kept in sums and lists is what adding everything up gives.
    var sumsHold: Bool {
        var bound = Exposure()
        for order in self.open.values {
            bound.add(
                order.reserved, market: order.body.market, event: order.event, strategy: order.body.strategy)
        }
        var invested = Exposure()
        for position in self.positions.values {
            invested.add(
                position.cost, market: position.market, event: position.event, strategy: position.strategy)
        }
        let markets = Set(self.openOrders.map(\.body.market))
        return bound == self.bound && invested == self.invested
            && self.unknownOrderCount == self.openOrders.count { $0.body.state == .unknown }
            && markets.allSatisfy { market in
                self.openOrders(in: market) == self.openOrders.filter { $0.body.market == market }
            }
            && self.markets == markets.union(self.positions.values.filter { $0.size > .zero }.map(\.market))
            && self.markets.allSatisfy(self.isIn)
    }

    /// Applies facts at the test's beginning.
    mutating func apply(_ facts: LedgerRecord.Fact...) throws(LedgerError) {
        for fact in facts { try self.apply(LedgerRecord(fact, at: testStart)) }
    }

    /// An order that rests at the venue.
    mutating func open(_ order: LedgerOrder) throws(LedgerError) {
        try self.apply(.intent(order), .state(order.id, .sent, reason: nil), .state(order.id, .live, reason: nil))
    }
}

/// The ledger that lines of a journal give.
func replay(_ lines: [[UInt8]], from start: OrderLedger) throws -> OrderLedger {
    var ledger = start
    for line in lines {
        let record = try line.dropLast().withUnsafeBufferPointer { try LedgerRecord(line: $0) }
        try ledger.apply(record)
    }
    return ledger
}

/// The ledger as bytes.
func bytes(_ ledger: OrderLedger) -> [UInt8] {
    var writer = JSONWriter()
    ledger.write(to: &writer)
    return writer.bytes
}

/// The ledger as its checkpoint tells it.
func readBack(_ ledger: OrderLedger) throws -> OrderLedger {
    try bytes(ledger).withUnsafeBufferPointer { bytes in
        try JSONReader.read(bytes) { (reader) throws(JSONError) in try OrderLedger(reading: &reader) }
    }
}

/// Ten shares of the first outcome in each of the first markets, bought at 0.40.
func ledgerHolding(marketCount: Int64, fee: String = "0") throws -> OrderLedger {
    var ledger = OrderLedger(cash: usd("100000"))
    for n in 1...marketCount {
        let order = ledgerOrder(n, intent(on: n, .buy, "0.40", "10"))
        try ledger.open(order)
        try ledger.apply(.fill(fill(order, trade: "t", "0.40", "10", fee: fee)))
    }
    return ledger
}
