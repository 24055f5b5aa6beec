import Compression
import DaemonKit
import Glibc
import Logging
import Shared
import Synchronization
import Testing

@testable import feedd

/// A feed service on a loop of its own, with a venue that nobody answers for, and a log that can be read.
final class FeedHarness: Sendable {
    let service: FeedService
    let log = LogLines()
    private let loop: EventLoop
    let directory: String
    /// Why the service asked for the daemon's end.
    private let end = EndRequest()
    var endRequest: String? { self.end.reason.withLock { $0 } }

    private final class EndRequest: Sendable {
        let reason = Mutex<String?>(nil)
    }

    /// - Parameter replay: a raw journal that is played, and its speed.
    init(
        replay: (path: String, speed: ReplaySpeed)? = nil, _ change: (inout Configuration) -> Void = { _ in }
    ) async throws {
        var template = Array("/tmp/polybot-feed-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        let directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        self.directory = directory
        let loop = try EventLoop()
        self.loop = loop
        var configuration = Configuration()
        // Port 9 of loopback: nobody listens, and connecting fails at once.
        configuration.venue.clobURL = "http://127.0.0.1:9"
        configuration.venue.marketWebSocketURL = "ws://127.0.0.1:9/ws/market"
        configuration.venue.pricesWebSocketURL = ""
        configuration.venue.binanceWebSocketURL = ""
        configuration.feed.journal = false
        change(&configuration)
        let log = self.log
        let context = DaemonContext(
            name: "feedd", loop: loop, configuration: configuration,
            directories: try DaemonDirectories(
                runtimeFlag: directory, stateFlag: directory, environment: [:], user: getuid()),
            environment: [:], logger: Logger(label: "feedd") { _ in log.handler }, notifier: Notifier(),
            stopRequest: { [end = self.end] exit in end.reason.withLock { $0 = exit.message } })
        self.service = try FeedService(
            context, replay: try replay.map { (try JournalFiles($0.path, name: RawJournal.name), $0.speed) })
        try await Self.runOnThread(loop)
        try await self.service.start()
    }

    private static func runOnThread(_ loop: EventLoop) async throws {
        // The loop takes its thread for good; one of the pool would be missed.
        var thread = pthread_t()
        let context = Unmanaged.passRetained(loop)
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<EventLoop>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else { throw SystemError("pthread_create", code: code) }
        pthread_detach(thread)
    }

    /// To be called last.
    func stop() async {
        await self.service.stop()
        self.loop.stop()
        for name in ["feedd.sock"] + self.rawFiles { unlink("\(self.directory)/\(name)") }
        for name in ["/raw", ""] { rmdir(self.directory + name) }
    }

    /// The files of the raw journal, as paths in the directory.
    private var rawFiles: [String] {
        guard let stream = opendir("\(self.directory)/raw") else { return [] }
        defer { closedir(stream) }
        var files: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".jsonl.gz") { files.append("raw/\(name)") }
        }
        return files.sorted()
    }

    /// What the raw journal holds, line by line.
    func rawLines() throws -> [String] {
        var lines: [String] = []
        for file in self.rawFiles {
            do {
                let recorded = try RecordedFile("\(self.directory)/\(file)")
                while let line = try recorded.nextLine({ String(decoding: $0, as: UTF8.self) }) { lines.append(line) }
            } catch RecordedFile.Problem.compression(.torn) {
                // A block is being written.
            }
        }
        return lines
    }

    /// Runs `body` on the service's loop.
    func run<Value: Sendable>(_ body: @Sendable (isolated FeedService) throws -> Value) async rethrows -> Value {
        try await self.service.run(body)
    }

    /// Follows the service's socket as a subscriber does.
    func subscriber(_ markets: Subscribe.Markets, prices: [String] = []) async throws -> FeedSubscriber {
        try await FeedSubscriber(
            path: "\(self.directory)/feedd.sock", loop: self.loop,
            subscription: Subscribe(id: 1, markets: markets, referencePrices: prices), service: self.service)
    }
}

