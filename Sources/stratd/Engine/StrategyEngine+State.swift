import Shared
import Signing

/// The whole engine as JSON, so that a journal may begin with it. What is sorted here is so for equal bytes of equal states.
extension StrategyEngine {
    /// Appends everything that its next actions depend on.
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("slots")
            $0.array { for slot in self.slots { slot.write(to: &$0) } }
            $0.key("gate")
            self.gate.write(to: &$0)
            $0.key("ledger")
            self.ledger.write(to: &$0)
            $0.key("markets")
            self.views.write(to: &$0)
            self.writeShell(to: &$0)
            self.writeLooks(to: &$0)
            $0.member("records", Int64(self.recordCount))
            $0.member("look_count", self.lookCount)
            $0.member("fill_count", self.fillCount)
            $0.member("order_count", self.orderCount)
        }
    }

    /// What it was told of the world outside, and what it makes of the account.
    private func writeShell(to writer: inout JSONWriter) {
        if let refusal = self.venueClosedReason {
            writer.key("venue_closed")
            refusal.write(to: &writer)
        }
        if let time = self.tradesToldTo { writer.member("trades_told", time.microseconds) }
        writer.member("clock_skew", self.clockSkew.nanoseconds)
        writer.member("clock_told", self.isClockTold)
        if let moment = self.lastMoment {
            writer.member("last_moment", moment.instant.nanoseconds)
            writer.member("last_moment_time", moment.time.microseconds)
        }
        writer.key("error_rate")
        self.errorRate.write(to: &writer)
        writer.member("unexplained", self.unexplained.micros)
        if let minute = self.incomeMinute { writer.member("income_minute", minute) }
        writer.key("income")
        writer.array {
            for (key, income) in self.unrecordedIncome.sorted(by: { $0.key < $1.key }) {
                $0.object {
                    $0.member("strategy", key.strategy)
                    $0.member("market", key.market.description)
                    $0.member("rewards", income.rewards.micros)
                    $0.member("rebates", income.rebates.micros)
                }
            }
        }
        writer.key("homeless")
        writer.array {
            for told in self.homeless {
                $0.object {
                    $0.member("hash", told.hash)
                    told.fill.writeMembers(to: &$0)
                    $0.member("time", told.time.microseconds)
                    $0.member("heard_at", told.heardAt.nanoseconds)
                }
            }
        }
        writer.key("unexplained_shares")
        writer.array {
            for (token, difference) in self.unexplainedShares.sorted(by: { $0.key < $1.key }) {
                $0.object {
                    $0.member("token", token.description)
                    $0.member("size", difference.micros)
                }
            }
        }
        writer.key("bidless")
        writer.array {
            for (token, none) in self.bidless.sorted(by: { $0.key < $1.key }) {
                $0.object {
                    $0.member("token", token.description)
                    $0.member("since", none.since.nanoseconds)
                    $0.member("lasting", none.isLasting)
                }
            }
        }
        writer.key("bids_of_others")
        writer.array {
            for (token, bid) in self.bidsOfOthers.sorted(by: { $0.key < $1.key }) {
                $0.object {
                    $0.member("token", token.description)
                    $0.member("price", Int64(bid.micros))
                }
            }
        }
        writer.member("feed_up", self.isFeedUp)
        writer.member("feed_time", self.feedTime.microseconds)
        writer.member("halt_file", self.isHaltFilePresent)
        writer.member("stopping", self.isStopping)
        writer.member("daily_profit", self.profit.daily.micros)
        writer.member("drawdown", self.profit.drawdown.micros)
        if let peak = self.profit.peak { writer.member("peak", peak.micros) }
        if let lastMarks = self.lastMarks { writer.member("last_marks", lastMarks.nanoseconds) }
    }

    private func writeLooks(to writer: inout JSONWriter) {
        func sorted<Value>(_ looks: [LookKey: Value]) -> [(key: LookKey, value: Value)] {
            looks.sorted { $0.key < $1.key }
        }
        writer.key("looks")
        writer.array {
            for (key, at) in sorted(self.lastLooks) { key.write(to: &$0, ["at": at.nanoseconds]) }
        }
        writer.key("due")
        writer.array { for (key, at) in sorted(self.schedule.due) { key.write(to: &$0, ["at": at.nanoseconds]) } }
        writer.key("decisions")
        writer.array {
            for (key, decision) in sorted(self.decisions) {
                $0.object {
                    $0.member("slot", Int64(key.slot))
                    $0.member("at", decision.publishedAt.nanoseconds)
                    $0.key("decision")
                    decision.body.write(to: &$0)
                }
            }
        }
        writer.member("cancel_on_acceptance", self.cancelOnAcceptance.sorted().map(\.description))
        writer.key("flattening")
        writer.array {
            for (market, attempts) in self.flattening.sorted(by: { $0.key < $1.key }) {
                LookKey(market: market, slot: -1).write(to: &$0, ["attempts": Int64(attempts)])
            }
        }
        writer.key("rejection_waits")
        writer.array {
            for (key, wait) in sorted(self.rejectionWaits) {
                key.write(
                    to: &$0,
                    [
                        "rounds": Int64(wait.roundCount), "versions": wait.isVersion ? 1 : 0,
                        "until": wait.until.nanoseconds,
                    ])
            }
        }
    }

    /// The engine that wrote this.
    init(reading reader: inout JSONReader) throws(JSONError) {
        var slots: [Slot] = []
        var gate: RiskGate?
        var ledger: OrderLedger?
        var rest = Rest()
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "slots":
                try reader.array { (reader) throws(JSONError) in slots.append(try Slot(reading: &reader)) }
            case "gate": gate = try RiskGate(reading: &reader)
            case "ledger": ledger = try OrderLedger(reading: &reader)
            case "markets": rest.views = try MarketViews(reading: &reader)
            case "error_rate": rest.errorRate = try ErrorRate(reading: &reader)
            case "looks": rest.lastLooks = try rest.looks(&reader)
            case "due": for (key, at) in try rest.looks(&reader) { rest.schedule.plan(key, at: at) }
            case "decisions": try rest.readDecisions(&reader)
            default: rest.members[key.string] = try JSONValue(reading: &reader)
            }
        }
        self.init(
            slots: slots, gate: try reader.need(gate, "gate"), ledger: try reader.need(ledger, "ledger"))
        try self.take(rest, Fields(.object(rest.members)))
    }

    /// What is read before there is an engine to hold it.
    private struct Rest {
        var views = MarketViews()
        var errorRate = ErrorRate()
        var lastLooks: [LookKey: Instant] = [:]
        var schedule = LookSchedule()
        var decisions: [LookKey: Decision] = [:]
        var members: [String: JSONValue] = [:]

        func looks(_ reader: inout JSONReader) throws(JSONError) -> [LookKey: Instant] {
            var looks: [LookKey: Instant] = [:]
            try reader.array { (reader) throws(JSONError) in
                let fields = try Fields(reading: &reader)
                looks[try LookKey(fields)] = Instant(nanoseconds: try fields.integer("at"))
            }
            return looks
        }

        mutating func readDecisions(_ reader: inout JSONReader) throws(JSONError) {
            try reader.array { (reader) throws(JSONError) in
                var slot: Int64?
                var at: Int64?
                var body: DecisionBody?
                try reader.object { (key, reader) throws(JSONError) in
                    switch key {
                    case "slot": slot = try reader.integer()
                    case "at": at = try reader.integer()
                    case "decision": body = try DecisionBody(reading: &reader)
                    default: try reader.skip()
                    }
                }
                let decision = try reader.need(body, "decision")
                let key = LookKey(market: decision.market, slot: Int(try reader.need(slot, "slot")))
                self.decisions[key] = Decision(
                    body: decision, publishedAt: Instant(nanoseconds: try reader.need(at, "at")))
            }
        }
    }

    private mutating func take(_ rest: Rest, _ fields: Fields) throws(JSONError) {
        self.views = rest.views
        self.errorRate = rest.errorRate
        self.lastLooks = rest.lastLooks
        self.schedule = rest.schedule
        self.decisions = rest.decisions
        if let refusal = fields["venue_closed"] { self.venueClosedReason = try Refusal(Fields(refusal)) }
        self.tradesToldTo = try fields.optionalInteger("trades_told").map { Timestamp(microseconds: $0) }
        self.clockSkew = .nanoseconds(try fields.integer("clock_skew"))
        self.isClockTold = try fields.bool("clock_told")
        if let instant = try fields.optionalInteger("last_moment"),
            let time = try fields.optionalInteger("last_moment_time")
        {
            self.lastMoment = Moment(
                instant: Instant(nanoseconds: instant), time: Timestamp(microseconds: time))
        }
        self.unexplained = try fields.money("unexplained")
        self.incomeMinute = try fields.optionalInteger("income_minute")
        for value in try fields.array("income") {
            let income = try Fields(value)
            let key = IncomeKey(strategy: try income.string("strategy"), market: try income.condition("market"))
            self.unrecordedIncome[key] = Income(
                rewards: try income.money("rewards"), rebates: try income.money("rebates"))
        }
        for value in try fields.array("homeless") {
            let told = try Fields(value)
            self.homeless.append(
                ForeignFill(
                    hash: try told.string("hash"), fill: try VenueFill(told),
                    time: Timestamp(microseconds: try told.integer("time")),
                    heardAt: Instant(nanoseconds: try told.integer("heard_at"))))
        }
        for value in try fields.array("unexplained_shares") {
            let shares = try Fields(value)
            self.unexplainedShares[try shares.token("token")] = try shares.quantity("size")
        }
        for value in try fields.array("bidless") {
            let none = try Fields(value)
            self.bidless[try none.token("token")] = Bidless(
                since: Instant(nanoseconds: try none.integer("since")), isLasting: try none.bool("lasting"))
        }
        for value in try fields.array("bids_of_others") {
            let bid = try Fields(value)
            self.bidsOfOthers[try bid.token("token")] = try bid.price("price")
        }
        self.isFeedUp = try fields.bool("feed_up")
        self.feedTime = Timestamp(microseconds: try fields.integer("feed_time"))
        self.isHaltFilePresent = try fields.bool("halt_file")
        self.isStopping = try fields.bool("stopping")
        self.profit = Profit(
            daily: try fields.money("daily_profit"), drawdown: try fields.money("drawdown"),
            peak: try fields.optionalInteger("peak").map { Money(micros: $0) })
        self.lastMarks = try fields.optionalInteger("last_marks").map { Instant(nanoseconds: $0) }
        for text in try fields.strings("cancel_on_acceptance") {
            guard let order = OrderID(text) else { throw JSONError(.wrongValue, at: 0, member: "cancel_on_acceptance") }
            self.cancelOnAcceptance.insert(order)
        }
        for value in try fields.array("flattening") {
            let look = try Fields(value)
            self.flattening[try look.condition("market")] = Int(try look.integer("attempts"))
        }
        for value in try fields.array("rejection_waits") {
            let wait = try Fields(value)
            self.rejectionWaits[try LookKey(wait)] = RejectionWait(
                roundCount: Int(try wait.integer("rounds")), isVersion: try wait.integer("versions") == 1,
                until: Instant(nanoseconds: try wait.integer("until")))
        }
        self.recordCount = Int(try fields.integer("records"))
        self.lookCount = try fields.integer("look_count")
        self.fillCount = try fields.integer("fill_count")
        self.orderCount = try fields.integer("order_count")
        let keys = Array(self.lastLooks.keys) + self.schedule.due.keys + self.decisions.keys + self.rejectionWaits.keys
        guard keys.allSatisfy({ (-1..<self.slots.count).contains($0.slot) }) else {
            throw JSONError(.outOfRange, at: 0, member: "slot")
        }
    }
}

