import DaemonKit
import Shared
import Testing

@testable import feedd

/// Reference prices in the service: who is called, and what is said of it.
@Suite struct PriceServiceTests {
    @Test func aSourceThatIsAwayIsSaidAndCalledByNoReplay() async throws {
        let feed = try await FeedHarness {
            $0.feed.journal = true
            // Nobody listens there.
            $0.venue.binanceWebSocketURL = "ws://127.0.0.1:9"
        }
        let subscriber = try await feed.subscriber(.only([]), prices: ["btcusd", "gold", "silver"])
        try await subscriber.waitForStatus {
            $0.counters["binance_live"] == 0 && $0.counters["prices_unknown_symbols"] == 2
        }
        for _ in 0..<20 where feed.log.count("A connection to Binance ended") == 0 {
            try await subscriber.waitForStatus { _ in true }
        }
        #expect(feed.log.count("A connection to Binance ended") > 0)
        #expect(feed.log.count("A subscriber asks for reference prices that are not known") == 1)
        try await feed.run { try $0.hear(UniverseBody(markets: [.example()], age: 0)) }
        await feed.service.stop()

        let replay = try await FeedHarness(replay: (feed.directory, .max)) {
            $0.venue.binanceWebSocketURL = "ws://127.0.0.1:9"
        }
        let listener = try await replay.subscriber(.only([]), prices: ["btcusd"])
        for _ in 0..<2 { try await listener.waitForStatus { _ in true } }
        #expect(replay.log.count("A connection to Binance ended") == 0)
        await replay.stop()
        await feed.stop()
    }
}
