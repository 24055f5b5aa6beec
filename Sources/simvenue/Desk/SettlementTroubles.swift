import Shared

/// Which trades of the desk's accounts do not get through, as was asked for.
struct SettlementTroubles: Sendable {
    /// How long after the match the trouble comes: before the block.
    static let delay = Duration.seconds(1)
    /// Trades that wait for theirs; above that they get through.
    static let waitingCountMax = 10_000

    /// What awaits a trade.
    struct Trouble: Hashable, Sendable {
        let time: Timestamp
        let trade: TradeID
        /// Given up, instead of sent again.
        let isFinal: Bool
    }

    private struct Plan: Sendable {
        /// `nil` for the next trade alone.
        let until: Timestamp?
        let isFinal: Bool
    }

    private var plan: Plan?
    /// In the order of their times.
    private var waiting: [Trouble] = []

    var nextTime: Timestamp? { self.waiting.first?.time }

    /// - Parameter time: until when trades meet it; `nil` for the next one alone.
    mutating func plan(isFinal: Bool, until time: Timestamp?) { self.plan = Plan(until: time, isFinal: isFinal) }
    /// Whatever waits goes on as planned.
    mutating func heal() { self.plan = nil }

    /// A trade of the desk's accounts was made.
    mutating func note(_ trade: EngineTrade, at time: Timestamp) {
        guard let plan = self.plan, self.waiting.count < Self.waitingCountMax else { return }
        if let until = plan.until, time >= until {
            self.plan = nil
            return
        }
        if plan.until == nil { self.plan = nil }
        self.waiting.append(Trouble(time: time + Self.delay, trade: trade.id, isFinal: plan.isFinal))
    }

    /// What is due at `time`.
    mutating func take(until time: Timestamp) -> [Trouble] {
        let due = self.waiting.prefix { $0.time <= time }
        self.waiting.removeFirst(due.count)
        return Array(due)
    }
}
