import Shared

/// Compares what the venue says that the account holds with the ledger, and tells what to make of a difference.
///
/// What waits for the chain is reckoned back, as the venue tells of the chain. News travel by different ways, so that a difference
/// counts only when three looks in a row, some seconds apart, find the same, and orders and trades were read between them.
struct BalanceWatch: Sendable {
    /// What may differ for each fill: the venue rounds fees in a direction that it does not document, and money to the micro.
    static let roundingPerFill: Int64 = 20

    enum Verdict: Hashable, Sendable {
        case agrees
        /// Not the same as a minute ago: look again.
        case moving
        /// Rounding, which the ledger takes over.
        case rounding(Money)
        /// Payouts that the ledger waits for have come.
        case redeemed(Money)
        case differs(Money)
    }

    enum ShareVerdict: Hashable, Sendable {
        case agrees
        /// Not the same as a minute ago: look again.
        case moving
        /// So many more than the ledger's; fewer when negative.
        case differs(Quantity)
    }

    /// Looks in a row that must find the same.
    static let lookCount = 3

    /// Tokens that are looked at in one round: the venue is asked for each.
    static let tokenCountMax = 20

    /// The difference of the last looks, and how many in a row found it.
    private var last: (difference: Money, count: Int)?
    private var lastShares: [TokenID: (difference: Quantity, count: Int)] = [:]
    private var lastToken: TokenID?
    /// Fills since the start at the last agreement. Before the first every fill that the ledger knows of may be new to it: an
    /// earlier process may have had no time to compare.
    private var agreedFillCount: Int64?

    /// - Parameters:
    ///   - balance: the venue's, settled.
    ///   - fillCount: fills since the start.
    ///   - isCaughtUp: whether orders and trades were read since the last look.
    mutating func compare(
        _ balance: Money, _ ledger: OrderLedger, fillCount: Int64, isCaughtUp: Bool
    ) -> Verdict {
        let difference = balance - Self.settledCash(ledger)
        guard difference != .zero else {
            self.last = nil
            self.agreedFillCount = fillCount
            return .agrees
        }
        let count = Self.count(difference, self.last, isCaughtUp: isCaughtUp)
        self.last = (difference, count)
        guard count >= Self.lookCount else { return .moving }
        if difference > .zero && difference <= ledger.receivable { return .redeemed(difference) }
        let fills = self.agreedFillCount.map { fillCount - $0 } ?? max(fillCount, ledger.knownFillCount)
        guard abs(difference.micros) <= fills * Self.roundingPerFill else {
            return .differs(difference)
        }
        self.agreedFillCount = fillCount
        return .rounding(difference)
    }

    /// The tokens to look at next, in turn: those that are held.
    mutating func nextTokens(_ ledger: OrderLedger) -> [TokenID] {
        let held = Set(ledger.positions.values.filter { $0.size > .zero }.map(\.token)).sorted()
        self.lastShares = self.lastShares.filter { held.contains($0.key) }
        guard let last = self.lastToken, let start = held.firstIndex(where: { $0 > last }) else {
            self.lastToken = held.prefix(Self.tokenCountMax).last
            return Array(held.prefix(Self.tokenCountMax))
        }
        let next = held[start...].prefix(Self.tokenCountMax)
        self.lastToken = next.last
        return Array(next)
    }

    /// How many looks in a row have found a difference; one that was not caught up counts for none.
    private static func count<Amount: Equatable>(
        _ difference: Amount, _ last: (difference: Amount, count: Int)?, isCaughtUp: Bool
    ) -> Int {
        guard let last, last.difference == difference else { return 1 }
        return last.count + (isCaughtUp ? 1 : 0)
    }

    /// - Parameters:
    ///   - balance: the venue's, settled.
    ///   - isCaughtUp: whether orders and trades were read since the last look.
    mutating func compare(
        _ balance: Quantity, of token: TokenID, _ ledger: OrderLedger, isCaughtUp: Bool
    ) -> ShareVerdict {
        let difference = balance - Self.settledShares(of: token, ledger)
        guard difference != .zero else {
            self.lastShares[token] = nil
            return .agrees
        }
        let count = Self.count(difference, self.lastShares[token], isCaughtUp: isCaughtUp)
        self.lastShares[token] = (difference, count)
        return count >= Self.lookCount ? .differs(difference) : .moving
    }

    /// What the chain should have of a token, whichever strategy holds it.
    static func settledShares(of token: TokenID, _ ledger: OrderLedger) -> Quantity {
        ledger.positions.values.filter { $0.token == token }.reduce(Quantity.zero) { sum, position in
            let pending = ledger.pending(position.key)
            return sum + position.size - pending.in + pending.out
        }
    }

    /// The ledger's cash without what waits for the chain.
    static func settledCash(_ ledger: OrderLedger) -> Money {
        ledger.pending.reduce(ledger.cash - ledger.receivable) { cash, fill in
            fill.side == .buy ? cash + fill.money + fill.fee : cash - (fill.money - fill.fee)
        }
    }
}
