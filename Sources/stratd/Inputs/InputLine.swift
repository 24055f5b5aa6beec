import Shared

/// One line of an input journal, as `InputJournal` writes it.
struct InputLine {
    enum Content {
        case input(EngineInput)
        /// The whole engine, and where its text stands in the line. Apart, so that the others stay small.
        indirect case state(StrategyEngine, Range<Int>)
        /// Lines were lost here.
        case gap
    }

    /// Counts the lines of a run, lost ones included; -1 for a gap.
    let number: Int64
    let moment: Moment
    let content: Content
    /// Where the actions stand in the line; empty where there were none.
    let answer: Range<Int>

    init(_ line: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        var head = Head()
        var content: Content?
        var answer = 0..<0
        var reader = JSONReader(line)
        try reader.object { (key, reader) throws(JSONError) in
            switch key {
            case "f": head.number = try reader.integer()
            case "i": head.instant = try reader.integer()
            case "t": head.time = try reader.integer()
            case "in": head.name = try reader.string().string
            case "sent": head.sentTime = Timestamp(microseconds: try reader.integer())
            case "body":
                let name = try reader.need(head.name, "in")
                guard name == InputJournal.stateName else {
                    content = .input(try EngineInput(name, sentTime: head.sentTime, reading: &reader))
                    return
                }
                _ = try reader.peek()
                let start = reader.offset
                let engine = try StrategyEngine(reading: &reader)
                content = .state(engine, start..<reader.offset)
            case "out":
                let count = try reader.raw().count
                answer = reader.offset - count..<reader.offset
            case "dropped":
                try reader.skip()
                content = .gap
            default: try reader.skip()
            }
        }
        try reader.end()
        self.answer = answer
        if case .gap = content {
            self.number = -1
            self.moment = Moment(instant: Instant(nanoseconds: 0), time: Timestamp(microseconds: 0))
            self.content = .gap
            return
        }
        self.number = try reader.need(head.number, "f")
        self.moment = Moment(
            instant: Instant(nanoseconds: try reader.need(head.instant, "i")),
            time: Timestamp(microseconds: try reader.need(head.time, "t")))
        if let content {
            self.content = content
        } else {
            self.content = .input(try EngineInput(try reader.need(head.name, "in"), sentTime: head.sentTime))
        }
    }

    private struct Head {
        var number: Int64?
        var instant: Int64?
        var time: Int64?
        var name: String?
        var sentTime: Timestamp?
    }

    /// The time of a line that holds the whole engine; `nil` for any other. Much faster than reading it.
    static func stateTime(_ line: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        var time: Int64?
        var isState = false
        var reader = JSONReader(line)
        do throws(JSONError) {
            try reader.object { (key, reader) throws(JSONError) in
                switch key {
                case "t": time = try reader.integer()
                case "in":
                    isState = try reader.string() == "state"
                    // Enough was read.
                    throw JSONError(.trailing, at: reader.offset)
                default: try reader.skip()
                }
            }
        } catch { return isState ? time.map { Timestamp(microseconds: $0) } : nil }
        return nil
    }
}
