import Shared

/// Writes Gamma's market and event objects. Source: reference, 1.2 and 1.3.
enum GammaObjects {
    /// What rewards are paid in: pUSD. Source: reference, 0.3.
    static let collateral = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB"

    /// - Parameter withTags: as asked for by `include_tag`.
    static func write(
        _ listed: ListedMarket, in listing: MarketRegister, withEvents: Bool, withTags: Bool = false,
        to writer: inout JSONWriter
    ) {
        let market = listed.market
        writer.object {
            $0.key("id")
            $0.string(String(listed.id))
            if listed.showsVersion {
                $0.key("version")
                $0.string(listed.decoy == .otherProtocol ? "v2" : "v1")
            }
            $0.key("question")
            $0.string(market.question)
            $0.key("conditionId")
            $0.string(listed.decoy == .noCondition ? "" : market.condition.description)
            $0.key("questionID")
            $0.string(listed.questionID)
            $0.key("slug")
            $0.string(market.slug)
            $0.key("description")
            $0.string("A made-up market of a simulated venue.")
            $0.key("resolutionSource")
            $0.string(Self.resolutionSource(market))
            Self.writeTimes(listed, to: &$0)
            Self.writeGroup(listed, to: &$0)
            if let game = listed.event.gameID, let type = listed.sportsMarketType {
                $0.key("gameId")
                $0.string(String(game))
                $0.key("sportsMarketType")
                $0.string(type)
            }
            Self.writeOutcomes(listed, to: &$0)
            Self.writeState(listed, to: &$0)
            Self.writeTerms(listed, to: &$0)
            Self.writePrices(listed, to: &$0)
            if withEvents {
                $0.key("events")
                $0.array { Self.write(listed.event, in: listing, withMarkets: false, to: &$0) }
            }
            if withTags {
                $0.key("tags")
                GammaIndex.write(listed.event.tags, to: &$0)
            }
        }
    }

    private static func resolutionSource(_ market: Market) -> String {
        let asset = market.asset ?? ""
        return switch market.settlement {
        case .chainlinkTWAP60: "https://data.chain.link/streams/\(asset)-usd"
        case .binance1h: "https://www.binance.com/en/trade/\(asset.uppercased())_USDT"
        case .other: ""
        }
    }

    private static func writeGroup(_ listed: ListedMarket, to writer: inout JSONWriter) {
        if let title = listed.groupTitle {
            writer.key("groupItemTitle")
            writer.string(title)
            writer.key("groupItemThreshold")
            writer.string(String(listed.groupPlace))
        }
        guard listed.market.isNegRisk else { return }
        writer.key("negRiskMarketID")
        writer.string(listed.event.negRiskID)
        if listed.event.isAugmented {
            writer.key("negRiskOther")
            writer.bool(listed.isNegRiskOther)
        }
    }

    private static func writeTimes(_ listed: ListedMarket, to writer: inout JSONWriter) {
        let seconds = { (time: Timestamp) in time.microseconds / 1_000_000 }
        writer.key("startDate")
        writer.string(CalendarDate.rfc3339(seconds(listed.listedTime)))
        if listed.decoy != .noEndDate {
            writer.key("endDate")
            writer.string(CalendarDate.rfc3339(seconds(listed.market.endTime)))
        }
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
        var labels = [listed.market.first.label, listed.market.second.label]
        if listed.decoy == .threeOutcomes { labels.append("Other") }
        if listed.decoy == .sameOutcomes { labels[1] = labels[0] }
        let tokens = [listed.market.first.token.description, listed.market.second.token.description]
        let hasTokens = listed.decoy != .noTokens && listed.decoy != .otherProtocol
        writer.key("outcomes")
        writer.string(Self.embedded(labels))
        writer.key("outcomePrices")
        writer.string(Self.embedded(prices))
        writer.key("clobTokenIds")
        writer.string(Self.embedded(hasTokens ? tokens : []))
        guard listed.showsPositions else { return }
        // In the first protocol a position and its token are one number.
        writer.key("positionIds")
        writer.array { for token in tokens { $0.string(token) } }
    }

    private static func embedded(_ texts: [String]) -> String {
        "[" + texts.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    }

