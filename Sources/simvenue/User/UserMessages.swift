import Shared
import Signing

/// One text of the user channel, and whose it is.
struct UserMessage: Hashable, Sendable {
    let signer: Address
    let market: ConditionID
    let text: [UInt8]
}

/// Writes what the user channel says of orders and trades. Source: reference, 3.3.
enum UserMessages {
    /// The texts that `event` is worth, one for each of the desk's signers whom it concerns, in the order of their addresses.
    static func messages(of event: EngineEvent, _ desk: Desk, _ engine: MatchingEngine) -> [UserMessage] {
        switch event.what {
        case .order(let notice, let order):
            guard let owned = desk.accounts.owned(order.signed.account) else { return [] }
            let market = engine.markets[order.market].terms
            var writer = JSONWriter(capacity: 1_024)
            Self.write(order, notice, market, desk, at: event.time, to: &writer)
            return [UserMessage(signer: owned.signer, market: market.condition, text: writer.bytes)]
        case .trade(let trade):
            let taker = desk.accounts.owned(trade.taker)?.signer
            let makers = trade.legs.compactMap { desk.accounts.owned($0.account)?.signer }
            return Set([taker].compactMap { $0 } + makers).sorted().map { signer in
                var writer = JSONWriter(capacity: 2_048)
                Self.write(
                    trade, asTaker: signer == taker, engine.markets[trade.place.market].terms, desk, at: event.time,
                    to: &writer)
                return UserMessage(signer: signer, market: trade.market, text: writer.bytes)
            }
        case .accepted, .refused, .canceled, .accountOpened, .done, .commandRefused, .book, .tick, .resolved: return []
        }
    }

    private static func write(
        _ order: EngineOrder, _ notice: OrderNotice, _ market: Market, _ desk: Desk, at time: Timestamp,
        to writer: inout JSONWriter
    ) {
        let signed = order.signed
        let owner = desk.ownerText(signed.hash)
        writer.object {
            $0.key("event_type")
            $0.string("order")
            $0.key("type")
            $0.string(notice.rawValue)
            $0.key("id")
            $0.string(signed.hash.description)
            $0.key("owner")
            $0.string(owner)
            $0.key("order_owner")
            $0.string(owner)
            $0.key("market")
            $0.string(market.condition.description)
            $0.key("asset_id")
            $0.string(signed.token.description)
            $0.key("side")
            $0.string(signed.side.venueText)
            $0.key("original_size")
            $0.decimalString(signed.shares.micros)
            $0.key("size_matched")
            $0.decimalString(order.matched.micros)
            $0.key("price")
            $0.decimalString(Int64(order.limit.micros))
            $0.key("outcome")
            $0.string(market.label(order.outcome))
            $0.key("associate_trades")
            if order.trades.isEmpty {
                $0.null()
            } else {
                $0.array { for trade in order.trades { $0.string(trade.description) } }
            }
            $0.key("created_at")
            $0.string("\(order.createdTime.microseconds / 1_000_000)")
            $0.key("expiration")
            $0.string("\(signed.expiration)")
            $0.key("order_type")
            $0.string(signed.kind.venueText)
            $0.key("status")
            $0.string(order.status.text)
            $0.key("maker_address")
            $0.string(desk.addressText(signed.account))
            $0.key("timestamp")
            $0.string("\(time.microseconds / 1_000)")
        }
    }

    private static func write(
        _ trade: EngineTrade, asTaker: Bool, _ market: Market, _ desk: Desk, at time: Timestamp,
        to writer: inout JSONWriter
    ) {
        let owner = desk.ownerText(trade.takerOrder)
        writer.object {
            $0.key("event_type")
            $0.string("trade")
            $0.key("type")
            $0.string("TRADE")
            $0.key("id")
            $0.string(trade.id.description)
            $0.key("taker_order_id")
            $0.string(trade.takerOrder.description)
            $0.key("market")
            $0.string(trade.market.description)
            $0.key("asset_id")
            $0.string(market.token(trade.place.outcome).description)
            $0.key("side")
            $0.string(trade.side.venueText)
            $0.key("size")
            $0.decimalString(trade.size.micros)
            $0.key("price")
            $0.decimalString(Int64(trade.price.micros))
            $0.key("fee_rate_bps")
            $0.string("0")
            $0.key("status")
            $0.string(trade.settlement.rawValue.uppercased())
            $0.key("match_time")
            $0.string("\(trade.matchTime.microseconds / 1_000_000)")
            $0.key("last_update")
            $0.string("\(trade.lastUpdate.microseconds / 1_000_000)")
            $0.key("outcome")
            $0.string(market.label(trade.place.outcome))
            $0.key("owner")
            $0.string(owner)
            $0.key("trade_owner")
            $0.string(owner)
            $0.key("maker_address")
            $0.string(desk.addressText(trade.taker))
            $0.key("transaction_hash")
            $0.string(trade.knownTransaction)
            $0.key("bucket_index")
            $0.integer(trade.bucketIndex)
            $0.key("maker_orders")
            $0.array { for leg in trade.legs { Self.write(leg, market, desk, to: &$0) } }
            $0.key("trader_side")
            $0.string(asTaker ? "TAKER" : "MAKER")
            $0.key("timestamp")
            $0.string("\(time.microseconds / 1_000)")
        }
    }

    private static func write(_ leg: TradeLeg, _ market: Market, _ desk: Desk, to writer: inout JSONWriter) {
        writer.object {
            $0.key("order_id")
            $0.string(leg.order.description)
            $0.key("owner")
            $0.string(desk.ownerText(leg.order))
            $0.key("maker_address")
            $0.string(desk.addressText(leg.account))
            $0.key("matched_amount")
            $0.decimalString(leg.size.micros)
            $0.key("price")
            $0.decimalString(Int64(leg.price.micros))
            $0.key("fee_rate_bps")
            $0.string("0")
            $0.key("asset_id")
            $0.string(market.token(leg.place.outcome).description)
            $0.key("outcome")
            $0.string(market.label(leg.place.outcome))
            $0.key("outcome_index")
            $0.integer(leg.place.outcome)
            $0.key("side")
            $0.string(leg.side.venueText)
        }
    }
}
