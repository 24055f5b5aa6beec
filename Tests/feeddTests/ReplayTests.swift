import DaemonKit
import Glibc
import Shared
import Testing

@testable import feedd

/// A raw journal in the place of the network: whoever listens gets what was published when it was recorded.
@Suite struct ReplayTests {
    /// Records a storm, and what a subscriber saw of it.
    ///
    /// - Parameter hashPercent: with 0 all hashes are left out that can be.
    private func record(
        seed: UInt64, steps: Int, hashPercent: Int = 25
    ) async throws -> (feed: FeedHarness, tape: [String]) {
        let feed = try await FeedHarness {
            $0.feed.journal = true
            $0.feed.hashBudgetPercent = hashPercent
        }
        let subscriber = try await PublishedTape(feed)
        let universe = UniverseBody(markets: [.example()], age: 0)
        try await feed.run { feed in
            try feed.hear(universe)
            feed.connections[0].onOpened()
            feed.connections[1].onOpened()
        }
        try await feed.run { feed in
            var storm = ReplayStorm(seed: seed)
            let carried = feed.market(storm.venue.market.condition)
            let market = try #require(carried)
            for connection in 0...1 { feed.hear(storm.venue.bookText(outcome: 0), on: connection) }
            for _ in 0..<steps { storm.step(feed, market) }
        }
        // To the very end: a clock may still have decided something. But who stops gives up what the kernel does not take at once.
        try await subscriber.wait { await feed.run { !$0.server.isBehind } }
        await feed.service.stop()
        return (feed, try await subscriber.toTheEnd())
    }

