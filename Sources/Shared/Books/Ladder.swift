/// A price and the size that rests there.
public struct Level: Hashable, Sendable {
    public let price: Price
    public let size: Quantity
    public init(price: Price, size: Quantity) {
        self.price = price
        self.size = size
    }
}

/// One side of a book: sizes indexed by tick, so that an update is O(1) and touches no heap once its page is there.
///
/// Pages of 64 ticks are made when first used, which keeps a 0.0001-tick market small; one bit a tick says where size
/// rests. Levels that a tick change left off the grid live in a short sorted list beside it.
struct Ladder: Sendable {
    /// Levels off the grid that are kept.
    static let offGridCountMax = 1_024

    private let tick: Int64
    /// One bit a tick.
    private var occupied: [UInt64]
    /// Page of each word of `occupied`, plus one; zero when it has none yet.
    private var pages: [UInt16]
    private var sizes: [Int64] = []
    /// Ascending.
    private var offGrid: [Level] = []
    private(set) var count = 0
    var offGridCount: Int { self.offGrid.count }

    init(tick: TickSize) {
        self.tick = tick.micros
        let words = Int(1_000_000 / tick.micros) / 64 + 1
        self.occupied = [UInt64](repeating: 0, count: words)
        self.pages = [UInt16](repeating: 0, count: words)
    }

    /// Size at `price`; zero when none rests there.
    func size(at price: Price) -> Quantity {
        let (index, remainder) = Int64(price.micros).quotientAndRemainder(dividingBy: self.tick)
        guard remainder == 0 else {
            return self.offGrid.first { $0.price == price }?.size ?? .zero
        }
        let page = self.pages[Int(index) >> 6]
        return page == 0 ? .zero : Quantity(micros: self.sizes[(Int(page) - 1) << 6 | Int(index) & 63])
    }

    /// Sets the size at `price`; zero removes the level. `false` when there is no room off the grid.
    mutating func set(_ price: Price, _ size: Quantity) -> Bool {
        let (quotient, remainder) = Int64(price.micros).quotientAndRemainder(dividingBy: self.tick)
        guard remainder == 0 else { return self.setOffGrid(price, size) }
        let index = Int(quotient)
        let word = index >> 6
        let bit: UInt64 = 1 << UInt64(index & 63)
        if self.pages[word] == 0 {
            guard size > .zero else { return true }
            self.sizes.append(contentsOf: repeatElement(0, count: 64))
            self.pages[word] = UInt16(self.sizes.count >> 6)
        }
        self.sizes[(Int(self.pages[word]) - 1) << 6 | index & 63] = size.micros
        let was = self.occupied[word] & bit != 0
        if size > .zero {
            self.occupied[word] |= bit
            if !was { self.count += 1 }
        } else {
            self.occupied[word] &= ~bit
            if was { self.count -= 1 }
        }
        return true
    }

    private mutating func setOffGrid(_ price: Price, _ size: Quantity) -> Bool {
        let index = self.offGrid.firstIndex { $0.price >= price } ?? self.offGrid.endIndex
        let exists = index < self.offGrid.endIndex && self.offGrid[index].price == price
        switch (exists, size > .zero) {
        case (true, true): self.offGrid[index] = Level(price: price, size: size)
        case (true, false):
            self.offGrid.remove(at: index)
            self.count -= 1
        case (false, true):
            guard self.offGrid.count < Self.offGridCountMax else { return false }
            self.offGrid.insert(Level(price: price, size: size), at: index)
            self.count += 1
        case (false, false): break
        }
        return true
    }

    mutating func removeAll() {
        for word in self.occupied.indices { self.occupied[word] = 0 }
        self.offGrid.removeAll(keepingCapacity: true)
        self.count = 0
        // Sizes of unoccupied ticks are never read through `occupied`, but `size(at:)` reads them.
        for index in self.sizes.indices { self.sizes[index] = 0 }
    }

    var lowest: Level? {
        let onGrid = self.occupied.firstIndex { $0 != 0 }.map {
            self.level($0 << 6 | self.occupied[$0].trailingZeroBitCount)
        }
        guard let other = self.offGrid.first else { return onGrid }
        guard let onGrid else { return other }
        return onGrid.price < other.price ? onGrid : other
    }

    var highest: Level? {
        let onGrid = self.occupied.lastIndex { $0 != 0 }.map {
            self.level($0 << 6 | (63 - self.occupied[$0].leadingZeroBitCount))
        }
        guard let other = self.offGrid.last else { return onGrid }
        guard let onGrid else { return other }
        return onGrid.price > other.price ? onGrid : other
    }

    private func level(_ index: Int) -> Level {
        Level(
            price: Price(unchecked: Int32(Int64(index) * self.tick)),
            size: Quantity(micros: self.sizes[(Int(self.pages[index >> 6]) - 1) << 6 | index & 63]))
    }

    /// Calls `body` with each level, lowest price first.
    @inline(__always)
    func forEachAscending(_ body: (Level) -> Void) {
        var other = 0
        for word in self.occupied.indices {
            var bits = self.occupied[word]
            while bits != 0 {
                let level = self.level(word << 6 | bits.trailingZeroBitCount)
                bits &= bits &- 1
                while other < self.offGrid.count && self.offGrid[other].price < level.price {
                    body(self.offGrid[other])
                    other += 1
                }
                body(level)
            }
        }
        while other < self.offGrid.count {
            body(self.offGrid[other])
            other += 1
        }
    }

    /// Calls `body` with each level, highest price first.
    @inline(__always)
    func forEachDescending(_ body: (Level) -> Void) {
        var other = self.offGrid.count - 1
        for word in self.occupied.indices.reversed() {
            var bits = self.occupied[word]
            while bits != 0 {
                let bit = 63 - bits.leadingZeroBitCount
                let level = self.level(word << 6 | bit)
                bits &= ~(1 << UInt64(bit))
                while other >= 0 && self.offGrid[other].price > level.price {
                    body(self.offGrid[other])
                    other -= 1
                }
                body(level)
            }
        }
        while other >= 0 {
            body(self.offGrid[other])
            other -= 1
        }
    }
}
