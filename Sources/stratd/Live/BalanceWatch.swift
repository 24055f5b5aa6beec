import Shared

/// Compares what the venue says that the account holds with the ledger, and tells what to make of a difference.
///
/// What waits for the chain is reckoned back, as the venue tells of the chain. News travel by different ways, so that a difference
/// counts only when two looks in a row, with a minute between them, find the same.
struct BalanceWatch: Sendable {
    /// What may differ for each fill: the venue rounds fees in a direction that it does not document, and money to the micro.
    static let roundingPerFill: Int64 = 20

    enum Verdict: Hashable, Sendable {
        case agrees
        /// Not the same as a minute ago: look again.
        case moving
        /// Rounding, which the ledger takes over.
        case rounding(Money)
        case differs(Money)
    }

    private var lastDifference: Money?
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
        guard abs(difference.micros) <= (fillCount - self.agreedFillCount) * Self.roundingPerFill else {
            return .differs(difference)
        }
        self.agreedFillCount = fillCount
        return .rounding(difference)
    }

    /// The ledger's cash without what waits for the chain.
    static func settledCash(_ ledger: OrderLedger) -> Money {
        ledger.pending.reduce(ledger.cash) { cash, fill in
            fill.side == .buy ? cash + fill.money + fill.fee : cash - (fill.money - fill.fee)
        }
    }
}
