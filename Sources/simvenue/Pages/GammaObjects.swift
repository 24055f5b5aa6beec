import Shared

/// Writes Gamma's market and event objects. Source: reference, 1.2 and 1.3.
enum GammaObjects {
    static func write(_ listed: ListedMarket, in listing: MarketRegister, withEvents: Bool, to writer: inout JSONWriter)
    {
        let market = listed.market
        writer.object {
            $0.key("id")
            $0.string(String(listed.id))
            $0.key("version")
            $0.string("v1")
            $0.key("question")
            $0.string(market.question)
            $0.key("conditionId")
            $0.string(market.condition.description)
            $0.key("questionID")
            // Any 32 bytes do: nothing on this side of the chain reads them.
            $0.string(market.condition.description)
            $0.key("slug")
            $0.string(market.slug)
            $0.key("description")
            $0.string("A made-up market of a simulated venue.")
            $0.key("resolutionSource")
            $0.string(
                market.settlement == .chainlinkTWAP60 ? "https://data.chain.link/streams/\(market.asset ?? "")-usd" : ""
            )
            Self.writeTimes(listed, to: &$0)
            Self.writeOutcomes(listed, to: &$0)
            Self.writeState(listed, to: &$0)
            Self.writeTerms(listed, to: &$0)
            Self.writePrices(listed, to: &$0)
            if withEvents {
                $0.key("events")
                $0.array { Self.write(listed.event, in: listing, withMarkets: false, to: &$0) }
            }
        }
    }

    private static func writeTimes(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let seconds = { (time: Timestamp) in time.microseconds / 1_000_000 }
        writer.key("startDate")
        writer.string(CalendarDate.rfc3339(seconds(listed.listedTime)))
        writer.key("endDate")
        writer.string(CalendarDate.rfc3339(seconds(listed.market.endTime)))
        if let start = listed.market.startTime {
            writer.key("eventStartTime")
            writer.string(CalendarDate.rfc3339(seconds(start)))
        }
        writer.key("acceptingOrdersTimestamp")
        writer.string(CalendarDate.rfc3339(seconds(listed.listedTime)))
        if listed.isClosed {
            writer.key("closedTime")
            writer.string(CalendarDate.rfc3339(seconds(listed.market.endTime)))
        }
    }

    /// Three lists that belong together index by index, each as JSON within a string.
    private static func writeOutcomes(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let prices = [0, 1].map { outcome in
            listed.winner.map { $0 == outcome ? "1" : "0" } ?? Decimal6.text(listed.midpoint(outcome: outcome))
        }
        writer.key("outcomes")
        writer.string("[\"\(listed.market.first.label)\", \"\(listed.market.second.label)\"]")
        writer.key("outcomePrices")
        writer.string("[\"\(prices[0])\", \"\(prices[1])\"]")
        writer.key("clobTokenIds")
        writer.string("[\"\(listed.market.first.token)\", \"\(listed.market.second.token)\"]")
    }

    private static func writeState(_ listed: ListedMarket, to writer: inout JSONWriter) {
        writer.key("active")
        writer.bool(true)
        writer.key("closed")
        writer.bool(listed.isClosed)
        writer.key("archived")
        writer.bool(false)
        writer.key("restricted")
        writer.bool(true)
        writer.key("acceptingOrders")
        writer.bool(listed.acceptsOrders)
        writer.key("enableOrderBook")
        writer.bool(listed.hasOrderBook)
        if !listed.resolutionStatus.isEmpty {
            writer.key("umaResolutionStatus")
            writer.string(listed.resolutionStatus)
        }
        writer.key("umaResolutionStatuses")
        writer.string(listed.resolutionStatus.isEmpty ? "[]" : "[\"\(listed.resolutionStatus)\"]")
    }

