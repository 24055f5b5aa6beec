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
        writer.object {
            $0.key("event_type")
            $0.string("order")
            $0.key("type")
            $0.string(notice.rawValue)
            desk.writeMembers(of: order, market, to: &$0)
            $0.key("order_owner")
            $0.string(desk.ownerText(order.signed.hash))
            $0.key("associate_trades")
            if order.trades.isEmpty {
                $0.null()
            } else {
                $0.array { for trade in order.trades { $0.string(trade.description) } }
            }
            $0.key("created_at")
            $0.string("\(order.createdTime.microseconds / 1_000_000)")
            $0.key("status")
            $0.string(order.status.text)
            $0.key("timestamp")
            $0.string("\(time.microseconds / 1_000)")
        }
    }

    private static func write(
        _ trade: EngineTrade, asTaker: Bool, _ market: Market, _ desk: Desk, at time: Timestamp,
        to writer: inout JSONWriter
    ) {
        writer.object {
            $0.key("event_type")
            $0.string("trade")
            $0.key("type")
            $0.string("TRADE")
            desk.writeMembers(of: trade, asTaker: asTaker, market, to: &$0)
            $0.key("trade_owner")
            $0.string(desk.ownerText(trade.takerOrder))
            $0.key("status")
            $0.string(trade.settlement.rawValue.uppercased())
            $0.key("maker_orders")
            $0.array {
                for leg in trade.legs {
                    $0.object {
                        desk.writeMembers(of: leg, market, to: &$0)
                        $0.key("outcome_index")
                        $0.integer(leg.place.outcome)
                    }
                }
            }
            $0.key("timestamp")
            $0.string("\(time.microseconds / 1_000)")
        }
    }
}
