import Shared

/// The order book service's public reads. Source: reference, 2.1.
enum ClobPages {
    /// Books of one `POST /books`.
    static let bookCountMax = 500

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
        case ("GET", ["midpoint"]):
            return self.withToken(request, listing) { self.midpoint(listing[$0.slot], $0.outcome) }
        case ("GET", ["tick-size"]):
            return self.withToken(request, listing) { place in
                .json {
                    $0.object {
                        $0.key("minimum_tick_size")
                        $0.decimal(listing[place.slot].book.tick.micros)
                    }
                }
            }
        case ("GET", ["neg-risk"]):
            return self.withToken(request, listing) { place in
                .json {
                    $0.object {
                        $0.key("neg_risk")
                        $0.bool(listing[place.slot].market.isNegRisk)
                    }
                }
            }
        case ("GET", let path) where path.count == 2 && path[0] == "clob-markets": return self.compact(path[1], listing)
        case ("GET", let path) where path.count == 2 && path[0] == "markets-by-token":
            return self.tokens(path[1], listing)
        default: return nil
        }
    }

    private static func withToken(
        _ request: PageRequest, _ listing: MarketRegister, _ body: (MarketRegister.TokenPlace) -> Answer
    ) -> Answer {
        guard let token = request.value("token_id").flatMap({ TokenID($0) }) else { return .invalidToken }
        guard let place = listing.place(of: token), listing[place.slot].isBookServed else { return .unknownToken }
        return body(place)
    }

    /// Which market a token is of, and which other token that has.
    private static func tokens(_ text: String, _ listing: MarketRegister) -> Answer {
        guard let token = TokenID(text) else { return .invalidToken }
        guard let place = listing.place(of: token), listing[place.slot].isKnownToClob else {
            return .error(404, "market not found")
        }
        let market = listing[place.slot].market
        return .json {
            $0.object {
                $0.key("condition_id")
                $0.string(market.condition.description)
                $0.key("primary_token_id")
                $0.string(market.first.token.description)
                $0.key("secondary_token_id")
                $0.string(market.second.token.description)
            }
        }
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
        guard let wanted = (try? JSONValue(parsing: request.body))?.array else { return .error(400, "Invalid payload") }
        guard wanted.count <= self.bookCountMax else { return .error(400, "Payload exceeds the limit") }
        var places: [MarketRegister.TokenPlace] = []
        for value in wanted {
            guard let text = value["token_id"]?.string else { return .error(400, "Invalid payload") }
            // Ids that nobody knows are dropped without a word, as the venue does.
            guard let token = TokenID(text), let place = listing.place(of: token) else { continue }
            if listing[place.slot].isBookServed { places.append(place) }
        }
        return .json {
            $0.array { for place in places { self.write(listing[place.slot], outcome: place.outcome, to: &$0) } }
        }
    }

    private static func midpoint(_ listed: ListedMarket, _ outcome: Int) -> Answer {
        guard listed.book.midpoint != nil else { return .unknownToken }
        return .json {
            $0.object {
                $0.key("mid")
                $0.decimalString(listed.midpoint(outcome: outcome))
            }
        }
    }

    /// The compact parameters of a market; members that are false are left out.
    private static func compact(_ id: String, _ listing: MarketRegister) -> Answer {
        guard let condition = ConditionID(id) else { return .error(400, "Invalid condition id") }
        guard let slot = listing.slot(of: condition), listing[slot].isKnownToClob else {
            return .error(404, "market not found")
        }
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
