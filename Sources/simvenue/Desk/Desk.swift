import Shared
import Signing

/// The private half of the order book service as a value: who asks, whether that is allowed, and what the matching engine
/// makes of it. Source: reference, 2.2 to 2.9.
///
/// The same seed and the same requests at the same times give the same answers.
struct Desk: Sendable {
    struct Settings: Hashable, Sendable {
        var seed: UInt64 = 7
        /// For which orders are signed.
        var chain = Chain.polygon
        /// What an account holds when it is first seen.
        var startingBalance = Money(micros: 10_000 * Decimal6.scale)
        var tier = RateTier.standard
        /// The venue only warns of limits so far. Source: reference, 2.9.
        var enforcesRateLimits = false
    }

    /// Accounts that are opened; further strangers are turned away.
    static let accountCountMax = 10_000
    /// Most that an account may start with.
    static let startingBalanceMax = Money(micros: 10_000_000 * Decimal6.scale)
    /// How far a request's timestamp may be off. The venue's own bound is not known.
    static let timestampWindow = Duration.seconds(60)
    /// Bytes of a body that is read: fifteen orders of the longest kind take about thirty thousand.
    static let bodyByteCountMax = 1 << 17

    /// What the engine does not know of an order.
    struct Placement: Hashable, Sendable {
        /// Id of the key that it was placed with.
        let owner: String
        let maker: Address
    }

    let settings: Settings
    var keys: KeyRing
    var accounts = AccountRegister()
    var placements: [OrderHash: Placement] = [:]
    var history = TradeHistory()
    var notices = NoticeBoard()
    var budgets: [Address: RateBudgets] = [:]
    var heartbeats = Heartbeats()
    var availability = Availability()
    var troubles = SettlementTroubles()
    /// What the Data API shows instead of what is held.
    var stalePositions: StalePositions?
    var audit = DeskAudit()
    var random: SeededRandom
    /// How far the venue's clock is ahead of the true time.
    var clockSkew = Duration.zero

    init(_ settings: Settings) {
        self.settings = settings
        self.keys = KeyRing(seed: settings.seed)
        self.random = SeededRandom(seed: settings.seed, name: "desk")
    }

    // MARK: Time

    /// When something will happen by itself, at the earliest.
    var nextTime: Timestamp? {
        [self.heartbeats.nextTime, self.availability.nextTime, self.troubles.nextTime].compactMap { $0 }.min()
    }

    /// Does what is due until `time`, in its order.
    mutating func advance(to time: Timestamp, engine: inout some EngineAccess) {
        while let next = self.nextTime, next <= time {
            self.changePhase(at: next, engine: &engine) { $0.advance(to: next) }
            for trouble in self.troubles.take(until: next) {
                _ = engine.handle(trouble.isFinal ? .fail(trouble.trade) : .retry(trouble.trade), at: next)
            }
            for key in self.heartbeats.check(at: next) {
                self.cancelOrders(of: key, at: next, engine: &engine)
                // Nothing more can be placed with it.
                if self.keys[key] == nil { self.heartbeats.forget(key) }
            }
        }
    }

    /// Changes whom the desk serves, and the engine's mode with it.
    mutating func changePhase(
        at time: Timestamp, engine: inout some EngineAccess, _ change: (inout Availability) -> Void
    ) {
        let before = self.availability.mode
        change(&self.availability)
        if self.availability.mode != before { _ = engine.handle(.setMode(self.availability.mode), at: time) }
    }

    private mutating func cancelOrders(of key: String, at time: Timestamp, engine: inout some EngineAccess) {
        guard let signer = self.keys.signer(of: key) else { return }
        for account in self.accounts.accounts(of: signer) {
            let hashes = self.openOrders(of: account, engine.engine).map(\.signed.hash).filter {
                self.placements[$0]?.owner == key
            }
            guard !hashes.isEmpty else { continue }
            for case .canceled(let receipt) in engine.handle(.cancel(account, hashes), at: time).map(\.what) {
                self.audit.heartbeatCancelCount += receipt.canceled.count
            }
        }
    }

    /// Keeps in mind what happened to the accounts of the desk. Everything must come by here once.
    mutating func note(_ events: [EngineEvent]) {
        for event in events {
            switch event.what {
            case .trade(let trade):
                self.history.note(trade) { self.accounts.owned($0) != nil }
                if trade.turn == 0, self.isOurs(trade) { self.troubles.note(trade, at: event.time) }
                self.notices.note(trade, self.accounts, at: event.time)
            case .order(let notice, let order):
                self.audit.note(order)
                self.notices.note(notice, order, self.accounts, at: event.time)
            case .accepted, .refused, .canceled, .accountOpened, .done, .commandRefused, .book, .tick, .resolved: break
            }
        }
    }

