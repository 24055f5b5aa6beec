import Shared

/// One fact of the ledger's journal: a line of JSON. The ledger changes by records alone, so that replaying them gives
/// the same ledger, byte for byte.
struct LedgerRecord: Hashable, Sendable {
    enum Fact: Hashable, Sendable {
        /// The whole ledger as it stands.
        case checkpoint(OrderLedger)
        /// An order exists from now on, in state `intended`: it counts as exposure.
        case intent(LedgerOrder)
        /// An order went from one state to another.
        case state(OrderID, OrderState, reason: String?)
        case fill(FillBody)
        /// A booked fill went on towards the chain, or failed there.
        case settlement(OrderID, trade: String, Settlement)
        /// A market's outcome is known: its tokens become money. `winner` is `nil` when each side gets half.
        case resolution(ConditionID, winner: Int64?)
        /// Trading halts, or halts for one more reason.
        case halt(reason: String)
        /// Money came into the account from outside, or left it when negative.
        case funds(Money)
        /// The venue has paid what markets that ended were worth.
        case redeemed(Money)
        /// The venue held so many more shares of a position than the ledger, fewer when negative, and a person let that stand.
        case shares(PositionKey, by: Quantity)
        /// What rewards and rebates are estimated to be since the last such record: in no balance and no profit.
        case income(IncomeKey, Income)
        /// What a market settles on, and so what a share of it is worth, is another from now on.
        case rulesChanged(ConditionID, String)
        /// Such a market is no longer followed.
        case rulesForgotten(ConditionID)
        /// All the account's trades that were matched before are in the ledger.
        case tradesRead(to: Timestamp)
        /// Ends halts, and takes changed rules as they are.
        case resume
        case pause(strategy: String)
        case unpause(strategy: String)
        case limit(name: String, SetLimit)
        /// The day that profits count from, the account's worth when it began, the most it was ever worth, and the bids for what is
        /// held that have changed since the last such record.
        case marks(day: Int64, dayStart: Money, peak: Money, bids: [TokenID: Mark] = [:])
    }
    let fact: Fact
    let time: Timestamp

    init(_ fact: Fact, at time: Timestamp) {
        self.fact = fact
        self.time = time
    }

    /// How each line of a checkpoint begins: a reader looks for the last of them.
    static let checkpointPrefix = #"{"type":"checkpoint""#

    private var name: String {
        switch self.fact {
        case .checkpoint: "checkpoint"
        case .intent: "intent"
        case .state: "state"
        case .fill: "fill"
        case .settlement: "settlement"
        case .resolution: "resolution"
        case .halt: "halt"
        case .funds: "funds"
        case .redeemed: "redeemed"
        case .shares: "shares"
        case .income: "income"
        case .rulesChanged: "rules_changed"
        case .rulesForgotten: "rules_forgotten"
        case .tradesRead: "trades_read"
        case .resume: "resume"
        case .pause: "pause"
        case .unpause: "unpause"
        case .limit: "limit"
        case .marks: "marks"
        }
    }

    /// Appends the record as one line, newline included.
    func writeLine(to bytes: inout [UInt8], writer: inout JSONWriter) {
        writer.clear()
        self.write(to: &writer)
        bytes.append(contentsOf: writer.bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", self.name)
            $0.member("time", self.time.microseconds)
            switch self.fact {
            case .checkpoint(let ledger):
                $0.key("ledger")
                ledger.write(to: &$0)
            case .intent(let order):
                $0.key("intent")
                order.write(to: &$0)
            case .state(let order, let state, let reason):
                $0.member("order", order.description)
                $0.member("state", state.rawValue)
                if let reason { $0.member("reason", reason) }
            case .fill(let fill):
                $0.key("fill")
                fill.write(to: &$0)
            case .settlement(let order, let trade, let settlement):
                $0.member("order", order.description)
                $0.member("trade", trade)
                $0.member("settlement", settlement.rawValue)
            case .resolution(let market, let winner):
                $0.member("market", market.description)
                if let winner { $0.member("winner", winner) }
            case .halt(let reason): $0.member("reason", reason)
            case .rulesForgotten(let market): $0.member("market", market.description)
            case .rulesChanged(let market, let change):
                $0.member("market", market.description)
                $0.member("reason", change)
            case .funds(let money), .redeemed(let money): $0.member("money", money.micros)
            case .shares(let key, let difference):
                $0.member("token", key.token.description)
                $0.member("strategy", key.strategy)
                $0.member("size", difference.micros)
            case .income(let key, let income):
                $0.member("strategy", key.strategy)
                $0.member("market", key.market.description)
                $0.member("rewards", income.rewards.micros)
                $0.member("rebates", income.rebates.micros)
            case .tradesRead(let time): $0.member("to", time.microseconds)
            case .resume: break
            case .pause(let strategy), .unpause(let strategy): $0.member("strategy", strategy)
            case .limit(let name, let limit):
                $0.member("name", name)
                $0.member("value", limit.value)
                if let configured = limit.configured { $0.member("configured", configured) }
            case .marks(let day, let dayStart, let peak, let bids):
                $0.member("day", day)
                $0.member("day_start", dayStart.micros)
                $0.member("peak", peak.micros)
                guard !bids.isEmpty else { return }
                $0.key("bids")
                $0.object {
                    for (token, bid) in bids.sorted(by: { $0.key < $1.key }) {
                        $0.key(dynamic: token.description)
                        $0.integer(Int64(bid.micros))
                    }
                }
            }
        }
    }

