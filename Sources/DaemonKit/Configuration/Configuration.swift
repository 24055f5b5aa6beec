public import Logging
public import Shared

/// Everything that `polybot.toml` may say, with the defaults that hold without it.
///
/// The initial values below are the defaults; `ConfigurationKey.all` names each value's key, range and meaning, and from
/// that one table come the reading of files, of the environment, all errors, and `documentation`. Amounts are exact
/// millionths, never floating point.
public struct Configuration: Sendable, Equatable {
    public var trading = Trading()
    public var venue = Venue()
    public var scanner = Scanner()
    public var feed = Feed()
    public var risk = Risk()
    public var strategies = Strategies()
    public var dashboard = Dashboard()
    public var logging = Logging()

    /// The file that was read; `nil` when the defaults alone hold.
    public internal(set) var file: String?
    /// What whoever starts a daemon should know: settings that were accepted and have no effect.
    public internal(set) var notes: [String] = []

    /// The defaults.
    public init() {}

    /// Whether orders are pretended or sent.
    public enum TradingMode: String, Sendable, CaseIterable { case paper, live }

    /// `[trading]`: the account and the mode.
    public struct Trading: Sendable, Equatable {
        public var mode = TradingMode.paper
        /// What a paper account starts with.
        public var paperBalance = Money(micros: 10_000 * Decimal6.scale)
        /// How long a paper order takes to reach the paper venue.
        public var paperLatency = Duration.milliseconds(50)
        /// How long a quote rests at the real venue when nobody cancels it.
        public var quoteLifetime = Duration.seconds(300)
        /// How the venue checks signatures: 0 key, 1 proxy wallet, 2 Safe, 3 deposit wallet.
        public var signatureType = 0
        /// The wallet that holds the money, where it is not the key's own address.
        public var funderAddress: String?
        /// The account's key, and its credentials for the venue's interface: files for stratd alone, outside systemd.
        public var privateKeyFile: String?
        public var credentialsFile: String?
        /// Whether all that the engine takes in is kept on disk.
        public var journal = true
        /// Room for the input journal, in MB; the oldest files go first.
        public var journalMegabytesMax = 1_024
        /// Files of the input journal go when their UTC day is longer ago; 0 keeps them while there is room.
        public var journalDaysMax = 30
    }

    /// `[venue]`: where the venue and its neighbours are. URLs have no slash at their end.
    public struct Venue: Sendable, Equatable {
        public var gammaURL = "https://gamma-api.polymarket.com"
        public var clobURL = "https://clob.polymarket.com"
        public var marketWebSocketURL = "wss://ws-subscriptions-clob.polymarket.com/ws/market"
        public var userWebSocketURL = "wss://ws-subscriptions-clob.polymarket.com/ws/user"
        public var pricesWebSocketURL = "wss://ws-live-v2.polymarket.com/ws"
        public var binanceWebSocketURL = "wss://stream.binance.com:9443"
        public var geoblockURL = "https://polymarket.com/api/geoblock"
        public var dataURL = "https://data-api.polymarket.com"
        /// How far the Data API may lag behind the chain: what differs for longer counts.
        public var dataLagMax = Duration.seconds(300)
        public var relayerURL = "https://relayer-v2.polymarket.com"
        /// PEM file of the authorities to trust instead of the system's.
        public var authorityFile: String?
        /// Proxy for all connections to the venue. May hold a password: never print it.
        public var proxy: String?
    }

    /// `[scanner]`: which markets are watched.
    public struct Scanner: Sendable, Equatable {
        public var interval = Duration.seconds(10)
        public var marketCountMax = 25
        /// Markets whose question or slug has one of these words, in any case; empty means all.
        public var keywords: [String] = []
        public var excludedKeywords: [String] = []
        public var timeLeftMin = Duration.seconds(120)
        /// Slugs of recurring families that are watched whatever the keywords say.
        public var series: [String] = []
        /// Between two readings of the whole listing.
        public var fullInterval = Duration.seconds(600)
        public var tags: [String] = []
        public var excludedTags: [String] = []
        /// Zero for any.
        public var timeLeftMax = Duration.zero
        public var volumeMin = Money.zero
        public var liquidityMin = Money.zero
        /// In millionths of a pUSD; a whole one for any.
        public var spreadMax = Decimal6.scale
        public var priceMin: Int64 = 0
        public var priceMax = Decimal6.scale
        public var rewardsOnly = false
        /// In millionths; a whole one for any.
        public var feeRateMax = Decimal6.scale
        public var ranking = MarketRanking.ending
        /// In millionths.
        public var hysteresis: Int64 = 250_000
    }

