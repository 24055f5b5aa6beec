import Shared
import Signing
import Testing

@testable import simvenue

/// Orders with real signatures. Source: reference, 2.3 to 2.6, 4.3 to 4.5.
struct DeskOrderTests {
    @Test(arguments: SignatureType.allCases)
    func anOrderOfEachSignatureTypeRests(type: SignatureType) {
        var story = DeskStory()
        let trader = story.join(1, type)
        let order = story.order(trader, .buy, "10", at: "0.4")
        let reply = story.send(trader, "POST", "/order", order.body)
        #expect(reply.status == 200 && reply["success"] == .bool(true) && reply["errorMsg"]?.string == "")
        #expect(reply.orderID == order.hash && reply["status"]?.string == "live")
        #expect(reply["makingAmount"]?.string == "" && reply["tradeIDs"] == .array([]))
        let shown = story.send(trader, "GET", "/data/order/\(order.hash)")
        #expect(shown["status"]?.string == "ORDER_STATUS_LIVE" && shown["owner"]?.string == trader.apiKey)
        #expect(shown["maker_address"]?.string == trader.funder.description)
        #expect(shown["original_size"]?.string == "10" && shown["price"]?.string == "0.4")
    }

    @Test func anOldDepositWalletIsTakenToo() {
        var story = DeskStory()
        let trader = story.join(1, .poly1271)
        let wallet = Signatures.wallets(of: trader.address, .poly1271)[1]
        let order = story.order(trader, .buy, "10", at: "0.4") { ($0.maker, $0.signer) = (wallet, wallet) }
        #expect(story.send(trader, "POST", "/order", order.body).orderID == order.hash)
        let balance = story.send(trader, "GET", "/balance-allowance?asset_type=COLLATERAL&signature_type=3")
        #expect(balance.status == 200 && story.desk.accounts.account(of: wallet) != nil)
        #expect(story.desk.accounts.account(of: trader.funder) == nil)
    }

    @Test func negRiskMarketsHaveAContractOfTheirOwn() {
        var story = DeskStory(markets: [engineMarket(isNegRisk: true)])
        let trader = story.join()
        #expect(story.place(trader, .buy, "10", at: "0.4").status == 200)
        let wrong = story.order(trader, .buy, "10", at: "0.4", domain: .of(.exchangeV2))
        let reply = story.send(trader, "POST", "/order", wrong.body)
        #expect(reply.status == 400 && reply.error == "invalid signature")
    }

    @Test func aMatchTellsItsAmountsAndTrades() {
        var story = DeskStory()
        let maker = story.join(1)
        let taker = story.join(2, .polyGnosisSafe)
        story.place(maker, .buy, "10", at: "0.4")
        // Two buys whose prices make a dollar, and more.
        let reply = story.place(taker, .buy, "5", at: "0.62", outcome: 1, kind: "FAK")
        #expect(reply["status"]?.string == "matched", "\(reply.json)")
        // Sized in dollars: 3.1 buys more than five shares at 0.6.
        #expect(reply["makingAmount"]?.string == "3.1" && reply["takingAmount"]?.string == "5.166666")
        let id = reply["tradeIDs"]?.array?.first?.string ?? ""
        let own = story.send(taker, "GET", "/data/trades?id=\(id)")["data"]?.array?.first
        #expect(own?["trader_side"]?.string == "TAKER" && own?["status"]?.string == "TRADE_STATUS_MATCHED")
        #expect(own?["transaction_hash"]?.string == "" && own?["owner"]?.string == taker.apiKey)
        story.wait(milliseconds: 10_000)
        let others = story.send(maker, "GET", "/data/trades")["data"]?.array?.first
        #expect(others?["trader_side"]?.string == "MAKER" && others?["status"]?.string == "TRADE_STATUS_CONFIRMED")
        #expect(others?["maker_orders"]?.array?.first?["owner"]?.string == maker.apiKey)
        #expect(others?["maker_orders"]?.array?.first?["outcome"]?.string == "Yes")
        #expect(others?["transaction_hash"]?.string?.utf8.count == 66)
    }

