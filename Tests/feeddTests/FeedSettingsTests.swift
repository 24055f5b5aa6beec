import DaemonKit
import Shared
import Testing

@testable import feedd

/// What the predecessor's names do to the machines of feedd, one by one.
@Suite struct FeedSettingsTests {
    private func feed(_ name: String, _ text: String) throws -> Configuration.Feed {
        try Configuration(resolving: ConfigurationSources(environment: [name: text])).feed
    }

    private static let settings = MarketFeed.Settings(Configuration().feed)

    @Test func theDefaultsReachTheMachine() {
        #expect(Self.settings == MarketFeed.Settings())
    }

    private static let changes: [(String, String, @Sendable (inout MarketFeed.Settings) -> Void)] = [
        ("WS_RECONNECT_DELAY", "7.5", { $0.reconnectDelay = .milliseconds(7_500) }),
        ("WS_MAX_RECONNECT_ATTEMPTS", "3", { $0.attemptsMax = 3 }),
        ("WS_PING_INTERVAL", "4", { $0.pingInterval = .seconds(4) }),
    ]

    @Test(arguments: changes)
    func aNameChangesItsSettingAndNoOther(
        name: String, text: String, change: @Sendable (inout MarketFeed.Settings) -> Void
    ) throws {
        var expected = Self.settings
        change(&expected)
        #expect(expected != Self.settings)
        #expect(try MarketFeed.Settings(self.feed(name, text)) == expected)
    }

    @Test func aLineIsAskedBeforeItsSilenceIsBelieved() throws {
        let sources = ConfigurationSources(
            environment: ["POLYBOT_FEED_SILENCE_MAX_S": "3", "POLYBOT_FEED_PING_INTERVAL_S": "60"])
        let settings = MarketFeed.Settings(try Configuration(resolving: sources).feed)
        #expect(settings.silenceMax == .seconds(3) && settings.pingInterval == .seconds(2))
    }

    @Test func errorThresholdOpensTheBreaker() throws {
        var health = HostHealth(try self.feed("ERROR_THRESHOLD", "2"))
        let now = Instant(nanoseconds: 0)
        health.failed(now: now)
        #expect(!health.isOpen)
        health.failed(now: now)
        #expect(health.isOpen)
    }

    @Test func circuitTimeoutClosesItAgain() throws {
        var health = HostHealth(try self.feed("CIRCUIT_TIMEOUT", "9"))
        let now = Instant(nanoseconds: 0)
        for _ in 0..<Configuration().feed.breakerErrors { health.failed(now: now) }
        let allowed = [8_999, 9_000].map { health.allows(now: now + .milliseconds($0)) }
        #expect(allowed == [false, true])
    }
}
