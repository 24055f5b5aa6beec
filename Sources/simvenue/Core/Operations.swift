import Shared

/// What the crowd does, one operation at a time.
extension SimulatedVenue {
    /// Levels a side of a new book.
    private static let newLevelCount = 14
    /// Below so many levels a side is refilled before anything is taken from it.
    private static let levelCountMin = 10
    /// Orders of the crowd a side, and so its levels too. All of them leave room for other traders' in the engine.
    private static let orderCountMax = 40
    /// Orders of one price that are looked through for one of the crowd.
    private static let queueCountMax = 16
    /// Most levels that one taker sweeps, and most shares.
    private static let sweepLevelCountMax = 5
    private static let sweepSizeMax = Quantity(shares: 5_000)
    /// Prices beyond which a market moves to the finer tick, in millionths.
    private static let fineTickRange: (below: Int64, above: Int64) = (40_000, 960_000)
    private static let fineTick = TickSize(micros: 1_000)!

    /// One operation on the market in `slot`.
    ///
    /// - Returns: Whether the taker delay holds what was done.
    mutating func operate(on slot: Int, into batch: inout MessageBatch) -> Bool {
        guard var flow = self.flows[slot] else { return false }
        if case .window(let window) = flow.model { self.prices.walk(window.asset, to: self.now) }
        flow.walk(to: self.now, prices: self.prices, volatility: self.settings.volatilityFactor, using: &self.random)
        self.flows[slot] = flow
        let before = batch.count
        if let thin = [BookSide.bid, .ask].first(where: { self.isThin($0, flow) }), self.random.chance(0.5) {
            self.place(thin, count: 3, flow, into: &batch)
        } else if self.mayTrade(flow), let side = self.stale(flow), self.random.chance(0.4) {
            self.trade(slot, taking: side, until: flow.fair, flow, into: &batch)
        } else {
            self.actAtRandom(slot, flow, into: &batch)
        }
        guard batch.count == before else { return false }
        if let until = self.flows[slot]?.busyUntil, until > max(self.now, flow.busyUntil) { return true }
        self.place(self.random.chance(0.5) ? .bid : .ask, count: 1, flow, into: &batch)
        return false
    }

    private mutating func actAtRandom(_ slot: Int, _ flow: Flow, into batch: inout MessageBatch) {
        let side: BookSide = self.random.chance(0.5) ? .bid : .ask
        switch self.random.below(100) {
        case 0..<42: self.place(side, count: 1, flow, into: &batch)
        case 42..<70: self.cancel(side, count: 1, flow, into: &batch)
        case 70..<80:
            self.cancel(side, count: 1, flow, into: &batch)
            self.place(side, count: 1, flow, into: &batch)
        case 80..<86: self.cancel(side, count: 2 + self.random.below(4), flow, into: &batch)
        default: if self.mayTrade(flow) { self.trade(slot, taking: side, until: nil, flow, into: &batch) }
        }
    }

    private func isThin(_ side: BookSide, _ flow: Flow) -> Bool {
        self.book(flow).levels(side).count < Self.levelCountMin
            && self.book(flow).crowdOrderCount(side) < Self.orderCountMax
    }

    private func book(_ flow: Flow) -> EngineBook { self.matching.markets[flow.market].book }
    private func tick(_ flow: Flow) -> TickSize { self.matching.markets[flow.market].terms.tick }
    private func best(_ side: BookSide, _ flow: Flow) -> Price? { self.book(flow).levels(side).last?.price }

    // MARK: Makers

    private mutating func place(_ side: BookSide, count: Int, _ flow: Flow, into batch: inout MessageBatch) {
        for _ in 0..<count {
            guard let price = self.placePrice(side, flow) else { return }
            guard self.book(flow).crowdOrderCount(side) < Self.orderCountMax else {
                self.cancel(side, count: 1, flow, into: &batch)
                continue
            }
            self.ask(.place(self.restingOrder(side, at: price, flow)), into: &batch)
        }
    }

    private mutating func restingOrder(_ side: BookSide, at price: Price, _ flow: Flow) -> SignedOrder {
        let maker = self.crowd.maker(of: flow.market, self.random.below(2))
        let size = self.orderSize()
        return self.crowd.restingOrder(
            by: maker, side, at: price, size, outcome: self.random.below(2), market: flow.market, in: &self.matching)
    }

