import Shared
import Signing

/// Orders and trades of a signer, to look at. Source: reference, 2.3 and 2.6.
extension Desk {
    /// Open orders of an account, earliest first.
    func openOrders(of account: AccountID, _ engine: MatchingEngine) -> [EngineOrder] {
        engine.accounts[account.index].openOrders.map { engine.orders[$0.slot] }
    }

    /// An order of the signer, whatever became of it.
    private func ownOrder(_ id: String, _ key: APIKey, _ engine: MatchingEngine) -> EngineOrder? {
        guard let order = OrderHash(id).flatMap({ engine.order($0) }),
            self.accounts.owned(order.signed.account)?.signer == key.signer
        else { return nil }
        return order
    }

    func order(_ id: String, _ key: APIKey, _ engine: MatchingEngine) -> Answer {
        guard let order = self.ownOrder(id, key, engine) else { return .error(404, "order not found") }
        return .json { self.write(order, engine, to: &$0) }
    }

    /// Open orders, earliest first.
    func orders(_ request: PageRequest, _ key: APIKey, _ engine: MatchingEngine) -> Answer {
        guard let filter = DataFilter(request) else { return .error(400, "Invalid query") }
        let orders = self.accounts.accounts(of: key.signer).flatMap { self.openOrders(of: $0, engine) }
            .filter { filter.wants($0, engine) }
            .sorted { $0.sequence < $1.sequence }
        return PageCursor.answer(request, orders) { self.write($0, engine, to: &$1) }
    }

    func write(_ order: EngineOrder, _ engine: MatchingEngine, to writer: inout JSONWriter) {
        writer.object {
            self.writeMembers(of: order, engine.markets[order.market].terms, to: &$0)
            $0.key("status")
            $0.string(order.status.dataText)
            $0.key("associate_trades")
            $0.array { for trade in order.trades { $0.string(trade.description) } }
            $0.key("created_at")
            $0.integer(order.createdTime.microseconds / 1_000_000)
        }
    }

    // MARK: Trades

    /// Trades in which the signer had a part, latest first.
    func trades(_ request: PageRequest, _ key: APIKey, _ engine: MatchingEngine) -> Answer {
        guard let filter = DataFilter(request) else { return .error(400, "Invalid query") }
        let own = self.accounts.accounts(of: key.signer)
        let ids = Set(own.flatMap { self.history.trades(of: $0) })
        let trades = ids.compactMap { engine.trade($0) }
            .filter { trade in filter.wants(trade, engine) { self.addressText($0) } }
            .sorted { ($0.matchTime, $0.id) > ($1.matchTime, $1.id) }
        return PageCursor.answer(request, trades) { self.write($0, own, engine, to: &$1) }
    }

    /// - Parameter own: accounts of whoever asks: whether it was the taker depends on that.
    func write(_ trade: EngineTrade, _ own: [AccountID], _ engine: MatchingEngine, to writer: inout JSONWriter) {
        let market = engine.markets[trade.place.market].terms
        writer.object {
            self.writeMembers(of: trade, asTaker: own.contains(trade.taker), market, to: &$0)
            $0.key("status")
            $0.string("TRADE_STATUS_" + trade.settlement.rawValue.uppercased())
            $0.key("match_time_nano")
            $0.string("\(trade.matchTime.microseconds * 1_000)")
            $0.key("err_msg")
            $0.string(trade.settlement == .failed ? "transaction failed" : "")
            $0.key("maker_orders")
            $0.array {
                for leg in trade.legs {
                    $0.object {
                        self.writeMembers(of: leg, market, to: &$0)
                        $0.key("builder_fee")
                        $0.string("0")
                        $0.key("builder_code")
                        $0.string("")
                    }
                }
            }
        }
    }
}

/// What of a list is wanted.
struct DataFilter: Sendable {
    /// Order or trade.
    let id: String?
    let market: ConditionID?
    let token: TokenID?
    let maker: String?
    /// Unix seconds.
    let before: Int64?
    let after: Int64?

    /// - Returns: `nil` when something is asked for that cannot be.
    init?(_ request: PageRequest) {
        func text(_ key: String) -> String? { request.value(key).flatMap { $0.isEmpty ? nil : $0 } }
        self.id = text("id")?.lowercased()
        self.market = text("market").flatMap { ConditionID($0) }
        self.token = text("asset_id").flatMap { TokenID($0) }
        self.maker = text("maker_address")?.lowercased()
        self.before = text("before").flatMap { Int64($0) }
        self.after = text("after").flatMap { Int64($0) }
        guard (self.market == nil) == (text("market") == nil), (self.token == nil) == (text("asset_id") == nil),
            (self.before == nil) == (text("before") == nil), (self.after == nil) == (text("after") == nil)
        else { return nil }
    }

    func wants(_ order: EngineOrder, _ engine: MatchingEngine) -> Bool {
        (self.id == nil || self.id == order.signed.hash.description)
            && (self.market == nil || self.market == engine.markets[order.market].terms.condition)
            && (self.token == nil || self.token == order.signed.token)
    }

    func wants(_ trade: EngineTrade, _ engine: MatchingEngine, _ address: (AccountID) -> String) -> Bool {
        let seconds = trade.matchTime.microseconds / 1_000_000
        guard self.id == nil || self.id == trade.id.description,
            self.market == nil || self.market == trade.market, self.before.map({ seconds < $0 }) ?? true,
            self.after.map({ seconds > $0 }) ?? true
        else { return false }
        if let token = self.token {
            let places = [trade.place] + trade.legs.map(\.place)
            let tokens = places.map { engine.markets[$0.market].terms.token($0.outcome) }
            guard tokens.contains(token) else { return false }
        }
        guard let maker = self.maker else { return true }
        return ([trade.taker] + trade.legs.map(\.account)).contains { address($0).lowercased() == maker }
    }
}

extension Market {
    func token(_ outcome: Int) -> TokenID { outcome == 0 ? self.first.token : self.second.token }
    func label(_ outcome: Int) -> String { outcome == 0 ? self.first.label : self.second.label }
}

extension EngineTrade {
    /// Empty until it is mined.
    var knownTransaction: String {
        switch self.settlement {
        case .matched, .retrying: ""
        case .mined, .confirmed, .failed: self.transaction.description
        }
    }
}

extension OrderStatus {
    /// As the pages tell it, which know fewer than the user channel. Source: reference, 2.6.
    var dataText: String {
        switch self {
        case .delayed: "ORDER_STATUS_DELAYED"
        case .live: "ORDER_STATUS_LIVE"
        case .matched: "ORDER_STATUS_MATCHED"
        case .canceled, .canceledExpired, .canceledNotEnoughBalance, .killed: "ORDER_STATUS_CANCELED"
        case .canceledMarketResolved: "ORDER_STATUS_CANCELED_MARKET_RESOLVED"
        case .invalid: "ORDER_STATUS_INVALID"
        }
    }
}
