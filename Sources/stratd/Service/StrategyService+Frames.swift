import DaemonKit
import Logging
import Shared

/// Frames of the feed, requests of subscribers, commands of operators.
extension StrategyService {
    // MARK: The feed

    func takeFeed(_ envelope: Envelope) {
        self.messageCount += 1
        do throws(FrameError) {
            guard let event = try FeedEvent(envelope) else { return self.count("feed_frames_skipped") }
            let lookCount = self.engine.lookCount
            self.hear(event, sentTime: envelope.sentTime, frame: envelope.body)
            // How long after its arrival at the feed a decision on it was made.
            if self.engine.lookCount > lookCount, let received = event.bookTime {
                self.latency.record((Timestamp.now() - received).nanoseconds / 1_000)
            }
        } catch {
            // Nobody knows which book it was about: none is trusted until the feed has told all anew.
            self.count("feed_frames_malformed")
            self.logger.error(
                "Cannot read a frame of the feed", metadata: ["type": "\(envelope.type)", "reason": "\(error)"])
            self.hear(
                .trust(TrustBody(n: .all, epoch: 0, isTrusted: false, reason: .malformed)), sentTime: envelope.sentTime)
            self.feed.send(Subscribe(id: 4, markets: .all))
        }
    }

    // MARK: Requests

    func take(_ envelope: Envelope, from peer: FramePeer) {
        do throws(FrameError) {
            switch FrameType(rawValue: envelope.type) {
            case .subscribe:
                let request = try envelope.decode(Subscribe.self)
                peer.isSubscribed = true
                peer.interest = .all
                if let id = request.id { self.server.send(ResultBody(id: id, .ok(nil)), to: peer) }
                self.sendSnapshot(to: peer)
            case .halt, .resume, .cancelAll, .flatten, .pauseStrategy, .resumeStrategy, .setLimit, .explain:
                self.takeCommand(try Command(envelope), envelope.type, from: peer)
            default:
                self.count("requests_skipped")
                self.logger.debug("Frame skipped", metadata: ["type": "\(envelope.type)", "peer": "\(peer.id)"])
            }
        } catch {
            self.server.end(peer, .badRequest, "\(envelope.type): \(error)")
        }
    }

    private func takeCommand(_ command: Command, _ type: String, from peer: FramePeer) {
        guard peer.credentials.isOperator else {
            self.count("commands_refused")
            self.logger.warning(
                "Refused a command of somebody who is no operator",
                metadata: ["command": "\(type)", "uid": "\(peer.credentials.uid)", "pid": "\(peer.credentials.pid)"])
            return self.answer(
                command, .failed(code: .notAllowed, message: "commands are for members of \(Access.operatorsGroup)"),
                to: peer)
        }
        let asked: OperatorCommand
        do throws(BadCommand) { asked = try Self.parse(type, command.body) } catch {
            return self.answer(command, .failed(code: .badRequest, message: error.message), to: peer)
        }
        if asked == .resume && self.isJournalDown {
            return self.answer(
                command,
                .failed(code: .badRequest, message: "the journal still cannot be written: make room on the disk first"),
                to: peer)
        }
        if case .explain = asked {
        } else {
            var metadata: Logger.Metadata = [
                "command": "\(type)", "uid": "\(peer.credentials.uid)",
                "reason": "\(String((command.body["reason"]?.string ?? "").prefix(200)))",
            ]
            if case .setLimit(let name, let value) = asked {
                metadata["limit_name"] = "\(name.prefix(64))"
                metadata["value"] = "\(value)"
            }
            self.logger.notice("An operator gave a command", metadata: metadata)
        }
        for case .answer(let outcome) in self.take(.command(asked), now: .now()) {
            switch outcome {
            case .done(let value): self.answer(command, .ok(value), to: peer)
            case .failed(let message): self.answer(command, .failed(code: .badRequest, message: message), to: peer)
            }
        }
        self.schedule()
    }

    /// To a request with an id a result; to one without, an error where it failed.
    private func answer(_ command: Command, _ outcome: ResultBody.Outcome, to peer: FramePeer) {
        if let id = command.id {
            self.server.send(ResultBody(id: id, outcome), to: peer)
        } else if case .failed(let code, let message) = outcome {
            self.server.send(ErrorBody(code: code, message: message), to: peer)
        }
    }

    private struct BadCommand: Error { let message: String }

    private static func parse(_ type: String, _ body: JSONValue) throws(BadCommand) -> OperatorCommand {
        func text(_ key: String) throws(BadCommand) -> String {
            guard let text = body[key]?.string else { throw BadCommand(message: "\(type) needs \"\(key)\", a text") }
            return text
        }
        switch FrameType(rawValue: type) {
        case .halt: return .halt(reason: "operator")
        case .resume: return .resume
        case .cancelAll: return .cancelAll
        case .flatten: return .flatten
        case .pauseStrategy: return .pause(strategy: try text("strategy"))
        case .resumeStrategy: return .unpause(strategy: try text("strategy"))
        case .setLimit:
            guard case .number(let digits)? = body["value"], let value = Int64(digits) else {
                throw BadCommand(message: "set_limit needs \"value\", a whole number")
            }
            return .setLimit(name: try text("limit"), value: value)
        case .explain:
            guard let market = ConditionID(try text("market")) else {
                throw BadCommand(message: "explain needs \"market\", a condition id")
            }
            return .explain(market)
        default: throw BadCommand(message: "\(type) is no command")
        }
    }

