import Shared
import Testing

@testable import simvenue

/// Walking, filtering and ordering Gamma's lists.
@Suite struct GammaListTests {
    private static let venue = fullVenue()
    private let reader = GammaReader(Self.venue)
    private static let open = "active=true&closed=false"

    // MARK: Walking

    @Test(
        arguments: ["markets", "events"],
        ["", "order=endDate", "order=volumeNum,endDate&ascending=false", "order=id&ascending=false", "order=liquidity"])
    func pagesByCursorAndByOffsetShowTheSame(list: String, order: String) throws {
        let expected = try self.reader.all(list, "\(Self.open)&\(order)&limit=100").ids
        #expect(Set(expected).count == expected.count)
        #expect(expected.count > 100)
        let query = "\(Self.open)&\(order)"
        for limit in [13, 100] {
            #expect(try self.reader.all(list, "\(query)&limit=\(limit)").ids == expected)
            #expect(try self.reader.allByOffset(list, query, limit: limit).ids == expected)
        }
    }

    @Test func theOrderIsTheOneAskedFor() throws {
        let markets = try self.reader.all("markets", "order=endDate&limit=100")
        // The one whose end cannot be read has one all the same.
        let ends = markets.texts("endDate")
        #expect(ends == ends.sorted() && Set(ends).count > 20)
        let volumes = try self.reader.all("markets", "order=volumeNum&ascending=false&limit=100").compactMap {
            $0["volumeNum"]?.micros
        }
        #expect(volumes == volumes.sorted(by: >) && Set(volumes).count > 20)
        let events = try self.reader.all("events", "order=volume24hr&limit=100").compactMap { $0["volume24hr"]?.micros }
        #expect(events == events.sorted() && Set(events).count > 20)
    }

    /// Windows end, close and are listed while somebody turns the pages.
    @Test(arguments: ["", "&order=endDate", "&order=volumeNum&ascending=false"])
    func cursorsMissNoMarketThatStaysWhileOthersComeAndGo(order: String) throws {
        var venue = fullVenue()
        var batch = MessageBatch()
        let before = Set(try GammaReader(venue).all("markets", "\(Self.open)&limit=100").ids)
        var seen: [String] = []
        var byOffset: [String] = []
        var cursor: String?
        var time = someTime
        repeat {
            let reader = GammaReader(venue)
            let page = try reader.page("markets", "\(Self.open)\(order)&limit=10", after: cursor)
            seen += page.0.ids
            cursor = page.next
            let offset = "/markets?\(Self.open)\(order)&limit=10&offset=\(byOffset.count)"
            byOffset += try #require(try reader.get(offset).value.array).ids
            time += 20_000
            batch.clear()
            venue.advance(to: time, messageCountMax: .max, into: &batch)
        } while cursor != nil && time < someTime + 3_600_000
        #expect(cursor == nil)
        let after = Set(try GammaReader(venue).all("markets", "\(Self.open)&limit=100").ids)
        let gone = before.subtracting(after)
        #expect(gone.count > 4 && after.subtracting(before).count > 4)
        #expect(Set(seen).count == seen.count, "a market is shown twice")
        #expect(Set(seen).isSuperset(of: before.intersection(after)), "a market that stayed is missed")
        // By offset every market that closes may hide one that stays, as at the venue: hence the cursors.
        #expect(!before.intersection(after).isSubset(of: byOffset))
    }

    @Test func aCursorOfAMarketThatIsGoneStillWorks() throws {
        var venue = fullVenue()
        let first = GammaReader(venue)
        let slot = try #require(venue.listing.slot(slug: "xrp-updown-5m-1795542300"))
        let id = String(venue.listing[slot].id)
        let ids = try first.all("markets", "\(Self.open)&limit=100").ids
        let place = try #require(ids.firstIndex(of: id))
        // A page whose last market is about to end.
        let page = try first.page("markets", "\(Self.open)&limit=\(place + 1)", after: nil)
        #expect(page.0.ids.last == id)
        var batch = MessageBatch()
        for hour in 1...6 {
            venue.advance(to: someTime + Int64(hour) * 3_600_000, messageCountMax: .max, into: &batch)
            batch.clear()
        }
        #expect(venue.listing.slot(slug: "xrp-updown-5m-1795542300") == nil, "it is forgotten, not closed only")
        let later = GammaReader(venue)
        let rest = try later.page("markets", "\(Self.open)&limit=100", after: page.next).0.ids
        let all = try later.all("markets", "\(Self.open)&limit=100").ids
        #expect(!rest.isEmpty && rest == Array(all.filter { Int($0)! > Int(id)! }.prefix(100)))
    }

