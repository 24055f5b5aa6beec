public import Shared

extension MarketFilter {
    public init(_ configuration: Configuration.Scanner) {
        self.init()
        self.keywords = configuration.keywords
        self.excludedKeywords = configuration.excludedKeywords
        self.tags = configuration.tags
        self.excludedTags = configuration.excludedTags
        self.series = configuration.series
        self.timeLeftMin = configuration.timeLeftMin
        self.timeLeftMax = configuration.timeLeftMax
        self.volumeMin = configuration.volumeMin
        self.liquidityMin = configuration.liquidityMin
        self.spreadMax = configuration.spreadMax
        self.priceMin = configuration.priceMin
        self.priceMax = configuration.priceMax
        self.needsRewards = configuration.rewardsOnly
        self.feeRateMax = configuration.feeRateMax
        self.marketCountMax = configuration.marketCountMax
        self.ranking = configuration.ranking
        self.hysteresis = configuration.hysteresis
    }
}
