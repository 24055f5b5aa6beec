import Shared
import Testing

/// Windows of recurring families, by names that are known before they are listed.
@Suite struct RollingSeriesTests {
    private func time(_ text: String) -> Timestamp { Timestamp(rfc3339: text)! }

    private func windows(_ slug: String, at text: String, count: Int = 2) throws -> [RollingSeries.Window] {
        try #require(RollingSeries(slug: slug)).windows(at: self.time(text), count: count)
    }

    @Test(arguments: [
        "btc-up-or-down-5m", "eth-up-or-down-15m", "sol-up-or-down-hourly", "xrp-up-or-down-1h", "btc-up-or-down-4h",
    ])
    func familiesAreKnownByTheirSlug(slug: String) { #expect(RollingSeries(slug: slug)?.slug == slug) }

    @Test(arguments: ["", "fomc", "btc-up-or-down-daily", "-up-or-down-5m", "btc-up-or-down-", "btc-up-or-down-5m-x"])
    func othersAreNone(slug: String) { #expect(RollingSeries(slug: slug) == nil) }

    @Test func shortWindowsLieOnEverybodysClock() throws {
        let windows = try self.windows("btc-up-or-down-5m", at: "2026-05-12T11:12:34.5Z")
        #expect(windows.map(\.start) == [self.time("2026-05-12T11:10:00Z"), self.time("2026-05-12T11:15:00Z")])
        #expect(windows.map(\.slugs) == [["btc-updown-5m-1778584200"], ["btc-updown-5m-1778584500"]])
        #expect(
            try self.windows("eth-up-or-down-15m", at: "2026-05-12T11:00:00Z")[0].slugs == ["eth-updown-15m-1778583600"]
        )
    }

    @Test func hoursHaveNewYorksNames() throws {
        let windows = try self.windows("btc-up-or-down-hourly", at: "2026-11-24T17:49:00Z")
        #expect(
            windows.map { $0.slugs[0] } == [
                "bitcoin-up-or-down-november-24-2026-12pm-et", "bitcoin-up-or-down-november-24-2026-1pm-et",
            ])
        #expect(windows[0].slugs[1] == "bitcoin-up-or-down-november-24-12pm-et")
        // Midnight there, and the day there.
        let night = try self.windows("eth-up-or-down-hourly", at: "2026-07-01T04:30:00Z")
        #expect(night[0].slugs[0] == "ethereum-up-or-down-july-1-2026-12am-et")
        #expect(
            try self.windows("xrp-up-or-down-1h", at: "2026-07-01T03:30:00Z")[0].slugs[0].contains(
                "xrp-up-or-down-june-30-2026-11pm"))
    }

    @Test func inSpringAnHourOfNewYorkIsSkipped() throws {
        let hours = try self.windows("btc-up-or-down-hourly", at: "2026-03-08T06:10:00Z", count: 3)
        #expect(
            hours.map { $0.slugs[0].suffix(19) } == [
                "march-8-2026-1am-et", "march-8-2026-3am-et", "march-8-2026-4am-et",
            ])
        #expect(hours[1].start == self.time("2026-03-08T07:00:00Z"))
        // From midnight to four: three hours.
        let long = try self.windows("btc-up-or-down-4h", at: "2026-03-08T07:30:00Z")
        #expect(long[0].start == self.time("2026-03-08T05:00:00Z") && long[0].end == self.time("2026-03-08T08:00:00Z"))
        #expect(long[1].end == self.time("2026-03-08T12:00:00Z"))
    }

    @Test func inAutumnAnHourOfNewYorkComesTwice() throws {
        let hours = try self.windows("btc-up-or-down-hourly", at: "2026-11-01T05:10:00Z", count: 3)
        #expect(hours[0].slugs[0] == "bitcoin-up-or-down-november-1-2026-1am-et")
        #expect(hours[1].slugs[0] == "bitcoin-up-or-down-november-1-2026-1am-2-et")
        #expect(hours[1].slugs.contains("bitcoin-up-or-down-november-1-2026-1am-et"))
        #expect(hours[2].slugs[0] == "bitcoin-up-or-down-november-1-2026-2am-et")
        let long = try self.windows("btc-up-or-down-4h", at: "2026-11-01T08:59:59Z")
        #expect(long[0].start == self.time("2026-11-01T04:00:00Z") && long[0].end == self.time("2026-11-01T09:00:00Z"))
    }

    /// Two days around each change of the clock, and one without: windows lie end to end, and the time is in the first.
    @Test(arguments: ["2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z", "2027-03-13T00:00:00Z", "2026-06-01T00:00:00Z"])
    func everyMomentIsInOneWindow(day: String) throws {
        for slug in ["btc-up-or-down-5m", "btc-up-or-down-15m", "btc-up-or-down-hourly", "btc-up-or-down-4h"] {
            let series = try #require(RollingSeries(slug: slug))
            var last: RollingSeries.Window?
            var names: Set<String> = []
            for minute in 0..<2_880 as Range<Int64> {
                let now = self.time(day) + .seconds(60 * minute + 59)
                let windows = series.windows(at: now)
                #expect(windows.count == 2 && windows[0].start <= now && now < windows[0].end)
                #expect(windows[0].end == windows[1].start)
                guard let before = last, before != windows[0] else {
                    last = windows[0]
                    continue
                }
                #expect(before.end == windows[0].start, "\(slug) at \(now.rfc3339)")
                #expect(names.insert(windows[0].slugs[0]).inserted, "each has a name of its own")
                last = windows[0]
            }
        }
    }

    @Test func aMarketOfTheNameAndOtherDatesIsNotTheWindow() throws {
        let window = try self.windows("btc-up-or-down-4h", at: "2026-03-08T05:30:00Z")[0]
        var market = Market.example(endTime: window.end)
        market.startTime = window.start
        #expect(window.isShown(by: market))
        // Four hours by everybody's clock.
        market.endTime = window.start + .seconds(14_400)
        #expect(window.isShown(by: market))
        market.endTime = window.end + .seconds(60)
        #expect(!window.isShown(by: market))
        market.endTime = window.end
        market.startTime = nil
        #expect(!window.isShown(by: market))
        market.startTime = window.start + .seconds(-3_600)
        #expect(!window.isShown(by: market))
    }
}

