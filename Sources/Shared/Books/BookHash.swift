import COpenSSL

/// The venue's integrity check of a book: a SHA-1.
public struct BookHash: Hashable, Sendable, CustomStringConvertible {
    private let words: (UInt64, UInt64, UInt32)

    /// From 40 hex digits; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        guard let hash = copy.withUTF8({ BookHash(hex: $0) }) else { return nil }
        self = hash
    }

    public init?(hex bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == Self.byteCount, let digits = bytes.baseAddress,
            let first = Hex.parse(digits, count: 16, allowingUpperCase: false),
            let second = Hex.parse(digits + 16, count: 16, allowingUpperCase: false),
            let third = Hex.parse(digits + 32, count: 8, allowingUpperCase: false)
        else { return nil }
        self.words = (first, second, UInt32(truncatingIfNeeded: third))
    }

    /// The SHA-1 of `bytes`.
    init(of bytes: UnsafeBufferPointer<UInt8>) {
        self.words = withUnsafeTemporaryAllocation(byteCount: 20, alignment: 8) { digest in
            copenssl_sha1(bytes.baseAddress, bytes.count, digest.baseAddress)
            return (
                UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                UInt32(bigEndian: digest.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
            )
        }
    }

    /// As text.
    static let byteCount = 40

    public var description: String {
        String(unsafeUninitializedCapacity: Self.byteCount) { buffer in
            var cursor = TextCursor(buffer)
            self.write(to: &cursor)
            return cursor.count
        }
    }

    func write(to cursor: inout TextCursor) {
        cursor.hex(self.words.0)
        cursor.hex(self.words.1)
        cursor.hex(UInt64(self.words.2), digitCount: 8)
    }

    public static func == (a: BookHash, b: BookHash) -> Bool { a.words == b.words }
    public func hash(into hasher: inout Hasher) { hasher.combine(self.words.0) }
}

/// The last trade's price as it stands in the hashed text: three decimals, the same for both outcomes; "" before the
/// first trade.
public struct LastTradePrice: Hashable, Sendable {
    /// Longest text that is believed to be a price.
    static let byteCountMax = 15

    public let text: String

    /// As the venue wrote it. What cannot be a price counts as none.
    public init(text: String) {
        let isPrice = text.utf8.count <= Self.byteCountMax && text.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 == 0x2E }
        self.text = isPrice ? text : ""
    }

    public static let none = LastTradePrice(text: "")

    /// `price` with three decimals, or with as many as it needs where three do not hold it.
    public init(_ price: Price) {
        var text = price.description
        let places = text.utf8.count - 2
        if places < 3 { text += String(repeating: "0", count: 3 - places) }
        self.text = text
    }
}

/// Computes the venue's hash of a book; keeps its buffer between calls.
///
/// The hashed text is the compact JSON of the REST book with an empty hash. Source: the venue's Python client,
/// `generate_orderbook_summary_hash`; the order of members is part of it.
public struct BookHasher: Sendable {
    /// Bytes of a book's text without its levels, at most.
    private static let headByteCountMax = 512
    /// Bytes of one level's text, at most.
    private static let levelByteCountMax = 64

    private var buffer: [UInt8] = []

    public init() {}

    /// The hash of the book as `outcome` (0 the first, 1 the second) shows it at `timestamp` (milliseconds).
    public mutating func hash(
        _ book: OrderBook, of market: Market, outcome: Int, timestamp: Int64, lastTrade: LastTradePrice
    ) -> BookHash {
        let byteCountMax = Self.byteCountMax(book)
        if self.buffer.count < byteCountMax { self.buffer = [UInt8](repeating: 0, count: 2 * byteCountMax) }
        return self.buffer.withUnsafeMutableBufferPointer { buffer in
            var cursor = TextCursor(buffer)
            Self.write(
                book, of: market, outcome: outcome, timestamp: timestamp, lastTrade: lastTrade, hash: nil, to: &cursor)
            return BookHash(of: cursor.written)
        }
    }

    /// Appends the REST book, with `hash` or with the empty one that is hashed.
    public static func write(
        _ book: OrderBook, of market: Market, outcome: Int, timestamp: Int64, lastTrade: LastTradePrice,
        hash: BookHash?, to writer: inout JSONWriter
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCountMax(book)) { buffer in
            var cursor = TextCursor(buffer)
            Self.write(
                book, of: market, outcome: outcome, timestamp: timestamp, lastTrade: lastTrade, hash: hash, to: &cursor)
            writer.raw(cursor.written)
        }
    }

    /// Appends `bids` and `asks` as the venue serves them: worst first.
    public static func writeLevels(_ book: OrderBook, outcome: Int, to writer: inout JSONWriter) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCountMax(book)) { buffer in
            var cursor = TextCursor(buffer)
            Self.writeLevels(book, outcome: outcome, to: &cursor)
            writer.raw(cursor.written)
        }
    }

    private static func byteCountMax(_ book: OrderBook) -> Int {
        Self.headByteCountMax + (book.bidCount + book.askCount) * Self.levelByteCountMax
    }

    private static func write(
        _ book: OrderBook, of market: Market, outcome: Int, timestamp: Int64, lastTrade: LastTradePrice,
        hash: BookHash?, to cursor: inout TextCursor
    ) {
        cursor.text(#"{"market":""#)
        market.condition.write(to: &cursor)
        cursor.text(#"","asset_id":""#)
        (outcome == 0 ? market.first : market.second).token.write(to: &cursor)
        cursor.text(#"","timestamp":""#)
        if timestamp < 0 { cursor.text("-") }
        cursor.integer(timestamp.magnitude)
        cursor.text(#"","hash":""#)
        hash?.write(to: &cursor)
        cursor.text(#"","#)
        Self.writeLevels(book, outcome: outcome, to: &cursor)
        cursor.text(#","min_order_size":""#)
        cursor.decimal(market.sizeMin.micros)
        cursor.text(#"","tick_size":""#)
        cursor.decimal(book.tick.micros)
        cursor.text(market.isNegRisk ? #"","neg_risk":true"# : #"","neg_risk":false"#)
        cursor.text(#","last_trade_price":""#)
        for byte in lastTrade.text.utf8 { cursor.byte(byte) }
        cursor.text(#""}"#)
    }

    private static func writeLevels(_ book: OrderBook, outcome: Int, to cursor: inout TextCursor) {
        func write(_ price: Price, _ size: Quantity) {
            cursor.text(cursor.last == UInt8(ascii: "[") ? #"{"price":""# : #",{"price":""#)
            cursor.decimal(Int64(price.micros))
            cursor.text(#"","size":""#)
            cursor.decimal(size.micros)
            cursor.text(#""}"#)
        }
        cursor.text(#""bids":["#)
        if outcome == 0 {
            book.forEachBidWorstFirst { write($0.price, $0.size) }
        } else {
            book.forEachAskWorstFirst { write($0.price.mirrored, $0.size) }
        }
        cursor.text(#"],"asks":["#)
        if outcome == 0 {
            book.forEachAskWorstFirst { write($0.price, $0.size) }
        } else {
            book.forEachBidWorstFirst { write($0.price.mirrored, $0.size) }
        }
        cursor.text("]")
    }
}
