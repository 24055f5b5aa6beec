/// A price of something outside the venue, for estimators; never for amounts.
public struct ReferencePriceBody: FrameBody, Hashable {
    public static let type = FrameType.referencePrice
    public enum Source: String, CaseIterable, Sendable { case binance, polybolt, estimate }
    public enum Kind: String, CaseIterable, Sendable {
        case trade, book
        case twap60 = "twap_60"
        case kline1h = "kline_1h"
    }
    /// "btcusd" and the like.
    public let symbol: String
    public let source: Source
    public let kind: Kind
    /// Decimal text without sign or exponent, with as many places as the source gives.
    public let price: String
    /// By the source's clock.
    public let observedTime: Timestamp
    public let receivedTime: Timestamp

    public init(
        symbol: String, source: Source, kind: Kind, price: String, observedTime: Timestamp, receivedTime: Timestamp
    ) {
        self.symbol = symbol
        self.source = source
        self.kind = kind
        self.price = price
        self.observedTime = observedTime
        self.receivedTime = receivedTime
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        let price = try fields.string("price")
        guard Self.isDecimal(price) else { throw JSONError(.wrongValue, at: 0, member: "price") }
        self.init(
            symbol: try fields.string("symbol"), source: try fields.word("source"), kind: try fields.word("kind"),
            price: price, observedTime: try fields.time("observed_time"), receivedTime: try fields.time("received_time")
        )
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("symbol", self.symbol)
            $0.string("source", self.source.rawValue)
            $0.string("kind", self.kind.rawValue)
            $0.string("price", self.price)
            $0.time("observed_time", self.observedTime)
            $0.time("received_time", self.receivedTime)
        }
    }

    private static func isDecimal(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy {
                !$0.isEmpty && $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            }
    }
}
