import Shared

/// Quotes both sides of a market around its midpoint.
///
/// The bid is a purchase of the first outcome, or a sale of the second where that is held; the ask is a sale of the
/// first outcome, or a purchase of the second. So inventory is sold before the other side is bought. Quotes never cross,
/// join the touch when the spread is narrow, and lean away from what is held.
struct Maker: Hashable, Sendable {
    struct Parameters: Hashable, Sendable {
        /// Shares of one order.
        var orderSize: Quantity
        /// When over zero, an order's size is this much money at its price, and `orderSize` is not used.
        var orderValue = Money.zero
        /// Wanted distance from the midpoint, in ticks.
        var halfSpreadTicks: Int64
        /// Most shares that may be held of one outcome.
        var positionMax: Quantity
        /// An order stays while it lies fewer ticks than this from where it is wanted.
        var repriceTicks: Int64
        /// An order stays while its size differs by no more than this part of the wanted one.
        var resizePercent: Int64 = 25
        /// A younger order stays further away too, while it is safe.
        var orderLifeMin = Duration.zero
        /// Shortest time between two looks at the same market.
        var requoteInterval: Duration

        var tolerance: OrderDiff.Tolerance {
            OrderDiff.Tolerance(
                priceTicks: self.repriceTicks, sizePercent: self.resizePercent, lifeMin: self.orderLifeMin)
        }
    }

    /// How far both quotes lean when the largest position is held, in ticks.
    static let skewTicksMax: Int64 = 2

    let parameters: Parameters
    init(_ parameters: Parameters) { self.parameters = parameters }

    func decide(_ input: StrategyInput) -> StrategyAnswer {
        guard let bid = input.view.book.bestBid, let ask = input.view.book.bestAsk else {
            return .hold(code: "one_sided_book", detail: "a midpoint needs both sides")
        }
        let quotes = self.quotes(bid: bid.price, ask: ask.price, input)
        var wanted: [WantedOrder] = []
        if let price = quotes.bid, let order = self.order(buying: 0, at: price, input) { wanted.append(order) }
        if let price = quotes.ask, let order = self.order(buying: 1, at: price.mirrored, input) {
            wanted.append(order)
        }
        guard !wanted.isEmpty else { return .hold(code: "no_room", detail: "neither side can be quoted") }
        return .quote(wanted)
    }

    /// Where to bid and ask, in terms of the first outcome.
    private func quotes(bid: Price, ask: Price, _ input: StrategyInput) -> (bid: Price?, ask: Price?) {
        let tick = input.view.market.tick
        let (bid, ask) = (Int64(bid.micros), Int64(ask.micros))
        let half = self.parameters.halfSpreadTicks * tick.micros
        let middle = (bid + ask) / 2
        let lean = self.leanTicks(input) * tick.micros
        // Joined to the touch where the spread is narrow, within it where it is wide; then leaning, never crossing.
        let wantedBid = min(max(middle - half, bid) - lean, ask - tick.micros)
        let wantedAsk = max(min(middle + half + (bid + ask) % 2, ask) - lean, bid + tick.micros)
        return (tick.floor(wantedBid), tick.ceil(wantedAsk))
    }

    /// Ticks by which both quotes go down: up to `skewTicksMax` while the first outcome is held, negative for the second.
    private func leanTicks(_ input: StrategyInput) -> Int64 {
        let net = input.heldFirst - input.heldSecond
        guard self.parameters.positionMax > .zero else { return 0 }
        let share = Int128(net.micros) * Int128(Self.skewTicksMax) / Int128(self.parameters.positionMax.micros)
        return max(-Self.skewTicksMax, min(Self.skewTicksMax, Int64(share)))
    }

    /// Shares of an order at `price`, on the venue's grid of sizes, at least its smallest order.
    private func size(at price: Price, _ input: StrategyInput) -> Quantity {
        var size = self.parameters.orderSize
        if self.parameters.orderValue > .zero {
            size = Quantity(micros: Int64(Int128(self.parameters.orderValue.micros) * 1_000_000 / Int128(price.micros)))
        }
        return max(size.flooredToSizeGrid, input.view.market.sizeMin)
    }

    /// The order that buys `outcome` at `price`, or sells the other outcome at the mirrored price where it is held.
    private func order(buying outcome: Int, at price: Price, _ input: StrategyInput) -> WantedOrder? {
        let other = input.held(1 - outcome).flooredToSizeGrid
        if other >= input.view.market.sizeMin && other > .zero {
            let price = price.mirrored
            return WantedOrder(
                outcome: 1 - outcome, side: .sell, price: price, size: self.sale(of: other, at: price, input))
        }
        let size = self.size(at: price, input)
        guard input.held(outcome) + size <= self.parameters.positionMax else { return nil }
        return WantedOrder(outcome: outcome, side: .buy, price: price, size: size)
    }

    /// Shares of a sale at `price`: what would be left of those held must be large enough to be sold later.
    private func sale(of held: Quantity, at price: Price, _ input: StrategyInput) -> Quantity {
        let sizeMin = input.view.market.sizeMin
        let size = self.size(at: price, input)
        let sold = held - min(held, size) < sizeMin ? held : size
        guard let orderMax = input.orderMax, sold.notional(at: price) > orderMax else { return sold }
        let limit = Quantity(micros: Int64(Int128(orderMax.micros) * 1_000_000 / Int128(price.micros)))
        let part = min(limit, held - sizeMin).flooredToSizeGrid
        // What cannot be parted is for the risk gate to refuse, which says why.
        return part >= sizeMin ? part : sold
    }
}
