import Shared

/// The last trade's price inside the venue's hash.
///
/// After a trade the hash holds a price that is told only later. Until then it is searched among the prices at which
/// something was just taken away, in either outcome's terms: the one that makes the hash is right.
struct LastTradeSearch {
    /// Prices tried.
    private static let candidateCountMax = 24

    /// The price found last; `nil` on a new line.
    private(set) var price: LastTradePrice?
    private var candidates: [LastTradePrice] = []

    /// The venue told it.
    mutating func learn(_ price: LastTradePrice) { self.price = price }

    /// Something was taken away at `price`: it may be that of a trade.
    mutating func consider(_ price: Price) {
        self.consider(LastTradePrice(price))
        self.consider(LastTradePrice(price.mirrored))
    }

    /// A print named it.
    mutating func consider(_ candidate: LastTradePrice) {
        guard !self.candidates.contains(candidate) else { return }
        if self.candidates.count == Self.candidateCountMax { self.candidates.removeFirst() }
        self.candidates.append(candidate)
    }

    /// The operation is over: what it took away is no trade of the next.
    mutating func forgetCandidates() { self.candidates.removeAll(keepingCapacity: true) }

    /// Whether `hash` is that of `book`, with the price that is known or one that may be, which is then known.
    mutating func explains(
        _ hash: BookHash, _ book: OrderBook, of market: Market, outcome: Int, timestamp: Int64,
        hasher: inout MeteredHasher
    ) -> Bool {
        for price in [self.price ?? .none] + self.candidates.reversed()
        where hash == hasher.hash(book, of: market, outcome: outcome, timestamp: timestamp, lastTrade: price) {
            self.price = price
            return true
        }
        return false
    }
}
