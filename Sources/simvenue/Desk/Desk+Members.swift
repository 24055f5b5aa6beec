import Shared
import Signing

/// What the pages and the user channel tell alike of orders and trades. Source: reference, 2.6 and 3.3.
extension Desk {
    func writeMembers(of order: EngineOrder, _ market: Market, to writer: inout JSONWriter) {
        let signed = order.signed
        writer.key("id")
        writer.string(signed.hash.description)
        writer.key("owner")
        writer.string(self.ownerText(signed.hash))
        writer.key("maker_address")
        writer.string(self.addressText(signed.account))
        writer.key("market")
        writer.string(market.condition.description)
        writer.key("asset_id")
        writer.string(signed.token.description)
        writer.key("side")
        writer.string(signed.side.venueText)
        writer.key("original_size")
        writer.decimalString(signed.shares.micros)
        writer.key("size_matched")
        writer.decimalString(order.matched.micros)
        writer.key("price")
        writer.decimalString(Int64(order.limit.micros))
        writer.key("outcome")
        writer.string(market.label(order.outcome))
        writer.key("expiration")
        writer.string("\(signed.expiration)")
        writer.key("order_type")
        writer.string(signed.kind.venueText)
    }

    /// All but the state and the makers' parts. Whatever stands here is the taker's.
    func writeMembers(of trade: EngineTrade, asTaker: Bool, _ market: Market, to writer: inout JSONWriter) {
        writer.key("id")
        writer.string(trade.id.description)
        writer.key("taker_order_id")
        writer.string(trade.takerOrder.description)
        writer.key("market")
        writer.string(trade.market.description)
        writer.key("asset_id")
        writer.string(market.token(trade.place.outcome).description)
        writer.key("side")
        writer.string(trade.side.venueText)
        writer.key("size")
        writer.decimalString(trade.size.micros)
        writer.key("fee_rate_bps")
        writer.string("0")
        writer.key("price")
        writer.decimalString(Int64(trade.price.micros))
        writer.key("match_time")
        writer.string("\(trade.matchTime.microseconds / 1_000_000)")
        writer.key("last_update")
        writer.string("\(trade.lastUpdate.microseconds / 1_000_000)")
        writer.key("outcome")
        writer.string(market.label(trade.place.outcome))
        writer.key("bucket_index")
        writer.integer(trade.bucketIndex)
        writer.key("owner")
        writer.string(self.ownerText(trade.takerOrder))
        writer.key("maker_address")
        writer.string(self.addressText(trade.taker))
        writer.key("transaction_hash")
        writer.string(trade.knownTransaction)
        writer.key("trader_side")
        writer.string(asTaker ? "TAKER" : "MAKER")
    }

    func writeMembers(of leg: TradeLeg, _ market: Market, to writer: inout JSONWriter) {
        writer.key("order_id")
        writer.string(leg.order.description)
        writer.key("owner")
        writer.string(self.ownerText(leg.order))
        writer.key("maker_address")
        writer.string(self.addressText(leg.account))
        writer.key("matched_amount")
        writer.decimalString(leg.size.micros)
        writer.key("price")
        writer.decimalString(Int64(leg.price.micros))
        writer.key("fee_rate_bps")
        writer.string("0")
        writer.key("asset_id")
        writer.string(market.token(leg.place.outcome).description)
        writer.key("outcome")
        writer.string(market.label(leg.place.outcome))
        writer.key("side")
        writer.string(leg.side.venueText)
    }

    /// The key that an order was placed with; the crowd has none.
    func ownerText(_ order: OrderHash) -> String {
        self.placements[order]?.owner ?? "00000000-0000-0000-0000-000000000000"
    }

    /// The address of an account's funds; the crowd's are numbered.
    func addressText(_ account: AccountID) -> String {
        if let owned = self.accounts.owned(account) { return owned.address.description }
        let digits = String(account.index, radix: 16)
        return "0xc0" + String(repeating: "0", count: 38 - digits.utf8.count) + digits
    }
}
