import Shared

/// The venue's own traders: accounts of the engine that make the traffic. Their orders are signed by nobody, and they
/// never run dry.
struct Crowd: Sendable {
    /// There is a maker and a taker for so many markets, so that no account has to look after too many orders.
    private static let marketsPerAccount = 16
    /// What an account gets when it has too little pUSD, so often as the engine's bound on deposits allows.
    private static let deposit = Money(micros: 10_000_000_000_000)
    /// Sets that are made at once, and above which they are given up again, before more pUSD is asked for.
    private static let splitSize = Quantity(shares: 20_000)
    private static let setCountMax = Quantity(shares: 100_000)

    private var makers: [AccountID] = []
    private var takers: [AccountID] = []
    /// Hashes of orders.
    private var names: SeededRandom

    /// Opens the accounts of a crowd that trades `marketCount` markets or somewhat more.
    init(marketCount: Int, seed: UInt64, in engine: inout MatchingEngine) {
        self.names = SeededRandom(seed: seed, name: "orders")
        let count = 2 + marketCount / Self.marketsPerAccount
        for _ in 0..<count {
            self.makers.append(Self.open(in: &engine))
            self.takers.append(Self.open(in: &engine))
        }
    }

    private static func open(in engine: inout MatchingEngine) -> AccountID {
        Self.ask(.openCrowdAccount, &engine)
        let account = AccountID(index: engine.accounts.count - 1)
        for contract in ExchangeContract.allCases { Self.ask(.approve(account, contract, .unlimited), &engine) }
        Self.ask(.deposit(account, Self.deposit), &engine)
        return account
    }

    /// Has something done that no book shows and of which nobody hears, at the engine's present: nothing else is due.
    private static func ask(_ request: EngineRequest, _ engine: inout MatchingEngine) {
        _ = engine.handle(request, now: engine.now)
    }

    /// One of the two accounts that make the market at that index.
    func maker(of market: Int, _ which: Int) -> AccountID { self.makers[(market + which) % self.makers.count] }
    func taker(of market: Int) -> AccountID { self.takers[market % self.takers.count] }

    // MARK: Orders

    /// An order to rest at `price`, in terms of the first outcome, by an account that has what it takes. Of a bid the
    /// second outcome may be sold, of an ask it may be bought: the book shows the same.
    mutating func restingOrder(
        by account: AccountID, _ side: BookSide, at price: Price, _ size: Quantity, outcome: Int, market: Int,
        in engine: inout MatchingEngine
    ) -> SignedOrder {
        let tradeSide: TradeSide = (side == .bid) == (outcome == 0) ? .buy : .sell
        let own = outcome == 0 ? price : price.mirrored
        // Exact: sizes have two decimals, and the rules allow for the price's beyond these.
        let money = size.notional(at: own)
        switch tradeSide {
        case .buy: Self.provide(money, for: account, market: market, in: &engine)
        case .sell: Self.provide(size, for: account, market: market, outcome: outcome, in: &engine)
        }
        return self.order(
            by: account, tradeSide, money: money.micros, shares: size.micros, .gtc, market: market, outcome: outcome,
            in: engine)
    }

    /// An order that takes what `sweep` says from `side` by trading an outcome, or the other one where a buy would be too
    /// small for the venue.
    ///
    /// - Returns: `nil` when the grid has no price for it.
    mutating func takingOrder(
        by account: AccountID, from side: BookSide, _ sweep: Sweep, outcome: Int, market: Int,
        in engine: inout MatchingEngine
    ) -> SignedOrder? {
        let tick = engine.markets[market].terms.tick
        let isBuy = (side == .ask) == (outcome == 0)
        guard isBuy else {
            return self.sale(by: account, sweep, tick, outcome: outcome, market: market, in: &engine)
        }
        // Whole cents, rounded up by one at least: the last of the levels is taken whole although every match is rounded,
        // and what is over buys nothing beyond it.
        let cost = outcome == 0 ? sweep.cost : sweep.mirroredCost
        let money = Money(micros: (cost.micros / Self.cent + 1) * Self.cent)
        guard money >= OrderRules.marketableBuyMin else {
            return self.sale(by: account, sweep, tick, outcome: 1 - outcome, market: market, in: &engine)
        }
        let worst = outcome == 0 ? sweep.worst : sweep.worst.mirrored
        guard let limit = tick.ceil(Int64(worst.micros)) else { return nil }
        let unit = OrderRules.marketBuySharesUnit(tick)
        let shares = money.shares(at: limit, most: OrderBook.levelSizeMax).micros / unit * unit
        // Twice, so that there is enough for the fee.
        Self.provide(money + money, for: account, market: market, in: &engine)
        return self.order(
            by: account, .buy, money: money.micros, shares: shares, .fak, market: market, outcome: outcome, in: engine)
    }

