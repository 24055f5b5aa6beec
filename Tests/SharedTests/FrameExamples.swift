import Shared
import Testing

/// One body and the exact JSON that it is on the wire.
struct FrameExample: Sendable, CustomTestStringConvertible {
    let type: FrameType
    let json: String
    /// The body as it is written now.
    let written: @Sendable () -> String
    /// Whether a text is read as this very body.
    let isReadFrom: @Sendable (String) throws -> Bool

    init<Body: FrameBody & Hashable>(_ body: Body, _ json: String) {
        self.type = Body.type
        self.json = json
        self.written = {
            var writer = JSONWriter()
            body.write(to: &writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        self.isReadFrom = { text in
            var copy = text
            return try copy.withUTF8 { bytes in
                try JSONReader.read(bytes) { (reader) throws(JSONError) in try Body(reading: &reader) } == body
            }
        }
    }

    var testDescription: String { self.type.rawValue }
}

/// The frozen contract: a full and a minimal example of every body. A change here is a change of what other programs rely
/// on; members may be added, their meaning never changes.
enum FrameExamples {
    private static let condition = ConditionID("0xa5c6d0c4cef71fe53c0235790b5568574343551fe67c62db39e9ebf3387b415a")!
    private static let token = TokenID("48418917734180607831833027288777571190488909295977497623601373906809754084036")!
    private static let hash = BookHash("8182cc8b57d17f795809322ec7315452325e5a5e")!
    private static let time = Timestamp(microseconds: 1_790_000_000_000_000)
    private static let later = Timestamp(microseconds: 1_790_000_000_000_123)
    private static let conditionJSON = #""0xa5c6d0c4cef71fe53c0235790b5568574343551fe67c62db39e9ebf3387b415a""#
    private static let tokenJSON = #""48418917734180607831833027288777571190488909295977497623601373906809754084036""#
    private static func price(_ micros: Int64) -> Price { Price(micros: micros)! }
    private static func size(_ micros: Int64) -> Quantity { Quantity(micros: micros) }

    static let all = connection + markets + books + feed + trading

    private static let connection: [FrameExample] = [
        FrameExample(
            Hello(daemon: "feedd", version: "0.1.0", instance: "9f2c", pid: 4_711),
            #"{"daemon":"feedd","version":"0.1.0","instance":"9f2c","pid":4711}"#),
        FrameExample(Ping(id: 3), #"{"id":3}"#),
        FrameExample(Pong(id: 3), #"{"id":3}"#),
        FrameExample(
            ErrorBody(code: .slowConsumer, message: "a \"slow\"\nreader"),
            #"{"code":"slow_consumer","message":"a \"slow\"\nreader"}"#),
        FrameExample(ResultBody(id: 1, .ok(nil)), #"{"id":1,"ok":true}"#),
        FrameExample(
            ResultBody(id: 1, .ok(.object(["b": .array([.null, .bool(false)]), "a": .number("1.50")]))),
            #"{"id":1,"ok":true,"value":{"a":1.50,"b":[null,false]}}"#),
        FrameExample(
            ResultBody(id: 1, .failed(code: .notAllowed, message: "for operators")),
            #"{"id":1,"ok":false,"code":"not_allowed","message":"for operators"}"#),
        FrameExample(
            Subscribe(id: 1, markets: .all, referencePrices: ["btcusd"]),
            #"{"id":1,"markets":"all","reference_prices":["btcusd"]}"#),
        FrameExample(
            Subscribe(id: nil, markets: .only([condition])), #"{"markets":[\#(conditionJSON)],"reference_prices":[]}"#),
        FrameExample(Subscribe(id: 1, markets: .only([])), #"{"id":1,"markets":[],"reference_prices":[]}"#),
        FrameExample(Metrics(values: ["b": 2, "a": -1]), #"{"values":{"a":-1,"b":2}}"#),
        FrameExample(Metrics(values: [:]), #"{"values":{}}"#),
    ]

    private static let full: Market = {
        let first = Market.example(condition: condition, first: token, second: TokenID("7")!, like: .example())
        var market = first
        market.rewards = RewardTerms(sizeMin: size(50_000_000), spreadMax: 45_000, daily: Money(micros: 120_000_000))
        market.isNegRisk = true
        return market
    }()
    private static let minimal: Market = {
        var market = full
        market.rewards = nil
        market.startTime = nil
        market.asset = nil
        market.settlement = .other
        market.event = ""
        market.hasTakerDelay = false
        return market
    }()
    private static let marketStart = #"""
        "market":\#(conditionJSON),"slug":"btc-updown-5m-1778584200","question":"Bitcoin Up or Down - May 12, 7:10AM-7:15AM ET",\#
        "outcomes":[{"label":"Up","token":\#(tokenJSON)},{"label":"Down","token":"7"}],"tick":10000,"min_size":5000000,\#
        "neg_risk":true
        """#
    private static let fullJSON = #"""
        \#(marketStart),"event":"btc-updown-5m-1778584200","start_time":1778584200000000,"end_time":1778584500000000,\#
        "fee_rate":70000,"fee_exponent":1,"taker_delay":true,"rewards":{"min_size":50000000,"max_spread":45000,\#
        "daily":120000000},"settlement":"chainlink_twap_60","asset":"btc"
        """#
    private static let minimalJSON = #"""
        \#(marketStart),"event":"","end_time":1778584500000000,"fee_rate":70000,"fee_exponent":1,"taker_delay":false,\#
        "settlement":"other"
        """#

    private static let augmented = {
        var market = minimal
        (market.isAugmented, market.takerDelaySeconds, market.rebateRate) = (true, 3, 200_000)
        market.resolutionSource = "https://example.org"
        return market
    }()
    private static let augmentedJSON = minimalJSON.replacing(
        #""event":"""#, with: #""augmented":true,"event":"""#
    ).replacing(
        #""taker_delay":false"#, with: #""rebate_rate":200000,"taker_delay":false,"taker_delay_s":3"#
    ).replacing(#""other""#, with: #""other","resolution_source":"https://example.org""#)

    private static let markets: [FrameExample] = [
        FrameExample(MarketBody(n: 17, market: full), #"{"n":17,\#(fullJSON)}"#),
        FrameExample(MarketBody(n: 1, market: minimal), #"{"n":1,\#(minimalJSON)}"#),
        FrameExample(UniverseBody(markets: [], age: 0), #"{"markets":[],"age":0}"#),
        FrameExample(
            UniverseBody(markets: [full, minimal], age: 1_500_000, part: 2, parts: 3),
            #"{"markets":[{\#(fullJSON)},{\#(minimalJSON)}],"age":1500000,"part":2,"parts":3}"#),
        FrameExample(MarketAdded(market: full), "{\(fullJSON)}"),
        FrameExample(MarketAdded(market: minimal), "{\(minimalJSON)}"),
        FrameExample(
            MarketChanged(
                market: minimal, changed: ["fee_rate", "tick"],
                old: ["fee_rate": .number("0"), "tick": .number("1000")]),
            #"{\#(minimalJSON),"changed":["fee_rate","tick"],"old":{"fee_rate":0,"tick":1000}}"#),
        FrameExample(MarketAdded(market: augmented), "{\(augmentedJSON)}"),
        FrameExample(MarketHint(kind: .new, market: nil, slug: "a-market"), #"{"kind":"new","slug":"a-market"}"#),
        FrameExample(
            MarketHint(kind: .resolved, market: condition, slug: nil),
            #"{"kind":"resolved","market":\#(conditionJSON)}"#),
        FrameExample(
            EventGroupBody(
                EventGroup(
                    event: "fed", group: "0xab", isAugmented: true,
                    members: [
                        .init(market: condition, title: "Cut", state: .tradable, isOther: false),
                        .init(market: nil, title: "Person A", state: .placeholder, isOther: false),
                        .init(market: condition, title: "Other", state: .tradable, isOther: true),
                    ])),
            #"""
            {"event":"fed","group":"0xab","augmented":true,"complete":true,"outcomes":[\#
            {"market":\#(conditionJSON),"title":"Cut","state":"tradable","other":false},\#
            {"title":"Person A","state":"placeholder","other":false},\#
            {"market":\#(conditionJSON),"title":"Other","state":"tradable","other":true}]}
            """#),
        FrameExample(
            MarketRemoved(market: condition, reason: .outranked), #"{"market":\#(conditionJSON),"reason":"outranked"}"#),
        FrameExample(
            ScanStatus(
                markets: 25, listed: 8_000, refused: ["keywords": 7_900, "ended": 75], age: 2_000_000, error: nil),
            #"{"markets":25,"listed":8000,"refused":{"ended":75,"keywords":7900},"age":2000000}"#),
        FrameExample(
            ScanStatus(markets: 0, listed: 0, refused: [:], age: -1, error: "no answer"),
            #"{"markets":0,"listed":0,"refused":{},"age":-1,"error":"no answer"}"#),
    ]

    private static let books: [FrameExample] = [
        FrameExample(
            BookBody(
                n: 17, market: condition, epoch: 3, update: 99, isTrusted: true, isSettled: true, source: .webSocket,
                tick: .cent, bids: [Level(price: price(480_000), size: size(100_000_000))],
                asks: [
                    Level(price: price(520_000), size: size(1)),
                    Level(price: price(999_900), size: size(31_045_290_000_000)),
                ], hash: hash, conflated: 12, venueTime: time, receivedTime: later),
            #"""
            {"n":17,"market":\#(conditionJSON),"epoch":3,"update":99,"trusted":true,"settled":true,"source":"ws","tick":10000,\#
            "bids":[[480000,100000000]],"asks":[[520000,1],[999900,31045290000000]],\#
            "hash":"8182cc8b57d17f795809322ec7315452325e5a5e","conflated":12,"venue_time":1790000000000000,\#
            "received_time":1790000000000123}
            """#),
        FrameExample(
            BookBody(
                n: 1, market: condition, epoch: 1, update: 0, isTrusted: false, isSettled: false, source: .rest,
                tick: TickSize(micros: 100)!, bids: [], asks: [], hash: nil, conflated: nil,
                venueTime: Timestamp(microseconds: 0), receivedTime: Timestamp(microseconds: 0)),
            #"""
            {"n":1,"market":\#(conditionJSON),"epoch":1,"update":0,"trusted":false,"settled":false,"source":"rest","tick":100,\#
            "bids":[],"asks":[],"venue_time":0,"received_time":0}
            """#),
        FrameExample(
            DeltaBody(
                n: 17, epoch: 3, update: 100, isSettled: true,
                levels: [
                    LevelChange(side: .bid, price: price(480_000), size: .zero),
                    LevelChange(side: .ask, price: price(520_000), size: size(5_000_000)),
                ], venueTime: time, receivedTime: later),
            #"""
            {"n":17,"epoch":3,"update":100,"settled":true,"levels":[["bid",480000,0],["ask",520000,5000000]],\#
            "venue_time":1790000000000000,"received_time":1790000000000123}
            """#),
        FrameExample(
            DeltaBody(n: 1, epoch: 1, update: 1, isSettled: false, levels: [], venueTime: time, receivedTime: time),
            #"""
            {"n":1,"epoch":1,"update":1,"settled":false,"levels":[],"venue_time":1790000000000000,\#
            "received_time":1790000000000000}
            """#),
    ]

    private static let feed: [FrameExample] = [
        FrameExample(
            TradeBody(
                n: 17, outcome: 1, price: price(120_000), size: size(219_217_767), takerSide: .sell, venueTime: time,
                receivedTime: later, transaction: "0xabc"),
            #"""
            {"n":17,"outcome":1,"price":120000,"size":219217767,"taker_side":"sell","venue_time":1790000000000000,\#
            "received_time":1790000000000123,"transaction":"0xabc"}
            """#),
        FrameExample(
            TradeBody(
                n: 17, outcome: 0, price: price(1), size: size(1), takerSide: .buy, venueTime: time, receivedTime: time,
                transaction: nil),
            #"""
            {"n":17,"outcome":0,"price":1,"size":1,"taker_side":"buy","venue_time":1790000000000000,\#
            "received_time":1790000000000000}
            """#),
        FrameExample(
            TrustBody(n: .one(17), epoch: 4, isTrusted: false, reason: .hashMismatch),
            #"{"n":17,"epoch":4,"trusted":false,"reason":"hash_mismatch"}"#),
        FrameExample(
            TrustBody(n: .all, epoch: 0, isTrusted: false, reason: .silent),
            #"{"n":"all","epoch":0,"trusted":false,"reason":"silent"}"#),
        FrameExample(
            TrustBody(n: .one(1), epoch: 1, isTrusted: true, reason: nil), #"{"n":1,"epoch":1,"trusted":true}"#),
        FrameExample(
            TickSizeBody(n: 17, old: .cent, new: TickSize(micros: 1_000)!, venueTime: time),
            #"{"n":17,"old":10000,"new":1000,"venue_time":1790000000000000}"#),
        FrameExample(
            ResolvedBody(n: 17, winner: 1, venueTime: time), #"{"n":17,"winner":1,"venue_time":1790000000000000}"#),
        FrameExample(
            ResolvedBody(n: 17, winner: nil, venueTime: time), #"{"n":17,"winner":null,"venue_time":1790000000000000}"#),
        FrameExample(
            ReferencePriceBody(
                symbol: "btcusd", source: .binance, kind: .twap60, price: "63123.45000001", observedTime: time,
                receivedTime: later),
            #"""
            {"symbol":"btcusd","source":"binance","kind":"twap_60","price":"63123.45000001",\#
            "observed_time":1790000000000000,"received_time":1790000000000123}
            """#),
        FrameExample(
            TradesDropped(n: 17, count: 4, from: time, to: later),
            #"{"n":17,"count":4,"from":1790000000000000,"to":1790000000000123}"#),
        FrameExample(
            FeedStatus(
                mode: .webSocket, connections: [.init(state: "live", tokens: 200, silence: 1_200)], markets: 25,
                trusted: 24,
                counters: ["texts": 9]),
            #"""
            {"mode":"websocket","connections":[{"state":"live","tokens":200,"silence":1200}],"markets":25,"trusted":24,\#
            "counters":{"texts":9}}
            """#),
        FrameExample(
            FeedStatus(mode: .restPolling, connections: [], markets: 0, trusted: 0, counters: [:]),
            #"{"mode":"rest_polling","connections":[],"markets":0,"trusted":0,"counters":{}}"#),
    ]

    private static let order = OrderBody(
        order: "7", hash: "0xff35", strategy: "maker", market: condition, token: token, side: .buy,
        price: price(480_000),
        size: size(5_000_000), filled: size(1_000_000), kind: .gtd, isPostOnly: true, state: .partlyFilled,
        reason: "why",
        mode: .paper, time: time)
    private static let orderStart = #"""
        {"order":"7","hash":"0xff35","strategy":"maker","market":\#(conditionJSON),"token":\#(tokenJSON),"side":"buy",\#
        "price":480000,"size":5000000,"filled":1000000,"kind":"gtd","post_only":true,"state":"partly_filled"
        """#

    private static let trading: [FrameExample] = [
        FrameExample(order, #"\#(orderStart),"reason":"why","mode":"paper","time":1790000000000000}"#),
        FrameExample(
            {
                var bare = order
                bare.reason = nil
                bare.mode = .live
                return bare
            }(), #"\#(orderStart),"mode":"live","time":1790000000000000}"#),
        FrameExample(
            FillBody(
                order: "7", hash: "0xff35", trade: "28c4", strategy: "maker", market: condition, token: token,
                side: .sell,
                price: price(480_000), size: size(5_000_000), fee: Money(micros: 10), liquidity: .taker,
                settlement: .retrying,
                time: time),
            #"""
            {"order":"7","hash":"0xff35","trade":"28c4","strategy":"maker","market":\#(conditionJSON),"token":\#(tokenJSON),\#
            "side":"sell","price":480000,"size":5000000,"money":2400000,"fee":10,"liquidity":"taker","settlement":"retrying",\#
            "time":1790000000000000}
            """#),
        FrameExample(
            PositionBody(
                market: condition, token: token, strategy: "maker", confirmed: size(1), pendingIn: size(2),
                pendingOut: size(3),
                averageCost: 480_000, realised: Money(micros: -4), unrealised: Money(micros: 5)),
            #"""
            {"market":\#(conditionJSON),"token":\#(tokenJSON),"strategy":"maker","confirmed":1,"pending_in":2,"pending_out":3,\#
            "average_cost":480000,"realised":-4,"unrealised":5}
            """#),
        FrameExample(
            PositionBody(
                market: condition, token: token, strategy: nil, confirmed: .zero, pendingIn: .zero, pendingOut: .zero,
                averageCost: 0, realised: .zero, unrealised: .zero),
            #"""
            {"market":\#(conditionJSON),"token":\#(tokenJSON),"confirmed":0,"pending_in":0,"pending_out":0,"average_cost":0,\#
            "realised":0,"unrealised":0}
            """#),
        FrameExample(
            BalanceBody(cash: Money(micros: 1_000_000_000), reserved: Money(micros: 2_400_000), mode: .paper),
            #"{"cash":1000000000,"reserved":2400000,"mode":"paper"}"#),
        FrameExample(
            DecisionBody(
                strategy: "maker", market: condition, action: .refuse,
                reasons: [.init(gate: "risk", code: "halted", detail: "by the operator")], update: 99, time: time),
            #"""
            {"strategy":"maker","market":\#(conditionJSON),"action":"refuse",\#
            "reasons":[{"gate":"risk","code":"halted","detail":"by the operator"}],"update":99,"time":1790000000000000}
            """#),
        FrameExample(
            DecisionBody(strategy: "maker", market: condition, action: .hold, reasons: [], update: 0, time: time),
            #"{"strategy":"maker","market":\#(conditionJSON),"action":"hold","reasons":[],"update":0,"time":1790000000000000}"#
        ),
        FrameExample(
            RiskStatus(
                isHalted: true, reasons: ["by the operator"], openOrders: 4, unknownOrders: 1,
                exposure: Money(micros: 5),
                dailyProfit: Money(micros: -6), refused: ["price_band": 2]),
            #"""
            {"halted":true,"reasons":["by the operator"],"open_orders":4,"unknown_orders":1,"exposure":5,"daily_profit":-6,\#
            "refused":{"price_band":2}}
            """#),
        FrameExample(
            StrategyStatus(
                strategy: "maker", state: .paused, markets: 3, openOrders: 4, rewardsEstimate: Money(micros: 5),
                rebatesEstimate: Money(micros: 6)),
            #"{"strategy":"maker","state":"paused","markets":3,"open_orders":4,"rewards_estimate":5,"rebates_estimate":6}"#
        ),
    ]
}
