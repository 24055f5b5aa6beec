import DaemonKit
import Logging
import Shared

/// What the engine asks for, told step by step. `log(_:)` tells what a person should know; this is for who searches.
extension StrategyService {
    /// Orders at debug, so that `POLYBOT_ORDER` finds an order's whole story; all else at trace.
    func tell(_ action: EngineAction) {
        switch action {
        case .record(let record):
            guard self.logger.isTracing else { return }
            record.line.withUnsafeBufferPointer {
                self.logger.trace("Recorded in the ledger", metadata: ["bytes": "\($0.count)", "text": .traced($0)])
            }
        case .submit(let order):
            self.logger.debug(
                "Order goes to the venue",
                metadata: [
                    "order": "\(order.id)", "hash": "\(order.hash)", "strategy": "\(order.intent.strategy)",
                    "market": "\(order.intent.market)", "outcome": "\(order.intent.outcome)",
                    "side": "\(order.intent.side.rawValue)", "price": "\(order.intent.price)",
                    "size": "\(order.intent.size)",
                ])
        case .cancel(let order): self.logger.debug("Cancel goes to the venue", metadata: ["order": "\(order)"])
        case .publish(.order(let order)):
            self.logger.debug(
                "Order changed its state",
                metadata: [
                    "order": "\(order.order)", "strategy": "\(order.strategy)", "market": "\(order.market)",
                    "state": "\(order.state.rawValue)", "filled": "\(order.filled)", "reason": "\(order.reason ?? "")",
                ])
        case .publish(.decision(let decision)):
            guard self.logger.isTracing else { return }
            let gates = decision.reasons.map { "\($0.gate): \($0.code) (\($0.detail))" }.joined(separator: ", ")
            self.logger.trace(
                "Decision",
                metadata: [
                    "strategy": "\(decision.strategy)", "market": "\(decision.market)",
                    "action": "\(decision.action.rawValue)", "gates": "\(gates)", "update": "\(decision.update)",
                ])
        case .publish(.position(let position)):
            self.logger.trace(
                "Position changed",
                metadata: [
                    "market": "\(position.market)", "strategy": "\(position.strategy ?? "")",
                    "size": "\(position.confirmed)",
                ])
        // Notes are told by `log(_:)`, fills with them; answers go to who asked; the rest is said anew each second.
        case .publish(.fill), .publish(.balance), .publish(.risk), .publish(.strategy), .note, .answer: break
        }
    }
}
