import DaemonKit
import Shared

/// What a look at the market channel found, as a value: texts in, findings out.
struct ChannelTest {
    /// A market whose terms are known, and the tokens that are listened to.
    let market: Market?
    let tokens: [TokenID]

    private(set) var textCount: Int64 = 0
    private(set) var events: [String: Int64] = [:]
    private(set) var malformed: String?
    private(set) var notice: String?
    /// Book hashes computed anew and equal to the venue's, and those that were not.
    private(set) var hashesRight: Int64 = 0
    private(set) var hashesWrong: Int64 = 0
    private(set) var firstBook: Duration?
    private(set) var pings: [Duration] = []
    private var pingSent: Instant?
    private var opened: Instant?
    private var reader = MarketChannelReader()
    private var hasher = BookHasher()

    init(market: Market?, tokens: [TokenID]) {
        self.market = market
        self.tokens = tokens
    }

    /// The subscription's text.
    var subscription: String {
        var writer = JSONWriter()
        writer.object {
            $0.key("assets_ids")
            $0.array { for token in self.tokens { $0.string(token.description) } }
            $0.key("type")
            $0.string("market")
            $0.key("custom_feature_enabled")
            $0.bool(true)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    mutating func opened(now: Instant) { self.opened = now }

    /// Our "PING" has left.
    mutating func pinged(now: Instant) { if self.pingSent == nil { self.pingSent = now } }

    /// Takes one text of the venue.
    mutating func take(_ text: UnsafeBufferPointer<UInt8>, now: Instant) {
        self.textCount += 1
        var books: [Bool] = []
        var kinds: [String] = []
        var hasBook = false
        var hasher = self.hasher
        let market = self.market
        do throws(JSONError) {
            let read = try self.reader.read(text) { event in
                kinds.append(event.kind.rawValue)
                guard event.kind == .book else { return }
                hasBook = true
                if let market, let isRight = Self.check(event, market, &hasher) { books.append(isRight) }
            }
            switch read {
            case .pong:
                if let sent = self.pingSent { self.pings.append(now - sent) }
                self.pingSent = nil
            case .notice(let notice): self.notice = notice
            case .events: break
            }
        } catch {
            self.malformed = "\(error)"
        }
        self.hasher = hasher
        for kind in kinds { self.events[kind, default: 0] += 1 }
        for isRight in books {
            if isRight { self.hashesRight += 1 } else { self.hashesWrong += 1 }
        }
        if hasBook, self.firstBook == nil, let opened = self.opened { self.firstBook = now - opened }
    }

    /// Whether a book's hash is that of its content; `nil` when the message does not hold all that is hashed.
    private static func check(_ event: borrowing MarketEvent, _ market: Market, _ hasher: inout BookHasher) -> Bool? {
        guard let hash = event.hash, let tick = event.tick, let lastTrade = event.lastTrade, let token = event.token
        else {
            return nil
        }
        let outcome: Int
        switch token {
        case market.first.token: outcome = 0
        case market.second.token: outcome = 1
        default: return nil
        }
        var book = OrderBook(tick: tick)
        for level in event.bids { Self.set(&book, .bid, level, outcome) }
        for level in event.asks { Self.set(&book, .ask, level, outcome) }
        return hasher.hash(book, of: market, outcome: outcome, timestamp: event.timestamp, lastTrade: lastTrade) == hash
    }

    /// Books are kept in terms of the first outcome.
    private static func set(_ book: inout OrderBook, _ side: BookSide, _ level: Level, _ outcome: Int) {
        _ =
            outcome == 0
            ? book.set(side, level.price, level.size) : book.set(side.opposite, level.price.mirrored, level.size)
    }

    // MARK: What it found

    /// Whether the channel works: a book came, nothing was malformed, no hash was wrong.
    var isOK: Bool { self.firstBook != nil && self.malformed == nil && self.hashesWrong == 0 }

    /// Lines for a person.
    func lines(url: String, connectTime: Duration) -> [String] {
        let kinds = self.events.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        var lines = [
            "\(url): connected in \(Self.time(connectTime))",
            "listening to \(self.market?.slug ?? "\(self.tokens.count) tokens")",
            self.firstBook.map { "first book after \(Self.time($0))" }
                ?? "no book came: the token may not be traded any more",
            "\(self.textCount) messages" + (kinds.isEmpty ? "" : ": \(kinds)"),
            "book hashes: \(self.hashesRight) right, \(self.hashesWrong) wrong"
                + (self.market == nil ? " (the market's terms are not known: use --market)" : ""),
            self.pings.min().map { "PING to PONG in \(Self.time($0)) at best, \(self.pings.count) answered" }
                ?? "no PING was answered",
        ]
        if let notice = self.notice { lines.append("the venue said: \(Text.fitted(notice, 100))") }
        if let malformed = self.malformed { lines.append("a message could not be read: \(malformed)") }
        return lines
    }

    /// One line of JSON.
    func json(url: String, connectTime: Duration) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            func microseconds(_ key: StaticString, _ duration: Duration?) {
                writer.key(key)
                if let duration { writer.integer(duration.nanoseconds / 1_000) } else { writer.null() }
            }
            writer.key("ok")
            writer.bool(self.isOK)
            writer.key("url")
            writer.string(url)
            writer.key("market")
            if let market = self.market { writer.string(market.slug) } else { writer.null() }
            microseconds("connect_us", connectTime)
            microseconds("first_book_us", self.firstBook)
            microseconds("ping_us", self.pings.min())
            writer.key("messages")
            writer.integer(self.textCount)
            writer.key("events")
            writer.object {
                for (kind, count) in self.events.sorted(by: { $0.key < $1.key }) {
                    $0.key(dynamic: kind)
                    $0.integer(count)
                }
            }
            writer.key("hashes_right")
            writer.integer(self.hashesRight)
            writer.key("hashes_wrong")
            writer.integer(self.hashesWrong)
            if let problem = self.malformed ?? self.notice {
                writer.key("problem")
                writer.string(problem)
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private static func time(_ duration: Duration) -> String { Text.latency(duration.nanoseconds / 1_000) }
}
