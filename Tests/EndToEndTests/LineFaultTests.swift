import Glibc
import Shared
import Testing

@testable import DaemonKit

/// Whatever goes wrong on the way to the market channel ends in a line of feedd's log and in another attempt, and the first
/// connection that is right is taken.
struct LineFaultTests {
    /// A connection that goes wrong, and what feedd's log says of it.
    private struct Fault {
        var step: String
        /// Whether the handshake was right before it.
        var isConnected = false
        /// Of the reason.
        let told: String
        /// How long the venue asks to be left alone, in seconds.
        var pause = 0.0
    }

    /// feedd's own first wait, in seconds; it doubles up to twelve times as much.
    private static let delay = 0.1
    /// One connection alone, as the faults come one after another; no windows that end while a test runs.
    private static let settings = [
        "POLYBOT_FEED_RECONNECT_DELAY_S": "\(delay)", "POLYBOT_FEED_STANDBY": "false",
        "POLYBOT_FEED_SILENCE_MAX_S": "8", "POLYBOT_FEED_PING_INTERVAL_S": "1",
        "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown",
    ]

    /// What lies between feedd and the venue.
    enum Way: CaseIterable { case plain, tls, proxyAndTLS }

    @Test(arguments: Way.allCases) func aWrongHandshakeIsToldAndTriedAgain(way: Way) async throws {
        let authority = try await TestAuthority()
        let certificate = try await authority.sign(for: way == .tls ? "localhost" : "venue.invalid")
        func step(_ step: String) -> String {
            switch way {
            case .plain: step
            case .tls: "in-\(Self.tls(certificate))=\(step)"
            case .proxyAndTLS: "in-proxy:\(certificate.file):\(certificate.key)=\(step)"
            }
        }
        try await Self.live(
            through: [
                Fault(step: "wrong-accept", told: "its Sec-WebSocket-Accept is not the answer to our key"),
                Fault(step: "status:301", told: "HTTP status 301"),
                Fault(step: "status:401", told: "HTTP status 401"),
                Fault(step: "status:429:2", told: "HTTP status 429, to be asked again in 2 s", pause: 2),
                Fault(step: "status:503", told: "HTTP status 503"),
                Fault(step: "cut", told: "the peer ended it without a close frame"),
                Fault(step: "endless", told: "its head is larger than 16384 bytes"),
                Fault(step: "extension:permessage-deflate", told: "it names an extension that was not offered"),
                Fault(step: "masked", isConnected: true, told: "a server's frame is masked (close code 1002)"),
                Fault(step: "mute", isConnected: true, told: "nothing was heard for too long"),
                Fault(step: "silent", told: "no answer to the handshake in time"),
            ].map { fault in
                var fault = fault
                fault.step = step(fault.step)
                return fault
            }, then: step("bytewise")
        ) { port in
            switch way {
            case .plain: ["POLYBOT_VENUE_MARKET_WS_URL": "ws://127.0.0.1:\(port)/ws/market"]
            case .tls:
                [
                    "POLYBOT_VENUE_MARKET_WS_URL": "wss://localhost:\(port)/ws/market",
                    "POLYBOT_VENUE_CA_FILE": authority.file,
                ]
            case .proxyAndTLS:
                [
                    "POLYBOT_VENUE_MARKET_WS_URL": "wss://venue.invalid/ws/market",
                    "POLYBOT_VENUE_CA_FILE": authority.file,
                    "POLYBOT_VENUE_PROXY": "http://127.0.0.1:\(port)", "NO_PROXY": "127.0.0.1",
                ]
            }
        }
    }

    @Test func aWrongCertificateIsToldAndTriedAgain() async throws {
        let authority = try await TestAuthority()
        let stranger = try await TestAuthority()
        let foreign = try await stranger.sign(for: "localhost")
        let expired = try await authority.sign(for: "localhost", days: -1)
        let other = try await authority.sign(for: "elsewhere.test")
        let right = try await authority.sign(for: "localhost")
        try await Self.live(
            through: [
                Fault(step: Self.tls(foreign), told: "unable to get local issuer certificate"),
                Fault(step: Self.tls(expired), told: "certificate has expired"),
                Fault(step: Self.tls(other), told: "no alternative certificate subject name matches"),
                Fault(step: "tls-old:\(right.file):\(right.key)", told: "alert protocol version"),
                Fault(step: "pass", told: "wrong version number"),
                Fault(step: "silent", told: "no connection in time"),
            ], then: Self.tls(right)
        ) {
            [
                "POLYBOT_VENUE_MARKET_WS_URL": "wss://localhost:\($0)/ws/market",
                "POLYBOT_VENUE_CA_FILE": authority.file,
            ]
        }
    }

