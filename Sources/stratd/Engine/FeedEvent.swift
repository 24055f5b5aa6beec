import Shared

/// What the feed says, or that it says nothing any more.
enum FeedEvent: Sendable {
    case market(MarketBody)
    case book(BookBody)
    case delta(DeltaBody)
    case trade(TradeBody)
    case trust(TrustBody)
    case tickSize(TickSizeBody)
    case resolved(ResolvedBody)
    case tradesDropped(TradesDropped)
    /// Anything else: it proves that the line is alive up to its time.
    case alive
    case connected
    case disconnected
}

extension FeedEvent {
    /// What a frame says; `nil` for a type that no feed sends.
    init?(_ envelope: Envelope) throws(FrameError) {
        guard let type = FrameType(rawValue: envelope.type) else { return nil }
        do throws(JSONError) {
            let event = try JSONReader.read(envelope.body) { (reader) throws(JSONError) -> FeedEvent? in
                guard let event = try FeedEvent(type, reading: &reader) else {
                    try reader.skip()
                    return nil
                }
                return event
            }
            guard let event else { return nil }
            self = event
        } catch { throw .badJSON(error) }
    }

    /// What a frame's body says; `nil`, with nothing read, for a type that no feed sends.
    init?(_ type: FrameType, reading reader: inout JSONReader) throws(JSONError) {
        switch type {
        case .delta: self = .delta(try DeltaBody(reading: &reader))
        case .book: self = .book(try BookBody(reading: &reader))
        case .trade: self = .trade(try TradeBody(reading: &reader))
        case .market: self = .market(try MarketBody(reading: &reader))
        case .trust: self = .trust(try TrustBody(reading: &reader))
        case .tickSize: self = .tickSize(try TickSizeBody(reading: &reader))
        case .resolved: self = .resolved(try ResolvedBody(reading: &reader))
        case .tradesDropped: self = .tradesDropped(try TradesDropped(reading: &reader))
        case .feedStatus, .metrics, .result, .referencePrice:
            try reader.skip()
            self = .alive
        default: return nil
        }
    }

    /// When the feed received the change of a book; `nil` for what is none.
    var bookTime: Timestamp? {
        switch self {
        case .book(let body): body.receivedTime
        case .delta(let body): body.receivedTime
        case .market, .trade, .trust, .tickSize, .resolved, .tradesDropped, .alive, .connected, .disconnected: nil
        }
    }

    /// The frame that says it; `nil` for what no frame needs to say.
    var body: (any FrameBody)? {
        switch self {
        case .market(let body): body
        case .book(let body): body
        case .delta(let body): body
        case .trade(let body): body
        case .trust(let body): body
        case .tickSize(let body): body
        case .resolved(let body): body
        case .tradesDropped(let body): body
        case .alive, .connected, .disconnected: nil
        }
    }
}
