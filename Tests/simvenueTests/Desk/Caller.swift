import Shared
import Signing
import Testing

@testable import simvenue

/// A trader at the other end of a connection.
struct Caller {
    let story: FaultStory
    private(set) var trader: Trader

    init(_ story: FaultStory, _ number: Int = 1) throws {
        self.story = story
        self.trader = Trader(number)
        let reply = try self.send("POST", "/auth/api-key", self.trader.claim(at: Self.now))
        self.trader.apiKey = reply["apiKey"]?.string ?? ""
        self.trader.secret = reply["secret"]?.string ?? ""
        self.trader.passphrase = reply["passphrase"]?.string ?? ""
    }

    /// The credentials as a channel is given them.
    var credentials: String {
        let trader = self.trader
        return
            "{\"apiKey\":\"\(trader.apiKey)\",\"secret\":\"\(trader.secret)\",\"passphrase\":\"\(trader.passphrase)\"}"
    }

    private static var now: Timestamp { Timestamp(milliseconds: WallClock.milliseconds) }

    func send(_ method: String, _ target: String, _ body: String = "") throws -> DeskReply {
        let path = String(target.prefix { $0 != "?" })
        return try self.send(method, target, self.trader.mark(method, path, body, at: Self.now), body)
    }

    private func send(
        _ method: String, _ target: String, _ headers: [(name: String, value: String)], _ body: String = ""
    ) throws -> DeskReply {
        let client = try VenueClient(port: self.story.port)
        let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        try client.send(
            "\(method) \(target) HTTP/1.1\r\nHost: venue\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        let response = try client.readResponse()
        var found: [String: String] = [:]
        for line in client.head.split(separator: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            found[String(line[..<colon]).lowercased()] = String(line[line.index(colon, offsetBy: 2)...])
        }
        let json = (try? JSONValue(parsing: response.body)) ?? .null
        return DeskReply(status: response.status, json: json, headers: found, retryAfter: nil)
    }

    /// A bid of a hundred shares at the lowest price of a market.
    func bid() throws -> DeskOrder {
        let place = try #require(self.story.listing.place(of: self.story.tokens[0]))
        let market = self.story.listing[place.slot].market
        let message = OrderMessage(
            salt: UInt64(WallClock.milliseconds), maker: self.trader.address, signer: self.trader.address,
            token: market.token(place.outcome), makerAmount: UInt64(100 * market.tick.micros),
            takerAmount: 100_000_000, side: .buy, signatureType: .eoa,
            timestamp: UInt64(WallClock.milliseconds))
        let domain = ExchangeContract(market).domain(on: .polygon)
        let (hash, signature) = message.sign(with: self.trader.key, in: domain)
        return DeskOrder(
            message: message, hash: hash.description, signature: signature.description,
            owner: self.trader.apiKey, kind: "GTC", expiration: 0, postOnly: true)
    }
}
