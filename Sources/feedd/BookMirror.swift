import Shared

/// The two outcomes of a market tell one book: what the first bids at p, the second asks at 1 − p, in the same size. Source: reference, 3.1.
///
/// Only one message can contradict itself. The venue may tell a level of one outcome alone, or the other's in a message that follows:
/// what is true between two messages of an operation, the hash of its end decides.
enum BookMirror {
    /// Whether both outcomes name a level in `changes`, and in no size that they share.
    static func isBroken(_ changes: [MarketEvent.Change], of market: Market) -> Bool {
        guard changes.count > 1 else { return false }
        for (index, change) in changes.enumerated() where change.token == market.second.token {
            // The pair usually stands together.
            if index > 0, Self.isPair(changes[index - 1], change, of: market) { continue }
            if index + 1 < changes.count, Self.isPair(changes[index + 1], change, of: market) { continue }
            let named = changes.filter { $0.token == market.first.token && Self.isLevel($0, change) }
            if !named.isEmpty && !named.contains(where: { $0.size == change.size }) { return true }
        }
        return false
    }

    private static func isPair(
        _ first: MarketEvent.Change, _ second: MarketEvent.Change, of market: Market
    ) -> Bool { first.token == market.first.token && Self.isLevel(first, second) && first.size == second.size }

    private static func isLevel(_ first: MarketEvent.Change, _ second: MarketEvent.Change) -> Bool {
        first.side != second.side && first.price == second.price.mirrored
    }
}
