import Shared

/// What can be asked of the desk. Source: reference, 2.2, 2.3 and 2.11.
enum DeskRoute: Hashable, Sendable {
    // By signature of the signer's own key.
    case createKey, deriveKey

    // Keys.
    case listKeys, revokeKey, closedOnlyStatus
    case createReadOnlyKey, listReadOnlyKeys, revokeReadOnlyKey
    case createBuilderKey, listBuilderKeys, revokeBuilderKey

    // Orders.
    case placeOrder, placeOrders
    case cancelOrder, cancelOrders, cancelAll, cancelMarketOrders
    case heartbeat

    // Looking at things.
    case order(String)
    case orders, trades
    case balance, updateBalance
    case notifications, dropNotifications
    case orderScoring, ordersScoring
    case rewards, rewardTotal, rewardPercentages, rewardMarkets

    // For builders, with headers of their own.
    case builderTrades

    // For everybody.
    case geoblock
    case rewardTerms, rebates, builderFees
    /// The Data API's.
    case positions, dataStatus

    enum Proof: Hashable, Sendable {
        case none
        /// The signer's own signature.
        case signature
        /// An API key that may do anything, or only one that may look.
        case tradingKey, anyKey
        case builderKey
    }

    init?(_ request: PageRequest) {
        let path = request.path
        let found: DeskRoute? =
            switch path.first {
            case "auth": Self.auth(request.method, path.dropFirst().joined(separator: "/"))
            case "data" where request.method == "GET": Self.data(Array(path.dropFirst()))
            case "rewards" where request.method == "GET": Self.rewards(Array(path.dropFirst()))
            case "fees" where request.method == "GET" && path.count == 3 && path[1] == "builder-fees": .builderFees
            default: Self.plain(request.method, path.joined(separator: "/"))
            }
        guard let found else { return nil }
        self = found
    }

    private static func auth(_ method: String, _ path: String) -> DeskRoute? {
        switch (method, path) {
        case ("POST", "api-key"): .createKey
        case ("GET", "derive-api-key"): .deriveKey
        case ("GET", "api-keys"): .listKeys
        case ("DELETE", "api-key"): .revokeKey
        case ("GET", "ban-status/closed-only"): .closedOnlyStatus
        case ("POST", "readonly-api-key"): .createReadOnlyKey
        case ("GET", "readonly-api-keys"): .listReadOnlyKeys
        case ("DELETE", "readonly-api-key"): .revokeReadOnlyKey
        case ("POST", "builder-api-key"): .createBuilderKey
        case ("GET", "builder-api-key"): .listBuilderKeys
        case ("DELETE", "builder-api-key"): .revokeBuilderKey
        default: nil
        }
    }

    private static func data(_ path: [String]) -> DeskRoute? {
        switch (path.first, path.count) {
        case ("order", 2): .order(path[1])
        case ("orders", 1): .orders
        case ("trades", 1): .trades
        default: nil
        }
    }

    private static func rewards(_ path: [String]) -> DeskRoute? {
        switch path {
        case ["user"]: .rewards
        case ["user", "total"]: .rewardTotal
        case ["user", "percentages"]: .rewardPercentages
        case ["user", "markets"]: .rewardMarkets
        default: path.count == 2 && path[0] == "markets" ? .rewardTerms : nil
        }
    }

    private static func plain(_ method: String, _ path: String) -> DeskRoute? {
        switch (method, path) {
        case ("POST", "order"): .placeOrder
        case ("POST", "orders"): .placeOrders
        case ("DELETE", "order"): .cancelOrder
        case ("DELETE", "orders"): .cancelOrders
        case ("DELETE", "cancel-all"): .cancelAll
        case ("DELETE", "cancel-market-orders"): .cancelMarketOrders
        case ("POST", "v1/heartbeats"): .heartbeat
        case ("GET", "balance-allowance"): .balance
        case ("GET", "balance-allowance/update"): .updateBalance
        case ("GET", "notifications"): .notifications
        case ("DELETE", "notifications"): .dropNotifications
        case ("GET", "order-scoring"): .orderScoring
        case ("POST", "orders-scoring"): .ordersScoring
        case ("GET", "builder/trades"): .builderTrades
        case ("GET", "api/geoblock"): .geoblock
        case ("GET", "rebates/current"): .rebates
        case ("GET", "v2/positions"): .positions
        case ("GET", "v2/status"): .dataStatus
        default: nil
        }
    }

    var proof: Proof {
        switch self {
        case .createKey, .deriveKey: .signature
        case .revokeKey, .createReadOnlyKey, .revokeReadOnlyKey, .createBuilderKey, .placeOrder, .placeOrders,
            .cancelOrder, .cancelOrders, .cancelAll, .cancelMarketOrders, .heartbeat, .dropNotifications:
            .tradingKey
        case .listKeys, .closedOnlyStatus, .listReadOnlyKeys, .listBuilderKeys, .order, .orders, .trades, .balance,
            .updateBalance, .notifications, .orderScoring, .ordersScoring, .rewards, .rewardTotal, .rewardPercentages,
            .rewardMarkets:
            .anyKey
        case .revokeBuilderKey, .builderTrades: .builderKey
        case .geoblock, .rewardTerms, .rebates, .builderFees, .positions, .dataStatus: .none
        }
    }

    /// Whether the matching engine itself has to answer.
    var needsEngine: Bool {
        switch self {
        case .placeOrder, .placeOrders, .cancelOrder, .cancelOrders, .cancelAll, .cancelMarketOrders: true
        default: false
        }
    }

    var placesOrders: Bool { self == .placeOrder || self == .placeOrders }
}
