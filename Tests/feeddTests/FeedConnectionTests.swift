import DaemonKit
import Glibc
import Shared
import Testing

@testable import feedd

/// A connection and its socket, where the one gives the other up.
@Suite struct FeedConnectionTests {
    /// Takes connections, and says nothing.
    private final class QuietServer: Sendable {
        let port: UInt16
        private let listener: Int32

        init() throws {
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            self.listener = listener
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isListening = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, size) == 0 && listen(listener, 64) == 0
                        && getsockname(listener, $0, &size) == 0
                }
            }
            try #require(isListening)
            self.port = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(self.listener) }
    }

    @Test func aLineThatNeverOpensIsToldAndTriedAgain() async throws {
        let feed = try await FeedHarness()
        let server = try QuietServer()
        try await feed.run { feed in
            // The handshake's own time is longer than the feed's patience.
            let connection = FeedConnection(
                index: 7, loop: feed.loop, url: try WebSocketURL("ws://127.0.0.1:\(server.port)/"),
                options: WebSocketConnection.Options(),
                settings: MarketFeed.Settings(reconnectDelay: .milliseconds(20), connectMax: .milliseconds(50)),
                seed: 1,
                logger: feed.logger)
            // It lives as long as the loop.
            connection.onOpened = { connection.stop() }
            connection.add(1, [TokenID(words: (0, 0, 0, 1))])
            connection.apply()
        }
        let deadline = Instant.now() + .seconds(60)
        while feed.log.count("Market channel cannot be reached") < 3 {
            try #require(Instant.now() < deadline, "\(feed.log.all)")
            try await Task.sleep(for: .milliseconds(5))
        }
        await feed.stop()
    }
}
