import Shared

/// Inputs as the input journal has them: a name, and a body where the name does not say all.
extension EngineInput {
    /// Of inputs that are no frames of the feed; those have the names of their types.
    enum Name: String, CaseIterable {
        case alive, connected, disconnected, venue, command, wake, tick, recover, checkpoint, stop, fund, compare
        case journalFailed = "journal_failed"
        case venueClosed = "venue_closed"
        case clockSkew = "clock_skew"
        case requestEnded = "request_ended"
        case compareShares = "compare_shares"
    }

    var name: String {
        switch self {
        case .feed(let event, _):
            switch event {
            case .alive: Name.alive.rawValue
            case .connected: Name.connected.rawValue
            case .disconnected: Name.disconnected.rawValue
            case .market: FrameType.market.rawValue
            case .book: FrameType.book.rawValue
            case .delta: FrameType.delta.rawValue
            case .trade: FrameType.trade.rawValue
            case .trust: FrameType.trust.rawValue
            case .tickSize: FrameType.tickSize.rawValue
            case .resolved: FrameType.resolved.rawValue
            case .tradesDropped: FrameType.tradesDropped.rawValue
            }
        case .venue: Name.venue.rawValue
        case .command: Name.command.rawValue
        case .wake: Name.wake.rawValue
        case .tick: Name.tick.rawValue
        case .recover: Name.recover.rawValue
        case .checkpoint: Name.checkpoint.rawValue
        case .journalFailed: Name.journalFailed.rawValue
        case .stop: Name.stop.rawValue
        case .venueClosed: Name.venueClosed.rawValue
        case .clockSkew: Name.clockSkew.rawValue
        case .requestEnded: Name.requestEnded.rawValue
        case .fund: Name.fund.rawValue
        case .compare: Name.compare.rawValue
        case .compareShares: Name.compareShares.rawValue
        }
    }

    /// When the feed sent it; `nil` for what does not come from the feed.
    var sentTime: Timestamp? { if case .feed(_, let sentTime) = self { sentTime } else { nil } }

    var isAlive: Bool { if case .feed(.alive, _) = self { true } else { false } }

    /// Appends the body; nothing where the name says all.
    func writeBody(to writer: inout JSONWriter) {
        switch self {
        case .feed(let event, _): event.body?.write(to: &writer)
        case .venue(let event): event.write(to: &writer)
        case .command(let command): command.write(to: &writer)
        case .wake, .recover, .checkpoint, .stop: break
        case .tick(let isHaltFilePresent): writer.bool(isHaltFilePresent)
        case .journalFailed(let unsent): writer.array { for order in unsent { $0.string(order.description) } }
        case .venueClosed(let refusal): if let refusal { refusal.write(to: &writer) }
        case .clockSkew(let skew): writer.integer(skew.nanoseconds)
        case .requestEnded(let isFailure): writer.bool(isFailure)
        case .fund(let money): writer.integer(money.micros)
        case .compare(let verdict): verdict.write(to: &writer)
        case .compareShares(let verdict, let token):
            writer.object {
                $0.member("token", token.description)
                switch verdict {
                case .agrees: $0.member("verdict", "agrees")
                case .moving: $0.member("verdict", "moving")
                case .differs(let difference):
                    $0.member("verdict", "differs")
                    $0.member("size", difference.micros)
                }
            }
        }
    }

    /// The input of this name that has no body.
    init(_ name: String, sentTime: Timestamp?) throws(JSONError) {
        switch Name(rawValue: name) {
        case .alive: self = .feed(.alive, sentTime: try Self.need(sentTime))
        case .connected: self = .feed(.connected, sentTime: try Self.need(sentTime))
        case .disconnected: self = .feed(.disconnected, sentTime: try Self.need(sentTime))
        case .wake: self = .wake
        case .recover: self = .recover
        case .checkpoint: self = .checkpoint
        case .stop: self = .stop
        case .venueClosed: self = .venueClosed(nil)
        case .venue, .command, .tick, .journalFailed, .clockSkew, .requestEnded, .fund, .compare, .compareShares, nil:
            throw JSONError(.missing, at: 0, member: "body")
        }
    }

