import Logging
import Shared

extension ConfigurationKey {
    /// All keys, in the order in which they are documented.
    static let all: [ConfigurationKey] =
        trading + venue + scanner + feed + risk + strategies + maker + dashboard + logging

    private static let web = ["https", "http"]
    private static let socket = ["wss", "ws"]
    /// A million dollars or shares, in thousandths: room for any account, and far from overflow.
    private static let largestAmount: Int64 = 1_000_000_000
    /// A day, in milliseconds.
    private static let day: Int64 = 86_400_000

    private static let trading: [ConfigurationKey] = [
        .choice(
            "trading.mode", \.trading.mode,
            "paper pretends to trade, live trades; DRY_RUN=true forces paper, DRY_RUN=false alone changes nothing"),
        .dollars(
            "trading.paper_balance_usd", \.trading.paperBalance, milliRange: 0...largestAmount,
            "What a paper account starts with"),
        .milliseconds(
            "trading.paper_latency_ms", \.trading.paperLatency, 0...60_000,
            "How long a paper order takes to reach the paper venue"),
        .seconds(
            "trading.quote_lifetime_s", \.trading.quoteLifetime, milliRange: 180_000...day,
            "How long a quote rests at the real venue when nobody is left to cancel it"),
        .count(
            "trading.signature_type", \.trading.signatureType, 0...3,
            "How the venue checks signatures: 0 key, 1 proxy wallet, 2 Safe, 3 deposit wallet", was: ["SIGNATURE_TYPE"]),
        .optional(
            "trading.funder_address", \.trading.funderAddress, .address,
            "The wallet that holds the money; empty where it is the key's own address", was: ["FUNDER_ADDRESS"]),
        .optional(
            "trading.private_key_file", \.trading.privateKeyFile, .text(isOptional: true),
            "File with the account's key, mode 0600, read by stratd alone and not under systemd; empty for none"),
        .optional(
            "trading.credentials_file", \.trading.credentialsFile, .text(isOptional: true),
            "File with the account's credentials for the venue, mode 0600, likewise; empty for none"),
        .flag(
            "trading.journal", \.trading.journal,
            "Whether all that stratd decides on is kept on disk, for stratd replay"),
        .count(
            "trading.journal_max_mb", \.trading.journalMegabytesMax, 16...1_000_000,
            "Room for the input journal, in MB; the oldest files go first"),
        .count(
            "trading.journal_max_days", \.trading.journalDaysMax, 0...36_500,
            "Days that the input journal keeps, where there is room; 0 keeps all"),
    ]

    private static let venue: [ConfigurationKey] = [
        .url("venue.gamma_url", \.venue.gammaURL, web, "Discovery of markets", was: ["GAMMA_API_URL"]),
        .url("venue.clob_url", \.venue.clobURL, web, "Books and orders", was: ["CLOB_API_URL"]),
        .url(
            "venue.market_ws_url", \.venue.marketWebSocketURL, socket, "The market channel", was: ["POLYMARKET_WS_URL"]),
        .url("venue.user_ws_url", \.venue.userWebSocketURL, socket, "The user channel"),
        .url(
            "venue.prices_ws_url", \.venue.pricesWebSocketURL, socket, isOptional: true,
            "The venue's reference prices; empty for none"),
        .url(
            "venue.binance_ws_url", \.venue.binanceWebSocketURL, socket, isOptional: true,
            "Binance's market data; empty for none", was: ["BINANCE_WS_URL"]),
        .url("venue.geoblock_url", \.venue.geoblockURL, web, "Where to ask whether trading is allowed from here"),
        .url("venue.data_url", \.venue.dataURL, web, "Positions"),
        .seconds(
            "venue.data_lag_max_s", \.venue.dataLagMax, milliRange: 1_000...3_600_000,
            "How far positions there may lag behind the chain: what differs for longer halts live trading"),
        .url("venue.relayer_url", \.venue.relayerURL, web, "Transactions without gas"),
        .optional(
            "venue.ca_file", \.venue.authorityFile, .text(isOptional: true),
            "PEM file of the authorities to trust instead of the system's; empty for the system's"),
        .optional(
            "venue.proxy", \.venue.proxy, .url(schemes: ["http", "https", "socks5", "socks5h"], isOptional: true),
            "Proxy for all connections to the venue; empty for none", isSecret: true),
    ]

