import Shared
import Signing
import Testing

@testable import simvenue

/// API keys and who may use them. Source: reference, 2.2, 4.1 and 4.2.
struct DeskKeyTests {
    @Test func theOwnerOfAnAddressGetsOneKeyForEachNonce() {
        var story = DeskStory()
        let trader = Trader(1)
        let first = story.send("POST", "/auth/api-key", trader.claim(at: story.time))
        #expect(first.status == 200 && first["apiKey"]?.string?.utf8.count == 36)
        #expect(first["secret"]?.string?.utf8.count == 44 && first["passphrase"]?.string?.utf8.count == 64)
        let again = story.send("POST", "/auth/api-key", trader.claim(at: story.time))
        #expect(again.status == 400 && again.error == "Could not create api key")
        let derived = story.send("GET", "/auth/derive-api-key", trader.claim(at: story.time))
        #expect(derived.status == 200 && derived.json == first.json)
        let unknown = story.send("GET", "/auth/derive-api-key", trader.claim(at: story.time, nonce: 1))
        #expect(unknown.status == 400)
        let second = story.send("POST", "/auth/api-key", trader.claim(at: story.time, nonce: 1))
        #expect(second.status == 200 && second["apiKey"] != first["apiKey"])
    }

    @Test func theSameSeedGivesTheSameKeys() {
        func key(_ seed: UInt64, _ number: Int) -> JSONValue {
            var settings = Desk.Settings()
            settings.seed = seed
            var story = DeskStory(settings)
            return story.send("POST", "/auth/api-key", Trader(number).claim(at: story.time)).json
        }
        #expect(key(7, 1) == key(7, 1))
        #expect(key(7, 1) != key(8, 1) && key(7, 1) != key(7, 2))
    }

    @Test func aClaimThatIsNotTheAddressesOwnIsRefused() {
        var story = DeskStory()
        let trader = Trader(1)
        let good = trader.claim(at: story.time)
        func changed(_ name: String, _ value: String?) -> [(name: String, value: String)] {
            good.compactMap { header in
                guard header.name == name else { return header }
                return value.map { (name, $0) }
            }
        }
        let late = trader.claim(at: story.time + .seconds(61))
        let early = trader.claim(at: story.time + .seconds(-61))
        for headers in [
            changed("POLY_ADDRESS", Trader(2).address.description), changed("POLY_ADDRESS", nil),
            changed("POLY_NONCE", "1"), changed("POLY_NONCE", "00"), changed("POLY_TIMESTAMP", "soon"),
            changed("POLY_SIGNATURE", "0x00"), [], late, early, good + [good[0]],
        ] {
            let reply = story.send("POST", "/auth/api-key", headers)
            #expect(reply.status == 401 && reply.error == "Invalid L1 Request headers")
        }
        #expect(story.desk.keys.count == 0 && story.desk.accounts.count == 0)
        let lower = good.map { (name: $0.name.lowercased(), value: $0.value.lowercased()) }
        #expect(story.send("POST", "/auth/api-key", lower).status == 200)
    }

    @Test func onlyTheVeryBytesThatWereSignedAreTaken() {
        var story = DeskStory()
        let trader = story.join()
        #expect(story.send(trader, "GET", "/auth/api-keys")["apiKeys"] == .array([.string(trader.apiKey)]))
        let body = #"{"heartbeat_id":""}"#
        let good = trader.mark("POST", "/v1/heartbeats", body, at: story.time)
        for (method, target, sent) in [
            ("POST", "/v1/heartbeats", body + " "), ("POST", "/v1//heartbeats", body), ("POST", "/orders", body),
            ("DELETE", "/orders", body),
        ] {
            let reply = story.send(method, target, good, sent)
            #expect(reply.status == 401 && reply.error == "Unauthorized/Invalid api key", "\(method) \(target)")
        }
        // The query is not signed.
        #expect(story.send("POST", "/v1/heartbeats?a=1", good, body).status == 200)
        for name in good.map(\.name) {
            let without = good.filter { $0.name != name }
            #expect(story.send("POST", "/v1/heartbeats", without, body).status == 401)
            let wrong = without + [(name, good.first { $0.name == name }!.value.dropLast() + "_")]
            #expect(story.send("POST", "/v1/heartbeats", wrong, body).status == 401)
        }
        story.wait(milliseconds: 61_000)
        #expect(story.send("POST", "/v1/heartbeats", good, body).status == 401)
    }

    @Test func aSkewedClockTakesSkewedTimes() {
        var story = DeskStory()
        let trader = story.join()
        story.desk.clockSkew = .seconds(600)
        #expect(story.send(trader, "GET", "/auth/api-keys").status == 401)
        let headers = trader.mark("GET", "/auth/api-keys", "", at: story.time + .seconds(600))
        #expect(story.send("GET", "/auth/api-keys", headers).status == 200)
    }

