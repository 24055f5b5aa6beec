import ArgumentParser
import DaemonKit
import Shared

/// `polybot test-ws`: whether the venue's market channel works from here.
struct TestWebSocketCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test-ws",
        abstract: "Connects to the venue's market channel, listens, and tells what came. Needs no daemon.",
        discussion: """
            Listens to both outcomes of the first tradable market in the listing, or to what is named. The exit code is 0 \
            when a book came and nothing was wrong, 1 when something was, 69 when there was no connection.
            """)

    private static let durationDefault = Duration.seconds(5)
    private static let pingInterval = Duration.seconds(1)

    @Flag(help: "One line of JSON.")
    var json = false
    @Option(help: "The token to listen to; its hashes cannot be checked without its market.")
    var token: String?
    @Option(help: "The market to listen to: its condition id (0x…) or its slug.")
    var market: String?
    @Option(
        name: .customLong("for"), help: "How long to listen: 500ms, 20s, 2m. Without it 5s.",
        transform: DurationText.parse)
    var duration: Duration?
    @OptionGroup var configurationOptions: ConfigurationOptions

    func validate() throws {
        if self.token != nil && self.market != nil { throw ValidationError("--token and --market: choose one.") }
    }

    func run() throws {
        let configuration = try self.configurationOptions.load()
        let test = try self.choose(configuration)
        let url: WebSocketURL
        do {
            url = try WebSocketURL(configuration.venue.marketWebSocketURL)
        } catch {
            throw DaemonExit(.configuration, "venue.market_ws_url: \(error)")
        }
        let (found, connectTime) = try self.listen(test, url, configuration)
        if self.json {
            StandardStreams.write(found.json(url: url.description, connectTime: connectTime))
        } else {
            StandardStreams.write(
                found.lines(url: url.description, connectTime: connectTime).map { $0 + "\n" }.joined())
        }
        if !found.isOK { throw ExitCode(1) }
    }

    private func choose(_ configuration: Configuration) throws(DaemonExit) -> ChannelTest {
        if let text = self.token {
            guard let token = TokenID(text) else {
                throw DaemonExit(.usage, "--token \(text) is no token id: a decimal number.")
            }
            return ChannelTest(market: nil, tokens: [token])
        }
        let listing = MarketListing(configuration.venue)
        let listed: [JSONValue]
        switch self.market {
        case nil: listed = try listing.firstPage()
        case let name? where name.hasPrefix("0x"):
            guard let condition = ConditionID(name) else {
                throw DaemonExit(.usage, "--market \(name) is no condition id: 0x and 64 hexadecimal digits.")
            }
            listed = try listing.market(condition).map { [$0] } ?? []
        case let name?:
            guard MarketListing.isSlug(name) else {
                throw DaemonExit(.usage, "--market \(name) is neither a slug nor a condition id.")
            }
            listed = try listing.market(slug: name).map { [$0] } ?? []
        }
        let now = Timestamp.now()
        let market = listed.lazy.compactMap { try? GammaMarket.read($0, now: now) }.first
        guard let market else {
            throw DaemonExit(
                .unreachable,
                self.market.map {
                    "The venue lists no tradable market \($0): polybot scan-markets --why SLUG tells more."
                }
                    ?? "The venue lists no tradable market now.")
        }
        return ChannelTest(market: market, tokens: [market.first.token, market.second.token])
    }

    private func listen(
        _ test: ChannelTest, _ url: WebSocketURL, _ configuration: Configuration
    ) throws(DaemonExit) -> (ChannelTest, connectTime: Duration) {
        let loop: EventLoop
        do { loop = try EventLoop() } catch { throw DaemonExit(.bug, "The event loop cannot be made: \(error).") }
        var options = WebSocketConnection.Options()
        options.caFile = configuration.venue.authorityFile
        options.proxy = configuration.venue.proxy
        options.offersDeflate = configuration.feed.compression
        let socket = WebSocketConnection(url: url, options: options, loop: loop)
        let began = Instant.now()
        var test = test
        var connectTime: Duration?
        var failure: String?
        func ping() {
            guard socket.isOpen else { return }
            if socket.send(text: "PING") { test.pinged(now: .now()) }
            loop.after(Self.pingInterval) { ping() }
        }
        socket.onOpen = {
            let now = Instant.now()
            connectTime = now - began
            test.opened(now: now)
            _ = socket.send(text: test.subscription)
            ping()
            loop.after(self.duration ?? Self.durationDefault) { socket.close() }
        }
        socket.onText = { test.take($0, now: .now()) }
        socket.onClosed = { reason in
            if reason != .closedByUs { failure = "\(reason)" }
            loop.stop()
        }
        socket.connect()
        loop.run()
        socket.onOpen = nil
        socket.onText = nil
        socket.onClosed = nil
        if let failure {
            throw DaemonExit(
                .unreachable, "\(url): \(connectTime == nil ? "" : "the connection ended early: ")\(failure).")
        }
        return (test, connectTime ?? .zero)
    }
}
