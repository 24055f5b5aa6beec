import Shared

/// One market as the feed tells it: terms, book, and whether the book may be believed.
struct MarketView: Sendable {
    /// Next of each: `trusted` by a whole snapshot that the publisher trusts, or by its later word on an unbroken book.
    enum Trust: Hashable, Sendable {
        case trusted
        /// Followed without a gap since a snapshot that the publisher itself does not trust.
        case followed(TrustReason)
        /// Broken: only the next snapshot helps.
        case lost(TrustReason)
    }

    private(set) var market: Market
    /// As it was last told with its name and dates, which the order book service alone does not know.
    private(set) var described: Market?
    private(set) var book: OrderBook
    private(set) var trust = Trust.lost(.noSnapshot)
    private(set) var epoch: Int64 = 0
    private(set) var update: Int64 = 0
    private(set) var isSettled = false
    /// When the feed received what the book says last.
    private(set) var receivedTime = Timestamp(microseconds: 0)
    /// The outcome, once it is known; within, `nil` when neither won.
    private(set) var resolution: Int64??
    /// Last bid seen in a settled book, for the first and the second outcome: what a share is worth to a seller.
    private(set) var bids: (first: Price?, second: Price?) = (nil, nil)

    init(_ market: Market) {
        self.market = market
        self.described = market.slug.isEmpty ? nil : market
        self.book = OrderBook(tick: market.tick)
    }

    var isTrusted: Bool { self.trust == .trusted }
    var isResolved: Bool { self.resolution != nil }
    var untrustedReason: TrustReason? {
        switch self.trust {
        case .trusted: nil
        case .followed(let reason), .lost(let reason): reason
        }
    }

    func token(_ outcome: Int) -> TokenID { outcome == 0 ? self.market.first.token : self.market.second.token }
    func bid(_ outcome: Int) -> Price? { outcome == 0 ? self.bids.first : self.bids.second }

    mutating func apply(_ market: Market) {
        self.market = market
        if !market.slug.isEmpty { self.described = market }
        if market.tick != self.book.tick { self.book.changeTick(to: market.tick) }
    }

    mutating func apply(_ body: BookBody) {
        guard !self.isResolved else { return }
        if body.tick != self.book.tick {
            self.market.tick = body.tick
            self.book = OrderBook(tick: body.tick)
        } else {
            self.book.removeAll()
        }
        var isWhole = true
        for level in body.bids where !self.book.set(.bid, level.price, level.size) { isWhole = false }
        for level in body.asks where !self.book.set(.ask, level.price, level.size) { isWhole = false }
        self.epoch = body.epoch
        self.update = body.update
        self.isSettled = body.isSettled
        self.receivedTime = body.receivedTime
        self.trust = !isWhole ? .lost(.malformed) : body.isTrusted ? .trusted : .followed(.noSnapshot)
        self.mark()
    }

    /// - Returns: whether the book broke with it.
    mutating func apply(_ body: DeltaBody) -> Bool {
        if case .lost = self.trust { return false }
        guard body.epoch == self.epoch && body.update == self.update + 1 else {
            self.lose(.gap)
            return true
        }
        self.update = body.update
        self.isSettled = body.isSettled
        self.receivedTime = body.receivedTime
        for level in body.levels where !self.book.set(level.side, level.price, level.size) {
            self.lose(.malformed)
            return true
        }
        self.mark()
        return false
    }

    mutating func apply(_ body: TrustBody) {
        switch (body.isTrusted, self.trust) {
        case (false, _): self.lose(body.reason ?? .noSnapshot)
        case (true, .followed) where body.epoch == self.epoch: self.trust = .trusted
        case (true, _): break
        }
    }

    mutating func apply(_ body: TickSizeBody) {
        self.market.tick = body.new
        self.lose(.noSnapshot)
    }

    mutating func apply(_ body: ResolvedBody) {
        // A feed that was begun anew may not know of the winner any more.
        if body.winner != nil || !self.isResolved { self.resolution = .some(body.winner) }
        self.lose(.resolved)
    }

    /// Takes shares out of a level where there are that many: an order that the book does not show yet leaves others' as they are.
    mutating func takeOut(_ side: BookSide, _ price: Price, _ size: Quantity) {
        let shown = self.book.size(side, at: price)
        if shown >= size { _ = self.book.set(side, price, shown - size) }
    }

    mutating func lose(_ reason: TrustReason) {
        self.trust = .lost(reason)
        self.isSettled = false
    }

    private mutating func mark() {
        guard self.isTrusted && self.isSettled else { return }
        if let bid = self.book.bestBid { self.bids.first = bid.price }
        if let ask = self.book.bestAsk { self.bids.second = ask.price.mirrored }
    }
}

/// Every market that the feed tells of.
struct MarketViews: Sendable {
    /// Markets that are followed; the feed carries far fewer.
    static let countMax = 20_000
    /// How long a market is kept after its end when nothing of it is held.
    static let keptAfterEnd = Duration.seconds(3_600)

    private struct Followed {
        var view: MarketView
        /// Up to then every look at it is planned, whatever its book does.
        var plannedUntil: Instant?
    }

