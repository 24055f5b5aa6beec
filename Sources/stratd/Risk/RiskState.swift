import Shared
import Signing

/// Gate and limits as JSON, as they stand.
extension RiskGate {
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("limits")
            self.limits.write(to: &$0)
            $0.key("configured")
            self.configured.write(to: &$0)
            if case .live(let form) = self.identity {
                $0.key("account")
                form.write(to: &$0)
            }
            $0.key("rate")
            $0.array {
                for number in [
                    self.rate.rate, self.rate.burst, self.rate.level, self.rate.filledAt.nanoseconds,
                ] {
                    $0.integer(number)
                }
            }
            $0.key("refused")
            $0.object {
                for code in RefusalCode.allCases {
                    guard let count = self.refused[code] else { continue }
                    $0.key(dynamic: code.rawValue)
                    $0.integer(count)
                }
            }
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        var limits: RiskLimits?
        var configured: RiskLimits?
        var identity = OrderIdentity.paper
        var rate: TokenBucket?
        var refused: [RefusalCode: Int64] = [:]
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "limits": limits = try RiskLimits(reading: &reader)
            case "configured": configured = try RiskLimits(reading: &reader)
            case "account": identity = .live(try OrderForm(reading: &reader))
            case "rate":
                let numbers = try reader.integers(4)
                rate = TokenBucket(
                    rate: numbers[0], burst: numbers[1], level: numbers[2], filledAt: Instant(nanoseconds: numbers[3]))
            case "refused":
                try reader.object { (key, reader) throws(JSONError) in
                    guard let code = RefusalCode(rawValue: key.string) else {
                        throw JSONError(.wrongValue, at: reader.offset, member: "refused")
                    }
                    refused[code] = try reader.integer()
                }
            default: try reader.skip()
            }
        }
        self.init(
            limits: try reader.need(limits, "limits"), configured: try reader.need(configured, "configured"),
            identity: identity, rate: try reader.need(rate, "rate"), refused: refused)
    }
}

extension RiskLimits {
    /// Amounts in millionths, times in nanoseconds.
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("order_max", self.orderMax.micros)
            $0.member("market_max", self.marketMax.micros)
            $0.member("event_max", self.eventMax.micros)
            $0.member("total_max", self.totalMax.micros)
            $0.member("allocation", self.allocationMicros)
            $0.member("positions_max", self.positionsMax)
            $0.member("open_orders_max", self.openOrdersMax)
            $0.member("orders_per_second_max", self.ordersPerSecondMax)
            $0.member("daily_loss_max", self.dailyLossMax.micros)
            $0.member("drawdown_max", self.drawdownMax.micros)
            $0.member("price_band", self.priceBand)
            $0.member("book_age_max", self.bookAgeMax.nanoseconds)
            $0.member("time_left_min", self.timeLeftMin.nanoseconds)
            $0.member("unknown_orders_max", self.unknownOrdersMax)
            $0.member("clock_skew_max", self.clockSkewMax.nanoseconds)
            $0.member("error_rate_max", self.errorRateMax)
            $0.member("trial_fills", self.trialFillCount)
            $0.member("trial_order_max", self.trialOrderMax.micros)
            $0.member("trial_total_max", self.trialTotalMax.micros)
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        self.init(
            orderMax: try fields.money("order_max"), marketMax: try fields.money("market_max"),
            eventMax: try fields.money("event_max"), totalMax: try fields.money("total_max"),
            allocationMicros: try fields.integer("allocation"), positionsMax: try fields.integer("positions_max"),
            openOrdersMax: try fields.integer("open_orders_max"),
            ordersPerSecondMax: try fields.integer("orders_per_second_max"),
            dailyLossMax: try fields.money("daily_loss_max"), drawdownMax: try fields.money("drawdown_max"),
            priceBand: try fields.integer("price_band"), bookAgeMax: .nanoseconds(try fields.integer("book_age_max")),
            timeLeftMin: .nanoseconds(try fields.integer("time_left_min")),
            unknownOrdersMax: try fields.integer("unknown_orders_max"),
            clockSkewMax: .nanoseconds(try fields.integer("clock_skew_max")),
            errorRateMax: try fields.integer("error_rate_max"), trialFillCount: try fields.integer("trial_fills"),
            trialOrderMax: try fields.money("trial_order_max"), trialTotalMax: try fields.money("trial_total_max"))
    }
}

extension Refusal {
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("code", self.code.rawValue)
            $0.member("detail", self.detail)
        }
    }

    init(_ fields: Fields) throws(JSONError) {
        self.init(try fields.word("code"), try fields.string("detail"))
    }
}

extension OrderForm {
    /// Addresses alone: the key that signs is no part of it.
    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("maker", self.maker.description)
            $0.member("signer", self.signer.description)
            $0.member("signature_type", Int64(self.signatureType.rawValue))
            $0.member("chain", Int64(self.chain.rawValue))
        }
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let fields = try Fields(reading: &reader)
        let type = SignatureType(rawValue: UInt8(clamping: try fields.integer("signature_type")))
        let chain = Chain(rawValue: UInt64(clamping: try fields.integer("chain")))
        self.maker = try reader.need(Address(try fields.string("maker")), "maker")
        self.signer = try reader.need(Address(try fields.string("signer")), "signer")
        self.signatureType = try reader.need(type, "signature_type")
        self.chain = try reader.need(chain, "chain")
    }
}
