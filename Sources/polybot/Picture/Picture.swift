import Shared

/// What the daemons say of themselves, put together: frames in, one picture out.
struct Picture {
    /// Names of markets that left the universe and are kept for display.
    static let formerNameCountMax = 1_000
    /// Orders and trades that are remembered, to count each once.
    static let countedMax = 100_000
    /// Reports of the feed that are looked at for "not trusted": a market that was just added has no book for a moment.
    static let steadyReportCount = 3

    /// Counters that are summed over the lives of a daemon.
    private static let summed: [ChildName: [String]] = [
        .feedd: ["messages"], .stratd: ["orders", "fills", "decisions"],
    ]

    /// One daemon's connection.
    struct Line: Hashable {
        var isConnected = false
        var pid: Int64?
        /// Why there is no connection.
        var problem: String?
    }

    struct PositionKey: Hashable, Comparable {
        let market: ConditionID
        let token: TokenID
        let strategy: String
        static func < (a: Self, b: Self) -> Bool {
            (a.market, a.token, a.strategy) < (b.market, b.token, b.strategy)
        }
    }

    private(set) var lines: [ChildName: Line] = [:]
    private(set) var feed: FeedStatus?
    private(set) var scan: ScanStatus?
    private(set) var risk: RiskStatus?
    private(set) var balance: BalanceBody?
    private(set) var strategies: [String: StrategyStatus] = [:]
    private(set) var metrics: [ChildName: [String: Int64]] = [:]
    private(set) var openOrders: [String: OrderBody] = [:]
    private(set) var positions: [PositionKey: PositionBody] = [:]

    /// Looks of the strategies at a market, each of which may change its quotes, in the last whole second.
    private(set) var decisionsPerSecond: Int64?
    /// Most books that were carried and not trusted at once, since all were trusted for the first time.
    private(set) var mostUntrusted: Int64?
    /// Frames that could not be read. Zero unless a daemon speaks another version.
    private(set) var malformedCount: Int64 = 0

    /// Counters of daemons that have ended since the picture began: each begins anew with its process.
    private var formerCounters: [ChildName: [String: Int64]] = [:]
    private var seenOrderCount: Int64 = 0
    private var seenFillCount: Int64 = 0
    private var recentUntrusted: [Int64] = []
    private var markets: [ConditionID: Market] = [:]
    private var formerMarkets: [ConditionID] = []
    private var countedOrders = RecentSet<String>(countMax: Picture.countedMax)
    private var countedTrades = RecentSet<String>(countMax: Picture.countedMax)

    // MARK: What comes in

    /// `daemon` answers; what it said in an earlier life no longer holds.
    mutating func connected(_ daemon: ChildName, _ hello: Hello) {
        self.lines[daemon] = Line(isConnected: true, pid: hello.pid)
        if daemon == .stratd {
            // All that is open comes again.
            self.openOrders = [:]
            self.positions = [:]
            self.strategies = [:]
        }
    }

    /// `daemon` does not answer.
    mutating func disconnected(_ daemon: ChildName, _ reason: String) {
        self.lines[daemon] = Line(problem: reason)
        switch daemon {
        case .feedd:
            self.feed = nil
            self.recentUntrusted = []
        case .scannerd: self.scan = nil
        case .stratd:
            self.risk = nil
            self.decisionsPerSecond = nil
        case .simvenue: break
        }
        for name in Self.summed[daemon] ?? [] {
            self.formerCounters[daemon, default: [:]][name, default: 0] += self.metrics[daemon]?[name] ?? 0
        }
        self.metrics[daemon] = nil
    }

    /// Takes one frame of `daemon`. What is unknown is passed over.
    mutating func take(_ envelope: Envelope, from daemon: ChildName) {
        do throws(FrameError) {
            try self.read(envelope, from: daemon)
        } catch {
            self.malformedCount += 1
        }
    }

    private mutating func read(_ envelope: Envelope, from daemon: ChildName) throws(FrameError) {
        switch FrameType(rawValue: envelope.type) {
        case .metrics: self.take(try envelope.decode(Metrics.self), from: daemon)
        case .feedStatus: self.take(try envelope.decode(FeedStatus.self))
        case .scanStatus: self.scan = try envelope.decode(ScanStatus.self)
        case .universe: for market in try envelope.decode(UniverseBody.self).markets { self.name(market) }
        case .marketAdded: self.name(try envelope.decode(MarketAdded.self).market)
        case .marketRemoved: self.forget(try envelope.decode(MarketRemoved.self).market)
        case .order: self.take(try envelope.decode(OrderBody.self))
        case .fill: self.take(try envelope.decode(FillBody.self))
        case .position: self.take(try envelope.decode(PositionBody.self))
        case .balance: self.balance = try envelope.decode(BalanceBody.self)
        case .riskStatus: self.risk = try envelope.decode(RiskStatus.self)
        case .strategyStatus:
            let status = try envelope.decode(StrategyStatus.self)
            self.strategies[status.strategy] = status
        default: break
        }
    }