    private var followed: [Followed] = []
    /// Where in `followed` a market is.
    private var places: [ConditionID: Int] = [:]
    /// The same by the publisher's numbers; a new instance gives new ones.
    private var numbers: [Int64: Int] = [:]
    /// Frames of numbers that no `market` frame introduced, and markets over `countMax`.
    private(set) var skippedCount: Int64 = 0
    /// Books that broke here, by a gap or a level that cannot be: the publisher does not know, and must be asked anew.
    private(set) var brokenCount: Int64 = 0

    subscript(market: ConditionID) -> MarketView? { self.places[market].map { self.followed[$0].view } }

    var count: Int { self.followed.count }
    var trustedCount: Int { self.followed.count { $0.view.isTrusted } }
    /// All markets, sorted.
    var conditions: [ConditionID] { self.places.keys.sorted() }
    /// All views, sorted by market.
    var sorted: [MarketView] { self.conditions.compactMap { self[$0] } }

    /// Applies what the feed said. Returns the markets that it touches, sorted.
    mutating func apply(_ event: FeedEvent) -> [ConditionID] {
        switch event {
        case .market(let body):
            let condition = body.market.condition
            guard self.places[condition] != nil || self.followed.count < Self.countMax else {
                self.skippedCount += 1
                return []
            }
            let place = self.place(of: body.market)
            self.numbers[body.n] = place
            self.followed[place].view.apply(body.market)
            return [condition]
        case .book(let body): return self.change(body.n) { $0.apply(body) }
        case .delta(let body): return self.apply(body).map { [self.followed[$0].view.market.condition] } ?? []
        case .trade(let body): return self.change(body.n) { _ in }
        case .tickSize(let body): return self.change(body.n) { $0.apply(body) }
        case .resolved(let body): return self.change(body.n) { $0.apply(body) }
        case .tradesDropped(let body): return self.change(body.n) { _ in }
        case .trust(let body):
            switch body.n {
            case .one(let n): return self.change(n) { $0.apply(body) }
            case .all: return self.changeAll { $0.apply(body) }
            }
        case .disconnected:
            self.numbers.removeAll()
            return self.changeAll { if !$0.isResolved { $0.lose(.dropped) } }
        case .alive, .connected: return []
        }
    }

    /// Applies a change of a book.
    ///
    /// - Returns: the market where somebody has to look for it: `nil` while its book is not settled, and while every look is planned.
    mutating func apply(_ body: DeltaBody, now: Instant) -> ConditionID? {
        guard let place = self.apply(body) else { return nil }
        let isPlanned = self.followed[place].plannedUntil.map { now < $0 } ?? false
        if self.followed[place].view.isTrusted && (isPlanned || !self.followed[place].view.isSettled) { return nil }
        return self.followed[place].view.market.condition
    }

    /// Notes up to when every look at a market is planned; `nil` when one is not.
    mutating func plan(_ market: ConditionID, until instant: Instant?) {
        if let place = self.places[market] { self.followed[place].plannedUntil = instant }
    }

    /// Nothing is planned any more.
    mutating func forgetPlans() { for place in self.followed.indices { self.followed[place].plannedUntil = nil } }

    /// Which market a number stands for.
    func condition(_ n: Int64) -> ConditionID? { self.numbers[n].map { self.followed[$0].view.market.condition } }

    private mutating func place(of market: Market) -> Int {
        if let place = self.places[market.condition] { return place }
        self.followed.append(Followed(view: MarketView(market)))
        self.places[market.condition] = self.followed.count - 1
        return self.followed.count - 1
    }

    private mutating func apply(_ body: DeltaBody) -> Int? {
        guard let place = self.numbers[body.n] else {
            self.skippedCount += 1
            return nil
        }
        if self.followed[place].view.apply(body) { self.brokenCount += 1 }
        return place
    }

    private mutating func change(_ n: Int64, _ change: (inout MarketView) -> Void) -> [ConditionID] {
        guard let place = self.numbers[n] else {
            self.skippedCount += 1
            return []
        }
        change(&self.followed[place].view)
        return [self.followed[place].view.market.condition]
    }

    private mutating func changeAll(_ change: (inout MarketView) -> Void) -> [ConditionID] {
        for place in self.followed.indices { change(&self.followed[place].view) }
        return self.conditions
    }

    /// Forgets markets that are resolved or long over, except those that are held.
    mutating func forget(before now: Timestamp, keeping held: Set<ConditionID>) {
        func isOver(_ view: MarketView) -> Bool {
            (view.isResolved || view.market.endTime + Self.keptAfterEnd < now) && !held.contains(view.market.condition)
        }
        guard self.followed.contains(where: { isOver($0.view) }) else { return }
        let conditions = self.numbers.compactMapValues { place -> ConditionID? in
            let view = self.followed[place].view
            return isOver(view) ? nil : view.market.condition
        }
        self.followed.removeAll { isOver($0.view) }
        self.places = [:]
        for (place, followed) in self.followed.enumerated() { self.places[followed.view.market.condition] = place }
        self.numbers = conditions.compactMapValues { self.places[$0] }
    }
}

