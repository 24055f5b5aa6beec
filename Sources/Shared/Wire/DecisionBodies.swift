/// What a strategy decided, and why.
public struct DecisionBody: FrameBody, Hashable {
    public static let type = FrameType.decision
    public enum Action: String, CaseIterable, Sendable { case quote, hold, refuse }
    public struct Reason: Hashable, Sendable {
        /// "risk", "trust", "strategy" …
        public let gate: String
        public let code: String
        public let detail: String
        public init(gate: String, code: String, detail: String) {
            self.gate = gate
            self.code = code
            self.detail = detail
        }
    }
    public let strategy: String
    public let market: ConditionID
    public let action: Action
    public let reasons: [Reason]
    /// The book's update that was decided on.
    public let update: Int64
    public let time: Timestamp

    public init(
        strategy: String, market: ConditionID, action: Action, reasons: [Reason], update: Int64, time: Timestamp
    ) {
        self.strategy = strategy
        self.market = market
        self.action = action
        self.reasons = reasons
        self.update = update
        self.time = time
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        var reasons: [Reason] = []
        for value in try fields.array("reasons") {
            let reason = try Fields(value)
            reasons.append(
                Reason(
                    gate: try reason.string("gate"), code: try reason.string("code"),
                    detail: try reason.string("detail")))
        }
        self.init(
            strategy: try fields.string("strategy"), market: try fields.condition("market"),
            action: try fields.word("action"), reasons: reasons, update: try fields.integer("update"),
            time: try fields.time("time"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("strategy", self.strategy)
            $0.string("market", self.market.description)
            $0.string("action", self.action.rawValue)
            $0.key("reasons")
            $0.array {
                for reason in self.reasons {
                    $0.object {
                        $0.string("gate", reason.gate)
                        $0.string("code", reason.code)
                        $0.string("detail", reason.detail)
                    }
                }
            }
            $0.integer("update", self.update)
            $0.time("time", self.time)
        }
    }
}

/// How the risk gate stands; sent each second and at every halt.
public struct RiskStatus: FrameBody, Hashable {
    public static let type = FrameType.riskStatus
    public var isHalted: Bool
    /// Why trading is halted; empty while it is not.
    public var reasons: [String]
    public var openOrders: Int64
    public var unknownOrders: Int64
    /// Positions and open orders at cost.
    public var exposure: Money
    /// Realised and unrealised, since midnight UTC.
    public var dailyProfit: Money
    /// Refusals since the start, by code.
    public var refused: [String: Int64]

    public init(
        isHalted: Bool, reasons: [String], openOrders: Int64, unknownOrders: Int64, exposure: Money, dailyProfit: Money,
        refused: [String: Int64]
    ) {
        self.isHalted = isHalted
        self.reasons = reasons
        self.openOrders = openOrders
        self.unknownOrders = unknownOrders
        self.exposure = exposure
        self.dailyProfit = dailyProfit
        self.refused = refused
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            isHalted: try fields.bool("halted"), reasons: try fields.strings("reasons"),
            openOrders: try fields.integer("open_orders"), unknownOrders: try fields.integer("unknown_orders"),
            exposure: try fields.money("exposure"), dailyProfit: try fields.money("daily_profit"),
            refused: try fields.counters("refused"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.bool("halted", self.isHalted)
            $0.key("reasons")
            $0.array { for reason in self.reasons { $0.string(reason) } }
            $0.integer("open_orders", self.openOrders)
            $0.integer("unknown_orders", self.unknownOrders)
            $0.integer("exposure", self.exposure.micros)
            $0.integer("daily_profit", self.dailyProfit.micros)
            $0.counters("refused", self.refused)
        }
    }
}

/// How a strategy stands; sent each second and at every change.
public struct StrategyStatus: FrameBody, Hashable {
    public static let type = FrameType.strategyStatus
    public enum State: String, CaseIterable, Sendable { case running, paused }
    public var strategy: String
    public var state: State
    public var markets: Int64
    public var openOrders: Int64
    /// Liquidity rewards and maker rebates since the ledger began: estimates, in no balance and no profit.
    public var rewardsEstimate: Money
    public var rebatesEstimate: Money

    public init(
        strategy: String, state: State, markets: Int64, openOrders: Int64, rewardsEstimate: Money = .zero,
        rebatesEstimate: Money = .zero
    ) {
        self.rewardsEstimate = rewardsEstimate
        self.rebatesEstimate = rebatesEstimate
        self.strategy = strategy
        self.state = state
        self.markets = markets
        self.openOrders = openOrders
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            strategy: try fields.string("strategy"), state: try fields.word("state"),
            markets: try fields.integer("markets"), openOrders: try fields.integer("open_orders"),
            rewardsEstimate: try fields.money("rewards_estimate"),
            rebatesEstimate: try fields.money("rebates_estimate"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("strategy", self.strategy)
            $0.string("state", self.state.rawValue)
            $0.integer("markets", self.markets)
            $0.integer("open_orders", self.openOrders)
            $0.integer("rewards_estimate", self.rewardsEstimate.micros)
            $0.integer("rebates_estimate", self.rebatesEstimate.micros)
        }
    }
}