    private static func writeState(_ listed: ListedMarket, to writer: inout JSONWriter) {
        writer.key("active")
        writer.bool(listed.isActive)
        writer.key("closed")
        writer.bool(listed.isClosed)
        writer.key("archived")
        writer.bool(listed.isArchived)
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
        // A fiftieth is no tick of the venue's.
        writer.decimal(listed.decoy == .oddTick ? 20_000 : market.tick.micros)
        writer.key("orderMinSize")
        writer.decimal(listed.decoy == .noSizeMin ? 0 : market.sizeMin.micros)
        writer.key("negRisk")
        writer.bool(market.isNegRisk)
        writer.key("clearBookOnStart")
        writer.bool(false)
        if listed.secondsDelay > 0 {
            writer.key("secondsDelay")
            writer.integer(listed.secondsDelay)
        }
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
                // More than the whole notional.
                $0.decimal(listed.decoy == .oddFees ? 1_500_000 : market.feeRate)
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
                $0.string(Self.collateral)
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
        let volume = listed.volume
        writer.key("volume")
        writer.string(Decimal6.text(volume))
        writer.key("volumeNum")
        writer.decimal(volume)
        writer.key("volume24hr")
        writer.decimal(listed.volume24Hours)
        writer.key("liquidity")
        writer.string(Decimal6.text(listed.liquidity))
        writer.key("liquidityNum")
        writer.decimal(listed.liquidity)
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
                $0.string(series.slug)
                $0.key("series")
                $0.array { GammaIndex.write(series, to: &$0) }
            }
            if let start = event.startTime {
                $0.key("startTime")
                $0.string(CalendarDate.rfc3339(start.microseconds / 1_000_000))
            }
            $0.key("endDate")
            $0.string(CalendarDate.rfc3339(event.endTime.microseconds / 1_000_000))
            $0.key("eventDate")
            $0.string(String(CalendarDate.rfc3339(event.day * CalendarDate.secondsInDay).prefix(10)))
            if let game = event.gameID {
                $0.key("gameId")
                $0.integer(game)
            }
            $0.key("active")
            $0.bool(true)
            $0.key("featured")
            $0.bool(event.isFeatured)
            $0.key("negRisk")
            $0.bool(event.isNegRisk)
            if event.isNegRisk {
                $0.key("enableNegRisk")
                $0.bool(true)
                $0.key("negRiskAugmented")
                $0.bool(event.isAugmented)
                $0.key("negRiskMarketID")
                $0.string(event.negRiskID)
            }
            // The event of a window goes by the name of its one market.
            if event.series != nil, let strike = listing.slot(slug: event.slug).flatMap({ listing[$0].priceToBeat }) {
                $0.key("eventMetadata")
                $0.object {
                    $0.key("priceToBeat")
                    $0.raw(strike.number.utf8)
                }
            }
            if withMarkets { Self.writeMarkets(of: event, in: listing, to: &$0) }
        }
    }

    private static func writeMarkets(of event: ListedEvent, in listing: MarketRegister, to writer: inout JSONWriter) {
        let slots = listing.slots(ofEvent: event.id)
        writer.key("closed")
        writer.bool(slots.allSatisfy { listing[$0].isClosed })
        writer.key("archived")
        writer.bool(slots.allSatisfy { listing[$0].isArchived })
        writer.key("enableOrderBook")
        writer.bool(slots.contains { listing[$0].hasOrderBook })
        writer.key("volume")
        writer.decimal(slots.reduce(0) { $0 + listing[$1].volume })
        writer.key("volume24hr")
        writer.decimal(slots.reduce(0) { $0 + listing[$1].volume24Hours })
        writer.key("liquidity")
        writer.decimal(slots.reduce(0) { $0 + listing[$1].liquidity })
        writer.key("tags")
        GammaIndex.write(event.tags, to: &writer)
        writer.key("markets")
        writer.array { writer in
            for slot in slots { Self.write(listing[slot], in: listing, withEvents: false, to: &writer) }
        }
    }
}

extension ListedMarket {
    // Money that never changed hands; its order tells the markets apart for those who rank them.

    /// In millionths of a pUSD, as the other two.
    var volume: Int64 { Int64(1 + self.id % 97) * 1_000_000_000 + 250_000 }
    var volume24Hours: Int64 { Int64(1 + self.id % 97) * 100_000_000 }
    var liquidity: Int64 { Int64(1 + self.id % 97) * 500_000_000 }

    /// What is asked about a game.
    var sportsMarketType: String? {
        guard self.event.tags.contains(.sports) else { return nil }
        return self.groupTitle == nil ? "tennis_first_set_winner" : "moneyline"
    }

    /// Any 32 bytes do, but those of an event of which one wins differ in the last byte alone.
    var questionID: String {
        guard self.market.isNegRisk else { return self.market.condition.description }
        let place = String(self.groupPlace + 1, radix: 16)
        return self.event.negRiskID.dropLast(2) + (place.utf8.count == 1 ? "0" : "") + place
    }
}

extension ListedEvent {
    /// What the outcomes of a neg-risk event have in common.
    var negRiskID: String {
        var random = SeededRandom(seed: UInt64(self.id), name: self.slug)
        return ConditionID(words: random.words()).description.dropLast(2) + "00"
    }
}
