import Shared
import Testing

@testable import simvenue

struct ServerTests {
    private func tokens(_ port: Int) throws -> [TokenID] {
        let markets = try VenueClient(port: port).json("/truth")["markets"]?.array ?? []
        return markets.flatMap { $0["tokens"]?.array ?? [] }.compactMap { $0.string.flatMap { TokenID($0) } }
    }

    private func control(_ port: Int, _ body: String) throws -> Int {
        try VenueClient(port: port).post("/control", body).status
    }

    private static func simulated(_ count: Int, rate: Int) -> @Sendable (Int64) -> any VenueCore {
        { SimulatedVenue(settings(count, rate: rate), at: $0) }
    }

    @Test func aSubscriberRebuildsEveryBookFromTheWire() async throws {
        let first = FirstListing()
        try await withServer(first.core(10, rate: 2_000)) { port in
            let tokens = try self.tokens(port)
            let client = try VenueClient(port: port)
            #expect(try client.upgrade() == 101)
            var follower = Follower()
            follower.meet(first.value)
            try client.subscribe(tokens, features: true)
            let dump = try client.readText()
            #expect(dump.first == UInt8(ascii: "["))
            follower.read(dump)
            #expect(follower.kinds == [.book: 20])
            while follower.checkedCount < 2_000 { follower.read(try client.readText()) }
            #expect(follower.problems.prefix(3) == [])
            #expect(follower.kinds[.bestBidAsk, default: 0] > 0)
        }
    }

