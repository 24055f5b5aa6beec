import CLinux
import Glibc
import Logging
import Shared
import Testing

@testable import DaemonKit

private func record(
    _ message: String, level: Logger.Level = .warning, _ facts: Logger.Metadata = [:], context: Logger.Metadata = [:]
) -> LogRecord {
    let event = LogEvent(
        level: level, message: "\(message)", metadata: facts, source: nil, file: "feedd/FeedService.swift",
        function: "run()", line: 7)
    return LogRecord(
        event, context: context, program: "feedd", time: Timestamp(microseconds: 1_790_000_000_123_456))
}

private func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct LoggingTests {
    @Test func textIsOneReadableLine() {
        let line = record("Books went stale", ["tokens": "3", "why": "no answer", "empty": ""], context: ["peer": "a"])
        #expect(
            string(line.text(colored: false))
                == "2026-09-21T14:13:20.123Z warning feedd: Books went stale empty=\"\" peer=a tokens=3 why=\"no answer\"\n"
        )
        #expect(string(record("x", level: .info).text(colored: true)).contains(" \u{1B}[32minfo\u{1B}[0m feedd: x"))
    }

    @Test func jsonIsOneObjectALine() throws {
        let line = record("Order \"unknown\"", level: .error, ["order": "7", "text": "a\nb"]).json()
        #expect(line.last == UInt8(ascii: "\n"))
        #expect(!line.dropLast().contains(UInt8(ascii: "\n")))
        let object = try JSONValue(parsing: line.dropLast())
        #expect(object["logged_time"]?.integer == 1_790_000_000_123_456)
        #expect(object["level"]?.string == "error")
        #expect(object["daemon"]?.string == "feedd")
        #expect(object["message"]?.string == "Order \"unknown\"")
        #expect(object["facts"]?["text"]?.string == "a\nb")
        #expect(object["facts"]?["order"]?.string == "7")
    }

    @Test func journalEntriesHaveFields() {
        let entry = string(record("Stale", ["market": "0xabc", "Order-Id": "7"]).journalEntry())
        #expect(
            entry == """
                MESSAGE=Stale Order-Id=7 market=0xabc
                PRIORITY=4
                SYSLOG_IDENTIFIER=feedd
                CODE_FILE=feedd/FeedService.swift
                CODE_LINE=7
                CODE_FUNC=run()
                POLYBOT_ORDER_ID=7
                POLYBOT_MARKET=0xabc

                """)
        let lines = record("Stale", ["reason": "a\nPRIORITY=0"]).journalEntry()
        // Name, line end, length in eight bytes, the value as it is: it cannot make a field of its own.
        let wanted = Array("POLYBOT_REASON\n".utf8) + [12, 0, 0, 0, 0, 0, 0, 0] + Array("a\nPRIORITY=0\n".utf8)
        #expect(Array(lines.suffix(wanted.count)) == wanted)
    }

    @Test func sentencesOfTheCatalogueCarryTheirEvent() throws {
        let entry = string(record("Book is not trusted", ["market": "0xabc"]).journalEntry())
        #expect(
            entry.contains(
                "\nPOLYBOT_EVENT=book_distrusted\nMESSAGE_ID=9b5860d9ebfb7694d7539c188d3c86c8\nPOLYBOT_MARKET=0xabc\n"))
        let unmarked = string(record("Order filled").journalEntry())
        #expect(unmarked.contains("\nPOLYBOT_EVENT=order_filled\n") && !unmarked.contains("MESSAGE_ID"))
        let json = try JSONValue(parsing: record("Order filled").json().dropLast())
        #expect(json["event"]?.string == "order_filled")
        #expect(try JSONValue(parsing: record("Order filled twice").json().dropLast())["event"] == nil)
        #expect(string(record("Order filled").text(colored: false)).hasSuffix(" warning feedd: Order filled\n"))
    }

    @Test func levelsBecomeSyslogsSeverities() {
        let severities: [(Logger.Level, Int)] = [
            (.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 2),
        ]
        for (level, severity) in severities {
            #expect(string(record("x", level: level).journalEntry()).contains("\nPRIORITY=\(severity)\n"))
        }
    }

    @Test func whatComesFromOutsideCannotForgeALineOrMoveTheCursor() {
        let line = string(record("a\nb", ["x": "\u{1B}[2J\u{9B}1m", "y\r": "\u{2028}"]).text(colored: false))
        #expect(line.hasSuffix("feedd: a\\nb x=\\u{1b}[2J\\u{9b}1m y\\u{d}=\\u{2028}\n"))
        #expect(line.split(separator: "\n").count == 1)
    }

    @Test func secretsStayUnsaid() {
        let line = record("Signing in", ["api_key": "k1", "Passphrase": "k2"], context: ["PRIVATE_KEY": "k3"])
        for text in [string(line.text(colored: false)), string(line.json()), string(line.journalEntry())] {
            #expect(!text.contains("k1") && !text.contains("k2") && !text.contains("k3"))
            #expect(text.contains("(not shown)"))
        }
    }

    @Test func noLineIsLongerThanAPipeTakesWhole() throws {
        let long = String(repeating: "ä\u{1}", count: 4_000)
        let facts = Dictionary(uniqueKeysWithValues: (0..<50).map { ("fact\($0)", Logger.MetadataValue.string(long)) })
        let line = record(long, facts)
        #expect(line.text(colored: true).count <= LogRecord.lineByteCountMax)
        #expect(String(validating: line.text(colored: true), as: UTF8.self) != nil)
        let json = line.json()
        #expect(json.count <= LogRecord.lineByteCountMax)
        let object = try JSONValue(parsing: json.dropLast())
        #expect(object["facts_dropped"]?.integer ?? 0 > 0)
        #expect(line.journalEntry().count < 65_536)
    }

    @Test func aFullPipeLosesLinesAndNeverWaits() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let output = LogOutput(stream: ends[1])
        var logger = Logger(label: "feedd") { _ in
            DaemonLogHandler(program: "feedd", format: .text, level: .info, output: output)
        }
        logger[metadataKey: "pad"] = "\(String(repeating: "x", count: 900))"
        for _ in 0..<200 { logger.info("Busy") }
        #expect(output.droppedCount > 0)
        let lost = output.droppedCount
        // The pipe's own flags are as they were: whoever shares it still waits if it wants to.
        #expect(fcntl(ends[1], F_GETFL) & O_NONBLOCK == 0)
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        #expect(read(ends[0], &chunk, chunk.count) > 0)
        logger.info("Room again")
        let count = read(ends[0], &chunk, chunk.count)
        let text = string(Array(chunk[..<count]))
        #expect(text.contains("Room again"))
        #expect(text.contains("Log lines were lost because nobody took them lines=\(lost)\n"))
        #expect(output.droppedCount == 0)
        close(ends[1])
    }

    @Test func aReaderThatIsGoneIsNoReasonToFail() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let output = LogOutput(stream: ends[1])
        close(ends[0])
        #expect(output.write([1]) == 0)
        #expect(output.droppedCount == 1)
        close(ends[1])
        let closed = LogOutput(stream: .max)
        #expect(closed.write([1]) == 0)
        #expect(closed.droppedCount == 1)
    }

    @Test func theJournalGetsOneDatagramALine() throws {
        let directory = try DaemonTestDirectory()
        let journal = try DatagramSocket(path: directory.path("journal"))
        let output = try #require(LogOutput(journalSocket: directory.path("journal")))
        let logger = Logger(label: "feedd") { _ in
            DaemonLogHandler(program: "feedd", format: .journal, level: .info, output: output)
        }
        logger.debug("Too quiet")
        logger.warning("Loud", metadata: ["market": "0xabc"])
        let entry = try #require(journal.next())
        #expect(entry.text.hasPrefix("MESSAGE=Loud market=0xabc\nPRIORITY=4\n"))
        #expect(entry.text.contains("\nPOLYBOT_MARKET=0xabc\n"))
        #expect(journal.next() == nil)
        // A journal that stands still fills its socket, and then lines are lost.
        for _ in 0..<5_000 { logger.info("Busy") }
        #expect(output.droppedCount > 0)
        #expect(LogOutput(journalSocket: directory.path("nowhere")) == nil)
    }

    @Test func aBurstThatTheJournalHasNoRoomForIsSentLaterInItsOrder() throws {
        let directory = try DaemonTestDirectory()
        let journal = try DatagramSocket(path: directory.path("journal"))
        let output = try #require(LogOutput(journalSocket: directory.path("journal")))
        for number in 0..<600 { #expect(output.write(Array("\(number)".utf8)) == 0) }
        let deadline = ContinuousClock.now + .seconds(20)
        var next = 0
        while next < 601, ContinuousClock.now < deadline {
            guard let line = journal.next() else {
                journal.withDescriptor {
                    var ask = pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
                    _ = poll(&ask, 1, 100)
                }
                continue
            }
            #expect(line.text == "\(next)")
            next += 1
            // What is logged meanwhile stands behind those that wait.
            if next == 300 { #expect(output.write(Array("600".utf8)) == 0) }
        }
        #expect(next == 601 && output.droppedCount == 0)
    }

    @Test func whatWaitsIsSentAlthoughNobodyLogsAnyMore() throws {
        let directory = try DaemonTestDirectory()
        let journal = try DatagramSocket(path: directory.path("journal"))
        var output = LogOutput(journalSocket: directory.path("journal"))
        for number in 0..<300 { #expect(output?.write(Array("\(number)".utf8)) == 0) }
        output = nil
        let deadline = ContinuousClock.now + .seconds(20)
        var count = 0
        while count < 300, ContinuousClock.now < deadline {
            if journal.next() != nil {
                count += 1
            } else {
                journal.withDescriptor {
                    var ask = pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
                    _ = poll(&ask, 1, 100)
                }
            }
        }
        #expect(count == 300)
    }

    @Test func aJournalThatIsRestartedGetsTheNextLineAndHearsOfTheLost() async throws {
        let directory = try DaemonTestDirectory()
        let path = directory.path("journal")
        var journal: DatagramSocket? = try DatagramSocket(path: path)
        let output = try #require(LogOutput(journalSocket: path))
        let logger = Logger(label: "feedd") { _ in
            DaemonLogHandler(program: "feedd", format: .journal, level: .info, output: output)
        }
        logger.info("Before")
        #expect(journal?.next()?.text.hasPrefix("MESSAGE=Before\n") == true)
        // Dead, but its name is still there; then the name is gone too; then somebody else has it.
        journal = nil
        #expect(await DaemonTest.eventually { !DatagramSocket.isServed(path) })
        logger.info("Refused")
        unlink(path)
        logger.info("Nowhere")
        #expect(output.droppedCount == 2)
        for restart in 1...3 {
            let successor = try DatagramSocket(path: path)
            logger.info("After")
            let first = try #require(successor.next())
            #expect(first.text.hasPrefix("MESSAGE=After\n"))
            let lost = try #require(successor.next())
            #expect(lost.text.contains("MESSAGE=Log lines were lost because nobody took them lines="))
            #expect(lost.text.contains("\nPOLYBOT_EVENT=log_lines_lost\n"))
            #expect(lost.text.contains("\nPOLYBOT_LINES=\(restart == 1 ? 2 : 1)\n"))
            #expect(successor.next() == nil && output.droppedCount == 0)
            // The old one lives on without its name: nobody is to speak to it any more.
            unlink(path)
            logger.info("Between")
            #expect(successor.next() == nil && output.droppedCount == 1)
        }
    }

    @Test func theLargestEntryFitsIntoOneDatagram() throws {
        let directory = try DaemonTestDirectory()
        let journal = try DatagramSocket(path: directory.path("journal"))
        let output = try #require(LogOutput(journalSocket: directory.path("journal")))
        let long = String(repeating: "\u{10FFFF}\n", count: 10_000)
        let facts = (0..<100).map { (String(repeating: "f", count: 100) + "\($0)", Logger.MetadataValue.string(long)) }
        let event = LogEvent(
            level: .error, message: "\(long)", metadata: Dictionary(uniqueKeysWithValues: facts), source: nil,
            file: long,
            function: long, line: .max)
        let entry = LogRecord(event, context: [:], program: "scannerd", time: .now()).journalEntry()
        #expect(entry.count > 32 * LogRecord.textByteCountMax)
        #expect(output.write(entry) == 0 && output.droppedCount == 0)
        #expect(journal.next()?.text.utf8.count == entry.count)
    }

    @Test func autoIsTheJournalOnlyWhereStandardErrorLeadsThere() throws {
        var status = stat()
        try #require(fstat(2, &status) == 0)
        #expect(LogFormat.auto.resolved(stream: "\(status.st_dev):\(status.st_ino)") == .journal)
        #expect(LogFormat.auto.resolved(stream: "1:2") == .text)
        #expect(LogFormat.auto.resolved(stream: nil) == .text)
        #expect(LogFormat.json.resolved(stream: "\(status.st_dev):\(status.st_ino)") == .json)
    }
}
