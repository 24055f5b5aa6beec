import Shared

/// An order that somebody wants, before any limit was asked.
struct OrderIntent: Hashable, Sendable {
    /// Who wants it: a paused strategy may not, an operator who flattens may.
    enum Origin: Hashable, Sendable { case strategy, operators }

    var strategy: String
    var origin: Origin
    var market: ConditionID
    var event: String
    /// 0 the first outcome, 1 the second.
    var outcome: Int
    var token: TokenID
    var side: TradeSide
    var price: Price
    var size: Quantity
    var kind: OrderKind
    var isPostOnly: Bool
    /// Whether another contract settles it: that of markets of which only one can win.
    var isNegRisk = false

    /// What it costs at its limit; for a sale what it brings.
    var notional: Money { self.size.notional(at: self.price, roundedUp: self.side == .buy) }

    /// Which side of the market's one book it rests on: a bid for the second outcome is an ask for the first.
    var bookSide: BookSide { Self.bookSide(outcome: self.outcome, side: self.side) }
    /// Its price in terms of the first outcome.
    var bookPrice: Price { self.outcome == 0 ? self.price : self.price.mirrored }

    static func bookSide(outcome: Int, side: TradeSide) -> BookSide { (side == .buy) == (outcome == 0) ? .bid : .ask }
}

/// The venue's id of a paper order: 32 bytes made of what the order says, in place of a signed order's hash.
///
/// FNV-1a with four offsets: equal content gives equal ids on every machine, which replays rely on. Not for secrets.
enum PaperHash {
    static func of(_ order: OrderID, _ intent: OrderIntent, at time: Timestamp) -> String {
        let text =
            "\(order)|\(intent.token)|\(intent.side.rawValue)|\(intent.price)|\(intent.size)|\(time.microseconds)"
        var words: [UInt64] = []
        for lane in 0..<4 {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (UInt64(lane) &* 0x9E37_79B9_7F4A_7C15)
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            words.append(hash)
        }
        return ConditionID(words: (words[0], words[1], words[2], words[3])).description
    }
}
