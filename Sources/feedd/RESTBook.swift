import Shared

/// A book as the REST interface serves it. Source: reference of `GET /book`, 2.1.
struct RESTBook: Equatable {
    let market: ConditionID
    let token: TokenID
    /// Milliseconds UTC.
    let timestamp: Int64
    let hash: BookHash
    /// As served, worst first.
    let bids: [Level]
    let asks: [Level]
    let sizeMin: Quantity
    let tick: TickSize
    let isNegRisk: Bool
    let lastTrade: LastTradePrice

    /// Reads one book object; everything that the hash covers must be there.
    init(_ value: JSONValue) throws(JSONError) {
        func need<Value>(_ name: String, _ value: Value?) throws(JSONError) -> Value {
            guard let value else { throw JSONError(.missing, at: 0, member: name) }
            return value
        }
        self.market = try need("market", value["market"]?.string.flatMap { ConditionID($0) })
        self.token = try need("asset_id", value["asset_id"]?.string.flatMap { TokenID($0) })
        self.timestamp = try need("timestamp", value["timestamp"]?.integer)
        guard (1...MarketChannelReader.timestampMax).contains(self.timestamp) else {
            throw JSONError(.wrongValue, at: 0, member: "timestamp")
        }
        self.hash = try need("hash", value["hash"]?.string.flatMap { BookHash($0) })
        self.bids = try Self.levels(try need("bids", value["bids"]?.array))
        self.asks = try Self.levels(try need("asks", value["asks"]?.array))
        self.sizeMin = Quantity(micros: try need("min_order_size", value["min_order_size"]?.micros))
        self.tick = try need("tick_size", value["tick_size"]?.micros.flatMap { TickSize(micros: $0) })
        self.isNegRisk = try need("neg_risk", value["neg_risk"]?.bool)
        self.lastTrade = LastTradePrice(text: value["last_trade_price"]?.string ?? "")
    }

    /// Whether nobody bids more than a cent or asks less than all but a cent. The interface is known to show that of markets that
    /// it knows nothing of at the moment, with the right hash; and whoever decides by such a book knows nothing either.
    var isPlaceholder: Bool {
        guard let bid = self.bids.map(\.price).max(), let ask = self.asks.map(\.price).min() else { return false }
        return bid.micros <= 10_000 && ask.micros >= 990_000
    }

    /// As the venue writes it.
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("market")
            $0.string(self.market.description)
            $0.key("asset_id")
            $0.string(self.token.description)
            $0.key("timestamp")
            $0.string("\(self.timestamp)")
            $0.key("hash")
            $0.string(self.hash.description)
            $0.key("bids")
            Self.write(self.bids, to: &$0)
            $0.key("asks")
            Self.write(self.asks, to: &$0)
            $0.key("min_order_size")
            $0.decimalString(self.sizeMin.micros)
            $0.key("tick_size")
            $0.decimalString(Int64(self.tick.micros))
            $0.key("neg_risk")
            $0.bool(self.isNegRisk)
            $0.key("last_trade_price")
            $0.string(self.lastTrade.text)
        }
    }

    private static func write(_ levels: [Level], to writer: inout JSONWriter) {
        writer.array {
            for level in levels {
                $0.object {
                    $0.key("price")
                    $0.decimalString(Int64(level.price.micros))
                    $0.key("size")
                    $0.decimalString(level.size.micros)
                }
            }
        }
    }

    private static func levels(_ values: [JSONValue]) throws(JSONError) -> [Level] {
        guard values.count <= MarketChannelReader.levelCountMax else {
            throw JSONError(.outOfRange, at: 0, member: "levels")
        }
        var levels: [Level] = []
        levels.reserveCapacity(values.count)
        for value in values {
            guard let price = value["price"]?.micros.flatMap({ Price(micros: $0) }), let size = value["size"]?.micros
            else {
                throw JSONError(.wrongValue, at: 0, member: "level")
            }
            levels.append(Level(price: price, size: Quantity(micros: size)))
        }
        return levels
    }
}
