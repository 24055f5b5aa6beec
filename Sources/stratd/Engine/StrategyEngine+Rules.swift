import Shared

extension StrategyEngine {
    /// Markets whose changed rules nobody has looked at; with more of them trading halts.
    static let changedMarketCountMax = 200

    /// The feed described a market anew.
    ///
    /// - Parameter former: as it was described before; `nil` for one that is new.
    mutating func described(_ market: Market, formerly former: Market?, now: Moment) {
        let condition = market.condition
        // Without a name only the order book service's part is known.
        guard let former, former != market, !market.slug.isEmpty else { return }
        guard let change = RuleChange.text(from: former, to: market) else {
            // Tick, smallest order or fee: orders that do not fit any more are not left for long.
            if self.views[condition]?.isTrusted == true { self.look([condition], now: now) }
            return
        }
        let isKnown = self.ledger.changedRules[condition] != nil
        guard isKnown || self.ledger.changedRules.count < Self.changedMarketCountMax else {
            return self.halt("rules_changed", now: now)
        }
        self.record(.rulesChanged(condition, change), now: now)
        self.note(.rulesChanged(market: condition, change))
        self.lookNow([condition], now: now)
    }

    /// Markets of which the feed may yet tell another winner than the one that the ledger has settled for.
    var correctable: Set<ConditionID> {
        self.ledger.endedMarkets.filter { self.views[$0].map { $0.untrustedReason != .removed } ?? false }
    }

    /// Changed rules of markets that have ended, or that nobody follows any more, are of no interest.
    mutating func forgetRules(now: Moment) {
        let gone = self.ledger.changedRules.keys.filter { self.views[$0] == nil || self.views[$0]?.isResolved == true }
        let held = gone.isEmpty ? [] : self.ledger.markets
        for market in gone.sorted() where !held.contains(market) { self.record(.rulesForgotten(market), now: now) }
    }
}