    @Test func eventsAreListedWithTotalsToo() throws {
        let all = try self.reader.all("events", "limit=100").ids
        let page = try self.reader.get("/events/pagination?limit=10&offset=5").value
        #expect(try #require(page["data"]?.array).ids == Array(all[5..<15]))
        #expect(page["pagination"]?["totalResults"]?.integer == Int64(all.count))
        #expect(page["pagination"]?["hasMore"]?.bool == true)
        let end = try self.reader.get("/events/pagination?limit=10&offset=\(all.count - 3)").value
        #expect(end["data"]?.array?.count == 3 && end["pagination"]?["hasMore"]?.bool == false)
    }

    // MARK: Filters

    private func slugs(_ query: String, _ list: String = "markets") throws -> Set<String> {
        Set(try self.reader.all(list, "limit=100&\(query)").texts("slug"))
    }

    private func expect(
        _ query: String, _ isWanted: (ListedMarket) -> Bool, at location: SourceLocation = #_sourceLocation
    ) throws {
        let listing = self.reader.listing
        let all = listing.order.map { listing[$0] }
        let wanted = Set(all.filter(isWanted).map(\.market.slug))
        #expect(try self.slugs(query) == wanted, sourceLocation: location)
        #expect(!wanted.isEmpty && wanted.count < all.count, "the filter does nothing", sourceLocation: location)
    }

    @Test func statesAreFiltered() throws {
        try self.expect("closed=true") { $0.isClosed }
        try self.expect("closed=false") { !$0.isClosed && $0.isActive }
        try self.expect("") { !$0.isClosed && $0.isActive }
        try self.expect("active=false") { !$0.isClosed && !$0.isActive }
        try self.expect("archived=true") { !$0.isClosed && $0.isArchived }
        try self.expect("archived=false") { !$0.isClosed && $0.isActive && !$0.isArchived }
        try self.expect("uma_resolution_status=proposed") { $0.resolutionStatus == "proposed" }
        // The older list knows inactive markets as well.
        let legacy = try self.reader.allByOffset("markets", "", limit: 100)
        #expect(legacy.contains { $0["active"]?.bool == false } && legacy.allSatisfy { $0["closed"]?.bool == false })
    }

    @Test func boundsAreFiltered() throws {
        let soon = CalendarDate.rfc3339(someTime / 1_000 + 7_200)
        let end = Timestamp(seconds: someTime / 1_000 + 7_200)
        let now = Timestamp(milliseconds: someTime)
        try self.expect("end_date_max=\(soon)") { !$0.isClosed && $0.isActive && $0.market.endTime <= end }
        try self.expect("end_date_min=\(CalendarDate.rfc3339(someTime / 1_000))&end_date_max=\(soon)") {
            !$0.isClosed && $0.isActive && $0.market.endTime <= end && $0.market.endTime >= now
        }
        try self.expect("volume_num_min=50000") { !$0.isClosed && $0.isActive && $0.volume >= 50_000_000_000 }
        try self.expect("liquidity_num_min=10000&liquidity_num_max=20000.5") {
            !$0.isClosed && $0.isActive && (10_000_000_000...20_000_500_000).contains($0.liquidity)
        }
        #expect(try self.slugs("volume_num_min=2&volume_num_max=1").isEmpty)
        // An event without a start time has none that is within bounds.
        let windows = try self.reader.all("events", "limit=100&start_time_max=\(soon)")
        #expect(!windows.isEmpty && windows.texts("startTime").count == windows.count)
        #expect(windows.texts("startTime").allSatisfy { $0 <= soon })
        let events = try self.reader.all("events", "limit=100&volume_min=100000")
        #expect(!events.isEmpty && events.allSatisfy { $0["volume"]!.micros! >= 100_000_000_000 })
        #expect(events.count < (try self.reader.all("events", "limit=100").count))
    }

    @Test func namesAreFiltered() throws {
        let listing = self.reader.listing
        let some = [3, 30, 200].map { listing[listing.order[$0]] }.filter { !$0.isClosed && $0.isActive }
        #expect(some.count == 3)
        let names = Set(some.map(\.market.slug))
        #expect(try self.slugs(some.map { "slug=\($0.market.slug)" }.joined(separator: "&") + "&slug=nobody") == names)
        #expect(try self.slugs(some.map { "id=\($0.id)" }.joined(separator: "&")) == names)
        #expect(try self.slugs(some.map { "condition_ids=\($0.market.condition)" }.joined(separator: "&")) == names)
        #expect(try self.slugs(some.map { "clob_token_ids=\($0.market.second.token)" }.joined(separator: "&")) == names)
        #expect(try self.slugs(some.map { "question_ids=\($0.questionID)" }.joined(separator: "&")) == names)
        #expect(try self.slugs("slug=nobody").isEmpty)
        try self.expect("version=v2") { $0.decoy == .otherProtocol }
        // What the venue does not know it passes over.
        #expect(try self.slugs("colour=red") == self.slugs(""))
    }

