import Shared

/// Writes the events of the market channel, compact and in the venue's order of members. Source: reference, 3.1.
enum MarketMessages {
    /// One level's new size, told for both outcomes. `isReversed` puts the second outcome's entry first.
    static func priceChange(
        _ listed: ListedMarket, _ change: LevelChange, isReversed: Bool, to bytes: inout [UInt8]
    ) {
        bytes.append("{\"event_type\":\"price_change\",\"market\":\"")
        bytes.append(contentsOf: listed.ids.condition)
        bytes.append("\",\"timestamp\":\"")
        Decimal6.writeInteger(listed.bookTime.magnitude, to: &bytes)
        bytes.append("\",\"price_changes\":[")
        Self.entry(listed, change, outcome: isReversed ? 1 : 0, to: &bytes)
        bytes.append(UInt8(ascii: ","))
        Self.entry(listed, change, outcome: isReversed ? 0 : 1, to: &bytes)
        bytes.append("]}")
    }

    private static func entry(
        _ listed: ListedMarket, _ change: LevelChange, outcome: Int, to bytes: inout [UInt8]
    ) {
        let isFirst = outcome == 0
        let price = isFirst ? change.price : change.price.mirrored
        bytes.append("{\"asset_id\":\"")
        bytes.append(contentsOf: listed.ids.token(outcome))
        bytes.append("\",\"price\":\"")
        Decimal6.write(Int64(price.micros), to: &bytes)
        bytes.append("\",\"size\":\"")
        Decimal6.write(change.size.micros, to: &bytes)
        bytes.append(
            (change.side == .bid) == isFirst ? "\",\"side\":\"BUY\",\"hash\":\"" : "\",\"side\":\"SELL\",\"hash\":\"")
        bytes.append(text: listed.hash(outcome: outcome).description)
        bytes.append("\",\"best_bid\":\"")
        Decimal6.write(Self.best(.bid, of: listed, outcome: outcome), to: &bytes)
        bytes.append("\",\"best_ask\":\"")
        Decimal6.write(Self.best(.ask, of: listed, outcome: outcome), to: &bytes)
        bytes.append("\"}")
    }

    /// The best price in millionths as an outcome shows it; zero when the side is empty.
    static func best(_ side: BookSide, of listed: ListedMarket, outcome: Int) -> Int64 {
        let own = outcome == 0 ? side : side.opposite
        guard let price = (own == .bid ? listed.book.bestBid : listed.book.bestAsk)?.price else { return 0 }
        return Int64(outcome == 0 ? price.micros : price.mirrored.micros)
    }

    /// A whole book. The copy that follows a trade leaves out tick size and last trade price.
    static func book(_ listed: ListedMarket, outcome: Int, isAfterTrade: Bool, to writer: inout JSONWriter) {
        writer.object {
            $0.key("event_type")
            $0.string("book")
            $0.key("market")
            $0.string(listed.market.condition.description)
            $0.key("asset_id")
            $0.string(listed.outcome(outcome).token.description)
            $0.key("timestamp")
            $0.string(String(listed.bookTime))
            $0.key("hash")
            $0.string(listed.hash(outcome: outcome).description)
            BookHasher.writeLevels(listed.book, outcome: outcome, to: &$0)
            if !isAfterTrade {
                $0.key("tick_size")
                $0.decimalString(listed.book.tick.micros)
                $0.key("last_trade_price")
                $0.string(listed.lastTrade.text)
            }
        }
    }

    static func lastTradePrice(_ listed: ListedMarket, _ print: TradePrint, time: Int64, to writer: inout JSONWriter) {
        writer.object {
            $0.key("event_type")
            $0.string("last_trade_price")
            $0.key("asset_id")
            $0.string(listed.outcome(print.outcome).token.description)
            $0.key("market")
            $0.string(listed.market.condition.description)
            $0.key("price")
            $0.decimalString(Int64(print.price.micros))
            $0.key("size")
            $0.decimalString(print.size.micros)
            $0.key("side")
            $0.string(print.isBuy ? "BUY" : "SELL")
            $0.key("fee_rate_bps")
            $0.string("0")
            $0.key("timestamp")
            $0.string(String(time))
            $0.key("transaction_hash")
            $0.string(print.transaction.description)
        }
    }

