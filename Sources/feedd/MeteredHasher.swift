import Shared

/// Computes the venue's hashes, all books' together, and says which comparisons are left out.
struct MeteredHasher {
    private var hasher = BookHasher()
    private var budget: HashBudget
    /// Comparisons of the present text that might have been left out.
    private var waitingCount = 0
    /// Those that were, by their place among them, for the journal.
    private(set) var leftOut: [Int] = []
    /// Of a text that is played: what was left out when it was recorded, so that it is again. `nil` where the budget decides.
    private var played: [Int]?

    /// - Parameter percent: of one core.
    init(percent: Int64, now: Instant) { self.budget = HashBudget(percent: percent, now: now) }

    /// A text of the venue's begins.
    mutating func beginText() {
        self.waitingCount = 0
        if !self.leftOut.isEmpty { self.leftOut.removeAll(keepingCapacity: true) }
    }

    /// Nothing is left out but what is told here, of the text that begins next.
    mutating func play(leftOut: [Int]) { self.played = leftOut }

    /// Whether the comparison of a change is left out, after `unverified` ones.
    mutating func leavesOutChange(after unverified: BookBuilder.Unverified?, now: Instant) -> Bool {
        let place = self.waitingCount
        self.waitingCount += 1
        guard self.played?.contains(place) ?? self.leavesOut(after: unverified, now: now) else { return false }
        self.leftOut.append(place)
        return true
    }

    /// Whether what was left out stays so for now.
    mutating func leavesOut(after unverified: BookBuilder.Unverified?, now: Instant) -> Bool {
        guard self.played == nil else { return false }
        return unverified?.mayGrow(now: now) != false && !self.budget.admits(now: now)
    }

    /// As `BookHasher.hash`; what cannot wait is computed whatever it costs.
    mutating func hash(
        _ book: OrderBook, of market: Market, outcome: Int, timestamp: Int64, lastTrade: LastTradePrice
    ) -> BookHash {
        self.budget.spend(levelCount: book.bidCount + book.askCount)
        return self.hasher.hash(book, of: market, outcome: outcome, timestamp: timestamp, lastTrade: lastTrade)
    }
}