    @Test func tagsAndSeriesAreFiltered() throws {
        try self.expect("tag_id=1") { $0.event.tags.contains(.sports) && !$0.isClosed && $0.isActive }
        try self.expect("tag_id=235&tag_id=102127&tag_match=all") {
            Set([ListedTag.bitcoin, .upOrDown]).isSubset(of: $0.event.tags) && !$0.isClosed && $0.isActive
        }
        let windows = try self.reader.all("events", "limit=100&series_slug=eth-up-or-down-15m&order=endDate")
        #expect(windows.count == 9 && windows.texts("seriesSlug").allSatisfy { $0 == "eth-up-or-down-15m" })
        let series = try self.reader.get("/series?slug=eth-up-or-down-15m").value.array?.first
        let id = try #require(series?["id"]?.string)
        #expect(try self.reader.all("events", "limit=100&series_id=\(id)").count == 9)
        #expect(try self.reader.get("/series/\(id)").value["recurrence"]?.string == "15m")
        #expect(try self.reader.all("events", "limit=100&recurrence=hourly").count == 36)
        #expect(try !self.slugs("exclude_tag_id=21", "events").contains { $0.contains("updown") })
        #expect(try self.slugs("tag_slug=weather", "events").allSatisfy { $0.hasPrefix("highest-temperature") })
        #expect(try self.slugs("title_search=dominance", "events").allSatisfy { $0.contains("dominance") })
        #expect(try self.reader.get("/tags").value.array?.count == ListedTag.all.count)
        #expect(try self.reader.get("/tags/slug/crypto").value["id"]?.string == "21")
        #expect(try self.reader.get("/tags/21").value["slug"]?.string == "crypto")
        let tagged = try self.reader.all("markets", "limit=100&tag_id=84&include_tag=true")
        #expect(!tagged.isEmpty && tagged.allSatisfy { $0["tags"]?.array?.ids == ["84"] })
        #expect(try self.reader.all("markets", "limit=1&tag_id=84").allSatisfy { $0["tags"] == nil })
    }

    @Test func relatedTagsWidenWhatIsWanted() throws {
        let bitcoin = try self.slugs("tag_id=235", "events")
        let crypto = try self.slugs("tag_id=21", "events")
        #expect(bitcoin.isStrictSubset(of: crypto))
        #expect(try self.slugs("tag_id=235&related_tags=false", "events") == bitcoin)
        #expect(try self.slugs("tag_id=235&related_tags=true", "events") == crypto)
        #expect(try self.slugs("tag_id=84&related_tags=true", "events") == self.slugs("tag_id=84", "events"))
    }

    @Test func gamesAndTermsAreFiltered() throws {
        try self.expect("sports_market_types=moneyline") {
            $0.sportsMarketType == "moneyline" && !$0.isClosed && $0.isActive
        }
        let game = try #require(try self.reader.all("events", "limit=100&tag_id=1").first?["gameId"]?.integer)
        try self.expect("game_id=\(game)") { $0.event.gameID == Int(game) && !$0.isClosed && $0.isActive }
        #expect(try self.slugs("game_id=1").isEmpty)
        try self.expect("decimalized=true") { $0.book.tick.micros == 1_000 && !$0.isClosed && $0.isActive }
        try self.expect("decimalized=false") { $0.book.tick.micros == 10_000 && !$0.isClosed && $0.isActive }
        #expect(try self.slugs("rewards_min_size=50") == self.slugs(""))
        #expect(try self.slugs("rewards_min_size=50.01").isEmpty)
    }

    @Test func eventsAreFilteredByWhatPeopleAreShown() throws {
        let all = try self.reader.all("events", "limit=100")
        let featured = try self.reader.all("events", "limit=100&featured=true")
        #expect(!featured.isEmpty && featured.allSatisfy { $0["featured"]?.bool == true })
        #expect(featured.count + (try self.reader.all("events", "limit=100&featured=false").count) == all.count)
        #expect(try self.slugs("live=true", "events").isEmpty)
        #expect(try self.slugs("live=false", "events").count == all.count)
        let day = try #require(all.last?["eventDate"]?.string)
        let thatDay = try self.reader.all("events", "limit=100&event_date=\(day)")
        #expect(thatDay.allSatisfy { ($0["endDate"]?.string ?? "").hasPrefix(day) } && !thatDay.isEmpty)
        #expect(thatDay.count < all.count)
        #expect(try self.slugs("include_children=true", "events").count == all.count)
        let bare = try self.reader.all("events", "limit=100&include_markets=false")
        #expect(bare.ids == all.ids && bare.allSatisfy { $0["markets"] == nil })
    }

