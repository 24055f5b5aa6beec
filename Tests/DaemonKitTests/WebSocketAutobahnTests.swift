import Glibc
import Testing

@testable import DaemonKit

/// Autobahn's fuzzing server judges the client, case by case.
@Suite(
    .serialized,
    .enabled(if: AutobahnServer.isAvailable, "needs ../shared/tools/autobahn, prepared by scripts/test-autobahn"))
struct WebSocketAutobahnTests {
    private static let agent = "polybot"

    @Test func everyCaseOfFramingPassesInTime() async throws {
        try await Self.judge(["--cases", "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"], count: 247)
    }

    /// Each with compression offered, which those of framing pass without as well. The server has limits of time for large
    /// and for many messages: those cases come one at a time.
    @Test(
        .enabled(if: getenv("POLYBOT_SOAK") != nil, "minutes long: `make soak` runs it"),
        arguments: [
            (["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"], 247, 8), (["9.*"], 54, 1),
            (["12.*"], 90, 1), (["13.*"], 126, 1),
        ])
    func everyCaseOfAllPassesSoak(cases: [String], count: Int, laneCount: Int) async throws {
        try await Self.judge(
            ["--cases"] + cases, count: count, offersDeflate: true, laneCount: laneCount, within: .seconds(3_000))
    }

    /// - Parameter laneCount: cases under way at a time: many wait for a time-out of the server.
    private static func judge(
        _ selection: [String], count expected: Int, offersDeflate: Bool = false, laneCount: Int = 8,
        within limit: Duration = .seconds(60)
    ) async throws {
        let server = try await AutobahnServer(selection)
        let text = try await Self.converse(server.address, ["/getCaseCount"], isEchoing: false)
        let count = try #require(text.flatMap { Int($0) })
        #expect(count == expected)
        let cases = (1...count).map { "/runCase?case=\($0)&agent=\(Self.agent)" }
        let end = try await Self.converse(
            server.address, cases, isEchoing: true, offersDeflate: offersDeflate, laneCount: laneCount, within: limit)
        #expect(end != nil, "some case did not end")
        _ = try await Self.converse(server.address, ["/updateReports?agent=\(Self.agent)"], isEchoing: false)
        let verdicts = try server.verdicts(on: Self.agent)
        #expect(verdicts.count == count)
        for verdict in verdicts where !verdict.isClean { Issue.record("\(verdict)") }
    }

    /// Connects to every path, sends each message back, and tells the last text when all connections have ended.
    private static func converse(
        _ address: String, _ paths: [String], isEchoing: Bool, offersDeflate: Bool = false, laneCount: Int = 1,
        within limit: Duration = .seconds(60)
    ) async throws -> String? {
        let urls = try paths.map { try WebSocketURL(address + $0) }
        return try await onLoop(within: limit) { (loop, finish: @escaping (String) -> Void) in
            var options = WebSocketConnection.Options()
            options.proxy = ""
            options.offersDeflate = offersDeflate
            options.sendQueueByteCountMax = 32 << 20
            var waiting = urls[...]
            var endedCount = 0
            var lastText = ""

            func begin() {
                guard let url = waiting.popFirst() else { return }
                let connection = WebSocketConnection(url: url, options: options, loop: loop)
                connection.onText = { [unowned connection] bytes in
                    if isEchoing {
                        connection.send(text: bytes)
                    } else {
                        lastText = String(decoding: bytes, as: UTF8.self)
                    }
                }
                connection.onBinary = { [unowned connection] bytes in if isEchoing { connection.send(binary: bytes) } }
                connection.onClosed = { _ in endWhenDrained(connection) }
                connection.connect()
            }

            // The server's verdict counts what it reads until the line ends.
            func endWhenDrained(_ connection: WebSocketConnection) {
                guard connection.isEnded else {
                    loop.after(.milliseconds(1)) { endWhenDrained(connection) }
                    return
                }
                endedCount += 1
                if endedCount == urls.count { finish(lastText) } else { begin() }
            }

            for _ in 0..<laneCount { begin() }
        }
    }
}
