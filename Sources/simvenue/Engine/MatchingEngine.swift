import Shared

/// The venue's matching engine as a value: requests and the time in, events out. The same seed and the same requests give
/// the same events, in whatever steps time is told. Source: reference, 2.3 to 2.10, and strategy reference, 0.
///
/// All money is somewhere: in an account, in a trade that waits for settlement, among the fees, or behind the shares of a
/// market, of which there are as many of the one outcome as of the other.
struct MatchingEngine: Sendable {
    struct Settings: Hashable, Sendable {
        var seed: UInt64 = 7
        /// How long an order that would match waits in markets with a taker delay.
        var takerDelay = Duration.milliseconds(150)
        /// How far ahead a GTD order must expire. Sources disagree between one minute and three: the stricter one.
        var expirationLeadMin = Duration.seconds(180)
        /// A GTD order ends so long before its expiration.
        var expirationMargin = Duration.seconds(60)
        /// From the match to the block, and from there to the confirmation.
        var miningTime = Duration.milliseconds(2_200)
        var confirmingTime = Duration.seconds(4)
        /// Finished orders that are still known, and settled trades.
        var finishedCountMax = 50_000
        /// Trades that wait for settlement.
        var unsettledCountMax = 100_000
    }

    static let accountCountMax = 100_000
    /// Markets ever listed: resolved ones are kept, since trades speak of them.
    static let marketCountMax = 1_000_000
    static let openOrderCountMax = 200_000
    /// Largest deposit, withdrawal, split or merge.
    static let transferMax = Decimal6.valueMax
    /// Most pUSD that may be deposited altogether.
    static let depositedMax = 1_000 * Decimal6.valueMax
    /// Most levels of a side that a new tick may leave off its grid.
    static let offGridLevelCountMax = 1_000

    /// A market that is listed.
    struct ListedTerms: Sendable {
        var terms: Market
        var book = EngineBook()
        var acceptsOrders = true
        var resolution: Resolution?
        /// pUSD behind its shares.
        var collateral = Money.zero
        /// Orders that the taker delay holds, earliest first.
        var delayed: [Int] = []

        var contract: ExchangeContract { ExchangeContract(self.terms) }
        func token(_ outcome: Int) -> TokenID { outcome == 0 ? self.terms.first.token : self.terms.second.token }
    }

    enum Appointment: Sendable {
        /// The taker delay of an order is over.
        case release(slot: Int, sequence: Int)
        case expire(slot: Int, sequence: Int)
        case settle(slot: Int, TradeID, turn: Int)
    }

    let settings: Settings
    private(set) var now: Timestamp
    private(set) var accounts: [Account] = []
    var markets: [ListedTerms] = []
    private var placesByToken: [TokenID: OutcomePlace] = [:]
    private var marketsByCondition: [ConditionID: Int] = [:]
    /// pUSD that came from outside and did not leave again: what all of it adds up to.
    var deposited = Money.zero
    /// pUSD that takers paid.
    var fees = Money.zero
    var mode = EngineMode.normal

    var orders = Slab<EngineOrder>()
    var slotsByHash: [OrderHash: Int] = [:]
    var openOrderCount = 0
    var finishedOrders: FinishedPlaces
    var orderSequence = 0

    var trades = Slab<EngineTrade>()
    var slotsByTrade: [TradeID: Int] = [:]
    var unsettledCount = 0
    var settledTrades: FinishedPlaces

    var random: SeededRandom
    private var agenda = Agenda<Appointment>()
    private var events: [EngineEvent] = []
    private var touched: [TouchedLevel] = []

    /// A level that the operation at work changed.
    private struct TouchedLevel: Comparable {
        let market: Int
        let side: BookSide
        let price: Price

        /// By market, then bids before asks, then from the best price on.
        static func < (a: TouchedLevel, b: TouchedLevel) -> Bool {
            if a.market != b.market { return a.market < b.market }
            if a.side != b.side { return a.side == .bid }
            return a.price != b.price && (a.price > b.price) == (a.side == .bid)
        }
    }

