import Shared
import Testing

@testable import stratd

@Suite struct MarketViewTests {
    @Test func aSnapshotMakesABookTrustedAndDeltasFollowIt() {
        var views = views()
        #expect(views[condition(1)]?.isTrusted == true)
        #expect(views.apply(.delta(delta(update: 2, [(.bid, "0.48", "0"), (.ask, "0.51", "5")]))) == [condition(1)])
        #expect(views[condition(1)]?.book.bestBid == Level(price: price("0.47"), size: shares("200")))
        #expect(views[condition(1)]?.book.bestAsk == Level(price: price("0.51"), size: shares("5")))
        #expect(views[condition(1)]?.bid(1) == price("0.49"))
    }

    @Test(arguments: [(Int64(1), Int64(3)), (Int64(1), Int64(1)), (Int64(2), Int64(2))])
    func aGapOrAnotherEpochLosesTrustUntilTheNextBook(epoch: Int64, update: Int64) {
        var views = views()
        _ = views.apply(.delta(delta(epoch: epoch, update: update, [(.bid, "0.48", "1")])))
        #expect(views[condition(1)]?.trust == .lost(.gap))
        #expect(views[condition(1)]?.isSettled == false)
        _ = views.apply(.delta(delta(update: 2, [(.bid, "0.48", "1")])))
        #expect(views[condition(1)]?.isTrusted == false)
        _ = views.apply(.book(book(epoch: 2, update: 7)))
        _ = views.apply(.delta(delta(epoch: 2, update: 8, [(.bid, "0.48", "1")])))
        #expect(views[condition(1)]?.isTrusted == true)
    }

    @Test func distrustOfOneOrOfAllIsObeyedAtOnce() {
        var views = views()
        _ = views.apply(.market(MarketBody(n: 2, market: market(2))))
        _ = views.apply(.book(book(2)))
        #expect(views.apply(.trust(distrust(.one(2)))) == [condition(2)])
        #expect(views[condition(1)]?.isTrusted == true && views[condition(2)]?.untrustedReason == .silent)
        #expect(views.apply(.trust(distrust(.all, .dropped))) == [condition(1), condition(2)])
        #expect(views.trustedCount == 0)
        _ = views.apply(.trust(TrustBody(n: .all, epoch: 1, isTrusted: true, reason: nil)))
        #expect(views.trustedCount == 0, "a word alone does not mend a book")
    }

    @Test func aBookThatThePublisherDoubtsIsTrustedByItsLaterWord() {
        var views = views(market(), book(isTrusted: false))
        #expect(views[condition(1)]?.isTrusted == false)
        _ = views.apply(.delta(delta(update: 2, [(.bid, "0.49", "1")])))
        _ = views.apply(.trust(TrustBody(n: .one(1), epoch: 1, isTrusted: true, reason: nil)))
        #expect(views[condition(1)]?.isTrusted == true)
        #expect(views[condition(1)]?.book.bestBid?.price == price("0.49"))
    }

    @Test func aLostLineLosesEveryBookAndItsNumbers() {
        var views = views()
        #expect(views.apply(.disconnected) == [condition(1)])
        #expect(views[condition(1)]?.untrustedReason == .dropped)
        #expect(views.apply(.book(book(9))).isEmpty)
        #expect(views.skippedCount == 1)
        _ = views.apply(.market(MarketBody(n: 9, market: market(1))))
        #expect(views.condition(9) == condition(1))
    }

    @Test func aTickChangeWaitsForTheNewBook() {
        var views = views()
        let finer = TickSize(micros: 1_000)!
        _ = views.apply(.tickSize(TickSizeBody(n: 1, old: .cent, new: finer, venueTime: testStart)))
        #expect(views[condition(1)]?.market.tick == finer && views[condition(1)]?.isTrusted == false)
    }

    @Test func aResolvedMarketIsNeverTrustedAgain() {
        var views = views()
        _ = views.apply(.resolved(ResolvedBody(n: 1, winner: nil, venueTime: testStart)))
        _ = views.apply(.book(book(epoch: 3)))
        #expect(views[condition(1)]?.isResolved == true && views[condition(1)]?.isTrusted == false)
        views.forget(before: testStart, keeping: [condition(1)])
        #expect(views[condition(1)] != nil)
        views.forget(before: testStart, keeping: [])
        #expect(views[condition(1)] == nil && views.condition(1) == nil)
    }
}
