import DaemonKit
import Glibc
import Logging
import Shared
import Synchronization
import Testing

@testable import feedd

/// Everything that a feed meets, in the order of chance, told to a feed that records it.
struct ReplayStorm {
    var venue = VenueModel()
    var random: SeededRandom
    var isDown = [false, false]
    var description = 0

    init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

    private mutating func chance(_ oneOf: Int) -> Bool { Int.random(in: 0..<oneOf, using: &self.random) == 0 }

    mutating func step(_ feed: isolated FeedService, _ market: CarriedMarket) {
        self.venue.time += Int64.random(in: 1...500, using: &self.random)
        switch Int.random(in: 0..<40, using: &self.random) {
        case 0: self.lose(feed)
        case 1, 2: self.tellHalf(feed, market)
        case 3: self.fetch(feed, market)
        case 4 where self.isDown == [true, true]: feed.take(self.venue.restBook(), polledFor: market)
        case 5: feed.expirePolled(market)
        case 6:
            feed.compareConnections(of: market, now: .now())
            feed.compareConnections(of: market, now: .now() + .seconds(5))
        case 16 where self.chance(2): self.lie(feed, market)
        case 7:
            let tick = TickSize(micros: self.venue.book.tick.micros == 10_000 ? 1_000 : 10_000)!
            self.tell(feed, [self.venue.changeTick(to: tick), self.venue.bookText(outcome: 0)])
        case 8: self.tell(feed, ["PONG", "what is this"])
        case 9:
            self.description += 1
            var described = self.venue.market
            described.question = "Question \(self.description)"
            feed.describe(described)
        case 11:
            feed.prices.play(
                ReferencePriceBody(
                    symbol: "btcusd", source: .binance, kind: .trade, price: "\(self.venue.time % 1_000).5",
                    observedTime: Timestamp(milliseconds: self.venue.time), receivedTime: .now()))
        case 10: self.tell(feed, [self.venue.bookText(outcome: 1)])
        case 12...15:
            let side = self.chance(2) ? BookSide.bid : .ask
            if let trade = self.venue.trade(side: side, size: Quantity(shares: 3), taker: 0) {
                self.tell(feed, trade.texts)
            }
        default:
            let isBid = self.chance(2)
            let price = isBid ? "0.\(Int.random(in: 10...40, using: &self.random))" : "0.6\(self.chance(2) ? 1 : 2)"
            let size = Int64.random(in: 0...50, using: &self.random)
            self.tell(feed, [self.venue.operate(isBid ? .bid : .ask, price, size)])
        }
    }

    /// One line tells another book with the right hash of it, and sometimes the REST interface is heard.
    private mutating func lie(_ feed: isolated FeedService, _ market: CarriedMarket) {
        var lie = self.venue
        let liar = Int.random(in: 0...1, using: &self.random)
        for size in Int64(60)...62 {
            self.venue.time += 1
            lie.time = self.venue.time
            let (text, spoilt) = (self.venue.operate(.bid, "0.05", size), lie.operate(.bid, "0.05", size + 10))
            for connection in 0...1 { feed.hear(connection == liar ? spoilt : text, on: connection) }
            feed.compareConnections(of: market, now: .now())
        }
        let now = Instant.now()
        for connection in 0...1 where !self.isDown[connection] {
            feed.hear((connection == liar ? lie : self.venue).bookText(outcome: 0), on: connection)
        }
        if self.chance(2) { feed.take(self.venue.restBook(), fetchedFor: market) }
        feed.compareConnections(of: market, now: now + .seconds(1))
        if !self.isDown[liar] { feed.hear(self.venue.bookText(outcome: 0), on: liar) }
        feed.compareConnections(of: market, now: now + .seconds(2))
        feed.compareConnections(of: market, now: now + .seconds(70))
    }

    /// Each line may miss a text, and one that is down misses all.
    private mutating func tell(_ feed: isolated FeedService, _ texts: [String]) {
        for connection in self.chance(2) ? [0, 1] : [1, 0] where !self.isDown[connection] {
            for text in texts where !self.chance(30) { feed.hear(text, on: connection) }
        }
    }

    /// The rest of an operation never comes, or what explains its hash comes by another way.
    private mutating func tellHalf(_ feed: isolated FeedService, _ market: CarriedMarket) {
        let changes = [LevelChange(.bid, "0.05", 7 + Int64(self.venue.time % 100)), LevelChange(.bid, "0.06", 8)]
        self.tell(feed, [self.venue.operate(changes)[0]])
        let now = Instant.now() + (self.chance(2) ? .seconds(5) : .zero)
        feed.check(market, now: now)
        feed.checkFollower(of: market, now: now)
        if self.chance(2) { self.tell(feed, [self.venue.bookText(outcome: 0)]) }
    }

