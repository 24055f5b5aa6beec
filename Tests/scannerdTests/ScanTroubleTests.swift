import Shared
import Testing

@testable import scannerd

/// Questions that fail, and answers that are wrong for a moment: what was missed is asked for again soon.
@Suite struct ScanTroubleTests {
    private static let day = ScanStory.begin + .seconds(86_400)

    private func story(_ count: UInt64 = 25) -> ScanStory {
        let story = ScanStory()
        for number in 1...count { story.venue.markets.append(FakeMarket(number, end: Self.day)) }
        return story
    }

    private func id(_ number: UInt64) -> ConditionID { ConditionID(words: (0, 0, 0, number)) }

    // MARK: Groups

    /// Two markets of one neg-risk event.
    private func groupStory() -> ScanStory {
        let story = self.story(2)
        for place in 0..<2 { (story.venue.markets[place].isNegRisk, story.venue.markets[place].event) = (true, "fed") }
        return story
    }

    private func groups(_ actions: [ScanCore.Action]) -> [String] {
        actions.compactMap { if case .publishGroup(let group) = $0 { group.event } else { nil } }
    }

    @Test func aGroupWhoseQuestionFailedIsAskedForAgainInTheNextRound() {
        let story = self.groupStory()
        story.fault = { request, answer in if case .event = request.subject { .failed("no") } else { answer } }
        story.settle()
        #expect(story.core.groups.isEmpty && story.core.error == "no")
        _ = story.takeActions()
        story.fault = { $1 }
        story.pass(.seconds(30))
        #expect(self.groups(story.takeActions()) == ["fed"])
    }

    @Test func theGroupsOfAnEarlierLifesMarketsNeedNoListing() {
        let former = self.groupStory()
        former.settle()
        let story = ScanStory()
        story.venue = former.venue
        story.fault = { request, answer in if case .page = request.subject { .failed("away") } else { answer } }
        story.note(
            story.core.restore(former.core.universe.sorted, listedTime: former.time, time: story.time))
        story.pass(.seconds(20))
        #expect(self.groups(story.takeActions()) == ["fed"])
    }

    @Test func eventsOfWhichNothingIsKnownAreAskedForInTurn() {
        var filter = MarketFilter()
        filter.marketCountMax = 60
        let story = ScanStory(filter)
        for number in 1...60 as ClosedRange<UInt64> {
            var market = FakeMarket(number, end: Self.day)
            (market.isNegRisk, market.event) = (true, "event-\(number)")
            story.venue.markets.append(market)
        }
        story.fault = { request, answer in if case .event = request.subject { .missing } else { answer } }
        story.pass(.seconds(5))
        story.venue.requests = []
        story.pass(.seconds(10))
        func events() -> [String] {
            story.venue.requests.compactMap { if case .event(let slug) = $0 { slug } else { nil } }
        }
        #expect(events().count == ScanCore.groupCountMax)
        story.pass(.seconds(20))
        #expect(events().count == 3 * ScanCore.groupCountMax && Set(events()).count == 60, "each comes in its turn")
        story.fault = { $1 }
        story.pass(.seconds(30))
        #expect(story.core.groups.count == 60)
        story.venue.requests = []
        story.pass(.seconds(100))
        #expect(events().count == 10 && Set(events()).count == 10, "one a round once they are known")
    }

    // MARK: Members

    @Test(arguments: [true, false]) func aMemberThatIsNotReadyForAMomentComesBack(isAboutOrders: Bool) {
        let story = self.story()
        story.settle()
        _ = story.takeActions()
        func set(_ isReady: Bool) {
            if isAboutOrders {
                story.venue.markets[3].isAccepting = isReady
            } else {
                story.venue.markets[3].hasTokens = isReady
            }
        }
        set(false)
        story.pass(.seconds(10))
        #expect(story.followed?[self.id(4)] == nil && story.followed?.count == 24)
        set(true)
        story.pass(.seconds(20))
        #expect(story.followed?[self.id(4)] != nil && story.followed == story.core.universe.markets)
        #expect(story.core.hydrating.isEmpty)
    }