    // MARK: Mistakes

    @Test(
        arguments: [
            ("/markets/keyset?offset=0", "offset is not supported, use after_cursor"),
            ("/events/keyset?offset=20", "offset is not supported, use after_cursor"),
            ("/markets?offset=2001", "offset too large, use /markets/keyset for deeper pagination"),
            ("/events?offset=2001", "offset too large, use /events/keyset for deeper pagination"),
            ("/events/pagination?offset=99999", "offset too large, use /events/keyset for deeper pagination"),
            ("/markets?offset=-1", "offset must not be negative"), ("/markets?offset=x", "offset must be a number"),
            ("/markets/keyset?limit=many", "limit must be a number"),
            ("/markets/keyset?order=volume_num", "order fields are not valid"),
            ("/events?order=id,", "order fields are not valid"), ("/tags?order=x", "order fields are not valid"),
            ("/markets/keyset?order=id,id,id,id,id", "order fields are not valid"),
            ("/markets/keyset?after_cursor=20", "invalid cursor"),
            ("/markets/keyset?after_cursor=ka_id_", "invalid cursor"),
            ("/markets/keyset?after_cursor=ka_id_1", "invalid cursor"),
            ("/markets/keyset?after_cursor=ka_id_1.2.3", "invalid cursor"),
            ("/markets/keyset?after_cursor=ka_id_1.!", "invalid cursor"),
            ("/markets/keyset?after_cursor=ka_id_1.zzzzzzzzzzzzzzzzzzzz", "invalid cursor"),
            ("/markets/keyset?order=endDate&after_cursor=ka_id_1.1", "invalid cursor"),
            ("/markets/keyset?ascending=false&after_cursor=ka_id_1.1", "invalid cursor"),
            ("/markets?closed=maybe", "closed must be true or false"),
            ("/markets?active=1", "active must be true or false"),
            ("/markets?ascending=up", "ascending must be true or false"),
            ("/markets?end_date_min=tomorrow", "end_date_min must be a date"),
            ("/events?end_date_max=2026-13-01T00:00:00Z", "end_date_max must be a date"),
            ("/events?start_time_min=now", "start_time_min must be a date"),
            ("/markets?volume_num_min=lots", "volume_num_min must be a number"),
            ("/events?liquidity_max=1e99", "liquidity_max must be a number"),
            ("/events/keyset?tag_id=1&exclude_tag_id=1", "tag_id and exclude_tag_id overlap"),
            ("/events/keyset?recurrence=sometimes", "invalid recurrence"),
            ("/events?event_date=today", "event_date must be a date"),
            ("/events?event_date=2026-02-30", "event_date must be a date"),
            ("/events?featured=2", "featured must be true or false"), ("/events?live=x", "live must be true or false"),
            ("/events?include_children=x", "include_children must be true or false"),
            ("/markets?rewards_min_size=-1", "rewards_min_size must be a number"),
            ("/markets?related_tags=x", "related_tags must be true or false"),
            ("/markets/keyset?decimalized=x", "decimalized must be true or false"),
            ("/public-search", "required query parameter is missing"),
            ("/public-search?q=", "required query parameter is missing"),
            ("/public-search?q=\(String(repeating: "x", count: 257))", "q is too long"),
            ("/public-search?q=a&page=x", "page must be a number"),
            ("/public-search?q=a&limit_per_type=x", "limit_per_type must be a number"),
        ])
    func aMistakeIsAnsweredAsTheVenueDoes(target: String, sentence: String) throws {
        let answer = try self.reader.get(target)
        #expect(answer.status == 422)
        #expect(answer.value["type"]?.string == "validation error" && answer.value["error"]?.string == sentence)
    }

    @Test func limitsAreClamped() throws {
        for (limit, count) in [("0", 1), ("-5", 1), ("100", 100), ("101", 100), ("99999999", 100), ("", 20)] {
            #expect(try self.reader.get("/markets/keyset?limit=\(limit)").value["markets"]?.array?.count == count)
            #expect(try self.reader.get("/markets?limit=\(limit)").value.array?.count == count)
        }
    }

    @Test(arguments: [
        "/markets/1", "/markets/x", "/markets/slug/x", "/events/1", "/events/x", "/events/slug/x", "/tags/0",
        "/tags/slug/x", "/series/0", "/series/x",
    ])
    func whatIsNotThereIsNotFound(target: String) throws { #expect(try self.reader.get(target).status == 404) }
}