    /// The record as one line, newline included.
    var line: [UInt8] {
        var bytes: [UInt8] = []
        var writer = JSONWriter()
        self.writeLine(to: &bytes, writer: &writer)
        return bytes
    }

    /// Reads one line, without its newline.
    init(line: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        self = try JSONReader.read(line) { (reader) throws(JSONError) in try LedgerRecord(reading: &reader) }
    }

    private init(reading reader: inout JSONReader) throws(JSONError) {
        var type: String?
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        var ledger: OrderLedger?
        var intent: LedgerOrder?
        var fill: FillBody?
        var order: OrderID?
        var market: ConditionID?
        var token: TokenID?
        var bids: [TokenID: Mark] = [:]
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "type": type = try reader.string().string
            case "ledger": ledger = try OrderLedger(reading: &reader)
            case "intent": intent = try LedgerOrder(reading: &reader)
            case "fill": fill = try FillBody(reading: &reader)
            case "order": order = try reader.orderID()
            case "market": market = try reader.condition()
            case "token": token = try reader.token()
            case "bids":
                try reader.object { (key, reader) throws(JSONError) in
                    guard let token = TokenID(key.string), let bid = Mark(micros: try reader.integer()) else {
                        throw JSONError(.wrongValue, at: reader.offset, member: "bids")
                    }
                    bids[token] = bid
                }
            case "state", "reason", "strategy", "name", "trade", "settlement":
                texts[key.string] = try reader.string().string
            case "time", "winner", "value", "money", "size", "rewards", "rebates", "day", "day_start", "peak", "to",
                "configured":
                numbers[key.string] = try reader.integer()
            default: try reader.skip()
            }
        }
        self.time = Timestamp(microseconds: try reader.need(numbers["time"], "time"))
        switch type {
        case "checkpoint": self.fact = .checkpoint(try reader.need(ledger, "ledger"))
        case "intent": self.fact = .intent(try reader.need(intent, "intent"))
        case "state":
            let state = texts["state"].flatMap { OrderState(rawValue: $0) }
            self.fact = .state(
                try reader.need(order, "order"), try reader.need(state, "state"), reason: texts["reason"])
        case "fill": self.fact = .fill(try reader.need(fill, "fill"))
        case "settlement":
            let settlement = texts["settlement"].flatMap { Settlement(rawValue: $0) }
            self.fact = .settlement(
                try reader.need(order, "order"), trade: try reader.need(texts["trade"], "trade"),
                try reader.need(settlement, "settlement"))
        case "resolution": self.fact = .resolution(try reader.need(market, "market"), winner: numbers["winner"])
        case "halt": self.fact = .halt(reason: try reader.need(texts["reason"], "reason"))
        case "redeemed": self.fact = .redeemed(Money(micros: try reader.need(numbers["money"], "money")))
        case "funds": self.fact = .funds(Money(micros: try reader.need(numbers["money"], "money")))
        case "shares":
            self.fact = .shares(
                PositionKey(
                    token: try reader.need(token, "token"), strategy: try reader.need(texts["strategy"], "strategy")),
                by: Quantity(micros: try reader.need(numbers["size"], "size")))
        case "income":
            self.fact = .income(
                IncomeKey(
                    strategy: try reader.need(texts["strategy"], "strategy"), market: try reader.need(market, "market")),
                Income(
                    rewards: Money(micros: try reader.need(numbers["rewards"], "rewards")),
                    rebates: Money(micros: try reader.need(numbers["rebates"], "rebates"))))
        case "rules_forgotten": self.fact = .rulesForgotten(try reader.need(market, "market"))
        case "rules_changed":
            self.fact = .rulesChanged(
                try reader.need(market, "market"), try reader.need(texts["reason"], "reason"))
        case "trades_read": self.fact = .tradesRead(to: Timestamp(microseconds: try reader.need(numbers["to"], "to")))
        case "resume": self.fact = .resume
        case "pause": self.fact = .pause(strategy: try reader.need(texts["strategy"], "strategy"))
        case "unpause": self.fact = .unpause(strategy: try reader.need(texts["strategy"], "strategy"))
        case "limit":
            self.fact = .limit(
                name: try reader.need(texts["name"], "name"),
                SetLimit(value: try reader.need(numbers["value"], "value"), configured: numbers["configured"]))
        case "marks":
            self.fact = .marks(
                day: try reader.need(numbers["day"], "day"),
                dayStart: Money(micros: try reader.need(numbers["day_start"], "day_start")),
                peak: Money(micros: try reader.need(numbers["peak"], "peak")), bids: bids)
        default: throw JSONError(.wrongValue, at: reader.offset, member: "type")
        }
    }
}
