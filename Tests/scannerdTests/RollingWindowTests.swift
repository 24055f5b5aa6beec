import Shared
import Testing

@testable import scannerd

/// Recurring windows over whole days, changes of New York's clock included.
@Suite struct RollingWindowTests {
    private static let families = [
        "btc-up-or-down-5m", "eth-up-or-down-15m", "btc-up-or-down-hourly", "sol-up-or-down-4h",
    ]

    /// Numbers of markets that must never be taken begin here.
    private static let decoyNumber: UInt64 = 1_000_000

    /// Markets of no series, zombies of years ago that are still open, and one without tokens.
    private static func decoys(at time: Timestamp) -> [FakeMarket] {
        var decoys = [1, 2, 3, 4].map { place in
            FakeMarket(decoyNumber + place, end: time + .seconds(Int64(place) * 40_000))
        }
        for place in 5...9 as ClosedRange<UInt64> {
            var zombie = FakeMarket(decoyNumber + place, end: time + .seconds(-86_400))
            zombie.series = self.families[0]
            decoys.append(zombie)
        }
        var bare = FakeMarket(decoyNumber + 10, end: time + .seconds(100_000))
        (bare.series, bare.hasTokens) = (self.families[1], false)
        return decoys + [bare]
    }

    /// Lists each family's windows for the next hours, and closes what ended two minutes ago.
    private static func list(_ series: [RollingSeries], in venue: inout FakeVenue, at time: Timestamp) {
        venue.markets.removeAll { $0.end + .seconds(600) < time && $0.number < decoyNumber }
        var known = Set(venue.markets.map(\.slug))
        var number = (venue.markets.map(\.number).filter { $0 < decoyNumber }.max() ?? 0) + 1
        for family in series {
            for window in family.windows(at: time, count: 4) where known.insert(window.slugs[0]).inserted {
                var market = FakeMarket(number, slug: window.slugs[0], end: window.end)
                number += 1
                market.start = window.start
                market.series = family.slug
                venue.markets.append(market)
            }
        }
        for place in venue.markets.indices where venue.markets[place].end + .seconds(120) < time {
            venue.markets[place].isClosed = true
        }
    }

