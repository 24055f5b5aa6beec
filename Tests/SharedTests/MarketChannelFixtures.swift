import Shared
import Testing

/// One text of every shape that the market channel sends, written from its reference.
enum MarketChannelFixtures {
    static let condition = "0xd5f15f31689703aea70b93a52194a0964220d10d92ee7497346f146a8b6ef8ab"
    static let up = "2151378744569768920256500242561922410292857798164019061749528550808091180185"
    static let down = "17406866367975599232214757606801140480252276357934486651183783311435802862074"

    static let book = """
        {"event_type":"book","market":"\(condition)","asset_id":"\(up)","timestamp":"1786845514657",\
        "hash":"8182cc8b57d17f795809322ec7315452325e5a5e","bids":[{"price":"0.01","size":"5852.53"},\
        {"price":".82","size":"5"}],"asks":[{"price":"0.99","size":"5588.18"},{"price":"0.83","size":"143.31"}],\
        "tick_size":"0.01","last_trade_price":"0.820"}
        """
    /// As it follows a trade.
    static let bookAfterTrade = book.replacing(#","tick_size":"0.01","last_trade_price":"0.820""#, with: "")
    static let priceChange = """
        {"event_type":"price_change","market":"\(condition)","timestamp":"1786845515019","price_changes":[\
        {"asset_id":"\(up)","price":"0.01","size":"5873.53","side":"BUY",\
        "hash":"4da9c9008b57d17f795809322ec7315452325e5a","best_bid":"0.82","best_ask":"0.83"},\
        {"asset_id":"\(down)","price":"0.99","size":"0","side":"SELL",\
        "hash":"79b5ae7d8b57d17f795809322ec7315452325e5a","best_bid":"0.17","best_ask":"0.18"}]}
        """
    static let lastTradePrice = """
        {"event_type":"last_trade_price","asset_id":"\(down)","market":"\(condition)","price":"0.456","size":"219.217767",\
        "side":"BUY","fee_rate_bps":"0","timestamp":"1750428146322","transaction_hash":"0xabc"}
        """
    static let tickSizeChange = """
        {"event_type":"tick_size_change","asset_id":"\(up)","market":"\(condition)","old_tick_size":"0.01",\
        "new_tick_size":"0.001","timestamp":"1757908892351"}
        """
    static let bestBidAsk = """
        {"event_type":"best_bid_ask","market":"\(condition)","asset_id":"\(up)","best_bid":"","best_ask":"0.77",\
        "spread":"0.04","timestamp":"1766789469958"}
        """
    static let newMarket = """
        {"event_type":"new_market","id":"1031769","question":"Will \\"NVIDIA\\" (NVDA) close above $240?","market":"\(condition)",\
        "condition_id":"\(condition)","slug":"nvda-above-240","assets_ids":["\(up)","\(down)"],\
        "clob_token_ids":["\(up)","\(down)"],"outcomes":["Yes","No"],"active":true,"order_price_min_tick_size":"0.01",\
        "sports_market_type":"","line":"","game_start_time":"","group_item_title":"NVDA above $240",\
        "event_message":{"id":"125819","ticker":"nvda","slug":"nvda","title":"..","description":"caf\\u00e9"},"tags":["stocks"],\
        "timestamp":"1766790415550","taker_base_fee":0,"fees_enabled":false,"fee_schedule":null}
        """
    static let marketResolved = """
        {"event_type":"market_resolved","id":"1031769","market":"\(condition)","assets_ids":["\(up)","\(down)"],\
        "winning_asset_id":"\(up)","winning_outcome":"Yes","event_message":{"id":"125819"},"timestamp":"1766790415550",\
        "tags":["stocks"]}
        """

    static let all = [
        book, bookAfterTrade, priceChange, lastTradePrice, tickSizeChange, bestBidAsk, newMarket, marketResolved,
    ]
    /// Those whose content matters to us.
    static let read = [book, bookAfterTrade, priceChange, lastTradePrice, tickSizeChange, marketResolved]

    /// The same object with its members in another order.
    static func shuffled(_ text: String, using random: inout SeededRandom) throws -> String {
        let members = try #require(try JSONValue(text: text).object)
        var writer = JSONWriter()
        writer.object {
            for (key, value) in members.sorted(by: { $0.key < $1.key }).shuffled(using: &random) {
                $0.key(dynamic: key)
                value.write(to: &$0)
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension MarketChannelReader {
    /// The events of one text as lines that a test can compare.
    mutating func lines(_ text: String) throws -> [String] {
        var copy = text
        var lines: [String] = []
        let kind = try copy.withUTF8 { bytes in try self.read(bytes) { lines.append(Self.line($0)) } }
        switch kind {
        case .events(let count): #expect(count == lines.count)
        case .pong: lines.append("pong")
        case .notice(let notice): lines.append("notice: \(notice)")
        }
        return lines
    }

    private static func line(_ event: borrowing MarketEvent) -> String {
        var line = event.kind.rawValue
        func add(_ name: String, _ value: (some CustomStringConvertible)?) {
            if let value { line += " \(name)=\(value)" }
        }
        func add(_ name: String, _ levels: [Level]) {
            if !levels.isEmpty { add(name, levels.map { "\($0.price):\($0.size)" }.joined(separator: ",")) }
        }
        guard ![.bestBidAsk, .newMarket, .unknown].contains(event.kind) else { return line }
        add("market", event.market?.description.prefix(6))
        add("token", event.token?.description.prefix(4))
        add("time", event.timestamp)
        add("hash", event.hash?.description.prefix(6))
        add("bids", event.bids)
        add("asks", event.asks)
        for change in event.changes {
            add("change", "\(change.token.description.prefix(4)):\(change.side):\(change.price):\(change.size)")
            add("hash", change.hash?.description.prefix(6))
        }
        add("old", event.oldTick)
        add("tick", event.tick)
        add("last", event.lastTrade?.text)
        add("price", event.price)
        if event.size > .zero { add("size", event.size) }
        if let side = event.side { add("side", "\(side)") }
        add("transaction", event.transaction)
        return line
    }
}
