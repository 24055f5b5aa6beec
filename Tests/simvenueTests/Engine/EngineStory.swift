import Shared

@testable import simvenue

let engineStart = Timestamp(milliseconds: someTime)

/// Market `number` of the tests: its tokens are 2n + 1 and 2n + 2.
func engineMarket(
    _ number: UInt64 = 0, tick: Int64 = 10_000, sizeMin: Int64 = 5, feeRate: Int64 = 0, hasTakerDelay: Bool = false,
    isNegRisk: Bool = false
) -> Market {
    Market(
        condition: ConditionID(words: (0, 0, 1, number)), slug: "market-\(number)", question: "?",
        first: Outcome(label: "Yes", token: TokenID(words: (0, 0, 0, 2 * number + 1))),
        second: Outcome(label: "No", token: TokenID(words: (0, 0, 0, 2 * number + 2))), tick: TickSize(micros: tick)!,
        sizeMin: Quantity(shares: sizeMin), isNegRisk: isNegRisk, event: "", startTime: nil,
        endTime: Timestamp(milliseconds: someTime + 86_400_000), feeRate: feeRate, feeExponent: 1,
        hasTakerDelay: hasTakerDelay, rewards: nil, settlement: .other, asset: nil)
}

/// Millionths of a decimal text.
func micros(_ text: String) -> Int64 { Decimal6.parse(text)! }

/// An engine whose time the test tells, and what it said last.
struct EngineStory {
    var engine: MatchingEngine
    var time = engineStart
    private(set) var events: [EngineEvent.What] = []
    private var hashCount: UInt64 = 0

    /// Accounts with 1,000 pUSD and all approvals, each.
    init(_ settings: MatchingEngine.Settings = .init(), market: Market = engineMarket(), accounts: Int = 3) {
        self.engine = MatchingEngine(settings, at: engineStart)
        self.ask(.list(market))
        for index in 0..<accounts {
            self.ask(.openAccount)
            self.ask(.deposit(AccountID(index: index), Money(micros: 1_000_000_000)))
            for contract in ExchangeContract.allCases {
                self.ask(.approve(AccountID(index: index), contract, .unlimited))
            }
        }
    }

    var market: Market { self.engine.markets[0].terms }

    @discardableResult
    mutating func ask(_ request: EngineRequest) -> [EngineEvent.What] {
        self.events = self.engine.handle(request, now: self.time).map(\.what)
        return self.events
    }

    @discardableResult
    mutating func wait(milliseconds: Int64) -> [EngineEvent.What] {
        self.time = self.time + .milliseconds(milliseconds)
        self.events = self.engine.advance(to: self.time).map(\.what)
        return self.events
    }

    mutating func split(_ account: Int, _ shares: Int64) {
        self.ask(.split(AccountID(index: account), self.market.condition, Quantity(shares: shares)))
    }

    /// A hash that no order had.
    mutating func freshHash() -> OrderHash {
        self.hashCount += 1
        return OrderHash(digest: ConditionID(words: (0, 0, 2, self.hashCount)))
    }

    /// Places an order of shares at a price, and gives its hash.
    @discardableResult
    mutating func place(
        _ account: Int, _ side: TradeSide, _ outcome: Int, _ shares: String, at price: String, _ kind: OrderKind = .gtc,
        expiration: Int64 = 0, postOnly: Bool = false
    ) -> OrderHash {
        let size = Quantity(micros: micros(shares))
        let money = size.notional(at: Price(decimal: price)!).micros
        return self.place(
            account, side, outcome, maker: side == .buy ? money : size.micros,
            taker: side == .buy ? size.micros : money, kind, expiration: expiration, postOnly: postOnly)
    }

    /// Places an order of these amounts, in millionths.
    @discardableResult
    mutating func place(
        _ account: Int, _ side: TradeSide, _ outcome: Int, maker: Int64, taker: Int64, _ kind: OrderKind = .gtc,
        expiration: Int64 = 0, postOnly: Bool = false
    ) -> OrderHash {
        let hash = self.freshHash()
        self.ask(
            .place(
                SignedOrder(
                    hash: hash, account: AccountID(index: account),
                    token: outcome == 0 ? self.market.first.token : self.market.second.token, side: side,
                    makerAmount: maker, takerAmount: taker, kind: kind, expiration: expiration, isPostOnly: postOnly)))
        return hash
    }

    // MARK: What was said

    var refusal: String? {
        for case .refused(_, let refusal) in self.events { return refusal.text }
        return nil
    }
    var commandRefusal: CommandRefusal? {
        for case .commandRefused(let refusal) in self.events { return refusal }
        return nil
    }
    var receipt: OrderReceipt? {
        for case .accepted(let receipt) in self.events { return receipt }
        return nil
    }
    var cancels: CancelReceipt? {
        for case .canceled(let receipt) in self.events { return receipt }
        return nil
    }
    var trades: [EngineTrade] {
        self.events.compactMap { if case .trade(let trade) = $0 { trade } else { nil } }
    }
    /// "PLACEMENT LIVE" and so on, in order.
    var notices: [String] {
        self.events.compactMap {
            if case .order(let notice, let order) = $0 { "\(notice.rawValue) \(order.status.text)" } else { nil }
        }
    }
    /// "bid 0.4 10" and so on, in order.
    var changes: [String] {
        self.events.flatMap { event -> [String] in
            guard case .book(_, let changes) = event else { return [] }
            return changes.map { "\($0.side.rawValue) \($0.price) \($0.size)" }
        }
    }

    // MARK: What is there

    /// "0.4×10" and so on, best first.
    func levels(_ side: BookSide, outcome: Int = 0) -> [String] {
        self.engine.markets[0].book.shown(side, outcome: outcome).map { "\($0.price)×\($0.size)" }
    }
    func status(_ hash: OrderHash) -> String? { self.engine.order(hash)?.status.text }
    func money(_ account: Int) -> String { self.engine.accounts[account].money.description }
    func reserved(_ account: Int) -> String { self.engine.accounts[account].reserved.description }
    func shares(_ account: Int, _ outcome: Int = 0) -> String {
        self.engine.accounts[account].holding(OutcomePlace(market: 0, outcome: outcome)).balance.description
    }
}