// MARK: In a journal

extension MarketView {
    /// Appends everything that it holds.
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("market")
            MarketBody(n: 0, market: self.market).write(to: &$0)
            if let described = self.described, described != self.market {
                $0.key("described")
                MarketBody(n: 0, market: described).write(to: &$0)
            }
            $0.member("tick", self.book.tick.micros)
            for side in [BookSide.bid, .ask] {
                $0.key(side == .bid ? "bids" : "asks")
                $0.array {
                    for level in self.book.levels(side) {
                        $0.array {
                            $0.integer(Int64(level.price.micros))
                            $0.integer(level.size.micros)
                        }
                    }
                }
            }
            switch self.trust {
            case .trusted: $0.member("trust", "trusted")
            case .followed(let reason):
                $0.member("trust", "followed")
                $0.member("reason", reason.rawValue)
            case .lost(let reason):
                $0.member("trust", "lost")
                $0.member("reason", reason.rawValue)
            }
            $0.member("epoch", self.epoch)
            $0.member("update", self.update)
            $0.member("settled", self.isSettled)
            $0.member("received_time", self.receivedTime.microseconds)
            if case .some(let winner) = self.resolution {
                $0.member("resolved", true)
                if let winner { $0.member("winner", winner) }
            }
            if let bid = self.bids.first { $0.member("bid_first", Int64(bid.micros)) }
            if let bid = self.bids.second { $0.member("bid_second", Int64(bid.micros)) }
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        var market: Market?
        var described: Market?
        var book: OrderBook?
        var words: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        var isSettled = false
        var isResolved = false
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "market": market = try MarketBody(reading: &reader).market
            case "described": described = try MarketBody(reading: &reader).market
            case "tick":
                guard let tick = TickSize(micros: try reader.integer()) else {
                    throw JSONError(.wrongValue, at: reader.offset, member: "tick")
                }
                book = OrderBook(tick: tick)
            case "bids": try Self.levels(.bid, &book, &reader)
            case "asks": try Self.levels(.ask, &book, &reader)
            case "trust", "reason": words[key.string] = try reader.string().string
            case "settled": isSettled = try reader.bool()
            case "resolved": isResolved = try reader.bool()
            case "epoch", "update", "received_time", "winner", "bid_first", "bid_second":
                numbers[key.string] = try reader.integer()
            default: try reader.skip()
            }
        }
        let present = try reader.need(market, "market")
        self.market = present
        self.described = described ?? (present.slug.isEmpty ? nil : present)
        self.book = try reader.need(book, "tick")
        let reason = words["reason"].flatMap { TrustReason(rawValue: $0) }
        switch words["trust"] {
        case "trusted": self.trust = .trusted
        case "followed": self.trust = .followed(try reader.need(reason, "reason"))
        default: self.trust = .lost(try reader.need(reason, "reason"))
        }
        self.epoch = try reader.need(numbers["epoch"], "epoch")
        self.update = try reader.need(numbers["update"], "update")
        self.isSettled = isSettled
        self.receivedTime = Timestamp(microseconds: try reader.need(numbers["received_time"], "received_time"))
        if isResolved { self.resolution = .some(numbers["winner"]) }
        self.bids = (
            numbers["bid_first"].flatMap { Price(micros: $0) }, numbers["bid_second"].flatMap { Price(micros: $0) }
        )
    }

    private static func levels(
        _ side: BookSide, _ book: inout OrderBook?, _ reader: inout JSONReader
    ) throws(JSONError) {
        try reader.array { (reader) throws(JSONError) in
            let level = try reader.integers(2)
            guard let price = Price(micros: level[0]), book?.set(side, price, Quantity(micros: level[1])) == true else {
                throw JSONError(.wrongValue, at: reader.offset, member: "levels")
            }
        }
    }
}

extension MarketViews {
    /// Appends everything that it holds, sorted.
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("views")
            $0.array { for view in self.sorted { view.write(to: &$0) } }
            $0.key("numbers")
            $0.array {
                for (n, place) in self.numbers.sorted(by: { $0.key < $1.key }) {
                    $0.object {
                        $0.member("n", n)
                        $0.member("market", self.followed[place].view.market.condition.description)
                    }
                }
            }
            $0.member("skipped", self.skippedCount)
            $0.member("broken", self.brokenCount)
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "views":
                try reader.array { (reader) throws(JSONError) in
                    let view = try MarketView(reading: &reader)
                    self.followed[self.place(of: view.market)].view = view
                }
            case "numbers":
                try reader.array { (reader) throws(JSONError) in
                    let fields = try Fields(reading: &reader)
                    guard let place = self.places[try fields.condition("market")] else {
                        throw JSONError(.wrongValue, at: reader.offset, member: "market")
                    }
                    self.numbers[try fields.integer("n")] = place
                }
            case "skipped": self.skippedCount = try reader.integer()
            case "broken": self.brokenCount = try reader.integer()
            default: try reader.skip()
            }
        }
    }
}
