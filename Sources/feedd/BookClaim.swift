import Shared

/// What a line said last of a market's whole book: its hashes at a time. A book that was fetched is proved by them.
struct BookClaim {
    /// The venue's time, milliseconds.
    let timestamp: Int64
    /// Of the first outcome and of the second, as far as they were named.
    private(set) var hashes: (BookHash?, BookHash?) = (nil, nil)

    init(_ changes: [MarketEvent.Change], timestamp: Int64, of market: Market) {
        self.timestamp = timestamp
        for change in changes {
            if change.token == market.first.token {
                if self.hashes.0 == nil { self.hashes.0 = change.hash }
            } else if change.token == market.second.token && self.hashes.1 == nil {
                self.hashes.1 = change.hash
            }
        }
    }

    func hash(of outcome: Int) -> BookHash? { outcome == 0 ? self.hashes.0 : self.hashes.1 }

    /// Whether it is that very book.
    func names(_ book: RESTBook, outcome: Int) -> Bool {
        book.timestamp == self.timestamp && book.hash == self.hash(of: outcome)
    }
}
