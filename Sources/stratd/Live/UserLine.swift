import DaemonKit
import Logging
import Shared

/// A `UserChannel` and its socket. Confined to the daemon's loop.
final class UserLine {
    private static let messageByteCountMax = 1 << 20

    /// Says a sentence unless it came too often.
    var warn: (String, Logger.Metadata) -> Void = { _, _ in }
    var onReport: (OrderDesk.Answer) -> Void = { _ in }
    /// It opened or closed.
    var onChange: () -> Void = {}

    private let loop: EventLoop
    private let logger: Logger
    private let url: WebSocketURL
    private let options: WebSocketConnection.Options
    private let credentials: AccountCredentials
    private let owner: VenueTrade.Owner
    private var channel: UserChannel
    private var socket: WebSocketConnection?
    /// Those that are to be handled; the first is being handled.
    private var events: [UserChannel.Event] = []
    private var timer: EventLoop.TimerID?
    private var isStopped = false

    /// - Throws: code 78 for an address that is none.
    init(
        _ context: DaemonContext, _ credentials: AccountCredentials, _ owner: VenueTrade.Owner
    ) throws(DaemonExit) {
        self.owner = owner
        let venue = context.configuration.venue
        do { self.url = try WebSocketURL(venue.userWebSocketURL) } catch {
            throw DaemonExit(.configuration, "venue.user_ws_url: \(error)")
        }
        self.loop = context.loop
        self.logger = context.logger
        self.credentials = credentials
        var options = WebSocketConnection.Options()
        options.caFile = venue.authorityFile
        options.proxy = venue.proxy
        options.messageByteCountMax = Self.messageByteCountMax
        self.options = options
        self.channel = UserChannel(seed: UInt64.random(in: .min ... .max))
    }

    var isOpen: Bool { self.channel.isOpen }

    func start() { self.handle(.started) }

    func stop() {
        self.isStopped = true
        self.drop()
        if let timer = self.timer { self.loop.cancel(timer) }
    }

    /// What happens while something is being done, as a send that finds the line dead, comes after it.
    private func handle(_ event: UserChannel.Event) {
        self.events.append(event)
        guard self.events.count == 1 else { return }
        while let event = self.events.first {
            if !self.isStopped { for action in self.channel.handle(event, now: .now()) { self.perform(action) } }
            self.events.removeFirst()
        }
    }

    private func perform(_ action: UserChannel.Action) {
        switch action {
        case .connect: self.connect()
        case .close: self.drop()
        case .authenticate: self.authenticate()
        case .ping: self.send(Array("PING".utf8))
        case .tellOpen:
            self.logger.info("Connected to the venue's user channel")
            self.onReport(.channelOpened)
            self.onChange()
        case .tellClosed: self.onChange()
        case .wake(let instant):
            if let timer = self.timer { self.loop.cancel(timer) }
            self.timer = self.loop.at(instant) { [weak self] in
                self?.timer = nil
                self?.handle(.woke)
            }
        }
    }

    private func drop() {
        let socket = self.socket
        self.socket = nil
        socket?.onText = nil
        socket?.onClosed = nil
        socket?.close()
    }

    private func send(_ text: [UInt8]) { if self.socket?.send(text: text) != true { self.socket?.abort() } }

    private func authenticate() {
        var writer = JSONWriter()
        writer.object {
            $0.key("type")
            $0.string("user")
            $0.key("auth")
            self.credentials.write(to: &$0)
        }
        self.send(writer.bytes)
        self.perform(.ping)
    }

    private func connect() {
        let socket = WebSocketConnection(url: self.url, options: self.options, loop: self.loop)
        self.socket = socket
        socket.onOpen = { [weak self] in self?.handle(.opened) }
        socket.onText = { [weak self] in self?.take($0) }
        socket.onClosed = { [weak self] reason in
            guard let self else { return }
            self.socket = nil
            self.logger.warning(
                "The connection to the venue's user channel ended", metadata: ["reason": "\(reason)"])
            self.handle(.lost)
        }
        socket.connect()
    }

    private func take(_ text: UnsafeBufferPointer<UInt8>) {
        if text.elementsEqual("PONG".utf8) { return self.handle(.pong) }
        self.handle(.heard)
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: text) } catch {
            return self.tellMalformed(text, "\(error)")
        }
        for message in json.array ?? [json] {
            switch message["event_type"]?.string {
            case "order":
                guard let order = VenueOrder(message) else { return self.tellMalformed(text, "no order as is known") }
                self.onReport(.orderEvent(order))
            case "trade":
                guard let trade = VenueTrade(message, of: self.owner) else {
                    return self.tellMalformed(text, "no trade as is known")
                }
                self.onReport(.tradeEvent(trade))
            // Whatever else the venue may come to tell is not about orders.
            default: break
            }
        }
    }

    private func tellMalformed(_ text: UnsafeBufferPointer<UInt8>, _ reason: String) {
        self.warn(
            "The venue's user channel sent a text that cannot be read",
            ["reason": "\(reason)", "bytes": "\(text.count)"])
        // What it said is asked for instead.
        self.onReport(.channelOpened)
    }
}