    @Test(arguments: ["2026-03-08T00:00:00Z", "2026-11-01T00:00:00Z"])
    func presentAndNextWindowAreWatchedAllDay(day: String) throws {
        let series = try Self.families.map { try #require(RollingSeries(slug: $0)) }
        var filter = MarketFilter()
        filter.series = Self.families
        filter.timeLeftMin = .zero
        filter.marketCountMax = 8
        let story = ScanStory(filter, at: try #require(Timestamp(rfc3339: day)), interval: .seconds(60))
        story.venue.markets = Self.decoys(at: story.time)
        Self.list(series, in: &story.venue, at: story.time)
        story.settle()
        for _ in 0..<1_440 {
            Self.list(series, in: &story.venue, at: story.time)
            // A round lies between.
            story.pass(.seconds(60))
            for family in series {
                let windows = family.windows(at: story.time)
                // The next is there before the present ends; in the first minute a new one may not be.
                let isFresh = story.time - windows[0].start < .seconds(60)
                for window in windows.prefix(isFresh ? 1 : 2) {
                    let slug = window.slugs[0]
                    #expect(story.slugs.contains(slug), "\(slug) at \(story.time.rfc3339)")
                }
            }
            // And nothing else: windows that end within a round's time may still be there.
            let wanted = Set(series.flatMap { $0.windows(at: story.time) }.flatMap(\.slugs))
            for market in story.core.universe.sorted {
                #expect(wanted.contains(market.slug) || story.time - market.endTime < .seconds(60), "\(market.slug)")
            }
        }
        #expect(story.followed == story.core.universe.markets)
    }

    @Test func aWindowIsFoundByItsNameBeforeTheListingShowsIt() throws {
        var filter = MarketFilter()
        filter.series = ["btc-up-or-down-hourly"]
        let story = ScanStory(filter)
        let series = try #require(RollingSeries(slug: filter.series[0]))
        story.fault = { request, answer in
            if case .page = request.subject { .value(.object(["markets": .array([])])) } else { answer }
        }
        Self.list([series], in: &story.venue, at: story.time)
        story.settle()
        #expect(story.slugs == Set(series.windows(at: story.time).map { $0.slugs[0] }))
    }

    /// The second hour may have the first one's name: that the first is watched says nothing of it.
    @Test func theHourThatComesTwiceIsSoughtWhileTheFirstOfItRuns() throws {
        var filter = MarketFilter()
        filter.series = ["btc-up-or-down-hourly"]
        let story = ScanStory(filter, at: try #require(Timestamp(rfc3339: "2026-11-01T04:30:00Z")))
        let series = try #require(RollingSeries(slug: filter.series[0]))
        story.fault = { request, answer in
            if case .page = request.subject { .value(.object(["markets": .array([])])) } else { answer }
        }
        Self.list([series], in: &story.venue, at: story.time)
        story.pass(.seconds(1_860))
        #expect(
            story.slugs.sorted() == [
                "bitcoin-up-or-down-november-1-2026-1am-2-et", "bitcoin-up-or-down-november-1-2026-1am-et",
            ])
    }

    @Test func anotherYearsWindowOfTheNameIsNotTaken() throws {
        var filter = MarketFilter()
        filter.series = ["btc-up-or-down-hourly"]
        let story = ScanStory(filter)
        let window = try #require(RollingSeries(slug: filter.series[0])?.windows(at: story.time).first)
        // Under the name without a year stands one that ends a year later.
        var market = FakeMarket(1, slug: window.slugs[1], end: window.end + .seconds(365 * 86_400))
        market.start = window.start + .seconds(365 * 86_400)
        story.venue.markets = [market]
        story.pass(.seconds(30))
        #expect(story.core.isReady && story.slugs.isEmpty)
        #expect(story.venue.requests.contains(.window(window, name: 1)), "the second name was tried")
    }
}

/// Which markets have positions or orders.
@Suite struct PinBoardTests {
    private let market = ConditionID(words: (0, 0, 0, 1))
    private let token = TokenID(words: (0, 0, 0, 2))

    private func order(_ state: OrderState) -> OrderBody {
        OrderBody(
            order: "1", hash: "", strategy: "maker", market: self.market, token: self.token, side: .buy,
            price: Price(micros: 500_000)!, size: Quantity(shares: 5), filled: .zero, kind: .gtc, isPostOnly: true,
            state: state, reason: nil, mode: .paper, time: ScanStory.begin)
    }

    private func position(_ size: Quantity, in pending: Quantity = .zero) -> PositionBody {
        PositionBody(
            market: self.market, token: self.token, strategy: nil, confirmed: size, pendingIn: pending,
            pendingOut: .zero,
            averageCost: 0, realised: .zero, unrealised: .zero)
    }

    @Test func anOrderPinsUntilItIsFinished() {
        for state in OrderState.allCases {
            var board = PinBoard()
            board.take(self.order(.live))
            #expect(board.markets == [self.market])
            board.take(self.order(state))
            #expect(board.markets.isEmpty == [.filled, .cancelled, .rejected, .expired].contains(state))
        }
    }

    @Test func aPositionPinsUntilNothingIsLeft() {
        var board = PinBoard()
        board.take(self.position(.zero, in: Quantity(shares: 1)))
        #expect(board.markets == [self.market])
        board.take(self.position(Quantity(shares: 1)))
        #expect(board.markets == [self.market])
        board.take(self.position(.zero))
        #expect(board.markets == [])
    }

    @Test func whatAnEarlierLifeWasToldCountsUntilAllIsToldAnew() {
        var board = PinBoard()
        board.restore([self.market])
        board.beginAnew()
        #expect(board.markets == [self.market])
        board.endAnew()
        #expect(board.markets == [])
    }

    @Test func aLostLineReleasesNothingUntilAllIsToldAnew() {
        var board = PinBoard()
        board.take(self.order(.live))
        board.beginAnew()
        #expect(board.markets == [self.market])
        board.endAnew()
        #expect(board.markets == [])
    }
}
