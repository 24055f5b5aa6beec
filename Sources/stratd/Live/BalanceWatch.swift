import Shared

/// Compares what the venue says that the account holds with the ledger, and tells what to make of a difference.
///
/// What waits for the chain is reckoned back, as the venue tells of the chain. News travel by different ways, so that a difference
/// counts only when two looks in a row, some seconds apart, find the same.
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

    /// Tokens that are looked at in one round: the venue is asked for each.
    static let tokenCountMax = 20

    private var lastDifference: Money?
    private var lastShares: [TokenID: Quantity] = [:]
    private var lastToken: TokenID?
    private var agreedFillCount: Int64 = 0

    /// - Parameters:
    ///   - balance: the venue's, settled.
    ///   - fillCount: fills since the start.
    mutating func compare(_ balance: Money, _ ledger: OrderLedger, fillCount: Int64) -> Verdict {
        let difference = balance - Self.settledCash(ledger)
        defer { self.lastDifference = difference }
        guard difference != .zero else {
            self.agreedFillCount = fillCount
            return .agrees
        }
        guard difference == self.lastDifference else { return .moving }
        if difference > .zero && difference <= ledger.receivable { return .redeemed(difference) }
        guard abs(difference.micros) <= (fillCount - self.agreedFillCount) * Self.roundingPerFill else {
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

    /// - Parameter balance: the venue's, settled.
    mutating func compare(_ balance: Quantity, of token: TokenID, _ ledger: OrderLedger) -> ShareVerdict {
        let difference = balance - Self.settledShares(of: token, ledger)
        guard difference != .zero else {
            self.lastShares[token] = nil
            return .agrees
        }
        defer { self.lastShares[token] = difference }
        return self.lastShares[token] == difference ? .differs(difference) : .moving
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