    @Test func aProxyThatDoesNotLetUsThroughIsToldAndTriedAgain() async throws {
        let authority = try await TestAuthority()
        let right = try await authority.sign(for: "venue.invalid")
        let other = try await authority.sign(for: "localhost")
        let logged = try await Self.live(
            through: [
                Fault(step: "proxy:403", told: "CONNECT tunnel failed, response 403"),
                Fault(step: "proxy:407", told: "CONNECT tunnel failed, response 407"),
                Fault(step: "proxy-cut", told: "Proxy CONNECT aborted"),
                Fault(step: "proxy-garbage", told: "a line of the proxy's answer is no header"),
                Fault(step: "proxy-endless", told: "Too large response headers"),
                Fault(step: "proxy-pass", told: "wrong version number"),
                Fault(
                    step: "proxy-" + Self.tls(other), told: "no alternative certificate subject name matches"),
                Fault(step: "proxy-silent", told: "no connection in time"),
            ], then: "proxy-" + Self.tls(right)
        ) {
            // The proxy is for what has this name alone, which nobody but the proxy can know.
            [
                "POLYBOT_VENUE_MARKET_WS_URL": "wss://venue.invalid/ws/market",
                "POLYBOT_VENUE_CA_FILE": authority.file,
                "POLYBOT_VENUE_PROXY": "http://user:sesame@127.0.0.1:\($0)", "NO_PROXY": "127.0.0.1",
            ]
        }
        #expect(!logged.contains("sesame"), "the log tells the proxy's password")
    }

    @Test func whatAServerMayNotSayOfCompressionIsToldAndABombEndsItsLine() async throws {
        let wrong = "it names an extension that was not offered"
        let logged = try await Self.live(
            through: [
                Fault(step: "extension:permessage-lz4", told: wrong),
                Fault(step: "extension:permessage-deflate, permessage-deflate", told: "names permessage-deflate twice"),
                Fault(
                    step: "extension:permessage-deflate; server_max_window_bits=16",
                    told: "a server_max_window_bits that is not 8 to 15"),
                Fault(
                    step: "extension:permessage-deflate; level=9", told: "has a parameter that does not exist"),
                Fault(step: "unasked", isConnected: true, told: "a reserved bit is set (close code 1002)"),
                Fault(step: "damaged", isConnected: true, told: "cannot be inflated"),
                Fault(step: "bomb", isConnected: true, told: "larger than 16777216 bytes (close code 1009)"),
            ], then: "pass", venue: ["--compression", "on"]
        ) {
            [
                "POLYBOT_VENUE_MARKET_WS_URL": "ws://127.0.0.1:\($0)/ws/market",
                "POLYBOT_FEED_COMPRESSION": "true",
            ]
        }
        #expect(logged.contains("compression=permessage-deflate"))
    }

    private static func tls(_ certificate: TestAuthority.Certificate) -> String {
        "tls:\(certificate.file):\(certificate.key)"
    }

    /// Lets a pipeline meet all faults, and expects that feedd tells each, waits as it should, and lives in the end.
    ///
    /// - Parameters:
    ///   - last: what every later connection meets.
    ///   - venueArguments: for simvenue, besides what all have.
    ///   - settings: of the daemons, for the port of the faulty line.
    /// - Returns: what feedd logged.
    @discardableResult
    private static func live(
        through faults: [Fault], then last: String, venue venueArguments: [String] = [],
        _ settings: (Int) -> [String: String]
    ) async throws -> String {
        let line = try await FaultyLine(faults.map(\.step) + [last])
        let pipeline = try await Pipeline(
            ["--markets", "6", "--rate", "200", "--seed", "43"] + venueArguments,
            settings: Self.settings.merging(settings(line.port)) { $1 },
            beforeDaemons: { try line.leads(to: $0) })
        var expected: [(sentence: String, told: String)] = []
        for fault in faults {
            if fault.isConnected { expected.append(("Market channel connected", "")) }
            let sentence = fault.isConnected ? "Market channel lost" : "Market channel cannot be reached"
            expected.append((sentence, fault.told))
        }
        expected.append(("Market channel connected", ""))
        func told() -> [Substring] {
            pipeline.feed.text(of: .errors).split(separator: "\n").filter { $0.contains("Market channel ") }
        }
        try await waitFor("a live line", state: pipeline.feed.report + line.program.report) {
            told().count >= expected.count ? true : nil
        }
        for (text, expected) in zip(told(), expected) {
            #expect(text.contains(expected.sentence) && text.contains(expected.told), "\(text)")
        }
        let client = try PythonClient(pipeline)
        try await waitFor("books that move", state: pipeline.feed.report + line.program.report) {
            client.books.count >= 4 && client.states.count > 100 ? true : nil
        }
        #expect(told().count == expected.count, "the line that is right was not kept: \(told())")
        Self.expectWaits(line.arrivals, faults)
        // A bomb of 256 MB would show.
        let memory = try #require(Self.memoryMax(of: pipeline.feed))
        #expect(memory < 160_000, "feedd had \(memory) kB")
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
        return pipeline.feed.text(of: .errors)
    }

    /// The most memory that a program has had, in kB.
    private static func memoryMax(of program: RunningProgram) -> Int? {
        let status = String(decoding: contents(of: "/proc/\(program.pid)/status") ?? [], as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) }
    }

    /// Between two connections lies at least the half of what the back-off has come to, and what the venue asked for.
    private static func expectWaits(_ arrivals: [Double], _ faults: [Fault]) {
        #expect(arrivals.count == faults.count + 1)
        for (index, (arrival, next)) in zip(arrivals, arrivals.dropFirst()).enumerated() {
            let span = min(Self.delay * Double(1 << index), 12 * Self.delay)
            #expect(next - arrival >= max(span / 2, faults[index].pause), "after \(faults[index].step)")
        }
    }
}
