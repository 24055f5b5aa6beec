import Shared

/// Actions in one form alone: equal actions have equal bytes, and others have others.
extension EngineAction {
    func write(to writer: inout JSONWriter) {
        writer.object {
            switch self {
            case .record(let record):
                $0.key("record")
                record.write(to: &$0)
            case .submit(let order):
                $0.key("submit")
                order.write(to: &$0)
            case .cancel(let order): $0.member("cancel", order.description)
            case .publish(let publication):
                $0.key("publish")
                publication.write(to: &$0)
            case .note(let note):
                $0.member("note", note.name)
                note.writeFacts(to: &$0)
            case .answer(.done(let value)):
                $0.key("answer")
                (value ?? .null).write(to: &$0)
            case .answer(.failed(let message)): $0.member("failed", message)
            }
        }
    }
}

extension ApprovedOrder {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("order", self.id.description)
            $0.member("hash", self.hash)
            $0.member("time", self.time.microseconds)
            $0.member("fee_reserve", self.feeReserve.micros)
            $0.member("strategy", self.intent.strategy)
            $0.member("by_operator", self.intent.origin == .operators)
            $0.member("market", self.intent.market.description)
            $0.member("event", self.intent.event)
            $0.member("outcome", Int64(self.intent.outcome))
            $0.member("token", self.intent.token.description)
            $0.member("side", self.intent.side.rawValue)
            $0.member("price", Int64(self.intent.price.micros))
            $0.member("size", self.intent.size.micros)
            $0.member("kind", self.intent.kind.rawValue)
            $0.member("post_only", self.intent.isPostOnly)
            $0.member("neg_risk", self.intent.isNegRisk)
        }
    }
}

extension Publication {
    fileprivate func write(to writer: inout JSONWriter) {
        func write<Body: FrameBody>(_ body: Body) {
            writer.object {
                $0.key(dynamic: Body.type.rawValue)
                body.write(to: &$0)
            }
        }
        switch self {
        case .order(let body): write(body)
        case .fill(let body): write(body)
        case .position(let body): write(body)
        case .balance(let body): write(body)
        case .decision(let body): write(body)
        case .risk(let body): write(body)
        case .strategy(let body): write(body)
        }
    }
}

extension EngineNote {
    fileprivate var name: String {
        switch self {
        case .halted: "halted"
        case .resumed: "resumed"
        case .orderRefused: "order_refused"
        case .orderRejected: "order_rejected"
        case .orderWithheld: "order_withheld"
        case .orderUnknown: "order_unknown"
        case .filled: "filled"
        case .filledBeyondLimit: "filled_beyond_limit"
        case .foreignTrade: "foreign_trade"
        case .settlementFailed: "settlement_failed"
        case .balanceDiffers: "balance_differs"
        case .sharesDiffer: "shares_differ"
        case .printsLost: "prints_lost"
        case .marketResolved: "market_resolved"
        case .settledAgain: "settled_again"
        case .rulesChanged: "rules_changed"
        case .limitSet: "limit_set"
        case .clockSet: "clock_set"
        case .contradiction: "contradiction"
        case .flattened: "flattened"
        }
    }

    fileprivate func writeFacts(to writer: inout JSONWriter) {
        switch self {
        case .halted(let reason): writer.member("reason", reason)
        case .resumed: break
        case .orderRefused(let strategy, let market, let refusal):
            writer.member("strategy", strategy)
            writer.member("market", market.description)
            writer.key("refusal")
            refusal.write(to: &writer)
        case .orderRejected(let order, let strategy, let market, let reason),
            .orderWithheld(let order, let strategy, let market, let reason):
            writer.member("order", order.description)
            writer.member("strategy", strategy)
            writer.member("market", market.description)
            writer.member("reason", reason)
        case .orderUnknown(let order, let hash, let reason):
            writer.member("order", order.description)
            writer.member("hash", hash)
            writer.member("reason", reason)
        // The fill itself is recorded and published by the same list.
        case .filled(let fill):
            writer.member("order", fill.order)
            writer.member("trade", fill.trade)
        case .filledBeyondLimit(let fill, let limit):
            writer.member("order", fill.order)
            writer.member("trade", fill.trade)
            writer.member("limit", Int64(limit.micros))
        case .foreignTrade(let fill, let hash, let market):
            writer.member("hash", hash)
            fill.writeMembers(to: &writer)
            if let market { writer.member("market", market.description) }
        case .settlementFailed(let order, let trade, let market):
            writer.member("order", order.description)
            writer.member("trade", trade)
            if let market { writer.member("market", market.description) }
        case .balanceDiffers(let money): writer.member("money", money.micros)
        case .sharesDiffer(let token, let difference):
            writer.member("token", token.description)
            writer.member("difference", difference.micros)
        case .printsLost(let market, let count):
            writer.member("market", market.description)
            writer.member("count", count)
        case .marketResolved(let market, let winner):
            writer.member("market", market.description)
            if let winner { writer.member("winner", winner) }
        case .settledAgain(let market, let winner, let money):
            writer.member("market", market.description)
            if let winner { writer.member("winner", winner) }
            writer.member("money", money.micros)
        case .rulesChanged(let market, let change):
            writer.member("market", market.description)
            writer.member("change", change)
        case .limitSet(let name, let value, let configured, let holds):
            writer.member("limit", name)
            writer.member("value", value)
            writer.member("configured", configured)
            writer.member("holds", holds)
        case .clockSet(let step): writer.member("step", step.nanoseconds)
        case .contradiction(let error): writer.member("reason", error.description)
        case .flattened(let market, let isWhole):
            writer.member("market", market.description)
            writer.member("nothing_held", isWhole)
        }
    }
}
