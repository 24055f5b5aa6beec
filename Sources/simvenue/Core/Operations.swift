import Shared

/// What the made-up traders do, one operation at a time. Each is sealed with the hashes of the book after the whole of
/// it, then told level by level under that one hash, as the venue does.
extension SimulatedVenue {
    /// Levels a side of a new book.
    private static let newLevelCount = 14
    /// Most levels that one taker sweeps.
    private static let sweepLevelCountMax = 5
    /// Prices beyond which a market moves to the finer tick, in millionths.
    private static let fineTickRange: (below: Int64, above: Int64) = (40_000, 960_000)

    /// One operation on the market in `slot`.
    mutating func operate(on slot: Int, into batch: inout MessageBatch) {
        guard var flow = self.flows[slot] else { return }
        // Taken out while at work, so that its arrays are changed in place.
        self.flows[slot] = nil
        if case .window(let asset, _, _) = flow.model { self.assets[asset].walk(to: self.now, using: &self.random) }
        flow.walk(to: self.now, assets: self.assets, using: &self.random)
        let tick = self.listing[slot].book.tick
        self.changes.removeAll(keepingCapacity: true)
        var print: TradePrint?
        if let thin = [BookSide.bid, .ask].first(where: { flow.count($0) < Flow.levelCountMin }),
            self.random.chance(0.5)
        {
            self.place(thin, count: 3, in: &flow, tick)
        } else if !flow.owesPrint, let side = self.stale(flow, tick), self.random.chance(0.4) {
            print = self.trade(taking: side, until: flow.fair, in: &flow)
        } else {
            print = self.actAtRandom(in: &flow, tick)
        }
        if self.changes.isEmpty { self.place(self.random.chance(0.5) ? .bid : .ask, count: 1, in: &flow, tick) }
        flow.owesPrint = flow.owesPrint || print != nil
        self.flows[slot] = flow
        self.tell(slot, print, into: &batch)
    }

    private mutating func actAtRandom(in flow: inout Flow, _ tick: TickSize) -> TradePrint? {
        let side: BookSide = self.random.chance(0.5) ? .bid : .ask
        switch self.random.below(100) {
        case 0..<42: self.place(side, count: 1, in: &flow, tick)
        case 42..<70: self.cancel(side, count: 1, in: &flow)
        case 70..<80:
            self.cancel(side, count: 1, in: &flow)
            self.place(side, count: 1, in: &flow, tick)
        case 80..<86: self.cancel(side, count: 2 + self.random.below(4), in: &flow)
        default: return flow.owesPrint ? nil : self.trade(taking: side, until: nil, in: &flow)
        }
        return nil
    }

    // MARK: Makers

    private mutating func place(_ side: BookSide, count: Int, in flow: inout Flow, _ tick: TickSize) {
        for _ in 0..<count {
            guard let price = self.placePrice(side, in: flow, tick) else { return }
            let old = flow.size(side, at: price)
            guard old > .zero || flow.count(side) < Flow.levelCountMax else {
                self.cancel(side, count: 1, in: &flow)
                continue
            }
            let size = min(old + self.orderSize(), Quantity(shares: 100_000))
            guard size != old else { continue }
            self.change(side, price, size, in: &flow)
        }
    }

    /// A price near the fair one that would not match at once; `nil` when the grid has none left.
    private mutating func placePrice(_ side: BookSide, in flow: Flow, _ tick: TickSize) -> Price? {
        let fair = Int64(flow.fair * 1_000_000)
        let spread = tick == .cent ? 0 : Int64(self.random.below(4)) * tick.micros
        // Half of the orders compete for the touch, the others fill the depth.
        let steps =
            self.random.chance(0.5)
            ? self.random.geometric(ratio: 0.3, max: 3)
            : self.random.geometric(ratio: 0.85, max: 30) * (1 + self.random.below(2))
        let distance = Int64(steps) * tick.micros
        switch side {
        case .bid:
            var micros = fair - spread
            if let ask = flow.best(.ask) { micros = min(micros, Int64(ask.micros) - tick.micros) }
            return tick.floor(micros - distance).flatMap { Int64($0.micros) >= tick.micros ? $0 : nil }
        case .ask:
            var micros = fair + spread + 1
            if let bid = flow.best(.bid) { micros = max(micros, Int64(bid.micros) + tick.micros) }
            return tick.ceil(micros + distance).flatMap { Int64($0.micros) <= 1_000_000 - tick.micros ? $0 : nil }
        }
    }

