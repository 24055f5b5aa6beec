import Shared
import Testing

@testable import simvenue

/// Rebuilds books from nothing but the texts of the market channel, and checks everything that can be checked.
struct Follower {
    private struct Followed {
        let market: Market
        var book: OrderBook
        var lastTrade = LastTradePrice.none
        /// The hash that each outcome's newest message claims, and when.
        var claims: [Int: (time: Int64, hash: BookHash)] = [:]
        /// Prices of the operation at work: one of them may be the last trade's.
        var candidates: [LastTradePrice] = []
        /// Found by hash, told by the print that is still to come.
        var expectedPrint: (text: LastTradePrice, since: Int64)?
        var hasBook = false
    }

    private var followed: [ConditionID: Followed] = [:]
    private var reader = MarketChannelReader()
    private var hasher = BookHasher()
    private(set) var checkedCount = 0
    private(set) var printCount: [ConditionID: Int] = [:]
    private(set) var kinds: [MarketEvent.Kind: Int] = [:]
    private(set) var problems: [String] = []
    private var lastTime: Int64 = 0

    /// Markets are known from discovery before the channel speaks of them.
    mutating func meet(_ listing: MarketRegister) {
        for slot in listing.order where self.followed[listing[slot].market.condition] == nil {
            let market = listing[slot].market
            self.followed[market.condition] = Followed(market: market, book: OrderBook(tick: market.tick))
        }
    }

    /// Starts from the book that the venue shows now, as a first dump would.
    mutating func takeDump(_ listing: MarketRegister) {
        for slot in listing.order where listing[slot].isBookServed {
            for outcome in 0..<2 {
                var writer = JSONWriter()
                MarketMessages.book(listing[slot], outcome: outcome, isAfterTrade: false, to: &writer)
                self.read(writer.bytes)
            }
        }
    }

    mutating func read(_ batch: MessageBatch) {
        for entry in batch.entries { self.read(Array(batch.bytes[entry.range])) }
    }

    mutating func read(_ text: [UInt8]) {
        var reader = self.reader
        do {
            _ = try text.withUnsafeBufferPointer { try reader.read($0) { self.follow($0) } }
        } catch {
            self.problems.append("\(error): \(String(decoding: text, as: UTF8.self))")
        }
        self.reader = reader
    }

    private mutating func follow(_ event: borrowing MarketEvent) {
        self.kinds[event.kind, default: 0] += 1
        guard let condition = event.market, var followed = self.followed[condition] else { return }
        if event.kind != .book || event.tick == nil {
            if event.timestamp < self.lastTime { self.problems.append("time went back at \(event.timestamp)") }
            self.lastTime = max(self.lastTime, event.timestamp)
        }
        switch event.kind {
        case .priceChange:
            let claims = event.changes.compactMap { change in
                change.hash.map { (change.token == followed.market.first.token ? 0 : 1, $0) }
            }
            self.claim(claims, event.timestamp, of: &followed)
            for change in event.changes {
                let outcome = change.token == followed.market.first.token ? 0 : 1
                let side: BookSide = change.side == .buy ? .bid : .ask
                let price = outcome == 0 ? change.price : change.price.mirrored
                if !followed.book.set(outcome == 0 ? side : side.opposite, price, change.size) {
                    self.problems.append("a level that no book holds")
                }
                followed.candidates.append(LastTradePrice(change.price))
            }
            if event.changes.count != 2 { self.problems.append("a change not told for both outcomes") }
        case .book: self.followBook(event, &followed)
        case .lastTradePrice:
            self.printCount[condition, default: 0] += 1
            // The newest operation's hash decides what the print must say; find it before the print is used.
            self.check(&followed)
            guard let price = event.price else { break }
            if let expected = followed.expectedPrint {
                if expected.text != LastTradePrice(price) { self.problems.append("a print other than the hashes say") }
                if event.timestamp < expected.since + 30 { self.problems.append("a print too soon") }
            }
            followed.expectedPrint = nil
        case .tickSizeChange:
            self.check(&followed)
            followed.claims = [:]
            if let tick = event.tick { followed.book.changeTick(to: tick) }
        case .bestBidAsk, .newMarket, .marketResolved, .unknown: break
        }
        self.followed[condition] = followed
    }

    private mutating func followBook(_ event: borrowing MarketEvent, _ followed: inout Followed) {
        let outcome = event.token == followed.market.first.token ? 0 : 1
        if let hash = event.hash { self.claim([(outcome, hash)], event.timestamp, of: &followed) }
        var book = OrderBook(tick: event.tick ?? followed.book.tick)
        for (levels, side) in [(event.bids, BookSide.bid), (event.asks, .ask)] {
            for level in levels {
                _ = book.set(
                    outcome == 0 ? side : side.opposite, outcome == 0 ? level.price : level.price.mirrored, level.size)
            }
        }
        if followed.hasBook && event.tick == nil && !Self.equal(book, followed.book) {
            self.problems.append("a book that the changes before it do not give")
        }
        followed.book = book
        followed.hasBook = true
        if let lastTrade = event.lastTrade { followed.lastTrade = lastTrade }
        if event.tick != nil { self.check(&followed) }
    }

    /// Notes what a message claims before its levels are applied. Claims other than the noted ones end the run of equal
    /// ones, whose book is complete then and is checked.
    private mutating func claim(_ claims: [(outcome: Int, hash: BookHash)], _ time: Int64, of followed: inout Followed)
    {
        let noted = followed.claims
        if !noted.isEmpty
            && !claims.allSatisfy({ noted[$0.outcome]?.time == time && noted[$0.outcome]?.hash == $0.hash })
        {
            self.check(&followed)
            followed.claims = [:]
            followed.candidates = []
        }
        for claim in claims { followed.claims[claim.outcome] = (time, claim.hash) }
    }

    private mutating func check(_ followed: inout Followed) {
        if followed.book.isCrossed { self.problems.append("a crossed book") }
        for (outcome, claim) in followed.claims.sorted(by: { $0.key < $1.key }) {
            let known = [followed.lastTrade] + followed.candidates
            let right = known.first {
                self.hasher.hash(
                    followed.book, of: followed.market, outcome: outcome, timestamp: claim.time, lastTrade: $0)
                    == claim.hash
            }
            guard let right else {
                self.problems.append("a hash that nothing gives, \(followed.market.slug) at \(claim.time)")
                continue
            }
            self.checkedCount += 1
            if right != followed.lastTrade {
                followed.lastTrade = right
                followed.expectedPrint = (right, claim.time)
            }
        }
    }

    /// Checks what is still open.
    mutating func finish() {
        for condition in self.followed.keys.sorted() {
            guard var followed = self.followed[condition], followed.hasBook else { continue }
            self.check(&followed)
            self.followed[condition] = followed
        }
    }

    func book(of condition: ConditionID) -> OrderBook? { self.followed[condition]?.book }

    static func equal(_ a: OrderBook, _ b: OrderBook) -> Bool {
        a.levels(.bid) == b.levels(.bid) && a.levels(.ask) == b.levels(.ask)
    }
}
