import Shared
import Testing

@testable import simvenue

/// A server with three dated markets, and what a story about a fault needs.
struct FaultStory {
    let port: Int
    let listing: MarketRegister

    var tokens: [TokenID] {
        let now = Timestamp(milliseconds: WallClock.milliseconds)
        return self.listing.order.filter { self.listing[$0].isTradable(at: now) }
            .flatMap { [self.listing[$0].market.first.token, self.listing[$0].market.second.token] }
    }

    static func tell(
        rate: Int = 1_500, script: FaultScript = .empty, _ story: (FaultStory) async throws -> Void
    ) async throws {
        let first = FirstListing()
        try await withServer(script: script, first.core(3, rate: rate)) { port in
            try await story(FaultStory(port: port, listing: first.value))
        }
    }

    /// - Returns: what `/control` answers.
    @discardableResult
    func control(_ body: String, expecting status: Int = 200) throws -> JSONValue {
        let answer = try VenueClient(port: self.port).post("/control", body)
        #expect(answer.status == status, "\(body): \(String(decoding: answer.body, as: UTF8.self))")
        return try JSONValue(parsing: answer.body)
    }

    func get(_ target: String) throws -> JSONValue { try VenueClient(port: self.port).json(target) }

    /// A client that subscribed to all and has its first books, and a follower that has read them.
    func connect() throws -> (client: VenueClient, follower: Follower) {
        let client = try VenueClient(port: self.port)
        #expect(try client.upgrade() == 101)
        var follower = Follower()
        follower.meet(self.listing)
        try client.subscribe(self.tokens, features: true)
        follower.read(try client.readText())
        return (client, follower)
    }

    /// Reads on until something is wrong, or `count` texts are read.
    static func read(_ client: VenueClient, _ follower: inout Follower, untilWrongWithin count: Int) throws {
        for _ in 0..<count where follower.problems.isEmpty { follower.read(try client.readText()) }
    }

    /// Waits until a new connection is taken in, or is not: a program that another test starts at this moment may hold a
    /// copy of the listening socket until it runs.
    func waitForListener(toBeThere isThere: Bool = true) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ((try? VenueClient(port: self.port)) != nil) != isThere {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
