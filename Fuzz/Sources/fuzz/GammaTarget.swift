import Shared

/// A market that is read is one that can be traded, and its frame says the same.
enum GammaTarget {
    private static let now = Timestamp(seconds: 1_778_584_200)

    static func run(_ input: UnsafeBufferPointer<UInt8>) {
        guard let page = try? JSONValue(parsing: input) else { return }
        var listing = Listing(for: Universe(filter: MarketFilter()), now: self.now)
        _ = try? listing.take(page)
        for candidate in listing.candidates { self.checkMarket(candidate.market) }
        for value in page["markets"]?.array ?? [page] {
            if let market = try? GammaMarket.read(value, now: self.now) { self.checkMarket(market) }
        }
    }

    private static func checkMarket(_ market: Market) {
        check(market.endTime > self.now, "a market that has ended")
        check(market.first.token != market.second.token, "both outcomes are the same token")
        check(market.first.label != market.second.label, "both outcomes have the same name")
        check(market.sizeMin > .zero && (0...Market.feeRateMax).contains(market.feeRate), "amounts below zero")
        for text in [market.slug, market.question, market.event, market.first.label, market.second.label] {
            check(text.utf8.count <= Market.textByteCountMax, "a text of \(text.utf8.count) bytes")
        }
        for price in [Price(micros: 1), Price(micros: 500_000), Price(micros: 999_999)].compactMap({ $0 }) {
            check(market.takerFee(size: OrderBook.levelSizeMax, price: price) >= .zero, "a fee below zero")
        }
        var writer = JSONWriter()
        MarketBody(n: 1, market: market).write(to: &writer)
        let again = writer.bytes.withUnsafeBufferPointer { bytes in
            try? JSONReader.read(bytes) { (reader) throws(JSONError) in try MarketBody(reading: &reader) }
        }
        check(again?.market == market, "a market is written as something else")
    }
}
