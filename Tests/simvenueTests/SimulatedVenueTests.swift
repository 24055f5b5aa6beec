import Shared
import Testing

@testable import simvenue

/// 2026-11-24T17:49:00Z: a minute before a five-minute window ends.
let someTime: Int64 = 1_795_542_540_000

func settings(_ marketCount: Int, rate: Int, seed: UInt64 = 7) -> SimulatedVenue.Settings {
    var settings = SimulatedVenue.Settings()
    settings.marketCount = marketCount
    settings.rate = rate
    settings.seed = seed
    return settings
}

struct SimulatedVenueTests {
    /// All messages of `seconds`, with time told in steps of `step` milliseconds.
    private func run(_ settings: SimulatedVenue.Settings, seconds: Int64, step: Int64) -> MessageBatch {
        var venue = SimulatedVenue(settings, at: someTime)
        var batch = MessageBatch()
        var time = someTime
        while time < someTime + seconds * 1_000 {
            time = min(time + step, someTime + seconds * 1_000)
            venue.advance(to: time, messageCountMax: .max, into: &batch)
        }
        return batch
    }

    @Test func theSameSeedGivesTheSameBytesInWhateverStepsTimeIsTold() {
        let one = self.run(settings(12, rate: 100), seconds: 65, step: 1)
        let other = self.run(settings(12, rate: 100), seconds: 65, step: 977)
        #expect(one.count > 5_000)
        #expect(one.bytes == other.bytes)
        #expect(self.run(settings(12, rate: 200, seed: 8), seconds: 1, step: 50).bytes != one.bytes)
    }

    @Test func aLimitOnMessagesDelaysThemAndLosesNone() {
        let whole = self.run(settings(12, rate: 500), seconds: 5, step: 5_000)
        var venue = SimulatedVenue(settings(12, rate: 500), at: someTime)
        var batch = MessageBatch()
        var bytes: [UInt8] = []
        repeat {
            batch.clear()
            venue.advance(to: someTime + 5_000, messageCountMax: 7, into: &batch)
            bytes += batch.bytes
        } while !batch.isEmpty
        #expect(bytes == whole.bytes)
    }

    @Test func theRateIsKeptOnAverage() {
        let batch = self.run(settings(30, rate: 400), seconds: 30, step: 100)
        #expect((10_200...13_800).contains(batch.plainCount))
    }

    @Test(arguments: [8, 9] as [UInt64])
    func everyHashIsRightAndNoBookCrossesAcrossWindowsAndTicks(seed: UInt64) {
        var venue = SimulatedVenue(settings(14, rate: 100, seed: seed), at: someTime)
        var follower = Follower()
        follower.meet(venue.listing)
        follower.takeDump(venue.listing)
        var batch = MessageBatch()
        for second in 1...150 {
            batch.clear()
            venue.advance(to: someTime + Int64(second) * 1_000, messageCountMax: .max, into: &batch)
            follower.read(batch)
            if batch.entries.contains(where: { $0.audience == .everybody }) {
                // A window was listed meanwhile: subscribe to it, which brings its book.
                follower.finish()
                follower.meet(venue.listing)
                follower.takeDump(venue.listing)
            }
        }
        follower.finish()
        #expect(follower.problems.prefix(3) == [])
        #expect(follower.checkedCount > 15_000)
        #expect(follower.kinds[.marketResolved, default: 0] >= 1)
        #expect(follower.kinds[.newMarket, default: 0] >= 1)
        #expect(follower.kinds[.tickSizeChange, default: 0] >= 2)
        #expect(follower.kinds[.bestBidAsk, default: 0] > 1_000)
        for slot in venue.listing.order
        where venue.listing[slot].isTradable(at: Timestamp(milliseconds: someTime + 150_000)) {
            let market = venue.listing[slot].market
            #expect(follower.book(of: market.condition).map { Follower.equal($0, venue.listing[slot].book) } == true)
        }
    }