/// Neg-risk events with all their outcomes.
@Suite struct EventGroupTests {
    private static let now = GammaMarketTests.now

    private func member(_ title: String, active: Bool = true, closed: Bool = false, other: Bool = false) -> String {
        GammaMarketTests.text.replacing("\"negRisk\":false", with: "\"negRisk\":true")
            .replacing("\"active\":true", with: "\"active\":\(active)")
            .replacing("\"closed\":false", with: "\"closed\":\(closed)")
            .replacing("\"id\":", with: "\"groupItemTitle\":\"\(title)\",\"negRiskOther\":\(other),\"id\":")
    }

    private func group(_ members: [String], augmented: Bool) throws -> EventGroup? {
        let text = #"""
            {"slug":"fed","negRisk":true,"negRiskMarketID":"0xab","negRiskAugmented":\#(augmented),"markets":[
            \#(members.joined(separator: ","))]}
            """#
        return EventGroup(
            try JSONValue(parsing: Array(text.utf8), keeping: EventGroup.memberNames), now: Self.now)
    }

    @Test func allOutcomesTogetherHoldTheWinner() throws {
        let group = try #require(try self.group([self.member("Cut"), self.member("Hold")], augmented: false))
        #expect(group.isComplete && !group.isAugmented && group.event == "fed" && group.group == "0xab")
        #expect(group.members.map(\.title) == ["Cut", "Hold"] && group.members.allSatisfy { $0.state == .tradable })
    }

    @Test func oneThatCannotBeReadLeavesItIncomplete() throws {
        let odd = self.member("Odd").replacing("0.01", with: "0.02")
        let group = try #require(
            try self.group([self.member("Cut"), self.member("Hold"), odd], augmented: false))
        #expect(!group.isComplete && group.members.map(\.state) == [.tradable, .tradable, .refused])
    }

    @Test func oneThatIsDecidedCannotWinAnyMore() throws {
        let group = try #require(
            try self.group(
                [self.member("A"), self.member("B"), self.member("C", closed: true)], augmented: false))
        #expect(group.isComplete && group.members[2].state == .closed)
        #expect(
            try self.group([self.member("A"), self.member("B", closed: true)], augmented: false)?.isComplete == false)
    }

    @Test func anAugmentedOneNeedsItsOther() throws {
        let named = [self.member("A"), self.member("B"), self.member("Person C", active: false)]
        #expect(try self.group(named, augmented: true)?.isComplete == false)
        let whole = try #require(try self.group(named + [self.member("Other", other: true)], augmented: true))
        #expect(whole.isComplete && whole.isAugmented)
        #expect(whole.members.map(\.state) == [.tradable, .tradable, .placeholder, .tradable])
    }

    @Test(arguments: ["{}", "[]", #"{"negRisk":false,"slug":"x","negRiskMarketID":"0x","markets":[]}"#])
    func whatIsNoSuchEventIsNone(text: String) throws {
        #expect(EventGroup(try JSONValue(text: text), now: Self.now) == nil)
    }
}