    private static let scanner: [ConfigurationKey] = [
        .seconds(
            "scanner.interval_s", \.scanner.interval, milliRange: 1_000...3_600_000,
            "Time between two looks at new markets, windows and watched markets", was: ["MARKET_SCAN_INTERVAL"]),
        .seconds(
            "scanner.full_interval_s", \.scanner.fullInterval, milliRange: 10_000...day,
            "Time between two readings of the whole listing"),
        .count(
            "scanner.max_markets", \.scanner.marketCountMax, 1...2_000, "Markets watched at once",
            was: ["MAX_CONCURRENT_MARKETS"]),
        .words(
            "scanner.keywords", \.scanner.keywords,
            "Only markets whose question, slug, description or tags have one of these words or phrases; empty for all",
            was: ["MARKET_KEYWORDS_EXTENDED"]),
        .words(
            "scanner.exclude_keywords", \.scanner.excludedKeywords, "No market that has one of these words or phrases",
            was: ["EXCLUDE_KEYWORDS"]),
        .seconds(
            "scanner.min_time_left_s", \.scanner.timeLeftMin, milliRange: 0...30 * day,
            "No market that ends sooner than this", was: ["MIN_TIME_REMAINING_TO_TRADE"]),
        .seconds(
            "scanner.max_time_left_s", \.scanner.timeLeftMax, milliRange: 0...10 * 366 * day,
            "No market that ends later than this; 0 for any"),
        .words(
            "scanner.series", \.scanner.series,
            "Slugs of recurring families of which the present and the next window are watched, before all others and "
                + "whatever keywords and tags say; alone they let in nothing else"),
        .words("scanner.tags", \.scanner.tags, "Only markets with one of these tags; empty for all"),
        .words("scanner.exclude_tags", \.scanner.excludedTags, "No market with one of these tags"),
        .dollars(
            "scanner.min_volume_usd", \.scanner.volumeMin, milliRange: 0...largestAmount,
            "No market with less traded in 24 hours"),
        .dollars(
            "scanner.min_liquidity_usd", \.scanner.liquidityMin, milliRange: 0...largestAmount,
            "No market with less resting in its book"),
        .fraction(
            "scanner.max_spread", \.scanner.spreadMax,
            "No market whose best bid and ask are farther apart, as the listing says; 1 for any"),
        .fraction(
            "scanner.min_price", \.scanner.priceMin, "No market with a lower price of its first outcome; 0 for any"),
        .fraction(
            "scanner.max_price", \.scanner.priceMax, "No market with a higher price of its first outcome; 1 for any"),
        .flag("scanner.rewards_only", \.scanner.rewardsOnly, "Only markets that pay for resting orders"),
        .fraction(
            "scanner.max_fee_rate", \.scanner.feeRateMax, "No market with a higher rate of the taker's fee; 1 for any"),
        .choice(
            "scanner.ranking", \.scanner.ranking,
            "Which come first where more than max_markets are wanted: those that end first, or those with the most "
                + "volume, liquidity or rewards"),
        .fraction(
            "scanner.hysteresis", \.scanner.hysteresis,
            "How much better a market must rank to take a watched one's place, and how far a watched one may fall short"
        ),
    ]