    /// Neither line has a book, what both bring waits, and the REST interface has one.
    private mutating func fetch(_ feed: isolated FeedService, _ market: CarriedMarket) {
        guard self.isDown == [false, false] else { return }
        for connection in 0...1 { feed.lineLost(connection, .silent) }
        let texts = (1...3).map { size in
            self.venue.time += 1
            return self.venue.operate(.bid, "0.07", Int64(size) + self.venue.time % 100)
        }
        for text in texts { for connection in 0...1 { feed.hear(text, on: connection) } }
        feed.take(self.venue.restBook(), fetchedFor: market)
    }

    private mutating func lose(_ feed: isolated FeedService) {
        let connection = self.chance(2) ? 0 : 1
        self.isDown[connection].toggle()
        guard self.isDown[connection] else {
            feed.connections[connection].onOpened()
            return feed.hear(self.venue.bookText(outcome: 0), on: connection)
        }
        feed.lineLost(connection, .dropped)
    }
}

/// All that a feed publishes of its markets, but for when it was received and sent.
final class PublishedTape: @unchecked Sendable {
    private let lines = Mutex<[String]>([])
    private let hasEnded = Mutex(false)
    /// Used on the loop alone.
    private var client: FrameClient?

    init(_ feed: FeedHarness) async throws {
        let path = "\(feed.directory)/feedd.sock"
        let hello = Hello(daemon: "test", version: "0", instance: "0", pid: 1)
        await feed.service.run { service in
            let client = FrameClient(
                loop: service.loop, path: path, hello: hello, seed: 1,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            client.onConnected = { _ in client.send(Subscribe(id: 1, markets: .all, referencePrices: ["btcusd"])) }
            client.onDisconnected = { _ in self.hasEnded.withLock { $0 = true } }
            client.onFrame = { envelope in
                guard !["feed_status", "metrics"].contains(envelope.type) else { return }
                let body = String(decoding: envelope.body, as: UTF8.self)
                let line = "\(envelope.type) \(body.replacing(/"received_time":\d+/, with: ""))"
                self.lines.withLock { $0.append(line) }
            }
            client.start()
            self.client = client
        }
        try await self.wait { !self.all.isEmpty }
    }

    var all: [String] { self.lines.withLock { $0 } }

    func wait(_ isDone: () async -> Bool) async throws {
        let deadline = Instant.now() + .seconds(60)
        while await !isDone() {
            try #require(Instant.now() < deadline, "waited in vain")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func waitForEnd(of feed: FeedHarness) async throws { try await self.wait { feed.endRequest != nil } }

    /// Everything that was published until the publisher ended.
    func toTheEnd() async throws -> [String] {
        try await self.wait { self.hasEnded.withLock { $0 } }
        return self.all
    }

    /// Everything that was published before this is called.
    func whole(_ feed: FeedHarness) async throws -> [String] {
        let last = "result {\"id\":2"
        await feed.run { _ in self.client?.send(Subscribe(id: 2, markets: .all)) }
        try await self.wait { self.all.contains { $0.hasPrefix(last) } }
        return Array(self.all.prefix { !$0.hasPrefix(last) })
    }
}

/// A subscriber that takes its time.
final class SlowReader {
    private let descriptor: Int32
    private var sequence: Int64 = 0

    init(path: String) throws {
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw SystemError("connect") }
        try self.send(Hello(daemon: "test", version: "0", instance: "0", pid: 1))
        try self.send(Subscribe(id: 1, markets: .all))
    }

    private func send(_ body: some FrameBody) throws {
        self.sequence += 1
        var bytes: [UInt8] = []
        EncodedFrame(body, sentTime: .now()).write(sequence: self.sequence, to: &bytes)
        guard bytes.withUnsafeBytes({ Glibc.send(self.descriptor, $0.baseAddress, $0.count, 0) }) == bytes.count else {
            throw SystemError("send")
        }
    }

    deinit { close(self.descriptor) }

    /// - Returns: bytes that came until the playing had ended.
    func readToEnd(of feed: FeedHarness) async throws -> Int {
        let deadline = Instant.now() + .seconds(120)
        var chunk = [UInt8](repeating: 0, count: 32 << 10)
        var total = 0
        var spokenAt = Instant.now()
        while Instant.now() < deadline {
            // Slow, but not dead.
            if Instant.now() - spokenAt > .seconds(1) {
                spokenAt = .now()
                try self.send(Pong(id: self.sequence))
            }
            let count = recv(self.descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            if count > 0 { total += count } else if feed.endRequest != nil { return total }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw FeedSubscriber.WaitedInVain(seen: ["\(total) bytes"])
    }
}

/// A directory of one test's, gone with it.
final class TestDirectory {
    let path: String
    private var files: [String] = []

    init() throws {
        var template = Array("/tmp/polybot-feed-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        self.path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw SystemError("fopen") }
        defer { fclose(file) }
        self.files.append(path)
        guard fputs(text, file) >= 0 else { throw SystemError("fputs") }
    }

    deinit {
        for file in self.files { unlink(file) }
        rmdir(self.path)
    }
}
