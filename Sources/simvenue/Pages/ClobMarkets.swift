import Shared

/// The order book service's own markets: one by its names, and lists. Source: reference, 2.1.
enum ClobMarkets {
    /// Markets of a page.
    static let pageSize = 1_000

    /// - Returns: `nil` when the path is none of these. `/markets` is Gamma's too: with a `next_cursor` it is this service's,
    ///   as its clients always send one, and `/markets/{id}` is by the form of the id.
    static func answer(_ request: PageRequest, _ listing: MarketRegister, pageSize: Int = pageSize) -> Answer? {
        guard request.method == "GET", let first = request.path.first else { return nil }
        switch (first, request.path.count) {
        case ("markets", 1):
            return request.value("next_cursor") == nil
                ? nil : self.list(request, listing, pageSize, isSampling: false, write: self.write)
        case ("markets", 2):
            return ConditionID(request.path[1]).map { self.one(listing.slot(of: $0), listing) }
        case ("markets-by-token", 2): return self.byToken(request.path[1], listing)
        case ("sampling-markets", 1):
            return self.list(request, listing, pageSize, isSampling: true, write: self.write)
        case ("simplified-markets", 1):
            return self.list(request, listing, pageSize, isSampling: false, write: self.writeSimplified)
        case ("sampling-simplified-markets", 1):
            return self.list(request, listing, pageSize, isSampling: true, write: self.writeSimplified)
        default: return nil
        }
    }

    private static func one(_ slot: Int?, _ listing: MarketRegister) -> Answer {
        guard let slot, listing[slot].isKnownToClob else { return .unknownMarket }
        return .json { self.write(listing[slot], to: &$0) }
    }

    private static func byToken(_ text: String, _ listing: MarketRegister) -> Answer {
        guard let token = TokenID(text) else { return .invalidToken }
        guard let place = listing.place(of: token), listing[place.slot].isKnownToClob else { return .unknownMarket }
        let market = listing[place.slot].market
        // Which one comes first says nothing about the outcomes, at the venue as here.
        let isFirstPrimary = market.condition.words.3.isMultiple(of: 2)
        return .json {
            $0.object {
                $0.key("condition_id")
                $0.string(market.condition.description)
                $0.key("primary_token_id")
                $0.string((isFirstPrimary ? market.first : market.second).token.description)
                $0.key("secondary_token_id")
                $0.string((isFirstPrimary ? market.second : market.first).token.description)
            }
        }
    }

    // MARK: Lists

    private static func list(
        _ request: PageRequest, _ listing: MarketRegister, _ pageSize: Int, isSampling: Bool,
        write: (ListedMarket, inout JSONWriter) -> Void
    ) -> Answer {
        let cursor: ListCursor
        do throws(ListCursor.Problem) {
            cursor = try ListCursor(request)
        } catch {
            return error.answer
        }
        // In the order of their ids; closed markets too.
        let slots = listing.order.filter {
            listing[$0].isKnownToClob && (!isSampling || listing[$0].earnsRewards)
        }
        let rest =
            switch cursor {
            case .offset(let offset): slots.dropFirst(offset)
            case .after(let id): slots.drop { listing[$0].id <= id }
            }
        let page = rest.prefix(pageSize)
        return .json {
            $0.object { writer in
                writer.key("limit")
                writer.integer(pageSize)
                writer.key("count")
                writer.integer(page.count)
                writer.key("next_cursor")
                if let last = page.last, page.count < rest.count {
                    writer.string(ListCursor.after(id: listing[last].id).text)
                } else {
                    writer.string(ListCursor.end)
                }
                writer.key("data")
                writer.array { for slot in page { write(listing[slot], &$0) } }
            }
        }
    }

    // MARK: Objects

