import Shared

extension OrderLedger {
    /// What the end of a market concerns: shares, those that the chain may yet bring back, and what was settled for another winner
    /// before this one was told.
    func unsettled(in market: ConditionID, winner: Int64?) -> [Position] {
        let waiting = Set(self.pending.map(\.position))
        let lasting = self.winner(of: market, told: winner)
        return self.sortedPositions.filter {
            guard $0.market == market else { return false }
            guard $0.size == .zero else { return true }
            return $0.end.map { $0.winner != lasting } ?? waiting.contains($0.key)
        }
    }

    /// A word without a winner takes none back: it may be the same end, told by somebody who did not hear of the winner.
    func winner(of market: ConditionID, told winner: Int64?) -> Int64? {
        winner ?? self.positions.values.lazy.filter { $0.market == market }.compactMap { $0.end?.winner }.min()
    }

    /// Markets whose end is remembered, so that another winner can be settled for.
    var endedMarkets: Set<ConditionID> {
        self.positions.values.reduce(into: []) { if $1.end != nil { $0.insert($1.market) } }
    }
}
