import Shared

/// The prints of one market as two connections tell them: each is published once, in the leader's order.
struct TradeTape {
    /// Prints that one connection may be ahead of the other; above that the oldest are forgotten.
    static let countMax = 64
    /// A print that is so much older than the book comes too late to be published when the leader changes.
    static let ageMax = Duration.seconds(5)

    /// Published, and not told by the leader yet.
    private var owedByLeader: [TradeBody] = []
    /// Published, and not told by the follower yet.
    private var owedByFollower: [TradeBody] = []
    /// Told by the follower alone.
    private var heard: [TradeBody] = []

    /// The leader told it.
    ///
    /// - Returns: whether it is to be published; it was not if that happened when the leader changed.
    mutating func lead(_ trade: TradeBody) -> Bool {
        if Self.take(trade, from: &self.owedByLeader) { return false }
        if !Self.take(trade, from: &self.heard) { Self.append(trade, to: &self.owedByFollower) }
        return true
    }

    /// The follower told it.
    mutating func follow(_ trade: TradeBody) {
        if !Self.take(trade, from: &self.owedByFollower) { Self.append(trade, to: &self.heard) }
    }

    /// The follower leads from now on.
    ///
    /// - Parameter bookTime: venue's time of its book.
    /// - Returns: what it told and the former leader did not: to be published now.
    mutating func changeLeader(bookTime: Timestamp) -> [TradeBody] {
        let missed = self.heard.filter { bookTime - $0.venueTime <= Self.ageMax }
        self.heard = []
        swap(&self.owedByLeader, &self.owedByFollower)
        for trade in missed { Self.append(trade, to: &self.owedByFollower) }
        return missed
    }

    private static func append(_ trade: TradeBody, to list: inout [TradeBody]) {
        if list.count == Self.countMax { list.removeFirst() }
        list.append(trade)
    }

    private static func take(_ trade: TradeBody, from list: inout [TradeBody]) -> Bool {
        guard let index = list.firstIndex(where: { Self.isSame($0, trade) }) else { return false }
        list.remove(at: index)
        return true
    }

    /// Whether two connections speak of one print: they differ in when it was received.
    private static func isSame(_ a: TradeBody, _ b: TradeBody) -> Bool {
        a.venueTime == b.venueTime && a.outcome == b.outcome && a.price == b.price && a.size == b.size
            && a.takerSide == b.takerSide && a.transaction == b.transaction
    }
}
