import Shared

/// Whose position in which token.
struct PositionKey: Hashable, Comparable, Sendable {
    let token: TokenID
    let strategy: String
    static func < (a: PositionKey, b: PositionKey) -> Bool { (a.token, a.strategy) < (b.token, b.strategy) }
}

/// What one strategy holds of one token, and what became of the money.
///
/// For all positions together, to the micro: cash + cost of what is held = cash at the start + realised − fees.
struct Position: Hashable, Sendable {
    let market: ConditionID
    let token: TokenID
    let outcome: Int
    let event: String
    let strategy: String
    private(set) var size = Quantity.zero
    /// What the held shares cost, fees left out.
    private(set) var cost = Money.zero
    /// Proceeds less cost of what was sold or settled, fees left out.
    private(set) var realised = Money.zero
    private(set) var fees = Money.zero
    /// What a share was last seen to bring: who bid for it, or its last fill where that is younger. `nil` in ledgers from before it
    /// was kept.
    var mark: Mark?
    /// What its market's end took from it, so that what is told late can be booked as if it had come before.
    private(set) var end: End?

    /// A market's end, as it was booked.
    struct End: Hashable, Sendable {
        /// `nil` when each side gets half.
        let winner: Int64?
        let size: Quantity
        let cost: Money
        let payout: Money
    }

    init(market: ConditionID, token: TokenID, outcome: Int, event: String, strategy: String) {
        self.market = market
        self.token = token
        self.outcome = outcome
        self.event = event
        self.strategy = strategy
    }

    var key: PositionKey { PositionKey(token: self.token, strategy: self.strategy) }

    /// Millionths of a pUSD a share, rounded down; zero without a position.
    var averageCost: Int64 {
        self.size > .zero ? Int64(Int128(self.cost.micros) * 1_000_000 / Int128(self.size.micros)) : 0
    }

    /// Books a purchase; `paid` leaves the cash together with `fee`.
    mutating func buy(_ size: Quantity, paid: Money, fee: Money) {
        self.size += size
        self.cost += paid
        self.fees += fee
    }

    /// Books a sale of at most what is held.
    ///
    /// - Returns: what the sold shares had cost.
    @discardableResult
    mutating func sell(_ size: Quantity, received: Money, fee: Money) -> Money {
        precondition(size <= self.size, "the ledger let more be sold than is held")
        // Rounded down: what a rounding leaves stays in the cost of the rest, and the last share takes it along.
        let cost = Money(micros: Int64(Int128(self.cost.micros) * Int128(size.micros) / Int128(self.size.micros)))
        self.size -= size
        self.cost -= cost
        self.realised += received - cost
        self.fees += fee
        return cost
    }

    /// Undoes a fill that failed on the chain.
    mutating func takeBack(_ fill: PendingFill) {
        self.fees -= fill.fee
        switch fill.side {
        case .buy:
            self.size -= fill.size
            self.cost -= fill.money
            // Shares that were sold meanwhile took an average along that this purchase was part of.
            if self.size == .zero || self.cost < .zero {
                self.realised -= self.cost
                self.cost = .zero
            }
        case .sell:
            self.size += fill.size
            self.cost += fill.cost
            self.realised -= fill.money - fill.cost
        }
    }

    /// What its shares become when the market ends; `winner` is `nil` when each side gets half, rounded down to a millionth.
    func payout(winner: Int64?) -> Money {
        switch winner {
        case nil: Money(micros: self.size.micros / 2)
        case Int64(self.outcome): Money(micros: self.size.micros)
        default: .zero
        }
    }

    /// Books the end of the market: every share turns into money. One that had ended before ends anew, as if only this had come.
    ///
    /// - Returns: the payout, or what it is more than that of before.
    @discardableResult
    mutating func settle(winner: Int64?) -> Money {
        let former = self.reopen()
        let end = End(winner: winner, size: self.size, cost: self.cost, payout: self.payout(winner: winner))
        self.end = end
        self.close(at: end.payout)
        return end.payout - (former?.payout ?? .zero)
    }

    /// Gives all shares away for `money`.
    mutating func close(at money: Money) {
        self.realised += money - self.cost
        self.size = .zero
        self.cost = .zero
    }

    /// Undoes the end of the market.
    ///
    /// - Returns: what it had been.
    mutating func reopen() -> End? {
        guard let end = self.end else { return nil }
        self.end = nil
        self.size += end.size
        self.cost += end.cost
        self.realised -= end.payout - end.cost
        return end
    }

    /// As subscribers see it. Profits are told after fees.
    func body(unrealised: Money, pending: (in: Quantity, out: Quantity) = (.zero, .zero)) -> PositionBody {
        PositionBody(
            market: self.market, token: self.token, strategy: self.strategy,
            confirmed: self.size - pending.in + pending.out, pendingIn: pending.in, pendingOut: pending.out,
            averageCost: self.averageCost, realised: self.realised - self.fees,
            unrealised: unrealised)
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("market", self.market.description)
            $0.member("token", self.token.description)
            $0.member("outcome", Int64(self.outcome))
            $0.member("event", self.event)
            $0.member("strategy", self.strategy)
            $0.member("size", self.size.micros)
            $0.member("cost", self.cost.micros)
            $0.member("realised", self.realised.micros)
            $0.member("fees", self.fees.micros)
            if let mark = self.mark { $0.member("mark", mark.micros) }
            guard let end = self.end else { return }
            $0.key("end")
            $0.object {
                if let winner = end.winner { $0.member("winner", winner) }
                $0.member("size", end.size.micros)
                $0.member("cost", end.cost.micros)
                $0.member("payout", end.payout.micros)
            }
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        var market: ConditionID?
        var token: TokenID?
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        var end: End?
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "end": end = try End(reading: &reader)
            case "market": market = try reader.condition()
            case "token": token = try reader.token()
            case "event", "strategy": texts[key.string] = try reader.string().string
            case "outcome", "size", "cost", "realised", "fees", "mark": numbers[key.string] = try reader.integer()
            default: try reader.skip()
            }
        }
        self.init(
            market: try reader.need(market, "market"), token: try reader.need(token, "token"),
            outcome: Int(try reader.need(numbers["outcome"], "outcome")),
            event: try reader.need(texts["event"], "event"),
            strategy: try reader.need(texts["strategy"], "strategy"))
        self.size = Quantity(micros: try reader.need(numbers["size"], "size"))
        self.cost = Money(micros: try reader.need(numbers["cost"], "cost"))
        self.realised = Money(micros: try reader.need(numbers["realised"], "realised"))
        self.fees = Money(micros: try reader.need(numbers["fees"], "fees"))
        self.mark = numbers["mark"].flatMap { Mark(micros: $0) }
        self.end = end
    }
}

extension Position.End {
    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var numbers: [String: Int64] = [:]
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "winner", "size", "cost", "payout": numbers[key.string] = try reader.integer()
            default: try reader.skip()
            }
        }
        self.init(
            winner: numbers["winner"], size: Quantity(micros: try reader.need(numbers["size"], "size")),
            cost: Money(micros: try reader.need(numbers["cost"], "cost")),
            payout: Money(micros: try reader.need(numbers["payout"], "payout")))
    }
}
