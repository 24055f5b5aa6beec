import Shared
import Testing

@testable import polybot

@Suite struct TapFilterTests {
    private func lets(_ filter: inout TapFilter, _ body: some FrameBody) throws -> Bool {
        try Samples.withEnvelope(body) { filter.lets($0) }
    }

    private func delta(_ n: Int64) -> DeltaBody {
        DeltaBody(
            n: n, epoch: 1, update: 1, isSettled: true, levels: [], venueTime: Samples.time, receivedTime: Samples.time)
    }

    @Test func withoutFiltersOnlyHousekeepingIsLeftOut() throws {
        var filter = TapFilter()
        #expect(try self.lets(&filter, self.delta(1)))
        #expect(try self.lets(&filter, ErrorBody(code: .tooMany, message: "full")))
        #expect(try !self.lets(&filter, Ping(id: 1)))
        #expect(try !self.lets(&filter, ResultBody(id: 1, .ok(nil))))
        filter.isRaw = true
        #expect(try self.lets(&filter, Ping(id: 1)))
    }

    @Test func onlyNamedTypesAreLetThrough() throws {
        var filter = TapFilter(types: ["delta", "ping"])
        #expect(try self.lets(&filter, self.delta(1)))
        #expect(try self.lets(&filter, Ping(id: 1)))
        #expect(try !self.lets(&filter, Samples.feed(markets: 1, trusted: 1)))
    }

    @Test func aMarketIsKnownByItsNumberOnceThatWasTold() throws {
        var filter = TapFilter(market: Samples.condition)
        #expect(try !self.lets(&filter, self.delta(4)))
        #expect(try self.lets(&filter, MarketBody(n: 4, market: Samples.market)))
        let other = Samples.market(Samples.otherCondition, slug: "other")
        #expect(try !self.lets(&filter, MarketBody(n: 5, market: other)))
        #expect(try self.lets(&filter, self.delta(4)))
        #expect(try !self.lets(&filter, self.delta(5)))
        #expect(try self.lets(&filter, TrustBody(n: .all, epoch: 2, isTrusted: false, reason: .dropped)))
        #expect(try self.lets(&filter, Samples.order("o1", .live)))
        #expect(try !self.lets(&filter, Samples.order("o2", .live, market: Samples.otherCondition)))
        #expect(try !self.lets(&filter, Samples.feed(markets: 1, trusted: 1)))
    }

    @Test func aMarketsNumberIsLearntFromFramesThatAreNotShown() throws {
        var filter = TapFilter(types: ["delta"], market: Samples.condition)
        #expect(try !self.lets(&filter, MarketBody(n: 4, market: Samples.market)))
        #expect(try self.lets(&filter, self.delta(4)))
    }
}
