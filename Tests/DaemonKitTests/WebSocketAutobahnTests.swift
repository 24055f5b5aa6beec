import Glibc
import Testing

@testable import DaemonKit

/// The Autobahn suite's own fuzzing server judges the client. It is started by hand, as it needs Python 2.7:
///
///     POLYBOT_AUTOBAHN_URL=ws://127.0.0.1:9001 swift test --filter Autobahn
///
/// The verdicts are in the server's reports, under the agent `polybot`.
@Suite struct WebSocketAutobahnTests {
    static let address = getenv("POLYBOT_AUTOBAHN_URL").map { String(cString: $0) }

    /// Connects, sends every message back, and tells the last text when the connection has ended.
    static func converse(_ path: String, isEchoing: Bool) async throws -> String? {
        let url = try WebSocketURL((Self.address ?? "") + path)
        return try await onLoop { (loop, finish: @escaping (String) -> Void) in
            var options = WebSocketConnection.Options()
            options.proxy = ""
            options.sendQueueByteCountMax = 32 << 20
            var lastText = ""
            let connection = WebSocketConnection(url: url, options: options, loop: loop)
            connection.onText = { [unowned connection] bytes in
                if isEchoing { connection.send(text: bytes) } else { lastText = String(decoding: bytes, as: UTF8.self) }
            }
            connection.onBinary = { [unowned connection] bytes in if isEchoing { connection.send(binary: bytes) } }
            connection.onClosed = { _ in
                // The server's verdict counts what it reads until the line ends.
                func endWhenDrained() {
                    if connection.isEnded {
                        finish(lastText)
                    } else {
                        loop.after(.milliseconds(1)) { endWhenDrained() }
                    }
                }
                endWhenDrained()
            }
            connection.connect()
        }
    }

    @Test(.enabled(if: address != nil, "needs POLYBOT_AUTOBAHN_URL, the address of Autobahn's fuzzing server"))
    func everyCaseRunsToItsEnd() async throws {
        let text = try await Self.converse("/getCaseCount", isEchoing: false)
        let count = try #require(text.flatMap { Int($0) })
        #expect(count > 0)
        for number in 1...count {
            let end = try await Self.converse("/runCase?case=\(number)&agent=polybot", isEchoing: true)
            #expect(end != nil, "case \(number) did not end")
        }
        _ = try await Self.converse("/updateReports?agent=polybot", isEchoing: false)
    }
}
