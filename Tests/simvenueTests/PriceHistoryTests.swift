import Shared
import Testing

@testable import simvenue

/// What the venue remembers of its prices, and how it tells.
@Suite struct PriceHistoryTests {
    private static let start = someTime
    private static let minute: Int64 = 60_000

    /// A venue with traffic and its history, each minute of it sampled.
    private struct Story {
        var venue: SimulatedVenue
        var history = PriceHistory(at: PriceHistoryTests.start)
        /// What the books showed at each whole minute, by the seconds since 1970.
        var expected: [(seconds: Int64, midpoint: Int64)] = []
        let slot: Int
        var time = PriceHistoryTests.start

        init(rate: Int = 5) throws {
            let venue = SimulatedVenue(settings(6, rate: rate), at: PriceHistoryTests.start)
            self.venue = venue
            // A dated one, which stays.
            let dated = venue.listing.order.filter {
                venue.listing[$0].kind == .dated && venue.listing[$0].isBookServed
            }
            self.slot = try #require(dated.first)
        }

        var listed: ListedMarket { self.venue.listing[self.slot] }

        mutating func goOn(minutes: Int) {
            var batch = MessageBatch()
            for _ in 0..<minutes {
                self.time = self.history.nextTime
                batch.clear()
                self.venue.advance(to: self.time, messageCountMax: .max, into: &batch)
                self.history.sample(self.venue.listing)
                self.expected.append((self.time / 1_000, self.listed.midpoint(outcome: 0)))
            }
        }

        func get(_ query: String) throws -> (status: Int, value: JSONValue) {
            try self.read(PageRequest(method: "GET", target: "/prices-history?" + query))
        }

        func post(_ body: String) throws -> (status: Int, value: JSONValue) {
            try self.read(PageRequest(method: "POST", target: "/batch-prices-history", body: Array(body.utf8)))
        }

        private func read(_ request: PageRequest?) throws -> (status: Int, value: JSONValue) {
            let request = try #require(request)
            let answer = try #require(
                HistoryPages.answer(request, self.venue.listing, self.history, time: self.time))
            return (answer.status, try JSONValue(parsing: answer.body))
        }

