import Shared

@testable import simvenue

/// Random traders and a random venue, by a seed: every request there is, right ones and wrong ones.
struct EngineStorm {
    private static let accountCount = 5
    private(set) var engine: MatchingEngine
    private var random: SeededRandom
    private var time = engineStart
    private var hashCount: UInt64 = 0
    private var recent: [OrderHash] = []
    private var trades: [TradeID] = []
    private(set) var models: [TwoBookModel] = []
    /// Milliseconds between two requests.
    private let pause: Range<Int>

    /// Requests that were taken, and matches: what a storm is to be measured by.
    private(set) var acceptedCount = 0
    private(set) var tradeCount = 0
    private(set) var kinds: Set<MatchKind> = []

    init(seed: UInt64, marketCount: UInt64 = 3, allowsDelay: Bool, pause: Range<Int> = 0..<40) {
        var settings = MatchingEngine.Settings()
        settings.seed = seed
        settings.finishedCountMax = 500
        self.engine = MatchingEngine(settings, at: engineStart)
        self.random = SeededRandom(seed: seed, name: "storm")
        self.pause = pause
        for number in 0..<marketCount {
            let market = engineMarket(
                number, tick: [10_000, 1_000, 2_500][Int(number) % 3], feeRate: number == 0 ? 0 : 70_000,
                hasTakerDelay: allowsDelay && number == 1, isNegRisk: number == 2)
            _ = self.engine.handle(.list(market), now: self.time)
            self.models.append(TwoBookModel())
        }
        for index in 0..<Self.accountCount {
            let account = AccountID(index: index)
            _ = self.engine.handle(.openAccount, now: self.time)
            _ = self.engine.handle(.deposit(account, Money(micros: 2_000_000_000)), now: self.time)
            for contract in ExchangeContract.allCases {
                _ = self.engine.handle(.approve(account, contract, .unlimited), now: self.time)
            }
            for number in 0..<marketCount {
                let split = EngineRequest.split(account, engineMarket(number).condition, Quantity(shares: 300))
                _ = self.engine.handle(split, now: self.time)
            }
        }
    }

    /// Makes the next request and has it done.
    ///
    /// - Returns: What the engine said.
    mutating func step() -> [EngineEvent] {
        self.time = self.time + .milliseconds(Int64(self.pause.lowerBound + self.random.below(self.pause.count)))
        let request = self.request()
        let events = self.engine.handle(request, now: self.time)
        for event in events { self.note(event.what) }
        return events
    }

    /// Resolves every market and lets all trades settle.
    mutating func end() {
        for (index, resolution) in zip(self.engine.markets.indices, [Resolution.first, .half, .second]) {
            _ = self.engine.handle(.resolve(self.engine.markets[index].terms.condition, resolution), now: self.time)
        }
        while let next = self.engine.nextTime { _ = self.engine.advance(to: next) }
    }

    private mutating func note(_ what: EngineEvent.What) {
        switch what {
        case .accepted: self.acceptedCount += 1
        case .trade(let trade) where trade.settlement == .matched:
            self.tradeCount += 1
            for leg in trade.legs { self.kinds.insert(leg.kind) }
            self.trades.append(trade.id)
            if self.trades.count > 50 { self.trades.removeFirst(25) }
        case .refused, .canceled, .accountOpened, .done, .commandRefused, .order, .trade, .book, .tick, .resolved: break
        }
    }

    // MARK: Requests

    private mutating func request() -> EngineRequest {
        let account = AccountID(index: self.random.below(Self.accountCount))
        let condition = self.engine.markets[self.random.below(self.engine.markets.count)].terms.condition
        switch self.random.below(1_000) {
        case 0..<700: return .place(self.order(of: account))
        case 700..<860: return .cancel(account, [self.someHash(), self.someHash()])
        case 860..<866: return .cancelMarket(account, condition, nil)
        case 866..<870: return .cancelAll(account)
        case 870..<890: return .deposit(account, self.money())
        case 890..<910: return .withdraw(account, self.money())
        case 910..<930: return .split(account, condition, Quantity(micros: self.money().micros))
        case 930..<945: return .merge(account, condition, Quantity(micros: self.money().micros))
        case 945..<949: return .cancelByVenue(self.someHash())
        case 949: return .clear(condition)
        case 950: return .setTick(condition, TickSize(micros: [10_000, 5_000, 2_500, 1_000][self.random.below(4)])!)
        case 951..<956:
            return .approve(account, .standard, Approval(money: self.money(), movesShares: self.random.chance(0.7)))
        case 956..<966: return .approve(account, .standard, .unlimited)
        case 966..<980: return .retry(self.someTrade())
        case 980..<996: return .fail(self.someTrade())
        default: return .setMode(self.random.chance(0.2) ? .cancelOnly : .normal)
        }
    }

