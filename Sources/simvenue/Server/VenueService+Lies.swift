import Shared

/// What a connection is told that is lied to: books with a size that nobody offers, each with the right hash of itself.
extension VenueService {
    /// What the lie adds to the best bid.
    private static let lieSize = Quantity(shares: 7)

    private func isLied(_ slot: Int, to subscriber: MarketSubscriber, at time: Int64) -> Bool {
        guard let lie = subscriber.lie, time < lie.until else { return false }
        return lie.slot == nil || lie.slot == slot
    }

    /// The market as that connection is shown it.
    func shown(_ slot: Int, to subscriber: MarketSubscriber, at time: Int64) -> ListedMarket {
        var listed = self.core.listing[slot]
        guard self.isLied(slot, to: subscriber, at: time), let best = listed.book.bestBid else { return listed }
        _ = listed.book.set(.bid, best.price, best.size + Self.lieSize)
        var hasher = BookHasher()
        listed.seal(at: listed.bookTime, hasher: &hasher)
        return listed
    }

    /// Puts whole books in the place of what tells of lied markets.
    func lie(in batch: MessageBatch, to subscriber: MarketSubscriber, at time: Int64) -> MessageBatch {
        var lied: [Int] = []
        var told = MessageBatch()
        for entry in batch.entries {
            let bytes = batch.bytes[entry.range]
            let slots = ([entry.audience] + entry.others).compactMap(\.slot)
            guard slots.contains(where: { self.isLied($0, to: subscriber, at: time) }), Self.tellsOfBook(bytes) else {
                told.append(for: entry.audience, others: entry.others) { $0 += bytes }
                continue
            }
            for slot in slots where !lied.contains(slot) { lied.append(slot) }
        }
        for slot in lied {
            let listed = self.shown(slot, to: subscriber, at: time)
            for (outcome, tokens) in [Audience.first, Audience.second].enumerated() {
                told.append(for: .market(slot, tokens: tokens)) {
                    var writer = JSONWriter()
                    MarketMessages.book(listed, outcome: outcome, isAfterTrade: false, to: &writer)
                    $0 += writer.bytes
                }
            }
        }
        return told
    }

    private static func tellsOfBook(_ bytes: ArraySlice<UInt8>) -> Bool {
        let head = bytes.prefix(40)
        return [#""price_change""#, #""book""#].contains { head.firstRange(of: $0.utf8) != nil }
    }
}