        /// The points of an answer, as seconds and millionths.
        func points(_ history: JSONValue?) throws -> [[Int64]] {
            try #require(history?.array).map { [try #require($0["t"]?.integer), try #require($0["p"]?.micros)] }
        }
    }

    @Test func everyMinuteIsToldAndThenHowItStandsNow() throws {
        var story = try Story()
        story.goOn(minutes: 10)
        story.time += 7_000
        let now = [story.time / 1_000, story.listed.midpoint(outcome: 0)]
        let token = story.listed.market.first.token
        let all = try story.points(try story.get("market=\(token)&interval=max").value["history"])
        #expect(all == story.expected.map { [$0.seconds, $0.midpoint] } + [now])
        #expect(Set(all.map { $0[1] }).count > 3, "it moved")
        let other = story.listed.market.second.token
        let mirrored = try story.points(try story.get("market=\(other)&interval=all").value["history"])
        #expect(mirrored == all.map { [$0[0], 1_000_000 - $0[1]] })
    }

    @Test func aWindowAndAFidelityChooseAmongThem() throws {
        var story = try Story()
        story.goOn(minutes: 90)
        let token = story.listed.market.first.token
        let last = story.time / 1_000
        func seconds(_ query: String) throws -> [Int64] {
            try story.points(try story.get("market=\(token)&\(query)").value["history"]).map { $0[0] }
        }
        let all = story.expected.map(\.seconds)
        // The last point is the one of now, whatever is asked for.
        #expect(try seconds("interval=1h") == all.filter { $0 >= last - 3_600 } + [last])
        #expect(try seconds("interval=6h&fidelity=10") == all.filter { $0.isMultiple(of: 600) } + [last])
        #expect(try seconds("startTs=\(all[3])&endTs=\(all[5])") == Array(all[3...5]) + [last])
        #expect(try seconds("startTs=\(all[80])") == Array(all[80...]) + [last])
        #expect(try seconds("startTs=\(all[80])&interval=1h") == Array(all[80...]) + [last], "timestamps win")
        #expect(try seconds("interval=1m&fidelity=10") == all.filter { $0.isMultiple(of: 600) } + [last])
        #expect(try seconds("startTs=0&endTs=60") == [last])
    }

    @Test func manyAreToldAtOnce() throws {
        var story = try Story()
        story.goOn(minutes: 5)
        let (first, second) = (story.listed.market.first.token, story.listed.market.second.token)
        let answer = try story.post(
            #"{"markets":["\#(second)","12","\#(first)","\#(first)"],"start_ts":\#(story.expected[2].seconds),"fidelity":1}"#
        )
        let history = try #require(answer.value["history"]?.object)
        #expect(history.keys.sorted() == ["12", first.description, second.description].sorted())
        #expect(history["12"] == .array([]))
        let one = try story.get("market=\(first)&startTs=\(story.expected[2].seconds)").value["history"]
        #expect(history[first.description] == one && one?.array?.count == 4)
    }

    @Test(arguments: [
        ("market=x&interval=max", "invalid filters: 'market' must be a token id"),
        ("interval=max", "invalid filters: 'market' must be a token id"),
        ("market=12", "invalid filters: 'interval' or 'startTs' is required"),
        ("market=12&interval=2h", "invalid filters: 'interval' must be one of max, all, 1m, 1w, 1d, 6h, 1h"),
        ("market=12&interval=1m", "invalid filters: minimum 'fidelity' for '1m' range is 10"),
        ("market=12&interval=1m&fidelity=9", "invalid filters: minimum 'fidelity' for '1m' range is 10"),
        ("market=12&interval=1w&fidelity=4", "invalid filters: minimum 'fidelity' for '1w' range is 5"),
        ("market=12&startTs=5&interval=1w", "invalid filters: minimum 'fidelity' for '1w' range is 5"),
        ("market=12&interval=1h&fidelity=0", "invalid filters: 'fidelity' must be at least 1"),
        ("market=12&interval=1h&fidelity=-1", "invalid filters: 'fidelity' must be a whole number"),
        ("market=12&interval=1h&fidelity=99999999999", "invalid filters: 'fidelity' must be at least 1"),
        ("market=12&endTs=5", "invalid filters: 'endTs' needs 'startTs'"),
        ("market=12&startTs=7&endTs=5", "invalid filters: 'startTs' must not be after 'endTs'"),
        ("market=12&startTs=0", "invalid filters: 'startTs' and 'endTs' interval is too long"),
        ("market=12&startTs=0&endTs=9223372036854775807", "invalid filters: 'endTs' must be a whole number"),
        ("market=12&startTs=soon", "invalid filters: 'startTs' must be a whole number"),
        ("market=12&startTs=", "invalid filters: 'startTs' must be a whole number"),
    ])
    func mistakesAreRefused(query: String, sentence: String) throws {
        let answer = try Story(rate: 0).get(query)
        #expect(answer.status == 400 && answer.value["error"]?.string == sentence)
    }

    @Test func aBatchThatIsNoneIsRefused() throws {
        let story = try Story(rate: 0)
        for body in ["", "{", "[]", "{}", #"{"markets":[]}"#, #"{"markets":"12"}"#] {
            #expect(try story.post(body).value["error"]?.string == "Invalid payload")
        }
        func named(_ count: Int) -> String {
            let names = (0..<count).map { "\"\($0 + 1)\"" }.joined(separator: ",")
            return #"{"markets":[\#(names)],"interval":"1h"}"#
        }
        #expect(try story.post(named(20)).value["history"]?.object?.count == 20)
        #expect(try story.post(named(21)).value["error"]?.string == "Payload exceeds the limit")
        #expect(try story.post(#"{"markets":[12],"interval":"1h"}"#).status == 400)
        #expect(try story.post(#"{"markets":["12"],"interval":true}"#).status == 400)
        #expect(try story.post(#"{"markets":["12"],"interval":"1h","fidelity":1.5}"#).status == 400)
    }

    @Test func aDayIsKeptAndNothingOfMarketsThatAreGone() throws {
        var listing = SimulatedVenue(settings(3, rate: 0), at: Self.start).listing
        var history = PriceHistory(at: Self.start)
        let market = listing[listing.order[0]].market
        let gone = listing[listing.order[1]].market.condition
        for _ in 0..<PriceHistory.pointCountMax + 10 { history.sample(listing) }
        let points = history.points(of: market.condition)
        #expect(points.count == PriceHistory.pointCountMax)
        let isInOrder = zip(points, points.dropFirst()).allSatisfy { $0.minute + 1 == $1.minute }
        #expect(isInOrder)
        #expect(Int64(points[0].minute) * Self.minute == Self.start + 11 * Self.minute)
        #expect(history.points(of: gone).count == points.count)
        listing.remove(slot: listing.order[1])
        history.sample(listing)
        #expect(history.points(of: gone).count == 0)
    }

    @Test func minutesInWhichNothingRanHaveNoPoints() {
        var history = PriceHistory(at: Self.start)
        #expect(history.nextTime == Self.start + Self.minute)
        history.skip(to: Self.start + 10)
        #expect(history.nextTime == Self.start + Self.minute)
        history.skip(to: Self.start + 5 * Self.minute)
        #expect(history.nextTime == Self.start + 5 * Self.minute)
        history.skip(to: Self.start + 5 * Self.minute + 1)
        #expect(history.nextTime == Self.start + 6 * Self.minute)
    }

    /// Through the socket, with what the service keeps itself.
    @Test func theServiceTellsIt() async throws {
        try await withServer({ SimulatedVenue(settings(3, rate: 0), at: $0) }) { port in
            let client = try VenueClient(port: port)
            let token = try client.json("/truth")["markets"]?.array?.first?["tokens"]?.array?.first?.string ?? ""
            let history = try client.json("/prices-history?market=\(token)&interval=1h")["history"]?.array
            #expect(history?.last?["p"]?.micros == (try client.json("/midpoint?token_id=\(token)")["mid"]?.micros))
        }
    }
}