    private mutating func money() -> Money { Money(micros: Int64(1 + self.random.below(200_000_000))) }
    private mutating func someHash() -> OrderHash {
        self.recent.isEmpty
            ? OrderHash(digest: engineMarket().condition) : self.recent[self.random.below(self.recent.count)]
    }
    private mutating func someTrade() -> TradeID {
        self.trades.isEmpty ? TradeID(random: (0, 0)) : self.trades[self.random.below(self.trades.count)]
    }

    private mutating func order(of account: AccountID) -> SignedOrder {
        let market = self.engine.markets[self.random.below(self.engine.markets.count)].terms
        let steps = Int(Decimal6.scale / market.tick.micros)
        // Around the middle, so that orders meet; now and then anywhere.
        let spread = self.random.chance(0.9) ? max(4, steps / 25) : steps - 1
        let low = max(1, (steps - spread) / 2)
        let price = Price(micros: Int64(min(steps - 1, low + self.random.below(spread))) * market.tick.micros)!
        let size = Quantity(micros: Int64(100 + self.random.below(5_000)) * 10_000)
        let kind: OrderKind = [.gtc, .gtc, .gtc, .gtd, .fak, .fok][self.random.below(6)]
        let side: TradeSide = self.random.chance(0.5) ? .buy : .sell
        var (shares, money) = (size.micros, size.notional(at: price).micros)
        if side == .buy && (kind == .fok || kind == .fak) {
            money = money / 10_000 * 10_000
            shares = Int64(Int128(money) * 1_000_000 / Int128(price.micros)) / 100 * 100
        }
        let isAgain = self.random.chance(0.01)
        self.hashCount += 1
        let hash = isAgain ? self.someHash() : OrderHash(digest: ConditionID(words: (0, 0, 3, self.hashCount)))
        if !isAgain { self.recent.append(hash) }
        if self.recent.count > 200 { self.recent.removeFirst(100) }
        let lead = Int64(170 + self.random.below(200))
        return SignedOrder(
            hash: hash, account: account, token: self.random.chance(0.5) ? market.first.token : market.second.token,
            side: side, makerAmount: side == .buy ? money : shares, takerAmount: side == .buy ? shares : money,
            kind: kind,
            expiration: kind == .gtd ? self.time.microseconds / 1_000_000 + lead : 0,
            isPostOnly: self.random.chance(0.1))
    }

    // MARK: The model beside it

    /// Lets the model live through what the engine said, and compares.
    ///
    /// - Returns: What differs, if anything.
    mutating func compare(_ events: [EngineEvent]) -> String? {
        var expected: [OrderHash: [TwoBookModel.Fill]] = [:]
        var seen: [OrderHash: [TwoBookModel.Fill]] = [:]
        for event in events {
            switch event.what {
            case .order(.placement, let order):
                expected[order.signed.hash] = self.models[order.market].place(
                    order.signed, outcome: order.outcome, price: Int64(order.limit.micros))
            case .order(.cancellation, let order): self.models[order.market].remove(order.signed.hash)
            case .trade(let trade) where trade.settlement == .matched:
                seen[trade.takerOrder, default: []] += trade.legs.map {
                    TwoBookModel.Fill(maker: $0.order, size: $0.size.micros)
                }
            case .accepted, .refused, .canceled, .accountOpened, .done, .commandRefused, .order, .trade, .book, .tick,
                .resolved:
                break
            }
        }
        for (hash, fills) in expected where fills != seen[hash] ?? [] {
            return "order \(hash) met \(seen[hash] ?? []), expected \(fills)"
        }
        return nil
    }

    /// Whether both tokens' books look as in the model.
    func bookDifference() -> String? {
        for market in self.engine.markets.indices {
            for outcome in 0..<2 {
                for side in [BookSide.bid, .ask] {
                    let (shown, expected) = (
                        self.engine.markets[market].book.shown(side, outcome: outcome),
                        self.models[market].levels(side, outcome: outcome)
                    )
                    if shown != expected { return "\(side)s of \(outcome) are \(shown), expected \(expected)" }
                }
            }
        }
        return nil
    }
}
