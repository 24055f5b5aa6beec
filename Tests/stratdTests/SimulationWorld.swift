import Shared

@testable import stratd

/// A made-up feed: a few markets whose books move, trade, break and come back, as a seed draws it.
struct SimulatedFeed {
    struct Book {
        let n: Int64
        var bids: [Int64: Int64] = [:]
        var asks: [Int64: Int64] = [:]
        var epoch: Int64 = 1
        var update: Int64 = 0
        var isTrusted = false
        var isResolved = false
        /// Prints that are still on their way.
        var prints: [TradeBody] = []

        var bestBid: Int64 { self.bids.keys.max() ?? 0 }
        var bestAsk: Int64 { self.asks.keys.min() ?? 100 }
    }

    var books: [Book]
    var isConnected = false
    /// Whether the odd markets hold takers back for a moment.
    let hasTakerDelay: Bool

    init(count: Int64, hasTakerDelay: Bool = false) {
        self.books = (1...count).map { Book(n: $0) }
        self.hasTakerDelay = hasTakerDelay
    }

    /// Everything anew, as after a connect.
    mutating func connect(using random: inout SeededRandom, now: Moment) -> [FeedEvent] {
        self.isConnected = true
        var events: [FeedEvent] = [.connected]
        for index in self.books.indices where !self.books[index].isResolved {
            events.append(
                .market(
                    MarketBody(
                        n: self.books[index].n,
                        market: market(
                            self.books[index].n, event: "event-\(index % 2)", feeRate: 70_000,
                            hasTakerDelay: self.hasTakerDelay && index % 2 == 0))))
            events.append(self.snapshot(index, using: &random, now: now))
        }
        return events
    }

    private mutating func snapshot(_ index: Int, using random: inout SeededRandom, now: Moment) -> FeedEvent {
        let middle = Int64.random(in: 20...80, using: &random)
        self.books[index].bids = [:]
        self.books[index].asks = [:]
        for distance in 1...5 as ClosedRange<Int64> {
            self.books[index].bids[middle - distance] = Int64.random(in: 1...80, using: &random)
            self.books[index].asks[middle + distance] = Int64.random(in: 1...80, using: &random)
        }
        self.books[index].epoch += 1
        self.books[index].update = 1
        self.books[index].isTrusted = true
        self.books[index].prints = []
        let book = self.books[index]
        func levels(_ side: [Int64: Int64]) -> [Level] {
            side.sorted { $0.key < $1.key }.map {
                Level(price: Price(micros: $0.key * 10_000)!, size: Quantity(shares: $0.value))
            }
        }
        return .book(
            BookBody(
                n: book.n, market: condition(book.n), epoch: book.epoch, update: 1, isTrusted: true, isSettled: true,
                source: .webSocket, tick: .cent, bids: levels(book.bids), asks: levels(book.asks), hash: nil,
                conflated: nil, venueTime: now.time, receivedTime: now.time))
    }

    /// One thing that happens, faults among them while `hasFaults`.
    mutating func next(using random: inout SeededRandom, now: Moment, hasFaults: Bool) -> [FeedEvent] {
        guard self.isConnected else {
            return Int.random(in: 0..<10, using: &random) == 0 || !hasFaults
                ? self.connect(using: &random, now: now) : []
        }
        let index = Int.random(in: 0..<self.books.count, using: &random)
        guard !self.books[index].isResolved else {
            // Now and then the end is told once more, at times with another winner.
            guard hasFaults, Int.random(in: 0..<10, using: &random) == 0 else { return [.alive] }
            let winner = ([0, 1, nil] as [Int64?]).randomElement(using: &random)!
            return [.resolved(ResolvedBody(n: self.books[index].n, winner: winner, venueTime: now.time))]
        }
        let n = self.books[index].n
        let draw = Int.random(in: 0..<1_000, using: &random)
        if !self.books[index].isTrusted && (draw < 200 || !hasFaults) {
            return [self.snapshot(index, using: &random, now: now)]
        }
        switch draw {
        case 0..<4 where hasFaults:
            self.isConnected = false
            for index in self.books.indices { self.books[index].isTrusted = false }
            return [.disconnected]
        case 4..<12 where hasFaults:
            self.books[index].isTrusted = false
            self.books[index].epoch += 1
            return [.trust(TrustBody(n: .one(n), epoch: self.books[index].epoch, isTrusted: false, reason: .silent))]
        case 12..<18 where hasFaults:
            // A frame is lost: the next delta shows the gap.
            self.books[index].update += 1
            self.books[index].isTrusted = false
            return []
        case 18..<24 where hasFaults:
            return [.tradesDropped(TradesDropped(n: n, count: 2, from: now.time, to: now.time))]
        case 24..<26 where hasFaults && self.books.count(where: \.isResolved) < self.books.count - 2:
            self.books[index].isResolved = true
            let winner = ([0, 1, nil] as [Int64?]).randomElement(using: &random)!
            return [.resolved(ResolvedBody(n: n, winner: winner, venueTime: now.time))]
        case 26..<400: return self.trade(index, using: &random, now: now)
        case 400..<500 where !self.books[index].prints.isEmpty: return [.trade(self.books[index].prints.removeFirst())]
        default: return [self.move(index, using: &random, now: now)]
        }
    }

