extension GammaMarket {
    /// What is read of a page of markets, or of one.
    public static let memberNames = MemberNames(
        [
            "markets", "next_cursor", "id", "conditionId", "slug", "question", "description", "resolutionSource",
            "outcomes", "clobTokenIds", "version", "active", "closed", "archived", "enableOrderBook", "acceptingOrders",
            "umaResolutionStatus", "endDate", "eventStartTime", "orderPriceMinTickSize", "orderMinSize", "negRisk",
            "feesEnabled", "feeType", "secondsDelay", "rewardsMinSize", "rewardsMaxSpread", "volume24hr",
            "liquidityNum", "liquidity", "bestBid", "bestAsk",
        ],
        inside: [
            ("feeSchedule", MemberNames(["rate", "exponent", "takerOnly", "rebateRate"])),
            ("clobRewards", MemberNames(["rewardsDailyRate"])),
            ("tags", MemberNames(["label", "slug"])),
            ("events", MemberNames(["slug", "seriesSlug", "negRiskAugmented", "series", "tags", "label"])),
        ])
}
