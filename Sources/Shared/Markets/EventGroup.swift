/// The markets of a neg-risk event, of which exactly one wins. Source: reference, 1.2.
public struct EventGroup: Hashable, Sendable {
    public enum State: String, CaseIterable, Hashable, Sendable {
        case tradable
        /// Decided, and lost unless the event is over.
        case closed
        /// Has no name yet: one of those that an augmented event keeps for later.
        case placeholder
        /// Cannot be traded, or not be read.
        case refused
    }

    public struct Member: Hashable, Sendable {
        /// `nil` where it cannot be read.
        public let market: ConditionID?
        /// "25 bps decrease"
        public let title: String
        public let state: State
        /// Whether it wins when no named outcome does.
        public let isOther: Bool

        public init(market: ConditionID?, title: String, state: State, isOther: Bool) {
            self.market = market
            self.title = title
            self.state = state
            self.isOther = isOther
        }
    }

    /// Outcomes of one event that are read; the venue's largest have about 130.
    public static let memberCountMax = 500
    /// Longest title that is kept, in bytes; real ones have up to about 60. All of an event go into one frame.
    public static let titleByteCountMax = 200

    /// Slug of the event.
    public let event: String
    /// The venue's id of the group.
    public let group: String
    /// Whether outcomes may still be added: until then "Other" stands for them.
    public let isAugmented: Bool
    /// As the venue orders them.
    public let members: [Member]

    public init(event: String, group: String, isAugmented: Bool, members: [Member]) {
        self.event = event
        self.group = group
        self.isAugmented = isAugmented
        self.members = members
    }

    /// Whether the tradable outcomes hold the winner for certain: nothing that could still win is missing. Placeholders
    /// cannot win before they have a name; until then "Other" stands for them.
    public var isComplete: Bool {
        let tradable = self.members.filter { $0.state == .tradable }
        guard tradable.count > 1, !self.members.contains(where: { $0.state == .refused }) else { return false }
        return !self.isAugmented || tradable.contains { $0.isOther }
    }

    /// Reads an event; `nil` when it is no neg-risk event or has more outcomes than can be read.
    public init?(_ value: JSONValue, now: Timestamp) {
        guard value["negRisk"]?.bool == true, let slug = value["slug"]?.string,
            let group = value["negRiskMarketID"]?.string, let markets = value["markets"]?.array,
            markets.count <= Self.memberCountMax
        else { return nil }
        self.init(
            event: slug.shortened(toByteCount: Market.textByteCountMax),
            group: group.shortened(toByteCount: Market.textByteCountMax),
            isAugmented: value["negRiskAugmented"]?.bool ?? false,
            members: markets.map { Self.member($0, event: slug, now: now) })
    }

    private static func member(_ value: JSONValue, event: String, now: Timestamp) -> Member {
        let state: State
        do throws(Refusal) {
            _ = try GammaMarket.read(value, event: event, now: now)
            state = .tradable
        } catch {
            state =
                switch error {
                case .closed: .closed
                case .inactive: .placeholder
                default: .refused
                }
        }
        return Member(
            market: value["conditionId"]?.string.flatMap { ConditionID($0) },
            title: Self.title(value["groupItemTitle"]?.string ?? ""), state: state,
            isOther: value["negRiskOther"]?.bool ?? false)
    }

    /// Without control characters, of which a frame would make six bytes each.
    private static func title(_ text: String) -> String {
        let printable = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
        return String(String.UnicodeScalarView(printable)).shortened(toByteCount: Self.titleByteCountMax)
    }

    /// What is read of an event.
    public static let memberNames = MemberNames(
        ["slug", "negRisk", "negRiskMarketID", "negRiskAugmented"],
        inside: [
            (
                "markets",
                MemberNames([
                    "conditionId", "slug", "question", "outcomes", "clobTokenIds", "version", "active", "closed",
                    "archived", "enableOrderBook", "acceptingOrders", "umaResolutionStatus", "endDate",
                    "eventStartTime", "orderPriceMinTickSize", "orderMinSize", "negRisk", "negRiskOther",
                    "groupItemTitle", "feesEnabled", "feeType", "feeSchedule", "rate", "exponent", "takerOnly",
                    "rebateRate", "secondsDelay",
                ])
            )
        ])
}