    private mutating func orderSize() -> Quantity {
        if self.random.chance(0.5) {
            return Quantity(shares: Int64([5, 10, 20, 25, 40, 50, 100, 200][self.random.below(8)]))
        }
        return Quantity(micros: Int64(500 + self.random.below(15_000)) * 10_000)
    }

    private mutating func cancel(_ side: BookSide, count: Int, in flow: inout Flow) {
        for _ in 0..<count {
            guard flow.count(side) > Flow.levelCountMin else { return }
            let level = flow.level(side, behindBest: self.random.geometric(ratio: 0.85, max: flow.count(side) - 1))
            let kept = Quantity(micros: Int64(Double(level.size.micros) * self.random.unit())).flooredToSizeGrid
            let removes = kept < Quantity(shares: 5) || self.random.chance(0.6)
            self.change(side, level.price, removes ? .zero : kept, in: &flow)
        }
    }

    // MARK: Takers

    /// The side whose best price is wrong by more than a tick, if any: what an informed taker takes.
    private func stale(_ flow: Flow, _ tick: TickSize) -> BookSide? {
        let fair = Int64(flow.fair * 1_000_000)
        if let ask = flow.best(.ask), fair > Int64(ask.micros) + tick.micros { return .ask }
        if let bid = flow.best(.bid), fair < Int64(bid.micros) - tick.micros { return .bid }
        return nil
    }

    /// Sweeps `side`, up to the price `until` where one is given. One level at least always stays.
    private mutating func trade(taking side: BookSide, until limit: Double?, in flow: inout Flow) -> TradePrint? {
        let limit = limit.map { Int64($0 * 1_000_000) }
        let wanted = limit == nil ? 1 + self.random.geometric(ratio: 0.35, max: 2) : Self.sweepLevelCountMax
        var traded = Quantity.zero
        var worst: Price?
        var taken = 0
        while taken < wanted, flow.count(side) > 1, let best = flow.best(side) {
            if let limit, side == .ask ? Int64(best.micros) >= limit : Int64(best.micros) <= limit { break }
            let level = flow.level(side, behindBest: 0)
            taken += 1
            let isPart = taken == wanted && self.random.chance(0.5)
            let part = Quantity(micros: Int64(Double(level.size.micros) * self.random.unit())).flooredToSizeGrid
            let size = isPart && part > .zero ? part : level.size
            self.change(side, best, level.size - size, in: &flow)
            traded += size
            worst = best
            if size < level.size { break }
        }
        guard let worst else { return nil }
        // Who buys the one outcome may as well have sold the other: the venue matches both.
        let outcome = self.random.below(2)
        return TradePrint(
            outcome: outcome, price: outcome == 0 ? worst : worst.mirrored, size: traded,
            isBuy: (side == .ask) == (outcome == 0),
            transaction: ConditionID(words: self.random.words()))
    }

    // MARK: Telling

    private mutating func change(_ side: BookSide, _ price: Price, _ size: Quantity, in flow: inout Flow) {
        flow.set(side, price, size)
        self.changes.append(LevelChange(side: side, price: price, size: size))
    }

