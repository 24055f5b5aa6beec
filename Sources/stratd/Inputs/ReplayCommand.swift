import DaemonKit
import Shared

/// `stratd replay`: an input journal through the same engine, each answer compared with the one that was given. It reads, and takes no
/// lock, so that a stratd may trade meanwhile.
struct ReplayCommand {
    /// What is told of damaged places, at most; all are counted.
    static let problemCountMax = 20

    private(set) var replay = InputReplay()
    /// Files and lines that could not be read. A last block that is not whole is none: who writes was ended, or is writing.
    private(set) var problems: [String] = []
    private(set) var problemCount = 0
    private(set) var tornCount = 0
    private(set) var duration = Duration.zero

    /// Runs all lines, up to the first difference.
    mutating func run(_ files: JournalFiles) {
        let start = Instant.now()
        var line: [UInt8] = []
        while self.replay.difference == nil {
            do throws(JournalFiles.Problem) {
                guard try files.next(&line) else { break }
            } catch {
                self.note(error)
                continue
            }
            do throws(JSONError) {
                try line.withUnsafeBufferPointer { (line) throws(JSONError) in try self.replay.take(line) }
            } catch { self.note("\(files.path): a line that is not one of an input journal: \(error)") }
        }
        self.duration = Instant.now() - start
    }

    private mutating func note(_ problem: JournalFiles.Problem) {
        guard problem.isTorn else { return self.note("\(problem)") }
        self.tornCount += 1
        self.replay.breakOff()
    }

    private mutating func note(_ problem: String) {
        self.problemCount += 1
        if self.problems.count < Self.problemCountMax { self.problems.append(problem) }
        self.replay.breakOff()
    }

    var updatesPerSecond: Int64 {
        let nanoseconds = max(1, self.duration.nanoseconds)
        return Int64(Int128(self.replay.counts.updates) * 1_000_000_000 / Int128(nanoseconds))
    }

    private var numbers: KeyValuePairs<StaticString, Int64> {
        let counts = self.replay.counts
        return [
            "inputs": counts.inputs, "decisions": counts.decisions, "updates": counts.updates,
            "states": counts.states, "runs": counts.runs, "gaps": counts.gaps, "skipped": counts.skipped,
            "damaged": Int64(self.problemCount), "torn": Int64(self.tornCount), "ms": self.duration.milliseconds,
            "updates_per_s": self.updatesPerSecond,
        ]
    }

    var text: String {
        var lines = self.numbers.map { name, number in
            "\(name)" + String(repeating: " ", count: max(1, 15 - name.utf8CodeUnitCount)) + "\(number)"
        }
        guard let difference = self.replay.difference else { return lines.joined(separator: "\n") }
        lines += [
            "",
            "The first difference is in action \(difference.action) after line \(difference.line),"
                + " \(difference.moment.time.rfc3339):",
            "input     \(difference.input)", "expected  \(difference.expected ?? "nothing")",
            "got       \(difference.got ?? "nothing")",
        ]
        return lines.joined(separator: "\n")
    }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("equal", self.replay.difference == nil)
            for (name, number) in self.numbers { $0.member(name, number) }
            $0.member("problems", self.problems)
            guard let difference = self.replay.difference else { return }
            $0.key("difference")
            $0.object {
                $0.member("line", difference.line)
                $0.member("time", difference.moment.time.rfc3339)
                $0.member("input", difference.input)
                $0.member("action", Int64(difference.action))
                if let expected = difference.expected { $0.member("expected", expected) }
                if let got = difference.got { $0.member("got", got) }
            }
        }
        return writer.bytes
    }

    /// What the command ends with; `nil` when all was equal.
    var failure: DaemonExit? {
        if self.replay.difference != nil {
            return DaemonExit(
                .different,
                "The engine decides otherwise than it did: another version wrote the journal, or it is a bug.")
        }
        if self.problemCount > 0 {
            return DaemonExit(.unreadable, "Parts of the journal cannot be read; all that could be is equal.")
        }
        if self.replay.counts.inputs == 0 {
            return DaemonExit(.unreadable, "Nothing could be run: there is no whole engine in it to begin with.")
        }
        return nil
    }

    static let command = DaemonCommand(
        "replay", "runs an input journal through the engine again, and compares every decision, byte for byte",
        freeOperands: ["DIR"], ownFlags: [ProgramFlag("--json", "as one line of JSON")],
        ownExits: ["1 a decision is another one", "65 parts cannot be read"], isReader: true
    ) { (context) async throws(DaemonExit) in
        let files: JournalFiles
        do throws(JournalFiles.Problem) {
            files = try JournalFiles(context.operand, name: InputJournal.name)
        } catch { throw DaemonExit(.usage, "\(error).") }
        var command = ReplayCommand()
        command.run(files)
        let caution = context.warn
        for problem in command.problems { caution("\(problem).") }
        context.tell(context.flags["--json"] == nil ? command.text : String(decoding: command.json, as: UTF8.self))
        if let failure = command.failure { throw failure }
    }
}
