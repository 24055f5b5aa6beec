import Shared

/// The latest reference price of each symbol, source and kind, as a value: what was read goes in, what is worth telling
/// comes out.
///
/// The same may come twice, from two lines that overlap, and late; sources may lie. What is taken is newer than what was
/// there; what is not taken is counted, by why.
struct PriceBoard {
    struct Settings: Equatable {
        var average = TimeWeightedAverage.Settings()
        /// Our own average of the second that ended so long ago is told: its trades are here by then.
        var estimateDelay = Duration.milliseconds(500)
        /// A price that came longer ago is not told to somebody new.
        var latestAgeMax = Duration.seconds(60)
    }

    /// What is told apart. At most one value of each is kept.
    struct Key: Hashable, Comparable {
        let symbol: ReferenceSymbol
        let source: ReferencePriceBody.Source
        let kind: ReferencePriceBody.Kind

        static func < (a: Key, b: Key) -> Bool { a.number < b.number }

        /// A number for each, for queues.
        var number: Int {
            let symbol = ReferenceSymbol.allCases.firstIndex(of: self.symbol)!
            let source = ReferencePriceBody.Source.allCases.firstIndex(of: self.source)!
            let kind = ReferencePriceBody.Kind.allCases.firstIndex(of: self.kind)!
            let kinds = ReferencePriceBody.Kind.allCases.count
            return (symbol * ReferencePriceBody.Source.allCases.count + source) * kinds + kind
        }
    }

    /// What became of all that was read. There are no other names.
    enum Counter: String, CaseIterable {
        case trades, books, candles, twaps, estimates
        /// Known already: two lines say the same.
        case repeated
        /// Of the same price as the one before, a moment ago: nobody is told.
        case unchanged
        /// Its time is before that of what is known.
        case old
        /// Its time is further ahead of our clock than `aheadMax`.
        case ahead
        /// Nothing, less, or more than `DollarPrice.unitsMax`; a bid above the ask.
        case absurd
        /// Numbers that are missing between two trades, or between two messages of the venue's stream; one for each gap.
        case gaps
        /// The venue's stream tells a price in two ways that contradict each other.
        case disagreeing
        /// The venue's stream repeats a value because it has no newer one.
        case carriedForward = "carried_forward"
        /// Ids that went back while time went on: numbering began anew.
        case renumbered
        /// Seconds whose average was not told, because the trades were too old or too few.
        case estimatesWithheld = "estimates_withheld"
    }

    /// Times further ahead of our clock are not believed: one lie would make everything after it old.
    static let aheadMax = Duration.seconds(5)
    /// A trade or a book of the price that was told last is told again after so long: most say nothing new.
    private static let repeatInterval = Duration.seconds(1)
    /// Books have ids and no times: when only older ids came for so long, numbering began anew.
    private static let bookSilenceMax = Duration.seconds(5)

    /// What was taken last of a symbol. Times in milliseconds.
    private struct Memory {
        var tradeID: Int64?
        var tradeTime: Int64 = 0
        var updateID: Int64?
        var bookReceived = Timestamp(microseconds: 0)
        var candle: (time: Int64, start: Int64) = (0, 0)
        var twapTime: Int64 = 0
        /// Of the venue's stream.
        var sequence: Int64?
        var estimatedSecond: Int64 = 0
        var average: TimeWeightedAverage
    }

    private let settings: Settings
    private var memories: [ReferenceSymbol: Memory] = [:]
    private var latest: [Key: ReferencePriceBody] = [:]
    /// Symbols whose average was told last as our own estimate.
    private(set) var estimated: Set<ReferenceSymbol> = []
    private(set) var counts: [Counter: Int64] = [:]

    init(settings: Settings = Settings()) { self.settings = settings }

    private mutating func count(_ counter: Counter) { self.counts[counter, default: 0] += 1 }

    subscript(key: Key) -> ReferencePriceBody? { self.latest[key] }