    /// The input of this name, with its body.
    init(_ name: String, sentTime: Timestamp?, reading body: inout JSONReader) throws(JSONError) {
        // First, as nearly all are.
        if name == FrameType.delta.rawValue {
            self = .feed(.delta(try DeltaBody(reading: &body)), sentTime: try Self.need(sentTime))
            return
        }
        switch Name(rawValue: name) {
        case .venue: self = .venue(try VenueEvent(Fields(reading: &body)))
        case .command: self = .command(try OperatorCommand(Fields(reading: &body)))
        case .tick: self = .tick(isHaltFilePresent: try body.bool())
        case .journalFailed:
            var orders: [OrderID] = []
            try body.array { (body) throws(JSONError) in orders.append(try body.orderID()) }
            self = .journalFailed(unsent: orders)
        case .venueClosed: self = .venueClosed(try Refusal(Fields(reading: &body)))
        case .clockSkew: self = .clockSkew(.nanoseconds(try body.integer()))
        case .requestEnded: self = .requestEnded(isFailure: try body.bool())
        case .fund: self = .fund(Money(micros: try body.integer()))
        case .compare: self = .compare(try BalanceWatch.Verdict(Fields(reading: &body)))
        case .compareShares:
            let fields = try Fields(reading: &body)
            self = .compareShares(try BalanceWatch.ShareVerdict(fields), of: try fields.token("token"))
        case .alive, .connected, .disconnected, .wake, .recover, .checkpoint, .stop:
            throw JSONError(.unexpected, at: body.offset, member: "body")
        case nil:
            guard let type = FrameType(rawValue: name), let event = try FeedEvent(type, reading: &body) else {
                throw JSONError(.wrongValue, at: body.offset, member: "in")
            }
            self = .feed(event, sentTime: try Self.need(sentTime))
        }
    }

    private static func need(_ time: Timestamp?) throws(JSONError) -> Timestamp {
        guard let time else { throw JSONError(.missing, at: 0, member: "sent") }
        return time
    }
}

extension VenueEvent {
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("order", self.order.number)
            $0.member("time", self.time.microseconds)
            switch self.kind {
            case .accepted(let isDelayed):
                $0.member("kind", "accepted")
                $0.member("delayed", isDelayed)
            case .rejected(let reason): Self.write("rejected", reason, to: &$0)
            case .withheld(let reason): Self.write("withheld", reason, to: &$0)
            case .filled(let fill):
                $0.member("kind", "filled")
                fill.writeMembers(to: &$0)
            case .filledLate(let hash, let fill):
                $0.member("kind", "filled_late")
                $0.member("hash", hash)
                fill.writeMembers(to: &$0)
            case .settled(let trade, let settlement):
                $0.member("kind", "settled")
                $0.member("trade", trade)
                $0.member("settlement", settlement.rawValue)
            case .cancelled(let reason): Self.write("cancelled", reason, to: &$0)
            case .cancelRefused(let reason): Self.write("cancel_refused", reason, to: &$0)
            case .lost(let reason): Self.write("lost", reason, to: &$0)
            case .found: $0.member("kind", "found")
            case .foreign(let hash, let fill):
                $0.member("kind", "foreign")
                $0.member("hash", hash)
                fill.writeMembers(to: &$0)
            case .foreignSettled(let trade, let settlement):
                $0.member("kind", "foreign_settled")
                $0.member("trade", trade)
                $0.member("settlement", settlement.rawValue)
            case .tradesRead: $0.member("kind", "trades_read")
            }
        }
    }

    private static func write(_ kind: String, _ reason: String, to writer: inout JSONWriter) {
        writer.member("kind", kind)
        writer.member("reason", reason)
    }

    init(_ fields: Fields) throws(JSONError) {
        let kind: Kind
        switch try fields.string("kind") {
        case "accepted": kind = .accepted(isDelayed: try fields.bool("delayed"))
        case "rejected": kind = .rejected(reason: try fields.string("reason"))
        case "withheld": kind = .withheld(reason: try fields.string("reason"))
        case "filled": kind = .filled(try VenueFill(fields))
        case "filled_late": kind = .filledLate(hash: try fields.string("hash"), try VenueFill(fields))
        case "settled": kind = .settled(trade: try fields.string("trade"), try fields.word("settlement"))
        case "cancelled": kind = .cancelled(reason: try fields.string("reason"))
        case "cancel_refused": kind = .cancelRefused(reason: try fields.string("reason"))
        case "lost": kind = .lost(reason: try fields.string("reason"))
        case "found": kind = .found
        case "foreign": kind = .foreign(hash: try fields.string("hash"), try VenueFill(fields))
        case "foreign_settled":
            kind = .foreignSettled(trade: try fields.string("trade"), try fields.word("settlement"))
        case "trades_read": kind = .tradesRead
        default: throw JSONError(.wrongValue, at: 0, member: "kind")
        }
        self.init(
            order: OrderID(number: try fields.integer("order")), kind: kind,
            time: Timestamp(microseconds: try fields.integer("time")))
    }
}