extension FeedService {
    func run<Value: Sendable>(_ body: @Sendable (isolated FeedService) throws -> Value) rethrows -> Value {
        try body(self)
    }

    /// As if the scanner had sent it.
    func hear(_ body: some FrameBody) throws {
        var bytes: [UInt8] = []
        EncodedFrame(body, sentTime: .now()).write(sequence: 1, to: &bytes)
        try bytes.dropFirst(4).withUnsafeBufferPointer { self.takeScan(try Envelope(reading: $0)) }
    }

    /// As if the venue had sent it on that line.
    func hear(_ text: String, on connection: Int = 0) {
        var text = text
        text.withUTF8 { self.take($0, on: connection) }
    }

    func market(_ condition: ConditionID) -> CarriedMarket? { self.marketsByCondition[condition] }
}

/// What a subscriber got, one line a frame: the type, and what tells frames of one type apart.
final class FeedSubscriber: Sendable {
    private let lines = Mutex<[String]>([])
    /// All that came: a test that is held up for a second must not miss the one of that second.
    private let statuses = Mutex<[FeedStatus]>([])

    init(path: String, loop: EventLoop, subscription: Subscribe, service: FeedService) async throws {
        let hello = Hello(daemon: "test", version: "0", instance: "0", pid: 1)
        await service.run { _ in
            let client = FrameClient(
                loop: loop, path: path, hello: hello, seed: 1,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            client.onConnected = { _ in client.send(subscription) }
            client.onFrame = { envelope in
                if envelope.type == FrameType.feedStatus.rawValue {
                    if let status = try? envelope.decode(FeedStatus.self) {
                        self.statuses.withLock { $0.append(status) }
                    }
                }
                guard let line = Self.line(envelope) else { return }
                self.lines.withLock { $0.append(line) }
            }
            client.start()
        }
        try await self.wait { $0.contains("result") }
    }

    private static func line(_ envelope: Envelope) -> String? {
        switch FrameType(rawValue: envelope.type) {
        case .feedStatus, .metrics: nil
        case .market: (try? envelope.decode(MarketBody.self)).map { "market \($0.n)" }
        case .book: (try? envelope.decode(BookBody.self)).map { "book \($0.n) \($0.isTrusted)" }
        case .trust: (try? envelope.decode(TrustBody.self)).map { "trust \($0.reason?.rawValue ?? "yes")" }
        case .resolved: (try? envelope.decode(ResolvedBody.self)).map { "resolved \($0.winner ?? -1)" }
        default: envelope.type
        }
    }

    var all: [String] { self.lines.withLock { $0 } }

    /// Waits until what came is as wanted; ten seconds at most.
    func wait(_ isAsWanted: ([String]) -> Bool) async throws {
        let deadline = Instant.now() + .seconds(60)
        while !isAsWanted(self.all) {
            guard Instant.now() < deadline else { throw WaitedInVain(seen: self.all) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// How many statuses came so far.
    var statusCount: Int { self.statuses.withLock(\.count) }

    /// Waits for a status as wanted among those after the first `count`; without that, among those that come from now on.
    /// Ten seconds at most.
    ///
    /// - Returns: how many there were up to it.
    @discardableResult
    func waitForStatus(after count: Int? = nil, _ isAsWanted: (FeedStatus) -> Bool) async throws -> Int {
        let first = count ?? self.statusCount
        let deadline = Instant.now() + .seconds(60)
        while true {
            if let found = self.statuses.withLock({ $0.dropFirst(first).firstIndex(where: isAsWanted) }) {
                return found + 1
            }
            guard Instant.now() < deadline else { throw WaitedInVain(seen: self.all) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    struct WaitedInVain: Error { let seen: [String] }
}

/// The sentences that were logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { self.lines.withLock { $0 } }
    func count(_ sentence: String) -> Int { self.all.count { $0 == sentence } }
    var handler: any LogHandler { Handler(lines: self) }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }
        func log(event: LogEvent) { self.lines.lines.withLock { $0.append(event.message.description) } }
    }
}