    @Test func aMemberThatStaysUnreadyIsLookedAtSoOftenAndNoMore() {
        let story = self.story()
        story.settle()
        story.venue.markets[3].isAccepting = false
        story.pass(.seconds(10))
        story.venue.requests = []
        story.pass(.seconds(1_200))
        let looks = story.venue.requests.filter { $0 == .market(slug: "market-4", condition: nil) }.count
        #expect(looks == ScanCore.hydratingLookMax + 1 && story.core.hydrating.isEmpty)
    }

    // MARK: A long reading

    @Test func aReadingThatLastsLongerThanItsIntervalWakesNobody() {
        let story = self.story()
        story.settle()
        story.pass(.seconds(595))
        // Its page is asked for and not answered.
        for wait in [Duration.seconds(10), .seconds(610)] {
            (story.now, story.time) = (story.now + wait, story.time + wait)
            while let request = story.core.next(now: story.now, time: story.time) {
                if case .page(true, _) = request.subject { continue }
                let answer = story.venue.answer(request, time: story.time)
                story.note(story.core.take(answer, to: request, now: story.now, time: story.time))
            }
        }
        #expect(story.core.pass?.isWhole == true && story.now > story.core.wholeDue + .seconds(600))
        #expect(story.core.wake(time: story.time, now: story.now) == story.core.roundDue)
        #expect(story.core.roundDue > story.now)
    }

    // MARK: What is told

    private func troubles(_ actions: [ScanCore.Action]) -> [ScanCore.Action] {
        actions.filter { action in
            switch action {
            case .troubled, .recovered: true
            case .publish, .publishGroup, .ready: false
            }
        }
    }

    @Test func anOrderBookServiceThatIsAwayIsToldOnceAndTheListingIsNotBlamed() {
        let story = self.story()
        story.settle()
        story.fault = { request, answer in request.service == .clob ? .failed("clob") : answer }
        story.pass(.seconds(1_800))
        #expect(self.troubles(story.takeActions()) == [.troubled(.clob, "clob")])
        #expect(story.core.error == "clob" && story.core.failedPassCount == 0)
        story.fault = { $1 }
        story.pass(.seconds(20))
        #expect(self.troubles(story.takeActions()) == [.recovered(.clob)] && story.core.error == nil)
    }

    @Test func bothServicesAwayAreToldOnceEachWhateverReasonsTheyGive() {
        let story = self.story()
        story.settle()
        var count = 0
        story.fault = { request, _ in
            count += 1
            return .failed("\(request.service) \(count % 3)")
        }
        story.pass(.seconds(1_800))
        let told = self.troubles(story.takeActions())
        #expect(told.count == 2 && story.core.failedPassCount > 0)
        for service in ScanRequest.Service.allCases {
            #expect(told.contains { if case .troubled(service, _) = $0 { true } else { false } })
        }
        story.fault = { $1 }
        story.pass(.seconds(80))
        #expect(Set(self.troubles(story.takeActions())) == [.recovered(.gamma), .recovered(.clob)])
    }

    /// Rounds go well meanwhile, which does not mean that the listing can be read.
    @Test func aListingOfWhichOnePageAlwaysFailsIsToldOnce() {
        let story = self.story()
        story.settle()
        story.fault = { request, answer in if case .page(true, "10") = request.subject { .failed("no") } else { answer }
        }
        story.pass(.seconds(1_800))
        #expect(self.troubles(story.takeActions()) == [.troubled(.gamma, "no")])
        #expect(story.core.failedPassCount > 10 && story.core.wholePassCount == 1)
        story.fault = { $1 }
        story.pass(.seconds(80))
        #expect(self.troubles(story.takeActions()) == [.recovered(.gamma)] && story.core.wholePassCount == 2)
    }

    @Test func aQuestionThatAlwaysFailsIsToldOnceThoughAllPagesGoWell() {
        let story = self.story()
        story.settle()
        story.fault = { request, answer in if case .members = request.subject { .failed("no") } else { answer } }
        story.pass(.seconds(590))
        #expect(self.troubles(story.takeActions()) == [.troubled(.gamma, "no")])
        story.fault = { $1 }
        story.pass(.seconds(20))
        #expect(self.troubles(story.takeActions()) == [.recovered(.gamma)])
    }
}
