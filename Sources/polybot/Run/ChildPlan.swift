/// With which arguments and which environment children are started, as a value.
struct ChildPlan {
    /// What the embedded venue is asked for, as the command line gave it.
    struct EmbeddedVenue: Hashable {
        var markets: Int?
        var rate: Int?
        var seed: UInt64?
        var replay: String?
        var speed: Double?
    }

    /// `nil`: the venue that the configuration names.
    var embedded: EmbeddedVenue?
    var configurationPath: String?
    var runtimeDirectory: String
    var stateDirectory: String
    /// Whether the state directory goes when the run ends: what serves later runs alone is not written then.
    var isStateTemporary: Bool

    /// How soon feedd comes back to the embedded venue, in seconds: nobody is spared by waiting.
    private static let reconnectDelay = "0.2"
    /// Seconds between two scans of the embedded venue, whose markets are few.
    private static let scanInterval = "2"
    /// Markets that the scanner watches at most, as its configuration allows.
    private static let watchedMarketCountMax = 2_000

    /// What systemd or a proxy's user has set for us and must not reach children that we supervise.
    private static let withheld = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "INVOCATION_ID",
        "SYSTEMD_EXEC_PID", "JOURNAL_STREAM", "RUNTIME_DIRECTORY", "STATE_DIRECTORY",
    ]
    private static let proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
    /// The predecessor's names for what the embedded venue decides.
    private static let predecessors = ["GAMMA_API_URL", "CLOB_API_URL", "POLYMARKET_WS_URL", "BINANCE_WS_URL"]

    /// The children's names, in the order in which they are started.
    var children: [ChildName] { self.embedded == nil ? ChildName.daemons : ChildName.allCases }

    /// - Parameter port: of the embedded venue; 0 before its first start.
    func arguments(of child: ChildName, port: Int) -> [String] {
        guard child == .simvenue else {
            let configuration = self.configurationPath.map { ["--config", $0] } ?? []
            return configuration + [
                "--runtime-dir", self.runtimeDirectory, "--state-dir", self.stateDirectory, "--log-format", "text",
            ]
        }
        var arguments = ["--port", "\(port)"]
        if let markets = self.embedded?.markets { arguments += ["--markets", "\(markets)"] }
        if let rate = self.embedded?.rate { arguments += ["--rate", "\(rate)"] }
        if let seed = self.embedded?.seed { arguments += ["--seed", "\(seed)"] }
        if let replay = self.embedded?.replay { arguments += ["--replay", replay] }
        if let speed = self.embedded?.speed { arguments += ["--speed", "\(speed)"] }
        return arguments
    }

    /// The children's environment: ours, paper trading, and the embedded venue's addresses.
    func environment(from own: [String: String], port: Int) -> [String: String] {
        var variables = own
        for name in Self.withheld { variables[name] = nil }
        variables["POLYBOT_TRADING_MODE"] = "paper"
        guard let embedded = self.embedded else { return variables }
        for name in Self.proxies + Self.predecessors { variables[name] = nil }
        variables["POLYBOT_VENUE_PROXY"] = ""
        for name in ["GAMMA", "CLOB", "GEOBLOCK", "DATA", "RELAYER"] {
            variables["POLYBOT_VENUE_\(name)_URL"] = "http://127.0.0.1:\(port)"
        }
        for (name, path) in [("MARKET", "/ws/market"), ("USER", "/ws/user"), ("PRICES", "/prices"), ("BINANCE", "")] {
            variables["POLYBOT_VENUE_\(name)_WS_URL"] = "ws://127.0.0.1:\(port)\(path)"
        }
        // A recording has no prices.
        if embedded.replay != nil {
            for stream in ["PRICES", "BINANCE"] { variables["POLYBOT_VENUE_\(stream)_WS_URL"] = "" }
        }
        // Whoever set one of these on purpose meant it.
        func preset(_ name: String, _ predecessor: String?, _ value: String) {
            guard variables[name] == nil, predecessor.flatMap({ variables[$0] }) == nil else { return }
            variables[name] = value
        }
        preset("POLYBOT_FEED_RECONNECT_DELAY_S", "WS_RECONNECT_DELAY", Self.reconnectDelay)
        preset("POLYBOT_SCANNER_INTERVAL_S", "MARKET_SCAN_INTERVAL", Self.scanInterval)
        if self.isStateTemporary {
            for journal in ["FEED", "TRADING"] { preset("POLYBOT_\(journal)_JOURNAL", nil, "false") }
        }
        if let markets = embedded.markets {
            preset(
                "POLYBOT_SCANNER_MAX_MARKETS", "MAX_CONCURRENT_MARKETS", "\(min(markets, Self.watchedMarketCountMax))")
        }
        return variables
    }
}
