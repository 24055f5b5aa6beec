import Shared

/// An account of the engine, counted from zero in the order of opening. Who is behind it is not the engine's business.
struct AccountID: Hashable, Comparable, Sendable {
    let index: Int
    static func < (a: AccountID, b: AccountID) -> Bool { a.index < b.index }
}

/// One of a market's two tokens.
struct OutcomePlace: Hashable, Comparable, Sendable {
    let market: Int
    /// 0 for the first, 1 for the second.
    let outcome: Int

    var other: OutcomePlace { OutcomePlace(market: self.market, outcome: 1 - self.outcome) }
    static func < (a: OutcomePlace, b: OutcomePlace) -> Bool { (a.market, a.outcome) < (b.market, b.outcome) }
}

/// Which contract settles: each needs its own approvals. Source: reference, 6.2.
enum ExchangeContract: Int, CaseIterable, Hashable, Sendable {
    case standard, negRisk

    init(_ market: Market) { self = market.isNegRisk ? .negRisk : .standard }
}

/// What a contract may move for an account.
struct Approval: Hashable, Sendable {
    static let none = Approval(money: .zero, movesShares: false)
    /// As clients approve: never used up.
    static let unlimited = Approval(money: Money(micros: .max), movesShares: true)

    /// pUSD that may still be moved; the largest number is never used up.
    var money: Money
    var movesShares: Bool

    fileprivate mutating func use(_ amount: Money) {
        if self.money.micros != .max { self.money -= amount }
    }
}

/// What an account may do.
enum AccountStanding: Hashable, Sendable {
    case normal
    /// May sell what it holds and buy nothing.
    case closedOnly
    case banned
}

/// pUSD, shares and approvals of one account, and what its open orders keep from other use.
///
/// What a trade takes leaves the balance when it matches and waits in the trade; what a trade gives arrives when it is
/// confirmed. So a trade that fails is undone by giving back what waits, whatever happened in between.
struct Account: Sendable {
    struct Holding: Hashable, Sendable {
        var balance = Quantity.zero
        var reserved = Quantity.zero
    }

    /// An open order's rank in time and its place.
    struct OpenOrder: Hashable, Sendable {
        let sequence: Int
        let slot: Int
    }

    /// Of the venue's own crowd: nobody is told of its orders, and what the crowd trades with itself settles at once.
    let isCrowd: Bool
    var standing = AccountStanding.normal
    private(set) var money = Money.zero
    private var approvals: [Approval] = [.none, .none]
    /// By the contract that would settle.
    private var reservedMoney: [Money] = [.zero, .zero]
    private var holdings: [OutcomePlace: Holding] = [:]
    /// Earliest first.
    private(set) var openOrders: [OpenOrder] = []

    init(isCrowd: Bool) { self.isCrowd = isCrowd }

    func approval(_ contract: ExchangeContract) -> Approval { self.approvals[contract.rawValue] }
    mutating func approve(_ approval: Approval, for contract: ExchangeContract) {
        self.approvals[contract.rawValue] = approval
    }

    var reserved: Money { self.reservedMoney[0] + self.reservedMoney[1] }
    func holding(_ place: OutcomePlace) -> Holding { self.holdings[place] ?? Holding() }
    /// Tokens of which there is anything, in order.
    var heldPlaces: [OutcomePlace] { self.holdings.keys.sorted().filter { self.holding($0) != Holding() } }

    /// pUSD for a further buy: what is neither spent, nor kept for open orders, nor beyond the allowance.
    func availableMoney(_ contract: ExchangeContract) -> Money {
        let allowed = self.approvals[contract.rawValue].money - self.reservedMoney[contract.rawValue]
        return max(.zero, min(self.money - self.reserved, allowed))
    }

    /// Shares for a further sale.
    func availableShares(_ place: OutcomePlace, _ contract: ExchangeContract) -> Quantity {
        guard self.approvals[contract.rawValue].movesShares else { return .zero }
        let holding = self.holding(place)
        return max(.zero, holding.balance - holding.reserved)
    }

    // MARK: Reservations

    mutating func reserve(_ amount: Money, _ contract: ExchangeContract) {
        self.reservedMoney[contract.rawValue] += amount
    }
    mutating func reserve(_ size: Quantity, _ place: OutcomePlace) {
        self.holdings[place, default: Holding()].reserved += size
    }

    /// Whether the contract's open buys ask for more than there is.
    func isShortOfMoney(_ contract: ExchangeContract) -> Bool {
        let reserved = self.reservedMoney[contract.rawValue]
        return reserved > .zero && (self.reserved > self.money || reserved > self.approvals[contract.rawValue].money)
    }

    /// Whether the open sales of a token ask for more than there is.
    func isShortOfShares(_ place: OutcomePlace, _ contract: ExchangeContract) -> Bool {
        let holding = self.holding(place)
        return holding.reserved > .zero
            && (holding.reserved > holding.balance || !self.approvals[contract.rawValue].movesShares)
    }

    // MARK: Balances

    mutating func receive(_ amount: Money) { self.money += amount }
    mutating func receive(_ size: Quantity, _ place: OutcomePlace) {
        self.holdings[place, default: Holding()].balance += size
    }

    /// Takes pUSD for a trade.
    mutating func spend(_ amount: Money, _ contract: ExchangeContract) {
        self.take(amount)
        self.approvals[contract.rawValue].use(amount)
    }

    /// Gives back what a failed trade had taken.
    mutating func refund(_ amount: Money, _ contract: ExchangeContract) {
        self.money += amount
        self.approvals[contract.rawValue].use(-amount)
    }

    /// Takes pUSD otherwise, even what open orders count on.
    mutating func take(_ amount: Money) {
        precondition(amount <= self.money, "an account was to give pUSD that it does not have")
        self.money -= amount
    }

    mutating func take(_ size: Quantity, _ place: OutcomePlace) {
        var holding = self.holding(place)
        precondition(size <= holding.balance, "an account was to give shares that it does not have")
        holding.balance -= size
        self.holdings[place] = holding == Holding() ? nil : holding
    }

    // MARK: Open orders

    mutating func addOpenOrder(_ sequence: Int, at slot: Int) {
        self.openOrders.append(OpenOrder(sequence: sequence, slot: slot))
    }

    mutating func removeOpenOrder(_ sequence: Int) {
        var (low, high) = (0, self.openOrders.count)
        while low < high {
            let middle = (low + high) / 2
            if self.openOrders[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        precondition(
            low < self.openOrders.count && self.openOrders[low].sequence == sequence,
            "an order was closed that is not open")
        self.openOrders.remove(at: low)
    }
}