    static func tickSizeChange(
        _ listed: ListedMarket, outcome: Int, from old: TickSize, time: Int64, to writer: inout JSONWriter
    ) {
        writer.object {
            $0.key("event_type")
            $0.string("tick_size_change")
            $0.key("asset_id")
            $0.string(listed.outcome(outcome).token.description)
            $0.key("market")
            $0.string(listed.market.condition.description)
            $0.key("old_tick_size")
            $0.decimalString(old.micros)
            $0.key("new_tick_size")
            $0.decimalString(listed.book.tick.micros)
            $0.key("timestamp")
            $0.string(String(time))
        }
    }

    static func bestBidAsk(_ listed: ListedMarket, outcome: Int, to writer: inout JSONWriter) {
        let bid = Self.best(.bid, of: listed, outcome: outcome)
        let ask = Self.best(.ask, of: listed, outcome: outcome)
        writer.object {
            $0.key("event_type")
            $0.string("best_bid_ask")
            $0.key("market")
            $0.string(listed.market.condition.description)
            $0.key("asset_id")
            $0.string(listed.outcome(outcome).token.description)
            $0.key("best_bid")
            $0.decimalString(bid)
            $0.key("best_ask")
            $0.decimalString(ask)
            $0.key("spread")
            $0.decimalString(max(0, ask - bid))
            $0.key("timestamp")
            $0.string(String(listed.bookTime))
        }
    }

    static func newMarket(_ listed: ListedMarket, time: Int64, to writer: inout JSONWriter) {
        writer.object {
            Self.writeAbout(listed, kind: "new_market", time: time, to: &$0)
            $0.key("question")
            $0.string(listed.market.question)
            $0.key("slug")
            $0.string(listed.market.slug)
            $0.key("description")
            $0.string("")
            $0.key("condition_id")
            $0.string(listed.market.condition.description)
            $0.key("clob_token_ids")
            Self.writeTokens(listed, to: &$0)
            $0.key("outcomes")
            $0.array {
                $0.string(listed.market.first.label)
                $0.string(listed.market.second.label)
            }
            $0.key("active")
            $0.bool(true)
            $0.key("order_price_min_tick_size")
            $0.decimalString(listed.book.tick.micros)
            $0.key("sports_market_type")
            $0.string("")
            $0.key("line")
            $0.string("")
            $0.key("game_start_time")
            $0.string("")
            $0.key("group_item_title")
            $0.string("")
            $0.key("taker_base_fee")
            $0.string("1000")
            $0.key("fees_enabled")
            $0.bool(listed.feeType != nil)
        }
    }

    static func marketResolved(_ listed: ListedMarket, winner: Int, time: Int64, to writer: inout JSONWriter) {
        writer.object {
            Self.writeAbout(listed, kind: "market_resolved", time: time, to: &$0)
            $0.key("winning_asset_id")
            $0.string(listed.outcome(winner).token.description)
            $0.key("winning_outcome")
            $0.string(listed.outcome(winner).label)
        }
    }

    /// What the two events about a market as a whole share.
    private static func writeAbout(_ listed: ListedMarket, kind: String, time: Int64, to writer: inout JSONWriter) {
        writer.key("event_type")
        writer.string(kind)
        writer.key("id")
        writer.string(String(listed.id))
        writer.key("market")
        writer.string(listed.market.condition.description)
        writer.key("assets_ids")
        Self.writeTokens(listed, to: &writer)
        writer.key("event_message")
        writer.object {
            $0.key("id")
            $0.string(String(listed.event.id))
            $0.key("ticker")
            $0.string(listed.event.slug)
            $0.key("slug")
            $0.string(listed.event.slug)
            $0.key("title")
            $0.string(listed.event.title)
            $0.key("description")
            $0.string("")
        }
        writer.key("timestamp")
        writer.string(String(time))
        writer.key("tags")
        writer.array { $0.string("crypto") }
    }

    private static func writeTokens(_ listed: ListedMarket, to writer: inout JSONWriter) {
        writer.array {
            $0.string(listed.market.first.token.description)
            $0.string(listed.market.second.token.description)
        }
    }
}

/// A level's new size, in terms of the first outcome. Zero removes it.
struct LevelChange: Hashable, Sendable {
    let side: BookSide
    let price: Price
    let size: Quantity
}

/// A trade as its taker sees it.
struct TradePrint: Hashable, Sendable {
    /// The taker's: 0 for the first outcome, 1 for the second.
    let outcome: Int
    /// In terms of that outcome.
    let price: Price
    let size: Quantity
    let isBuy: Bool
    let transaction: ConditionID
}
