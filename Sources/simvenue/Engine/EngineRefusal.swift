import Shared

/// Why the venue does not take an order, in its own words. Source: reference, 2.1, 2.5 and 2.6.
enum EngineRefusal: Error, Hashable, Sendable {
    case banned
    case closedOnly
    case notEnoughBalance
    case fokNotFilled
    case fakNotMatched
    case postOnlyCrosses
    case postOnlyMode
    case cancelOnly
    case disabled
    case breaksTick(OrderHash, priceMicros: Int64, tick: TickSize)
    /// Of a buy that would match at once.
    case marketableAmount(Money)
    case sizeBelowMinimum(Quantity, minimum: Quantity)
    case amountAccuracy(orders: String, makerDecimals: Int, takerDecimals: Int)
    case invalidExpiration
    case invalidPayload
    case marketNotReady
    case noOrderBook
    case duplicated(OrderHash)
    /// A bound of the simulation was reached: the venue says so when it is at fault.
    case notInserted
    case notExecuted

    var text: String {
        switch self {
        case .banned: "address banned"
        case .closedOnly: "address in closed only mode"
        case .notEnoughBalance: "not enough balance / allowance"
        case .fokNotFilled: "order couldn't be fully filled. FOK orders are fully filled or killed."
        case .fakNotMatched:
            "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."
        case .postOnlyCrosses: "invalid post-only order: order crosses book"
        case .postOnlyMode: "post-only mode: only post-only orders and cancels are allowed"
        case .cancelOnly: "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
        case .disabled: "Trading is currently disabled"
        case .breaksTick(let hash, let price, let tick):
            "order \(hash) is invalid. Price (\(Decimal6.text(price))) breaks minimum tick size rule: \(tick)"
        case .marketableAmount(let amount): "invalid amount for a marketable BUY order ($\(amount)), min size: $1"
        case .sizeBelowMinimum(let size, let minimum): "Size (\(size)) lower than the minimum: \(minimum)"
        case .amountAccuracy(let orders, let maker, let taker):
            "invalid amounts, the \(orders) orders maker amount supports a max accuracy of \(maker) decimals, "
                + "taker amount a max of \(taker) decimals"
        case .invalidExpiration: "invalid expiration"
        case .invalidPayload: "Invalid order payload"
        case .marketNotReady: "the market is not yet ready to process new orders"
        case .noOrderBook: "No orderbook exists for the requested token id"
        case .duplicated(let hash): "order \(hash) is invalid. Duplicated. Same order has already been placed"
        case .notInserted: "could not insert order"
        case .notExecuted: "could not run the execution"
        }
    }

    /// Whether the order was right and found too little: its owner hears of it on the user channel too.
    var isKill: Bool { self == .fokNotFilled || self == .fakNotMatched }

    /// The HTTP status that goes with it.
    var httpStatus: Int {
        switch self {
        case .postOnlyMode, .cancelOnly, .disabled: 503
        case .notInserted, .notExecuted: 500
        case .noOrderBook: 404
        case .banned, .closedOnly, .notEnoughBalance, .fokNotFilled, .fakNotMatched, .postOnlyCrosses, .breaksTick,
            .marketableAmount, .sizeBelowMinimum, .amountAccuracy, .invalidExpiration, .invalidPayload, .marketNotReady,
            .duplicated:
            400
        }
    }

    /// The member `code` of the answer, where the venue sends one. Source: reference, 2.8.
    var code: String? { self == .postOnlyMode ? "post_only_mode" : nil }
}

/// Why an order stays, in the words of `not_canceled`: free text at the venue. Source: reference, 2.6.
enum CancelRefusal: String, Hashable, Sendable {
    /// Never seen, somebody else's, or long finished.
    case notFound = "order can't be found - already canceled or matched"
    case alreadyCanceled = "the order is already canceled"
    case matched = "matched orders can't be canceled"
    /// The taker delay holds it. The venue's words for this are not known.
    case delayed = "delayed orders can't be canceled"
}

/// Why a command to the simulation, or a transaction on its chain, was not carried out.
enum CommandRefusal: String, Error, Hashable, Sendable {
    case unknownAccount = "there is no such account"
    case unknownMarket = "there is no such market"
    case unknownOrder = "there is no such open order"
    case unknownTrade = "there is no such trade waiting for settlement"
    case alreadyListed = "a market with that condition or one of its tokens is listed"
    case tooMany = "a bound of the simulation is reached"
    case badAmount = "the amount is not positive, or too large"
    case notEnough = "the account does not hold that much"
    case alreadyResolved = "the market is resolved"
    case disabled = "trading is disabled"
}
