/// A name of the Python predecessor's environment, and what became of it.
struct ConfigurationPredecessor: Sendable {
    let name: String
    /// The key that it sets, `nil` where it is no key.
    let key: ConfigurationKey?
    /// One line each, without a full stop.
    let meaning: String
    let effect: String

    /// All names, those that set keys first, in the keys' order. A name that became two keys has two rows.
    static let all: [ConfigurationPredecessor] = fromKeys + others

    private static let fromKeys = ConfigurationKey.all.flatMap { key in
        key.predecessors.map { name in
            guard let effect = effects[key.path] else { preconditionFailure("\(key.path) has no effect described") }
            return ConfigurationPredecessor(name: name, key: key, meaning: key.summary, effect: effect)
        }
    }

    private static let others = [
        ConfigurationPredecessor(
            name: "POLYGON_PRIVATE_KEY", key: nil, meaning: "The account's key: 0x and 64 hexadecimal digits",
            effect: "stratd checks its form and warns; nothing uses it on paper. Other programs skip it"),
        ConfigurationPredecessor(
            name: "DRY_RUN", key: nil, meaning: "true for paper trading",
            effect: "true forces trading.mode to paper from wherever it is said; false alone changes nothing"),
        ConfigurationPredecessor(
            name: "STRATEGY_*_ENABLED", key: nil, meaning: "Whether a strategy runs, for any other name",
            effect: "true is answered with a warning that this version has no such strategy; false is taken as it is"),
    ]

    /// What happens because of a key, by its path: who reads it in this version.
    private static let effects = [
        "trading.signature_type": "Checked; of use to live trading",
        "trading.funder_address": "Checked; of use to live trading",
        "venue.gamma_url": "scannerd and polybot read the listing there",
        "venue.clob_url": "feedd reads books there, and the last trade prices",
        "venue.market_ws_url": "feedd and polybot test-ws listen there",
        "venue.binance_ws_url": "feedd follows reference prices there",
        "scanner.interval_s": "scannerd waits so long between two rounds",
        "scanner.max_markets": "scannerd publishes no more markets",
        "scanner.keywords": "scannerd refuses markets without any of them",
        "scanner.exclude_keywords": "scannerd refuses markets with one of them",
        "scanner.min_time_left_s": "scannerd refuses markets that end sooner",
        "feed.reconnect_delay_s": "feedd waits at most so long before its first new attempt",
        "feed.max_reconnect_attempts": "feedd polls by REST after so many failures in a row",
        "feed.ping_interval_s": "feedd sends its PING so often",
        "feed.breaker_errors": "feedd stops asking for books after so many failures in a row",
        "feed.breaker_timeout_s": "feedd asks for books again after this time",
        "feed.breaker_latency_ms": "feedd's circuit breaker takes a slower answer for an error",
        "feed.target_latency_ms": "feedd warns while its p99 from the venue to publication is above it",
        "risk.max_market_usd": "stratd's risk gate refuses purchases beyond it: max_market_usd",
        "risk.max_positions": "stratd's risk gate refuses purchases in further markets: max_positions",
        "risk.daily_loss_usd": "stratd halts: daily_loss",
        "risk.min_time_left_s": "stratd's risk gate refuses purchases: min_time_left",
        "strategies.allocation": "stratd's risk gate refuses purchases beyond it: strategy_allocation",
        "strategies.maker.enabled": "stratd runs the maker, or no strategy",
        "strategies.maker.order_size_usd": "The maker's orders have this value instead of strategies.maker.order_size",
        "dashboard.port": "Checked; no program of this version serves a page",
        "logging.level": "Every daemon writes no lines that are less important",
    ]
}