extension VenueFill {
    func writeMembers(to writer: inout JSONWriter) {
        writer.member("trade", self.trade)
        writer.member("token", self.token.description)
        writer.member("side", self.side.rawValue)
        writer.member("price", Int64(self.price.micros))
        writer.member("size", self.size.micros)
        if let fee = self.fee { writer.member("fee", fee.micros) }
        if let money = self.money { writer.member("money", money.micros) }
        writer.member("liquidity", self.liquidity.rawValue)
        writer.member("settlement", self.settlement.rawValue)
    }

    init(_ fields: Fields) throws(JSONError) {
        self.init(
            trade: try fields.string("trade"), token: try fields.token("token"), side: try fields.word("side"),
            price: try fields.price("price"), size: try fields.quantity("size"),
            fee: try fields.optionalInteger("fee").map { Money(micros: $0) },
            money: try fields.optionalInteger("money").map { Money(micros: $0) },
            liquidity: try fields.word("liquidity"), settlement: try fields.word("settlement"))
    }
}

extension OperatorCommand {
    func write(to writer: inout JSONWriter) {
        writer.object {
            switch self {
            case .halt(let reason):
                $0.member("command", "halt")
                $0.member("reason", reason)
            case .resume: $0.member("command", "resume")
            case .cancelAll: $0.member("command", "cancel_all")
            case .flatten: $0.member("command", "flatten")
            case .pause(let strategy):
                $0.member("command", "pause")
                $0.member("strategy", strategy)
            case .unpause(let strategy):
                $0.member("command", "unpause")
                $0.member("strategy", strategy)
            case .setLimit(let name, let value):
                $0.member("command", "set_limit")
                $0.member("limit", name)
                $0.member("value", value)
            case .explain(let market):
                $0.member("command", "explain")
                $0.member("market", market.description)
            }
        }
    }

    init(_ fields: Fields) throws(JSONError) {
        switch try fields.string("command") {
        case "halt": self = .halt(reason: try fields.string("reason"))
        case "resume": self = .resume
        case "cancel_all": self = .cancelAll
        case "flatten": self = .flatten
        case "pause": self = .pause(strategy: try fields.string("strategy"))
        case "unpause": self = .unpause(strategy: try fields.string("strategy"))
        case "set_limit": self = .setLimit(name: try fields.string("limit"), value: try fields.integer("value"))
        case "explain": self = .explain(try fields.condition("market"))
        default: throw JSONError(.wrongValue, at: 0, member: "command")
        }
    }
}

extension BalanceWatch.ShareVerdict {
    init(_ fields: Fields) throws(JSONError) {
        switch try fields.string("verdict") {
        case "agrees": self = .agrees
        case "moving": self = .moving
        case "differs": self = .differs(try fields.quantity("size"))
        default: throw JSONError(.wrongValue, at: 0, member: "verdict")
        }
    }
}

extension BalanceWatch.Verdict {
    func write(to writer: inout JSONWriter) {
        func write(_ name: String, _ money: Money? = nil) {
            writer.object {
                $0.member("verdict", name)
                if let money { $0.member("money", money.micros) }
            }
        }
        switch self {
        case .agrees: write("agrees")
        case .moving: write("moving")
        case .rounding(let money): write("rounding", money)
        case .redeemed(let money): write("redeemed", money)
        case .differs(let money): write("differs", money)
        }
    }

    init(_ fields: Fields) throws(JSONError) {
        switch try fields.string("verdict") {
        case "agrees": self = .agrees
        case "moving": self = .moving
        case "rounding": self = .rounding(try fields.money("money"))
        case "redeemed": self = .redeemed(try fields.money("money"))
        case "differs": self = .differs(try fields.money("money"))
        default: throw JSONError(.wrongValue, at: 0, member: "verdict")
        }
    }
}
