import Glibc
import Shared

/// What is measured with: the generated markets and messages, taken apart.
struct Inputs {
    private static let changeCountMax = 5_000

    enum Problem: Error { case unreadable(String) }

    /// Texts of the market channel.
    let changes: [[UInt8]]
    let book: [UInt8]
    let market: Market
    let orderBook: OrderBook
    let hash: BookHash
    /// Milliseconds UTC.
    let timestamp: Int64
    /// Changes of levels, all of one market.
    let updates: [LevelChange]
    let delta: DeltaBody

    var levelCount: Int { self.orderBook.bidCount + self.orderBook.askCount }

    init(markets marketsPath: String, messages messagesPath: String) throws {
        let fields = try Self.read(marketsPath).prefix { $0 != UInt8(ascii: "\n") }
            .split(separator: UInt8(ascii: "\t")).map(Array.init)
        guard fields.count == 6, let condition = ConditionID(String(decoding: fields[0], as: UTF8.self)),
            let first = TokenID(String(decoding: fields[2], as: UTF8.self)),
            let second = TokenID(String(decoding: fields[4], as: UTF8.self)),
            let tick = TickSize(micros: 10_000)
        else { throw Problem.unreadable(marketsPath) }
        self.book = fields[3]
        self.market = Market(
            condition: condition, slug: "", question: "", first: Outcome(label: "Up", token: first),
            second: Outcome(label: "Down", token: second), tick: tick, sizeMin: Quantity(shares: 5), isNegRisk: false,
            event: "", startTime: nil, endTime: Timestamp(microseconds: 0), feeRate: 0, feeExponent: 1,
            hasTakerDelay: false, rewards: nil, settlement: .other, asset: nil)

        var reader = MarketChannelReader()
        var orderBook = OrderBook(tick: tick)
        var hash: BookHash?
        var timestamp: Int64 = 0
        try self.book.withUnsafeBufferPointer { text in
            _ = try reader.read(text) { event in
                for level in event.bids { _ = orderBook.set(.bid, level.price, level.size) }
                for level in event.asks { _ = orderBook.set(.ask, level.price, level.size) }
                hash = event.hash
                timestamp = event.timestamp
            }
        }
        guard let hash else { throw Problem.unreadable(marketsPath) }
        self.orderBook = orderBook
        self.hash = hash
        self.timestamp = timestamp

        self.changes = Self.frames(try Self.read(messagesPath))
        var updates: [LevelChange] = []
        for text in self.changes {
            try text.withUnsafeBufferPointer { text in
                _ = try reader.read(text) { event in
                    for change in event.changes where change.token == first {
                        updates.append(
                            LevelChange(side: change.side == .buy ? .bid : .ask, price: change.price, size: change.size)
                        )
                    }
                }
            }
        }
        guard let update = updates.last else { throw Problem.unreadable(messagesPath) }
        self.updates = updates
        let time = Timestamp(milliseconds: timestamp)
        self.delta = DeltaBody(
            n: 17, epoch: 3, update: 123_456, isSettled: true, levels: [update], venueTime: time, receivedTime: time)
    }

    private static func frames(_ bytes: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var start = 0
        while start + 4 <= bytes.count && frames.count < Self.changeCountMax {
            let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            frames.append(Array(bytes[start + 4..<start + 4 + length]))
            start += 4 + length
        }
        return frames
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Problem.unreadable(path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
        return bytes
    }
}
