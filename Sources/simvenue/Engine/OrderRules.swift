import Shared

/// What amounts, prices, sizes and expiries the venue takes. Source: reference, 2.4 and 2.5.
enum OrderRules {
    /// Largest amount on either side of an order: what one price of a book may hold.
    static let amountMax = OrderBook.levelSizeMax.micros
    /// Decimals of a size in shares, and of the dollars of a market buy.
    static let sizeDecimals = 2
    /// Decimals of what a market buy gets that are taken on every tick; a report says that no more ever are. The venue's own
    /// client sends as many as `amountDecimals`, and these are taken too.
    static let marketBuySharesDecimals = 4
    /// Least spent by a buy that matches at once.
    static let marketableBuyMin = Money(micros: 1_000_000)

    /// Decimals of pUSD that price times size can have.
    static func amountDecimals(_ tick: TickSize) -> Int {
        switch tick.micros {
        case 100_000: 3
        case 10_000: 4
        case 5_000, 1_000: 5
        default: 6
        }
    }

    /// The worst price that the order allows, in terms of its own token, if everything about the order itself is right.
    static func limit(
        of order: SignedOrder, in market: Market, now: Timestamp, settings: MatchingEngine.Settings
    ) throws(EngineRefusal) -> Price {
        guard (1...Self.amountMax).contains(order.makerAmount), (1...Self.amountMax).contains(order.takerAmount),
            !(order.isPostOnly && order.isImmediate)
        else { throw .invalidPayload }
        try Self.checkAccuracy(order, market.tick)
        let limit = try Self.price(of: order, market.tick)
        if !order.isImmediate && order.shares < market.sizeMin {
            throw .sizeBelowMinimum(order.shares, minimum: market.sizeMin)
        }
        switch order.kind {
        case .gtd:
            let earliest = now + settings.expirationLeadMin
            guard (0...Self.expirationMax).contains(order.expiration), Timestamp(seconds: order.expiration) >= earliest
            else {
                throw .invalidExpiration
            }
        case .gtc, .fok, .fak: guard order.expiration == 0 else { throw .invalidExpiration }
        }
        return limit
    }

    /// Seconds since 1970 in the year 2286: later times are mistakes, milliseconds mostly.
    private static let expirationMax: Int64 = 9_999_999_999

    /// Decimals to which careful clients round the shares of a market buy down.
    private static func signedSharesDecimals(_ tick: TickSize) -> Int {
        min(Self.amountDecimals(tick), Self.marketBuySharesDecimals)
    }

    /// Millionths to which clients round the shares of a market buy down.
    static func marketBuySharesUnit(_ tick: TickSize) -> Int64 { self.unit(self.signedSharesDecimals(tick)) }

    private static func checkAccuracy(_ order: SignedOrder, _ tick: TickSize) throws(EngineRefusal) {
        let (orders, maker, taker) =
            switch (order.side, order.isImmediate) {
            case (.buy, true):
                ("market buy", Self.sizeDecimals, max(Self.amountDecimals(tick), Self.marketBuySharesDecimals))
            case (.buy, false): ("buy", Self.amountDecimals(tick), Self.sizeDecimals)
            case (.sell, _): ("sell", Self.sizeDecimals, Self.amountDecimals(tick))
            }
        guard order.makerAmount % Self.unit(maker) == 0, order.takerAmount % Self.unit(taker) == 0 else {
            throw .amountAccuracy(orders: orders, makerDecimals: maker, takerDecimals: taker)
        }
    }

    private static func unit(_ decimals: Int) -> Int64 {
        var unit: Int64 = 1
        for _ in decimals..<6 { unit *= 10 }
        return unit
    }

    private static func price(of order: SignedOrder, _ tick: TickSize) throws(EngineRefusal) -> Price {
        let (shares, money) = (order.shares.micros, order.money.micros)
        // Rounded down; far above a pUSD where the amounts are nonsense.
        let (quotient, rest) = (Int128(money) * Int128(Decimal6.scale)).quotientAndRemainder(dividingBy: Int128(shares))
        let micros = Int64(clamping: quotient)
        let onGrid = micros / tick.micros * tick.micros
        // The shares of a market buy were rounded down to what the venue reads, which makes it look dearer than it is.
        let isRight =
            order.isSizedInMoney
            ? money
                < Quantity(micros: shares + Self.unit(Self.signedSharesDecimals(tick)))
                .boughtAbove(onGrid)
            : rest == 0 && micros == onGrid
        guard isRight, onGrid >= tick.micros, onGrid <= Decimal6.scale - tick.micros, let price = Price(micros: onGrid)
        else { throw .breaksTick(order.hash, priceMicros: micros, tick: tick) }
        return price
    }
}

extension Quantity {
    /// The least whole millionths of a pUSD that are not below what the shares cost at `micros` a share.
    fileprivate func boughtAbove(_ micros: Int64) -> Int64 {
        Price(micros: micros).map { self.notional(at: $0, roundedUp: true).micros } ?? 0
    }
}
