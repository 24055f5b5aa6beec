import DaemonKit
import Shared

/// `stratd explain`: an engine that is run from the input journal up to a time is asked why a market had an order then, or none.
struct ExplainCommand {
    /// A file's name has the time of the newest line of its first block.
    private static let stampSlack = Duration.seconds(10)

    /// A tick stands in the journal each second: where no line is so young, nothing ran, or nothing is known of it.
    private static let lineAgeMax = StrategyService.tickAgeMax

    let time: Timestamp
    let paths: [String]

    /// - Parameters:
    ///   - text: RFC 3339, or a time of `now`'s day, UTC.
    /// - Returns: `nil` for what is neither.
    static func time(_ text: String, now: Timestamp) -> Timestamp? {
        Timestamp(rfc3339: text) ?? Timestamp(rfc3339: "\(now.rfc3339.prefix(10))T\(text)Z")
    }

    /// The engine as it was, and the moment at which it is asked.
    ///
    /// - Throws: code 69 when the journal knows nothing of that time.
    func engine() throws(DaemonExit) -> (engine: StrategyEngine, moment: Moment, replay: InputReplay) {
        guard let start = self.start() else {
            throw DaemonExit(
                .unreachable,
                "The input journal has nothing of \(self.time.rfc3339): it begins later, or was not kept then.")
        }
        var replay = InputReplay()
        replay.goesOn = true
        let files = JournalFiles(Array(self.paths[start.file...]))
        var line: [UInt8] = []
        var number = 0
        while case .some(let isThere) = Self.next(files, &line, &replay) {
            guard isThere else { continue }
            number += 1
            // Counted in the first file only, where the state is.
            guard number > start.line else { continue }
            let isPast = self.take(line, &replay)
            if isPast { break }
        }
        guard let engine = replay.engine, let last = replay.moment else {
            throw DaemonExit(
                .unreachable, "The input journal has a gap around \(self.time.rfc3339): choose another time.")
        }
        let age = max(.zero, self.time - last.time)
        guard age <= Self.lineAgeMax else {
            throw DaemonExit(
                .unreachable,
                "The input journal has nothing of \(self.time.rfc3339): its last line before is of \(last.time.rfc3339)."
                    + " stratd did not run then, or has yet to write it.")
        }
        return (engine, last.after(age), replay)
    }

    /// - Returns: whether the line is of a later time, and was not taken.
    private func take(_ line: [UInt8], _ replay: inout InputReplay) -> Bool {
        line.withUnsafeBufferPointer { bytes in
            do throws(JSONError) {
                let line = try InputLine(bytes)
                if line.number >= 0 && line.moment.time > self.time {
                    // What was lost just before it may be of the wanted time. A new start follows on nothing.
                    if line.number > 0 { _ = replay.follows(line) }
                    return true
                }
                try replay.take(line, bytes)
            } catch { replay.breakOff() }
            return false
        }
    }

    /// - Returns: `nil` at the end, false where a file could not be read on.
    private static func next(_ files: JournalFiles, _ line: inout [UInt8], _ replay: inout InputReplay) -> Bool? {
        do throws(JournalFiles.Problem) { return try files.next(&line) ? true : nil } catch {
            replay.breakOff()
            return false
        }
    }

    /// Where the last whole engine of a time up to the wanted one is.
    private func start() -> (file: Int, line: Int)? {
        let wanted = Self.stamp(self.time + Self.stampSlack)
        for index in self.paths.indices.reversed() {
            if let stamp = Self.stamp(ofFile: self.paths[index]), stamp > wanted { continue }
            if let line = self.lastState(in: self.paths[index]) { return (index, line) }
        }
        return nil
    }

    private func lastState(in path: String) -> Int? {
        let files = JournalFiles([path])
        var line: [UInt8] = []
        var number = 0
        var found: Int?
        do throws(JournalFiles.Problem) {
            while try files.next(&line) {
                defer { number += 1 }
                guard let time = line.withUnsafeBufferPointer({ InputLine.stateTime($0) }) else { continue }
                if time > self.time { break }
                found = number
            }
        } catch { return found }
        return found
    }

