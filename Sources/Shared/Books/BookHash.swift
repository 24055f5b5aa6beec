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
        guard bytes.count == 40 else { return nil }
        var isValid = true
        func word(_ range: Range<Int>) -> UInt64 {
            var value: UInt64 = 0
            for index in range {
                switch bytes[index] {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(bytes[index] - UInt8(ascii: "0"))
                case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(bytes[index] - UInt8(ascii: "a") + 10)
                default: isValid = false
                }
            }
            return value
        }
        self.words = (word(0..<16), word(16..<32), UInt32(truncatingIfNeeded: word(32..<40)))
        guard isValid else { return nil }
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

    public var description: String {
        func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: value.bitWidth / 4 - text.count) + text
        }
        return hex(self.words.0) + hex(self.words.1) + hex(self.words.2)
    }

    public static func == (a: BookHash, b: BookHash) -> Bool { a.words == b.words }
    public func hash(into hasher: inout Hasher) { hasher.combine(self.words.0) }
}

/// The last trade's price as it stands in the hashed text: three decimals, the same for both outcomes; "" before the
/// first trade.
public struct LastTradePrice: Hashable, Sendable {
    public let text: String
    public init(text: String) { self.text = text }
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
    private var writer = JSONWriter(capacity: 8_192)

    public init() {}

    /// The hash of the book as `outcome` (0 the first, 1 the second) shows it at `timestamp` (milliseconds).
    public mutating func hash(
        _ book: OrderBook, of market: Market, outcome: Int, timestamp: Int64, lastTrade: LastTradePrice
    ) -> BookHash {
        self.writer.clear()
        Self.write(book, of: market, outcome: outcome, timestamp: timestamp, lastTrade: lastTrade, hash: nil, to: &self.writer)
        return self.writer.bytes.withUnsafeBufferPointer { BookHash(of: $0) }
    }

    /// Appends the REST book, with `hash` or with the empty one that is hashed.
    public static func write(
        _ book: OrderBook, of market: Market, outcome: Int, timestamp: Int64, lastTrade: LastTradePrice, hash: BookHash?,
        to writer: inout JSONWriter
    ) {
        writer.object {
            $0.key("market")
            $0.string(market.condition.description)
            $0.key("asset_id")
            $0.string((outcome == 0 ? market.first : market.second).token.description)
            $0.key("timestamp")
            $0.string(String(timestamp))
            $0.key("hash")
            $0.string(hash?.description ?? "")
            Self.writeLevels(book, outcome: outcome, to: &$0)
            $0.key("min_order_size")
            $0.decimalString(market.sizeMin.micros)
            $0.key("tick_size")
            $0.decimalString(book.tick.micros)
            $0.key("neg_risk")
            $0.bool(market.isNegRisk)
            $0.key("last_trade_price")
            $0.string(lastTrade.text)
        }
    }

    /// Appends `bids` and `asks` as the venue serves them: worst first.
    public static func writeLevels(_ book: OrderBook, outcome: Int, to writer: inout JSONWriter) {
        writer.key("bids")
        writer.array { writer in
            if outcome == 0 {
                book.forEachBidWorstFirst { Self.write($0.price, $0.size, to: &writer) }
            } else {
                book.forEachAskWorstFirst { Self.write($0.price.mirrored, $0.size, to: &writer) }
            }
        }
        writer.key("asks")
        writer.array { writer in
            if outcome == 0 {
                book.forEachAskWorstFirst { Self.write($0.price, $0.size, to: &writer) }
            } else {
                book.forEachBidWorstFirst { Self.write($0.price.mirrored, $0.size, to: &writer) }
            }
        }
    }

    private static func write(_ price: Price, _ size: Quantity, to writer: inout JSONWriter) {
        writer.object {
            $0.key("price")
            $0.decimalString(Int64(price.micros))
            $0.key("size")
            $0.decimalString(size.micros)
        }
    }
}