    private static let feed: [ConfigurationKey] = [
        .seconds(
            "feed.reconnect_delay_s", \.feed.reconnectDelay, milliRange: 100...300_000,
            "Wait before the first new attempt; it doubles up to twelve times as much", was: ["WS_RECONNECT_DELAY"]),
        .count(
            "feed.max_reconnect_attempts", \.feed.reconnectAttemptsMax, 1...10_000,
            "Failed attempts after which REST polling takes over; attempts go on", was: ["WS_MAX_RECONNECT_ATTEMPTS"]),
        .seconds(
            "feed.ping_interval_s", \.feed.pingInterval, milliRange: 1_000...60_000,
            "Time between two pings; two thirds of feed.silence_max_s where that is shorter",
            was: ["WS_PING_INTERVAL"]),
        .seconds(
            "feed.silence_max_s", \.feed.silenceMax, milliRange: 1_000...300_000,
            "Silence after which a connection is suspected and its books are untrusted"),
        .count(
            "feed.tokens_per_connection", \.feed.tokensPerConnection, 2...1_000, "Tokens that share one connection"),
        .flag(
            "feed.compression", \.feed.compression,
            "Whether the venue is asked to compress the market channel: less traffic, and more work for each message"),
        .flag("feed.standby", \.feed.standby, "Whether a second connection follows and takes over"),
        .milliseconds(
            "feed.rest_poll_interval_ms", \.feed.restPollInterval, 100...60_000,
            "Time between two reads of a book by REST while the WebSocket is down"),
        .count(
            "feed.breaker_errors", \.feed.breakerErrors, 1...1_000, "Errors in a row that open the circuit breaker",
            was: ["ERROR_THRESHOLD"]),
        .seconds(
            "feed.breaker_timeout_s", \.feed.breakerTimeout, milliRange: 1_000...3_600_000,
            "How long the circuit breaker stays open", was: ["CIRCUIT_TIMEOUT"]),
        .milliseconds(
            "feed.breaker_latency_ms", \.feed.breakerLatency, 1...60_000,
            "A REST answer slower than this counts as an error for the breaker", was: ["LATENCY_THRESHOLD_MS"]),
        .milliseconds(
            "feed.target_latency_ms", \.feed.latencyTarget, 1...60_000,
            "Venue to subscriber; above it the status says so", was: ["TARGET_LATENCY_MS"]),
        .count(
            "feed.hash_budget_percent", \.feed.hashBudgetPercent, 1...100,
            "Share of one core that may go into comparing books with the venue's hashes; above it they are sampled"),
        .flag("feed.journal", \.feed.journal, "Whether raw messages are kept on disk"),
        .count(
            "feed.journal_max_mb", \.feed.journalMegabytesMax, 16...1_000_000,
            "Room for the raw journal, in MB; the oldest files go first"),
        .count(
            "feed.journal_max_days", \.feed.journalDaysMax, 0...36_500,
            "Days that the raw journal keeps, where there is room; 0 keeps all"),
    ]

    private static let risk: [ConfigurationKey] = [
        .dollars(
            "risk.max_order_usd", \.risk.orderMax, milliRange: 1_000...largestAmount, "Largest value of one order"),
        .dollars(
            "risk.max_market_usd", \.risk.marketMax, milliRange: 1_000...largestAmount,
            "Largest exposure in one market", was: ["GLOBAL_POSITION_SIZE_MAX"]),
        .dollars(
            "risk.max_event_usd", \.risk.eventMax, milliRange: 1_000...largestAmount, "Largest exposure in one event"),
        .dollars("risk.max_total_usd", \.risk.totalMax, milliRange: 1_000...largestAmount, "Largest exposure in all"),
        .count(
            "risk.max_positions", \.risk.positionCountMax, 1...10_000, "Markets with a position at once",
            was: ["GLOBAL_MAX_POSITIONS"]),
        .count("risk.max_open_orders", \.risk.openOrderCountMax, 1...10_000, "Open orders at once"),
        .count("risk.max_orders_per_s", \.risk.ordersPerSecondMax, 1...1_000, "Orders sent in a second"),
        .dollars(
            "risk.daily_loss_usd", \.risk.dailyLossMax, milliRange: 1_000...largestAmount,
            "Loss since midnight UTC that halts trading", was: ["GLOBAL_DAILY_LOSS_LIMIT"]),
        .dollars(
            "risk.max_drawdown_usd", \.risk.drawdownMax, milliRange: 1_000...largestAmount,
            "Loss since the best moment that halts trading"),
        .price("risk.price_band", \.risk.priceBand, "How far from the middle of the book an order may be"),
        .milliseconds(
            "risk.book_age_max_ms", \.risk.bookAgeMax, 100...day,
            "No order on a book that was last heard of longer ago than this"),
        .milliseconds(
            "risk.clock_skew_max_ms", \.risk.clockSkewMax, 10...60_000,
            "No order while our clock and the venue's differ by more"),
        .seconds(
            "risk.min_time_left_s", \.risk.timeLeftMin, milliRange: 0...30 * day,
            "No order in a market that ends sooner than this", was: ["MIN_TIME_REMAINING_TO_TRADE"]),
        .count(
            "risk.unknown_orders_max", \.risk.unknownOrderCountMax, 1...100,
            "So many orders of unknown fate at once halt trading until a person resumes it"),
        .fraction(
            "risk.error_rate_max", \.risk.errorRateMaxMicros,
            "Share of failed requests over the last minute that halts trading; orders that the venue refuses, its maintenance, and what fails while it is closed to us are no failures"
        ),
        .count(
            "risk.trial_fills", \.risk.trialFillCount, 0...1_000_000,
            "Confirmed fills until live trading is no longer on trial, under the two limits that follow; 0 for no trial"
        ),
        .dollars(
            "risk.trial_order_usd", \.risk.trialOrderMax, milliRange: 0...largestAmount,
            "Largest value of one order while live trading is on trial"),
        .dollars(
            "risk.trial_total_usd", \.risk.trialTotalMax, milliRange: 0...largestAmount,
            "Value of positions and open purchases together while live trading is on trial"),
        .text(
            "risk.halt_file", \.risk.haltFile,
            "While this file exists nothing is traded; relative to the state directory unless it begins with a slash"),
    ]