    /// `[feed]`: the connections for market data.
    public struct Feed: Sendable, Equatable {
        public var reconnectDelay = Duration.seconds(5)
        public var reconnectAttemptsMax = 10
        public var pingInterval = Duration.seconds(10)
        public var silenceMax = Duration.seconds(15)
        public var tokensPerConnection = 200
        /// Whether the venue may compress what it sends.
        public var compression = false
        /// Whether a second connection follows and takes over.
        public var standby = true
        public var restPollInterval = Duration.milliseconds(1_000)
        public var breakerErrors = 5
        public var breakerTimeout = Duration.seconds(60)
        /// A REST answer slower than this counts as an error for the breaker.
        public var breakerLatency = Duration.milliseconds(2_000)
        /// Processor time that may go into comparing hashes, in hundredths of one core; above it they are sampled.
        public var hashBudgetPercent = 25
        /// Venue to subscriber. Above it `feed_status` says so; nothing stops.
        public var latencyTarget = Duration.milliseconds(100)
        /// Whether raw messages are kept on disk.
        public var journal = true
        /// Room for the raw journal, in MB; the oldest files go first.
        public var journalMegabytesMax = 1_024
        /// Files of the raw journal go when their UTC day is longer ago; 0 keeps them while there is room.
        public var journalDaysMax = 30
    }

    /// `[risk]`: what no order may pass.
    public struct Risk: Sendable, Equatable {
        public var orderMax = Money(micros: 50 * Decimal6.scale)
        public var marketMax = Money(micros: 200 * Decimal6.scale)
        public var eventMax = Money(micros: 400 * Decimal6.scale)
        public var totalMax = Money(micros: 5_000 * Decimal6.scale)
        public var positionCountMax = 100
        public var openOrderCountMax = 500
        public var ordersPerSecondMax = 50
        public var dailyLossMax = Money(micros: 1_000 * Decimal6.scale)
        public var drawdownMax = Money(micros: 1_000 * Decimal6.scale)
        /// How far from the middle of the book an order may be: a distance, in the unit of prices.
        public var priceBand = Price(micros: 200_000)!
        public var bookAgeMax = Duration.milliseconds(60_000)
        public var clockSkewMax = Duration.milliseconds(2_000)
        public var timeLeftMin = Duration.seconds(30)
        public var unknownOrderCountMax = 8
        /// Share of failed requests over the last minute, in millionths of one.
        public var errorRateMaxMicros: Int64 = 500_000
        /// Live trading is on trial until so many fills were confirmed: until then the two limits after it hold besides.
        public var trialFillCount = 20
        public var trialOrderMax = Money(micros: 25 * Decimal6.scale)
        public var trialTotalMax = Money(micros: 200 * Decimal6.scale)
        /// While this file exists nothing is traded. Relative to the state directory, unless it begins with "/".
        public var haltFile = "HALT"
    }

    /// `[strategies.…]`: one section for each strategy.
    public struct Strategies: Sendable, Equatable {
        /// Share of `risk.max_total_usd` that one strategy may have as exposure, in millionths of one.
        public var allocationMicros: Int64 = 1_000_000
        public var maker = Maker()
    }

    /// `[strategies.maker]`: quotes both sides around the middle.
    public struct Maker: Sendable, Equatable {
        public var enabled = true
        public var orderSize = Quantity(shares: 20)
        /// When over zero, an order's size is this much money at its price, and `orderSize` is not used.
        public var orderValue = Money.zero
        public var halfSpreadTicks = 2
        public var positionMax = Quantity(shares: 200)
        /// A quote stays while its wanted price is fewer ticks away than this.
        public var repriceTicks = 1
        /// Part of the wanted size by which a quote may differ and stay.
        public var resizePercent = 25
        /// How long a quote stays at any price that is safe.
        public var orderLifeMin = Duration.zero
        public var requoteInterval = Duration.milliseconds(250)
    }

    /// `[dashboard]`: the page for people.
    public struct Dashboard: Sendable, Equatable {
        public var port = 5_000
    }

    /// `[logging]`
    public struct Logging: Sendable, Equatable {
        public var level = Logger.Level.info
    }
}
