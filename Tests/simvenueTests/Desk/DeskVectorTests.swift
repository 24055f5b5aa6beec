import Glibc
import Shared
import Signing
import Testing

@testable import simvenue

/// Requests that the venue's public clients made: all are taken, and none of them once a bit of it is changed.
struct DeskVectorTests {
    private static let directory =
        #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 } + "/../shared/vectors"
    static let areHere = access("\(directory)/orders_v2.json", R_OK) == 0
    static let skipped: Comment = "the vectors in ../shared are not here, so nothing is compared with them"

    private static func read(_ name: String) throws -> JSONValue {
        try JSONValue(parsing: RecordingFile.read("\(self.directory)/\(name).json"))
    }

    private static func headers(_ value: JSONValue?) -> [(name: String, value: String)] {
        (value?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { key, value in value.string.map { (key, $0) } }
    }

    /// A market that has the token, and a desk whose clock says the vector's time and that knows the vectors' API key.
    private static func story(_ vector: JSONValue, _ credentials: JSONValue) throws -> DeskStory {
        let input = try #require(vector["input"])
        let token = try #require(input["asset_id"]?.string.flatMap { TokenID($0) })
        var market = engineMarket(
            tick: try #require(input["tick_size"]?.micros), isNegRisk: input["neg_risk"]?.bool ?? false)
        market = Market(
            condition: market.condition, slug: market.slug, question: market.question,
            first: Outcome(label: "Yes", token: token), second: market.second, tick: market.tick,
            sizeMin: Quantity(micros: 1), isNegRisk: market.isNegRisk, event: "", startTime: nil,
            endTime: market.endTime, feeRate: 0, feeExponent: 1, hasTakerDelay: false, rewards: nil,
            settlement: .other, asset: nil)
        let time = Timestamp(milliseconds: try #require(input["timestamp_ms"]?.integer))
        var settings = Desk.Settings()
        settings.startingBalance = Desk.startingBalanceMax
        settings.chain = try #require(input["chain_id"]?.integer.flatMap { Chain(rawValue: UInt64($0)) })
        var story = DeskStory(settings, markets: input["protocol"]?.integer == 2 ? [market] : [])
        story.engine.engine = MatchingEngine(.init(), at: time)
        if input["protocol"]?.integer == 2 { _ = story.engine.handle(.list(market), at: time) }
        story.time = time
        let signer = try #require(vector["l2_headers"]?["POLY_ADDRESS"]?.string.flatMap { Address($0) })
        let isKept = story.desk.keys.keep(
            APIKey(
                id: try #require(credentials["api_key"]?.string),
                secret: try #require(credentials["api_secret"]?.string),
                passphrase: try #require(credentials["api_passphrase"]?.string), signer: signer, kind: .trading,
                createdTime: time))
        try #require(isKept)
        return story
    }

    /// Money and shares for whatever the vector orders.
    private static func fund(_ story: inout DeskStory, _ vector: JSONValue) throws {
        guard vector["input"]?["protocol"]?.integer == 2 else { return }
        let body = try JSONValue(text: vector["body_json"]?.string ?? "")
        let maker = try #require(body["order"]?["maker"]?.string.flatMap { Address($0) })
        let signer = try #require(vector["l2_headers"]?["POLY_ADDRESS"]?.string.flatMap { Address($0) })
        let time = story.time
        let account = try #require(story.desk.account(at: maker, of: signer, at: time, engine: &story.engine))
        if vector["input"]?["side"]?.string == "SELL" {
            let size = try #require(vector["maker_amount"]?.integer)
            _ = story.engine.handle(.deposit(account, Money(micros: size)), at: time)
            _ = story.engine.handle(.split(account, story.market.condition, Quantity(micros: size)), at: time)
        }
    }

    @Test(.enabled(if: areHere, skipped), arguments: ["orders_v2", "market_orders"])
    func everyOrderOfTheClientsIsTaken(name: String) throws {
        let file = try Self.read(name)
        let vectors = try #require(file["vectors"]?.array)
        let credentials = try #require(file["api_creds"])
        var takenCount = 0
        for vector in vectors {
            let id = vector["id"]?.string ?? ""
            let input = try #require(vector["input"])
            var story = try Self.story(vector, credentials)
            try Self.fund(&story, vector)
            let body = try #require(vector["body_json"]?.string)
            let reply = story.send("POST", "/order", Self.headers(vector["l2_headers"]), body)
            // Wallets stand elsewhere on the test chain, and no book is of the next generation.
            if input["protocol"]?.integer == 3 {
                #expect(reply.status == 404, "\(id): \(reply.json)")
            } else if input["chain_id"]?.integer == 137 || input["signature_type"]?.integer == 0 {
                Self.expectTaken(reply, vector, kind: input["order_type"]?.string ?? "", story)
                takenCount += 1
            }
        }
        #expect(takenCount > 25)
    }

    /// Whoever finds nobody to trade with has been judged by all rules before.
    private static func expectTaken(_ reply: DeskReply, _ vector: JSONValue, kind: String, _ story: DeskStory) {
        let id = vector["id"]?.string ?? ""
        let hash = vector["order_hash"]?.string
        switch kind {
        case "FOK": #expect(reply.error == EngineRefusal.fokNotFilled.text, "\(id): \(reply.json)")
        case "FAK": #expect(reply.error == EngineRefusal.fakNotMatched.text, "\(id): \(reply.json)")
        default: #expect(reply.orderID == hash, "\(id): \(reply.json)")
        }
        #expect(hash.flatMap { OrderHash($0) }.map { story.desk.placements[$0] != nil } == true, "\(id)")
    }

    @Test(.enabled(if: areHere, skipped), arguments: ["orders_v2", "market_orders"])
    func noOrderIsTakenWithAChangedBit(name: String) throws {
        let file = try Self.read(name)
        let vectors = try #require(file["vectors"]?.array)
        let credentials = try #require(file["api_creds"])
        var random = SeededRandom(seed: 3)
        for vector in vectors where vector["input"]?["protocol"]?.integer == 2 {
            let id = vector["id"]?.string ?? ""
            var story = try Self.story(vector, credentials)
            let headers = Self.headers(vector["l2_headers"])
            let body = Array(try #require(vector["body_json"]?.string).utf8)
            // Any bit of the body: the mark is wrong.
            var changed = body
            changed[random.below(body.count)] ^= 1 << UInt8(random.below(7))
            let spoilt = story.send("POST", "/order", headers, String(decoding: changed, as: UTF8.self))
            #expect(spoilt.status == 401 && spoilt.error == "Unauthorized/Invalid api key", "\(id)")
            // A digit of the signature, under a mark that is right.
            let signature = try #require(vector["signature"]?.string)
            var digits = Array(signature.utf8)
            let place = 2 + random.below(128)
            digits[place] = digits[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            let forged = String(decoding: body, as: UTF8.self)
                .replacing(signature, with: String(decoding: digits, as: UTF8.self))
            var trader = Trader(key: try #require(vector["input"]?["private_key"]?.string))
            trader.apiKey = credentials["api_key"]?.string ?? ""
            trader.secret = credentials["api_secret"]?.string ?? ""
            trader.passphrase = credentials["api_passphrase"]?.string ?? ""
            let reply = story.send(trader, "POST", "/order", forged)
            let isWallets = vector["input"]?["chain_id"]?.integer != 137
            #expect(reply.status == 400 && (isWallets || reply.error == "invalid signature"), "\(id): \(reply.json)")
            #expect(story.desk.placements.isEmpty)
        }
    }

    @Test(.enabled(if: areHere, skipped))
    func everyClaimOfTheClientsIsTakenAndNoneWithAChangedDigit() throws {
        let vectors = try #require(try Self.read("clob_auth")["vectors"]?.array)
        for vector in vectors {
            var settings = Desk.Settings()
            settings.chain = try #require(vector["chain_id"]?.integer.flatMap { Chain(rawValue: UInt64($0)) })
            var story = DeskStory(settings, markets: [])
            let time = Timestamp(seconds: try #require(vector["timestamp"]?.integer))
            story.engine.engine = MatchingEngine(.init(), at: time)
            story.time = time
            let good = Self.headers(vector["headers"])
            for index in good.indices {
                var changed = good
                var digits = Array(changed[index].value.utf8)
                let last = digits.count - (changed[index].name == "POLY_SIGNATURE" ? 9 : 1)
                digits[last] = digits[last] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
                changed[index].value = String(decoding: digits, as: UTF8.self)
                let reply = story.send("POST", "/auth/api-key", changed)
                #expect(reply.status == 401 && reply.error == "Invalid L1 Request headers", "\(changed[index])")
            }
            #expect(story.send("POST", "/auth/api-key", good).status == 200, "\(vector)")
        }
    }

    @Test(.enabled(if: areHere, skipped))
    func everyMarkOfTheClientsIsRightAndNoneWithAChangedBit() throws {
        let vectors = try #require(try Self.read("hmac")["vectors"]?.array)
        let trader = Trader(1)
        for vector in vectors {
            let seconds = try #require(vector["timestamp"]?.integer)
            let time = Timestamp(seconds: seconds)
            var desk = Desk(.init())
            let isKept = desk.keys.keep(
                APIKey(
                    id: "key", secret: try #require(vector["secret"]?.string), passphrase: "word",
                    signer: trader.address, kind: .trading, createdTime: time))
            try #require(isKept)
            let body = Array((vector["body"]?.string ?? "").utf8)
            let method = try #require(vector["method"]?.string)
            let path = try #require(vector["path"]?.string)
            let signature = try #require(vector["signature"]?.string)
            func isTaken(_ method: String, _ path: String, _ body: [UInt8], _ seconds: Int64) -> Bool {
                let headers: [(name: String, value: String)] = [
                    ("POLY_ADDRESS", trader.address.description), ("POLY_API_KEY", "key"), ("POLY_PASSPHRASE", "word"),
                    ("POLY_TIMESTAMP", "\(seconds)"), ("POLY_SIGNATURE", signature),
                ]
                let request = PageRequest(method: method, target: path, headers: headers, body: body)
                return request.map { desk.key(of: $0, .trading, at: time) != nil } ?? false
            }
            #expect(isTaken(method, path, body, seconds), "\(vector)")
            #expect(!isTaken(method + "X", path, body, seconds) && !isTaken(method, path + "x", body, seconds))
            #expect(!isTaken(method, path, body, seconds + 1) && !isTaken(method, path, body + [0x20], seconds))
            if !body.isEmpty {
                var changed = body
                changed[body.count / 2] ^= 1
                #expect(!isTaken(method, path, changed, seconds))
            }
        }
    }
}

extension JSONValue {
    fileprivate init(text: String) throws { try self.init(parsing: Array(text.utf8)) }
}
