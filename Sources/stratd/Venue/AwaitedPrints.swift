import Shared

/// Decreases of displayed levels, in every market, that no print explains yet.
///
/// The venue tells a book's change before the print that caused it. An order that comes in between had no part in that
/// trade: so much of the print is not for it, at its own price or through it. Prices are in terms of the first outcome.
struct AwaitedPrints: Sendable {
    /// Shares at a price that the book told of, or a print, and the other of the two has not yet.
    struct Part: Sendable {
        /// How many decreases were told before it.
        let number: Int64
        let side: BookSide
        let price: Price
        var size: Quantity
        let until: Instant
    }
    private struct Followed {
        /// The book that the next change changes.
        var book: OrderBook
        var decreases: [Part] = []
        /// Printed before the book told of it.
        var prints: [Part] = []

        mutating func decreased(_ decrease: Part, now: Instant) {
            _ = Self.match(decrease, with: &self.prints, else: &self.decreases, now: now)
        }

        mutating func printed(_ print: Part, now: Instant) -> [Part] {
            Self.match(print, with: &self.decreases, else: &self.prints, now: now)
        }

        /// Takes what one of the two tells out of what the other has told at that price, the oldest first and nothing that waits
        /// no more; what is left waits for the other.
        ///
        /// - Returns: what was taken.
        private static func match(
            _ part: Part, with others: inout [Part], else waiting: inout [Part], now: Instant
        ) -> [Part] {
            others.removeAll { now >= $0.until }
            waiting.removeAll { now >= $0.until }
            var (rest, taken) = (part, [Part]())
            for index in others.indices
            where rest.size > .zero && others[index].side == part.side && others[index].price == part.price {
                var match = others[index]
                match.size = min(match.size, rest.size)
                others[index].size -= match.size
                rest.size -= match.size
                taken.append(match)
            }
            others.removeAll { $0.size == .zero }
            guard rest.size > .zero else { return taken }
            if waiting.count >= AwaitedPrints.partCountMax { waiting.removeFirst() }
            waiting.append(rest)
            return taken
        }
    }

    /// Parts of each kind in a market. At this many the oldest waits no more.
    static let partCountMax = 4_096

    private let printLag: Duration
    private var markets: [ConditionID: Followed] = [:]
    /// Decreases so far: an order that comes now had no part in any of them.
    private(set) var decreaseCount: Int64 = 0

    init(printLag: Duration) { self.printLag = printLag }

    /// - Parameter view: the market after the change.
    mutating func levelsChanged(_ levels: [LevelChange], _ view: MarketView, now: Instant) {
        guard let index = self.markets.index(forKey: view.market.condition) else {
            self.markets[view.market.condition] = Followed(book: view.book)
            return
        }
        for level in levels {
            let former = self.markets.values[index].book.size(level.side, at: level.price)
            _ = self.markets.values[index].book.set(level.side, level.price, level.size)
            guard level.size < former else { continue }
            let decrease = self.decrease(level.side, level.price, by: former - level.size, now: now)
            self.markets.values[index].decreased(decrease, now: now)
        }
    }

    /// The whole book is known anew.
    mutating func refreshed(_ view: MarketView, now: Instant) {
        var followed = self.markets[view.market.condition] ?? Followed(book: view.book)
        for side in [BookSide.bid, .ask] {
            for level in followed.book.levels(side) {
                let size = view.book.size(side, at: level.price)
                guard size < level.size else { continue }
                followed.decreased(self.decrease(side, level.price, by: level.size - size, now: now), now: now)
            }
        }
        followed.book = view.book
        self.markets[view.market.condition] = followed
    }

    private mutating func decrease(_ side: BookSide, _ price: Price, by size: Quantity, now: Instant) -> Part {
        defer { self.decreaseCount += 1 }
        return Part(number: self.decreaseCount, side: side, price: price, size: size, until: now + self.printLag)
    }

    /// - Returns: what the book told of this print before, the oldest first.
    mutating func printed(_ trade: TradeBody, _ condition: ConditionID, now: Instant) -> [Part] {
        guard let index = self.markets.index(forKey: condition) else { return [] }
        let print = Part(
            number: self.decreaseCount, side: trade.takenSide, price: trade.bookPrice, size: trade.size,
            until: now + self.printLag)
        return self.markets.values[index].printed(print, now: now)
    }

    /// Forgets the market, whose book changes no more.
    mutating func forget(_ condition: ConditionID) { self.markets[condition] = nil }

    /// Forgets what is no longer followed; so there are never more markets here than there.
    mutating func forgetOthers(than views: MarketViews) {
        guard self.markets.count > views.count else { return }
        self.markets = self.markets.filter { views[$0.key] != nil }
    }
}

extension TradeBody {
    /// In terms of the first outcome.
    var bookPrice: Price { self.outcome == 0 ? self.price : self.price.mirrored }
    /// Whose orders were taken: a sale of the first outcome, or a purchase of the second, takes bids.
    var takenSide: BookSide { OrderIntent.bookSide(outcome: Int(self.outcome), side: self.takerSide).opposite }
}
