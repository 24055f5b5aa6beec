import Shared
import Signing

/// What tests may know of an account: `GET /truth/account?address=`. All amounts are whole millionths.
extension Desk {
    /// Trades of an account that wait for settlement and are shown.
    private static let waitingTradeCountMax = 1_000

    func truth(_ request: PageRequest, _ engine: MatchingEngine) -> Answer {
        guard let text = request.value("address") else {
            return .json { writer in
                writer.array { for owned in self.accounts.all { $0.string(owned.address.description) } }
            }
        }
        guard let address = Address(text) else { return .error(400, "no address: \(text.prefix(64))") }
        guard let account = self.accounts.account(of: address), let owned = self.accounts.owned(account) else {
            return .error(404, "no account has that address")
        }
        return .json { self.write(owned, engine, to: &$0) }
    }

    private func write(_ owned: AccountRegister.Owned, _ engine: MatchingEngine, to writer: inout JSONWriter) {
        let account = engine.accounts[owned.account.index]
        writer.object {
            $0.key("address")
            $0.string(owned.address.description)
            $0.key("signer")
            $0.string(owned.signer.description)
            $0.key("standing")
            $0.string("\(account.standing)")
            $0.key("money")
            $0.integer(account.money.micros)
            $0.key("reserved")
            $0.integer(account.reserved.micros)
            $0.key("holdings")
            $0.array { for place in account.heldPlaces { Self.write(account, place, engine, to: &$0) } }
            $0.key("orders")
            $0.array { for order in self.openOrders(of: owned.account, engine) { Self.write(order, to: &$0) } }
            $0.key("waiting_trades")
            $0.array { writer in
                let trades = self.history.trades(of: owned.account).suffix(Self.waitingTradeCountMax)
                for trade in trades.compactMap({ engine.trade($0) }) where !trade.isSettled {
                    writer.object {
                        $0.key("id")
                        $0.string(trade.id.description)
                        $0.key("status")
                        $0.string(trade.settlement.rawValue)
                    }
                }
            }
        }
    }

    private static func write(
        _ account: Account, _ place: OutcomePlace, _ engine: MatchingEngine, to writer: inout JSONWriter
    ) {
        let holding = account.holding(place)
        writer.object {
            $0.key("token")
            $0.string(engine.markets[place.market].terms.token(place.outcome).description)
            $0.key("balance")
            $0.integer(holding.balance.micros)
            $0.key("reserved")
            $0.integer(holding.reserved.micros)
        }
    }

    private static func write(_ order: EngineOrder, to writer: inout JSONWriter) {
        writer.object {
            $0.key("hash")
            $0.string(order.signed.hash.description)
            $0.key("status")
            $0.string(order.status.text)
            $0.key("side")
            $0.string(order.signed.side.venueText)
            $0.key("token")
            $0.string(order.signed.token.description)
            $0.key("price")
            $0.integer(Int64(order.limit.micros))
            $0.key("matched")
            $0.integer(order.matched.micros)
            $0.key("remaining")
            $0.integer(order.remaining.micros)
        }
    }

    /// The desk's part of `GET /audit`.
    func writeAudit(to writer: inout JSONWriter) {
        self.audit.write(
            accountCount: self.accounts.count, keyCount: self.keys.count, armedCount: self.heartbeats.armedCount,
            to: &writer)
    }
}