    @Test func aRevokedKeyIsOfNoUseAndItsNonceStaysUsed() {
        var story = DeskStory()
        let trader = story.join()
        #expect(story.send(trader, "DELETE", "/auth/api-key").status == 200)
        #expect(story.send(trader, "GET", "/auth/api-keys").status == 401)
        #expect(story.send("GET", "/auth/derive-api-key", trader.claim(at: story.time)).status == 400)
        #expect(story.send("POST", "/auth/api-key", trader.claim(at: story.time)).status == 400)
        #expect(
            story.desk.credential(apiKey: trader.apiKey, secret: trader.secret, passphrase: trader.passphrase) == nil)
    }

    @Test func aReadOnlyKeyLooksAndDoesNothing() {
        var story = DeskStory()
        let trader = story.join()
        let made = story.send(trader, "POST", "/auth/readonly-api-key")
        var reader = trader
        reader.apiKey = made["apiKey"]?.string ?? ""
        reader.secret = made["secret"]?.string ?? ""
        reader.passphrase = made["passphrase"]?.string ?? ""
        #expect(story.send(trader, "GET", "/auth/readonly-api-keys").json == .array([.string(reader.apiKey)]))
        story.place(trader, .buy, "10", at: "0.4")
        #expect(story.openOrders(reader).count == 1)
        #expect(story.send(reader, "DELETE", "/cancel-all").status == 401)
        #expect(story.place(reader, .buy, "10", at: "0.4").status == 401)
        let gone = story.send(trader, "DELETE", "/auth/readonly-api-key", #"{"key":"\#(reader.apiKey)"}"#)
        #expect(gone.json == .bool(true))
        #expect(story.send(reader, "GET", "/data/orders").status == 401)
        #expect(story.send(trader, "DELETE", "/auth/readonly-api-key", #"{"key":"\#(trader.apiKey)"}"#).status == 400)
    }

    @Test func aBuilderKeyOpensBuildersPagesAlone() {
        var story = DeskStory()
        let trader = story.join()
        let made = story.send(trader, "POST", "/auth/builder-api-key")
        var builder = trader
        builder.apiKey = made["key"]?.string ?? ""
        builder.secret = made["secret"]?.string ?? ""
        builder.passphrase = made["passphrase"]?.string ?? ""
        #expect(story.send(builder, "GET", "/data/orders").status == 401)
        func mark(_ method: String, _ path: String) -> [(name: String, value: String)] {
            builder.mark(method, path, "", at: story.time).map {
                ($0.name.replacing("POLY_", with: "POLY_BUILDER_"), $0.value)
            }
        }
        let trades = story.send("GET", "/builder/trades", mark("GET", "/builder/trades"))
        #expect(trades.status == 200 && trades["next_cursor"]?.string == "LTE=")
        #expect(story.send("DELETE", "/auth/builder-api-key", mark("DELETE", "/auth/builder-api-key")).status == 200)
        #expect(story.send("GET", "/builder/trades", mark("GET", "/builder/trades")).status == 401)
        let listed = story.send(trader, "GET", "/auth/builder-api-key").json.array?.first
        #expect(listed?["key"]?.string == builder.apiKey && listed?["revokedAt"] != nil)
    }

    @Test func keysOfOneSignerAndOfAllAreBounded() {
        var story = DeskStory()
        let trader = Trader(1)
        for nonce in 0..<UInt64(KeyRing.signerKeyCountMax) {
            #expect(story.send("POST", "/auth/api-key", trader.claim(at: story.time, nonce: nonce)).status == 200)
        }
        let last = story.send("POST", "/auth/api-key", trader.claim(at: story.time, nonce: 1_000))
        #expect(last.status == 400 && last.error == "Could not create api key")
    }

    @Test func headersAreBoundedAndOnlyOnesOfOursAreKept() throws {
        func header(_ headers: [(name: String, value: String)]) throws -> String? {
            try #require(PageRequest(method: "GET", target: "/a", headers: headers)).header("POLY_ADDRESS")
        }
        #expect(try header([("pOlY_aDdReSs", "x"), ("Host", "y")]) == "x")
        #expect(try header([("POLY_ADDRESS", "x"), ("poly_address", "x")]) == nil)
        let long = String(repeating: "x", count: PageRequest.headerByteCountMax + 1)
        #expect(try header([("POLY_ADDRESS", long)]) == nil)
        let many = (0..<PageRequest.headerCountMax).map { (name: "POLY_\($0)", value: "x") }
        #expect(try header(many + [("POLY_ADDRESS", "x")]) == nil)
    }

    @Test func theUserChannelFindsOutWhoItIs() {
        var story = DeskStory()
        let trader = story.join()
        let desk = story.desk
        #expect(
            desk.credential(apiKey: trader.apiKey, secret: trader.secret, passphrase: trader.passphrase)
                == trader.address)
        #expect(desk.credential(apiKey: trader.apiKey, secret: trader.secret, passphrase: "") == nil)
        let account = desk.accounts.account(of: trader.address)!
        #expect(desk.accounts.owned(account)?.signer == trader.address)
        #expect(desk.accounts.owned(AccountID(index: 99)) == nil)
    }
}
