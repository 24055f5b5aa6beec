import DaemonKit
import Glibc
import Shared
import Signing
import Testing

@testable import stratd

/// What leaves for the real venue, beside what its official client made of the same orders.
@Suite struct LiveOrderTests {
    private static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        + "/../shared/vectors"
    private static let isHere = Testing.ConditionTrait.enabled(
        if: access("\(folder)/amounts.json", R_OK) == 0,
        "the vectors in ../shared are not here, so nothing is compared with them")

    private static func file(_ name: String) throws -> JSONValue {
        let file = try #require(fopen("\(Self.folder)/\(name).json", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return try JSONValue(parsing: bytes)
    }

    private static let form = OrderForm(owner: try! key(1).address, funder: nil, .eoa)

    private static func key(_ number: UInt8) throws -> PrivateKey {
        let bytes = [UInt8](repeating: 0, count: 31) + [number]
        return try #require(bytes.withUnsafeBytes { PrivateKey(bytes: $0) })
    }

    @Test(isHere) func amountsAreThoseOfTheOfficialClients() throws {
        var count = 0
        for vector in try #require(try Self.file("amounts")["vectors"]?.array) {
            // Purchases by value are not made here: an order says how many shares it wants.
            let isMarket = vector["kind"]?.string == "market"
            guard !isMarket || vector["side"]?.string == "SELL" else { continue }
            var wanted = intent(vector["side"]?.string == "BUY" ? .buy : .sell)
            wanted.price = try #require(vector["price"]?.string.flatMap { Price(decimal: $0) })
            let size = try #require((vector[isMarket ? "amount" : "size"])?.micros)
            wanted.size = Quantity(micros: size).flooredToSizeGrid
            let message = Self.form.message(OrderID(number: 1), wanted, at: testStart)
            #expect("\(message.makerAmount)" == vector["maker_amount"]?.string, "\(vector)")
            #expect("\(message.takerAmount)" == vector["taker_amount"]?.string, "\(vector)")
            count += 1
        }
        #expect(count > 250)
    }

    @Test(isHere) func bodiesAreThoseOfTheOfficialClientByteForByte() throws {
        var count = 0
        for vector in try #require(try Self.file("orders_v2")["vectors"]?.array) {
            let input = try #require(vector["input"])
            guard input["defer_exec"]?.bool == false else { continue }
            let text = try #require(vector["body_json"]?.string)
            let body = try JSONValue(parsing: Array(text.utf8))
            let order = try #require(body["order"])
            func number(_ key: String) throws -> UInt64 {
                try #require(order[key]?.integer.flatMap { UInt64(exactly: $0) })
            }
            let message = OrderMessage(
                salt: try number("salt"), maker: try #require(order["maker"]?.string.flatMap { Address($0) }),
                signer: try #require(order["signer"]?.string.flatMap { Address($0) }),
                token: try #require(order["tokenId"]?.string.flatMap { TokenID($0) }),
                makerAmount: try number("makerAmount"), takerAmount: try number("takerAmount"),
                side: order["side"]?.string == "BUY" ? .buy : .sell,
                signatureType: try #require(SignatureType(rawValue: UInt8(try number("signatureType")))),
                timestamp: try number("timestamp"),
                metadata: try #require(order["metadata"]?.string.flatMap { Bytes32($0) }),
                builder: try #require(order["builder"]?.string.flatMap { Bytes32($0) }))
            let signature = try #require(order["signature"]?.string.flatMap { OrderSignature($0) })
            let kind = try #require(body["orderType"]?.string.flatMap { OrderKind(rawValue: $0.lowercased()) })
            let ours = ClobClient.body(
                of: message, signature, kind: kind, isPostOnly: try #require(body["postOnly"]?.bool as Bool?),
                expiration: try #require(order["expiration"]?.integer),
                owner: try #require(body["owner"]?.string))
            #expect(String(decoding: ours, as: UTF8.self) == text)
            count += 1
        }
        #expect(count > 50)
    }

    @Test func everyFieldOfAnOrderChangesItsHash() throws {
        let identity = OrderIdentity.live(Self.form)
        let wanted = intent()
        let base = identity.hash(OrderID(number: 1), wanted, at: testStart)
        #expect(base == identity.hash(OrderID(number: 1), wanted, at: testStart))
        var others = [
            identity.hash(OrderID(number: 2), wanted, at: testStart),
            identity.hash(OrderID(number: 1), wanted, at: testStart + .milliseconds(1)),
        ]
        let changes: [(inout OrderIntent) -> Void] = [
            { $0.side = .sell }, { $0.price = price("0.49") }, { $0.size = shares("11") }, { $0.token = token(1, 1) },
            { $0.isNegRisk = true },
        ]
        for change in changes {
            var other = wanted
            change(&other)
            others.append(identity.hash(OrderID(number: 1), other, at: testStart))
        }
        for (funder, type) in [(2, SignatureType.polyProxy), (2, .poly1271), (3, .poly1271)] as [(UInt8, SignatureType)]
        {
            let form = OrderForm(owner: try Self.key(1).address, funder: try Self.key(funder).address, type)
            others.append(OrderIdentity.live(form).hash(OrderID(number: 1), wanted, at: testStart))
        }
        #expect(Set(others + [base]).count == others.count + 1)
    }

    @Test func aTradeIsReadFromEachOrdersOwnSide() throws {
        let owner = VenueTrade.Owner(key: "key-1", maker: "0xABcd")
        let maker = condition(1).description
        let taker = condition(2).description
        let text = """
            {"id":"t1","status":"TRADE_STATUS_MINED","match_time":"1790035200","taker_order_id":"\(taker)","side":"BUY",
             "owner":"key-1","trader_side":"MAKER","size":"30.000001","price":"0.6","asset_id":"11","maker_orders":[
              {"order_id":"\(maker)","matched_amount":"10","price":"0.4","asset_id":"22","side":"BUY"},
              {"order_id":"\(condition(3))","matched_amount":"20","price":"0.6","asset_id":"11","side":"SELL",
               "owner":"key-2","maker_address":"0xabCD"},
              {"order_id":"\(maker)","matched_amount":"0.000001","price":"0.4","asset_id":"22","side":"BUY"}]}
            """
        let trade = try #require(VenueTrade(try JSONValue(parsing: text.utf8), of: owner))
        #expect(trade.settlement == .mined && trade.time == Timestamp(seconds: 1_790_035_200) && trade.parts.count == 3)
        let own = try #require(trade.parts.first { $0.order == maker })
        // A purchase of the other outcome that met a purchase: told as our purchase, at our price, both parts together.
        #expect(own.side == .buy && own.price == price("0.4") && own.size == shares("10.000001"))
        #expect(own.token == TokenID("22") && own.money == usd("4") && own.liquidity == .maker)
        // The taker paid 0.6 for twenty, and for the rest what the makers left of one.
        let their = try #require(trade.parts.first { $0.order == taker })
        #expect(their.money == usd("18.000001") && their.liquidity == .taker)
        // What is the account's own is told by its key or its address; the trade's own side only where it took.
        #expect(trade.parts.filter(\.isOwn).map(\.order) == [condition(3).description])
        let taken = try JSONValue(parsing: text.replacing("MAKER", with: "TAKER").utf8)
        #expect(VenueTrade(taken, of: owner)?.parts.filter(\.isOwn).map(\.order) == [taker, condition(3).description])
        // Where the makers' parts are not all there, the taker's own numbers count.
        let partial = try JSONValue(parsing: text.replacing("30.000001", with: "40").utf8)
        #expect(VenueTrade(partial, of: owner)?.parts.first?.money == usd("24"))
        for bad in [
            text.replacing("TRADE_STATUS_MINED", with: "SOMETHING"),
            text.replacing("30.000001", with: "-30").replacing("MAKER", with: "TAKER"),
            text.replacing("0.6", with: "1.6"), text.replacing("\"t1\"", with: "\"\""), "[]", "{}",
        ] { #expect(VenueTrade(try JSONValue(parsing: bad.utf8), of: owner) == nil, "\(bad)") }
    }

    /// What a taker paid on average over several levels may have more decimals than any price.
    @Test func aTakersSideThatCannotBeReadHidesNoPartOfOurs() throws {
        let owner = VenueTrade.Owner(key: "key-1", maker: "0xABcd")
        let text = """
            {"id":"t1","status":"MATCHED","match_time":"1790035200","taker_order_id":"\(condition(2))","side":"BUY",
             "owner":"key-2","trader_side":"MAKER","size":"30","price":"0.5333333","asset_id":"11","maker_orders":[
              {"order_id":"\(condition(3))","matched_amount":"20","price":"0.55","asset_id":"11","side":"SELL",
               "owner":"key-1","maker_address":"0xabCD"}]}
            """
        func parts(_ text: String) throws -> [VenueTrade.Part]? {
            VenueTrade(try JSONValue(parsing: text.utf8), of: owner)?.parts
        }
        for odd in [text, text.replacing("0.5333333", with: "1"), text.replacing(#""size":"30""#, with: #""size":"""#)]
        {
            let parts = try #require(try parts(odd))
            #expect(parts.map(\.order) == [condition(3).description] && parts.allSatisfy(\.isOwn), "\(odd)")
            #expect(parts.first?.money == usd("11") && parts.first?.liquidity == .maker)
        }
        // A part of ours that cannot be read is not passed over as if it were somebody else's.
        let unread = [text.replacing("0.55", with: "1.55"), text.replacing(#""20""#, with: #""many""#)].map {
            $0.replacing("0.5333333", with: "0.5")
        }
        for odd in unread {
            let trade = try #require(VenueTrade(try JSONValue(parsing: odd.utf8), of: owner), "\(odd)")
            #expect(trade.hasUnreadPart && !trade.parts.contains(where: \.isOwn))
            let theirs = odd.replacing("key-1", with: "key-3").replacing("0xabCD", with: "0x01")
            #expect(VenueTrade(try JSONValue(parsing: theirs.utf8), of: owner)?.hasUnreadPart == false)
        }
        #expect(VenueTrade(try JSONValue(parsing: text.utf8), of: owner)?.hasUnreadPart == false)
        // Of a trade in which we took, or had no part, nothing is known without it.
        #expect(try parts(text.replacing("MAKER", with: "TAKER")) == nil)
        #expect(try parts(text.replacing("key-1", with: "key-3").replacing("0xabCD", with: "0x01")) == nil)
    }

    /// A sum of such sizes over some trades would be more than any number here can hold.
    @Test func sizesThatNoMarketHasAreRefused() throws {
        let owner = VenueTrade.Owner(key: "key-1", maker: "0xabcd")
        func trade(_ rows: [(order: Int64, size: String, owner: String)], taker: String = "30") throws -> VenueTrade? {
            let makers = rows.map {
                #"{"order_id":"\#(condition($0.order))","matched_amount":"\#($0.size)","price":"0.5","asset_id":"11","side":"SELL","owner":"\#($0.owner)"}"#
            }
            let text = """
                {"id":"t1","status":"MATCHED","match_time":"1790035200","taker_order_id":"\(condition(2))","side":"BUY",
                 "trader_side":"MAKER","size":"\(taker)","price":"0.5","asset_id":"11",
                 "maker_orders":[\(makers.joined(separator: ","))]}
                """
            return VenueTrade(try JSONValue(parsing: text.utf8), of: owner)
        }
        // What one row has too much, or a thousand rows of one order together, is no part of anybody.
        #expect(try trade([(3, "1000000000", "key-1")])?.parts.map(\.order) == [condition(2).description])
        #expect(try trade(Array(repeating: (3, "100000000", "key-1"), count: 1_000)) == nil)
        // Somebody else's hides nothing of ours.
        let rows = Array(repeating: (order: Int64(4), size: "100000000", owner: "key-2"), count: 900)
        let mixed = try #require(try trade(rows + [(3, "20", "key-1")], taker: "1000000000"))
        let own = try #require(mixed.parts.first { $0.isOwn })
        #expect(own.order == condition(3).description && own.size == shares("20"))
        #expect(mixed.parts.allSatisfy { $0.size <= VenueTrade.sizeMax })
    }

    @Test(arguments: [
        ("LIVE", "UPDATE", VenueOrder.Standing.open), ("ORDER_STATUS_LIVE", "", .open), ("UNMATCHED", "", .open),
        ("DELAYED", "PLACEMENT", .delayed), ("ORDER_STATUS_MATCHED", "", .matched),
        ("CANCELED_EXPIRED_ORDER", "CANCELLATION", .ended(reason: "canceled_expired_order")),
        ("LIVE", "CANCELLATION", .ended(reason: "live")), ("INVALID", "", .ended(reason: "invalid")),
    ])
    func everyStatusOfAnOrderIsUnderstood(status: String, type: String, standing: VenueOrder.Standing) throws {
        let text = #"{"id":"\#(condition(1))","status":"\#(status)","type":"\#(type)","size_matched":""}"#
        let order = try #require(VenueOrder(try JSONValue(parsing: text.utf8)))
        #expect(order.standing == standing && order.matched == .zero && order.hash == condition(1).description)
        let partly = try JSONValue(parsing: text.replacing(#""size_matched":"""#, with: #""size_matched":"1.5""#).utf8)
        #expect(VenueOrder(partly)?.matched == shares("1.5"))
        #expect(
            VenueOrder(try JSONValue(parsing: text.replacing(status, with: "WHATEVER").utf8)) == nil
                || type == "CANCELLATION")
    }
}
