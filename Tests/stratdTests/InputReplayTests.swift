import DaemonKit
import Glibc
import Shared
import Testing

@testable import stratd

/// The input journal, and what running it again finds.
@Suite struct InputReplayTests {
    private static func eventually(_ condition: () throws -> Bool) async throws -> Bool {
        let deadline = Instant.now() + .seconds(30)
        while try !condition() {
            guard Instant.now() < deadline else { return false }
            try await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    /// A directory with the journal of a session.
    private static func directory(seed: UInt64, count: Int = 1_000) throws -> (InputDirectory, InputSession) {
        let session = InputSession(seed: seed, count: count)
        let directory = try InputDirectory()
        let journal = try directory.journal()
        session.write(to: journal)
        journal.file.close()
        return (directory, session)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func asItWasDecidedItIsDecidedAgain(seed: UInt64) throws {
        let (directory, session) = try Self.directory(seed: seed)
        let command = try directory.replay()
        #expect(command.failure == nil && command.problems.isEmpty, "SIMULATION_SEED=\(seed) \(command.text)")
        let counts = command.replay.counts
        #expect(counts.inputs == Int64(session.steps.count) && counts.runs == 1)
        #expect(counts.decisions > 500 && counts.updates > 200 && counts.gaps == 0 && counts.skipped == 0)
        #expect(command.replay.engine.map { InputSession.bytes($0) } == InputSession.bytes(session.end))
        let json = try JSONValue(parsing: command.json)
        #expect(json["equal"]?.bool == true && json["inputs"]?.integer == counts.inputs)
        var status = stat()
        #expect(stat(try #require(directory.files.first), &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func aFrameIsKeptAsItCame() throws {
        let directory = try InputDirectory()
        let journal = try directory.journal()
        var engine = InputSession(identity: .paper).start
        journal.noteState(engine, now: at(0))
        // With members that nobody knows, and a line end between two of them.
        let body = #"{"n":1,"later":[true],"# + "\n" + #""epoch":0,"trusted":false,"reason":"silent"}"#
        let input = EngineInput.feed(.trust(distrust(.one(1), epoch: 0)), sentTime: at(5).time)
        Array(body.utf8).withUnsafeBufferPointer {
            let status = EngineInput.feed(.alive, sentTime: at(6).time)
            journal.note(status, frame: $0, engine.apply(status, now: at(6)), now: at(6))
            journal.note(input, frame: $0, engine.apply(input, now: at(7)), now: at(7))
        }
        journal.file.close()
        let line = try #require(try directory.lines().last)
        let kept = #""body":{"n":1,"later":[true], "epoch":0,"trusted":false,"reason":"silent"}}"#
        #expect(line.hasPrefix(#"{"f":2,"i":7000000,"t":"#) && line.hasSuffix(kept), "\(line)")
        #expect(try directory.replay().failure == nil)
    }

    @Test(arguments: [1, 2] as [UInt64])
    func anInputThatWasChangedIsNamed(seed: UInt64) throws {
        let (directory, _) = try Self.directory(seed: seed)
        var lines = try directory.lines()
        let index = try #require(
            lines.firstIndex { $0.contains(#""in":"book""#) && $0.contains(#""action":"quote""#) })
        // It is of another market's; the answer stays.
        var line = Array(lines[index].utf8)
        let mark = Array(#""body":{"n":"#.utf8)
        let place = try #require(line.indices.first { line[$0...].starts(with: mark) }) + mark.count
        line[place] = UInt8(ascii: "9")
        lines[index] = String(decoding: line, as: UTF8.self)
        try directory.replace(with: lines)
        let command = try directory.replay()
        let difference = try #require(command.replay.difference)
        #expect(command.failure?.code == .different && difference.line == Int64(index))
        #expect(difference.expected != difference.got && difference.expected != nil)
        #expect(difference.input.contains(#""in":"book","sent":"#) && difference.input.hasSuffix("}}"))
        #expect(command.text.contains("expected  {") && command.text.contains("got       "), "\(command.text)")
        let json = try JSONValue(parsing: command.json)
        #expect(json["equal"]?.bool == false && json["difference"]?["line"]?.integer == difference.line)
    }

    @Test func anAnswerThatWasChangedIsFound() throws {
        let (directory, _) = try Self.directory(seed: 5)
        var lines = try directory.lines()
        let index = try #require(lines.lastIndex { $0.contains(#""submit":{"order":"o"#) })
        lines[index] = lines[index].split(separator: #""post_only":true"#, omittingEmptySubsequences: false)
            .joined(separator: #""post_only":false"#)
        try directory.replace(with: lines)
        let difference = try #require(try directory.replay().replay.difference)
        #expect(difference.line == Int64(index))
        #expect(difference.expected?.contains(#""post_only":false"#) == true)
        #expect(difference.got?.contains(#""post_only":true"#) == true)
    }

    @Test func aDamagedPlaceIsToldAndTheRestIsNot() throws {
        let (directory, session) = try Self.directory(seed: 2, count: 4_000)
        let path = try #require(directory.files.first)
        var bytes = try directory.bytes(of: path)
        // In the first block of several.
        bytes[1_000] ^= 0x40
        try directory.write(bytes, to: path)
        let command = try directory.replay()
        #expect(command.failure?.code == .unreadable && command.problemCount == 1, "\(command.problems)")
        #expect(command.problems.first?.contains("a block is damaged") == true)
        #expect(command.replay.difference == nil && command.replay.counts.inputs < Int64(session.steps.count))
        // A line that is none.
        var lines = try Self.directory(seed: 2).0.lines()
        lines[40] = #"{"f":40,"i":1,"t":1,"in":"unheard_of"}"#
        try directory.replace(with: lines)
        let other = try directory.replay()
        #expect(other.failure?.code == .unreadable && other.problemCount == 1)
        // Nothing is guessed after it: there is no whole engine there.
        #expect(other.replay.counts.inputs == 39 && other.replay.counts.skipped > 100, "\(other.text)")
    }

    @Test func aTornTailIsNoDamage() throws {
        let (directory, _) = try Self.directory(seed: 3)
        let path = try #require(directory.files.first)
        // A second start, which is killed while it writes.
        let session = InputSession(seed: 8, count: 300)
        let journal = try directory.journal()
        session.write(to: journal)
        journal.file.close()
        let whole = try directory.replay()
        #expect(whole.failure == nil && whole.replay.counts.runs == 2, "\(whole.text)")
        let bytes = try directory.bytes(of: path)
        try directory.write(Array(bytes.dropLast(11)), to: path)
        let torn = try directory.replay()
        #expect(torn.failure == nil && torn.tornCount == 1 && torn.problemCount == 0, "\(torn.text)")
        #expect(torn.replay.counts.inputs >= 1_000)
        // The next start mends it and goes on.
        let third = try directory.journal()
        InputSession(seed: 9, count: 100).write(to: third)
        third.file.close()
        let mended = try directory.replay()
        #expect(mended.failure == nil && mended.tornCount == 0 && mended.replay.counts.runs >= 2, "\(mended.text)")
    }

    @Test func withoutItsFirstFilesItBeginsWhereItCan() async throws {
        let directory = try InputDirectory()
        let journal = try directory.journal()
        var session = InputSession(seed: 4, count: 400)
        session.write(to: journal)
        #expect(try await Self.eventually { journal.file.status.lineCount > 400 })
        var engine = session.end
        func step(_ input: EngineInput) {
            session.take(input)
            journal.note(input, engine.apply(input, now: session.now), now: session.now)
        }
        // A new day begins a new file, and the state follows with the next second.
        session.wait(.seconds(86_400))
        step(.tick(isHaltFilePresent: false))
        #expect(try await Self.eventually { directory.files.count == 2 && journal.file.status.fileNumber == 2 })
        step(.tick(isHaltFilePresent: false))
        session.wait(.seconds(1))
        journal.noteState(engine, now: session.now)
        for _ in 0..<50 {
            session.wait(.seconds(1))
            step(.tick(isHaltFilePresent: false))
            step(.command(.explain(condition(1))))
        }
        journal.file.close()
        // Whole, the state is compared as well.
        let whole = try directory.replay()
        #expect(whole.failure == nil && whole.replay.counts.states == 1 && whole.replay.counts.skipped == 0)
        unlink(try #require(directory.files.first))
        let rest = try directory.replay()
        #expect(rest.failure == nil && rest.replay.counts.inputs == 100, "\(rest.text)")
        #expect(rest.replay.counts.skipped == 2 && rest.replay.counts.decisions >= 50)
    }

    @Test func aStateThatIsAnotherIsFound() async throws {
        let directory = try InputDirectory()
        let journal = try directory.journal()
        let session = InputSession(seed: 4, count: 100)
        session.write(to: journal)
        var other = session.end
        _ = other.apply(.clockSkew(.milliseconds(1_234)), now: session.now)
        journal.noteState(other, now: session.now.after(InputJournal.stateInterval))
        journal.file.close()
        let difference = try #require(try directory.replay().replay.difference)
        #expect(difference.input == "state" && difference.expected?.contains(#""clock_skew":1234000000"#) == true)
    }

    @Test func aFullDiskCostsLinesAndNothingElse() async throws {
        let directory = try InputDirectory()
        let journal = try directory.journal()
        var session = InputSession(seed: 6, count: 300)
        session.write(to: journal)
        #expect(try await Self.eventually { journal.file.status.lineCount > 300 })
        directory.disk.isFull = true
        var engine = session.end
        func step(_ input: EngineInput) {
            session.take(input)
            journal.note(input, engine.apply(input, now: session.now), now: session.now)
        }
        step(.command(.resume))
        #expect(try await Self.eventually { journal.file.status.failure != nil })
        #expect(journal.file.status.failure?.contains("No space") == true && journal.file.status.droppedCount == 1)
        // No state is tried while the disk is full.
        session.wait(.seconds(60))
        journal.noteState(engine, now: session.now)
        #expect(journal.file.status.droppedCount == 1)
        directory.disk.isFull = false
        #expect(try await Self.eventually { journal.file.status.failure == nil })
        session.wait(.seconds(1))
        journal.noteState(engine, now: session.now)
        for _ in 0..<20 { step(.tick(isHaltFilePresent: false)) }
        journal.file.close()
        let command = try directory.replay()
        #expect(command.failure == nil && command.replay.counts.gaps == 1, "\(command.text)")
        #expect(command.replay.counts.inputs == 320 && command.replay.counts.skipped == 0)
    }

    // MARK: At a time

    @Test(arguments: [1, 2, 3] as [UInt64])
    func anyTimeCanBeAskedFor(seed: UInt64) throws {
        let session = InputSession(seed: seed, count: 600)
        let directory = try InputDirectory()
        let journal = try directory.journal()
        session.write(to: journal)
        journal.file.close()
        var random = SeededRandom(seed: seed)
        for _ in 0..<5 {
            let wanted = session.steps[Int.random(in: 0..<600, using: &random)].now.time
            var engine = session.start
            for step in session.steps.prefix(while: { $0.now.time <= wanted }) {
                _ = engine.apply(step.input, now: step.now)
            }
            let asked = try ExplainCommand(time: wanted, paths: directory.files).engine()
            #expect(InputSession.bytes(asked.engine) == InputSession.bytes(engine), "SIMULATION_SEED=\(seed)")
            #expect(asked.moment.time == wanted && asked.replay.difference == nil)
        }
        // Until the next second would have come it is as at the end; later, and before the beginning, nobody knows.
        let end = session.steps[599].now
        let late = try ExplainCommand(time: end.time + .seconds(3), paths: directory.files).engine()
        #expect(late.moment == end.after(.seconds(3)))
        let words = Self.refusal(at: end.time + .milliseconds(3_001), directory)
        #expect(words?.contains("its last line before is of \(end.time.rfc3339)") == true, "\(words ?? "")")
        let early = Self.refusal(at: testStart + .seconds(-1), directory)
        #expect(early?.contains("it begins later") == true, "\(early ?? "")")
    }

    /// Why nothing is told of a time.
    private static func refusal(at time: Timestamp, _ directory: InputDirectory) -> String? {
        do throws(DaemonExit) { _ = try ExplainCommand(time: time, paths: directory.files).engine() } catch {
            #expect(error.code == .unreachable)
            return error.message
        }
        return nil
    }

    @Test func betweenTwoRunsNothingIsKnown() throws {
        let (directory, session) = try Self.directory(seed: 2)
        let last = try #require(session.steps.last).now
        let journal = try directory.journal()
        var engine = session.start
        let start = last.after(.seconds(3_600))
        journal.noteState(engine, now: start)
        for second in 1...5 as ClosedRange<Int64> {
            let (tick, now) = (EngineInput.tick(isHaltFilePresent: false), start.after(.seconds(second)))
            journal.note(tick, engine.apply(tick, now: now), now: now)
        }
        journal.file.close()
        let words = Self.refusal(at: last.time + .seconds(1_800), directory)
        #expect(words?.contains("its last line before is of \(last.time.rfc3339)") == true, "\(words ?? "")")
        // A start is no gap.
        #expect(Self.refusal(at: last.time + .seconds(1), directory) == nil)
        #expect(Self.refusal(at: start.time + .seconds(2), directory) == nil)
    }

    @Test func aTimeWhoseLinesWereLostIsNotAnswered() throws {
        let (directory, session) = try Self.directory(seed: 2)
        let steps = session.steps
        let index = try #require(
            (500..<990).first {
                steps[$0].now.time < steps[$0 + 1].now.time && steps[$0 + 1].now.time < steps[$0 + 2].now.time
            })
        var lines = try directory.lines()
        // The state is the first line.
        lines.remove(at: index + 2)
        #expect(Self.refusal(at: steps[index].now.time, directory) == nil)
        try directory.replace(with: lines)
        #expect(Self.refusal(at: steps[400].now.time, directory) == nil)
        let words = Self.refusal(at: steps[index].now.time, directory)
        #expect(words?.contains("has a gap around") == true, "\(words ?? "")")
    }

    @Test func timesAreReadAsPeopleWriteThem() {
        let now = Timestamp(rfc3339: "2026-05-12T23:00:00Z")!
        #expect(ExplainCommand.time("2026-05-11T11:10:00Z", now: now) == Timestamp(rfc3339: "2026-05-11T11:10:00Z"))
        #expect(ExplainCommand.time("11:10:00.5", now: now) == Timestamp(rfc3339: "2026-05-12T11:10:00.5Z"))
        for text in ["", "now", "11:10", "25:00:00", "2026-05-11"] {
            #expect(ExplainCommand.time(text, now: now) == nil, "\(text)")
        }
    }
}