    /// What somebody new is told of `symbols`, in a fixed order.
    func known(of symbols: Set<ReferenceSymbol>, now: Timestamp) -> [(key: Key, body: ReferencePriceBody)] {
        self.latest.filter {
            symbols.contains($0.key.symbol) && now - $0.value.receivedTime <= self.settings.latestAgeMax
        }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    // MARK: Binance

    /// - Returns: what changed.
    mutating func take(_ message: BinanceMessage, received: Timestamp) -> Key? {
        switch message {
        case .trade(let symbol, let id, let price, let time):
            self.takeTrade(symbol, id: id, price: price, time: time, received: received)
        case .book(let symbol, let updateID, let bid, let ask):
            self.takeBook(symbol, updateID: updateID, bid: bid, ask: ask, received: received)
        case .candle(let symbol, let start, let close, let time):
            self.takeCandle(symbol, start: start, close: close, time: time, received: received)
        case .shutdown, .answer, .refusal, .other: nil
        }
    }

    private func memory(of symbol: ReferenceSymbol) -> Memory {
        self.memories[symbol] ?? Memory(average: TimeWeightedAverage(self.settings.average))
    }

    /// - Returns: the price, when it and its time, in milliseconds, can be believed.
    private mutating func checked(_ units: Int64, time: Int64, received: Timestamp) -> DollarPrice? {
        guard let price = DollarPrice(units: units) else {
            self.count(.absurd)
            return nil
        }
        guard Timestamp(milliseconds: time) - received <= Self.aheadMax else {
            self.count(.ahead)
            return nil
        }
        return price
    }

    private mutating func takeTrade(
        _ symbol: ReferenceSymbol, id: Int64, price: Int64, time: Int64, received: Timestamp
    ) -> Key? {
        guard let price = self.checked(price, time: time, received: received) else { return nil }
        var memory = self.memory(of: symbol)
        if let last = memory.tradeID, id <= last {
            guard time > memory.tradeTime else {
                self.count(.repeated)
                return nil
            }
            self.count(.renumbered)
        } else if time < memory.tradeTime {
            self.count(.old)
            return nil
        } else if let last = memory.tradeID, id - 1 > last {
            self.count(.gaps)
        }
        memory.tradeID = id
        memory.tradeTime = time
        memory.average.trade(price, at: time)
        self.memories[symbol] = memory
        self.count(.trades)
        return self.keepIfNew(symbol, .trade, price, Timestamp(milliseconds: time), received: received)
    }

    private mutating func takeBook(
        _ symbol: ReferenceSymbol, updateID: Int64, bid: Int64, ask: Int64, received: Timestamp
    ) -> Key? {
        guard let bid = DollarPrice(units: bid), let ask = DollarPrice(units: ask), bid <= ask else {
            self.count(.absurd)
            return nil
        }
        var memory = self.memory(of: symbol)
        if let last = memory.updateID, updateID <= last {
            guard updateID < last, received - memory.bookReceived > Self.bookSilenceMax else {
                self.count(.repeated)
                return nil
            }
            self.count(.renumbered)
        }
        memory.updateID = updateID
        memory.bookReceived = received
        self.memories[symbol] = memory
        self.count(.books)
        return self.keepIfNew(symbol, .book, .middle(bid, ask), received, received: received)
    }

    private mutating func takeCandle(
        _ symbol: ReferenceSymbol, start: Int64, close: Int64, time: Int64, received: Timestamp
    ) -> Key? {
        guard let price = self.checked(close, time: time, received: received) else { return nil }
        var memory = self.memory(of: symbol)
        guard (time, start) > memory.candle else {
            self.count((time, start) == memory.candle ? .repeated : .old)
            return nil
        }
        memory.candle = (time, start)
        self.memories[symbol] = memory
        self.count(.candles)
        return self.keep(symbol, .binance, .kline1h, price.text, Timestamp(milliseconds: time), received: received)
    }

    private mutating func keepIfNew(
        _ symbol: ReferenceSymbol, _ kind: ReferencePriceBody.Kind, _ price: DollarPrice, _ observed: Timestamp,
        received: Timestamp
    ) -> Key? {
        if let told = self.latest[Key(symbol: symbol, source: .binance, kind: kind)], told.price == price.text,
            received - told.receivedTime < Self.repeatInterval
        {
            self.count(.unchanged)
            return nil
        }
        return self.keep(symbol, .binance, kind, price.text, observed, received: received)
    }

    private mutating func keep(
        _ symbol: ReferenceSymbol, _ source: ReferencePriceBody.Source, _ kind: ReferencePriceBody.Kind,
        _ price: String, _ observed: Timestamp, received: Timestamp
    ) -> Key {
        let key = Key(symbol: symbol, source: source, kind: kind)
        self.latest[key] = ReferencePriceBody(
            symbol: symbol.rawValue, source: source, kind: kind, price: price, observedTime: observed,
            receivedTime: received)
        return key
    }

    // MARK: A journal

    /// A price that was told when it was recorded.
    ///
    /// - Returns: what changed; `nil` when the symbol is none of ours.
    mutating func play(_ price: ReferencePriceBody, received: Timestamp) -> Key? {
        guard let symbol = ReferenceSymbol(rawValue: price.symbol) else { return nil }
        return self.keep(
            symbol, price.source, price.kind, price.price, price.observedTime, received: received)
    }

    // MARK: The estimate

    /// Our own averages of the second that has just ended, for `symbols` whose settling stream is not heard.
    ///
    /// Binance is not what markets settle on: the basis between both is not in it. To be called several times a second.
    mutating func estimate(_ symbols: Set<ReferenceSymbol>, now: Timestamp) -> [Key] {
        let delay = self.settings.estimateDelay
        let second = (now.microseconds - delay.nanoseconds / 1_000) / 1_000_000
        var keys: [Key] = []
        self.estimated.formIntersection(symbols)
        for symbol in symbols.sorted() where symbol.pair != nil && !self.hearsTWAP(of: symbol, now: now) {
            var memory = self.memory(of: symbol)
            guard second != memory.estimatedSecond else { continue }
            memory.estimatedSecond = second
            if let price = memory.average.average(endingAt: second) {
                self.count(.estimates)
                self.estimated.insert(symbol)
                keys.append(
                    self.keep(symbol, .estimate, .twap60, price.text, Timestamp(seconds: second), received: now))
            } else {
                self.count(.estimatesWithheld)
            }
            self.memories[symbol] = memory
        }
        return keys
    }

    private func hearsTWAP(of symbol: ReferenceSymbol, now: Timestamp) -> Bool {
        guard let twap = self.latest[Key(symbol: symbol, source: .polybolt, kind: .twap60)] else { return false }
        return now - twap.receivedTime <= self.settings.average.priceAgeMax
    }

    // MARK: The venue's stream

    /// - Returns: what changed.
    mutating func take(_ update: PolyBoltUpdate, received: Timestamp) -> Key? {
        var memory = self.memory(of: update.symbol)
        if update.isSnapshot {
            memory.sequence = update.sequence
        } else if let last = memory.sequence, update.sequence <= last {
            self.count(.repeated)
            return nil
        } else {
            if let last = memory.sequence, update.sequence - 1 > last { self.count(.gaps) }
            memory.sequence = update.sequence
        }
        // The number counts whatever becomes of the price.
        self.memories[update.symbol] = memory
        guard let twap = update.price else {
            self.count(.disagreeing)
            return nil
        }
        guard self.checked(twap.price.units, time: update.time, received: received) != nil else { return nil }
        guard update.time > memory.twapTime else {
            self.count(update.time == memory.twapTime ? .repeated : .old)
            return nil
        }
        memory.twapTime = update.time
        self.memories[update.symbol] = memory
        self.count(.twaps)
        if update.isCarriedForward { self.count(.carriedForward) }
        self.estimated.remove(update.symbol)
        let time = Timestamp(milliseconds: update.time)
        return self.keep(update.symbol, .polybolt, .twap60, twap.text, time, received: received)
    }
}
