import Shared

/// An order as the ledger keeps it: what subscribers see, and what only the accounts need.
struct LedgerOrder: Hashable, Sendable {
    /// Trades of one order that are remembered; a resting order is eaten in far fewer bites.
    static let tradeCountMax = 10_000

    let id: OrderID
    var body: OrderBody
    let event: String
    let outcome: Int
    /// Bound for the fee, should it take liquidity.
    let feeReserve: Money
    /// Whether nobody here sent it, as far as is known: it came with its trade.
    let isForeign: Bool
    /// Ids of the trades that were booked.
    var trades: [String] = []

    init(
        id: OrderID, body: OrderBody, event: String, outcome: Int, feeReserve: Money, isForeign: Bool = false,
        trades: [String] = []
    ) {
        self.isForeign = isForeign
        self.id = id
        self.body = body
        self.event = event
        self.outcome = outcome
        self.feeReserve = feeReserve
        self.trades = trades
    }

    var remaining: Quantity { self.body.size - self.body.filled }

    /// Collateral bound by it: what the rest of a purchase costs at its limit, fee included. Sales bind shares instead.
    var reserved: Money {
        guard self.body.side == .buy, !self.body.state.isFinished else { return .zero }
        return self.remaining.notional(at: self.body.price, roundedUp: true) + self.feeReserve
    }

    var bookSide: BookSide { OrderIntent.bookSide(outcome: self.outcome, side: self.body.side) }
    var bookPrice: Price { self.outcome == 0 ? self.body.price : self.body.price.mirrored }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("order")
            self.body.write(to: &$0)
            $0.member("event", self.event)
            $0.member("outcome", Int64(self.outcome))
            $0.member("fee_reserve", self.feeReserve.micros)
            if self.isForeign {
                $0.key("foreign")
                $0.bool(true)
            }
            $0.member("trades", self.trades)
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        var body: OrderBody?
        var event: String?
        var outcome: Int64?
        var feeReserve: Int64?
        var isForeign = false
        var trades: [String] = []
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "order": body = try OrderBody(reading: &reader)
            case "event": event = try reader.string().string
            case "outcome": outcome = try reader.integer()
            case "fee_reserve": feeReserve = try reader.integer()
            case "foreign": isForeign = try reader.bool()
            case "trades": trades = try reader.strings()
            default: try reader.skip()
            }
        }
        let order = try reader.need(body, "order")
        self.init(
            id: try reader.need(OrderID(order.order), "order"), body: order, event: try reader.need(event, "event"),
            outcome: Int(try reader.need(outcome, "outcome")),
            feeReserve: Money(micros: try reader.need(feeReserve, "fee_reserve")), isForeign: isForeign, trades: trades)
    }
}
