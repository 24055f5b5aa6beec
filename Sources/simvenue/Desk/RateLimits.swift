import Shared

/// What a signer may ask for, by the volume of its last thirty days. Source: reference, 2.9.
enum RateTier: String, CaseIterable, Hashable, Sendable {
    case standard = "Standard"
    case copper = "Copper"
    case bronze = "Bronze"
    case silver = "Silver"
    case gold = "Gold"
    case platinum = "Platinum"
    case diamond = "Diamond"
    case elite = "Elite"

    /// Tokens a second, and the most that can be saved.
    struct Rate: Hashable, Sendable {
        let rate: Int64
        let burst: Int64
    }

    var orders: Rate {
        switch self {
        case .standard: Rate(rate: 40, burst: 60)
        case .copper: Rate(rate: 60, burst: 90)
        case .bronze: Rate(rate: 80, burst: 120)
        case .silver: Rate(rate: 200, burst: 300)
        case .gold: Rate(rate: 400, burst: 600)
        case .platinum: Rate(rate: 450, burst: 675)
        case .diamond: Rate(rate: 525, burst: 787)
        case .elite: Rate(rate: 600, burst: 900)
        }
    }

    /// Twice as much, but for a token that is lost in the Diamond tier.
    var cancels: Rate {
        let burst = self == .diamond ? 1_575 : 2 * self.orders.burst
        return Rate(rate: 2 * self.orders.rate, burst: burst)
    }

    /// Whether cancels whose number is known only afterwards may leave less than nothing.
    var mayOweCancels: Bool {
        switch self {
        case .standard, .copper, .bronze, .silver, .gold: true
        case .platinum, .diamond, .elite: false
        }
    }
}

/// What a signer has left of one kind of requests, exact in integers.
struct RateBudget: Hashable, Sendable {
    let rate: RateTier.Rate
    /// Tokens times 10⁶; below zero when more was done than there was.
    private var level: Int64
    private var filledAt: Timestamp

    private static let scale: Int64 = 1_000_000

    init(_ rate: RateTier.Rate, at time: Timestamp) {
        self.rate = rate
        self.level = rate.burst * Self.scale
        self.filledAt = time
    }

    /// Whole tokens, rounded down.
    var remaining: Int64 {
        let quotient = self.level / Self.scale
        return self.level % Self.scale < 0 ? quotient - 1 : quotient
    }

    mutating func fill(at time: Timestamp) {
        let full = self.rate.burst * Self.scale
        let elapsed = max(0, time.microseconds - self.filledAt.microseconds)
        // Whoever owes at most a burst has all of it back by then.
        let gained = elapsed > 2 * full / self.rate.rate ? 2 * full : elapsed * self.rate.rate
        self.level = min(full, self.level + gained)
        self.filledAt = max(self.filledAt, time)
    }

    /// Whether so many are there.
    func allows(_ cost: Int64) -> Bool { cost <= self.rate.burst && self.level >= cost * Self.scale }

    /// Takes so many, down to `least` at the least: nobody owes more than a burst.
    mutating func take(_ cost: Int64, least: Int64) {
        let cost = min(cost, 2 * self.rate.burst)
        self.level = max(least * Self.scale, self.level - cost * Self.scale)
    }

    /// Whole seconds until so many are there, rounded up and one at least; `nil` when that will never be.
    func wait(for cost: Int64) -> Int64? {
        guard cost <= self.rate.burst else { return nil }
        let missing = cost * Self.scale - self.level
        let perSecond = self.rate.rate * Self.scale
        return max(1, (missing + perSecond - 1) / perSecond)
    }

    /// Unix seconds when nothing is missing any more, rounded up.
    var resetTime: Int64 {
        let missing = self.rate.burst * Self.scale - self.level
        let microseconds = self.filledAt.microseconds + (missing + self.rate.rate - 1) / self.rate.rate
        return (microseconds + Self.scale - 1) / Self.scale
    }
}

/// The two budgets of a signer. Source: reference, 2.9.
struct RateBudgets: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case orders, cancels }

    /// What became of a request.
    struct Verdict: Hashable, Sendable {
        /// More was asked for than there was.
        var isOver = false
        /// Seconds until it would pass; `nil` when it never will.
        var retryAfter: Int64?
    }

    let tier: RateTier
    private var orders: RateBudget
    private var cancels: RateBudget

    init(_ tier: RateTier, at time: Timestamp) {
        self.tier = tier
        self.orders = RateBudget(tier.orders, at: time)
        self.cancels = RateBudget(tier.cancels, at: time)
    }

    func budget(_ kind: Kind) -> RateBudget { kind == .orders ? self.orders : self.cancels }

    /// Takes what a request costs. One that goes too far takes nothing where limits are enforced, and whatever is there
    /// where they are only warned of.
    mutating func take(_ cost: Int64, _ kind: Kind, isEnforced: Bool, at time: Timestamp) -> Verdict {
        var budget = self.budget(kind)
        budget.fill(at: time)
        var verdict = Verdict()
        if !budget.allows(cost) { verdict = Verdict(isOver: true, retryAfter: budget.wait(for: cost)) }
        if !(verdict.isOver && isEnforced) { budget.take(cost, least: self.least(budget, kind)) }
        self.set(budget, kind)
        return verdict
    }

    /// Takes for cancels that were done already.
    mutating func takeLate(_ cost: Int64) {
        self.cancels.take(cost, least: self.least(self.cancels, .cancels))
    }

    private func least(_ budget: RateBudget, _ kind: Kind) -> Int64 {
        kind == .cancels && self.tier.mayOweCancels ? -budget.rate.burst : 0
    }

    private mutating func set(_ budget: RateBudget, _ kind: Kind) {
        switch kind {
        case .orders: self.orders = budget
        case .cancels: self.cancels = budget
        }
    }

    /// Headers of the answer to a request of that kind.
    func headers(_ kind: Kind, isWarned: Bool) -> [Answer.Header] {
        let budget = self.budget(kind)
        var headers = [
            Answer.Header(name: "Poly-RateLimit-Remaining", value: "\(budget.remaining)"),
            Answer.Header(name: "Poly-RateLimit-Reset", value: "\(budget.resetTime)"),
            Answer.Header(name: "Poly-RateLimit-Tier", value: self.tier.rawValue),
        ]
        if isWarned { headers.append(Answer.Header(name: "Poly-RateLimit-Warning", value: "true")) }
        return headers
    }
}
