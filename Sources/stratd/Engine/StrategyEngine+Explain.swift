import Shared

extension StrategyEngine {
    /// The last decision of each strategy in a market, how each limit stands now, and what it would do.
    func explain(_ market: ConditionID, now: Moment) -> CommandOutcome {
        guard let view = self.views[market].map(self.marketOfOthers) else {
            return .failed("the feed does not tell of market \(market)")
        }
        let context = self.context(view, now: now)
        return .done(
            .object([
                "market": .string(market.description), "trusted": .bool(view.isTrusted),
                "settled": .bool(view.isSettled),
                "open_orders": .number("\(self.ledger.openOrders(in: market).count)"),
                "strategies": .array(self.slots.indices.map { self.explain(view, slot: $0, context, now: now) }),
            ]))
    }

    private func explain(_ view: MarketView, slot index: Int, _ context: RiskContext, now: Moment) -> JSONValue {
        let slot = self.slots[index]
        let standings = self.gate.standings(strategy: slot.name, context, now: now)
        var members: [String: JSONValue] = ["strategy": .string(slot.name), "limits": Self.json(standings)]
        if let shut = standings.first(where: { !$0.isKept }) {
            members["closed"] = .object(["code": .string(shut.code.rawValue), "detail": .string(shut.detail)])
        } else {
            let key = LookKey(market: view.market.condition, slot: index)
            let isWaiting = self.rejectionWait(key, now: now) != nil
            members["wants"] = self.wants(view, slot, context, isWaiting: isWaiting, now: now)
        }
        if let decision = self.decisions[LookKey(market: view.market.condition, slot: index)] {
            members["action"] = .string(decision.body.action.rawValue)
            members["time"] = .number("\(decision.body.time.microseconds)")
            members["update"] = .number("\(decision.body.update)")
            members["reasons"] = .array(
                decision.body.reasons.map {
                    .object(["gate": .string($0.gate), "code": .string($0.code), "detail": .string($0.detail)])
                })
        }
        return .object(members)
    }

    /// What the strategy would want if it looked now; of what would be placed also how each limit of an order stands.
    ///
    /// - Parameter isWaiting: whether nothing is placed for a time, as the venue rejected what was.
    private func wants(
        _ view: MarketView, _ slot: Slot, _ context: RiskContext, isWaiting: Bool, now: Moment
    ) -> JSONValue {
        guard case .quote(let wanted) = slot.maker.decide(self.input(view, slot, now: now)) else { return .array([]) }
        let orders = self.ledger.openOrders(in: view.market.condition)
        let own = orders.filter { $0.body.strategy == slot.name }
        let steps = self.steps(from: own, to: wanted, view, slot, now: now)
        return .array(
            wanted.map { wish in
                var members: [String: JSONValue] = [
                    "side": .string(wish.side.rawValue), "outcome": .number("\(wish.outcome)"),
                    "price": .string("\(wish.price)"), "size": .string("\(wish.size)"),
                ]
                if steps.place.contains(wish), !isWaiting {
                    let intent = self.intent(wish, view, slot)
                    members["state"] = .string("place")
                    members["limits"] = Self.json(self.gate.standings(of: intent, context, now: now))
                } else {
                    let rests = own.contains {
                        $0.outcome == wish.outcome && $0.body.side == wish.side && $0.body.state != .cancelling
                            && !steps.cancel.contains($0.id)
                    }
                    members["state"] = .string(rests ? "rests" : "waits")
                }
                return .object(members)
            })
    }

    private static func json(_ standings: [RiskGate.Standing]) -> JSONValue {
        .array(
            standings.map {
                .object([
                    "code": .string($0.code.rawValue), "kept": .bool($0.isKept), "detail": .string($0.detail),
                ])
            })
    }
}