extension StrategyEngine.LookKey {
    fileprivate func write(to writer: inout JSONWriter, _ numbers: KeyValuePairs<StaticString, Int64>) {
        writer.object {
            $0.member("market", self.market.description)
            $0.member("slot", Int64(self.slot))
            for (name, value) in numbers { $0.member(name, value) }
        }
    }

    fileprivate init(_ fields: Fields) throws(JSONError) {
        self.init(market: try fields.condition("market"), slot: Int(try fields.integer("slot")))
    }
}

extension StrategyEngine.Slot {
    fileprivate func write(to writer: inout JSONWriter) {
        let parameters = self.maker.parameters
        writer.object {
            $0.member("strategy", self.name)
            $0.member("order_size", parameters.orderSize.micros)
            $0.member("order_value", parameters.orderValue.micros)
            $0.member("half_spread_ticks", parameters.halfSpreadTicks)
            $0.member("position_max", parameters.positionMax.micros)
            $0.member("reprice_ticks", parameters.repriceTicks)
            $0.member("resize_percent", parameters.resizePercent)
            $0.member("order_life_min", parameters.orderLifeMin.nanoseconds)
            $0.member("requote_interval", parameters.requoteInterval.nanoseconds)
        }
    }

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            name: try fields.string("strategy"),
            maker: Maker(
                Maker.Parameters(
                    orderSize: try fields.quantity("order_size"), orderValue: try fields.money("order_value"),
                    halfSpreadTicks: try fields.integer("half_spread_ticks"),
                    positionMax: try fields.quantity("position_max"), repriceTicks: try fields.integer("reprice_ticks"),
                    resizePercent: try fields.integer("resize_percent"),
                    orderLifeMin: .nanoseconds(try fields.integer("order_life_min")),
                    requoteInterval: .nanoseconds(try fields.integer("requote_interval")))))
    }
}