    private mutating func tell(_ slot: Int, _ print: TradePrint?, into batch: inout MessageBatch) {
        guard !self.changes.isEmpty else { return }
        let bests = (self.listing[slot].book.bestBid?.price, self.listing[slot].book.bestAsk?.price)
        for change in self.changes {
            let isKept = self.listing[slot].book.set(change.side, change.price, change.size)
            precondition(isKept, "the traffic made a level that no book holds")
        }
        if let print { self.listing[slot].lastTrade = LastTradePrice(print.price) }
        self.listing[slot].seal(at: self.shownTime, hasher: &self.hasher)
        for change in self.changes {
            let isReversed = self.random.chance(0.5)
            batch.append(for: .market(slot)) {
                MarketMessages.priceChange(self.listing[slot], change, isReversed: isReversed, to: &$0)
            }
        }
        if let print { self.tellTrade(slot, print, into: &batch) }
        if bests != (self.listing[slot].book.bestBid?.price, self.listing[slot].book.bestAsk?.price) {
            for outcome in 0..<2 {
                self.write(for: .market(slot, tokens: 1 << UInt8(outcome), needsFeatures: true), into: &batch) {
                    MarketMessages.bestBidAsk($0.listing[slot], outcome: outcome, to: &$1)
                }
            }
            self.refineTick(slot, into: &batch)
        }
    }

    private mutating func tellTrade(_ slot: Int, _ print: TradePrint, into batch: inout MessageBatch) {
        self.tellBook(slot, outcome: self.random.below(2), isAfterTrade: true, into: &batch)
        let delay = Self.printDelayMin + self.random.below(Self.printDelayMax - Self.printDelayMin)
        self.appoint(.print(slot: slot, print), at: self.now + Int64(delay))
    }

    private mutating func tellBook(_ slot: Int, outcome: Int, isAfterTrade: Bool, into batch: inout MessageBatch) {
        self.write(for: .market(slot, tokens: 1 << UInt8(outcome)), into: &batch) {
            MarketMessages.book($0.listing[slot], outcome: outcome, isAfterTrade: isAfterTrade, to: &$1)
        }
    }

    /// Near the ends of the price range a market moves to the finer tick, and stays there.
    private mutating func refineTick(_ slot: Int, into batch: inout MessageBatch) {
        guard self.listing[slot].book.tick == .cent, let mid = self.listing[slot].book.midpoint else { return }
        guard mid < Self.fineTickRange.below || mid > Self.fineTickRange.above else { return }
        self.changeTick(slot, to: TickSize(micros: 1_000)!, into: &batch)
    }

    mutating func changeTick(_ slot: Int, to tick: TickSize, into batch: inout MessageBatch) {
        let old = self.listing[slot].book.tick
        self.listing[slot].market.tick = tick
        self.listing[slot].book.changeTick(to: tick)
        self.listing[slot].seal(at: self.shownTime, hasher: &self.hasher)
        for outcome in 0..<2 {
            self.write(for: .market(slot, tokens: 1 << UInt8(outcome)), into: &batch) {
                MarketMessages.tickSizeChange(
                    $0.listing[slot], outcome: outcome, from: old, time: $0.shownTime, to: &$1)
            }
            self.tellBook(slot, outcome: outcome, isAfterTrade: false, into: &batch)
        }
    }

    /// Gives a new market its first book.
    mutating func fillBook(_ slot: Int) {
        guard var flow = self.flows[slot] else { return }
        let tick = self.listing[slot].book.tick
        self.changes.removeAll(keepingCapacity: true)
        // Near an end of the price range a side has fewer prices than wanted: hence the bound.
        for _ in 0..<8 * Self.newLevelCount {
            for side in [BookSide.bid, .ask] where flow.count(side) < Self.newLevelCount {
                self.place(side, count: 1, in: &flow, tick)
            }
        }
        for change in self.changes {
            let isKept = self.listing[slot].book.set(change.side, change.price, change.size)
            precondition(isKept, "the traffic made a level that no book holds")
        }
        self.flows[slot] = flow
        self.listing[slot].seal(at: self.shownTime, hasher: &self.hasher)
    }
}
