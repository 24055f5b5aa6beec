import Shared

/// A fill that is booked and not settled on the chain yet: what it changed, so that it can be taken back when it fails.
struct PendingFill: Hashable, Sendable {
    let order: OrderID
    let trade: String
    let position: PositionKey
    let side: TradeSide
    let size: Quantity
    /// What a purchase paid or a sale brought, without the fee.
    let money: Money
    let fee: Money
    /// What the shares of a sale had cost.
    let cost: Money
    /// When it was matched.
    let time: Timestamp
    var settlement: Settlement

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("order", self.order.description)
            $0.member("trade", self.trade)
            $0.member("token", self.position.token.description)
            $0.member("strategy", self.position.strategy)
            $0.member("side", self.side.rawValue)
            $0.member("size", self.size.micros)
            $0.member("money", self.money.micros)
            $0.member("fee", self.fee.micros)
            $0.member("cost", self.cost.micros)
            $0.member("time", self.time.microseconds)
            $0.member("settlement", self.settlement.rawValue)
        }
    }
}

extension PendingFill {
    init(reading reader: inout JSONReader) throws(JSONError) {
        var order: OrderID?
        var token: TokenID?
        var side: TradeSide?
        var settlement: Settlement?
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "order": order = try reader.orderID()
            case "token": token = try reader.token()
            case "side": side = try reader.word("side")
            case "settlement": settlement = try reader.word("settlement")
            case "trade", "strategy": texts[key.string] = try reader.string().string
            case "size", "money", "fee", "cost", "time": numbers[key.string] = try reader.integer()
            default: try reader.skip()
            }
        }
        self.init(
            order: try reader.need(order, "order"), trade: try reader.need(texts["trade"], "trade"),
            position: PositionKey(
                token: try reader.need(token, "token"), strategy: try reader.need(texts["strategy"], "strategy")),
            side: try reader.need(side, "side"), size: Quantity(micros: try reader.need(numbers["size"], "size")),
            money: Money(micros: try reader.need(numbers["money"], "money")),
            fee: Money(micros: try reader.need(numbers["fee"], "fee")),
            cost: Money(micros: try reader.need(numbers["cost"], "cost")),
            time: Timestamp(microseconds: try reader.need(numbers["time"], "time")),
            settlement: try reader.need(settlement, "settlement"))
    }
}
