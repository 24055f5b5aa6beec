import DaemonKit
import Shared

/// What was gathered, as rows in a fixed order.
extension AccountHistory {
    /// About how many bytes are handed on at once.
    private static let pieceByteCount = 1 << 16

    /// Hands on the rows as CSV, the header first.
    func write(_ body: ([UInt8]) throws(DaemonExit) -> Void) throws(DaemonExit) {
        switch self.subject {
        case .fills:
            try Self.write(
                [
                    "time", "order", "hash", "trade", "strategy", "market", "token", "side", "price", "size", "money",
                    "fee",
                    "liquidity", "settlement",
                ], self.sortedFills, Self.write, to: body)
        case .positions:
            try Self.write(
                [
                    "strategy", "market", "token", "outcome", "size", "average_cost", "cost", "realised", "fees",
                ], self.shownHoldings, Self.write, to: body)
        case .pnl:
            try Self.write(
                ["day", "strategy", "market", "realised", "fees", "rewards_estimate", "rebates_estimate"],
                self.results.sorted { $0.key < $1.key },
                { (row, csv) in
                    csv.text(Self.text(day: row.key.day))
                    csv.text(row.key.strategy)
                    csv.text(row.key.market?.description ?? "")
                    csv.decimal(row.value.realised.micros)
                    csv.decimal(row.value.fees.micros)
                    csv.decimal(row.value.income.rewards.micros)
                    csv.decimal(row.value.income.rebates.micros)
                }, to: body)
        }
    }

    /// By time; what happened at once by order and trade.
    private var sortedFills: [FillBody] {
        func key(_ fill: FillBody) -> (Timestamp, Int64, String, String) {
            (fill.time, OrderID(fill.order)?.number ?? 0, fill.order, fill.trade)
        }
        return self.fills.sorted { key($0) < key($1) }
    }

    /// What is held, and what had anything happen to it; without a first day all that is known.
    private var shownHoldings: [Holding] {
        self.holdings.values
            .filter { $0.position.size > .zero || $0.isTouched || self.days.lowerBound == Int64.min }
            .sorted { a, b in
                let (a, b) = (a.position, b.position)
                return (a.strategy, a.market, a.token) < (b.strategy, b.market, b.token)
            }
    }

    private static func write(_ fill: FillBody, to csv: inout CSV) {
        csv.time(fill.time)
        for text in [fill.order, fill.hash, fill.trade, fill.strategy] { csv.text(text) }
        csv.text(fill.market.description)
        csv.text(fill.token.description)
        csv.text(fill.side.rawValue)
        csv.decimal(Int64(fill.price.micros))
        csv.decimal(fill.size.micros)
        csv.decimal(fill.money.micros)
        csv.decimal(fill.fee.micros)
        csv.text(fill.liquidity.rawValue)
        csv.text(fill.settlement.rawValue)
    }

    private static func write(_ holding: Holding, to csv: inout CSV) {
        let position = holding.position
        csv.text(position.strategy)
        csv.text(position.market.description)
        csv.text(position.token.description)
        csv.integer(Int64(position.outcome))
        csv.decimal(position.size.micros)
        csv.decimal(position.averageCost)
        csv.decimal(position.cost.micros)
        csv.decimal(holding.realised.micros)
        csv.decimal(holding.fees.micros)
    }

    private static func write<Row>(
        _ header: [String], _ rows: [Row], _ write: (Row, inout CSV) -> Void,
        to body: ([UInt8]) throws(DaemonExit) -> Void
    ) throws(DaemonExit) {
        var csv = CSV(header)
        for row in rows {
            write(row, &csv)
            csv.endRow()
            if csv.bytes.count >= Self.pieceByteCount { try body(csv.take()) }
        }
        try body(csv.take())
    }

    /// "2026-05-12".
    static func text(day: Int64) -> String { String(Timestamp(seconds: day * 86_400).rfc3339.prefix(10)) }
}
