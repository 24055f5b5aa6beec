import DaemonKit
import Shared

/// Runs an input journal through an engine, line by line, and compares each answer with the one that was given.
struct InputReplay {
    struct Counts: Equatable {
        var inputs: Int64 = 0
        /// Actions that were compared.
        var decisions: Int64 = 0
        /// Of books, whole ones and changes.
        var updates: Int64 = 0
        /// Whole engines that were compared with what the inputs before them had made.
        var states: Int64 = 0
        /// Starts of the stratd that recorded them.
        var runs: Int64 = 0
        /// Places where lines are missing.
        var gaps: Int64 = 0
        /// Inputs that could not be run, as no whole engine came before them, or after a gap.
        var skipped: Int64 = 0
    }

    /// The first answer that is another one.
    struct Difference: Equatable {
        let line: Int64
        let moment: Moment
        /// The input as it stands in the journal.
        let input: String
        /// Which of the actions, counted from 0.
        let action: Int
        /// `nil`: none.
        let expected: String?
        let got: String?
    }

    /// Whether lines are run after a difference too.
    var goesOn = false
    private(set) var counts = Counts()
    private(set) var difference: Difference?
    /// As the lines so far have made it; `nil` while it is not known.
    private(set) var engine: StrategyEngine?
    /// Of the last line that was run.
    private(set) var moment: Moment?
    private var lastNumber: Int64?
    private var writer = JSONWriter()

    /// Takes the next line. After a difference nothing more is run, unless it `goesOn`.
    mutating func take(_ line: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        guard self.difference == nil || self.goesOn else { return }
        try self.take(try InputLine(line), line)
    }

    /// A file could not be read to its end, or a line could not be read.
    mutating func breakOff() {
        self.counts.gaps += 1
        self.engine = nil
        self.lastNumber = nil
    }

    mutating func take(_ line: InputLine, _ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        switch line.content {
        case .gap:
            // The number of the next line tells of it.
            return
        case .state(let engine, let text):
            if line.number == 0 {
                self.counts.runs += 1
            } else if self.follows(line), let own = self.engine {
                self.compare(own, with: UnsafeBufferPointer(rebasing: bytes[text]), line)
            }
            self.engine = engine
        case .input(let input):
            _ = self.follows(line)
            guard self.engine != nil else {
                self.counts.skipped += 1
                break
            }
            self.run(input, line, bytes)
        }
        self.lastNumber = line.number
        self.moment = line.moment
    }

    /// Whether nothing is missing before a line; where something is, the engine is not known any more.
    mutating func follows(_ line: InputLine) -> Bool {
        guard let last = self.lastNumber, line.number != last + 1 else { return true }
        self.breakOff()
        return false
    }

    private mutating func run(_ input: EngineInput, _ line: InputLine, _ bytes: UnsafeBufferPointer<UInt8>) {
        self.counts.inputs += 1
        switch input {
        case .feed(.delta, _), .feed(.book, _): self.counts.updates += 1
        default: break
        }
        let actions = self.engine!.apply(input, now: line.moment)
        self.counts.decisions += Int64(actions.count)
        guard !actions.isEmpty || !line.answer.isEmpty else { return }
        self.writer.clear()
        if !actions.isEmpty { self.writer.array { for action in actions { action.write(to: &$0) } } }
        let expected = UnsafeBufferPointer(rebasing: bytes[line.answer])
        let isEqual = self.writer.bytes.withUnsafeBufferPointer { $0.elementsEqual(expected) }
        guard !isEqual && self.difference == nil else { return }
        let (before, after) = (Self.elements(expected), self.writer.bytes.withUnsafeBufferPointer { Self.elements($0) })
        let index = zip(before, after).enumerated().first { $1.0 != $1.1 }?.offset ?? min(before.count, after.count)
        self.difference = Difference(
            line: line.number, moment: line.moment, input: Self.text(of: line, bytes), action: index,
            expected: index < before.count ? before[index] : nil, got: index < after.count ? after[index] : nil)
    }

    private mutating func compare(
        _ engine: StrategyEngine, with expected: UnsafeBufferPointer<UInt8>, _ line: InputLine
    ) {
        self.counts.states += 1
        self.writer.clear()
        engine.write(to: &self.writer)
        guard !self.writer.bytes.elementsEqual(expected), self.difference == nil else { return }
        let place = zip(self.writer.bytes, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? expected.count
        func around(_ bytes: some Collection<UInt8>) -> String {
            String(decoding: bytes.dropFirst(max(0, place - 60)).prefix(160), as: UTF8.self)
        }
        self.difference = Difference(
            line: line.number, moment: line.moment, input: InputJournal.stateName, action: 0,
            expected: "…\(around(expected))…", got: "…\(around(self.writer.bytes))…")
    }

    /// The elements of an array, as they stand there.
    private static func elements(_ bytes: UnsafeBufferPointer<UInt8>) -> [String] {
        var elements: [String] = []
        var reader = JSONReader(bytes)
        do throws(JSONError) {
            try reader.array { (reader) throws(JSONError) in
                elements.append(String(decoding: try reader.raw(), as: UTF8.self))
            }
        } catch { return elements }
        return elements
    }

    /// The line without the actions.
    private static func text(of line: InputLine, _ bytes: UnsafeBufferPointer<UInt8>) -> String {
        let end = line.answer.isEmpty ? bytes.count : line.answer.lowerBound - #","out":"#.utf8.count
        return String(decoding: bytes.prefix(end), as: UTF8.self) + (line.answer.isEmpty ? "" : "}")
    }
}
