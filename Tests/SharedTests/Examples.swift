import Shared

extension Market {
    /// A market as the venue lists thousands of them: Bitcoin, five minutes, one cent.
    static func example(
        condition: UInt64 = 1, tick: TickSize = .cent, endTime: Timestamp = Timestamp(seconds: 1_778_584_500)
    ) -> Market {
        Market(
            condition: ConditionID(words: (0, 0, 0, condition)), slug: "btc-updown-5m-1778584200",
            question: "Bitcoin Up or Down - May 12, 7:10AM-7:15AM ET",
            first: Outcome(label: "Up", token: TokenID(words: (0, 0, 0, 2 * condition))),
            second: Outcome(label: "Down", token: TokenID(words: (0, 0, 0, 2 * condition + 1))), tick: tick,
            sizeMin: Quantity(shares: 5), isNegRisk: false, event: "btc-updown-5m-1778584200",
            startTime: Timestamp(seconds: 1_778_584_200), endTime: endTime, feeRate: 70_000, feeExponent: 1,
            hasTakerDelay: true, rewards: nil, settlement: .chainlinkTWAP60, asset: "btc")
    }

    /// The same terms under other names.
    static func example(
        condition: ConditionID? = nil, first: TokenID, second: TokenID, like market: Market
    ) -> Market {
        Market(
            condition: condition ?? market.condition, slug: market.slug, question: market.question,
            first: Outcome(label: market.first.label, token: first),
            second: Outcome(label: market.second.label, token: second), tick: market.tick, sizeMin: market.sizeMin,
            isNegRisk: market.isNegRisk, event: market.event, startTime: market.startTime, endTime: market.endTime,
            feeRate: market.feeRate, feeExponent: market.feeExponent, hasTakerDelay: market.hasTakerDelay,
            rewards: market.rewards, settlement: market.settlement, asset: market.asset)
    }
}
