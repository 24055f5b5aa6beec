import Shared

/// All markets that the venue knows, found by any of their names.
///
/// A market keeps its slot while it is listed. Slots are used again, so that days of short windows cost no memory.
struct MarketRegister: Sendable {
    /// Where a token leads.
    struct TokenPlace: Hashable, Sendable {
        let slot: Int
        /// 0 for the first outcome, 1 for the second.
        let outcome: Int
    }

    private var slots: [ListedMarket?] = []
    private var freeSlots: [Int] = []
    private var slotsByToken: [TokenID: TokenPlace] = [:]
    private var slotsByCondition: [ConditionID: Int] = [:]
    private var slotsBySlug: [String: Int] = [:]
    private var slotsByID: [Int: Int] = [:]
    /// In the order of their ids.
    private(set) var order: [Int] = []

    /// Slots ever used; every slot is below it.
    var slotCount: Int { self.slots.count }

    /// Lists `market`, whose id must be above all others.
    mutating func add(_ market: ListedMarket) -> Int {
        let slot: Int
        if let free = self.freeSlots.popLast() {
            slot = free
            self.slots[slot] = market
        } else {
            slot = self.slots.count
            self.slots.append(market)
        }
        self.slotsByToken[market.market.first.token] = TokenPlace(slot: slot, outcome: 0)
        self.slotsByToken[market.market.second.token] = TokenPlace(slot: slot, outcome: 1)
        self.slotsByCondition[market.market.condition] = slot
        self.slotsBySlug[market.market.slug] = slot
        self.slotsByID[market.id] = slot
        self.order.append(slot)
        return slot
    }

    /// Forgets the market in `slot`.
    mutating func remove(slot: Int) {
        guard let market = self.slots[slot] else { return }
        self.slotsByToken[market.market.first.token] = nil
        self.slotsByToken[market.market.second.token] = nil
        self.slotsByCondition[market.market.condition] = nil
        self.slotsBySlug[market.market.slug] = nil
        self.slotsByID[market.id] = nil
        self.order.removeAll { $0 == slot }
        self.slots[slot] = nil
        self.freeSlots.append(slot)
    }

    /// The market in a slot that is in use.
    subscript(slot: Int) -> ListedMarket {
        // Not `_read`: the compiler's unoptimised code frees what it yields from an optional before the caller has read it
        // (the address sanitizer found it).
        get { self.slots[slot]! }
        _modify { yield &self.slots[slot]! }
    }

    func place(of token: TokenID) -> TokenPlace? { self.slotsByToken[token] }
    func slot(of condition: ConditionID) -> Int? { self.slotsByCondition[condition] }
    func slot(slug: String) -> Int? { self.slotsBySlug[slug] }
    func slot(id: Int) -> Int? { self.slotsByID[id] }

    /// Slots of the markets of an event, in the order of their ids.
    func slots(ofEvent id: Int) -> [Int] { self.order.filter { self[$0].event.id == id } }
}
