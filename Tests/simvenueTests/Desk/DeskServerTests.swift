import NIOCore
import NIOPosix
import Shared
import Signing
import Testing

@testable import simvenue

/// The desk behind a socket, with the made-up traffic's engine.
@Suite(.serialized) struct DeskServerTests {
    @Test func everybodySeesWhatATraderDoes() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let caller = try Caller(story)
            var (client, follower) = try story.connect()
            let order = try caller.bid()
            let reply = try caller.send("POST", "/order", order.body)
            #expect(reply.status == 200 && reply.orderID == order.hash, "\(reply.json)")
            #expect(reply.headers["poly-ratelimit-tier"] == "Standard")
            let text = try client.readText()
            follower.read(text)
            #expect(String(decoding: text, as: UTF8.self).contains("price_change"))
            #expect(follower.problems.isEmpty)
            let truth = try story.get("/truth/account?address=\(caller.trader.address)")
            #expect(truth["orders"]?.array?.first?["hash"]?.string == order.hash)
            #expect(try caller.send("DELETE", "/cancel-all").canceled == [order.hash])
            follower.read(try client.readText())
            #expect(follower.problems.isEmpty)
            let audit = try story.get("/audit")["desk"]
            #expect(audit?["orders"]?.array?.first?["status"]?.string == "CANCELED")
            _ = client
        }
    }

    @Test func aLostAnswersOrderIsThereAndFoundByItsHash() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let caller = try Caller(story)
            let order = try caller.bid()
            try story.control(#"{"do":"http_lost","path":"/order"}"#)
            #expect(throws: VenueClient.Failure.self) { try caller.send("POST", "/order", order.body) }
            let found = try caller.send("GET", "/data/order/\(order.hash)")
            #expect(found.status == 200 && found["status"]?.string == "ORDER_STATUS_LIVE")
            let again = try caller.send("POST", "/order", order.body)
            #expect(again.status == 400 && again.error?.contains("Duplicated") == true)
            let one = try caller.send("GET", "/data/orders")
            #expect(one["count"]?.integer == 1)
            // Refused without any work, by a fault: nothing is there.
            let other = try caller.bid()
            try story.control(#"{"do":"http_status","status":500,"path":"/order"}"#)
            #expect(try caller.send("POST", "/order", other.body).status == 500)
            #expect(try caller.send("GET", "/data/order/\(other.hash)").status == 404)
        }
    }

    @Test func faultsOfTheDeskAreAskedForAtControlAndHealed() async throws {
        try await FaultStory.tell(rate: 0) { story in
            let caller = try Caller(story)
            try story.control(#"{"do":"engine_restart","seconds":3600}"#)
            #expect(try caller.send("POST", "/order", try caller.bid().body).status == 425)
            try story.control(#"{"do":"heal"}"#)
            #expect(try caller.send("POST", "/order", try caller.bid().body).status == 200)
            try story.control(#"{"do":"balance_gone","address":"\#(caller.trader.address)"}"#)
            #expect(try caller.send("GET", "/data/orders")["count"]?.integer == 0)
            try story.control(#"{"do":"balance_gone","address":"\#(Trader(2).address)"}"#, expecting: 409)
            try story.control(#"{"do":"clock_skew","ms":600000}"#)
            #expect(try caller.send("GET", "/data/orders").status == 401)
        }
    }

    @Test func aRecordingHasNoDesk() async throws {
        let book =
            #"{"event_type":"book","market":"0x"# + String(repeating: "1", count: 64)
            + #"","asset_id":"12","timestamp":"1","hash":""# + String(repeating: "0", count: 40)
            + #"","bids":[],"asks":[]}"#
        let recording = try Recording(parsing: Array(book.utf8))
        try await withServer({ ReplayVenue(recording, speed: 1, at: $0) }) { port in
            let answer = try VenueClient(port: port).post("/order", "{}")
            #expect(answer.status == 503)
            #expect(try VenueClient(port: port).post("/control", #"{"do":"cancel_only"}"#).status == 409)
        }
    }

    @Test func whoComesFirstAfterAStopOfTheProcessDoesNotBringItsTrafficBack() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let changedCount = try await loop.submit {
            // A minute is missing, in which all three books would have changed.
            let core = FirstListing().core(3, rate: 10)(WallClock.milliseconds - 60_000)
            let service = VenueService(
                core, desk: Desk(Desk.Settings()), on: loop, pendingByteCountMax: 1 << 20, script: .empty)
            func times() -> [Int64] {
                service.core.listing.order.map { service.core.listing[$0] }.filter { $0.kind == .dated }.map(\.bookTime)
            }
            let before = times()
            let answer = service.control(Array(#"{"do":"cancel_only"}"#.utf8), at: service.time)
            return answer.status == 200 ? zip(before, times()).count { $0 != $1 } : -1
        }.get()
        try await group.shutdownGracefully()
        #expect((0...1).contains(changedCount), "\(changedCount) books changed")
    }
}
