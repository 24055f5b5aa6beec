import Shared

@testable import polybot

/// Values that several tests need.
enum Samples {
    static func second(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    static let time = Timestamp(seconds: 1_790_000_000)
    static let condition = ConditionID("0x" + String(repeating: "ab", count: 32))!
    static let otherCondition = ConditionID("0x" + String(repeating: "cd", count: 32))!
    static let market = Self.market(Self.condition, slug: "btc-updown-5m-1790000100")

    static func market(_ condition: ConditionID, slug: String) -> Market {
        Market(
            condition: condition, slug: slug, question: "Bitcoin up or down?",
            first: Outcome(label: "Up", token: TokenID("111")!), second: Outcome(label: "Down", token: TokenID("222")!),
            tick: .cent, sizeMin: Quantity(shares: 5), isNegRisk: false, event: slug, startTime: nil,
            endTime: Self.time + .seconds(300), feeRate: 0, feeExponent: 1, hasTakerDelay: false, rewards: nil,
            settlement: .other, asset: nil)
    }

    static func order(
        _ name: String, _ state: OrderState, market: ConditionID = Samples.condition, time: Timestamp = Samples.time
    ) -> OrderBody {
        OrderBody(
            order: name, hash: "0x01", strategy: "maker", market: market, token: Self.market.second.token, side: .buy,
            price: Price(micros: 430_000)!, size: Quantity(shares: 20), filled: .zero, kind: .gtc, isPostOnly: true,
            state: state, reason: nil, mode: .paper, time: time)
    }

    static func fill(trade: String, settlement: Settlement = .matched) -> FillBody {
        FillBody(
            order: "o1", hash: "0x01", trade: trade, strategy: "maker", market: Self.condition,
            token: Self.market.first.token, side: .buy, price: Price(micros: 430_000)!, size: Quantity(shares: 20),
            fee: .zero, liquidity: .maker, settlement: settlement, time: Self.time)
    }

    static func position(shares: Int64, unrealised: Int64 = 0) -> PositionBody {
        PositionBody(
            market: Self.condition, token: Self.market.first.token, strategy: "maker",
            confirmed: Quantity(shares: shares),
            pendingIn: .zero, pendingOut: .zero, averageCost: 430_000, realised: .zero,
            unrealised: Money(micros: unrealised))
    }

    static func feed(markets: Int64, trusted: Int64) -> FeedStatus {
        FeedStatus(mode: .webSocket, connections: [], markets: markets, trusted: trusted, counters: [:])
    }

    static let risk = RiskStatus(
        isHalted: false, reasons: [], openOrders: 1, unknownOrders: 0, exposure: Money(micros: 17_200_000),
        dailyProfit: Money(micros: -1_234_567), refused: [:])

    static func hello(_ daemon: ChildName, pid: Int64 = 100) -> Hello {
        Hello(daemon: daemon.rawValue, version: "0.1.0", instance: "1", pid: pid)
    }

    /// `body` as it arrives on a connection.
    static func withEnvelope<Body: FrameBody, Value>(_ body: Body, _ use: (Envelope) throws -> Value) throws -> Value {
        var bytes: [UInt8] = []
        EncodedFrame(body, sentTime: Self.time).write(sequence: 1, to: &bytes)
        return try bytes.dropFirst(4).withUnsafeBufferPointer { try use(Envelope(reading: $0)) }
    }
}

extension Picture {
    /// As `take`, with a frame made for the occasion.
    mutating func take<Body: FrameBody>(_ body: Body, from daemon: ChildName) throws {
        try Samples.withEnvelope(body) { self.take($0, from: daemon) }
    }
}