    @Test(arguments: [1, 2, 5, 30, 75])
    func asManyMarketsAreTradableAsAskedForAtAnyTime(count: Int) {
        var venue = SimulatedVenue(settings(count, rate: 0), at: someTime)
        var batch = MessageBatch()
        for minute in 0...61 {
            let time = someTime + Int64(minute) * 60_000 + 1
            venue.advance(to: time, messageCountMax: .max, into: &batch)
            let tradable = venue.listing.order.filter {
                venue.listing[$0].isTradable(at: Timestamp(milliseconds: time))
            }
            #expect(tradable.count == count)
            #expect(
                tradable.allSatisfy { venue.listing[$0].book.bestBid != nil && venue.listing[$0].book.bestAsk != nil })
            #expect(venue.listing.order.count > tradable.count, "decoys are listed too")
        }
    }

    @Test func daysOfWindowsAreForgottenAgain() {
        var venue = SimulatedVenue(settings(75, rate: 0), at: someTime)
        let before = venue.listing.slotCount
        var batch = MessageBatch()
        var removedCount = 0
        for hour in 1...72 {
            batch.clear()
            venue.advance(to: someTime + Int64(hour) * 3_600_000, messageCountMax: .max, into: &batch)
            removedCount += venue.takeRemovedSlots().count
        }
        #expect(removedCount > 1_000)
        #expect(venue.listing.slotCount <= before + SimulatedVenue.resolvedCountMax + 2)
        #expect(venue.listing.order.count <= venue.listing.slotCount)
    }

    @Test func everyMarketPrintsNearItsTouchWithinSeconds() {
        var venue = SimulatedVenue(settings(30, rate: 200), at: someTime)
        var follower = Follower()
        follower.meet(venue.listing)
        follower.takeDump(venue.listing)
        var batch = MessageBatch()
        // A book is wide for a moment after somebody swept it.
        var narrowCount = 0
        var wideCount = 0
        for second in 1...30 {
            venue.advance(to: someTime + Int64(second) * 1_000, messageCountMax: .max, into: &batch)
            for slot in venue.listing.order where venue.listing[slot].kind == .dated {
                let book = venue.listing[slot].book
                guard let bid = book.bestBid, let ask = book.bestAsk else { continue }
                if ask.price.micros - bid.price.micros <= 80_000 { narrowCount += 1 } else { wideCount += 1 }
            }
        }
        #expect(narrowCount > 19 * wideCount, "\(narrowCount) narrow, \(wideCount) wide")
        follower.read(batch)
        let now = Timestamp(milliseconds: someTime + 30_000)
        for slot in venue.listing.order where venue.listing[slot].isTradable(at: now) {
            let market = venue.listing[slot].market
            #expect(follower.printCount[market.condition, default: 0] >= 5, "\(market.slug)")
        }
    }

    @Test func aWindowEndsWithTheOutcomeThatItsBookExpected() throws {
        var venue = SimulatedVenue(settings(75, rate: 300), at: someTime)
        var batch = MessageBatch()
        venue.advance(to: someTime + 59_000, messageCountMax: .max, into: &batch)
        let ending = venue.listing.order.filter {
            venue.listing[$0].market.endTime == Timestamp(milliseconds: someTime + 60_000)
        }
        #expect(ending.count == 4)
        var expected: [Int: Int] = [:]
        for slot in ending {
            guard let mid = venue.listing[slot].book.midpoint else { continue }
            if mid > 850_000 { expected[slot] = 0 }
            if mid < 150_000 { expected[slot] = 1 }
        }
        venue.advance(to: someTime + 60_000, messageCountMax: .max, into: &batch)
        for slot in ending { #expect(venue.listing[slot].isClosed && venue.listing[slot].winner != nil) }
        #expect(expected.allSatisfy { venue.listing[$0.key].winner == $0.value })
    }

    @Test func aPauseStopsTrafficAndLetsPrintsOut() {
        var venue = SimulatedVenue(settings(30, rate: 1_000), at: someTime)
        var batch = MessageBatch()
        venue.advance(to: someTime + 5_000, messageCountMax: .max, into: &batch)
        venue.pause(at: someTime + 5_000)
        batch.clear()
        venue.advance(to: someTime + 20_000, messageCountMax: .max, into: &batch)
        #expect(batch.entries.indices.allSatisfy { batch.text(at: $0).hasPrefix(#"{"event_type":"last_trade_price""#) })
        venue.resume(at: someTime + 20_000)
        batch.clear()
        venue.advance(to: someTime + 21_000, messageCountMax: .max, into: &batch)
        #expect((300...3_000).contains(batch.plainCount), "the pause is not caught up with")
    }
}