    private static func write(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let market = listed.market
        writer.object {
            $0.key("enable_order_book")
            $0.bool(listed.hasOrderBook)
            self.writeState(listed, to: &$0)
            $0.key("accepting_order_timestamp")
            $0.string(CalendarDate.rfc3339(listed.listedTime.microseconds / 1_000_000))
            $0.key("minimum_order_size")
            $0.decimal(market.sizeMin.micros)
            $0.key("minimum_tick_size")
            $0.decimal(listed.book.tick.micros)
            $0.key("condition_id")
            $0.string(market.condition.description)
            $0.key("question_id")
            $0.string(listed.questionID)
            $0.key("question")
            $0.string(market.question)
            $0.key("description")
            $0.string("A made-up market of a simulated venue.")
            $0.key("market_slug")
            $0.string(market.slug)
            self.writeTerms(listed, to: &$0)
            self.writeRewards(listed, to: &$0)
            $0.key("is_50_50_outcome")
            $0.bool(false)
            self.writeTokens(listed, to: &$0)
            $0.key("tags")
            $0.array { for tag in listed.event.tags { $0.string(tag.label) } }
        }
    }

    private static func writeSimplified(_ listed: ListedMarket, to writer: inout JSONWriter) {
        writer.object {
            $0.key("condition_id")
            $0.string(listed.market.condition.description)
            self.writeRewards(listed, to: &$0)
            self.writeTokens(listed, to: &$0)
            self.writeState(listed, to: &$0)
        }
    }

    private static func writeState(_ listed: ListedMarket, to writer: inout JSONWriter) {
        writer.key("active")
        writer.bool(listed.isActive)
        writer.key("closed")
        writer.bool(listed.isClosed)
        writer.key("archived")
        writer.bool(listed.isArchived)
        writer.key("accepting_orders")
        writer.bool(listed.acceptsOrders && !listed.isClosed)
    }

    private static func writeTerms(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let market = listed.market
        // The day alone: this service does not tell when on it a market ends.
        let day = market.endTime.microseconds / 1_000_000 / CalendarDate.secondsInDay * CalendarDate.secondsInDay
        writer.key("end_date_iso")
        writer.string(CalendarDate.rfc3339(day))
        writer.key("game_start_time")
        writer.null()
        writer.key("seconds_delay")
        writer.integer(listed.secondsDelay)
        writer.key("fpmm")
        writer.string("")
        let baseFee = market.feeRate > 0 ? 1_000 : 0
        writer.key("maker_base_fee")
        writer.integer(baseFee)
        writer.key("taker_base_fee")
        writer.integer(baseFee)
        writer.key("notifications_enabled")
        writer.bool(false)
        writer.key("neg_risk")
        writer.bool(market.isNegRisk)
        writer.key("neg_risk_market_id")
        writer.string(market.isNegRisk ? listed.event.negRiskID : "")
        writer.key("neg_risk_request_id")
        writer.string(market.isNegRisk ? listed.questionID : "")
    }

    private static func writeRewards(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let rewards = listed.isClosed ? nil : listed.market.rewards
        writer.key("rewards")
        writer.object {
            $0.key("rates")
            if let rewards {
                $0.array {
                    $0.object {
                        $0.key("asset_address")
                        $0.string(GammaObjects.collateral)
                        $0.key("rewards_daily_rate")
                        $0.decimal(rewards.daily.micros)
                    }
                }
            } else {
                $0.null()
            }
            $0.key("min_size")
            $0.decimal(rewards?.sizeMin.micros ?? 0)
            $0.key("max_spread")
            $0.decimal((rewards?.spreadMax ?? 0) * 100)
        }
    }

    private static func writeTokens(_ listed: ListedMarket, to writer: inout JSONWriter) {
        writer.key("tokens")
        writer.array {
            for index in 0..<2 {
                let outcome = listed.outcome(index)
                $0.object {
                    $0.key("token_id")
                    $0.string(outcome.token.description)
                    $0.key("outcome")
                    $0.string(outcome.label)
                    $0.key("price")
                    $0.decimal(listed.winner.map { $0 == index ? 1_000_000 : 0 } ?? listed.midpoint(outcome: index))
                    $0.key("winner")
                    $0.bool(listed.winner == index)
                }
            }
        }
    }
}

extension ListedMarket {
    /// Whether resting orders are paid for: what the venue samples.
    fileprivate var earnsRewards: Bool {
        self.market.rewards != nil && self.isActive && !self.isClosed && !self.isArchived && self.acceptsOrders
            && self.hasOrderBook
    }
}