    /// Comes each second.
    private mutating func take(_ metrics: Metrics, from daemon: ChildName) {
        if daemon == .stratd, let decisions = metrics.values["decisions"],
            let before = self.metrics[.stratd]?["decisions"]
        {
            self.decisionsPerSecond = max(0, decisions - before)
        }
        self.metrics[daemon] = metrics.values
    }

    private mutating func take(_ status: FeedStatus) {
        self.feed = status
        let untrusted = status.markets - status.trusted
        if self.recentUntrusted.count == Self.steadyReportCount { self.recentUntrusted.removeFirst() }
        self.recentUntrusted.append(untrusted)
        if let most = self.mostUntrusted {
            self.mostUntrusted = max(most, untrusted)
        } else if status.trusted > 0 && untrusted == 0 {
            self.mostUntrusted = 0
        }
    }

    private mutating func take(_ order: OrderBody) {
        self.openOrders[order.order] = order.state.isFinished ? nil : order
        // What the risk gate or the venue refused was never an order there.
        guard order.state != .intended && order.state != .rejected else { return }
        if self.countedOrders.insert(order.order) { self.seenOrderCount += 1 }
    }

    private mutating func take(_ fill: FillBody) {
        // A fill comes again at each step of its settlement.
        if self.countedTrades.insert("\(fill.trade) \(fill.order)") { self.seenFillCount += 1 }
    }

    private mutating func take(_ position: PositionBody) {
        let key = PositionKey(market: position.market, token: position.token, strategy: position.strategy ?? "")
        let isFlat = [position.confirmed, position.pendingIn, position.pendingOut].allSatisfy { $0 == .zero }
        self.positions[key] = isFlat ? nil : position
    }

    // MARK: Names

    private mutating func name(_ market: Market) { self.markets[market.condition] = market }

    /// Positions outlive the scanner's interest, so the name stays for a while.
    private mutating func forget(_ condition: ConditionID) {
        self.formerMarkets.append(condition)
        guard self.formerMarkets.count > Self.formerNameCountMax else { return }
        self.markets[self.formerMarkets.removeFirst()] = nil
    }

    /// What people call the market; its condition where the scanner has not told.
    func name(of condition: ConditionID) -> String {
        if let slug = self.markets[condition]?.slug, !slug.isEmpty { return slug }
        return condition.description.prefix(12) + "…"
    }

    /// The label of one of the market's outcomes.
    func label(of token: TokenID, in condition: ConditionID) -> String {
        guard let market = self.markets[condition] else { return "?" }
        return token == market.first.token
            ? market.first.label : token == market.second.token ? market.second.label : "?"
    }

    // MARK: What comes out

    var trusted: Int64 { self.feed?.trusted ?? 0 }

    /// Books that are carried and not trusted, and not only since a moment ago.
    var untrusted: Int64 { self.recentUntrusted.min() ?? 0 }

    /// Messages of the venue.
    var messageCount: Int64 { self.counter("messages", of: .feedd) }
    /// Orders sent. What was seen is exact to the end, what stratd says counts from its start: the picture may have begun
    /// later.
    var orderCount: Int64 { max(self.seenOrderCount, self.counter("orders", of: .stratd)) }
    var fillCount: Int64 { max(self.seenFillCount, self.counter("fills", of: .stratd)) }
    var decisionCount: Int64 { self.counter("decisions", of: .stratd) }

    /// A daemon's counter over all its lives that the picture has seen.
    private func counter(_ name: String, of daemon: ChildName) -> Int64 {
        (self.formerCounters[daemon]?[name] ?? 0) + (self.metrics[daemon]?[name] ?? 0)
    }

    /// Not realised yet, over all positions.
    var unrealised: Money { self.positions.values.reduce(.zero) { $0 + $1.unrealised } }

    /// Whether every daemon has said how it stands.
    var isComplete: Bool {
        self.feed != nil && self.scan != nil && self.risk != nil && self.balance != nil && self.metrics[.feedd] != nil
            && self.decisionsPerSecond != nil
    }
}
