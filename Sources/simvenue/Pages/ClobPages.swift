import Shared

/// The order book service's public reads. Source: reference, 2.1.
enum ClobPages {
    /// - Returns: `nil` when the path is none of the service's.
    static func answer(_ request: PageRequest, _ listing: MarketRegister, time: Int64) -> Answer? {
        switch (request.method, request.path) {
        case ("GET", ["ok"]): return .json { $0.string("OK") }
        case ("GET", ["time"]): return .json { $0.integer(time / 1_000) }
        case ("GET", ["version"]):
            return .json {
                $0.object {
                    $0.key("version")
                    $0.integer(2)
                }
            }
        case ("GET", ["book"]):
            return self.withToken(request, listing) { self.book(listing[$0.slot], outcome: $0.outcome) }
        case ("POST", ["books"]): return self.books(request, listing)
        case ("GET", ["tick-size"]):
            return self.term(request, listing, "minimum_tick_size") { $1.decimal($0.book.tick.micros) }
        case ("GET", ["neg-risk"]): return self.term(request, listing, "neg_risk") { $1.bool($0.market.isNegRisk) }
        // Of the first protocol's fees; those that are due stand in `fd` of the compact parameters.
        case ("GET", ["fee-rate"]):
            return self.term(request, listing, "base_fee") { $1.integer($0.market.feeRate > 0 ? 1_000 : 0) }
        case ("GET", let path) where path.count == 2 && path[0] == "clob-markets": return self.compact(path[1], listing)
        default: return ClobPrices.answer(request, listing) ?? ClobMarkets.answer(request, listing)
        }
    }

    /// An object of one member.
    private static func term(
        _ request: PageRequest, _ listing: MarketRegister, _ key: StaticString,
        _ write: (ListedMarket, inout JSONWriter) -> Void
    ) -> Answer {
        self.withToken(request, listing) { place in
            .json {
                $0.object {
                    $0.key(key)
                    write(listing[place.slot], &$0)
                }
            }
        }
    }

    /// Answers about the token that `token_id` names.
    static func withToken(
        _ request: PageRequest, _ listing: MarketRegister, _ body: (MarketRegister.TokenPlace) -> Answer
    ) -> Answer {
        guard let token = request.value("token_id").flatMap({ TokenID($0) }) else { return .invalidToken }
        guard let place = listing.place(of: token), listing[place.slot].isBookServed else { return .unknownToken }
        return body(place)
    }

    static func book(_ listed: ListedMarket, outcome: Int) -> Answer {
        .json { Self.write(listed, outcome: outcome, to: &$0) }
    }

    private static func write(_ listed: ListedMarket, outcome: Int, to writer: inout JSONWriter) {
        BookHasher.write(
            listed.book, of: listed.market, outcome: outcome, timestamp: listed.bookTime, lastTrade: listed.lastTrade,
            hash: listed.hash(outcome: outcome), to: &writer)
    }

    private static func books(_ request: PageRequest, _ listing: MarketRegister) -> Answer {
        TokenPayload.answer(request, listing) { payload, writer in
            writer.array {
                for entry in payload.entries {
                    self.write(listing[entry.place.slot], outcome: entry.place.outcome, to: &$0)
                }
            }
        }
    }

    /// The compact parameters of a market; members that are false are left out.
    private static func compact(_ id: String, _ listing: MarketRegister) -> Answer {
        guard let condition = ConditionID(id) else { return .error(400, "Invalid condition id") }
        guard let slot = listing.slot(of: condition), listing[slot].isKnownToClob else { return .unknownMarket }
        let listed = listing[slot]
        let market = listed.market
        return .json {
            $0.object {
                $0.key("c")
                $0.string(market.condition.description)
                $0.key("t")
                $0.array {
                    for outcome in [market.first, market.second] {
                        $0.object {
                            $0.key("t")
                            $0.string(outcome.token.description)
                            $0.key("o")
                            $0.string(outcome.label)
                        }
                    }
                }
                $0.key("mos")
                $0.decimal(market.sizeMin.micros)
                $0.key("mts")
                $0.decimal(listed.book.tick.micros)
                $0.key("mbf")
                $0.integer(1_000)
                $0.key("tbf")
                $0.integer(1_000)
                self.writeFlags(listed, to: &$0)
                if let rewards = market.rewards {
                    $0.key("r")
                    $0.object {
                        $0.key("mi")
                        $0.decimal(rewards.sizeMin.micros)
                        $0.key("ma")
                        $0.decimal(rewards.spreadMax * 100)
                        $0.key("e")
                        $0.bool(true)
                    }
                }
                if market.feeRate > 0 {
                    $0.key("fd")
                    $0.object {
                        $0.key("r")
                        $0.decimal(market.feeRate)
                        $0.key("e")
                        $0.integer(market.feeExponent)
                        $0.key("to")
                        $0.bool(true)
                    }
                }
                $0.key("v")
                $0.string("v1")
            }
        }
    }

    private static func writeFlags(_ listed: ListedMarket, to writer: inout JSONWriter) {
        if listed.acceptsOrders && listed.hasOrderBook && !listed.isClosed {
            writer.key("ao")
            writer.bool(true)
        }
        if listed.market.isNegRisk {
            writer.key("nr")
            writer.bool(true)
        }
        // A wait in whole seconds has a member of its own.
        if listed.secondsDelay > 0 {
            writer.key("sd")
            writer.integer(listed.secondsDelay)
        } else if listed.market.hasTakerDelay {
            writer.key("itode")
            writer.bool(true)
        }
        writer.key("aot")
        writer.string(CalendarDate.rfc3339(listed.listedTime.microseconds / 1_000_000))
    }
}