    /// Somebody takes what is offered: the book tells it, and the print comes before, at once, or later.
    private mutating func trade(_ index: Int, using random: inout SeededRandom, now: Moment) -> [FeedEvent] {
        let isSale = Bool.random(using: &random)
        let best = isSale ? self.books[index].bestBid : self.books[index].bestAsk
        let size = (isSale ? self.books[index].bids[best] : self.books[index].asks[best]) ?? 0
        guard size > 0 else { return [self.move(index, using: &random, now: now)] }
        let taken = Int64.random(in: 1...size, using: &random)
        // Own orders stand within the spread: some takers stop there and never reach the book.
        let price =
            isSale
            ? min(99, best + Int64.random(in: 0...1, using: &random))
            : max(1, best - Int64.random(in: 0...1, using: &random))
        let isMirrored = Bool.random(using: &random)
        let body = TradeBody(
            n: self.books[index].n, outcome: isMirrored ? 1 : 0,
            price: Price(micros: (isMirrored ? 100 - price : price) * 10_000)!, size: Quantity(shares: taken),
            takerSide: isSale != isMirrored ? .sell : .buy, venueTime: now.time, receivedTime: now.time,
            transaction: nil)
        let change = self.set(index, isSale ? .bid : .ask, best, size - taken, isSettled: true, now: now)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return [.trade(body), change]
        case 1: return [change, .trade(body)]
        default:
            self.books[index].prints.append(body)
            return [change]
        }
    }

    private mutating func move(_ index: Int, using random: inout SeededRandom, now: Moment) -> FeedEvent {
        let isSettled = Int.random(in: 0..<8, using: &random) > 0
        if Bool.random(using: &random) {
            let price = max(1, self.books[index].bestAsk - Int64.random(in: 1...6, using: &random))
            return self.set(
                index, .bid, price, Int64.random(in: 0...60, using: &random), isSettled: isSettled, now: now)
        }
        let price = min(99, self.books[index].bestBid + Int64.random(in: 1...6, using: &random))
        return self.set(index, .ask, price, Int64.random(in: 0...60, using: &random), isSettled: isSettled, now: now)
    }

    private mutating func set(
        _ index: Int, _ side: BookSide, _ price: Int64, _ size: Int64, isSettled: Bool, now: Moment
    ) -> FeedEvent {
        switch side {
        case .bid: self.books[index].bids[price] = size > 0 ? size : nil
        case .ask: self.books[index].asks[price] = size > 0 ? size : nil
        }
        self.books[index].update += 1
        let book = self.books[index]
        return .delta(
            DeltaBody(
                n: book.n, epoch: book.epoch, update: book.update, isSettled: isSettled,
                levels: [
                    LevelChange(side: side, price: Price(micros: price * 10_000)!, size: Quantity(shares: size))
                ], venueTime: now.time, receivedTime: now.time))
    }
}

/// What must hold whatever happens, checked from outside: from the actions and the journal's lines alone.
final class InvariantChecker {
    private(set) var problems: [String] = []
    private var submittedHashes: Set<String> = []
    private var recordedIntents: Set<OrderID> = []
    private var isHalted = false
    private let limits: RiskLimits

    init(limits: RiskLimits) { self.limits = limits }

    func problem(_ text: String) { if self.problems.count < 20 { self.problems.append(text) } }

