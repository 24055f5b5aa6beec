/// An order as it stands.
public struct OrderBody: FrameBody, Hashable {
    public static let type = FrameType.order
    /// Ours.
    public var order: String
    /// The venue's id of it.
    public var hash: String
    public var strategy: String
    public var market: ConditionID
    public var token: TokenID
    public var side: TradeSide
    public var price: Price
    public var size: Quantity
    public var filled: Quantity
    public var kind: OrderKind
    public var isPostOnly: Bool
    public var state: OrderState
    public var reason: String?
    public var mode: TradingMode
    public var time: Timestamp

    public init(
        order: String, hash: String, strategy: String, market: ConditionID, token: TokenID, side: TradeSide,
        price: Price,
        size: Quantity, filled: Quantity, kind: OrderKind, isPostOnly: Bool, state: OrderState, reason: String?,
        mode: TradingMode, time: Timestamp
    ) {
        self.order = order
        self.hash = hash
        self.strategy = strategy
        self.market = market
        self.token = token
        self.side = side
        self.price = price
        self.size = size
        self.filled = filled
        self.kind = kind
        self.isPostOnly = isPostOnly
        self.state = state
        self.reason = reason
        self.mode = mode
        self.time = time
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            order: try fields.string("order"), hash: try fields.string("hash"), strategy: try fields.string("strategy"),
            market: try fields.condition("market"), token: try fields.token("token"), side: try fields.word("side"),
            price: try fields.price("price"), size: try fields.quantity("size"), filled: try fields.quantity("filled"),
            kind: try fields.word("kind"), isPostOnly: try fields.bool("post_only"), state: try fields.word("state"),
            reason: try fields.optionalString("reason"), mode: try fields.word("mode"), time: try fields.time("time"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("order", self.order)
            $0.string("hash", self.hash)
            $0.string("strategy", self.strategy)
            $0.string("market", self.market.description)
            $0.string("token", self.token.description)
            $0.string("side", self.side.rawValue)
            $0.integer("price", Int64(self.price.micros))
            $0.integer("size", self.size.micros)
            $0.integer("filled", self.filled.micros)
            $0.string("kind", self.kind.rawValue)
            $0.bool("post_only", self.isPostOnly)
            $0.string("state", self.state.rawValue)
            if let reason = self.reason { $0.string("reason", reason) }
            $0.string("mode", self.mode.rawValue)
            $0.time("time", self.time)
        }
    }
}

/// A fill of one of our orders.
public struct FillBody: FrameBody, Hashable {
    public static let type = FrameType.fill
    public var order: String
    public var hash: String
    /// The venue's id of the trade; a fill is booked once for each.
    public var trade: String
    public var strategy: String
    public var market: ConditionID
    public var token: TokenID
    public var side: TradeSide
    public var price: Price
    public var size: Quantity
    /// What a purchase paid or a sale brought, without the fee; the venue's rounding is its own.
    public var money: Money
    public var fee: Money
    public var liquidity: Liquidity
    public var settlement: Settlement
    public var time: Timestamp

    /// - Parameter money: `nil`: size times price, rounded against us.
    public init(
        order: String, hash: String, trade: String, strategy: String, market: ConditionID, token: TokenID,
        side: TradeSide,
        price: Price, size: Quantity, money: Money? = nil, fee: Money, liquidity: Liquidity, settlement: Settlement,
        time: Timestamp
    ) {
        self.order = order
        self.hash = hash
        self.trade = trade
        self.strategy = strategy
        self.market = market
        self.token = token
        self.side = side
        self.price = price
        self.size = size
        self.money = money ?? size.notional(at: price, roundedUp: side == .buy)
        self.fee = fee
        self.liquidity = liquidity
        self.settlement = settlement
        self.time = time
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            order: try fields.string("order"), hash: try fields.string("hash"), trade: try fields.string("trade"),
            strategy: try fields.string("strategy"), market: try fields.condition("market"),
            token: try fields.token("token"), side: try fields.word("side"), price: try fields.price("price"),
            size: try fields.quantity("size"), money: try fields.optionalInteger("money").map { Money(micros: $0) },
            fee: try fields.money("fee"),
            liquidity: try fields.word("liquidity"),
            settlement: try fields.word("settlement"), time: try fields.time("time"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("order", self.order)
            $0.string("hash", self.hash)
            $0.string("trade", self.trade)
            $0.string("strategy", self.strategy)
            $0.string("market", self.market.description)
            $0.string("token", self.token.description)
            $0.string("side", self.side.rawValue)
            $0.integer("price", Int64(self.price.micros))
            $0.integer("size", self.size.micros)
            $0.integer("money", self.money.micros)
            $0.integer("fee", self.fee.micros)
            $0.string("liquidity", self.liquidity.rawValue)
            $0.string("settlement", self.settlement.rawValue)
            $0.time("time", self.time)
        }
    }
}

/// What is held of one token.
public struct PositionBody: FrameBody, Hashable {
    public static let type = FrameType.position
    public var market: ConditionID
    public var token: TokenID
    public var strategy: String?
    public var confirmed: Quantity
    public var pendingIn: Quantity
    public var pendingOut: Quantity
    /// Millionths of a pUSD a share; zero without a position.
    public var averageCost: Int64
    public var realised: Money
    public var unrealised: Money

    public init(
        market: ConditionID, token: TokenID, strategy: String?, confirmed: Quantity, pendingIn: Quantity,
        pendingOut: Quantity, averageCost: Int64, realised: Money, unrealised: Money
    ) {
        self.market = market
        self.token = token
        self.strategy = strategy
        self.confirmed = confirmed
        self.pendingIn = pendingIn
        self.pendingOut = pendingOut
        self.averageCost = averageCost
        self.realised = realised
        self.unrealised = unrealised
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            market: try fields.condition("market"), token: try fields.token("token"),
            strategy: try fields.optionalString("strategy"), confirmed: try fields.quantity("confirmed"),
            pendingIn: try fields.quantity("pending_in"), pendingOut: try fields.quantity("pending_out"),
            averageCost: try fields.integer("average_cost"), realised: try fields.money("realised"),
            unrealised: try fields.money("unrealised"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("market", self.market.description)
            $0.string("token", self.token.description)
            if let strategy = self.strategy { $0.string("strategy", strategy) }
            $0.integer("confirmed", self.confirmed.micros)
            $0.integer("pending_in", self.pendingIn.micros)
            $0.integer("pending_out", self.pendingOut.micros)
            $0.integer("average_cost", self.averageCost)
            $0.integer("realised", self.realised.micros)
            $0.integer("unrealised", self.unrealised.micros)
        }
    }
}

/// The account's collateral.
public struct BalanceBody: FrameBody, Hashable {
    public static let type = FrameType.balance
    public var cash: Money
    /// Of it, bound by open buy orders.
    public var reserved: Money
    public var mode: TradingMode

    public init(cash: Money, reserved: Money, mode: TradingMode) {
        self.cash = cash
        self.reserved = reserved
        self.mode = mode
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(cash: try fields.money("cash"), reserved: try fields.money("reserved"), mode: try fields.word("mode"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.integer("cash", self.cash.micros)
            $0.integer("reserved", self.reserved.micros)
            $0.string("mode", self.mode.rawValue)
        }
    }
}
