import Testing

@testable import polybot

@Suite struct ChildPlanTests {
    private var embedded = ChildPlan(
        embedded: .init(), configurationPath: nil, runtimeDirectory: "/run/p", stateDirectory: "/tmp/s",
        isStateTemporary: true)

    @Test func everyAddressIsThatOfTheEmbeddedVenue() {
        let variables = self.embedded.environment(
            from: ["GAMMA_API_URL": "https://elsewhere", "https_proxy": "http://proxy", "HOME": "/root"], port: 4_321)
        #expect(variables["POLYBOT_VENUE_GAMMA_URL"] == "http://127.0.0.1:4321")
        #expect(variables["POLYBOT_VENUE_MARKET_WS_URL"] == "ws://127.0.0.1:4321/ws/market")
        #expect(variables["POLYBOT_VENUE_PRICES_WS_URL"] == "ws://127.0.0.1:4321/prices")
        #expect(variables["POLYBOT_VENUE_BINANCE_WS_URL"] == "ws://127.0.0.1:4321")
        #expect(variables.filter { $0.key.hasPrefix("POLYBOT_VENUE_") && $0.key.contains("URL") }.count == 9)
        #expect(variables.values.allSatisfy { !$0.contains("elsewhere") && !$0.contains("proxy") })
        #expect(variables["HOME"] == "/root")
    }

    @Test func aRecordingHasNoPrices() {
        var plan = self.embedded
        plan.embedded = .init(replay: "a.jsonl")
        let variables = plan.environment(from: ["BINANCE_WS_URL": "wss://elsewhere"], port: 1)
        #expect(variables["POLYBOT_VENUE_PRICES_WS_URL"]?.isEmpty == true)
        #expect(variables["POLYBOT_VENUE_BINANCE_WS_URL"]?.isEmpty == true)
        #expect(variables["BINANCE_WS_URL"] == nil)
    }

    @Test func tradingIsOnPaperWhateverIsConfigured() {
        #expect(
            self.embedded.environment(from: ["POLYBOT_TRADING_MODE": "live"], port: 1)["POLYBOT_TRADING_MODE"]
                == "paper")
        var configured = self.embedded
        configured.embedded = nil
        let variables = configured.environment(
            from: ["POLYBOT_TRADING_MODE": "live", "GAMMA_API_URL": "https://x"], port: 0)
        #expect(variables["POLYBOT_TRADING_MODE"] == "paper")
        #expect(variables["GAMMA_API_URL"] == "https://x")
        #expect(variables["POLYBOT_VENUE_GAMMA_URL"] == nil)
        #expect(configured.children == [.scannerd, .feedd, .stratd])
    }

    @Test func whatWasSetOnPurposeStays() {
        #expect(self.embedded.environment(from: [:], port: 1)["POLYBOT_FEED_RECONNECT_DELAY_S"] == "0.2")
        let variables = self.embedded.environment(
            from: ["POLYBOT_FEED_RECONNECT_DELAY_S": "3", "MARKET_SCAN_INTERVAL": "30"], port: 1)
        #expect(variables["POLYBOT_FEED_RECONNECT_DELAY_S"] == "3")
        #expect(variables["POLYBOT_SCANNER_INTERVAL_S"] == nil)
    }

    @Test func whatSystemdSaidToUsIsNotSaidToChildren() {
        let variables = self.embedded.environment(
            from: ["NOTIFY_SOCKET": "/x", "STATE_DIRECTORY": "/y", "JOURNAL_STREAM": "8:1"], port: 1)
        #expect(variables["NOTIFY_SOCKET"] == nil)
        #expect(variables["STATE_DIRECTORY"] == nil)
        #expect(variables["JOURNAL_STREAM"] == nil)
    }

    @Test func daemonsGetTheirDirectoriesAndTheVenueItsFlags() {
        var plan = self.embedded
        plan.configurationPath = "my.toml"
        plan.embedded = .init(markets: 40, rate: 500, seed: 9)
        #expect(
            plan.arguments(of: .feedd, port: 0) == [
                "--config", "my.toml", "--runtime-dir", "/run/p", "--state-dir", "/tmp/s", "--log-format", "text",
            ])
        #expect(
            plan.arguments(of: .simvenue, port: 77) == [
                "--port", "77", "--markets", "40", "--rate", "500", "--seed", "9",
            ])
        #expect(plan.environment(from: [:], port: 1)["POLYBOT_SCANNER_MAX_MARKETS"] == "40")
        plan.embedded = .init(replay: "a.jsonl", speed: 0)
        #expect(plan.arguments(of: .simvenue, port: 0) == ["--port", "0", "--replay", "a.jsonl", "--speed", "0.0"])
    }
}