    private func play(_ path: String, _ speed: ReplaySpeed) async throws -> (tape: [String], log: [String]) {
        let feed = try await FeedHarness(replay: (path, speed))
        let subscriber = try await PublishedTape(feed)
        try await subscriber.waitForEnd(of: feed)
        let tape = try await subscriber.whole(feed)
        let log = feed.log.all
        await feed.stop()
        return (tape, log)
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64], [25, 0])
    func whatWasPublishedIsPublishedAgain(seed: UInt64, hashPercent: Int) async throws {
        let (feed, whole) = try await self.record(seed: seed, steps: 400, hashPercent: hashPercent)
        let (wholePlayed, log) = try await self.play(feed.directory, .max)
        // Of several prices only the newest need come, and it may come between others of the venue's frames.
        func isPrice(_ line: String) -> Bool { line.hasPrefix("reference_price") }
        #expect(whole.last(where: isPrice) == wholePlayed.last(where: isPrice) && whole.contains(where: isPrice))
        let (recorded, played) = (whole.filter { !isPrice($0) }, wholePlayed.filter { !isPrice($0) })
        // The end of the playing takes the markets away.
        #expect(played.last?.contains("removed") == true)
        let same = zip(recorded, played).prefix { $0 == $1 }.count
        // Not in the expectation: a failure would print all books.
        let isSame = played.dropLast() == recorded[...]
        #expect(
            isSame,
            "seed \(seed): alike up to frame \(same) of \(recorded.count); recorded \(recorded.dropFirst(same).prefix(2)), played \(played.dropFirst(same).prefix(2))"
        )
        let leftOut = try feed.rawLines().count { $0.contains(#""event":"left_out""#) }
        #expect((leftOut > 50) == (hashPercent == 0), "\(leftOut)")
        #expect(recorded.count > 100 && log.contains("The journal was played to its end"))
        await feed.stop()
    }

    /// Asking for a book may show that the line is gone. Who plays the journal must not be told of that before the text.
    @Test func aLineThatIsFoundLostInTheMidstOfATextIsRecordedAfterIt() async throws {
        let feed = try await FeedHarness { $0.feed.journal = true }
        try await feed.run { feed in
            var venue = VenueModel()
            try feed.hear(UniverseBody(markets: [venue.market], age: 0))
            for connection in 0...1 { feed.hear(venue.bookText(outcome: 0), on: connection) }
            let carried = feed.market(venue.market.condition)
            let market = try #require(carried)
            feed.isReading = true
            feed.lineLost(0, .dropped)
            #expect(market.connection == 0 && market.builder.isTrusted)
            venue.time += 1
            feed.hear(venue.operate(.bid, "0.4", 3), on: 1)
            #expect(market.connection == 1 && market.builder.isTrusted && !feed.isReading)
        }
        await feed.service.stop()
        let lines = try feed.rawLines()
        let text = try #require(lines.firstIndex { $0.contains(#""price_change""#) })
        let dropped = try #require(lines.firstIndex { $0.contains(#""event":"dropped""#) })
        #expect(text < dropped)
        await feed.stop()
    }

    // MARK: Journals as they are found

    /// What a storm left, line by line.
    private func lines(seed: UInt64, steps: Int) async throws -> [String] {
        let (feed, _) = try await self.record(seed: seed, steps: steps)
        defer { Task { await feed.stop() } }
        return try feed.rawLines()
    }

    /// Plays files with these lines, the first of them first.
    private func play(
        files: [[String]], _ speed: ReplaySpeed = .max
    ) async throws -> (tape: [String], log: [String]) {
        let directory = try TestDirectory()
        for (index, lines) in files.enumerated() {
            // Numbers count, not the order of letters.
            let path = "\(directory.path)/raw-20260512T235959Z-\(index + 9).jsonl"
            try directory.write(lines.joined(separator: "\n") + "\n", to: path)
        }
        return try await self.play(directory.path, speed)
    }

    private static func count(_ lines: [String], _ prefix: String) -> Int { lines.count { $0.hasPrefix(prefix) } }

    @Test func runsFollowEachOtherWithoutTheTimeBetweenThem() async throws {
        let first = try await self.lines(seed: 11, steps: 30)
        // The same a day later.
        let second = first.map { $0.replacing(#/"received_time":17/#, with: #""received_time":18"#) }
        let (tape, log) = try await self.play(files: [first, second])
        #expect(Self.count(tape, "market {\"n\":1,") > 0 && Self.count(tape, "market {\"n\":2,") > 0)
        #expect(tape.count { $0.contains("removed") } == 2)
        // Both show the same books.
        let books = [1, 2].map { n in
            tape.filter { $0.contains("\"n\":\(n),") }.map { $0.replacing("\"n\":\(n),", with: "") }
        }
        #expect(books[0] == books[1] && books[0].count > 10)
        #expect(log.contains("The journal was played to its end"))
    }

    @Test func nothingComesBeforeItsTime() async throws {
        let lines = try await self.lines(seed: 12, steps: 3)
        let late = try #require(lines.last).replacing(#/"f":\d+/#, with: "\"f\":\(lines.count)")
        let time = try #require(late.firstMatch(of: #/"received_time":(\d+)/#)?.1)
        let later = late.replacing(time, with: "\(Int64(time)! + 3_000_000)")
        let begin = Instant.now()
        // The time between runs is none.
        let dayLater = lines.map { $0.replacing(#/"received_time":17/#, with: #""received_time":18"#) }
        _ = try await self.play(files: [lines + [later], dayLater], .times(10))
        #expect(Instant.now() - begin >= .milliseconds(300))
    }

    @Test func aMissingLineIsAGapAndNoBookIsTrustedAcrossIt() async throws {
        let lines = try await self.lines(seed: 13, steps: 60)
        var cut = lines
        cut.remove(at: 40)
        let (tape, _) = try await self.play(files: [Array(cut[..<30]), Array(cut[30...])])
        let (whole, _) = try await self.play(files: [lines])
        #expect(Self.count(tape, "trust") > Self.count(whole, "trust"))
        #expect(tape.contains { $0.hasPrefix("trust") && $0.contains("dropped") })
    }

    @Test func whatIsDamagedIsSaidAndPassedOver() async throws {
        let lines = try await self.lines(seed: 14, steps: 60)
        try #require(lines.count > 40, "\(lines.count) lines")
        var damaged = lines
        damaged.insert("what is this", at: 30)
        damaged.insert(#"{"f":3,"recv_ms":1,"connection":99999999,"received_time":1,"raw":[]}"#, at: 31)
        damaged.insert(#"{"f":3,"recv_ms":1,"connection":0,"received_time":1,"event":"dance","raw":null}"#, at: 32)
        damaged.insert(#"{"f":3,"recv_ms":1,"connection":0,"received_time":1,"event":"late","n":7,"raw":null}"#, at: 33)
        damaged.insert(#"{"f":3,"recv_ms":1,"connection":0,"event":"opened","raw":null}"#, at: 34)
        let (tape, log) = try await self.play(files: [damaged])
        let (whole, _) = try await self.play(files: [lines])
        #expect(tape == whole && log.contains("The journal is damaged"))
    }

    @Test func aJournalWhoseFirstFilesAreGoneBeginsWithTheMarketsOfTheNext() async throws {
        let feed = try await FeedHarness { $0.feed.journal = true }
        try await feed.run { feed in try feed.hear(UniverseBody(markets: [.example()], age: 0)) }
        let seed: UInt64 = 15
        let final = try await feed.run { feed in
            var storm = ReplayStorm(seed: seed)
            let carried = feed.market(storm.venue.market.condition)
            let market = try #require(carried)
            for _ in 0..<100 { storm.step(feed, market) }
            // A file ends here.
            feed.recordMarkets()
            for index in 0...1 {
                feed.connections[index].onOpened()
                feed.hear(storm.venue.bookText(outcome: 0), on: index)
            }
            return market.builder.book.levels(.bid)
        }
        await feed.service.stop()
        let lines = try feed.rawLines()
        let start = try #require(lines.lastIndex { $0.contains(#""event":"terms""#) })
        let (tape, _) = try await self.play(files: [Array(lines[start...])])
        #expect(Self.count(tape, "market {\"n\":1,") > 0)
        let book = try #require(tape.last { $0.hasPrefix("book") && $0.contains(#""trusted":true"#) })
        #expect(final.allSatisfy { book.contains("[\($0.price.micros),\($0.size.micros)]") }, "\(book)")
        await feed.stop()
    }

    @Test func aSubscriberThatReadsSlowlyMissesNothingAtFullSpeed() async throws {
        let one = try await self.lines(seed: 16, steps: 200)
        let directory = try TestDirectory()
        let runs = Array(repeating: one, count: 70)
        for (index, lines) in runs.enumerated() {
            try directory.write(
                lines.joined(separator: "\n") + "\n", to: "\(directory.path)/raw-20260512T235959Z-\(index + 1).jsonl")
        }
        let feed = try await FeedHarness(replay: (directory.path, .max))
        let slow = try SlowReader(path: "\(feed.directory)/feedd.sock")
        let count = try await slow.readToEnd(of: feed)
        let counters = await feed.run { $0.server.counters }
        #expect(count > 3 << 19 && counters.isEmpty, "\(count) bytes, \(counters)")
        await feed.stop()
    }

    @Test func wrongFlagsAreRefusedWithASentence() throws {
        func refusal(_ flags: [String: String]) -> String? {
            do throws(DaemonExit) {
                _ = try Feedd.replay(flags)
                return nil
            } catch {
                #expect(error.code == .usage)
                return error.message
            }
        }
        #expect(refusal([:]) == nil)
        #expect(refusal(["--speed": "10"]) == "--speed is the speed of --replay, which is missing.")
        for speed in ["0", "-1", "fast", "nan", "inf", "1e9", ""] {
            #expect(refusal(["--replay": "/", "--speed": speed])?.contains("max or a number") == true, "\(speed)")
        }
        #expect(refusal(["--replay": "/nowhere"]) == "--replay: /nowhere: No such file or directory.")
        #expect(refusal(["--replay": "/dev/null"])?.hasSuffix("it is neither a file nor a directory.") == true)
        let directory = try TestDirectory()
        #expect(
            refusal(["--replay": directory.path])?.hasSuffix(#"there is no file of a journal "raw" in it."#) == true)
        #expect(ReplaySpeed("0.5") == .times(0.5) && ReplaySpeed("max") == .max)
    }
}
