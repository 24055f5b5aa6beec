import Shared

@testable import simvenue

/// The venue as people describe it: two books, one for each token, in which every order stands twice, once as itself and
/// once as its mirror image in the other token's book. Slow and plain; knows prices, times and sizes and nothing else.
struct TwoBookModel {
    struct Entry {
        let hash: OrderHash
        let sequence: Int
        let isBuy: Bool
        /// Millionths, in terms of the book that it stands in.
        let price: Int64
        var size: Int64
        /// In terms of its own token.
        let ownPrice: Int64
    }

    struct Fill: Equatable {
        let maker: OrderHash
        let size: Int64
    }

    private(set) var books: [[Entry]] = [[], []]
    private var sequence = 0

    mutating func remove(_ hash: OrderHash) {
        for outcome in 0..<2 { self.books[outcome].removeAll { $0.hash == hash } }
    }

    /// Matches an order that the venue takes, and lets it rest if it may.
    mutating func place(_ order: SignedOrder, outcome: Int, price: Int64) -> [Fill] {
        let isBuy = order.side == .buy
        var wanted = order.isSizedInMoney ? Int64.max : order.shares.micros
        var budget = order.money.micros
        // The best price first, then who came first.
        let opposite = self.books[outcome].filter {
            $0.isBuy != isBuy && (isBuy ? $0.price <= price : $0.price >= price)
        }
        .sorted { $0.price != $1.price ? ($0.price < $1.price) == isBuy : $0.sequence < $1.sequence }
        var fills: [Fill] = []
        for maker in opposite {
            var size = min(wanted, maker.size)
            if isBuy { size = min(size, Int64(Int128(budget) * 1_000_000 / Int128(maker.price))) }
            let makerMoney = Int64(Int128(size) * Int128(maker.ownPrice) / 1_000_000)
            let takerMoney =
                maker.price == maker.ownPrice && self.isOwn(maker, outcome) ? makerMoney : size - makerMoney
            guard makerMoney > 0 && takerMoney > 0 else {
                wanted = 0
                break
            }
            fills.append(Fill(maker: maker.hash, size: size))
            budget -= takerMoney
            if !order.isSizedInMoney { wanted -= size }
            let isPart = size < maker.size
            self.reduce(maker.hash, by: size)
            if isPart {
                wanted = 0
                break
            }
        }
        if order.isImmediate { return fills }
        if isBuy && !fills.isEmpty { wanted = min(wanted, Int64(Int128(budget) * 1_000_000 / Int128(price))) }
        if Int128(wanted) * Int128(price) >= 1_000_000 { self.rest(order, outcome, price, wanted) }
        return fills
    }

    private var own: [OrderHash: Int] = [:]

    /// Whether the entry is an order for this token, not the image of one for the other.
    private func isOwn(_ entry: Entry, _ outcome: Int) -> Bool { self.own[entry.hash] == outcome }

    private mutating func rest(_ order: SignedOrder, _ outcome: Int, _ price: Int64, _ size: Int64) {
        self.sequence += 1
        self.own[order.hash] = outcome
        let isBuy = order.side == .buy
        self.books[outcome].append(
            Entry(
                hash: order.hash, sequence: self.sequence, isBuy: isBuy, price: price, size: size, ownPrice: price))
        self.books[1 - outcome].append(
            Entry(
                hash: order.hash, sequence: self.sequence, isBuy: !isBuy, price: 1_000_000 - price, size: size,
                ownPrice: price))
    }

    private mutating func reduce(_ hash: OrderHash, by size: Int64) {
        for outcome in 0..<2 {
            guard let index = self.books[outcome].firstIndex(where: { $0.hash == hash }) else { continue }
            self.books[outcome][index].size -= size
            let entry = self.books[outcome][index]
            if Int128(entry.size) * Int128(entry.ownPrice) < 1_000_000 { self.books[outcome].remove(at: index) }
        }
    }

    /// The levels of a token's book, best first.
    func levels(_ side: BookSide, outcome: Int) -> [Level] {
        var sizes: [Int64: Int64] = [:]
        for entry in self.books[outcome] where entry.isBuy == (side == .bid) {
            sizes[entry.price, default: 0] += entry.size
        }
        return sizes.sorted { ($0.key > $1.key) == (side == .bid) }.map {
            Level(price: Price(micros: $0.key)!, size: Quantity(micros: $0.value))
        }
    }
}
