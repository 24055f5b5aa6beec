import Shared

/// What a set of resting orders scores for a market's liquidity rewards. Exact but for one rounding down for each order.
///
/// Source: reference, 2.10; strategies, 2.5.
struct RewardScore: Hashable, Sendable {
    /// Of bids of the first outcome and of its asks, each in millionths of a share that rests at the midpoint.
    private(set) var bids: Int128 = 0
    private(set) var asks: Int128 = 0

    /// How much of a side's score counts where the other side has none, inside of 0.10...0.90.
    private static let oneSidedDivisor: Int128 = 3
    private static let twoSidedOnly = (below: Int64(100_000), above: Int64(900_000))

    /// Counts one order, in terms of the first outcome. One that is too small or too far away scores nothing.
    mutating func count(_ side: BookSide, _ price: Price, _ size: Quantity, midpoint: Int64, _ terms: RewardTerms) {
        let distance = abs(Int64(price.micros) - midpoint)
        guard size >= terms.sizeMin, size > .zero, terms.spreadMax > 0, distance < terms.spreadMax else { return }
        let closeness = Int128(terms.spreadMax - distance)
        let score = Int128(size.micros) * closeness * closeness / (Int128(terms.spreadMax) * Int128(terms.spreadMax))
        switch side {
        case .bid: self.bids += score
        case .ask: self.asks += score
        }
    }

    /// The one number that is compared with the others'.
    func total(midpoint: Int64) -> Int128 {
        let (less, more) = (min(self.bids, self.asks), max(self.bids, self.asks))
        guard (Self.twoSidedOnly.below...Self.twoSidedOnly.above).contains(midpoint) else { return less }
        return max(less, more / Self.oneSidedDivisor)
    }

    /// The mean of the prices at which the depth from the best level on first reaches the smallest order that scores, in
    /// millionths; `nil` when a side has not so much. The venue publishes no more of its own rule.
    static func midpoint(of book: OrderBook, _ terms: RewardTerms) -> Int64? {
        func place(_ levels: [Level]) -> Int64? {
            var depth = Quantity.zero
            for level in levels {
                depth += level.size
                if depth >= terms.sizeMin { return Int64(level.price.micros) }
            }
            return nil
        }
        guard let bid = place(book.levels(.bid)), let ask = place(book.levels(.ask)) else { return nil }
        return (bid + ask) / 2
    }
}
