import Shared

/// The tokens that the body of a request asks about: `[{"token_id":"…"},…]`. Source: reference, 2.1.
struct TokenPayload {
    /// What is wrong with a body; answered with status 400.
    enum Problem: Error {
        case malformed, tooLong, side

        var answer: Answer {
            switch self {
            case .malformed: .error(400, "Invalid payload")
            case .tooLong: .error(400, "Payload exceeds the limit")
            case .side: .error(400, "Invalid side")
            }
        }
    }

    struct Entry {
        let place: MarketRegister.TokenPlace
        /// `nil` where none is named.
        let side: TradeSide?
    }

    static let tokenCountMax = 500

    /// Those that have a book, in the order asked for; ids that nobody knows are dropped without a word, as the venue does.
    let entries: [Entry]

    init(_ body: [UInt8], _ listing: MarketRegister) throws(Problem) {
        guard let wanted = (try? JSONValue(parsing: body))?.array else { throw .malformed }
        guard wanted.count <= Self.tokenCountMax else { throw .tooLong }
        var entries: [Entry] = []
        for value in wanted {
            guard let text = value["token_id"]?.string else { throw .malformed }
            let side = try value["side"].map { (value) throws(Problem) in
                guard let side = value.string.flatMap({ TradeSide(clob: $0) }) else { throw .side }
                return side
            }
            guard let token = TokenID(text), let place = listing.place(of: token) else { continue }
            if listing[place.slot].isBookServed { entries.append(Entry(place: place, side: side)) }
        }
        self.entries = entries
    }

    /// The places, each once, in the order in which they are first named.
    var places: [MarketRegister.TokenPlace] {
        var seen: Set<MarketRegister.TokenPlace> = []
        return self.entries.map(\.place).filter { seen.insert($0).inserted }
    }

    /// Answers what `write` makes of the payload.
    static func answer(
        _ request: PageRequest, _ listing: MarketRegister, _ write: (TokenPayload, inout JSONWriter) -> Void
    ) -> Answer {
        do throws(Problem) {
            let payload = try TokenPayload(request.body, listing)
            return .json { write(payload, &$0) }
        } catch {
            return error.answer
        }
    }
}

extension TradeSide {
    /// As the order book service writes it.
    init?(clob text: String) {
        switch text {
        case "BUY": self = .buy
        case "SELL": self = .sell
        default: return nil
        }
    }

    var clobText: StaticString {
        switch self {
        case .buy: "BUY"
        case .sell: "SELL"
        }
    }
}
