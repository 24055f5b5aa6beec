/// What the market channel broadcasts of markets, carried or not: news for whoever keeps a list of them.
public struct MarketHint: FrameBody, Hashable {
    public static let type = FrameType.marketHint
    public enum Kind: String, CaseIterable, Sendable {
        case new, resolved
    }
    public let kind: Kind
    /// `nil` where the venue did not say.
    public let market: ConditionID?
    public let slug: String?

    public init(kind: Kind, market: ConditionID?, slug: String?) {
        self.kind = kind
        self.market = market
        self.slug = slug?.shortened(toByteCount: Market.textByteCountMax)
    }
    public init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            kind: try fields.word("kind"), market: fields["market"] == nil ? nil : try fields.condition("market"),
            slug: try fields.optionalString("slug"))
    }
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.string("kind", self.kind.rawValue)
            if let market = self.market { $0.string("market", market.description) }
            if let slug = self.slug { $0.string("slug", slug) }
        }
    }
}