    /// A price near the fair one that would not match at once; `nil` when the grid has none left.
    private mutating func placePrice(_ side: BookSide, _ flow: Flow) -> Price? {
        let tick = self.tick(flow)
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
            if let ask = self.best(.ask, flow) { micros = min(micros, Int64(ask.micros) - tick.micros) }
            return tick.floor(micros - distance).flatMap { Int64($0.micros) >= tick.micros ? $0 : nil }
        case .ask:
            var micros = fair + spread + 1
            if let bid = self.best(.bid, flow) { micros = max(micros, Int64(bid.micros) + tick.micros) }
            return tick.ceil(micros + distance).flatMap { Int64($0.micros) <= 1_000_000 - tick.micros ? $0 : nil }
        }
    }

    private mutating func orderSize() -> Quantity {
        if self.random.chance(0.5) {
            return Quantity(shares: Int64([5, 10, 20, 25, 40, 50, 100, 200][self.random.below(8)]))
        }
        return Quantity(micros: Int64(500 + self.random.below(15_000)) * 10_000)
    }

    /// Cancels orders of one maker, as many as wanted and found, in one operation.
    private mutating func cancel(_ side: BookSide, count: Int, _ flow: Flow, into batch: inout MessageBatch) {
        let maker = self.crowd.maker(of: flow.market, self.random.below(2))
        let levels = self.book(flow).levels(side)
        var levelCount = levels.count
        var hashes: [OrderHash] = []
        for _ in 0..<count where !levels.isEmpty {
            let level = levels[levels.count - 1 - self.random.geometric(ratio: 0.85, max: levels.count - 1)]
            let isAlone = level.head == level.tail
            // A side never gets thinner than it should be, but its queues may.
            guard !isAlone || levelCount > Self.levelCountMin else { continue }
            guard let hash = self.order(of: maker, at: level), !hashes.contains(hash) else { continue }
            hashes.append(hash)
            if isAlone { levelCount -= 1 }
        }
        if !hashes.isEmpty { self.ask(.cancel(maker, hashes), into: &batch) }
    }

    /// The latest order of an account at a level.
    private func order(of account: AccountID, at level: EngineLevel) -> OrderHash? {
        var slot = level.tail
        for _ in 0..<Self.queueCountMax where slot >= 0 {
            if self.matching.orders[slot].signed.account == account { return self.matching.orders[slot].signed.hash }
            slot = self.matching.orders[slot].previous
        }
        return nil
    }

    // MARK: Takers

    /// Whether the crowd may trade: never twice before a print, so that prints can be told apart.
    private func mayTrade(_ flow: Flow) -> Bool {
        flow.busyUntil <= self.now
            && !self.broadcast.owesPrint(self.matching.markets[flow.market].terms.condition)
    }

    /// The side whose best price is wrong by more than a tick, if any: what an informed taker takes.
    private func stale(_ flow: Flow) -> BookSide? {
        let tick = self.tick(flow)
        let fair = Int64(flow.fair * 1_000_000)
        if let ask = self.best(.ask, flow), fair > Int64(ask.micros) + tick.micros { return .ask }
        if let bid = self.best(.bid, flow), fair < Int64(bid.micros) - tick.micros { return .bid }
        return nil
    }

    /// Sweeps `side`, up to the price `until` where one is given. One level at least always stays.
    private mutating func trade(
        _ slot: Int, taking side: BookSide, until limit: Double?, _ flow: Flow, into batch: inout MessageBatch
    ) {
        guard let sweep = self.sweep(side, until: limit.map { Int64($0 * 1_000_000) }, flow) else { return }
        // Who buys the one outcome may as well have sold the other: the venue matches both.
        let order = self.crowd.takingOrder(
            by: self.crowd.taker(of: flow.market), from: side, sweep, outcome: self.random.below(2),
            market: flow.market, in: &self.matching)
        guard let order else { return }
        if self.matching.markets[flow.market].terms.hasTakerDelay {
            self.flows[slot]?.busyUntil = self.now + self.matching.settings.takerDelay.milliseconds
        }
        self.ask(.place(order), into: &batch)
    }

    private mutating func sweep(_ side: BookSide, until limit: Int64?, _ flow: Flow) -> Sweep? {
        let wanted = limit == nil ? 1 + self.random.geometric(ratio: 0.35, max: 2) : Self.sweepLevelCountMax
        var sweep: Sweep?
        for (index, level) in self.book(flow).levels(side).dropFirst().reversed().prefix(wanted).enumerated() {
            let micros = Int64(level.price.micros)
            if let limit, side == .ask ? micros >= limit : micros <= limit { break }
            let isPart = index + 1 == wanted && self.random.chance(0.5)
            let part = Quantity(micros: Int64(Double(level.size.micros) * self.random.unit())).flooredToSizeGrid
            let left = Self.sweepSizeMax - (sweep?.size ?? .zero)
            let size = min(isPart && part > .zero ? part : level.size, left)
            guard size > .zero else { break }
            if sweep == nil { sweep = Sweep(worst: level.price) }
            sweep?.add(size, at: level.price)
            if size < level.size { break }
        }
        return sweep
    }

    /// Takes back what the taker delay holds: nothing more is traded.
    mutating func withdrawHeldOrders() {
        for flow in self.flows.compactMap({ $0 }) where flow.busyUntil > self.now {
            for slot in self.matching.markets[flow.market].delayed where self.matching.orders[slot].isCrowd {
                let hash = self.matching.orders[slot].signed.hash
                // At the engine's present, where nothing else is due; no book shows a held order.
                _ = self.matching.handle(.cancelByVenue(hash), now: self.matching.now)
            }
        }
    }

    // MARK: Books

    /// Near the ends of the price range a market moves to the finer tick, and stays there.
    mutating func refineTick(of market: ConditionID, into batch: inout MessageBatch) {
        guard let slot = self.listing.slot(of: market), self.listing[slot].book.tick == .cent,
            let mid = self.listing[slot].book.midpoint,
            mid < Self.fineTickRange.below || mid > Self.fineTickRange.above
        else { return }
        self.ask(.setTick(market, Self.fineTick), into: &batch)
    }

    /// Gives a new market its first book, before anybody has heard of it.
    mutating func fillBook(_ slot: Int) {
        guard let flow = self.flows[slot] else { return }
        // Near an end of the price range a side has fewer prices than wanted: hence the bound.
        for _ in 0..<8 * Self.newLevelCount {
            for side in [BookSide.bid, .ask] where self.book(flow).levels(side).count < Self.newLevelCount {
                guard let price = self.placePrice(side, flow), self.book(flow).size(side, at: price) == .zero else {
                    continue
                }
                let order = self.restingOrder(side, at: price, flow)
                _ = self.matching.handle(.place(order), now: self.timestamp)
            }
        }
        self.broadcast.show(self.book(flow), as: &self.listing[slot], at: self.timestamp)
    }
}
