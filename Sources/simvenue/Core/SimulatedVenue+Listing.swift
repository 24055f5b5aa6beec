import Shared

/// Which markets there are: windows that come and go, and the rest.
extension SimulatedVenue {
    /// How much more often a running window is touched than another market.
    private static let windowWeight = 4
    /// In the full listing a window is closed so many milliseconds after its end. Source: reference, 1.3.
    private static let closingDelay = 60_000..<120_000
    /// Gamma shows the price to beat so many milliseconds after the start. Source of that it is late: reference, 1.3.
    static let strikeDelay: Int64 = 8_000

    /// Lists everything that there is from the start.
    mutating func listMarkets() {
        let time = self.now
        for (index, (family, windowCount)) in Catalogue.plan(self.settings).enumerated() {
            var windowStart = family.start(containing: time / 1_000)
            self.appoint(.rollover(family: index), at: family.end(from: windowStart) * 1_000)
            var slots: [Int] = []
            for place in 0..<windowCount {
                slots.append(self.list(window: family, start: windowStart))
                if place == 0 { self.open(slots[0]) }
                windowStart = family.end(from: windowStart)
            }
            self.windows.append((family, slots))
        }
        let windowCount = self.windows.reduce(0) { $0 + $1.slots.count }
        let restCount = self.settings.marketCount - windowCount
        for market in self.catalogue.rest(self.settings, count: restCount, now: time, &self.hasher) {
            self.list(dated: market)
        }
        self.remakeWheel()
    }

    private mutating func list(window family: WindowFamily, start: Int64) -> Int {
        var listed = self.catalogue.window(family, start: start, hasher: &self.hasher)
        listed.bookTime = self.now
        return self.list(listed, .window(PricedWindow(family, start: start)), fair: 0.5)
    }

    /// Lists a dated market more and tells everybody, unless the engine has filled up since it was asked for.
    mutating func listAnother(into batch: inout MessageBatch) {
        guard self.matching.markets.count < MatchingEngine.marketCountMax else { return }
        let slot = self.list(dated: self.catalogue.another(now: self.now, hasher: &self.hasher))
        self.tellNew(slot, into: &batch)
        self.remakeWheel()
    }

    private func tellNew(_ slot: Int, into batch: inout MessageBatch) {
        var writer = JSONWriter()
        MarketMessages.newMarket(self.listing[slot], time: self.shownTime, to: &writer)
        batch.append(for: .everybody) { $0.append(contentsOf: writer.bytes) }
    }

    @discardableResult
    private mutating func list(dated listed: ListedMarket) -> Int {
        var random = SeededRandom(seed: self.settings.seed, name: "fair " + listed.market.slug)
        let base = listed.fairBase ?? 0.1 + 0.8 * random.unit()
        let volatility = listed.market.tick == .cent ? 0.004 : 0.001
        let hasTraffic = listed.decoy?.hasTraffic ?? true
        return self.list(listed, hasTraffic ? .reverting(base: base, volatility: volatility) : nil, fair: base)
    }

    /// Lists a market here and, unless the order book service knows none, in the engine; gives it a first book where
    /// there is traffic.
    private mutating func list(_ listed: ListedMarket, _ model: Flow.Model?, fair: Double) -> Int {
        let slot = self.listing.add(listed)
        while self.flows.count <= slot { self.flows.append(nil) }
        self.flows[slot] = nil
        guard listed.isKnownToClob && listed.hasOrderBook else { return slot }
        let condition = listed.market.condition
        let market = self.matching.markets.count
        self.arrange(.list(listed.market))
        if let model {
            self.flows[slot] = Flow(model: model, market: market, fair: fair, at: self.now)
            self.fillBook(slot)
        }
        if !listed.acceptsOrders { self.arrange(.setAccepting(condition, false)) }
        if listed.isClosed { self.arrange(.resolve(condition, listed.winner == 1 ? .second : .first)) }
        return slot
    }

    /// Has something done about a market of which nobody has heard yet.
    private mutating func arrange(_ request: EngineRequest) {
        let events = self.matching.handle(request, now: self.timestamp)
        precondition(!events.contains { $0.isRefusal }, "the engine refused what the catalogue lists")
    }

    // MARK: Windows

    /// The window in `slot` opens: from now on it is known what the price is compared with.
    private mutating func open(_ slot: Int) {
        guard case .window(var window) = self.flows[slot]?.model else { return }
        window.open(self.prices[window.asset])
        self.flows[slot]?.model = .window(window)
        self.appoint(.showStrike(slot: slot), at: max(self.now, window.start * 1_000 + Self.strikeDelay))
    }

    mutating func rollOver(_ index: Int, into batch: inout MessageBatch) {
        let family = self.windows[index].family
        self.prices.walk(family.asset, to: self.now)
        let ended = self.windows[index].slots.removeFirst()
        self.end(ended, into: &batch)
        // Where the engine can take no more windows, the family ends with those that it has.
        if let last = self.windows[index].slots.last, self.matching.markets.count < MatchingEngine.marketCountMax {
            let start = self.listing[last].market.endTime.microseconds / 1_000_000
            let next = self.list(window: family, start: start)
            self.windows[index].slots.append(next)
            self.tellNew(next, into: &batch)
        }
        if let running = self.windows[index].slots.first {
            self.open(running)
            self.appoint(.rollover(family: index), at: self.listing[running].market.endTime.microseconds / 1_000)
        }
        self.remakeWheel()
    }

    /// The window in `slot` ends: its winner is known. Until the venue closes it, it is traded at what is left to win.
    private mutating func end(_ slot: Int, into batch: inout MessageBatch) {
        guard case .window(let window) = self.flows[slot]?.model else { return }
        let winner = window.winner(self.prices[window.asset])
        switch self.settings.listing {
        case .plain: self.close(slot, winner: winner, into: &batch)
        case .full:
            let base = winner == 0 ? Flow.fairRange.upperBound : Flow.fairRange.lowerBound
            self.flows[slot]?.model = .reverting(base: base, volatility: 0)
            let delay = Self.closingDelay.lowerBound + self.random.below(Self.closingDelay.count)
            self.appoint(.close(slot: slot, winner: winner), at: self.now + Int64(delay))
        }
    }

    /// The market in `slot` is won by an outcome: its orders end, and its shares are paid for.
    mutating func close(_ slot: Int, winner: Int, into batch: inout MessageBatch) {
        self.flows[slot] = nil
        self.ask(.resolve(self.listing[slot].market.condition, winner == 0 ? .first : .second), into: &batch)
        self.resolved.append(slot)
        self.forgetOldest()
        self.remakeWheel()
    }

    private mutating func remakeWheel() {
        self.wheel = self.listing.order.filter { slot in
            if case .decoy = self.listing[slot].kind { return false }
            return self.flows[slot] != nil
        }
        for (_, slots) in self.windows {
            guard let running = slots.first else { continue }
            self.wheel.append(contentsOf: repeatElement(running, count: Self.windowWeight - 1))
        }
    }
}

extension EngineEvent {
    fileprivate var isRefusal: Bool { if case .commandRefused = self.what { true } else { false } }
}
