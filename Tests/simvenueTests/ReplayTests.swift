import Compression
import Glibc
import Shared
import Testing

@testable import simvenue

struct ReplayTests {
    /// What a recorder of a live venue would write, with the frames that it heard.
    private func capture(seconds: Int64) throws -> (file: [UInt8], frames: [[UInt8]]) {
        var venue = SimulatedVenue(settings(3, rate: 200), at: someTime)
        var writer = JSONWriter()
        writer.array { writer in
            for slot in venue.listing.order where venue.listing[slot].isTradable(at: Timestamp(milliseconds: someTime))
            {
                for outcome in 0..<2 {
                    MarketMessages.book(venue.listing[slot], outcome: outcome, isAfterTrade: false, to: &writer)
                }
            }
        }
        var frames = [writer.bytes]
        var times = [someTime]
        var batch = MessageBatch()
        for step in 1...seconds * 100 {
            batch.clear()
            venue.advance(to: someTime + step * 10, messageCountMax: .max, into: &batch)
            for entry in batch.entries where !entry.audience.needsFeatures {
                frames.append(Array(batch.bytes[entry.range]))
                times.append(someTime + step * 10 + 3)
            }
        }
        var file: [UInt8] = []
        for (index, frame) in frames.enumerated() {
            file += Array(#"{"f":\#(index), "recv_ms":\#(times[index]), "raw": "#.utf8) + frame + Array(" }\n".utf8)
        }
        return (file, frames)
    }

    @Test func aRecordingGoesOutByteForByteAtItsPace() throws {
        let (file, frames) = try self.capture(seconds: 4)
        var venue = ReplayVenue(try Recording(parsing: file), speed: 2, at: 1_000_000)
        #expect(venue.listing.order.count == 3)
        var batch = MessageBatch()
        venue.advance(to: 2_000_000, messageCountMax: .max, into: &batch)
        #expect(batch.isEmpty && venue.nextTime == nil, "nobody listens yet")
        venue.noteSubscription(slot: 0, at: 2_000_000)
        venue.advance(to: 2_001_000, messageCountMax: .max, into: &batch)
        let half = batch.count
        #expect(half > frames.count / 3 && half < frames.count * 2 / 3)
        venue.pause(at: 2_001_000)
        venue.advance(to: 2_900_000, messageCountMax: .max, into: &batch)
        #expect(batch.count == half)
        venue.resume(at: 2_900_000)
        venue.advance(to: 2_901_010, messageCountMax: .max, into: &batch)
        #expect(batch.entries.map { Array(batch.bytes[$0.range]) } == frames)
        #expect(venue.nextTime == nil)
    }

    @Test func aRecordingMayBeCompressedAndEndAnywhere() throws {
        let (file, frames) = try self.capture(seconds: 1)
        let end = try #require(file[..<(file.count / 2)].lastIndex(of: UInt8(ascii: "\n"))) + 1
        let halves = [file[..<end], file[end...]].map { half in
            half.withUnsafeBufferPointer { GzipBlocks().block(of: $0) }
        }
        var template = Array("/tmp/polybot-recording-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        defer {
            close(descriptor)
            unlink(path)
        }
        let whole = halves[0] + halves[1]
        try #require(write(descriptor, whole, whole.count) == whole.count)
        #expect(try RecordingFile.read(path) == file)
        // A bound holds for what comes out.
        #expect(try RecordingFile.read(path, byteCountMax: 1_000).count > 1_000)
        try #require(ftruncate(descriptor, off_t(halves[0].count + halves[1].count / 2)) == 0)
        var problems: [RecordingProblem] = []
        let torn = try RecordingFile.read(path) { problems.append($0) }
        #expect(file.starts(with: torn) && torn.count >= end && torn.count < file.count && torn.last == 10)
        #expect(problems == [RecordingProblem(sentence: "its last block is not whole")])
        let played = try Recording(parsing: torn).frames.count
        #expect(played >= frames.count / 3 && played < frames.count)
    }

    @Test func aMarketsTermsAreThoseThatTheRecorderTells() throws {
        let (file, _) = try self.capture(seconds: 1)
        let found = try #require(try Recording(parsing: file).markets.first)
        let second = try #require(found.second)
        // The outcomes change places: the order of first books says nothing of it.
        var terms = Market(
            condition: found.condition, slug: "s", question: "q", first: Outcome(label: "Yes", token: second),
            second: Outcome(label: "No", token: found.first), tick: .cent, sizeMin: Quantity(shares: 15),
            isNegRisk: true,
            event: "e", startTime: nil, endTime: Timestamp(milliseconds: 1), feeRate: 10, feeExponent: 2,
            hasTakerDelay: false, rewards: nil, settlement: .other, asset: nil)
        func line(_ market: Market) -> [UInt8] {
            var writer = JSONWriter()
            MarketBody(n: 3, market: market).write(to: &writer)
            return Array(#"{"f":0,"recv_ms":1,"event":"terms","terms":"#.utf8) + writer.bytes
                + Array(#","raw":null}"#.utf8)
                + [UInt8(ascii: "\n")]
        }
        let early = line(terms)
        terms.sizeMin = Quantity(shares: 20)
        let recording = try Recording(parsing: early + file + line(terms))
        #expect(recording.frames.count == (try Recording(parsing: file).frames.count))
        let venue = ReplayVenue(recording, speed: 1, at: someTime)
        let listed = try #require(
            venue.listing.order.map { venue.listing[$0].market }.first { $0.condition == found.condition })
        #expect(listed.first == terms.first && listed.second == terms.second && listed.isNegRisk)
        #expect(listed.sizeMin == Quantity(shares: 20) && listed.feeRate == 10 && listed.feeExponent == 2)
        #expect(listed.endTime > Timestamp(milliseconds: someTime), "a market of last year is open all the same")
        let broken = Array(#"{"f":0,"recv_ms":1,"terms":{"n":1},"raw":null}"#.utf8) + [UInt8(ascii: "\n")] + file
        #expect(throws: RecordingProblem.self) { _ = try Recording(parsing: broken) }
    }

    @Test func whoComesLaterFindsTheBooksAsTheyAreThen() throws {
        let (file, frames) = try self.capture(seconds: 4)
        var venue = ReplayVenue(try Recording(parsing: file), speed: 0, at: someTime)
        #expect(venue.listing.order.allSatisfy { !venue.listing[$0].isBookServed })
        venue.noteSubscription(slot: 0, at: someTime)
        var follower = Follower()
        var batch = MessageBatch()
        follower.meet(venue.listing)
        for frame in frames { follower.read(frame) }
        venue.advance(to: someTime, messageCountMax: .max, into: &batch)
        for slot in venue.listing.order {
            let listed = venue.listing[slot]
            #expect(follower.book(of: listed.market.condition).map { Follower.equal($0, listed.book) } == true)
            // The hashes are the recorded ones: those of the newest delta of each outcome.
            for outcome in 0..<2 {
                let hash = listed.hash(outcome: outcome).description
                let newest = frames.last {
                    String(decoding: $0, as: UTF8.self).contains(#"\#(listed.market.condition)""#)
                        && String(decoding: $0, as: UTF8.self).contains("price_changes")
                }
                #expect(newest.map { String(decoding: $0, as: UTF8.self).contains(hash) } == true)
            }
        }
    }

    @Test func aRecordingCrossesTheWireUnchanged() async throws {
        let (file, frames) = try self.capture(seconds: 3)
        let recording = try Recording(parsing: file)
        let tokens = recording.markets.flatMap { [$0.first, $0.second].compactMap { $0 } }
        let core: @Sendable (Int64) -> any VenueCore = { ReplayVenue(recording, speed: 0, at: $0) }
        try await withServer(core) { port in
            let client = try VenueClient(port: port)
            #expect(try client.upgrade() == 101)
            try client.subscribe(tokens)
            #expect(try client.readText() == Array("[]".utf8))
            for frame in frames { #expect(try client.readText() == frame) }
            // The same, found through discovery, by one who comes after the end.
            let markets = try VenueClient(port: port).json("/markets/keyset")["markets"]?.array ?? []
            #expect(markets.count == 3 && markets.allSatisfy { $0["slug"]?.string?.hasPrefix("replay-") == true })
            let late = try VenueClient(port: port)
            #expect(try late.upgrade() == 101)
            try late.subscribe(tokens)
            #expect(try JSONValue(parsing: try late.readText()).array?.count == 6)
        }
    }

    @Test func whatIsNoRecordingIsRefusedWithTheLine() {
        func sentence(_ text: String) -> String {
            do {
                _ = try Recording(parsing: Array(text.utf8))
                return ""
            } catch { return error.sentence }
        }
        #expect(sentence("") == "it holds no frames")
        #expect(sentence("{}").contains("no frame in it names a market"))
        #expect(sentence("{\"raw\":[]}\n\n{\"raw\"").contains("line 3"))
        #expect(sentence("{\"raw\":\"PONG\"}\n") == "it holds no frames")
    }

    /// Real captures; recorded data stays outside the repository.
    private static let captures: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/../shared/samples/ws-capture"
    }()

    @Test(
        .enabled(if: access(captures, R_OK) == 0, "the recorded samples beside the repository are absent"),
        arguments: ["book_btc_updown_5m.json", "price_change_batch_same_hash.jsonl", "trade_sequence.jsonl"])
    func realCapturesAreServedUnchanged(name: String) throws {
        let file = try RecordingFile.read("\(Self.captures)/\(name)")
        var venue = ReplayVenue(try Recording(parsing: file), speed: 0, at: someTime)
        venue.noteSubscription(slot: 0, at: someTime)
        var batch = MessageBatch()
        venue.advance(to: someTime, messageCountMax: .max, into: &batch)
        let text = String(decoding: file, as: UTF8.self)
        #expect(!batch.isEmpty)
        for index in batch.entries.indices { #expect(text.contains(batch.text(at: index))) }
        let listed = venue.listing[0]
        #expect(listed.market.first.token.description.hasPrefix("2151378"))
        // Where a book was shown, its hash after the last frame is the one that the real venue told.
        if listed.isBookServed {
            #expect(batch.text(at: batch.count - 1).contains(listed.hash(outcome: 0).description))
        }
    }
}