    /// An engine without markets and accounts, at `time`.
    init(_ settings: Settings, at time: Timestamp) {
        self.settings = settings
        self.now = time
        self.finishedOrders = FinishedPlaces(countMax: settings.finishedCountMax)
        self.settledTrades = FinishedPlaces(countMax: settings.finishedCountMax)
        self.random = SeededRandom(seed: settings.seed, name: "engine")
    }

    // MARK: In and out

    /// Does what is due until `now`, then what is asked. A time before the last one told counts as that.
    mutating func handle(_ request: EngineRequest, now: Timestamp) -> [EngineEvent] {
        self.run(until: now)
        do throws(CommandRefusal) {
            try self.perform(request)
        } catch {
            self.emit(.commandRefused(error))
        }
        return self.finish()
    }

    /// Does what is due until `time`.
    mutating func advance(to time: Timestamp) -> [EngineEvent] {
        self.run(until: time)
        return self.finish()
    }

    /// When something will happen by itself, at the earliest.
    var nextTime: Timestamp? { self.agenda.nextTime }
    /// How much is kept for later.
    var appointmentCount: Int { self.agenda.count }

    private mutating func run(until time: Timestamp) {
        while let due = self.agenda.take(until: time) {
            self.now = max(self.now, due.time)
            switch due.what {
            case .release(let slot, let sequence):
                if self.isOpen(slot, sequence) { self.release(slot) }
            case .expire(let slot, let sequence):
                if self.isOpen(slot, sequence) { self.close(slot, .canceledExpired) }
            case .settle(let slot, let id, let turn):
                if self.trades[slot].id == id && self.trades[slot].turn == turn { self.goOnSettling(slot) }
            }
            self.tellLevels()
        }
        self.now = max(self.now, time)
    }

    private mutating func finish() -> [EngineEvent] {
        self.tellLevels()
        defer { self.events.removeAll() }
        return self.events
    }

    mutating func emit(_ what: EngineEvent.What) { self.events.append(EngineEvent(time: self.now, what: what)) }

    private mutating func perform(_ request: EngineRequest) throws(CommandRefusal) {
        switch request {
        // These have answers of their own.
        case .place(let order): return try self.place(order)
        case .cancel(let account, let hashes): return try self.cancel(hashes, of: account)
        case .cancelMarket(let account, let condition, let token):
            return try self.cancelMarket(of: account, condition, token)
        case .cancelAll(let account): return try self.cancel(of: account) { _ in true }
        case .openAccount: return try self.openAccount(isCrowd: false)
        case .openCrowdAccount: return try self.openAccount(isCrowd: true)

        case .deposit(let account, let amount): try self.deposit(amount, to: account)
        case .withdraw(let account, let amount): try self.withdraw(amount, from: account)
        case .split(let account, let condition, let size): try self.split(size, of: condition, for: account)
        case .merge(let account, let condition, let size): try self.merge(size, of: condition, for: account)
        case .approve(let account, let contract, let approval): try self.approve(approval, for: contract, by: account)
        case .setStanding(let account, let standing):
            try self.check(account)
            self.accounts[account.index].standing = standing

        case .list(let market): try self.list(market)
        case .setAccepting(let condition, let accepts):
            self.markets[try self.unresolved(condition)].acceptsOrders = accepts
        case .setTick(let condition, let tick): try self.setTick(of: try self.market(condition), to: tick)
        case .resolve(let condition, let resolution): self.resolve(try self.unresolved(condition), resolution)
        case .clear(let condition): self.closeAll(in: try self.market(condition), .canceled)
        case .cancelByVenue(let hash): try self.cancelByVenue(hash)
        case .setMode(let mode): self.mode = mode
        case .retry(let id): try self.retry(id)
        case .fail(let id): try self.fail(id)
        }
        self.emit(.done)
    }