    private func isOurs(_ trade: EngineTrade) -> Bool {
        self.accounts.owned(trade.taker) != nil || trade.legs.contains { self.accounts.owned($0.account) != nil }
    }

    // MARK: For the user channel

    /// Whose credentials these are; `nil` when they are wrong.
    func credential(apiKey: String, secret: String, passphrase: String) -> Address? {
        guard let key = self.keys[apiKey], key.kind != .builder, key.secret == secret, key.passphrase == passphrase
        else { return nil }
        return key.signer
    }

    // MARK: Requests

    /// The answer at `time`; `nil` when the path is not the desk's.
    mutating func answer(_ request: PageRequest, at time: Timestamp, engine: inout some EngineAccess) -> Answer? {
        guard let route = DeskRoute(request) else { return nil }
        self.advance(to: time, engine: &engine)
        if let refusal = self.refusal(of: route, at: time) { return refusal }
        guard request.body.count <= Self.bodyByteCountMax else { return .error(413, "the body is too large") }
        switch route.proof {
        case .none where route == .positions: return self.positions(request, engine.engine, at: time)
        case .none where route == .dataStatus: return self.dataStatus(at: time)
        case .none: return self.answerAnybody(route, request, at: time)
        case .signature: return self.answerSigner(route, request, at: time, engine: &engine)
        case .builderKey:
            guard let key = self.key(of: request, .builder, at: time) else { return self.unauthorized() }
            return self.answerBuilder(route, key, request, at: time)
        case .anyKey, .tradingKey:
            guard let key = self.key(of: request, .trading, at: time), route.proof == .anyKey || key.kind == .trading
            else { return self.unauthorized() }
            return self.answer(route, key, request, at: time, engine: &engine)
        }
    }

    /// What the venue says to everybody for now. Source: reference, 2.6, 2.8 and 2.11.
    private func refusal(of route: DeskRoute, at time: Timestamp) -> Answer? {
        if route.placesOrders && self.availability.isGeoblocked(at: time) {
            return .error(403, "Trading restricted in your region")
        }
        guard route.needsEngine else { return nil }
        switch self.availability.phase {
        case .open, .postOnly: return nil
        case .restarting: return .error(425, "the matching engine is restarting")
        case .cancelOnly: return route.placesOrders ? .refusal(.cancelOnly) : nil
        case .disabled: return .refusal(.disabled)
        }
    }

    private mutating func answer(
        _ route: DeskRoute, _ key: APIKey, _ request: PageRequest, at time: Timestamp, engine: inout some EngineAccess
    ) -> Answer {
        switch route {
        case .listKeys, .revokeKey, .closedOnlyStatus, .createReadOnlyKey, .listReadOnlyKeys, .revokeReadOnlyKey,
            .createBuilderKey, .listBuilderKeys:
            return self.answerKeys(route, key, request, at: time, engine: &engine)
        case .placeOrder: return self.placeOrder(request, key, at: time, engine: &engine)
        case .placeOrders: return self.placeOrders(request, key, at: time, engine: &engine)
        case .cancelOrder: return self.cancelOrder(request, key, at: time, engine: &engine)
        case .cancelOrders: return self.cancelOrders(request, key, at: time, engine: &engine)
        case .cancelAll, .cancelMarketOrders: return self.cancelMany(route, request, key, at: time, engine: &engine)
        case .heartbeat: return self.takeHeartbeat(request, key, at: time)
        case .order(let id): return self.order(id, key, engine.engine)
        case .orders: return self.orders(request, key, engine.engine)
        case .trades: return self.trades(request, key, engine.engine)
        case .balance, .updateBalance: return self.balance(route, request, key, at: time, engine: &engine)
        case .notifications, .dropNotifications: return self.notifications(route, request, key)
        case .orderScoring, .ordersScoring: return self.scoring(route, request, key, engine.engine)
        case .rewards, .rewardMarkets: return PageCursor.answer(request, [Int]()) { _, _ in }
        case .rewardTotal: return .json { $0.array { _ in } }
        case .rewardPercentages: return .json { $0.object { _ in } }
        case .createKey, .deriveKey, .revokeBuilderKey, .builderTrades, .geoblock, .rewardTerms, .rebates,
            .builderFees, .positions, .dataStatus:
            preconditionFailure("a request without an API key was taken for one with a key")
        }
    }
}

extension Answer {
    /// The venue's words for an order that is not taken.
    static func refusal(_ refusal: EngineRefusal) -> Answer {
        .json(status: refusal.httpStatus) {
            $0.object {
                $0.key("error")
                $0.string(refusal.text)
                if let code = refusal.code {
                    $0.key("code")
                    $0.string(code)
                }
            }
        }
    }
}
