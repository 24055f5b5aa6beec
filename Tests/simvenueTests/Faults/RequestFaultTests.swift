import Shared
import Testing

@testable import simvenue

/// What each fault of the pages does, and what `/audit` remembers.
@Suite(.serialized) struct RequestFaultTests {
    @Test func aStatusComesSoOftenOnItsPathAlone() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let token = story.tokens[0]
            try story.control(#"{"do":"http_status","status":429,"retry_after":3,"path":"/book","count":2}"#)
            let client = try VenueClient(port: story.port)
            #expect(try client.post("/books", "[]").status == 200)
            for _ in 0..<2 {
                #expect(try client.get("/book?token_id=\(token)").status == 429)
                #expect(
                    client.head.lowercased().contains("\r\nretry-after: 3\r\n")
                        || client.head.lowercased().hasSuffix("retry-after: 3"))
            }
            #expect(try client.get("/book?token_id=\(token)").status == 200)
            #expect(!client.head.lowercased().contains("retry-after"))
        }
    }

    @Test func aSlowAnswerIsLateAndWhole() async throws {
        try await FaultStory.tell(rate: 0) { story in
            try story.control(#"{"do":"http_slow","ms":300,"path":"/ok"}"#)
            let start = ContinuousClock.now
            let client = try VenueClient(port: story.port)
            // The next request waits behind it and is answered all the same.
            try client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\nGET /time HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.readResponse().body == Array("\"OK\"".utf8))
            #expect(ContinuousClock.now - start >= .milliseconds(300))
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test func whoGoesBeforeASlowAnswerHarmsNobody() async throws {
        try await FaultStory.tell(rate: 0) { story in
            try story.control(#"{"do":"http_slow","ms":100,"path":"/ok"}"#)
            do {
                let client = try VenueClient(port: story.port)
                try client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
            }
            try story.control(#"{"do":"http_slow","ms":300,"path":"/ok"}"#)
            #expect(try story.get("/ok").string == "OK")
        }
    }

    @Test func anAnswerMayBeLostAfterItsWork() async throws {
        try await FaultStory.tell(rate: 0) { story in
            try story.control(#"{"do":"http_lost","path":"/book"}"#)
            let client = try VenueClient(port: story.port)
            #expect(throws: VenueClient.Failure.self) { try client.get("/book?token_id=\(story.tokens[0])") }
            let requests = try story.get("/audit")["requests"]?.array ?? []
            let lost = requests.first { $0["request"]?.string == "GET /book" }
            #expect(lost?["count"]?.integer == 1 && lost?["status"] == nil)
        }
    }

    @Test func aStaleBookLooksRightAndIsNot() async throws {
        try await FaultStory.tell(rate: 2_000) { story in
            let target = "token_id=\(story.tokens[0])"
            try story.control(#"{"do":"stale_book","seconds":60}"#)
            let placeholder = try story.get("/book?\(target)")
            #expect(placeholder["bids"]?.array?.map { $0["price"]?.string } == ["0.01"])
            #expect(placeholder["asks"]?.array?.map { $0["price"]?.string } == ["0.99"])
            #expect(try story.get("/truth?\(target)")["bids"]?.array?.count ?? 0 > 1)
            #expect(try story.get("/midpoint?\(target)")["mid"]?.string == "0.5")
            try story.control(#"{"do":"stale_book","seconds":60,"kind":"old"}"#)
            let old = try story.get("/book?\(target)")
            let (client, _) = try story.connect()
            while try story.get("/truth?\(target)")["hash"] == old["hash"] { _ = try client.readText() }
            #expect(try story.get("/book?\(target)") == old)
            try story.control(#"{"do":"stale_book","seconds":0}"#)
            #expect(try story.get("/book?\(target)")["hash"] != old["hash"])
        }
    }

    // MARK: Audit

    @Test func theAuditTellsWhatWasAskedAndDone() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let (client, _) = try story.connect()
            try client.sendText("PING")
            _ = try client.readText()
            try client.sendText("what")
            _ = try client.readText()
            _ = try story.get("/markets/slug/a")
            _ = try story.get("/markets/slug/b")
            try story.control(#"{"do":"dance"}"#, expecting: 400)
            try story.control(#"{"do":"silence","seconds":0}"#)
            try story.control(#"{"do":"resolve","market":"nobody"}"#, expecting: 409)
            let audit = try story.get("/audit")
            let channel = audit["channel"]
            #expect(channel?["connections"]?.integer == 1 && channel?["ids"]?.integer == 6)
            #expect(channel?["subscribes"]?.integer == 1 && channel?["pings"]?.integer == 1)
            #expect(channel?["invalid"]?.integer == 1 && channel?["opened"]?.integer == 1)
            let slugs = audit["requests"]?.array?.first { $0["request"]?.string == "GET /markets/slug/…" }
            #expect(slugs?["status"]?.integer == 404 && slugs?["count"]?.integer == 2)
            let faults = audit["faults"]?["latest"]?.array ?? []
            #expect(audit["faults"]?["count"]?.integer == 2)
            #expect(faults.map { $0["fault"]?["do"]?.string } == ["silence", "resolve"])
            #expect(faults.map { $0["problem"]?.string } == [nil, "no market here goes by 'nobody'"])
            #expect(faults.map { $0["from"]?.string } == ["control", "control"])
        }
    }

    @Test func theAuditIsBounded() throws {
        var audit = Audit()
        for index in 0..<2 * Audit.routeCountMax {
            audit.note(try #require(PageRequest(method: "GET", target: "/\(index)")), status: 404)
        }
        let order = try FaultOrder(parsing: Array(#"{"do":"reset"}"#.utf8))
        for time in 0..<Audit.faultCountMax + 5 { audit.note(order, from: .script, at: Int64(time), problem: nil) }
        let value = try JSONValue(
            parsing: audit.answer(
                at: 1, connectionCount: 0, idCount: 0, pricesCount: 0, userCount: 0, desk: Desk(.init())
            ).body)
        #expect(value["requests"]?.array?.count == Audit.routeCountMax + 1)
        #expect(value["faults"]?["count"]?.integer == Int64(Audit.faultCountMax + 5))
        #expect(value["faults"]?["latest"]?.array?.count == Audit.faultCountMax)
        #expect(value["faults"]?["latest"]?.array?.first?["time"]?.integer == 5)
    }
}
