import Shared

/// What Binance makes of the latent price of one asset: quotes, trades and hourly candles around the price plus a
/// constant basis. Trades are drawn whether somebody listens or not, so that the candle is that of the trades.
struct BinanceTape: Sendable {
    /// Steps that are remembered: a stream that is later than that loses the trades between.
    static let stepCountMax = 64
    /// Whole seconds whose candle is remembered.
    private static let markCountMax = 7
    /// Ended hours that are remembered.
    static let endedCountMax = 4
    static let hour: Int64 = 3_600_000

    /// What happened at one step of the walk.
    struct Step: Hashable, Sendable {
        /// Milliseconds UTC.
        let time: Int64
        /// Best prices, in units of `ReferencePrice`.
        let bid: Int64
        let ask: Int64
        let tradeCount: Int
        let firstTradeID: Int64
        /// What the trades are made of.
        fileprivate let draw: UInt64
        fileprivate let lot: Int64
    }

    struct Trade: Hashable, Sendable {
        let id: Int64
        /// In units of `ReferencePrice`.
        let price: Int64
        /// In hundred-millionths of a coin.
        let quantity: Int64
        /// Whether the aggressor sold.
        let isBuyerMaker: Bool

        /// In units of `ReferencePrice`, rounded down.
        var value: Int64 {
            let (coins, rest) = self.quantity.quotientAndRemainder(dividingBy: ReferencePrice.scale)
            let (dollars, cents) = self.price.quotientAndRemainder(dividingBy: ReferencePrice.scale)
            return coins * self.price + dollars * rest + cents * rest / ReferencePrice.scale
        }
    }

    /// An hour's trades.
    struct Candle: Hashable, Sendable {
        /// Milliseconds UTC.
        let start: Int64
        let open: Int64
        private(set) var high: Int64
        private(set) var low: Int64
        private(set) var close: Int64
        private(set) var quantity: Int64 = 0
        private(set) var value: Int64 = 0
        /// Of trades whose aggressor bought.
        private(set) var takerQuantity: Int64 = 0
        private(set) var takerValue: Int64 = 0
        let firstTradeID: Int64
        private(set) var lastTradeID: Int64
        var tradeCount: Int64 { self.lastTradeID - self.firstTradeID + 1 }

        init(start: Int64, first: Trade) {
            self.start = start
            self.open = first.price
            self.high = first.price
            self.low = first.price
            self.close = first.price
            self.firstTradeID = first.id
            self.lastTradeID = first.id
            self.add(first)
        }

        mutating func add(_ trade: Trade) {
            self.high = max(self.high, trade.price)
            self.low = min(self.low, trade.price)
            self.close = trade.price
            self.lastTradeID = trade.id
            self.quantity += trade.quantity
            self.value += trade.value
            guard !trade.isBuyerMaker else { return }
            self.takerQuantity += trade.quantity
            self.takerValue += trade.value
        }
    }

    private let asset: ReferenceAsset
    private var random: SeededRandom
    private var nextTradeID: Int64 = 1
    private var steps: [Step] = []
    /// The hour that runs; `nil` before the first step.
    private(set) var candle: Candle?
    /// The running candle as it was at the latest whole seconds.
    private var marks: [(time: Int64, candle: Candle)] = []
    /// The latest hours that ended, the last one last.
    private(set) var ended: [Candle] = []

    init(_ asset: ReferenceAsset, random: SeededRandom) {
        self.asset = asset
        self.random = random
    }

    /// The latent price is `price` at `time`, one step after the latest.
    mutating func note(_ price: ReferencePrice, at time: Int64) {
        let draw = self.random.next()
        let spot = price.units + price.units / 1_000_000 * self.asset.basis
        let bid = spot / self.asset.tick * self.asset.tick
        let opensHour = self.candle.map { time - $0.start >= Self.hour } ?? true
        let drawnCount = Int(draw & 0xFF) * (self.asset.tradeCountMax + 1) / 256
        // An hour begins with a trade, so that it has an opening price at once.
        let step = Step(
            time: time, bid: bid, ask: bid + self.asset.tick, tradeCount: opensHour ? max(1, drawnCount) : drawnCount,
            firstTradeID: self.nextTradeID, draw: draw, lot: self.asset.lot)
        self.nextTradeID += Int64(step.tradeCount)
        if self.steps.isEmpty { self.steps = [Step](repeating: step, count: Self.stepCountMax) }
        self.steps[self.place(time)] = step
        if opensHour { self.openHour(at: time, with: step) }
        for index in (opensHour ? 1 : 0)..<step.tradeCount { self.candle?.add(step.trade(index)) }
        if time % 1_000 == 0, let candle = self.candle {
            if self.marks.count == Self.markCountMax { self.marks.removeFirst() }
            self.marks.append((time, candle))
        }
    }

    private mutating func openHour(at time: Int64, with step: Step) {
        if let candle = self.candle {
            if self.ended.count == Self.endedCountMax { self.ended.removeFirst() }
            self.ended.append(candle)
        }
        self.candle = Candle(start: time / Self.hour * Self.hour, first: step.trade(0))
    }

    private func place(_ time: Int64) -> Int { Int(time / LatentPrice.step) % Self.stepCountMax }

    /// What happened at `time`; `nil` when it is not known yet, or no more.
    func step(at time: Int64) -> Step? {
        guard !self.steps.isEmpty else { return nil }
        let step = self.steps[self.place(time)]
        return step.time == time ? step : nil
    }

    /// The running candle as it was at `time`, a whole second; `nil` when it is not known yet, or no more.
    func candle(at time: Int64) -> Candle? { self.marks.last { $0.time == time }?.candle }

    /// The candle of the hour that starts at `time`, milliseconds UTC, as far as it is known.
    func candle(startingAt time: Int64) -> Candle? {
        if let candle = self.candle, candle.start == time { return candle }
        return self.ended.first { $0.start == time }
    }
}

extension BinanceTape.Step {
    /// The trade at `index`, below `tradeCount`.
    func trade(_ index: Int) -> BinanceTape.Trade {
        let isBuyerMaker = self.draw >> UInt64(8 + index) & 1 == 1
        let size = Int64(self.draw >> UInt64(16 + 8 * index) & 0xFF)
        return BinanceTape.Trade(
            id: self.firstTradeID + Int64(index), price: isBuyerMaker ? self.bid : self.ask,
            quantity: self.lot * (1 + size), isBuyerMaker: isBuyerMaker)
    }
}
