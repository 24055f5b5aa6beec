import Shared
import Testing

@testable import stratd

/// At the real venue our own orders stand in the book that the feed shows: they are not the market.
@Suite struct OwnOrdersTests {
    /// An engine that trades live, at a venue that accepts and cancels at once and shows what rests.
    private struct LiveMarket {
        var engine: StrategyEngine
        var now = at(0)
        /// Orders that rest, and what others have at the same price.
        private(set) var resting: [OrderID: (side: BookSide, price: Price, size: Quantity)] = [:]
        private(set) var cancelCount = 0
        private(set) var placeCount = 0
        private var update: Int64 = 1

        init(held: [(side: TradeSide, outcome: Int, size: String)] = []) throws {
            var parameters = makerParameters
            parameters.halfSpreadTicks = 2
            var ledger = OrderLedger(cash: usd("1000"))
            for (index, one) in held.enumerated() {
                let order = ledgerOrder(Int64(100 + index), intent(outcome: one.outcome, one.side, "0.5", one.size))
                try ledger.open(order)
                try ledger.apply(.fill(fill(order, trade: "held-\(index)", "0.5", one.size)))
            }
            self.engine = StrategyEngine(
                slots: [.init(name: "maker", maker: Maker(parameters))], limits: wideLimits, ledger: ledger,
                identity: .live(InputSession.form), now: at(0))
            self.take(.recover)
            self.take(.feed(.connected, sentTime: self.now.time))
            self.take(.feed(.market(MarketBody(n: 1, market: market())), sentTime: self.now.time))
            let body = book(bids: [("0.40", "100"), ("0.39", "100")], asks: [("0.60", "100"), ("0.61", "100")])
            self.take(.feed(.book(body), sentTime: self.now.time))
        }

        /// Lets the market move elsewhere, so that everybody looks at it again.
        mutating func look() {
            self.now = self.now.after(.milliseconds(250))
            self.change([(.bid, "0.11", "\(self.update)")])
        }

        private mutating func change(_ changes: [(BookSide, String, String)]) {
            self.update += 1
            self.take(.feed(.delta(delta(update: self.update, changes)), sentTime: self.now.time))
        }

        mutating func take(_ input: EngineInput) {
            for action in self.engine.apply(input, now: self.now) {
                switch action {
                case .submit(let order):
                    self.placeCount += 1
                    let (side, price) = (order.intent.bookSide, order.intent.bookPrice)
                    self.resting[order.id] = (side, price, order.intent.size)
                    self.tell(order.id, .accepted(isDelayed: false))
                    self.show(side, price)
                case .cancel(let id):
                    guard let gone = self.resting.removeValue(forKey: id) else { continue }
                    self.cancelCount += 1
                    self.tell(id, .cancelled(reason: "asked"))
                    self.show(gone.side, gone.price)
                default: break
                }
            }
        }

        private mutating func tell(_ order: OrderID, _ kind: VenueEvent.Kind) {
            self.take(.venue(VenueEvent(order: order, kind: kind, time: self.now.time)))
        }

        private mutating func show(_ side: BookSide, _ price: Price) {
            let others = ["0.39", "0.4", "0.6", "0.61"].contains(price.description) ? shares("100") : .zero
            let own = self.resting.values.filter { $0.side == side && $0.price == price }.reduce(others) {
                $0 + $1.size
            }
            self.change([(side, price.description, own.description)])
        }

        var orders: [String] { self.resting.values.map { "\($0.side) \($0.price)" }.sorted() }
    }

    /// With inventory the quotes lean, and would lean from themselves again and again.
    @Test func ownQuotesInTheBookAreNotFollowed() throws {
        var live = try LiveMarket(held: [(.buy, 0, "30")])
        #expect(live.orders == ["ask 0.51", "bid 0.47"])
        for _ in 0..<40 { live.look() }
        #expect(live.orders == ["ask 0.51", "bid 0.47"])
        #expect(live.cancelCount == 0 && live.placeCount == 2)
    }

    /// At the largest position only one side is quoted: the middle must not come towards it.
    @Test func aQuoteOnOneSideDoesNotPullTheMiddle() throws {
        var live = try LiveMarket(held: [(.buy, 0, "50")])
        let first = live.orders
        #expect(first.count == 1)
        for _ in 0..<40 { live.look() }
        #expect(live.orders == first && live.cancelCount == 0)
    }

    /// Where nobody else asks there is no market, whatever we ask ourselves.
    @Test func whoIsAloneOnASideLeaves() throws {
        var live = try LiveMarket()
        #expect(live.orders == ["ask 0.52", "bid 0.48"])
        live.now = live.now.after(.milliseconds(250))
        let gone = delta(update: 100, [(.ask, "0.60", "0"), (.ask, "0.61", "0")])
        let view = try #require(live.engine.views[condition(1)])
        let next = DeltaBody(
            n: 1, epoch: 1, update: view.update + 1, isSettled: true, levels: gone.levels, venueTime: live.now.time,
            receivedTime: live.now.time)
        live.take(.feed(.delta(next), sentTime: live.now.time))
        #expect(live.orders.isEmpty)
    }

    /// Nobody would buy at our own bid if we sold.
    @Test(arguments: [0, 1])
    func whatIsHeldIsWorthWhatOthersBid(outcome: Int) throws {
        var live = try LiveMarket(held: [(.buy, outcome, "30")])
        #expect(live.orders.count == 2)
        func worth() throws -> Money {
            try live.engine.value(of: #require(live.engine.ledger.positions.values.first))
        }
        func tick() {
            live.now = live.now.after(.seconds(1))
            live.take(.tick(isHaltFilePresent: false))
        }
        tick()
        #expect(try worth() == usd("12"), "0.40 is bid, and 0.60 asked, by others")
        #expect(live.engine.profit.daily == usd("-3") && live.engine.profit.peak == usd("1000"))
        // Neither does a book that breaks while ours stands first in it make a gain, nor the end of our order a loss.
        live.take(.feed(.trust(distrust()), sentTime: live.now.time))
        tick()
        #expect(live.orders.isEmpty)
        #expect(try worth() == usd("12") && live.engine.profit.drawdown == usd("3"))
    }

    @Test func whereNobodyElseBidsTheLastBidOfOthersStays() throws {
        var live = try LiveMarket(held: [(.buy, 0, "30")])
        live.take(.tick(isHaltFilePresent: false))
        let view = try #require(live.engine.views[condition(1)])
        let gone = view.book.levels(.bid).filter { $0.price < price("0.45") }
        let next = DeltaBody(
            n: 1, epoch: 1, update: view.update + 1, isSettled: true,
            levels: gone.map { LevelChange(side: .bid, price: $0.price, size: .zero) }, venueTime: live.now.time,
            receivedTime: live.now.time)
        live.take(.feed(.delta(next), sentTime: live.now.time))
        live.take(.tick(isHaltFilePresent: false))
        #expect(live.engine.bidsOfOthers == [token(1, 0): price("0.40")])
    }

    @Test func anOrderThatTheBookDoesNotShowYetHidesNobody() throws {
        var view = try #require(views()[condition(1)])
        view.takeOut(.bid, price("0.48"), shares("101"))
        #expect(view.book.bestBid?.price == price("0.48"))
        view.takeOut(.bid, price("0.48"), shares("60"))
        #expect(view.book.size(.bid, at: price("0.48")) == shares("40"))
        view.takeOut(.bid, price("0.48"), shares("40"))
        #expect(view.book.bestBid?.price == price("0.47"))
    }
}