    /// "20260512T235959Z", as file names have it.
    private static func stamp(_ time: Timestamp) -> String {
        time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    /// Of "input-20260512T235959Z-42.jsonl.gz"; `nil` for a file of another name.
    private static func stamp(ofFile path: String) -> String? {
        let parts = (path.split(separator: "/").last ?? "").split(separator: "-")
        guard parts.count == 3, parts[0] == InputJournal.name, parts[1].utf8.count == 16 else { return nil }
        return String(parts[1])
    }

    /// A condition id, or the slug of a market that the engine knew.
    static func market(_ text: String, in engine: StrategyEngine) -> ConditionID? {
        ConditionID(text) ?? engine.views.sorted.first { $0.market.slug == text }?.market.condition
    }

    /// The open orders of a market, for people.
    static func orders(in market: ConditionID, _ ledger: OrderLedger) -> [String] {
        ledger.openOrders(in: market).map { order in
            "  \(order.id) \(order.body.side.rawValue) \(order.outcome == 0 ? "first" : "second"),"
                + " \(order.remaining) of \(order.body.size) at \(order.body.price), \(order.body.state.rawValue)"
                + " since \(order.body.time.rfc3339), by \(order.body.strategy)"
        }
    }

    static let command = DaemonCommand(
        "explain", "tells from the input journal why a market had an order at a time, or none",
        freeOperands: ["MARKET", "TIME"],
        ownFlags: [
            ProgramFlag("--json", "as one line of JSON"),
            ProgramFlag(
                "--journal", value: "DIR", "the input journal (else that of the state directory)",
                completion: .directory),
        ], isReader: true
    ) { (context) async throws(DaemonExit) in
        let (market, text) = (context.operands[0], context.operands[1])
        let now = Timestamp.now()
        guard let time = Self.time(text, now: now) else {
            throw DaemonExit(.usage, "\"\(text)\" is no time: write 2026-05-12T11:10:00Z, or 11:10:00 for today, UTC.")
        }
        guard time <= now else {
            throw DaemonExit(.unreachable, "\(time.rfc3339) is in the future: it is \(now.rfc3339).")
        }
        let paths: [String]
        do throws(JournalFiles.Problem) {
            paths = try JournalFiles.paths(
                context.flags["--journal"] ?? context.stateDirectory, name: InputJournal.name)
        } catch { throw DaemonExit(.unreachable, "\(error). Name stratd's directory with --state-dir.") }
        var (engine, moment, replay) = try ExplainCommand(time: time, paths: paths).engine()
        if let difference = replay.difference {
            let caution = context.warn
            caution(
                "The journal has other decisions from \(difference.moment.time.rfc3339) on than this program makes: see stratd replay."
            )
        }
        guard let condition = Self.market(market, in: engine) else {
            throw DaemonExit(
                .unreachable, "No market that the feed told of then is called \(market): give a condition id.")
        }
        let orders = Self.orders(in: condition, engine.ledger)
        switch engine.perform(.explain(condition), now: moment).outcome {
        case .failed(let reason): throw DaemonExit(.unreachable, "\(reason), at \(moment.time.rfc3339).")
        case .done(let answer):
            guard context.flags["--json"] == nil else {
                var writer = JSONWriter()
                (answer ?? .null).write(to: &writer)
                return context.tell(String(decoding: writer.bytes, as: UTF8.self))
            }
            context.tell("at \(moment.time.rfc3339)")
            context.tell((Explanation.text(answer ?? .null) + orders.joined(separator: "\n")).trimmedLines)
        }
    }
}

extension String {
    /// Without line ends at its end: who tells it adds one.
    fileprivate var trimmedLines: String {
        var text = self[...]
        while text.hasSuffix("\n") { text = text.dropLast() }
        return String(text)
    }
}
