import DaemonKit
import Logging
import Shared

/// A `BinanceFeed` and the sockets that it steers. Confined to the daemon's loop.
final class BinanceLines {
    /// Messages are below one KiB; larger ones are not Binance's.
    private static let messageByteCountMax = 64 << 10

    /// Says a sentence unless it came too often.
    var warn: (String, Logger.Metadata) -> Void = { _, _ in }
    /// Called with every message about prices.
    var onMessage: (BinanceMessage, Timestamp) -> Void = { _, _ in }

    private let loop: EventLoop
    private let logger: Logger
    private let isTracing: Bool
    private let url: WebSocketURL
    private let options: WebSocketConnection.Options
    private var feed: BinanceFeed
    private var sockets: [Int: WebSocketConnection] = [:]
    private var timer: EventLoop.TimerID?
    private var openedCount: Int64 = 0
    private var messageCount: Int64 = 0
    private var malformedCount: Int64 = 0
    private var refusalCount: Int64 = 0

    /// - Returns: `nil` when no address is configured.
    /// - Throws: for an address that is none.
    init?(_ context: DaemonContext, settings: BinanceFeed.Settings) throws {
        let venue = context.configuration.venue
        guard !venue.binanceWebSocketURL.isEmpty else { return nil }
        do {
            self.url = try Self.address(venue.binanceWebSocketURL)
        } catch {
            throw DaemonExit(.configuration, "venue.binance_ws_url: \(error)")
        }
        self.loop = context.loop
        self.logger = context.logger
        self.isTracing = context.logger.isTracing
        var options = WebSocketConnection.Options()
        options.caFile = venue.authorityFile
        options.proxy = venue.proxy
        options.messageByteCountMax = Self.messageByteCountMax
        self.options = options
        self.feed = BinanceFeed(settings: settings, seed: UInt64.random(in: .min ... .max))
    }

    /// Streams are asked for by commands, and each message names its stream: Binance's own paths are replaced.
    static func address(_ text: String) throws(WebSocketURLError) -> WebSocketURL {
        let url = try WebSocketURL(text)
        let path = url.target.prefix { $0 != "?" }.split(separator: "/").prefix { $0 != "ws" && $0 != "stream" }
        let target = (path + ["stream"]).joined(separator: "/")
        return try WebSocketURL("\(url.isSecure ? "wss" : "ws")://\(url.authority)/\(target)")
    }

    func want(_ symbols: Set<ReferenceSymbol>) { self.handle(.wanted(symbols)) }
    func stop() { self.want([]) }

    func add(to counters: inout [String: Int64]) {
        counters["binance_live"] = self.feed.isLive ? 1 : 0
        counters["binance_connections"] = self.openedCount
        counters["binance_messages"] = self.messageCount
        counters["binance_malformed"] = self.malformedCount
        counters["binance_refusals"] = self.refusalCount
    }

    private func handle(_ event: BinanceFeed.Event) {
        for action in self.feed.handle(event, now: .now()) { self.perform(action) }
    }

    private func perform(_ action: BinanceFeed.Action) {
        switch action {
        case .connect(let number): self.connect(number)
        case .close(let number):
            guard let socket = self.sockets.removeValue(forKey: number) else { return }
            socket.onText = nil
            socket.onClosed = nil
            socket.close()
        case .send(let number, let text):
            if self.isTracing {
                self.logger.trace("Text sent to Binance", metadata: ["connection": "\(number)", "text": "\(text)"])
            }
            if self.sockets[number]?.send(text: text) != true { self.sockets[number]?.abort() }
        case .lost: self.logger.warning("No connection to Binance is left")
        case .wake(let instant):
            if let timer = self.timer { self.loop.cancel(timer) }
            self.timer = self.loop.at(instant) { [weak self] in self?.handle(.woke) }
        }
    }

    private func connect(_ number: Int) {
        let socket = WebSocketConnection(url: self.url, options: self.options, loop: self.loop)
        self.sockets[number] = socket
        socket.onOpen = { [weak self] in
            guard let self else { return }
            self.openedCount += 1
            self.logger.info("Connected to Binance", metadata: ["connection": "\(number)"])
            self.handle(.opened(number))
        }
        socket.onText = { [weak self] in self?.take($0, on: number) }
        socket.onClosed = { [weak self] reason in
            guard let self else { return }
            self.sockets[number] = nil
            self.warn("A connection to Binance ended", ["connection": "\(number)", "reason": "\(reason)"])
            self.handle(.dropped(number))
        }
        socket.connect()
    }

    private func take(_ text: UnsafeBufferPointer<UInt8>, on number: Int) {
        let received = Timestamp.now()
        if self.isTracing {
            self.logger.trace(
                "Text received from Binance", metadata: ["connection": "\(number)", "text": .traced(text)])
        }
        self.messageCount += 1
        do throws(JSONError) {
            let message = try BinanceMessage(reading: text)
            switch message {
            case .trade, .book, .candle:
                self.onMessage(message, received)
                self.handle(.heard(number, isPrice: true))
            case .shutdown: self.handle(.ending(number))
            case .refusal(let reason):
                self.refusalCount += 1
                self.warn("Binance refused a command", ["reason": "\(reason)"])
                self.handle(.heard(number, isPrice: false))
            case .answer, .other: self.handle(.heard(number, isPrice: false))
            }
        } catch {
            // One price is missing, and the next one says the same anew.
            self.malformedCount += 1
            self.warn(
                "A source of reference prices sent a text that cannot be read",
                ["source": "binance", "reason": "\(error)"])
        }
    }
}