    @Test func oneConnectionServesManyRequests() async throws {
        try await withServer(Self.simulated(3, rate: 0)) { port in
            let client = try VenueClient(port: port)
            #expect(try client.get("/ok").body == Array("\"OK\"".utf8))
            #expect(try client.get("/version").status == 200)
            #expect(try client.get("/nowhere").status == 404)
            #expect(try client.post("/books", "[]").body == Array("[]".utf8))
            try client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\nGET /time HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.readResponse().status == 200)
            #expect(try client.readResponse().body.count == 10)
        }
    }

    @Test func whatIsNoRequestIsRefusedAndHarmsNobody() async throws {
        try await withServer(Self.simulated(3, rate: 0)) { port in
            let other = try VenueClient(port: port)
            #expect(try other.get("/ok").status == 200)
            for nonsense in [
                "nonsense\r\n\r\n", "GET /ok HTTP/9.9\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
                "POST /books HTTP/1.1\r\nHost: a\r\nContent-Length: minus\r\n\r\n",
                "GET /ok HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 40_000) + "\r\n\r\n",
            ] {
                let client = try VenueClient(port: port)
                try client.send(nonsense)
                #expect((400...431).contains(try client.readResponse().status), "\(nonsense.prefix(40))")
            }
            let client = try VenueClient(port: port)
            let body = String(repeating: " ", count: RequestHandler.bodyByteCountMax + 1)
            #expect(try client.post("/books", body).status == 413)
            #expect(client.isClosedByServer())
            #expect(try other.get("/ok").status == 200)
        }
    }

    @Test func theChannelAnswersTextsAsTheVenueDoes() async throws {
        try await withServer(Self.simulated(3, rate: 0)) { port in
            let tokens = try self.tokens(port)
            let client = try VenueClient(port: port)
            #expect(try client.upgrade() == 101)
            func answer(_ text: String) throws -> String {
                try client.sendText(text)
                return String(decoding: try client.readText(), as: UTF8.self)
            }
            #expect(try answer("PING") == "PONG")
            for text in [
                "hello", "{}", "[1]", #"{"type":"user","assets_ids":[]}"#, #"{"operation":"dance","assets_ids":["1"]}"#,
            ] {
                #expect(try answer(text) == "INVALID OPERATION")
            }
            #expect(try answer(#"{"type":"market","assets_ids":["12","what"]}"#) == "[]")
            let dump = try answer(#"{"type":"market","assets_ids":["\#(tokens[1])"]}"#)
            let books = try JSONValue(parsing: Array(dump.utf8)).array
            #expect(books?.map { $0["asset_id"]?.string } == [tokens[1].description])
            #expect(books?.first?["tick_size"]?.string != nil && books?.first?["last_trade_price"]?.string == "")
            // A duplicate brings no second book.
            #expect(try answer(#"{"operation":"subscribe","assets_ids":["\#(tokens[1])"]}"#) == "[]")
        }
    }

    @Test func onlyWhatWasSubscribedComes() async throws {
        try await withServer(Self.simulated(6, rate: 2_000)) { port in
            let tokens = try self.tokens(port)
            let client = try VenueClient(port: port)
            #expect(try client.upgrade() == 101)
            try client.subscribe([tokens[0], tokens[4]])
            var seen: Set<TokenID> = []
            var reader = MarketChannelReader()
            func read() throws {
                let text = try client.readText()
                _ = try text.withUnsafeBufferPointer { buffer in
                    try reader.read(buffer) { event in
                        #expect(event.kind != .bestBidAsk)
                        if event.kind == .book, let token = event.token { seen.insert(token) }
                        for change in event.changes { seen.insert(change.token) }
                    }
                }
            }
            for _ in 0..<300 { try read() }
            #expect(seen.isSubset(of: [tokens[0], tokens[1], tokens[4], tokens[5]]))
            try client.subscribe([tokens[4]], operation: "unsubscribe")
            try client.sendText("PING")
            while try client.readText() != Array("PONG".utf8) {}
            seen = []
            for _ in 0..<100 { try read() }
            #expect(seen == [tokens[0], tokens[1]])
        }
    }

    @Test func aboveFiveHundredIdsNoFirstBooksCome() async throws {
        try await withServer(Self.simulated(300, rate: 0)) { port in
            let tokens = try self.tokens(port)
            let client = try VenueClient(port: port)
            #expect(try client.upgrade() == 101)
            try client.subscribe(tokens)
            try client.sendText("PING")
            var bookCount = 0
            while true {
                let text = try client.readText()
                if text == Array("PONG".utf8) { break }
                bookCount += try JSONValue(parsing: text).array?.count ?? 0
            }
            #expect(tokens.count == 600 && bookCount == VenueService.snapshotCountMax)
        }
    }

    @Test func whoDoesNotReadIsCutOffAndOthersNoticeNothing() async throws {
        try await withServer(pendingByteCountMax: 4 << 20, Self.simulated(3, rate: 5_000)) { port in
            let tokens = try self.tokens(port)
            let sleeper = try VenueClient(port: port, receiveBufferByteCount: 4_096)
            let reader = try VenueClient(port: port)
            for client in [sleeper, reader] {
                #expect(try client.upgrade() == 101)
                try client.subscribe(tokens)
            }
            // Far more than the sockets and the server hold for the sleeper. Its wait is long, as its kernel, asked in vain
            // whether there is room, asks ever more rarely.
            for _ in 0..<24_000 { _ = try reader.readText() }
            #expect(sleeper.isClosedByServer())
            _ = try reader.readText()
        }
    }

    @Test func faultsComeOnDemand() async throws {
        try await withServer(Self.simulated(3, rate: 500)) { port in
            let tokens = try self.tokens(port)
            func connect() throws -> VenueClient {
                let client = try VenueClient(port: port)
                #expect(try client.upgrade() == 101)
                try client.subscribe(tokens)
                _ = try client.readText()
                return client
            }
            let dropped = try connect()
            #expect(try self.control(port, #"{"do":"drop"}"#) == 200)
            #expect(dropped.isClosedByServer())

            #expect(try self.control(port, #"{"do":"refuse_ws","seconds":60}"#) == 200)
            #expect(try VenueClient(port: port).upgrade() == 503)
            #expect(try self.control(port, #"{"do":"refuse_ws","seconds":0}"#) == 200)

            let client = try connect()
            #expect(try self.control(port, #"{"do":"pause_traffic"}"#) == 200)
            try client.sendText("PING")
            while try client.readText() != Array("PONG".utf8) {}
            #expect(try self.control(port, #"{"do":"resume"}"#) == 200)
            while !(try client.readText()).starts(with: Array("{\"event_type\":\"price_change\"".utf8)) {}

            #expect(try self.control(port, #"{"do":"silence","seconds":60}"#) == 200)
            let silent = try VenueClient(port: port)
            #expect(try silent.upgrade() == 101)
            silent.wait(atMost: 200)
            try silent.sendText("PING")
            #expect(throws: VenueClient.Failure.self) { try silent.readText() }
            silent.wait(atMost: 60_000)
            #expect(try self.control(port, #"{"do":"silence","seconds":0}"#) == 200)
            try silent.sendText("PING")
            #expect(try silent.readText() == Array("PONG".utf8))

            for refused in [
                "", "{}", #"{"do":"dance"}"#, #"{"do":"silence","seconds":-1}"#, #"{"do":"drop","seconds":"x"}"#,
            ] {
                #expect(try self.control(port, refused) == 400)
            }
        }
    }

    @Test func theTruthIsWhatASubscriberEndsWith() async throws {
        let first = FirstListing()
        try await withServer(first.core(3, rate: 2_000)) { port in
            let tokens = try self.tokens(port)
            let client = try VenueClient(port: port)
            #expect(try client.upgrade() == 101)
            let listing = first.value
            var follower = Follower()
            follower.meet(listing)
            try client.subscribe(tokens)
            for _ in 0..<500 { follower.read(try client.readText()) }
            #expect(try self.control(port, #"{"do":"pause_traffic"}"#) == 200)
            try client.sendText("PING")
            while true {
                let text = try client.readText()
                if text == Array("PONG".utf8) { break }
                follower.read(text)
            }
            for slot in listing.order
            where listing[slot].isTradable(at: Timestamp(milliseconds: WallClock.milliseconds)) {
                let market = listing[slot].market
                let truth = try VenueClient(port: port).json("/truth?token_id=\(market.first.token)")
                let bids = truth["bids"]?.array?.compactMap { $0["price"]?.micros } ?? []
                let followed = try #require(follower.book(of: market.condition))
                #expect(bids == followed.levels(.bid).reversed().map { Int64($0.price.micros) })
            }
        }
    }
}
