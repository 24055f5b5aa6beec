import DaemonKit
import Shared

extension RiskLimits {
    init(_ risk: Configuration.Risk, _ strategies: Configuration.Strategies) {
        self.init(
            orderMax: risk.orderMax, marketMax: risk.marketMax, eventMax: risk.eventMax, totalMax: risk.totalMax,
            allocationMicros: strategies.allocationMicros,
            positionsMax: Int64(risk.positionCountMax), openOrdersMax: Int64(risk.openOrderCountMax),
            ordersPerSecondMax: Int64(risk.ordersPerSecondMax), dailyLossMax: risk.dailyLossMax,
            drawdownMax: risk.drawdownMax, priceBand: Int64(risk.priceBand.micros), bookAgeMax: risk.bookAgeMax,
            timeLeftMin: risk.timeLeftMin, unknownOrdersMax: Int64(risk.unknownOrderCountMax),
            clockSkewMax: risk.clockSkewMax, errorRateMax: risk.errorRateMaxMicros,
            trialFillCount: Int64(risk.trialFillCount), trialOrderMax: risk.trialOrderMax,
            trialTotalMax: risk.trialTotalMax)
    }
}

extension Maker.Parameters {
    init(_ maker: Configuration.Maker) {
        self.init(
            orderSize: maker.orderSize, orderValue: maker.orderValue, halfSpreadTicks: Int64(maker.halfSpreadTicks),
            positionMax: maker.positionMax, repriceTicks: Int64(maker.repriceTicks),
            resizePercent: Int64(maker.resizePercent), orderLifeMin: maker.orderLifeMin,
            requoteInterval: maker.requoteInterval)
    }
}

extension StrategyEngine.Slot {
    /// The strategies that run, in the order of their names.
    static func all(_ strategies: Configuration.Strategies) -> [Self] {
        guard strategies.maker.enabled else { return [] }
        return [.init(name: "maker", maker: Maker(Maker.Parameters(strategies.maker)))]
    }
}

extension PaperVenue.Settings {
    /// The way back takes as long as the way there.
    init(_ trading: Configuration.Trading) {
        self.init(latencyOut: trading.paperLatency, latencyIn: trading.paperLatency)
    }
}

extension Moment {
    /// Both clocks, read now.
    static func now() -> Moment { Moment(instant: .now(), time: .now()) }
}