    private static func writeTerms(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let market = listed.market
        writer.key("orderPriceMinTickSize")
        writer.decimal(market.tick.micros)
        writer.key("orderMinSize")
        writer.decimal(market.sizeMin.micros)
        writer.key("negRisk")
        writer.bool(market.isNegRisk)
        writer.key("clearBookOnStart")
        writer.bool(false)
        writer.key("makerBaseFee")
        writer.integer(1_000)
        writer.key("takerBaseFee")
        writer.integer(1_000)
        writer.key("feesEnabled")
        writer.bool(listed.feeType != nil)
        if let feeType = listed.feeType {
            writer.key("feeType")
            writer.string(feeType)
            writer.key("feeSchedule")
            writer.object {
                $0.key("exponent")
                $0.integer(market.feeExponent)
                $0.key("rate")
                $0.decimal(market.feeRate)
                $0.key("takerOnly")
                $0.bool(true)
                $0.key("rebateRate")
                $0.decimal(200_000)
            }
            writer.key("makerRebatesFeeShareBps")
            writer.integer(10_000)
        }
        guard let rewards = market.rewards else { return }
        writer.key("rewardsMinSize")
        writer.decimal(rewards.sizeMin.micros)
        writer.key("rewardsMaxSpread")
        writer.decimal(rewards.spreadMax * 100)
        writer.key("clobRewards")
        writer.array {
            $0.object {
                $0.key("id")
                $0.string(String(listed.id))
                $0.key("conditionId")
                $0.string(market.condition.description)
                $0.key("assetAddress")
                $0.string("0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB")
                $0.key("rewardsAmount")
                $0.integer(0)
                $0.key("rewardsDailyRate")
                $0.decimal(rewards.daily.micros)
                $0.key("startDate")
                $0.string("2026-01-01")
                $0.key("endDate")
                $0.string("2500-12-31")
            }
        }
    }

    private static func writePrices(_ listed: ListedMarket, to writer: inout JSONWriter) {
        if let bid = listed.book.bestBid, let ask = listed.book.bestAsk, listed.isBookServed {
            writer.key("bestBid")
            writer.decimal(Int64(bid.price.micros))
            writer.key("bestAsk")
            writer.decimal(Int64(ask.price.micros))
            writer.key("spread")
            writer.decimal(Int64(ask.price.micros - bid.price.micros))
        }
        if let last = Decimal6.parse(listed.lastTrade.text) {
            writer.key("lastTradePrice")
            writer.decimal(last)
        }
        // Money that never changed hands; its order tells the markets apart for those who rank them.
        let volume = Int64(1 + listed.id % 97) * 1_000
        writer.key("volume")
        writer.string("\(volume).25")
        writer.key("volumeNum")
        writer.decimal(volume * 1_000_000 + 250_000)
        writer.key("volume24hr")
        writer.decimal(volume * 100_000)
        writer.key("liquidity")
        writer.string("\(volume / 2)")
        writer.key("liquidityNum")
        writer.integer(volume / 2)
    }

    static func write(_ event: ListedEvent, in listing: MarketRegister, withMarkets: Bool, to writer: inout JSONWriter)
    {
        writer.object {
            $0.key("id")
            $0.string(String(event.id))
            $0.key("ticker")
            $0.string(event.slug)
            $0.key("slug")
            $0.string(event.slug)
            $0.key("title")
            $0.string(event.title)
            if let series = event.series {
                $0.key("seriesSlug")
                $0.string(series)
            }
            if let start = event.startTime {
                $0.key("startTime")
                $0.string(CalendarDate.rfc3339(start.microseconds / 1_000_000))
            }
            $0.key("endDate")
            $0.string(CalendarDate.rfc3339(event.endTime.microseconds / 1_000_000))
            $0.key("active")
            $0.bool(true)
            $0.key("negRisk")
            $0.bool(event.isNegRisk)
            if withMarkets {
                let slots = listing.slots(ofEvent: event.id)
                $0.key("closed")
                $0.bool(slots.allSatisfy { listing[$0].isClosed })
                $0.key("enableOrderBook")
                $0.bool(true)
                $0.key("markets")
                $0.array { writer in
                    for slot in slots { Self.write(listing[slot], in: listing, withEvents: false, to: &writer) }
                }
            }
        }
    }
}
