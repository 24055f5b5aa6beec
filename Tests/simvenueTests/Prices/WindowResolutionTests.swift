import Shared
import Testing

@testable import simvenue

/// Windows resolve by prices that everybody can see.
struct WindowResolutionTests {
    /// What the market channel said: the winning label, by condition.
    private func winners(_ batch: MessageBatch) throws -> [String: String] {
        var winners: [String: String] = [:]
        for index in batch.entries.indices {
            guard batch.text(at: index).hasPrefix(#"{"event_type":"market_resolved""#) else { continue }
            let message = try JSONValue(parsing: Array(batch.text(at: index).utf8))
            winners[message["market"]?.string ?? ""] = message["winning_outcome"]?.string
        }
        return winners
    }

    @Test(arguments: [7, 8] as [UInt64])
    func aWinnerIsKnownToWhoeverFollowsPolyBoltAlone(seed: UInt64) throws {
        var venue = SimulatedVenue(settings(75, rate: 2, seed: seed), at: someTime)
        var session = PolyBoltSession(openedAt: someTime)
        var client = PolyBoltClient()
        var batch = MessageBatch()
        func hand(_ text: String) {
            var actions: [ChannelAction] = []
            session.receive(.text(Array(text.utf8)), at: someTime, venue.prices, accepts: { _ in true }, into: &actions)
            client.read(actions)
        }
        hand("{\"op\":\"auth\",\"auth\":\(someCredentials)}")
        let symbols = ReferenceAsset.all.map(\.dollarSymbol)
        hand(polyBoltSubscription(symbols.map { ("price.crypto.twap", $0) } + symbols.map { ("price.crypto", $0) }))
        for second in 1...1_000 {
            let time = someTime + Int64(second) * 1_000
            venue.advance(to: time, messageCountMax: .max, into: &batch)
            var actions: [ChannelAction] = []
            session.receive(.pong, at: time, venue.prices, accepts: { _ in true }, into: &actions)
            client.read(actions)
        }
        #expect(client.problems.prefix(3) == [])
        let winners = try self.winners(batch)
        var checkedCount = 0
        for slot in venue.listing.order {
            let listed = venue.listing[slot]
            guard case .window(let asset, let length, let start) = listed.kind, listed.isClosed else { continue }
            let winner = try #require(winners[listed.market.condition.description])
            guard let strike = client.price("price.crypto.twap", symbols[asset], start),
                let final = client.price("price.crypto.twap", symbols[asset], start + length)
            else { continue }
            #expect(winner == (final >= strike ? "Up" : "Down"), "\(listed.market.slug), seed \(seed)")
            #expect(listed.priceToBeat?.units == strike)
            // The average that is sent is that of the prices that are sent.
            let seconds = (start + length - 59...start + length).compactMap {
                client.price("price.crypto", symbols[asset], $0)
            }
            #expect(seconds.count == 60 && seconds.reduce(0, +) / 60 == final)
            checkedCount += 1
        }
        #expect(checkedCount >= 12)
    }

    @Test func anHourlyWinnerIsKnownToWhoeverFollowsTheCandlesAlone() throws {
        var settings = settings(100, rate: 0)
        settings.listing = .full
        var venue = SimulatedVenue(settings, at: someTime)
        let names = ReferenceAsset.all.map { "\($0.pair)@kline_1h" }.joined(separator: "/")
        let request = try #require(PageRequest(method: "GET", target: "/ws/\(names)"))
        var session = BinanceSession(try #require(BinanceTarget(request)), openedAt: someTime)
        var client = CandleClient()
        var batch = MessageBatch()
        /// Hourly windows that were listed, by condition.
        var windows: [String: (asset: Int, start: Int64, strike: Int64?)] = [:]
        for second in stride(from: Int64(5), through: 75 * 60, by: 5) {
            let time = someTime + second * 1_000
            venue.advance(to: time, messageCountMax: .max, into: &batch)
            var actions: [ChannelAction] = []
            session.receive(.pong, at: time, venue.prices, accepts: { _ in true }, into: &actions)
            client.read(actions)
            for slot in second % 60 == 0 ? venue.listing.order : [] {
                let listed = venue.listing[slot]
                guard case .window(let asset, 3_600, let start) = listed.kind else { continue }
                windows[listed.market.condition.description] = (asset, start, listed.priceToBeat?.units)
            }
        }
        let winners = try self.winners(batch)
        var checkedCount = 0
        for (condition, window) in windows {
            guard let winner = winners[condition] else { continue }
            let pair = ReferenceAsset.all[window.asset].pair.uppercased()
            let candle = try #require(client.ended[pair]?[window.start])
            let open = try #require(CandleClient.units(candle.open))
            let close = try #require(CandleClient.units(candle.close))
            #expect(winner == (close >= open ? "Up" : "Down"))
            #expect(window.strike == open)
            checkedCount += 1
        }
        #expect(checkedCount == 8)
    }

    @Test func gammaShowsThePriceToBeatSomeSecondsLate() throws {
        var venue = SimulatedVenue(settings(10, rate: 0), at: someTime)
        var batch = MessageBatch()
        func shown() throws -> String? {
            let slug = "btc-updown-5m-\(someTime / 1_000 + 60)"
            let request = try #require(PageRequest(method: "GET", target: "/events/slug/\(slug)"))
            let answer = try #require(GammaPages.answer(request, venue.listing))
            guard case .number(let text) = try JSONValue(parsing: answer.body)["eventMetadata"]?["priceToBeat"] else {
                return nil
            }
            return text
        }
        let start = someTime + 60_000
        venue.advance(to: start + SimulatedVenue.strikeDelay - 1, messageCountMax: .max, into: &batch)
        #expect(try shown() == nil)
        venue.advance(to: start + SimulatedVenue.strikeDelay, messageCountMax: .max, into: &batch)
        let strike = venue.prices[0].latent.twap(seconds: 60, endingAt: start / 1_000)
        #expect(try shown() == strike?.number && strike != nil)
        venue.advance(to: start + 300_000, messageCountMax: .max, into: &batch)
        #expect(try shown() == strike?.number, "an ended window shows it still")
    }

    /// Chances are honest: of those that are given some chance, as many win.
    @Test func chancesAreKept() {
        struct Tally {
            var expected = 0.0
            var won = 0.0
            var variance = 0.0
            var count = 0
        }
        let begin: Int64 = 1_795_539_600_000
        var prices = ReferencePrices(seed: 11, from: begin, to: begin)
        /// Milliseconds from a window's start: before it, within, and while its end is averaged.
        let moments: [Int64] = [-100_000, -31_500, -200, 500, 120_000, 239_900, 262_300, 285_000, 297_700]
        var tallies = [[Tally]](repeating: [Tally](repeating: Tally(), count: 3), count: moments.count)
        for index in 1...180 {
            let start = begin / 1_000 + Int64(index) * 900
            for asset in prices.assets.indices {
                var window = PricedWindow(WindowFamily(asset: asset, length: 300), start: start)
                var chances: [Double] = []
                for moment in moments {
                    if moment > 0, window.strike == nil {
                        prices.walk(asset, to: start * 1_000)
                        window.open(prices[asset])
                    }
                    prices.walk(asset, to: start * 1_000 + moment)
                    chances.append(window.chanceOfUp(prices[asset], at: start * 1_000 + moment))
                }
                prices.walk(asset, to: window.end * 1_000)
                let isUp = window.winner(prices[asset]) == 0
                for (place, chance) in chances.enumerated() {
                    let bucket = chance < 0.35 ? 0 : chance <= 0.65 ? 1 : 2
                    tallies[place][bucket].expected += chance
                    tallies[place][bucket].won += isUp ? 1 : 0
                    tallies[place][bucket].variance += chance * (1 - chance)
                    tallies[place][bucket].count += 1
                }
            }
        }
        for (place, buckets) in tallies.enumerated() {
            for tally in buckets {
                let deviation = abs(tally.won - tally.expected) / max(1, tally.variance.squareRoot())
                #expect(deviation < 3.5, "\(moments[place]) ms: \(tally)")
            }
        }
        #expect(tallies[0][1].count == 720, "long before the start nothing is known")
        #expect(tallies[8][1].count < 60, "just before the end nearly all is known")
    }
}
