import Shared

/// What an account is told of on the notifications page. Source: reference, 2.3.
struct NoticeBoard: Sendable {
    /// Of one account; the oldest are forgotten first.
    static let noticeCountMax = 100

    enum Kind: Int, Hashable, Sendable {
        case cancel = 1
        case fill = 2
        case fillFailed = 8
    }

    struct Notice: Hashable, Sendable {
        let id: Int
        let kind: Kind
        /// The order or trade.
        let subject: String
        let time: Timestamp
    }

    private var notices: [AccountID: [Notice]] = [:]
    private var count = 0

    /// Oldest first.
    func notices(of account: AccountID) -> [Notice] { self.notices[account] ?? [] }

    mutating func drop(_ ids: Set<Int>, of account: AccountID) {
        self.notices[account]?.removeAll { ids.contains($0.id) }
    }

    mutating func note(_ notice: OrderNotice, _ order: EngineOrder, _ accounts: AccountRegister, at time: Timestamp) {
        guard notice == .cancellation, accounts.owned(order.signed.account) != nil else { return }
        self.add(.cancel, order.signed.hash.description, to: order.signed.account, at: time)
    }

    mutating func note(_ trade: EngineTrade, _ accounts: AccountRegister, at time: Timestamp) {
        let kind: Kind
        switch trade.settlement {
        case .confirmed: kind = .fill
        case .failed: kind = .fillFailed
        case .matched, .mined, .retrying: return
        }
        var parties = [trade.taker]
        for leg in trade.legs where !parties.contains(leg.account) { parties.append(leg.account) }
        for party in parties where accounts.owned(party) != nil {
            self.add(kind, trade.id.description, to: party, at: time)
        }
    }

    private mutating func add(_ kind: Kind, _ subject: String, to account: AccountID, at time: Timestamp) {
        self.count += 1
        if self.notices(of: account).count >= Self.noticeCountMax { self.notices[account]?.removeFirst() }
        self.notices[account, default: []].append(Notice(id: self.count, kind: kind, subject: subject, time: time))
    }
}
