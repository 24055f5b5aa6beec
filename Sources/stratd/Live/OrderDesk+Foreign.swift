import Shared

/// Trades of the account by orders that the ledger does not know: of one that was sent just before a loss of power, or by
/// somebody else who trades on the account. Source: reference, 2.6.
extension OrderDesk {
    /// A part of a trade, as it was seen.
    struct SeenPart: Hashable, Sendable {
        let trade: String
        let order: String
    }
    /// Parts that are remembered; beyond them no foreign one is told, and the balance tells of it instead.
    static let seenCountMax = 50_000
    /// Trades with a part that cannot be read that are remembered; of more none is told.
    static let unreadCountMax = 1_000
    /// How much sooner a trade may be that the ledger lacks than the last that was read: the venue tells whole seconds.
    static let lossMax = Duration.seconds(2)

    /// Tells of the account's parts in a trade that no order of ours had.
    ///
    /// Only what was matched within the time that is read again and again can be new: of what was matched before, orders of
    /// ours may be forgotten by now.
    mutating func noteParts(of trade: VenueTrade) {
        let isWaiting = self.unsettled[trade.id] != nil
        for part in trade.parts {
            let isOurs = self.entries[part.order] != nil || self.ended[part.order] != nil
            guard isOurs || part.isOwn else { continue }
            let key = SeenPart(trade: trade.id, order: part.order)
            let isNew = self.seen[key] == nil
            if isNew && self.seen.count < Self.seenCountMax { self.seen[key] = trade.time }
            guard !isOurs else { continue }
            // A trade may have two parts of ours, one of which is known.
            if isNew, self.seen[key] != nil, trade.time >= max(self.foreignSince, self.tradesReadTo) {
                guard trade.settlement != .failed else { continue }
                self.tell(OrderID(number: 0), .foreign(hash: part.order, VenueFill(part, of: trade)), trade.time)
                if trade.settlement != .confirmed && self.unsettled.count < Self.unsettledCountMax {
                    self.unsettled[trade.id] = trade.time
                }
            } else if isWaiting {
                self.tell(OrderID(number: 0), .foreignSettled(trade: trade.id, trade.settlement), trade.time)
            }
        }
    }

    /// Tells once of a trade of which a part of the account's cannot be read. Until it can, not all trades since then are read: the next
    /// start looks for it again.
    mutating func noteUnread(_ trade: VenueTrade) {
        guard trade.hasUnreadPart && trade.settlement != .failed else {
            self.unread[trade.id] = nil
            return
        }
        guard self.unread[trade.id] == nil, self.unread.count < Self.unreadCountMax else { return }
        self.unread[trade.id] = trade.time
        self.note(.unreadPart(trade: trade.id))
    }

    /// Up to when all trades were told, after a reading of what was matched before `time`.
    func tradesTold(to time: Timestamp) -> Timestamp { self.unread.values.reduce(time) { min($0, $1) } }

    mutating func forgetSeen() {
        let end = self.tradesReadTo
        self.seen = self.seen.filter { $0.value >= end || self.unsettled[$0.key.trade] != nil }
    }
}

extension VenueFill {
    /// A part of a trade; a maker pays no fee.
    init(_ part: VenueTrade.Part, of trade: VenueTrade) {
        self.init(
            trade: trade.id, token: part.token, side: part.side, price: part.price, size: part.size,
            fee: part.liquidity == .maker ? .zero : nil, money: part.money, liquidity: part.liquidity,
            settlement: trade.settlement)
    }
}
