import DaemonKit
import Glibc
import Logging
import Shared

/// A `PolyBoltFeed`, its socket, and the credentials that it needs. Confined to the daemon's loop.
///
/// The credentials are read when they are sent and not kept.
final class PolyBoltLine {
    static let credentialName = "readonly_api_credentials"
    /// A snapshot of two minutes is about 20 KiB.
    private static let messageByteCountMax = 256 << 10

    /// Says a sentence unless it came too often.
    var warn: (String, Logger.Metadata) -> Void = { _, _ in }
    var onPrice: (PolyBoltUpdate, Timestamp) -> Void = { _, _ in }

    private let loop: EventLoop
    private let logger: Logger
    private let isTracing: Bool
    private let url: WebSocketURL
    private let options: WebSocketConnection.Options
    private let credentialFile: String
    private var feed: PolyBoltFeed
    private var socket: WebSocketConnection?
    private var timer: EventLoop.TimerID?
    private var openedCount: Int64 = 0
    private var messageCount: Int64 = 0
    private var malformedCount: Int64 = 0
    private var refusalCount: Int64 = 0
    private var droppedCount: Int64 = 0

    /// - Returns: `nil` when no address is configured or no credentials are there.
    /// - Throws: for an address that is none.
    init?(_ context: DaemonContext, settings: PolyBoltFeed.Settings) throws {
        let venue = context.configuration.venue
        guard !venue.pricesWebSocketURL.isEmpty, let directory = context.environment["CREDENTIALS_DIRECTORY"],
            !directory.isEmpty
        else { return nil }
        let file = "\(directory)/\(Self.credentialName)"
        // A feedd without secrets leaves dumps, with which mistakes are found.
        guard access(file, F_OK) == 0 else { return nil }
        // Before a secret is read.
        do throws(SystemError) { try context.forbidDumps() } catch {
            throw DaemonExit(.refused, "Dumps of this process's memory cannot be forbidden: \(error).")
        }
        do throws(SecretFile.Problem) {
            let isThere = try SecretFile.read(file, keptBy: .manager) { (text) throws(SecretFile.Problem) in
                guard APICredentials.read(text) else { throw Self.malformed }
            }
            guard isThere else { return nil }
        } catch {
            context.logger.warning(
                "A credential cannot be used",
                metadata: ["credential": "\(Self.credentialName)", "place": "\(file)", "reason": "\(error.reason)"])
            return nil
        }
        do {
            self.url = try WebSocketURL(venue.pricesWebSocketURL)
        } catch {
            throw DaemonExit(.configuration, "venue.prices_ws_url: \(error)")
        }
        self.credentialFile = file
        self.loop = context.loop
        self.logger = context.logger
        self.isTracing = context.logger.isTracing
        var options = WebSocketConnection.Options()
        options.caFile = venue.authorityFile
        options.proxy = venue.proxy
        options.messageByteCountMax = Self.messageByteCountMax
        self.options = options
        self.feed = PolyBoltFeed(settings: settings, seed: UInt64.random(in: .min ... .max))
    }

    private static var malformed: SecretFile.Problem {
        .malformed("it is no JSON object with the texts apiKey, secret and passphrase")
    }

    func want(_ symbols: Set<ReferenceSymbol>) { self.handle(.wanted(symbols)) }
    func stop() { self.want([]) }

    func add(to counters: inout [String: Int64]) {
        counters["polybolt_live"] = self.feed.isLive ? 1 : 0
        counters["polybolt_connections"] = self.openedCount
        counters["polybolt_messages"] = self.messageCount
        counters["polybolt_malformed"] = self.malformedCount
        counters["polybolt_refusals"] = self.refusalCount
        counters["polybolt_dropped"] = self.droppedCount
    }

    private func handle(_ event: PolyBoltFeed.Event) {
        for action in self.feed.handle(event, now: .now()) { self.perform(action) }
    }

    private func perform(_ action: PolyBoltFeed.Action) {
        switch action {
        case .connect: self.connect()
        case .close:
            let socket = self.socket
            self.socket = nil
            socket?.onText = nil
            socket?.onClosed = nil
            socket?.close()
        case .authenticate(let request): self.authenticate(request)
        case .send(let text):
            if self.socket?.send(text: text) != true { self.socket?.abort() }
        case .tellRefused(let code, let symbol):
            self.refusalCount += 1
            self.warn(
                "The venue's price stream refused a request",
                ["code": "\(code)", "symbol": "\(symbol?.rawValue ?? "none")"])
        case .wake(let instant):
            if let timer = self.timer { self.loop.cancel(timer) }
            self.timer = self.loop.at(instant) { [weak self] in self?.handle(.woke) }
        }
    }

    private func authenticate(_ request: String) {
        do throws(SecretFile.Problem) {
            let isThere = try SecretFile.read(self.credentialFile, keptBy: .manager) {
                (text) throws(SecretFile.Problem) in
                var isComplete = false
                var writer = JSONWriter(capacity: 2 * SecretFile.byteCountMax)
                writer.object {
                    $0.key("op")
                    $0.string("auth")
                    $0.key("rid")
                    $0.string(request)
                    $0.key("auth")
                    $0.object { writer in
                        isComplete = APICredentials.read(text) { name, value in
                            writer.key(name)
                            writer.string(value.string)
                        }
                    }
                }
                guard isComplete else { throw Self.malformed }
                if self.socket?.send(text: writer.bytes) != true { self.socket?.abort() }
            }
            guard isThere else { throw .unreadable("it is gone") }
        } catch {
            self.warn(
                "A credential cannot be used",
                [
                    "credential": "\(Self.credentialName)", "place": "\(self.credentialFile)",
                    "reason": "\(error.reason)",
                ])
            self.handle(.dropped(.refused))
        }
    }

    private func connect() {
        let socket = WebSocketConnection(url: self.url, options: self.options, loop: self.loop)
        self.socket = socket
        socket.onOpen = { [weak self] in
            guard let self else { return }
            self.openedCount += 1
            self.handle(.opened)
        }
        socket.onText = { [weak self] in self?.take($0) }
        socket.onClosed = { [weak self] reason in
            guard let self else { return }
            self.socket = nil
            self.warn("The connection to the venue's price stream ended", ["reason": "\(reason)"])
            if case .closedByPeer(let code, _) = reason {
                self.handle(.dropped(PolyBoltFeed.Ending(closeCode: code)))
            } else {
                self.handle(.dropped(.lost))
            }
        }
        socket.connect()
    }

    private func take(_ text: UnsafeBufferPointer<UInt8>) {
        let received = Timestamp.now()
        // What we send is not told: the credentials are in it.
        if self.isTracing {
            self.logger.trace("Text received from the venue's price stream", metadata: ["text": .traced(text)])
        }
        self.messageCount += 1
        do throws(JSONError) {
            switch try PolyBoltMessage(reading: text) {
            case .authed:
                self.logger.info("Connected to the venue's price stream")
                self.handle(.authed)
            case .update(let update):
                self.droppedCount += update.dropped
                self.onPrice(update, received)
                self.handle(.heard(isPrice: true))
            case .error(let code, let request): self.handle(.error(code: code, request: request))
            case .other: self.handle(.heard(isPrice: false))
            }
        } catch {
            self.malformedCount += 1
            self.warn(
                "A source of reference prices sent a text that cannot be read",
                ["source": "polybolt", "reason": "\(error)"])
        }
    }
}