    private static let cent: Int64 = 10_000

    private mutating func sale(
        by account: AccountID, _ sweep: Sweep, _ tick: TickSize, outcome: Int, market: Int,
        in engine: inout MatchingEngine
    ) -> SignedOrder? {
        let worst = outcome == 0 ? sweep.worst : sweep.worst.mirrored
        guard let limit = tick.floor(Int64(worst.micros)) else { return nil }
        // Up to hundredths of a share, as orders are sized.
        let size = Quantity(micros: (sweep.size.micros + Self.cent - 1) / Self.cent * Self.cent)
        Self.provide(size, for: account, market: market, outcome: outcome, in: &engine)
        return self.order(
            by: account, .sell, money: size.notional(at: limit).micros, shares: size.micros, .fak, market: market,
            outcome: outcome, in: engine)
    }

    private mutating func order(
        by account: AccountID, _ side: TradeSide, money: Int64, shares: Int64, _ kind: OrderKind, market: Int,
        outcome: Int, in engine: MatchingEngine
    ) -> SignedOrder {
        SignedOrder(
            hash: OrderHash(digest: ConditionID(words: self.names.words())), account: account,
            token: engine.markets[market].token(outcome), side: side,
            makerAmount: side == .buy ? money : shares, takerAmount: side == .buy ? shares : money, kind: kind,
            expiration: 0, isPostOnly: false)
    }

    // MARK: Balances

    /// Sees to it that the account has `amount` to spend, by giving up sets of this market or from outside.
    private static func provide(
        _ amount: Money, for account: AccountID, market: Int, in engine: inout MatchingEngine
    ) {
        let contract = engine.markets[market].contract
        guard engine.accounts[account.index].availableMoney(contract) < amount else { return }
        let free = (0..<2).map {
            engine.accounts[account.index].availableShares(OutcomePlace(market: market, outcome: $0), contract)
        }
        if min(free[0], free[1]) > Self.setCountMax {
            Self.ask(
                .merge(account, engine.markets[market].terms.condition, min(free[0], free[1]) - Self.splitSize),
                &engine)
        }
        guard engine.accounts[account.index].availableMoney(contract) < amount else { return }
        Self.ask(.deposit(account, max(amount, Self.deposit)), &engine)
    }

    /// Sees to it that the account has `size` of an outcome to sell.
    private static func provide(
        _ size: Quantity, for account: AccountID, market: Int, outcome: Int, in engine: inout MatchingEngine
    ) {
        let contract = engine.markets[market].contract
        let place = OutcomePlace(market: market, outcome: outcome)
        guard engine.accounts[account.index].availableShares(place, contract) < size else { return }
        let more = max(size, Self.splitSize)
        Self.provide(Money(micros: more.micros), for: account, market: market, in: &engine)
        Self.ask(.split(account, engine.markets[market].terms.condition, more), &engine)
    }
}

/// What a taker wants of a side, in terms of the first outcome.
struct Sweep: Hashable, Sendable {
    var size = Quantity.zero
    /// What it costs at the levels' prices, rounded up, and at their mirrored ones.
    var cost = Money.zero
    var mirroredCost = Money.zero
    var worst: Price

    /// Takes `size` at the next level.
    mutating func add(_ size: Quantity, at price: Price) {
        self.size += size
        self.cost += size.notional(at: price, roundedUp: true)
        self.mirroredCost += size.notional(at: price.mirrored, roundedUp: true)
        self.worst = price
    }
}
