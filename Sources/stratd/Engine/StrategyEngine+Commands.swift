import Shared

extension StrategyEngine {
    /// Does what an operator asks for. Who may ask is the shell's to know.
    mutating func perform(_ command: OperatorCommand, now: Moment) -> (actions: [EngineAction], outcome: CommandOutcome)
    {
        let outcome: CommandOutcome
        switch command {
        case .halt(let reason):
            self.halt(reason, now: now)
            outcome = .done(nil)
        case .resume: outcome = self.resume(now: now)
        case .cancelAll:
            self.cancelAll(now: now)
            outcome = .done(nil)
        case .flatten: outcome = self.flatten(now: now)
        case .pause(let strategy): outcome = self.pause(strategy, true, now: now)
        case .unpause(let strategy): outcome = self.pause(strategy, false, now: now)
        case .setLimit(let name, let value):
            if let problem = self.gate.set(name, to: value, now: now.instant) {
                outcome = .failed(problem)
            } else {
                let configured = self.gate.configured.value(name)
                self.record(.limit(name: name, SetLimit(value: value, configured: configured)), now: now)
                outcome = .done(nil)
            }
        case .explain(let market): outcome = self.explain(market, now: now)
        }
        return (self.takeActions(), outcome)
    }

    /// After a start: which limits of an operator's hold, and which gave way to a changed configuration.
    mutating func tellLimits(now: Moment) {
        for (name, limit) in self.ledger.limits.sorted(by: { $0.key < $1.key }) {
            guard let configured = self.gate.configured.value(name) else { continue }
            let holds = limit.holds(against: configured)
            self.note(.limitSet(name: name, limit.value, configured: configured, holds: holds))
            guard !holds else { continue }
            self.record(.limit(name: name, SetLimit(value: configured, configured: configured)), now: now)
        }
    }

    /// Lifts the halt, unless its cause still stands.
    private mutating func resume(now: Moment) -> CommandOutcome {
        guard self.ledger.isHalted || !self.ledger.changedRules.isEmpty else { return .done(nil) }
        guard !self.isHaltFilePresent else { return .failed("the halt file is still there: remove it first") }
        if self.profit.daily < -self.gate.limits.dailyLossMax {
            return .failed(
                "the loss since midnight UTC is \(self.profit.daily): raise daily_loss_usd with set_limit, or wait for the next day"
            )
        }
        if self.ledger.unknownOrderCount >= Int(self.gate.limits.unknownOrdersMax) {
            return .failed("\(self.ledger.unknownOrderCount) orders are still of unknown fate")
        }
        guard self.record(.resume, now: now) else { return .failed("the ledger did not take it") }
        // A person has seen it, and lets the venue's word stand.
        self.forgetHomeless(now: now)
        if self.unexplained != .zero { self.record(.funds(self.unexplained), now: now) }
        self.unexplained = .zero
        let differences = self.unexplainedShares
        for (token, difference) in differences.sorted(by: { $0.key < $1.key }) {
            self.adopt(difference, of: token, now: now)
        }
        self.unexplainedShares = [:]
        self.errorRate.reset()
        self.rejectionWaits = [:]
        if self.profit.drawdown > self.gate.limits.drawdownMax {
            // A person has seen the loss: it counts anew from here.
            let equity = self.ledger.equity { self.value(of: $0) }
            self.mark(day: self.ledger.day, dayStart: self.ledger.dayStart, peak: equity, now: now)
            self.profit.peak = equity
            self.profit.drawdown = .zero
        }
        self.note(.resumed)
        self.publish(.risk(self.riskStatus))
        self.lookNow(self.views.conditions, now: now)
        return .done(nil)
    }

    /// Takes over the venue's count of shares: more belong to the first strategy that holds some, fewer are taken from one after
    /// the other.
    private mutating func adopt(_ difference: Quantity, of token: TokenID, now: Moment) {
        var rest = difference
        for position in self.ledger.sortedPositions where position.key.token == token && rest != .zero {
            let part = max(rest, .zero - position.size)
            guard part != .zero, self.record(.shares(position.key, by: part), now: now) else { continue }
            self.publishPosition(position.key)
            rest -= part
        }
    }

    private mutating func pause(_ strategy: String, _ isPaused: Bool, now: Moment) -> CommandOutcome {
        guard self.slots.contains(where: { $0.name == strategy }) else {
            let known = self.slots.map(\.name).joined(separator: ", ")
            return .failed("there is no strategy \"\(strategy)\"; running are: \(known)")
        }
        if self.ledger.paused.contains(strategy) != isPaused {
            self.record(isPaused ? .pause(strategy: strategy) : .unpause(strategy: strategy), now: now)
            for status in self.strategyStatuses where status.strategy == strategy { self.publish(.strategy(status)) }
        }
        if !isPaused { self.flattening.removeAll() }
        self.lookNow(self.views.conditions, now: now)
        return .done(nil)
    }

    private mutating func flatten(now: Moment) -> CommandOutcome {
        guard !self.isStopping else { return .failed("stratd is stopping, and nothing may leave any more") }
        guard !self.ledger.isHalted && !self.isHaltFilePresent else {
            return .failed("trading is halted and nothing may leave: pause the strategies, resume, then flatten")
        }
        for slot in self.slots { _ = self.pause(slot.name, true, now: now) }
        self.cancelAll(now: now)
        // A purchase may be filled before its cancel comes to the venue.
        let markets = self.ledger.markets.sorted()
        for market in markets {
            self.flattening[market] = 0
            self.flattenStep(market, now: now)
        }
        return .done(.object(["markets": .number("\(markets.count)")]))
    }
}
