import Shared

/// What the venue knows itself, for tests that compare: `GET /truth` lists the tradable markets, `GET /truth?token_id=`
/// shows a book with its hash and last trade price.
enum TruthPages {
    static func answer(_ request: PageRequest, _ listing: MarketRegister, time: Int64) -> Answer? {
        guard request.method == "GET", request.path == ["truth"] else { return nil }
        if let text = request.value("token_id") {
            guard let token = TokenID(text) else { return .invalidToken }
            guard let place = listing.place(of: token) else { return .unknownToken }
            return ClobPages.book(listing[place.slot], outcome: place.outcome)
        }
        return .json {
            $0.object {
                $0.key("time")
                $0.integer(time)
                $0.key("markets")
                $0.array { writer in
                    for slot in listing.order where listing[slot].isTradable(at: Timestamp(milliseconds: time)) {
                        self.write(listing[slot], to: &writer)
                    }
                }
            }
        }
    }

    private static func write(_ listed: ListedMarket, to writer: inout JSONWriter) {
        writer.object {
            $0.key("market")
            $0.string(listed.market.condition.description)
            $0.key("slug")
            $0.string(listed.market.slug)
            $0.key("tokens")
            $0.array {
                $0.string(listed.market.first.token.description)
                $0.string(listed.market.second.token.description)
            }
            $0.key("tick")
            $0.decimalString(listed.book.tick.micros)
            $0.key("end")
            $0.integer(listed.market.endTime.microseconds / 1_000)
        }
    }
}
