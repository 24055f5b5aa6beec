import Shared

/// The order book service's prices: what its books come down to. Source: reference, 2.1.
enum ClobPrices {
    /// - Returns: `nil` when the path is none of these.
    static func answer(_ request: PageRequest, _ listing: MarketRegister) -> Answer? {
        switch (request.method, request.path) {
        case ("GET", ["price"]): self.price(request, listing)
        case ("GET", ["midpoint"]): self.one(request, listing, "mid") { self.midpoint($0, $1) }
        case ("GET", ["spread"]): self.one(request, listing, "spread") { self.spread($0, $1) }
        case ("GET", ["last-trade-price"]): self.lastTrade(request, listing)
        case ("POST", ["prices"]): self.prices(request, listing)
        case ("POST", ["midpoints"]): self.many(request, listing) { self.midpoint($0, $1) }
        case ("POST", ["spreads"]): self.many(request, listing) { self.spread($0, $1) }
        case ("POST", ["last-trades-prices"]): self.lastTrades(request, listing)
        // In the venue's documents, and refused by it, whatever is asked.
        case ("GET", ["prices"]), ("GET", ["midpoints"]), ("GET", ["last-trades-prices"]), ("GET", ["books"]):
            TokenPayload.Problem.malformed.answer
        default: nil
        }
    }

    // MARK: Of one token

    private static func price(_ request: PageRequest, _ listing: MarketRegister) -> Answer {
        guard let token = request.value("token_id").flatMap({ TokenID($0) }) else { return .invalidToken }
        guard let side = request.value("side").flatMap({ TradeSide(clob: $0) }) else {
            return .error(400, "Invalid side")
        }
        guard let place = listing.place(of: token), listing[place.slot].isBookServed else { return .unknownToken }
        return .json {
            $0.object {
                $0.key("price")
                $0.decimalString(self.best(side, listing[place.slot], place.outcome))
            }
        }
    }

    private static func one(
        _ request: PageRequest, _ listing: MarketRegister, _ key: StaticString,
        _ value: (ListedMarket, _ outcome: Int) -> Int64?
    ) -> Answer {
        ClobPages.withToken(request, listing) { place in
            guard let value = value(listing[place.slot], place.outcome) else { return .unknownToken }
            return .json {
                $0.object {
                    $0.key(key)
                    $0.decimalString(value)
                }
            }
        }
    }

    private static func lastTrade(_ request: PageRequest, _ listing: MarketRegister) -> Answer {
        ClobPages.withToken(request, listing) { place in
            .json { $0.object { self.writeLastTrade(listing[place.slot], to: &$0) } }
        }
    }

    // MARK: Of many

    private static func many(
        _ request: PageRequest, _ listing: MarketRegister, _ value: (ListedMarket, _ outcome: Int) -> Int64?
    ) -> Answer {
        TokenPayload.answer(request, listing) { payload, writer in
            writer.object {
                for place in payload.places {
                    guard let value = value(listing[place.slot], place.outcome) else { continue }
                    $0.key(dynamic: listing[place.slot].outcome(place.outcome).token.description)
                    $0.decimalString(value)
                }
            }
        }
    }

    private static func prices(_ request: PageRequest, _ listing: MarketRegister) -> Answer {
        TokenPayload.answer(request, listing) { payload, writer in
            var sides: [MarketRegister.TokenPlace: Set<TradeSide>] = [:]
            // An entry without a side is read as a sale.
            for entry in payload.entries { sides[entry.place, default: []].insert(entry.side ?? .sell) }
            writer.object {
                for place in payload.places {
                    let listed = listing[place.slot]
                    $0.key(dynamic: listed.outcome(place.outcome).token.description)
                    $0.object {
                        for side in [TradeSide.buy, .sell] where sides[place]?.contains(side) == true {
                            $0.key(side.clobText)
                            $0.decimalString(self.best(side, listed, place.outcome))
                        }
                    }
                }
            }
        }
    }

    private static func lastTrades(_ request: PageRequest, _ listing: MarketRegister) -> Answer {
        TokenPayload.answer(request, listing) { payload, writer in
            writer.array {
                for place in payload.places {
                    let listed = listing[place.slot]
                    $0.object {
                        $0.key("token_id")
                        $0.string(listed.outcome(place.outcome).token.description)
                        self.writeLastTrade(listed, to: &$0)
                    }
                }
            }
        }
    }

    // MARK: Values

    /// The best bid for BUY, the best ask for SELL; zero where nobody stands, as the market channel says it too.
    private static func best(_ side: TradeSide, _ listed: ListedMarket, _ outcome: Int) -> Int64 {
        MarketMessages.best(side == .buy ? .bid : .ask, of: listed, outcome: outcome)
    }

    private static func midpoint(_ listed: ListedMarket, _ outcome: Int) -> Int64? {
        listed.book.midpoint == nil ? nil : listed.midpoint(outcome: outcome)
    }

    /// The same for both outcomes.
    private static func spread(_ listed: ListedMarket, _ outcome: Int) -> Int64? {
        guard let bid = listed.book.bestBid?.price, let ask = listed.book.bestAsk?.price else { return nil }
        return Int64(ask.micros - bid.micros)
    }

    /// Before the first trade a half and no side, as the venue has it.
    private static func writeLastTrade(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let price = Decimal6.parse(listed.lastTrade.text)
        writer.key("price")
        writer.decimalString(price ?? 500_000)
        writer.key("side")
        if price != nil, let side = listed.lastTradeSide {
            writer.string(side.clobText.description)
        } else {
            writer.string("")
        }
    }
}
