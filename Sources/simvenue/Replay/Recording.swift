import Shared

/// Why a recording cannot be served.
struct RecordingProblem: Error, Hashable, Sendable {
    let sentence: String
}

/// Recorded frames of the market channel, byte for byte, and the markets that they speak of.
struct Recording: Sendable {
    static let byteCountMax = 1 << 30
    static let frameCountMax = 10_000_000
    static let marketCountMax = 2_000

    struct Frame: Sendable {
        /// When it was received, milliseconds; never before the frame before it.
        let time: Int64
        /// Where it is in `bytes`.
        let range: Range<Int>
    }

    /// A market as far as the frames tell.
    struct FoundMarket: Hashable, Sendable {
        let condition: ConditionID
        /// Of the first `book`, else of whatever names a token first.
        var first: TokenID
        var second: TokenID?
        /// Before the first frame.
        var tick: TickSize?
        /// As the recorder knew them, where it says so; the last word counts.
        fileprivate(set) var terms: Market?
        fileprivate var hasSeenBook = false

        fileprivate mutating func note(_ token: TokenID, isBook: Bool) {
            if token != self.first && (self.second == nil || self.second == token) {
                self.second = token
                if isBook && !self.hasSeenBook { (self.first, self.second) = (token, self.first) }
            }
            if isBook { self.hasSeenBook = true }
        }

        fileprivate mutating func note(_ terms: Market) {
            (self.first, self.second, self.terms) = (terms.first.token, terms.second.token, terms)
        }
    }

    let bytes: [UInt8]
    private(set) var frames: [Frame] = []
    /// In the order of their first frames.
    private(set) var markets: [FoundMarket] = []
    var marketCount: Int { self.markets.count }

    /// Reads JSON lines of `{"f","recv_ms","raw"}`, some of which may have the `terms` of a market, JSON lines of bare frames, or one frame over any number of lines.
    init(parsing bytes: [UInt8]) throws(RecordingProblem) {
        guard bytes.count <= Self.byteCountMax else {
            throw RecordingProblem(sentence: "it is over \(Self.byteCountMax >> 20) MiB; cut it into parts")
        }
        self.bytes = bytes
        var terms: [ConditionID: Market] = [:]
        self.frames = try bytes.withUnsafeBufferPointer { (buffer) throws(RecordingProblem) in
            if let frame = Self.readWhole(buffer) { return [frame] }
            return try Self.readLines(buffer, &terms)
        }
        guard !self.frames.isEmpty else { throw RecordingProblem(sentence: "it holds no frames") }
        self.findMarkets()
        for index in self.markets.indices {
            if let told = terms[self.markets[index].condition] { self.markets[index].note(told) }
        }
        guard !self.markets.isEmpty else { throw RecordingProblem(sentence: "no frame in it names a market") }
        guard self.markets.count <= Self.marketCountMax else {
            throw RecordingProblem(
                sentence: "it holds \(self.markets.count) markets; \(Self.marketCountMax) are allowed")
        }
    }

    // MARK: Frames

    private static func readWhole(_ buffer: UnsafeBufferPointer<UInt8>) -> Frame? {
        guard let line = try? Self.read(buffer, from: 0, number: 1, after: 0), line.isBare else { return nil }
        return line.frame
    }

    private static func readLines(
        _ buffer: UnsafeBufferPointer<UInt8>, _ terms: inout [ConditionID: Market]
    ) throws(RecordingProblem) -> [Frame] {
        var frames: [Frame] = []
        var start = 0
        var number = 0
        while start < buffer.count {
            number += 1
            let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) ?? buffer.count
            let line = UnsafeBufferPointer(rebasing: buffer[start..<end])
            if line.contains(where: { $0 > 0x20 }) {
                guard frames.count < Self.frameCountMax else {
                    throw RecordingProblem(sentence: "it holds over \(Self.frameCountMax) frames; cut it into parts")
                }
                let read = try Self.read(line, from: start, number: number, after: frames.last?.time ?? 0)
                if let frame = read.frame { frames.append(frame) }
                if let market = read.terms { terms[market.condition] = market }
            }
            start = end + 1
        }
        return frames
    }

    /// Reads one text that starts at `base` of the file. No frame when it recorded something else, a PONG for instance.
    private static func read(
        _ text: UnsafeBufferPointer<UInt8>, from base: Int, number: Int, after previous: Int64
    ) throws(RecordingProblem) -> (frame: Frame?, isBare: Bool, terms: Market?) {
        do throws(JSONError) {
            var reader = JSONReader(text)
            let start = text.firstIndex { $0 > 0x20 } ?? 0
            var raw: Range<Int>?
            var time = previous
            var terms: Market?
            var isCopy = false
            if try reader.peek() == .object {
                try reader.object { (key, reader) throws(JSONError) in
                    switch key {
                    case "recv_ms": time = max(time, try reader.integer())
                    case "raw":
                        let kind = try reader.peek()
                        let bytes = try reader.raw()
                        let end = base + reader.offset
                        raw = kind == .object || kind == .array ? end - bytes.count..<end : 0..<0
                    // A second connection heard the same.
                    case "follows":
                        isCopy = true
                        try reader.skip()
                    case "terms": terms = try MarketBody(reading: &reader).market
                    default: try reader.skip()
                    }
                }
            } else {
                try reader.array { (reader) throws(JSONError) in try reader.skip() }
            }
            let end = reader.offset
            try reader.end()
            guard let raw else { return (Frame(time: time, range: base + start..<base + end), true, nil) }
            return (raw.isEmpty || isCopy ? nil : Frame(time: time, range: raw), false, terms)
        } catch {
            throw RecordingProblem(sentence: "line \(number) is not what was expected: \(error)")
        }
    }

    // MARK: Markets

    private mutating func findMarkets() {
        var indexes: [ConditionID: Int] = [:]
        var markets: [FoundMarket] = []
        var reader = MarketChannelReader()
        self.bytes.withUnsafeBufferPointer { buffer in
            for frame in self.frames {
                // A frame that our reader refuses is replayed all the same: that is what a recording is for.
                _ = try? reader.read(UnsafeBufferPointer(rebasing: buffer[frame.range])) { event in
                    guard let condition = event.market else { return }
                    var tokens = event.changes.map(\.token)
                    if let token = event.token { tokens.append(token) }
                    guard let first = tokens.first else { return }
                    let index = indexes[condition] ?? markets.count
                    if index == markets.count {
                        indexes[condition] = index
                        markets.append(FoundMarket(condition: condition, first: first))
                    }
                    for token in tokens { markets[index].note(token, isBook: event.kind == .book) }
                    if markets[index].tick == nil { markets[index].tick = event.oldTick ?? event.tick }
                }
            }
        }
        self.markets = markets
    }
}
