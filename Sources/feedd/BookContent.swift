import Shared

/// A whole book as the venue told it, of one outcome: a `book` of the market channel, or a `/book` of the REST interface.
struct BookContent {
    /// Why no book can be made of it: what the venue hashed is then no book of ours either.
    enum Fault: Error {
        /// Negative, nothing at all, or above `OrderBook.levelSizeMax`.
        case size
        /// A price stands twice on one side.
        case doubledLevel
        /// More levels off the grid than are kept.
        case noRoom
    }

    let bids: [Level]
    let asks: [Level]
    let outcome: Int
    /// The venue's time, milliseconds.
    let timestamp: Int64
    let hash: BookHash
    /// `nil` where it is not told: it is the one that is known.
    let tick: TickSize?
    let lastTrade: LastTradePrice?
    /// By REST; otherwise it came on the line, in its place among the changes.
    let isFetched: Bool

    init(_ event: borrowing MarketEvent, hash: BookHash, outcome: Int) {
        (self.bids, self.asks, self.outcome) = (event.bids, event.asks, outcome)
        (self.timestamp, self.hash) = (event.timestamp, hash)
        (self.tick, self.lastTrade) = (event.tick, event.lastTrade)
        self.isFetched = false
    }

    init(_ book: RESTBook, outcome: Int) {
        (self.bids, self.asks, self.outcome) = (book.bids, book.asks, outcome)
        (self.timestamp, self.hash) = (book.timestamp, book.hash)
        (self.tick, self.lastTrade) = (book.tick, book.lastTrade)
        self.isFetched = true
    }

    /// The book in terms of the first outcome.
    ///
    /// - Parameter known: the tick where none was told.
    func book(tick known: TickSize) throws(Fault) -> OrderBook {
        var book = OrderBook(tick: self.tick ?? known)
        try self.lay(self.bids, self.outcome == 0 ? .bid : .ask, in: &book)
        try self.lay(self.asks, self.outcome == 0 ? .ask : .bid, in: &book)
        return book
    }

    private func lay(_ levels: [Level], _ side: BookSide, in book: inout OrderBook) throws(Fault) {
        for level in levels {
            let price = self.outcome == 0 ? level.price : level.price.mirrored
            guard level.size > .zero && OrderBook.believes(level.size) else { throw .size }
            guard book.size(side, at: price) == .zero else { throw .doubledLevel }
            guard book.set(side, price, level.size) else { throw .noRoom }
        }
    }
}
