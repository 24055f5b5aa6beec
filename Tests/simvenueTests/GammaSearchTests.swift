import Shared
import Testing

@testable import simvenue

/// Gamma's search by words.
@Suite struct GammaSearchTests {
    private static let venue = fullVenue()
    private let reader = GammaReader(Self.venue)

    private func search(_ query: String) throws -> JSONValue {
        let answer = try self.reader.get("/public-search?" + query)
        try #require(answer.status == 200)
        return answer.value
    }

    private func slugs(_ query: String) throws -> [String] {
        try #require(try self.search(query + "&limit_per_type=50")["events"]?.array).texts("slug")
    }

    @Test func allWordsMustBeFoundAndTheirCaseDoesNotMatter() throws {
        let found = try self.slugs("q=TEMPERATURE+london")
        #expect(!found.isEmpty && found.allSatisfy { $0.hasPrefix("highest-temperature-in-london") })
        #expect(try self.slugs("q=london%20%20temperature") == found)
        #expect(try self.slugs("q=london+bitcoin").isEmpty)
        #expect(try self.slugs("q=nobody-knows-this").isEmpty)
        // A word of one market's question, another of its event's title.
        #expect(try self.slugs("q=nominee+alvarez").allSatisfy { $0.hasPrefix("presidential-nominee") })
        #expect(try !self.slugs("q=nominee+alvarez").isEmpty)
        #expect(try self.slugs("q=alvarez+brandt").isEmpty, "no one question has both")
    }

    @Test func itAnswersInTheVenuesForm() throws {
        let answer = try self.search("q=bitcoin")
        #expect(try #require(answer.object).keys.sorted() == ["events", "pagination", "profiles", "tags"])
        #expect(answer["events"]?.array?.count == 5)
        #expect(answer["events"]?.array?.allSatisfy { $0["markets"]?.array?.isEmpty == false } == true)
        #expect(answer["tags"]?.array?.texts("slug") == ["bitcoin"])
        #expect(try self.search("q=bitcoin&search_tags=false")["tags"]?.array?.isEmpty == true)
        #expect(answer["profiles"]?.array?.isEmpty == true)
        #expect(answer["pagination"]?["hasMore"]?.bool == true)
    }

    @Test func pagesShowEveryEventOnce() throws {
        let total = try #require(try self.search("q=bitcoin")["pagination"]?["totalResults"]?.integer)
        var ids: [String] = []
        for page in 1...100 {
            let answer = try self.search("q=bitcoin&limit_per_type=3&page=\(page)")
            ids += try #require(answer["events"]?.array).ids
            if answer["pagination"]?["hasMore"]?.bool == false { break }
        }
        #expect(ids.count == Int(total) && Set(ids).count == ids.count && ids.count > 6)
        let beyond = try self.search("q=bitcoin&page=999999999")
        #expect(beyond["events"]?.array?.isEmpty == true && beyond["pagination"]?["hasMore"]?.bool == false)
        #expect(try self.search("q=bitcoin&limit_per_type=-1&page=-1")["events"]?.array?.count == 1)
    }

    /// Slugs are the way to short-lived windows.
    @Test func shortWindowsAreNotFound() throws {
        let found = try self.slugs("q=up+or+down")
        #expect(!found.isEmpty && !found.contains { $0.contains("-updown-5m-") || $0.contains("-updown-15m-") })
        #expect(try self.slugs("q=btc-updown-5m-1795542300").isEmpty)
        #expect(try self.reader.get("/events/slug/btc-updown-5m-1795542300").status == 200)
    }

    @Test func filtersAndOrderAreObeyed() throws {
        let all = try #require(try self.search("q=a&limit_per_type=50")["pagination"]?["totalResults"]?.integer)
        let active = try #require(try self.search("q=a&events_status=active")["pagination"]?["totalResults"]?.integer)
        let resolved = try #require(
            try self.search("q=a&events_status=resolved")["pagination"]?["totalResults"]?.integer)
        #expect(active > 0 && resolved > 0 && active + resolved == all)
        let weather = try #require(try self.search("q=a&events_tag=weather&limit_per_type=50")["events"]?.array)
        #expect(weather.allSatisfy { $0["tags"]?.array?.texts("slug") == ["weather"] } && !weather.isEmpty)
        #expect(try !self.slugs("q=a&exclude_tag_id=84").contains { $0.hasPrefix("highest-temperature") })
        let hourly = try #require(try self.search("q=up&recurrence=hourly&limit_per_type=50")["events"]?.array)
        #expect(!hourly.isEmpty && hourly.allSatisfy { $0["series"]?.array?.first?["recurrence"]?.string == "hourly" })
        for sort in ["volume", "volume24hr", "volume_24hr"] {
            let key = sort == "volume" ? "volume" : "volume24hr"
            let events = try #require(try self.search("q=a&sort=\(sort)&limit_per_type=50")["events"]?.array)
            let values = events.compactMap { $0[key]?.micros }
            #expect(values == values.sorted(by: >) && Set(values).count > 5)
            let upwards = try self.search("q=a&sort=\(sort)&ascending=true")["events"]?.array?.first?[key]?.micros
            #expect(try #require(upwards) <= (values.last ?? 0))
        }
        #expect(try self.slugs("q=a&sort=beauty") == self.slugs("q=a"))
    }
}