    /// Looks at one action before it is done.
    func check(_ action: EngineAction, _ engine: StrategyEngine) {
        switch action {
        case .record(let record):
            switch record.fact {
            case .intent(let order): self.recordedIntents.insert(order.id)
            case .halt: self.isHalted = true
            case .resume: self.isHalted = false
            default: break
            }
        case .submit(let order):
            if !self.recordedIntents.contains(order.id) {
                self.problem("\(order.id) left before its intent was written")
            }
            if !self.submittedHashes.insert(order.hash).inserted { self.problem("\(order.id) was sent twice") }
            if engine.ledger.isHalted || self.isHalted { self.problem("\(order.id) left while trading was halted") }
            guard let view = engine.views[order.intent.market] else { return self.problem("\(order.id) has no market") }
            if !view.isTrusted || !view.isSettled { self.problem("\(order.id) left on a book that is not trusted") }
            if order.intent.origin == .strategy && engine.ledger.paused.contains(order.intent.strategy) {
                self.problem("\(order.id) left while its strategy was paused")
            }
            // Two sales that flatten both outcomes never rest: neither can meet the other.
            for other in engine.ledger.openOrders(in: order.intent.market)
            where other.bookSide != order.intent.bookSide && (other.body.kind == .gtc || other.body.kind == .gtd) {
                let bid = order.intent.bookSide == .bid ? order.intent.bookPrice : other.bookPrice
                let ask = order.intent.bookSide == .bid ? other.bookPrice : order.intent.bookPrice
                if bid >= ask { self.problem("\(order.id) would trade with \(other.id)") }
            }
            if engine.ledger.open.count > Int(self.limits.openOrdersMax) {
                self.problem("too many open after \(order.id)")
            }
            let exposure = engine.ledger.exposure
            if !engine.ledger.sumsHold { self.problem("the ledger's sums are wrong after \(order.id)") }
            if exposure > self.limits.totalMax { self.problem("exposure \(exposure) after \(order.id)") }
            // Another winner may take money back that is bound by then; nothing more is bound before it is free again.
            if order.intent.side == .buy && engine.ledger.cash < engine.ledger.reserved {
                self.problem("more is bound than there is after \(order.id)")
            }
            for outcome in 0...1 {
                let offered = engine.ledger.open.values.filter {
                    $0.body.side == .sell && $0.body.token == view.token(outcome)
                }
                .reduce(Quantity.zero) { $0 + $1.remaining }
                if offered > engine.ledger.held(view.token(outcome), by: "maker") {
                    self.problem("\(order.id) offers too much")
                }
            }
        case .cancel, .publish, .note, .answer: break
        }
    }

    /// Accounts kept apart from the ledger: from the lines of the journal, by plain addition.
    func checkAccounts(_ lines: [[UInt8]], start: Money, _ ledger: OrderLedger) throws {
        if !ledger.sumsHold { self.problem("the ledger's sums are wrong at the end") }
        var cash = Int128(start.micros)
        var held: [TokenID: Int128] = [:]
        var filled: [String: Int128] = [:]
        var ordered: [String: Int128] = [:]
        var trades: Set<String> = []
        var ends: [TokenID: (size: Int128, payout: Int128)] = [:]
        var winners: [ConditionID: Int64] = [:]
        for line in lines {
            let record = try line.dropLast().withUnsafeBufferPointer { try LedgerRecord(line: $0) }
            switch record.fact {
            case .intent(let order): ordered[order.body.order] = Int128(order.body.size.micros)
            case .fill(let fill):
                if !trades.insert(fill.trade).inserted { self.problem("trade \(fill.trade) was booked twice") }
                filled[fill.order, default: 0] += Int128(fill.size.micros)
                let product = Int128(fill.size.micros) * Int128(fill.price.micros)
                switch fill.side {
                case .buy:
                    cash -= (product + 999_999) / 1_000_000 + Int128(fill.fee.micros)
                    held[fill.token, default: 0] += Int128(fill.size.micros)
                case .sell:
                    cash += product / 1_000_000 - Int128(fill.fee.micros)
                    held[fill.token, default: 0] -= Int128(fill.size.micros)
                }
            case .resolution(let market, let winner):
                let n = (1...99).first { condition($0) == market }!
                if let winner { winners[market] = winner }
                let last = winners[market]
                for outcome in 0...1 {
                    let former = ends[token(n, outcome)] ?? (0, 0)
                    let size = former.size + (held.removeValue(forKey: token(n, outcome)) ?? 0)
                    let payout = last == nil ? size / 2 : last == Int64(outcome) ? size : 0
                    cash += payout - former.payout
                    ends[token(n, outcome)] = (size, payout)
                }
            default: break
            }
        }
        if cash != Int128(ledger.cash.micros) { self.problem("cash is \(ledger.cash), the fills say \(cash)") }
        for (token, size) in held where size != Int128(ledger.held(token, by: "maker").micros) {
            self.problem("\(ledger.held(token, by: "maker")) held of \(token), the fills say \(size)")
        }
        for (order, size) in filled where size > ordered[order] ?? 0 {
            self.problem("\(order) is filled beyond its size")
        }
        let positions = ledger.positions.values
        let result = positions.reduce(ledger.closedProfit) { $0 + $1.realised - $1.fees - $1.cost }
        if start + result != ledger.cash { self.problem("cash is \(ledger.cash), the positions say \(start + result)") }
    }
}
