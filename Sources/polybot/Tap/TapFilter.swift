import Shared

/// Which frames a tap lets through, as a value.
struct TapFilter {
    /// Frames that only keep the connection alive.
    private static let housekeeping: Set<String> = ["hello", "ping", "pong", "result"]

    /// Empty: all.
    var types: Set<String> = []
    var market: ConditionID?
    /// Whether the connection's own frames are let through too.
    var isRaw = false
    /// Numbers that the publisher has given to the market that is looked for. A market keeps its number, but a feed
    /// that has been told of it again may give it another.
    private var numbers: Set<Int64> = []

    init(types: Set<String> = [], market: ConditionID? = nil, isRaw: Bool = false) {
        self.types = types
        self.market = market
        self.isRaw = isRaw
    }

    /// Whether the frame is let through. Call it with every frame, in order: it learns the markets' numbers.
    mutating func lets(_ envelope: Envelope) -> Bool {
        let isOfMarket = self.market.map { self.speaks(envelope, of: $0) } ?? true
        if !self.types.isEmpty { return self.types.contains(envelope.type) && isOfMarket }
        if Self.housekeeping.contains(envelope.type) { return self.isRaw }
        return isOfMarket || envelope.type == FrameType.error.rawValue
    }

    private mutating func speaks(_ envelope: Envelope, of market: ConditionID) -> Bool {
        let body = envelope.body.withMemoryRebound(to: UInt8.self) { try? JSONValue(parsing: $0) }
        guard let body else { return false }
        if let text = body["market"]?.string {
            let isSame = ConditionID(text) == market
            if isSame, let n = body["n"]?.integer { self.numbers.insert(n) }
            return isSame
        }
        switch body["n"] {
        case .string("all")?: return true
        case let n?: return n.integer.map(self.numbers.contains) ?? false
        // A list of markets, or no market at all.
        case nil: return false
        }
    }
}