    @Test func theTakerDelayHoldsAnOrder() {
        var story = DeskStory(markets: [engineMarket(hasTakerDelay: true)])
        let maker = story.join(1)
        let taker = story.join(2)
        story.place(maker, .buy, "10", at: "0.4")
        story.split(taker, 100)
        let reply = story.place(taker, .sell, "5", at: "0.4", kind: "FAK")
        #expect(reply["status"]?.string == "delayed" && reply["tradeIDs"] == .array([]))
        let id = reply.orderID ?? ""
        let kept = story.send(taker, "DELETE", "/order", #"{"orderID":"\#(id)"}"#)
        #expect(kept["not_canceled"]?[id] != nil && kept.canceled.isEmpty)
        story.wait(milliseconds: 200)
        #expect(story.send(taker, "GET", "/data/order/\(id)")["status"]?.string == "ORDER_STATUS_MATCHED")
    }

    @Test func whatOneChangesAfterSigningIsNoticed() {
        var story = DeskStory()
        let trader = story.join()
        let order = story.order(trader, .buy, "10", at: "0.4")
        for (was, isNow) in [
            (#""salt":1,"#, #""salt":2,"#), (#""makerAmount":"4000000""#, #""makerAmount":"3000000""#),
            (#""takerAmount":"10000000""#, #""takerAmount":"20000000""#), (#""side":"BUY""#, #""side":"SELL""#),
            (#""timestamp":""#, #""timestamp":"1"#), (#""metadata":"0x0"#, #""metadata":"0x1"#),
            (#""builder":"0x0"#, #""builder":"0x1"#), (#""tokenId":"1""#, #""tokenId":"2""#),
            (order.signature, String(order.signature.dropLast(2)) + "1d"), (order.signature, "0x"),
        ] {
            let body = order.body.replacing(was, with: isNow, maxReplacements: 1)
            #expect(body != order.body)
            let reply = story.send(trader, "POST", "/order", body)
            #expect(reply.status == 400 && reply.error == "invalid signature", "\(was): \(reply.json)")
        }
        #expect(story.openOrders(trader).isEmpty)
        // The expiration and what is beside the order are not signed.
        let reply = story.send(
            trader, "POST", "/order", order.body.replacing(#""deferExec":false,"#, with: #""more":[1,{}],"#))
        #expect(reply.status == 200)
    }

    @Test func aBodyThatIsNoOrderIsRefused() {
        var story = DeskStory()
        let trader = story.join()
        let body = story.order(trader, .buy, "10", at: "0.4").body
        var broken = ["", "{", "[]", "null", "{}", #"{"order":[]}"#, #"{"order":{}}"#, String(body.dropLast())]
        for (was, isNow) in [
            (#""salt":1,"#, #""salt":"1","#), (#""salt":1,"#, #""salt":9007199254740992,"#),
            (#""salt":1,"#, #""salt":-1,"#), (#""salt":1,"#, ""), (#""signatureType":0"#, #""signatureType":4"#),
            (#""signatureType":0"#, #""signatureType":"0""#), (#""maker":"0x"#, #""maker":"1x"#),
            (#""makerAmount":"4000000""#, #""makerAmount":4000000"#),
            (#""makerAmount":"4000000""#, #""makerAmount":"-4000000""#),
            (#""makerAmount":"4000000""#, #""makerAmount":"0""#),
            (#""makerAmount":"4000000""#, #""makerAmount":"99999999999999999999""#),
            (#""side":"BUY""#, #""side":0"#), (#""side":"BUY""#, #""side":"buy""#),
            (#""expiration":"0""#, #""expiration":0"#), (#""orderType":"GTC""#, #""orderType":"IOC""#),
            (#""postOnly":false"#, #""postOnly":"no""#), (#""owner":""#, #""owner":1,"a":""#),
        ] {
            broken.append(body.replacing(was, with: isNow, maxReplacements: 1))
        }
        for body in broken {
            let reply = story.send(trader, "POST", "/order", body)
            #expect(reply.status == 400, "\(body)")
            let isKnown = ["Invalid order payload", "invalid signature"].contains(reply.error)
            #expect(isKnown, "\(body): \(reply.json)")
        }
        #expect(story.openOrders(trader).isEmpty && story.desk.placements.isEmpty)
    }

    @Test func ownerAndSignerMustBeTheKeys() {
        var story = DeskStory()
        let trader = story.join(1)
        let other = story.join(2)
        let order = story.order(other, .buy, "10", at: "0.4")
        let foreign = story.send(trader, "POST", "/order", order.body)
        #expect(foreign.error == "the order owner has to be the owner of the API KEY" && foreign.status == 400)
        var claimed = order
        claimed.owner = trader.apiKey
        let signer = story.send(trader, "POST", "/order", claimed.body)
        #expect(signer.error == "the order signer address has to be the address of the API KEY")
        // Somebody else's Safe.
        let theft = story.order(trader, .buy, "10", at: "0.4") {
            $0.maker = Signatures.wallets(of: other.address, .polyGnosisSafe)[0]
            $0.signatureType = .polyGnosisSafe
        }
        #expect(story.send(trader, "POST", "/order", theft.body).error == "invalid signature")
        let wallet = story.order(Trader(1, .poly1271), .buy, "10", at: "0.4") { $0.signer = trader.address }
        var owned = wallet
        owned.owner = trader.apiKey
        #expect(
            story.send(trader, "POST", "/order", owned.body).error
                == "the order signer address has to be the address of the API KEY")
    }

    @Test func otherGenerationsAreTold() {
        var story = DeskStory()
        let trader = story.join()
        let next = story.order(trader, .buy, "10", at: "0.4", domain: .of(.exchangeV3))
        let reply = story.send(trader, "POST", "/order", next.body)
        #expect(reply.status == 400 && reply.error == "order_version_mismatch")
        let outdated = next.body.replacing(
            #""timestamp":"\#(next.message.timestamp)""#, with: #""nonce":"0","feeRateBps":"0""#)
        #expect(story.send(trader, "POST", "/order", outdated).error == "order_version_mismatch")
    }

    @Test func theSameOrderTwiceIsADuplicate() {
        var story = DeskStory()
        let trader = story.join()
        let order = story.order(trader, .buy, "10", at: "0.4")
        #expect(story.send(trader, "POST", "/order", order.body).status == 200)
        let again = story.send(trader, "POST", "/order", order.body)
        #expect(
            again.error == "order \(order.hash) is invalid. Duplicated. Same order has already been placed"
                && again.status == 400)
        #expect(story.openOrders(trader) == [order.hash])
        var writer = JSONWriter()
        story.desk.writeAudit(to: &writer)
        let audit = try? JSONValue(parsing: writer.bytes)
        #expect(audit?["duplicates"]?.integer == 1)
        #expect(audit?["orders"]?.array?.first?["count"]?.integer == 2)
        #expect(audit?["orders"]?.array?.first?["status"]?.string == "LIVE")
    }

    @Test func theEnginesRefusalsComeWithTheirStatus() {
        var story = DeskStory(markets: [engineMarket(), engineMarket(1)])
        let trader = story.join()
        #expect(story.place(trader, .buy, "100000", at: "0.4").error == "not enough balance / allowance")
        #expect(story.place(trader, .sell, "10", at: "0.4").error == "not enough balance / allowance")
        #expect(story.place(trader, .buy, "4", at: "0.4").error == "Size (4) lower than the minimum: 5")
        let offGrid = story.place(trader, .buy, "10", at: "0.405")
        #expect(offGrid.error?.hasSuffix("Price (0.405) breaks minimum tick size rule: 0.01") == true)
        let kill = story.place(trader, .buy, "10", at: "0.4", kind: "FOK")
        #expect(kill.status == 400 && kill.error?.contains("fully filled or killed") == true)
        let unknown = story.order(trader, .buy, "10", at: "0.4") { $0.token = TokenID("12345")! }
        let reply = story.send(trader, "POST", "/order", unknown.body)
        #expect(reply.status == 404 && reply.error == "No orderbook exists for the requested token id")
        let soon = story.order(trader, .buy, "10", at: "0.4", kind: "GTD", expiration: 1)
        #expect(story.send(trader, "POST", "/order", soon.body).error == "invalid expiration")
    }

    @Test func aBatchAnswersForEachOfItsOrders() {
        var story = DeskStory()
        let trader = story.join()
        let orders = (0..<3).map { _ in story.order(trader, .buy, "10", at: "0.4") }
        let poor = story.order(trader, .buy, "90000", at: "0.4")
        let bodies = [orders[0].body, poor.body, orders[0].body, "{}", orders[1].body]
        let reply = story.send(trader, "POST", "/orders", "[" + bodies.joined(separator: ",") + "]")
        let ids = reply.json.array?.map { $0["orderID"]?.string ?? "?" }
        #expect(reply.status == 200 && ids == [orders[0].hash, "", "", "", orders[1].hash])
        let errors = reply.json.array?.map { $0["errorMsg"]?.string ?? "?" } ?? []
        #expect(
            errors[0] == "" && errors[1] == "not enough balance / allowance" && errors[3] == "Invalid order payload")
        #expect(errors[2].contains("Duplicated"))
        let many = story.send(
            trader, "POST", "/orders", "[" + Array(repeating: "{}", count: 16).joined(separator: ",") + "]")
        #expect(many.status == 400 && many.error == "Too many orders in payload: 16, max allowed: 15")
        #expect(story.send(trader, "POST", "/orders", "[]").status == 400)
        #expect(story.openOrders(trader) == [orders[0].hash, orders[1].hash])
    }
}