    private static let strategies: [ConfigurationKey] = [
        .fraction(
            "strategies.allocation", \.strategies.allocationMicros,
            "Share of risk.max_total_usd that one strategy may have in positions and open purchases",
            was: ["STRATEGY_ALLOCATION"])
    ]

    private static let maker: [ConfigurationKey] = [
        .flag(
            "strategies.maker.enabled", \.strategies.maker.enabled, "Whether the maker runs",
            was: ["STRATEGY_MAKER_ENABLED", "STRATEGY_MARKET_MAKER_ENABLED", "STRATEGY_MARKET_MAKING_ENABLED"]),
        .shares(
            "strategies.maker.order_size", \.strategies.maker.orderSize, milliRange: 1_000...largestAmount,
            "Shares in one order"),
        .dollars(
            "strategies.maker.order_size_usd", \.strategies.maker.orderValue, milliRange: 0...largestAmount,
            "When over 0, an order's size is this much money at its price instead of order_size",
            was: ["ORDER_SIZE_USD"]),
        .count(
            "strategies.maker.half_spread_ticks", \.strategies.maker.halfSpreadTicks, 1...1_000,
            "Ticks between the middle and each quote"),
        .shares(
            "strategies.maker.max_position_shares", \.strategies.maker.positionMax, milliRange: 0...largestAmount,
            "Shares of one outcome that the maker holds at most"),
        .count(
            "strategies.maker.reprice_ticks", \.strategies.maker.repriceTicks, 1...1_000,
            "A quote stays while its wanted price is fewer ticks away than this"),
        .count(
            "strategies.maker.resize_percent", \.strategies.maker.resizePercent, 0...100,
            "A quote stays while its size differs by no more than this part of the wanted one"),
        .milliseconds(
            "strategies.maker.min_order_life_ms", \.strategies.maker.orderLifeMin, 0...60_000,
            "A younger quote stays at any price that is safe, to keep its place in the queue"),
        .milliseconds(
            "strategies.maker.requote_interval_ms", \.strategies.maker.requoteInterval, 1...60_000,
            "Time between two changes of the quotes in a market"),
    ]

    private static let dashboard: [ConfigurationKey] = [
        .count("dashboard.port", \.dashboard.port, 1...65_535, "Port of the page for people", was: ["PORT"])
    ]

    private static let logging: [ConfigurationKey] = [
        .choice(
            "logging.level", \.logging.level, "The least important lines that are written; --log-level wins",
            was: ["LOG_LEVEL"], aliases: ["warn": "warning", "fatal": "critical"])
    ]
}
