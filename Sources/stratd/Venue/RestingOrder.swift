import Shared

/// A paper order in the venue's book, with its place in the queue. Prices are in terms of the market's first outcome.
///
/// The queue ahead is the size that was displayed when the order came. Prints at its price use the queue up, and cancels
/// shrink it as the assumption says. The venue tells book changes before the print that caused them, so a decrease counts as
/// cancels at first, and is taken back when the print arrives.
struct RestingOrder: Hashable, Sendable {
    let id: OrderID
    let order: ApprovedOrder
    let side: BookSide
    let price: Price
    let assumption: FillAssumption
    /// How many decreases of levels were told before it came: of their trades it had no part.
    let decreasesBefore: Int64
    private(set) var remaining: Quantity
    private(set) var fillCount: Int64
    /// Shares that trade before ours.
    private(set) var queueAhead: Quantity
    /// Size at our price that the feed tells; ours is not in it.
    private var displayed: Quantity
    /// A decrease that no print explains yet, what it took off the queue, and until when a print may still explain it.
    private var shrunk = Quantity.zero
    private var shrunkQueue = Quantity.zero
    private(set) var shrunkUntil: Instant
    /// Printed at our price before the book told of it.
    private var printed = Quantity.zero
    private var printedUntil: Instant
    /// Once its cancel came: how much the prints of trades before it may still tell.
    private var printableYet: Quantity?
    /// Whether the book is not trusted: what happens is not known.
    private(set) var isFlagged = false

    init(
        _ order: ApprovedOrder, remaining: Quantity, fillCount: Int64, decreasesBefore: Int64, displayed: Quantity,
        assumption: FillAssumption, now: Instant
    ) {
        self.id = order.id
        self.assumption = assumption
        self.decreasesBefore = decreasesBefore
        self.order = order
        self.side = order.intent.bookSide
        self.price = order.intent.bookPrice
        self.remaining = remaining
        self.fillCount = fillCount
        self.queueAhead = displayed
        self.displayed = displayed
        self.shrunkUntil = now
        self.printedUntil = now
    }

    /// Whether a print that is still on its way may concern it.
    func mayBePrinted(now: Instant) -> Bool { self.shrunk > .zero && now < self.shrunkUntil }

    /// Its cancel came while a print may be on its way. What the level does from now on concerns it no more.
    mutating func cancelArrived() { self.printableYet = self.printableYet ?? self.shrunk }

    /// The feed told a new size at our price.
    mutating func levelChanged(to size: Quantity, now: Instant, printLag: Duration) {
        guard self.printableYet == nil else { return }
        if size < self.displayed {
            if now >= self.printedUntil { self.printed = .zero }
            var drop = self.displayed - size
            let explained = min(drop, self.printed)
            self.printed -= explained
            drop -= explained
            let before = self.displayed - explained
            if drop > .zero {
                let share = self.queueThatLeft(drop, of: before)
                self.queueAhead -= share
                if now >= self.shrunkUntil { self.forgetShrinking() }
                self.shrunk += drop
                self.shrunkQueue += share
                self.shrunkUntil = now + printLag
            }
        }
        self.displayed = size
        self.queueAhead = min(self.queueAhead, size)
    }

    /// How much of a decrease of our level was ahead of us, should nobody have traded.
    private func queueThatLeft(_ drop: Quantity, of before: Quantity) -> Quantity {
        switch self.assumption {
        // What is left of the level holds the whole queue, as far as it can.
        case .pessimistic: max(.zero, self.queueAhead - (before - drop))
        case .realistic: Self.share(self.queueAhead, drop, of: before)
        case .optimistic: min(self.queueAhead, drop)
        }
    }

    /// A print that our order may be part of: the taker was on the other side, at our price or through it.
    ///
    /// - Parameters:
    ///   - size: without what was traded before the order came.
    ///   - given: shares of the print that went to own orders before this one.
    /// - Returns: how much of the print is ours.
    mutating func printed(
        at price: Price, _ size: Quantity, given: Quantity, now: Instant, printLag: Duration
    ) -> Quantity {
        guard size > .zero else { return .zero }
        let isThrough = self.side == .bid ? price < self.price : price > self.price
        var available = size
        var most = self.remaining
        if let yet = self.printableYet {
            most = min(most, yet)
            self.printableYet = max(.zero, yet - size)
        }
        if isThrough {
            // What traded at a worse price passed ours first.
            self.queueAhead = .zero
        } else {
            if now >= self.shrunkUntil { self.forgetShrinking() }
            let explained = min(size, self.shrunk)
            let back = Self.share(self.shrunkQueue, explained, of: self.shrunk)
            self.shrunk -= explained
            self.shrunkQueue -= back
            self.queueAhead += back
            if explained < size {
                if now >= self.printedUntil { self.printed = .zero }
                self.printed += size - explained
                self.printedUntil = now + printLag
            }
            let consumed = min(self.queueAhead, size)
            self.queueAhead -= consumed
            available -= consumed
        }
        return min(most, max(.zero, available - given))
    }

    mutating func fill(_ size: Quantity) {
        precondition(size <= self.remaining, "a resting order gave more than it had")
        self.remaining -= size
        self.fillCount += 1
    }

    mutating func flag() { self.isFlagged = true }

    /// A fresh book after a time without one: what was ahead is not known. All that is displayed counts as ahead, unless one
    /// is optimistic.
    mutating func requeue(displayed: Quantity) {
        self.isFlagged = false
        self.displayed = displayed
        self.queueAhead = self.assumption == .optimistic ? min(self.queueAhead, displayed) : displayed
        self.forgetShrinking()
        self.printed = .zero
    }

    private mutating func forgetShrinking() {
        self.shrunk = .zero
        self.shrunkQueue = .zero
    }

    /// `part / whole` of `amount`, rounded down; nothing when the whole is nothing.
    private static func share(_ amount: Quantity, _ part: Quantity, of whole: Quantity) -> Quantity {
        guard whole > .zero else { return .zero }
        return Quantity(micros: Int64(Int128(amount.micros) * Int128(part.micros) / Int128(whole.micros)))
    }
}
