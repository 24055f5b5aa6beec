import Glibc
import Logging
import Shared
import Signing
import Testing

@testable import DaemonKit

/// Prices of what markets are about, from the emulated Binance and the venue's own stream, through the real feedd.
struct ReferencePriceTests {
    @Test func theVenuesAveragesAreToldWhileTheyComeAndEstimatesAfterwards() async throws {
        let credentials = try TemporaryDirectory()
        chmod(credentials.path, 0o700)
        let pipeline = try await Pipeline(
            ["--markets", "3", "--rate", "20"], settings: ["CREDENTIALS_DIRECTORY": credentials.path],
            beforeDaemons: { try await Self.writeCredentials(of: $0, to: credentials) })
        let (feed, witness) = (pipeline.feed, PriceWitness())
        defer { witness.stop() }
        witness.listen(to: pipeline.feedSocket, symbols: ["btcusd", "gold"])
        let kinds: Set<String> = ["binance trade", "binance book", "binance kline_1h", "polybolt twap_60"]
        try await waitFor("prices of every kind", state: "\(witness.kinds)\n\(feed.report)") {
            witness.kinds.isSuperset(of: kinds) ? true : nil
        }
        #expect(witness.answers == [["gold"]])
        let venueAverage = try #require(witness.latest(.polybolt, .twap60))
        let book = try #require(witness.latest(.binance, .book))
        #expect(abs(venueAverage - book) < book / 50, "\(venueAverage) and \(book)")

        let tap = try RunningProgram(
            Programs.path(of: "polybot"),
            ["tap", "feedd", "--runtime-dir", pipeline.directory.path, "--prices", "gold, btcusd"]
                + ["--type", "reference_price", "--count", "1"])
        #expect(try await tap.waitForEnd() == .exited(0), "\(tap.report)")
        #expect(tap.text(of: .output).contains(#""symbol":"btcusd""#), "\(tap.report)")

        // The stream takes our credentials for bad ones and stays away; Binance is dropped too, and comes back.
        try await pipeline.control(#"{"do":"drop_prices","code":4001}"#)
        _ = try await feed.line(of: .errors) { $0.contains("The connection to the venue's price stream ended") }
        // An estimate is made of a whole minute. It began with the daemon.
        try await waitFor("most of a minute", state: feed.report) { witness.withheld > 20 ? true : nil }
        try await waitFor("an estimate", state: feed.report) { witness.latest(.estimate, .twap60) }
        let estimate = try #require(witness.latest(.estimate, .twap60))
        #expect(abs(estimate - venueAverage) < venueAverage / 50, "\(estimate) and \(venueAverage)")
        _ = try await feed.line(of: .errors) { $0.contains("Average prices are estimates") && $0.contains("btcusd") }
        #expect(witness.problems == [])
        #expect(!feed.text(of: .errors).contains("secret"), "\(feed.report)")
        #expect(try await pipeline.stop() == [.exited(0), .exited(0), .exited(0)])
    }

    /// Has the venue make an API key, and keeps it as the service manager would.
    private static func writeCredentials(of port: Int, to directory: TemporaryDirectory) async throws {
        let digits = Array(String(repeating: "5a", count: 32).utf8)
        let key = try #require(digits.withUnsafeBufferPointer { PrivateKey(hex: $0) })
        let seconds = Timestamp.now().microseconds / 1_000_000
        let claim = ClobAuth(address: key.address, timestamp: seconds)
        let client = try RESTClient()
        defer { client.stop() }
        let response = try await client.request(
            RESTRequest(
                .post, url: "http://127.0.0.1:\(port)/auth/api-key",
                headers: [
                    ("POLY_ADDRESS", key.address.description),
                    ("POLY_SIGNATURE", key.sign(claim.digest).description), ("POLY_TIMESTAMP", "\(seconds)"),
                    ("POLY_NONCE", "0"),
                ]))
        #expect(response.isSuccess, "\(String(decoding: response.body, as: UTF8.self))")
        let path = try directory.write("readonly_api_credentials", String(decoding: response.body, as: UTF8.self))
        chmod(path, 0o400)
    }
}

/// A subscriber that wants prices and no markets.
private final class PriceWitness: Sendable {
    private struct State {
        var client: FrameClient?
        var prices: [ReferencePriceBody] = []
        var answers: [[String]] = []
        var withheld: Int64 = 0
        var problems: [String] = []
    }

    private let loop: EventLoop
    private let thread: WorkerThread
    private nonisolated(unsafe) var state = State()
    private let lock = DaemonKit.Mutex()

    init() {
        guard let loop = try? EventLoop(), let thread = try? WorkerThread({ loop.run() }) else {
            preconditionFailure("no loop to be had")
        }
        (self.loop, self.thread) = (loop, thread)
    }

    private func with<Value>(_ body: (inout State) -> Value) -> Value {
        self.lock.lock()
        defer { self.lock.unlock() }
        return body(&self.state)
    }

    func listen(to path: String, symbols: [String]) {
        self.loop.execute {
            let client = FrameClient(
                loop: self.loop, path: path, hello: Hello(daemon: "test", version: "0", instance: "0", pid: 1),
                seed: 1, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            self.with { $0.client = client }
            client.onConnected = { _ in
                client.send(Subscribe(id: 7, markets: .only([]), referencePrices: symbols))
            }
            client.onFrame = { envelope in
                do { try self.take(envelope) } catch { self.with { $0.problems.append("\(error)") } }
            }
            client.start()
        }
    }

    private func take(_ envelope: Envelope) throws {
        switch FrameType(rawValue: envelope.type) {
        case .referencePrice:
            let body = try envelope.decode(ReferencePriceBody.self)
            self.with {
                if body.symbol != "btcusd" { $0.problems.append("\(body)") }
                $0.prices.append(body)
            }
        case .result:
            guard case .ok(let value) = try envelope.decode(ResultBody.self).outcome else { return }
            let unknown = value?["unknown_reference_prices"]?.array?.compactMap(\.string) ?? []
            self.with { $0.answers.append(unknown) }
        case .feedStatus:
            let withheld = try envelope.decode(FeedStatus.self).counters["prices_estimates_withheld"] ?? 0
            self.with { $0.withheld = withheld }
        case .market, .book: self.with { $0.problems.append(envelope.type) }
        default: break
        }
    }

    func stop() {
        self.loop.execute { self.with { $0.client }?.stop() }
        self.loop.stop()
        self.thread.join()
    }

    var kinds: Set<String> { self.with { Set($0.prices.map { "\($0.source.rawValue) \($0.kind.rawValue)" }) } }
    var answers: [[String]] { self.with(\.answers) }
    var withheld: Int64 { self.with(\.withheld) }
    var problems: [String] { self.with(\.problems) }

    /// The latest price of a kind, whole dollars.
    func latest(_ source: ReferencePriceBody.Source, _ kind: ReferencePriceBody.Kind) -> Int? {
        self.with { $0.prices.last { $0.source == source && $0.kind == kind } }
            .flatMap { Int($0.price.prefix { $0 != "." }) }
    }
}
