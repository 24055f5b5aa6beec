import Shared

/// The trades of each account of the desk. The engine has the trades themselves.
struct TradeHistory: Sendable {
    /// Of one account, and up to as many again; the earliest are forgotten first.
    static let tradeCountMax = 10_000

    private var trades: [AccountID: [TradeID]] = [:]

    /// Earliest first.
    func trades(of account: AccountID) -> [TradeID] { self.trades[account] ?? [] }

    /// Notes a match. What becomes of it later changes nothing here.
    mutating func note(_ trade: EngineTrade, isKept: (AccountID) -> Bool) {
        guard trade.turn == 0 else { return }
        var accounts = [trade.taker]
        for leg in trade.legs where !accounts.contains(leg.account) { accounts.append(leg.account) }
        for account in accounts where isKept(account) {
            self.trades[account, default: []].append(trade.id)
            guard self.trades[account]?.count ?? 0 >= 2 * Self.tradeCountMax else { continue }
            self.trades[account]?.removeFirst(Self.tradeCountMax)
        }
    }
}
