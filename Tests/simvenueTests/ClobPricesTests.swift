import Shared
import Testing

@testable import simvenue

/// What the books come down to: prices, midpoints, spreads, last trades.
@Suite struct ClobPricesTests {
    private static let venue = SimulatedVenue(settings(75, rate: 0), at: someTime)
    private let reader = GammaReader(Self.venue)
    private static let slug = "btc-updown-5m-1795542300"

    private func market() throws -> ListedMarket {
        self.reader.listing[try #require(self.reader.listing.slot(slug: Self.slug))]
    }

    @Test func aPriceIsTheBestOfItsSide() throws {
        let listed = try self.market()
        for outcome in 0..<2 {
            let token = listed.outcome(outcome).token
            let book = try self.reader.get("/book?token_id=\(token)").value
            let buy = try self.reader.get("/price?token_id=\(token)&side=BUY").value
            let sell = try self.reader.get("/price?token_id=\(token)&side=SELL").value
            #expect(buy["price"] == book["bids"]?.array?.last?["price"])
            #expect(sell["price"] == book["asks"]?.array?.last?["price"])
            let spread = try #require(sell["price"]?.micros) - (try #require(buy["price"]?.micros))
            let told = try self.reader.get("/spread?token_id=\(token)").value["spread"]
            #expect(told?.string != nil && told?.micros == spread)
            let mid = try self.reader.get("/midpoint?token_id=\(token)").value["mid"]
            #expect(mid?.micros == (try #require(buy["price"]?.micros)) + spread / 2)
        }
    }

    @Test func manyAreToldAtOnceEachOnceAndUnknownOnesDropped() throws {
        let listed = try self.market()
        let (first, second) = (listed.market.first.token.description, listed.market.second.token.description)
        let body = #"[{"token_id":"\#(second)"},{"token_id":"12"},{"token_id":"\#(first)"},{"token_id":"\#(first)"}]"#
        for (page, one, key) in [("midpoints", "midpoint", "mid"), ("spreads", "spread", "spread")] {
            let all = try self.reader.post("/\(page)", body)
            #expect(all.status == 200)
            #expect(try #require(all.value.object).keys.sorted() == [first, second].sorted())
            for token in [first, second] {
                #expect(all.value[token] == (try self.reader.get("/\(one)?token_id=\(token)").value[key]))
            }
        }
        let trades = try #require(try self.reader.post("/last-trades-prices", body).value.array)
        #expect(trades.texts("token_id") == [second, first])
        let books = try self.reader.post("/books", body).value.array
        #expect(books?.texts("asset_id") == [second, first, first])
    }

    @Test func pricesAreGroupedByTokenAndSide() throws {
        let listed = try self.market()
        let (first, second) = (listed.market.first.token.description, listed.market.second.token.description)
        let answer = try self.reader.post(
            "/prices",
            """
            [{"token_id":"\(first)","side":"SELL"},{"token_id":"\(second)"},{"token_id":"\(first)","side":"BUY"},\
            {"token_id":"12","side":"BUY"}]
            """)
        let prices = try #require(answer.value.object)
        #expect(prices.count == 2)
        #expect(prices[first]?.object?.keys.sorted() == ["BUY", "SELL"])
        // The venue takes an entry without a side for a sale.
        #expect(prices[second]?.object?.keys.sorted() == ["SELL"])
        for side in ["BUY", "SELL"] {
            let one = try self.reader.get("/price?token_id=\(first)&side=\(side)").value["price"]
            #expect(prices[first]?[side] == one)
        }
    }

    @Test(arguments: ["prices", "midpoints", "spreads", "last-trades-prices", "books"])
    func whatIsNoPayloadIsRefused(page: String) throws {
        for body in ["", "{", "{}", "1", "[1]", "[{}]", #"[{"token_id":12}]"#, "null"] {
            let answer = try self.reader.post("/\(page)", body)
            #expect(answer.status == 400 && answer.value["error"]?.string == "Invalid payload", "\(body)")
        }
        let entry = #"{"token_id":"12"}"#
        let most = "[" + Array(repeating: entry, count: 500).joined(separator: ",") + "]"
        #expect(try self.reader.post("/\(page)", most).status == 200)
        let tooMany = try self.reader.post("/\(page)", "[" + entry + "," + most.dropFirst())
        #expect(tooMany.status == 400 && tooMany.value["error"]?.string == "Payload exceeds the limit")
        let side = try self.reader.post("/\(page)", #"[{"token_id":"12","side":"buy"}]"#)
        #expect(side.status == 400 && side.value["error"]?.string == "Invalid side")
    }

    @Test func mistakesAreAnsweredAsTheVenueDoes() throws {
        let token = try self.market().market.first.token
        let cases = [
            ("/price?token_id=x&side=BUY", 400, "Invalid token id"), ("/price?side=BUY", 400, "Invalid token id"),
            ("/price?token_id=\(token)", 400, "Invalid side"),
            ("/price?token_id=\(token)&side=buy", 400, "Invalid side"),
            ("/price?token_id=12&side=BUY", 404, "No orderbook exists for the requested token id"),
            ("/spread?token_id=12", 404, "No orderbook exists for the requested token id"),
            ("/spread", 400, "Invalid token id"), ("/last-trade-price", 400, "Invalid token id"),
            ("/last-trade-price?token_id=12", 404, "No orderbook exists for the requested token id"),
            ("/fee-rate?token_id=12", 404, "No orderbook exists for the requested token id"),
            ("/prices?token_ids=\(token)&sides=BUY", 400, "Invalid payload"), ("/books", 400, "Invalid payload"),
            ("/midpoints?token_ids=\(token)", 400, "Invalid payload"), ("/last-trades-prices", 400, "Invalid payload"),
        ]
        for (target, status, sentence) in cases {
            let answer = try self.reader.get(target)
            #expect(answer.status == status && answer.value["error"]?.string == sentence, "\(target)")
        }
    }

    @Test func anEmptySideHasThePriceZeroAndNoMiddle() throws {
        var listing = self.reader.listing
        let slot = try #require(listing.slot(slug: Self.slug))
        let token = listing[slot].market.first.token
        for level in listing[slot].book.levels(.bid) { _ = listing[slot].book.set(.bid, level.price, .zero) }
        let reader = GammaReader(listing)
        #expect(try reader.get("/price?token_id=\(token)&side=BUY").value["price"]?.string == "0")
        #expect(try reader.get("/price?token_id=\(token)&side=SELL").value["price"]?.micros ?? 0 > 0)
        #expect(try reader.get("/midpoint?token_id=\(token)").status == 404)
        #expect(try reader.get("/spread?token_id=\(token)").status == 404)
        #expect(try reader.post("/midpoints", #"[{"token_id":"\#(token)"}]"#).value == .object([:]))
        #expect(try reader.post("/spreads", #"[{"token_id":"\#(token)"}]"#).value == .object([:]))
    }

    @Test func theLastTradeIsTheLatestOfTheMarket() throws {
        let token = try self.market().market.second.token
        let before = try self.reader.get("/last-trade-price?token_id=\(token)").value
        #expect(before["price"]?.string == "0.5" && before["side"]?.string == "")
        var venue = SimulatedVenue(settings(10, rate: 400), at: someTime)
        var batch = MessageBatch()
        venue.advance(to: someTime + 20_000, messageCountMax: .max, into: &batch)
        let reader = GammaReader(venue)
        var sides: Set<String> = []
        for slot in venue.listing.order where venue.listing[slot].isBookServed {
            let listed = venue.listing[slot]
            let answer = try reader.get("/last-trade-price?token_id=\(listed.market.first.token)").value
            guard listed.lastTrade != .none else { continue }
            #expect(answer["price"]?.micros == Decimal6.parse(listed.lastTrade.text))
            sides.insert(try #require(answer["side"]?.string))
        }
        #expect(sides == ["BUY", "SELL"])
    }

    @Test func theLegacyFeeIsAThousandOrNothing() throws {
        var fees: Set<Int64> = []
        for slot in self.reader.listing.order where self.reader.listing[slot].isBookServed {
            let market = self.reader.listing[slot].market
            let answer = try self.reader.get("/fee-rate?token_id=\(market.first.token)").value
            let fee = try #require(answer["base_fee"]?.integer)
            #expect((fee == 0) == (market.feeRate == 0))
            fees.insert(fee)
        }
        #expect(fees == [0, 1_000])
    }
}