    // MARK: The log

    func log(_ note: EngineNote) {
        switch note {
        case .halted(let reason): self.logger.error("Trading is halted", metadata: ["reason": "\(reason)"])
        case .resumed: self.logger.notice("Trading is resumed")
        case .orderRefused(let strategy, let market, let refusal):
            self.logger.debug(
                "Order refused",
                metadata: [
                    "strategy": "\(strategy)", "market": "\(market)", "code": "\(refusal.code.rawValue)",
                    "detail": "\(refusal.detail)",
                ])
        case .orderRejected(let order, let strategy, let market, let reason):
            self.count("orders_rejected")
            self.logger.info(
                "Order rejected by the venue",
                metadata: ["order": "\(order)", "strategy": "\(strategy)", "market": "\(market)", "code": "\(reason)"])
        case .orderWithheld(let order, let strategy, let market, let reason):
            self.count("orders_withheld")
            self.logger.info(
                "Order not sent",
                metadata: ["order": "\(order)", "strategy": "\(strategy)", "market": "\(market)", "code": "\(reason)"])
        case .orderUnknown(let order, let hash, let reason):
            self.logger.error(
                "Order outcome unknown", metadata: ["order": "\(order)", "hash": "\(hash)", "code": "\(reason)"])
        case .filled(let fill):
            self.logger.info(
                "Order filled",
                metadata: [
                    "order": "\(fill.order)", "strategy": "\(fill.strategy)", "market": "\(fill.market)",
                    "side": "\(fill.side.rawValue)", "price": "\(fill.price)", "size": "\(fill.size)",
                    "fee": "\(fill.fee)",
                ])
        case .filledBeyondLimit(let fill, let limit):
            self.logger.critical(
                "The venue filled an order at a worse price than it allows",
                metadata: [
                    "order": "\(fill.order)", "market": "\(fill.market)", "price": "\(fill.price)", "limit": "\(limit)",
                ])
        case .foreignTrade(let fill, let hash, let market):
            self.count("foreign_trades")
            self.logger.warning(
                "The account traded by an order that the ledger does not know",
                metadata: [
                    "hash": "\(hash)", "trade": "\(fill.trade)", "market": "\(market?.description ?? "unknown")",
                    "side": "\(fill.side.rawValue)", "price": "\(fill.price)", "size": "\(fill.size)",
                ])
        case .settlementFailed(let order, let trade, let market):
            self.count("settlements_failed")
            self.logger.error(
                "A trade failed on the chain and was taken back",
                metadata: ["order": "\(order)", "trade": "\(trade)", "market": "\(market?.description ?? "unknown")"])
        case .balanceDiffers(let money):
            self.logger.critical(
                "The venue's balance is not the ledger's", metadata: ["difference": "\(money)"])
        case .sharesDiffer(let token, let difference):
            self.logger.critical(
                "The venue's shares are not the ledger's",
                metadata: ["token": "\(token)", "difference": "\(difference)"])
        case .printsLost(let market, let count):
            self.count("prints_lost")
            self.logger.warning("Prints were lost", metadata: ["market": "\(market)", "count": "\(count)"])
        case .marketResolved(let market, let winner):
            self.logger.notice(
                "Market resolved", metadata: ["market": "\(market)", "winner": "\(winner.map(String.init) ?? "none")"])
        case .settledAgain(let market, let winner, let money):
            self.count("resolutions_corrected")
            self.logger.warning(
                "Another winner of a market was told, it is settled again",
                metadata: [
                    "market": "\(market)", "winner": "\(winner.map(String.init) ?? "none")", "difference": "\(money)",
                ])
        case .rulesChanged(let market, let change):
            self.logger.error(
                "The rules of a market changed, strategies leave it",
                metadata: ["market": "\(market)", "change": "\(change)"])
        case .limitSet(let name, let value, let configured, let holds):
            self.logger.notice(
                holds
                    ? "A limit that an operator set holds"
                    : "A limit that an operator set gives way to the configuration",
                metadata: ["limit_name": "\(name)", "value": "\(value)", "configured": "\(configured)"])
        case .clockSet(let step):
            self.logger.warning("The clock was set", metadata: ["step_ms": "\(step.milliseconds)"])
        case .contradiction(let error):
            self.count("contradictions")
            self.logger.critical("The ledger was contradicted", metadata: ["reason": "\(error)"])
        case .flattened(let market, let isWhole):
            self.logger.notice("Market left", metadata: ["market": "\(market)", "nothing_held": "\(isWhole)"])
        }
    }
}