    private mutating func openAccount(isCrowd: Bool) throws(CommandRefusal) {
        guard self.accounts.count < Self.accountCountMax else { throw .tooMany }
        self.accounts.append(Account(isCrowd: isCrowd))
        self.emit(.accountOpened(AccountID(index: self.accounts.count - 1)))
    }

    // MARK: Looking things up

    /// Changes an account, which must be known.
    mutating func withAccount<Result>(_ id: AccountID, _ body: (inout Account) -> Result) -> Result {
        body(&self.accounts[id.index])
    }

    func check(_ account: AccountID) throws(CommandRefusal) {
        guard self.accounts.indices.contains(account.index) else { throw .unknownAccount }
    }

    func place(of token: TokenID) -> OutcomePlace? { self.placesByToken[token] }

    func market(_ condition: ConditionID) throws(CommandRefusal) -> Int {
        guard let market = self.marketsByCondition[condition] else { throw .unknownMarket }
        return market
    }

    /// A market that still trades, or will.
    func unresolved(_ condition: ConditionID) throws(CommandRefusal) -> Int {
        let market = try self.market(condition)
        guard self.markets[market].resolution == nil else { throw .alreadyResolved }
        return market
    }

    func order(_ hash: OrderHash) -> EngineOrder? { self.slotsByHash[hash].map { self.orders[$0].told } }
    func trade(_ id: TradeID) -> EngineTrade? { self.slotsByTrade[id].map { self.trades[$0] } }

    private func isOpen(_ slot: Int, _ sequence: Int) -> Bool {
        self.orders[slot].sequence == sequence && self.orders[slot].status.isOpen
    }

    mutating func list(_ terms: Market) throws(CommandRefusal) {
        guard self.marketsByCondition[terms.condition] == nil, self.placesByToken[terms.first.token] == nil,
            self.placesByToken[terms.second.token] == nil, terms.first.token != terms.second.token
        else { throw .alreadyListed }
        guard self.markets.count < Self.marketCountMax else { throw .tooMany }
        let market = self.markets.count
        self.marketsByCondition[terms.condition] = market
        self.placesByToken[terms.first.token] = OutcomePlace(market: market, outcome: 0)
        self.placesByToken[terms.second.token] = OutcomePlace(market: market, outcome: 1)
        self.markets.append(ListedTerms(terms: terms))
    }

    // MARK: Later

    mutating func appoint(_ what: Appointment, at time: Timestamp) {
        self.agenda.add(what, at: time)
        // Orders that ended before their time leave theirs behind.
        guard self.agenda.count > 1_024 + 4 * (self.openOrderCount + self.unsettledCount) else { return }
        let (orders, trades) = (self.orders, self.trades)
        self.agenda.keep {
            switch $0 {
            case .release(let slot, let sequence), .expire(let slot, let sequence):
                orders[slot].sequence == sequence && orders[slot].status.isOpen
            case .settle(let slot, let id, let turn): trades[slot].id == id && trades[slot].turn == turn
            }
        }
    }

    // MARK: Levels

    /// Notes a level that changes.
    mutating func touch(_ market: Int, _ side: BookSide, _ price: Price) {
        self.touched.append(TouchedLevel(market: market, side: side, price: price))
    }

    /// Tells the levels that the operation changed, each once.
    mutating func tellLevels() {
        guard !self.touched.isEmpty else { return }
        self.touched.sort()
        var changes: [LevelChange] = []
        for (index, level) in self.touched.enumerated() {
            let next = index + 1 < self.touched.count ? self.touched[index + 1] : nil
            guard level != next else { continue }
            let market = self.markets[level.market]
            changes.append(
                LevelChange(
                    side: level.side, price: level.price, size: market.book.size(level.side, at: level.price)))
            guard level.market != next?.market else { continue }
            self.emit(.book(market.terms.condition, changes))
            changes.removeAll()
        }
        self.touched.removeAll(keepingCapacity: true)
    }
}
